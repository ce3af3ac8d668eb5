"""Run a case: the model's own rendered text over the given rows, in a locked database in memory."""

from __future__ import annotations

import dataclasses
import os
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tsq import config
from tsq.engine import checks, comparison, making, tabular, warehouse
from tsq.engine.cases import Case
from tsq.engine.compile import Compiled, compile_model
from tsq.engine.graph import Graph
from tsq.engine.tabular import Cell, Rows
from tsq.engine.template import identifier
from tsq.engine.warehouse import Connection, DatabaseError
from tsq.errors import TsqError, did_you_mean

# What a raw row has of the lake where a case says nothing: one file, known since ever.
LAKE_DEFAULTS: Mapping[str, Cell] = {
    "format": "case",
    "source_rank": "10",
    "known_at": "1900-01-01 00:00:00+00",
    "loaded_at": "1900-01-01 00:00:00+00",
    "batch_id": "case",
    "file": "case",
}


@dataclass(frozen=True)
class Bench:
    """Where cases run.

    Attributes:
        graph: the project's graph.
        types: table → column → type, of models and of what they read.
        con: an empty database; each case leaves it as it found it.
    """

    graph: Graph
    types: Mapping[str, Mapping[str, str]]
    con: Connection
    _compiled: dict[str, Compiled] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a case; `problem` are lines for people, none where it passed."""

    case: Case
    seconds: float
    problem: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether all was as expected."""
        return not self.problem


class _Differs(Exception):  # noqa: N818  a finding, not an error
    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def open_bench(graph: Graph, types: Mapping[str, Mapping[str, str]]) -> Bench:
    """An empty bench for the models of a graph."""
    con = warehouse.connect()
    con.execute("set threads = 1")
    for schema in ("raw", "config", *graph.catalog.layers):
        con.execute(f"create schema {identifier(schema)}")
    warehouse.lock_down(con)
    return Bench(graph, types, con)


def check_cases(graph: Graph, cases: Mapping[str, tuple[Case, ...]]) -> None:
    """Hold the files of cases to the models there are.

    Raises:
        TsqError: a file is named after no model, with the nearest names.
    """
    for name, found in cases.items():
        if name not in graph.nodes:
            where = found[0].where.rpartition(":")[0]
            raise TsqError(f"no model is called {name}", where=where, hint=did_you_mean(name, graph.nodes))


def run(bench: Bench, case: Case) -> Outcome:
    """Run one case.

    Returns:
        Its outcome; a mistake in the case itself (an unknown column, a value that cannot be read) is a problem too.
    """
    clock = time.perf_counter()
    bench.con.execute("begin")
    try:
        _verify(bench, case)
        problem: tuple[str, ...] = ()
    except _Differs as found:
        problem = found.lines
    except TsqError as error:
        problem = tuple(str(error).splitlines())
    finally:
        bench.con.execute("rollback")
    return Outcome(case, time.perf_counter() - clock, problem)


def report(outcome: Outcome, root: Path) -> str:
    """A failed case for people: what must be true and is not, why it matters, and the rows that show it.

    Args:
        outcome: the case and what was wrong.
        root: the project's folder; files are named from there.
    """
    case = outcome.case
    lines = [f"{case.model}: {case.name}", f"  in:   {case.where}"]
    if case.why:
        lines.append(f"  why:  {case.why}")
    return "\n".join([*lines, *(f"    {line}" for line in outcome.problem)]).replace(f"{root}{os.sep}", "")


def _verify(bench: Bench, case: Case) -> None:
    node = _node(bench, case)
    _give(bench, case, node)
    try:
        _make(bench.con, node)
        _, results = checks.verify(bench.con, node)
    except TsqError as error:
        if case.expect_error is None:
            raise
        if case.expect_error not in str(error):
            raise _Differs(f"the error does not say {case.expect_error!r}:", *str(error).splitlines()) from None
        return
    if case.expect_error is not None:
        raise _Differs(f"no error, and one was expected that says {case.expect_error!r}")
    names = [result.name for result in results]
    for name in case.fails_check:
        if name not in names:
            raise TsqError(f"{node.name} has no check {name!r}", where=case.where, hint=did_you_mean(name, names))
    for result in results:
        if result.name in case.fails_check:
            if not result.failed:
                raise _Differs(f"the check {result.name!r} holds, and was expected to fail")
        elif result.failed and result.level == "block":
            raise checks.explain(bench.con, node, result)
    if case.expect is not None:
        _compare(bench.con, case, node, case.expect)


def _make(con: Connection, node: Compiled) -> None:
    """Make the table; what a Python model trips over is a finding about that model, at its line."""
    mistakes = _mistakes() if node.model.language == "python" else ()
    try:
        making.make(con, node)
    except mistakes as error:
        steps = traceback.extract_tb(error.__traceback__)
        lines = [step.lineno for step in steps if Path(step.filename) == node.model.path]
        said = (str(error).splitlines() or [""])[0]
        raise TsqError(
            f"{node.name}: {type(error).__name__}: {said}",
            where=f"{node.model.path}:{lines[-1]}" if lines else node.model.path,
            hint="give the tables the columns and values that model() needs",
        ) from error


def _mistakes() -> tuple[type[Exception], ...]:
    from polars.exceptions import PolarsError

    return ArithmeticError, AttributeError, LookupError, TypeError, ValueError, PolarsError


def _node(bench: Bench, case: Case) -> Compiled:
    """The model as the case's knobs render it."""
    if not case.knobs:
        node = bench.graph.nodes[case.model]
    else:
        key = repr((case.model, sorted((name, value) for name, (value, _) in case.knobs.items())))
        if key not in bench._compiled:
            catalog = bench.graph.catalog
            values = [(name, value, where) for name, (value, where) in case.knobs.items()]
            project = config.override(catalog.project, values)
            bench._compiled[key] = compile_model(dataclasses.replace(catalog, project=project), case.model)
        node = bench._compiled[key]
        for name, (_, where) in case.knobs.items():
            if name not in node.knobs:
                raise TsqError(
                    f"{case.model} does not use the knob {name}", where=where, hint=did_you_mean(name, node.knobs)
                )
    # a reference is a promise about a table that the model does not read
    header = dataclasses.replace(node.model.header, references={})
    return dataclasses.replace(node, model=dataclasses.replace(node.model, header=header))


def _give(bench: Bench, case: Case, node: Compiled) -> None:
    """Make the tables a model reads, with the rows the case gives them."""
    for table, rows in case.given.items():
        if table not in node.reads:
            raise TsqError(
                f"{case.model} does not read {table}", where=rows.where, hint=did_you_mean(table, node.reads)
            )
    for table in node.reads:
        types = bench.types[table]
        tabular.create(bench.con, table, types, _defaults(bench.graph, table))
        given = case.given.get(table)
        if given:
            tabular.check_names(given, tuple(types), table)
            tabular.insert(bench.con, table, given, types)


def _defaults(graph: Graph, table: str) -> Mapping[str, Cell]:
    schema, _, name = table.partition(".")
    if schema not in ("raw", "config"):
        return {}
    dataset = (graph.catalog.raw if schema == "raw" else graph.catalog.config)[name]
    own = {column.name: str(column.default) for column in dataset.columns if column.default is not None}
    return {**own, **(LAKE_DEFAULTS if schema == "raw" else {})}


def _compare(con: Connection, case: Case, node: Compiled, expect: Rows) -> None:
    actual = {row[0]: row[1] for row in con.execute(f"describe {identifier(node.name)}").fetchall()}
    tabular.check_names(expect, tuple(actual), node.name)
    names = expect.columns or tuple(actual)
    columns = ", ".join(f'"{name}"' for name in names)
    query = f"select {columns} from {identifier(node.name)}"
    try:
        got = con.execute(f"{query} where {case.rows_where}" if case.rows_where else query).fetchall()
    except DatabaseError as error:
        said = str(error).splitlines()[0]
        raise TsqError(
            f"`where` cannot be asked: {said}", where=case.where, hint="a condition on its columns"
        ) from None
    want = tabular.fetch(con, expect, {name: actual[name] for name in names})
    grain = node.model.header.grain
    key = [names.index(column) for column in grain] if set(grain) <= set(names) else []
    pairs = comparison.compare(want, got, ordered=case.ordered, tolerance=case.tolerance, key=key)
    if not all(pair.same for pair in pairs):
        raise _Differs(*comparison.render(pairs, names, case.tolerance))

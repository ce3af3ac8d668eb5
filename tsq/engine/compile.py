"""From a catalog to plain SQL: render every template, then read what it reads.

What a model reads is found in its rendered SQL, so nobody keeps an order by hand and there is no `ref()`. What runs
later is this rendered text, never SQL written by a parser.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tsq.engine import keys, memo, places, reading
from tsq.engine.catalog import Catalog, Model
from tsq.engine.header import Level
from tsq.errors import TsqError, did_you_mean

# Jinja and sqlglot are imported where they work: what is remembered needs neither.
if TYPE_CHECKING:
    from tsq.engine.template import Rendered, Renderer


@dataclass(frozen=True)
class Table:
    """What a template sees of a table in `tables('layer')`."""

    name: str
    table: str
    meta: Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """A rendered check: `rows` is true of every row; `query` returns no rows; `reads` are the tables it names."""

    name: str
    kind: Literal["rows", "query"]
    sql: str
    level: Level
    reads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compiled:
    """A model ready to run.

    Attributes:
        model: the file it comes from.
        sql: plain SQL, empty for a Python model.
        lines: line of the user's file for each line of `sql`.
        reads: tables it reads, sorted: models, `raw.*`, `config.*`; for Python in the order of the arguments.
        check_reads: those of `reads` that only its checks and references look at: they decide when it can be checked,
            and none of its rows.
        rules: its rendered checks.
        knobs: knobs it uses, with their values.
        own_hash: hash of what the model itself says (normalised SQL, or Python source and knobs), not of what it reads.
        promise_hash: hash of what it promises (grain, columns, checks, prose): a change is checked, not rebuilt.
    """

    model: Model
    sql: str
    lines: tuple[int, ...]
    reads: tuple[str, ...]
    rules: tuple[Rule, ...]
    knobs: Mapping[str, Any]
    own_hash: str
    promise_hash: str
    check_reads: tuple[str, ...] = ()

    @property
    def own_reads(self) -> tuple[str, ...]:
        """Tables its rows are made from; for Python in the order of the arguments."""
        return tuple(read for read in self.reads if read not in self.check_reads)

    @property
    def name(self) -> str:
        """The table's full name."""
        return self.model.name


def compile_catalog(catalog: Catalog, memory: Path | None = None) -> dict[str, Compiled]:
    """Render and read every model.

    Args:
        catalog: the project's files.
        memory: a file that remembers models between runs; None remembers nothing.

    Returns:
        Compiled models by name, in the catalog's order.

    Raises:
        TsqError: a template, SQL or argument that is wrong; names the file and line.
    """
    library = keys.library()
    key_of = keys.of_models(catalog, library)
    known = memo.load(memory) if memory else {}
    compiled: dict[str, Compiled] = {}
    entries: dict[str, Mapping[str, Any]] = {}

    @cache
    def renderer() -> Renderer:
        from tsq.engine.template import Renderer

        return Renderer({**catalog.project.knobs, "tables": _tables(catalog)}, catalog.macros)

    for name, model in catalog.models.items():
        key = key_of(model)
        if key in known:
            compiled[name] = _recall(model, known[key], catalog.project.knobs)
        elif model.language == "sql":
            compiled[name] = _sql_model(model, renderer(), catalog.project.knobs)
        else:
            compiled[name] = _python_model(model, renderer(), catalog, library)
        entries[key] = known[key] if key in known else _remember(compiled[name])
    if memory and entries.keys() != known.keys():
        memo.save(memory, entries)
    return compiled


def compile_model(catalog: Catalog, name: str) -> Compiled:
    """Render and read one model, by name, with the knobs of the catalog's project; raises as `compile_catalog` does."""
    from tsq.engine.template import Renderer

    model, knobs = catalog.models[name], catalog.project.knobs
    renderer = Renderer({**knobs, "tables": _tables(catalog)}, catalog.macros)
    if model.language == "sql":
        return _sql_model(model, renderer, knobs)
    return _python_model(model, renderer, catalog, keys.library())


def _remember(node: Compiled) -> dict[str, Any]:
    return {
        "sql": node.sql,
        "lines": node.lines,
        "reads": node.reads,
        "rules": [asdict(rule) for rule in node.rules],
        "knobs": list(node.knobs),
        "own_hash": node.own_hash,
        "promise_hash": node.promise_hash,
        "check_reads": node.check_reads,
    }


def _recall(model: Model, entry: Mapping[str, Any], knobs: Mapping[str, Any]) -> Compiled:
    return Compiled(
        model,
        entry["sql"],
        tuple(entry["lines"]),
        tuple(entry["reads"]),
        tuple(Rule(**{**rule, "reads": tuple(rule["reads"])}) for rule in entry["rules"]),
        {name: knobs[name] for name in entry["knobs"]},
        entry["own_hash"],
        entry["promise_hash"],
        tuple(entry["check_reads"]),
    )


def _sql_model(model: Model, renderer: Renderer, knobs: Mapping[str, Any]) -> Compiled:
    from tsq.engine import lint

    rendered = renderer.render(model.body, model.path, model.body_line)
    where = partial(reading.place, model.path, _line_finder(rendered))
    query = reading.parse(rendered.sql, where)
    reads = reading.tables(query, where)
    lint.check(query, model.name, where)
    rules, used, rule_reads = _rules(model, renderer)
    used |= rendered.names
    check_reads = tuple(sorted(rule_reads - {*reads, model.name}))
    return Compiled(
        model,
        query.sql,
        rendered.lines,
        tuple(sorted({*reads, *check_reads})),
        rules,
        {name: knobs[name] for name in sorted(used) if name in knobs},
        keys.digest(_storage(model), reading.normalised(query)),
        _promises(model, rules),
        check_reads,
    )


def _python_model(model: Model, renderer: Renderer, catalog: Catalog, library: str) -> Compiled:
    knobs = catalog.project.knobs
    for name in model.knobs:
        if name not in knobs:
            where = places.written(model, "", (), name)
            raise TsqError(f"unknown knob {name} in model()", where=where, hint=did_you_mean(name, knobs))
    known = [*catalog.models, *(f"config.{name}" for name in catalog.config)]
    reads = tuple(_argument(argument, known, model) for argument in model.arguments)
    rules, _, rule_reads = _rules(model, renderer)
    check_reads = tuple(sorted(rule_reads - {*reads, model.name}))
    used = {name: knobs[name] for name in model.knobs}
    tree = ast.parse(model.body)
    tree.body = tree.body[1:]  # the docstring is the header
    own_hash = keys.digest(_storage(model), ast.dump(tree), json.dumps(used, default=str), library)
    promised = _promises(model, rules)
    return Compiled(model, "", (), (*reads, *check_reads), rules, used, own_hash, promised, check_reads)


def _argument(argument: str, known: list[str], model: Model) -> str:
    layer, separator, table = argument.partition("__")
    if separator and f"{layer}.{table}" in known:
        return f"{layer}.{table}"
    found = [name for name in known if name.partition(".")[2] == argument and name != model.name]
    if len(found) == 1:
        return found[0]
    if found:
        spellings = ", ".join(name.replace(".", "__") for name in found)
        raise TsqError(
            f"{argument} could be {' or '.join(found)}", where=model.path, hint=f"name the argument {spellings}"
        )
    names = [name.partition(".")[2] for name in known]
    raise TsqError(
        f"model() asks for a table {argument}, which nothing makes",
        where=places.written(model, "", (), argument),
        hint=did_you_mean(argument, names),
    )


def _rules(model: Model, renderer: Renderer) -> tuple[tuple[Rule, ...], set[str], set[str]]:
    from tsq.engine import lint

    rules: list[Rule] = []
    names: set[str] = set()
    reads: set[str] = set()
    for number, check in enumerate(model.header.checks):
        where = partial(_where_promised, model, number)
        text = check.rows or check.query
        if not text or (check.rows and check.query):
            raise TsqError(
                "a check has either `rows` or `query`",
                where=where(1),
                hint="rows: true of every row; query: returns no rows",
            )
        rendered = renderer.render(text, model.path)
        names |= rendered.names
        parsed = reading.parse(rendered.sql if check.query else f"select {rendered.sql}", where)
        looks = reading.tables(parsed, where)
        reads |= set(looks)
        lint.check_repeatable(parsed, model.name, where)
        kind: Literal["rows", "query"] = "rows" if check.rows else "query"
        # a comment at the end would hide what is written behind it
        sql = parsed.sql[: parsed.tokens[-1].end + 1].strip()
        sql = sql if check.query else sql.removeprefix("select ").strip()
        rules.append(Rule(check.name or " ".join(text.split())[:80], kind, sql, check.level, looks))
    if model.header.knowable:  # a build asks it too, in the table's as-of macro
        there = _where_knowable(model)
        reads |= set(reading.tables(reading.parse(f"select {model.header.knowable}", there), there))
    # the as-of macro looks at earlier versions too, so they are there before it is made
    reads |= {model.header.versions} if model.header.versions else set()
    return tuple(rules), names, reads | {_referred(model, column) for column in model.header.references}


def _where_promised(model: Model, number: int, _line: int) -> str:
    return places.promised(model, "checks", number)


def _where_knowable(model: Model) -> Callable[[int], str]:
    return lambda _line: places.promised(model, "knowable")


def _referred(model: Model, column: str) -> str:
    """The table a reference of a column points to."""
    target = model.header.references[column]
    table, _, _ = target.rpartition(".")
    if not re.fullmatch(r"\w+\.\w+\.\w+", target):
        raise TsqError(
            f"{column} refers to {target!r}",
            where=places.promised(model, "references", column),
            hint="write layer.table.column, in which its values stand",
        )
    return table


def _storage(model: Model) -> str:
    """What of a header decides the rows of a table, their order, and the session each counts to."""
    header = model.header
    return repr((header.kind, header.date, header.interval, header.look_back, header.order))


def _promises(model: Model, rules: tuple[Rule, ...]) -> str:
    columns = {name: asdict(column) for name, column in model.header.columns.items()}
    header = model.header
    said = (header.grain, dict(header.references), header.tags, header.knowable, header.versions)
    return keys.digest(repr(said), json.dumps(columns), repr(rules), model.prose)


def _tables(catalog: Catalog) -> Callable[[str], tuple[Table, ...]]:
    def tables(layer: str) -> tuple[Table, ...]:
        if layer not in catalog.layers:
            raise ValueError(f"tables({layer!r}): no such layer, {did_you_mean(layer, catalog.layers)}")
        return tuple(
            Table(model.name, model.table, model.header.meta)
            for model in catalog.models.values()
            if model.layer == layer
        )

    return tables


def _line_finder(rendered: Rendered) -> Callable[[int], int]:
    return lambda n: rendered.lines[min(n, len(rendered.lines)) - 1]

"""From a catalog to plain SQL: render every template, then read what it reads.

What a model reads is found in its rendered SQL, so nobody keeps an order by hand and there is no `ref()`. What runs
later is this rendered text, never SQL written by a parser.
"""

from __future__ import annotations

import ast
import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tsq.engine import memo, places
from tsq.engine.catalog import Catalog, Model
from tsq.engine.header import Level
from tsq.errors import TsqError, did_you_mean

# Jinja and sqlglot are imported where they work: what is remembered needs neither.
if TYPE_CHECKING:
    from sqlglot.expressions import Expr

    from tsq.engine.lint import Query
    from tsq.engine.template import Rendered, Renderer

# The modules whose code decides what a model compiles to.
_CODE = ("compile", "template", "sandbox", "lint", "lint_division", "lint_joins")


@dataclass(frozen=True)
class Table:
    """What a template sees of a table in `tables('layer')`."""

    name: str
    table: str
    meta: Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """A rendered check: `rows` is true of every row; `query` returns no rows."""

    name: str
    kind: Literal["rows", "query"]
    sql: str
    level: Level


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
    library = _library_hash()
    surroundings = _surroundings(catalog, library)
    known = memo.load(memory) if memory else {}
    compiled: dict[str, Compiled] = {}
    entries: dict[str, Mapping[str, Any]] = {}

    @cache
    def renderer() -> Renderer:
        from tsq.engine.template import Renderer

        return Renderer({**catalog.project.knobs, "tables": _tables(catalog)}, catalog.macros)

    for name, model in catalog.models.items():
        key = _hash(surroundings, repr(model))
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
    return _python_model(model, renderer, catalog, _library_hash())


def _surroundings(catalog: Catalog, library: str) -> str:
    """Hash of all that a model's compiled form depends on besides its own file."""
    code = [Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8") for name in _CODE]
    tables = [(model.name, model.header.meta) for model in catalog.models.values()]
    seen = (dict(catalog.project.knobs), list(catalog.layers), tables, list(catalog.config), list(catalog.raw))
    macros = [path.read_text(encoding="utf-8") for path in catalog.macros]
    return _hash(library, version("sqlglot"), version("jinja2"), repr(seen), *code, *macros)


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
        tuple(Rule(**rule) for rule in entry["rules"]),
        {name: knobs[name] for name in entry["knobs"]},
        entry["own_hash"],
        entry["promise_hash"],
        tuple(entry["check_reads"]),
    )


def read_query(sql: str, path: Path, line: Callable[[int], int] = lambda n: n) -> tuple[tuple[str, ...], str]:
    """Parse one SELECT and find the tables it reads.

    Args:
        sql: plain SQL.
        path: the user's file, for errors.
        line: line of `sql` → line of that file.

    Returns:
        The full names of the tables read, sorted; and the SQL without comments and white space, of which an edit
        rebuilds nothing.

    Raises:
        TsqError: not SQL, not exactly one query, or a table that is not written `schema.table`.
    """
    where = partial(_where, path, line)
    return _reads(_parse(sql, where), where)


def _where(path: Path, line: Callable[[int], int], n: int) -> str:
    return f"{path}:{line(n)}"


def _parse(sql: str, where: Callable[[int], str]) -> Query:
    from sqlglot import Dialect, TokenType, exp
    from sqlglot.errors import SqlglotError

    from tsq.engine.lint import Query

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it cannot read is said below, once
    dialect = Dialect.get_or_raise("duckdb")
    try:
        tokens = dialect.tokenize(sql)
        while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
            end = tokens.pop()
            sql = sql[: end.start] + sql[end.end + 1 :]
        statements = [statement for statement in dialect.parser().parse(tokens, sql) if statement is not None]
    except SqlglotError as error:
        first = (getattr(error, "errors", None) or [{}])[0]
        near = f" near {first['highlight']!r}" if first.get("highlight") else ""
        why = re.sub(
            r"Required keyword: '(\w+)' missing for .*", r"its \1 is missing", first.get("description", str(error))
        )
        raise TsqError(
            f"this is not valid SQL{near}: {why}",
            where=where(first.get("line") or 1),
            hint="mend the query",
        ) from None
    except RecursionError:
        hint = "write it in smaller steps, as CTEs"
        raise TsqError("this SQL is nested too deeply", where=where(1), hint=hint) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        kinds = ", ".join(_kind(statement) for statement in statements) or "nothing"
        raise TsqError(
            f"a model is one SELECT; this file holds {kinds}", where=where(1), hint="one file = one table = one query"
        )
    return Query(sql, tokens, statements[0])


def _kind(statement: Expr) -> str:
    return statement.name.lower() if statement.key == "command" else statement.key


def _reads(parsed: Query, where: Callable[[int], str]) -> tuple[tuple[str, ...], str]:
    from sqlglot import exp

    from tsq.engine.lint import line_of

    query = parsed.tree
    local = {cte.alias_or_name.lower() for cte in query.find_all(exp.CTE)}
    reads: set[str] = set()
    for table in query.find_all(exp.Table, exp.Lateral):
        if isinstance(table.this, exp.Func):
            if not isinstance(table.this, (exp.GenerateSeries, exp.Unnest)):
                raise TsqError(
                    f"a model reads tables, not {table.this.sql(dialect='duckdb')[:60]}",
                    where=where(line_of(table)),
                    hint="bring files in with `tsq ingest` and read raw.*",
                )
        elif not isinstance(table, exp.Table):
            continue
        elif table.db and not table.catalog:
            reads.add(f"{table.db}.{table.name}".lower())
        elif table.catalog or table.name.lower() not in local:
            name = table.sql(dialect="duckdb")
            is_file = re.search(r"[/.:]", table.name)
            raise TsqError(
                f"{name} is not a table of this project",
                where=where(line_of(table)),
                hint="bring files in with `tsq ingest` and read raw.*"
                if is_file
                else "write it in full, as schema.table",
            )
    return tuple(sorted(reads)), "\x1f".join(f"{token.token_type.name} {token.text}" for token in parsed.tokens)


def _sql_model(model: Model, renderer: Renderer, knobs: Mapping[str, Any]) -> Compiled:
    from tsq.engine import lint

    rendered = renderer.render(model.body, model.path, model.body_line)
    where = partial(_where, model.path, _line_finder(rendered))
    query = _parse(rendered.sql, where)
    reads, normalised = _reads(query, where)
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
        _hash(*_storage(model), normalised),
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
    own_hash = _hash(ast.dump(tree), json.dumps(used, default=str), library)
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
        parsed = _parse(rendered.sql if check.query else f"select {rendered.sql}", where)
        reads |= set(_reads(parsed, where)[0])
        lint.check_repeatable(parsed, model.name, where)
        kind: Literal["rows", "query"] = "rows" if check.rows else "query"
        sql = parsed.sql.strip() if check.query else rendered.sql.strip()
        rules.append(Rule(check.name or " ".join(text.split())[:80], kind, sql, check.level))
    if model.header.knowable:  # a build asks it too, in the table's as-of macro
        there = _where_knowable(model)
        reads |= set(_reads(_parse(f"select {model.header.knowable}", there), there)[0])
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


def _storage(model: Model) -> tuple[str, ...]:
    """What of a header decides the rows of a table and their order."""
    header = model.header
    windowed = (str(header.date), str(header.look_back)) if header.kind == "incremental" else ()
    return header.kind, *windowed, *header.order


def _promises(model: Model, rules: tuple[Rule, ...]) -> str:
    columns = {name: asdict(column) for name, column in model.header.columns.items()}
    header = model.header
    said = (header.grain, header.date, header.interval, dict(header.references), header.tags, header.knowable)
    return _hash(repr(said), json.dumps(columns), repr(rules), model.prose)


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


def _library_hash() -> str:
    """Hash of the source a Python model may call: a changed step function must rebuild what it made."""
    folder = Path(__file__).parent.parent / "quant"
    return _hash(*(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))))


def _hash(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode())
        digest.update(b"\x00")
    return digest.hexdigest()

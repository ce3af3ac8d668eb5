"""What a header promises, held against the columns a table will have: before a row of it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tsq.engine import places
from tsq.engine.compile import Compiled
from tsq.engine.sql_error import in_words
from tsq.errors import TsqError, did_you_mean

Columns = Mapping[str, str]

_SPELLINGS = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}
_MOMENTS = frozenset({"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"})
_WHOLE = frozenset(
    f"{sign}{size}" for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
)


@dataclass(frozen=True)
class _Said:
    """One promise that is SQL: the header key it stands under, what to call it, and its text."""

    key: tuple[str | int, ...]
    label: str
    kind: Literal["rows", "query", "knowable"]
    sql: str


def spelt(kind: str) -> str:
    """A SQL type as DuckDB writes it."""
    return _SPELLINGS.get(kind.upper(), kind.upper())


def has_sql(node: Compiled) -> bool:
    """Whether a model promises anything that has to be bound."""
    return bool(node.rules or node.model.header.knowable)


def verify(node: Compiled, tables: Mapping[str, Columns], types: Callable[[str], Columns]) -> None:
    """Hold a model's promises against its columns.

    Args:
        node: the model.
        tables: table → column → SQL type, of the model and of all its promises name.
        types: columns of a query over those tables; raises the database's error where it does not bind.

    Raises:
        TsqError: the first promise that cannot be kept, at its line of the header.
    """
    header, actual = node.model.header, tables[node.name]
    for name, column in header.columns.items():
        if name not in actual:
            raise _error(node, ("columns", name), f"{node.name} promises a column {name} and has none", name, actual)
        if column.type and spelt(column.type) != actual[name]:
            raise TsqError(
                f"{node.name}.{name} is promised as {column.type} and is {actual[name]}",
                where=places.promised(node.model, "columns", name, "type"),
                hint=f"cast it in the SQL, or promise {actual[name]}",
            )
    named = {"grain": header.grain, "order": header.order, "date": (header.date,) if header.date else ()}
    for key, names in {**named, "references": tuple(header.references)}.items():
        for name in names:
            if name not in actual:
                raise _error(node, (key,), f"{key} of {node.name} names a column {name} it has not", name, actual)
    if header.date and actual[header.date] != "DATE":
        raise TsqError(
            f"date of {node.name} is the column {header.date}, which is {actual[header.date]}",
            where=places.promised(node.model, "date"),
            hint="name a column of type DATE, or cast this one",
        )
    for column_name, target in header.references.items():
        _verify_reference(node, column_name, target, tables)
    if header.versions:
        _verify_versions(node, header.versions, tables)
    _verify_sql(node, actual, types)


def _verify_reference(node: Compiled, column: str, target: str, tables: Mapping[str, Columns]) -> None:
    key = ("references", column)
    table, _, other = target.rpartition(".")
    if other not in tables[table]:
        what = f"{column} of {node.name} refers to {target}, and {table} has no such column"
        raise _error(node, key, what, other, tables[table])
    kind, wanted = tables[node.name][column], tables[table][other]
    if kind != wanted and not {kind, wanted} <= _WHOLE and not {kind, wanted} <= _MOMENTS:
        raise TsqError(
            f"{column} of {node.name} is {kind}; {target}, to which it refers, is {wanted}",
            where=places.promised(node.model, *key),
            hint="refer to a column of the same type, or cast this one",
        )


def _verify_versions(node: Compiled, versions: str, tables: Mapping[str, Columns]) -> None:
    where, moment = places.promised(node.model, "versions"), spelt("TIMESTAMPTZ")
    if not node.model.header.grain or tables[node.name].get("known_at") != moment:
        hint = "give it a grain, and a column known_at of type TIMESTAMPTZ"
        raise TsqError(
            f"{node.name} has earlier versions and does not say which row was known when", where=where, hint=hint
        )
    wanted = {**tables[node.name], "known_from": moment, "known_to": moment}
    for name, kind in wanted.items():
        if tables[versions].get(name) != kind:
            what = f"{versions} holds the earlier versions of {node.name} and has no column {name} of type {kind}"
            raise TsqError(what, where=where, hint=f"add it to {versions}, or name another table")


def _verify_sql(node: Compiled, actual: Columns, types: Callable[[str], Columns]) -> None:
    """Bind checks and `knowable` together; only when that fails one by one, to say which it was."""
    from tsq.engine.warehouse import DatabaseError

    said = list(_said(node))
    if not said:
        return
    try:
        found = types(_statement(node, said))
    except DatabaseError:
        for one in said:
            try:
                types(_statement(node, [one]))
            except DatabaseError as error:
                what, hint = in_words(error, actual)
                raise TsqError(
                    f"{one.label} of {node.name}: {what}",
                    where=places.promised(node.model, *one.key),
                    hint=hint or "checks and knowable are written in terms of the table's own columns",
                ) from None
        raise
    for number, one in enumerate(said):
        kind = found.get(f"c{number}")
        if one.kind == "rows" and kind != "BOOLEAN":
            hint = "write a comparison that is true of every row, or a query that returns no rows"
            raise TsqError(
                f"{one.label} of {node.name} is {kind}, not true or false",
                where=places.promised(node.model, *one.key),
                hint=hint,
            )
        if one.kind == "knowable" and kind not in _MOMENTS:
            raise TsqError(
                f"{one.label} of {node.name} is {kind}, not a day",
                where=places.promised(node.model, *one.key),
                hint="say at which session's evening a row is known, as a DATE",
            )


def _said(node: Compiled) -> Iterator[_Said]:
    for number, rule in enumerate(node.rules):
        yield _Said(("checks", number), f"the check `{rule.name}`", rule.kind, rule.sql)
    if node.model.header.knowable:
        yield _Said(("knowable",), "knowable", "knowable", node.model.header.knowable)


def _statement(node: Compiled, said: Sequence[_Said]) -> str:
    """A query that binds promises where a run would: row checks stand in a filter, which has no aggregates."""
    values = [f"(\n{one.sql}\n) as c{n}" for n, one in enumerate(said) if one.kind != "query"]
    filters = [f"exists (\n{one.sql}\n)" if one.kind == "query" else f"((\n{one.sql}\n) is null)" for one in said]
    schema, _, name = node.name.partition(".")
    return f'select {", ".join(values) or "1"} from "{schema}"."{name}" where {" or ".join(filters)}'


def _error(node: Compiled, key: tuple[str, ...], what: str, name: str, known: Columns) -> TsqError:
    return TsqError(what, where=places.promised(node.model, *key), hint=did_you_mean(name, known))

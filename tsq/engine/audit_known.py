"""What tables say of when their rows were known: that they do, that inputs were known before, and what is undated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tsq.engine.audit_build import WHOLE, Aside
from tsq.engine.audit_compare import known_at
from tsq.engine.audit_findings import Finding, Undated, line_of
from tsq.engine.catalog import Evening
from tsq.engine.compile import Compiled
from tsq.engine.graph import reach
from tsq.engine.header import Header
from tsq.engine.lake import quote, quote_name

# Since when rows count as known of which nobody knows when they became known.
ALWAYS = "timestamptz '1900-01-01 00:00:00+00'"
_MOMENT = "TIMESTAMP WITH TIME ZONE"
Columns = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Pairs:
    """How many rows were held to the rows they are made of."""

    rows: int
    tables: int


def undeclared(aside: Aside, columns: Columns, untold: list[str]) -> list[Finding]:
    """A finding for each table that cannot tell when its rows were known."""
    hint = "say `knowable` in its header, or give it known_at, or known_from and known_to"
    return [
        Finding(
            "declared", name, aside.graph.nodes[name].model.path, 1, f"nothing says when its rows are known: {hint}"
        )
        for name in columns
        if name in untold
    ]


def inputs_before(aside: Aside, columns: Columns) -> tuple[list[Finding], Pairs]:
    """Hold each row to the rows with the same key of the tables it is made of: some version was known by its moment.

    A table that says of each row when it was known must not say it earlier. One that counts all its rows as known on
    their day may have a row where an input came later, as long as it does not show the numbers of that input.

    Returns:
        Tables with rows that were known before what they are made of; and what was compared.
    """
    aside.stand(WHOLE)
    graph = aside.graph
    findings: list[Finding] = []
    rows = tables = 0
    laid: dict[str, tuple[str, ...] | None] = {}
    for name, found in columns.items():
        node = graph.nodes[name]
        moment = moment_of(node.model.header, found, graph.catalog.evening)
        for parent in node.own_reads if moment else ():
            if parent not in columns:
                continue
            if parent not in laid:
                laid[parent] = _lay(aside, parent, columns)
            key = laid[parent]
            if not key or any(columns[parent].get(column) != found.get(column) for column in key):
                continue
            pairs, early, line = _early(aside, node, parent, f"{moment}", key, columns)
            rows, tables = rows + pairs, tables + 1
            if early:
                said = f"{early:,} of {pairs:,} rows count as known before the row of {parent} they are made of was"
                findings.append(Finding("known_at", name, node.model.path, line, said))
    return findings, Pairs(rows, tables)


def _lay(aside: Aside, parent: str, columns: Columns) -> tuple[str, ...] | None:
    """Lay down when each key of a table was first known, and with what numbers; gives the key, None where it cannot."""
    node = aside.graph.nodes[parent]
    key = tuple(column for column in node.model.header.grain if column not in ("known_from", "known_at"))
    moment = next((c for c in ("known_from", "known_at") if columns[parent].get(c) == _MOMENT), None)
    if moment is None or not key:
        return None
    kept = ", ".join(map(quote_name, [*key, *_numbers(columns[parent], key)]))
    rows = f"select {kept}, {moment} as audit_known from {parent}"
    if node.model.header.versions:
        rows += f" union all select {kept}, known_from from {node.model.header.versions}"
    listed = ", ".join(map(quote_name, key))
    first = ", ".join(
        f"arg_min({name}, audit_known) as {name}" for name in map(quote_name, _numbers(columns[parent], key))
    )
    aside.con.execute(
        f"create or replace temp table {_first(parent)} as "
        f"select {listed}, min(audit_known) as audit_known{first and ', ' + first} from ({rows}) group by {listed}"
    )
    return key


def _early(
    aside: Aside, node: Compiled, parent: str, moment: str, key: tuple[str, ...], columns: Columns
) -> tuple[int, int, int]:
    """How many rows of a table have a partner in another, how many of these were known too early, and a line."""
    found = columns[node.name]
    shared = [name for name, kind in _numbers(columns[parent], key).items() if found.get(name) == kind]
    shows = " or ".join(f"child.{quote_name(name)} = parent.{quote_name(name)}" for name in shared) or "false"
    claims = moment in ("known_from", "known_at")
    same = " and ".join(f"child.{quote_name(column)} = parent.{quote_name(column)}" for column in key)
    pairs, early = aside.con.execute(
        "select count(*), count(*) filter (parent.audit_known > child.audit_moment"
        f"{'' if claims else f' and ({shows})'}) from (select *, {moment} as audit_moment from {node.name}) as child "
        f"inner join temp.main.{_first(parent)} as parent on {same}"
    ).fetchone() or (0, 0)
    return pairs, early, line_of(node, moment if claims else next(iter(shared), None))


def _first(parent: str) -> str:
    return quote_name(f"first {parent}")


def _numbers(columns: Mapping[str, str], key: tuple[str, ...]) -> dict[str, str]:
    return {name: kind for name, kind in columns.items() if kind == "DOUBLE" and name not in key}


def never_final(aside: Aside, as_of: dt.datetime, columns: Columns, names: Iterable[str]) -> tuple[str, ...]:
    """Of some tables with rows those of which no row had come to stay at the time of the data."""
    aside.stand(WHOLE)
    found = []
    for name in names:
        query = known_at(name, aside.graph.nodes[name].model.header, columns[name], as_of)
        if query and aside.con.execute(f"from ({query}) limit 1").fetchone() is None:
            found.append(name)
    return tuple(found)


def undated(aside: Aside) -> tuple[Undated, ...]:
    """The datasets with rows of which nobody knows when they were known, and who reads them."""
    graph, found = aside.graph, []
    for name in aside.datasets():
        (rows,) = aside.con.execute(
            f"select count(*) from {aside.rows_of(name)} where known_at <= {ALWAYS}"
        ).fetchone() or (0,)
        if rows:
            direct = [model for model in aside.names if f"raw.{name}" in graph.nodes[model].own_reads]
            behind = reach(direct, graph.children) - set(direct)
            found.append(Undated(name, rows, tuple(direct), tuple(model for model in aside.names if model in behind)))
    return tuple(found)


def moment_of(header: Header, columns: Mapping[str, str], evening: Evening) -> str | None:
    """When a row was known, as an expression over it: the same ways, in the same order, as in the as-of macros."""
    for column in ("known_from", "known_at"):
        if columns.get(column) == _MOMENT and (column == "known_at" or columns.get("known_to") == _MOMENT):
            return column
    first, *end = header.interval or ("",)
    closed = bool(end) and columns.get(first) == columns.get(end[0]) == "DATE"
    day = quote_name(first) if closed else header.knowable
    seconds = (evening.time.hour * 60 + evening.time.minute) * 60 + evening.time.second
    local = f"cast(({day}) as timestamp) + to_seconds({seconds})"
    return f"timezone({quote(evening.zone)}, {local})" if day else None

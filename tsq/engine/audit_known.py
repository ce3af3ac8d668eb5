"""What tables say of when their rows were known: that they do, that inputs were known before, and what is undated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tsq.engine.audit_build import WHOLE, Aside
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
    """Hold each row to the rows of its ancestors with the same key: some version of each was known by its own moment.

    Returns:
        Tables with rows that were known before what they are made of; and what was compared.
    """
    aside.stand(WHOLE)
    con, graph = aside.con, aside.graph
    findings: list[Finding] = []
    rows = tables = 0
    laid: dict[str, tuple[str, ...]] = {}
    for name, found in columns.items():
        node = graph.nodes[name]
        moment = _moment(node.model.header, found, graph.catalog.evening)
        if moment is None:
            continue
        parents = [
            (parent, _first_known(graph.nodes[parent], columns))
            for parent in sorted(reach([name], graph.parents))
            if parent in columns
        ]
        for parent, first_known in parents:
            key = tuple(
                column for column in graph.nodes[parent].model.header.grain if column not in ("known_from", "known_at")
            )
            if first_known is None or not key or any(columns[parent].get(c) != found.get(c) for c in key):
                continue
            if parent not in laid:
                laid[parent] = key
                listed = ", ".join(map(quote_name, key))
                con.execute(
                    f"create or replace temp table {quote_name('first ' + parent)} as "
                    f"select {listed}, min(audit_known) as audit_known from ({first_known}) group by all"
                )
            same = " and ".join(f"child.{quote_name(c)} = parent.{quote_name(c)}" for c in key)
            pairs, early = con.execute(
                f"select count(*), count(*) filter (parent.audit_known > child.audit_moment) "
                f"from (select *, {moment} as audit_moment from {name}) as child "
                f"inner join temp.main.{quote_name('first ' + parent)} as parent on {same}"
            ).fetchone() or (0, 0)
            rows, tables = rows + pairs, tables + 1
            if early:
                said = f"{early:,} of {pairs:,} rows count as known before the row of {parent} they are made of was"
                findings.append(Finding("known_at", name, node.model.path, line_of(node, None), said))
    return findings, Pairs(rows, tables)


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


def _moment(header: Header, columns: Mapping[str, str], evening: Evening) -> str | None:
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


def _first_known(node: Compiled, columns: Columns) -> str | None:
    """The rows of a table and of those it replaced, each with the moment it was known."""
    found = columns[node.name]
    for column in ("known_from", "known_at"):
        if found.get(column) == _MOMENT:
            key = ", ".join(quote_name(c) for c in node.model.header.grain if c not in ("known_from", "known_at"))
            rows = f"select {key}, {column} as audit_known from {node.name}"
            versions = node.model.header.versions
            return f"{rows} union all select {key}, known_from from {versions}" if versions else rows
    return None

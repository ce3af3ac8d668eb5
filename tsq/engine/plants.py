"""Leaks made on purpose: copies of models that see what was not yet known, to show that an audit finds them.

A plant is a whole SELECT over the tables its model reads, with the model's columns and types, so it can take the place
of the model's SQL. Any SQL model gets every leak that makes sense for it: how its rows are told apart and when they
were known is read from its header and its columns, never from its name.

A plant touches a row only by what became known later than the row. So one that changes no row of a build is void: there
is no future in that build which it could show. It is told by `differing`, and is no proof of anything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from tsq.engine import plants_reads, plants_rows, plants_text
from tsq.engine.compile import Compiled
from tsq.engine.graph import Graph
from tsq.engine.header import Header
from tsq.engine.plants_axis import Change, Place, axis_of, place_of, spelt

LEAKS = (
    "lead",
    "centred_window",
    "whole_sample_z",
    "same_close_fill",
    "survivors_only",
    "back_filled",
    "restated_early",
    "ex_date_early",
)
# Of fewer rows, or days, no leak is planted in a column.
FEW = 20


@dataclass(frozen=True)
class Plant:
    """A copy of a model with a leak.

    Attributes:
        leak: one of `LEAKS`.
        model: the model's full name.
        sql: a SELECT that can take the place of the model's.
        said: what was changed, for people.
        column: the column it shows in; None where whole rows are others.
    """

    leak: str
    model: str
    sql: str
    said: str
    column: str | None = None


def plants(
    node: Compiled,
    columns: Mapping[str, str],
    graph: Graph,
    tables: Mapping[str, Mapping[str, str]],
    varied: Collection[str] | None = None,
) -> Iterator[Plant]:
    """Every leak that makes sense for a model.

    Args:
        node: the model.
        columns: its columns with their types, as DuckDB spells them.
        graph: the graph it stands in.
        tables: columns of all tables of the graph (`bind.columns`).
        varied: columns whose values are many in the build at hand (`varying`): no leak is put where it could hardly
            show. None: nobody looked.

    Yields:
        Plants in the order of `LEAKS`. None for a Python model, for a table that is made without data of the lake, that
        does not tell when a row was known, or that holds the replaced rows of another.
    """
    place = place_of(node, columns, graph, tables, varied)
    if place is None:
        return
    found = [change for make in _MAKERS for change in make(place)]
    for leak in LEAKS:
        for change in found:
            if change.leak == leak:
                yield Plant(leak, node.name, change.sql, change.said, change.column)


_MAKERS: tuple[Callable[[Place], Iterator[Change]], ...] = (
    plants_rows.changes,
    plants_text.changes,
    plants_reads.changes,
)


def differing(honest: str, planted: str, columns: Mapping[str, str]) -> str:
    """SQL that gives the rows of two tables or queries that stand in one of them only; none for a void plant.

    Args:
        honest: a table, or a SELECT in brackets.
        planted: the same with the leak.
        columns: their columns with their types; doubles are compared to nine digits.
    """
    # a double to nine digits, by its own size
    listed = ", ".join(
        f"printf('%.8e', {spelt(name)}) as {spelt(name)}" if kind in ("DOUBLE", "FLOAT") else spelt(name)
        for name, kind in columns.items()
    )
    sides = [f"select {listed} from {side} as side" for side in (honest, planted)]
    apart = [f"({one} except all {other})" for one, other in (sides, sides[::-1])]
    return f"select * from ({' union all '.join(apart)})"


def varying(table: str, header: Header, columns: Mapping[str, str]) -> str:
    """SQL that gives one row: for each column, whether its values are so many that a leak in them would show.

    There are `FEW` rows, and a fourth of them have another value than the next in time. Of days and moments there are
    half as many.
    """
    axis = axis_of(header, columns)
    line = axis.line if axis else f"order by {', '.join(map(spelt, columns))}"
    places = list(enumerate(columns.items()))
    listed = ", ".join(
        f"{spelt(name)} as c{place}, lead({spelt(name)}, 1, {spelt(name)}) over ({line}) as n{place}"
        for place, (name, _) in places
    )
    asked = []
    for place, (name, kind) in places:
        changes = f"count(*) >= {FEW} and 4 * count(*) filter (c{place} is distinct from n{place}) >= count(*)"
        is_time = kind == "DATE" or kind.startswith("TIMESTAMP")
        asked.append(f"{f'2 * approx_count_distinct(c{place}) >= {FEW}' if is_time else changes} as {spelt(name)}")
    return f"select {', '.join(asked)} from (select {listed} from {table})"

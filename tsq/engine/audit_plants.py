"""Leaks made on purpose, in models drawn at random: an audit that misses one is worth nothing."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tsq.engine import bind, plants
from tsq.engine.audit_build import ENDLESS, WHOLE, Aside
from tsq.engine.audit_compare import Differing, compare, known_at
from tsq.engine.audit_cuts import evening, first_evening
from tsq.engine.audit_findings import Build
from tsq.engine.audit_known import ALWAYS, moment_of
from tsq.engine.graph import reach
from tsq.engine.lake import timestamp_sql
from tsq.engine.plants import Plant
from tsq.engine.warehouse import DatabaseError

# A plant that no build shows is looked for at so many cuts of its own.
_MOST_CUTS = 3
Columns = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Planted:
    """A leak that was planted, and what caught it.

    Attributes:
        said: what was changed.
        by: the build that showed it; None where none did.
        error: why its SQL did not run, where it did not.
        rows: where nothing showed it, rows of the whole build that it changes and that were known before its end.
        ahead: it shows only what the lake holds before the model itself counts it as known.
    """

    leak: str
    model: str
    said: str
    by: Build | None
    differing: Differing | None
    error: str = ""
    rows: int = 0
    ahead: bool = False

    @property
    def caught(self) -> bool:
        """Whether some build showed it."""
        return self.by is not None

    @property
    def void(self) -> bool:
        """Whether it changes no row that a cut could hold, so that there is nothing to catch."""
        return self.by is None and not self.error and (self.ahead or not self.rows)


def run(
    aside: Aside,
    seen: Mapping[Build, Mapping[str, str]],
    names: Sequence[str],
    columns: Columns,
    totals: Mapping[str, int],
    count: int,
    seed: int,
) -> Iterator[Planted]:
    """Plant leaks and look for each in every build that was compared, until one shows it.

    Args:
        aside: the builds.
        seen: build → what it saw of the lake.
        names: models that are clean.
        columns: columns of all tables.
        totals: rows of the whole tables.
        count: how many leaks; each kind in as many models as the others, while there are any.
        seed: of the choice.
    """
    taken = 0
    for plant in _drawn(aside, names, columns, seed):
        if taken >= count:
            return
        found = _look(aside, plant, seen, columns[plant.model], totals[plant.model])
        taken += not found.void
        yield found


def _drawn(aside: Aside, names: Sequence[str], columns: Columns, seed: int) -> Iterator[Plant]:
    """Plants in an order in which kinds take turns, and of each kind the models do."""
    draw = random.Random(seed)
    aside.stand(WHOLE)
    of_kind: dict[str, list[Plant]] = {leak: [] for leak in plants.LEAKS}
    tables = bind.columns(aside.graph)
    for name in names:
        for plant in plants.plants(
            aside.graph.nodes[name], columns[name], aside.graph, tables, _varied(aside, name, columns)
        ):
            of_kind[plant.leak].append(plant)
    for leak, found in of_kind.items():
        draw.shuffle(found)
        turns: dict[str, int] = {}
        order = {}
        for plant in found:
            turns[plant.model] = order[id(plant)] = turns.get(plant.model, -1) + 1
        of_kind[leak] = sorted(found, key=lambda plant: order[id(plant)])
    while any(of_kind.values()):
        for found in of_kind.values():
            if found:
                yield found.pop(0)


def _varied(aside: Aside, name: str, columns: Columns) -> list[str]:
    """The columns of a table that change often enough for a leak in them to show."""
    query = plants.varying(name, aside.graph.nodes[name].model.header, columns[name])
    row = aside.con.execute(query).fetchone() or ()
    return [column for column, varies in zip(columns[name], row, strict=True) if varies]


def _look(
    aside: Aside,
    plant: Plant,
    seen: Mapping[Build, Mapping[str, str]],
    columns: Mapping[str, str],
    total: int,
) -> Planted:
    """Run a plant in the whole build and in the others until it shows; else in builds cut where it changes rows."""
    try:
        _make(aside, plant, WHOLE, aside.known_by(None), "planted_now")
        for build, showed in seen.items():
            if build.moment is None:
                continue
            found = _shown(aside, plant, build, build.moment, showed, columns, total)
            if found:
                return Planted(plant.leak, plant.model, plant.said, build, found)
        days = _days(aside, plant, columns)
        for day, _ in days[:_MOST_CUTS]:
            moment = evening(day, aside.graph.catalog.evening)
            build = Build("plant cut", "truncate", "a day on which the plant changes rows", moment, day)
            showed = aside.known_by(moment)
            aside.show(showed)
            made_of = reach([plant.model], aside.graph.parents)
            aside.build(build.database, made_of, until=moment)
            found = _shown(aside, plant, build, moment, showed, columns, total)
            told = not found and _told_ahead(aside, plant, moment, columns)
            aside.forget(build.database)
            if found:
                return Planted(plant.leak, plant.model, plant.said, build, found)
            if told:
                return Planted(plant.leak, plant.model, plant.said, None, None, ahead=True)
    except DatabaseError as error:
        return Planted(plant.leak, plant.model, plant.said, None, None, str(error).splitlines()[0])
    return Planted(plant.leak, plant.model, plant.said, None, None, rows=sum(rows for _, rows in days))


def _shown(
    aside: Aside,
    plant: Plant,
    build: Build,
    moment: dt.datetime,
    showed: Mapping[str, str],
    columns: Mapping[str, str],
    total: int,
) -> Differing | None:
    """How a plant's rows in a build differ from those it has in the whole one."""
    header = aside.graph.nodes[plant.model].model.header
    _make(aside, plant, build.database, showed, "planted_then")
    now, then = (known_at(name, header, columns, moment) or "" for name in ("planted_now", "planted_then"))
    return compare(aside.con, header, columns, (WHOLE, now), (build.database, then), total).differing


def _told_ahead(aside: Aside, plant: Plant, moment: dt.datetime, columns: Mapping[str, str]) -> bool:
    """Whether a model makes rows known after a moment of what the lake held by then: no cut of the lake hides them."""
    node = aside.graph.nodes[plant.model]
    known = moment_of(node.model.header, columns, aside.graph.catalog.evening)
    if node.model.language != "sql" or known is None:
        return False
    ahead = f"select 1 from ({node.sql}) where {known} > {timestamp_sql(moment)} and {known} < {ENDLESS} limit 1"
    return aside.con.execute(ahead).fetchone() is not None


def _days(aside: Aside, plant: Plant, columns: Mapping[str, str]) -> list[tuple[dt.date, int]]:
    """The days on which rows were known that a plant changes, those of most rows first, each with their number.

    Days from the newest one of the data on are none: no cut can lie there.
    """
    aside.stand(WHOLE)
    evenings = aside.graph.catalog.evening
    moment = moment_of(aside.graph.nodes[plant.model].model.header, columns, evenings)
    if moment is None:
        return []
    newest = " union all ".join(
        f"select max(known_at) as newest from {aside.rows_of(name)}" for name in aside.datasets()
    )
    rows = plants.differing(plant.model, "temp.main.planted_now", columns)
    return aside.con.execute(
        f"select {first_evening(moment, evenings)} as day, count(*) as rows from ({rows}) "
        f"where {moment} < (select max(newest) from ({newest})) and {moment} > {ALWAYS} "
        f"group by day having day < (select {first_evening('max(newest)', evenings)} from ({newest})) "
        "order by rows desc, day"
    ).fetchall()


def _make(aside: Aside, plant: Plant, database: str, seen: Mapping[str, str], table: str) -> None:
    if any(read.startswith("raw.") for read in aside.graph.nodes[plant.model].reads):
        aside.show(seen)
    aside.stand(database)
    aside.con.execute(f"create or replace temp table {table} as {plant.sql}")

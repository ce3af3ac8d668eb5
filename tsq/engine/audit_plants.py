"""Leaks made on purpose, in models drawn at random: an audit that misses one is worth nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tsq.engine import bind, plants
from tsq.engine.audit_build import WHOLE, Aside
from tsq.engine.audit_compare import Differing, compare, known_at
from tsq.engine.audit_findings import Build
from tsq.engine.plants import Plant
from tsq.engine.warehouse import DatabaseError

Columns = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Planted:
    """A leak that was planted, and what caught it.

    Attributes:
        said: what was changed.
        by: the build that showed it; None where none did.
        error: why its SQL did not run, where it did not.
        rows: where nothing showed it, rows of the whole build that it changes.
    """

    leak: str
    model: str
    said: str
    by: Build | None
    differing: Differing | None
    error: str = ""
    rows: int = 0

    @property
    def caught(self) -> bool:
        """Whether some build showed it."""
        return self.by is not None

    @property
    def void(self) -> bool:
        """Whether it changes hardly a row, so that there is nothing to catch."""
        return self.by is None and not self.error and self.rows < plants.FEW


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
    """Run a plant in the whole build and in the others until it shows; count the rows it changes where it does not."""
    header = aside.graph.nodes[plant.model].model.header
    try:
        _make(aside, plant, WHOLE, aside.known_by(None), "planted_now")
        for build, showed in seen.items():
            if build.moment is None:
                continue
            _make(aside, plant, build.database, showed, "planted_then")
            now, then = (
                known_at(name, header, columns, build.moment) or "" for name in ("planted_now", "planted_then")
            )
            found = compare(aside.con, header, columns, (WHOLE, now), (build.database, then), total).differing
            if found:
                return Planted(plant.leak, plant.model, plant.said, build, found)
        aside.stand(WHOLE)
        query = plants.differing(plant.model, "temp.main.planted_now", columns)
        (rows,) = aside.con.execute(query).fetchone() or (0,)
    except DatabaseError as error:
        return Planted(plant.leak, plant.model, plant.said, None, None, str(error).splitlines()[0])
    return Planted(plant.leak, plant.model, plant.said, None, None, rows=rows)


def _make(aside: Aside, plant: Plant, database: str, seen: Mapping[str, str], table: str) -> None:
    if any(read.startswith("raw.") for read in aside.graph.nodes[plant.model].reads):
        aside.show(seen)
    aside.stand(database)
    aside.con.execute(f"create or replace temp table {table} as {plant.sql}")

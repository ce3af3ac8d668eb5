"""Prove point in time over the whole graph: no row of any table saw its future.

The graph is built several times aside, each time with another future: none at all (the data end at a cut), a bent one,
the same data loaded twice in the opposite order. What a table says of a moment must be the same in all of them. It
works for every model a project has, also one that was added a minute ago: nothing here knows what a table means.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tsq.engine import audit_known, audit_lag, bent_lake
from tsq.engine.audit_build import WHOLE, Aside, Made, Sample
from tsq.engine.audit_compare import Compared, columns_of, compare, known_at
from tsq.engine.audit_cuts import Cut, calendar, choose, later, missed, motions, spells
from tsq.engine.audit_findings import Build, Finding, Undated, culprits, line_of
from tsq.engine.audit_lag import Measured
from tsq.engine.audit_plants import Planted
from tsq.engine.graph import reach
from tsq.errors import FAILED, TsqError

TWICE = "twice loaded"
Columns = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Wish:
    """How closely to look.

    Attributes:
        cuts: on how many days the data are made to end; a quarter as many more where tables have rows that no cut
            lies on.
        seed: of all that is drawn at random.
        plants: how many leaks to plant; 0 plants none.
    """

    cuts: int = 4
    seed: int = 0
    plants: int = 0


@dataclass(frozen=True)
class Step:
    """One proof that was tried: tables and rows compared, rows that could not be known yet, tables that failed."""

    proof: str
    said: str
    tables: int
    rows: int
    skipped: int
    failed: int
    seconds: float


@dataclass(frozen=True)
class Audit:
    """The end of an audit.

    Attributes:
        findings: what is not point in time; none is what one wants.
        warnings: what is worth a look and fails nothing.
        never_final: tables that say themselves that no row of them is ever final: compared nowhere.
        tables: build → table → how it compared.
    """

    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    cuts: tuple[Cut, ...]
    samples: tuple[Sample, ...]
    undated: tuple[Undated, ...]
    never_final: tuple[str, ...]
    lag: tuple[Measured, ...]
    planted: tuple[Planted, ...]
    tables: Mapping[str, Mapping[str, Compared]]

    @property
    def passed(self) -> bool:
        """Whether everything held, and every planted leak was caught."""
        return not self.findings and all(plant.caught or plant.void for plant in self.planted)


@dataclass
class _Trail:
    """What is known so far."""

    steps: list[Step] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    results: dict[Build, dict[str, Compared]] = field(default_factory=dict)
    seen: dict[Build, Mapping[str, str]] = field(default_factory=dict)


def run(aside: Aside, as_of: dt.datetime, wish: Wish, *, published: bool) -> Iterator[Step | Planted | Audit]:
    """Audit the models of a connection.

    Args:
        aside: where to build.
        as_of: the newest knowledge there is.
        wish: how closely to look.
        published: whether the whole build stands there already.

    Yields:
        A step a proof, then each planted leak, then the audit.

    Raises:
        TsqError: a model does not build at all, or there is nothing to audit.
    """
    graph, trail = aside.graph, _Trail()
    if not published:
        aside.show(aside.known_by(None))
        made = aside.build(WHOLE, aside.names)
        for error in made.failed.values():
            raise error
    columns = {name: columns_of(aside.con, WHOLE, name) for name in aside.names}
    totals = {name: _count(aside, name) for name in aside.names}
    untold = [name for name in columns if known_at(name, graph.nodes[name].model.header, columns[name], as_of) is None]
    trail.findings += audit_known.undeclared(aside, columns, untold)
    yield _step(trail, "declared", "every table says when its rows are known", len(columns), 0, 0, len(untold), 0.0)
    days, moving = calendar(aside, WHOLE, columns), motions(aside)
    evening = graph.catalog.evening
    cuts = choose(days, moving, evening, wish.cuts, wish.seed)
    if not cuts:
        raise TsqError("there are too few sessions to cut", hint="load more data", exit_code=FAILED)
    bend = later(days, cuts, moving, evening)
    more = missed(days, spells(aside, WHOLE, columns), (*cuts, bend), evening, wish.cuts // 4)
    cuts = tuple(sorted((*cuts, *more), key=lambda cut: cut.date))
    for number, cut in enumerate(cuts, 1):
        build = Build(f"cut {number}", "truncate", cut.why, cut.moment, cut.date)
        yield _try(aside, trail, build, aside.known_by(cut.moment), columns, totals, wish.plants > 0)
    build = Build("bent build", "perturb", bend.why, bend.moment, bend.date)
    datasets = aside.datasets()
    bent = {name: bent_lake.bent(one, aside.rows_of(name), bend.moment, wish.seed) for name, one in datasets.items()}
    yield _try(aside, trail, build, aside.lay("bent", bent), columns, totals, wish.plants > 0)
    yield _load_order(aside, trail, wish.seed, columns, totals)
    yield _inputs(aside, trail, columns)
    lag: tuple[Measured, ...] = ()
    said = audit_lag.read(graph)
    if said and {said.table, *said.reads} <= set(aside.names):
        lag = audit_lag.measure(aside, said)
        trail.warnings += [
            f"{one.measure} of {one.name} falls from {_number(one.value)} to {_number(one.later)} "
            "when decisions come one session later"
            for one in lag
            if one.collapsed
        ]
    found = culprits(graph, trail.results)
    planted: list[Planted] = []
    if wish.plants:
        from tsq.engine import audit_plants

        clean = [
            name for name in aside.names if not any(t.get(name) and t[name].differing for t in trail.results.values())
        ]
        for plant in audit_plants.run(aside, trail.seen, clean, columns, totals, wish.plants, wish.seed):
            planted.append(plant)
            yield plant
    compared = {
        name for build, tables in trail.results.items() if build.cut for name, one in tables.items() if one.rows
    }
    silent = {*compared, *untold, *(node.model.header.versions for node in graph.nodes.values())}
    unheld = [name for name, rows in totals.items() if rows and name not in silent]
    never_final = audit_known.never_final(aside, as_of, columns, unheld)
    trail.warnings += [
        f"no row of {name} was knowable at a cut, so nothing of it was compared: try other cuts (--cuts, --seed)"
        for name in unheld
        if name not in never_final
    ]
    yield Audit(
        tuple(trail.steps),
        (*trail.findings, *found),
        tuple(trail.warnings),
        cuts,
        aside.samples,
        audit_known.undated(aside),
        never_final,
        lag,
        tuple(planted),
        {build.database: tables for build, tables in trail.results.items()},
    )


def _try(
    aside: Aside,
    trail: _Trail,
    build: Build,
    seen: Mapping[str, str],
    columns: Columns,
    totals: Mapping[str, int],
    keep: bool,
) -> Step:
    """Build from other rows, and compare what both builds say of the moment until which they know the same."""
    moment = build.moment or dt.datetime.max.replace(tzinfo=dt.UTC)
    # rows that were replaced are compared in the table that they stood in: alone they say nothing of a moment
    replaced = {node.model.header.versions for node in aside.graph.nodes.values()}

    def query(name: str) -> str | None:
        if name in replaced:
            return None
        return known_at(name, aside.graph.nodes[name].model.header, columns[name], moment)

    return _compared(aside, trail, build, seen, aside.names, columns, totals, query, keep)


def _load_order(aside: Aside, trail: _Trail, seed: int, columns: Columns, totals: Mapping[str, int]) -> Step:
    """Load everything twice, in the opposite order: what reads the lake must be what it was, whole."""
    graph = aside.graph
    readers = {name for name in aside.names if any(read.startswith("raw.") for read in graph.nodes[name].own_reads)}
    names = [name for name in aside.names if name in readers | reach(readers, graph.parents)]
    again = {name: bent_lake.again(one, aside.rows_of(name), seed) for name, one in aside.datasets().items()}
    build = Build(TWICE, "load order", "everything loaded twice, in the opposite order")
    # tables about the lake of today say how much was loaded, and when
    seen = {name for tables in trail.results.values() for name, one in tables.items() if one.rows}
    seen |= {node.model.header.versions or "" for node in graph.nodes.values()}

    def query(name: str) -> str | None:
        return f"select * from {name}" if name in seen or not totals[name] else None

    return _compared(aside, trail, build, aside.lay(TWICE, again), names, columns, totals, query, keep=False)


def _compared(
    aside: Aside,
    trail: _Trail,
    build: Build,
    seen: Mapping[str, str],
    names: Sequence[str],
    columns: Columns,
    totals: Mapping[str, int],
    query: Callable[[str], str | None],
    keep: bool,
) -> Step:
    clock = time.perf_counter()
    graph = aside.graph
    aside.show(seen)
    made = aside.build(build.database, names, until=build.moment if build.proof == "truncate" else None)
    trail.seen[build] = seen
    results = trail.results.setdefault(build, {})
    for name in made.built:
        rows = query(name)
        if rows is None:
            continue
        if columns_of(aside.con, build.database, name) != columns[name]:
            node = graph.nodes[name]
            said = "it has other columns than the whole build: what becomes known later decides them"
            trail.findings.append(Finding(build.proof, name, node.model.path, line_of(node, None), said, build.cut))
            continue
        header = graph.nodes[name].model.header
        sides = (WHOLE, rows), (build.database, rows)
        results[name] = compare(aside.con, header, columns[name], *sides, totals[name])
    if not keep:
        aside.forget(build.database)
    failed = sum(one.differing is not None for one in results.values()) + _unbuilt(aside, trail, build, made)
    rows_held, skipped = (sum(getattr(one, name) for one in results.values()) for name in ("rows", "skipped"))
    seconds = time.perf_counter() - clock
    when = f"{build.cut}: {build.said}" if build.cut else build.said
    return _step(trail, build.proof, when, len(results), rows_held, skipped, failed, seconds)


def _unbuilt(aside: Aside, trail: _Trail, build: Build, made: Made) -> int:
    """What could not be built: a fault where a run of that day would have failed, a warning where bent data did it."""
    for name, error in made.failed.items():
        if build.proof == "perturb":
            behind = len(reach([name], aside.graph.children) & set(aside.names))
            trail.warnings.append(
                f"{name} does not build on a bent future, so it and {behind} tables behind it were held to cuts only: "
                f"{error.what}"
            )
        else:
            node = aside.graph.nodes[name]
            said = f"it does not build from what was known then: {error.what}"
            trail.findings.append(Finding(build.proof, name, node.model.path, line_of(node, None), said, build.cut))
    return len(made.failed) if build.proof != "perturb" else 0


def _inputs(aside: Aside, trail: _Trail, columns: Columns) -> Step:
    clock = time.perf_counter()
    findings, pairs = audit_known.inputs_before(aside, columns)
    trail.findings += findings
    said = "no row counts as known before what it is made of"
    return _step(trail, "known_at", said, pairs.tables, pairs.rows, 0, len(findings), time.perf_counter() - clock)


def _step(
    trail: _Trail, proof: str, said: str, tables: int, rows: int, skipped: int, failed: int, seconds: float
) -> Step:
    step = Step(proof, said, tables, rows, skipped, failed, round(seconds, 2))
    trail.steps.append(step)
    return step


def _count(aside: Aside, name: str) -> int:
    aside.stand(WHOLE)
    return int((aside.con.execute(f"select count(*) from {name}").fetchone() or (0,))[0])


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.2f}"

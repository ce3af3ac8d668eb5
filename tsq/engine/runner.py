"""Carry out a plan: build model by model, check, seal, publish. It yields results and shows nothing."""

from __future__ import annotations

import datetime as dt
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from tsq.engine import builds, checks, content, freshness, incremental, macros, making, ops, scratch, sources, warehouse
from tsq.engine import manifest as manifests
from tsq.engine.builds import Pointed
from tsq.engine.compile import Compiled
from tsq.engine.content import Change
from tsq.engine.incremental import Piece
from tsq.engine.manifest import BuiltModel, CheckResult, Manifest
from tsq.engine.plan import FULL_REFRESH, Plan, Step, engine, fingerprint, looks, pledge, source_states
from tsq.engine.template import identifier
from tsq.engine.warehouse import Connection, Machine

KEEP_BUILDS = 5


@dataclass(frozen=True)
class Result:
    """What became of one model.

    Attributes:
        action: built whole; `update`: the touched sessions of it were; checked anew; carried over; or left out, as it
            is neither selected nor up to date any more.
        sessions: `update` only: how many sessions were computed.
    """

    name: str
    action: Literal["build", "update", "check", "carry", "leave"]
    rows: int
    seconds: float
    checks: tuple[CheckResult, ...] = ()
    sessions: int | None = None


@dataclass(frozen=True)
class Sealed:
    """Everything is built and checked, nothing is published: whoever stops here leaves all as it was."""

    manifest: Manifest


@dataclass(frozen=True)
class Published:
    """The end of a run: the build's manifest, and where it can be opened."""

    manifest: Manifest
    build: Path
    pointed: Pointed


@dataclass(frozen=True)
class _Made:
    """A run under way: the tables that are done, how they moved, and the tables that stand in the file."""

    run_id: str
    standing: dict[str, str] = field(default_factory=dict)
    models: dict[str, BuiltModel] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)
    checks: list[CheckResult] = field(default_factory=list)


def run(plan: Plan, machine: Machine, name: str | None = None) -> Iterator[Result | Sealed | Published]:
    """Build what a plan says and publish it.

    Args:
        plan: what to do.
        machine: what of this machine to use.
        name: of a development build: the published one stays, and the new one is found under this name.

    Yields:
        One result a model, in running order, then the sealed build, then what was published. When anything fails, the
        published build stays as it was, and what is done is kept for the next run.

    Raises:
        TsqError: a model that does not run, or a blocking check that rows break.
    """
    project = plan.graph.catalog.project
    folder = project.warehouse / "builds"
    started = dt.datetime.now(dt.UTC)
    clock = time.perf_counter()
    changes = dict(plan.base.changes) if plan.base else {}
    made = _Made(f"{started:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}", changes=changes)
    file = scratch.start(plan, folder, made.run_id)
    con = warehouse.open_builder(file, machine, [plan.inputs.lake.root])
    try:
        _clear(con, plan, made)
        sources.attach(con, plan)
        warehouse.lock_down(con)
        scratch.begin(con, plan)
        for step in plan.steps:
            yield _step(con, plan, step, made)
        threads = (con.execute("select current_setting('threads')").fetchone() or (0,))[0]
        manifest = Manifest(
            run_id=made.run_id,
            market=plan.inputs.market,
            as_of=plan.inputs.as_of.astimezone(dt.UTC).isoformat() if plan.inputs.as_of else None,
            started_at=manifests.utc(started),
            finished_at=manifests.utc(dt.datetime.now(dt.UTC)),
            seconds=round(time.perf_counter() - clock, 3),
            threads=threads,
            knobs=dict(project.knobs),
            models=tuple(made.models.values()),
            checks=(*_freshness(plan), *made.checks),
            sources=_sources(plan, made),
            inputs={part.path: part.sha256 for batch in plan.inputs.lake.batches() for part in batch.parts.values()},
            packages=manifests.packages(),
            platform=ops.platform_name(),
            git=manifests.git_state(project.root),
            substitutes=dict(project.substitutes),
        )
        content.keep(con, made.models)
        scratch.finish(con)
        ops.write(con, manifest, plan)
        warehouse.seal(con, file)
    finally:
        con.close()
    yield Sealed(manifest)
    yield _publish(manifest, file, folder, project.pointer, name)


def _publish(manifest: Manifest, file: Path, folder: Path, pointer: Path, name: str | None) -> Published:
    build = folder / f"{manifest.run_id}.duckdb"
    file.rename(build)
    state = build.stat()
    manifest = replace(
        manifest,
        file_header_sha256=builds.header_sha256(build),
        file_bytes=state.st_size,
        file_mtime_ns=state.st_mtime_ns,
    )
    manifests.write(manifest, build.with_suffix(".json"))
    if name:
        builds.name_build(folder, name, manifest.run_id)
        pointed = Pointed(build)
    else:
        pointed = builds.point(pointer, build)
    builds.prune(folder, KEEP_BUILDS, build)
    return Published(manifest, build, pointed)


def _step(con: Connection, plan: Plan, step: Step, made: _Made) -> Result:
    """Do what one step says, now that everything it reads is done."""
    node = plan.graph.nodes[step.name]
    done = plan.base.models.get(step.name) if plan.base else None
    contents = {**plan.sources, **{name: model.content for name, model in made.models.items()}}
    record = BuiltModel(
        name=node.name,
        kind=node.model.header.kind,
        fingerprint="",
        content="",
        promises=pledge(plan.graph, node.name),
        looks=looks(node, contents),
        engine=engine(),
        own_hash=node.own_hash,
        knobs=dict(node.knobs),
        parents={name: contents[name] for name in node.own_reads if name in made.models},
        sources={name: contents[name] for name in node.own_reads if name in plan.sources},
        rows=0,
        seconds=0.0,
        run_id=made.run_id,
    )
    record = replace(record, fingerprint=fingerprint(node, record.parents, record.sources))
    is_whole = all(name in made.models for name in plan.graph.parents[step.name])
    if is_whole and step.action != "build" and done and done.fingerprint == record.fingerprint:
        if _held(done, record):
            return _carry(plan, done, made)
        return _check(con, plan, node, replace(done, promises=record.promises, looks=record.looks), made)
    if not step.wanted or not is_whole:
        _drop(con, made, step.name)
        return Result(step.name, "leave", 0, 0.0)
    if done:
        pieces = _pieces(con, plan, step, done, record, made)
        if pieces is not None:
            return _update(con, plan, done, record, pieces, made)
    return _build(con, plan, done, record, made)


def _pieces(
    con: Connection, plan: Plan, step: Step, done: BuiltModel, record: BuiltModel, made: _Made
) -> tuple[Piece, ...] | None:
    """The sessions of an incremental table to compute again; None for all of them."""
    if record.kind != "incremental" or step.reason == FULL_REFRESH:
        return None
    if (done.own_hash, done.engine, done.parents.keys()) != (record.own_hash, record.engine, record.parents.keys()):
        return None
    return incremental.pieces(con, plan, done, record, made.changes)


def _carry(plan: Plan, done: BuiltModel, made: _Made) -> Result:
    kept = tuple(check for check in (plan.base.checks if plan.base else ()) if check.model == done.name)
    made.models[done.name] = done
    made.checks.extend(kept)
    return Result(done.name, "carry", done.rows, 0.0, kept)


def _check(con: Connection, plan: Plan, node: Compiled, record: BuiltModel, made: _Made) -> Result:
    """Hold a table that was carried over to promises that changed, or to tables they speak of that did."""
    clock = time.perf_counter()
    with _transaction(con):
        rows, results = _keep_promises(con, plan, node)
        making.describe(con, node, making.columns(con, node))
        scratch.remember(con, record, made.changes.get(node.name), results)
    return _done(made, record, made.changes.get(node.name), Result(node.name, "check", rows, _since(clock), results))


def _build(con: Connection, plan: Plan, done: BuiltModel | None, record: BuiltModel, made: _Made) -> Result:
    """Make one table in one transaction with its checks; nothing of it stays when one of them blocks."""
    clock = time.perf_counter()
    node = plan.graph.nodes[record.name]
    with _transaction(con):
        _drop(con, made, node.name)
        making.make(con, node)
        rows, results = _keep_promises(con, plan, node)
        columns = making.columns(con, node)
        making.describe(con, node, columns)
        if record.kind == "view":
            found = content.of_view(node, record.parents.values())
            change = Change(done.content, None) if done else None
        else:
            found, change = content.record(con, node, columns, done.content if done else None)
        record = replace(record, content=found, rows=rows, seconds=_since(clock))
        scratch.remember(con, record, change, results)
    return _done(made, record, change, Result(node.name, "build", rows, record.seconds, results))


def _update(
    con: Connection, plan: Plan, done: BuiltModel, record: BuiltModel, pieces: tuple[Piece, ...], made: _Made
) -> Result:
    """Compute the touched sessions of a table, and replace those that differ in one transaction with its checks."""
    clock = time.perf_counter()
    node = plan.graph.nodes[record.name]
    record = replace(record, content=done.content, rows=done.rows, seconds=done.seconds)
    same_promises = done.promises == record.promises
    before = {**done.looks, **done.parents}
    moved = {name for name, found in {**record.looks, **record.parents}.items() if before.get(name) != found}
    spans = incremental.spans(pieces)
    dates: tuple[dt.date, ...] = ()
    sessions = 0
    if pieces:
        incremental.compute(con, node, plan, pieces)
        columns = making.columns(con, node)
        dates, sessions = content.compare(con, node, columns, incremental.rows(pieces), spans)
    if not dates and _held(done, record):
        kept = _carry(plan, record, made)
        return replace(kept, action="update", seconds=_since(clock), sessions=sessions) if pieces else kept
    with _transaction(con):
        if dates:
            incremental.replace(con, node, pieces)
        written = content.within(node.model.header.date or "", spans) if same_promises else None
        rows, results = _keep_promises(con, plan, node, written, moved)
        if not same_promises:
            making.describe(con, node, making.columns(con, node))
        if dates:
            record = replace(record, content=content.replace(con, node, columns, spans))
        record = replace(record, rows=rows)
        change = Change(done.content, dates)
        scratch.remember(con, record, change, results)
    return _done(made, record, change, Result(node.name, "update", rows, _since(clock), results, sessions))


def _done(made: _Made, record: BuiltModel, change: Change | None, result: Result) -> Result:
    made.models[record.name] = record
    made.checks.extend(result.checks)
    if change:
        made.changes[record.name] = change
    return result


def _freshness(plan: Plan) -> tuple[CheckResult, ...]:
    return tuple(verdict.result for verdict in freshness.judge(plan.inputs.lake, plan.inputs.observed_at))


def _sources(plan: Plan, made: _Made) -> dict[str, object]:
    """The states of the sources that the tables of this build were made of."""
    states = {**(plan.base.sources if plan.base else {}), **source_states(plan)}
    used = {value for model in made.models.values() for value in model.sources.values()}
    return {key: state for key, state in states.items() if key in used}


def _clear(con: Connection, plan: Plan, made: _Made) -> None:
    """Make the schemas, and drop what the base holds beyond the tables that may be carried over or updated."""
    have = con.execute(
        """
        select schema_name || '.' || table_name, 'table' from duckdb_tables()
        where database_name = 'build' and schema_name != 'ops'
        union all
        select schema_name || '.' || view_name, 'view' from duckdb_views()
        where database_name = 'build' and not internal
        """
    ).fetchall()
    made.standing.update(have)
    for name, _ in have:
        if name not in plan.kept:
            _drop(con, made, name)
    for layer in (*plan.graph.catalog.layers, "ops"):
        con.execute(f"create schema if not exists {identifier(layer)}")
    content.prepare(con, plan.base.models if plan.base else ())
    ops.prepare(con)
    macros.prepare(con, plan.graph.catalog.evening)


def _drop(con: Connection, made: _Made, name: str) -> None:
    kind = made.standing.pop(name, None)
    if kind:
        con.execute(f"drop {kind} {identifier(name)}")
        macros.drop(con, name)


def _keep_promises(
    con: Connection, plan: Plan, node: Compiled, where: str | None = None, moved: Collection[str] = ()
) -> tuple[int, tuple[CheckResult, ...]]:
    return checks.enforce(con, node, plan.graph.catalog.project.warehouse / "failed", where=where, moved=moved)


def _held(done: BuiltModel, record: BuiltModel) -> bool:
    """Whether a table that is what it was has kept all it promises: nothing that its promises look at moved."""
    return done.promises == record.promises and all(
        done.looks.get(name) == found for name, found in record.looks.items()
    )


@contextmanager
def _transaction(con: Connection) -> Iterator[None]:
    con.execute("begin")
    whole = False
    try:
        yield
        whole = True
    finally:
        con.execute("commit" if whole else "rollback")


def _since(clock: float) -> float:
    return round(time.perf_counter() - clock, 4)

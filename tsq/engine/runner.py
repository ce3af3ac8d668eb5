"""Carry out a plan: build model by model, check, seal, publish. It yields results and shows nothing."""

from __future__ import annotations

import datetime as dt
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tsq.engine import checks, making, ops, seeds, warehouse
from tsq.engine import manifest as manifests
from tsq.engine.builds import Pointed, discard, point, prune
from tsq.engine.compile import Compiled
from tsq.engine.lake import file_sha256
from tsq.engine.manifest import BuiltModel, CheckResult, Manifest
from tsq.engine.plan import Plan
from tsq.engine.template import identifier, literal
from tsq.engine.warehouse import Connection, Machine

KEEP_BUILDS = 5


@dataclass(frozen=True)
class Result:
    """What became of one model."""

    name: str
    action: Literal["build", "check", "carry"]
    rows: int
    seconds: float
    checks: tuple[CheckResult, ...]


@dataclass(frozen=True)
class Published:
    """The end of a run: the build's manifest, and where it can be opened."""

    manifest: Manifest
    build: Path
    pointed: Pointed


def run(plan: Plan, machine: Machine) -> Iterator[Result | Published]:
    """Build what a plan says and publish it.

    Yields:
        One result a model, in running order, then what was published. When anything fails, the published build stays
        as it was.

    Raises:
        TsqError: a model that does not run, or a blocking check that rows break.
    """
    project = plan.graph.catalog.project
    builds = project.warehouse / "builds"
    builds.mkdir(parents=True, exist_ok=True)
    discard(builds)
    started = dt.datetime.now(dt.UTC)
    clock = time.perf_counter()
    run_id = f"{started:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    scratch = builds / f".{run_id}.duckdb"
    carried = [step.name for step in plan.steps if step.action != "build"]
    if carried and plan.base:
        shutil.copyfile(builds / f"{plan.base.run_id}.duckdb", scratch)
        scratch.chmod(stat.S_IRUSR | stat.S_IWUSR)
    con = warehouse.open_builder(scratch, machine, [plan.inputs.lake.root])
    built: list[BuiltModel] = []
    results: list[CheckResult] = []
    sealed = False
    try:
        _clear(con, carried, plan)
        _attach_sources(con, plan)
        warehouse.lock_down(con)
        known = {model.name: model for model in plan.base.models} if plan.base else {}
        for step in plan.steps:
            node = plan.graph.nodes[step.name]
            before = known.get(step.name)
            if step.action == "carry" and before and plan.base:
                kept = tuple(check for check in plan.base.checks if check.model == step.name)
                result = Result(step.name, "carry", before.rows, 0.0, kept)
                built.append(before)
            elif step.action == "check" and before:
                result = _check(con, node)
                built.append(replace(before, promises=node.promise_hash))
            else:
                result = _build(con, node)
                built.append(_built(node, step.fingerprint, result, run_id))
            results += result.checks
            yield result
        threads = (con.execute("select current_setting('threads')").fetchone() or (0,))[0]
        manifest = Manifest(
            run_id=run_id,
            market=plan.inputs.market,
            as_of=manifests.utc(plan.inputs.as_of) if plan.inputs.as_of else None,
            started_at=manifests.utc(started),
            finished_at=manifests.utc(dt.datetime.now(dt.UTC)),
            seconds=round(time.perf_counter() - clock, 3),
            threads=threads,
            knobs=dict(project.knobs),
            models=tuple(built),
            checks=tuple(results),
            inputs={part.path: part.sha256 for batch in plan.inputs.lake.batches() for part in batch.parts.values()},
            packages=manifests.packages(),
            platform=ops.platform_name(),
            git=manifests.git_state(project.root),
        )
        ops.write(con, manifest, plan)
        warehouse.seal(con, scratch)
        sealed = True
    finally:
        if not sealed:
            con.close()
            discard(builds)
    yield _publish(manifest, scratch, builds, project.pointer)


def _publish(manifest: Manifest, scratch: Path, builds: Path, pointer: Path) -> Published:
    build = builds / f"{manifest.run_id}.duckdb"
    scratch.rename(build)
    state = build.stat()
    manifest = replace(
        manifest, file_sha256=file_sha256(build), file_bytes=state.st_size, file_mtime_ns=state.st_mtime_ns
    )
    manifests.write(manifest, build.with_suffix(".json"))
    pointed = point(pointer, build)
    prune(builds, KEEP_BUILDS, build)
    return Published(manifest, build, pointed)


def _clear(con: Connection, carried: list[str], plan: Plan) -> None:
    """Make the schemas, and drop what the base holds beyond the tables that are carried over."""
    have = con.execute(
        """
        select schema_name || '.' || table_name, 'table' from duckdb_tables() where database_name = 'build'
        union all
        select schema_name || '.' || view_name, 'view' from duckdb_views() where database_name = 'build' and not
        internal
        """
    ).fetchall()
    for name, kind in have:
        if name not in carried:
            con.execute(f"drop {kind} {identifier(name)}")
    for layer in plan.graph.catalog.layers:
        con.execute(f"create schema if not exists {identifier(layer)}")
    con.execute("create schema if not exists ops")


def _attach_sources(con: Connection, plan: Plan) -> None:
    """Give models `raw.*` as the lake shows it at the run's as-of, and `config.*` as the files say."""
    catalog = plan.graph.catalog
    used = {source for step in plan.steps if step.action == "build" for source in plan.graph.sources[step.name]}
    for source in sorted(used):
        schema, _, name = source.partition(".")
        if schema == "raw":
            con.execute(
                f"create view raw.main.{identifier(name)} as {plan.inputs.lake.source_sql(name, plan.inputs.as_of)}"
            )
        else:
            seed = seeds.read(catalog.config[name], catalog.project.root)
            columns = ", ".join(f"{identifier(column.name)} {column.type}" for column in seed.dataset.columns)
            con.execute(f"create table config.main.{identifier(name)} ({columns})")
            marks = ", ".join("?" for _ in seed.dataset.columns)
            if seed.rows:
                con.executemany(f"insert into config.main.{identifier(name)} values ({marks})", seed.rows)


def _built(node: Compiled, fingerprint: str, result: Result, run_id: str) -> BuiltModel:
    kind = node.model.header.kind
    return BuiltModel(node.name, kind, fingerprint, node.promise_hash, result.rows, result.seconds, run_id)


def _build(con: Connection, node: Compiled) -> Result:
    """Make one table in one transaction with its checks; nothing of it stays when one of them blocks."""
    clock = time.perf_counter()
    with _transaction(con):
        making.make(con, node)
        rows, results = _keep_promises(con, node)
    return Result(node.name, "build", rows, round(time.perf_counter() - clock, 4), results)


def _check(con: Connection, node: Compiled) -> Result:
    """Hold a table that was carried over to promises that changed."""
    clock = time.perf_counter()
    with _transaction(con):
        rows, results = _keep_promises(con, node)
    return Result(node.name, "check", rows, round(time.perf_counter() - clock, 4), results)


def _keep_promises(con: Connection, node: Compiled) -> tuple[int, tuple[CheckResult, ...]]:
    rows, results = checks.verify(con, node)
    for result in results:
        if result.failed and result.level == "block":
            raise checks.explain(con, node, result)
    _comment(con, node)
    return rows, results


@contextmanager
def _transaction(con: Connection) -> Iterator[None]:
    con.execute("begin")
    whole = False
    try:
        yield
        whole = True
    finally:
        con.execute("commit" if whole else "rollback")


def _comment(con: Connection, node: Compiled) -> None:
    header = node.model.header
    comments = [f"comment on {header.kind} {identifier(node.name)} is {literal(node.model.prose)}"]
    for name, column in header.columns.items() if header.kind == "table" else ():
        said = ", ".join(part for part in (column.doc, column.unit and f"[{column.unit}]") if part)
        comments.append(f"comment on column {identifier(node.name)}.{identifier(name)} is {literal(said)}")
    con.execute("; ".join(comments))

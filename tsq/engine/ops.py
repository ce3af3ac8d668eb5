"""The tables `ops.*` of a build: what the run was, what it read, what it made."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Sequence
from typing import Any

from tsq.engine import lineage
from tsq.engine.lake import quote
from tsq.engine.manifest import Manifest
from tsq.engine.ops_tables import TABLES, Table
from tsq.engine.plan import Plan
from tsq.engine.warehouse import Connection

Rows = Sequence[Sequence[Any]]


def prepare(con: Connection) -> None:
    """Make every `ops` table of a build, empty: what asks for them can be made before they are filled."""
    for name, table in TABLES.items():
        if name == "content":  # it goes on from the base
            continue
        columns = ", ".join(f"{column} {kind}" for column, kind in table.columns.items())
        con.execute(f"create or replace table ops.{name} ({columns})")


def write(con: Connection, manifest: Manifest, plan: Plan) -> None:
    """Fill the `ops` tables of a build."""
    rows = {
        "runs": [_run(manifest)],
        "builds": _builds(manifest, plan),
        "checks": [
            (manifest.run_id, check.model, check.name, check.level, check.failed, check.sql)
            for check in manifest.checks
        ],
        "ingests": _ingests(plan),
        "lineage": lineage.read(plan.graph, plan.graph.catalog.project.cache / "lineage.json").edges,
    }
    con.execute("begin")
    for name, found in rows.items():
        _insert(con, name, TABLES[name], found)
    con.execute(f"insert into ops.quarantine {plan.inputs.lake.quarantine_sql()}")
    con.execute("; ".join(_comments()))
    con.execute("commit")


def _comments() -> Iterator[str]:
    for name, table in TABLES.items():
        yield f"comment on table ops.{name} is {quote(table.doc)}"
        for column, said in table.docs.items():
            yield f"comment on column ops.{name}.{column} is {quote(said)}"


def platform_name() -> str:
    """The operating system and processor, in words."""
    return f"{platform.system()} {platform.release()} {platform.machine()}"


def _run(manifest: Manifest) -> Sequence[Any]:
    return (
        manifest.run_id,
        manifest.as_of,
        manifest.market,
        manifest.started_at,
        manifest.finished_at,
        manifest.seconds,
        manifest.threads,
        len(manifest.models),
        sum(model.rows for model in manifest.models),
        manifest.packages["tsq"],
        manifest.packages["duckdb"],
        manifest.packages["python"],
        manifest.platform,
        manifest.git.get("commit"),
        manifest.git.get("dirty"),
        json.dumps(manifest.knobs, default=str, ensure_ascii=False),
    )


def _builds(manifest: Manifest, plan: Plan) -> Rows:
    nodes = plan.graph.nodes
    return [
        (
            model.run_id,
            model.name,
            model.name.partition(".")[0],
            model.kind,
            model.fingerprint,
            model.content,
            model.rows,
            model.seconds,
            model.run_id != manifest.run_id,
            nodes[model.name].sql,
        )
        for model in manifest.models
    ]


def _ingests(plan: Plan) -> Rows:
    return [
        (
            batch.batch_id,
            file.file,
            file.sha256,
            file.dataset,
            file.format,
            file.rows_in,
            file.rows_kept,
            file.rows_quarantined,
            file.rows_duplicate,
            file.first_date,
            file.last_date,
            file.known_at,
            batch.loaded_at,
            "\n".join(file.notes),
        )
        for batch in plan.inputs.lake.batches()
        for file in batch.files
    ]


def _insert(con: Connection, name: str, table: Table, rows: Rows) -> None:
    """Insert all rows through one JSON parameter: far quicker than a statement a row."""
    if not rows:
        return
    text = json.dumps([dict(zip(table.columns, row, strict=True)) for row in rows], default=str, ensure_ascii=False)
    columns = ", ".join(f"r.{column}" for column in table.columns)
    structure = quote(json.dumps([dict(table.columns)]))
    con.execute(f"insert into ops.{name} select {columns} from (select unnest(from_json(?, {structure})) as r)", [text])

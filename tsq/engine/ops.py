"""The tables `ops.*` of a build: what the run was, what it read, what it made."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tsq.engine import lineage
from tsq.engine.lake import quote
from tsq.engine.manifest import Manifest
from tsq.engine.plan import Plan
from tsq.engine.warehouse import Connection

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Table:
    """One `ops` table: what a row is, and its columns with their types."""

    doc: str
    columns: Mapping[str, str]


TABLES = {
    "runs": Table(
        "One row is the run that made this build.",
        {
            "run_id": "VARCHAR",
            "as_of": "TIMESTAMPTZ",
            "market": "VARCHAR",
            "started_at": "TIMESTAMPTZ",
            "finished_at": "TIMESTAMPTZ",
            "seconds": "DOUBLE",
            "threads": "INTEGER",
            "models": "INTEGER",
            "rows": "BIGINT",
            "tsq_version": "VARCHAR",
            "duckdb_version": "VARCHAR",
            "python_version": "VARCHAR",
            "platform": "VARCHAR",
            "git_commit": "VARCHAR",
            "git_dirty": "BOOLEAN",
            "knobs": "VARCHAR",
        },
    ),
    "builds": Table(
        "One row is a table of this build: its hashes, the run that last built it, and the SQL that made it.",
        {
            "run_id": "VARCHAR",
            "model": "VARCHAR",
            "layer": "VARCHAR",
            "kind": "VARCHAR",
            "fingerprint": "VARCHAR",
            "content": "VARCHAR",
            "rows": "BIGINT",
            "seconds": "DOUBLE",
            "carried": "BOOLEAN",
            "sql": "VARCHAR",
        },
    ),
    "checks": Table(
        "One row is a promise of a table and how many rows broke it; sql shows them.",
        {
            "run_id": "VARCHAR",
            "model": "VARCHAR",
            "check_name": "VARCHAR",
            "level": "VARCHAR",
            "failed": "BIGINT",
            "sql": "VARCHAR",
        },
    ),
    "ingests": Table(
        "One row is a file that was loaded: rows_in = rows_kept + rows_quarantined + rows_duplicate.",
        {
            "batch_id": "VARCHAR",
            "file": "VARCHAR",
            "sha256": "VARCHAR",
            "dataset": "VARCHAR",
            "format": "VARCHAR",
            "rows_in": "BIGINT",
            "rows_kept": "BIGINT",
            "rows_quarantined": "BIGINT",
            "rows_duplicate": "BIGINT",
            "first_date": "DATE",
            "last_date": "DATE",
            "known_at": "TIMESTAMPTZ",
            "loaded_at": "TIMESTAMPTZ",
            "notes": "VARCHAR",
        },
    ),
    "lineage": Table(
        "One row is an edge of the graph, column by column: what a column is made from, and what chooses its rows.",
        {
            "model": "VARCHAR",
            "column_name": "VARCHAR",
            "from_table": "VARCHAR",
            "from_column": "VARCHAR",
            "kind": "VARCHAR",
        },
    ),
}


def prepare(con: Connection) -> None:
    """Make every `ops` table of a build, empty: what asks for them can be made before they are filled."""
    for name, table in TABLES.items():
        columns = ", ".join(f"{column} {kind}" for column, kind in table.columns.items())
        con.execute(f"create or replace table ops.{name} ({columns})")
        con.execute(f"comment on table ops.{name} is {quote(table.doc)}")


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
    for name, table in TABLES.items():
        _insert(con, name, table, rows[name])
    con.execute(f"create or replace table ops.quarantine as {plan.inputs.lake.quarantine_sql()}")
    con.execute("comment on table ops.quarantine is 'One row is a line that was refused, and why.'")
    con.execute("commit")


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

"""The file of a build while it is written, and what a run that failed or was killed leaves in it.

Each model is one transaction: its table, its hashes and a line of progress that says what the table is. So the file of
a run that did not end describes itself, and the next run goes on with it.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import stat
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tsq.engine import builds, warehouse
from tsq.engine.content import Change
from tsq.engine.manifest import BuiltModel, CheckResult
from tsq.engine.plan import Base, Plan, from_manifest, source_states
from tsq.engine.warehouse import Connection, DatabaseError, Machine

PROGRESS = "ops.progress"


def start(plan: Plan, folder: Path, run_id: str) -> Path:
    """Lay down the file a run writes: what the last run left, a copy of the base, or nothing yet."""
    folder.mkdir(parents=True, exist_ok=True)
    base = plan.base
    builds.discard(folder, keep=base.file if base and base.resumed else None)
    if base and base.resumed:
        return base.file
    scratch = folder / f".{run_id}.duckdb"
    if base and plan.kept & base.models.keys():
        shutil.copyfile(base.file, scratch)
        scratch.chmod(stat.S_IRUSR | stat.S_IWUSR)
    return scratch


def begin(con: Connection, plan: Plan) -> None:
    """Make the table of progress, and say in it what this run starts from and sees."""
    con.execute(f"create table if not exists {PROGRESS} (model VARCHAR, said VARCHAR)")
    base = plan.base
    sources = {**(base.sources if base else {}), **source_states(plan)}
    _say(con, "", {"base": base.run_id if base else None, "sources": sources})


def remember(con: Connection, record: BuiltModel, change: Change | None, checks: tuple[CheckResult, ...]) -> None:
    """Say what a table is, in the transaction that makes it."""
    changed = change and {"was": change.was, "dates": change.dates}
    said = {"record": asdict(record), "change": changed, "checks": [asdict(check) for check in checks]}
    _say(con, record.name, said)


def finish(con: Connection) -> None:
    """Drop the table of progress from a build that is whole."""
    con.execute(f"drop table {PROGRESS}")


def leftover(folder: Path) -> Base | None:
    """What the last run left when it failed or was killed; None when it left nothing of use. Only under the lock."""
    found = sorted(folder.glob(".*.duckdb"), reverse=True)
    for file in found:
        try:
            con = warehouse.open_builder(file, Machine(), [])
        except DatabaseError:
            continue
        try:
            base = _read(con, file, folder)
        except (DatabaseError, ValueError, KeyError, TypeError):
            base = None  # it says nothing, or another version of tsq said it
        finally:
            con.close()
        if base:
            return base
    return None


def _read(con: Connection, file: Path, folder: Path) -> Base | None:
    query = f"select model, said from {PROGRESS} order by rowid"  # of two lines on a model the later one holds
    said = {name: json.loads(text) for name, text in con.execute(query).fetchall()}
    head = said.pop("", None)
    if head is None or not said:
        return None
    manifest = builds.sound(folder / f"{head['base']}.duckdb") if head["base"] else None
    if head["base"] and manifest is None:
        return None
    tables = con.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'build' union all "
        "select schema_name, view_name from duckdb_views() where database_name = 'build'"
    ).fetchall()
    there = {f"{schema}.{table}" for schema, table in tables}
    start = from_manifest(manifest, folder) if manifest else None
    models = {name: model for name, model in (start.models if start else {}).items() if name in there}
    models |= {name: BuiltModel(**body["record"]) for name, body in said.items() if name in there}
    checks = [check for check in (start.checks if start else ()) if check.model not in said]
    checks += [CheckResult(**check) for body in said.values() for check in body["checks"]]
    changes = {name: _change(body["change"]) for name, body in said.items() if body["change"]}
    return Base(file, head["base"] or "", models, tuple(checks), head["sources"], None, changes, resumed=True)


def _change(body: dict[str, Any]) -> Change:
    dates = body["dates"]
    return Change(body["was"], None if dates is None else tuple(dt.date.fromisoformat(day) for day in dates))


def _say(con: Connection, name: str, body: dict[str, Any]) -> None:
    text = json.dumps(body, default=str, ensure_ascii=False)
    con.execute(f"insert into {PROGRESS} values (?, ?)", [name, text])

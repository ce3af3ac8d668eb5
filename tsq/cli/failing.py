"""`tsq failed`: the rows that broke a promise, kept when their table was rolled back."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from tsq import config
from tsq.cli import workspace
from tsq.config import Project
from tsq.engine import failed as kept
from tsq.engine.failed import Failed
from tsq.errors import TsqError, did_you_mean

WIDEST = 10_000
MOST_ROWS = 60


def failed(*, root: Path | None, model: str | None, as_json: bool) -> None:
    """Print what is kept of every model, or the rows of one."""
    project = config.load(root)
    records = kept.read(project.warehouse / "failed")
    if model is not None:
        records = _of_model(records, model)
    if as_json:
        typer.echo(json.dumps([_facts(project, record, with_rows=model is not None) for record in records]))
        return
    if not records:
        sys.stderr.write("no rows are kept: no table broke a promise in its last run\n")
    for record in records:
        typer.echo(
            f"{record.model}: {record.failed:,} rows broke `{record.check}` at {record.at}\n"
            f"  {workspace.shown(_file(project, record), project)}   {record.kept:,} rows"
        )
        if model is not None:
            _show(project, record)


def _of_model(records: tuple[Failed, ...], model: str) -> tuple[Failed, ...]:
    found = tuple(record for record in records if model in (record.model, record.model.partition(".")[2]))
    if not found:
        names = [record.model for record in records]
        hint = did_you_mean(model, names) if names else "no table broke a promise in its last run"
        raise TsqError(f"no rows of {model} are kept", hint=hint)
    return found


def _file(project: Project, record: Failed) -> Path:
    return project.warehouse / "failed" / record.model / record.file


def _facts(project: Project, record: Failed, *, with_rows: bool) -> dict[str, Any]:
    facts = asdict(record) | {"file": str(_file(project, record))}
    if with_rows:
        import polars as pl

        rows = pl.read_parquet(_file(project, record)).to_dicts()
        facts["rows"] = json.loads(json.dumps(rows, default=str))
    return facts


def _show(project: Project, record: Failed) -> None:
    from tsq.engine import warehouse
    from tsq.engine.lake import quote

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDEST
    with warehouse.connect() as con:
        rows = con.sql(f"select * from read_parquet({quote(_file(project, record).as_posix())})")
        rows.show(max_width=width, max_rows=MOST_ROWS)

"""`tsq ingest` and the demo market."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tsq.cli import workspace
from tsq.config import Project
from tsq.engine import builds
from tsq.engine.lake import Lake
from tsq.errors import TsqError

if TYPE_CHECKING:
    from tsq.ingest.batch import Report

MOST_LINES = 15


def ingest(
    *,
    root: Path | None,
    paths: list[Path],
    known_at: str | None,
    withdraw: bool,
    dataset: str | None,
    dry_run: bool,
    demo: str | None,
    as_json: bool,
) -> None:
    """Append files to the real lake, or make the demo market."""
    from tsq.ingest.batch import ingest as ingest_files

    graph = workspace.load_graph(root)
    project = graph.catalog.project
    if demo is None and not paths:
        raise TsqError("nothing to ingest", hint="name files, folders or zips; or --demo small for the demo market")
    if not graph.catalog.raw:
        raise TsqError(
            "this project knows no dataset to ingest",
            where=project.sql / "raw",
            hint="describe one in sql/raw/NAME.yml",
        )
    moment = workspace.parse_time(known_at) if known_at else None
    with builds.locked(project.warehouse):
        if demo is not None:
            done = make_demo(project, workspace.demo_lake(graph), demo)
        else:
            lake = workspace.real_lake(graph)
            done = ingest_files(paths, lake, known_at=moment, withdraw=withdraw, dataset=dataset, dry_run=dry_run)
    if as_json:
        typer.echo(json.dumps(asdict(done), default=str, ensure_ascii=False))
    else:
        _print(done, dry_run)


def make_demo(project: Project, lake: Lake, size: str) -> Report:
    """Write the demo market's exchange files and ingest them like real ones, into a lake of their own.

    A demo market that is there already is replaced: it is made, not collected.
    """
    from tsq.ingest.batch import ingest as ingest_files
    from tsq.ingest.demo import write_demo

    sys.stderr.write(f"making the demo market ({size})\n")
    demo, scratch = project.warehouse / "demo", project.warehouse / ".demo"
    shutil.rmtree(scratch, ignore_errors=True)
    written = write_demo(scratch / "files", size=size)  # an unknown size ends here, and the old market stays
    shutil.rmtree(demo, ignore_errors=True)
    scratch.rename(demo)
    return ingest_files([demo / path.relative_to(scratch) for path in written], lake)


def _print(done: Report, dry_run: bool) -> None:
    groups: dict[tuple[str, str], Counter[str]] = {}
    for file in done.files:
        groups.setdefault((file.dataset or "(refused)", file.format or ""), Counter()).update(
            files=1,
            rows_in=file.rows_in,
            kept=file.rows_kept,
            quarantined=file.rows_quarantined,
            duplicates=file.rows_duplicate,
        )
    columns = ("files", "rows_in", "kept", "quarantined", "duplicates")
    typer.echo(f"{'dataset':<18} {'format':<20}" + "".join(f"{column.replace('_', ' '):>12}" for column in columns))
    for (dataset, kind), counts in sorted(groups.items()):
        typer.echo(f"{dataset:<18} {kind:<20}" + "".join(f"{counts[column]:>12,}" for column in columns))
    for dataset, reason, rows in done.quarantined[:MOST_LINES]:
        typer.echo(f"  quarantined {rows:,} rows of {dataset}: {reason}")
    noted = [(file.file, note) for file in done.files for note in file.notes]
    for name, note in noted[:MOST_LINES]:
        typer.echo(f"  {name}: {note}")
    if len(noted) > MOST_LINES:
        typer.echo(f"  … and {len(noted) - MOST_LINES} more notes, in ops.ingests after the next run")
    if done.batch_id is None:
        typer.echo("dry run: nothing was written" if dry_run else "nothing new: nothing was written")

"""`tsq builds` and `tsq publish`: the builds that are kept, and the one that readers see."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

import typer

from tsq import config
from tsq.cli import workspace
from tsq.cli.grid import grid
from tsq.engine import builds
from tsq.engine.builds import Kept
from tsq.errors import FAILED, TsqError

COLUMNS = ("", "build", "name", "made (UTC)", "market", "as of (IST)", "models", "rows", "size", "git")
RIGHT = {COLUMNS.index(name) for name in ("models", "rows", "size")}


def list_builds(*, root: Path | None, forget: str | None, as_json: bool) -> None:
    """Print the builds that are kept, or take a name away."""
    project = config.load(root)
    if forget is not None:
        with builds.locked(project.warehouse):
            run_id = builds.forget(project.warehouse / "builds", forget)
        typer.echo(
            json.dumps({"forgot": forget, "run_id": run_id}) if as_json else f"{forget} no longer names {run_id}"
        )
        return
    rows = [_facts(found) for found in builds.kept(project.pointer)]
    if as_json:
        typer.echo(json.dumps(rows))
    elif not rows:
        typer.echo("no build yet: `tsq run` makes the first")
    else:
        for line in grid([COLUMNS, *map(_cells, rows)], RIGHT):
            typer.echo(line)


def publish(*, root: Path | None, word: str, wait: bool, as_json: bool) -> None:
    """Point `tsq.duckdb` to a build that is kept."""
    project = config.load(root)
    with builds.locked(project.warehouse, wait):
        build = builds.resolve(project.pointer, word)
        before = builds.published(project.pointer)
        if builds.sound(build) is None:
            raise TsqError(
                f"{build.stem} cannot be trusted: its file is not what its manifest says",
                where=build,
                hint="another version of tsq wrote it, or something changed it; `tsq run --build NAME` makes another",
                exit_code=FAILED,
            )
        pointed = builds.point(project.pointer, build) if build != before else None
    replaced = before.stem if before else None
    note = pointed.note if pointed else None
    path = pointed.path if pointed else project.pointer
    if as_json:
        typer.echo(json.dumps({"published": build.stem, "replaced": replaced, "warehouse": str(path), "note": note}))
        return
    if pointed is None:
        typer.echo(f"{build.stem} is published already")
        return
    typer.echo(f"published  {build.stem}{f'   instead of {replaced}' if replaced else ''}")
    for line in (
        note,
        f"back: `tsq publish {replaced}`" if replaced else None,
        "the report is renewed by `tsq report`",
    ):
        if line:
            sys.stderr.write(f"{line}\n")


def _facts(found: Kept) -> dict[str, Any]:
    manifest = found.manifest
    git = manifest.git if manifest else {}
    return {
        "run_id": found.run_id,
        "names": list(found.names),
        "published": found.published,
        "made_at": manifest.finished_at if manifest else None,
        "market": manifest.market if manifest else None,
        "as_of": manifest.as_of if manifest else None,
        "models": len(manifest.models) if manifest else None,
        "rows": sum(model.rows for model in manifest.models) if manifest else None,
        "bytes": found.build.stat().st_size,
        "git_commit": git.get("commit"),
        "git_dirty": git.get("dirty"),
        "file": str(found.build),
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    made = dt.datetime.fromisoformat(row["made_at"]) if row["made_at"] else None
    return (
        "*" if row["published"] else "",
        row["run_id"],
        ", ".join(row["names"]),
        f"{made:%Y-%m-%d %H:%M}" if made else "of another version",
        row["market"] or "",
        workspace.in_india(row["as_of"]) if row["as_of"] else "",
        f"{row['models']:,}" if made else "",
        f"{row['rows']:,}" if made else "",
        f"{row['bytes'] / 1e6:,.1f} MB",
        f"{(row['git_commit'] or '')[:10]}{' and changes' if row['git_dirty'] else ''}",
    )

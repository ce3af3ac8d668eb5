"""The record of a run: what went in, what came out, and the hashes that prove it.

One JSON file beside each build, and the same facts as tables `ops.*` inside it.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tsq.engine.versions import version
from tsq.errors import TsqError

PACKAGES = ("duckdb", "polars", "numpy", "sqlglot", "pyarrow")


@dataclass(frozen=True)
class BuiltModel:
    """One table of a build, and all that decided its rows.

    Attributes:
        fingerprint: hash of everything below that decides the rows; equal fingerprints are the same table.
        content: hash of the rows themselves, whatever their order.
        promises: hash of what is promised of the rows.
        looks: table or source that only its promises look at → its content.
        engine: versions of what computed it.
        own_hash: hash of what the model itself says.
        knobs: knobs it uses, with their values.
        parents: table it reads → that table's content.
        sources: source it reads → that source's hash.
        seconds: time it took when it was last built from nothing.
        run_id: the run that last built it.
    """

    name: str
    kind: str
    fingerprint: str
    content: str
    promises: str
    looks: Mapping[str, str]
    engine: str
    own_hash: str
    knobs: Mapping[str, Any]
    parents: Mapping[str, str]
    sources: Mapping[str, str]
    rows: int
    seconds: float
    run_id: str


@dataclass(frozen=True)
class CheckResult:
    """One check of one table: how many rows failed it."""

    model: str
    name: str
    level: str
    failed: int
    sql: str


@dataclass(frozen=True)
class Manifest:
    """Everything about one build.

    Attributes:
        as_of: newest knowledge the build may hold.
        sources: hash of a source, as models name it → what of the lake it was.
        inputs: part of the lake → its sha256.
        substitutes: table of settings → the text that stood in for its file.
        git: commit of the project and whether its files differ from it.
        file_header_sha256: hash of the pages that DuckDB rewrites whenever it changes the file; `file_bytes` and
            `file_mtime_ns` tell quickly whether it was touched since.
    """

    run_id: str
    market: str
    as_of: str | None
    started_at: str
    finished_at: str
    seconds: float
    threads: int
    knobs: Mapping[str, Any]
    models: tuple[BuiltModel, ...]
    checks: tuple[CheckResult, ...]
    sources: Mapping[str, Any]
    inputs: Mapping[str, str]
    packages: Mapping[str, str]
    platform: str
    git: Mapping[str, Any]
    substitutes: Mapping[str, str] = field(default_factory=dict)
    file_header_sha256: str = ""
    file_bytes: int = 0
    file_mtime_ns: int = 0


def write(manifest: Manifest, path: Path) -> None:
    """Write a manifest so that a reader sees all of it or nothing."""
    scratch = path.with_suffix(".json.tmp")
    scratch.write_text(json.dumps(asdict(manifest), indent=1, default=str, ensure_ascii=False), encoding="utf-8")
    scratch.replace(path)


def read(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        TsqError: the file is not a manifest of this version.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        body["models"] = tuple(BuiltModel(**model) for model in body["models"])
        body["checks"] = tuple(CheckResult(**check) for check in body["checks"])
        return Manifest(**body)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TsqError(
            f"{path.name} is not a manifest this version reads: {error}", where=path, hint="run with --full-refresh"
        ) from None


def packages() -> dict[str, str]:
    """Versions of tsq, Python and the libraries whose numbers end up in tables."""
    return {"tsq": version("tsq"), "python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def git_state(root: Path) -> dict[str, Any]:
    """The commit a project stands at and whether files differ from it; empty where there is no git."""
    try:
        commit = _git(root, "rev-parse", "HEAD")
        dirty = bool(_git(root, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"commit": commit, "dirty": dirty}


def utc(moment: dt.datetime) -> str:
    """A time as ISO text in UTC, to the second."""
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()

"""The builds of a warehouse as files: which one is published, whether it can be trusted, and who is writing.

Nothing here opens a database, so a run with nothing to do never loads DuckDB.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tsq.engine import manifest as manifests
from tsq.engine.manifest import Manifest
from tsq.errors import BUSY, TsqError

# the main header and the two database headers that a checkpoint writes in turn
HEADER_BYTES = 3 * 4096


@dataclass(frozen=True)
class Pointed:
    """Where the published build can be opened, and what to tell the user if it is not `tsq.duckdb`."""

    path: Path
    note: str | None = None


@contextmanager
def locked(warehouse: Path) -> Iterator[None]:
    """Hold the warehouse for writing.

    Raises:
        TsqError: another run holds it (exit code 75); names it. The lock of a killed process is free at once.
    """
    from filelock import FileLock, Timeout  # it brings asyncio, which a run with nothing to do does without

    warehouse.mkdir(parents=True, exist_ok=True)
    holder = warehouse / ".holder"
    try:
        with FileLock(warehouse / ".lock", timeout=0):
            holder.write_text(f"process {os.getpid()} since {time.strftime('%H:%M:%S')}", encoding="utf-8")
            yield
            holder.unlink(missing_ok=True)
    except Timeout:
        who = holder.read_text(encoding="utf-8") if holder.exists() else "another process"
        raise TsqError(
            f"the warehouse is busy: {who} is writing it", where=warehouse, hint="wait for it to end", exit_code=BUSY
        ) from None


def published(pointer: Path) -> Path | None:
    """The build that `tsq.duckdb` points to, or None when nothing was published (or the pointer is a plain copy)."""
    if pointer.is_symlink():
        target = pointer.resolve()
        return target if target.is_file() else None
    named = pointer.with_suffix(".published")
    if named.is_file():
        build = pointer.parent / "builds" / named.read_text(encoding="utf-8").strip()
        return build if build.is_file() else None
    return None


def trusted_manifest(pointer: Path) -> Manifest | None:
    """The published build's manifest, if its file still is what the manifest says."""
    build = published(pointer)
    if build is None or not build.with_suffix(".json").is_file():
        return None
    try:
        manifest = manifests.read(build.with_suffix(".json"))
    except TsqError:
        return None  # of another version of tsq: nothing of it can be carried over
    state = build.stat()
    if state.st_size == manifest.file_bytes and state.st_mtime_ns == manifest.file_mtime_ns:
        return manifest
    return manifest if header_sha256(build) == manifest.file_header_sha256 else None


def header_sha256(build: Path) -> str:
    """Hash of a database file's first pages, which every change of the file writes anew.

    DuckDB keeps a checksum in every other page, so these pages stand for the whole file at a cost that does not
    grow with it.
    """
    with build.open("rb") as file:
        return hashlib.sha256(file.read(HEADER_BYTES)).hexdigest()


def point(pointer: Path, build: Path) -> Pointed:
    """Move `tsq.duckdb` to a sealed build, atomically.

    A relative symbolic link where the platform allows one; else a copy put in place by an atomic replace, with
    retries while a reader holds the old one (Windows); else the build's own name, said so.
    """
    scratch = pointer.with_name(f".{pointer.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    try:
        scratch.symlink_to(Path("builds") / build.name)
        scratch.replace(pointer)
        return Pointed(pointer)
    except (OSError, NotImplementedError):
        scratch.unlink(missing_ok=True)
    pointer.with_suffix(".published").write_text(build.name, encoding="utf-8")
    shutil.copyfile(build, scratch)
    for pause in (0.0, 0.2, 0.5, 1.0, 2.0):
        time.sleep(pause)
        try:
            scratch.replace(pointer)
            return Pointed(pointer)
        except PermissionError:
            continue
    scratch.unlink(missing_ok=True)
    return Pointed(build, f"{pointer.name} is held open by another program: the new build is {build.name}")


def prune(builds: Path, keep: int, current: Path) -> tuple[Path, ...]:
    """Remove all but the newest `keep` builds; never the current one, nor a file that is held open.

    Returns:
        The builds that were removed.
    """
    found = sorted((path for path in builds.glob("*.duckdb") if not path.name.startswith(".")), reverse=True)
    removed: list[Path] = []
    for build in [path for path in found if path != current][max(0, keep - 1) :]:
        try:
            build.chmod(stat.S_IRUSR | stat.S_IWUSR)
            build.unlink()
        except PermissionError:
            continue
        build.with_suffix(".json").unlink(missing_ok=True)
        removed.append(build)
    return tuple(removed)


def discard(builds: Path) -> None:
    """Remove what killed or failed runs left: hidden builds, their logs and spill folders."""
    for path in builds.glob(".*"):
        if path.suffix == ".spill":
            shutil.rmtree(path, ignore_errors=True)
        elif ".duckdb" in path.name:
            path.chmod(stat.S_IRUSR | stat.S_IWUSR)
            path.unlink(missing_ok=True)

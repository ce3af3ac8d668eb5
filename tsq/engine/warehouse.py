"""The one door to DuckDB: connections, the file of a build, and the pointer to the published one.

A build is written under a hidden name, sealed, and renamed; then `tsq.duckdb` moves to it. Readers keep the file they
opened; a run never opens the published file for writing, so an open shell never blocks it, and a killed run leaves
nothing a reader could see.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from tsq.engine import manifest as manifests
from tsq.engine.lake import file_sha256, quote
from tsq.engine.manifest import Manifest
from tsq.errors import BUSY, FAILED, TsqError

# The public DuckDB 1.5 shell opens files of this version; a plain 2.0 file it does not.
STORAGE_VERSION = "v1.5.0"
Connection = duckdb.DuckDBPyConnection
DatabaseError = duckdb.Error


@dataclass(frozen=True)
class Machine:
    """What a run may use of this machine; never part of a fingerprint, as it changes no number.

    Attributes:
        threads: worker threads; None for one a core.
        memory_limit: as DuckDB spells it ('4GB'); None for DuckDB's own default.
    """

    threads: int | None = None
    memory_limit: str | None = None


@dataclass(frozen=True)
class Pointed:
    """Where the published build can be opened, and what to tell the user if it is not `tsq.duckdb`."""

    path: Path
    note: str | None = None


def open_builder(build: Path, machine: Machine, readable: Sequence[Path]) -> Connection:
    """Open a build for writing, with empty databases `raw` and `config` beside it for the sources.

    The connection reads files only below `readable` once `lock_down` was called.
    """
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    con.execute("set enable_progress_bar = false")
    con.execute("set preserve_insertion_order = false")
    con.execute(f"set temp_directory = {quote((build.parent / (build.stem + '.spill')).as_posix())}")
    if machine.threads:
        con.execute(f"set threads = {int(machine.threads)}")
    if machine.memory_limit:
        con.execute(f"set memory_limit = {quote(machine.memory_limit)}")
    con.execute(f"attach {quote(build.as_posix())} as build (storage_version {quote(STORAGE_VERSION)})")
    con.execute("attach ':memory:' as raw")
    con.execute("attach ':memory:' as config")
    con.execute("use build")
    folders = ", ".join(quote(f"{folder.resolve().as_posix()}/") for folder in (build.parent, *readable))
    con.execute(f"set allowed_directories = [{folders}]")
    return con


def lock_down(con: Connection) -> None:
    """Forbid every file but those already allowed, extensions, and any further setting."""
    con.execute("set autoinstall_known_extensions = false")
    con.execute("set autoload_known_extensions = false")
    con.execute("set python_enable_replacements = false")
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")


def open_readonly(path: Path) -> Connection:
    """Open a build for reading only, hardened: it reads no file but itself.

    Raises:
        TsqError: there is no such build, or it is not a DuckDB file.
    """
    if not path.exists():
        raise TsqError("nothing has been published yet", where=path, hint="run `tsq run --models all`")
    try:
        con = duckdb.connect(str(path.resolve()), read_only=True)
    except duckdb.Error as error:
        raise TsqError(
            f"the warehouse cannot be opened: {str(error).splitlines()[0]}", where=path, hint="run `tsq run`"
        ) from None
    con.execute("set timezone = 'UTC'")
    con.execute("set enable_progress_bar = false")
    lock_down(con)
    return con


def connect() -> Connection:
    """An empty database in memory, in UTC: for ingest and for tools."""
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    con.execute("set enable_progress_bar = false")
    return con


@contextmanager
def locked(warehouse: Path) -> Iterator[None]:
    """Hold the warehouse for writing.

    Raises:
        TsqError: another run holds it (exit code 75); names it. The lock of a killed process is free at once.
    """
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
    return manifest if file_sha256(build) == manifest.file_sha256 else None


def seal(con: Connection, build: Path) -> None:
    """Close a build for good: checkpoint, detach, flush to disk, read-only.

    Raises:
        TsqError: DuckDB left a write-ahead log behind.
    """
    con.execute("checkpoint build")
    con.execute("use memory")
    con.execute("detach build")
    con.close()
    if build.with_suffix(build.suffix + ".wal").exists():
        raise TsqError("the build was not checkpointed whole", where=build, hint="run again", exit_code=FAILED)
    with build.open("rb+") as file:
        os.fsync(file.fileno())
    build.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)


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

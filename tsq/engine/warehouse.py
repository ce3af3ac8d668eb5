"""The one door to DuckDB: connections, and the file of a build while it is written.

A build is written under a hidden name, sealed, and renamed; then `tsq.duckdb` moves to it. Readers keep the file they
opened; a run never opens the published file for writing, so an open shell never blocks it, and a killed run leaves
nothing a reader could see.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tsq.engine.lake import quote
from tsq.errors import FAILED, TsqError

# The public DuckDB 1.5 shell opens files of this version; a plain 2.0 file it does not.
STORAGE_VERSION = "v1.5.0"
# Where an incremental model finds its tables cut to a window, under their own names.
WINDOW = "seen"
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
    con.execute(f"attach ':memory:' as {WINDOW}")
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


def open_pair(a: Path, b: Path) -> Connection:
    """Open two builds side by side for reading only, as the databases `a` and `b`, hardened: no other file is read.

    What does not fit into memory is spilled beside the first build, and gone with the connection.

    Raises:
        TsqError: one of them is not there, or is not a DuckDB file.
    """
    con = connect()
    con.execute(f"set temp_directory = {quote((a.parent / f'.{os.getpid()}.pair').as_posix())}")
    for name, path in (("a", a), ("b", b)):
        try:
            con.execute(f"attach {quote(path.resolve().as_posix())} as {name} (read_only)")
        except duckdb.Error as error:
            said = str(error).splitlines()[0]
            raise TsqError(f"the build cannot be opened: {said}", where=path, hint="`tsq builds` lists all") from None
    lock_down(con)
    return con


def connect() -> Connection:
    """An empty database in memory, in UTC: for ingest and for tools."""
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    con.execute("set enable_progress_bar = false")
    return con


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

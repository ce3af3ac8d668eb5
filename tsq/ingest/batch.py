"""One load: files in, one batch of the lake out, and a record of what became of every file and row.

    sources → recognised, gathered by format → mapped and checked in SQL → repeated and known rows marked → one batch

Nothing here loops over rows. For every file: rows in = kept + quarantined + duplicate.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from tsq.engine.lake import FileRecord, Lake, quote
from tsq.errors import BUSY, TsqError, did_you_mean
from tsq.ingest.cells import MACROS
from tsq.ingest.formats import FORMATS, own_format
from tsq.ingest.gather import Group, gather
from tsq.ingest.records import count_rows, record
from tsq.ingest.rules import day_column
from tsq.ingest.sources import read_sources
from tsq.ingest.stage import kept_sql, mark, quarantine_sql, stage


@dataclass(frozen=True)
class Report:
    """What a load did, or would do.

    `batch_id` is None when nothing was written: a dry run, or all of it was in the lake already.
    `quarantined` counts the refused rows: (dataset, reason, rows), most rows first.
    """

    batch_id: str | None
    loaded_at: datetime
    files: tuple[FileRecord, ...]
    quarantined: tuple[tuple[str, str, int], ...]


WITHDRAWN = "its rows are withdrawn"


def ingest(
    paths: Sequence[Path],
    lake: Lake,
    *,
    known_at: datetime | None = None,
    withdraw: bool = False,
    dataset: str | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
) -> Report:
    """Load files, folders and zips into the lake as one batch.

    Args:
        paths: what to load; a folder is searched through, a zip's members are read one by one.
        lake: where to.
        known_at: when the market knew these rows, for a correction; None: each dataset's own rule.
        withdraw: the rows are taken back, from `known_at` on: what they name is no longer so.
        dataset: what the files are, when they must be that and nothing else.
        dry_run: say what would happen and write nothing.
        now: the time of loading; None: the clock.

    Returns:
        A record of every file, refused ones with the reason in their notes. The same files again write nothing.

    Raises:
        TsqError: a path is missing, no such dataset, a time without a zone, another load is running, or no file had
            a row that could be used (the lake is then as it was).
    """
    loaded_at = (now or datetime.now(UTC)).replace(microsecond=0)
    for moment in (known_at, loaded_at):
        if moment is not None and moment.tzinfo is None:
            raise TsqError(f"the time {moment} has no zone", hint="write it as 2024-07-08T18:30+05:30")
    if withdraw and known_at is None:
        raise TsqError(
            "nothing says from when the rows are withdrawn", hint="say it: --known-at 2024-07-09T18:30+05:30"
        )
    if dataset is not None and dataset not in lake.datasets:
        raise TsqError(f"there is no dataset {dataset}", hint=did_you_mean(dataset, lake.datasets))
    lake.root.mkdir(parents=True, exist_ok=True)
    try:
        with (
            FileLock(lake.root / ".lock", timeout=0),
            tempfile.TemporaryDirectory() as scratch,
            _connect(Path(scratch)) as con,
        ):
            lake.sweep()
            load = _Load(con, Path(scratch), lake, known_at, loaded_at, withdraw)
            return load.run(paths, dataset, dry_run=dry_run)
    except Timeout as error:
        raise TsqError(
            "another load is writing this lake", where=lake.root, hint="wait for it", exit_code=BUSY
        ) from error


def _connect(scratch: Path) -> duckdb.DuckDBPyConnection:
    """A connection with the reading macros, on a scratch file, so that a load larger than memory goes through."""
    con = duckdb.connect()
    con.execute("pragma disable_checkpoint_on_shutdown")
    # Nothing of it outlives the load, so no log is kept.
    con.execute(f"attach {quote((scratch / 'scratch.duckdb').as_posix())} as scratch (recovery_mode no_wal_writes)")
    _settle_in(con)
    for macro in MACROS:
        con.execute(macro)
    con.execute("create table verdicts (file_no integer, row_no bigint, verdict varchar)")
    con.execute("create table conflicts (file_no integer, n bigint)")
    return con


def _settle_in(con: duckdb.DuckDBPyConnection) -> None:
    """What each connection to the scratch file needs for itself."""
    con.execute("set TimeZone = 'UTC'")
    con.execute("use scratch")


@dataclass(frozen=True)
class _Load:
    """The fixed facts of one load."""

    con: duckdb.DuckDBPyConnection
    scratch: Path
    lake: Lake
    known_at: datetime | None
    loaded_at: datetime
    withdraw: bool

    def run(self, paths: Sequence[Path], dataset: str | None, *, dry_run: bool) -> Report:
        known = (*FORMATS, *map(own_format, self.lake.datasets.values()))
        formats = tuple(
            item for item in known if dataset in (None, item.dataset) and item.dataset in self.lake.datasets
        )
        entries, groups = gather(self.con, read_sources(paths), formats, self._loaded(), self.scratch)
        self.con.execute(
            "create table read_files as "
            "select unnest(?)::integer as file_no, unnest(?)::varchar as file, unnest(?)::date as named",
            [
                [item.number for item in entries],
                [item.record.file for item in entries],
                [item.named for item in entries],
            ],
        )
        staged = self._stage(groups)
        for name, tables in staged.items():
            mark(self.con, self.lake, self.lake.datasets[name], tables)
        pairs = [(name, table) for name, tables in staged.items() for table in tables]
        if pairs:
            self.con.execute(f"create table refused as {quarantine_sql(self.con, pairs)}")
        days = {name: day_column(self.lake.datasets[name]) for name in staged}
        counted = {count.file_no: count for name, table in pairs for count in count_rows(self.con, table, days[name])}
        files = tuple(item.record if item.settled else record(item, counted.get(item.number)) for item in entries)
        if not any(file.rows_kept or file.rows_duplicate for file in files):
            raise _nothing_used(files)
        return self._write(files, staged, dry_run=dry_run)

    def _loaded(self) -> dict[tuple[str, str], tuple[str, FileRecord]]:
        """Files whose every row is in the lake; one with refused rows is read again, as a day may have come since."""
        if self.known_at is not None:
            return {}
        return {
            (file.sha256, file.format): (batch.batch_id, file)
            for batch in self.lake.batches()
            for file in batch.files
            if file.format is not None and not file.known_at_given and not file.rows_quarantined
        }

    def _stage(self, groups: Sequence[Group]) -> dict[str, list[str]]:
        # Numbering rows as they are read keeps a group on one thread, so groups are read side by side.
        threads = self.con.execute("select current_setting('threads')").fetchall()[0][0]
        with ThreadPoolExecutor(threads) as pool:
            tables = list(pool.map(self._stage_group, range(len(groups)), groups))
        staged: dict[str, list[str]] = {}
        for table, group in zip(tables, groups, strict=True):
            staged.setdefault(group.format.dataset, []).append(table)
        return staged

    def _stage_group(self, number: int, group: Group) -> str:
        dataset = self.lake.datasets[group.format.dataset]
        table = f"staged_{number}"
        with self.con.cursor() as con:
            _settle_in(con)
            stage(con, group, table, dataset, known_at=self.known_at, loaded_at=self.loaded_at, withdraw=self.withdraw)
        return table

    def _write(self, files: tuple[FileRecord, ...], staged: dict[str, list[str]], *, dry_run: bool) -> Report:
        given = self.known_at is not None
        files = tuple(replace(file, known_at_given=given and file.dataset is not None) for file in files)
        if self.withdraw:
            files = tuple(replace(file, notes=(*file.notes, WITHDRAWN)) if file.rows_kept else file for file in files)
        reasons: list[tuple[str, str, int]] = []
        if staged:
            counts = "select dataset, reason, count(*) as n from refused group by dataset, reason"
            reasons = self.con.execute(f"{counts} order by n desc, dataset, reason").fetchall()
        held = {file.sha256 for batch in self.lake.batches() for file in batch.files}
        nothing_new = not any(file.rows_kept for file in files) and all(file.sha256 in held for file in files)
        batch_id = None
        if not dry_run and not nothing_new:
            said = f"{self.known_at}{' withdrawn' if self.withdraw else ''}"
            contents = "\n".join(sorted(f"{file.sha256} {file.format} {said}" for file in files))
            batch_id = (
                f"{self.loaded_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{hashlib.sha256(contents.encode()).hexdigest()[:8]}"
            )
            rows = {}
            for name, tables in staged.items():
                rows[name] = f"kept_{name}"
                self.con.execute(f"create view {rows[name]} as {kept_sql(self.lake.datasets[name], tables)}")
            self.lake.write(
                self.con,
                batch_id=batch_id,
                loaded_at=self.loaded_at,
                files=files,
                rows=rows,
                quarantine="refused" if reasons else None,
            )
        return Report(batch_id, self.loaded_at, files, tuple(reasons))


def _nothing_used(files: Sequence[FileRecord]) -> TsqError:
    hint = "give a bhavcopy (any of the three formats), a price panel or a reference table: see `tsq ingest --help`"
    if not files:
        return TsqError("there is no file to load", hint=hint)
    first = files[0]
    said = first.notes[0] if first.notes else "holds no rows"
    more = f" (and {len(files) - 1} more files could not be used either)" if len(files) > 1 else ""
    return TsqError(f"nothing could be loaded: {first.file} {said}{more}", where=first.file, hint=hint)

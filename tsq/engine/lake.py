"""The raw lake: an append-only, bitemporal store of parquet parts, one set for each batch.

    <root>/<dataset>/<batch_id>.parquet        the rows a batch kept
    <root>/_quarantine/<batch_id>.parquet      the rows it refused, with row number and reason
    <root>/_batches/<batch_id>.json            what was loaded; written last: this file makes the batch exist

Parts are never changed. A writer that dies before the last file leaves nothing that a reader sees.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsq.engine.datasets import Column, Dataset, load_datasets
from tsq.errors import TsqError, did_you_mean

if TYPE_CHECKING:
    import duckdb

__all__ = ["LAKE_COLUMNS", "Batch", "Column", "Dataset", "FileRecord", "Lake", "Part", "load_datasets"]

# What the lake knows about every row, after the dataset's own columns.
LAKE_COLUMNS = {
    "format": "VARCHAR",
    "source_rank": "INTEGER",
    "known_at": "TIMESTAMPTZ",
    "loaded_at": "TIMESTAMPTZ",
    "batch_id": "VARCHAR",
    "file": "VARCHAR",
    "is_withdrawn": "BOOLEAN",
}
QUARANTINE_COLUMNS = {
    "batch_id": "VARCHAR",
    "dataset": "VARCHAR",
    "file": "VARCHAR",
    "row_no": "BIGINT",
    "reason": "VARCHAR",
    "row_text": "VARCHAR",
}


@dataclass(frozen=True)
class FileRecord:
    """What became of one file: `rows_in = rows_kept + rows_quarantined + rows_duplicate`, always.

    `dataset` and `format` are None for a file that was refused whole; `notes` say why, and anything else worth reading.
    `known_at` is the newest of its rows; `known_at_given`: the loader was told it, instead of the dataset's own rule.
    """

    file: str
    sha256: str
    dataset: str | None
    format: str | None
    rows_in: int = 0
    rows_kept: int = 0
    rows_quarantined: int = 0
    rows_duplicate: int = 0
    first_date: date | None = None
    last_date: date | None = None
    known_at: datetime | None = None
    notes: tuple[str, ...] = ()
    known_at_given: bool = False


@dataclass(frozen=True)
class Part:
    """One immutable parquet file of one batch; path relative to the lake, times in UTC.

    `clock_known_at` is the newest `known_at` that is not after the load: a row announced for the future moves no clock.
    """

    path: str
    sha256: str
    rows: int
    oldest_known_at: datetime | None = None
    newest_known_at: datetime | None = None
    clock_known_at: datetime | None = None


@dataclass(frozen=True)
class Batch:
    """One load: its files, its part of each dataset, and its quarantined rows."""

    batch_id: str
    loaded_at: datetime
    files: tuple[FileRecord, ...]
    parts: Mapping[str, Part] = field(default_factory=dict)
    quarantine: Part | None = None


@dataclass(frozen=True)
class Lake:
    """A lake at `root` holding `datasets`. Reading never needs a connection: it gives SQL.

    `only` shows no other parts than these (by path): the lake as a run of the past saw it; None shows all. `loaded_by`
    shows no batch that was loaded later: the lake as it was then.
    """

    root: Path
    datasets: Mapping[str, Dataset]
    only: frozenset[str] | None = None
    loaded_by: datetime | None = None

    def __post_init__(self) -> None:
        for dataset in self.datasets.values():
            for name in dataset.column_names:
                if name in LAKE_COLUMNS:
                    raise TsqError(
                        f"dataset {dataset.name} has a column {name}, which the lake writes itself",
                        where=dataset.path,
                        hint=f"give it another name than {', '.join(LAKE_COLUMNS)}",
                    )

    def batches(self) -> tuple[Batch, ...]:
        """Every batch that exists, oldest first."""
        found = [_read_batch(path, path.stat().st_mtime_ns) for path in (self.root / "_batches").glob("*.json")]
        if self.loaded_by is not None:
            found = [batch for batch in found if batch.loaded_at <= self.loaded_by]
        if self.only is not None:
            found = [replace(batch, parts=self._shown(batch, self.only)) for batch in found]
        return tuple(sorted(found, key=lambda batch: (batch.loaded_at, batch.batch_id)))

    def source_sql(self, dataset: str, as_of: datetime | None) -> str:
        """A SELECT of the dataset's columns and the lake's, of rows known by `as_of` (None: all rows).

        A dataset that was never loaded is an empty relation of the same types; a column that older parts
        do not have is null there.

        Raises:
            TsqError: no such dataset.
        """
        schema = self._columns(dataset)
        paths = self.part_paths(dataset)
        empty = (
            "select " + ", ".join(f'cast(null as {kind}) as "{name}"' for name, kind in schema.items()) + " where false"
        )
        if not paths:
            return empty
        columns = ", ".join(f'"{name}"' for name in schema)
        files = ", ".join(quote(path.as_posix()) for path in paths)
        known = f" where known_at <= {timestamp_sql(as_of)}" if as_of is not None else ""
        parts = f"select * from read_parquet([{files}], union_by_name = true)"
        return f"select {columns} from ({empty} union all by name {parts}){known}"

    def source_hash(self, dataset: str, as_of: datetime | None) -> str:
        """A hash of what a model can see of a dataset: it changes when and only when a visible part may have changed.

        The order of loading does not matter. A part whose rows straddle `as_of` counts together with `as_of`.
        """
        seen = []
        moment = as_of.astimezone(UTC) if as_of else None
        for part in self._parts(dataset):
            if as_of is not None and part.oldest_known_at is not None and part.oldest_known_at > as_of:
                continue
            whole = as_of is None or part.newest_known_at is None or part.newest_known_at <= as_of
            seen.append(part.sha256 if whole else f"{part.sha256}@{moment}")
        return hashlib.sha256("\n".join([self._schema(dataset), *sorted(seen)]).encode()).hexdigest()

    def source_state(self, dataset: str, as_of: datetime | None) -> dict[str, Any]:
        """What a run can see of a dataset, in a form that a manifest keeps and `changed_dates_sql` compares with."""
        return {
            "as_of": as_of.astimezone(UTC).isoformat() if as_of else None,
            "parts": sorted(self._by_hash(dataset)),
            "schema": self._schema(dataset),
        }

    def changed_dates_sql(self, dataset: str, before: Mapping[str, Any], as_of: datetime | None) -> str | None:
        """A SELECT of the dates (the dataset's `date` column) of which a run sees other rows than an earlier one saw.

        Args:
            dataset: one with a `date`.
            before: its `source_state` then.
            as_of: what the run may know now.

        Returns:
            The query, one column `date`; None where the difference is not one of dates: a part is gone, or the
            columns are others.
        """
        date = self.datasets[dataset].date
        parts = self._by_hash(dataset)
        if date is None or before.get("schema") != self._schema(dataset) or not set(before["parts"]) <= parts.keys():
            return None
        then = datetime.fromisoformat(before["as_of"]) if before["as_of"] else None
        added = [part for key, part in parts.items() if key not in before["parts"]]
        straddling = [part for key, part in parts.items() if key in before["parts"] and _between(part, then, as_of)]
        known = [] if as_of is None else [f"known_at <= {timestamp_sql(as_of)}"]
        seen_once = [f"(known_at <= {timestamp_sql(moment)})" if moment else "true" for moment in (then, as_of)]
        queries = [
            f"select distinct {quote_name(date)} as date from {self._files(group)} where {' and '.join(rule) or 'true'}"
            for group, rule in ((added, known), (straddling, [" != ".join(seen_once)]))
            if group
        ]
        return " union ".join(queries) or "select cast(null as date) as date where false"

    def newest_known_at(self) -> datetime | None:
        """The newest time something in the lake was known, not after it was loaded; None for an empty lake."""
        clocks = [part.clock_known_at for batch in self.batches() for part in batch.parts.values()]
        return max((clock for clock in clocks if clock is not None), default=None)

    def quarantine_sql(self) -> str:
        """A SELECT of every quarantined row of every batch: batch_id, dataset, file, row_no, reason, row_text."""
        columns = ", ".join(QUARANTINE_COLUMNS)
        files = [batch.quarantine.path for batch in self.batches() if batch.quarantine is not None]
        if not files:
            return (
                "select "
                + ", ".join(f"cast(null as {kind}) as {name}" for name, kind in QUARANTINE_COLUMNS.items())
                + " where false"
            )
        paths = ", ".join(quote((self.root / path).as_posix()) for path in files)
        return f"select {columns} from read_parquet([{paths}])"

    def part_paths(self, dataset: str) -> tuple[Path, ...]:
        """The parquet files of a dataset, oldest batch first.

        Raises:
            TsqError: a file that a batch names is gone.
        """
        paths = tuple(self.root / part.path for part in self._parts(dataset))
        for path in paths:
            if not path.is_file():
                raise TsqError(
                    f"the lake has lost {path.name}, a part of {dataset}",
                    where=path,
                    hint="bring it back from a backup, or remove its file under _batches and load the sources again",
                    exit_code=1,
                )
        return paths

    def write(
        self,
        con: duckdb.DuckDBPyConnection,
        *,
        batch_id: str,
        loaded_at: datetime,
        files: tuple[FileRecord, ...],
        rows: Mapping[str, str],
        quarantine: str | None,
    ) -> Batch:
        """Append one batch: its parts, then its quarantine, then the file that makes it exist.

        Args:
            con: a connection that sees the relations named below.
            batch_id: unique; sorts with the time of loading.
            loaded_at: time of loading, with a zone.
            files: what became of each file.
            rows: dataset → name of a relation with the dataset's columns and format, source_rank, known_at, file,
                is_withdrawn.
            quarantine: name of a relation with dataset, file, row_no, reason, row_text; None when there are none.

        Returns:
            The batch as `batches()` will give it. An empty relation makes no part.
        """
        parts = {}
        for dataset, relation in sorted(rows.items()):
            columns = _select_list(self._columns(dataset), batch_id, loaded_at)
            order = ", ".join(
                f'"{name}" nulls last' for name in (*self.datasets[dataset].key, "known_at", "source_rank", "file")
            )
            # Sorted before the batch's constants are put beside every row, which the sort would have to carry.
            query = f"select {columns} from (select * from {relation} order by {order})"
            part = self._write_part(con, f"{dataset}/{batch_id}.parquet", query)
            if part is not None:
                parts[dataset] = self._with_times(con, part, loaded_at)
        kept_out = None
        if quarantine is not None:
            columns = _select_list(QUARANTINE_COLUMNS, batch_id, loaded_at)
            query = f"select {columns} from (select * from {quarantine} order by file, row_no, reason)"
            kept_out = self._write_part(con, f"_quarantine/{batch_id}.parquet", query)
        batch = Batch(batch_id, loaded_at.astimezone(UTC), files, parts, kept_out)
        text = json.dumps(batch, default=_to_json, ensure_ascii=False)
        target = self.root / "_batches" / f"{batch_id}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = target.with_suffix(".tmp")
        scratch.write_text(text, encoding="utf-8")
        _settle(scratch, target)
        return batch

    def sweep(self) -> tuple[Path, ...]:
        """Remove parts without a batch, which a killed writer left; gives their paths. Only while no one writes."""
        batches = {path.stem for path in (self.root / "_batches").glob("*.json")}
        left = list(self.root.glob("*/*.tmp"))
        left += [path for path in self.root.glob("*/*.parquet") if path.stem not in batches]
        for path in left:
            path.unlink()
        return tuple(sorted(left))

    def _shown(self, batch: Batch, only: frozenset[str]) -> dict[str, Part]:
        return {name: part for name, part in batch.parts.items() if part.path in only}

    def _columns(self, dataset: str) -> dict[str, str]:
        if dataset not in self.datasets:
            raise TsqError(f"there is no dataset {dataset}", hint=did_you_mean(dataset, self.datasets))
        return {column.name: column.type for column in self.datasets[dataset].columns} | LAKE_COLUMNS

    def _schema(self, dataset: str) -> str:
        return ";".join(f"{name} {kind}" for name, kind in self._columns(dataset).items())

    def _parts(self, dataset: str) -> list[Part]:
        self._columns(dataset)
        return [batch.parts[dataset] for batch in self.batches() if dataset in batch.parts]

    def _by_hash(self, dataset: str) -> dict[str, Part]:
        return {part.sha256[:16]: part for part in self._parts(dataset)}

    def _files(self, parts: list[Part]) -> str:
        return f"read_parquet([{', '.join(quote((self.root / part.path).as_posix()) for part in parts)}])"

    def _write_part(self, con: duckdb.DuckDBPyConnection, relative: str, query: str) -> Part | None:
        target = self.root / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = target.with_suffix(".tmp")
        options = "format parquet, parquet_version v2, compression zstd, row_group_size 122880"
        (rows,) = con.execute(f"copy ({query}) to {quote(scratch.as_posix())} ({options})").fetchone() or (0,)
        if not rows:
            scratch.unlink()
            return None
        sha256 = file_sha256(scratch)
        _settle(scratch, target)
        return Part(relative, sha256, rows)

    def _with_times(self, con: duckdb.DuckDBPyConnection, part: Part, loaded_at: datetime) -> Part:
        """The part with the span of its `known_at`; epoch numbers, so that no session time zone comes between."""
        row = con.execute(
            "select epoch_us(min(known_at)), epoch_us(max(known_at)), "
            f"epoch_us(max(known_at) filter (where known_at <= {timestamp_sql(loaded_at)})) "
            f"from read_parquet({quote((self.root / part.path).as_posix())})"
        ).fetchone()
        oldest, newest, clock = (_from_epoch(value) for value in row or (None, None, None))
        return Part(part.path, part.sha256, part.rows, oldest, newest, clock)


def quote(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def timestamp_sql(moment: datetime) -> str:
    """A zoned time as an SQL literal in UTC."""
    return f"TIMESTAMPTZ '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00:00'"


def file_sha256(path: Path) -> str:
    """The sha256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _select_list(schema: Mapping[str, str], batch_id: str, loaded_at: datetime) -> str:
    own = {"batch_id": quote(batch_id), "loaded_at": timestamp_sql(loaded_at)}
    return ", ".join(
        f'cast({own.get(name, chr(34) + name + chr(34))} as {kind}) as "{name}"' for name, kind in schema.items()
    )


def _from_epoch(microseconds: int | None) -> datetime | None:
    if microseconds is None:
        return None
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def _between(part: Part, one: datetime | None, other: datetime | None) -> bool:
    """Whether some row of a part may be known at one of two times and not at the other."""
    if one == other or part.oldest_known_at is None or part.newest_known_at is None:
        return one != other
    visible = [moment is None or part.newest_known_at <= moment for moment in (one, other)]
    hidden = [moment is not None and part.oldest_known_at > moment for moment in (one, other)]
    return not (all(visible) or all(hidden))


def _settle(scratch: Path, target: Path) -> None:
    """Make a written file durable under its final name: flush, rename, flush the folder."""
    with scratch.open("rb+") as file:
        os.fsync(file.fileno())
    scratch.replace(target)
    if os.name == "posix":
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _to_json(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Batch | FileRecord | Part):
        return vars(value)
    raise TypeError(f"{type(value).__name__} has no place in a batch file")


@cache
def _read_batch(path: Path, _written_at: int) -> Batch:
    """A batch never changes, so a run that asks for it many times reads it once."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        return Batch(
            batch_id=body["batch_id"],
            loaded_at=datetime.fromisoformat(body["loaded_at"]),
            files=tuple(_read_file(record) for record in body["files"]),
            parts={name: _read_part(part) for name, part in body["parts"].items()},
            quarantine=_read_part(body["quarantine"]) if body["quarantine"] else None,
        )
    except (ValueError, KeyError, TypeError) as error:
        hint = "bring it back from a backup, or remove it and load its sources again"
        raise TsqError(
            f"{path.name} is not a batch of this lake: {error}", where=path, hint=hint, exit_code=1
        ) from error


def _read_file(record: dict[str, Any]) -> FileRecord:
    days = {name: date.fromisoformat(record[name]) for name in ("first_date", "last_date") if record[name]}
    known_at = datetime.fromisoformat(record["known_at"]) if record["known_at"] else None
    return FileRecord(**(record | days | {"known_at": known_at, "notes": tuple(record["notes"])}))


def _read_part(part: dict[str, Any]) -> Part:
    times = ("oldest_known_at", "newest_known_at", "clock_known_at")
    return Part(**(part | {name: datetime.fromisoformat(part[name]) for name in times if part[name]}))

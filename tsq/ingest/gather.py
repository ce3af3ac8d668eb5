"""Sources recognised by their content, and gathered by format and header so that each group is read at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path

import duckdb

from tsq.engine.lake import FileRecord
from tsq.errors import did_you_mean
from tsq.ingest.cells import Layout, ParquetGroup, TextGroup, header_names, layout_of, parquet_schema
from tsq.ingest.formats import UNUSED, Format, recognise
from tsq.ingest.names import day_in_name
from tsq.ingest.sources import Parquet, Refused, Source, Text

Group = TextGroup | ParquetGroup


@dataclass(frozen=True)
class Entry:
    """One source: its number, what is known of it so far, and how its text ends.

    `n_lines` is the number of its lines where the last one has no line end (a cut-off file often ends so), else None.
    `settled`: its record is final, nothing of it is to be read.
    """

    number: int
    record: FileRecord
    n_lines: int | None = None
    settled: bool = False

    @cached_property
    def named(self) -> date | None:
        """The one date in the file's name."""
        return day_in_name(self.record.file)


def gather(
    con: duckdb.DuckDBPyConnection,
    sources: Iterable[Source],
    formats: tuple[Format, ...],
    loaded: Mapping[tuple[str, str], tuple[str, FileRecord]],
    scratch: Path,
) -> tuple[list[Entry], list[Group]]:
    """Recognise each source and put its rows into the group of its format and header.

    Args:
        con: a connection, to read parquet schemas with.
        sources: from `read_sources`; each is let go once its lines are in the scratch folder.
        formats: what may be recognised, the first that fits wins.
        loaded: (sha256, format) → (batch, record) of files whose rows are all in the lake already.
        scratch: a folder for the groups' lines.

    Returns:
        An entry for each source in order, and the groups to read.
    """
    entries: list[Entry] = []
    texts: dict[tuple[str, tuple[str, ...], Layout], TextGroup] = {}
    parquets: dict[tuple[str, tuple[tuple[str, str], ...]], ParquetGroup] = {}
    # Files of one format begin alike, so each beginning is looked at once.
    recognised: dict[tuple[str, ...] | str, tuple[tuple[str, ...], Format | None]] = {}
    for number, source in enumerate(sources):
        if isinstance(source, Refused):
            entries.append(_refused(number, source))
            continue
        path = _on_disk(source, scratch / f"member_{number}.parquet") if isinstance(source, Parquet) else None
        schema = parquet_schema(con, path) if path is not None else ()
        if path is not None and not schema:
            entries.append(
                _refused(number, Refused(source.name, source.sha256, "is a broken parquet file: fetch it again"))
            )
            continue
        first_line, n_before = _first_line(source.body) if isinstance(source, Text) else ("", 0)
        start = tuple(name for name, _ in schema) or first_line
        if start not in recognised:
            header = header_names(start.split(",") if isinstance(start, str) else start)
            recognised[start] = header, recognise(header, first_line, formats)
        header, found = recognised[start]
        if found is None:
            entries.append(_refused(number, Refused(source.name, source.sha256, _unknown(header, first_line, formats))))
            continue
        if (source.sha256, found.name) in loaded:
            entries.append(_again(number, source.name, *loaded[source.sha256, found.name]))
            continue
        notes = (source.notes if isinstance(source, Text) else ()) + _unread(found, header)
        record = FileRecord(source.name, source.sha256, found.dataset, found.name, notes=notes)
        if isinstance(source, Text):
            has_header = found.first_line is None
            names = header if has_header else found.needs
            n_before += has_header
            rows = _after(source.body, n_before)
            if rows:
                key = (found.name, names, layout_of(rows, len(names)))
                if key not in texts:
                    texts[key] = TextGroup(found, names, key[2], scratch / f"lines_{len(texts)}.txt")
                texts[key].add(number, rows, n_before)
            entries.append(Entry(number, record, None if source.ends_whole else source.body.count(b"\n")))
        elif path is not None:
            parquets.setdefault((found.name, schema), ParquetGroup(found, schema)).files.append((number, path))
            entries.append(Entry(number, record))
    return entries, [*texts.values(), *parquets.values()]


def _on_disk(source: Parquet, scratch: Path) -> Path:
    if source.path is not None:
        return source.path
    scratch.write_bytes(source.body or b"")
    return scratch


def _first_line(body: bytes) -> tuple[str, int]:
    """The first line that is not blank, and how many blank ones come before it."""
    blank = len(body) - len(body.lstrip())
    start = body.rfind(b"\n", 0, blank) + 1
    return body[start : body.index(b"\n", start)].decode(), body.count(b"\n", 0, start)


def _after(body: bytes, n_lines: int) -> bytes:
    """What comes after so many lines."""
    at = 0
    for _ in range(n_lines):
        at = body.index(b"\n", at) + 1
    return body[at:]


def _refused(number: int, source: Refused) -> Entry:
    return Entry(number, FileRecord(source.name, source.sha256, None, None, notes=(source.reason,)), settled=True)


def _again(number: int, name: str, batch_id: str, before: FileRecord) -> Entry:
    note = f"already loaded, in batch {batch_id}"
    record = replace(before, file=name, rows_kept=0, rows_duplicate=before.rows_in, notes=(note,))
    return Entry(number, record, settled=True)


def _unread(found: Format, header: tuple[str, ...]) -> tuple[str, ...]:
    """A note on the columns of a hand-made file that nothing reads; the exchange's own files have many, by design."""
    if not found.aliases:
        return ()
    extra = [name for name in header if name and found.aliases.get(name, name) not in (*found.needs, *found.may)]
    return (f"columns not used: {', '.join(extra)}",) if extra else ()


def _unknown(header: tuple[str, ...], first_line: str, formats: tuple[Format, ...]) -> str:
    if header in UNUSED:
        return UNUSED[header]
    for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(header) <= 1 and separator in first_line:
            return f"has its values apart by {name}: save it with commas"
    names = {name for known in formats for name in (*known.needs, *known.may)}
    best = max(formats, key=lambda known: _likeness(known, header))
    renamed = {best.aliases.get(name, name) for name in header}
    missing = [name for name in best.needs if name not in renamed]
    if best.first_line is None and len(missing) < len(best.needs):
        stray = [name for name in header if name and name not in names]
        guess = f" ({stray[0]}: {did_you_mean(stray[0], missing)})" if stray and missing else ""
        lacks = (
            f"lacks {', '.join(missing)}"
            if missing
            else f"has other columns than {', '.join((*best.needs, *best.may))}"
        )
        return f"is not of a known format: nearest is {best.name}, but it {lacks}{guess}"
    shown = first_line[:80] or ", ".join(header)[:80]
    return f"is not of a known format: it begins with '{shown}'; give the exchange's file, or a dataset's column names"


def _likeness(known: Format, header: tuple[str, ...]) -> int:
    """Needed names that are there, less those that are not."""
    return 2 * len({*known.needs} & {known.aliases.get(name, name) for name in header}) - len(known.needs)

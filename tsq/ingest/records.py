"""What became of a file: its counts, its dates, and what a person should know about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import duckdb

from tsq.engine.lake import FileRecord
from tsq.ingest.gather import Entry
from tsq.ingest.rules import WRONG_WIDTH
from tsq.ingest.stage import DUPLICATE


@dataclass(frozen=True)
class Counted:
    """Rows of one file after staging; `last_wrong_width` is the number of its last row cut off or too wide."""

    file_no: int
    rows_in: int
    rows_kept: int
    rows_duplicate: int
    first_date: date | None
    last_date: date | None
    known_at: datetime | None
    last_wrong_width: int | None
    n_conflicts: int
    reasons: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]


def count_rows(con: duckdb.DuckDBPyConnection, table: str, day: str | None) -> list[Counted]:
    """Count each file of a staged table, by what became of its rows; dates are those of rows that may be kept.

    Args:
        con: holds the table, `verdicts`, `refused` and `conflicts`.
        table: from `stage`.
        day: the column that dates a row, or None.
    """
    days = f'min("{day}") filter (reason is null), max("{day}") filter (reason is null)' if day else "null, null"
    rows = con.execute(f"""
        with counted as (
            select file_no, count(*) as rows_in, count(*) filter (reason is null and verdict is null) as kept,
                count(*) filter (verdict = '{DUPLICATE}') as duplicate,
                {days},
                strftime(max(known_at), '%Y-%m-%d %H:%M:%S.%f') as known_at,
                max(row_no) filter (reason = '{WRONG_WIDTH}') as last_wrong_width,
                coalesce(list_sort(list(distinct note) filter (note is not null)), []) as notes
            from {table} left join (select file_no, row_no, verdict from verdicts) using (file_no, row_no)
            group by file_no
        ),
        reasons as (
            select file_no, list((reason, n) order by n desc, reason) as reasons
            from (select file_no, reason, count(*) as n from refused group by file_no, reason)
            group by file_no
        )
        select * exclude (notes, reasons, n), coalesce(n, 0), coalesce(reasons, []), notes
        from counted left join reasons using (file_no) left join conflicts using (file_no)
    """).fetchall()
    return [
        Counted(
            file_no=file_no,
            rows_in=rows_in,
            rows_kept=kept,
            rows_duplicate=duplicate,
            first_date=first,
            last_date=last,
            known_at=datetime.fromisoformat(known).replace(tzinfo=UTC) if known else None,
            last_wrong_width=cut,
            n_conflicts=conflicts,
            reasons=tuple(reasons),
            notes=tuple(notes),
        )
        for file_no, rows_in, kept, duplicate, first, last, known, cut, conflicts, reasons, notes in rows
    ]


def record(entry: Entry, counted: Counted | None) -> FileRecord:
    """The record of a file that was read; `counted` is None when it had no rows."""
    if counted is None:
        return replace(entry.record, notes=(*entry.record.notes, "holds no rows, only a header"))
    notes = [*entry.record.notes, *counted.notes]
    if entry.n_lines is not None and counted.last_wrong_width == entry.n_lines:
        notes.append("is cut off in its last row; the whole rows before it are used")
    named = entry.named
    if named and counted.first_date and counted.first_date == counted.last_date and named != counted.first_date:
        notes.append(f"its name says {named}, its rows say {counted.first_date}: the rows are believed")
    if counted.n_conflicts:
        notes.append(
            f"{counted.n_conflicts} rows say otherwise than rows of the same format and time of knowledge; all are kept"
        )
    if counted.rows_in == counted.rows_duplicate:
        notes.append("an echo: all its rows are known from another file")
    if counted.reasons:
        said = "; ".join(f"{reason} ({n})" for reason, n in counted.reasons[:5])
        notes.append(f"quarantined: {said}{'; …' if len(counted.reasons) > 5 else ''}")
    found = replace(
        entry.record,
        rows_in=counted.rows_in,
        rows_kept=counted.rows_kept,
        rows_quarantined=counted.rows_in - counted.rows_kept - counted.rows_duplicate,
        rows_duplicate=counted.rows_duplicate,
        first_date=counted.first_date,
        last_date=counted.last_date,
        known_at=counted.known_at,
        notes=tuple(notes),
    )
    n_refused = sum(n for _, n in counted.reasons)
    assert n_refused == found.rows_quarantined, (
        f"{found.file}: {n_refused} rows in quarantine, {found.rows_quarantined} counted"
    )
    return found

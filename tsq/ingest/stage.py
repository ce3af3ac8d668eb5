"""Groups of files as rows of a dataset: mapped, checked, and marked where a row repeats another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import duckdb

from tsq.engine.datasets import Column, Dataset
from tsq.engine.lake import Lake, quote
from tsq.ingest.cells import TextGroup, load_parquet, load_text
from tsq.ingest.gather import Group
from tsq.ingest.rules import known_at_sql, reason_sql

REPEATED = "repeated key: a later row of the file has it"
DUPLICATE = "duplicate"


def stage(
    con: duckdb.DuckDBPyConnection,
    group: Group,
    table: str,
    dataset: Dataset,
    *,
    known_at: datetime | None,
    loaded_at: datetime,
) -> None:
    """Read a group into `table`: file_no, row_no, reason, note, the dataset's columns, format, source_rank, known_at, key_id.

    `reason` is null for a row that may be kept. The raw lines stay in the relation `<table>_lines` (file_no, row_no, line).
    """
    lines = f"{table}_lines"
    cells = load_text(con, group, lines) if isinstance(group, TextGroup) else load_parquet(con, group, lines)
    of = group.format
    mapped = f"select file_no, row_no, wrong_width, {of.select.strip().rstrip(',')} from ({cells}) window of_file as (partition by file_no)"
    names = {str(name) for name, *_ in con.execute(f"describe {mapped}").fetchall()}
    optional = ", ".join(f"cast(null as varchar) as {name}" for name in ("reject", "note") if name not in names)
    whole = ", ".join(_complete(column, column.name in names) for column in dataset.columns)
    final = ", ".join(f'try_cast("{column.name}" as {column.type}) as "{column.name}"' for column in dataset.columns)
    key = ", ".join(f'"{name}"' for name in dataset.key)
    con.execute(f"""
        create table {table} as
        with mapped as ({mapped}),
        complete as (
            select file_no, row_no, wrong_width, {"reject, " if "reject" in names else ""}{"note, " if "note" in names else ""}
                {optional + ", " if optional else ""}{whole}
            from mapped
        ),
        judged as (
            select file_no, row_no, note, {reason_sql(dataset, loaded_at)} as reason, {final}
            from complete
        ),
        dated as (
            select *, case when reason is null then {known_at_sql(dataset, known_at)} end as known_at
            from judged
        )
        select *, {quote(of.name)} as format, {of.source_rank} as source_rank, hash({key}, known_at, {quote(of.name)}) as key_id
        from dated
    """)


def mark(con: duckdb.DuckDBPyConnection, lake: Lake, dataset: Dataset, tables: Sequence[str]) -> None:
    """Mark rows of a dataset that are not kept, in `verdicts`, and count those that contradict another, in `conflicts`.

    Within a file the last row of a key (at one time of knowledge) stays. A row equal in every value to one of another file of the same
    format, or to one in the lake, is a duplicate. Which files came first changes no kept value. Needs the table `read_files` (file_no, file).
    """
    staged = " union all by name ".join(f"select * from {table} where reason is null" for table in tables)
    key = ", ".join(f'"{name}"' for name in dataset.key)
    values = ", ".join(f'"{name}"' for name in dataset.column_names)
    span = con.execute(f"select epoch_us(min(known_at)), epoch_us(max(known_at)) from ({staged})").fetchone() or (
        None,
        None,
    )
    held = lake.source_sql(dataset.name, None)
    # Only rows of these times can be equal to a staged one; the bound lets the reader skip the rest of the lake.
    within = (
        f"known_at between make_timestamptz({span[0]}) and make_timestamptz({span[1]})"
        if span[0] is not None
        else "false"
    )
    con.execute(f"""
        create or replace table held as
        select hash({key}, known_at, format) as key_id, hash({values}, known_at, format) as row_id
        from ({held}) where {within} and key_id in (select key_id from ({staged}))
    """)
    con.execute(f"""
        create or replace table shared as
        select *, hash({values}, known_at, format) as row_id
        from ({staged})
        where key_id in (select key_id from ({staged}) group by key_id having count(*) > 1 union select key_id from held)
    """)
    con.execute(f"""
        create or replace table marked as
        with places as (
            select *, row_number() over (partition by file_no, {key}, known_at order by row_no desc) as from_last
            from shared
        ),
        last_rows as (
            select *, row_number() over (partition by {key}, known_at, format, row_id order by file, file_no) as copy
            from places join read_files using (file_no)
            where from_last = 1
        )
        select file_no, row_no, key_id, row_id, {quote(REPEATED)} as verdict from places where from_last > 1
        union all
        select file_no, row_no, key_id, row_id,
            case when copy > 1 or (key_id, row_id) in (select (key_id, row_id) from held) then {quote(DUPLICATE)} end as verdict
        from last_rows
    """)
    con.execute(
        f"insert into verdicts select {quote(dataset.name)}, file_no, row_no, verdict from marked where verdict is not null"
    )
    con.execute(f"""
        insert into conflicts
        with versions as (
            select key_id, row_id from held
            union
            select key_id, row_id from marked where verdict is distinct from {quote(REPEATED)}
        ),
        contested as (select key_id from versions group by key_id having count(*) > 1)
        select file_no, count(*) from marked where verdict is null and key_id in (select key_id from contested) group by file_no
    """)


def kept_sql(dataset: Dataset, tables: Sequence[str]) -> str:
    """A SELECT of the rows to keep: the dataset's columns, format, source_rank, known_at, file."""
    staged = " union all by name ".join(f"select * from {table} where reason is null" for table in tables)
    values = ", ".join(f's."{name}"' for name in dataset.column_names)
    return (
        f"select {values}, s.format, s.source_rank, s.known_at, n.file from ({staged}) as s join read_files as n using (file_no) "
        "anti join verdicts as v on v.file_no = s.file_no and v.row_no = s.row_no"
    )


def quarantine_sql(tables: Sequence[tuple[str, str]]) -> str:
    """A SELECT of the rows refused, of (dataset, table) pairs: dataset, file, row_no, reason, row_text as it is in the file."""
    parts = [
        f"select {quote(dataset)} as dataset, b.file_no, n.file, b.row_no, b.reason, l.line as row_text from ("
        f"select file_no, row_no, reason from {table} where reason is not null union all "
        f"select v.file_no, v.row_no, v.verdict from verdicts as v join {table} using (file_no, row_no) where v.verdict = {quote(REPEATED)}"
        f") as b join {table}_lines as l using (file_no, row_no) join read_files as n using (file_no)"
        for dataset, table in tables
    ]
    return " union all ".join(parts)


def _complete(column: Column, there: bool) -> str:
    """The column as mapped, or null; with the dataset's default for a null."""
    name = f'"{column.name}"'
    kind = "DOUBLE" if column.type in ("BIGINT", "INTEGER") else column.type
    value = name if there else f"cast(null as {kind})"
    if column.default is not None:
        value = f"coalesce({value}, {quote(str(column.default))})"
    return f"{value} as {name}"

"""Groups of files as rows of a dataset: mapped, checked, and marked where a row repeats another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import duckdb

from tsq.engine.datasets import Column, Dataset
from tsq.engine.lake import Lake, quote
from tsq.ingest.cells import Layout, ParquetGroup, load_parquet, load_text
from tsq.ingest.formats import Format
from tsq.ingest.gather import Group
from tsq.ingest.rules import day_column, known_at_sql, reason_sql

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
    withdraw: bool,
) -> None:
    """Read a group into `table`: file_no, row_no, reason, note, the dataset's columns, and what the lake adds to a row.

    `reason` is null for a row that may be kept; `key_id` is a hash of key, known_at and format. The raw lines stay in
    the relation `<table>_lines` (file_no, row_no, line).
    """
    lines = f"{table}_lines"
    if isinstance(group, ParquetGroup):
        cells = load_parquet(con, group, lines)
        con.execute(_staged(con, group.format, cells, table, dataset, known_at, loaded_at, withdraw))
        return
    try:
        cells = load_text(con, group, lines)
        con.execute(_staged(con, group.format, cells, table, dataset, known_at, loaded_at, withdraw))
    except duckdb.InvalidInputException:
        # A row too long and one too short made up for each other in the counts: each line is split by itself.
        if not group.layout.is_regular:
            raise
        odd = replace(group, layout=Layout(group.layout.delimiter, is_regular=False, is_padded=True))
        cells = load_text(con, odd, lines)
        con.execute(_staged(con, group.format, cells, table, dataset, known_at, loaded_at, withdraw))


def _staged(
    con: duckdb.DuckDBPyConnection,
    of: Format,
    cells: str,
    table: str,
    dataset: Dataset,
    known_at: datetime | None,
    loaded_at: datetime,
    withdraw: bool,
) -> str:
    """The statement that makes a staged table of cells."""
    source = f"({cells})"
    if of.of_file:
        source += f" join (select file_no, {of.of_file} from ({cells}) group by file_no) using (file_no)"
    if of.by_name:
        source += " join read_files using (file_no)"
    mapped = f"select file_no, row_no, wrong_width, {of.select.strip().rstrip(',')} from {source}"
    names = {str(name) for name, *_ in con.execute(f"describe {mapped}").fetchall()}
    said = {"reject": "varchar", "note": "varchar", "told_at": "timestamptz"}
    remarks = ", ".join(name if name in names else f"cast(null as {kind}) as {name}" for name, kind in said.items())
    complete = ", ".join(_complete(column, column.name in names) for column in dataset.columns)
    final = ", ".join(f'try_cast("{column.name}" as {column.type}) as "{column.name}"' for column in dataset.columns)
    return f"""
        create table {table} as
        with mapped as ({mapped}),
        complete as (select file_no, row_no, wrong_width, {remarks}, {complete} from mapped),
        judged as (
            select file_no, row_no, note, told_at, {reason_sql(dataset, loaded_at)} as reason, {final}
            from complete
        ),
        dated as (
            select * exclude (told_at),
                case when reason is null then coalesce(told_at, {known_at_sql(dataset, known_at)}) end as known_at
            from judged
        )
        select *, {quote(of.name)} as format, {of.source_rank} as source_rank, {withdraw} as is_withdrawn,
            hash({_list(dataset.key)}, known_at, {quote(of.name)}) as key_id
        from dated
    """


def mark(con: duckdb.DuckDBPyConnection, lake: Lake, dataset: Dataset, tables: Sequence[str]) -> None:
    """Mark rows of a dataset that are not kept, in `verdicts`, and count those that contradict another, in `conflicts`.

    Within a file the last row of a key (at one time of knowledge) stays. A row equal in every value to one of another
    file of the same format, or to one in the lake, is a duplicate. Which files came first changes no kept value.
    Needs the table `read_files` (file_no, file, named: the date in the file's name).
    """
    staged = _good_rows(tables)
    key = _list(dataset.key)
    values = _list(dataset.column_names)
    span = con.execute(f"select epoch_us(min(known_at)), epoch_us(max(known_at)) from ({staged})").fetchone()
    oldest, newest = span or (None, None)
    # Only rows of these times can be equal to a staged one; the bound lets the reader skip the rest of the lake.
    within = (
        f"known_at between make_timestamptz({oldest}) and make_timestamptz({newest})"
        if span != (None, None)
        else "false"
    )
    con.execute(f"""
        create or replace table held as
        select
            hash({key}, known_at, format) as key_id,
            hash({values}, known_at, format, coalesce(is_withdrawn, false)) as row_id,
        from ({lake.source_sql(dataset.name, None)})
        where {within} and key_id in (select key_id from ({staged}))
    """)
    con.execute(f"""
        create or replace table shared as
        select *, hash({values}, known_at, format, is_withdrawn) as row_id
        from ({staged})
        where key_id in (
            select key_id from ({staged}) group by key_id having count(*) > 1
            union
            select key_id from held
        )
    """)
    # Of equal copies the one whose file is named after its date counts as kept.
    day = day_column(dataset)
    misnamed = f'named is distinct from "{day}", ' if day else ""
    con.execute(f"""
        create or replace table marked as
        with places as (
            select *, row_number() over (partition by file_no, {key}, known_at order by row_no desc) as from_last
            from shared
        ),
        last_rows as (
            select *, row_number() over same_row as copy
            from places join read_files using (file_no)
            where from_last = 1
            window same_row as (partition by {key}, known_at, format, row_id order by {misnamed}file, file_no)
        )
        select file_no, row_no, key_id, row_id, {quote(REPEATED)} as verdict from places where from_last > 1
        union all
        select file_no, row_no, key_id, row_id,
            case
                when copy > 1 or (key_id, row_id) in (select (key_id, row_id) from held) then {quote(DUPLICATE)}
            end as verdict
        from last_rows
    """)
    con.execute("insert into verdicts select file_no, row_no, verdict from marked where verdict is not null")
    con.execute(f"""
        insert into conflicts
        with versions as (
            select key_id, row_id from held
            union
            select key_id, row_id from marked where verdict is distinct from {quote(REPEATED)}
        ),
        contested as (select key_id from versions group by key_id having count(*) > 1)
        select file_no, count(*) from marked
        where verdict is null and key_id in (select key_id from contested)
        group by file_no
    """)


def kept_sql(dataset: Dataset, tables: Sequence[str]) -> str:
    """A SELECT of the rows to keep: the dataset's columns, format, source_rank, known_at, file, is_withdrawn."""
    return (
        f"select {_list(dataset.column_names)}, format, source_rank, known_at, file, is_withdrawn "
        f"from ({_good_rows(tables)}) "
        "join read_files using (file_no) anti join verdicts using (file_no, row_no)"
    )


def quarantine_sql(con: duckdb.DuckDBPyConnection, tables: Sequence[tuple[str, str]]) -> str:
    """A SELECT of the rows refused, of (dataset, table) pairs: dataset, file_no, file, row_no, reason, row_text.

    `row_text` is the row as it is in the file. Lines are looked up only for tables that have a row to refuse.
    """
    parts = ["select '' as dataset, 0 as file_no, '' as file, 0 as row_no, '' as reason, '' as row_text where false"]
    for dataset, table in tables:
        refused = (
            f"select file_no, row_no, reason from {table} where reason is not null union all "
            f"select file_no, row_no, verdict from verdicts semi join {table}_lines_files using (file_no) "
            f"where verdict = {quote(REPEATED)}"
        )
        if con.execute(f"select count(*) from ({refused})").fetchone() != (0,):
            parts.append(
                f"select {quote(dataset)} as dataset, file_no, file, row_no, reason, line as row_text from ({refused}) "
                f"join {table}_lines using (file_no, row_no) join read_files using (file_no)"
            )
    return " union all ".join(parts)


def _good_rows(tables: Sequence[str]) -> str:
    return " union all by name ".join(f"select * from {table} where reason is null" for table in tables)


def _list(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _complete(column: Column, there: bool) -> str:
    """The column as mapped, or null; with the dataset's default for a null."""
    name = f'"{column.name}"'
    kind = "DOUBLE" if column.type in ("BIGINT", "INTEGER") else column.type
    value = name if there else f"cast(null as {kind})"
    if column.default is not None:
        value = f"coalesce({value}, {quote(str(column.default))})"
    return f"{value} as {name}"

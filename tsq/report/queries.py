"""Ask a published warehouse for a page's rows, and tidy them so that nothing a browser cannot read is left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tsq.engine.warehouse import Connection, DatabaseError
from tsq.errors import TsqError, did_you_mean
from tsq.report.blocks import Query, Reduce
from tsq.report.format import CLOCK

_HINT = "mend the query, or run the models it reads: tsq run --models all"


def ask(
    connection: Connection,
    query: Query,
    file: Path,
    reduce: Reduce | None = None,
    given: Mapping[str, object] | None = None,
) -> pl.DataFrame:
    """Run a page's query.

    Args:
        connection: the warehouse, opened read-only.
        query: one SELECT.
        file: the page's file, for errors.
        reduce: how to thin it; None keeps every row.
        given: values of the parameters (`$name`) a query may have; those it does not have are left out.

    Returns:
        Its rows, tidied (see `tidy`).

    Raises:
        TsqError: it is not one SELECT, or DuckDB refuses it (no such table or column); names file and line.
    """
    where = f"{file}:{query.line}"
    try:
        statements = connection.extract_statements(query.sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise TsqError(
                f"the query {query.name} is not one SELECT", where=where, hint="a page only reads: one SELECT a block"
            )
        names = statements[0].named_parameters
        unknown = sorted(names - set(given or {}))
        if unknown:
            hint = (
                did_you_mean(unknown[0], given) if given else "a page gives parameters when its front matter says each:"
            )
            raise TsqError(f"the query {query.name} asks for ${unknown[0]}", where=where, hint=hint)
        sql = query.sql if reduce is None else thinned(query.sql, reduce)
        values = {name: (given or {})[name] for name in names}
        return tidy(connection.sql(sql, params=values or None).pl())
    except DatabaseError as error:
        first, _, rest = str(error).strip().partition("\n")
        guess = rest.strip().partition("\n")[0]
        hint = guess if guess.lower().startswith(("did you mean", "candidate")) else _HINT
        raise TsqError(f"the query {query.name} failed: {first}", where=where, hint=hint) from None


def sources(query: Query) -> tuple[str, ...]:
    """Name the tables of the warehouse a query reads, in full and in order; empty when its SQL does not parse."""
    try:
        tree = sqlglot.parse_one(query.sql, read="duckdb")
    except SqlglotError:
        return ()
    return tuple(sorted({f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.db}))


def thinned(sql: str, reduce: Reduce) -> str:
    """Thin a long series in SQL, extremes kept: the M4 way.

    The values of `x` fall into equal buckets; of each bucket the first and the last value of `x` stay, and those where
    `y` is least and greatest, for every series of `by`. All series keep the same values of `x`, so that a chart can
    compare them on any day it shows.

    Source:
        Jugel, Jerzak, Hackenbroich & Markl (2014), M4: a visualization-oriented time series data aggregation,
        PVLDB 7(10).
    """
    x, y = _ident(reduce.x), _ident(reduce.y)
    by = _ident(reduce.by) if reduce.by else "true"
    return f"""\
with page_rows as (
{sql}
),
page_wanted as (
    select greatest(1, {reduce.points} // (2 + 2 * count(distinct {by}))) as n_buckets
    from page_rows
),
page_days as (
    select
        day,
        row_number() over (order by day) - 1 as day_no,
        count(*) over () as n_days,
    from (select distinct {x} as day from page_rows)
),
page_buckets as (
    select
        page_rows.*,
        n_days,
        day_no * (select n_buckets from page_wanted) // n_days as bucket,
    from page_rows
    inner join page_days on page_rows.{x} = page_days.day
),
page_kept as (
    select {x} as day
    from page_buckets
    qualify n_days <= {reduce.points}
        or {x} in (min({x}) over (partition by bucket), max({x}) over (partition by bucket))
        or row_number() over (partition by bucket, {by} order by {y} nulls last, {x}) = 1
        or row_number() over (partition by bucket, {by} order by {y} desc nulls last, {x}) = 1
)
select page_rows.*
from page_rows
where {x} in (select day from page_kept)
order by {x}{f", {by} nulls last" if reduce.by else ""}
"""


def tidy(frame: pl.DataFrame) -> pl.DataFrame:
    """Make a frame fit to be shown: decimals become doubles, NaN and infinities null, times Indian wall time.

    Dates, integers, text and booleans stay as they are.
    """
    columns = []
    for name, dtype in frame.schema.items():
        column = pl.col(name)
        if isinstance(dtype, pl.Decimal):
            column = column.cast(pl.Float64 if dtype.scale else pl.Int64, strict=False)
        elif isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
            column = column.dt.convert_time_zone(CLOCK.key)
        elif dtype in (pl.Float32, pl.Float64):
            column = column.cast(pl.Float64)
            column = pl.when(column.is_finite()).then(column)
        elif dtype in (pl.Int128, pl.UInt128):
            column = column.cast(pl.Float64)
        columns.append(column.alias(name))
    return frame.select(columns)


def _ident(name: str) -> str:
    quoted = name.replace('"', '""')
    return f'"{quoted}"'

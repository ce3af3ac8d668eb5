import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsq.errors import TsqError
from tsq.report.blocks import Query, Reduce
from tsq.report.queries import ask, sources, thinned, tidy

FILE = Path("pages/p.md")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create table trades as select 1 as n")
        yield connection


def test_a_query_is_asked_with_the_parameters_it_names(con: duckdb.DuckDBPyConnection) -> None:
    frame = ask(con, Query("q", "select $who as who", 3), FILE, given={"who": "base", "other": 1})
    assert frame["who"].to_list() == ["base"]


@pytest.mark.parametrize(
    ("sql", "what", "hint"),
    [
        ("select * from trade", "trade does not exist", "trades"),
        ("select m from trades", '"m" not found', "n"),
        ("select 1 frm x y", "syntax error", "tsq run"),
        ("select 1; select 2", "not one SELECT", "only reads"),
        ("drop table trades", "not one SELECT", "only reads"),
        ("attach 'x.db'", "not one SELECT", "only reads"),
        ("", "not one SELECT", "only reads"),
        ("select $portfolo", "asks for $portfolo", "portfolio"),
        ("select error('broken')", "broken", "tsq run"),
    ],
)
def test_a_query_that_fails_is_an_error_with_its_line(
    con: duckdb.DuckDBPyConnection, sql: str, what: str, hint: str
) -> None:
    with pytest.raises(TsqError) as caught:
        ask(con, Query("q", sql, 12), FILE, given={"portfolio": "base"})
    assert what in caught.value.what
    assert caught.value.where == f"{FILE}:12"
    assert hint in str(caught.value.hint)


def test_nothing_a_browser_cannot_read_is_left(con: duckdb.DuckDBPyConnection) -> None:
    frame = tidy(
        con.sql(
            "select 'nan'::double as a, '-inf'::float as b, 1.5::decimal(10, 2) as c, sum(2::bigint) as d, "
            "timestamptz '2023-12-29 20:00:00+00' as e, date '2024-01-01' as f, 0.1::float as g"
        ).pl()
    )
    row = frame.row(0, named=True)
    assert (row["a"], row["b"], row["c"], row["d"]) == (None, None, 1.5, 2)
    assert row["e"].strftime("%Y-%m-%d %H:%M") == "2023-12-30 01:30"
    assert row["f"] == dt.date(2024, 1, 1)
    assert frame.schema["d"] == pl.Int64
    assert frame.schema["g"] == pl.Float64


def test_the_tables_a_query_reads_are_named() -> None:
    query = Query("q", "with a as (select * from book.nav) select * from a join kpis.costs using (x) where y = $p", 1)
    assert sources(query) == ("book.nav", "kpis.costs")
    assert sources(Query("q", "select from where", 1)) == ()


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.floats(-100, 100), min_size=1, max_size=300),
    points=st.integers(4, 60),
    n_series=st.integers(1, 3),
)
def test_a_thinned_series_keeps_its_ends_and_extremes(values: list[float], points: int, n_series: int) -> None:
    with duckdb.connect() as con:
        rows = [
            (dt.date(2020, 1, 1) + dt.timedelta(days=i), f"s{s}", value * (s + 1))
            for i, value in enumerate(values)
            for s in range(n_series)
        ]
        con.register("made", pl.DataFrame(rows, schema=["day", "name", "v"], orient="row"))
        sql = thinned("select day, name, v from made -- a comment", Reduce("day", "v", "name", points))
        kept, again = con.sql(sql).pl(), con.sql(sql).pl()
    assert kept.equals(again)
    days = kept["day"].unique()
    assert days.len() <= max(points, 2 + 2 * n_series)
    if len(values) <= points:
        assert kept.height == len(rows)
    assert days.min() == rows[0][0]
    assert days.max() == rows[-1][0]
    for s in range(n_series):
        series = kept.filter(pl.col("name") == f"s{s}")
        assert series.height == days.len()
        assert series["v"].min() == min(value * (s + 1) for value in values)
        assert series["v"].max() == max(value * (s + 1) for value in values)


def test_one_series_needs_no_name(con: duckdb.DuckDBPyConnection) -> None:
    sql = "select date '2020-01-01' + n::integer as day, sin(n) as v from range(1000) as t(n)"
    frame = ask(con, Query("q", sql, 1), FILE, Reduce("day", "v", None, 100))
    assert 50 < frame.height <= 100

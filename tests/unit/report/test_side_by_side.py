"""Portfolios side by side: names of columns, order, and those that never decided anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tsq.report import side_by_side

JAN, FEB = dt.date(2024, 1, 31), dt.date(2024, 2, 29)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """OLD is renamed to NEW, and later another security takes the symbol of FIRM."""
    with duckdb.connect() as con:
        con.execute(
            """
            create schema kpis; create schema portfolio;
            create table kpis.compare as from (values ('a', 0.1e0), ('b', 0.2e0)) as t (portfolio, cagr_net);
            create table kpis.curves as from (values
                (date '2024-01-31', 'a', 'net', 1.0e0, 0.0e0), (date '2024-02-29', 'a', 'net', 1.1e0, 0.0e0),
                (date '2024-02-29', 'b', 'net', 1.0e0, 0.0e0)
            ) as t (date, portfolio, basis, nav, drawdown);
            create table portfolio.targets as from (values
                (date '2024-01-31', 'a', 1, 'OLD', 0.6e0), (date '2024-01-31', 'a', 2, 'FIRM', 0.4e0),
                (date '2024-02-29', 'a', 1, 'NEW', 0.7e0), (date '2024-02-29', 'a', 3, 'FIRM', 0.3e0),
                (date '2024-02-29', 'a', 2, 'FIRM', 0.0e0),
                (date '2024-02-29', 'b', 1, 'NEW', 1.0e0)
            ) as t (date, portfolio, security_id, ticker, weight);
            """
        )
        yield con


def test_a_security_keeps_its_column_and_a_shared_ticker_is_told_apart(con: duckdb.DuckDBPyConnection) -> None:
    wide = side_by_side.read(con, {"a": {}, "b": {}}).weights_wide
    assert wide.columns == ["date", "portfolio", "FIRM 2", "FIRM 3", "NEW"]
    assert wide.rows() == [(JAN, "a", 0.4, 0.0, 0.6), (FEB, "a", 0.0, 0.3, 0.7), (FEB, "b", 0.0, 0.0, 1.0)]


def test_what_is_given_up_is_in_no_long_table(con: duckdb.DuckDBPyConnection) -> None:
    long = side_by_side.read(con, {"a": {}, "b": {}}).weights_long
    assert long.columns == ["date", "portfolio", "security_id", "ticker", "weight"]
    assert sorted(long["weight"].to_list()) == [0.3, 0.4, 0.6, 0.7, 1.0]


def test_a_curve_is_empty_before_it_begins(con: duckdb.DuckDBPyConnection) -> None:
    assert side_by_side.read(con, {"a": {}, "b": {}}).navs_wide.rows() == [(JAN, 1.0, None), (FEB, 1.1, 1.0)]


def test_rows_come_as_asked_and_silence_is_a_row_too(con: duckdb.DuckDBPyConnection) -> None:
    figures = side_by_side.read(con, {"b": {"top_n": 5}, "idle": {"top_n": 9}, "a": {"top_n": 7}}).figures
    assert figures.columns == ["portfolio", "top_n", "cagr_net"]
    assert figures.rows() == [("b", 5, 0.2), ("idle", 9, None), ("a", 7, 0.1)]


def test_every_table_is_written_twice(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    files = side_by_side.write(side_by_side.read(con, {"a": {}, "b": {}}), tmp_path / "out")
    assert len(files) == 10
    assert sorted(tmp_path.glob("out/*")) == sorted(files)
    for file in files:
        read = pl.read_parquet(file) if file.suffix == ".parquet" else pl.read_csv(file)
        assert read.height >= 2


def test_portfolios_that_never_decided_leave_empty_tables(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    con.execute("truncate kpis.compare; truncate kpis.curves; truncate portfolio.targets")
    found = side_by_side.read(con, {"idle": {}})
    assert found.figures.rows() == [("idle", None)]
    assert found.navs_wide.height == found.weights_wide.height == 0
    assert len(side_by_side.write(found, tmp_path)) == 10

"""Order lists of the demo market: from the paper book, an account and a statement; what is refused says why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.e2e.conftest import Done

Tsq = Callable[..., Done]


def ask(project: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str((project / "warehouse/tsq.duckdb").resolve()), read_only=True) as con:
        return con.execute(sql).fetchall()


def lists(project: Path, portfolio: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The orders and the checks that were written."""
    out = project / "reports/out"
    return (
        pl.read_csv(out / f"orders_{portfolio}.csv", try_parse_dates=True),
        pl.read_csv(out / f"orders_{portfolio}_checked.csv"),
    )


def test_orders_of_the_paper_book_go_towards_its_targets(project: Path, tsq: Tsq) -> None:
    done = tsq(project, "export", "orders", "--portfolio", "defensive")
    assert done.code == 0, done.err
    orders, checked = lists(project, "defensive")
    ((last, decided),) = ask(
        project,
        "select (select max(date) from pit.sessions), max(date) from portfolio.targets where portfolio = 'defensive'",
    )
    assert f"decision of {decided}, prices of {last}" in done.err
    assert set(orders["date"]) == {dt.date(2024, 1, 1)}, "the first weekday after the newest session"
    wanted = dict(
        ask(
            project,
            f"select ticker, weight from portfolio.targets where portfolio = 'defensive' and date = '{decided}'",
        )
    )
    for symbol, before, after, goal, status, reason in checked.select(
        "symbol", "weight_before", "weight_after", "weight_wanted", "status", "reason"
    ).iter_rows():
        assert goal == pytest.approx(wanted.get(symbol, 0.0), abs=1e-12)
        assert abs(after - goal) <= abs(before - goal) + 1e-9
        assert (status == "sent") == (not reason)
    sent = orders.group_by("symbol").agg(pl.col("quantity").sum())
    both = checked.filter(pl.col("sent") > 0).join(sent, on="symbol", how="full")
    assert both["sent"].to_list() == both["quantity"].to_list()
    for price, low, high, tick in checked.select("limit", "band_low", "band_high", "tick").iter_rows():
        assert low <= price <= high
        assert abs(price / tick - round(price / tick)) < 1e-6


def test_orders_of_an_account_need_its_cash(project: Path, tsq: Tsq) -> None:
    done = tsq(project, "export", "orders", "--account", "DM0001")
    assert done.code == 2
    assert "--cash" in done.err
    assert tsq(project, "export", "orders", "--account", "DM0001", "--cash", "50000").code == 0
    _, checked = lists(project, "base")
    held = dict(
        ask(project, "select ticker, qty from book.real_positions where date = (select max(date) from pit.sessions)")
    )
    assert held
    for symbol, shares in checked.select("symbol", "held").iter_rows():
        assert shares == held.get(symbol, 0)
    unknown = tsq(project, "export", "orders", "--account", "DM0002", "--cash", "1")
    assert (unknown.code, "did you mean DM0001" in unknown.err) == (2, True)


def test_orders_start_from_a_statement(project: Path, tsq: Tsq, tmp_path: Path) -> None:
    statement = tmp_path / "holdings-AB1234-2023-12-29.csv"
    ((symbol,),) = ask(
        project,
        "select ticker from pit.prices where kind = 'equity' and date = '2023-12-29' order by turnover_inr desc limit 1",
    )
    statement.write_text(f"Instrument,Qty.,Avg. cost,LTP\n{symbol},100000,1,1\nNOSUCH,5,1,1\n", encoding="utf-8")
    loaded = set((project / "warehouse").glob("**/raw/**/*.*"))
    done = tsq(project, "export", "orders", "--holdings", str(statement), "--cash", "0", "--portfolio", "defensive")
    assert done.code == 0, done.err
    assert "nobody bears NOSUCH" in done.err
    assert "the statement is of" not in done.err
    orders, checked = lists(project, "defensive")
    ((held,),) = checked.filter(pl.col("symbol") == symbol).select("held").rows()
    assert held == 100000
    bought = orders.filter(pl.col("side") == "BUY")["value_inr"].sum()
    assert 0 < bought < orders.filter(pl.col("side") == "SELL")["value_inr"].sum(), "sales pay for purchases"
    assert set((project / "warehouse").glob("**/raw/**/*.*")) == loaded, "a statement for orders is not loaded"


def test_an_old_statement_says_so(project: Path, tsq: Tsq, tmp_path: Path) -> None:
    statement = tmp_path / "holdings-2023-06-30.csv"
    statement.write_text("Instrument,Qty.,Avg. cost,LTP\nNOSUCH,5,1,1\n", encoding="utf-8")
    done = tsq(
        project, "export", "orders", "--holdings", str(statement), "--cash", "1000000", "--portfolio", "defensive"
    )
    assert done.code == 0, done.err
    assert "the statement is of 2023-06-30" in done.err


def test_a_statement_with_a_wrong_row_is_refused_whole(project: Path, tsq: Tsq, tmp_path: Path) -> None:
    statement = tmp_path / "holdings-2023-12-29.csv"
    statement.write_text("Instrument,Qty.,Avg. cost,LTP\nDMA,10,1,1\nDMB,ten,1,1\n", encoding="utf-8")
    done = tsq(project, "export", "orders", "--holdings", str(statement), "--cash", "1")
    assert done.code != 0
    assert "qty is not a finite number" in done.err


def test_a_frozen_portfolio_sends_nothing(project: Path, tsq: Tsq) -> None:
    with (project / "config/restrictions.csv").open("a", encoding="utf-8") as file:
        file.write("portfolio,defensive,both,2023-12-01,,the audit is under way\n")
    done = tsq(project, "export", "orders", "--portfolio", "defensive")
    assert done.code == 0, done.err
    orders, checked = lists(project, "defensive")
    assert orders.is_empty()
    assert set(checked["status"]) == {"refused"}
    assert set(checked["reason"]) == {"frozen: the audit is under way"}


def test_a_name_somebody_barred_is_left_alone(project: Path, tsq: Tsq) -> None:
    assert tsq(project, "export", "orders", "--portfolio", "defensive").code == 0
    symbol = lists(project, "defensive")[0]["symbol"][0]
    with (project / "config/restrictions.csv").open("a", encoding="utf-8") as file:
        file.write(f"ticker,{symbol},both,2023-12-01,2024-01-31,results on Friday\n")
    assert tsq(project, "export", "orders", "--portfolio", "defensive").code == 0
    orders, checked = lists(project, "defensive")
    assert symbol not in orders["symbol"].to_list()
    assert checked.filter(pl.col("symbol") == symbol)["reason"].to_list() == ["barred: results on Friday"]


def test_a_wrong_portfolio_names_the_right_ones(project: Path, tsq: Tsq) -> None:
    done = tsq(project, "export", "orders", "--portfolio", "defensiv")
    assert "did you mean defensive" in done.err


@pytest.mark.slow
def test_the_paper_book_traded_what_the_evening_before_would_have_ordered(project: Path, tsq: Tsq) -> None:
    """Orders of the evening of a decision beside the fills of the next session, which only knew other prices."""
    assert tsq(project, "run", "--as-of", "2023-09-29 20:00", "--build", "evening", "--no-report").code == 0
    assert tsq(project, "export", "orders", "--portfolio", "defensive", "--build", "evening").code == 0
    orders, _ = lists(project, "defensive")
    fills = ask(
        project,
        "select ticker, upper(side), sum(qty) from book.trades where portfolio = 'defensive' and date = '2023-10-03' group by all",
    )
    assert len(fills) > 10
    ordered = {
        (symbol, side): shares for symbol, side, shares in orders.select("symbol", "side", "quantity").iter_rows()
    }
    near = [
        shares
        for symbol, side, shares in fills
        if abs(ordered.get((symbol, side), 0) - shares) <= max(0.1 * shares, 10)
    ]
    assert len(near) >= 0.9 * len(fills)
    assert orders["value_inr"].sum() > 0

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.engine import made_builds
from tsq.cli import money_text
from tsq.engine import warehouse
from tsq.report import money
from tsq.report.money import Money

DAY = dt.date(2024, 1, 31)


def figures(*rows: str) -> str:
    values = f'(values {", ".join(rows)}) t(portfolio, basis, "window", kpi, value, unit)'
    return f"select * replace (value::double as value) from {values}"


def targets(*rows: str) -> str:
    return f"select * from (values {', '.join(rows)}) t(date, portfolio, security_id, ticker, weight)"


def trades(*rows: str) -> str:
    return f"select * from (values {', '.join(rows)}) t(date, portfolio, security_id, ticker, side, qty, value_inr)"


def nav(*rows: str) -> str:
    return f"select * from (values {', '.join(rows)}) t(date, portfolio, basis, value_inr)"


def compared(tmp_path: Path, a: Mapping[str, str], b: Mapping[str, str], **others: float) -> Money:
    made_builds.write(tmp_path / "a.duckdb", a, "A")
    made_builds.write(tmp_path / "b.duckdb", b, "B")
    with warehouse.open_pair(tmp_path / "a.duckdb", tmp_path / "b.duckdb") as con:
        return money.compare(con, {**a, **b}, **others)  # type: ignore[arg-type]


def test_key_figures_that_moved(tmp_path: Path) -> None:
    a = figures(
        "('base', 'net', 'full', 'cagr', 0.1, 'ratio')",
        "('base', 'net', '2023', 'cagr', 0.5, 'ratio')",
        "('base', 'net', 'full', 'sharpe', 1.0, 'ratio')",
        "('base', 'net', 'full', 'beta', null, 'ratio')",
    )
    b = a.replace("0.1,", "0.125,").replace("1.0,", "1.000000000001,").replace("null,", "0.5,")
    found = compared(tmp_path, {"kpis.summary": a}, {"kpis.summary": b}, tolerance=1e-9).figures
    assert [(figure.window, figure.kpi, figure.a, figure.b) for figure in found] == [
        ("full", "beta", None, 0.5),
        ("full", "cagr", 0.1, 0.125),
    ]
    assert found[1].difference == pytest.approx(0.025)


def test_weights_are_compared_on_the_newest_common_date(tmp_path: Path) -> None:
    a = targets(
        "(date '2024-01-31', 'base', 1, 'AAA', 0.5::double)",
        "(date '2024-01-31', 'base', 2, 'BBB', 0.3)",
        "(date '2023-12-29', 'base', 3, 'CCC', 1.0)",
        "(date '2024-01-31', 'calm', 1, 'AAA', 1.0)",
    )
    b = targets(
        "(date '2024-01-31', 'base', 1, 'AAA', 0.4::double)",
        "(date '2024-01-31', 'base', 3, 'CCC', 0.35)",
        "(date '2024-02-29', 'base', 9, 'ZZZ', 1.0)",
        "(date '2024-02-29', 'calm', 1, 'AAA', 1.0)",
    )
    base, calm = compared(tmp_path, {"portfolio.targets": a}, {"portfolio.targets": b}).weights
    assert (base.date, base.newest_a, base.newest_b) == (DAY, DAY, dt.date(2024, 2, 29))
    assert base.turnover == pytest.approx((0.1 + 0.3 + 0.35) / 2)
    assert (base.entering, base.leaving) == (("CCC",), ("BBB",))
    assert (calm.date, calm.turnover, calm.entering) == (None, None, ())


def test_trades_differ_in_four_ways(tmp_path: Path) -> None:
    a = trades(
        "(date '2024-01-31', 'base', 1, 'AAA', 'buy', 10, 100.0::double)",
        "(date '2024-01-31', 'base', 2, 'BBB', 'buy', 10, 100.0)",
        "(date '2024-01-31', 'base', 3, 'CCC', 'buy', 10, 100.0)",
        "(date '2024-01-31', 'base', 4, 'DDD', 'buy', 4, 40.0)",
        "(date '2024-01-31', 'base', 4, 'DDD', 'buy', 6, 60.0)",
        "(date '2024-01-30', 'base', 5, 'EEE', 'sell', 7, 70.0)",
        "(date '2024-01-31', 'base', 5, 'EEE', 'sell', 8, 80.0)",
    )
    b = trades(
        "(date '2024-01-31', 'base', 1, 'AAA', 'sell', 10, 100.0::double)",
        "(date '2024-01-31', 'base', 2, 'BBB', 'buy', 12, 120.0)",
        "(date '2024-01-31', 'base', 3, 'CCC', 'buy', 10, 101.0)",
        "(date '2024-01-31', 'base', 4, 'DDD', 'buy', 10, 100.0)",
    )
    found = {way.way: way for way in compared(tmp_path, {"book.trades": a}, {"book.trades": b}, examples=2).trades}
    assert {way: (trades.count, trades.value_a_inr, trades.value_b_inr) for way, trades in found.items()} == {
        "only_a": (3, 250.0, 0.0),
        "only_b": (1, 0.0, 100.0),
        "other_qty": (1, 100.0, 120.0),
        "other_price": (1, 100.0, 101.0),
    }
    assert [(trade.date, trade.ticker, trade.qty_a, trade.qty_b) for trade in found["only_a"].newest] == [
        (DAY, "AAA", 10, None),
        (DAY, "EEE", 8, None),
    ]


def test_final_values_are_of_the_newest_common_date(tmp_path: Path) -> None:
    a = nav("(date '2024-01-30', 'base', 'net', 5e6)", "(date '2024-01-31', 'base', 'net', 1e7)")
    b = nav("(date '2024-01-31', 'base', 'net', 1.25e7)", "(date '2024-02-01', 'base', 'net', 2e7)")
    (final,) = compared(tmp_path, {"book.nav": a}, {"book.nav": b}).final
    assert (final.date, final.a_inr, final.b_inr, final.difference_inr) == (DAY, 1e7, 1.25e7, 2.5e6)


def test_what_a_build_does_not_have_is_said(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        {"book.nav": "select 1 as x", "book.trades": "select 1 as x", "other.t": "select 1 as x"},
        {"book.nav": "select date '2024-01-31' as date, 'base' as portfolio, 'net' as basis"},
    )
    assert found.missing == ("book.trades is not in B", "book.nav of A has no column date")
    assert "  not compared: book.trades is not in B" in list(money_text.lines(found))


def test_text_shows_what_moved_and_counts_the_rest(tmp_path: Path) -> None:
    a = {
        "kpis.summary": figures(
            "('base', 'net', 'full', 'cagr', 0.1, 'ratio')",
            "('base', 'net', 'full', 'sharpe', 1.0, 'ratio')",
            "('base', 'net', '2023', 'cagr', 0.5, 'ratio')",
        ),
        "book.nav": nav("(date '2024-01-31', 'base', 'net', 1e7)"),
        "portfolio.targets": targets("(date '2024-01-31', 'base', 1, 'AAA', 0.5::double)"),
        "book.trades": trades("(date '2024-01-31', 'base', 1, 'AAA', 'buy', 1000, 123456.0::double)"),
    }
    b = {
        "kpis.summary": a["kpis.summary"].replace("0.1,", "0.0875,").replace("1.0,", "1.001,").replace("0.5,", "0.25,"),
        "book.nav": nav("(date '2024-01-31', 'base', 'net', 9.5e6)"),
        "portfolio.targets": targets("(date '2024-01-31', 'base', 2, 'BBB', 0.5::double)"),
        "book.trades": trades("(date '2024-01-31', 'base', 1, 'AAA', 'buy', 900, 111110.4::double)"),
    }
    assert list(money_text.lines(compared(tmp_path, a, b))) == [
        "\nin money",
        "  key figures, whole period",
        "    portfolio  basis             A      B     B − A",
        "    base       net    CAGR  10.00%  8.75%  −1.25 pp",
        "    2 more key figures differ, by less or of other kinds and windows: --json",
        "  final value",
        "    portfolio  basis  on                    A            B        B − A",
        "    base       net    2024-01-31  ₹1.00 crore  ₹95.00 lakh  −₹5.00 lakh",
        "  target weights",
        "    base  2024-01-31  50.00% to trade  1 enter (BBB); 1 leave (AAA)",
        "  trades",
        "    portfolio                  count     value A     value B",
        "    base       other quantity      1  ₹1.23 lakh  ₹1.11 lakh",
        "  newest of them",
        "    2024-01-31  base  buy  AAA  1,000 → 900  ₹1.23 lakh",
    ]
    assert list(money_text.lines(Money())) == []

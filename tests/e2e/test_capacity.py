"""The cost curve of the demo market: worked out again session by session, and held against other capitals really carried."""

from __future__ import annotations

import math
from pathlib import Path

import duckdb
import pytest

from tests.e2e.conftest import call, copy_project

OWN, TENFOLD = 1e7, 1e8
PORTFOLIO = """
{name}:
  blend: core
  top_n: 10
  rebalance: ME
  name_cap: 0.10
  sector_cap: 0.30
  capital_inr: {capital:.0f}
  benchmark: DEMO 100
  execution: {execution}
"""
WHOLE = """
whole:
  price: open
  sessions: 1
  participation: 1.0
  impact_coefficient: 1.0
"""
CARRIED = {"own": (OWN, "whole"), "tenfold": (TENFOLD, "whole"), "limited": (TENFOLD, "open")}
Connection = duckdb.DuckDBPyConnection


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Connection:
    """The small demo market with one portfolio at two capitals; `whole` may trade all of a session's volume."""
    project = copy_project(tmp_path_factory.mktemp("capacity"))
    written = (PORTFOLIO.format(name=name, capital=capital, execution=how) for name, (capital, how) in CARRIED.items())
    (project / "config" / "portfolios.yml").write_text("".join(written), encoding="utf-8")
    with (project / "config" / "execution.yml").open("a", encoding="utf-8") as file:
        file.write(WHOLE)
    assert call(project, "ingest", "--demo", "small") == 0
    assert call(project, "run", "--no-report", "--models", "+kpis.capacity") == 0
    return open_build(project)


def open_build(project: Path) -> Connection:
    return duckdb.connect(str(project / "warehouse" / "tsq.duckdb"), read_only=True)


def value(con: Connection, query: str) -> float:
    return float(con.execute(query).fetchall()[0][0])


def test_the_curve_is_the_recursion_over_the_sessions(carried: Connection) -> None:
    """Carried forward from the costs of single fills and the values of the evenings, in plain Python."""
    happened = carried.execute(
        """
        select portfolio, date, dp_inr, brokerage_inr, gst_inr, exchange_inr + ipft_inr + sebi_inr, impact_inr
        from book.trades order by portfolio, date, seq
        """
    ).fetchall()
    evenings = carried.execute("select portfolio, date, value_inr from book.nav where basis = 'after_tax'").fetchall()
    worth = {(portfolio, date): amount for portfolio, date, amount in evenings}
    curve = carried.execute(
        "select portfolio, capital_inr, scale, scale_without_impact from kpis.cost_curve"
    ).fetchall()
    assert len(curve) >= 33
    for portfolio, capital, scale, scale_without_impact in curve:
        own = CARRIED[portfolio][0]
        sessions: dict[object, tuple[float, float]] = {}
        for of, date, depository, brokerage, gst, taxable, impact in happened:
            if of == portfolio:
                flat, moved = sessions.get(date, (0.0, 0.0))
                share = brokerage / (brokerage + taxable) if brokerage else 0.0
                sessions[date] = (flat + depository + brokerage + gst * share, moved + impact)
        full = free = capital / own
        for date, (flat, moved) in sessions.items():
            evening = worth[portfolio, date]
            full = max(full + (flat * (full - 1.0) + moved * (full - full**1.5)) / evening, 0.0)
            free = max(free + (flat * (free - 1.0) + moved * free) / evening, 0.0)
        assert scale == pytest.approx(full * own / capital, rel=1e-9, abs=1e-12)
        assert scale_without_impact == pytest.approx(free * own / capital, rel=1e-9)


def test_yearly_rates_are_those_of_the_scaled_ends(carried: Connection) -> None:
    for basis in ("net", "after_tax"):
        query = f"""
            select curve.{basis}_cagr, pow((1 + measures.total_return) * curve.scale, 365.25 / measures.days) - 1
            from kpis.cost_curve as curve
            inner join kpis.measures as measures on measures.portfolio = curve.portfolio
            where measures.basis = '{basis}' and measures."window" = 'full'
        """
        rows = carried.execute(query).fetchall()
        assert len(rows) >= 33
        assert all(told == pytest.approx(expected, rel=1e-12) for told, expected in rows)


def test_capacity_is_where_the_curve_has_lost_the_stated_amount(carried: Connection) -> None:
    for portfolio in CARRIED:
        points = carried.execute(
            f"select capital_inr, lost_ann from kpis.cost_curve where portfolio = '{portfolio}' order by 1"
        ).fetchall()
        assert [lost for _, lost in points] == sorted(lost for _, lost in points)
        capacity = value(carried, f"select capacity_inr from kpis.capacity where portfolio = '{portfolio}'")
        below = max((point for point in [(0.0, 0.0), *points] if point[0] <= capacity), key=lambda point: point[0])
        above = min((point for point in points if point[0] >= capacity), key=lambda point: point[0])
        assert below[1] <= 0.01 <= above[1]
        part = (math.sqrt(capacity) - math.sqrt(below[0])) / (math.sqrt(above[0]) - math.sqrt(below[0]))
        assert below[1] + part * (above[1] - below[1]) == pytest.approx(0.01, rel=1e-9)


def net_cagr(con: Connection, portfolio: str) -> float:
    return value(
        con, f"select cagr from kpis.measures where portfolio = '{portfolio}' and basis = 'net' and \"window\" = 'full'"
    )


def test_the_curve_against_the_portfolio_really_carried_at_ten_times_the_capital(carried: Connection) -> None:
    """What separates them is whole shares, and the cash that costs leave; a limit on volume separates them further."""
    told = value(
        carried, f"select net_cagr from kpis.cost_curve where portfolio = 'own' and capital_inr = {TENFOLD:.0f}"
    )
    own, tenfold, limited = (net_cagr(carried, name) for name in ("own", "tenfold", "limited"))
    lost = own - tenfold
    assert lost > 0.005, "the larger capital must have lost something for the comparison to say anything"
    assert told == pytest.approx(tenfold, abs=0.05 * lost)
    assert tenfold < limited < own

"""Key figures in SQL against empyrical, and against numbers worked by hand."""

import datetime as dt
from pathlib import Path

import duckdb
import empyrical
import numpy as np
import polars as pl
import pytest

from tsq.cli import workspace

ROOT = Path(__file__).parents[2]
RF_PCT = 6.0
RF = (1.0 + RF_PCT / 100.0) ** (1.0 / 252.0) - 1.0


@pytest.fixture(scope="module")
def sql():
    """Model → its rendered SQL."""
    graph = workspace.load_graph(ROOT, sets=[f"risk_free_pct_ann={RF_PCT}", "sessions_per_year=252"])
    return {name: node.sql for name, node in graph.nodes.items()}


def sessions(n, start=dt.date(2019, 12, 31)):
    days = [start]
    while len(days) < n:
        days.append(days[-1] + dt.timedelta(1 if days[-1].weekday() < 4 else 3))
    return days


def curve(name, basis, days, returns, benchmark=None):
    """Rows of kpis.curves for one basis; the first day is the inception."""
    nav = np.cumprod(np.concatenate([[1.0], 1.0 + np.nan_to_num(np.array(returns))]))
    return pl.DataFrame(
        {
            "portfolio": name,
            "basis": basis,
            "date": days,
            "session_no": np.arange(1, len(days) + 1, dtype=np.int32),
            "nav": nav,
            "ret": [None, *returns],
            "benchmark_ret": [None] * len(days) if benchmark is None else [None, *benchmark],
            "drawdown": nav / np.maximum.accumulate(nav) - 1.0,
        },
        schema_overrides={"benchmark_ret": pl.Float64, "ret": pl.Float64},
    ).with_columns(pl.col("ret", "benchmark_ret").fill_nan(None))


def measure(sql, *curves):
    """The tables kpis.windows, measures, drawdowns and monthly_returns over some curves."""
    con = duckdb.connect()
    con.execute("create schema kpis")
    con.register("rows", pl.concat(curves))
    con.execute("create table kpis.curves as select * from rows")
    for table in ("windows", "measures", "drawdowns", "monthly_returns"):
        con.execute(f"create table kpis.{table} as {sql[f'kpis.{table}']}")
    return con


def one(con, query):
    rows = con.sql(query).pl()
    assert len(rows) == 1
    return rows.to_dicts()[0]


@pytest.fixture(scope="module")
def random_walk(sql):
    rng = np.random.default_rng(7)
    days = sessions(1290)
    market = rng.normal(0.0005, 0.010, len(days) - 1)
    own = 0.6 * market + rng.normal(0.0004, 0.008, len(days) - 1)
    own[0] = -0.05  # a loss in the first session is a drawdown
    con = measure(sql, curve("p", "net", days, own, market), curve("p", "benchmark", days, market))
    return con, own, market


def test_the_whole_life_equals_empyrical(random_walk):
    con, own, market = random_walk
    got = one(con, """select * from kpis.measures where basis = 'net' and "window" = 'full'""")
    alpha, beta = empyrical.alpha_beta(own, market, risk_free=RF)
    expected = {
        "total_return": empyrical.cum_returns_final(own),
        "cagr_sessions": empyrical.annual_return(own),
        "volatility_ann": empyrical.annual_volatility(own),
        "sharpe": empyrical.sharpe_ratio(own, risk_free=RF),
        "sortino": empyrical.sortino_ratio(own, required_return=RF),
        "max_drawdown": empyrical.max_drawdown(own),
        "omega": empyrical.omega_ratio(own, risk_free=RF),
        "profit_factor": empyrical.omega_ratio(own),
        "beta": beta,
        "alpha_ann": alpha,
        "information_ratio": empyrical.excess_sharpe(own, market) * np.sqrt(252),
        "tracking_error_ann": empyrical.annual_volatility(own - market),
        "correlation": np.corrcoef(own, market)[0, 1],
        "hit_rate": (own > 0).mean(),
        "best_session": own.max(),
        "worst_session": own.min(),
    }
    assert {name: got[name] for name in expected} == pytest.approx(expected, rel=1e-9)
    assert got["sessions"] == len(own)
    assert got["max_drawdown"] <= -0.05


def test_cagr_is_by_calendar_time_and_calmar_stands_on_it(random_walk):
    con, own, _ = random_walk
    got = one(con, """select * from kpis.measures where basis = 'net' and "window" = 'full'""")
    growth = np.prod(1.0 + own)
    assert got["days"] == (got["last_date"] - got["base_date"]).days
    assert got["cagr"] == pytest.approx(growth ** (365.25 / got["days"]) - 1.0, rel=1e-12)
    assert got["calmar"] == pytest.approx(got["cagr"] / abs(got["max_drawdown"]), rel=1e-12)


def test_a_calendar_year_starts_from_the_last_close_of_the_year_before(random_walk):
    con, own, market = random_walk
    days = np.array(sessions(1290))[1:]
    in_2022 = np.array([day.year == 2022 for day in days])
    got = one(con, """select * from kpis.measures where basis = 'net' and "window" = '2022'""")
    assert got["sessions"] == in_2022.sum()
    assert got["total_return"] == pytest.approx(np.prod(1.0 + own[in_2022]) - 1.0, rel=1e-9)
    assert got["max_drawdown"] == pytest.approx(empyrical.max_drawdown(own[in_2022]), rel=1e-9)
    assert got["beta"] == pytest.approx(empyrical.beta(own[in_2022], market[in_2022]), rel=1e-9)


def test_windows_tell_the_past_they_have(random_walk):
    con, _, _ = random_walk
    found = con.sql("""select "window" from kpis.windows where basis = 'net' order by 1""").fetchall()
    assert [row[0] for row in found] == ["1y", "2020", "2021", "2022", "2023", "2024", "3y", "common", "full"]


def test_months_compound_to_the_whole(random_walk):
    con, own, _ = random_walk
    months = (
        con.sql("select ret from kpis.monthly_returns where basis = 'net' order by year, month").pl()["ret"].to_numpy()
    )
    assert np.prod(1.0 + months) == pytest.approx(np.prod(1.0 + own), rel=1e-9)
    first = con.execute("select min((year, month)) from kpis.monthly_returns").fetchone()[0]
    assert first == (2020, 1)  # the inception on the last day of 2019 is not a month


def test_drawdowns_by_hand(sql):
    #  nav     1.0  0.9   0.99 1.0        1.2  0.96   1.08
    returns = [-0.1, 0.1, 1.0 / 0.99 - 1.0, 0.2, -0.2, 0.125]
    days = sessions(7)
    con = measure(sql, curve("p", "net", days, returns))
    got = con.sql("select * from kpis.drawdowns order by depth").pl().to_dicts()
    assert [(row["peak_date"], row["trough_date"], row["recovered_date"]) for row in got] == [
        (days[4], days[5], None),
        (days[0], days[1], days[3]),
    ]
    assert [row["depth"] for row in got] == pytest.approx([-0.2, -0.1])
    assert [row["sessions"] for row in got] == [2, 2]
    assert [row["days"] for row in got] == [(days[6] - days[4]).days, (days[3] - days[0]).days]


def test_nothing_is_divided_by_zero(sql):
    """A curve that never moves, measured against a benchmark that never moves."""
    still = [0.0] * 300
    con = measure(sql, curve("p", "net", sessions(301), still, still))
    got = one(con, """select * from kpis.measures where "window" = 'full'""")
    undefined = ("sharpe", "calmar", "profit_factor", "beta", "alpha_ann", "correlation", "information_ratio")
    assert {name: got[name] for name in undefined} == dict.fromkeys(undefined)
    assert got["total_return"] == got["cagr"] == got["max_drawdown"] == got["hit_rate"] == 0.0


def test_less_than_a_year_is_not_annualised(sql):
    con = measure(sql, curve("p", "net", sessions(60), [0.01] * 59))
    got = one(con, """select * from kpis.measures where "window" = 'full'""")
    assert got["cagr"] is None
    assert got["cagr_sessions"] is None
    assert got["total_return"] == pytest.approx(1.01**59 - 1.0)


def test_a_hole_of_the_benchmark_is_left_out_of_both_sides(sql):
    rng = np.random.default_rng(1)
    own, market = rng.normal(0.0, 0.01, 299), rng.normal(0.0, 0.01, 299)
    market[[40, 41]] = np.nan
    con = measure(sql, curve("p", "net", sessions(300), own, market))
    got = one(con, """select * from kpis.measures where "window" = 'full'""")
    both = ~np.isnan(market)
    assert got["common_sessions"] == 297
    assert got["beta"] == pytest.approx(empyrical.beta(own[both], market[both]), rel=1e-9)
    assert got["tracking_error_ann"] == pytest.approx(empyrical.annual_volatility((own - market)[both]), rel=1e-9)


FOREVER = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)


def evening(day):
    """18:30 in India, when a level of the day is out."""
    return dt.datetime.combine(day, dt.time(13), dt.UTC)


@pytest.fixture
def benchmarks(sql):
    """kpis.benchmark over five sessions for a preference of indices and given levels."""
    days = sessions(5)

    def make(preference, levels):
        con = duckdb.connect()
        for schema in ("book", "pit", "universe", "config", "kpis"):
            con.execute(f"create schema {schema}")
        navs = pl.DataFrame({"portfolio": "p", "basis": "net", "date": days[1:], "session_no": [2, 3, 4, 5]})
        chosen = pl.DataFrame({"portfolio": ["p"], "benchmark": [preference]})
        known = pl.DataFrame(
            [
                (days[row], name, "price", level, filled, evening(days[row]), FOREVER)
                for name, row, level, filled in levels
            ],
            schema={
                "date": pl.Date,
                "benchmark": pl.String,
                "kind": pl.String,
                "level": pl.Float64,
                "is_filled": pl.Boolean,
                "known_from": pl.Datetime("us", "UTC"),
                "known_to": pl.Datetime("us", "UTC"),
            },
            orient="row",
        )
        members = pl.DataFrame(
            {"date": [days[1], days[3]] * 2, "security_id": [1, 1, 2, 2], "active": [True, True, True, False]}
        )
        returns = pl.DataFrame(
            {
                "date": days * 2,
                "security_id": [1] * 5 + [2] * 5,
                "ret": [0.5, 0.5, 0.1, 0.2, 0.3, 0.5, 0.5, 0.3, None, 0.9],
            }
        )
        for name, table in {
            "book.nav": navs,
            "config.portfolios": chosen,
            "pit.benchmarks": known,
            "universe.members": members,
            "pit.returns": returns,
            "pit.vintage_returns": returns.clear().with_columns(track=pl.lit(0)),
            "pit.vintages": pl.DataFrame(
                schema={"track": pl.Int64, "security_id": pl.Int64, "from_date": pl.Date, "to_date": pl.Date}
            ),
        }.items():
            con.register("table_", table)
            con.execute(f"create table {name} as select * from table_")
        return con.sql(f"select benchmark, nav, ret from ({sql['kpis.benchmark']}) order by session_no").pl().to_dicts()

    return make


def test_the_first_index_with_levels_is_the_benchmark(benchmarks):
    rows = benchmarks("NIFTY 100, Demo 100", [("DEMO 100", row, 100.0 + row, False) for row in range(5)])
    assert {row["benchmark"] for row in rows} == {"DEMO 100"}
    assert [row["nav"] for row in rows] == pytest.approx([1.0, 102 / 101, 103 / 101, 104 / 101])
    assert rows[0]["ret"] is None
    assert rows[1]["ret"] == pytest.approx(102 / 101 - 1.0)


@pytest.mark.parametrize("gap", [[], [("X", 2, 100.0, True)]], ids=["missing", "carried"])
def test_a_hole_of_an_index_is_never_filled_from_the_future(benchmarks, gap):
    rows = benchmarks(
        "X", [("X", 0, 90.0, False), ("X", 1, 100.0, False), *gap, ("X", 3, 110.0, False), ("X", 4, 121.0, False)]
    )
    assert [row["nav"] for row in rows] == pytest.approx([1.0, 1.0, 1.1, 1.21])
    assert [row["ret"] for row in rows[:3]] == [None, None, None]
    assert rows[3]["ret"] == pytest.approx(0.1)


def test_an_index_that_starts_later_takes_over_from_the_members(benchmarks):
    rows = benchmarks("X", [("X", 3, 50.0, False), ("X", 4, 55.0, False)])
    assert [row["benchmark"] for row in rows] == ["UNIVERSE", "UNIVERSE", "UNIVERSE", "X"]
    assert [row["nav"] for row in rows] == pytest.approx([1.0, 1.2, 1.44, 1.44 * 1.1])


def test_without_levels_the_benchmark_is_the_universe_in_equal_weights(benchmarks):
    rows = benchmarks("NIFTY 100", [])
    assert {row["benchmark"] for row in rows} == {"UNIVERSE"}
    # members of an evening count from the next session; a missing return is left out, a name that left is too
    assert [row["ret"] for row in rows] == [None, *map(pytest.approx, [0.2, 0.2, 0.3])]
    assert [row["nav"] for row in rows] == pytest.approx([1.0, 1.2, 1.44, 1.872])

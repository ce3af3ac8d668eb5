"""Cross-sections by hand: winsorising, sector neutrality, blending, coefficients and their errors."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Callable

import numpy as np
import pytest
from model_bench import Bench
from scipy import stats

DAY = dt.date(2020, 1, 31)


def put_panel(bench: Bench, values: list[float], sectors: list[str | None], sign: int = 1) -> None:
    bench.con.execute("create schema signals; create schema universe")
    bench.con.execute(
        "create table signals.panel (date date, security_id bigint, factor varchar, sleeve varchar, sign integer, value double, basis varchar, is_proxy boolean)"
    )
    bench.con.execute("create table universe.members (date date, security_id bigint, active boolean, sector varchar)")
    for i, (value, sector) in enumerate(zip(values, sectors, strict=True)):
        bench.con.execute(
            "insert into signals.panel values (?, ?, 'f', 's', ?, ?, 'prices', false)", [DAY, i, sign, value]
        )
        bench.con.execute("insert into universe.members values (?, ?, true, ?)", [DAY, i, sector])


def test_z_is_cut_neutral_by_sector_and_turned(bench: Bench) -> None:
    values = [1.0, 2.0, 3.0, 10.0, 20.0, 1000.0, 7.0]
    sectors = ["a", "a", "a", "b", "b", "b", None]
    put_panel(bench, values, sectors, sign=-1)
    bench.run("signals.zscores")
    low, high = np.quantile(values, [0.01, 0.99])
    cut = np.clip(values, low, high)
    groups = np.array([sector or "none" for sector in sectors])
    distance = np.array([value - cut[groups == group].mean() for value, group in zip(cut, groups, strict=True)])
    expected = -distance / distance.std(ddof=1)
    got = [row[0] for row in bench.rows("select z from signals.zscores order by security_id")]
    assert got == pytest.approx(expected)
    assert got[6] == 0  # alone in its group


@pytest.mark.parametrize(("percent", "broken"), [(0.0, []), (60.0, ["winsor_pct_leaves_a_middle"])])
def test_a_cut_of_more_than_half_on_each_side_is_refused(
    bench_of: Callable[..., Bench], percent: float, broken: list[str]
) -> None:
    bench = bench_of(winsor_pct=percent)
    put_panel(bench, [1.0, 2.0], ["a", "a"])
    bench.run("signals.zscores")
    assert bench.broken_rules("signals.zscores") == broken


def test_a_factor_without_spread_is_zero(bench: Bench) -> None:
    put_panel(bench, [5.0, 5.0, 5.0], ["a", "a", None])
    bench.run("signals.zscores")
    assert bench.rows("select distinct z from signals.zscores") == [(0.0,)]


def test_score_is_weighted_ties_are_broken_and_half_the_weight_is_needed(bench: Bench) -> None:
    bench.con.execute("create schema signals")
    bench.con.execute(
        "create table signals.zscores (date date, security_id bigint, factor varchar, sleeve varchar, z double)"
    )
    rows = [(1, "f", 1.0), (1, "g", 1.0), (2, "f", 1.0), (2, "g", 1.0), (3, "f", 3.0), (4, "g", 9.0)]
    for security_id, factor, z in rows:
        bench.con.execute("insert into signals.zscores values (?, ?, ?, 's', ?)", [DAY, security_id, factor, z])
    bench.con.execute("insert into config.blends values ('b', 'f', 3.0), ('b', 'g', 1.0)")
    bench.run("signals.score")
    got = bench.rows("select security_id, score, rank, weight_known from signals.score order by rank")
    assert got == [(3, 2.25, 1, 0.75), (1, 1.0, 2, 1.0), (2, 1.0, 3, 1.0)]


@pytest.mark.parametrize(("factor", "broken"), [("low_vol", []), ("low_volt", ["blends_name_factors_there_are"])])
def test_a_blend_of_a_factor_there_is_not_is_refused(bench: Bench, factor: str, broken: list[str]) -> None:
    bench.con.execute("create schema signals")
    bench.con.execute(
        "create table signals.zscores (date date, security_id bigint, factor varchar, sleeve varchar, z double)"
    )
    bench.con.execute("insert into config.blends values ('b', 'beta', 3.0), ('b', ?, 1.0)", [factor])
    bench.run("signals.score")
    assert bench.broken_rules("signals.score") == broken


def put_forward(
    bench: Bench, values: list[float], index_at: dict[int, list[float | None]], n_sessions: int = 80
) -> None:
    """Names with a factor on session 1 and index levels on later sessions (None: no print)."""
    days = [DAY + dt.timedelta(days=i) for i in range(n_sessions)]
    put_panel(bench, values, [None] * len(values))
    bench.con.execute("create schema pit")
    bench.con.execute("create table pit.sessions (date date, session_no integer)")
    bench.con.execute(
        "create table pit.returns (date date, session_no integer, security_id bigint, total_return_index double)"
    )
    # nothing was corrected
    bench.con.execute("create table pit.vintages (security_id bigint, track bigint, from_date date, to_date date)")
    bench.con.execute("create table pit.vintage_returns as select *, 0::bigint as track from pit.returns")
    bench.con.execute("create table universe.rebalances (date date, session_no integer, is_last boolean)")
    bench.con.execute("insert into universe.rebalances values (?, 1, false)", [DAY])
    for i, day in enumerate(days):
        bench.con.execute("insert into pit.sessions values (?, ?)", [day, i + 1])
    for session_no, levels in {1: [1.0] * len(values), **index_at}.items():
        for security_id, level in enumerate(levels):
            if level is not None:
                bench.con.execute(
                    "insert into pit.returns values (?, ?, ?, ?)",
                    [days[session_no - 1], session_no, security_id, level],
                )


def test_ic_is_spearman_with_ties_and_each_horizon_has_its_own_names(bench: Bench) -> None:
    values = [1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 7.0]
    one = [1.01, 1.00, 1.02, 1.02, 0.99, 1.05, 1.05]
    month: list[float | None] = [1.1, 1.0, None, 1.3, 0.9, 1.2, None]
    put_forward(bench, values, {2: list(one), 22: month})
    bench.run("alpha.ic")
    got = {row[0]: row[1:] for row in bench.rows("select horizon_days, ic, n, known_on from alpha.ic")}
    assert set(got) == {1, 21}
    assert got[1][:2] == (pytest.approx(stats.spearmanr(values, one).statistic), 7)
    alive = [i for i, level in enumerate(month) if level is not None]
    expected = stats.spearmanr([values[i] for i in alive], [month[i] for i in alive]).statistic
    assert got[21][:2] == (pytest.approx(expected), 5)
    assert got[21][2] == DAY + dt.timedelta(days=21)


def test_the_newest_session_has_no_coefficient_where_a_short_one_follows_it(bench: Bench) -> None:
    put_forward(bench, [1.0, 2.0, 3.0], {2: [1.0, 1.1, 1.2]})
    bench.con.execute("update universe.rebalances set is_last = true")
    bench.run("alpha.ic")
    assert bench.rows("select * from alpha.ic") == []


def test_ic_of_a_constant_is_null(bench: Bench) -> None:
    put_forward(bench, [1.0, 1.0, 1.0], {2: [1.0, 1.1, 1.2]})
    bench.run("alpha.ic")
    assert bench.rows("select ic, n from alpha.ic") == [(None, 3)]


def test_summary_error_is_newey_wests(bench: Bench) -> None:
    coefficients = [0.05, 0.08, -0.02, 0.01, 0.06, 0.04, -0.03, 0.07]
    bench.con.execute("create schema alpha; create schema universe")
    bench.con.execute(
        "create table alpha.ic (date date, factor varchar, sleeve varchar, horizon_days integer, ic double, n bigint, known_on date)"
    )
    bench.con.execute("create table universe.rebalances (date date, session_no integer)")
    for i, ic in enumerate(coefficients):
        day = DAY + dt.timedelta(days=30 * i)
        bench.con.execute("insert into universe.rebalances values (?, ?)", [day, 1 + 21 * i])
        for horizon in (21, 63):
            bench.con.execute(
                "insert into alpha.ic values (?, 'f', 's', ?, ?, 100, ?)",
                [day, horizon, ic, day + dt.timedelta(days=horizon)],
            )
    bench.run("alpha.ic_summary")
    got = {
        row[0]: row[1:]
        for row in bench.rows("select horizon_days, mean_ic, t_stat, lags, hit_rate, n_dates from alpha.ic_summary")
    }
    mean = statistics.fmean(coefficients)
    gap = np.array(coefficients) - mean
    for horizon, lags in ((21, 0), (63, 2)):
        squares = sum(
            (1 if k == 0 else 2 * (1 - k / (lags + 1))) * float(gap[k:] @ gap[: len(gap) - k]) for k in range(lags + 1)
        )
        error = np.sqrt(squares) / len(gap)
        assert got[horizon] == (pytest.approx(mean), pytest.approx(mean / error), lags, 0.75, 8)

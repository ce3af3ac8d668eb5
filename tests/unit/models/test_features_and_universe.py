"""Rolling statistics, decision dates and membership, on markets of a few names."""

from __future__ import annotations

import datetime as dt
import math
import statistics
from collections.abc import Callable

import pytest
from model_bench import Bench, price, weekdays

DAYS = weekdays("2015-01-01", 300)
ISIN = {name: f"INE{i:03d}A01010" for i, name in enumerate(("X", "Y", "GONE", "HOLED", "YOUNG", "FUND"))}
ISIN["FUND"] = "INF200A01010"
KNOBS = {"min_adv_inr": 1e7, "window_hole_sessions": 12}


def path(name: str) -> list[float]:
    """A price path that repeats for a name: no two names move alike."""
    phase = sum(map(ord, name))
    return [100 * math.exp(0.0004 * t + 0.03 * math.sin(t * (1 + phase % 7) / 3 + phase)) for t in range(len(DAYS))]


def put_market(
    bench: Bench, drop: Callable[[str, int], bool] = lambda name, t: False, short: int | None = None
) -> None:
    bench.put(
        "prices",
        [
            price(day, name, close, isin=ISIN[name], turnover_inr=1e6 if t == short else 2e7 + 1e5 * t)
            for name in ISIN
            for t, (day, close) in enumerate(zip(DAYS, path(name), strict=True))
            if not drop(name, t)
        ],
    )
    bench.con.execute("insert into config.portfolios by name select 'p' as portfolio, 'b' as blend, 'ME' as rebalance")


def test_daily_statistics_equal_the_ones_by_hand(bench: Bench) -> None:
    put_market(bench, short=280)
    bench.run("features.daily", "pit.securities")
    got = bench.rows(
        "select vol_252, downside_vol_252, momentum_12_1, reversal_1m, adv_inr, amihud_60, beta_252, has_history from features.daily "
        f"join pit.securities using (security_id) where ticker = 'X' and date = '{DAYS[-1]}'"
    )[0]
    closes = path("X")
    kept = [t for t in range(300) if t != 280]
    rets = {t: closes[t] / closes[t - 1] - 1 for t in range(1, 300)}
    year = [rets[t] for t in kept[-252:]]
    market = {}
    for t in range(1, 300):
        moves = [path(name)[t] / path(name)[t - 1] - 1 for name in ISIN if name != "FUND"]
        market[t] = statistics.fmean(moves)  # all trade the same value
    window = [market[t] for t in kept[-252:]]
    assert got[0] == pytest.approx(statistics.stdev(year))
    assert got[1] == pytest.approx(math.sqrt(statistics.fmean(min(r, 0) ** 2 for r in year)))
    assert got[2] == pytest.approx(closes[kept[-22]] / closes[kept[-253]] - 1)
    assert got[3] == pytest.approx(closes[-1] / closes[kept[-22]] - 1)
    assert got[4] == pytest.approx(statistics.median(2e7 + 1e5 * t for t in kept[-60:]))
    assert got[5] == pytest.approx(statistics.fmean(abs(rets[t]) / ((2e7 + 1e5 * t) / 1e7) for t in kept[-60:]))
    assert got[6] == pytest.approx(statistics.covariance(year, window) / statistics.variance(window), rel=1e-6)
    assert got[7] is True


def test_a_long_hole_empties_a_window_and_a_short_one_does_not(bench: Bench) -> None:
    put_market(bench, drop=lambda name, t: (name == "HOLED" and 200 <= t < 230) or (name == "X" and t == 210))
    bench.run("features.daily")
    query = "select ticker, vol_252 is null, momentum_12_1 is null from features.daily join pit.securities using (security_id) where date = ? and ticker in ('HOLED', 'X') order by 1"
    assert bench.con.execute(query, [DAYS[-1]]).fetchall() == [("HOLED", True, True), ("X", False, False)]


def test_history_and_silences_are_told_only_as_far_as_the_look_back(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of(min_history_sessions=20, window_hole_sessions=3)

    def drop(name: str, t: int) -> bool:
        return (
            (name == "X" and 10 <= t < 263) or (name == "Y" and 10 <= t < 261) or (name == "HOLED" and 270 <= t < 274)
        )

    put_market(bench, drop=drop)
    bench.run("features.daily", "universe.liquidity", "pit.securities")
    told = "select session_no, has_history, sessions_since_last from features.daily join pit.securities using (security_id) where ticker = ? order by 1"
    of = {name: bench.con.execute(told, [name]).fetchall() for name in ("X", "Y", "HOLED", "GONE")}
    assert of["GONE"][18:20] == [(19, False, 1), (20, True, 1)]
    # 253 sessions before it are not told, 252 are
    assert (of["X"][10], of["Y"][10]) == ((264, False, None), (262, False, 252))
    # twenty prints within 24 sessions, where 23 may be
    assert of["HOLED"][270] == (275, False, 5)
    assert of["HOLED"][270 + 19][1] is True
    # the end of a silence too long to be told does not make the name listed in it longer or shorter
    listed = "select max(sessions_since_print) from universe.liquidity where ticker = ?"
    assert bench.con.execute(listed, ["X"]).fetchone() == bench.con.execute(listed, ["Y"]).fetchone()
    assert bench.broken_rules("features.daily") == bench.broken_rules("universe.liquidity") == []


def test_knobs_beyond_a_look_back_are_refused(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of(min_history_sessions=280, delist_after_sessions=141)
    put_market(bench)
    bench.run("features.daily", "universe.liquidity")
    assert bench.broken_rules("features.daily") == ["look_back_is_as_long_as_the_windows"]
    assert bench.broken_rules("universe.liquidity") == ["look_back_is_as_long_as_a_silence"]


def test_members_say_why_not_and_the_dead_stay_until_they_die(bench: Bench) -> None:
    put_market(bench, drop=lambda name, t: (name == "GONE" and t > 275) or (name == "YOUNG" and t < 200))
    bench.run("universe.members")
    last = dict(bench.rows(f"select ticker, reason from universe.members where date = '{DAYS[-1]}'"))
    assert last == {"X": None, "Y": None, "HOLED": None, "GONE": "suspended", "YOUNG": "history", "FUND": "kind: etf"}
    before = dict(
        bench.rows(
            "select ticker, reason from universe.members where date = (select max(date) from pit.sessions where is_month_end and session_no <= 276)"
        )
    )
    assert before["GONE"] is None
    assert bench.broken_rules("universe.members") == []


def test_a_dead_name_leaves_after_the_knob(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of(delist_after_sessions=10)
    put_market(bench, drop=lambda name, t: name == "GONE" and t > 275)
    bench.run("universe.members")
    assert bench.rows(f"select count(*) from universe.members where ticker = 'GONE' and date = '{DAYS[-1]}'") == [(0,)]


@pytest.mark.parametrize(("time", "broken"), [("18:30", []), ("15:00", ["decision_time_is_between_18_30_and_20_00"])])
def test_a_decision_before_the_days_prices_is_refused(
    bench_of: Callable[..., Bench], time: str, broken: list[str]
) -> None:
    bench = bench_of(decision_time_ist=time)
    put_market(bench)
    bench.run("universe.rebalances")
    assert bench.broken_rules("universe.rebalances") == broken


def test_decision_dates_are_month_ends_and_the_newest_session(bench: Bench) -> None:
    put_market(bench)
    bench.run("universe.rebalances")
    rows = bench.rows("select date, is_month_end, is_last from universe.rebalances order by date")
    assert rows[-1] == (DAYS[-1], False, True)
    assert all(month_end for _, month_end, _ in rows[:-1])
    assert rows[0][0] == dt.date(2015, 1, 30)

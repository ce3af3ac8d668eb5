"""A name that dies is in every universe until it does, ends in a stated return, and has no price after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from model_bench import Bench, price, weekdays

DAYS = weekdays("2015-01-01", 150)
LAST = 100
SILENCE = 20


@pytest.fixture
def market(bench_of: Callable[..., Bench]) -> Iterator[Bench]:
    """Six names; N5 trades last in session 101, and N4 is away for 30 sessions."""
    bench = bench_of(delist_after_sessions=SILENCE, min_history_sessions=20, min_adv_inr=1e6, ic_horizons=[1, 5, 21])
    rows = []
    for i in range(6):
        for t, day in enumerate(DAYS):
            if (i == 5 and t > LAST) or (i == 4 and 60 <= t < 90):
                continue
            rows.append(price(day, f"N{i}", 100.0 + i + t * (i + 1) / 10, isin=f"INE{i:03d}A01011"))
    bench.put("prices", rows)
    bench.con.execute("insert into config.portfolios by name select 'w' as portfolio, 'b' as blend, 'WE' as rebalance")
    yield bench
    bench.con.close()


def test_the_universe_as_of_a_date_holds_names_that_died_later(market: Bench) -> None:
    market.run("universe.members", "pit.delistings")
    ((dead, closed_on),) = market.rows("select security_id, closed_on from pit.delistings where ticker = 'N5'")
    before = f"select count(*), count(*) filter (where security_id = {dead}) from universe.members where date = "
    alive = market.rows(before + f"(select max(date) from universe.members where date <= date '{DAYS[LAST]}')")
    assert alive == [(6, 1)]
    assert closed_on == DAYS[LAST + SILENCE]
    after = f"select count(*) from universe.members where security_id = {dead} and date > date '{closed_on}'"
    assert market.rows(after) == [(0,)]
    silent = f"select distinct reason from universe.members where security_id = {dead} and date > date '{DAYS[LAST]}'"
    assert market.rows(silent) == [("suspended",)]


def test_a_death_ends_in_the_return_of_the_knobs_and_a_return_closes_it(market: Bench) -> None:
    market.run("pit.delistings")
    assert market.rows(
        "select ticker, last_date, closed_on, returned_on, round(terminal_price / last_close - 1, 12), terminal_ret from pit.delistings order by last_date"
    ) == [
        ("N4", DAYS[59], DAYS[59 + SILENCE], DAYS[90], -0.3, -0.3),
        ("N5", DAYS[LAST], DAYS[LAST + SILENCE], DAYS[LAST].replace(year=9999, month=12, day=31), -0.3, -0.3),
    ]


def test_no_price_stands_in_after_a_death(market: Bench) -> None:
    market.run("alpha.ic")
    assert market.rows(f"select count(*) from pit.returns where ticker = 'N5' and date > date '{DAYS[LAST]}'") == [(0,)]
    # the hole of N4 is no return of one session, and its prices go on from where they are
    assert market.rows(f"select ret from pit.returns where ticker = 'N4' and date = date '{DAYS[90]}'") == [(None,)]
    # a horizon that ends after the death counts one name less than one that ends before it
    samples = market.rows(f"""
        select distinct horizon_days, n from alpha.ic
        where date = (select max(date) from universe.rebalances where date <= date '{DAYS[LAST]}' and not is_last) and factor = 'reversal_1m'
        order by horizon_days
    """)
    by_horizon = dict(samples)
    assert by_horizon[21] == by_horizon[1] - 1

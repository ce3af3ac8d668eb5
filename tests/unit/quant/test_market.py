import datetime as dt
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tsq.errors import TsqError
from tsq.quant.market import market, traded_at

DAYS = [dt.date(2024, 1, day) for day in (1, 2, 3)]


def quote(day, name, price, mark, *, stale=0, factor=1.0, cash=0.0, action=None):
    return {
        "date": DAYS[day],
        "security_id": name,
        "open": price,
        "close": None if price is None else price + 1.0,
        "mark": mark,
        "sessions_stale": stale,
        "share_factor": factor,
        "cash_per_share": cash,
        "action": action,
        "high": None if price is None else price + 2.0,
        "low": None if price is None else price - 1.0,
        "volume": None if price is None else 100,
        "turnover_inr": None if price is None else 100.0 * (price + 0.25),
        "adv_inr": 5e6,
        "sigma": 0.02,
        "bonus_factor": factor,
        "kept": None,
        "taken_per_share": cash / 2,
    }


QUOTES = pl.DataFrame(
    [
        quote(2, 7, 5.0, 6.0, factor=2.0, action="bonus"),
        quote(0, 7, 10.0, 11.0),
        quote(1, 7, None, 11.0, stale=1),
        quote(1, 3, 40.0, 41.0),
        quote(2, 3, None, 41.0, stale=1, cash=2.0, action="dividend"),
    ],
    schema_overrides={"action": pl.String},
)
SESSIONS = pl.DataFrame({"date": DAYS})


def test_rows_in_any_order_become_sessions_by_names():
    made = market(QUOTES, SESSIONS, delist_after_sessions=9)
    assert made.names.tolist() == [3, 7]
    assert made.dates.astype(str).tolist() == ["2024-01-01", "2024-01-02", "2024-01-03"]
    np.testing.assert_array_equal(made.price, [[np.nan, 10.0], [40.0, np.nan], [np.nan, 5.0]])


def test_the_last_close_comes_in_rescaled_on_an_ex_date():
    made = market(QUOTES, SESSIONS, delist_after_sessions=9)
    np.testing.assert_array_equal(made.before, [[np.nan, np.nan], [np.nan, 11.0], [41.0, 5.5]])


def test_what_rights_or_a_demerger_take_is_no_part_of_the_close_that_comes_in():
    spun = QUOTES.with_columns(kept=pl.when(pl.col("share_factor") != 1.0).then(0.8))
    assert market(spun, SESSIONS, delist_after_sessions=9).before[2, 1] == pytest.approx(0.8 * 5.5)


def test_trading_at_the_close():
    made = market(QUOTES, SESSIONS, delist_after_sessions=9, price="close")
    np.testing.assert_array_equal(made.price, [[np.nan, 11.0], [41.0, np.nan], [np.nan, 6.0]])


def test_a_price_of_zero_does_not_trade():
    zero = QUOTES.with_columns(open=pl.lit(0.0))
    assert np.isnan(market(zero, SESSIONS, delist_after_sessions=9).price).all()


def test_actions_and_deaths_by_session_in_order_of_the_names():
    made = market(QUOTES, SESSIONS, delist_after_sessions=1)
    assert list(made.actions) == [2]
    assert made.actions[2].names.tolist() == [0, 1]
    assert made.actions[2].factor.tolist() == [1.0, 2.0]
    assert made.actions[2].cash.tolist() == [2.0, 0.0]
    assert made.actions[2].label.tolist() == ["dividend", "bonus"]
    assert made.actions[2].bonus.tolist() == [1.0, 2.0]
    assert made.actions[2].kept.tolist() == [1.0, 1.0]
    assert made.actions[2].taken.tolist() == [1.0, 0.0]
    assert {day: names.tolist() for day, names in made.deaths.items()} == {1: [1], 2: [0]}


def test_a_market_without_quotes():
    made = market(QUOTES[:0], SESSIONS, delist_after_sessions=9)
    assert made.price.shape == (3, 0)
    assert not made.actions
    assert not made.deaths


def test_a_date_without_a_session():
    made = market(QUOTES, SESSIONS, delist_after_sessions=9)
    assert made.day(DAYS[1]) == 1
    for date in (dt.date(2023, 12, 31), dt.date(2024, 1, 4)):
        with pytest.raises(TsqError, match="no session"):
            made.day(date)


def test_an_unknown_price_to_trade_at():
    with pytest.raises(TsqError, match="twap") as error:
        market(QUOTES, SESSIONS, delist_after_sessions=9, price="twap")
    assert error.value.where == "config/execution.yml"


def test_prices_made_of_a_session_stay_inside_its_range():
    made = market(QUOTES, SESSIONS, delist_after_sessions=9)
    # open 40, high 42, low 39, close 41
    assert traded_at(made, "mean").price[1].tolist()[0] == 40.5
    assert traded_at(made, "vwap").price[1].tolist()[0] == 40.25
    assert np.isnan(traded_at(made, "vwap").price[1, 1])
    far = replace(made, turnover=made.turnover * 2.0)
    assert traded_at(far, "vwap").price[1, 0] == 42.0
    unknown = replace(made, turnover=made.turnover * np.nan)
    assert traded_at(unknown, "vwap").price[1, 0] == 40.5


def test_what_a_session_tells_beside_prices():
    made = market(QUOTES, SESSIONS, delist_after_sessions=9)
    assert made.volume.tolist() == [[0.0, 100.0], [100.0, 0.0], [0.0, 100.0]]
    assert made.adv[1, 0] == 5e6
    assert made.sigma[1, 0] == 0.02
    np.testing.assert_array_equal(made.mark, [[np.nan, 11.0], [41.0, 11.0], [41.0, 6.0]])


def test_names_that_would_be_dead_at_once():
    with pytest.raises(TsqError, match="dead at once"):
        market(QUOTES, SESSIONS, delist_after_sessions=0)

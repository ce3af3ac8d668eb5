import datetime as dt

import numpy as np
import polars as pl
import pytest

from tsq.errors import TsqError
from tsq.quant.market import market

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
    made = market(QUOTES, SESSIONS, trade_at="open", delist_after_sessions=9)
    assert made.names.tolist() == [3, 7]
    assert made.dates.astype(str).tolist() == ["2024-01-01", "2024-01-02", "2024-01-03"]
    np.testing.assert_array_equal(made.price, [[np.nan, 10.0], [40.0, np.nan], [np.nan, 5.0]])


def test_the_last_close_comes_in_rescaled_on_an_ex_date():
    made = market(QUOTES, SESSIONS, trade_at="open", delist_after_sessions=9)
    np.testing.assert_array_equal(made.before, [[np.nan, np.nan], [np.nan, 11.0], [41.0, 5.5]])


def test_trading_at_the_close():
    made = market(QUOTES, SESSIONS, trade_at="close", delist_after_sessions=9)
    np.testing.assert_array_equal(made.price, [[np.nan, 11.0], [41.0, np.nan], [np.nan, 6.0]])


def test_a_price_of_zero_does_not_trade():
    zero = QUOTES.with_columns(open=pl.lit(0.0))
    assert np.isnan(market(zero, SESSIONS, trade_at="open", delist_after_sessions=9).price).all()


def test_actions_and_deaths_by_session_in_order_of_the_names():
    made = market(QUOTES, SESSIONS, trade_at="open", delist_after_sessions=1)
    assert list(made.actions) == [2]
    assert made.actions[2].names.tolist() == [0, 1]
    assert made.actions[2].factor.tolist() == [1.0, 2.0]
    assert made.actions[2].cash.tolist() == [2.0, 0.0]
    assert made.actions[2].label.tolist() == ["dividend", "bonus"]
    assert {day: names.tolist() for day, names in made.deaths.items()} == {1: [1], 2: [0]}


def test_a_market_without_quotes():
    made = market(QUOTES[:0], SESSIONS, trade_at="open", delist_after_sessions=9)
    assert made.price.shape == (3, 0)
    assert not made.actions
    assert not made.deaths


def test_a_date_without_a_session():
    made = market(QUOTES, SESSIONS, trade_at="open", delist_after_sessions=9)
    assert made.day(DAYS[1]) == 1
    for date in (dt.date(2023, 12, 31), dt.date(2024, 1, 4)):
        with pytest.raises(TsqError, match="no session"):
            made.day(date)


def test_an_unknown_price_to_trade_at():
    with pytest.raises(TsqError, match="vwap") as error:
        market(QUOTES, SESSIONS, trade_at="vwap", delist_after_sessions=9)
    assert error.value.where == "config/run.yml"


def test_names_that_would_be_dead_at_once():
    with pytest.raises(TsqError, match="dead at once"):
        market(QUOTES, SESSIONS, trade_at="open", delist_after_sessions=0)

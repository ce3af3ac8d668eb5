"""How a portfolio trades, put together from tables of settings."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from fold_bench import market_of

from tsq.errors import TsqError
from tsq.quant.execution import Settings, profile

DAYS = [dt.date(2024, 1, day) for day in (1, 2, 3)]
EXECUTION = pl.DataFrame(
    {
        "execution": ["open", "slow"],
        "price": ["open", "vwap"],
        "sessions": [1, 5],
        "participation": [0.10, 0.05],
        "impact_coefficient": [1.0, 0.5],
        "slippage_bps": [None, 4.0],
    }
)
CAPACITY = pl.DataFrame({"tier": ["uncapped", "fund"], "max_participation": [None, 0.05]})
NONE = pl.DataFrame(
    schema={
        "portfolio": pl.String,
        "ticker": pl.String,
        "limit": pl.String,
        "from_date": pl.Date,
        "expires_on": pl.Date,
        "allowed": pl.Float64,
    }
)
MARKET = market_of([[10.0, 20.0]] * 3)
QUOTES = pl.DataFrame({"date": DAYS * 2, "security_id": [100] * 3 + [101] * 3, "ticker": ["ABC"] * 3 + ["XYZ"] * 3})


def made(exceptions=NONE, **portfolio):
    row = {"portfolio": "base", "execution": "open", "tier": "uncapped"} | portfolio
    return profile(row, Settings(EXECUTION, CAPACITY, exceptions, 10.0), MARKET, QUOTES)


def exception(ticker, allowed, first=0, last=2, *, limit="max_participation", portfolio="base"):
    return pl.DataFrame(
        [(portfolio, ticker, limit, DAYS[first], DAYS[last], allowed)], schema=NONE.schema, orient="row"
    )


def test_the_execution_and_the_tier_a_portfolio_names():
    plain = made()
    assert (plain.price, plain.slippage) == ("open", 0.001)
    assert (plain.execution.sessions, plain.execution.participation, plain.execution.impact) == (1, 0.10, 1.0)
    assert plain.execution.adv_participation == np.inf
    slow = made(execution="slow", tier="fund")
    assert (slow.price, slow.slippage) == ("vwap", 4e-4)  # its own floor, not the knob's
    assert (slow.execution.sessions, slow.execution.adv_participation) == (5, 0.05)


def test_an_exception_takes_the_limits_place_while_it_holds():
    limit = made(exception("XYZ", 0.2, 1, 2), tier="fund").execution.adv_participation
    np.testing.assert_array_equal(limit, [[0.05, 0.05], [0.05, 0.2], [0.05, 0.2]])


def test_an_exception_without_a_limit_lifts_it():
    limit = made(exception("ABC", None, 0, 0), tier="fund").execution.adv_participation
    np.testing.assert_array_equal(limit, [[np.inf, 0.05], [0.05, 0.05], [0.05, 0.05]])


def test_one_of_a_name_comes_before_one_of_all():
    both = pl.concat([exception("ABC", 0.3), exception("*", 0.1)])
    for rows in (both, both.reverse()):
        limit = made(rows, tier="fund").execution.adv_participation
        np.testing.assert_array_equal(limit, [[0.3, 0.1]] * 3)


def test_exceptions_of_others_and_from_other_limits_change_nothing():
    others = pl.concat([exception("ABC", 0.3, portfolio="other"), exception("ABC", 9.0, limit="max_exit_days")])
    assert made(others, tier="fund").execution.adv_participation == 0.05


@pytest.mark.parametrize(("column", "name"), [("execution", "opne"), ("tier", "fnud")])
def test_a_name_that_nothing_describes(column, name):
    with pytest.raises(TsqError, match=name) as error:
        made(**{column: name})
    assert error.value.where == "config/portfolios.yml"

"""Ticks, bands and limits: the exchange's own ladders, and prices that are always a multiple inside the band."""

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsq.quant.order_prices import Tick, band_of, ceil_to, floor_to, limit_of, tick_of

OLD, NEW, NOW = dt.date(1996, 1, 1), dt.date(2024, 6, 10), dt.date(2025, 4, 15)
TICKS = (
    Tick(OLD, "all", 0, math.inf, 0.05),
    Tick(NEW, "equity", 0, 250, 0.01),
    Tick(NEW, "equity", 250, math.inf, 0.05),
    *(
        Tick(NOW, "equity", low, high, inr)
        for low, high, inr in (
            (0, 250, 0.01),
            (250, 1000, 0.05),
            (1000, 5000, 0.1),
            (5000, 10000, 0.5),
            (10000, 20000, 1.0),
            (20000, math.inf, 5.0),
        )
    ),
)


@pytest.mark.parametrize(
    ("day", "price", "kind", "tick"),
    [
        (dt.date(2020, 1, 1), 100.0, "equity", 0.05),
        (dt.date(2024, 6, 7), 100.0, "equity", 0.05),
        (dt.date(2024, 6, 10), 249.99, "equity", 0.01),
        (dt.date(2024, 6, 10), 250.0, "equity", 0.05),
        (dt.date(2024, 6, 10), 100.0, "etf", 0.05),
        (dt.date(2025, 4, 15), 999.95, "equity", 0.05),
        (dt.date(2025, 4, 15), 1000.0, "equity", 0.1),
        (dt.date(2025, 4, 15), 5000.0, "equity", 0.5),
        (dt.date(2025, 4, 15), 10000.0, "equity", 1.0),
        (dt.date(2025, 4, 15), 90000.0, "equity", 5.0),
    ],
)
def test_ticks_are_those_of_the_circulars(day: dt.date, price: float, kind: str, tick: float) -> None:
    assert tick_of(TICKS, kind, price, day) == tick


def test_a_day_before_every_ladder_has_no_tick() -> None:
    with pytest.raises(LookupError, match="no tick for 100 on 1995-01-01"):
        tick_of(TICKS, "equity", 100.0, dt.date(1995, 1, 1))


def test_a_band_is_rounded_inwards() -> None:
    band = band_of(101.03, 5, 0.05)
    assert (band.low, band.high) == (96.0, 106.05)


def test_a_limit_is_against_you_and_inside_the_band() -> None:
    band = band_of(100.0, 20, 0.05)
    assert limit_of("buy", 100.0, 50, 0.05, band) == 100.5
    assert limit_of("sell", 100.0, 50, 0.05, band) == 99.5
    narrow = band_of(100.0, 0.2, 0.05)
    assert limit_of("buy", 100.0, 50, 0.05, narrow) == 100.2
    assert limit_of("sell", 100.0, 50, 0.05, narrow) == 99.8


@given(
    close=st.floats(1.0, 50000.0),
    bps=st.floats(0.0, 2000.0),
    pct=st.floats(2.0, 20.0),
    tick=st.sampled_from([0.01, 0.05, 0.1, 0.5, 1.0, 5.0]),
    side=st.sampled_from(["buy", "sell"]),
)
def test_every_limit_is_a_multiple_of_the_tick(close: float, bps: float, pct: float, tick: float, side: str) -> None:
    band = band_of(close, pct, tick)
    price = limit_of(side, close, bps, tick, band)
    assert abs(price / tick - round(price / tick)) < 1e-4
    if band.low <= band.high:
        assert band.low <= price <= band.high


def test_multiples_stay_where_they_are() -> None:
    assert floor_to(1500.05, 0.05) == ceil_to(1500.05, 0.05) == 1500.05
    assert floor_to(0.3, 0.1) == ceil_to(0.3, 0.1) == 0.3

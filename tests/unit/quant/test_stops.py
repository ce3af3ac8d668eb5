"""Stops, worked by hand and held to what must be true of any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsq.errors import TsqError
from tsq.quant.stops import chandelier, highest_high, ratchet, stop_fill, true_range, wilder_atr

NAN = np.nan
HIGH = np.array([10.5, 11.0, 11.2, 10.8, 11.5, 12.0, 11.8, 12.5, 12.2, 11.0])[:, None]
LOW = np.array([10.0, 10.4, 10.6, 10.1, 10.9, 11.4, 11.2, 11.9, 11.5, 10.0])[:, None]
CLOSE = np.array([10.2, 10.9, 10.7, 10.5, 11.4, 11.6, 11.7, 12.3, 11.6, 10.2])[:, None]


def test_true_range_looks_back_to_the_close_before():
    # 0.5 is high − low; 0.8 is 11.0 − 10.2; 1.6 is the fall from 11.6 to 10.0
    expected = [0.5, 0.8, 0.6, 0.7, 1.0, 0.6, 0.6, 0.8, 0.8, 1.6]
    np.testing.assert_allclose(true_range(HIGH, LOW, CLOSE)[:, 0], expected, rtol=1e-12)


def test_atr_with_the_seed_of_talib():
    expected = [NAN, NAN, NAN, 0.7, 0.8, 0.733333, 0.688889, 0.725926, 0.750617, 1.033745]
    np.testing.assert_allclose(wilder_atr(HIGH, LOW, CLOSE, 3, seed="talib")[:, 0], expected, atol=5e-7)


def test_atr_with_wilders_seed():
    # (0.5 + 0.8 + 0.6) / 3 = 19/30, then (2 × 19/30 + 0.7) / 3 = 59/90, (2 × 59/90 + 1.0) / 3 = 208/270
    got = wilder_atr(HIGH, LOW, CLOSE, 3)[:, 0]
    np.testing.assert_allclose(got[:5], [NAN, NAN, 19 / 30, 59 / 90, 208 / 270], rtol=1e-12)


def test_too_few_bars_have_no_atr_and_no_highest_high():
    assert np.isnan(wilder_atr(HIGH[:2], LOW[:2], CLOSE[:2], 3)).all()
    assert np.isnan(highest_high(HIGH[:2], 3)).all()


@pytest.mark.parametrize(("sessions", "seed"), [(0, "wilder"), (3, "wilders")])
def test_an_atr_of_nothing_or_of_an_unknown_seed_is_refused(sessions, seed):
    with pytest.raises(TsqError):
        wilder_atr(HIGH, LOW, CLOSE, sessions, seed=seed)


def test_highest_high_is_of_whole_windows():
    np.testing.assert_array_equal(highest_high(HIGH, 3)[:, 0], [NAN, NAN, 11.2, 11.2, 11.5, 12, 12, 12.5, 12.5, 12.5])


@pytest.mark.parametrize("seed", ["wilder", "talib"])
@pytest.mark.parametrize("ex", [1, 4, 9])
def test_a_split_changes_units_and_nothing_else(seed, ex):
    factor = np.ones_like(HIGH)
    factor[ex] = 0.2
    units = np.cumprod(factor, axis=0)
    split = (HIGH * units, LOW * units, CLOSE * units)
    whole = wilder_atr(HIGH, LOW, CLOSE, 3, seed=seed)
    np.testing.assert_allclose(wilder_atr(*split, 3, seed=seed, factor=factor), whole * units, rtol=1e-12)
    np.testing.assert_allclose(highest_high(split[0], 3, factor=factor), highest_high(HIGH, 3) * units, rtol=1e-12)


def test_names_do_not_touch_each_other():
    both = [np.hstack([side, 2.0 * side[::-1]]) for side in (HIGH, LOW, CLOSE)]
    np.testing.assert_array_equal(wilder_atr(*both, 3)[:, :1], wilder_atr(HIGH, LOW, CLOSE, 3))


def test_chandelier_hangs_from_the_high_or_below_a_close_that_fell_through():
    # 120 − 3 × 4 = 108 lies under a close of 115; under one of 105 the stop is 105 − 12
    got = chandelier(np.array([120.0, 120.0, NAN]), np.array([4.0, 4.0, 4.0]), np.array([115.0, 105.0, 115.0]), 3.0)
    np.testing.assert_array_equal(got, [108.0, 93.0, NAN])


@pytest.mark.parametrize(
    ("open_", "low", "fill"),
    [(97.0, 96.0, 97.0), (103.0, 99.0, 100.0), (103.0, 100.05, NAN), (103.0, 100.0, 100.0), (NAN, 98.0, 98.0)],
)
def test_a_stop_at_100_fills_at_the_open_below_it_or_at_the_stop(open_, low, fill):
    np.testing.assert_array_equal(stop_fill(np.array([open_]), np.array([low]), np.array([100.0])), [fill])


def test_without_a_trade_or_without_a_stop_nothing_fills():
    got = stop_fill(np.array([NAN, 90.0]), np.array([NAN, 90.0]), np.array([100.0, NAN]))
    assert np.isnan(got).all()


PRICE = st.floats(1.0, 1e5)


@given(PRICE, st.floats(0.0, 1.0), PRICE)
def test_a_fill_is_never_above_open_or_stop_nor_below_the_low(open_, part, stop):
    low = open_ * part
    got = stop_fill(np.array([open_]), np.array([low]), np.array([stop]))[0]
    assert np.isnan(got) == (low > stop)
    if not np.isnan(got):
        assert low <= got <= min(open_, stop)


@given(st.lists(st.one_of(st.just(NAN), PRICE), min_size=1, max_size=20))
def test_a_ratchet_never_goes_down(levels):
    path = [np.array([NAN])]
    for level in levels:
        path.append(ratchet(path[-1], np.array([level])))
    known = [level[0] for level in path if not np.isnan(level[0])]
    assert known == sorted(known)
    assert np.isnan(path[-1][0]) == all(np.isnan(level) for level in levels)

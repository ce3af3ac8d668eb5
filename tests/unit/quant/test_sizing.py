"""Sizes, against published numbers and numbers worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsq.errors import TsqError
from tsq.quant.sizing import (
    Steps,
    Variance,
    decay,
    grossman_zhou,
    held_back,
    kelly,
    kelly_scale,
    linear,
    read_steps,
    see,
    shrinkage,
    vol_scale,
    volatility,
)

STEPS = Steps((0.08, 0.12), (0.75, 0.50))
THROTTLES = {
    "linear": lambda dd: linear(dd, 0.30, 0.25),
    "grossman_zhou": lambda dd: grossman_zhou(dd, 0.30, 0.25),
    "steps": STEPS.at,
}


def seen(returns, half_life):
    variance = Variance()
    for ret in returns:
        variance = see(variance, ret, half_life)
    return variance


def test_decay_of_a_half_life_of_20():
    assert decay(20.0) == pytest.approx(0.9659363289, abs=5e-11)


def test_a_constant_percent_is_a_volatility_of_15_87_and_scales_12_to_0_755929():
    vol = volatility(seen([0.01, -0.01] * 30, 20.0), 20.0, 252)
    assert vol == pytest.approx(0.158745, abs=5e-7)
    assert vol_scale(vol, 0.12, 1.0) == pytest.approx(0.755929, abs=5e-7)


def test_volatility_is_the_recursion():
    returns = [0.01, -0.02, 0.03]
    weight = 0.5  # a half-life of one session
    total = 0.0
    for ret in returns:
        total = weight * total + (1.0 - weight) * ret**2
    assert volatility(seen(returns, 1.0), 1.0, 252) == pytest.approx(np.sqrt(total / (1.0 - weight**3) * 252))


def test_volatility_is_unknown_before_three_half_lives_and_nothing_is_scaled():
    assert np.isnan(volatility(seen([0.05] * 59, 20.0), 20.0, 252))
    assert not np.isnan(volatility(seen([0.05] * 60, 20.0), 20.0, 252))
    assert vol_scale(np.nan, 0.12, 1.5) == 1.0
    assert vol_scale(np.nan, 0.12, 0.8) == 0.8


def test_a_scale_is_capped_and_still_defined_without_volatility():
    assert vol_scale(0.06, 0.12, 1.0) == 1.0
    assert vol_scale(0.06, 0.12, 1.5) == 1.5
    assert vol_scale(0.0, 0.12, 1.5) == 1.5


@pytest.mark.parametrize(
    ("drawdown", "gz", "straight"), [(0.08, 0.797, 0.733), (0.10, 0.741, 0.667), (0.20, 0.417, 0.333)]
)
def test_throttles_at_a_drawdown_of_at_most_30_percent(drawdown, gz, straight):
    assert grossman_zhou(drawdown, 0.30, 0.0) == pytest.approx(gz, abs=5e-4)
    assert linear(drawdown, 0.30, 0.0) == pytest.approx(straight, abs=5e-4)


def test_a_throttle_keeps_its_floor_and_is_one_at_the_peak():
    for throttle in (grossman_zhou, linear):
        assert throttle(0.0, 0.30, 0.25) == 1.0
        assert [throttle(dd, 0.30, 0.25) for dd in (0.30, 0.9, 1.0)] == [0.25] * 3
        assert throttle(0.30, 0.30, 0.0) == 0.0


def test_steps_are_taken_only_above_them():
    assert [STEPS.at(dd) for dd in (0.0, 0.08, 0.0801, 0.12, 0.13, 0.9)] == [1.0, 1.0, 0.75, 0.75, 0.5, 0.5]


def test_steps_are_read():
    assert read_steps("0.08: 0.75, 0.12:0.5", "config/risk.yml") == STEPS


@pytest.mark.parametrize(
    "text", ["", "0.1", "0.1: 0.5: 0.2", "a: 0.5", "0.2: 0.5, 0.1: 0.7", "0.1: 0.5, 0.2: 0.7", "1.0: 0.5", "0.1: 1.5"]
)
def test_steps_that_are_none_are_refused(text):
    with pytest.raises(TsqError, match="throttle_steps") as raised:
        read_steps(text, "config/risk.yml")
    assert raised.value.where == "config/risk.yml"


def test_hysteresis_lets_go_at_once_and_takes_back_late():
    throttle = THROTTLES["linear"]
    path = [1.0]
    for drawdown in (0.09, 0.08, 0.06, 0.12, 0.0):
        path.append(held_back(path[-1], throttle, drawdown, 0.02))
    # 1 − .09/.30 = .7; .08 and .02 of width are still no less; .06 and .02 are 1 − .08/.30; at the peak nothing is owed
    np.testing.assert_allclose(path[1:], [0.7, 0.7, 1 - 0.08 / 0.3, 0.6, 1.0], rtol=1e-12)


@pytest.mark.parametrize("name", THROTTLES)
@given(before=st.floats(0.0, 1.0), width=st.floats(0.0, 1.0))
def test_nothing_is_held_back_at_a_new_peak(name, before, width):
    assert held_back(before, THROTTLES[name], 0.0, width) == 1.0


def test_near_the_peak_a_throttle_rises_as_if_the_drawdown_were_twice_as_deep():
    assert held_back(0.5, THROTTLES["linear"], 0.01, 0.02) == pytest.approx(1 - 0.02 / 0.3)


@pytest.mark.parametrize("name", THROTTLES)
@given(before=st.floats(0.25, 1.0), low=st.floats(0.0, 0.5), more=st.floats(0.0, 0.5), width=st.floats(0.0, 0.1))
def test_a_deeper_drawdown_never_leaves_more_at_risk(name, before, low, more, width):
    throttle = THROTTLES[name]
    deep = held_back(before, throttle, low + more, width)
    assert deep <= held_back(before, throttle, low, width)
    assert throttle(low + more + width) <= deep <= throttle(low + more)
    # what was at risk before decides between the two only
    assert held_back(min(before + 0.1, 1.0), throttle, low, width) >= held_back(before, throttle, low, width)


def test_kelly_of_one_bet():
    # μ .10, σ .20: 2.5, growth .125; half of it keeps three quarters, twice of it nothing
    fraction = kelly(0.10, 0.04)[0]
    assert fraction == pytest.approx(2.5)
    grown = [f * 0.10 - f * f * 0.04 / 2.0 for f in (fraction, fraction / 2.0, fraction * 2.0)]
    np.testing.assert_allclose(grown, [0.125, 0.75 * 0.125, 0.0], atol=1e-15)


def test_kelly_of_an_index():
    # Chan (2009): SPY, mean .1123, deviation .1691, risk-free .04
    fraction = kelly(0.1123 - 0.04, 0.1691**2)[0]
    assert fraction == pytest.approx(2.528, abs=5e-4)
    assert 0.04 + fraction * (0.1123 - 0.04) / 2.0 == pytest.approx(0.1314, abs=5e-5)


def test_kelly_of_three_bets():
    # Chan (2009), example 6.3
    mean = np.array([0.1396, 0.0294, -0.0073])
    covariance = np.array([[0.1109, 0.0200, 0.0183], [0.0200, 0.0372, 0.0269], [0.0183, 0.0269, 0.0420]])
    fractions = kelly(mean, covariance)
    # the covariances are printed to four digits, so no more than that of them can come back
    np.testing.assert_allclose(fractions, [1.2919, 1.1723, -1.4882], rtol=2e-3)
    assert 0.04 + mean @ fractions / 2.0 == pytest.approx(0.1529, abs=5e-5)
    assert np.sqrt(mean @ fractions) == pytest.approx(0.4751, abs=1e-4)


@pytest.mark.parametrize(("sharpe", "years", "kept"), [(1.0, 3.0, 0.75), (0.5, 3.0, 0.43), (0.0, 3.0, 0.0)])
def test_shrinkage(sharpe, years, kept):
    assert shrinkage(sharpe, years) == pytest.approx(kept, abs=5e-3)


def test_a_kelly_scale_is_a_shrunk_fraction_between_floor_and_cap():
    rng = np.random.default_rng(0)
    noise = rng.normal(0.0, 0.01, 756)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    daily, year = 0.16 / np.sqrt(252), 252
    for sharpe, expected in ((1.0, 0.5 * 0.75 / 0.16), (0.3, 0.5 * 0.27 / 1.27 * 0.3 / 0.16)):
        returns = noise * daily + sharpe * 0.16 / 252
        assert kelly_scale(returns, 0.5, 9.0, 0.0, year) == pytest.approx(expected, rel=1e-9)
        assert kelly_scale(returns, 0.5, 1.0, 0.0, year) == pytest.approx(min(1.0, expected), rel=1e-9)
    assert kelly_scale(noise * daily - 0.001, 0.5, 1.0, 0.25, year) == 0.25
    assert kelly_scale(np.full(300, 0.0), 0.5, 0.8, 0.25, year) == 0.8

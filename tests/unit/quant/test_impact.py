import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsq.errors import TsqError
from tsq.quant.impact import almgren, cost_inr, square_root


@pytest.mark.parametrize(("part", "bps"), [(0.01, 20.0), (0.04, 40.0), (0.0, 0.0), (1.0, 200.0)])
def test_the_square_root_law_at_two_percent_volatility(part, bps):
    assert square_root(part, 0.02) * 1e4 == pytest.approx(bps, rel=1e-14)


def test_cost_is_the_law_times_the_value():
    assert cost_inr(1e6, 1e8, 0.02, 1.0) == pytest.approx(1e6 * 20e-4, rel=1e-14)
    assert cost_inr([1e6, 4e6], 1e8, 0.02, 0.75).tolist() == pytest.approx([1500.0, 12_000.0], rel=1e-14)


def test_the_form_of_bt_is_two_thirds_of_the_coefficient():
    """bt 1.4: (2/3) · Y · sigma · |q| · √(|q| / V) · p, with Y of 0.6."""
    shares, volume, price, sigma = 12_000.0, 900_000.0, 431.5, 0.018
    bt = 2.0 / 3.0 * 0.6 * sigma * shares * np.sqrt(shares / volume) * price
    assert cost_inr(shares * price, volume * price, sigma, 2.0 / 3.0 * 0.6) == pytest.approx(bt, rel=1e-13)


def test_the_form_of_cvxportfolio_is_the_same_law():
    """cvxportfolio 1.5: b · sigma · |u|^1.5 / √V, values in money, exponent 1.5."""
    value, traded, sigma = 3.3e6, 7.1e7, 0.0231
    assert cost_inr(value, traded, sigma, 0.9) == pytest.approx(0.9 * sigma * value**1.5 / np.sqrt(traded), rel=1e-13)


@pytest.mark.parametrize(
    ("adv", "sigma"), [(np.nan, 0.02), (0.0, 0.02), (-1.0, 0.02), (1e8, np.nan), (1e8, -0.01), (np.nan, np.nan)]
)
def test_what_is_unknown_is_not_free(adv, sigma):
    assert np.isnan(cost_inr(1e6, adv, sigma, 1.0))
    assert cost_inr(0.0, adv, sigma, 1.0) == 0.0
    assert cost_inr(1e6, adv, sigma, 0.0) == 0.0


@pytest.mark.parametrize("coefficient", [-0.1, np.nan])
def test_a_coefficient_below_zero_would_pay(coefficient):
    with pytest.raises(TsqError, match="impact coefficient"):
        cost_inr(1e6, 1e8, 0.02, coefficient)


amounts = st.floats(1.0, 1e9)


@given(amounts, amounts, st.floats(1e-4, 0.2), st.floats(1.1, 50.0))
def test_cost_grows_with_the_power_of_one_and_a_half(value, adv, sigma, times):
    one, many = cost_inr(value, adv, sigma), cost_inr(times * value, adv, sigma)
    assert many == pytest.approx(one * times**1.5, rel=1e-9)


@given(amounts, amounts, st.floats(1e-4, 0.2), st.integers(2, 20))
def test_parts_of_an_order_in_sessions_of_their_own_cost_less(value, adv, sigma, parts):
    assert parts * cost_inr(value / parts, adv, sigma) == pytest.approx(
        cost_inr(value, adv, sigma) / np.sqrt(parts), rel=1e-9
    )


# name, V and Θ in millions, σ, X, I in bp, then by T: K in bp, J in bp; printed to whole basis points
PUBLISHED = [
    ("IBM", 6.561e6, 1728e6, 0.0157, 656_100, 19.86, {0.1: (22, 32), 0.2: (15, 25), 0.5: (8, 18)}),
    ("DRI", 1.929e6, 168e6, 0.0226, 192_900, 21.679, {0.1: (32, 43), 0.2: (21, 32), 0.5: (12, 23)}),
]


@pytest.mark.parametrize("case", PUBLISHED, ids=lambda case: case[0])
def test_the_table_of_almgren_thum_hauptmann_and_li(case):
    _, volume, outstanding, sigma, shares, permanent_bps, by_days = case
    days = np.array(list(by_days))
    permanent, temporary, cost = almgren(shares, volume, outstanding, sigma, days)
    assert permanent * 1e4 == pytest.approx(permanent_bps, abs=0.005 if permanent_bps == 19.86 else 0.0005)
    assert np.round(temporary * 1e4).tolist() == [k for k, _ in by_days.values()]
    assert np.round(cost * 1e4).tolist() == [j for _, j in by_days.values()]


def test_normalised_numbers_of_the_same_table():
    """Θ/V 263.374, I/σ 0.126, K/σ 0.142, 0.094, 0.054 of the IBM order; 87.092 and 0.096 of DRI."""
    permanent, temporary, _ = almgren(656_100, 6.561e6, 1728e6, 1.0, np.array([0.1, 0.2, 0.5]))
    assert permanent == pytest.approx(0.126, abs=5e-4)
    assert temporary.tolist() == pytest.approx([0.142, 0.094, 0.054], abs=5e-4)
    assert almgren(192_900, 1.929e6, 168e6, 1.0, 0.1)[0] == pytest.approx(0.096, abs=5e-4)

"""What trading moves the price: the square-root law, and the published model of Almgren, Thum, Hauptmann and Li.

Both say what an order costs against the price before it, as a ratio of the price, beside the charges and the slippage
that every order pays whatever its size.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsq.errors import TsqError

Floats = npt.NDArray[np.float64]

# Almgren, Thum, Hauptmann & Li (2005), "Direct estimation of equity market impact", their fit to US orders of 2001-2003
PERMANENT, PERMANENT_TURNOVER = 0.314, 0.25
TEMPORARY, TEMPORARY_RATE = 0.142, 0.6


def square_root(participation: npt.ArrayLike, sigma: npt.ArrayLike, coefficient: npt.ArrayLike = 1.0) -> Floats:
    """Mean impact of orders by the square-root law: coefficient · sigma · √participation.

    Args:
        participation: value of the order over the value traded in a usual session, not negative.
        sigma: standard deviation of the daily return, ratio.
        coefficient: the law's constant, near one (0.5 to 1 in the literature).

    Returns:
        Ratios of the price, shaped as the arguments broadcast. NaN where participation or sigma is NaN.

    Raises:
        TsqError: a coefficient that is negative or no number: trading would pay, or cost nobody knows what.

    Source:
        Torre & Ferrari (1997, the Barra handbook); Tóth et al. (2011). An order of 1 % of a session's value in a name
        of 2 % volatility costs 20 basis points at a coefficient of one.
    """
    constant = np.asarray(coefficient, float)
    if not (constant >= 0.0).all():
        raise TsqError(f"the impact coefficient is {constant}", hint="zero (no impact) or more; 0.5 to 1 is usual")
    ratio: Floats = constant * np.asarray(sigma, float) * np.sqrt(np.asarray(participation, float))
    return ratio


def cost_inr(
    value: npt.ArrayLike, adv: npt.ArrayLike, sigma: npt.ArrayLike, coefficient: npt.ArrayLike = 1.0
) -> Floats:
    """Rupees that orders pay for moving the price against themselves.

    Args:
        value: rupees traded in one session, either side, not negative.
        adv: rupees that trade in a usual session, known before the order.
        sigma: standard deviation of the daily return, ratio, known before the order.
        coefficient: constant of the square-root law; 0 is no impact at all, whatever else is unknown.

    Returns:
        Rupees, shaped as the arguments broadcast: coefficient · sigma · √(value / adv) · value. An order of nothing
        costs nothing. NaN where adv or sigma is not known or not above zero (sigma may be zero): what is unknown is
        not free, and the caller says what becomes of it.

    Raises:
        TsqError: a negative coefficient.
    """
    value, adv, sigma = (np.asarray(given, float) for given in (value, adv, sigma))
    if not value.shape == adv.shape == sigma.shape or np.ndim(coefficient):
        value, adv, sigma, coefficient = np.broadcast_arrays(value, adv, sigma, np.asarray(coefficient, float))
    known = (adv > 0.0) & (sigma >= 0.0)
    participation = np.divide(value, adv, out=np.full(value.shape, np.nan), where=known)
    rupees = square_root(participation, sigma, coefficient) * value
    return np.where((value == 0.0) | (np.asarray(coefficient) == 0.0), 0.0, rupees)


def almgren(
    shares: npt.ArrayLike,
    daily_volume: npt.ArrayLike,
    outstanding: npt.ArrayLike,
    sigma: npt.ArrayLike,
    days: npt.ArrayLike,
) -> tuple[Floats, Floats, Floats]:
    """Permanent impact, temporary impact and cost of an order worked evenly over some days.

    I = 0.314 σ (X/V) (Θ/V)^¼, K = 0.142 σ (X/(V T))^0.6, and the order pays J = I/2 + K.

    Args:
        shares: X, shares of the order, not negative.
        daily_volume: V, shares that trade in a usual session.
        outstanding: Θ, shares of the company.
        sigma: σ, standard deviation of the daily return, ratio.
        days: T, how long the order is worked, in sessions.

    Returns:
        (I, K, J), ratios of the price, each shaped as the arguments broadcast; NaN in, NaN out.

    Source:
        Almgren, Thum, Hauptmann & Li (2005), whose table of an order of IBM and one of DRI it reproduces.
    """
    shares, volume, outstanding, sigma, days = (
        np.asarray(given, float) for given in (shares, daily_volume, outstanding, sigma, days)
    )
    part = shares / volume
    permanent = PERMANENT * sigma * part * (outstanding / volume) ** PERMANENT_TURNOVER
    temporary = TEMPORARY * sigma * (part / days) ** TEMPORARY_RATE
    return permanent, temporary, permanent / 2.0 + temporary

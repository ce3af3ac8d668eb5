"""How much of a portfolio is at risk: volatility targets, drawdown throttles, Kelly fractions. Pure arithmetic."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tsq.errors import TsqError
from tsq.quant.market import Floats

WARM_UP_HALF_LIVES = 3.0
Throttle = Callable[[float], float]


@dataclass(frozen=True)
class Variance:
    """Exponentially weighted mean square of returns.

    Attributes:
        total: what `s² ← λ s² + (1 − λ) r²` has come to from zero.
        n: returns seen.
    """

    total: float = 0.0
    n: int = 0


def decay(half_life: float) -> float:
    """Weight λ of yesterday's estimate: after `half_life` sessions a return counts half."""
    return float(0.5 ** (1.0 / half_life))


def see(variance: Variance, ret: float, half_life: float) -> Variance:
    """Take in one return."""
    weight = decay(half_life)
    return Variance(weight * variance.total + (1.0 - weight) * ret * ret, variance.n + 1)


def volatility(variance: Variance, half_life: float, sessions_per_year: int) -> float:
    """Annual volatility so far; NaN before three half-lives of returns.

    What the start from zero lacks, `1 − λⁿ`, is divided out, so a constant return of 1 % is a volatility of 1 %.

    Source: J.P. Morgan, RiskMetrics (1996), for the recursion.
    """
    if variance.n < WARM_UP_HALF_LIVES * half_life:
        return math.nan
    return math.sqrt(variance.total / (1.0 - decay(half_life) ** variance.n) * sessions_per_year)


def vol_scale(vol: float, target: float, cap: float) -> float:
    """Exposure that brings a volatility to its target, `min(cap, target / vol)`.

    Where the volatility is not known yet nothing is scaled, up or down: 1, or the cap where that is less.
    """
    if math.isnan(vol):
        return min(1.0, cap)
    return cap if vol <= 0.0 else min(cap, target / vol)


def linear(drawdown: float, most: float, floor: float) -> float:
    """Throttle `1 − drawdown / most`, at least the floor.

    Args:
        drawdown: loss from the peak, a ratio of it, 0 or above.
        most: the drawdown at which nothing would be left at risk.
        floor: least part that stays at risk.
    """
    return min(max(1.0 - drawdown / most, floor), 1.0)


def grossman_zhou(drawdown: float, most: float, floor: float) -> float:
    """Throttle in proportion to the cushion W − (1 − most) × peak over W: 1 at the peak, 0 at the greatest drawdown.

    The floor keeps part of the portfolio at risk: a throttle that goes to zero never comes back.

    Source: Grossman and Zhou (1993); Cvitanić and Karatzas (1995).
    """
    if drawdown >= most:
        return floor
    return min(max((most - drawdown) / (1.0 - drawdown) / most, floor), 1.0)


@dataclass(frozen=True)
class Steps:
    """A map of drawdowns to throttles: what stands beside the greatest drawdown that was exceeded; before that, 1."""

    over: tuple[float, ...]
    throttle: tuple[float, ...]

    def at(self, drawdown: float) -> float:
        """Throttle of a drawdown; at a step itself the step is not taken yet."""
        passed = bisect_left(self.over, drawdown)
        return self.throttle[passed - 1] if passed else 1.0


def read_steps(text: str, where: str) -> Steps:
    """Read `0.10: 0.75, 0.20: 0.50` as steps.

    Raises:
        TsqError: no pairs of numbers, drawdowns that do not rise between 0 and 1, or throttles that do not fall from 1.
    """
    hint = "write `drawdown: throttle` pairs, such as 0.10: 0.75, 0.20: 0.50"
    try:
        pairs = [tuple(float(part) for part in pair.split(":")) for pair in text.split(",")]
        over, throttle = (tuple(side) for side in zip(*pairs, strict=True))
    except ValueError:
        raise TsqError(f"throttle_steps is '{text}'", where=where, hint=hint) from None
    if list(over) != sorted(set(over)) or not over[0] >= 0.0 or not over[-1] < 1.0:
        raise TsqError(f"the drawdowns of throttle_steps do not rise: '{text}'", where=where, hint=hint)
    if list(throttle) != sorted(throttle, reverse=True) or not throttle[0] <= 1.0 or not throttle[-1] >= 0.0:
        raise TsqError(f"the throttles of throttle_steps do not fall: '{text}'", where=where, hint=hint)
    return Steps(over, throttle)


def held_back(before: float, throttle: Throttle, drawdown: float, width: float) -> float:
    """Throttle with hysteresis: it falls with the drawdown at once, and rises only when that is `width` smaller.

    Near the peak no more than the drawdown itself can be made good: at a new peak nothing is held back any more.

    Args:
        before: throttle of the session before.
        throttle: falls with the drawdown.
        drawdown: now.
        width: how much of the drawdown must be made good before the throttle gives way.
    """
    return min(throttle(drawdown), max(before, throttle(drawdown + min(width, drawdown))))


def kelly(mean: Floats | float, covariance: Floats | float) -> Floats:
    """Fractions of wealth that grow it fastest, `C⁻¹ μ`.

    Args:
        mean: (n,) expected excess returns of a year.
        covariance: (n, n) of a year.

    Source: Kelly (1956); Thorp (2006) for many assets.
    """
    return np.linalg.solve(np.atleast_2d(covariance), np.atleast_1d(mean))


def shrinkage(sharpe: float, years: float) -> float:
    """Part of an estimated Kelly fraction to keep, `S² T / (S² T + 1)`: the mean was measured with error σ² / T."""
    certain = sharpe * sharpe * years
    return certain / (certain + 1.0)


def kelly_scale(returns: Floats, fraction: float, cap: float, floor: float, sessions_per_year: int) -> float:
    """Exposure by a fraction of the shrunk Kelly bet on a series of returns.

    Args:
        returns: (n,) excess returns a session.
        fraction: of the Kelly bet: a half keeps three quarters of its growth.
        cap: most it may be.
        floor: least it may be: a mean below zero would otherwise end the portfolio, and nothing be measured any more.
        sessions_per_year: to annualise.

    Returns:
        A ratio; 1 (or the cap, where that is less) for returns that do not vary.
    """
    n, total = len(returns), float(returns.sum())
    variance = (float((returns * returns).sum()) - total * total / n) / (n - 1) * sessions_per_year
    if variance <= 0.0:
        return min(1.0, cap)
    mean = total / n * sessions_per_year
    kept = shrinkage(mean / math.sqrt(variance), n / sessions_per_year)
    return min(max(fraction * kept * float(kelly(mean, variance)[0]), floor), cap)

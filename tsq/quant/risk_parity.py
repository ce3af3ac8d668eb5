"""Weights by which every name adds the same risk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TOLERANCE = 1e-10  # of a share of risk, relative
_STEPS = 100
_HALVINGS = 40
_FAR = 1e7  # of unit risks: what is held so far out hedges itself to rounding
_ENOUGH = 0.25  # of the decrease the slope promises


def risk_parity(covariance: Floats) -> Floats | None:
    """Find the weights at which each name contributes 1/n of the variance.

    Args:
        covariance: (n, n), positive semidefinite, every variance above zero.

    Returns:
        (n,) positive weights that add up to 1; None where shares of risk within `TOLERANCE` of 1/n are not reached
        (names that hedge each other away make that impossible).

    Source:
        Maillard, Roncalli & Teiletche (2010), J. Portfolio Management 36(4). Found as the minimum of ½ y'Cy − Σ ln y
        over correlations C by Newton steps: Spinu (2013), "An algorithm for computing risk parity weights".
    """
    n = len(covariance)
    sd = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(sd, sd)
    y = np.full(n, 1.0 / np.sqrt(max(float(correlation.sum()) / n, 1.0 / n)))
    for _ in range(_STEPS):
        if y.max() > _FAR:
            return None
        risk = correlation @ y
        slope = y * risk - 1.0  # of each in units of its own y: at zero, all risks are equal
        if np.abs(slope).max() <= TOLERANCE:
            weights = y / sd
            return np.asarray(weights / weights.sum())
        # In these units the curvature is Y C Y + I: never near singular.
        bent = correlation * np.outer(y, y)
        bent.flat[:: n + 1] += 1.0
        step = np.linalg.solve(bent, -slope)
        y = y * _shortened(step, slope, bent)
    return None


def _shortened(step: Floats, slope: Floats, bent: Floats) -> Floats:
    """The factors 1 + t · step with the longest t of 1, ½, ¼ … that leaves all positive and the function lower."""
    promised = float(slope @ step)
    bend = float(step @ bent @ step) - float(step @ step)
    t = 1.0
    for _ in range(_HALVINGS):
        factors = 1.0 + t * step
        if factors.min() > 0.0:
            # ½ y'Cy is a parabola along the step; −Σ ln y is taken as it is.
            change = t * (promised + float(step.sum())) + 0.5 * t * t * bend - float(np.log(factors).sum())
            if change <= _ENOUGH * t * promised:
                return factors
        t *= 0.5
    return np.ones_like(step)


def contributions(covariance: Floats, weights: Floats) -> Floats:
    """The share of the portfolio's variance each name adds.

    Args:
        covariance: (n, n).
        weights: (n,) with a variance above zero.

    Returns:
        (n,) shares that add up to 1.
    """
    risk = weights * (covariance @ weights)
    return np.asarray(risk / risk.sum())

"""Weights by which every name adds the same risk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TOLERANCE = 1e-10  # of a share of risk
_STEPS = 100
_DAMPED = 0.25  # Newton decrement below which full steps converge


def risk_parity(covariance: Floats) -> Floats | None:
    """Find the weights at which each name contributes 1/n of the variance.

    Args:
        covariance: (n, n), positive semidefinite, every variance above zero.

    Returns:
        (n,) positive weights that add up to 1; None where Newton's method does not reach shares of risk within
        `TOLERANCE` of 1/n (a combination of names without risk can make that impossible).

    Source:
        Maillard, Roncalli & Teiletche (2010), J. Portfolio Management 36(4); as the minimum of ½ y'Cy − Σ ln y over
        correlations C by damped Newton steps: Spinu (2013), "An algorithm for computing risk parity weights".
    """
    n = len(covariance)
    sd = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(sd, sd)
    y = np.full(n, 1.0 / np.sqrt(max(float(correlation.sum()) / n, 1.0 / n)))
    for _ in range(_STEPS):
        risk = correlation @ y
        if np.abs(y * risk / (y @ risk) - 1.0 / n).max() <= TOLERANCE:
            weights = y / sd
            return np.asarray(weights / weights.sum())
        slope = risk - 1.0 / y
        # In units of y the curvature is Y C Y + I: never near singular.
        bent = correlation * np.outer(y, y)
        bent.flat[:: n + 1] += 1.0
        step = y * np.linalg.solve(bent, -y * slope)
        decrement = float(np.sqrt(max(-slope @ step, 0.0)))
        y = y + step / (1.0 + decrement if decrement > _DAMPED else 1.0)
    return None


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

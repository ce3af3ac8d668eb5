"""Covariances of complete windows, shrunk towards what is sure to be invertible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Shrunk:
    """covariance (n_names, n_names), per session; shrinkage in [0, 1], the weight of the target."""

    covariance: Floats
    shrinkage: float


@dataclass(frozen=True, eq=False)
class Window:
    """Which names of a window of returns can be optimised; each (n_names,).

    is_complete: no return is missing. is_moving: the return is not the same in every session (a name that never moved
    was not traded, or is not priced). What to do with the others is the caller's decision: nothing is filled in.
    """

    is_complete: Bools
    is_moving: Bools

    @property
    def is_usable(self) -> Bools:
        """Complete and moving."""
        return np.asarray(self.is_complete & self.is_moving)


def window(returns: Floats) -> Window:
    """Say which names have a whole window of returns.

    Args:
        returns: (n_sessions, n_names) daily simple returns, decimal; NaN where a return is missing.

    Returns:
        Per name, whether its window is complete and whether it moved.
    """
    is_complete = np.asarray(np.isfinite(returns).all(axis=0))
    is_still = np.asarray((returns == returns[:1]).all(axis=0))
    return Window(is_complete, is_complete & ~is_still)


def ledoit_wolf(returns: Floats) -> Shrunk:
    """Shrink the sample covariance towards a scaled identity.

    Args:
        returns: (n_sessions, n_names) daily simple returns, decimal (0.01 is 1 %), no NaN, oldest first.

    Returns:
        covariance (n_names, n_names), per session, positive definite unless nothing moved; shrinkage in [0, 1].

    Raises:
        ValueError: fewer than two sessions, or a NaN (names the column).

    Source:
        Ledoit & Wolf (2004), J. Multivariate Analysis 88(2), eq. 14; equals scikit-learn's LedoitWolf: the mean is
        taken out, moments are divided by n (not n − 1).
    """
    _check(returns)
    n, names = returns.shape
    x = returns - returns.mean(axis=0)
    sample = x.T @ x / n
    mean_variance = float(np.trace(sample)) / names
    squares = float(np.sum(sample**2))
    distance = (squares - names * mean_variance**2) / names
    noise = (float(np.sum(np.sum(x**2, axis=1) ** 2)) / n - squares) / (n * names)
    noise = min(noise, distance)
    shrinkage = noise / distance if noise > 0.0 else 0.0
    covariance = (1.0 - shrinkage) * sample
    covariance.flat[:: names + 1] += shrinkage * mean_variance
    return Shrunk(covariance, shrinkage)


def constant_correlation(returns: Floats) -> Shrunk:
    """Shrink the sample covariance towards one in which all pairs have the same correlation.

    Args:
        returns: (n_sessions, n_names) daily simple returns, decimal, no NaN, oldest first; every name moves.

    Returns:
        covariance (n_names, n_names), per session, with the sample's variances; shrinkage in [0, 1].

    Raises:
        ValueError: fewer than two sessions, a NaN, or a name that never moved (names the column).

    Source:
        Ledoit & Wolf (2003), "Honey, I shrunk the sample covariance matrix", appendix B; with n − 1 for n in moments
        and shrinkage alike, as in Ledoit's own code (covCor).
    """
    _check(returns)
    n, names = returns.shape[0] - 1, returns.shape[1]
    x = returns - returns.mean(axis=0)
    sample = x.T @ x / n
    variance = np.diag(sample).copy()
    if not variance.all():
        raise ValueError(f"column {int(np.argmin(variance > 0.0))} never moves: it has no correlation")
    if names == 1:
        return Shrunk(sample, 0.0)
    sd = np.sqrt(variance)
    products = np.outer(sd, sd)
    mean_correlation = (float(np.sum(sample / products)) - names) / (names * (names - 1))
    target = mean_correlation * products
    np.fill_diagonal(target, variance)

    squared = x**2
    noise = squared.T @ squared / n - sample**2  # asymptotic variances of the sample's entries
    # Their covariance with the target: through the two standard deviations of each of its entries.
    with_variances = (x**3).T @ x / n - variance[:, None] * sample
    np.fill_diagonal(with_variances, 0.0)
    with_target = float(np.trace(noise)) + mean_correlation * float(np.sum(with_variances * np.outer(1.0 / sd, sd)))
    distance = float(np.sum((sample - target) ** 2))
    ratio = (float(np.sum(noise)) - with_target) / distance / n if distance > 0.0 else 0.0
    shrinkage = min(max(ratio, 0.0), 1.0)
    return Shrunk(shrinkage * target + (1.0 - shrinkage) * sample, shrinkage)


def _check(returns: Floats) -> None:
    """Refuse what has no covariance."""
    if returns.ndim != 2 or returns.shape[0] < 2 or returns.shape[1] < 1:
        raise ValueError(f"returns are (sessions, names), at least (2, 1): got {returns.shape}")
    bad = ~np.isfinite(returns).all(axis=0)
    if bad.any():
        raise ValueError(
            f"column {int(np.argmax(bad))} has a missing or infinite return: leave the name out, fill nothing in"
        )

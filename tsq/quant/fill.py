"""Weights in wanted proportions, as near as name caps, lower bounds and sector caps allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsq.quant.problem import Floats, Limits


@dataclass(frozen=True, eq=False)
class Filled:
    """weights (n,); the level all were raised to, in wanted weights; levels (n_sectors,) at which sectors were full."""

    weights: Floats
    level: float
    levels: Floats


def fill(wanted: Floats, limits: Limits) -> Filled:
    """Raise all weights together in the wanted proportions, each until its cap or its sector's, to the budget.

    What a capped name cannot take goes to the others in proportion. This is the exact minimiser of
    ½ Σ (w − wanted)² / wanted within budget, bounds and sector caps; turnover and exposures are not looked at.

    Args:
        wanted: (n,) positive; only its proportions count.
        limits: over the same names; the budget is attainable.

    Returns:
        The weights, which add up to the budget, and the levels, which prove them.
    """
    upper = limits.upper
    full = np.full(len(limits.groups), np.inf)
    for place, (group, cap) in enumerate(zip(limits.groups, limits.sector_cap, strict=True)):
        if upper[group].sum() > cap:
            full[place] = level(wanted[group], limits.lower[group], upper[group], cap)
            upper[group] = np.clip(full[place] * wanted[group], limits.lower[group], upper[group])
    reached = level(wanted, limits.lower, upper, limits.budget)
    return Filled(np.clip(reached * wanted, limits.lower, upper), reached, np.minimum(full, reached))


def level(wanted: Floats, lower: Floats, upper: Floats, total: float) -> float:
    """The θ at which Σ clip(θ wanted, lower, upper) is the total; the largest that counts where the uppers fall short.

    Args:
        wanted: (n,) positive.
        lower: (n,) ≥ 0, adding up to at most the total.
        upper: (n,) ≥ lower.
        total: what to reach.

    Returns:
        θ, found on the sorted corners of a piecewise linear sum.
    """
    starts, ends = lower / wanted, upper / wanted
    corners = np.concatenate([starts, ends])
    order = np.argsort(corners, kind="stable")
    at = corners[order]
    slopes = np.cumsum(np.concatenate([wanted, -wanted])[order])
    sums = float(lower.sum()) + np.concatenate([[0.0], np.cumsum(slopes[:-1] * np.diff(at))])
    past = int(np.searchsorted(sums, total, side="left"))
    if past in (0, len(at)):
        return float(at[0] if past == 0 else at[-1])
    # On the piece that holds the total the sum is taken afresh: running sums of very unequal weights lose digits.
    is_full, moves = ends <= at[past - 1], (starts <= at[past - 1]) & (ends >= at[past])
    still = float(upper[is_full].sum() + lower[starts >= at[past]].sum())
    return float((total - still) / wanted[moves & ~is_full].sum())

"""Portfolio optimisers: long-only weights within caps, proven optimal, or saying what was given up.

`solve` answers every problem whose caps do not contradict themselves. Limits that cannot be kept together give in the
problem's order (`relax.amounts`); a method that fails gives way to the next of `FALLBACKS`. Both are in the status.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from tsq.quant.covariance import Shrunk, constant_correlation, ledoit_wolf
from tsq.quant.fill import fill
from tsq.quant.hierarchy import hrp
from tsq.quant.problem import (
    BUDGET,
    EXPOSURES,
    PARTICIPATION,
    SECTOR,
    TURNOVER,
    Floats,
    Limits,
    Problem,
    keeps,
    limits_of,
    program_of,
    turnover_of,
)
from tsq.quant.qp import FEASIBLE, Answer, minimise, prove
from tsq.quant.relax import amounts
from tsq.quant.risk_parity import risk_parity

EQUAL_WEIGHT, INVERSE_VOL, MIN_VARIANCE, MIN_VARIANCE_CC, RISK_PARITY, HRP, MEAN_VARIANCE = (
    "equal_weight",
    "inverse_vol",
    "min_variance",
    "min_variance_cc",
    "risk_parity",
    "hrp",
    "mean_variance",
)
# What takes over when a method fails, and then after that. Equal weights within caps need no solver: they cannot fail.
FALLBACKS: dict[str, str | None] = {
    EQUAL_WEIGHT: None,
    INVERSE_VOL: EQUAL_WEIGHT,
    MIN_VARIANCE: INVERSE_VOL,
    MIN_VARIANCE_CC: INVERSE_VOL,
    RISK_PARITY: INVERSE_VOL,
    HRP: INVERSE_VOL,
    MEAN_VARIANCE: MIN_VARIANCE,
}
METHODS = tuple(FALLBACKS)
OPTIMAL, CLOSED_FORM = "optimal", "closed_form"
DUST = 1e-9  # a smaller weight is none


@dataclass(frozen=True, eq=False)
class Solution:
    """Weights and how they were found.

    weights: (n,) in the problem's order, every limit kept to 1e-9 (the budget to 1e-9 a name), exactly 0 where nothing
    is held.
    status: `optimal` (solved, gap proven), `closed_form` (nothing to solve), `relaxed:<limit>[+<limit>…]` (limits that
    gave, in their order), or `fallback:<method>` (the method failed, this one answered).
    gap: proven relative optimality gap; at most 1e-8.
    relaxed: the limits that gave; `loosened`: by how much each (`relax.amounts` says the units).
    objective: what was minimised: w'Σw for minimum variance; λ/2 w'Σw − expected'w + costs for mean-variance; for the
    others ½ Σ (w − v)² / v, their distance from the weights v the method asks for.
    """

    weights: Floats
    status: str
    gap: float
    relaxed: tuple[str, ...]
    objective: float
    loosened: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Found:
    """An answer over the names that may be held, before it is dressed as a solution."""

    weights: Floats
    gap: float
    objective: float
    is_closed_form: bool


def covariance_for(method: str) -> Callable[[Floats], Shrunk]:
    """The covariance a method is meant to be given: towards constant correlation for `min_variance_cc`, or identity."""
    return constant_correlation if method == MIN_VARIANCE_CC else ledoit_wolf


def score_alpha(score: Floats, volatility: Floats, ic: float) -> Floats:
    """Turn scores into expected returns.

    Args:
        score: (n,) standardised cross-section: mean 0, deviation 1.
        volatility: (n,) deviation of each name's return over the horizon wanted, decimal.
        ic: correlation of scores with the returns that follow.

    Returns:
        (n,) expected return over the same horizon: ic · volatility · score.

    Source:
        Grinold (1994), "Alpha is volatility times IC times score", J. Portfolio Management 20(4).
    """
    return ic * volatility * score


def solve(method: str, problem: Problem) -> Solution:
    """Find weights.

    Args:
        method: one of `METHODS`. The optimisers solve within all limits at once; for the others the weights they ask
            for are moved as little as the limits need: minimise ½ Σ (w − v)² / v, by which a capped name's excess goes
            to the others in proportion.
        problem: names and limits.

    Returns:
        The weights with status, proven gap and what gave. Where no name may be held at all, all weights are 0.

    Raises:
        ValueError: an unknown method, a problem that contradicts itself (`problem.limits_of`), or caps so low that the
            budget cannot be met though `relax` does not let it give.
    """
    if method not in FALLBACKS:
        raise ValueError(f"unknown method {method!r}: choose from {METHODS}")
    if method == MEAN_VARIANCE:
        _check_mean_variance(problem)
    limits = limits_of(problem)
    if limits.attainable < limits.budget - FEASIBLE and not set(problem.relax) & {PARTICIPATION, SECTOR, BUDGET}:
        raise ValueError(f"caps allow {limits.attainable:g} of the budget {limits.budget:g}, and relax lets none give")
    if not limits.live.any():
        return _empty(limits, problem.relax)
    is_possible = limits.attainable >= limits.budget - FEASIBLE
    found = _answer(method, problem, limits) if is_possible else None
    if found is not None:
        return _dressed(limits, found, CLOSED_FORM if found.is_closed_form else OPTIMAL, {})
    given = amounts(limits, problem.relax)
    if given:
        found = _answer(method, problem, limits.loosened(given))
        if found is not None:
            return _dressed(limits, found, f"relaxed:{'+'.join(given)}", given)
    loose = limits.loosened(given or {})
    used = FALLBACKS[method]
    while used is not None and loose.attainable >= loose.budget - FEASIBLE:
        found = _answer(used, problem, loose)
        if found is not None:
            return _dressed(limits, found, f"fallback:{used}", given or {})
        used = FALLBACKS[used]
    return _last_resort(limits)


def _dressed(limits: Limits, found: Found, status: str, given: Mapping[str, float]) -> Solution:
    """The solution over all names."""
    weights = np.zeros(len(limits.live))
    weights[limits.live] = found.weights
    weights[weights < DUST] = 0.0
    return Solution(weights, status, found.gap, tuple(given), found.objective, tuple(given.values()))


def _empty(limits: Limits, relax: tuple[str, ...]) -> Solution:
    """Nothing but cash, where no name may be held: what gives, gives in its order, and else there was no choice."""
    broken = _broken(limits, np.zeros(0))
    given = {name: broken[name] for name in relax if name in broken}
    is_declared = len(given) == len(broken)
    status = f"relaxed:{'+'.join(given)}" if is_declared else f"fallback:{EQUAL_WEIGHT}"
    nothing = Found(np.zeros(0), 0.0, 0.0, is_closed_form=True)
    return _dressed(limits, nothing, status, given if is_declared else broken)


def _last_resort(limits: Limits) -> Solution:
    """Equal weights within the caps, whatever turnover and exposures say: what gives is measured and recorded."""
    found = _filled(np.ones(len(limits.cap)), replace(limits, budget=min(limits.budget, limits.attainable)))
    return _dressed(limits, found, f"fallback:{EQUAL_WEIGHT}", _broken(limits, found.weights))


def _broken(limits: Limits, weights: Floats) -> dict[str, float]:
    """By how much weights within their caps miss the other limits."""
    exposed = limits.exposures @ weights
    over = np.concatenate([exposed - limits.exposures_high, limits.exposures_low - exposed])
    missed = {
        TURNOVER: turnover_of(limits, weights) - limits.turnover_cap,
        EXPOSURES: float(over.max(initial=0.0)),
        BUDGET: limits.budget - float(weights.sum()),
    }
    return {name: amount for name, amount in missed.items() if amount > FEASIBLE}


def _answer(method: str, problem: Problem, limits: Limits) -> Found | None:
    """Ask one method; None where it fails."""
    covariance = problem.covariance
    if not limits.live.all():
        covariance = covariance[np.ix_(limits.live, limits.live)]
    if method in (MIN_VARIANCE, MIN_VARIANCE_CC):
        answer = minimise(program_of(limits, covariance, np.zeros(len(covariance))))
        return _solved(answer, limits, lambda w: float(w @ covariance @ w))
    if method == MEAN_VARIANCE:
        expected = np.asarray(problem.expected)[limits.live]
        cost = np.broadcast_to(problem.trade_cost, len(limits.live))[limits.live]
        curved = problem.risk_aversion * covariance
        answer = minimise(program_of(limits, curved, -expected, cost if cost.any() else None))
        return _solved(
            answer,
            limits,
            lambda w: float(0.5 * w @ curved @ w - expected @ w + cost @ np.abs(w - limits.current)),
        )
    wanted = _wanted(method, covariance)
    return None if wanted is None else _projected(wanted, limits)


def _wanted(method: str, covariance: Floats) -> Floats | None:
    """The weights a method asks for before any limit, in proportion; None where a name without variance has none."""
    variance = np.diag(covariance)
    if method == EQUAL_WEIGHT:
        return np.ones(len(variance))
    if not (variance > 0.0).all():
        return None
    if method == INVERSE_VOL:
        return np.asarray(1.0 / np.sqrt(variance))
    return hrp(covariance) if method == HRP else risk_parity(covariance)


def _projected(wanted: Floats, limits: Limits) -> Found | None:
    """The weights nearest to the wanted ones within the limits."""
    filled = _filled(wanted, limits)
    if keeps(limits, filled.weights, FEASIBLE):
        return filled
    wanted = limits.budget * wanted / wanted.sum()
    answer = minimise(program_of(limits, np.diag(1.0 / wanted), -np.ones(len(wanted))))
    return _solved(answer, limits, lambda w: float(0.5 * np.sum((w - wanted) ** 2 / wanted)))


def _filled(wanted: Floats, limits: Limits) -> Found:
    """The same within caps and sector caps alone: no solver, but the same proof."""
    wanted = limits.budget * wanted / wanted.sum()
    filled = fill(wanted, limits)
    program = program_of(limits.without((TURNOVER, EXPOSURES)), np.diag(1.0 / wanted), -np.ones(len(wanted)))
    proven = prove(program, filled.weights, np.array([1.0 - filled.level]), filled.level - filled.levels)
    distance = float(0.5 * np.sum((filled.weights - wanted) ** 2 / wanted))
    return Found(filled.weights, proven.gap, distance, is_closed_form=True)


def _solved(answer: Answer | None, limits: Limits, value: Callable[[Floats], float]) -> Found | None:
    """The weights of an answer; what follows them are sells."""
    if answer is None:
        return None
    weights = answer.x[: len(limits.cap)]
    return Found(weights, answer.gap, value(weights), is_closed_form=False)


def _check_mean_variance(problem: Problem) -> None:
    """Refuse what only mean-variance reads."""
    n = len(problem.covariance)
    if problem.expected is None or np.shape(problem.expected) != (n,) or not np.isfinite(problem.expected).all():
        raise ValueError(f"mean_variance needs one finite expected return a name, {n}")
    if not 0.0 < problem.risk_aversion < np.inf:
        raise ValueError(f"risk_aversion is {problem.risk_aversion}: above 0")
    cost = np.asarray(problem.trade_cost)
    if cost.shape not in ((), (n,)) or not (np.isfinite(cost).all() and (cost >= 0.0).all()):
        raise ValueError("trade_cost is one number, or one a name, none negative")

"""One decision of one portfolio: its sleeves filled, its core chosen and weighted within every limit, changes counted.

The order of steps: convictions, then the core (choose, solve, drop positions that are too small and solve again, leave
small changes alone), then the funds that take what the core could not.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tsq.quant.optimise import (
    CLOSED_FORM,
    EQUAL_WEIGHT,
    MEAN_VARIANCE,
    Solution,
    score_alpha,
    solve,
)
from tsq.quant.problem import TURNOVER, Problem
from tsq.quant.qp import FEASIBLE
from tsq.quant.selection import CAPACITY, Pool, Room, choose, leave_alone
from tsq.quant.windows import Windows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CORE, CONVICTION, FALLBACK = "core", "conviction", "fallback"
# why a name leaves, beside the reasons of selection
NOT_WEIGHTED, TOO_SMALL, NO_CANDIDATE = "not_weighted", "min_weight", "no_candidate"
CONVICTION_ENDED, CORE_FILLED = "conviction_ended", "core_filled"
FROZEN, CORE_UNFILLED = "frozen", "core_unfilled"  # why a name is in, beside those of selection
_LEFT = 1e-6  # weight the core leaves that is worth giving to a fund
_NEARLY = 1e-9


@dataclass(frozen=True)
class Terms:
    """What a portfolio asks for; weights are shares of its value. See sql/config/portfolios.yml.

    Attributes:
        exposures_low: least beta, size and momentum of the core, −inf for any.
        exposures_high: greatest.
        trade_cost: cost of trading one unit of weight, ratio.
        alpha_ic: correlation of scores with the returns that follow, for `mean_variance`.
        horizon: sessions until the next decision, over which a trade must pay.
    """

    optimiser: str
    top_n: int
    name_cap: float
    sector_cap: float
    look_back: int
    cash_buffer: float
    conviction_cap: float
    turnover_cap: float | None
    risk_aversion: float
    exit_rank: int | None
    incumbent_bonus: float
    no_trade_band: float
    min_weight: float
    max_correlation: float | None
    exposures_low: tuple[float, ...]
    exposures_high: tuple[float, ...]
    trade_cost: float
    alpha_ic: float
    horizon: int

    @property
    def bounded(self) -> Bools:
        """(k,) Which exposures have a limit."""
        return np.isfinite(self.exposures_low) | np.isfinite(self.exposures_high)

    def bands(self, exposures: Floats) -> Bands:
        """Write limits of exposures, (k, n), per rupee as limits of sums, which hold however much is invested."""
        low, high = np.array(self.exposures_low), np.array(self.exposures_high)
        above, below = np.isfinite(low), np.isfinite(high)
        nothing, any_low = np.zeros(above.sum()), np.full(below.sum(), -np.inf)
        return Bands(
            np.vstack([exposures[above] - low[above, None], exposures[below] - high[below, None]]),
            np.concatenate([nothing, any_low]),
            np.concatenate([np.full(len(nothing), np.inf), np.zeros(len(any_low))]),
        )


@dataclass(frozen=True, eq=False)
class Bands:
    """rows (m, n), what each name's exposure is above a limit; low and high (m,) of rows @ weights."""

    rows: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class Core:
    """Names that may be in the core, best first; one entry a name.

    Attributes:
        ids: securities.
        score: of the blend.
        standing: the score in standard deviations of all ranked names.
        sectors: codes; −1 is no sector.
        capacity: largest weight that capacity allows; inf for any.
        exposures: (k, n) beta, size, momentum; NaN where not known.
    """

    ids: Ints
    score: Floats
    standing: Floats
    sectors: Ints
    capacity: Floats
    exposures: Floats


@dataclass(frozen=True, eq=False)
class Beside:
    """Names of another sleeve in the order in which they are filled; `wanted` is inf for funds."""

    ids: Ints
    wanted: Floats
    sectors: Ints
    capacity: Floats


@dataclass(frozen=True)
class Held:
    """A name held before a decision: its drifted weight, and the sleeve it was bought for."""

    weight: float
    sleeve: str


@dataclass(frozen=True, eq=False)
class Decision:
    """What a portfolio wants: one entry a name it wants or gives up (weight 0), and how that was found.

    Attributes:
        ids: securities, ascending.
        weights: target; 0 for a name that leaves.
        drifted: weight before.
        sleeves: core, conviction or fallback; of a name that leaves, the one it was held for.
        reasons: why it is in, or why it leaves.
        status: of the optimiser, `Solution.status`.
        gap: of the optimiser.
        relaxed: limits that gave.
        turnover: Σ |weights − drifted|.
    """

    ids: Ints
    weights: Floats
    drifted: Floats
    sleeves: tuple[str, ...]
    reasons: tuple[str, ...]
    status: str
    gap: float
    relaxed: tuple[str, ...]
    turnover: float


@dataclass(frozen=True, eq=False)
class Weighted:
    """The core's answer: weights by name, why each name is in or out, and how much of the core's budget was left."""

    weights: dict[int, float]
    why: dict[int, str]
    left: float
    solution: Solution


def drift(held: Mapping[int, Held], growth: Mapping[int, float]) -> tuple[dict[int, Held], float]:
    """Let weights move with what became of the names; what is not in names is cash and earns nothing.

    Args:
        held: weights after the last decision, adding up to at most 1.
        growth: what a rupee in each name has become; a name that is not here has not moved.

    Returns:
        The weights now, and what a rupee in the portfolio has become, before costs.
    """
    values = {name: one.weight * growth.get(name, 1.0) for name, one in held.items()}
    total = 1.0 - sum(one.weight for one in held.values()) + sum(values.values())
    return {name: Held(value / total, held[name].sleeve) for name, value in values.items()}, total


def decide(
    terms: Terms,
    core: Core,
    convictions: Beside,
    funds: Beside,
    held: Mapping[int, Held],
    windows: Windows,
    n_sectors: int,
) -> Decision:
    """Decide what a portfolio wants.

    Args:
        terms: what it asks for.
        core: names its scores may choose.
        convictions: names that were written down; they are never in the core too.
        funds: what takes the weight the core cannot fill, by preference.
        held: what it holds, drifted.
        windows: returns known at the decision.
        n_sectors: sector codes there are.

    Returns:
        The weights wanted, with their reasons.
    """
    beside = _convictions(terms, convictions, held)
    used = np.zeros(n_sectors)
    for name, sector in zip(convictions.ids.tolist(), convictions.sectors.tolist(), strict=True):
        if sector >= 0:
            used[sector] += beside.get(name, 0.0)
    found = _core(terms, _without(core, convictions.ids), held, windows, used, beside)
    why = found.why | _why_not(terms, convictions, beside)
    rest = 1.0 - terms.cash_buffer - sum(beside.values()) - sum(found.weights.values())
    taken = _funds(terms, funds, held, min(found.left, rest), rest)

    wanted = {name: (weight, CONVICTION, CONVICTION) for name, weight in beside.items()}
    wanted |= {name: (weight, FALLBACK, CORE_UNFILLED) for name, weight in taken.items()}
    wanted |= {name: (weight, CORE, found.why[name]) for name, weight in found.weights.items()}
    for name, one in held.items():
        if name not in wanted:
            wanted[name] = (0.0, one.sleeve, _why_out(name, one, why, set(convictions.ids.tolist())))
    ids = np.array(sorted(wanted), dtype=np.int64)
    weights = np.array([wanted[name][0] for name in ids.tolist()])
    drifted = np.array([held[name].weight if name in held else 0.0 for name in ids.tolist()])
    return Decision(
        ids=ids,
        weights=weights,
        drifted=drifted,
        sleeves=tuple(wanted[name][1] for name in ids.tolist()),
        reasons=tuple(wanted[name][2] for name in ids.tolist()),
        status=found.solution.status,
        gap=found.solution.gap,
        relaxed=found.solution.relaxed,
        turnover=float(np.abs(weights - drifted).sum()),
    )


def _why_not(terms: Terms, convictions: Beside, beside: Mapping[int, float]) -> dict[int, str]:
    """Why convictions in force get no weight."""
    least = max(terms.min_weight, _NEARLY)
    named = zip(convictions.ids.tolist(), convictions.capacity.tolist(), strict=True)
    return {name: CAPACITY if capacity < least else TOO_SMALL for name, capacity in named if name not in beside}


def _why_out(name: int, held: Held, why: Mapping[int, str], written: Set[int]) -> str:
    if name in why and (held.sleeve != CONVICTION or name in written):
        return why[name]
    return {CONVICTION: CONVICTION_ENDED, FALLBACK: CORE_FILLED}.get(held.sleeve, NO_CANDIDATE)


def _weights_now(ids: Ints, held: Mapping[int, Held]) -> Floats:
    return np.array([held[name].weight if name in held else 0.0 for name in ids.tolist()], dtype=np.float64)


def _without(core: Core, ids: Ints) -> Core:
    return _of_core(core, ~np.isin(core.ids, ids)) if len(ids) else core


def _of_core(core: Core, which: Bools | Ints) -> Core:
    return Core(
        core.ids[which],
        core.score[which],
        core.standing[which],
        core.sectors[which],
        core.capacity[which],
        core.exposures[:, which],
    )


def _convictions(terms: Terms, convictions: Beside, held: Mapping[int, Held]) -> dict[int, float]:
    """Weights of what was written down: within name cap and capacity, and in proportion within the sleeve's cap."""
    upper = np.minimum(terms.name_cap, convictions.capacity)
    weights = np.minimum(convictions.wanted, upper)
    if (total := float(weights.sum())) > terms.conviction_cap:
        weights = weights * (terms.conviction_cap / total)
    weights = np.where(weights < terms.min_weight, 0.0, weights)
    room = Room(upper, terms.conviction_cap, convictions.sectors, np.zeros(0), *_no_exposures(len(weights)))
    weights = leave_alone(weights, _weights_now(convictions.ids, held), terms.no_trade_band, room)
    return {
        name: weight for name, weight in zip(convictions.ids.tolist(), weights.tolist(), strict=True) if weight > 0.0
    }


def _no_exposures(n: int) -> tuple[Floats, Floats, Floats]:
    return np.zeros((0, n)), np.zeros(0), np.zeros(0)


def _core(
    terms: Terms,
    core: Core,
    held: Mapping[int, Held],
    windows: Windows,
    used: Floats,
    beside: Mapping[int, float],
) -> Weighted:
    """Choose the core's names and find their weights."""
    budget = 1.0 - terms.cash_buffer - sum(beside.values())
    part = min(budget / terms.top_n, terms.name_cap)
    current = _weights_now(core.ids, held)
    looks = terms.optimiser != EQUAL_WEIGHT
    is_known: Bools = np.all(np.isfinite(core.exposures[terms.bounded]), axis=0)
    correlation = None
    if looks or terms.max_correlation is not None:
        is_known = is_known & windows.usable(core.ids, terms.look_back)
        if terms.max_correlation is not None:
            correlation = windows.correlation(core.ids, terms.look_back)
    sector_cap = np.maximum(terms.sector_cap - used, 0.0)
    pool = Pool(
        score=core.score,
        is_held=current > 0.0,
        sectors=core.sectors,
        is_known=is_known,
        has_room=np.minimum(core.capacity, terms.name_cap) >= max(terms.min_weight, _NEARLY),
    )
    choice = choose(
        pool,
        terms.top_n,
        # a hair above, so that 0.30 / 0.10 is three names
        slots=np.floor(sector_cap / part + _NEARLY).astype(np.int64),
        incumbent_bonus=terms.incumbent_bonus,
        exit_rank=terms.exit_rank,
        correlation=correlation,
        max_correlation=np.inf if terms.max_correlation is None else terms.max_correlation,
    )
    why = dict(zip(core.ids.tolist(), choice.why.tolist(), strict=True))
    # equal parts of what there is, whether or not there are names enough: the rest is cash, not larger positions
    total = part * len(choice.names)

    frozen = choice.names[~is_known[choice.names]]
    fixed = np.minimum(current[frozen], np.minimum(core.capacity[frozen], terms.name_cap))
    sector_cap = sector_cap.copy()
    for code in np.unique(core.sectors[frozen][core.sectors[frozen] >= 0]):
        of_sector = core.sectors[frozen] == code
        fixed[of_sector] *= min(1.0, sector_cap[code] / max(fixed[of_sector].sum(), _NEARLY))
    fixed *= min(1.0, total / fixed.sum()) if len(frozen) else 1.0
    weights = dict(zip(core.ids[frozen].tolist(), fixed.tolist(), strict=True))
    why |= dict.fromkeys(weights, FROZEN)
    np.subtract.at(sector_cap, core.sectors[frozen][core.sectors[frozen] >= 0], fixed[core.sectors[frozen] >= 0])

    names = np.sort(choice.names[is_known[choice.names]])
    outside = sum(one.weight for name, one in held.items() if one.sleeve != FALLBACK and name not in beside)
    outside += sum(abs(weight - (held[name].weight if name in held else 0.0)) for name, weight in beside.items())
    outside -= sum(weights.values())
    is_first = all(one.sleeve == FALLBACK and name not in beside for name, one in held.items())
    solved, solution = _solved(
        replace(terms, turnover_cap=None) if is_first else terms,  # the first purchase is not turnover
        _of_core(core, names),
        current[names],
        total - float(fixed.sum()),
        np.maximum(sector_cap, 0.0),
        outside,
        windows,
    )
    for name, weight, is_small in zip(core.ids[names].tolist(), solved.weights, solved.is_small, strict=True):
        if weight > 0.0:
            weights[name] = weight
        else:
            why[name] = TOO_SMALL if is_small else NOT_WEIGHTED
    return Weighted(weights, why, budget - solved.filled - float(fixed.sum()), solution)


@dataclass(frozen=True, eq=False)
class _Solved:
    """Weights, which names were given up as too small, and the sum before small changes were left alone."""

    weights: list[float]
    is_small: list[bool]
    filled: float


def _solved(
    terms: Terms, core: Core, current: Floats, budget: float, sector_cap: Floats, outside: float, windows: Windows
) -> tuple[_Solved, Solution]:
    """Solve for the chosen names; drop positions below the least weight and solve for the rest, until none is."""
    n = len(core.ids)
    weights, is_small, alive = np.zeros(n), np.zeros(n, np.bool_), np.arange(n)
    solution = _nothing(terms, outside)
    while len(alive) and budget > _NEARLY:
        most = min(budget, terms.name_cap * len(alive))
        solution = _answer(
            terms,
            _of_core(core, alive),
            current[alive],
            most,
            sector_cap,
            outside - float(current[alive].sum()),
            windows,
        )
        small = (solution.weights > 0.0) & (solution.weights < terms.min_weight - _NEARLY)
        if not small.any():
            weights[alive] = solution.weights
            break
        is_small[alive[small]] = True
        alive = alive[~small]
    filled = float(weights.sum())
    if not filled > 0.0:
        solution = _nothing(terms, outside)
    else:
        bands = terms.bands(core.exposures)
        room = Room(
            np.minimum(terms.name_cap, core.capacity),
            filled,
            core.sectors,
            sector_cap,
            bands.rows,
            bands.low,
            bands.high,
        )
        weights = leave_alone(weights, current, terms.no_trade_band, room)
    return _Solved(weights.tolist(), is_small.tolist(), filled), solution


def _nothing(terms: Terms, sold: float) -> Solution:
    """The answer where no name is left to solve for: what is sold counts as turnover all the same."""
    over = 0.0 if terms.turnover_cap is None else sold - terms.turnover_cap
    if over <= FEASIBLE:
        return Solution(np.zeros(0), CLOSED_FORM, 0.0, (), 0.0)
    return Solution(np.zeros(0), f"relaxed:{TURNOVER}", 0.0, (TURNOVER,), 0.0, (over,))


def _answer(
    terms: Terms, core: Core, current: Floats, budget: float, sector_cap: Floats, outside: float, windows: Windows
) -> Solution:
    """Ask the optimiser for the weights of some names."""
    n = len(core.ids)
    bands = terms.bands(core.exposures)
    covariance, expected = np.eye(n), None
    if terms.optimiser != EQUAL_WEIGHT:
        covariance = windows.covariance(terms.optimiser, core.ids, terms.look_back)
    if terms.optimiser == MEAN_VARIANCE:
        volatility = np.sqrt(np.diag(covariance) * terms.horizon)
        expected = score_alpha(core.standing, volatility, terms.alpha_ic) / terms.horizon
    return solve(
        terms.optimiser,
        Problem(
            covariance=covariance,
            upper=terms.name_cap,
            capacity=core.capacity,
            current=current,
            outside=max(outside, 0.0),
            expected=expected,
            sectors=core.sectors,
            sector_cap=sector_cap if len(sector_cap) else 1.0,
            exposures=bands.rows,
            exposures_low=bands.low,
            exposures_high=bands.high,
            budget=budget,
            turnover_cap=terms.turnover_cap,
            trade_cost=terms.trade_cost / terms.horizon,
            risk_aversion=terms.risk_aversion,
        ),
    )


def _funds(terms: Terms, funds: Beside, held: Mapping[int, Held], left: float, rest: float) -> dict[int, float]:
    """Give what the core could not fill to the funds, each as far as capacity goes, the preferred first."""
    taken: dict[int, float] = {}
    for name, capacity in zip(funds.ids.tolist(), funds.capacity.tolist(), strict=True):
        weight = min(left, capacity)
        if weight < max(terms.min_weight, _LEFT):
            continue
        now = held[name].weight if name in held else 0.0
        if 0.0 < now <= min(rest, capacity) and abs(weight - now) < terms.no_trade_band:
            weight = now
        taken[name] = weight
        left, rest = left - weight, rest - weight
    return taken

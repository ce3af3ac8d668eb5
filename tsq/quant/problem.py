"""What an optimiser is asked: names, their covariance, and every limit the weights must keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tsq.quant.qp import Program

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

TURNOVER, EXPOSURES, PARTICIPATION, SECTOR, BUDGET = "turnover", "exposures", "participation", "sector", "budget"
LIMITS = (TURNOVER, EXPOSURES, PARTICIPATION, SECTOR, BUDGET)
RELAX = (TURNOVER, EXPOSURES, BUDGET)
_UNTAGGED = ""
_INDEFINITE = 1e-9
_TINY = 1e-300  # so that a matrix of zeros passes: nothing moved


@dataclass(frozen=True, eq=False)
class Problem:
    """Names and limits, as numpy arrays in one order of names; weights are shares of the portfolio's value.

    Args:
        covariance: (n, n) of returns per session, symmetric, positive semidefinite, no NaN.
        upper: (n,) or one number: the name cap. Never relaxed. A name with 0 is left out.
        lower: (n,) or one number, ≥ 0: the least weight. Never relaxed.
        capacity: (n,) or None: the largest weight that participation in the traded value allows; 0 is left out.
        current: (n,) or None: weights held now, drifted; None is nothing held.
        outside: weight held now in names that are not among the n: it is sold, and counts as turnover.
        expected: (n,) or None: expected return per session, decimal; `mean_variance` needs it.
        sectors: (n,) integer codes or None; −1 is no sector, which no cap counts.
        sector_cap: the largest weight of a sector: one for all, or (n_codes,) one for each code.
        exposures: (k, n) or None, no NaN: for each exposure (beta, size, …) its value per unit of weight.
        exposures_low: (k,) or None: least exposure of the portfolio, −inf for none.
        exposures_high: (k,) or None: largest exposure of the portfolio, inf for none.
        budget: sum of the weights: 1 less the cash buffer.
        turnover_cap: the largest Σ |weight − current|, sells of `outside` included (2 replaces everything); None is
            none. Leave it out where nothing is held yet: the first purchase is not turnover.
        trade_cost: (n,) or one number: cost of trading one unit of weight; counted by `mean_variance`.
        risk_aversion: λ > 0 in `mean_variance`: expected'w − λ/2 w'Σw − costs.
        relax: limits that may be loosened where nothing keeps them all, the first before the second and so on, out of
            `LIMITS`. By default cash comes last, and participation and sector caps are never loosened.
    """

    covariance: Floats
    upper: Floats | float = 1.0
    lower: Floats | float = 0.0
    capacity: Floats | None = None
    current: Floats | None = None
    outside: float = 0.0
    expected: Floats | None = None
    sectors: Ints | None = None
    sector_cap: Floats | float = 1.0
    exposures: Floats | None = None
    exposures_low: Floats | None = None
    exposures_high: Floats | None = None
    budget: float = 1.0
    turnover_cap: float | None = None
    trade_cost: Floats | float = 0.0
    risk_aversion: float = 1.0
    relax: tuple[str, ...] = RELAX


@dataclass(frozen=True, eq=False)
class Limits:
    """The limits of a problem over the names that may be held, every array filled in.

    live (n_all,) marks those names; row j of `groups` is the j-th capped sector, as a mask, and entry j of `sector_cap`
    its cap; `sold` is what is held in names that may not be.
    """

    live: Bools
    cap: Floats
    lower: Floats
    capacity: Floats
    current: Floats
    sold: float
    groups: Bools
    sector_cap: Floats
    exposures: Floats
    exposures_low: Floats
    exposures_high: Floats
    budget: float
    turnover_cap: float

    @property
    def upper(self) -> Floats:
        """The lower of name cap and participation."""
        return np.minimum(self.cap, self.capacity)

    @property
    def attainable(self) -> float:
        """The largest sum of weights that name caps, participation and sector caps allow."""
        upper = self.upper
        in_groups = np.minimum(self.groups @ upper, self.sector_cap).sum()
        return float(in_groups + upper[~self.groups.any(axis=0)].sum())

    def loosened(self, amounts: Mapping[str, float]) -> Limits:
        """The limits with some of them wider by an amount (participation: by a share of itself)."""
        return replace(
            self,
            turnover_cap=self.turnover_cap + amounts.get(TURNOVER, 0.0),
            exposures_low=self.exposures_low - amounts.get(EXPOSURES, 0.0),
            exposures_high=self.exposures_high + amounts.get(EXPOSURES, 0.0),
            capacity=self.capacity * (1.0 + amounts.get(PARTICIPATION, 0.0)),
            sector_cap=self.sector_cap + amounts.get(SECTOR, 0.0),
            budget=self.budget - amounts.get(BUDGET, 0.0),
        )

    def without(self, names: tuple[str, ...]) -> Limits:
        """The limits with some of them left out; the budget always stays."""
        nothing = np.full(len(self.exposures), np.inf)
        return replace(
            self,
            turnover_cap=np.inf if TURNOVER in names else self.turnover_cap,
            exposures_low=-nothing if EXPOSURES in names else self.exposures_low,
            exposures_high=nothing if EXPOSURES in names else self.exposures_high,
            capacity=np.full_like(self.cap, np.inf) if PARTICIPATION in names else self.capacity,
            sector_cap=np.full_like(self.sector_cap, np.inf) if SECTOR in names else self.sector_cap,
        )


def limits_of(problem: Problem) -> Limits:
    """Check a problem and fill in what it leaves out.

    Raises:
        ValueError: a NaN, shapes that differ, a limit that contradicts itself; names the field and the name's place.
    """
    n = len(problem.covariance)
    _refuse(n == 0, "a problem needs at least one name")
    _refuse(problem.covariance.shape != (n, n), f"covariance is not square: {problem.covariance.shape}")
    _finite("covariance", problem.covariance)
    _refuse(not _is_covariance(problem.covariance), "covariance is not symmetric, or has a negative direction")
    cap, lower = _each("upper", problem.upper, n), _each("lower", problem.lower, n)
    capacity = np.full(n, np.inf) if problem.capacity is None else _each("capacity", problem.capacity, n)
    current = np.zeros(n) if problem.current is None else _each("current", problem.current, n)
    for name, values in (("lower", lower), ("capacity", capacity), ("current", current)):
        _refuse(bool((values < 0.0).any()), f"{name} is negative for name {int(np.argmin(values))}")
    upper = np.minimum(cap, capacity)
    _refuse(bool((lower > upper).any()), f"lower is above the cap of name {int(np.argmax(lower - upper))}")
    _refuse(not 0.0 < problem.budget < np.inf, f"budget is {problem.budget}: above 0")
    _refuse(float(lower.sum()) > problem.budget, f"lower adds up to {lower.sum():g}, budget is {problem.budget:g}")
    unknown = sorted(set(problem.relax) - set(LIMITS))
    _refuse(bool(unknown), f"relax names {unknown}: choose from {LIMITS}")
    cap = np.minimum(cap, problem.budget)

    groups, sector_cap = np.zeros((0, n), dtype=np.bool_), np.zeros(0)
    if problem.sectors is not None and float(np.min(problem.sector_cap)) < problem.budget:
        _refuse(problem.sectors.shape != (n,), f"sectors is {problem.sectors.shape}: one code a name")
        codes = np.unique(problem.sectors[problem.sectors >= 0])
        groups = problem.sectors[None, :] == codes[:, None]
        caps = np.asarray(problem.sector_cap, dtype=np.float64)
        _refuse(bool(np.isnan(caps).any()), "sector_cap is missing")
        _refuse(caps.ndim > 0 and len(caps) <= codes.max(initial=-1), "sector_cap: one number, or one a code")
        sector_cap = caps[codes] if caps.ndim else np.full(len(codes), float(caps))
        _refuse(bool((groups @ lower > sector_cap).any()), "lower adds up to more than the cap of a sector")

    exposures = np.zeros((0, n)) if problem.exposures is None else np.asarray(problem.exposures, dtype=np.float64)
    _refuse(exposures.ndim != 2 or exposures.shape[1] != n, f"exposures is {exposures.shape}: one column a name")
    _finite("exposures", exposures)
    k = len(exposures)
    bottom = np.full(k, -np.inf) if problem.exposures_low is None else np.asarray(problem.exposures_low, dtype=float)
    top = np.full(k, np.inf) if problem.exposures_high is None else np.asarray(problem.exposures_high, dtype=float)
    _refuse(bottom.shape != (k,) or top.shape != (k,), "exposures_low and exposures_high: one number an exposure")
    _refuse(bool((~(bottom <= top)).any()), "exposures_low is above exposures_high")
    turnover = np.inf if problem.turnover_cap is None else problem.turnover_cap
    _refuse(not turnover >= 0.0, f"turnover_cap is {turnover}")

    live = upper > 0.0
    is_capped = groups[:, live].any(axis=1) & (sector_cap < problem.budget)
    return Limits(
        live=live,
        cap=cap[live],
        lower=lower[live],
        capacity=capacity[live],
        current=current[live],
        sold=problem.outside + float(current[~live].sum()),
        groups=groups[is_capped][:, live],
        sector_cap=sector_cap[is_capped],
        exposures=exposures[:, live],
        exposures_low=bottom,
        exposures_high=top,
        budget=problem.budget,
        turnover_cap=turnover,
    )


@dataclass(frozen=True, eq=False)
class Rows:
    """Limits as rows of a program over x = (weights, sells of `held`): G x ≤ h; `kind` says which limit each is."""

    held: Ints
    g: Floats
    h: Floats
    kind: NDArray[np.str_]


def rows_of(limits: Limits, *, counts_trades: bool = False) -> Rows:
    """Write the limits as rows.

    Σ|w − current| is Σw − Σcurrent + 2 Σ sells, so that only names held now need a second variable.

    Args:
        limits: the limits.
        counts_trades: whether the sells are needed though turnover has no cap.

    Returns:
        Rows over n + n_held variables. A sell is at least current − weight.
    """
    n = len(limits.cap)
    is_bounded = np.isfinite(limits.turnover_cap)
    held = np.flatnonzero(limits.current > limits.lower) if is_bounded or counts_trades else np.zeros(0, dtype=np.int64)
    m = len(held)
    parts: list[tuple[str, Floats, Floats]] = []
    is_capped = np.isfinite(limits.sector_cap)
    parts.append((SECTOR, _wide(limits.groups[is_capped], m), limits.sector_cap[is_capped]))
    for sign, edge in ((1.0, limits.exposures_high), (-1.0, -limits.exposures_low)):
        real = np.isfinite(edge)
        parts.append((EXPOSURES, _wide(sign * limits.exposures[real], m), edge[real]))
    if m:
        sells = np.zeros((m, n + m))
        sells[np.arange(m), held] = sells[np.arange(m), n + np.arange(m)] = -1.0
        parts.append((_UNTAGGED, sells, -limits.current[held]))
    if is_bounded:
        turnover = np.concatenate([np.ones(n), np.full(m, 2.0)])[None, :]
        rest = limits.turnover_cap + float(limits.current.sum()) - limits.sold
        # Names held at their lower bound are never sold: what they hold is in Σw already.
        parts.append((TURNOVER, turnover, np.array([rest])))
    return Rows(
        held=held,
        g=np.vstack([np.zeros((0, n + m)), *(g for _, g, _ in parts)]),
        h=np.concatenate([np.zeros(0), *(h for _, _, h in parts)]),
        kind=np.concatenate([np.zeros(0, dtype="<U12"), *(np.full(len(h), kind) for kind, _, h in parts)]),
    )


def program_of(limits: Limits, p: Floats, c: Floats, cost: Floats | None = None) -> Program:
    """The program that minimises ½ w'Pw + c'w + Σ cost |w − current| within the limits.

    Args:
        limits: over n names.
        p: (n, n); c: (n,).
        c: the slope.
        cost: (n,) or None, per unit of weight traded.

    Returns:
        A program over the weights, then the sells.
    """
    n = len(limits.cap)
    rows = rows_of(limits, counts_trades=cost is not None)
    m = len(rows.held)
    full = np.zeros((n + m, n + m))
    full[:n, :n] = p
    slope = np.concatenate([c, np.zeros(m)])
    if cost is not None:
        slope[:n] += cost
        slope[n:] = 2.0 * cost[rows.held]
    return Program(
        p=full,
        c=slope,
        a=np.concatenate([np.ones(n), np.zeros(m)])[None, :],
        b=np.array([limits.budget]),
        g=rows.g,
        h=rows.h,
        low=np.concatenate([limits.lower, np.zeros(m)]),
        high=np.concatenate([limits.upper, (limits.current - limits.lower)[rows.held]]),
    )


def turnover_of(limits: Limits, weights: Floats) -> float:
    """Σ |weight − current|, with what is sold outside; weights of the names of the limits."""
    return float(np.abs(weights - limits.current).sum()) + limits.sold


def keeps(limits: Limits, weights: Floats, slack: float) -> bool:
    """Whether weights keep turnover and exposures; the other limits are kept by construction where this is asked."""
    exposed = limits.exposures @ weights
    return bool(
        turnover_of(limits, weights) <= limits.turnover_cap + slack
        and (exposed <= limits.exposures_high + slack).all()
        and (exposed >= limits.exposures_low - slack).all()
    )


def _is_covariance(matrix: Floats) -> bool:
    """Whether a matrix is symmetric and positive semidefinite, to 1e-9 of its mean variance."""
    unit = float(np.abs(np.diag(matrix)).mean())
    if np.abs(matrix - matrix.T).max() > _INDEFINITE * unit:
        return False
    try:
        np.linalg.cholesky(matrix + max(_INDEFINITE * unit, _TINY) * np.eye(len(matrix)))
    except np.linalg.LinAlgError:
        return False
    return True


def _wide(rows: Floats | Bools, m: int) -> Floats:
    """Rows over weights, with m columns of zeros for the sells."""
    return np.hstack([rows.astype(np.float64), np.zeros((len(rows), m))])


def _each(name: str, values: Floats | float, n: int) -> Floats:
    """One number a name."""
    full = np.broadcast_to(np.asarray(values, dtype=np.float64), (n,)) if np.ndim(values) == 0 else np.asarray(values)
    _refuse(full.shape != (n,), f"{name} is {full.shape}: one number a name, {n}")
    bad = np.isnan(full)
    _refuse(bool(bad.any()), f"{name} is missing for name {int(np.argmax(bad))}")
    return full.astype(np.float64)


def _finite(name: str, values: Floats) -> None:
    """Refuse NaN and infinity."""
    bad = ~np.isfinite(values)
    if bad.any():
        raise ValueError(f"{name} is missing or infinite at {tuple(int(i) for i in np.argwhere(bad)[0])}")


def _refuse(wrong: bool, what: str) -> None:
    """Raise with what is wrong."""
    if wrong:
        raise ValueError(what)

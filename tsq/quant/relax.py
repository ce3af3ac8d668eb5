"""How much the limits must give where no weights keep them all: as little as can be, in a declared order.

These are linear programs whose feasible set is often a single point. HiGHS' simplex walks along such corners, where an
interior point finds no inside.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tsq.quant.problem import (
    BUDGET,
    EXPOSURES,
    PARTICIPATION,
    SECTOR,
    TURNOVER,
    Limits,
    program_of,
    rows_of,
)
from tsq.quant.qp import FEASIBLE, Program

ROOM = 1e-6  # given beyond the least amount, relative: so that a solver finds an inside


def amounts(limits: Limits, order: tuple[str, ...]) -> dict[str, float] | None:
    """Find the least loosening that makes the limits possible.

    Limits later in the order are worth more. The shortest head of the order is found without which the rest can be
    kept; the last of this head gives as little as possible, then the one before it as little as that allows, and so on.

    Args:
        limits: what cannot be kept together.
        order: names of limits, the one to give first first.

    Returns:
        Limit → by how much it is loosened (turnover, sector and budget in weight, exposures in their unit,
        participation as a share of itself), only those that give; None where no head of the order helps.
    """
    for place, what in enumerate(order):
        found = _least(limits, what, order[:place]) if _most(limits, what) > 0.0 else None
        if found is None:
            continue
        given = {what: found}
        for earlier in reversed(range(place)):
            least = _least(limits.loosened(given), order[earlier], order[:earlier])
            if least is None:
                return None
            given[order[earlier]] = least
        return {name: given[name] for name in order if given.get(name, 0.0) > 0.0}
    return None


def _least(limits: Limits, what: str, ignored: tuple[str, ...]) -> float | None:
    """The smallest amount by which one limit must give while some are ignored; None where no amount helps."""
    rest = limits.without(ignored)
    most = _most(rest, what)
    if most <= 0.0:
        return 0.0
    if what != BUDGET and rest.loosened({what: most}).attainable < rest.budget - FEASIBLE:
        return None
    from scipy.optimize import linprog  # half a second to load, for what few rebalances need

    program = _elastic(rest, what, most)
    solved = linprog(
        program.c,
        A_ub=program.g,
        b_ub=program.h,
        A_eq=program.a,
        b_eq=program.b,
        bounds=np.column_stack([program.low, program.high]),
        method="highs",
        options={"primal_feasibility_tolerance": FEASIBLE, "dual_feasibility_tolerance": FEASIBLE},
    )
    if solved.x is None:
        return None
    amount = float(solved.x[-1])
    return amount * (1.0 + ROOM) + 1e-3 * ROOM if amount > FEASIBLE else 0.0


def _most(limits: Limits, what: str) -> float:
    """An amount beyond which giving more changes nothing; 0 where the limit limits nothing."""
    if what == TURNOVER:
        reach = limits.budget + float(limits.current.sum()) + limits.sold
        return max(reach - limits.turnover_cap, 0.0) if np.isfinite(limits.turnover_cap) else 0.0
    if what == EXPOSURES:
        edges = np.concatenate([limits.exposures_low, limits.exposures_high])
        edges = edges[np.isfinite(edges)]
        if not len(edges):
            return 0.0
        return float(np.abs(limits.exposures).max(initial=0.0) * limits.budget + np.abs(edges).max()) + 1.0
    if what == PARTICIPATION:
        scarce = limits.capacity < limits.cap
        return float((limits.cap[scarce] / limits.capacity[scarce]).max(initial=0.0))
    if what == SECTOR:
        return max(limits.budget - float(limits.sector_cap.min()), 0.0) if len(limits.groups) else 0.0
    return limits.budget - float(limits.lower.sum())


def _elastic(limits: Limits, what: str, most: float) -> Program:
    """The program that minimises the amount by which one limit gives: the amount is the last variable."""
    n = len(limits.cap)
    tight = program_of(limits, np.zeros((n, n)), np.zeros(n))
    rows = rows_of(limits)
    size = len(tight.c) + 1
    g, h, high = tight.g, tight.h, tight.high.copy()
    gives = -(rows.kind == what).astype(np.float64)
    if what == PARTICIPATION:
        scarce = np.flatnonzero(limits.capacity < limits.cap)
        own = np.zeros((len(scarce), size - 1))
        own[np.arange(len(scarce)), scarce] = 1.0
        high[:n] = limits.cap
        g, h = np.vstack([g, own]), np.concatenate([h, limits.capacity[scarce]])
        gives = np.concatenate([gives, -limits.capacity[scarce]])
    return replace(
        tight,
        p=np.zeros((size, size)),
        c=np.concatenate([np.zeros(size - 1), [1.0]]),
        a=np.hstack([tight.a, [[float(what == BUDGET)]]]),
        g=np.hstack([g, gives[:, None]]),
        h=h,
        low=np.concatenate([tight.low, [0.0]]),
        high=np.concatenate([high, [most]]),
    )

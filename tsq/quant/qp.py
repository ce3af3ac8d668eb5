"""Convex quadratic programs: solved by PIQP, polished on the active set, and proven by a bound of our own.

A solver's word is not taken for it: `minimise` computes, from any multipliers at all, a lower bound that holds for
every feasible point, and says how far above it the answer lies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import piqp
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Signs = NDArray[np.int8]

GAP = 1e-8  # relative: what counts as solved
FEASIBLE = 1e-9  # the most by which a limit may be missed, in the unit of the limit
_SOLVER_EPS = (1e-10, 1e-14)  # the second only where the first is not enough
_SOLVER_STEPS = 100
_POLISHES = 12  # changes of the active set, at most
_NEARLY = 1e-13
_HEDGED = 1e-4
_STILL = 1e-11  # a variable that can move by less is still
_PART = 120  # variables solved for at first


@dataclass(frozen=True, eq=False)
class Program:
    """Minimise ½ x'Px + c'x over A x = b, G x ≤ h, low ≤ x ≤ high.

    p is (n, n), symmetric, positive semidefinite; c, low and high (n,), the bounds finite; a (m, n), b (m,);
    g (k, n), h (k,).
    """

    p: Floats
    c: Floats
    a: Floats
    b: Floats
    g: Floats
    h: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class Answer:
    """A point, its relative optimality gap, the largest missed limit, and the multipliers that prove the gap."""

    x: Floats
    gap: float
    missed: float
    y: Floats
    z: Floats

    @property
    def is_solved(self) -> bool:
        """Whether the point is feasible to `FEASIBLE` and optimal to `GAP`."""
        return self.gap <= GAP and self.missed <= FEASIBLE


def objective(program: Program, x: Floats) -> float:
    """½ x'Px + c'x."""
    return float(0.5 * x @ program.p @ x + program.c @ x)


def prove(program: Program, x: Floats, y: Floats, z: Floats) -> Answer:
    """Say how good a point is.

    The gradient's plane lies below the objective, and over a box any multipliers y and z ≥ 0 bound that plane from
    below. The gap is the distance to this bound, relative to x'Px + |c|'|x|, the sizes of what the objective adds up
    (where names hedge each other away, to 1e-4 of what x'Px would be without correlation); it never understates.

    Args:
        program: what x is to minimise.
        x: (n,) the point.
        y: (m,) multipliers of A x = b.
        z: (k,) multipliers of G x ≤ h; what is negative is read as zero.

    Returns:
        The point with its gap and the most it misses a limit by.

    Source:
        Boyd & Vandenberghe (2004), Convex Optimization, 5.1.3 (weak duality) and 3.1.3 (first-order condition).
    """
    z = np.maximum(z, 0.0)
    px = program.p @ x
    slope = px + program.c
    reduced = slope + program.a.T @ y + program.g.T @ z
    bound = -program.b @ y - program.h @ z + np.minimum(reduced * program.low, reduced * program.high).sum()
    size = max(x @ px, _HEDGED * (x**2 @ np.diag(program.p))) + np.abs(program.c) @ np.abs(x)
    gap = max(float(slope @ x - bound), 0.0) / float(size) if size > 0.0 else 0.0
    missed = max(
        float(np.max(np.abs(program.a @ x - program.b), initial=0.0)),
        float(np.max(program.g @ x - program.h, initial=0.0)),
        float(np.max(program.low - x, initial=0.0)),
        float(np.max(x - program.high, initial=0.0)),
    )
    return Answer(x, gap, missed, y, z)


def minimise(program: Program) -> Answer | None:
    """Solve a program.

    Variables that cannot move are taken out first, the objective is scaled to a mean curvature of one, and what the
    interior point leaves is settled exactly on its active set.

    Args:
        program: what to minimise; its bounds are finite.

    Returns:
        The answer, proven to `GAP` and `FEASIBLE`; None where the solver found none (infeasible, or failed).
    """
    loose = program.high > program.low + _STILL
    if not loose.any():
        answer = prove(program, program.low.copy(), np.zeros(len(program.b)), np.zeros(len(program.h)))
        return replace(answer, gap=0.0) if answer.missed <= FEASIBLE else None
    small = _scaled(program if loose.all() else _over(program, loose))
    best = _by_parts(small) if len(small.c) > _PART else _settled(small)
    if best is None:
        return None
    x = program.low.copy()
    x[loose] = best.x
    return replace(best, x=x)


def _by_parts(program: Program) -> Answer | None:
    """Solve over the variables that promise most, the others on their lower bounds, and take in those that pull.

    Most names of a long-only minimum variance are out, and an interior point pays for all of them cubed. The proof is
    over all variables; where a part has no answer, or most of the rest pulls, the whole is solved at once.
    """
    n = len(program.c)
    start = program.low + (program.high - program.low) / n
    part = np.zeros(n, dtype=np.bool_)
    part[np.argsort(program.p @ start + program.c, kind="stable")[:_PART]] = True
    # What alone can keep a row that the lower bounds break (a held name, and its sell) is in from the start.
    ties = ((program.g != 0.0).sum(axis=1) <= 2) & (program.g @ program.low > program.h)
    part |= (program.g[ties] < 0.0).any(axis=0)
    while part.sum() < n:
        best = _settled(_over(program, part))
        if best is None:
            break
        x = program.low.copy()
        x[part] = best.x
        proven = prove(program, x, best.y, best.z)
        if proven.is_solved:
            return proven
        reduced = program.p @ x + program.c + program.a.T @ best.y + program.g.T @ np.maximum(best.z, 0.0)
        pulls = ~part & (reduced < 0.0)
        if not pulls.any() or pulls.sum() > n // 4:
            break
        part |= pulls
    return _settled(program)


def _settled(program: Program) -> Answer | None:
    """The interior point's answer, polished; None unless it is proven."""
    for eps in _SOLVER_EPS:
        start = _interior(program, eps)
        if start is None:
            return None
        exact = _polished(program, start)
        if exact is not None and exact.is_solved:
            return exact
        if start.is_solved:
            return start
    return None


def _over(program: Program, loose: Bools) -> Program:
    """The program over some of its variables, the others on their lower bounds."""
    still = program.low[~loose]
    return Program(
        p=program.p[np.ix_(loose, loose)],
        c=program.c[loose] + program.p[np.ix_(loose, ~loose)] @ still,
        a=program.a[:, loose],
        b=program.b - program.a[:, ~loose] @ still,
        g=program.g[:, loose],
        h=program.h - program.g[:, ~loose] @ still,
        low=program.low[loose],
        high=program.high[loose],
    )


def _scaled(program: Program) -> Program:
    """The objective divided by the mean of P's diagonal, or by the largest slope where P is zero.

    Daily covariances are 1e-4: stopping rules in absolute numbers would stop on them at once.
    """
    curved = np.diag(program.p)
    curved = curved[curved > 0.0]
    unit = float(curved.mean()) if len(curved) else float(np.abs(program.c).max(initial=0.0))
    return replace(program, p=program.p / unit, c=program.c / unit) if unit > 0.0 else program


def _interior(program: Program, eps: float) -> Answer | None:
    """The interior point's last word, clipped to the box, solved or not; None where it says infeasible, or is NaN."""
    solver = piqp.DenseSolver()
    solver.settings.eps_abs = solver.settings.eps_rel = eps
    solver.settings.eps_duality_gap_abs = solver.settings.eps_duality_gap_rel = eps
    solver.settings.max_iter = _SOLVER_STEPS
    solver.setup(
        np.asfortranarray(program.p),
        program.c,
        np.asfortranarray(program.a) if len(program.b) else None,
        program.b if len(program.b) else None,
        np.asfortranarray(program.g) if len(program.h) else None,
        None,
        program.h if len(program.h) else None,
        program.low,
        program.high,
    )
    if solver.solve() in (piqp.PIQP_PRIMAL_INFEASIBLE, piqp.PIQP_DUAL_INFEASIBLE):
        return None
    found = solver.result
    if not np.isfinite(found.x).all():
        return None
    x = np.clip(found.x, program.low, program.high)
    y = np.array(found.y) if len(program.b) else np.zeros(0)
    z = np.array(found.z_u) if len(program.h) else np.zeros(0)
    return prove(program, x, y, z)


def _polished(program: Program, start: Answer) -> Answer | None:
    """The optimum on the active set of a start, changing the set until its signs are right; None if it never is.

    An interior point knows the objective to 1e-10 and so the weights to 1e-5: on the active set they are exact, and a
    name that is out is out.

    Source:
        Hintermüller, Ito & Kunisch (2002), SIAM J. Optimization 13(3): the primal-dual active set method.
    """
    reduced = program.p @ start.x + program.c + program.a.T @ start.y + program.g.T @ start.z
    at = _touching(start.x - program.low, reduced) - _touching(program.high - start.x, -reduced)
    tight = start.z > program.h - program.g @ start.x
    for _ in range(_POLISHES):
        x, y, z = _on_active_set(program, at, tight)
        if not (np.isfinite(x).all() and np.isfinite(y).all() and np.isfinite(z).all()):
            return None
        reduced = program.p @ x + program.c + program.a.T @ y + program.g.T @ z
        below, above = x < program.low - _NEARLY, x > program.high + _NEARLY
        stays_low, stays_high = (at == 1) & (reduced > -_NEARLY), (at == -1) & (reduced < _NEARLY)
        next_at = (below | stays_low).astype(np.int8) - (above | stays_high).astype(np.int8)
        next_tight = (tight & (z > -_NEARLY)) | (program.g @ x > program.h + _NEARLY)
        if np.array_equal(next_at, at) and np.array_equal(next_tight, tight):
            return prove(program, np.clip(x, program.low, program.high), y, z)
        at, tight = next_at, next_tight
    return None


def _touching(slack: Floats, pull: Floats) -> Signs:
    """1 where a bound holds its variable: the pull against it outweighs the slack."""
    return (pull > slack).astype(np.int8)


def _on_active_set(program: Program, at: Signs, tight: Bools) -> tuple[Floats, Floats, Floats]:
    """Solve with the variables of `at` on their bounds (1 low, -1 high) and the rows of `tight` as equations."""
    free = at == 0
    x = np.where(at == 1, program.low, np.where(at == -1, program.high, 0.0))
    rows = np.vstack([program.a, program.g[tight]])
    right = np.concatenate([program.b, program.h[tight]])
    n, m = int(free.sum()), len(right)
    left = np.zeros((n + m, n + m))
    left[:n, :n] = program.p[np.ix_(free, free)]
    left[n:, :n] = rows[:, free]
    left[:n, n:] = rows[:, free].T
    want = np.concatenate([-program.c[free] - program.p[free] @ x, right - rows @ x])
    solved = _solve(left, want)
    x[free] = solved[:n]
    z = np.zeros(len(program.h))
    z[tight] = solved[n + len(program.b) :]
    return x, solved[n : n + len(program.b)], z


def _solve(left: Floats, want: Floats) -> Floats:
    """Solve a square system; the smallest solution where rows depend on each other."""
    try:
        solved = np.asarray(np.linalg.solve(left, want), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(left, want, rcond=None)[0])
    if np.abs(left @ solved - want).max(initial=0.0) <= _NEARLY * max(1.0, float(np.abs(solved).max(initial=0.0))):
        return solved
    return np.asarray(np.linalg.lstsq(left, want, rcond=None)[0])

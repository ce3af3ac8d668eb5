"""What optimisers cost: 240 month-end windows of 500 names with sector caps, and what others make of the same problem.

`python -m benchmarks.optimise` draws a seeded panel (one market, 20 sectors, fat tails), estimates a Ledoit-Wolf
covariance of 504 sessions a month, and solves every method; each answer's gap is proven. Peers get the same matrices:
PIQP bare, and scipy's SLSQP as it is usually written, with the gap its answer really has. One BLAS thread; CPU seconds.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from dataclasses import dataclass, replace
from time import process_time

import numpy as np
import piqp
from numpy.typing import NDArray
from scipy.optimize import linprog, minimize

from benchmarks.measure import save
from tsq.quant.covariance import ledoit_wolf
from tsq.quant.optimise import METHODS, Problem, covariance_for, score_alpha, solve

Floats = NDArray[np.float64]
WINDOW, STEP, SECTORS = 504, 21, 20
NAME_CAP, SECTOR_CAP = 0.05, 0.07


@dataclass(frozen=True)
class Row:
    """One side: CPU seconds a solve and for all of them, the worst relative gap, and how the answers were found."""

    side: str
    solves: int
    ms_a_solve: float
    cpu_seconds: float
    worst_gap: float
    statuses: dict[str, int]


def panel(names: int, months: int, seed: int = 1) -> tuple[Floats, NDArray[np.int64]]:
    """Returns (sessions, names) and each name's sector."""
    g = np.random.default_rng(seed)
    sessions = WINDOW + STEP * (months - 1)
    betas, sectors, own = g.uniform(0.4, 1.8, names), g.integers(0, SECTORS, names), g.uniform(0.008, 0.03, names)
    market = np.outer(g.standard_t(4, sessions) * 0.0075, betas)
    moves = g.standard_normal((sessions, SECTORS))[:, sectors] * 0.006
    return market + moves + g.standard_t(5, (sessions, names)) * own * 0.77, sectors


def ours(method: str, returns: Floats, sectors: NDArray[np.int64], months: int, *, trades: bool) -> Row:
    """One method over all months; `trades` adds a turnover cap of 30 % against the month before."""
    scores = np.random.default_rng(0).standard_normal((months, returns.shape[1]))
    cpu, gap, statuses, current = 0.0, 0.0, dict[str, int](), None
    for month in range(months):
        window = returns[STEP * month : STEP * month + WINDOW]
        start = process_time()
        covariance = covariance_for(method)(window).covariance
        problem = Problem(covariance=covariance, upper=NAME_CAP, sectors=sectors, sector_cap=SECTOR_CAP)
        if method == "mean_variance":
            alpha = score_alpha(scores[month], np.sqrt(np.diag(covariance)), 0.03)
            problem = replace(problem, expected=alpha, risk_aversion=5.0, trade_cost=2e-4, current=current)
        if trades and current is not None:
            problem = replace(problem, current=current, turnover_cap=0.3)
        found = solve(method, problem)
        cpu += process_time() - start
        gap, current = max(gap, found.gap), found.weights
        statuses[found.status] = statuses.get(found.status, 0) + 1
    return Row(f"{method}{', turnover ≤ 0.3' if trades else ''}", months, 1e3 * cpu / months, cpu, gap, statuses)


def peers(returns: Floats, sectors: NDArray[np.int64], months: int, names: int) -> list[Row]:
    """The minimum variance by others, over the first months and, where they are slow, the first names."""
    rows = []
    for side, solver, count, width in (
        ("PIQP bare", by_piqp, months, names),
        ("SLSQP, its defaults", by_slsqp, min(months, 2), min(names, 100)),
        ("SLSQP, scaled, with slopes", by_scaled_slsqp, min(months, 2), min(names, 100)),
    ):
        cpu, gap = 0.0, 0.0
        belongs = (sectors[None, :width] == np.arange(SECTORS)[:, None]).astype(np.float64)
        for month in range(count):
            covariance = ledoit_wolf(returns[STEP * month : STEP * month + WINDOW, :width]).covariance
            start = process_time()
            weights = solver(covariance, belongs)
            cpu += process_time() - start
            if month % 24 == 0:
                gap = max(gap, true_gap(covariance, belongs, weights))
        rows.append(Row(f"{side}, {width} names", count, 1e3 * cpu / count, cpu, gap, {}))
    return rows


def true_gap(covariance: Floats, belongs: Floats, weights: Floats) -> float:
    """How far weights may be above the minimum, by a linear program, relative to their variance."""
    weights = np.clip(weights, 0.0, NAME_CAP)
    weights = weights / weights.sum()
    slope = covariance @ weights
    unit = float(np.abs(slope).max())
    best = linprog(
        slope / unit,
        A_ub=belongs,
        b_ub=np.full(SECTORS, SECTOR_CAP),
        A_eq=np.ones((1, len(weights))),
        b_eq=[1.0],
        bounds=[(0.0, NAME_CAP)] * len(weights),
    )
    return float((slope @ weights - best.fun * unit) / (weights @ slope))


def by_piqp(covariance: Floats, belongs: Floats) -> Floats:
    """The solver tsq uses, without parts, polish or proof."""
    n = len(covariance)
    solver = piqp.DenseSolver()
    solver.settings.eps_abs = solver.settings.eps_rel = 1e-10
    solver.setup(
        np.asfortranarray(covariance / (np.trace(covariance) / n)),
        np.zeros(n),
        np.ones((1, n), order="F"),
        np.ones(1),
        np.asfortranarray(belongs),
        None,
        np.full(SECTORS, SECTOR_CAP),
        np.zeros(n),
        np.full(n, NAME_CAP),
    )
    solver.solve()
    return np.array(solver.result.x)


def by_slsqp(covariance: Floats, belongs: Floats) -> Floats:
    """As it is usually written: daily variances as they are, default tolerance, numerical slopes."""
    return slsqp(covariance, belongs, exact=False)


def by_scaled_slsqp(covariance: Floats, belongs: Floats) -> Floats:
    """With everything done for it."""
    n = len(covariance)
    return slsqp(n * covariance / (np.trace(covariance) / n), belongs, exact=True)


def slsqp(matrix: Floats, belongs: Floats, *, exact: bool) -> Floats:
    """Minimise w'Mw."""
    n = len(matrix)
    found = minimize(
        lambda w: w @ matrix @ w,
        np.full(n, 1.0 / n),
        jac=(lambda w: 2.0 * matrix @ w) if exact else None,
        method="SLSQP",
        bounds=[(0.0, NAME_CAP)] * n,
        constraints=[
            {"type": "eq", "fun": lambda w: w.sum() - 1.0},
            {"type": "ineq", "fun": lambda w: SECTOR_CAP - belongs @ w},
        ],
        options={"maxiter": 1000, "ftol": 1e-12} if exact else {},
    )
    return np.asarray(found.x)


def main() -> None:
    """Run, print, save."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--names", type=int, default=500)
    parser.add_argument("--months", type=int, default=240)
    asked = parser.parse_args()
    returns, sectors = panel(asked.names, asked.months)
    rows = [ours(method, returns, sectors, asked.months, trades=False) for method in METHODS]
    rows.append(ours("min_variance", returns, sectors, asked.months, trades=True))
    rows += peers(returns, sectors, asked.months, asked.names)
    print(f"load {os.getloadavg()[0]:.1f}; tsq's rows hold the covariances too\n")
    print("| side | solves | ms CPU a solve | CPU-s | worst gap | answers |\n|---|---:|---:|---:|---:|---|")
    for row in rows:
        said = ", ".join(f"{status} {count}" for status, count in row.statuses.items())
        cost = f"{row.solves} | {row.ms_a_solve:.1f} | {row.cpu_seconds:.2f}"
        print(f"| {row.side} | {cost} | {row.worst_gap:.1e} | {said} |")
    save("optimise", {row.side: row for row in rows})


if __name__ == "__main__":
    main()

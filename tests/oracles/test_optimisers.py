"""Covariances and optimisers against other people's: live scikit-learn, and answers kept with where they came from.

`data/optimisers.json` says with which versions its answers were made. Solvers of others ran with their tolerances at
1e-12: PyPortfolioOpt's and skfolio's defaults stop 1e-5 and 1e-6 above the minimum on daily covariances.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from tsq.quant.covariance import constant_correlation, ledoit_wolf
from tsq.quant.optimise import Problem, solve
from tsq.quant.risk_parity import contributions

DATA = Path(__file__).parent / "data"
ANSWERS: dict[str, Any] = json.loads((DATA / "optimisers.json").read_text(encoding="utf-8"))
RETURNS = np.loadtxt(DATA / "optimisers_returns.csv", delimiter=",", skiprows=1)
SECTORS = np.array(ANSWERS["sectors"])
CURRENT = np.array(ANSWERS["current"])
S = ledoit_wolf(RETURNS).covariance
CAPS: dict[str, Any] = {"upper": 0.10, "sectors": SECTORS, "sector_cap": 0.30}


def theirs(name: str) -> np.ndarray:
    return np.array(ANSWERS[name]["weights"])


def limited(name: str, **more: Any) -> Problem:
    """The problem of an answer with turnover, exposure bands and a cash buffer."""
    asked = ANSWERS[name]
    return Problem(
        covariance=S,
        current=CURRENT,
        turnover_cap=asked["turnover_cap"],
        exposures=np.array([ANSWERS["beta"]]),
        exposures_low=np.array([asked["beta_low"]]),
        exposures_high=np.array([asked["beta_high"]]),
        budget=asked["budget"],
        **CAPS,
        **more,
    )


@pytest.mark.parametrize("sessions", [252, 60, 20], ids=["many", "some", "fewer_than_names"])
def test_ledoit_wolf_is_scikit_learns(sessions: int) -> None:
    known = LedoitWolf().fit(RETURNS[:sessions])
    ours = ledoit_wolf(RETURNS[:sessions])
    assert ours.shrinkage == pytest.approx(known.shrinkage_, rel=1e-12)
    np.testing.assert_allclose(ours.covariance, known.covariance_, rtol=1e-12, atol=1e-12 * known.covariance_.max())


@pytest.mark.parametrize(("n", "seed"), [(1, 0), (2, 1), (400, 2)])
def test_ledoit_wolf_is_scikit_learns_at_any_size(n: int, seed: int) -> None:
    returns = np.random.default_rng(seed).normal(0.001, 0.02, (100, n))
    known = LedoitWolf().fit(returns)
    ours = ledoit_wolf(returns)
    assert ours.shrinkage == pytest.approx(known.shrinkage_, rel=1e-12, abs=1e-15)
    np.testing.assert_allclose(ours.covariance, known.covariance_, rtol=1e-12, atol=1e-12 * known.covariance_.max())


@pytest.mark.parametrize("sessions", [252, 60])
def test_constant_correlation_is_ledoits(sessions: int) -> None:
    known = np.array(ANSWERS[f"covCor_{sessions}"])
    np.testing.assert_allclose(
        constant_correlation(RETURNS[:sessions]).covariance, known, rtol=1e-12, atol=1e-13 * known.max()
    )


@pytest.mark.parametrize(("name", "sessions"), [("pypfopt_gmv", 252), ("skfolio_gmv", 252), ("pypfopt_gmv_20", 20)])
def test_minimum_variance_with_caps(name: str, sessions: int) -> None:
    covariance = ledoit_wolf(RETURNS[:sessions]).covariance
    ours = solve("min_variance", Problem(covariance=covariance, **CAPS))
    known = theirs(name)
    assert ours.status == "optimal"
    assert ours.objective == pytest.approx(known @ covariance @ known, rel=1e-6)
    np.testing.assert_allclose(ours.weights, known, atol=1e-6)


def test_minimum_variance_within_everything() -> None:
    ours = solve("min_variance", limited("cvxpy_gmv"))
    known = theirs("cvxpy_gmv")
    assert ours.objective == pytest.approx(known @ S @ known, rel=1e-9)
    np.testing.assert_allclose(ours.weights, known, atol=1e-8)


def test_mean_variance_with_costs() -> None:
    expected, cost = np.array(ANSWERS["expected"]), np.array(ANSWERS["trade_cost"])
    aversion = ANSWERS["cvxpy_mean_variance"]["risk_aversion"]
    ours = solve(
        "mean_variance", limited("cvxpy_mean_variance", expected=expected, trade_cost=cost, risk_aversion=aversion)
    )
    known = theirs("cvxpy_mean_variance")
    value = 0.5 * aversion * known @ S @ known - expected @ known + cost @ np.abs(known - CURRENT)
    assert ours.objective == pytest.approx(value, rel=1e-9)
    np.testing.assert_allclose(ours.weights, known, atol=1e-8)


def test_equal_weights_moved_as_little_as_limits_need() -> None:
    ours = solve("equal_weight", limited("cvxpy_equal_weight"))
    np.testing.assert_allclose(ours.weights, theirs("cvxpy_equal_weight"), atol=1e-8)


def test_hrp_is_pyportfolioopts() -> None:
    np.testing.assert_allclose(solve("hrp", Problem(covariance=S)).weights, theirs("pypfopt_hrp"), atol=1e-12)


def test_risk_parity_is_skfolios() -> None:
    ours = solve("risk_parity", Problem(covariance=S)).weights
    np.testing.assert_allclose(ours, theirs("skfolio_risk_parity"), atol=1e-8)
    np.testing.assert_allclose(contributions(S, ours), 1.0 / len(S), atol=1e-10)

"""Methods by hand, what gives, what fails, and degenerate problems."""

import numpy as np
import pytest

from tsq.quant import optimise
from tsq.quant.covariance import constant_correlation, ledoit_wolf, window
from tsq.quant.optimise import METHODS, Problem, covariance_for, score_alpha, solve
from tsq.quant.risk_parity import contributions

SD = np.array([0.01, 0.02, 0.04, 0.02])
DIAGONAL = np.diag(SD**2)
EXPECTED = np.array([1e-4, 2e-4, 3e-4, 0.0])


def ask(method, covariance=DIAGONAL, **more):
    if method == "mean_variance":
        more = {"expected": np.linspace(1e-4, -1e-4, len(covariance)), "risk_aversion": 5.0, **more}
    return solve(method, Problem(covariance=covariance, **more))


@pytest.mark.parametrize(
    ("method", "proportions"),
    [
        ("equal_weight", [1, 1, 1, 1]),
        ("inverse_vol", 1 / SD),
        ("risk_parity", 1 / SD),
        ("min_variance", 1 / SD**2),
        ("min_variance_cc", 1 / SD**2),
        ("hrp", None),
        ("mean_variance", None),
    ],
)
def test_uncorrelated_names_by_hand(method, proportions):
    found = ask(method, **({"expected": EXPECTED, "risk_aversion": 2.0} if method == "mean_variance" else {}))
    if method == "hrp":
        # Halves (0, 1) and (2, 3), each weighted inside by inverse variance: 1/σ² of the halves is 12500 and 3125.
        proportions = [0.8 * 0.8, 0.8 * 0.2, 0.2 * 0.2, 0.2 * 0.8]
    if method == "mean_variance":
        # w = (expected − ν)/(λ σ²), of which the sum is 1.
        ν = (np.sum(EXPECTED / (2 * SD**2)) - 1) / np.sum(1 / (2 * SD**2))
        proportions = (EXPECTED - ν) / (2 * SD**2)
    np.testing.assert_allclose(found.weights, np.array(proportions) / np.sum(proportions), atol=1e-9)
    assert found.status == ("optimal" if "variance" in method else "closed_form")
    assert found.relaxed == ()
    assert found.gap <= 1e-8


def test_objective_is_what_was_minimised():
    w = ask("min_variance").weights
    assert ask("min_variance").objective == pytest.approx(w @ DIAGONAL @ w)
    found = ask(
        "mean_variance", expected=EXPECTED, risk_aversion=3.0, trade_cost=1e-5, current=np.array([1.0, 0, 0, 0])
    )
    w = found.weights
    traded = np.abs(w - [1.0, 0, 0, 0]).sum()
    assert found.objective == pytest.approx(1.5 * w @ DIAGONAL @ w - EXPECTED @ w + 1e-5 * traded)
    capped = ask("inverse_vol", upper=0.3)
    wanted = (1 / SD) / (1 / SD).sum()
    assert capped.objective == pytest.approx(0.5 * np.sum((capped.weights - wanted) ** 2 / wanted))


def test_a_cap_moves_the_excess_in_proportion():
    # Inverse volatility asks for 4:2:1:2 of nine.
    np.testing.assert_allclose(ask("inverse_vol", upper=0.3).weights, [0.3, 0.28, 0.14, 0.28], atol=1e-12)


def test_cash_buffer():
    for method in METHODS:
        assert ask(method, budget=0.9).weights.sum() == pytest.approx(0.9)


def test_turnover_cap_binds_and_costs_hold_back():
    current = np.full(4, 0.25)
    for method in METHODS:
        found = ask(method, current=current, turnover_cap=0.1)
        assert np.abs(found.weights - current).sum() <= 0.1 + 1e-9
        assert found.relaxed == ()
    still = ask("mean_variance", expected=EXPECTED, current=current, trade_cost=1.0)
    np.testing.assert_allclose(still.weights, current, atol=1e-9)


def test_bands_bind():
    beta = np.array([[0.5, 0.8, 1.5, 1.2]])
    for method in METHODS:
        found = ask(method, exposures=beta, exposures_low=np.array([1.1]), exposures_high=np.array([1.2]))
        assert 1.1 - 1e-9 <= (beta @ found.weights).item() <= 1.2 + 1e-9
        assert found.relaxed == ()


@pytest.mark.parametrize("method", METHODS)
def test_what_gives_is_in_the_status(method):
    found = ask(method, upper=0.2)
    assert found.status == "relaxed:budget"
    assert found.relaxed == ("budget",)
    assert found.loosened == pytest.approx((0.2,), rel=1e-4)
    np.testing.assert_allclose(found.weights, 0.2, atol=1e-5)
    assert found.weights.max() <= 0.2
    current = np.array([1.0, 0.0, 0.0, 0.0])
    moved = ask(method, upper=0.4, current=current, turnover_cap=0.5)
    assert moved.status == "relaxed:turnover"
    assert np.abs(moved.weights - current).sum() == pytest.approx(1.2, rel=1e-4)


def test_several_limits_give_in_their_order():
    found = ask(
        "min_variance",
        upper=0.2,
        current=np.array([0.5, 0.5, 0.0, 0.0]),
        turnover_cap=0.1,
        exposures=np.ones((1, 4)),
        exposures_low=np.array([0.95]),
    )
    assert found.status == "relaxed:turnover+exposures+budget"
    assert found.loosened == pytest.approx((0.9, 0.15, 0.2), rel=1e-3)


def test_without_leave_to_hold_cash_low_caps_are_refused():
    with pytest.raises(ValueError, match=r"caps allow 0\.8 of the budget 1"):
        ask("min_variance", upper=0.2, relax=("turnover", "exposures"))


@pytest.mark.parametrize("method", METHODS)
def test_no_name_may_be_held(method):
    found = ask(method, upper=0.0)
    assert found.weights.tolist() == [0.0] * 4
    assert (found.status, found.relaxed) == ("relaxed:budget", ("budget",))


@pytest.mark.parametrize("method", METHODS)
def test_one_name(method):
    assert ask(method, np.array([[4e-4]])).weights.tolist() == pytest.approx([1.0])
    short = ask(method, np.array([[4e-4]]), upper=0.1)
    assert short.weights == pytest.approx([0.1], abs=1e-6)
    assert short.status == "relaxed:budget"


@pytest.mark.parametrize("method", METHODS)
def test_more_names_than_sessions(method):
    returns = np.random.default_rng(0).normal(0, 0.02, (20, 80))
    found = ask(method, covariance_for(method)(returns).covariance, upper=0.1)
    assert found.weights.sum() == pytest.approx(1.0)
    assert not found.status.startswith(("relaxed", "fallback"))


@pytest.mark.parametrize("method", METHODS)
def test_duplicate_names(method):
    returns = np.random.default_rng(1).normal(0, 0.02, (100, 3))
    sample = np.cov(np.hstack([returns, returns[:, :1]]).T)
    found = ask(method, sample, upper=0.6)
    assert found.weights.sum() == pytest.approx(1.0)
    assert not found.status.startswith(("relaxed", "fallback"))


def test_a_name_without_variance_has_no_inverse():
    dead = DIAGONAL.copy()
    dead[1, 1] = 0.0
    for method in ("inverse_vol", "risk_parity", "hrp"):
        found = ask(method, dead)
        assert found.status == "fallback:equal_weight"
        assert found.weights.tolist() == [0.25] * 4
    assert ask("equal_weight", dead).status == "closed_form"
    np.testing.assert_allclose(ask("min_variance", dead, upper=0.5).weights[1], 0.5)
    # The window of its returns says so beforehand.
    returns = np.random.default_rng(2).normal(0, 0.02, (50, 4))
    returns[:, 1] = 0.0
    assert window(returns).is_usable.tolist() == [True, False, True, True]


def test_nothing_moves_at_all():
    found = ask("min_variance", np.zeros((4, 4)), upper=0.5)
    assert found.weights.sum() == pytest.approx(1.0)
    assert found.objective == 0.0


def test_hedges_without_risk_parity_fall_back():
    hedge = np.array([[1.0, -1.0], [-1.0, 1.0]]) * 1e-4
    found = ask("risk_parity", hedge)
    assert found.status == "fallback:inverse_vol"
    np.testing.assert_allclose(found.weights, 0.5)


def test_a_failed_solver_falls_back_to_what_needs_none(monkeypatch):
    monkeypatch.setattr(optimise, "minimise", lambda program: None)
    for method in ("min_variance", "min_variance_cc", "mean_variance"):
        found = ask(method, upper=0.4)
        assert found.status == "fallback:inverse_vol"
        np.testing.assert_allclose(found.weights, ask("inverse_vol", upper=0.4).weights)
        assert found.relaxed == ()


def test_without_any_solver_equal_weights_say_what_they_break(monkeypatch):
    monkeypatch.setattr(optimise, "minimise", lambda program: None)
    current = np.array([1.0, 0.0, 0.0, 0.0])
    found = ask("min_variance", current=current, turnover_cap=0.5)
    assert found.status == "fallback:equal_weight"
    np.testing.assert_allclose(found.weights, 0.25)
    assert dict(zip(found.relaxed, found.loosened, strict=True)) == pytest.approx({"turnover": 1.0})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"expected": None}, "needs one finite expected return"),
        ({"expected": np.array([0.0, np.nan, 0.0, 0.0])}, "needs one finite expected return"),
        ({"expected": np.zeros(3)}, "needs one finite expected return"),
        ({"risk_aversion": 0.0}, "risk_aversion is 0"),
        ({"trade_cost": -0.1}, "trade_cost"),
        ({"trade_cost": np.full(4, np.nan)}, "trade_cost"),
    ],
)
def test_mean_variance_refuses_what_it_cannot_use(more, said):
    with pytest.raises(ValueError, match=said):
        ask("mean_variance", **more)


def test_unknown_methods_are_refused():
    with pytest.raises(ValueError, match="choose from"):
        ask("max_sharpe")


def test_each_method_has_its_covariance():
    returns = np.random.default_rng(0).normal(0, 0.02, (60, 5))
    np.testing.assert_array_equal(
        covariance_for("min_variance_cc")(returns).covariance, constant_correlation(returns).covariance
    )
    for method in set(METHODS) - {"min_variance_cc"}:
        assert covariance_for(method) is ledoit_wolf


def test_alpha_is_volatility_times_ic_times_score():
    np.testing.assert_allclose(score_alpha(np.array([2.0, -1.0]), np.array([0.02, 0.03]), 0.05), [0.002, -0.0015])


def test_risk_parity_shares_risk():
    returns = np.random.default_rng(3).normal(0, 0.02, (100, 20))
    covariance = ledoit_wolf(returns).covariance
    np.testing.assert_allclose(contributions(covariance, ask("risk_parity", covariance).weights), 0.05, atol=1e-10)


def test_shorter_windows_do_not_reach_lower_than_the_truth():
    # With more names than sessions the sample promises a variance that is not there; shrinkage does not.
    g = np.random.default_rng(5)
    loadings, own = g.uniform(0.5, 1.5, 60), g.uniform(0.01, 0.03, 60)
    truth = 1e-4 * np.outer(loadings, loadings) + np.diag(own**2)
    returns = g.multivariate_normal(np.zeros(60), truth, 40)
    by_sample = ask("min_variance", np.cov(returns.T))
    by_shrinkage = ask("min_variance", ledoit_wolf(returns).covariance)
    assert by_sample.objective < 0.75 * (by_sample.weights @ truth @ by_sample.weights)
    assert by_shrinkage.weights @ truth @ by_shrinkage.weights < by_sample.weights @ truth @ by_sample.weights

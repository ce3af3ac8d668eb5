"""What must hold of every optimiser whatever it is asked."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tsq.quant.covariance import ledoit_wolf
from tsq.quant.optimise import METHODS, Problem, solve
from tsq.quant.problem import LIMITS
from tsq.quant.qp import GAP

SLACK = 2e-9  # of a limit; the budget also loses what is dust
pytestmark = pytest.mark.filterwarnings("error")
often = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# What holds of nearly every problem, a corner of limits in a few thousand aside, is tried on the same ones each time.
same = settings(often, derandomize=True)
methods = st.sampled_from(METHODS)


@st.composite
def problems(draw, *, free=False):
    """Problems with any mixture of limits, some of which cannot be kept together; or with none at all."""
    n = draw(st.integers(1, 24))
    g = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sessions = draw(st.integers(12, 60))  # of fewer, a sample can hedge itself away: no weights are the best
    scale = 10.0 ** g.uniform(-1, 1, n) if draw(st.booleans()) else np.ones(n)
    returns = scale * (g.normal(0, 0.01, (sessions, 1)) * g.uniform(-0.2, 1.5, n) + g.normal(0, 0.02, (sessions, n)))
    if n > 2 and draw(st.booleans()):
        returns[:, 1] = returns[:, 0]
    asked = {"covariance": ledoit_wolf(returns).covariance, "expected": g.normal(0, 1e-3, n), "risk_aversion": 4.0}
    if free:
        return Problem(**asked)
    held = g.dirichlet(np.ones(n)) * g.integers(0, 2, n)
    some = {
        "upper": draw(st.sampled_from([1.0, 0.5, 2.0 / n, 1.0 / n, 0.5 / n])),
        "capacity": g.choice([0.0, 0.01, 0.1, 1.0], n),
        "current": held,
        "outside": 0.1 * draw(st.integers(0, 1)),
        "turnover_cap": draw(st.sampled_from([0.0, 0.1, 0.5, 1.5])),
        "sectors": g.integers(-1, 4, n),
        "sector_cap": draw(st.sampled_from([0.1, 0.3, 0.6])),
        "exposures": g.normal(1.0, 0.4, (2, n)),
        "exposures_low": np.array([draw(st.sampled_from([-np.inf, 0.8, 1.1])), -np.inf]),
        "exposures_high": np.array([draw(st.sampled_from([np.inf, 1.2])), draw(st.sampled_from([np.inf, 0.9]))]),
        "budget": draw(st.sampled_from([1.0, 0.9, 0.3])),
        "trade_cost": draw(st.sampled_from([0.0, 1e-3])),
        "relax": draw(
            st.sampled_from([("turnover", "exposures", "budget"), LIMITS, ("exposures", "budget"), ("budget",)])
        ),
    }
    together = {
        "exposures": ("exposures", "exposures_low", "exposures_high"),
        "turnover": ("current", "outside", "turnover_cap"),
        "sectors": ("sectors", "sector_cap"),
    }
    chosen = draw(st.sets(st.sampled_from(["upper", "capacity", "budget", "trade_cost", "relax", *together])))
    return Problem(**asked, **{name: some[name] for one in chosen for name in together.get(one, (one,))})


@often
@given(methods, problems())
def test_limits_hold_but_for_what_is_said_to_give(method, problem):
    found = solve(method, problem)
    w, n = found.weights, len(problem.covariance)
    gave = dict(zip(found.relaxed, found.loosened, strict=True))
    dust = SLACK + n * 1e-9

    assert np.isfinite(w).all()
    assert (w >= 0.0).all()
    assert (w <= problem.upper).all()
    capacity = np.full(n, np.inf) if problem.capacity is None else problem.capacity
    assert (w <= capacity * (1 + gave.get("participation", 0.0)) + SLACK).all()
    assert w.sum() == pytest.approx(problem.budget - gave.get("budget", 0.0), abs=dust)
    if problem.sectors is not None:
        for code in range(4):
            assert w[problem.sectors == code].sum() <= problem.sector_cap + gave.get("sector", 0.0) + SLACK
    if problem.turnover_cap is not None:
        traded = np.abs(w - problem.current).sum() + problem.outside
        assert traded <= problem.turnover_cap + gave.get("turnover", 0.0) + dust
    if problem.exposures is not None:
        exposed, room = problem.exposures @ w, gave.get("exposures", 0.0) + 5 * dust
        assert (exposed <= problem.exposures_high + room).all()
        assert (exposed >= problem.exposures_low - room).all()


@often
@given(methods, problems())
def test_every_answer_is_proven_and_says_what_it_is(method, problem):
    found = solve(method, problem)
    assert 0.0 <= found.gap <= GAP
    kind, _, what = found.status.partition(":")
    assert kind in {"optimal", "closed_form", "relaxed", "fallback"}
    assert (kind == "relaxed") <= (what == "+".join(found.relaxed))
    assert (kind in {"optimal", "closed_form"}) <= (found.relaxed == ())
    assert all(amount > 0.0 for amount in found.loosened)
    if kind != "fallback":
        declared = [name for name in problem.relax if name in found.relaxed]
        assert list(found.relaxed) == declared


@same
@given(methods, problems())
def test_hardly_anything_falls_back(method, problem):
    """Limits that can give let every method answer: with turnover or exposures fixed for good that may be impossible."""
    assume({"turnover", "exposures", "budget"} <= set(problem.relax))
    assert not solve(method, problem).status.startswith("fallback")


@often
@given(methods, problems())
def test_the_same_question_has_the_same_answer(method, problem):
    first, second = solve(method, problem), solve(method, problem)
    np.testing.assert_array_equal(first.weights, second.weights)
    assert first.status == second.status


@same
@given(methods.filter(lambda name: name not in {"hrp"}), problems(free=True), st.integers(0, 2**32 - 1))
def test_the_order_of_names_does_not_matter(method, problem, seed):
    """But for HRP, whose halves follow the order in which clusters are met."""
    n = len(problem.covariance)
    order = np.random.default_rng(seed).permutation(n)
    moved = Problem(
        covariance=problem.covariance[np.ix_(order, order)],
        expected=problem.expected[order],
        risk_aversion=problem.risk_aversion,
    )
    one, other = solve(method, problem), solve(method, moved)
    np.testing.assert_allclose(other.weights, one.weights[order], atol=1e-7)


@same
@given(methods.filter(lambda name: name != "mean_variance"), problems(), st.sampled_from([1e-6, 252.0, 1e4]))
def test_the_unit_of_returns_does_not_matter(method, problem, scale):
    one = solve(method, problem)
    other = solve(method, replace(problem, covariance=scale * problem.covariance))
    np.testing.assert_allclose(other.weights, one.weights, atol=2e-6)
    assert other.status == one.status


@often
@given(problems(free=True), st.integers(0, 2**32 - 1))
def test_no_other_weights_have_less_variance(problem, seed):
    found = solve("min_variance", problem)
    for w in np.random.default_rng(seed).dirichlet(np.ones(len(problem.covariance)), 50):
        assert w @ problem.covariance @ w >= found.objective * (1.0 - 1e-12)

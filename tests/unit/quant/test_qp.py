"""Quadratic programs with known answers, and a proof that can say no."""

import numpy as np
import pytest

from tsq.quant import qp
from tsq.quant.qp import FEASIBLE, GAP, Program, minimise, objective, prove


def simplex(p, c=None, *, high=1.0, g=None, h=None, budget=1.0):
    """Long-only weights that add up to a budget."""
    n = len(p)
    return Program(
        p=np.array(p, dtype=float),
        c=np.zeros(n) if c is None else np.array(c, dtype=float),
        a=np.ones((1, n)),
        b=np.array([budget]),
        g=np.zeros((0, n)) if g is None else np.array(g, dtype=float),
        h=np.zeros(0) if h is None else np.array(h, dtype=float),
        low=np.zeros(n),
        high=np.broadcast_to(np.asarray(high, dtype=float), (n,)).copy(),
    )


def panel(n=200, t=252, seed=5):
    g = np.random.default_rng(seed)
    sectors = g.integers(0, 20, n)
    market = np.outer(g.standard_t(4, t) * 0.0075, g.uniform(0.4, 1.8, n))
    own = g.standard_t(5, (t, n)) * g.uniform(0.006, 0.023, n)
    return market + g.standard_normal((t, 20))[:, sectors] * 0.006 + own, sectors


def test_diagonal_by_hand():
    # Weights in proportion to one over variance: 1, 1/2, 1/4 of 7/4.
    answer = minimise(simplex(np.diag([1.0, 2.0, 4.0])))
    np.testing.assert_allclose(answer.x, np.array([4, 2, 1]) / 7, atol=1e-14)
    assert answer.gap <= 1e-14


def test_a_cap_binds_and_the_rest_shares():
    answer = minimise(simplex(np.diag([1.0, 2.0, 4.0]), high=0.5))
    np.testing.assert_allclose(answer.x, [0.5, 1 / 3, 1 / 6], atol=1e-14)


def test_a_row_binds():
    answer = minimise(simplex(np.diag([1.0, 2.0, 4.0]), g=[[1.0, 1.0, 0.0]], h=[0.6]))
    np.testing.assert_allclose(answer.x, [0.4, 0.2, 0.4], atol=1e-14)


def test_a_linear_program():
    answer = minimise(simplex(np.zeros((3, 3)), c=[3.0, 1.0, 2.0], high=0.6))
    np.testing.assert_allclose(answer.x, [0.0, 0.6, 0.4], atol=1e-12)


def test_what_cannot_move_is_taken_out():
    answer = minimise(simplex(np.diag([1.0, 2.0, 4.0]), high=[0.0, 1.0, 1.0]))
    np.testing.assert_allclose(answer.x, [0.0, 2 / 3, 1 / 3], atol=1e-14)
    assert minimise(simplex(np.eye(2), high=0.5)).x.tolist() == pytest.approx([0.5, 0.5])


def test_nothing_can_move():
    still = Program(
        np.eye(1), np.zeros(1), np.ones((1, 1)), np.ones(1), np.zeros((0, 1)), np.zeros(0), np.ones(1), np.ones(1)
    )
    assert minimise(still).x.tolist() == [1.0]
    assert minimise(Program(**{**vars(still), "b": np.array([2.0])})) is None


def test_infeasible_has_no_answer():
    assert minimise(simplex(np.eye(3), high=0.3)) is None
    assert minimise(simplex(np.eye(3), g=[[-1.0, -1.0, -1.0]], h=[-1.1])) is None


def test_two_answers_agree_in_value():
    twins = np.array([[1.0, 1.0], [1.0, 1.0]])
    answer = minimise(simplex(twins))
    assert objective(simplex(twins), answer.x) == pytest.approx(0.5)


def test_proof_says_no_to_a_worse_point():
    program = simplex(np.diag([1.0, 2.0, 4.0]))
    best = minimise(program)
    for worse in ([1 / 3, 1 / 3, 1 / 3], [1.0, 0.0, 0.0]):
        x = np.array(worse)
        proven = prove(program, x, best.y, best.z)
        assert proven.gap > GAP
        assert proven.gap * (x @ program.p @ x) >= objective(program, x) - objective(program, best.x)


def test_proof_never_understates_whatever_the_multipliers():
    g = np.random.default_rng(0)
    returns, sectors = panel(40, 100)
    program = simplex(np.cov(returns.T), high=0.1, g=(sectors[None, :] == np.arange(20)[:, None]), h=np.full(20, 0.2))
    best = objective(program, minimise(program).x)
    for _ in range(200):
        x = g.dirichlet(np.ones(40))
        proven = prove(program, x, g.normal(0, 1e-4, 1), g.normal(0, 1e-4, 20))
        assert proven.gap * (x @ program.p @ x) >= objective(program, x) - best - 1e-15


def test_proof_measures_what_is_missed():
    program = simplex(np.eye(2), high=0.6, g=[[1.0, 0.0]], h=[0.5])
    point = np.array([0.7, 0.2])
    assert prove(program, point, np.zeros(1), np.zeros(1)).missed == pytest.approx(0.2)
    assert not prove(program, point, np.zeros(1), np.zeros(1)).is_solved


def nasty():
    """Problems on which solvers at their defaults stop early, or fail."""
    returns, sectors = panel()
    sample = np.cov(returns.T, bias=True)
    rows, seventh = (sectors[None, :] == np.arange(20)[:, None]).astype(float), np.full(20, 0.07)
    near_cash = returns * np.where(np.arange(200) < 5, 1e-4, 1.0)
    third = np.where(np.arange(200) % 3 == 0, 0.0, 0.05)
    twins = np.cov(np.hstack([returns[:, :100], returns[:, :100]]).T, bias=True)
    yield "plain", simplex(sample, high=0.05)
    yield "caps that hardly suffice", simplex(sample, high=1.02 / 200)
    yield "one point", simplex(sample, high=1 / 200)
    yield "no cap", simplex(sample)
    yield "duplicated names", simplex(twins, high=0.05)
    yield "more names than sessions", simplex(np.cov(returns[:60].T), high=0.05)
    yield "near cash", simplex(np.cov(near_cash.T), high=0.05)
    yield "four decades", simplex(np.cov((returns * 10 ** np.linspace(-2, 2, 200)).T), high=0.05)
    yield "zero caps", simplex(sample, high=third)
    yield "capacities", simplex(sample, high=np.random.default_rng(0).uniform(1e-6, 0.02, 200))
    yield "sectors bind", simplex(sample, high=0.05, g=rows, h=seventh)
    yield "sectors hardly suffice", simplex(sample, high=0.05, g=rows, h=np.full(20, 0.0501))
    yield "tiny", simplex(1e-8 * sample, high=0.05, g=rows, h=seventh)
    yield "huge", simplex(2.5e6 * sample, high=0.05, g=rows, h=seventh)


@pytest.mark.parametrize(("name", "program"), list(nasty()), ids=[name for name, _ in nasty()])
def test_nasty_problems_are_proven(name, program):
    answer = minimise(program)
    assert answer.gap <= GAP
    assert answer.missed <= FEASIBLE


def test_scale_changes_nothing():
    returns, _ = panel()
    sample = np.cov(returns.T)
    one = minimise(simplex(sample, high=0.05)).x
    for scale in (1e-8, 1e6):
        np.testing.assert_allclose(minimise(simplex(scale * sample, high=0.05)).x, one, atol=1e-10)


def test_parts_give_what_the_whole_gives(monkeypatch):
    returns, sectors = panel(300)
    rows = (sectors[None, :] == np.arange(20)[:, None]).astype(float)
    program = simplex(np.cov(returns.T), high=0.05, g=rows, h=np.full(20, 0.08))
    by_parts = minimise(program)
    monkeypatch.setattr(qp, "_PART", 1000)
    whole = minimise(program)
    np.testing.assert_allclose(by_parts.x, whole.x, atol=1e-10)
    monkeypatch.setattr(qp, "_PART", 10)  # too few to reach the budget: the whole is solved after all
    np.testing.assert_allclose(minimise(program).x, whole.x, atol=1e-10)


def test_without_polish_the_interior_point_is_proven_by_itself(monkeypatch):
    returns, _ = panel(60)
    program = simplex(np.cov(returns.T), high=0.1)
    polished = minimise(program)
    monkeypatch.setattr(qp, "_POLISHES", 0)
    rough = minimise(program)
    assert rough.gap <= GAP
    assert polished.gap < 1e-13
    np.testing.assert_allclose(rough.x, polished.x, atol=1e-6)

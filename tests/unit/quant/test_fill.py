"""Filling in proportion, by hand and against the program it solves."""

import numpy as np
import pytest

from tsq.quant.fill import fill, level
from tsq.quant.problem import Problem, limits_of, program_of
from tsq.quant.qp import minimise


def limits(n, **more):
    return limits_of(Problem(covariance=np.eye(n), **more))


def test_proportions_where_nothing_binds():
    filled = fill(np.array([1.0, 3.0]), limits(2))
    assert filled.weights.tolist() == [0.25, 0.75]
    assert filled.level == 0.25


def test_a_capped_names_excess_goes_to_the_others_in_proportion():
    filled = fill(np.array([1.0, 2.0, 5.0]), limits(3, upper=0.4))
    np.testing.assert_allclose(filled.weights, [0.2, 0.4, 0.4])


def test_a_sector_shares_its_cap_in_proportion():
    filled = fill(np.array([1.0, 3.0, 1.0, 1.0]), limits(4, sectors=np.array([0, 0, 1, -1]), sector_cap=0.4))
    np.testing.assert_allclose(filled.weights, [0.1, 0.3, 0.3, 0.3])


def test_names_without_a_sector_are_not_capped_together():
    filled = fill(np.ones(3), limits(3, sectors=np.array([-1, -1, 0]), sector_cap=0.1))
    np.testing.assert_allclose(filled.weights, [0.45, 0.45, 0.1])


def test_a_lower_bound_is_kept():
    filled = fill(np.ones(4), limits(4, lower=np.array([0.4, 0.0, 0.0, 0.0])))
    np.testing.assert_allclose(filled.weights, [0.4, 0.2, 0.2, 0.2])


def test_everything_at_its_cap():
    filled = fill(np.array([1.0, 9.0]), limits(2, upper=0.5))
    np.testing.assert_allclose(filled.weights, [0.5, 0.5])


@pytest.mark.parametrize(("total", "theta"), [(0.0, 0.0), (1.0, 0.5), (2.0, 1.0), (2.5, 1.5), (3.0, 2.0), (9.0, 2.0)])
def test_level_by_hand(total, theta):
    # Both rise with θ; the first stops at 1.
    assert level(np.ones(2), np.zeros(2), np.array([1.0, 2.0]), total) == pytest.approx(theta)


def test_level_of_very_unequal_weights_loses_nothing():
    wanted = 10.0 ** np.linspace(-12, 0, 100)
    theta = level(wanted, np.zeros(100), np.full(100, 0.05), 1.0)
    assert np.clip(theta * wanted, 0.0, 0.05).sum() == pytest.approx(1.0, rel=1e-12)


def test_it_is_the_nearest_point_in_relative_squares():
    g = np.random.default_rng(4)
    wanted = g.dirichlet(np.ones(30))
    asked = limits(
        30, upper=g.uniform(0.03, 0.1, 30), lower=g.uniform(0, 0.01, 30), sectors=g.integers(-1, 4, 30), sector_cap=0.25
    )
    solved = minimise(program_of(asked, np.diag(1.0 / wanted), -np.ones(30)))
    np.testing.assert_allclose(fill(wanted, asked).weights, solved.x, atol=1e-12)

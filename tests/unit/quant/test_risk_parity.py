"""Risk parity where its weights are known."""

import numpy as np
import pytest

from tsq.quant.covariance import ledoit_wolf
from tsq.quant.risk_parity import contributions, risk_parity


def test_without_correlation_it_is_inverse_volatility():
    sd = np.array([0.01, 0.02, 0.04])
    np.testing.assert_allclose(risk_parity(np.diag(sd**2)), np.array([4, 2, 1]) / 7, atol=1e-12)


def test_of_two_names_it_is_inverse_volatility_whatever_their_correlation():
    for rho in (-0.9, 0.0, 0.99):
        covariance = np.array([[1.0, 3 * rho], [3 * rho, 9.0]])
        np.testing.assert_allclose(risk_parity(covariance), [0.75, 0.25], atol=1e-10)


def test_under_constant_correlation_it_is_inverse_volatility():
    sd = np.array([0.01, 0.02, 0.05, 0.03])
    covariance = np.outer(sd, sd) * (0.4 + 0.6 * np.eye(4))
    np.testing.assert_allclose(risk_parity(covariance), (1 / sd) / (1 / sd).sum(), atol=1e-10)


def test_twins_share_what_one_would_have():
    # Two uncorrelated groups, one of two identical names: by symmetry x = (a, a, b) with 2a² + 0 = b² … a·2a = b².
    covariance = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    root = np.sqrt(2.0)
    np.testing.assert_allclose(risk_parity(covariance), np.array([1, 1, root]) / (2 + root), atol=1e-10)


@pytest.mark.parametrize(("n", "t"), [(1, 50), (30, 252), (200, 60), (500, 504)])
def test_every_name_adds_the_same_risk(n, t):
    g = np.random.default_rng(n)
    returns = g.normal(0, 0.01, (t, 1)) * g.uniform(-0.5, 2, n) + g.normal(0, 1, (t, n)) * 10 ** g.uniform(-4, -1, n)
    covariance = ledoit_wolf(returns).covariance
    weights = risk_parity(covariance)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights > 0.0).all()
    np.testing.assert_allclose(contributions(covariance, weights), 1.0 / n, atol=1e-10)


def test_no_answer_where_names_cancel_each_other():
    # A perfect hedge has no variance to share, nor have many names over few sessions that can be hedged so.
    assert risk_parity(np.array([[1.0, -1.0], [-1.0, 1.0]])) is None
    g = np.random.default_rng(200)
    hedged = g.normal(0, 1, (5, 1)) * g.uniform(-1, 1, 40) + 1e-3 * g.normal(0, 1, (5, 40))
    assert risk_parity(np.cov(hedged.T)) is None

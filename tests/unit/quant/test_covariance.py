"""Covariances by hand, and what has none."""

import numpy as np
import pytest

from tsq.quant.covariance import constant_correlation, ledoit_wolf, window

RETURNS = np.random.default_rng(3).normal(0.0, 0.02, (60, 4)) @ np.array(
    [[1, 0.5, 0.2, 0], [0, 1, 0.3, 0], [0, 0, 1, 0.4], [0, 0, 0, 1]]
)


def test_ledoit_wolf_by_hand():
    # Two sessions, two names: deviations ±(1, 2); the sample is [[1, 2], [2, 4]], of rank one, and shows no noise.
    found = ledoit_wolf(np.array([[0.0, 0.0], [2.0, 4.0]]))
    assert found.shrinkage == 0.0
    np.testing.assert_array_equal(found.covariance, [[1.0, 2.0], [2.0, 4.0]])


def test_ledoit_wolf_lies_between_sample_and_identity():
    found = ledoit_wolf(RETURNS)
    sample = np.cov(RETURNS.T, bias=True)
    d = found.shrinkage
    assert 0.0 < d < 1.0
    np.testing.assert_allclose(found.covariance, (1 - d) * sample + d * np.trace(sample) / 4 * np.eye(4), rtol=1e-12)


def test_constant_correlation_keeps_the_samples_variances():
    found = constant_correlation(RETURNS)
    np.testing.assert_allclose(np.diag(found.covariance), np.var(RETURNS, axis=0, ddof=1), rtol=1e-12)
    assert 0.0 <= found.shrinkage <= 1.0


def test_constant_correlation_wholly_shrunk_has_one_correlation():
    g = np.random.default_rng(0)
    alike = g.normal(0.0, 0.01, (12, 1)) + g.normal(0.0, 0.01, (12, 30))
    found = constant_correlation(alike)
    assert found.shrinkage == 1.0
    sd = np.sqrt(np.diag(found.covariance))
    correlation = (found.covariance / np.outer(sd, sd))[~np.eye(30, dtype=bool)]
    np.testing.assert_allclose(correlation, correlation[0], rtol=1e-9)


def test_more_names_than_sessions_stay_invertible():
    few = np.random.default_rng(1).normal(0.0, 0.01, (20, 50))
    assert np.linalg.matrix_rank(np.cov(few.T)) == 19
    assert np.linalg.cond(ledoit_wolf(few).covariance) < 1e3


def test_one_name_has_its_variance():
    one = RETURNS[:, :1]
    assert ledoit_wolf(one).covariance == pytest.approx(np.var(one))
    assert constant_correlation(one).covariance == pytest.approx(np.var(one, ddof=1))


@pytest.mark.parametrize("estimate", [ledoit_wolf, constant_correlation])
def test_a_missing_return_is_refused_and_named(estimate):
    broken = RETURNS.copy()
    broken[7, 2] = np.nan
    with pytest.raises(ValueError, match="column 2"):
        estimate(broken)


@pytest.mark.parametrize("estimate", [ledoit_wolf, constant_correlation])
def test_one_session_is_refused(estimate):
    with pytest.raises(ValueError, match=r"\(1, 4\)"):
        estimate(RETURNS[:1])


def test_a_name_that_never_moves_has_no_correlation():
    still = RETURNS.copy()
    still[:, 1] = 0.0
    with pytest.raises(ValueError, match="column 1 never moves"):
        constant_correlation(still)


def test_scale_squares_the_covariance_and_keeps_the_shrinkage():
    for estimate in (ledoit_wolf, constant_correlation):
        one, hundred = estimate(RETURNS), estimate(100.0 * RETURNS)
        np.testing.assert_allclose(hundred.covariance, 1e4 * one.covariance, rtol=1e-12)
        assert hundred.shrinkage == pytest.approx(one.shrinkage, rel=1e-12)


def test_window_tells_the_incomplete_and_the_still():
    returns = RETURNS.copy()
    returns[0, 0] = np.nan
    returns[:, 3] = 0.0
    found = window(returns)
    assert found.is_complete.tolist() == [False, True, True, True]
    assert found.is_moving.tolist() == [False, True, True, False]
    assert found.is_usable.tolist() == [False, True, True, False]

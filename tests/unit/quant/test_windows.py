"""Returns a decision looks at: complete windows only, computed once."""

from __future__ import annotations

import numpy as np
import pytest

from tsq.quant.covariance import constant_correlation, ledoit_wolf
from tsq.quant.windows import Windows


@pytest.fixture
def seen() -> Windows:
    returns = np.random.default_rng(2).normal(0.0, 0.01, (50, 4))
    returns[10, 1] = np.nan
    returns[:, 3] = 0.0
    return Windows(np.array([3, 5, 7, 9]), returns)


def test_a_name_is_usable_with_every_return_and_a_move(seen):
    asked = np.array([3, 4, 5, 7, 9, 11])
    # 4 and 11 are not there, 5 lacks a session, 9 never moved
    assert seen.usable(asked, 50).tolist() == [True, False, False, True, False, False]
    # within the last 20 sessions 5 lacks none
    assert seen.usable(asked, 20).tolist() == [True, False, True, True, False, False]
    # nobody has more sessions than there are
    assert not seen.usable(asked, 51).any()


def test_nothing_is_usable_where_nobody_looked():
    nobody = Windows(np.zeros(0, np.int64), np.zeros((0, 0)))
    assert nobody.usable(np.array([1, 2]), 20).tolist() == [False, False]
    assert np.isnan(nobody.correlation(np.array([1, 2]), 20)).all()


def test_covariances_are_of_the_names_asked_for_in_their_order(seen):
    ids = np.array([7, 3])
    last = np.ascontiguousarray(seen.returns[-30:, [2, 0]])
    assert np.array_equal(seen.covariance("min_variance", ids, 30), ledoit_wolf(last).covariance)
    assert np.array_equal(seen.covariance("min_variance_cc", ids, 30), constant_correlation(last).covariance)
    assert seen.covariance("risk_parity", ids, 30) is seen.covariance("min_variance", ids, 30)
    assert seen.covariance("risk_parity", ids[::-1], 30) is not seen.covariance("min_variance", ids, 30)


def test_a_hole_in_a_covariance_is_refused(seen):
    with pytest.raises(ValueError, match="missing"):
        seen.covariance("hrp", np.array([3, 5]), 50)


def test_correlations_of_what_is_not_usable_are_not_known(seen):
    found = seen.correlation(np.array([3, 5, 7, 9]), 50)
    expected = np.corrcoef(seen.returns[:, [0, 2]], rowvar=False)
    assert np.array_equal(found[np.ix_([0, 2], [0, 2])], expected)
    assert np.isnan(found[[1, 3]]).all()
    assert np.isnan(found[:, [1, 3]]).all()

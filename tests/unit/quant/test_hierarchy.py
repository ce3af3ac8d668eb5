"""Hierarchical risk parity: the tree by hand, and against scipy's."""

import numpy as np
import pytest
from scipy.cluster import hierarchy as scipy_tree
from scipy.spatial.distance import squareform

from tsq.quant.hierarchy import hrp, leaves


def test_alike_stands_next_to_alike():
    distance = np.array([[0.0, 9.0, 1.0, 9.0], [9.0, 0.0, 9.0, 2.0], [1.0, 9.0, 0.0, 9.0], [9.0, 2.0, 9.0, 0.0]])
    assert leaves(distance).tolist() == [0, 2, 1, 3]


def test_two_groups_by_hand():
    # Names 0 and 2 move together, 1 and 3 too; the halves are uncorrelated with variances 1 and 4.
    covariance = np.array([[1.0, 0.0, 1.0, 0.0], [0.0, 4.0, 0.0, 4.0], [1.0, 0.0, 1.0, 0.0], [0.0, 4.0, 0.0, 4.0]])
    np.testing.assert_allclose(hrp(covariance), [0.4, 0.1, 0.4, 0.1])


def test_without_correlation_two_names_weigh_by_inverse_variance():
    np.testing.assert_allclose(hrp(np.diag([1.0, 3.0])), [0.75, 0.25])


def test_one_name_has_everything():
    assert hrp(np.array([[2.0]])).tolist() == [1.0]


@pytest.mark.parametrize(("n", "seed"), [(2, 0), (3, 1), (10, 2), (57, 3), (300, 4)])
def test_leaves_are_scipys(n, seed):
    g = np.random.default_rng(seed)
    distance = squareform(squareform(np.sqrt(g.uniform(0.0, 1.0, (n, n))), checks=False))
    tree = scipy_tree.to_tree(scipy_tree.linkage(squareform(distance), "single"))
    assert leaves(distance).tolist() == tree.pre_order()


def test_leaves_are_scipys_with_ties():
    g = np.random.default_rng(9)
    distance = squareform(g.integers(1, 4, 12 * 11 // 2).astype(float))
    tree = scipy_tree.to_tree(scipy_tree.linkage(squareform(distance), "single"))
    assert leaves(distance).tolist() == tree.pre_order()


def test_order_of_names_hardly_matters_to_a_pair_of_twins():
    covariance = np.cov(np.random.default_rng(1).normal(0, 1, (50, 6)).T)
    twins = np.block([[covariance, covariance[:, :1]], [covariance[:1], covariance[:1, :1]]])
    weights = hrp(twins)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights > 0.0).all()

"""Hierarchical risk parity: split the budget down a tree of names that move alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def hrp(covariance: Floats) -> Floats:
    """Hierarchical risk parity with single linkage.

    Args:
        covariance: (n, n), every variance above zero.

    Returns:
        (n,) positive weights that add up to 1.

    Source:
        López de Prado (2016), "Building diversified portfolios that outperform out of sample", J. Portfolio Management
        42(4). The distance of two names is √((1 − ρ)/2), and names are linked by it directly, as PyPortfolioOpt does
        (the paper's code links them by how their distances to all others differ).
    """
    variance = np.diag(covariance)
    sd = np.sqrt(variance)
    correlation = np.clip(covariance / np.outer(sd, sd), -1.0, 1.0)
    order = leaves(np.sqrt((1.0 - correlation) / 2.0))
    weights = np.ones(len(covariance))
    waiting = [order]
    while waiting:
        names = waiting.pop()
        if len(names) < 2:
            continue
        left, right = names[: len(names) // 2], names[len(names) // 2 :]
        risk = _variance(covariance, left), _variance(covariance, right)
        share = 1.0 - risk[0] / (risk[0] + risk[1])
        weights[left] *= share
        weights[right] *= 1.0 - share
        waiting += [left, right]
    return weights


def leaves(distance: Floats) -> Ints:
    """The order of names in which single linkage puts alike next to alike.

    Args:
        distance: (n, n), symmetric.

    Returns:
        (n,) a permutation: the leaves of the tree from left to right, the older cluster on the left.

    Source:
        Single linkage joins along the minimum spanning tree, shortest edge first (Gower & Ross 1969, Applied
        Statistics 18(1)); clusters are numbered as scipy numbers them.
    """
    n = len(distance)
    cluster = list(range(n))  # the newest cluster that holds a name
    members: dict[int, list[int]] = {i: [i] for i in range(n)}
    edges = _spanning_tree(distance)
    for new, (_, a, b) in enumerate(sorted(edges, key=lambda edge: edge[0]), start=n):
        left, right = sorted((cluster[a], cluster[b]))
        members[new] = members.pop(left) + members.pop(right)
        for name in members[new]:
            cluster[name] = new
    return np.array(next(iter(members.values())), dtype=np.int64)


def _spanning_tree(distance: Floats) -> list[tuple[float, int, int]]:
    """Edges (length, from, to) of the minimum spanning tree, grown from name 0."""
    n = len(distance)
    is_out = np.ones(n, dtype=np.bool_)
    nearest = np.full(n, np.inf)
    edges = []
    at = 0
    for _ in range(n - 1):
        is_out[at] = False
        nearest = np.minimum(nearest, distance[at])
        following = int(np.argmin(np.where(is_out, nearest, np.inf)))
        edges.append((float(nearest[following]), at, following))
        at = following
    return edges


def _variance(covariance: Floats, names: Ints) -> float:
    """Variance of names weighted by the inverse of their variances."""
    part = covariance[np.ix_(names, names)]
    weights = 1.0 / np.diag(part)
    weights /= weights.sum()
    return float(weights @ part @ weights)

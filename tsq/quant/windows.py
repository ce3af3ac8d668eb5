"""The returns a decision looks at, and what is made of them once for all portfolios that look at the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsq.quant.covariance import window
from tsq.quant.optimise import covariance_for

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Windows:
    """Returns known at one decision, and a memory of what was computed from them.

    Attributes:
        ids: (n,) names, ascending.
        returns: (n_sessions, n) returns per session, oldest first; NaN where there is none.
        memory: results by what they were computed from; two portfolios with the same names share them.
    """

    ids: Ints
    returns: Floats
    memory: dict[tuple[str, int, bytes], Array] = field(default_factory=dict)

    def usable(self, ids: Ints, sessions: int) -> Bools:
        """(n_ids,) Which names have a return in each of the last so many sessions, and moved."""
        found = self._remembered("usable", sessions, self.ids, _usable)
        place = np.minimum(np.searchsorted(self.ids, ids), max(len(self.ids) - 1, 0))
        if not len(self.ids):
            return np.zeros(len(ids), np.bool_)
        return np.asarray((self.ids[place] == ids) & found[place])

    def covariance(self, method: str, ids: Ints, sessions: int) -> Floats:
        """(n_ids, n_ids) Shrunk covariance, per session, the kind a method of `optimise` is meant to be given.

        Raises:
            ValueError: a name without a complete window.
        """
        shrink = covariance_for(method)
        return self._remembered(shrink.__name__, sessions, ids, lambda returns: shrink(returns).covariance)

    def correlation(self, ids: Ints, sessions: int) -> Floats:
        """(n_ids, n_ids) Sample correlation; NaN of names without a usable window."""
        return self._remembered("correlation", sessions, ids, _correlation)

    def _remembered(self, what: str, sessions: int, ids: Ints, compute: Callable[[Floats], Array]) -> Array:
        """Compute once for each set of names, in their order, over the last sessions."""
        key = (what, sessions, ids.tobytes())
        if key not in self.memory:
            self.memory[key] = compute(self._of(ids, sessions))
        return self.memory[key]

    def _of(self, ids: Ints, sessions: int) -> Floats:
        """(sessions, n_ids) The last returns; a name that is not here, and a session before the first one, is NaN."""
        out = np.full((sessions, len(ids)), np.nan)
        last = self.returns[-sessions:]
        there = np.isin(ids, self.ids)
        out[sessions - len(last) :, there] = last[:, np.searchsorted(self.ids, ids[there])]
        return out


def _usable(returns: Floats) -> Bools:
    return window(returns).is_usable


def _correlation(returns: Floats) -> Floats:
    """Correlations of the usable columns; NaN elsewhere."""
    usable = window(returns).is_usable
    out = np.full((returns.shape[1],) * 2, np.nan)
    if usable.any():
        out[np.ix_(usable, usable)] = np.atleast_2d(np.corrcoef(returns[:, usable], rowvar=False))
    return out

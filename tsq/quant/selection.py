"""Which names are chosen before weights are found, and which changes of weight are left alone after: stated steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.str_]

BY_RANK, BY_HYSTERESIS = "rank", "hysteresis"  # why a name is in
RANK, SECTOR, CORRELATION, UNKNOWN, CAPACITY = "rank", "sector", "correlation", "no_window", "capacity"  # why it is not
_NEARLY = 1e-12


@dataclass(frozen=True, eq=False)
class Pool:
    """Names that may be chosen, best first; arrays of one entry a name.

    Attributes:
        score: standardised, higher is better, no NaN.
        is_held: held now.
        sectors: codes from 0; -1 is no sector, of which any number may be chosen.
        is_known: everything is known of it that finding its weight needs. A name that is held and not known may stay.
        has_room: its caps leave room for a position.
    """

    score: Floats
    is_held: Bools
    sectors: Ints
    is_known: Bools
    has_room: Bools


@dataclass(frozen=True, eq=False)
class Choice:
    """names: places of the chosen in the pool, in the order they were chosen; why (n,): of every name, in or out."""

    names: Ints
    why: Texts


def choose(
    pool: Pool,
    top_n: int,
    *,
    slots: Ints,
    incumbent_bonus: float = 0.0,
    exit_rank: int | None = None,
    correlation: Floats | None = None,
    max_correlation: float = np.inf,
) -> Choice:
    """Walk down the names and take what fits, until there are enough.

    The order is by score, with the bonus for names held; ties stay as they are in the pool. With an `exit_rank` the
    names held that stand no lower go first (hysteresis). A name is passed over that is not known (unless held), has no
    room, is of a sector whose slots are taken, or moves too closely with one already chosen.

    Args:
        pool: the names.
        top_n: names wanted.
        slots: (n_sectors,) names that fit into each sector.
        incumbent_bonus: added to the score of a name held.
        exit_rank: place down to which a name held goes before all others; None gives nobody precedence.
        correlation: (n, n) or None; NaN where it is not known, which keeps nobody out.
        max_correlation: the most a name may be correlated with one chosen before it.

    Returns:
        The chosen, at most `top_n`.
    """
    n = len(pool.score)
    order = np.argsort(-(pool.score + incumbent_bonus * pool.is_held), kind="stable")
    place = np.empty(n, np.int64)
    place[order] = np.arange(1, n + 1)
    first = pool.is_held & (place <= (0 if exit_rank is None else exit_rank))
    walk = np.concatenate([order[first[order]], order[~first[order]]])
    chosen: list[int] = []
    why = np.full(n, RANK, dtype="<U11")
    free = slots.copy()
    for name in walk:
        sector = pool.sectors[name]
        if not (pool.is_known[name] or pool.is_held[name]):
            why[name] = UNKNOWN
        elif not pool.has_room[name]:
            why[name] = CAPACITY
        elif len(chosen) == top_n:
            why[name] = RANK
        elif sector >= 0 and free[sector] < 1:
            why[name] = SECTOR
        elif correlation is not None and (correlation[name, chosen] > max_correlation).any():
            why[name] = CORRELATION
        else:
            chosen.append(int(name))
            why[name] = BY_HYSTERESIS if first[name] and place[name] > top_n else BY_RANK
            if sector >= 0:
                free[sector] -= 1
    return Choice(np.array(chosen, dtype=np.int64), why)


@dataclass(frozen=True, eq=False)
class Room:
    """Limits that weights must still keep when some of them are left as they are.

    Attributes:
        upper: (n,) largest weight of each name.
        budget: largest sum.
        sectors: (n,) codes; -1 is no sector.
        sector_cap: (n_codes,) largest weight of each sector.
        exposures: (k, n), with their least and greatest sums (k,).
        low: see exposures.
        high: see exposures.
    """

    upper: Floats
    budget: float
    sectors: Ints
    sector_cap: Floats
    exposures: Floats
    low: Floats
    high: Floats


def leave_alone(weights: Floats, current: Floats, band: float, room: Room) -> Floats:
    """Keep the current weight of names whose change would be smaller than the band.

    Entries and exits are always traded, and so is what is above its cap. Where the weights so kept break a limit, those
    that are above their target are let go, the furthest first; where more than the band is left uninvested, those that
    are below. What would move an exposure beyond its limits is traded in full. So the result keeps every limit the
    target kept, and changes no name by more than the target does.

    Args:
        weights: (n,) target, within the room.
        current: (n,) held now, drifted.
        band: change of weight below which nothing is traded.
        room: the limits.

    Returns:
        (n,) the weights to aim for.
    """
    keeps = (weights > 0.0) & (current > 0.0) & (np.abs(weights - current) < band) & (current <= room.upper)
    excess = np.where(keeps, current - weights, 0.0)
    while keeps.any():
        kept = np.where(keeps, current, weights)
        over = _over(kept, room)
        if (over & keeps & (excess > 0.0)).any():
            keeps[np.argmax(np.where(over & keeps, excess, -np.inf))] = False
        elif float(kept.sum()) < float(weights.sum()) - band and (keeps & (excess < 0.0)).any():
            keeps[np.argmin(np.where(keeps, excess, np.inf))] = False
        else:
            break
    kept = np.where(keeps, current, weights)
    exposed = room.exposures @ kept
    wanted = room.exposures @ weights
    worse = (exposed > np.maximum(room.high, wanted) + _NEARLY) | (exposed < np.minimum(room.low, wanted) - _NEARLY)
    return weights if worse.any() else kept


def _over(weights: Floats, room: Room) -> Bools:
    """(n,) Names that a broken limit counts: all where the sum is too large, else those of sectors that are."""
    if float(weights.sum()) > room.budget + _NEARLY:
        return np.ones(len(weights), np.bool_)
    if not len(room.sector_cap):
        return np.zeros(len(weights), np.bool_)
    is_capped = room.sectors >= 0
    sums = np.bincount(room.sectors[is_capped], weights[is_capped], minlength=len(room.sector_cap))
    full = sums > room.sector_cap + _NEARLY
    return np.asarray(is_capped & full[np.maximum(room.sectors, 0)])

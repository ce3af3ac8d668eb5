"""Lots of shares: what was acquired when and for how much, sold first in, first out, carried through corporate actions.

All functions are pure: they take lots and return lots. A lot's shares can be a part of one while a consolidation or a
bonus leaves fractions; together the lots of a name are what is held.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from tsq.errors import TsqError, did_you_mean
from tsq.quant.records import replace

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]

GRANDFATHERED_UNTIL = np.datetime64("2018-01-31")  # acquired up to this day, s.55(2)(ac)
TAXED_FROM = np.datetime64("2018-04-01")  # and sold from this one
CONVENTIONS = ("strict", "days365")
_MONTHS, _A_DAY = 12, np.timedelta64(1, "D")
_DUST = 1e-9  # shares; and as a part of what is counted, for sums of fractions


@dataclass(frozen=True)
class Lots:
    """Open lots of one demat account, by name and within a name in the order they are sold.

    Attributes:
        names: (n,) columns of the market.
        ids: (n,) running number within the account.
        acquired: (n,) day of the contract note, or of the allotment.
        qty: (n,) shares, above zero.
        cost: (n,) rupees all of them cost; zero for bonus shares.
        fair: (n,) rupees all of them were worth at the highest price of 31 January 2018; NaN where that says nothing.
    """

    names: Ints
    ids: Ints
    acquired: Days
    qty: Floats
    cost: Floats
    fair: Floats

    def at(self, index: npt.NDArray[np.bool_] | Ints) -> Lots:
        """The lots at an index, in its order."""
        if index.dtype == bool:
            index = index.nonzero()[0]
            if len(index) == len(self.names):
                return self
        names, ids, acquired = self.names[index], self.ids[index], self.acquired[index]
        return Lots(names, ids, acquired, self.qty[index], self.cost[index], self.fair[index])

    def held(self, n_names: int) -> Floats:
        """(n_names,) shares of each name in all its lots."""
        return np.bincount(self.names, self.qty, n_names).astype(float)


NO_LOTS = Lots(
    np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, "M8[D]"), np.empty(0), np.empty(0), np.empty(0)
)


def bought(lots: Lots, names: Ints, qty: Floats, cost: Floats, day: np.datetime64, next_id: int) -> tuple[Lots, Lots]:
    """Add one lot for each name, the youngest of its name.

    Args:
        lots: open so far.
        names: (k,) columns of the market, ascending.
        qty: (k,) shares, above zero.
        cost: (k,) rupees paid for them, what is deductible of the charges included.
        day: of the contract note or the allotment.
        next_id: number of the first.

    Returns:
        All lots, and the ones that were added.
    """
    ids = np.arange(next_id, next_id + len(names))
    added = Lots(names, ids, np.full(len(names), day, "M8[D]"), qty, cost, np.full(len(names), np.nan))
    both = (np.concatenate([getattr(lots, field.name), getattr(added, field.name)]) for field in fields(Lots))
    merged = Lots(*both)
    return merged.at(np.argsort(merged.names, kind="stable")), added


def taken(lots: Lots, names: Ints, qty: Floats, *, newest_first: bool = False) -> tuple[Lots, Lots]:
    """Take shares away, first in, first out.

    Args:
        lots: open so far.
        names: (k,) columns of the market, ascending.
        qty: (k,) shares to take, no more than the lots of the name hold.
        newest_first: take the youngest lot first instead: a fraction of a bonus share is part of the bonus.

    Returns:
        What is left, and the parts that were taken, with their part of the cost.

    Raises:
        TsqError: more is taken than there is.

    Source:
        Income-tax Act s.45(2A); CBDT Circular 768 of 24-6-1998: first in, first out within each demat account.
    """
    first = lots.names.searchsorted(names)
    n_lots = lots.names.searchsorted(names, side="right") - first
    before = n_lots.cumsum() - n_lots  # lots of the names before, among those of all `names`
    of = np.arange(len(names)).repeat(n_lots)
    index = np.arange(len(of)) + (first - before)[of]
    if newest_first:
        index = index[np.lexsort((-index, of))]
    there = lots.qty[index]
    sums = np.zeros(len(of) + 1)
    there.cumsum(out=sums[1:])
    starts, ends = sums[:-1], sums[1:]
    wanted = qty[of] - (starts - starts[before[of]])
    dust = _DUST + 1e-12 * ends
    part = np.minimum(np.maximum(wanted, 0.0), there)
    part = np.where(part < dust, 0.0, np.where(there - part < dust, there, part))
    lack = qty - np.bincount(of, part, len(names))
    if (lack > 1e-6 + 1e-9 * qty).any():
        most = int(np.argmax(lack))
        raise TsqError(
            f"{qty[most]:g} shares are sold of a name whose lots hold {qty[most] - lack[most]:g}", where="book.lots"
        )
    touched = part > 0.0
    index, part = index[touched], part[touched]
    some = lots.at(index)
    ratio = part / some.qty
    gone = replace(some, qty=part, cost=some.cost * ratio, fair=some.fair * ratio)
    rest = replace(lots, qty=lots.qty.copy(), cost=lots.cost.copy(), fair=lots.fair.copy())
    rest.qty[index] -= part
    rest.cost[index] *= 1.0 - ratio
    rest.fair[index] *= 1.0 - ratio
    return rest.at(rest.qty > 0.0), gone


def split(lots: Lots, factor: Floats) -> Lots:
    """Rescale share counts; what the lots cost and when they were acquired stays.

    Args:
        lots: open so far.
        factor: (n_names,) shares after for each one before: 1 where nothing is split.
    """
    return replace(lots, qty=lots.qty * factor[lots.names])


def bonus(lots: Lots, factor: Floats, day: np.datetime64, next_id: int) -> tuple[Lots, Lots]:
    """Add the bonus shares of each name as a lot of its own: no cost, held from the day of allotment.

    Args:
        lots: open so far.
        factor: (n_names,) shares after for each one before, 1 and above.
        day: of allotment.
        next_id: number of the first lot.

    Returns:
        All lots, and the ones that were added.

    Source:
        Income-tax Act s.55(2)(aa)(iiia); Explanation 1(i)(f) to s.2(42A).
    """
    held = lots.held(len(factor))
    names = ((factor > 1.0) & (held > 0.0)).nonzero()[0]
    return bought(lots, names, held[names] * (factor[names] - 1.0), np.zeros(len(names)), day, next_id)


def bonus_undone(lots: Lots, factor: Floats) -> Lots:
    """Take bonus shares back that turned out to be none: the youngest go, and what they cost stays with the others.

    Args:
        lots: open so far.
        factor: (n_names,) shares after for each one before, 1 and below.
    """
    held = lots.held(len(factor))
    names = ((factor < 1.0) & (held > 0.0)).nonzero()[0]
    if not len(names):
        return lots
    rest, gone = taken(lots, names, held[names] * (1.0 - factor[names]), newest_first=True)
    lost, kept = np.bincount(gone.names, gone.cost, len(factor)), rest.held(len(factor))
    share = np.divide(lost, kept, out=np.zeros(len(factor)), where=kept > 0.0)
    return replace(rest, cost=rest.cost + share[rest.names] * rest.qty)


def demerged(lots: Lots, kept: Floats) -> tuple[Lots, Lots]:
    """Split the cost of each lot between the company and what it spins off; the days of acquisition stay for both.

    Args:
        lots: open so far.
        kept: (n_names,) part of the cost that stays; 1 where nothing is spun off.

    Returns:
        What is left, and the lots of what was spun off, one of its shares for each old one.

    Source:
        Income-tax Act s.49(2C), 49(2D), Explanation 1(i)(g) to s.2(42A).
    """
    ratio = kept[lots.names]
    rest = replace(lots, cost=lots.cost * ratio, fair=lots.fair * ratio)
    gone = 1.0 - ratio
    spun = replace(lots, cost=lots.cost * gone, fair=lots.fair * gone)
    return rest, spun.at(ratio != 1.0)


def valued(lots: Lots, high: Floats) -> Lots:
    """Note what each lot was worth at the highest price of 31 January 2018.

    Args:
        lots: those held on that day.
        high: (n_names,) highest price of that day, or of the last one on which the name traded; NaN if there is none.
    """
    return replace(lots, fair=lots.qty * high[lots.names])


def long_from(acquired: Days, convention: str = "strict") -> Days:
    """First day on which a sale is long-term.

    Args:
        acquired: (n,) days of acquisition.
        convention: `strict`, held for more than twelve months by the calendar, as the law says; or `days365`, held for
            365 days, as some brokers' reports do.

    Source:
        Income-tax Act s.2(42A) (not more than twelve months is short); CBDT Circular 704: days of the contract notes.
        Twelve months from 29 February end on 28 February.
    """
    if convention not in CONVENTIONS:
        hint = did_you_mean(convention, CONVENTIONS) or f"known: {', '.join(CONVENTIONS)}"
        raise TsqError(f"holding_period is '{convention}'", where="config/taxpayers.yml", hint=hint)
    if convention == "days365":
        return acquired + np.timedelta64(365, "D")
    month = acquired.astype("M8[M]")
    later = month + _MONTHS
    out: Days = np.minimum(later.astype("M8[D]") + (acquired - month + _A_DAY), (later + 1).astype("M8[D]"))
    return out


def cost_by_law(lots: Lots, sale: Floats, sold: np.datetime64, is_long: npt.NDArray[np.bool_]) -> Floats:
    """Cost of what is sold as the law counts it: what was paid, or its worth of 31 January 2018 where that is more.

    Args:
        lots: (n,) the parts that are sold.
        sale: (n,) rupees they bring, before expenses.
        sold: day of the contract note.
        is_long: (n,) whether the sale is long-term.

    Returns:
        (n,) rupees. Never more than the sale brings, unless more was paid: it neither makes a loss nor takes one away.

    Source:
        Income-tax Act s.55(2)(ac).
    """
    protected = is_long & (lots.acquired <= GRANDFATHERED_UNTIL) & (sold >= TAXED_FROM) & ~np.isnan(lots.fair)
    return np.where(protected, np.maximum(lots.cost, np.minimum(lots.fair, sale)), lots.cost)

"""What the events of a session do to lots and to the year: purchases, sales, corporate actions, dividends."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tsq.errors import TsqError
from tsq.quant import lots as law_of_lots
from tsq.quant.book import MOST, Book, Day, batch_of
from tsq.quant.charges import CHARGES
from tsq.quant.events import Batch
from tsq.quant.lots import Lots
from tsq.quant.market import Floats, Ints
from tsq.quant.records import replace
from tsq.quant.tax import LONG, SHORT, Taxpayer
from tsq.quant.tax_accounts import Accounts, Terms, paid_out, transferred

_NEARLY = 1e-6  # of the shares held, by which the lots may miss them through fractions


def changed(state: Accounts, event: Batch, day: Day, terms: Terms) -> tuple[Accounts, list[Batch]]:
    """What one batch of the session's events does to the lots and to the year."""
    if event.kind == "corporate_action":
        return _after_action(state, event, day)
    if event.kind == "dividend":
        return _after_cash(state, event, day, terms)
    if event.kind not in ("fill", "fraction", "delisting"):
        return state, []
    charges = np.zeros(len(event.names))
    if event.costs is not None:
        charges = event.costs[:, _deducted(terms.taxpayer, event.costs.shape[1])].sum(axis=1)
    order = np.argsort(event.names, kind="stable")
    names, qty, price = event.names[order], event.qty[order], event.price[order]
    charges, reason = charges[order], event.reason[order]
    if event.side == "buy":
        lots, added = law_of_lots.bought(state.lots, names, qty, qty * price + charges, day.date, state.next_id)
        state = replace(state, lots=lots, next_id=state.next_id + len(names))
        return state, [_lot_batch(day, added.names, added.ids, added.acquired, added.qty, added.cost, reason)]
    if event.kind != "fraction":
        state, batch = _sold(state, _Sale(names, qty, price, charges, reason), day, terms)
        return state, [batch]
    actions, batches = day.market.actions[day.row], []
    youngest = actions.bonus[np.searchsorted(actions.names, names)] > 1.0
    for newest_first in (False, True):
        if (of := youngest == newest_first).any():
            sale = _Sale(names[of], qty[of], price[of], charges[of], reason[of])
            state, batch = _sold(state, sale, day, terms, newest_first=newest_first)
            batches.append(batch)
    return state, batches


@functools.cache
def _deducted(taxpayer: Taxpayer, n_costs: int) -> npt.NDArray[np.bool_]:
    """(n_costs,) whether each of the costs of a fill reduces a gain: what is no charge does."""
    return np.append(taxpayer.deducts(), [True] * (n_costs - len(CHARGES)))


@dataclass(frozen=True)
class _Sale:
    """Shares sold: columns of the market, ascending, shares, price of one, and the deductible charges of each sale."""

    names: Ints
    qty: Floats
    price: Floats
    charges: Floats
    reason: npt.NDArray[np.str_]


def _sold(
    state: Accounts, sale: _Sale, day: Day, terms: Terms, *, newest_first: bool = False
) -> tuple[Accounts, Batch]:
    lots, gone = law_of_lots.taken(state.lots, sale.names, sale.qty, newest_first=newest_first)
    of = np.searchsorted(sale.names, gone.names)
    brought = gone.qty * sale.price[of]
    expenses = sale.charges[of] * gone.qty / sale.qty[of]
    return _matched(replace(state, lots=lots), gone, brought, expenses, sale.reason[of], day, terms)


def _matched(
    state: Accounts,
    gone: Lots,
    brought: Floats,
    expenses: Floats,
    reason: npt.NDArray[np.str_],
    day: Day,
    terms: Terms,
    *,
    is_sold: bool = True,
) -> tuple[Accounts, Batch]:
    """Match what was sold with what it cost; shares stay where only a part of the cost goes with a spun-off company."""
    is_long = law_of_lots.long_from(gone.acquired, terms.taxpayer.holding_period) <= day.date
    cost = law_of_lots.cost_by_law(gone, brought, day.date, is_long)
    gain = brought - expenses - cost
    year, won, lost = state.year, gain > 0.0, gain < 0.0
    for term, of in ((SHORT, ~is_long), (LONG, is_long)) if terms.pays else ():
        year = transferred(year, day, term, float(gain[of & won].sum()))
        year = transferred(year, day, term, float(gain[of & lost].sum()))
    more = {
        "lot_id": gone.ids,
        "acquired_date": gone.acquired,
        "cost_basis_inr": gone.cost,
        "gain_inr": gain,
        "term": np.where(is_long, LONG, SHORT),
        "level": cost,
    }
    qty = gone.qty if is_sold else np.zeros(len(gone.qty))
    price = np.divide(brought, qty, out=np.zeros(len(qty)), where=qty > 0.0)
    return replace(state, year=year), batch_of("match", day, gone.names, reason, qty=qty, price=price, more=more)


def _after_action(state: Accounts, event: Batch, day: Day) -> tuple[Accounts, list[Batch]]:
    """Splits and consolidations rescale lots; a bonus is a lot of its own, or is taken back."""
    actions, n_names = day.market.actions[day.row], len(day.market.names)
    at = np.searchsorted(actions.names, event.names)
    held = state.lots.held(n_names)[event.names]
    exact = held * actions.factor[at]
    rescaled, issued = np.ones(n_names), np.ones(n_names)
    issued[event.names] = actions.bonus[at]
    rescaled[event.names] = np.minimum(exact, MOST) / held / actions.bonus[at]
    before = state.lots
    lots = law_of_lots.split(before, rescaled)
    lots, added = law_of_lots.bonus(lots, issued, day.date, state.next_id)
    lots = law_of_lots.bonus_undone(lots, issued)
    changed = _difference(before, lots, event.names)
    label = event.reason[np.searchsorted(event.names, changed.names)]
    batch = _lot_batch(day, changed.names, changed.ids, changed.acquired, changed.qty, changed.cost, label)
    return replace(state, lots=lots, next_id=state.next_id + len(added.ids)), [batch]


def _difference(before: Lots, after: Lots, names: Ints) -> Lots:
    """Change of shares and cost of every lot of some names that changed."""
    old, new = (lots.at(np.isin(lots.names, names)) for lots in (before, after))
    ids, first, of = np.unique(np.concatenate([new.ids, old.ids]), return_index=True, return_inverse=True)
    sign = np.repeat([1.0, -1.0], [len(new.ids), len(old.ids)])
    qty, cost = (
        np.bincount(of, sign * np.concatenate([getattr(new, what), getattr(old, what)]), len(ids)).astype(float)
        for what in ("qty", "cost")
    )
    everything = [np.concatenate([getattr(new, what), getattr(old, what)])[first] for what in ("names", "acquired")]
    return Lots(everything[0], ids, everything[1], qty, cost, np.full(len(ids), np.nan)).at(
        (qty != 0.0) | (cost != 0.0)
    )


def _after_cash(state: Accounts, event: Batch, day: Day, terms: Terms) -> tuple[Accounts, list[Batch]]:
    """Dividends are income; rights that are sold are a gain without cost; what a demerger spins off has its part."""
    actions = day.market.actions[day.row]
    at = np.searchsorted(actions.names, event.names)
    cash, per_share = event.cash, actions.cash[at]
    taken = np.divide(cash * actions.taken[at], per_share, out=np.zeros(len(cash)), where=per_share != 0.0)
    year, batches, slab = state.year, [], terms.taxpayer.slab
    if terms.pays:
        year = paid_out(year, day, float((cash - taken).sum()), slab)
    if not taken.any():
        return replace(state, year=year), []
    is_right = np.char.find(event.reason.astype(str), "rights") >= 0
    if (of := is_right & (taken != 0.0)).any():
        year = transferred(year, day, SHORT, float(taken[of].sum()), slab) if terms.pays else year
        none = np.zeros(int(of.sum()))
        more = {
            "acquired_date": np.full(len(none), day.date, "M8[D]"),
            "cost_basis_inr": none,
            "gain_inr": taken[of],
            "term": np.full(len(none), SHORT),
            "level": none,
        }
        batches.append(batch_of("match", day, event.names[of], event.reason[of], more=more))
    state = replace(state, year=year)
    if (of := ~is_right & (taken != 0.0)).any():
        names, kept, brought = event.names[of], np.ones(len(day.market.names)), np.zeros(len(day.market.names))
        kept[names], brought[names] = actions.kept[at][of], taken[of]
        held = state.lots.held(len(kept))
        lots, spun = law_of_lots.demerged(state.lots, kept)
        label = event.reason[of][np.searchsorted(names, spun.names)]
        proceeds = brought[spun.names] * spun.qty / held[spun.names]
        nothing = np.zeros(len(spun.qty))
        state = replace(state, lots=lots)
        state, batch = _matched(state, spun, proceeds, nothing, label, day, terms, is_sold=False)
        batches.append(batch)
    return state, batches


def _lot_batch(
    day: Day,
    names: Ints,
    ids: Ints,
    acquired: npt.NDArray[np.datetime64],
    qty: Floats,
    cost: Floats,
    reason: npt.NDArray[np.str_],
) -> Batch:
    more: dict[str, npt.NDArray[Any]] = {"lot_id": ids, "acquired_date": acquired, "cost_basis_inr": cost}
    return batch_of("lot", day, names, reason, qty=qty, more=more)


def valued(state: Accounts, day: Day, row: int) -> Accounts:
    """Note the highest prices of 31 January 2018, or of the last session before it on which a name traded."""
    high = np.full(len(day.market.names), np.nan)
    for name in np.unique(state.lots.names).tolist():
        traded = (~np.isnan(day.market.high[: row + 1, name])).nonzero()[0]
        if len(traded):
            last = traded[-1]
            rescaled = day.market.mark[row, name] / day.market.mark[last, name]  # what went ex since
            high[name] = day.market.high[last, name] * rescaled
    return replace(state, lots=law_of_lots.valued(state.lots, high), valued=True)


def whole(lots: Lots, book: Book, day: Day) -> Lots:
    """Hold the lots to what is held; what fractions leave of a name that is gone, goes.

    Raises:
        TsqError: they differ.
    """
    held = lots.held(len(book.shares))
    wrong = np.abs(held - book.shares) > _NEARLY * np.maximum(book.shares, 1)
    if wrong.any():
        name = int(np.argmax(wrong))
        raise TsqError(
            f"lots of {day.market.names[name]} hold {held[name]:g} shares on {day.date}, the book {book.shares[name]}",
            where="book.lots",
        )
    return lots.at(book.shares[lots.names] > 0)

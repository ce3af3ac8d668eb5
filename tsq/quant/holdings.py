"""Steps that change holdings without an order: corporate actions, and names that have stopped trading."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tsq.quant.book import NEARLY_WHOLE, Book, Day, batch_of, record
from tsq.quant.market import Floats, Ints


def adjust_for_actions(book: Book, day: Day) -> Book:
    """Change share counts on ex-dates; credit fractions at today's price, and dividends on the shares held before."""
    actions = day.market.actions.get(day.row)
    if actions is None:
        return book
    held = book.shares[actions.names] > 0
    if not held.any():
        return book
    names, factor, label = actions.names[held], actions.factor[held], actions.label[held]
    old = book.shares[names]
    exact = old * factor
    new = np.floor(exact + NEARLY_WHOLE).astype(np.int64)
    part = np.maximum(exact - new, 0.0)
    part[part < NEARLY_WHOLE] = 0.0
    book = _rescale_sells(book, names, factor)
    batches = []
    if (changed := factor != 1.0).any():
        batches.append(batch_of("corporate_action", day, names[changed], label[changed], shares=(new - old)[changed]))
    if (cut := part > 0.0).any():
        price = day.worth(names[cut])
        batches.append(
            batch_of("fraction", day, names[cut], label[cut], qty=part[cut], price=price, cash=part[cut] * price)
        )
    if (paid := actions.cash[held] != 0.0).any():
        rate = actions.cash[held][paid]
        batches.append(
            batch_of("dividend", day, names[paid], label[paid], qty=old[paid], price=rate, cash=old[paid] * rate)
        )
    return record(book, batches)


def close_dead(book: Book, day: Day) -> Book:
    """Close holdings that have not traded for the stated number of sessions, at a haircut to the last price."""
    dead = day.market.deaths.get(day.row)
    if dead is None or not len(names := dead[book.shares[dead] > 0]):
        return book
    qty = book.shares[names]
    price = day.market.before[day.row, names] * (1.0 - day.policy.delist_haircut)
    reason = np.full(len(names), "no_trades")
    closed = batch_of("delisting", day, names, reason, qty=qty, price=price, cash=qty * price, shares=-qty, side="sell")
    book = replace(book, sells=book.sells.only(~np.isin(book.sells.names, names)))
    return record(book, [closed])


def _rescale_sells(book: Book, names: Ints, factor: Floats) -> Book:
    """Waiting sells count shares, so they change with them."""
    waiting = book.sells
    if not len(waiting.names):
        return book
    ratio = np.ones(len(book.shares))
    ratio[names] = factor
    return replace(
        book, sells=replace(waiting, qty=np.floor(waiting.qty * ratio[waiting.names] + NEARLY_WHOLE).astype(np.int64))
    )

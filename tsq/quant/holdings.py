"""Steps that change holdings without an order: corporate actions, and names that have stopped trading."""

from __future__ import annotations

import numpy as np

from tsq.quant.book import MOST, NEARLY_WHOLE, Book, Day, Orders, batch_of, record
from tsq.quant.market import Floats, Ints
from tsq.quant.records import replace


def adjust_for_actions(book: Book, day: Day) -> Book:
    """Change share counts on ex-dates; credit fractions at today's price, and dividends on the shares held before.

    What is taken back (an action that was restated or cancelled) is paid from cash and, where that does not suffice, by
    selling shares of the name at today's price; a book never owes anything.
    """
    actions = day.market.actions.get(day.row)
    if actions is None:
        return book
    held = book.shares[actions.names] > 0
    if not held.all():
        unheld = ~held
        book = _rescale_orders(book, actions.names[unheld], actions.factor[unheld], book.shares[actions.names[unheld]])
    if not held.any():
        return book
    names, factor, label = actions.names[held], actions.factor[held], actions.label[held]
    old = book.shares[names]
    exact = np.minimum(old * factor, MOST)
    new = np.floor(exact + NEARLY_WHOLE).astype(np.int64)
    part = np.maximum(exact - new, 0.0)
    part[part < NEARLY_WHOLE] = 0.0
    price, cash = day.worth(names), old * actions.cash[held]
    sold, cash = _taken_back(book.cash + float((part * price).sum()), cash, new, price)
    book = _rescale_orders(book, names, factor, new - sold)
    batches = []
    if (changed := factor != 1.0).any():
        batches.append(batch_of("corporate_action", day, names[changed], label[changed], shares=(new - old)[changed]))
    if (cut := part + sold > 0.0).any():
        qty, at = (part + sold)[cut], price[cut]
        batches.append(
            batch_of("fraction", day, names[cut], label[cut], qty=qty, price=at, cash=qty * at, shares=-sold[cut])
        )
    if (paid := cash != 0.0).any():
        batches.append(
            batch_of(
                "dividend", day, names[paid], label[paid], qty=old[paid], price=(cash / old)[paid], cash=cash[paid]
            )
        )
    return record(book, batches)


def _taken_back(has: float, cash: Floats, shares: Ints, price: Floats) -> tuple[Ints, Floats]:
    """Shares sold to pay what is taken back and cash cannot pay, and the cash of each name; what is left is let go."""
    owed = np.maximum(-cash, 0.0)
    sold = np.zeros_like(shares)
    lack = min(-(has + float(cash.sum())), float(owed.sum()))  # what was borrowed before is no part of it
    if lack <= 0.0 or not owed.any():
        return sold, cash
    part = owed / owed.sum()
    sold = np.minimum(np.ceil(lack * part / price), shares).astype(np.int64)
    left = max(lack - float((sold * price).sum()), 0.0)
    return sold, cash + left * part


def close_dead(book: Book, day: Day) -> Book:
    """Close holdings that have not traded for the stated number of sessions, at a haircut to the last price."""
    dead = day.market.deaths.get(day.row)
    if dead is None:
        return book
    book = replace(book, buys=book.buys.only(~np.isin(book.buys.names, dead)))
    if not len(names := dead[book.shares[dead] > 0]):
        return book
    qty = book.shares[names]
    price = day.market.before[day.row, names] * (1.0 - day.policy.delist_haircut)
    reason = np.full(len(names), "no_trades")
    closed = batch_of("delisting", day, names, reason, qty=qty, price=price, cash=qty * price, shares=-qty, side="sell")
    book = replace(book, sells=book.sells.only(~np.isin(book.sells.names, names)))
    return record(book, [closed])


def _rescale_orders(book: Book, names: Ints, factor: Floats, shares: Ints) -> Book:
    """Waiting orders count shares, so they change with them, and never sell more than there are."""
    if not len(book.sells.names) and not len(book.buys.names):
        return book
    ratio, most = np.ones(len(book.shares)), book.shares.copy()
    ratio[names], most[names] = factor, shares

    def rescaled(waiting: Orders) -> Ints:
        exact = np.minimum(waiting.qty * ratio[waiting.names], MOST)
        return np.floor(exact + NEARLY_WHOLE).astype(np.int64)

    sells, buys = book.sells, book.buys
    sells = sells.left(np.minimum(rescaled(sells), most[sells.names]))
    return replace(book, sells=sells, buys=buys.left(rescaled(buys)))

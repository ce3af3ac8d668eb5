"""Steps that trade: a decision becomes orders, sells, then the buys that cash allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tsq.quant.book import NEARLY_WHOLE, NO_ORDERS, Book, Day, Orders, record
from tsq.quant.charges import BUY, SELL, SIDES, charge_fills
from tsq.quant.events import Batch
from tsq.quant.market import Floats, Ints

_PASSES = 4


def decide(book: Book, day: Day) -> Book:
    """Turn the targets of the evening before into orders; they replace whatever still waits.

    Whole shares for `weight × V`, where V is left after the costs of getting there: V + costs(V) = value before.
    """
    targets = day.policy.targets.get(day.row - 1)
    if targets is None:
        return book
    names = np.union1d(np.flatnonzero(book.shares), targets.names)
    price, held = day.worth(names), book.shares[names]
    known = ~np.isnan(price)
    names, price, held = names[known], price[known], held[known]
    weights = np.zeros(len(names))
    is_target = np.isin(names, targets.names)
    weights[is_target] = targets.weights[np.isin(targets.names, names)]
    can_trade = ~np.isnan(day.price[names])

    value = before = book.cash + float(np.sum(held * price))
    for _ in range(_PASSES):
        change = np.floor(weights * value / price + NEARLY_WHOLE).astype(np.int64) - held
        value = max(before - _costs_of_change(day, np.where(can_trade, change, 0), price), 0.0)

    signal = np.full(len(names), day.row - 1)
    reason = np.select([held == 0, change > 0, weights > 0.0], ["enter", "add", "trim"], "exit")
    orders = Orders(names, np.abs(change), signal, reason)
    return replace(book, sells=orders.only(change < 0), buys=orders.only((change > 0) & can_trade))


def sell(book: Book, day: Day) -> Book:
    """Trade the waiting sells of names that trade today and pay for their own costs; the others keep waiting."""
    if not len(book.sells.names):
        return book
    price = day.price[book.sells.names]
    trades = _cash_of(day, SELL, book.sells.qty, price)[1] > 0.0  # a comparison with NaN is false: no trade
    now = book.sells.only(trades)
    return record(replace(book, sells=book.sells.only(~trades)), _fills(day, SELL, now))


def buy(book: Book, day: Day) -> Book:
    """Trade the waiting buys, cut by one ratio where cash does not cover them and their costs; none keeps waiting."""
    if not len(book.buys.names):
        return book
    return record(replace(book, buys=NO_ORDERS), _fills(day, BUY, _affordable(book.cash, day, book.buys)))


def _fills(day: Day, side: int, orders: Orders) -> list[Batch]:
    """Fill orders in full at today's price, with their charges and slippage."""
    if not len(orders.names):
        return []
    price = day.price[orders.names]
    costs, cash = _cash_of(day, side, orders.qty, price)
    shares = orders.qty if side == BUY else -orders.qty
    assumed = day.policy.schedule.assumed[side][day.row]
    qty = orders.qty.astype(float)
    return [
        Batch(
            "fill",
            day.row,
            orders.names,
            qty,
            price,
            cash,
            shares,
            orders.reason,
            SIDES[side],
            costs,
            orders.signal,
            assumed,
        )
    ]


def _cash_of(day: Day, side: int, qty: Ints, price: Floats) -> tuple[Floats, Floats]:
    """Costs (n, charges + slippage) and change of cash (n,) of fills, rupees."""
    value = qty * price
    charges = charge_fills(day.policy.schedule, day.row, side, value)
    costs = np.column_stack([charges, value * day.policy.slippage])
    return costs, (value if side == SELL else -value) - costs.sum(axis=1)


def _costs_of_change(day: Day, change: Ints, price: Floats) -> float:
    """Costs of changing holdings by whole shares, rupees."""
    sold, bought = np.maximum(-change, 0), np.maximum(change, 0)
    return float(np.sum(_cash_of(day, SELL, sold, price)[0])) + float(np.sum(_cash_of(day, BUY, bought, price)[0]))


def _affordable(cash: float, day: Day, orders: Orders) -> Orders:
    """The orders, or the largest part of each, by one ratio, that leaves cash at zero or above."""
    price = day.price[orders.names]

    def leaves(qty: Ints) -> float:
        bought = qty > 0
        return cash + float(np.sum(_cash_of(day, BUY, qty[bought], price[bought])[1]))

    left = leaves(orders.qty)
    if left >= 0.0:
        return orders
    low, few = 0.0, np.zeros_like(orders.qty)
    high, many = 1.0, orders.qty
    ratio = cash / (cash - left)  # the answer, if all costs were in proportion
    # one share of one name is all that can be left between too few and too many
    while (many - few).sum() > 1 and low < ratio < high:
        part = (orders.qty * ratio).astype(np.int64)
        if leaves(part) >= 0.0:
            low, few = ratio, part
        else:
            high, many = ratio, part
        ratio = (low + high) / 2.0
    return replace(orders, qty=few).only(few > 0)

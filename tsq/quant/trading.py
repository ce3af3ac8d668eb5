"""Steps that trade: a decision becomes orders, sells, then the buys that cash allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tsq.quant.book import MOST, NEARLY_WHOLE, NO_ORDERS, Book, Day, Orders, record
from tsq.quant.charges import BUY, CHARGES, SELL, SIDES, charge_fills
from tsq.quant.events import Batch
from tsq.quant.market import Floats, Ints

_ESTIMATES = 3  # of the costs, at most: the shares they leave hardly change them


def decide(book: Book, day: Day) -> Book:
    """Turn the targets of the evening before into orders; they replace whatever still waits.

    Whole shares for `weight × V`, where V is left after the costs of getting there: V + costs(V) = value before.
    """
    targets = day.policy.targets.get(day.row - 1)
    if targets is None:
        return book
    weights = np.zeros(len(book.shares))
    weights[targets.names] = targets.weights
    is_wanted = book.shares > 0
    is_wanted[targets.names] = True
    names = np.flatnonzero(is_wanted)
    price = day.worth(names)
    known = ~np.isnan(price)
    names, price = names[known], price[known]
    weights, held = weights[names], book.shares[names]
    can_trade = ~np.isnan(day.price[names])

    value = before = book.cash + float(np.sum(held * price))
    change = _change(weights, value, price, held)
    for _ in range(_ESTIMATES):
        value = max(before - _costs_of_change(day, np.where(can_trade, change, 0), price), 0.0)
        last, change = change, _change(weights, value, price, held)
        if np.array_equal(change, last):
            break

    signal = np.full(len(names), day.row - 1)
    reason = np.where(held == 0, "enter", np.where(change > 0, "add", np.where(weights > 0.0, "trim", "exit")))
    orders = Orders(names, np.abs(change), signal, reason)
    return replace(book, sells=orders.only(change < 0), buys=orders.only((change > 0) & can_trade))


def sell(book: Book, day: Day) -> Book:
    """Trade the waiting sells of names that trade today and pay for their own costs; the others keep waiting."""
    if not len(book.sells.names):
        return book
    costs, cash = _cash_of(day, SELL, book.sells.qty, day.price[book.sells.names])
    trades = cash > 0.0  # a comparison with NaN is false: no trade
    filled = _fills(day, SELL, book.sells.only(trades), costs[trades], cash[trades])
    return record(replace(book, sells=book.sells.only(~trades)), filled)


def buy(book: Book, day: Day) -> Book:
    """Trade the waiting buys, cut by one ratio where cash does not cover them and their costs; none keeps waiting."""
    if not len(book.buys.names):
        return book
    orders = book.buys
    costs, cash = _cash_of(day, BUY, orders.qty, day.price[orders.names])
    left = book.cash + float(np.sum(cash))
    if left < 0.0:
        orders = _affordable(book.cash, left, day, orders)
        costs, cash = _cash_of(day, BUY, orders.qty, day.price[orders.names])
    return record(replace(book, buys=NO_ORDERS), _fills(day, BUY, orders, costs, cash))


def _fills(day: Day, side: int, orders: Orders, costs: Floats, cash: Floats) -> list[Batch]:
    """Fill orders in full at today's price, with their costs and the change of cash they make."""
    if not len(orders.names):
        return []
    return [
        Batch(
            "fill",
            day.row,
            orders.names,
            orders.qty.astype(float),
            day.price[orders.names],
            cash,
            orders.qty if side == BUY else -orders.qty,
            orders.reason,
            SIDES[side],
            costs,
            orders.signal,
            day.policy.schedule.assumed[side][day.row],
        )
    ]


def _cash_of(day: Day, side: int, qty: Ints, price: Floats) -> tuple[Floats, Floats]:
    """Costs (n, charges + slippage) and change of cash (n,) of fills, rupees."""
    value = qty * price
    costs = _costs_of(day, side, value)
    return costs, (value if side == SELL else -value) - costs.sum(axis=1)


def _costs_of(day: Day, side: int | Ints, value: Floats) -> Floats:
    """Costs (n, charges + slippage) of fills of so much value, rupees."""
    costs = np.empty((len(value), len(CHARGES) + 1))
    costs[:, :-1] = charge_fills(day.policy.schedule, day.row, side, value)
    costs[:, -1] = value * day.policy.slippage
    return costs


def _change(weights: Floats, value: float, price: Floats, held: Ints) -> Ints:
    """Whole shares by which holdings change so that each is worth its weight of the value, and no more than `MOST`."""
    shares: Ints = np.floor(np.minimum(weights * value / price, MOST) + NEARLY_WHOLE).astype(np.int64)
    return shares - held


def _costs_of_change(day: Day, change: Ints, price: Floats) -> float:
    """Costs of changing holdings by whole shares, rupees."""
    value = np.concatenate([np.maximum(-change, 0) * price, np.maximum(change, 0) * price])
    costs = _costs_of(day, np.repeat([SELL, BUY], len(change)), value)
    return float(np.sum(costs[: len(change)])) + float(np.sum(costs[len(change) :]))


def _affordable(cash: float, left: float, day: Day, orders: Orders) -> Orders:
    """The largest part of each order, by one ratio, that leaves cash at zero or above; all of them leave too little."""
    price = day.price[orders.names]

    def leaves(qty: Ints) -> float:
        bought = qty > 0
        return cash + float(np.sum(_cash_of(day, BUY, qty[bought], price[bought])[1]))

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

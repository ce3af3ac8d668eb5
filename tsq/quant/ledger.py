"""The one fold: a portfolio's cash and holdings carried from session to session, everything that happens as events.

A step is a pure function `(book, day) -> book`; `STEPS` is the order in which they act on a session. A step sees the
market up to its session only, appends what it did to `book.events`, and leaves the rest alone. What a portfolio decides
at the evening of session t trades at session t + 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from tsq.quant.charges import BUY, SELL, SIDES, Schedule, charge_fills
from tsq.quant.events import NOBODY, Batch
from tsq.quant.market import Floats, Ints, Market

BASIS_POINT = 1e-4
_WHOLE = 1e-9  # a share count this near above a whole number is that number
_PASSES = 4


@dataclass(frozen=True)
class Orders:
    """Orders of one side waiting to trade, one entry a name.

    Attributes:
        names: columns of the market, ascending.
        qty: whole shares.
        signal: rows of the sessions that decided.
        reason: enter, add, trim or exit.
    """

    names: Ints
    qty: Ints
    signal: Ints
    reason: npt.NDArray[np.str_]

    def only(self, keep: npt.NDArray[np.bool_]) -> Orders:
        """The orders where `keep` is true."""
        return Orders(self.names[keep], self.qty[keep], self.signal[keep], self.reason[keep])


NO_ORDERS = Orders(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, "<U5"))


@dataclass(frozen=True)
class Targets:
    """What one evening decided: columns of the market, ascending, and the weights they should have."""

    names: Ints
    weights: Floats


@dataclass(frozen=True)
class Policy:
    """What does not change while a portfolio is carried through time.

    Attributes:
        targets: by row of the session that decided.
        schedule: charges, one row per session of the market.
        slippage: cost of trading as a ratio of the traded value.
        delist_haircut: part of the last price lost when a dead holding is closed.
    """

    targets: Mapping[int, Targets]
    schedule: Schedule
    slippage: float
    delist_haircut: float


@dataclass(frozen=True)
class Day:
    """One session as the steps see it."""

    row: int
    market: Market
    policy: Policy

    @property
    def price(self) -> Floats:
        """(n_names,) price at which orders trade today; NaN where they cannot."""
        prices: Floats = self.market.price[self.row]
        return prices

    def worth(self, names: Ints) -> Floats:
        """Price of a share while orders trade: today's, or the last close of a name that does not trade."""
        price = self.price[names]
        return np.where(np.isnan(price), self.market.before[self.row, names], price)


@dataclass(frozen=True)
class Book:
    """A portfolio between two steps.

    Attributes:
        cash: rupees.
        shares: (n_names,) whole shares held.
        sells: waiting; one that cannot trade today waits for the name's next session.
        buys: waiting; one that cannot trade today lapses.
        events: what happened in this session so far.
    """

    cash: float
    shares: Ints
    sells: Orders = NO_ORDERS
    buys: Orders = NO_ORDERS
    events: tuple[Batch, ...] = ()


Step = Callable[[Book, Day], Book]


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
    new = np.floor(exact + _WHOLE).astype(np.int64)
    part = np.maximum(exact - new, 0.0)
    part[part < _WHOLE] = 0.0
    book = _rescale_sells(book, names, factor)
    batches = []
    if (changed := factor != 1.0).any():
        batches.append(_batch("corporate_action", day, names[changed], label[changed], shares=(new - old)[changed]))
    if (cut := part > 0.0).any():
        price = day.worth(names[cut])
        batches.append(
            _batch("fraction", day, names[cut], label[cut], qty=part[cut], price=price, cash=part[cut] * price)
        )
    if (paid := actions.cash[held] != 0.0).any():
        rate = actions.cash[held][paid]
        batches.append(
            _batch("dividend", day, names[paid], label[paid], qty=old[paid], price=rate, cash=old[paid] * rate)
        )
    return _record(book, batches)


def close_dead(book: Book, day: Day) -> Book:
    """Close holdings that have not traded for the stated number of sessions, at a haircut to the last price."""
    dead = day.market.deaths.get(day.row)
    if dead is None or not len(names := dead[book.shares[dead] > 0]):
        return book
    qty = book.shares[names]
    price = day.market.before[day.row, names] * (1.0 - day.policy.delist_haircut)
    reason = np.full(len(names), "no_trades")
    closed = _batch("delisting", day, names, reason, qty=qty, price=price, cash=qty * price, shares=-qty, side="sell")
    book = replace(book, sells=book.sells.only(~np.isin(book.sells.names, names)))
    return _record(book, [closed])


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
        change = np.floor(weights * value / price + _WHOLE).astype(np.int64) - held
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
    return _record(replace(book, sells=book.sells.only(~trades)), _fills(day, SELL, now))


def buy(book: Book, day: Day) -> Book:
    """Trade the waiting buys, cut by one ratio where cash does not cover them and their costs; none keeps waiting."""
    if not len(book.buys.names):
        return book
    return _record(replace(book, buys=NO_ORDERS), _fills(day, BUY, _affordable(book.cash, day, book.buys)))


def targets_by_day(targets: pl.DataFrame, market: Market) -> dict[int, Targets]:
    """Lay one portfolio's targets out for the fold.

    Args:
        targets: date, security_id, weight, in any order.
        market: names that never trade after they were wanted are not in it and are left out.

    Raises:
        TsqError: a decision is dated on a day without a session.
    """
    known = targets.filter(pl.col("security_id").is_in(market.names.tolist())).sort("date", "security_id")
    out = {market.day(date): Targets(np.empty(0, np.int64), np.empty(0)) for date in targets["date"].unique().sort()}
    for (date,), rows in known.group_by("date", maintain_order=True):
        columns = np.searchsorted(market.names, rows["security_id"].to_numpy())
        out[market.day(date)] = Targets(columns, rows["weight"].to_numpy())
    return out


STEPS: tuple[Step, ...] = (adjust_for_actions, close_dead, decide, sell, buy)


def fold(market: Market, policy: Policy, capital: float, steps: Sequence[Step] = STEPS) -> list[Batch]:
    """Carry one portfolio from its first decision to the last session.

    Args:
        market: prices and actions.
        policy: targets and costs.
        capital: rupees of cash at the evening of the first decision.
        steps: what happens in a session, in order.

    Returns:
        Batches of events in the order they happened; the first is the inception.
    """
    first = min(policy.targets)
    start = Day(first, market, policy)
    everything = [_batch("inception", start, np.array([NOBODY]), np.array(["capital"]), cash=np.array([capital]))]
    book = Book(capital, np.zeros(len(market.names), np.int64))
    for row in range(first + 1, len(market.dates)):
        day = Day(row, market, policy)
        for step in steps:
            book = step(book, day)
        if book.events:
            everything.extend(book.events)
            book = replace(book, events=())
    return everything


def _record(book: Book, batches: Sequence[Batch]) -> Book:
    """Apply the cash and shares of batches to the book and remember them."""
    if not batches:
        return book
    shares, cash = book.shares.copy(), book.cash
    for batch in batches:
        shares[batch.names] += batch.shares
        cash += float(np.sum(batch.cash))
    return replace(book, cash=cash, shares=shares, events=(*book.events, *batches))


def _batch(
    kind: str,
    day: Day,
    names: Ints,
    reason: npt.NDArray[np.str_],
    *,
    qty: npt.ArrayLike = (),
    price: npt.ArrayLike = (),
    cash: npt.ArrayLike = (),
    shares: npt.ArrayLike = (),
    side: str | None = None,
) -> Batch:
    """Make a batch without charges; what is not given is zero."""

    def each(value: npt.ArrayLike) -> Floats:
        return np.asarray(value, float) if np.size(value) else np.zeros(len(names))

    return Batch(kind, day.row, names, each(qty), each(price), each(cash), each(shares).astype(np.int64), reason, side)


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


def _rescale_sells(book: Book, names: Ints, factor: Floats) -> Book:
    """Waiting sells count shares, so they change with them."""
    waiting = book.sells
    if not len(waiting.names):
        return book
    ratio = np.ones(len(book.shares))
    ratio[names] = factor
    return replace(
        book, sells=replace(waiting, qty=np.floor(waiting.qty * ratio[waiting.names] + _WHOLE).astype(np.int64))
    )

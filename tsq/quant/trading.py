"""Steps that trade: a decision becomes orders, sells, then the buys that cash allows; each as far as it can.

What a session lets trade: nothing of a name without a price or a volume, no purchase at a locked upper band and no sale
at a locked lower one, and no more than the execution's part of the volume and of the average daily value. What is left
of an order waits for the next session, until a newer decision takes its place.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsq.quant.book import MOST, NEARLY_WHOLE, Book, Day, Orders, Targets, record
from tsq.quant.charges import BUY, CHARGES, SELL, SIDES, charge_fills
from tsq.quant.events import COSTS, Batch
from tsq.quant.impact import cost_inr
from tsq.quant.market import Floats, Ints
from tsq.quant.records import replace

_ESTIMATES = 3  # of the costs, at most: the shares they leave hardly change them
# A session whose high is its low, so far from the close before, is locked at a band: the narrowest is 2 %, less a tick
_LOCKED = 0.019
_DEPOSITORY, _SLIPPAGE, _IMPACT = CHARGES.index("dp_inr"), len(CHARGES), len(CHARGES) + 1


def decide(book: Book, day: Day) -> Book:
    """Turn the targets of the evening before, as the overlay scales them, into orders that replace whatever waits."""
    decided = day.policy.targets.get(day.row - 1)
    if decided is None:
        return book
    scaled = decided if day.policy.exposure is None else day.policy.exposure(book, day, decided)
    return aim(replace(book, wanted=decided), day, scaled)


def aim(book: Book, day: Day, targets: Targets) -> Book:
    """Make the orders that bring every holding to its weight, zero where `targets` has none; they replace what waits.

    Whole shares for `weight × V`, where V is left after the costs of getting there: V + costs(V) = value before.
    """
    aims = np.zeros(len(book.shares))
    aims[targets.names] = targets.weights
    is_wanted = book.shares > 0
    is_wanted[targets.names] = True
    names = is_wanted.nonzero()[0]
    price = day.worth(names)
    known = ~np.isnan(price)
    names, price = names[known], price[known]
    weights, held = aims[names], book.shares[names]
    can_trade = ~np.isnan(day.price[names])

    value = before = book.cash + float((held * price).sum())
    change = _change(weights, value, price, held)
    for _ in range(_ESTIMATES):
        value = max(before - _costs_of_change(day, names, np.where(can_trade, change, 0), price), 0.0)
        last, change = change, _change(weights, value, price, held)
        if np.array_equal(change, last):
            break

    reason = np.where(held == 0, "enter", np.where(change > 0, "add", np.where(weights > 0.0, "trim", "exit")))
    ends = day.row + day.policy.execution.sessions - 1
    orders = Orders(names, np.abs(change), np.full(len(names), day.row - 1), reason, np.full(len(names), ends))
    return replace(book, sells=orders.only(change < 0), buys=orders.only(change > 0), aims=aims)


def switch(book: Book, day: Day) -> Book:
    """Let the policy's switch act on the orders of the session before they trade."""
    return book if day.policy.switch is None else day.policy.switch(book, day)


def sell(book: Book, day: Day) -> Book:
    """Trade the waiting sells as far as the session lets them and they pay for their own costs; the rest waits."""
    if not len(book.sells.names):
        return book
    waiting = book.sells
    book, rest = execute(book, day, SELL, waiting)
    return replace(book, sells=rest)


def buy(book: Book, day: Day) -> Book:
    """Trade the waiting buys as far as the session lets them, cut by one ratio where cash does not suffice.

    What the session did not take waits. What cash, or the weight a name should have, did not allow lapses, but for cash
    that waiting sells will still bring.
    """
    if not len(book.buys.names):
        return book
    waiting = book.buys
    price = day.price[waiting.names]
    today = np.minimum(_part(waiting, day), _room(book, day, BUY, waiting.names, price))
    meant = np.where(today > 0, today * price, 0.0)
    costs = float(_known(_costs_of(day, BUY, waiting.names, meant, meant)).sum())
    value, weight = _value(book, day) - costs, np.full(len(price), day.policy.name_cap)
    if book.aims is not None:
        weight = np.minimum(np.maximum(weight, _decided(book)[waiting.names]), book.aims[waiting.names])
    most = np.minimum(weight * max(value, 0.0) / price, MOST)  # of a name without a price NaN, and nothing of it trades
    most = np.floor(np.where(np.isnan(most), 0.0, most) + NEARLY_WHOLE) - book.shares[waiting.names]
    bought = np.clip(most, 0.0, today).astype(np.int64)
    has = book.cash + (day.policy.leverage - 1.0) * value
    bought = _affordable(has, day, waiting.names, bought, price)
    done = bought if len(book.sells.names) else today
    return replace(_fill(book, day, BUY, waiting, bought, price), buys=waiting.left(waiting.qty - done))


def execute(book: Book, day: Day, side: int, orders: Orders, price: Floats | None = None) -> tuple[Book, Orders]:
    """Trade orders now, whatever else waits, as far as the session lets them.

    Args:
        book: before. Never more is sold than it holds; that purchases can be paid is the caller's business.
        day: the session.
        side: `BUY` or `SELL`.
        orders: one entry a name.
        price: (n_orders,) rupees a share where it is not the session's trading price, such as a stop's.

    Returns:
        The book after, with the fills among its events, and what is left of the orders. A sale that would cost more
        than it brings stays among those.
    """
    price = day.price[orders.names] if price is None else price
    today = np.minimum(_part(orders, day), _room(book, day, side, orders.names, price))
    if side == SELL:
        today = np.minimum(today, book.shares[orders.names])
        pays = _cash_of(book, day, SELL, orders.names, today, price)[1] > 0.0
        today = np.where(pays, today, 0)
    return _fill(book, day, side, orders, today, price), orders.left(orders.qty - today)


def _decided(book: Book) -> Floats:
    """(n_names,) weights of the newest decision: a fund may be wanted beyond the cap of a share."""
    weights = np.zeros(len(book.shares))
    if book.wanted is not None:
        weights[book.wanted.names] = book.wanted.weights
    return weights


def is_locked(day: Day, side: int, names: Ints) -> npt.NDArray[np.bool_]:
    """Whether all of a session is at one price that nobody sells at (upper band) or buys at (lower band).

    Files name no bands, so a session counts as locked where its high is its low and lies at least 1.9 % from the close
    before, on the side that matters.
    """
    high, low = day.market.high[day.row, names], day.market.low[day.row, names]
    move = high / day.market.before[day.row, names] - 1.0
    locked: npt.NDArray[np.bool_] = (high == low) & (move > _LOCKED if side == BUY else move < -_LOCKED)
    return locked


def _part(orders: Orders, day: Day) -> Ints:
    """Shares of each order meant for this session."""
    sessions = np.maximum(orders.ends - day.row + 1, 1)
    return -(-orders.qty // sessions)


def _room(book: Book, day: Day, side: int, names: Ints, price: Floats) -> Ints:
    """Shares of each name that the session still lets trade."""
    how, volume = day.policy.execution, day.market.volume[day.row, names]
    # of what has traded already the volume limits the shares and the average the rupees, at whatever price they traded
    shares, rupees = np.zeros(len(book.shares)), np.zeros(len(book.shares))
    for batch in book.events:
        if batch.kind == "fill":
            shares[batch.names] += np.abs(batch.shares)
            rupees[batch.names] += batch.qty * batch.price
    room = np.full(len(names), MOST)
    if np.isfinite(how.participation):
        room = np.minimum(room, how.participation * volume - shares[names])
    most = _most_of_adv(day, names)
    if np.isfinite(most).any():
        room = np.fmin(room, (most - rupees[names]) / price)
    open_ = ~np.isnan(price) & (volume > 0.0) & ~is_locked(day, side, names)
    left: Ints = np.floor(np.where(open_, np.maximum(room, 0.0), 0.0) + NEARLY_WHOLE).astype(np.int64)
    return left


def _most_of_adv(day: Day, names: Ints) -> Floats:
    """Rupees of each name that the capacity lets trade in a session; NaN or infinite where it has no such limit."""
    part = day.policy.execution.adv_part(day.row, names)
    limited = np.isfinite(part)
    return np.where(limited, np.where(limited, part, 0.0) * day.market.adv[day.row, names], np.inf)


def _value(book: Book, day: Day) -> float:
    """Value of the portfolio at the prices of the session."""
    held = book.shares.nonzero()[0]
    return book.cash + float((book.shares[held] * day.worth(held)).sum())


def _fill(book: Book, day: Day, side: int, orders: Orders, qty: Ints, price: Floats) -> Book:
    """Fill so many shares of orders at a price, with their costs and the change of cash they make."""
    trades = qty > 0
    if not trades.any():
        return book
    names, qty, price = orders.names[trades], qty[trades], price[trades]
    costs, cash = _cash_of(book, day, side, names, qty, price)
    known = ~np.isnan(costs[:, _IMPACT])
    shares = qty if side == BUY else -qty
    level = (book.shares[names] + shares) * price / _value(book, day)
    sure = day.policy.schedule.assumed[side][day.row]
    signal, reason = orders.signal[trades], orders.reason[trades]
    batches = []
    for of, assumed in ((known, sure), (~known, f"{sure},IMPACT".lstrip(","))):
        if of.any():
            batches.append(
                Batch(
                    "fill",
                    day.row,
                    names[of],
                    qty[of].astype(float),
                    price[of],
                    cash[of],
                    shares[of],
                    reason[of],
                    SIDES[side],
                    _known(costs[of]),
                    signal[of],
                    assumed,
                    {"level": level[of]},
                )
            )
    return record(book, batches)


def _cash_of(book: Book, day: Day, side: int, names: Ints, qty: Ints, price: Floats) -> tuple[Floats, Floats]:
    """Costs (n, len(COSTS)) and change of cash (n,) of fills, rupees; an impact that is not known is NaN and free."""
    value = np.where(qty > 0, qty * price, 0.0)
    costs = _costs_of(day, side, names, value, value)
    if side == SELL:  # the depository asks once for a security and day
        for batch in book.events:
            if batch.kind == "fill" and batch.side == SIDES[SELL]:
                costs[np.isin(names, batch.names), _DEPOSITORY] = 0.0
    return costs, (value if side == SELL else -value) - _known(costs).sum(axis=1)


def _costs_of(day: Day, side: int | Ints, names: Ints, value: Floats, a_session: Floats) -> Floats:
    """Costs (n, len(COSTS)) of fills of so much value, of which so much trades in one session, rupees."""
    costs = np.empty((len(value), len(COSTS)))
    costs[:, :_SLIPPAGE] = charge_fills(day.policy.schedule, day.row, side, value)
    costs[:, _SLIPPAGE] = value * day.policy.slippage
    costs[:, _IMPACT] = 0.0
    if coefficient := day.policy.execution.impact:
        adv, sigma = day.market.adv[day.row, names], day.market.sigma[day.row, names]
        moved = cost_inr(a_session, adv, sigma, coefficient)
        costs[:, _IMPACT] = moved * np.divide(value, a_session, out=np.ones(len(value)), where=a_session > 0.0)
    return costs


def _known(costs: Floats) -> Floats:
    """Costs (n, len(COSTS)) where an impact that is not known is zero."""
    if np.isnan(costs[:, _IMPACT]).any():
        costs = costs.copy()
        costs[np.isnan(costs[:, _IMPACT]), _IMPACT] = 0.0
    return costs


def _change(weights: Floats, value: float, price: Floats, held: Ints) -> Ints:
    """Whole shares by which holdings change so that each is worth its weight of the value, and no more than `MOST`."""
    shares: Ints = np.floor(np.minimum(weights * value / price, MOST) + NEARLY_WHOLE).astype(np.int64)
    return shares - held


def _costs_of_change(day: Day, names: Ints, change: Ints, price: Floats) -> float:
    """Costs of changing holdings by whole shares, rupees, as far as they are known before the session."""
    how, sold, bought = day.policy.execution, np.maximum(-change, 0) * price, np.maximum(change, 0) * price
    value, names = np.concatenate([sold, bought]), np.concatenate([names, names])
    adv = day.market.adv[day.row, names]
    a_session = np.fmin(value / how.sessions, _most_of_adv(day, names))
    if np.isfinite(how.participation):
        a_session = np.fmin(a_session, how.participation * adv)
    costs = _known(_costs_of(day, np.repeat([SELL, BUY], len(change)), names, value, a_session))
    return float(costs[: len(change)].sum()) + float(costs[len(change) :].sum())


def _affordable(has: float, day: Day, names: Ints, qty: Ints, price: Floats) -> Ints:
    """The largest part of each purchase, by one ratio, that costs no more than there is; all of it if that does."""

    def leaves(part: Ints) -> float:
        of = part > 0
        value = part[of] * price[of]
        return has - float(value.sum()) - float(_known(_costs_of(day, BUY, names[of], value, value)).sum())

    left = leaves(qty)
    if left >= 0.0 or not qty.any():
        return qty
    low, few = 0.0, np.zeros_like(qty)
    high, many = 1.0, qty
    ratio = max(has, 0.0) / (has - left)  # the answer, if all costs were in proportion
    # one share of one name is all that can be left between too few and too many
    while (many - few).sum() > 1 and low < ratio < high:
        part = (qty * ratio).astype(np.int64)
        if leaves(part) >= 0.0:
            low, few = ratio, part
        else:
            high, many = ratio, part
        ratio = (low + high) / 2.0
    return few

"""Sales that wait a few days for their lots to turn long-term."""

from __future__ import annotations

import numpy as np

from tsq.quant import lots as law_of_lots
from tsq.quant.book import MOST, NO_ORDERS, Book, Day, Orders
from tsq.quant.market import Ints
from tsq.quant.records import replace
from tsq.quant.tax import LONG, SHORT
from tsq.quant.tax_accounts import Accounts, Terms, day_of

_NEARLY = 1e-6  # of a share, which fractions leave


def defer(book: Book, day: Day) -> Book:
    """Hold back the part of a sale whose oldest lots turn long-term in a few days, where the tax saved is worth it.

    The saving is the gain at today's price times the difference of the two rates, surcharge and cess included, as if
    neither exemption nor loss were left; against it stands what holding that lot and all that is younger is expected to
    cost. What is held back is looked at again when its first lot has turned, and dropped by a newer decision; no part
    of it waits longer than the stated days. Sales that a stop or the tax itself asks for never wait.
    """
    terms: Terms | None = day.policy.taxes
    if terms is None or terms.waiting.days <= 0:
        return book
    state: Accounts | None = book.taxes
    if state is None:
        return book
    sells, waited = book.sells, _rescaled(state.deferred, day)
    fresh = np.isin(sells.reason, ("trim", "exit")) & (sells.signal == day.row - 1)
    if day.row - 1 in day.policy.targets:
        waited = NO_ORDERS
    ordered = np.concatenate([sells.names[~fresh], book.buys.names])  # somebody else has found something newer to do
    waited = waited.only(~np.isin(waited.names, ordered))
    again = np.array([state.until[name] <= day.date for name in waited.names.tolist()], bool)
    asked = sells.only(fresh).and_also(waited.only(again))
    free = book.shares.copy()
    free[sells.names[~fresh]] -= sells.qty[~fresh]
    asked = asked.left(np.minimum(asked.qty, free[asked.names]))
    now, until = _sold_now(asked, state, day, terms)
    kept = waited.only(~again).and_also(asked.left(asked.qty - now))
    until = {name: until[name] if name in until else state.until[name] for name in kept.names.tolist()}
    sells = asked.left(now).and_also(sells.only(~fresh))
    return replace(book, sells=sells, taxes=replace(state, deferred=kept, until=until))


def _rescaled(orders: Orders, day: Day) -> Orders:
    """Sales that wait count shares, so they change with them."""
    actions = day.market.actions.get(day.row)
    if actions is None or not len(orders.names):
        return orders
    factor = np.ones(len(day.market.names))
    factor[actions.names] = actions.factor
    return replace(orders, qty=np.minimum(orders.qty * factor[orders.names], MOST).astype(np.int64))


def _sold_now(asked: Orders, state: Accounts, day: Day, terms: Terms) -> tuple[Ints, dict[int, np.datetime64]]:
    """Shares of each sale that do not wait, and the day on which the rest of each name is looked at again."""
    of = np.searchsorted(asked.names, state.lots.names)
    among = of < len(asked.names)
    among[among] = asked.names[of[among]] == state.lots.names[among]
    lots, of = state.lots.at(among), of[among]
    if not len(lots.names):
        return asked.qty, {}
    turns = law_of_lots.long_from(lots.acquired, terms.taxpayer.holding_period)
    days = (turns - day.date).astype(float)
    worth = lots.qty * day.worth(lots.names)
    rates, today = terms.law.on(day_of(day.date)), day_of(day.date)
    lower = np.array([rates.gain(LONG, day_of(turn))[1] for turn in turns])
    levy = terms.taxpayer.levy(rates, state.year.year, state.year.income)
    saved = (worth - lots.cost) * (rates.gain(SHORT, today)[1] - lower) * levy
    scores = terms.waiting.scores
    gap = np.array(
        [
            scores[row][name] if row in scores else np.nan
            for row, name in zip(asked.signal[of].tolist(), lots.names.tolist(), strict=True)
        ]
    )
    # from the first session on that could have sold
    waited = (turns - day.market.dates[asked.signal[of] + 1]).astype(float)
    waits = (days > 0.0) & (waited <= terms.waiting.days) & (saved > 0.0)
    waits &= saved > terms.waiting.costs(gap, days) * worth
    ends = np.cumsum(lots.qty)
    older = ends - lots.qty
    older -= older[np.searchsorted(of, of)]
    part = np.clip(asked.qty[of] - older, 0.0, lots.qty) / lots.qty
    now, until = asked.qty.copy(), {}
    for lot in (waits & (part > 0.0)).nonzero()[0].tolist():
        order, name = int(of[lot]), int(lots.names[lot])
        if name in until:
            continue
        # what is younger is held back with it, and some of that may be worth the wait itself
        back = slice(lot, int(np.searchsorted(of, order, side="right")))
        alone = saved[back] - terms.waiting.costs(gap[back], days[back]) * worth[back]
        along = -terms.waiting.costs(gap[back], days[lot]) * worth[back]
        if (part[back] * np.where(waits[back], alone, along)).sum() > 0.0:
            now[order] = int(np.floor(older[lot] + _NEARLY))
            until[name] = turns[lot]
    return now, until

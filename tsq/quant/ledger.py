"""The one fold: a portfolio's cash and holdings carried from session to session, everything that happens as events.

A step is a pure function `(book, day) -> book`; `STEPS` is the order in which they act on a session. A step sees the
market up to its session only, appends what it did to `book.events`, and leaves the rest alone. What a portfolio decides
at the evening of session t trades at session t + 1.

The overlay's steps (`tsq.quant.overlay`) and those of the law stand in the order like any other; each does nothing for
a portfolio whose policy has no `overlay` or no `taxes`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tsq.quant.book import Book, Day, Policy, Step, Targets, batch_of
from tsq.quant.events import NOBODY, Batch
from tsq.quant.financing import pay_interest
from tsq.quant.holdings import adjust_for_actions, close_dead
from tsq.quant.market import Market
from tsq.quant.overlay import begin, follow, observe, restrain, stop_at_open, stop_in_session
from tsq.quant.records import replace
from tsq.quant.tax_steps import account, pay
from tsq.quant.tax_waiting import defer
from tsq.quant.trading import buy, decide, sell, switch

STEPS: tuple[Step, ...] = (
    begin,
    pay_interest,
    adjust_for_actions,
    close_dead,
    stop_at_open,
    decide,
    follow,
    defer,
    restrain,
    switch,
    sell,
    pay,
    buy,
    stop_in_session,
    account,
    observe,
)


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
    everything = [batch_of("inception", start, np.array([NOBODY]), np.array(["capital"]), cash=np.array([capital]))]
    book = Book(capital, np.zeros(len(market.names), np.int64))
    for row in range(first + 1, len(market.dates)):
        day = Day(row, market, policy)
        for step in steps:
            book = step(book, day)
        if book.events:
            everything.extend(book.events)
            book = replace(book, events=())
    return everything


def targets_by_day(targets: pl.DataFrame, market: Market) -> dict[int, Targets]:
    """Lay one portfolio's targets out for the fold.

    Args:
        targets: date, security_id, weight, in any order.
        market: names that never trade after they were wanted are not in it and are left out.

    Raises:
        TsqError: a decision is dated on a day without a session.
    """
    targets = targets.sort("date", "security_id")
    names, weights = targets["security_id"].to_numpy(), targets["weight"].to_numpy()
    known, column = np.isin(names, market.names), np.searchsorted(market.names, names)
    decided, starts = np.unique(targets["date"].to_numpy(), return_index=True)
    ends = np.append(starts, len(names))[1:]
    out = {}
    for date, start, end in zip(decided, starts, ends, strict=True):
        of_date = known[start:end]
        out[market.day(date)] = Targets(column[start:end][of_date], weights[start:end][of_date])
    return out

"""The tax law's steps of the ledger: what is due is paid, lots are followed, the year is assessed.

    defer       after decisions: sales that would be short-term for a few days more wait, where that saves more than it
                is expected to cost (`tsq.quant.tax_waiting`)
    pay         before purchases: what has fallen due is paid out of cash, or of holdings sold in proportion
    account     at the end: the session's events change the lots, and the year is assessed again if that changes its tax

A policy without `taxes` has none of them act. Tax is due on what was sold up to the evening before.
"""

from __future__ import annotations

import numpy as np

from tsq.quant.book import Book, Day, Orders, batch_of, record, value_coming_in
from tsq.quant.charges import SELL
from tsq.quant.events import NOBODY, Batch
from tsq.quant.lots import GRANDFATHERED_UNTIL
from tsq.quant.records import replace
from tsq.quant.tax import called, settled
from tsq.quant.tax_accounts import Accounts, Terms, Year, assessed, day_of, state_of, told
from tsq.quant.tax_events import changed, valued, whole
from tsq.quant.trading import execute

_PAISA = 0.005
_FOR_COSTS = 1.005  # sold for the tax, over what is lacking


def pay(book: Book, day: Day) -> Book:
    """Pay what has fallen due since the session before; sell holdings in proportion where there is too little cash.

    What cannot be raised stays due in the next session. A year that is over is settled when its return is due: the rest
    is paid, or what was paid too much comes back.
    """
    terms: Terms | None = day.policy.taxes
    if terms is None or not terms.pays:
        return book
    state, turned = state_of(book, day, terms)
    before, today = day_of(day.market.dates[day.row - 1]), day_of(day.date)
    years = [_still_due(year) for year in (*state.owed, state.year)]
    calls = called(terms.taxpayer.instalments, before, today)
    over = settled(before, today)
    if not (calls or over or turned or any(year.due for year in years)):
        return book
    for of, _, part in calls:
        years = [_fallen_due(year, part) if year.year == of else year for year in years]
    years = [replace(_fallen_due(year, 1.0), is_settled=True) if year.year in over else year for year in years]
    book, had = replace(book, taxes=_with(state, years)), len(book.events)
    for year in years:
        if year.is_settled and year.paid - year.assessment.tax > _PAISA:
            book = _paid(book, day, year.year, year.assessment.tax - year.paid, "refund")
    if (asked := sum(year.due for year in _years(book))) > _PAISA:
        book = _raised(book, day, asked)
        has = max(book.cash + _credit(book, day), 0.0)
        for year in _years(book):
            if (inr := min(year.due, has)) > 0.0:
                book = _paid(book, day, year.year, inr, "settlement" if year.is_settled else "instalment")
                has -= inr
    state = book.taxes
    owed = tuple(year for year in state.owed if not year.is_settled or year.due > _PAISA)
    book = replace(book, taxes=replace(state, owed=owed))
    return told(book, day, turned) if turned or len(book.events) > had else book


def account(book: Book, day: Day) -> Book:
    """Change the lots by the session's events, match what was sold, and assess the year again where that changes it."""
    terms: Terms | None = day.policy.taxes
    if terms is None:
        return book
    state, _ = state_of(book, day, terms)
    rates = terms.law.on(day_of(day.date))
    had = state.year
    if state is book.taxes and state.valued and rates is had.rates and not book.events:
        return book
    if rates is not had.rates:
        state = replace(state, year=assessed(state.year, state.brought, rates, terms))
    if not state.valued and day.date > GRANDFATHERED_UNTIL:
        state = valued(state, day, day.row - 1)
    matches: list[Batch] = []
    for event in book.events:
        state, batches = changed(state, event, day, terms)
        matches += batches
    if not state.valued and day.date == GRANDFATHERED_UNTIL:
        state = valued(state, day, day.row)
    if book.events:
        state = replace(state, lots=whole(state.lots, book, day))
    book = record(replace(book, taxes=state), matches)
    if not terms.pays or state.year is had:
        return book
    state = replace(state, year=assessed(state.year, state.brought, rates, terms))
    return told(replace(book, taxes=state), day, (state.year,))


def _years(book: Book) -> list[Year]:
    return [*book.taxes.owed, book.taxes.year]


def _with(state: Accounts, years: list[Year]) -> Accounts:
    return replace(state, owed=tuple(years[:-1]), year=years[-1])


def _fallen_due(year: Year, part: float) -> Year:
    return replace(year, due=max(year.due, part * year.assessment.tax - year.paid))


def _still_due(year: Year) -> Year:
    """What was due is due no more where losses since have taken the tax away."""
    if not year.due:
        return year
    return replace(year, due=min(year.due, max(year.assessment.tax - year.paid, 0.0)))


def _credit(book: Book, day: Day) -> float:
    """What the portfolio may borrow in all, rupees."""
    return (day.policy.leverage - 1.0) * max(value_coming_in(book, day), 0.0)


def _raised(book: Book, day: Day, asked: float) -> Book:
    """Sell of everything that trades and is not being sold anyway the same part, so that cash covers what is asked."""
    lacking = asked - book.cash - _credit(book, day)
    if lacking <= _PAISA:
        return book
    free = book.shares.copy()
    free[book.sells.names] = np.maximum(free[book.sells.names] - book.sells.qty, 0)
    names = ((free > 0) & ~np.isnan(day.price)).nonzero()[0]
    worth = free[names] * day.price[names]
    if not worth.sum() > 0.0:
        return book
    part = min(lacking * _FOR_COSTS / float(worth.sum()), 1.0)
    qty = np.minimum(np.ceil(free[names] * part), free[names]).astype(np.int64)
    nobody = np.full(len(names), day.row - 1)
    orders = Orders(names, qty, nobody, np.full(len(names), "tax"), np.full(len(names), day.row))
    return execute(book, day, SELL, orders)[0]


def _paid(book: Book, day: Day, of: int, inr: float, reason: str) -> Book:
    """Pay so much of a year's tax; below zero it comes back."""
    more = {"tax_inr": np.array([inr]), "acquired_date": np.array([np.datetime64(f"{of}-04-01")])}
    batch = batch_of("tax", day, np.array([NOBODY]), np.array([reason]), cash=np.array([-inr]), more=more)
    book = record(book, [batch])
    years = [
        replace(year, paid=year.paid + inr, due=max(year.due - max(inr, 0.0), 0.0)) if year.year == of else year
        for year in _years(book)
    ]
    return replace(book, taxes=_with(book.taxes, years))

"""The step that pays for borrowed cash."""

from __future__ import annotations

import numpy as np

from tsq.quant.book import Book, Day, batch_of, record
from tsq.quant.events import NOBODY

DAYS_A_YEAR = 365.0


def pay_interest(book: Book, day: Day) -> Book:
    """Pay simple interest on the cash owed since the session before, over calendar days; `level` is the yearly rate."""
    if not (book.cash < 0.0 and day.policy.financing > 0.0):
        return book
    days = float((day.date - day.market.dates[day.row - 1]) / np.timedelta64(1, "D"))
    owed, rate = -book.cash, day.policy.financing
    paid = np.array([-owed * rate * days / DAYS_A_YEAR])
    more = {"level": np.array([rate])}
    return record(book, [batch_of("financing", day, np.array([NOBODY]), np.array(["interest"]), cash=paid, more=more)])

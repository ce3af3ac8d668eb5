"""State of the tax law's steps: a portfolio's lots, its financial years, and what they come to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from tsq.errors import TsqError
from tsq.quant.book import NO_ORDERS, Book, Day, Orders, batch_of, record
from tsq.quant.events import NOBODY
from tsq.quant.lots import GRANDFATHERED_UNTIL, NO_LOTS, Lots
from tsq.quant.market import Floats
from tsq.quant.records import replace
from tsq.quant.tax import LONG, Assessment, Income, Law, Loss, Rates, Taxpayer, assess, financial_year, gained, received


@dataclass(frozen=True)
class Waiting:
    """When a sale waits for its lots to turn long-term.

    Attributes:
        days: calendar days it may wait; 0 never waits.
        scores: by row of the session that decided, (n_names,) score less the mean score of what was wanted; NaN where a
            name has none.
        score_return: return a year that one point of score is expected to bring.
        half_life: of that, days.
    """

    days: int = 0
    scores: Mapping[int, Floats] = field(default_factory=dict)
    score_return: float = 0.0
    half_life: float = 63.0

    def __post_init__(self) -> None:
        """Raise TsqError where nothing could decay."""
        if not self.half_life > 0.0:
            raise TsqError(
                f"score_half_life_days is {self.half_life:g}", where="config/run.yml", hint="days, more than none"
            )

    def costs(self, gap: Floats, days: Floats) -> Floats:
        """What holding a name so many days longer is expected to cost against what would be held instead, ratio.

        A score `gap` below the mean of what is wanted brings `score_return × gap` a year less, and half as much after
        each half-life. A name without a score is worth no wait.
        """
        years = self.half_life / (np.log(2.0) * 365.25) * (1.0 - np.exp2(-days / self.half_life))
        return np.where(np.isnan(gap), np.inf, -gap * self.score_return * years)


@dataclass(frozen=True)
class Terms:
    """What the steps need to know: `Policy.taxes`.

    Attributes:
        law: dated rates.
        taxpayer: who is taxed.
        pays: whether tax is assessed and paid; lots are followed either way.
        waiting: when a sale waits.
    """

    law: Law
    taxpayer: Taxpayer = field(default_factory=Taxpayer)
    pays: bool = True
    waiting: Waiting = field(default_factory=Waiting)


@dataclass(frozen=True)
class Year:
    """A financial year of one portfolio.

    Attributes:
        year: in which it began.
        rates: that `income` was reckoned with.
        income: so far.
        transfers: day, term, rupees and rate (None for that of the day) of every gain and loss.
        dividends: day and rupees.
        assessment: of all that.
        paid: so far, rupees.
        due: to be paid now.
        is_settled: whether its return is done.
    """

    year: int
    rates: Rates
    assessment: Assessment
    income: Income = field(default_factory=Income)
    transfers: tuple[tuple[dt.date, str, float, float | None], ...] = ()
    dividends: tuple[tuple[dt.date, float], ...] = ()
    paid: float = 0.0
    due: float = 0.0
    is_settled: bool = False


@dataclass(frozen=True)
class Accounts:
    """State of the steps: `Book.taxes`.

    Attributes:
        lots: open.
        next_id: number of the next lot.
        valued: whether 31 January 2018 is past.
        year: the running one.
        owed: years that are over and not settled, the oldest first.
        brought: losses brought into the running year.
        deferred: sales that wait for their lots.
        until: by name, the day on which each of them is looked at again.
    """

    lots: Lots
    next_id: int
    valued: bool
    year: Year
    owed: tuple[Year, ...] = ()
    brought: tuple[Loss, ...] = ()
    deferred: Orders = NO_ORDERS
    until: Mapping[int, np.datetime64] = field(default_factory=dict)

    @property
    def unpaid(self) -> float:
        """Tax on all that was sold so far, less what was paid; below zero where that was too much."""
        return sum(year.assessment.tax - year.paid for year in (*self.owed, self.year))


@lru_cache(maxsize=4)  # the steps of a session ask for the same ones
def day_of(date: np.datetime64) -> dt.date:
    """The same day as the standard library has it."""
    out: dt.date = date.astype("M8[D]").item()
    return out


def state_of(book: Book, day: Day, terms: Terms) -> tuple[Accounts, tuple[Year, ...]]:
    """The state in a session, and the year that is over if it begins one."""
    today = day_of(day.date)
    year = financial_year(today)
    state: Accounts | None = book.taxes
    if state is not None and state.year.year == year:
        return state, ()
    rates = terms.law.on(today)
    if state is None:
        return Accounts(NO_LOTS, 1, bool(day.date > GRANDFATHERED_UNTIL), _new_year(year, (), rates, terms)), ()
    over = assessed(state.year, state.brought, rates, terms)
    brought = over.assessment.carried
    return replace(state, year=_new_year(year, brought, rates, terms), owed=(*state.owed, over), brought=brought), (
        over,
    )


def _new_year(year: int, brought: tuple[Loss, ...], rates: Rates, terms: Terms) -> Year:
    return Year(year, rates, assess(year, Income(), brought, rates, terms.taxpayer))


def assessed(year: Year, brought: tuple[Loss, ...], rates: Rates, terms: Terms) -> Year:
    """Assess a year by what is known now; what was earned before a law was announced is reckoned again by it."""
    if rates is not year.rates:
        income = Income()
        for on, term, inr, slab in year.transfers:
            income = gained(income, rates, term, on, inr, slab=slab)
        for on, inr in year.dividends:
            income = received(income, rates, on, inr, terms.taxpayer.slab)
        year = replace(year, income=income, rates=rates)
    return replace(year, assessment=assess(year.year, year.income, brought, rates, terms.taxpayer))


def transferred(year: Year, day: Day, term: str, inr: float, slab: float | None = None) -> Year:
    """Add a gain or loss of a session to its year; `slab` is the rate of one that is taxed as other income is."""
    if inr == 0.0:
        return year
    today = day_of(day.date)
    income = gained(year.income, year.rates, term, today, inr, slab=slab)
    return replace(year, income=income, transfers=(*year.transfers, (today, term, inr, slab)))


def paid_out(year: Year, day: Day, inr: float, slab: float) -> Year:
    """Add dividends of a session to its year; below zero where one is taken back."""
    if inr == 0.0:
        return year
    today = day_of(day.date)
    income = received(year.income, year.rates, today, inr, slab)
    return replace(year, income=income, dividends=(*year.dividends, (today, inr)))


def told(book: Book, day: Day, years: Sequence[Year]) -> Book:
    """Write down what years come to, and what is unpaid of all of them."""
    rows: list[tuple[str, str, int | None, float, float, float]] = []  # reason, term, year; level, gain, tax
    nan = np.nan
    for of in years:
        year = of.year
        for line in of.assessment.lines:
            rows.append(("gain", line.term, year, line.rate, line.gain, nan))
            if line.set_off > 0.0:
                rows.append(("set_off", line.term, year, line.rate, -line.set_off, nan))
            if line.exempt > 0.0:
                rows.append(("exempt", line.term, year, line.rate, -line.exempt, nan))
            rows.append(("taxable", line.term, year, line.rate, line.taxable, line.tax))
        for term, inr in sorted(of.income.losses.items()):
            rows.append(("loss", term, year, nan, -inr, nan))
        if of.income.exempt:
            rows.append(("untaxed", LONG, year, 0.0, of.income.exempt, nan))
        for loss in of.assessment.carried:
            rows.append(("carried", loss.term, year, float(loss.year), -loss.inr, nan))
    rows.append(("unpaid", "", None, nan, nan, book.taxes.unpaid))
    reason, said = _labels(tuple(row[:3] for row in rows))
    level, gain, tax = np.array([row[3:] for row in rows]).T
    more = {**said, "level": level, "gain_inr": gain, "tax_inr": tax}
    return record(book, [batch_of("assessment", day, np.full(len(rows), NOBODY), reason, more=more)])


@lru_cache(maxsize=1 << 10)
def _labels(what: tuple[tuple[str, str, int | None], ...]) -> tuple[npt.NDArray[np.str_], dict[str, npt.NDArray[Any]]]:
    """Columns of an assessment that are the same in many sessions: its reasons, its terms and first days of years."""
    reason, term, year = zip(*what, strict=True)
    starts = [None if of is None else dt.date(of, 4, 1) for of in year]
    return np.array(reason), {"term": np.array(term), "acquired_date": np.array(starts, "M8[D]")}

"""The tax law on gains from listed shares in India, as pure functions: dated rates and a year's gains in, the tax out.

Rates come from the table pit.tax_rates, versions and all: a day reckons with what was known on it. What a taxpayer may
choose, or what the law does not settle, is a field of `Taxpayer`. Surcharge on a single large gain is not relieved at
the margin, and nobody's first slabs are left free: the holder is taken to have other income that fills them.
"""

from __future__ import annotations

import bisect
import datetime as dt
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tsq.errors import TsqError, did_you_mean
from tsq.quant.charges import CHARGES
from tsq.quant.lots import CONVENTIONS
from tsq.quant.records import replace

SHORT, LONG = TERMS = "STCG", "LTCG"
EXEMPT, SLAB = "exempt", "slab"
CARRY_YEARS = 8  # s.74(2)
ORDERS = ("highest_first", "lowest_first")
# month, day and part of the year's tax that must have been paid by then (s.211), and gains that come later (s.234C)
INSTALMENTS: Mapping[str, tuple[tuple[int, int, float], ...]] = MappingProxyType(
    {
        "advance": ((6, 15, 0.15), (9, 15, 0.45), (12, 15, 0.75), (3, 15, 1.0), (3, 31, 1.0)),
        "year_end": ((3, 31, 1.0),),
    }
)
SETTLED_ON = (7, 31)  # s.139(1): the return, with the rest of the tax; what was paid too much comes back
_DEDUCTIBLE = tuple(name.removesuffix("_inr") for name in CHARGES if name not in ("stt_inr", "dp_inr"))
_CAP = "SURCHARGE_CAP_CG"
_INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30))


@dataclass(frozen=True)
class Taxpayer:
    """What the law leaves open, or asks of the person.

    Attributes:
        slab: marginal rate on other income, which dividends are taxed at; ratio.
        surcharge: ratio of the tax; None for the one that goes with the income.
        other_income: of each year, rupees; it only decides the surcharge.
        holding_period: `strict` (more than twelve months) or `days365`; see `tsq.quant.lots.long_from`.
        exemption: long-term gains that the yearly exemption is used on first: those of the `ORDERS` rate.
        deductible: charges that reduce a gain, names as of `CHARGES` without `_inr`; never the transaction tax.
        instalments: one of `INSTALMENTS`.
    """

    slab: float = 0.30
    surcharge: float | None = 0.0
    other_income: float = 0.0
    holding_period: str = "strict"
    exemption: str = "highest_first"
    deductible: tuple[str, ...] = _DEDUCTIBLE
    instalments: str = "advance"

    def __post_init__(self) -> None:
        """Raise TsqError where a choice is not known, or the law forbids it."""
        for knob, value, known in (
            ("holding_period", self.holding_period, CONVENTIONS),
            ("exemption_order", self.exemption, ORDERS),
            ("instalments", self.instalments, tuple(INSTALMENTS)),
        ):
            if value not in known:
                raise TsqError(f"{knob} is '{value}'", where="config/taxpayers.yml", hint=did_you_mean(value, known))
        charges = tuple(name.removesuffix("_inr") for name in CHARGES)
        for name in self.deductible:
            if name not in charges:
                raise TsqError(
                    f"deductible_charges names '{name}'", where="config/taxpayers.yml", hint=did_you_mean(name, charges)
                )
        if "stt" in self.deductible:
            raise TsqError(
                "deductible_charges names stt",
                where="config/taxpayers.yml",
                hint="the transaction tax is never deducted from a gain: proviso to s.48",
            )
        for knob, rate in (("slab_rate", self.slab), ("surcharge", self.surcharge or 0.0)):
            if not 0.0 <= rate <= 1.0:
                raise TsqError(f"{knob} is {rate:g}", where="config/taxpayers.yml", hint="a ratio, 0 to 1")

    def levy(self, rates: Rates, year: int, income: Income, allowed: float = 0.0) -> float:
        """Tax of a financial year with its surcharge and cess over the tax without, ratio.

        Args:
            rates: what is known.
            year: in which it began.
            income: of it.
            allowed: losses that were set off against it.
        """
        if self.surcharge is None:
            dividends = sum(max(inr, 0.0) for inr in income.dividends.values())
            surcharge = rates.surcharge(year, self.other_income + sum(income.gains.values()) - allowed + dividends)
        else:
            surcharge = self.surcharge
        of_year = _of_year(rates, year)
        return (1.0 + min(surcharge, of_year.surcharge_cap)) * (1.0 + of_year.cess)

    def deducts(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """(len(CHARGES),) whether each of the charges reduces a gain."""
        return np.array([name.removesuffix("_inr") in self.deductible for name in CHARGES])


@dataclass(frozen=True, eq=False)
class Rates:
    """What was known on a day about the rates of all days; one object for as long as nothing is announced.

    Attributes:
        items: by item, its rows by first day: valid_from, valid_to (exclusive), treatment, rate, limit_inr.
    """

    items: Mapping[str, tuple[tuple[dt.date, dt.date, str, float | None, float], ...]]

    def of(self, item: str, day: dt.date) -> tuple[str, float, float] | None:
        """Treatment, rate (0 where the treatment is none) and limit of an item on a day; None without a row."""
        rows = self.items.get(item, ())
        at = bisect.bisect_right(rows, day, key=lambda row: row[0]) - 1
        if at < 0 or day >= rows[at][1]:
            return None
        _, _, treatment, rate, limit = rows[at]
        return treatment, rate or 0.0, limit

    def gain(self, term: str, day: dt.date) -> tuple[str, float]:
        """How a gain of a transfer on a day is taxed: the treatment (`rate`, or `exempt`), and the rate.

        Raises:
            TsqError: no row covers the day: its law is not known.
        """
        found = self.of("STCG_111A" if term == SHORT else "LTCG_112A", day)
        if found is not None:
            return "rate", found[1]
        if term == LONG and (free := self.of("LTCG_EQ", day)) is not None:
            return (EXEMPT, 0.0) if free[1] == 0.0 else ("rate", free[1])
        raise TsqError(
            f"no rate of the tax on {term} covers {day}",
            where="config/tax_rates.csv",
            hint="add the row, or run without taxes: --set taxes=false",
        )

    def dividend(self, day: dt.date, slab: float) -> float:
        """Rate a dividend received on a day is taxed at in the holder's hands."""
        found = self.of("DIVIDEND_HOLDER", day)
        if found is None:
            raise TsqError(
                f"no rate of the tax on dividends covers {day}", where="config/tax_rates.csv", hint="add the row"
            )
        return slab if found[0] == SLAB else found[1]

    def exemption(self, year: int) -> float:
        """Long-term gains of a financial year that are exempt: one limit for all its rates together (s.112A(2))."""
        first, end = dt.date(year, 4, 1), dt.date(year + 1, 4, 1)
        rows = self.items.get("LTCG_112A", ())
        return max((row[4] for row in rows if row[0] < end and row[1] > first), default=0.0)

    def cess(self, year: int) -> float:
        """Cess on the tax and surcharge of a financial year."""
        last = dt.date(year + 1, 3, 31)
        found = [self.of(item, last) for item in ("CESS_HEALTH_EDU", "CESS_EDU")]
        return sum(rate[1] for rate in found if rate is not None)

    def surcharge(self, year: int, income: float) -> float:
        """Surcharge that goes with the total income of a financial year, ratio of the tax; before the cap on gains."""
        last = dt.date(year + 1, 3, 31)
        steps = [self.of(item, last) for item in self.items if item.startswith("SURCHARGE_") and item != _CAP]
        return max((rate for _, rate, above in filter(None, steps) if income > above), default=0.0)

    def surcharge_cap(self, year: int) -> float:
        """Most the surcharge on gains and dividends can be in a financial year."""
        found = self.of(_CAP, dt.date(year + 1, 3, 31))
        return 1.0 if found is None else found[1]


class _OfYear(NamedTuple):
    """Limits and rates that hold for a financial year as a whole."""

    exemption: float
    cess: float
    surcharge_cap: float


@functools.lru_cache(maxsize=1 << 10)
def _of_year(rates: Rates, year: int) -> _OfYear:
    return _OfYear(rates.exemption(year), rates.cess(year), rates.surcharge_cap(year))


@dataclass(frozen=True)
class Law:
    """Rates as they became known.

    Attributes:
        since: days from which each of `known` is what is known, ascending.
        known: by place in `since`.
    """

    since: tuple[dt.date, ...]
    known: tuple[Rates, ...]

    def on(self, day: dt.date) -> Rates:
        """What is known on a day; the same object as long as nothing is announced."""
        return self.known[max(bisect.bisect_right(self.since, day) - 1, 0)]


def law(tax_rates: pl.DataFrame) -> Law:
    """Read the table pit.tax_rates.

    Args:
        tax_rates: item, valid_from, valid_to (exclusive), known_from, known_to (times), treatment, rate, limit_inr.
    """
    rows = [
        (row, *(row[name].astimezone(_INDIA).date() for name in ("known_from", "known_to")))
        for row in tax_rates.sort("item", "valid_from", "known_from").iter_rows(named=True)
    ]
    since = sorted({day for _, first, end in rows for day in (first, end)}) or [dt.date.min]
    known = []
    for day in since:
        items: dict[str, list[tuple[dt.date, dt.date, str, float | None, float]]] = {}
        for row, first, end in rows:
            if first <= day < end:
                entry = (row["valid_from"], row["valid_to"], row["treatment"], row["rate"], row["limit_inr"] or 0.0)
                items.setdefault(row["item"], []).append(entry)
        known.append(Rates({item: tuple(entries) for item, entries in items.items()}))
    return Law(tuple(since), tuple(known))


def financial_year(day: dt.date) -> int:
    """Year in which the financial year of a transfer began: April to March, by the day of the contract note."""
    return day.year if day.month >= 4 else day.year - 1


@dataclass(frozen=True)
class Loss:
    """What is left of a financial year's loss, rupees above zero."""

    year: int
    term: str
    inr: float


@dataclass(frozen=True)
class Income:
    """What a financial year brought, each thing at the rate of its day.

    Attributes:
        gains: gains of transfers, rupees, by term and rate; of an exempt one neither gain nor loss counts.
        losses: of transfers, rupees above zero, by term.
        dividends: by rate.
        exempt: gains less losses that are none to the law.
    """

    gains: Mapping[tuple[str, float], float] = field(default_factory=dict)
    losses: Mapping[str, float] = field(default_factory=dict)
    dividends: Mapping[float, float] = field(default_factory=dict)
    exempt: float = 0.0


def gained(income: Income, rates: Rates, term: str, day: dt.date, inr: float, *, slab: float | None = None) -> Income:
    """Add a gain or a loss.

    Args:
        income: so far.
        rates: what is known.
        term: `SHORT` or `LONG`.
        day: of the transfer.
        inr: rupees, below zero for a loss.
        slab: rate of what is taxed as other income is (a right that is sold); None for shares.
    """
    treatment, rate = rates.gain(term, day) if slab is None else ("rate", slab)
    if treatment == EXEMPT:
        return replace(income, exempt=income.exempt + inr)
    if inr < 0.0:
        return replace(income, losses={**income.losses, term: income.losses.get(term, 0.0) - inr})
    key = (term, rate)
    return replace(income, gains={**income.gains, key: income.gains.get(key, 0.0) + inr})


def received(income: Income, rates: Rates, day: dt.date, inr: float, slab: float) -> Income:
    """Add a dividend; one that is taken back is below zero."""
    rate = rates.dividend(day, slab)
    return replace(income, dividends={**income.dividends, rate: income.dividends.get(rate, 0.0) + inr})


@dataclass(frozen=True)
class Line:
    """One bucket of an assessment.

    Attributes:
        term: `STCG`, `LTCG` or `dividend`.
        rate: ratio.
        gain: what came in, rupees.
        set_off: losses set off against it.
        exempt: of the yearly exemption.
        taxable: the rest.
        tax: on that, with surcharge and cess.
    """

    term: str
    rate: float
    gain: float
    set_off: float
    exempt: float
    taxable: float
    tax: float


@dataclass(frozen=True)
class Assessment:
    """The tax of a financial year.

    Attributes:
        year: in which it began.
        lines: one a term and rate.
        carried: losses that later years can use, the oldest first.
    """

    year: int
    lines: tuple[Line, ...]
    carried: tuple[Loss, ...]

    @property
    def tax(self) -> float:
        """Rupees, surcharge and cess included."""
        return sum(line.tax for line in self.lines)


def assess(year: int, income: Income, brought: Iterable[Loss], rates: Rates, taxpayer: Taxpayer) -> Assessment:
    """Tax a financial year.

    Losses of the year come first, then those brought forward, the oldest first; long-term ones against long-term gains,
    before short-term ones against short-term gains and then against long-term ones; among gains of one term the one
    with the highest rate first. What is left of long-term gains is exempt up to the limit of the year.

    Args:
        year: in which the financial year began.
        income: of the year.
        brought: losses of years before; those too old are dropped.
        rates: what is known.
        taxpayer: who is taxed.

    Returns:
        The assessment.

    Source:
        Income-tax Act s.70, 71(3), 74 (set-off, eight years), 111A, 112A (losses come before the exemption).
    """
    left = dict(income.gains)
    highest_first = {term: [key for key in sorted(left, key=lambda key: -key[1]) if key[0] == term] for term in TERMS}
    # of one term the order of losses is that of their years; the year's own come first, since only the rest is carried
    own = [Loss(year, term, income.losses.get(term, 0.0)) for term in (LONG, SHORT)]
    older = sorted((loss for loss in brought if year - loss.year <= CARRY_YEARS), key=lambda loss: loss.year)
    queue = [*own, *(loss for term in (LONG, SHORT) for loss in older if loss.term == term)]
    unused = []
    for loss in queue:
        rest = loss.inr
        for term in (LONG,) if loss.term == LONG else TERMS:
            for key in highest_first[term] if rest > 0.0 else ():
                used = min(rest, left[key])
                left[key] -= used
                rest -= used
        if rest > 0.0:
            unused.append(replace(loss, inr=rest))

    allowance, exempt = _of_year(rates, year).exemption, dict.fromkeys(left, 0.0)
    sign = -1.0 if taxpayer.exemption == "highest_first" else 1.0
    for key in sorted((key for key in left if key[0] == LONG), key=lambda key: sign * key[1]):
        exempt[key] = min(allowance, left[key])
        allowance -= exempt[key]

    dividends = {rate: max(inr, 0.0) for rate, inr in income.dividends.items()}
    levy = taxpayer.levy(rates, year, income, sum(income.gains.values()) - sum(left.values()))
    lines = []
    for key in sorted(left):
        taxable = left[key] - exempt[key]
        came = income.gains[key]
        lines.append(Line(*key, came, came - left[key], exempt[key], taxable, taxable * key[1] * levy))
    for rate in sorted(dividends):
        came = income.dividends[rate]
        lines.append(Line("dividend", rate, came, 0.0, 0.0, dividends[rate], dividends[rate] * rate * levy))
    carried = sorted(unused, key=lambda loss: loss.year)
    return Assessment(year, tuple(lines), tuple(loss for loss in carried if year + 1 - loss.year <= CARRY_YEARS))


@functools.lru_cache(maxsize=1 << 15)
def called(scheme: str, after: dt.date, until: dt.date) -> tuple[tuple[int, dt.date, float], ...]:
    """Instalments whose due day is later than one session and not later than the next.

    Where the due day is no session the next one is soon enough: CBDT Circular 676 of 14-1-1994 on holidays.

    Args:
        scheme: one of `INSTALMENTS`.
        after: the session before.
        until: this session.

    Returns:
        Financial year, due day and part of its tax that must have been paid, by due day.
    """
    due = []
    for year in range(after.year - 1, until.year + 1):
        for month, day, part in INSTALMENTS[scheme]:
            on = dt.date(year if month >= 4 else year + 1, month, day)
            if after < on <= until:
                due.append((year, on, part))
    return tuple(sorted(due, key=lambda call: call[1]))


@functools.lru_cache(maxsize=1 << 15)
def settled(after: dt.date, until: dt.date) -> tuple[int, ...]:
    """Financial years whose return is due later than one session and not later than the next."""
    years = range(after.year, until.year + 1)
    return tuple(year - 1 for year in years if after < dt.date(year, *SETTLED_ON) <= until)


def buyback(proceeds: float, cost: float, day: dt.date, rates: Rates) -> tuple[float, float]:
    """What a buyback by the company is to the holder: a dividend, and a gain or loss of a transfer; rupees.

    Source:
        Until September 2024 the company pays (s.115QA) and the holder is exempt; until March 2026 all of it is a
        dividend (s.2(22)(f)) and the cost a capital loss; from April 2026 it is a sale.
    """
    found = rates.of("BUYBACK_HOLDER", day)
    treatment = "capital_gains" if found is None else found[0]
    if treatment == SLAB:
        return proceeds, -cost
    return 0.0, proceeds - cost if treatment == "capital_gains" else 0.0

"""What the steps of the ledger work on: a portfolio between two steps, one session, and how an event changes both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tsq.errors import TsqError
from tsq.quant.charges import Schedule
from tsq.quant.events import CHANGES_CASH, CHANGES_SHARES, Batch
from tsq.quant.market import Floats, Ints, Market
from tsq.quant.records import replace

BASIS_POINT = 1e-4
NEARLY_WHOLE = 1e-9  # a share count this near below a whole number is that number
MOST = 1e15  # shares of one name, whatever price or factor somebody printed: whole numbers up to it are floats


@dataclass(frozen=True)
class Orders:
    """Orders of one side waiting to trade, one entry a name.

    Attributes:
        names: columns of the market, ascending.
        qty: whole shares.
        signal: rows of the sessions that decided.
        reason: enter, add, trim, exit, or what a step of the overlay or of the law says.
        ends: rows of the sessions up to which they are spread in equal parts; one that is not later than today trades
            what is left at once.
    """

    names: Ints
    qty: Ints
    signal: Ints
    reason: npt.NDArray[np.str_]
    ends: Ints

    def only(self, keep: npt.NDArray[np.bool_]) -> Orders:
        """The orders where `keep` is true."""
        return Orders(self.names[keep], self.qty[keep], self.signal[keep], self.reason[keep], self.ends[keep])

    def left(self, qty: Ints) -> Orders:
        """The orders with so many shares still to trade; those without are gone."""
        return replace(self, qty=qty).only(qty > 0)

    def and_also(self, others: Orders) -> Orders:
        """These orders and others; of a name in both the others stand."""
        mine = self.only(~np.isin(self.names, others.names))
        names = np.concatenate([mine.names, others.names])
        order = np.argsort(names, kind="stable")
        return Orders(
            names[order],
            np.concatenate([mine.qty, others.qty])[order],
            np.concatenate([mine.signal, others.signal])[order],
            np.concatenate([mine.reason, others.reason])[order],
            np.concatenate([mine.ends, others.ends])[order],
        )


_NOTHING = np.empty(0, np.int64)
NO_ORDERS = Orders(_NOTHING, _NOTHING, _NOTHING, np.empty(0, "<U5"), _NOTHING)


@dataclass(frozen=True)
class Execution:
    """How orders trade; the defaults are all at once, without limits and without impact.

    Attributes:
        sessions: an order is spread over so many in equal parts, from the one after the decision.
        participation: largest part of a session's volume that fills of a name may be.
        adv_participation: largest value of them over the name's average daily value, known the evening before; one
            number, or (n_days, n_names) of them. A name whose average is not known has no such limit.
        impact: coefficient of the square-root law; 0 books none.
    """

    sessions: int = 1
    participation: float = np.inf
    adv_participation: float | Floats = np.inf
    impact: float = 0.0

    def adv_part(self, row: int, names: Ints) -> Floats:
        """(n_names,) `adv_participation` of names in a session."""
        part = np.asarray(self.adv_participation, float)
        return np.full(len(names), part) if part.ndim == 0 else part[row, names]

    def __post_init__(self) -> None:
        """Raise TsqError where nothing could ever trade, or trading would pay."""
        if self.sessions < 1:
            raise TsqError(
                f"orders are spread over {self.sessions} sessions", where="config/execution.yml", hint="1 or more"
            )
        for where, part in (("execution", self.participation), ("capacity", self.adv_participation)):
            if not np.all(np.asarray(part) > 0.0):
                what = f"the largest participation is {np.min(part):g}: nothing could trade"
                raise TsqError(what, where=f"config/{where}.yml", hint="a ratio above 0; left out, there is no limit")
        if not self.impact >= 0.0:
            what = f"impact_coefficient is {self.impact:g}"
            raise TsqError(what, where="config/execution.yml", hint="zero (no impact) or more")


AT_ONCE = Execution()


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
        execution: how orders trade.
        name_cap: largest weight a purchase may bring a name to, of the value at the prices of the session; a name that
            the decision itself wants more of (a fund) may have that.
        leverage: largest value of the holdings over that of the portfolio; above 1 cash may be negative.
        financing: yearly rate paid on negative cash, ratio; simple interest over calendar days, a year having 365.
        overlay: what the steps of `tsq.quant.overlay` need to know; None has none of them act.
        taxes: what the steps of the tax law need to know; None has none of them act.
        exposure: what the overlay makes of the weights an evening decided, such as scaled ones; None leaves them alone.
        switch: acts on the orders of a session before they trade, such as by dropping purchases; None does nothing.
    """

    targets: Mapping[int, Targets]
    schedule: Schedule
    slippage: float
    delist_haircut: float
    execution: Execution = AT_ONCE
    name_cap: float = np.inf
    leverage: float = 1.0
    financing: float = 0.0
    overlay: Any = None
    taxes: Any = None
    exposure: Callable[[Book, Day, Targets], Targets] | None = None
    switch: Callable[[Book, Day], Book] | None = None

    def __post_init__(self) -> None:
        """Raise TsqError where trading or borrowing would pay, or a dead holding be worth more than before."""
        if not self.slippage >= 0.0:
            raise TsqError("slippage_bps is below zero", where="config/run.yml", hint="basis points of a fill's value")
        if not 0.0 <= self.delist_haircut <= 1.0:
            raise TsqError(
                f"delist_haircut_pct is {self.delist_haircut * 100:g}", where="config/run.yml", hint="percent, 0 to 100"
            )
        if not self.leverage >= 1.0:
            raise TsqError(f"leverage is {self.leverage:g}", where="config/risk.yml", hint="1 borrows nothing")
        if not self.financing >= 0.0:
            raise TsqError(
                f"the financing rate is {self.financing:g}",
                where="config/risk.yml",
                hint="a yearly ratio of zero or more",
            )


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

    @property
    def date(self) -> np.datetime64:
        """The session."""
        date: np.datetime64 = self.market.dates[self.row]
        return date

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
        sells: waiting; what cannot trade today waits for the name's next session.
        buys: waiting, likewise, until the next decision.
        wanted: what the newest decision wanted, before the overlay's scaling; None before the first has traded.
        aims: (n_names,) weights the waiting orders lead to; no purchase brings a name above its own.
        events: what happened in this session so far.
        overlay: state of the steps of `tsq.quant.overlay`, their own; None before their first.
        taxes: state of the steps of the tax law, their own; None before their first.
    """

    cash: float
    shares: Ints
    sells: Orders = NO_ORDERS
    buys: Orders = NO_ORDERS
    wanted: Targets | None = None
    aims: Floats | None = None
    events: tuple[Batch, ...] = ()
    overlay: Any = None
    taxes: Any = None


Step = Callable[[Book, Day], Book]


def value_coming_in(book: Book, day: Day) -> float:
    """Value at the marks of the evening before; ask after the corporate actions, which rescale shares and marks."""
    return _value(book, day.market.before[day.row])


def value_at_close(book: Book, day: Day) -> float:
    """Value at the marks of this session's evening: what book.nav shows."""
    return _value(book, day.market.mark[day.row])


def _value(book: Book, price: Floats) -> float:
    held = book.shares.nonzero()[0]
    return book.cash + float((book.shares[held] * price[held]).sum())


def record(book: Book, batches: Sequence[Batch]) -> Book:
    """Apply the cash and shares of batches to the book, of the kinds that change them, and remember the batches."""
    if not batches:
        return book
    shares, cash = book.shares, book.cash
    for batch in batches:
        if batch.kind in CHANGES_SHARES:
            shares = shares.copy()
            shares[batch.names] += batch.shares
        if batch.kind in CHANGES_CASH:
            cash += float(batch.cash.sum())
    return replace(book, cash=cash, shares=shares, events=(*book.events, *batches))


def batch_of(
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
    more: Mapping[str, npt.NDArray[Any]] | None = None,
) -> Batch:
    """Make a batch without charges; what is not given is zero, or null in the table where it is one of `MORE`."""
    nothing = np.zeros(len(names))

    def each(value: npt.ArrayLike) -> Floats:
        return nothing if isinstance(value, tuple) and not value else np.asarray(value, float)

    counted = each(shares).astype(np.int64)
    return Batch(kind, day.row, names, each(qty), each(price), each(cash), counted, reason, side, more=more or {})

"""What the steps of the ledger work on: a portfolio between two steps, one session, and how an event changes both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tsq.errors import TsqError
from tsq.quant.charges import Schedule
from tsq.quant.events import Batch
from tsq.quant.market import Floats, Ints, Market

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

    def __post_init__(self) -> None:
        """Raise TsqError where trading would pay, or a dead holding be worth less than nothing or more than before."""
        if not self.slippage >= 0.0:
            raise TsqError("slippage_bps is below zero", where="config/run.yml", hint="basis points of a fill's value")
        if not 0.0 <= self.delist_haircut <= 1.0:
            raise TsqError(
                f"delist_haircut_pct is {self.delist_haircut * 100:g}", where="config/run.yml", hint="percent, 0 to 100"
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


def record(book: Book, batches: Sequence[Batch]) -> Book:
    """Apply the cash and shares of batches to the book and remember them."""
    if not batches:
        return book
    shares, cash = book.shares.copy(), book.cash
    for batch in batches:
        shares[batch.names] += batch.shares
        cash += float(np.sum(batch.cash))
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
) -> Batch:
    """Make a batch without charges; what is not given is zero."""

    def each(value: npt.ArrayLike) -> Floats:
        return np.asarray(value, float) if np.size(value) else np.zeros(len(names))

    return Batch(kind, day.row, names, each(qty), each(price), each(cash), each(shares).astype(np.int64), reason, side)

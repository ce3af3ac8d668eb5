"""Prices an order may carry: multiples of the tick, inside the band."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

# A price this small a part of a tick away from a multiple is that multiple.
NEARLY = 1e-6


@dataclass(frozen=True)
class Tick:
    """The tick of prices in `[low, high)` of one kind of security, from a date on; `kind` is all or equity."""

    since: dt.date
    kind: str
    low: float
    high: float
    inr: float


@dataclass(frozen=True)
class Band:
    """The least and the greatest price an order may have, both multiples of the tick."""

    low: float
    high: float


def tick_of(ticks: Sequence[Tick], kind: str, price: float, day: dt.date) -> float:
    """Find the tick of a price.

    Args:
        ticks: the ladders, in any order.
        kind: of the security; one without a ladder of its own has that of `all`.
        price: last close, rupees.
        day: trade date.

    Returns:
        rupees.

    Raises:
        LookupError: no ladder holds the price on that day.

    Source:
        exchange circulars named in config/tick_sizes.csv.
    """
    for wanted in (kind, "all"):
        holding = [
            tick for tick in ticks if tick.kind == wanted and tick.since <= day and tick.low <= price < tick.high
        ]
        if holding:
            return max(holding, key=lambda tick: tick.since).inr
    raise LookupError(f"no tick for {price:g} on {day}")


def floor_to(price: float, tick: float) -> float:
    """The greatest multiple of the tick at or below a price, to the paisa."""
    return round(math.floor(price / tick + NEARLY) * tick, 4)


def ceil_to(price: float, tick: float) -> float:
    """The least multiple of the tick at or above a price, to the paisa."""
    return round(math.ceil(price / tick - NEARLY) * tick, 4)


def band_of(close: float, pct: float, tick: float) -> Band:
    """The band around a last close, its edges rounded inwards; never below one tick."""
    return Band(max(ceil_to(close * (1 - pct / 100), tick), tick), floor_to(close * (1 + pct / 100), tick))


def limit_of(side: str, close: float, bps: float, tick: float, band: Band) -> float:
    """The price a limit order carries: the close and so many basis points against you, on the tick, inside the band."""
    if side == "buy":
        return min(max(floor_to(close * (1 + bps / 1e4), tick), band.low), band.high)
    return max(min(ceil_to(close * (1 - bps / 1e4), tick), band.high), band.low)

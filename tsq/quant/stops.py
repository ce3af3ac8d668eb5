"""Stops: the average true range, the level a stop hangs at, and the price at which it fills.

Arrays are bars × names, oldest bar first; a name's bars follow each other without holes and end in NaN where it has
fewer than others. `factor` carries a price of the bar before into the units of this one: 0.5 on the ex-date of a 1:1
bonus, 1 on a day like any other. What is known of the past is rescaled, never the bar itself.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tsq.errors import TsqError
from tsq.quant.market import Floats

SEEDS = ("wilder", "talib")


def true_range(high: Floats, low: Floats, close: Floats, factor: Floats | None = None) -> Floats:
    """Greatest of high − low and the distances of both from the close before.

    Args:
        high: (n_bars, n_names) rupees.
        low: (n_bars, n_names) rupees.
        close: (n_bars, n_names) rupees.
        factor: (n_bars, n_names) ratio; none: no bar goes ex.

    Returns:
        (n_bars, n_names) rupees; the first bar has no close before it, so its range is high − low. NaN where a part is.
    """
    wide = high - low
    out = wide.copy()
    before = close[:-1] if factor is None else close[:-1] * factor[1:]
    out[1:] = np.maximum(wide[1:], np.maximum(np.abs(high[1:] - before), np.abs(low[1:] - before)))
    return out


def wilder_atr(
    high: Floats, low: Floats, close: Floats, sessions: int, *, seed: str = "wilder", factor: Floats | None = None
) -> Floats:
    """Average true range: a mean of the first ranges, then (before × (n − 1) + range) / n.

    Args:
        high: (n_bars, n_names) rupees.
        low: (n_bars, n_names) rupees.
        close: (n_bars, n_names) rupees.
        sessions: n.
        seed: `wilder` counts the first bar (high − low), so the first value is at bar n − 1; `talib` leaves it out, so
            the first value is at bar n.
        factor: (n_bars, n_names) ratio; none: no bar goes ex.

    Returns:
        (n_bars, n_names) rupees of the bar; NaN before the first value.

    Raises:
        TsqError: fewer than one session, or an unknown seed.

    Source: Wilder (1978), New Concepts in Technical Trading Systems; TA-Lib for the other seed.
    """
    if sessions < 1:
        raise TsqError(f"an average true range over {sessions} sessions", hint="at least 1 session")
    if seed not in SEEDS:
        raise TsqError(f"the seed of an average true range is '{seed}'", hint=f"known: {', '.join(SEEDS)}")
    ranges = true_range(high, low, close, factor)
    out = np.full_like(ranges, np.nan)
    first = 0 if seed == "wilder" else 1
    last = first + sessions - 1
    if len(ranges) <= last:
        return out
    each = np.ones_like(ranges) if factor is None else factor
    total = ranges[first].copy()
    for bar in range(first + 1, last + 1):
        total = total * each[bar] + ranges[bar]
    out[last] = total / sessions
    for bar in range(last + 1, len(ranges)):
        out[bar] = (out[bar - 1] * each[bar] * (sessions - 1) + ranges[bar]) / sessions
    return out


def highest_high(high: Floats, sessions: int, *, factor: Floats | None = None) -> Floats:
    """Highest high of the last bars, in the units of the newest of them.

    Args:
        high: (n_bars, n_names) rupees.
        sessions: bars, this one included.
        factor: (n_bars, n_names) ratio; none: no bar goes ex.

    Returns:
        (n_bars, n_names) rupees; NaN where the window is not complete.
    """
    out = np.full_like(high, np.nan)
    if len(high) < sessions:
        return out
    units = np.ones_like(high) if factor is None else np.cumprod(np.vstack([np.ones_like(factor[:1]), factor[1:]]), 0)
    same = high / units
    out[sessions - 1 :] = sliding_window_view(same, sessions, axis=0).max(axis=-1) * units[sessions - 1 :]
    return out


def chandelier(highest: Floats, atr: Floats, close: Floats, multiple: float) -> Floats:
    """Level of a long position's Chandelier stop: the highest high less a multiple of the average true range.

    A stop is never placed at or above the market: where the price has already fallen that far below its high, it hangs
    from the close instead.

    Args:
        highest: (n,) rupees.
        atr: (n,) rupees.
        close: (n,) rupees.
        multiple: of the average true range.

    Returns:
        (n,) rupees; NaN where a part is.

    Source: LeBeau's Chandelier exit, as given by Elder (2002).
    """
    level = highest - multiple * atr
    return np.where(level >= close, close - multiple * atr, level)


def ratchet(before: Floats, level: Floats) -> Floats:
    """Raise a stop, never lower it; NaN is no stop."""
    raised: Floats = np.fmax(before, level)
    return raised


def stop_fill(open_: Floats, low: Floats, stop: Floats) -> Floats:
    """Price at which a stop to sell fills in a session: `min(open, stop)` where the low reaches it, NaN elsewhere.

    Args:
        open_: (n,) rupees; where only it is missing, the stop fills at the low.
        low: (n,) rupees; NaN without a trade.
        stop: (n,) rupees, known before the session; NaN where there is none.
    """
    price = np.where(np.isnan(open_), low, np.minimum(open_, stop))
    return np.where(low <= stop, price, np.nan)

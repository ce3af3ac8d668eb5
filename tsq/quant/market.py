"""What the ledger sees of the market: arrays of sessions × names, made once from the quotes table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tsq.errors import TsqError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class Actions:
    """Corporate actions whose ex-date falls on one session, one entry a name.

    Attributes:
        names: columns of the market.
        factor: shares held after, for each share held before.
        cash: rupees a share held before.
        label: what happened, such as `bonus`.
    """

    names: Ints
    factor: Floats
    cash: Floats
    label: npt.NDArray[np.str_]


@dataclass(frozen=True)
class Market:
    """Prices of the names a portfolio may hold; rows are sessions, columns are names in order of their id.

    Attributes:
        dates: (n_days,) sessions, ascending.
        names: (n_names,) security ids, ascending.
        price: (n_days, n_names) price at which orders of the session trade; NaN where the name does not trade.
        before: (n_days, n_names) last close as it comes into the session, rescaled for what goes ex today; NaN if none.
        mark: (n_days, n_names) value of a share after the close: the close, or the last one carried; NaN if none.
        actions: by session.
        deaths: by session, the names that have now been without a trade for so long that a holding is closed.
    """

    dates: Days
    names: Ints
    price: Floats
    before: Floats
    mark: Floats
    actions: Mapping[int, Actions]
    deaths: Mapping[int, Ints]

    def day(self, date: object) -> int:
        """Row of a session; raises TsqError when there is no session on that date."""
        wanted = np.datetime64(str(date), "D")
        row = int(np.searchsorted(self.dates, wanted))
        if row == len(self.dates) or self.dates[row] != wanted:
            raise TsqError(f"a decision is dated {wanted}, on which there is no session", where="portfolio.targets")
        return row


def market(quotes: pl.DataFrame, sessions: pl.DataFrame, *, trade_at: str, delist_after_sessions: int) -> Market:
    """Lay the quotes out as arrays.

    Args:
        quotes: one row per session and name, in any order: date, security_id, open, close (null without a trade), mark,
            sessions_stale (sessions since the last trade), share_factor, cash_per_share, action.
        sessions: date; the sessions to cover, in any order: from the first decision on.
        trade_at: `open` or `close`, the price at which orders trade.
        delist_after_sessions: sessions without a trade after which a name counts as dead.

    Returns:
        The market over those sessions.

    Raises:
        TsqError: trade_at is neither open nor close, or delist_after_sessions is below one.
    """
    if trade_at not in ("open", "close"):
        raise TsqError(f"trade_at is '{trade_at}'", where="config/run.yml", hint="known: close, open")
    if delist_after_sessions < 1:
        what = f"delist_after_sessions is {delist_after_sessions}: every holding would be dead at once"
        raise TsqError(what, where="config/run.yml", hint="at least 1 session without a trade")
    dates = sessions["date"].unique().sort().to_numpy().astype("datetime64[D]")
    names = quotes["security_id"].unique().sort().to_numpy()
    row = np.searchsorted(dates, quotes["date"].to_numpy().astype("datetime64[D]"))
    column = np.searchsorted(names, quotes["security_id"].to_numpy())

    def spread(values: pl.Series) -> Floats:
        out = np.full((len(dates), len(names)), np.nan)
        out[row, column] = values.cast(pl.Float64).to_numpy()
        return out

    price, mark = spread(quotes[trade_at]), spread(quotes["mark"])
    price[~(price > 0.0)] = np.nan
    before = np.full_like(mark, np.nan)
    before[1:] = mark[:-1]
    factor, cash = (quotes[name].to_numpy() for name in ("share_factor", "cash_per_share"))
    is_action = (factor != 1.0) | (cash != 0.0)
    before[row[is_action], column[is_action]] /= factor[is_action]

    def by_day(where: npt.NDArray[np.bool_]) -> list[tuple[int, Ints]]:
        """Positions in the quotes by session, in order of the names."""
        at = np.flatnonzero(where)
        at = at[np.lexsort((column[at], row[at]))]
        days, starts = np.unique(row[at], return_index=True)
        ends = np.append(starts, len(at))[1:]
        return [(int(day), at[start:end]) for day, start, end in zip(days, starts, ends, strict=True)]

    action = quotes["action"]
    actions = {
        day: Actions(column[at], factor[at], cash[at], action.gather(at).fill_null("").to_numpy().astype(str))
        for day, at in by_day(is_action)
    }
    deaths = {day: column[at] for day, at in by_day(quotes["sessions_stale"].to_numpy() == delist_after_sessions)}
    return Market(dates, names, price, before, mark, actions, deaths)

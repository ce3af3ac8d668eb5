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
        actions: by session.
        deaths: by session, the names that have now been without a trade for so long that a holding is closed.
    """

    dates: Days
    names: Ints
    price: Floats
    before: Floats
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
    dates = sessions["date"].unique().sort().to_numpy()
    names = quotes["security_id"].unique().sort().to_numpy()
    cell = np.searchsorted(dates, quotes["date"].to_numpy())  # of each quote, were sessions × names written in one row
    cell *= len(names)
    cell += np.searchsorted(names, quotes["security_id"].to_numpy())

    def spread(values: pl.Series, later: int = 0) -> Floats:
        """Write each value so many sessions after its own."""
        out = np.full((len(dates) + later) * len(names), np.nan)
        out[later * len(names) :][cell] = values.cast(pl.Float64).to_numpy()
        return out[: len(dates) * len(names)].reshape(len(dates), len(names))

    def by_day(cells: Ints) -> list[tuple[int, slice]]:
        """Where each session is in cells, ascending."""
        days, starts = np.unique(cells // len(names), return_index=True)
        ends = np.append(starts, len(cells))[1:]
        return [(int(day), slice(start, end)) for day, start, end in zip(days, starts, ends, strict=True)]

    price, before = spread(quotes[trade_at]), spread(quotes["mark"], later=1)
    price[price <= 0.0] = np.nan
    at = ((quotes["share_factor"] != 1.0) | (quotes["cash_per_share"] != 0.0)).arg_true().to_numpy()
    at = at[np.argsort(cell[at])]
    acting = cell[at]
    factor, cash = (quotes[name].gather(at).to_numpy() for name in ("share_factor", "cash_per_share"))
    label = quotes["action"].gather(at).fill_null("").to_numpy().astype(str)
    before.ravel()[acting] /= factor
    actions = {
        day: Actions(acting[part] % len(names), factor[part], cash[part], label[part]) for day, part in by_day(acting)
    }
    dead = np.sort(cell[(quotes["sessions_stale"] == delist_after_sessions).arg_true().to_numpy()])
    deaths = {day: dead[part] % len(names) for day, part in by_day(dead)}
    return Market(dates, names, price, before, actions, deaths)

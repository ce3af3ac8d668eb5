"""What the ledger sees of the market: arrays of sessions × names, made once from the quotes table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from tsq.errors import TsqError, did_you_mean

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]

PRICES = ("open", "close", "mean", "vwap")


@dataclass(frozen=True)
class Actions:
    """Corporate actions whose ex-date falls on one session, one entry a name.

    Attributes:
        names: columns of the market.
        factor: shares held after, for each share held before.
        cash: rupees a share held before: dividends, and what rights or a demerger took out of the price.
        label: what happened, such as `bonus`, kinds joined by +.
        bonus: part of `factor` that is a bonus issue; 1 without one.
        kept: part of the price that rights or a demerger left; 1 without one.
        taken: part of `cash` that stands for what they took; 0 without one.
    """

    names: Ints
    factor: Floats
    cash: Floats
    label: npt.NDArray[np.str_]
    bonus: Floats
    kept: Floats
    taken: Floats


@dataclass(frozen=True)
class Market:
    """Prices of the names a portfolio may hold; rows are sessions, columns are names in order of their id.

    Attributes:
        dates: (n_days,) sessions, ascending.
        names: (n_names,) security ids, ascending.
        price: (n_days, n_names) price at which orders of the session trade; NaN where the name does not trade.
        before: (n_days, n_names) last close as it comes into the session, rescaled for what goes ex today except for
            dividends; NaN if none.
        mark: (n_days, n_names) value of a share at the close: the close, or the last one carried; NaN if none.
        open: (n_days, n_names) as printed; NaN without a trade, as are high, low and close.
        high: (n_days, n_names).
        low: (n_days, n_names).
        close: (n_days, n_names).
        volume: (n_days, n_names) shares traded; 0 without a trade.
        turnover: (n_days, n_names) rupees traded; NaN where not known.
        adv: (n_days, n_names) rupees traded in a usual session, as known the evening before; NaN where not known.
        sigma: (n_days, n_names) standard deviation of the daily return, as known the evening before; NaN if not known.
        actions: by session.
        deaths: by session, the names that have now been without a trade for so long that a holding is closed.
    """

    dates: Days
    names: Ints
    price: Floats
    before: Floats
    mark: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    turnover: Floats
    adv: Floats
    sigma: Floats
    actions: Mapping[int, Actions]
    deaths: Mapping[int, Ints]

    def day(self, date: object) -> int:
        """Row of a session; raises TsqError when there is no session on that date."""
        wanted = np.datetime64(str(date), "D")
        row = int(np.searchsorted(self.dates, wanted))
        if row == len(self.dates) or self.dates[row] != wanted:
            raise TsqError(f"a decision is dated {wanted}, on which there is no session", where="portfolio.targets")
        return row


def market(quotes: pl.DataFrame, sessions: pl.DataFrame, *, delist_after_sessions: int, price: str = "open") -> Market:
    """Lay the quotes out as arrays.

    Args:
        quotes: one row per session and name, in any order, with the columns of the table book.quotes.
        sessions: date; the sessions to cover, in any order: from the first decision on.
        delist_after_sessions: sessions without a trade after which a name counts as dead.
        price: at which orders trade, one of `PRICES`.

    Returns:
        The market over those sessions.

    Raises:
        TsqError: the price is not known, or delist_after_sessions is below one.
    """
    if delist_after_sessions < 1:
        what = f"delist_after_sessions is {delist_after_sessions}: every holding would be dead at once"
        raise TsqError(what, where="config/run.yml", hint="at least 1 session without a trade")
    sessions = sessions.unique("date").sort("date")
    dates = sessions["date"].to_numpy()
    names = quotes["security_id"].unique().sort().to_numpy()
    cell = np.searchsorted(dates, quotes["date"].to_numpy())  # of each quote, were sessions × names written in one row
    cell *= len(names)
    cell += np.searchsorted(names, quotes["security_id"].to_numpy())

    def spread(column: str, later: int = 0) -> Floats:
        """Write each value so many sessions after its own."""
        out = np.full((len(dates) + later) * len(names), np.nan)
        out[later * len(names) :][cell] = quotes[column].cast(pl.Float64).to_numpy()
        return out[: len(dates) * len(names)].reshape(len(dates), len(names))

    def by_day(cells: Ints) -> list[tuple[int, slice]]:
        """Where each session is in cells, ascending."""
        days, starts = np.unique(cells // len(names), return_index=True)
        ends = np.append(starts, len(cells))[1:]
        return [(int(day), slice(start, end)) for day, start, end in zip(days, starts, ends, strict=True)]

    before = spread("mark", later=1)
    at = ((quotes["share_factor"] != 1.0) | (quotes["cash_per_share"] != 0.0)).arg_true().to_numpy()
    at = at[np.argsort(cell[at])]
    acting = cell[at]
    label = quotes["action"].gather(at).fill_null("").to_numpy().astype(str)
    told = [quotes[name].gather(at).to_numpy() for name in ("share_factor", "cash_per_share")]
    parts = [
        quotes[name].gather(at).fill_null(usual).to_numpy()
        for name, usual in (("bonus_factor", 1.0), ("kept", 1.0), ("taken_per_share", 0.0))
    ]
    before.ravel()[acting] *= parts[1] / told[0]
    actions = {
        day: Actions(acting[part] % len(names), *(of[part] for of in (*told, label, *parts)))
        for day, part in by_day(acting)
    }
    dead = np.sort(cell[(quotes["sessions_stale"] == delist_after_sessions).arg_true().to_numpy()])
    columns = ("mark", "open", "high", "low", "close", "volume", "turnover_inr", "adv_inr", "sigma")
    mark, opened, high, low, close, volume, turnover, adv, sigma = (spread(column) for column in columns)
    made = Market(
        dates=dates,
        names=names,
        price=opened,
        before=before,
        mark=mark,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=np.nan_to_num(volume),
        turnover=turnover,
        adv=adv,
        sigma=sigma,
        actions=actions,
        deaths={day: dead[part] % len(names) for day, part in by_day(dead)},
    )
    return traded_at(made, price)


def traded_at(market: Market, price: str) -> Market:
    """The same market where orders trade at another of its prices.

    `open` and `close` are printed. `vwap` is turnover over volume. `mean` is that of open, high, low and close, which
    is what a file of daily prices says of an even trade through the day; it also stands in where turnover is not known.
    Both are kept inside the session's range.

    Raises:
        TsqError: the price is none of `PRICES`.
    """
    if price not in PRICES:
        raise TsqError(f"orders trade at '{price}'", where="config/execution.yml", hint=did_you_mean(price, PRICES))
    if price in ("open", "close"):
        found = market.open if price == "open" else market.close
    else:
        found = (market.open + market.high + market.low + market.close) / 4.0
        if price == "vwap":
            known = (market.volume > 0.0) & (market.turnover > 0.0)
            mean = np.divide(market.turnover, market.volume, out=found.copy(), where=known)
            found = np.where(np.isnan(found), np.nan, mean)
        found = np.minimum(np.maximum(found, market.low), market.high)
    return replace(market, price=np.where(found > 0.0, found, np.nan))

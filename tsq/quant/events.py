"""The ledger's events: batches of arrays while the fold runs, one table at its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tsq.quant.charges import CHARGES
from tsq.quant.market import Floats, Ints, Market

NOBODY = -1
NO_DECISION = -1
COSTS = (*CHARGES, "slippage_inr", "impact_inr")
CHANGES_SHARES = frozenset({"fill", "corporate_action", "fraction", "delisting"})
CHANGES_CASH = frozenset({"fill", "fraction", "dividend", "delisting", "financing", "tax"})
# what only some kinds say, and what each says where it does not: see Batch.more
MORE: Mapping[str, tuple[type[pl.DataType], Any]] = {
    "lot_id": (pl.Int64, -1),
    "acquired_date": (pl.Date, np.datetime64("NaT", "D")),
    "cost_basis_inr": (pl.Float64, np.nan),
    "gain_inr": (pl.Float64, np.nan),
    "term": (pl.String, ""),
    "tax_inr": (pl.Float64, np.nan),
    "level": (pl.Float64, np.nan),
}

COLUMNS: dict[str, type[pl.DataType]] = {
    "seq": pl.Int64,
    "date": pl.Date,
    "portfolio": pl.String,
    "kind": pl.String,
    "security_id": pl.Int64,
    "side": pl.String,
    "qty": pl.Float64,
    "price": pl.Float64,
    "value_inr": pl.Float64,
    **dict.fromkeys(COSTS, pl.Float64),
    "cash_inr": pl.Float64,
    "shares": pl.Int64,
    "assumed": pl.Boolean,
    "assumed_items": pl.String,
    "signal_date": pl.Date,
    "reason": pl.String,
    **{name: dtype for name, (dtype, _) in MORE.items()},
}


@dataclass(frozen=True)
class Batch:
    """Events of one kind, side and session of one portfolio; arrays have one entry per event.

    Attributes:
        kind: inception, fill, corporate_action, fraction, dividend, delisting or financing; lot, match and tax (what
            the law made of them); stop and exposure (what the overlay set). Of these only the ones before the semicolon
            and tax change cash, and only fill, corporate_action, fraction and delisting change shares.
        day: row of the session in the market.
        names: columns of the market; `NOBODY` where an event has no security.
        qty: shares the event is about; a fraction of a share may be cashed out.
        price: rupees a share.
        cash: change of cash, rupees.
        shares: change of the holding, whole shares.
        reason: why, in one word.
        side: buy or sell; None where nothing is traded.
        costs: (n, len(COSTS)) rupees, columns as `COSTS`; None where there are none.
        signal: row of the session whose decision this carries out, else `NO_DECISION`.
        assumed: charges that no row is sure of, joined by commas.
        more: columns of `MORE` by name, one entry per event; what is missing is null in the table.
    """

    kind: str
    day: int
    names: Ints
    qty: Floats
    price: Floats
    cash: Floats
    shares: Ints
    reason: npt.NDArray[np.str_]
    side: str | None = None
    costs: Floats | None = None
    signal: Ints | None = None
    assumed: str = ""
    more: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)


def events_table(portfolio: str, batches: Sequence[Batch], market: Market) -> pl.DataFrame:
    """Write one portfolio's events as rows, in the order they happened.

    Args:
        portfolio: its name.
        batches: as the fold made them.
        market: names the sessions and the securities.

    Returns:
        One row an event, columns as `COLUMNS`; `seq` counts from 1 within the portfolio.
    """
    sizes = np.array([len(batch.names) for batch in batches])

    def said(values: Iterable[object], dtype: type[pl.DataType]) -> pl.Series:
        """Repeat what a batch says once for each of its events."""
        return pl.Series(list(values), dtype=dtype).gather(np.repeat(np.arange(len(batches)), sizes))

    def joined(field: str) -> npt.NDArray[Any]:
        """Join what the batches say of each event."""
        return np.concatenate([getattr(batch, field) for batch in batches])

    names, qty, price = joined("names"), joined("qty"), joined("price")
    signal, costs = np.full(len(names), NO_DECISION), np.zeros((len(names), len(COSTS)))
    more = {name: np.full(len(names), usual, "<U16" if usual == "" else None) for name, (_, usual) in MORE.items()}
    for batch, end in zip(batches, np.cumsum(sizes), strict=True):
        here = slice(end - len(batch.names), end)
        if batch.signal is not None:
            signal[here] = batch.signal
        if batch.costs is not None:
            costs[here] = batch.costs
        for column, values in batch.more.items():
            more[column][here] = values
    dates = pl.Series(market.dates).cast(pl.Date)
    securities = pl.Series(market.names, dtype=pl.Int64)
    assumed = said((batch.assumed for batch in batches), pl.String)
    return pl.DataFrame(
        {
            "seq": np.arange(1, len(names) + 1),
            "date": dates.gather(np.repeat([batch.day for batch in batches], sizes)),
            "portfolio": portfolio,
            "kind": said((batch.kind for batch in batches), pl.String),
            "security_id": securities.gather(_or_null(names)),
            "side": said((batch.side for batch in batches), pl.String),
            "qty": qty,
            "price": price,
            "value_inr": qty * price,
            **{name: costs[:, column] for column, name in enumerate(COSTS)},
            "cash_inr": joined("cash"),
            "shares": joined("shares"),
            "assumed": assumed != "",
            "assumed_items": assumed,
            "signal_date": dates.gather(_or_null(signal)),
            "reason": joined("reason"),
            **{name: _or_unsaid(name, values) for name, values in more.items()},
        },
        schema=COLUMNS,
    )


def _or_unsaid(name: str, values: npt.NDArray[Any]) -> pl.Series:
    """A column of `MORE`, null where nothing was said."""
    dtype, usual = MORE[name]
    column = pl.Series(values, dtype=dtype)
    if dtype == pl.Float64:
        return column.fill_nan(None)
    return column if dtype == pl.Date else column.replace(usual, None)


def _or_null(rows: Ints) -> pl.Series:
    """Rows to gather; a negative one gathers null."""
    return pl.select(pl.when(pl.lit(rows) >= 0).then(pl.lit(rows)).alias("row")).to_series()

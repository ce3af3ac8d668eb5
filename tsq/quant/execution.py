"""How a portfolio's orders trade, read from configuration: the execution it names, and the tier of capacity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tsq.errors import TsqError, did_you_mean
from tsq.quant.book import BASIS_POINT, Execution
from tsq.quant.market import Floats, Market


@dataclass(frozen=True)
class Profile:
    """What configuration says of trading.

    Attributes:
        price: at which orders trade, one of `tsq.quant.market.PRICES`.
        slippage: least cost of a fill beside charges, ratio of its value.
        execution: how orders trade.
    """

    price: str
    slippage: float
    execution: Execution


@dataclass(frozen=True)
class Settings:
    """The tables config.execution, config.capacity and config.capacity_exceptions, and the knob slippage_bps."""

    execution: pl.DataFrame
    capacity: pl.DataFrame
    exceptions: pl.DataFrame
    slippage_bps: float


def profile(portfolio: Mapping[str, Any], said: Settings, market: Market, quotes: pl.DataFrame) -> Profile:
    """Put together how a portfolio trades.

    Args:
        portfolio: a row of config.portfolios: portfolio, execution, tier.
        said: configuration.
        market: sessions and names that limits are laid out over where exceptions change them.
        quotes: book.quotes, which knows the tickers exceptions speak of.

    Raises:
        TsqError: no execution or tier has the name, or one says what cannot be.
    """
    how = _row(said.execution, "execution", portfolio)
    tier = _row(said.capacity, "tier", portfolio)
    floor = said.slippage_bps if how["slippage_bps"] is None else how["slippage_bps"]
    most = np.inf if tier["max_participation"] is None else float(tier["max_participation"])
    return Profile(
        how["price"],
        floor * BASIS_POINT,
        Execution(
            sessions=how["sessions"],
            participation=how["participation"],
            adv_participation=_excepted(most, portfolio["portfolio"], said.exceptions, market, quotes),
            impact=how["impact_coefficient"],
        ),
    )


def _row(table: pl.DataFrame, key: str, portfolio: Mapping[str, Any]) -> dict[str, Any]:
    rows = {row[key]: row for row in table.iter_rows(named=True)}
    if portfolio[key] not in rows:
        raise TsqError(
            f"portfolio {portfolio['portfolio']} names the {key} {portfolio[key]}, which nothing describes",
            where="config/portfolios.yml",
            hint=did_you_mean(str(portfolio[key]), rows),
        )
    return rows[portfolio[key]]


def _excepted(
    most: float, portfolio: str, exceptions: pl.DataFrame, market: Market, quotes: pl.DataFrame
) -> float | Floats:
    """The tier's limit, over sessions and names where exceptions change it; one of a name before one of all."""
    mine = exceptions.filter((pl.col("portfolio") == portfolio) & (pl.col("limit") == "max_participation"))
    if mine.is_empty():
        return most
    limit = np.full((len(market.dates), len(market.names)), most)
    ordered = mine.sort(pl.col("ticker") != "*", "from_date", "ticker")
    for row in ordered.iter_rows(named=True):
        named = quotes.filter(pl.col("date").is_between(row["from_date"], row["expires_on"]))
        if row["ticker"] != "*":
            named = named.filter(pl.col("ticker") == row["ticker"])
        known = named.filter(pl.col("date") >= pl.lit(market.dates[0]))
        at = (
            np.searchsorted(market.dates, known["date"].to_numpy()),
            np.searchsorted(market.names, known["security_id"].to_numpy()),
        )
        limit[at] = np.inf if row["allowed"] is None else row["allowed"]
    return limit

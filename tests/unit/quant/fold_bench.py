"""A bench for steps of the fold: small markets written by hand, and what a portfolio did in them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from tsq.quant.book import Execution, Policy, Step, Targets
from tsq.quant.charges import schedule
from tsq.quant.events import events_table
from tsq.quant.ledger import STEPS, fold
from tsq.quant.market import Actions, Market

NAN = np.nan
RATES = pl.DataFrame(
    {
        "from_date": [dt.date(2000, 1, 1)],
        "to_date": [None],
        "item": ["STT_DELIVERY"],
        "venue": ["ALL"],
        "rate": [0.01],
        "unit": ["ratio"],
        "base": ["traded_value"],
        "side": ["both"],
        "status": ["verified"],
    },
    schema_overrides={"to_date": pl.Date},
)


def market_of(
    price: Any,
    *,
    mark: Any = None,
    actions: Mapping[int, Actions] | None = None,
    deaths: Mapping[int, Any] | None = None,
    **more: Any,
) -> Market:
    """A market from trade prices, a row for each calendar day from 1 January 2024 on; names are 100, 101 and so on.

    Marks are the same prices carried over holes. Open and close are the price, high and low 1 % from it, a million shares
    trade, and nothing is known of average volume and volatility, unless told otherwise in `more`.
    """
    price = np.array(price, float)
    dates = np.array([np.datetime64("2024-01-01") + day for day in range(len(price))])
    if mark is None:
        mark = pl.DataFrame(price).with_columns(pl.all().fill_nan(None).forward_fill()).to_numpy().astype(float)
    mark = np.array(mark, float)
    before = np.vstack([np.full(price.shape[1], NAN), mark[:-1]])
    for row, action in (actions or {}).items():
        before[row, action.names] *= action.kept / action.factor
    printed = {"open": price, "high": price * 1.01, "low": price * 0.99, "close": price}
    volume = np.where(np.isnan(price), 0.0, 1e6)
    nothing = {name: np.full(price.shape, NAN) for name in ("adv", "sigma", "turnover")}
    given = {name: np.array(value, float) for name, value in more.items()}
    shapes = {name: np.broadcast_to(value, price.shape) for name, value in given.items()}
    return Market(
        dates=dates,
        names=np.arange(price.shape[1]) + 100,
        price=price,
        before=before,
        mark=mark,
        actions=actions or {},
        deaths=deaths or {},
        **(printed | {"volume": volume} | nothing | shapes),
    )


def action(
    name: int, factor: float = 1.0, cash: float = 0.0, label: str = "bonus", *, kept: float = 1.0, taken: float = 0.0
) -> Actions:
    """One corporate action of one name; a factor labelled bonus is one."""
    bonus = factor if label == "bonus" else 1.0
    columns = [np.array([value]) for value in (bonus, kept, taken)]
    return Actions(np.array([name]), np.array([factor]), np.array([cash]), np.array([label]), *columns)


def want(targets: Mapping[int, Mapping[int, float]]) -> dict[int, Targets]:
    """Targets by row of the session that decided, from weights by column of the market."""
    return {
        day: Targets(np.array(list(weights), int), np.array(list(weights.values()), float))
        for day, weights in targets.items()
    }


def policy_of(
    market: Market,
    targets: Mapping[int, Mapping[int, float]],
    *,
    slippage: float = 0.0,
    rates: pl.DataFrame = RATES[:0],
    haircut: float = 0.5,
    plan: str = "NONE",
    execution: Execution | None = None,
    **more: Any,
) -> Policy:
    """A policy free of costs and limits unless told otherwise."""
    made = Policy(want(targets), schedule(rates, market.dates, plan=plan), slippage, haircut, **more)
    return made if execution is None else dataclasses.replace(made, execution=execution)


def run(
    market: Market,
    targets: Mapping[int, Mapping[int, float]],
    *,
    capital: float = 1000.0,
    steps: Sequence[Step] = STEPS,
    **policy: Any,
) -> list[dict[str, Any]]:
    """Events of one portfolio as dictionaries."""
    made = policy_of(market, targets, **policy)
    return events_table("p", fold(market, made, capital, steps), market).to_dicts()


def seen(events: Sequence[Mapping[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Chosen columns of events."""
    return [tuple(event[name] for name in names) for event in events]

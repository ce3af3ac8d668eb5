"""How a portfolio is taxed, read from configuration: the taxpayer it names, and when its sales wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tsq.errors import TsqError, did_you_mean
from tsq.quant.book import Targets
from tsq.quant.market import Floats, Market
from tsq.quant.tax import Law, Taxpayer, law
from tsq.quant.tax_accounts import Terms, Waiting


@dataclass(frozen=True)
class Settings:
    """The law, the table config.taxpayers, signals.score, and the knobs taxes and score_*."""

    law: Law
    taxpayers: pl.DataFrame
    scores: pl.DataFrame
    pays: bool
    score_return: float
    half_life: float


def settings(
    tax_rates: pl.DataFrame,
    taxpayers: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    taxes: bool,
    score_return_pct_ann: float,
    score_half_life_days: float,
) -> Settings:
    """Put tables and knobs together, once for all portfolios."""
    return Settings(law(tax_rates), taxpayers, scores, taxes, score_return_pct_ann / 100.0, score_half_life_days)


def terms(portfolio: Mapping[str, Any], said: Settings, targets: Mapping[int, Targets], market: Market) -> Terms:
    """Put together how a portfolio is taxed.

    Args:
        portfolio: a row of config.portfolios: portfolio, taxpayer, tax_wait_days, blend.
        said: configuration.
        targets: what each evening decided, by row of the session.
        market: sessions and names.

    Raises:
        TsqError: no taxpayer has the name, or one asks for what cannot be.
    """
    rows = {row["taxpayer"]: row for row in said.taxpayers.iter_rows(named=True)}
    if portfolio["taxpayer"] not in rows:
        raise TsqError(
            f"portfolio {portfolio['portfolio']} names the taxpayer {portfolio['taxpayer']}, which nothing describes",
            where="config/portfolios.yml",
            hint=did_you_mean(str(portfolio["taxpayer"]), rows),
        )
    row = rows[portfolio["taxpayer"]]
    person = Taxpayer(
        slab=row["slab_rate"],
        surcharge=row["surcharge"],
        other_income=row["other_income_inr"],
        holding_period=row["holding_period"],
        exemption=row["exemption_order"],
        deductible=tuple(name.strip() for name in row["deductible_charges"].split(",") if name.strip()),
        instalments=row["instalments"],
    )
    days = portfolio["tax_wait_days"] if said.pays else 0
    gaps = _gaps(said.scores.filter(pl.col("blend") == portfolio["blend"]), targets, market) if days else {}
    return Terms(said.law, person, said.pays, Waiting(days, gaps, said.score_return, said.half_life))


def _gaps(scores: pl.DataFrame, targets: Mapping[int, Targets], market: Market) -> dict[int, Floats]:
    """By decision, each name's score less the mean of those it wanted; NaN without a score."""
    known = scores.filter(pl.col("security_id").is_in(market.names.tolist()))
    by_date = {date: frame for (date,), frame in known.partition_by("date", as_dict=True).items()}
    gaps = {}
    for row, decided in targets.items():
        frame = by_date.get(market.dates[row].astype("M8[D]").item())
        if frame is None:
            continue
        score = np.full(len(market.names), np.nan)
        score[np.searchsorted(market.names, frame["security_id"].to_numpy())] = frame["score"].to_numpy()
        wanted = score[decided.names[decided.weights > 0.0]]
        if (~np.isnan(wanted)).any():
            gaps[row] = score - np.nanmean(wanted)
    return gaps

"""Taxpayers as configuration describes them."""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from fold_bench import market_of, want
from law_bench import tax_rates

from tsq.engine import seeds
from tsq.engine.datasets import read_dataset
from tsq.errors import TsqError
from tsq.quant.tax import Taxpayer
from tsq.quant.taxpayers import settings, terms

ROOT = Path(__file__).parents[3]
MARKET = market_of(np.full((5, 3), 100.0))
PORTFOLIO = {"portfolio": "base", "taxpayer": "individual", "tax_wait_days": 0, "blend": "core"}


def taxpayers(**change):
    """config.taxpayers as the project has it, with columns of `individual` changed."""
    seed = seeds.read(read_dataset(ROOT / "sql" / "config" / "taxpayers.yml"), ROOT)
    names = [column.name for column in seed.dataset.columns]
    rows = [dict(zip(names, row, strict=True)) for row in seed.rows]
    return pl.DataFrame(
        [row | (change if row["taxpayer"] == "individual" else {}) for row in rows], infer_schema_length=None
    )


def said(scores=None, *, taxes=True, **change):
    empty = {"date": pl.Date, "blend": pl.String, "security_id": pl.Int64, "score": pl.Float64}
    table = pl.DataFrame(scores or [], schema=empty, orient="row")
    return settings(
        tax_rates(), taxpayers(**change), table, taxes=taxes, score_return_pct_ann=4.0, score_half_life_days=90.0
    )


def test_the_default_taxpayer_is_the_one_of_the_law_with_the_surcharge_of_the_income():
    assert terms(PORTFOLIO, said(), {}, MARKET).taxpayer == Taxpayer(surcharge=None)


def test_every_column_reaches_the_law():
    changed = said(
        slab_rate=0.2,
        surcharge=0.1,
        other_income_inr=1e6,
        holding_period="days365",
        exemption_order="lowest_first",
        deductible_charges="brokerage,dp",
        instalments="year_end",
    )
    assert terms(PORTFOLIO, changed, {}, MARKET).taxpayer == Taxpayer(
        0.2, 0.1, 1e6, "days365", "lowest_first", ("brokerage", "dp"), "year_end"
    )


def test_an_unknown_taxpayer_is_said():
    with pytest.raises(TsqError, match="names the taxpayer nobody"):
        terms(PORTFOLIO | {"taxpayer": "nobody"}, said(), {}, MARKET)


def test_scores_are_told_against_the_mean_of_what_was_wanted():
    day = dt.date(2024, 1, 3)
    scores = [(day, "core", 100, 1.0), (day, "core", 101, 2.0), (day, "core", 7, 50.0), (day, "calm", 102, 9.0)]
    rule = terms(
        PORTFOLIO | {"tax_wait_days": 20}, said(scores), want({1: {0: 1.0}, 2: {0: 0.5, 1: 0.5, 2: 0.0}}), MARKET
    ).waiting
    assert (rule.days, rule.score_return, rule.half_life) == (20, 0.04, 90.0)
    assert list(rule.scores) == [2]
    np.testing.assert_array_equal(rule.scores[2], [-0.5, 0.5, np.nan])


def test_where_nobody_pays_nothing_waits():
    rule = terms(PORTFOLIO | {"tax_wait_days": 20}, said(taxes=False), {}, MARKET)
    assert not rule.pays
    assert rule.waiting.days == 0

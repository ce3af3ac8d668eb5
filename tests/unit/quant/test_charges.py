import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsq.errors import TsqError
from tsq.quant.charges import BUY, SELL, charge_fills, schedule

DAY = dt.date(2024, 1, 1)


def rates(*rows):
    columns = ("from_date", "to_date", "item", "venue", "rate", "unit", "base", "side", "status")
    schema = {"from_date": pl.Date, "to_date": pl.Date, "rate": pl.Float64}
    return pl.DataFrame(
        [dict(zip(columns, row, strict=True)) for row in rows],
        schema={name: schema.get(name, pl.String) for name in columns},
    )


def row(
    item, rate, *, start=DAY, end=None, venue="ALL", unit="ratio", base="traded_value", side="both", status="verified"
):
    return (start, end, item, venue, rate, unit, base, side, status)


def test_days_without_a_row_cost_nothing_and_say_so():
    table = rates(row("STT_DELIVERY", 0.001), row("GST", 0.18, base="brokerage+exch_txn"))
    made = schedule(table, [dt.date(2023, 12, 31), DAY], plan="NONE")
    assert charge_fills(made, 0, BUY, np.array([1000.0])).sum() == 0.0
    assert charge_fills(made, 1, BUY, np.array([1000.0])).sum() == pytest.approx(1.0)
    missing = ("STT_DELIVERY,EXCH_TXN,IPFT,SEBI_FEE,STAMP_DELIVERY,GST", "EXCH_TXN,IPFT,SEBI_FEE,STAMP_DELIVERY")
    assert made.assumed == (missing, missing)


def test_the_older_service_tax_counts_as_the_tax_on_services():
    table = rates(row("SERVICE_TAX", 0.15, base="brokerage+exch_txn"), row("EXCH_TXN", 1e-4, venue="NSE"))
    made = schedule(table, [DAY], plan="NONE")
    assert "GST" not in made.assumed[BUY][0]
    assert charge_fills(made, 0, BUY, np.array([10_000.0]))[0, 5] == pytest.approx(0.15)


def test_a_row_that_is_an_assumption_is_used_and_told():
    made = schedule(rates(row("STAMP_DELIVERY", 1e-4, status="assumption")), [DAY], plan="NONE")
    assert charge_fills(made, 0, SELL, np.array([10_000.0]))[0, 4] == pytest.approx(1.0)
    assert "STAMP_DELIVERY" in made.assumed[SELL][0]


def test_only_sales_miss_a_depository_charge():
    made = schedule(rates(row("BROKERAGE_ACME", 0.0)), [DAY], plan="acme")
    assert "DP_ACME" in made.assumed[SELL][0]
    assert "DP_ACME" not in made.assumed[BUY][0]


def test_fees_of_another_exchange_are_left_out():
    made = schedule(rates(row("EXCH_TXN", 1e-4, venue="BSE"), row("EXCH_TXN", 2e-4, venue="NSE")), [DAY], plan="NONE")
    assert charge_fills(made, 0, BUY, np.array([10_000.0]))[0, 1] == pytest.approx(2.0)


def test_an_order_of_nothing_costs_nothing():
    table = rates(
        row("BROKERAGE_ACME", 20.0, unit="inr_per_order"),
        row("DP_ACME", 13.0, unit="inr_per_isin_day_plus_gst", venue="CDSL", side="sell"),
    )
    made = schedule(table, [DAY], plan="ACME")
    assert charge_fills(made, 0, SELL, np.array([0.0, 1.0])).sum(axis=1).tolist() == [0.0, 33.0]


@pytest.mark.parametrize(
    ("table", "plan", "what", "hint"),
    [
        (rates(row("BROKERAGE_ACME", 0.0)), "ACNE", "no charges of the brokerage plan ACNE", "did you mean ACME?"),
        (
            rates(row("IPFT", 0.0), row("IPFT", 0.1)),
            "NONE",
            "two rates of IPFT cover 2024-01-01",
            "end the earlier row",
        ),
        (rates(row("BROKERAGE_ACME", 1.0, unit="percent")), "ACME", "has the unit 'percent'", "ratio_min20"),
        (rates(row("BROKERAGE_ACME", 0.0), row("DP_ACME", 1.0)), "ACME", "DP_ACME has the unit 'ratio'", "plus_gst"),
        (rates(row("GST", 0.18, base="exch_tax")), "NONE", "GST is levied on 'exch_tax'", "did you mean exch_txn"),
    ],
)
def test_a_table_that_cannot_be_right(table, plan, what, hint):
    with pytest.raises(TsqError) as error:
        schedule(table, [DAY], plan=plan)
    assert what in error.value.what
    assert hint in error.value.hint
    assert error.value.where == "config/charges.csv"


def test_an_unknown_rounding():
    with pytest.raises(TsqError) as error:
        schedule(rates(row("IPFT", 0.0)), [DAY], plan="NONE", rounding="leagl")
    assert error.value.what == "charge_rounding is 'leagl'"
    assert error.value.hint == "did you mean legal?"


@given(st.floats(0.0, 1e9), st.sampled_from([BUY, SELL]))
def test_rounding_moves_no_charge_by_more_than_half_its_step(value, side):
    table = rates(row("STT_DELIVERY", 0.001), row("EXCH_TXN", 3.07e-5), row("GST", 0.18, base="exch_txn"))
    exact, rounded = (
        charge_fills(schedule(table, [DAY], plan="NONE", rounding=how), 0, side, np.array([value]))[0]
        for how in ("exact", "legal")
    )
    steps = np.array([1.0, *[0.01] * 7])
    assert (np.abs(rounded - exact) <= steps / 2 + 1e-8 * np.maximum(exact, 1.0)).all()
    assert rounded / steps == pytest.approx(np.round(rounded / steps), abs=1e-6)


def test_a_day_is_charged_by_what_was_known_on_it():
    """A rate of 1 January was put right on the 3rd: the first two days were charged by what was said before."""
    first, mended = dt.date(2024, 1, 1), dt.date(2024, 1, 3)
    midnights = [
        dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC) - dt.timedelta(hours=5, minutes=30)
        for day in (first, mended)
    ]
    versions = rates(row("STT_DELIVERY", 0.001), row("STT_DELIVERY", 0.002)).with_columns(
        known_from=pl.Series(midnights), known_to=pl.Series([midnights[1], dt.datetime(9999, 12, 31, tzinfo=dt.UTC)])
    )
    days = [dt.date(2023, 12, 31), first, dt.date(2024, 1, 2), mended, dt.date(2024, 1, 4)]
    made = schedule(versions, days, plan="NONE")
    assert made.on_value[BUY, :, 0].tolist() == [0.0, 0.001, 0.001, 0.002, 0.002]

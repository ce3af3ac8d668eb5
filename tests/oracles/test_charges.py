"""Charges against published bills and hand-worked lines."""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tsq.quant.charges import BUY, CHARGES, SELL, Schedule, charge_fills, schedule

ROOT = Path(__file__).parents[2]
RATES = pl.read_csv(ROOT / "config" / "charges.csv", try_parse_dates=True)

# one lakh of delivery on NSE: STT, exchange, IPFT, SEBI, stamp, GST or service tax, total; worked by hand, no brokerage, no DP
ONE_LAKH = [
    ("2013-06-03", "buy", 100.0, 3.25, 0.0001, 0.0, 10.0, 0.4017, 113.6518),
    ("2013-06-03", "sell", 100.0, 3.25, 0.0001, 0.0, 10.0, 0.4017, 113.6518),
    ("2020-06-15", "buy", 100.0, 3.25, 0.0001, 0.05, 10.0, 0.585018, 113.885118),
    ("2020-06-15", "sell", 100.0, 3.25, 0.0001, 0.05, 10.0, 0.585018, 113.885118),
    ("2021-03-15", "buy", 100.0, 3.45, 0.0001, 0.05, 15.0, 0.621018, 119.121118),
    ("2021-03-15", "sell", 100.0, 3.45, 0.0001, 0.05, 0.0, 0.621018, 104.121118),
    ("2022-08-01", "buy", 100.0, 3.45, 0.0001, 0.1, 15.0, 0.639018, 119.189118),
    ("2022-08-01", "sell", 100.0, 3.45, 0.0001, 0.1, 0.0, 0.639018, 104.189118),
    ("2024-06-14", "buy", 100.0, 3.22, 0.1, 0.1, 15.0, 0.6156, 119.0356),
    ("2024-06-14", "sell", 100.0, 3.22, 0.1, 0.1, 0.0, 0.6156, 104.0356),
    ("2024-11-15", "buy", 100.0, 2.97, 0.1, 0.1, 15.0, 0.5706, 118.7406),
    ("2024-11-15", "sell", 100.0, 2.97, 0.1, 0.1, 0.0, 0.5706, 103.7406),
    ("2026-06-15", "buy", 100.0, 3.0699, 0.0001, 0.1, 15.0, 0.5706, 118.7406),
    ("2026-06-15", "sell", 100.0, 3.0699, 0.0001, 0.1, 0.0, 0.5706, 103.7406),
]


def on(day: str, plan: str) -> Schedule:
    return schedule(RATES, [dt.date.fromisoformat(day)], plan=plan)


def charged(day: str, side: int, value: float, plan: str) -> dict[str, float]:
    amounts = charge_fills(on(day, plan), 0, side, np.array([value]))[0]
    return dict(zip(CHARGES, amounts.tolist(), strict=True))


@pytest.mark.parametrize("line", ONE_LAKH, ids=lambda line: f"{line[0]} {line[1]}")
def test_one_lakh_of_delivery(line):
    day, side, stt, exchange, ipft, sebi, stamp, tax, total = line
    got = charged(day, BUY if side == "buy" else SELL, 100_000.0, "NONE")
    expected = {"stt_inr": stt, "exchange_inr": exchange, "ipft_inr": ipft, "sebi_inr": sebi, "stamp_inr": stamp}
    assert got == pytest.approx({**expected, "gst_inr": tax, "brokerage_inr": 0.0, "dp_inr": 0.0}, rel=1e-12, abs=1e-12)
    assert sum(got.values()) == pytest.approx(total, rel=1e-12)


def test_a_groww_bill():
    """Buy 50 at 1,000, sell 50 at 1,500: the bill prints every line but IPFT, rounded to paise, and 184.23 in all."""
    bought, sold = (charged("2025-06-16", side, value, "GROWW") for side, value in ((BUY, 50_000.0), (SELL, 75_000.0)))
    both = {name: bought[name] + sold[name] for name in CHARGES}
    assert both["brokerage_inr"] == 40.0
    assert both["stt_inr"] == pytest.approx(125.00)
    assert round(both["exchange_inr"], 2) == 3.71
    assert both["sebi_inr"] == pytest.approx(0.125)
    assert both["stamp_inr"] == pytest.approx(7.50)
    assert both["ipft_inr"] == pytest.approx(0.125)
    assert both["gst_inr"] - 0.18 * both["ipft_inr"] == pytest.approx(0.18 * (40.0 + 3.7125 + 0.125))
    printed = sum(both.values()) - both["dp_inr"] - 1.18 * both["ipft_inr"]
    assert round(printed, 2) == 184.23


def test_five_thousand_shares_at_a_thousand_both_ways():
    both = [charged("2026-06-15", side, 5_000_000.0, "ZERODHA") for side in (BUY, SELL)]
    total = sum(sum(line.values()) - line["dp_inr"] for line in both)
    assert total == pytest.approx(11_124.06, abs=5e-9)


@pytest.mark.parametrize(
    ("day", "plan", "rupees"),
    [
        ("2019-06-03", "ZERODHA", 15.93),
        ("2026-06-15", "ZERODHA", 15.34),
        ("2026-06-15", "ZERODHA_WOMAN", 15.045),
        ("2026-06-15", "GROWW", 23.60),
    ],
)
def test_the_depository_charge_of_a_sale(day, plan, rupees):
    assert charged(day, SELL, 100_000.0, plan)["dp_inr"] == pytest.approx(rupees, abs=1e-9)
    assert charged(day, BUY, 100_000.0, plan)["dp_inr"] == 0.0


def test_a_sale_below_a_hundred_rupees_leaves_the_depository_of_groww_for_nothing():
    assert charged("2026-06-15", SELL, 99.99, "GROWW")["dp_inr"] == 0.0
    assert charged("2026-06-15", SELL, 100.0, "GROWW")["dp_inr"] == pytest.approx(23.60)


def test_one_lakh_both_ways_is_22_25_basis_points():
    both = sum(sum(charged("2026-06-15", side, 100_000.0, "NONE").values()) for side in (BUY, SELL))
    assert both == pytest.approx(222.4812, rel=1e-12)


def test_a_contract_note_rounds_the_transaction_tax_to_rupees_and_the_rest_to_paise():
    """5,000 × 249.70 = 12,48,500: STT 1,248.50 is 1,249 (halves go up); stamp 187.275 is 187.28; GST 7.1239 is 7.12."""
    rates = schedule(RATES, [dt.date(2026, 6, 15)], plan="ZERODHA", rounding="legal")
    exact = charged("2026-06-15", BUY, 1_248_500.0, "ZERODHA")
    line = dict(zip(CHARGES, charge_fills(rates, 0, BUY, np.array([1_248_500.0]))[0].tolist(), strict=True))
    assert exact["stt_inr"] == pytest.approx(1248.50)
    assert exact["gst_inr"] == pytest.approx(0.18 * (38.3277 + 0.0012 + 1.2485), abs=1e-4)
    assert line == pytest.approx(
        {
            "stt_inr": 1249.0,
            "exchange_inr": 38.33,
            "ipft_inr": 0.0,
            "sebi_inr": 1.25,
            "stamp_inr": 187.28,
            "gst_inr": 7.12,
            "brokerage_inr": 0.0,
            "dp_inr": 0.0,
        },
        abs=1e-9,
    )
    sold = charge_fills(rates, 0, SELL, np.array([1_248_499.0, 400.0, 0.0]))
    assert sold[:, 0].tolist() == [1248.0, 0.0, 0.0]
    assert sold[:, 7].tolist() == pytest.approx([15.34, 15.34, 0.0], abs=1e-9)


@pytest.mark.parametrize(
    ("day", "plan", "value", "rupees"),
    [
        ("2014-06-03", "ZERODHA", 10_000.0, 10.0),
        ("2014-06-03", "ZERODHA", 100_000.0, 20.0),
        ("2015-12-01", "ZERODHA", 100_000.0, 0.0),
        ("2025-06-16", "GROWW", 1_000.0, 5.0),
        ("2025-06-16", "GROWW", 10_000.0, 10.0),
        ("2025-06-16", "GROWW", 50_000.0, 20.0),
        ("2026-06-15", "UPSTOX", 1_000.0, 20.0),
    ],
)
def test_brokerage_plans(day, plan, value, rupees):
    assert charged(day, BUY, value, plan)["brokerage_inr"] == pytest.approx(rupees)


def test_the_first_and_the_last_day_of_a_rate_belong_to_it():
    assert charged("2020-06-30", SELL, 100_000.0, "NONE")["stamp_inr"] == pytest.approx(10.0)
    assert charged("2020-07-01", SELL, 100_000.0, "NONE")["stamp_inr"] == 0.0
    assert charged("2020-07-01", BUY, 100_000.0, "NONE")["stamp_inr"] == pytest.approx(15.0)

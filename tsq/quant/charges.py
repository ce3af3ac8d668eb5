"""Charges of delivery trades in India: dated rates in, rupees per fill out.

A table of dated rates becomes a `Schedule` (one row of rates per session); `charge_fills` applies one session of it to
many fills at once. Charges accrue exactly, unless the schedule is asked to round them as a contract note does.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tsq.errors import TsqError, did_you_mean

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]

BUY, SELL = 0, 1
SIDES = ("buy", "sell")
CHARGES = ("stt_inr", "exchange_inr", "ipft_inr", "sebi_inr", "stamp_inr", "gst_inr", "brokerage_inr", "dp_inr")
NO_PLAN = "NONE"
RUPEE, PAISA, EXACT = 1.0, 0.01, 0.0
ROUNDING = {  # of each of the charges, rupees
    "exact": (EXACT,) * len(CHARGES),
    "legal": (RUPEE, *(PAISA,) * (len(CHARGES) - 1)),
}

_ON_VALUE = ("STT_DELIVERY", "EXCH_TXN", "IPFT", "SEBI_FEE", "STAMP_DELIVERY")
_SERVICE_TAXES = ("SERVICE_TAX", "GST")
_TAXABLE = ("exch_txn", "ipft", "sebi_fee", "brokerage")
_TAXED = np.array([1, 2, 3, 6])  # their columns among CHARGES
_INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30))
_HALF_AND_A_HAIR = 0.5 + 1e-9  # 0.505 is 50.49999… paise to a machine
_PER_SALE = re.compile(r"inr_per_isin_day(?:_from(?P<least>\d+))?_plus_gst")
_ORDER_LIMITS = re.compile(r"ratio_(?:min(?P<low>\d+)_max(?P<high>\d+)|min(?P<cap>\d+))")


@dataclass(frozen=True)
class Schedule:
    """Rates in force, one row per session.

    Attributes:
        on_value: (2 sides, n_days, 5) rates of the traded value: STT, exchange, IPFT, SEBI, stamp.
        tax: (n_days,) rate of the tax on services: service tax, later GST.
        taxable: (n_days, 4) 1.0 where that tax is levied on exchange, IPFT, SEBI, brokerage.
        brokerage: (n_days, 3) rate of the order's value, least and most rupees an order.
        depository: (n_days,) rupees per security and day of a sale, tax on it included.
        depository_from: (n_days,) least value of a sale that pays them, rupees.
        rounding: (8,) what each charge is rounded to, rupees; 0 where it is not.
        assumed: per side, per day, the items no row is sure of, joined by commas; empty when all are known.
    """

    on_value: Floats
    tax: Floats
    taxable: Floats
    brokerage: Floats
    depository: Floats
    depository_from: Floats
    rounding: Floats
    assumed: tuple[tuple[str, ...], tuple[str, ...]]


def schedule(
    charges: pl.DataFrame, days: Sequence[Any] | Days, *, plan: str, venue: str = "NSE", rounding: str = "exact"
) -> Schedule:
    """Look up every charge for every day once.

    Args:
        charges: dated rates: from_date, to_date (included; null while in force), item, venue, rate, unit, base, side,
            status; and, where the table has versions, known_from and known_to: a day is charged by what was known on
            it, Asia/Kolkata.
        days: (n_days,) trade dates, in any order.
        plan: broker whose rows BROKERAGE_<plan> and DP_<plan> apply; `NONE` for neither.
        venue: exchange whose fees apply.
        rounding: `exact`, or `legal`, as a contract note prints them: the transaction tax of each order to the nearest
            rupee, every other charge to the paisa, halves up.

    Returns:
        The rates per day. Where no row covers a day the charge is zero and the item is named in `assumed`; so is an
        item whose row is itself an assumption.

    Raises:
        TsqError: no row names the plan, two rows of an item cover one day, or a unit, base or rounding is unknown.

    Source:
        NSE, SEBI and tax circulars named in the `source` column of the rows.
    """
    if rounding not in ROUNDING:
        raise TsqError(
            f"charge_rounding is '{rounding}'", where="config/run.yml", hint=did_you_mean(rounding, sorted(ROUNDING))
        )
    dates = np.asarray(days, dtype="datetime64[D]")
    rows = [
        row for row in charges.iter_rows(named=True) if row["venue"] in ("ALL", venue) or row["item"].startswith("DP_")
    ]
    plan = plan.upper()
    broker, depository = f"BROKERAGE_{plan}", f"DP_{plan}"
    plans = {row["item"].removeprefix("BROKERAGE_") for row in rows if row["item"].startswith("BROKERAGE_")} | {NO_PLAN}
    if plan not in plans:
        raise TsqError(
            f"no charges of the brokerage plan {plan}", where="config/charges.csv", hint=did_you_mean(plan, plans)
        )
    found = {item: _lookup(rows, item, dates) for item in (*_ON_VALUE, *_SERVICE_TAXES, broker, depository)}

    on_value = np.zeros((2, len(dates), len(_ON_VALUE)))
    tax, taxable = np.zeros(len(dates)), np.zeros((len(dates), len(_TAXABLE)))
    brokerage, per_sale, sale_from = np.zeros((len(dates), 3)), np.zeros(len(dates)), np.zeros(len(dates))
    for column, item in enumerate(_ON_VALUE):
        for row, where in _in_force(rows, found[item]):
            for side, name in enumerate(SIDES):
                on_value[side, where, column] = row["rate"] if row["side"] in ("both", name) else 0.0
    for item in _SERVICE_TAXES:
        for row, where in _in_force(rows, found[item]):
            tax[where], taxable[where] = row["rate"], _tax_base(row)
    for row, where in _in_force(rows, found[broker]):
        brokerage[where] = _order_rate(row)
    for row, where in _in_force(rows, found[depository]):
        fee, sale_from[where] = _per_sale(row)
        per_sale[where] = fee * (1.0 + tax[where])
    steps = np.array(ROUNDING[rounding])
    return Schedule(on_value, tax, taxable, brokerage, per_sale, sale_from, steps, _assumed(rows, found, plan))


def charge_fills(rates: Schedule, day: int, side: int | Ints, value: Floats) -> Floats:
    """Charge the fills of one day; each fill is one order of one security.

    Args:
        rates: the schedule.
        day: row of the schedule.
        side: `BUY` or `SELL`, one for all fills or (n_fills,) one for each.
        value: (n_fills,) traded value, rupees, not negative.

    Returns:
        (n_fills, 8) rupees, columns as `CHARGES`. The depository charge falls on sales, once per security and day, tax
        on it included.
    """
    out = np.empty((len(value), len(CHARGES)))
    is_order = value > 0.0
    np.multiply(value[:, None], rates.on_value[side, day], out=out[:, :5])
    rate, least, most = rates.brokerage[day].tolist()
    out[:, 6] = is_order * np.minimum(np.maximum(value * rate, least), most)
    out[:, 5] = rates.tax[day] * (out[:, _TAXED] * rates.taxable[day]).sum(axis=1)
    out[:, 7] = is_order * (side == SELL) * (value >= rates.depository_from[day]) * rates.depository[day]
    rounded = rates.rounding.nonzero()[0]
    if len(rounded):
        steps = rates.rounding[rounded]
        out[:, rounded] = np.floor(out[:, rounded] / steps + _HALF_AND_A_HAIR) * steps
    return out


def _lookup(rows: list[dict[str, Any]], item: str, dates: Days) -> npt.NDArray[np.intp]:
    """Which row of the item covers each day; -1 where none does."""
    index = np.full(len(dates), -1)
    for number, row in enumerate(rows):
        if row["item"] != item:
            continue
        covers = (dates >= np.datetime64(row["from_date"], "D")) & _known(row, dates)
        if row["to_date"] is not None:
            covers &= dates <= np.datetime64(row["to_date"], "D")
        if (index[covers] >= 0).any():
            raise TsqError(
                f"two rates of {item} cover {dates[covers & (index >= 0)][0]}",
                where="config/charges.csv",
                hint="end the earlier row on the day before the later one starts",
            )
        index[covers] = number
    return index


def _known(row: dict[str, Any], dates: Days) -> npt.NDArray[np.bool_]:
    """The days on which this version of a row was the one known; all of them where a table has no versions."""
    if row.get("known_from") is None:
        return np.ones(len(dates), dtype=bool)
    first, end = (np.datetime64(row[name].astimezone(_INDIA).date(), "D") for name in ("known_from", "known_to"))
    return (first <= dates) & (dates < end)


def _in_force(
    rows: list[dict[str, Any]], index: npt.NDArray[np.intp]
) -> list[tuple[dict[str, Any], npt.NDArray[np.bool_]]]:
    return [(rows[number], index == number) for number in np.unique(index[index >= 0])]


def _tax_base(row: dict[str, Any]) -> list[float]:
    parts = row["base"].split("+")
    for part in parts:
        if part not in _TAXABLE:
            raise TsqError(
                f"{row['item']} is levied on '{part}'", where="config/charges.csv", hint=did_you_mean(part, _TAXABLE)
            )
    return [float(name in parts) for name in _TAXABLE]


def _order_rate(row: dict[str, Any]) -> tuple[float, float, float]:
    """Rate, least and most rupees of an order."""
    rate, unit = float(row["rate"]), row["unit"]
    if unit == "ratio":
        return rate, 0.0, np.inf
    if unit == "inr_per_order":
        return 0.0, rate, rate
    limits = _ORDER_LIMITS.fullmatch(unit)
    if limits is None:
        raise _unknown_unit(row, "ratio, ratio_min20 (at most 20), ratio_min5_max20 or inr_per_order")
    # a lone minimum is the lower of the rate and that many rupees, which is a cap
    return rate, float(limits["low"] or 0.0), float(limits["high"] or limits["cap"])


def _per_sale(row: dict[str, Any]) -> tuple[float, float]:
    """Rupees of a sale before tax, and the least value that pays them."""
    unit = _PER_SALE.fullmatch(row["unit"])
    if unit is None:
        raise _unknown_unit(row, "inr_per_isin_day_plus_gst, inr_per_isin_day_from100_plus_gst (sales of 100 and more)")
    return float(row["rate"]), float(unit["least"] or 0.0)


def _unknown_unit(row: dict[str, Any], known: str) -> TsqError:
    return TsqError(f"{row['item']} has the unit '{row['unit']}'", where="config/charges.csv", hint=f"known: {known}")


def _assumed(
    rows: list[dict[str, Any]], found: dict[str, npt.NDArray[np.intp]], plan: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Per side and day: the items that no row, or only an assumption, covers."""
    known = np.array([row["status"] != "assumption" for row in rows] + [False])  # the last answers for index -1
    sure = {item: known[index] for item, index in found.items()}
    sure["GST"] = sure.pop("SERVICE_TAX") | sure["GST"]
    if plan == NO_PLAN:
        sure = {item: days for item, days in sure.items() if not item.endswith(f"_{NO_PLAN}")}

    def names(skip: str) -> tuple[str, ...]:
        items = [item for item in sure if not item.startswith(skip)]
        unsure = ~np.stack([sure[item] for item in items], axis=1)
        return tuple(",".join(compress(items, day)) for day in unsure.tolist())

    return names("DP_"), names("\0")

"""Dated rates with versions: what the ledger charges, and what was known of taxes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from model_bench import Bench

from tsq.engine import seeds
from tsq.engine.datasets import read_dataset
from tsq.quant.charges import Schedule, schedule

ROOT = Path(__file__).parents[3]
DAYS = [dt.date(2009, 12, 31) + dt.timedelta(days=n) for n in range(6200)]


def read_settings(bench: Bench, name: str) -> None:
    """Fill a table of settings from the project's file."""
    seed = seeds.read(read_dataset(ROOT / "sql" / "config" / f"{name}.yml"), ROOT)
    bench.con.executemany(
        f"insert into config.{name} values ({', '.join('?' for _ in seed.dataset.columns)})", seed.rows
    )


def table(bench: Bench, query: str) -> pl.DataFrame:
    found = pl.from_arrow(bench.con.sql(query).to_arrow_table())
    assert isinstance(found, pl.DataFrame)
    return found


def same(one: Schedule, other: Schedule) -> bool:
    arrays = ("on_value", "tax", "taxable", "brokerage", "depository")
    return one.assumed == other.assumed and all(np.array_equal(getattr(one, n), getattr(other, n)) for n in arrays)


@pytest.mark.parametrize("plan", ["ZERODHA", "GROWW", "UPSTOX", "NONE"])
def test_a_day_is_charged_as_by_the_file_where_rates_were_known_in_time(bench: Bench, plan: str) -> None:
    """Every circular on file came before its first day, so versions change no charge of any day."""
    read_settings(bench, "charges")
    bench.run("pit.charges")
    assert bench.broken_rules("pit.charges") == []
    versions = table(bench, "select * from pit.charges")
    assert len(versions) > len(table(bench, "select * from config.charges"))
    by_file = schedule(table(bench, "select * from config.charges"), DAYS, plan=plan)
    assert same(schedule(versions, DAYS, plan=plan), by_file)
    in_force = versions.filter(pl.col("known_to").dt.year() == 9999)
    assert same(schedule(in_force.drop("known_from", "known_to"), DAYS, plan=plan), by_file)


def test_a_line_added_to_the_file_ends_the_one_before_it(bench: Bench) -> None:
    """As a person adds it: nothing but a first day, the day of the circular and the rate."""
    read_settings(bench, "charges")
    bench.con.execute("""
        insert into config.charges by name
        select date '2026-12-01' as from_date, date '2026-11-20' as known_on, 'EXCH_TXN' as item, 'NSE' as venue,
            0.00003 as rate, 'ratio' as unit, 'traded_value' as base, 'both' as side, 'verified' as status
    """)
    bench.run("pit.charges")
    assert bench.broken_rules("pit.charges") == []
    query = """
        select to_date from pit.charges
        where item = 'EXCH_TXN' and venue = 'NSE' and from_date = '2026-03-01' and known_from <= '{0}' and '{0}' < known_to
    """
    assert bench.rows(query.format("2026-11-19 20:00+05:30")) == [(dt.date(9999, 12, 31),)]
    assert bench.rows(query.format("2026-11-20 20:00+05:30")) == [(dt.date(2026, 11, 30),)]
    made = schedule(
        table(bench, "select * from pit.charges"), [dt.date(2026, 11, 30), dt.date(2026, 12, 1)], plan="NONE"
    )
    assert made.on_value[0, :, 1].tolist() == [3.0699e-05, 3e-05]


def test_the_shipped_tax_rates_answer_the_case_of_july_2024(bench: Bench) -> None:
    read_settings(bench, "tax_rates")
    bench.run("pit.tax_rates")
    assert bench.broken_rules("pit.tax_rates") == []

    def known(at: str, day: str) -> list[tuple[float, float]]:
        return bench.rows(
            f"select rate, limit_inr from pit.tax_rates where item = 'LTCG_112A' and valid_from <= '{day}' and '{day}' < valid_to "
            f"and known_from <= '{at} 20:00+05:30' and '{at} 20:00+05:30' < known_to"
        )

    for day in ("2024-04-01", "2024-07-22"):
        assert known("2024-07-22", day) == [(0.1, 100_000)]
        assert known("2024-07-23", day) == [(0.1, 125_000)]
    assert known("2024-07-22", "2025-03-31") == [(0.1, 100_000)]
    assert known("2024-07-23", "2025-03-31") == [(0.125, 125_000)]
    assert known("2024-07-23", "2024-03-31") == [(0.1, 100_000)]

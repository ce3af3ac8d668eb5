"""Real filings: nothing changes before a broadcast, sums equal sums by hand and by another library, and what cannot be true is out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from model_bench import Bench

from tsq.engine.lake import Lake, load_datasets
from tsq.ingest.batch import ingest

ROOT = Path(__file__).parents[3]
IST = ZoneInfo("Asia/Kolkata")
FOREVER = "timestamptz '9999-12-31 00:00:00+00'"
TABLES = ("pit.filings", "pit.earlier_filings", "pit.fundamental_faults", "pit.fundamentals", "features.fundamentals")
CRORE = 1e7
# one company, its first ISIN: identity is tested elsewhere
SECURITIES = """
create table pit.securities as
select
    dense_rank() over (order by symbol) as security_id, 'equity' as kind, symbol as ticker, null::varchar as isin, 'EQ' as series,
    date '2010-01-01' as valid_from, date '9999-12-31' as valid_to, timestamptz '2010-01-01 13:00+00' as known_at,
from (select distinct symbol from raw.fundamentals)
"""


@pytest.fixture(scope="module")
def lake(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake(tmp_path_factory.mktemp("filings") / "raw", load_datasets(ROOT / "sql" / "raw"))
    ingest([file_of(real_data)], made, now=dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
    return made


@pytest.fixture(scope="module")
def whole(lake: Lake, bench_of: Callable[..., Bench]) -> Iterator[Bench]:
    bench = bench_of()
    build(bench, lake)
    yield bench
    bench.con.close()


@pytest.fixture(scope="module")
def printed(real_data: Path) -> pl.DataFrame:
    """The file itself, times told to be Indian by another library."""
    return pl.read_parquet(file_of(real_data)).with_columns(
        pl.col("broadcast_ts").dt.replace_time_zone("Asia/Kolkata").dt.convert_time_zone("UTC").alias("known_from"),
        pl.col("period_end").dt.date(),
    )


def file_of(real_data: Path) -> Path:
    return real_data / "nse" / "reference" / "fundamentals_filings.parquet"


def build(bench: Bench, lake: Lake, as_of: dt.datetime | None = None) -> None:
    """Run the tables of filings over what was known at a time; whose a filing is does not depend on it."""
    bench.con.execute(f"insert into raw.fundamentals by name {lake.source_sql('fundamentals', None)}")
    bench.con.execute("create schema pit")
    bench.con.execute(SECURITIES)
    if as_of is not None:
        bench.con.execute("delete from raw.fundamentals where known_at > ?", [as_of])
    bench.run(*TABLES)


def twelve_months(bench: Bench, symbol: str, moment: dt.datetime) -> dict[str, Any]:
    """The row of a company that a decision of a moment reads."""
    query = f"""
        select features.* from features.fundamentals as features join pit.securities using (security_id)
        where ticker = '{symbol}' and features.known_from <= timestamptz '{moment.isoformat()}'
            and timestamptz '{moment.isoformat()}' < known_to
    """
    (row,) = bench.con.sql(query).pl().to_dicts()
    return row


def test_naive_times_are_indian(whole: Bench, printed: pl.DataFrame) -> None:
    """Also after 20:00, at night, and in the first hour of a day, which is still the day before in UTC."""
    read = whole.con.sql("""
        select ticker as symbol, period_end, consolidated, known_from from pit.filings order by all
    """).pl()
    wanted = printed.select("symbol", "period_end", "consolidated", "known_from").sort(pl.all())
    assert read.rows() == wanted.rows()
    hours = {row[0].astimezone(IST).hour for row in read.select("known_from").rows()}
    assert {0, 1, 2, 3, 20, 21, 22, 23} <= hours
    query = """
        select known_from from pit.filings
        where ticker = 'APOLLOHOSP' and not consolidated and period_end = '2018-03-31'
    """
    # printed as 2018-06-23 00:50:23
    assert whole.rows(query) == [(dt.datetime(2018, 6, 22, 19, 20, 23, tzinfo=dt.UTC),)]


def test_twelve_months_of_tcs_by_hand(whole: Bench) -> None:
    """Consolidated, from the printed results, in crores: quarters to June, September, December 2020 and March 2021."""
    evening = dt.datetime(2021, 4, 12, 20, 0, tzinfo=IST)
    before = twelve_months(whole, "TCS", evening)
    # the March quarter was broadcast at 23:05:50 of that day, after the decision
    assert before["period_end"] == dt.date(2020, 12, 31)
    assert before["revenue_ttm_inr"] == (39_946 + 38_322 + 40_135 + 42_015) * CRORE
    assert before["net_profit_ttm_inr"] == (8_093 + 7_049 + 7_504 + 8_727) * CRORE
    row = twelve_months(whole, "TCS", evening + dt.timedelta(days=1))
    assert row["period_end"] == dt.date(2021, 3, 31)
    assert row["consolidated"]
    assert row["revenue_ttm_inr"] == (38_322 + 40_135 + 42_015 + 43_705) * CRORE
    assert row["net_profit_ttm_inr"] == (7_049 + 7_504 + 8_727 + 9_282) * CRORE
    # profit before tax + finance costs - other income of each quarter
    operating = (9_504 + 142 - 598) + (10_037 + 174 - 914) + (11_692 + 183 - 691) + (12_527 + 138 - 931)
    assert row["operating_profit_ttm_inr"] == operating * CRORE
    assert row["revenue_growth_yoy"] == pytest.approx(43_705 / 39_946 - 1, rel=1e-12)
    # cash flow is the year's in the filing of March: 38,802; it is not added to anything
    assert row["cfo_ttm_inr"] == 38_802 * CRORE
    profit = 7_049 + 7_504 + 8_727 + 9_282
    assert row["accruals"] == pytest.approx((profit - 38_802) / (38_322 + 40_135 + 42_015 + 43_705), rel=1e-12)


def test_twelve_months_of_reliance_by_hand(whole: Bench) -> None:
    """Consolidated, in crores: quarters to September and December 2020, March and June 2021."""
    row = twelve_months(whole, "RELIANCE", dt.datetime(2021, 7, 24, 20, 0, tzinfo=IST))
    assert row["period_end"] == dt.date(2021, 6, 30)
    assert row["revenue_ttm_inr"] == (116_195 + 123_997 + 154_896 + 144_372) * CRORE
    assert row["net_profit_ttm_inr"] == (10_602 + 14_894 + 14_995 + 13_806) * CRORE
    assert row["revenue_growth_yoy"] == pytest.approx(144_372 / 91_238 - 1, rel=1e-12)
    assert row["net_profit_growth_yoy"] == pytest.approx(13_806 / 13_248 - 1, rel=1e-12)
    # broadcast at 20:08 of the 23rd: a decision of 20:00 that day could not have it
    assert twelve_months(whole, "RELIANCE", dt.datetime(2021, 7, 23, 20, 0, tzinfo=IST))["period_end"] == dt.date(
        2021, 3, 31
    )


def test_twelve_months_equal_sums_of_another_library(whole: Bench, printed: pl.DataFrame) -> None:
    faults = whole.con.sql("select ticker as symbol, period_end, consolidated, item from pit.fundamental_faults").pl()
    doubted = faults.filter(pl.col("item").is_in(["revenue_inr", "net_profit_inr"])).select(
        "symbol", "period_end", "consolidated", pl.lit(value=True).alias("doubted")
    )
    filings = printed.join(doubted.unique(), on=["symbol", "period_end", "consolidated"], how="left").with_columns(
        pl.coalesce("revenue", "interest_earned").alias("revenue")
    )
    rows = whole.con.execute("""
        select ticker, features.known_from, features.period_end, consolidated, revenue_ttm_inr, net_profit_ttm_inr, operating_margin_mean
        from features.fundamentals as features join pit.securities using (security_id)
        order by hash(ticker, features.known_from) limit 250
    """).fetchall()
    n_sums = 0
    for ticker, moment, newest, consolidated, revenue, profit, margin in rows:
        known = filings.filter(
            (pl.col("symbol") == ticker) & (pl.col("consolidated") == consolidated) & (pl.col("known_from") <= moment)
        )
        latest = known.sort("known_from").unique("period_end", keep="last").sort("period_end", descending=True)
        assert latest["period_end"][0] == newest
        year = [quarter for quarter in latest.to_dicts() if (newest - quarter["period_end"]).days < 300]
        whole_year = len(year) == 4 and not any(quarter["doubted"] for quarter in year)
        assert (profit is not None) == whole_year, (ticker, moment)
        if whole_year:
            assert profit == pytest.approx(sum(quarter["pat"] for quarter in year), rel=1e-12)
            assert revenue == pytest.approx(sum(quarter["revenue"] for quarter in year), rel=1e-12)
            n_sums += 1
        two_years = latest.filter(
            (pl.lit(newest) - pl.col("period_end")).dt.total_days() < 660,
            pl.col("doubted").is_null(),
            pl.col("revenue") > 0,
        )
        margins = two_years.select(
            ((pl.col("pbt") + pl.col("finance_costs") - pl.col("other_income")) / pl.col("revenue")).clip(-1, 1)
        ).drop_nulls()
        mean = margins.mean().item() if margins.height >= 4 else None
        assert margin == (None if mean is None else pytest.approx(mean, rel=1e-9)), (ticker, moment)
    assert n_sums > 120


def test_impossible_values_are_out(whole: Bench) -> None:
    found = {
        (ticker, str(period_end), consolidated): reason
        for ticker, period_end, consolidated, reason in whole.rows(
            "select ticker, period_end, consolidated, reason from pit.fundamental_faults where item = 'paid_up_capital_inr'"
        )
    }
    assert found[("TRENT", "2022-03-31", True)] == "the whole filing is off by a factor of 1e-2"
    assert found[("INDIGO", "2020-12-31", True)] == "not above zero"
    assert found[("HCLTECH", "2021-09-30", False)] == "not above zero"
    assert found[("HEROMOTOCO", "2019-03-31", True)] == "nothing but zeros in the whole account"
    assert found[("ICICIBANK", "2023-03-31", True)].startswith("0.00144 times")
    assert found[("ZEEL", "2019-03-31", True)].startswith("91.9 times")
    # restated three hours later, to what it had been
    assert found[("UPL", "2023-03-31", True)].startswith("4.65 times")
    # new shares in the last weeks of the quarter: true, and kept
    assert ("YESBANK", "2020-03-31", False) not in found
    # no zero or negative capital of the file is left, and nothing else was taken out
    (printed_wrong,) = whole.rows("select count(*) from raw.fundamentals where paid_up_capital_inr <= 0")[0]
    assert printed_wrong == sum(
        reason in ("not above zero", "nothing but zeros in the whole account") for reason in found.values()
    )
    assert whole.rows(
        "select count(*) from pit.fundamentals where paid_up_capital_inr <= 0 or face_value_inr <= 0"
    ) == [(0,)]
    items = dict(whole.rows("select item, count(*) from pit.fundamental_faults group by item"))
    assert items == {
        "paid_up_capital_inr": 24,
        "face_value_inr": 32,
        **dict.fromkeys(
            ("revenue_inr", "operating_profit_inr", "other_income_inr", "interest_inr", "tax_inr", "net_profit_inr"), 2
        ),
        "eps_inr": 1,
    }
    # real losses, holding companies and the quarter without flights are kept
    kept = whole.rows("""
        select count(*) from pit.fundamentals
        where (ticker, period_end) in (('IDEA', date '2019-09-30'), ('INDIGO', date '2020-06-30'), ('BAJAJFINSV', date '2018-09-30'))
            and revenue_inr is not null and operating_profit_inr is not null and net_profit_inr is not null
    """)
    assert kept == [(6,)]


def test_no_sum_is_made_from_a_value_that_is_not_believed(whole: Bench) -> None:
    """A group's quarter in the wrong unit leaves the company's own accounts for as long as it is one of the last four."""
    spans = whole.rows("""
        select features.consolidated, min(features.period_end), max(features.period_end), count(*), count(revenue_ttm_inr)
        from features.fundamentals as features
        join pit.securities using (security_id)
        where ticker = 'TRENT' and features.known_from > timestamptz '2021-11-03'
        group by features.consolidated
        order by min(features.known_from)
    """)
    assert [(row[0], str(row[1])) for row in spans] == [(True, "2021-09-30"), (False, "2022-03-31")]
    assert all(summed == rows for *_, rows, summed in spans)
    query = """
        select count(*)
        from features.fundamentals as features
        join pit.fundamental_faults as faults
            on faults.security_id = features.security_id
            and faults.consolidated = features.consolidated
            and faults.known_from <= features.known_from and features.known_from < faults.known_to
            and features.period_end - faults.period_end between 0 and 280
        where (faults.item = 'revenue_inr' and features.revenue_ttm_inr is not null)
            or (faults.item = 'net_profit_inr' and features.net_profit_ttm_inr is not null)
    """
    assert whole.rows(query) == [(0,)]


MOMENTS = [
    # the second before a broadcast, the second of it, and times between any two
    "2018-08-24 14:45:00+05:30",
    "2019-05-06 15:35:44+05:30",
    "2019-05-06 15:35:45+05:30",
    "2020-06-03 20:00:00+05:30",
    "2021-04-12 23:05:49+05:30",
    "2022-04-27 21:35:46+05:30",
    "2022-11-30 00:00:00+05:30",
    "2023-05-09 13:00:00+05:30",
    "2023-09-15 20:00:00+05:30",
]


@pytest.mark.parametrize("said", MOMENTS)
def test_nothing_changes_before_a_broadcast(
    whole: Bench, lake: Lake, bench_of: Callable[..., Bench], said: str
) -> None:
    """Rows in force at a moment are those of a build that was given nothing known after it, to the last bit."""
    moment = dt.datetime.fromisoformat(said)
    then = bench_of()
    build(then, lake, moment)
    for table in TABLES:
        query = f"""
            select * exclude (known_to) from {table}
            where known_from <= timestamptz '{said}' and timestamptz '{said}' < known_to
            order by all
        """
        assert whole.rows(query) == then.rows(query), table
        # and what had been replaced by then stays as it was
        closed = f"select * from {table} where known_to <= timestamptz '{said}' order by all"
        assert whole.rows(closed) == then.rows(closed), table
    assert then.rows(f"select count(*) from features.fundamentals where known_to = {FOREVER}")[0][0] > 0
    then.con.close()

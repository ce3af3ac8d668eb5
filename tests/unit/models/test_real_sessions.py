"""Sessions of real markets against the exchange's calendar; skipped where there is no real data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from model_bench import Bench

from tsq.engine import seeds
from tsq.engine.datasets import read_dataset
from tsq.engine.lake import Lake, load_datasets
from tsq.engine.template import literal
from tsq.ingest.batch import ingest

ROOT = Path(__file__).parents[3]
# Sessions the panel lacks (README of the real data); 30 August and 2 September 2013 are neighbours, so one gap.
NINE = [
    "2011-02-28",
    "2012-01-07",
    "2012-03-03",
    "2012-04-28",
    "2012-09-08",
    "2013-05-11",
    "2013-08-30",
    "2013-09-02",
    "2013-11-03",
]
MISSING = [dt.date.fromisoformat(day) for day in NINE]
# Muhurat with 0.29 of the usual turnover, which the calendar in hand does not flag.
UNFLAGGED = dt.date(2012, 11, 13)


def read_settings(bench: Bench, *names: str) -> None:
    """Fill tables of settings from the project's files."""
    for name in names:
        seed = seeds.read(read_dataset(ROOT / "sql" / "config" / f"{name}.yml"), ROOT)
        marks = ", ".join("?" for _ in seed.dataset.columns)
        bench.con.executemany(f"insert into config.{name} values ({marks})", seed.rows)


def show_panel(bench: Bench, real_data: Path) -> None:
    """Let raw prices be the real panel, read where it lies."""
    file = literal((real_data / "nse" / "panel.parquet").as_posix())
    bench.con.execute("drop table raw.prices")
    bench.con.execute(f"""
        create view raw.prices as
        select date, symbol, series, close, prev_close, volume, turnover as turnover_inr, 'panel' as format,
            30 as source_rank, timezone('Asia/Kolkata', date + interval '18 hours 30 minutes') as known_at,
            timestamptz '2024-01-01 00:00:00+00' as loaded_at, 'b1' as batch_id, 'panel' as file
        from read_parquet({file})
    """)


@pytest.fixture(scope="module")
def panel_days(bench_of: Callable[..., Bench], real_data: Path) -> Iterator[pl.DataFrame]:
    """The days of the real panel: rows and turnover."""
    bench = bench_of()
    show_panel(bench, real_data)
    bench.run("pit.days")
    yield pl.from_arrow(bench.con.sql("select * from pit.days").to_arrow_table())
    bench.con.close()


@pytest.fixture
def panel(bench: Bench, real_data: Path, panel_days: pl.DataFrame) -> Bench:
    """A bench with the sessions of the real panel, and the exchange's calendar as `official`."""
    read_settings(bench, "special_sessions", "settlement_cycle")
    calendar = literal((real_data / "nse" / "reference" / "trading_calendar.csv").as_posix())
    bench.con.execute(f"create table official as select * from read_csv({calendar}) where date >= '2010-06-10'")
    bench.con.execute("create schema pit")
    bench.con.register("days", panel_days.to_arrow())
    bench.con.execute("create table pit.days as from days")
    bench.run("pit.sessions")
    return bench


def test_the_calendar_is_reproduced_but_for_the_gaps_of_the_panel(panel: Bench) -> None:
    ours = [row[0] for row in panel.rows("select date from pit.sessions order by date")]
    theirs = [row[0] for row in panel.rows(f"select date from official where date <= '{ours[-1]}' order by date")]
    assert sorted({*ours} | {*MISSING}) == theirs
    assert not {*ours} & {*MISSING}
    weekends = panel.rows("select date, kind from pit.sessions where isodow(date) >= 6 order by date")
    assert [day for day, _ in weekends] == [
        row[0]
        for row in panel.rows(
            "select date from official where weekend and date in (from pit.sessions select date) order by date"
        )
    ]
    assert {day.isoformat() for day, kind in weekends if kind == "special"} == {"2015-02-28", "2020-02-01"}


def test_short_sessions_are_those_the_calendar_flags_and_one_it_overlooked(panel: Bench) -> None:
    flagged = {row[0] for row in panel.rows("select date from official where short_session")}
    short = panel.rows("select date, name, basis from pit.sessions where is_short order by date")
    assert {day for day, _, _ in short} == flagged | {UNFLAGGED}
    # all are on the list, but for a day on which the exchange's systems stood still for hours
    assert [(day, basis) for day, name, basis in short if name is None] == [(dt.date(2017, 7, 10), "traded")]
    assert {basis for _, name, basis in short if name is not None} == {"list"}
    # without the list, what traded tells the same ones
    before = panel.rows("select date, kind from pit.sessions order by date")
    panel.con.execute("delete from config.special_sessions")
    panel.run("pit.sessions")
    assert panel.rows("select date, kind from pit.sessions order by date") == before


def test_rows_of_sessions_and_settlement_do_not_depend_on_the_future(panel: Bench) -> None:
    panel.run("pit.settlement")
    query = "select * from {} where date <= '2016-10-30' order by date"
    whole = [panel.rows(query.format(name)) for name in ("pit.sessions", "pit.settlement")]
    panel.con.execute("delete from pit.days where date > '2016-10-30'")
    panel.run("pit.sessions", "pit.settlement")
    assert [panel.rows(query.format(name)) for name in ("pit.sessions", "pit.settlement")] == whole
    assert len(whole[0]) == len(whole[1]) > 1500


@pytest.mark.slow
def test_breaks_of_previous_closes_find_the_nine_missing_sessions(panel: Bench, real_data: Path) -> None:
    """With a name for each symbol and series: renames are left out of the comparison, which needs none of them."""
    show_panel(panel, real_data)
    panel.con.execute("""
        create table pit.prices as
        select date, session_no, hash(symbol, series)::hugeint % 1000000000000::bigint as security_id, symbol as ticker,
            close, prev_close
        from raw.prices
        join pit.sessions using (date)
    """)
    panel.con.execute("""
        create table pit.returns as
        select date, session_no, security_id, session_no - lag(session_no) over (
            partition by security_id order by session_no
        ) as sessions_since_last
        from pit.prices
    """)
    panel.run("health.price_breaks", "health.sessions_missing")
    gaps = panel.rows("select last_date, date, share_broken, announced from health.sessions_missing order by date")
    assert [[day for day in MISSING if last < day < first] for last, first, _, _ in gaps] == [
        *([day] for day in MISSING[:6]),
        MISSING[6:8],
        [MISSING[8]],
    ]
    assert all(0.82 < share < 0.99 for _, _, share, _ in gaps)
    # the list of special sessions names every missing one that was no ordinary weekday
    assert [said and said[:10] for *_, said in gaps] == [
        None if day.isoweekday() <= 5 else day.isoformat() for day in (*MISSING[:7], MISSING[8])
    ]


@pytest.mark.slow
def test_delivery_files_give_the_sessions_they_hold(
    bench: Bench, real_data: Path, tmp_path: Path, calendar_of: Callable[[Path], set[dt.date]]
) -> None:
    """265 files with echoes, misdated files and a file cut off after 23 rows, which is no session."""
    lake = Lake(tmp_path / "lake", load_datasets(ROOT / "sql" / "raw"))
    ingest([real_data / "nse" / "bhavcopy" / "full"], lake, now=dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
    bench.con.execute("drop table raw.prices")
    bench.con.execute(f"create view raw.prices as {lake.source_sql('prices', None)}")
    bench.run("pit.sessions")
    official = calendar_of(real_data)
    held = {row[0] for row in bench.rows("select distinct date from raw.prices")}
    ours = {row[0] for row in bench.rows("select date from pit.sessions")}
    assert held <= official
    assert held - ours == {dt.date(2022, 5, 4)}
    only_copies = [dt.date(2021, 5, 12), dt.date(2021, 11, 4), dt.date(2022, 1, 24), dt.date(2022, 1, 25)]
    assert {*only_copies} <= ours
    assert bench.rows("select date, kind from pit.sessions where kind != 'normal'") == [(dt.date(2021, 11, 4), "short")]


@pytest.fixture
def calendar_of() -> Callable[[Path], set[dt.date]]:
    def read(real_data: Path) -> set[dt.date]:
        lines = (real_data / "nse" / "reference" / "trading_calendar.csv").read_text(encoding="utf-8").splitlines()[1:]
        return {dt.date.fromisoformat(line.split(",", 1)[0]) for line in lines}

    return read


def test_the_shipped_calendar_answers_the_cases(bench: Bench, tmp_path: Path) -> None:
    """config/nse_calendar.csv, loaded as a person loads it, at the times of the known cases."""
    lake = Lake(tmp_path / "lake", load_datasets(ROOT / "sql" / "raw"))
    report = ingest([ROOT / "config" / "nse_calendar.csv"], lake, now=dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
    (file,) = report.files
    assert (file.dataset, file.rows_kept, file.rows_quarantined) == ("calendar", file.rows_in, 0)
    bench.con.execute("drop table raw.calendar")
    bench.con.execute(f"create view raw.calendar as {lake.source_sql('calendar', None)}")
    bench.run("pit.calendar")

    def status(day: str, at: str) -> Any:
        rows = bench.rows(
            f"select status from pit.calendar where date = '{day}' and known_from <= timestamptz '{at} 20:00+05:30' "
            f"and timestamptz '{at} 20:00+05:30' < known_to"
        )
        return rows[0][0] if rows else None

    assert [status("2026-01-15", at) for at in ("2025-12-11", "2025-12-12", "2026-01-11", "2026-01-12")] == [
        None,
        "trading",
        "trading",
        "holiday",
    ]
    assert [status("2024-01-20", at) for at in ("2023-12-27", "2023-12-28", "2024-01-18", "2024-01-19")] == [
        None,
        "short",
        "short",
        "special",
    ]
    assert [status("2024-01-22", at) for at in ("2024-01-18", "2024-01-19")] == [None, "holiday"]
    moved = [
        [status(day, at) for at in ("2024-12-31", "2025-09-03", "2025-09-04")] for day in ("2025-09-05", "2025-09-08")
    ]
    assert moved == [["settlement_holiday"] * 2 + ["trading"], ["trading"] * 2 + ["settlement_holiday"]]
    assert [status("2026-02-19", at) for at in ("2025-12-12", "2025-12-22")] == ["trading", "settlement_holiday"]


def test_special_sessions_keep_what_a_years_liquidity_says(bench: Bench) -> None:
    """Turnover over the median of 20 sessions, measured in 2024 to 2026: short ones are told, full ones are not."""
    read_settings(bench, "special_sessions")
    measured = {
        "2024-01-20": (0.746, False),
        "2024-03-02": (0.095, True),
        "2024-05-18": (0.145, True),
        "2024-11-01": (0.173, True),
        "2025-02-01": (1.073, False),
        "2025-10-21": (0.196, True),
        "2026-02-01": (1.062, False),
    }
    bench.con.execute("create schema if not exists pit")
    bench.con.execute("""
        create table pit.days as
        select day::date as date, 100 as n_securities, 1e10 as turnover_inr,
            timezone('Asia/Kolkata', day + interval '18 hours 30 minutes') as known_at
        from generate_series(date '2023-12-01', date '2026-02-27', interval 1 day) as days (day)
        where isodow(day) <= 5
    """)
    for day, (ratio, _) in measured.items():
        bench.con.execute(f"delete from pit.days where date = '{day}'")
        bench.con.execute(
            f"insert into pit.days values ('{day}', 100, {ratio * 1e10}, timestamptz '{day} 18:30+05:30')"
        )
    bench.run("pit.sessions")
    days = ", ".join(literal(day) for day in measured)
    found = bench.rows(f"select date, is_short, basis from pit.sessions where date in ({days}) order by date")
    assert found == [(dt.date.fromisoformat(day), short, "list") for day, (_, short) in measured.items()]

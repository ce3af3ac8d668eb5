"""The exchange's own renames, ISIN changes and reused symbols over 2010 to 2023; skipped where there is no real data."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from model_bench import Bench

# one load of the panel serves all of these, so they stay on one worker
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("panel")]
KNOWN = "timezone('Asia/Kolkata', {})"
# Renames whose two symbols both traded and that no reader of the files can follow, each with the reason.
UNDECIDED = {
    ("RELNV20", "NETFNV20"): "dated 2015, before either traded; renamed 2019-10-30 by the prints",
    ("RRSLGETF", "NETFLTGILT"): "dated 2016, before either traded; renamed 2019-10-30 by the prints",
}


@pytest.fixture(scope="module")
def renamed(bench_of: Callable[..., Bench], real_data: Path) -> Iterator[Bench]:
    """Names and identities of the whole panel, with the exchange's list of renames."""
    nse = real_data / "nse"
    bench = bench_of()
    bench.con.execute(f"""
        insert into raw.prices by name
        select date::date as date, symbol, series, nullif(trim(isin), '') as isin, close, prev_close, volume::bigint as volume, turnover as turnover_inr,
            {KNOWN.format("date::date + time '18:30'")} as known_at
        from read_parquet('{(nse / "panel.parquet").as_posix()}')
    """)
    with (nse / "reference" / "symbolchange.csv").open(encoding="utf-8") as file:
        changes = [[cell.strip() for cell in row] for row in csv.reader(file) if row]
    rows = [
        (row[-3], row[-2], dt.datetime.strptime(row[-1], "%d-%b-%Y").replace(tzinfo=dt.UTC).date()) for row in changes
    ]
    bench.con.executemany(
        f"insert into raw.symbol_changes (old_symbol, new_symbol, effective_date, known_at) select a, b, c, {KNOWN.format('c::timestamp')} from (values (?, ?, ?::date)) as t (a, b, c)",
        rows,
    )
    bench.run("pit.identities")
    bench.con.execute("""
        create table printed as
        select symbol, coalesce(isin, '') as isin, case when regexp_matches(series, '^E[0-9]') then series else 'share' end as line, date, max(close) as close
        from raw.prices where series not in ('RR', 'IV') group by all
    """)
    bench.con.execute("""
        create table borne as
        select printed.*, identities.security_id, identities.kind
        from printed join pit.identities as identities
            on identities.symbol = printed.symbol and identities.isin = printed.isin and identities.line = printed.line
            and printed.date >= identities.from_date and printed.date < identities.to_date
    """)
    yield bench
    bench.con.close()


def test_every_rename_is_one_security(renamed: Bench) -> None:
    found = renamed.rows("""
        with spans as (select min(date) as first_date, max(date) as last_date from printed),
        traded as (select distinct symbol from printed),
        changes as (
            select distinct old_symbol, new_symbol, effective_date
            from raw.symbol_changes, spans
            where old_symbol != new_symbol and effective_date between first_date and last_date
                and old_symbol in (from traded) and new_symbol in (from traded)
        ),
        before as (
            select old_symbol, new_symbol, effective_date, line, arg_max(security_id, date) as security_id
            from changes join borne on symbol = old_symbol and date < effective_date
            group by all
        ),
        after as (
            select old_symbol, new_symbol, effective_date, line, arg_min(security_id, date) as security_id
            from changes join borne on symbol = new_symbol and date >= effective_date
            group by all
        )
        select old_symbol, new_symbol, count(before.security_id), coalesce(bool_and(before.security_id = after.security_id), false)
        from changes
        left join before using (old_symbol, new_symbol, effective_date)
        left join after using (old_symbol, new_symbol, effective_date, line)
        group by all
    """)
    assert len(found) > 380
    assert {(old, new) for old, new, _, one in found if not one} == set(UNDECIDED)
    assert all(lines == 0 for old, new, lines, one in found if not one)


def test_the_undecided_are_one_security_by_their_isin(renamed: Bench) -> None:
    for old, new in UNDECIDED:
        assert renamed.rows(f"select count(distinct security_id) from borne where symbol in ('{old}', '{new}')") == [
            (1,)
        ]


def test_symbols_with_several_isins_are_one_security_unless_given_to_another(renamed: Bench) -> None:
    rows = renamed.rows("""
        select symbol, count(distinct isin) filter (where isin != '') as isins, count(distinct security_id) as securities
        from borne where line = 'share' group by symbol having isins > 1
    """)
    assert len(rows) > 380
    assert [symbol for symbol, _, securities in rows if securities > 1] == []


def test_reused_symbols_are_told_apart_and_what_cannot_be_decided_is_named(renamed: Bench) -> None:
    rows = renamed.rows("""
        select symbol, list(distinct security_id) as ids from borne where line = 'share' group by symbol having len(ids) > 1
    """)
    # DTIL went on as DPTL and was given to another company; AMBICAAGAR came back after ten years with another price
    assert {symbol for symbol, _ in rows} == {"DTIL", "AMBICAAGAR"}
    dptl = renamed.rows("select distinct security_id from borne where symbol = 'DPTL' and date < '2011-01-01'")
    old = renamed.rows("select distinct security_id from borne where symbol = 'DTIL' and date < '2011-01-01'")
    assert dptl == old
    renamed.run("health.identities")
    doubts = renamed.rows(
        "select symbol, doubt from health.identities where doubt in ('reused symbol', 'tied', 'older name still printed')"
    )
    assert set(doubts) == {("DTIL", "reused symbol"), ("AMBICAAGAR", "reused symbol"), ("ABFRLPP1", "reused symbol")}


def test_the_previous_close_joins_a_share_over_years_without_an_isin(renamed: Bench) -> None:
    rows = renamed.rows("select symbol from pit.identities where evidence = 'price' order by symbol")
    assert rows == [("DCMFINSERV",), ("TCPLTD",)]


def test_one_isin_is_one_security_and_a_partly_paid_line_is_its_own(renamed: Bench) -> None:
    assert (
        renamed.rows("select isin from borne where isin != '' group by isin having count(distinct security_id) > 1")
        == []
    )
    mixed = (
        "select security_id from borne group by security_id having bool_or(line = 'share') and bool_or(line != 'share')"
    )
    assert renamed.rows(mixed) == []
    assert renamed.rows("select count(distinct security_id) > 20 from borne where kind = 'partly_paid'") == [(True,)]


def test_the_past_is_joined_as_a_build_of_its_time_joined_it(bench_of: Callable[..., Bench], renamed: Bench) -> None:
    cut = "2014-03-31"
    moment = f"timezone('Asia/Kolkata', timestamp '{cut} 20:00')"
    bench = bench_of()
    # two databases of one process do not see each other: the rows go over as a frame
    for dataset in ("prices", "symbol_changes"):
        frame = renamed.con.sql(f"select * from raw.{dataset} where known_at <= {moment}").to_arrow_table()
        bench.con.register("frame", frame)
        bench.con.execute(f"insert into raw.{dataset} by name select * from frame")
        bench.con.unregister("frame")
    bench.run("pit.identities")
    query = f"select * replace (if(to_date > date '{cut}', date '9999-12-31', to_date) as to_date) from pit.identities where known_at <= {moment} order by node"
    then = bench.rows(query)
    assert len(then) > 3000
    assert renamed.rows(query) == then
    bench.con.close()


def test_names_without_a_sector_died_far_more_often(renamed: Bench, real_data: Path) -> None:
    """Of the 500 most traded of 2012: a list of today, or of 2019, knows survivors."""
    reference = real_data / "nse" / "reference"
    ((labelled, labelled_dead, unlabelled, unlabelled_dead),) = renamed.rows(f"""
        with most_traded as (
            select borne.security_id
            from borne join raw.prices as prices using (symbol, date)
            where year(date) = 2012 and borne.kind = 'equity'
            group by borne.security_id order by sum(turnover_inr) desc limit 500
        ),
        listed as (
            select Symbol as symbol from read_csv('{(reference / "nifty500_snapshots.csv").as_posix()}')
            union
            select symbol from read_csv('{(reference / "sector_map.csv").as_posix()}', all_varchar = true) where industry is not null
        ),
        lives as (
            select security_id, max(date) < date '2023-09-30' as is_dead, bool_or(symbol in (from listed)) as has_sector
            from borne semi join most_traded using (security_id) group by security_id
        )
        select count_if(has_sector), count_if(has_sector and is_dead), count_if(not has_sector), count_if(not has_sector and is_dead) from lives
    """)
    assert labelled + unlabelled == 500
    assert unlabelled_dead / unlabelled > 4 * labelled_dead / labelled
    # a universe as of 2012 holds all of them: those that are gone today, too
    assert labelled_dead + unlabelled_dead > 80

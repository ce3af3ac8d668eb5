from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from samples import NOW, SCHEMAS

from tsq.engine.lake import Lake, load_datasets
from tsq.ingest.batch import ingest
from tsq.ingest.formats import FORMATS, own_format, recognise
from tsq.ingest.rules import KNOWN_AT

Put = Callable[[str, str | bytes], Path]
Rows = Callable[..., list[tuple[Any, ...]]]
Bad = Callable[[Lake], list[tuple[Any, ...]]]
IST_MIDNIGHT_2020_01_02 = datetime(2020, 1, 1, 18, 30, tzinfo=UTC)


def test_every_format_writes_columns_of_a_dataset_that_says_when_it_is_known() -> None:
    datasets = load_datasets(SCHEMAS)
    assert {known.dataset for known in FORMATS} <= set(datasets) == set(KNOWN_AT)
    assert len({known.name for known in FORMATS}) == len(FORMATS)


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_no_format_is_hidden_by_another(known: Any) -> None:
    if known.first_line is None:
        assert recognise(known.needs, "", FORMATS) is known
        assert recognise((*known.needs, *known.may), "", FORMATS) is known or known.name == "panel_tidy"


@pytest.mark.parametrize("name", sorted(load_datasets(SCHEMAS)))
def test_a_datasets_own_columns_are_always_accepted(name: str) -> None:
    dataset = load_datasets(SCHEMAS)[name]
    formats = (*FORMATS, *map(own_format, load_datasets(SCHEMAS).values()))
    found = recognise(dataset.column_names, "", formats)
    assert found is not None
    assert found.dataset == name
    shortest = recognise(own_format(dataset).needs, "", formats)
    assert shortest is not None
    assert shortest.dataset == name


def test_symbol_changes_have_no_header(lake: Lake, put: Put, rows: Rows, refused: Bad) -> None:
    text = " Some Fund - Plan E,OLD1,NEW1,02-JAN-2020\nVertis Infrastructure Trust,VERTIS,VERTIS,22-JUL-2025\n"
    report = ingest([put("symbolchange.csv", text)], lake, now=NOW)
    assert (report.files[0].format, report.files[0].rows_kept, report.files[0].first_date) == (
        "symbolchange",
        1,
        date(2020, 1, 2),
    )
    found = rows(lake, "symbol_changes", "old_symbol, new_symbol, effective_date, company, known_at")
    assert found == [("OLD1", "NEW1", date(2020, 1, 2), "Some Fund - Plan E", IST_MIDNIGHT_2020_01_02)]
    assert refused(lake)[0][1:3] == (2, "changes nothing: old and new symbol are the same")


def test_split_and_bonus_events(lake: Lake, put: Put, rows: Rows) -> None:
    text = (
        "symbol,ex_date,factor,f_eod2,f_csvk,prev_date,raw_prev_close,raw_close,raw_ratio,isin_changed,verdict\n"
        "AAA,2020-01-02,2.0,2.0,2.0,2020-01-01,100,50,2.0,false,confirmed_eod2\n"
        "BBB,2020-01-02,5.0,5.0,5.0,2020-01-01,100,20,5.0,true,confirmed_csvk\n"
        "CCC,2020-01-02,,,1.6,2020-01-01,100,99,1.01,false,contradicted\n"
        "DDD,2020-01-02,,,10.0,,,,,false,not_in_panel\n"
        "EEE,2020-01-02,0,,,,,,,false,not_in_panel\n"
        "FFF,2020-01-02,2,,,,,,,false,guessed\n"
    )
    report = ingest([put("a.csv", text)], lake, now=NOW)
    assert report.files[0].rows_quarantined == 2
    found = rows(lake, "corporate_actions", "symbol, kind, price_factor, share_factor, status, known_at")
    assert [row[:5] for row in found] == [
        ("AAA", "split_or_bonus", 0.5, 2, "confirmed"),
        ("BBB", "split", 0.2, 5, "confirmed"),
        ("CCC", "split_or_bonus", 0.625, 1.6, "contradicted"),
        ("DDD", "split_or_bonus", 0.1, 10, "unconfirmed"),
    ]
    assert {row[5] for row in found} == {IST_MIDNIGHT_2020_01_02}


def test_hand_made_corporate_actions(lake: Lake, put: Put, rows: Rows, refused: Bad) -> None:
    text = (
        "symbol,ex_date,kind,price_factor,share_factor,cash_inr,status,announced_at\n"
        "AAA,2020-01-02,bonus,0.5,2,,confirmed,2019-12-20 16:30:00\n"
        "BBB,2020-01-02,dividend,,,5,confirmed,2019-12-20T11:00:00Z\n"
        "CCC,2020-01-02,gift,0.5,2,,confirmed,\n"
        "DDD,2020-01-02,bonus,,,,,\n"
        "EEE,2020-01-02,bonus,0.5,2,,,\n"
        "FFF,2020-01-02,bonus,0.5,2,,confirmed,soon\n"
    )
    ingest([put("a.csv", text)], lake, now=NOW)
    assert rows(lake, "corporate_actions", "symbol, cash_inr, status, known_at, source_rank") == [
        ("AAA", None, "confirmed", datetime(2019, 12, 20, 11, 0, tzinfo=UTC), 10),
        ("BBB", 5, "confirmed", datetime(2019, 12, 20, 11, 0, tzinfo=UTC), 10),
        ("EEE", None, "unconfirmed", IST_MIDNIGHT_2020_01_02, 10),
    ]
    assert [reason for _, _, reason, _ in refused(lake)] == [
        "kind is not one of split, bonus, split_or_bonus, consolidation, rights, dividend, demerger, other",
        "has neither a factor nor cash, nor what gives its factor",
        "announced_at is not a date",
    ]


def test_the_terms_of_an_action_stand_for_its_factor(lake: Lake, put: Put, rows: Rows, refused: Bad) -> None:
    text = (
        "symbol,ex_date,kind,ratio_new,ratio_held,issue_price_inr,face_value_from,face_value_to,ex_price_inr,status\n"
        "AAA,2020-01-02,bonus,1,2,,,,,confirmed\n"
        "BBB,2020-01-02,rights,5,78,120,,,,confirmed\n"
        "CCC,2020-01-02,split,,,,10,2,,confirmed\n"
        "DDD,2020-01-02,demerger,,,,,,2580,confirmed\n"
        "EEE,2020-01-02,demerger,,,,,,,confirmed\n"
        "FFF,2020-01-02,bonus,,,,,,,cancelled\n"
        "GGG,2020-01-02,rights,5,78,,,,,confirmed\n"
        "HHH,2020-01-02,bonus,0,2,,,,,confirmed\n"
        "III,2020-01-02,split,,,,10,0,,confirmed\n"
        "JJJ,2020-01-02,demerger,,,,,,-1,confirmed\n"
        "KKK,2020-01-02,rights,5,78,-1,,,,confirmed\n"
        "LLL,2020-01-02,bonus,,,,,,,called_off\n"
    )
    ingest([put("a.csv", text)], lake, now=NOW)
    kept = rows(
        lake, "corporate_actions", "symbol, ratio_new, ratio_held, issue_price_inr, face_value_to, ex_price_inr"
    )
    assert kept == [
        ("AAA", 1, 2, None, None, None),
        ("BBB", 5, 78, 120, None, None),
        ("CCC", None, None, None, 2, None),
        ("DDD", None, None, None, None, 2580),
        ("EEE", None, None, None, None, None),
        ("FFF", None, None, None, None, None),
    ]
    assert [reason for _, _, reason, _ in refused(lake)] == [
        "has neither a factor nor cash, nor what gives its factor",
        "ratio is not above zero",
        "face value is not above zero",
        "price without the demerged part is not above zero",
        "issue price is below zero",
        "status is not one of confirmed, unconfirmed, contradicted, cancelled",
    ]


def test_sector_lists(lake: Lake, put: Put, rows: Rows) -> None:
    snapshot = "seen_on,Company Name,Industry,Symbol,Series,ISIN Code\n2020-01-02,A Ltd.,IT,AAA,EQ,INE000000001\n"
    by_month = "symbol,isin,company,industry,source,as_of,tv_sector,tv_industry\nAAA,,A,Tech,x,2024-02,Finance,Banks\nBBB,,,,,,F,B\n"
    ingest(
        [put("snap.csv", snapshot), put("map.csv", by_month), put("mine.csv", "ticker,sector\nAAA,Mine\n")],
        lake,
        now=NOW,
    )
    assert rows(lake, "sectors", "seen_on, sector, known_at") == [
        (date(2020, 1, 2), "IT", datetime(2020, 1, 2, 13, 0, tzinfo=UTC)),
        (date(2024, 2, 29), "Tech", datetime(2024, 2, 29, 13, 0, tzinfo=UTC)),
        (None, "Mine", datetime(1900, 1, 1, tzinfo=UTC)),
    ]


def test_index_members(lake: Lake, put: Put, rows: Rows, refused: Bad) -> None:
    text = (
        "index_name,symbol,valid_from,valid_to,open_source,close_source\n"
        "Nifty 50,AAA,2014-01-01,2014-03-28,snapshot_floor,ind_prs27022014\n"
        "Nifty 50,BBB,2014-03-28,,ind_prs27022014,\n"
        "Nifty 50,CCC,2014-03-28,2014-03-28,ind_prs27022014,\n"
    )
    own = "index,symbol,valid_from\nnifty 50,DDD,2020-01-02\n"
    ingest([put("a.csv", text), put("b.csv", own)], lake, now=NOW)
    assert rows(lake, "index_members", "symbol, index_name, valid_from, valid_to, known_at") == [
        ("AAA", "NIFTY 50", date(2014, 1, 1), date(2014, 3, 28), datetime(2013, 12, 31, 18, 30, tzinfo=UTC)),
        ("BBB", "NIFTY 50", date(2014, 3, 28), None, datetime(2014, 2, 26, 18, 30, tzinfo=UTC)),
        ("DDD", "NIFTY 50", date(2020, 1, 2), None, IST_MIDNIGHT_2020_01_02),
    ]
    assert refused(lake)[0][2] == "valid_to is not after valid_from"


def test_index_levels(lake: Lake, put: Put, rows: Rows) -> None:
    history = (
        "date,index_name,open,high,low,close,volume\n2020-01-02,india vix,0,0,0,12.5,0\n2020-01-02,nifty 50,5,6,4,0,0\n"
    )
    total = "date,index_name,tri,source\n2020-01-02,NIFTY 50,2458.99,someone\n"
    own = "date,index_name,close\n2020-01-02,Nifty 100,77\n"
    ingest([put("h.csv", history), put("t.csv", total), put("o.csv", own)], lake, now=NOW)
    assert rows(lake, "index_levels", "index_name, kind, open, close, known_at::varchar") == [
        ("INDIA VIX", "price", None, 12.5, "2020-01-02 13:00:00+00"),
        ("NIFTY 100", "price", None, 77, "2020-01-02 13:00:00+00"),
        ("NIFTY 50", "total", None, 2458.99, "2020-01-02 13:00:00+00"),
    ]


def test_filings(lake: Lake, put: Put, rows: Rows, refused: Bad) -> None:
    header = "symbol,period_start,period_end,consolidated,broadcast_ts,revenue,other_income,finance_costs,pbt,tax,pat"
    text = (
        f"{header}\nAAA,2019-10-01,2019-12-31,True,2020-01-25 14:51:05,1000,40,10,230,50,180\n"
        "BBB,2019-10-01,2019-12-31,True,2019-12-25 14:51:05,1000,40,10,230,50,180\n"
        "CCC,2019-10-01,2019-12-31,True,,1000,40,10,230,50,180\n"
        "DDD,2020-10-01,2019-12-31,True,2021-01-25 14:51:05,1000,40,10,230,50,180\n"
        "EEE,2019-10-01,2019-12-31,True,2027-01-25 14:51:05,1000,40,10,230,50,180\n"
    )
    ingest([put("a.csv", text)], lake, now=NOW)
    assert rows(
        lake, "fundamentals", "symbol, period_end, consolidated, revenue_inr, operating_profit_inr, known_at"
    ) == [("AAA", date(2019, 12, 31), True, 1000, 200, datetime(2020, 1, 25, 9, 21, 5, tzinfo=UTC))]
    assert [reason for _, _, reason, _ in refused(lake)] == [
        "was broadcast before its period ended",
        "broadcast_at is missing",
        "period_end is before period_start",
        "broadcast_at is in the future",
    ]


def test_a_bank_and_the_quarter_of_the_financial_year(lake: Lake, put: Put, rows: Rows) -> None:
    """A bank earns interest and prints neither revenue nor profit before tax; cash flow counts from the year's first day."""
    text = (
        "symbol,period_start,period_end,consolidated,broadcast_ts,relating_to,revenue,interest_earned,finance_costs,pbt,pat,cfo\n"
        "BANK,2020-10-01,2020-12-31,False,2021-01-25 14:51:05,Third Quarter,,900,,,70,\n"
        "MAKER,2020-10-01,2020-12-31,False,2021-01-25 14:51:05,Fourth Quarter,1000,,10,80,60,300\n"
        "OTHER,2020-10-01,2020-12-31,False,2021-01-25 14:51:05,,1000,5,10,80,60,300\n"
    )
    ingest([put("a.csv", text)], lake, now=NOW)
    assert rows(lake, "fundamentals", "symbol, fiscal_quarter, revenue_inr, operating_profit_inr, cfo_inr") == [
        ("BANK", 3, 900, None, None),
        ("MAKER", 4, 1000, 90, 300),
        ("OTHER", None, 1000, 90, 300),
    ]


@pytest.mark.parametrize(
    ("said", "utc"),
    [
        ("2020-01-25 00:00:00", datetime(2020, 1, 24, 18, 30, tzinfo=UTC)),
        ("2020-01-25 00:50:23", datetime(2020, 1, 24, 19, 20, 23, tzinfo=UTC)),
        ("2020-01-25 20:00:01", datetime(2020, 1, 25, 14, 30, 1, tzinfo=UTC)),
        ("2020-01-25 23:59:59", datetime(2020, 1, 25, 18, 29, 59, tzinfo=UTC)),
        ("25-Jan-2020 23:05", datetime(2020, 1, 25, 17, 35, tzinfo=UTC)),
        ("2020-01-25T23:05:50+05:30", datetime(2020, 1, 25, 17, 35, 50, tzinfo=UTC)),
        ("2020-01-25 17:35:50Z", datetime(2020, 1, 25, 17, 35, 50, tzinfo=UTC)),
        ("2020-01-25", datetime(2020, 1, 25, 18, 30, tzinfo=UTC)),
    ],
)
def test_when_a_filing_was_known(lake: Lake, put: Put, rows: Rows, said: str, utc: datetime) -> None:
    """A naive time is Indian, at midnight and late in the evening too; one with a zone is what it says, a day is over at its end."""
    exchange = (
        "symbol,period_start,period_end,consolidated,broadcast_ts,revenue,finance_costs,pbt,pat\n"
        f"AAA,2019-10-01,2019-12-31,True,{said},1000,10,230,180\n"
    )
    own = f"symbol,period_start,period_end,consolidated,broadcast_at\nBBB,2019-10-01,2019-12-31,True,{said}\n"
    ingest([put("a.csv", exchange), put("b.csv", own)], lake, now=NOW)
    assert rows(lake, "fundamentals", "symbol, broadcast_at, known_at") == [("AAA", utc, utc), ("BBB", utc, utc)]


def test_listings(lake: Lake, put: Put, rows: Rows) -> None:
    text = (
        "SYMBOL,NAME OF COMPANY, SERIES, DATE OF LISTING, PAID UP VALUE, MARKET LOT, ISIN NUMBER, FACE VALUE\n"
        "20MICRONS,20 Microns Limited,EQ,06-OCT-2008,5,1,INE144J01027,5\n"
    )
    report = ingest([put("a.csv", text)], lake, now=NOW)
    assert report.files[0].first_date == date(2008, 10, 6)
    assert rows(lake, "listings", "symbol, name, listed_on, face_value_inr") == [
        ("20MICRONS", "20 Microns Limited", date(2008, 10, 6), 5)
    ]


def test_calendar_in_its_own_columns(lake: Lake, put: Put, rows: Rows, refused: Bad) -> None:
    text = (
        "date,status,name,announced_at\n"
        "2026-01-15,trading,,2025-12-12\n"
        "2026-01-15,holiday,Municipal elections,2026-01-03 17:30\n"
        "2026-01-26,holiday,Republic Day,\n"
        "2026-01-27,shut,,2025-12-12\n"
        "2026-01-28,holiday,,2026-02-01\n"
    )
    report = ingest([put("calendar.csv", text)], lake, now=NOW)
    assert (report.files[0].format, report.files[0].rows_kept) == ("calendar", 3)
    assert rows(lake, "calendar", "date, status, known_at") == [
        (date(2026, 1, 15), "holiday", datetime(2026, 1, 3, 12, tzinfo=UTC)),
        (date(2026, 1, 15), "trading", datetime(2025, 12, 11, 18, 30, tzinfo=UTC)),
        (date(2026, 1, 26), "holiday", datetime(2026, 1, 25, 18, 30, tzinfo=UTC)),
    ]
    assert [row[1:3] for row in refused(lake)] == [
        (5, "status is not one of trading, holiday, weekend, special, short, settlement_holiday"),
        (6, "announced_at is in the future"),
    ]


def test_lists_of_holidays(lake: Lake, put: Put, rows: Rows) -> None:
    site = 'Sr. No,Date,Day,Description\n1,26-Jan-2026,Monday,Republic Day\n2,08-Nov-2026,Sunday,"Diwali, Muhurat Trading"\n'
    report = ingest([put("holidays.csv", site)], lake, known_at=datetime(2025, 12, 12, 12, tzinfo=UTC), now=NOW)
    assert report.files[0].format == "holiday_list"
    hand = "date,holiday,known_from,status\n2026-03-03,Holi,2025-12-12 (NSE/CMTR/71775),verified\n"
    clearing = "date,reason,effect,status,source\n2026-02-19,Shivaji Jayanti,no pay-in,verified,NCL/CMPT/71904 (22-Dec-2025); store\n"
    found = ingest([put("a.csv", hand), put("b.csv", clearing)], lake, now=NOW).files
    assert [file.format for file in found] == ["dated_holidays", "settlement_holidays"]
    assert rows(lake, "calendar", "date, status, name, known_at") == [
        (date(2026, 1, 26), "holiday", "Republic Day", datetime(2025, 12, 12, 12, tzinfo=UTC)),
        (date(2026, 2, 19), "settlement_holiday", "Shivaji Jayanti", datetime(2025, 12, 21, 18, 30, tzinfo=UTC)),
        (date(2026, 3, 3), "holiday", "Holi", datetime(2025, 12, 11, 18, 30, tzinfo=UTC)),
        (date(2026, 11, 8), "short", "Diwali, Muhurat Trading", datetime(2025, 12, 12, 12, tzinfo=UTC)),
    ]

"""Fills, contract notes and holdings: recognised, read, refused with a reason, and loaded once however often they come."""

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from tsq.engine.lake import Lake, load_datasets
from tsq.errors import TsqError
from tsq.ingest.batch import Report, ingest

ROOT = Path(__file__).parents[3]
NOW = datetime(2024, 6, 1, tzinfo=UTC)

TRADEBOOK = "symbol,isin,trade_date,exchange,segment,series,trade_type,auction,quantity,price,trade_id,order_id,order_execution_time"
ONE_FILL = "INFY,INE009A01021,2024-01-02,NSE,EQ,EQ,buy,false,10,1500.50,700001,1100,2024-01-02T09:15:30"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", load_datasets(ROOT / "sql" / "raw"))


def load(lake: Lake, name: str, *lines: str, **options: object) -> Report:
    path = lake.root.parent / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return ingest([path], lake, now=NOW, **options)


def rows(lake: Lake, dataset: str, columns: str) -> list[tuple]:
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    return con.execute(f"select {columns} from ({lake.source_sql(dataset, None)}) order by all").fetchall()


def test_a_tradebook_is_read_with_the_account_of_its_name(lake: Lake) -> None:
    load(lake, "tradebook-AB1234-EQ.csv", TRADEBOOK, ONE_FILL)
    got = rows(lake, "fills", "account, date, symbol, exchange, side, qty, price, trade_id, executed_at, known_at")
    executed, known = datetime(2024, 1, 2, 3, 45, 30, tzinfo=UTC), datetime(2024, 1, 2, 13, 0, tzinfo=UTC)
    assert got == [("AB1234", date(2024, 1, 2), "INFY", "NSE", "buy", 10, 1500.5, "700001", executed, known)]


def test_a_file_without_a_client_id_is_of_the_main_account(lake: Lake) -> None:
    load(lake, "my trades.csv", TRADEBOOK, ONE_FILL)
    assert rows(lake, "fills", "account") == [("main",)]


def test_loading_again_or_overlapping_changes_nothing(lake: Lake) -> None:
    load(lake, "tradebook-AB1234-EQ.csv", TRADEBOOK, ONE_FILL)
    assert load(lake, "tradebook-AB1234-EQ.csv", TRADEBOOK, ONE_FILL).batch_id is None
    other = ONE_FILL.replace("700001", "700002").replace(",buy,", ",SELL,")
    longer = load(lake, "tradebook-AB1234-EQ-2.csv", TRADEBOOK, ONE_FILL, other)
    assert (longer.files[0].rows_kept, longer.files[0].rows_duplicate) == (1, 1)
    assert rows(lake, "fills", "trade_id, side") == [("700001", "buy"), ("700002", "sell")]


def test_a_plain_sheet_needs_six_columns_and_may_say_when_it_was_known(lake: Lake) -> None:
    load(
        lake,
        "late.csv",
        "date,ticker,side,quantity,price,trade_id,known_at",
        "2024-01-02,INFY,Buy,10,1500.5,700001,2024-01-04 19:00",
    )
    got = rows(lake, "fills", "account, exchange, symbol, side, qty, known_at, format")
    assert got == [("main", "NSE", "INFY", "buy", 10, datetime(2024, 1, 4, 13, 30, tzinfo=UTC), "fills")]


@pytest.mark.parametrize(
    ("wrong", "right", "reason"),
    [
        (",10,", ",0,", "quantity is not above zero"),
        (",10,", ",10.5,", "qty is not a whole number"),
        (",1500.50,", ",-1,", "price is not above zero"),
        (",1500.50,", ",abc,", "price is not a finite number"),
        (",buy,", ",short,", "side is not one of buy, sell"),
        (",EQ,EQ,", ",FO,,", "is not of the cash market (segment is not EQ)"),
        ("2024-01-02,NSE", "2024-13-02,NSE", "date is not a date"),
        ("2024-01-02,NSE", "2025-01-02,NSE", "date is in the future"),
        ("T09:15:30", "T23:59:59+00:00", "was executed on another day than its trade date"),
        (",700001,", ",,", "trade_id is missing"),
    ],
)
def test_a_wrong_fill_is_quarantined_with_its_reason(lake: Lake, wrong: str, right: str, reason: str) -> None:
    good = ONE_FILL.replace("700001", "700009")
    report = load(lake, "tradebook.csv", TRADEBOOK, good, ONE_FILL.replace(wrong, right))
    assert report.quarantined == (("fills", reason, 1),)
    assert rows(lake, "fills", "trade_id") == [("700009",)]


def test_holdings_take_their_day_from_the_file_name(lake: Lake) -> None:
    header = '"Instrument","Qty.","Avg. cost","LTP","Cur. val","P&L","Net chg.","Day chg."'
    load(lake, "holdings-AB1234-2024-01-31.csv", header, '"INFY",12,"1,450.25",1500,18000,597,3.4,0.1')
    got = rows(lake, "holdings", "account, date, symbol, qty, average_inr")
    assert got == [("AB1234", date(2024, 1, 31), "INFY", 12, 1450.25)]


def test_holdings_without_a_day_are_refused(lake: Lake) -> None:
    with pytest.raises(TsqError, match="put the day of the statement into the file's name"):
        load(lake, "holdings.csv", "Instrument,Qty.,Avg. cost,LTP", "INFY,12,1450.25,1500")


def test_pledged_shares_are_held(lake: Lake) -> None:
    header = "Symbol,ISIN,Sector,Quantity Available,Quantity Pledged (Margin),Quantity Pledged (Loan),Average Price"
    load(lake, "holdings-AB1234-2024-01-31.csv", header, "INFY,INE009A01021,IT,10,5,,1450")
    assert rows(lake, "holdings", "symbol, isin, qty") == [("INFY", "INE009A01021", 15)]


NOTE = {
    "Client ID": "AB1234",
    "Contract Note No": "CN1",
    "Trade Date": "02-01-2024",
    "Purchase Value": "100000",
    "Sale Value": "0",
    "Securities Transaction Tax": "100",
    "Exchange Transaction Charges": "3.25",
    "SEBI Turnover Fees": "0.1",
    "Stamp Duty": "15",
    "Integrated GST": "0.6",
    "Net Amount Receivable/Payable by Client": "-100118.95",
}


def test_a_contract_note_in_its_own_words_is_known_within_a_day(lake: Lake) -> None:
    load(lake, "note.csv", ",".join(NOTE), ",".join(NOTE.values()))
    got = rows(lake, "contract_notes", "account, date, note_no, bought_inr, stt_inr, gst_inr, net_inr, known_at")
    known = datetime(2024, 1, 2, 18, 30, tzinfo=UTC)
    assert got == [("AB1234", date(2024, 1, 2), "CN1", 100000.0, 100.0, 0.6, -100118.95, known)]


def test_a_note_that_does_not_add_up_is_refused(lake: Lake) -> None:
    wrong = {**NOTE, "Net Amount Receivable/Payable by Client": "-100120.95"}
    with pytest.raises(TsqError, match="the amounts do not add up to the net amount"):
        load(lake, "note.csv", ",".join(wrong), ",".join(wrong.values()))

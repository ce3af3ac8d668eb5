from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from filelock import FileLock
from samples import FULL_HEADER, NOW, UDIFF_HEADER, legacy

from tsq.engine.lake import Lake
from tsq.errors import BUSY, USAGE, TsqError
from tsq.ingest.batch import Report, ingest

Put = Callable[[str, str | bytes], Path]
Rows = Callable[..., list[tuple[Any, ...]]]
Bad = Callable[[Lake], list[tuple[Any, ...]]]
Make = Callable[..., str]

PANEL = "ticker,Date,Open,High,Low,Close,Volume"


def load(lake: Lake, *paths: Path, **options: Any) -> Report:
    report = ingest(paths, lake, now=options.pop("now", NOW), **options)
    for file in report.files:
        assert file.rows_in == file.rows_kept + file.rows_quarantined + file.rows_duplicate
    return report


def notes(report: Report) -> str:
    return " | ".join(note for file in report.files for note in file.notes)


def test_legacy_thirteen_columns(lake: Lake, put: Put, rows: Rows) -> None:
    line = "20MICRONS,EQ,31,31.2,30.4,30.8,30.95,30.25,9134,281840.35,05-MAR-2020,203,INE144J01027,"
    report = load(lake, put("cm05MAR2020bhav.csv", legacy(line)))
    (file,) = report.files
    assert (file.dataset, file.format, file.rows_kept, file.notes) == ("prices", "legacy_bhavcopy", 1, ())
    assert file.first_date == file.last_date == date(2020, 3, 5)
    assert file.known_at == datetime(2020, 3, 5, 13, 0, tzinfo=UTC)
    names = "date, symbol, series, isin, open, high, low, close, last, prev_close, volume, turnover_inr, trades"
    assert rows(lake, "prices", names) == [
        (date(2020, 3, 5), "20MICRONS", "EQ", "INE144J01027", 31, 31.2, 30.4, 30.8, 30.95, 30.25, 9134, 281840.35, 203)
    ]
    lake_columns = rows(lake, "prices", "format, source_rank, known_at, loaded_at, batch_id, file, turnover_exact")
    assert lake_columns == [
        ("legacy_bhavcopy", 20, file.known_at, NOW, report.batch_id, "cm05MAR2020bhav.csv", True),
    ]


def test_legacy_eleven_columns(lake: Lake, put: Put, rows: Rows) -> None:
    header = "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,"
    load(lake, put("a.csv", f"{header}\n20MICRONS,EQ,57,58.4,56.6,56.9,56.6,57.4,40193,2309676.8,01-OCT-2010,\n"))
    assert rows(lake, "prices", "close, trades, isin") == [(56.9, None, None)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
def test_line_ends_make_no_difference(lake: Lake, put: Put, rows: Rows, legacy_file: Make, end: str) -> None:
    report = load(lake, put("a.csv", legacy_file(end=end, AAA=10, BBB=20)))
    assert report.files[0].rows_in == 2
    assert rows(lake, "prices", "symbol, close, turnover_inr") == [("AAA", 10, 100), ("BBB", 20, 200)]


def test_full_bhavdata(lake: Lake, put: Put, rows: Rows) -> None:
    lines = [
        FULL_HEADER,
        "20MICRONS, EQ, 13-Apr-2022, 90.30, 90.70, 92.40, 89.25, 90.00, 89.50, 90.72, 175093, 158.84, 2825, 76989, 43.97",
        "ABC, BE, 13-Apr-2022, 10.00, 10.00, 10.00, 10.00, 10.00, 10.00, 10.00, 7, 0.00, 2, -, -",
    ]
    load(lake, put("a.csv", "\n".join(lines) + "\n"))
    found = rows(
        lake, "prices", "symbol, series, close, last, turnover_inr, turnover_exact, deliverable_qty, trades, isin"
    )
    assert found == [
        ("20MICRONS", "EQ", 89.5, 90, 15884000, False, 76989, 2825, None),
        ("ABC", "BE", 10, 10, 0, False, None, 2, None),
    ]


def full(symbol: str, turnover: str) -> str:
    return f"{symbol}, EQ, 13-Apr-2022, 100, 100, 100, 100, 100, 100, 100, 10000, {turnover}, 5, -, -"


def test_one_row_of_rupees_among_lakhs_is_refused(lake: Lake, put: Put, refused: Bad) -> None:
    lines = [FULL_HEADER, *(full(f"S{i}", "10.00") for i in range(12)), full("RUPEES", "1000000")]
    report = load(lake, put("a.csv", "\n".join(lines)))
    assert report.files[0].rows_kept == 12
    ((_, row_no, reason, _),) = refused(lake)
    assert row_no == 14
    assert "wrong unit" in reason


def test_a_whole_file_of_rupees_in_the_lakhs_column_is_read_as_rupees(lake: Lake, put: Put, rows: Rows) -> None:
    lines = [FULL_HEADER, *(full(f"S{i}", "1000000") for i in range(12))]
    report = load(lake, put("a.csv", "\n".join(lines) + "\n"))
    assert report.files[0].rows_kept == 12
    assert "read as rupees" in notes(report)
    assert rows(lake, "prices", "distinct turnover_inr") == [(1_000_000,)]


UDIFF_ROW = (
    "2025-06-20,2025-06-20,CM,NSE,STK,16921,INE144J01027,20MICRONS,EQ,,,,,20 MICRONS LTD,225.29,227.99,221.17,224.00,"
    "224.65,225.29,,224.00,,,98100,22004616.78,3060,F1,1,,,,,"
)


def test_udiff(lake: Lake, put: Put, rows: Rows, refused: Bad) -> None:
    others = [
        UDIFF_ROW.replace(",CM,", ",FO,"),
        UDIFF_ROW.replace(",STK,", ",IDF,"),
        UDIFF_ROW.replace(",NSE,", ",BSE,"),
    ]
    report = load(lake, put("a.csv", "\n".join([UDIFF_HEADER, UDIFF_ROW, *others]) + "\n"))
    assert (report.files[0].format, report.files[0].rows_kept, report.files[0].rows_quarantined) == ("udiff", 1, 3)
    assert rows(lake, "prices", "date, symbol, name, close, last, prev_close, volume, turnover_inr, source_rank") == [
        (date(2025, 6, 20), "20MICRONS", "20 MICRONS LTD", 224, 224.65, 225.29, 98100, 22004616.78, 10)
    ]
    assert [reason.split("(")[1][:-1] for _, _, reason, _ in refused(lake)] == [
        "Sgmt is not CM",
        "FinInstrmTp is not STK",
        "Src is not NSE",
    ]


def test_a_tidy_panel_in_any_case_with_a_column_nobody_reads(lake: Lake, put: Put, rows: Rows) -> None:
    text = f"{PANEL},Adj Close\nM&M,2020-01-02,10,11,9,10.5,100,8\nNULL,02/01/2020,10,11,9,10.5,100.0,8\n"
    report = load(lake, put("a.csv", text))
    assert report.files[0].format == "panel_tidy"
    assert "columns not used: adj close" in notes(report)
    found = rows(lake, "prices", "date, symbol, series, close, volume, turnover_inr")
    assert found == [
        (date(2020, 1, 2), "M&M", "EQ", 10.5, 100, None),
        (date(2020, 1, 2), "NULL", "EQ", 10.5, 100, None),
    ]


def parquet(path: Path, query: str) -> Path:
    with duckdb.connect() as con:
        con.execute(f"copy ({query}) to '{path.as_posix()}' (format parquet)")
    return path


def test_a_parquet_panel_with_narrow_types(lake: Lake, tmp_path: Path, rows: Rows) -> None:
    path = parquet(
        tmp_path / "p.parquet",
        "select timestamptz '2020-01-01 18:30:00+00:00' as date, 'AAA' as symbol, 'EQ' as series, 885.6::float as open, "
        "885.6::float as high, 885.6::float as low, 885.6::float as close, 880::decimal(9,2) as prev_close, "
        "100::bigint as volume, 88560 as turnover, null::bigint as deliverable",
    )
    report = load(lake, path)
    assert report.files[0].format == "panel_nse"
    found = rows(lake, "prices", "date, symbol, close, prev_close, volume, turnover_inr, deliverable_qty")
    assert found == [(date(2020, 1, 2), "AAA", 885.6, 880, 100, 88560, None)]


def test_a_bad_row_of_a_parquet_file_is_quarantined_with_its_values(lake: Lake, tmp_path: Path, refused: Bad) -> None:
    values = "date '2020-01-02' as date, 10.0 as open, 10.0 as high, 10.0 as low, 10 as volume"
    path = parquet(
        tmp_path / "p.parquet",
        f"select 'AAA' as symbol, {values}, 10.0::double as close union all select 'BBB', {values}, 'nan'::double",
    )
    assert load(lake, path).files[0].rows_kept == 1
    assert refused(lake) == [("p.parquet", 2, "close is not a finite number", "BBB,2020-01-02,10.0,10.0,10.0,10,nan")]


def test_a_parquet_file_inside_a_zip_and_a_broken_one(lake: Lake, tmp_path: Path, put: Put, rows: Rows) -> None:
    inside = parquet(
        tmp_path / "p.parquet",
        "select date '2020-01-02' as date, 'AAA' as ticker, 1 as open, 1 as high, 1 as low, 1 as close, 5 as volume",
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.write(inside, "p.parquet")
    report = load(lake, put("p.zip", out.getvalue()), put("broken.parquet", b"PAR1 and no more"))
    assert [file.rows_kept for file in report.files] == [1, 0]
    assert "broken parquet" in notes(report)
    assert rows(lake, "prices", "symbol, close") == [("AAA", 1)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("AAA,2020-01-02,10,11,9,abc,100", "close is not a finite number"),
        ("AAA,2020-01-02,10,11,9,nan,100", "close is not a finite number"),
        ("AAA,2020-01-02,10,inf,9,10,100", "high is not a finite number"),
        ("AAA,2020-01-02,10,11,9,1e400,100", "close is not a finite number"),
        ("AAA,2020-01-02,10,11,9,,100", "close is missing"),
        ("AAA,2020-01-02,10,11,9,-10,100", "close is not above zero"),
        ("AAA,2020-01-02,10,11,9,0,100", "close is not above zero"),
        ("AAA,2020-01-02,0,11,9,10,100", "open is not above zero"),
        ("AAA,2020-01-02,10,0,9,10,100", "high is not above zero"),
        ("AAA,2020-01-02,10,11,-9,10,100", "low is not above zero"),
        ("AAA,2020-01-02,10,9,11,10,100", "high is below low"),
        ("AAA,2020-01-02,12,11,9,10,100", "open is outside low and high"),
        ("AAA,2020-01-02,10,11,9,8.99,100", "close is outside low and high"),
        ("AAA,2020-01-02,10,11,9,10,-1", "volume is below zero"),
        ("AAA,2020-01-02,10,11,9,10,1.5", "volume is not a whole number"),
        ("AAA,2026-01-06,10,11,9,10,100", "date is in the future"),
        ("AAA,someday,10,11,9,10,100", "date is not a date"),
        ("AAA,01-10-20,10,11,9,10,100", "date is not a date"),
        ("AAA,,10,11,9,10,100", "date is missing"),
        (",2020-01-02,10,11,9,10,100", "symbol is missing"),
        ("=cmd(),2020-01-02,10,11,9,10,100", "symbol has characters no ticker has"),
        ("AAA,2020-01-02,10,11,9", "has too few or too many values (cut off, or a comma inside a value)"),
        ("AAA,2020-01-02,10,11,9,10,100,7", "has too few or too many values (cut off, or a comma inside a value)"),
    ],
)
def test_a_bad_row_is_quarantined_and_the_rest_stays(
    lake: Lake, put: Put, rows: Rows, refused: Bad, row: str, reason: str
) -> None:
    good = "GOOD,2020-01-02,10,11,9,10,100"
    report = load(lake, put("a.csv", f"{PANEL}\n{good}\n\n{row}\n"))
    assert (report.files[0].rows_in, report.files[0].rows_kept, report.files[0].rows_quarantined) == (2, 1, 1)
    assert refused(lake) == [("a.csv", 4, reason, row)]
    assert report.quarantined == (("prices", reason, 1),)
    assert rows(lake, "prices", "symbol") == [("GOOD",)]


def test_quoted_values(lake: Lake, put: Put, rows: Rows) -> None:
    text = 'symbol,industry,company\n"AAA", "Oil, Gas & ""Power""" ,"x"\nBBB,Banks,\n"CCC","",""\n'
    report = load(lake, put("a.csv", text))
    assert report.files[0].rows_quarantined == 1
    assert rows(lake, "sectors", "symbol, sector, seen_on, known_at") == [
        ("AAA", 'Oil, Gas & "Power"', None, datetime(1900, 1, 1, tzinfo=UTC)),
        ("BBB", "Banks", None, datetime(1900, 1, 1, tzinfo=UTC)),
    ]


def test_of_a_repeated_key_the_last_row_stays(lake: Lake, put: Put, rows: Rows, refused: Bad) -> None:
    text = f"{PANEL}\nAAA,2020-01-02,1,1,1,1,5\nBBB,2020-01-02,7,7,7,7,5\nAAA,2020-01-02,2,2,2,2,5\n"
    report = load(lake, put("a.csv", text))
    assert (report.files[0].rows_kept, report.files[0].rows_quarantined) == (2, 1)
    assert rows(lake, "prices", "symbol, close") == [("AAA", 2), ("BBB", 7)]
    ((_, row_no, reason, text),) = refused(lake)
    assert (row_no, text) == (2, "AAA,2020-01-02,1,1,1,1,5")
    assert reason.startswith("repeated key")


def test_a_cut_off_file_keeps_its_whole_rows_and_says_so(lake: Lake, put: Put, legacy_file: Make) -> None:
    text = legacy_file(AAA=10, BBB=20, CCC=30)
    report = load(lake, put("a.csv", text[:-40]))
    assert (report.files[0].rows_kept, report.files[0].rows_quarantined) == (2, 1)
    assert "is cut off in its last row" in notes(report)


def test_the_rows_date_a_file_and_its_name_does_not(lake: Lake, put: Put, rows: Rows, legacy_file: Make) -> None:
    report = load(lake, put("cm03JAN2020bhav.csv", legacy_file(day="02-JAN-2020", AAA=10)))
    assert "its name says 2020-01-03, its rows say 2020-01-02" in notes(report)
    assert rows(lake, "prices", "date") == [(date(2020, 1, 2),)]


def test_the_same_files_twice_change_nothing(lake: Lake, put: Put, legacy_file: Make) -> None:
    bad = f"{PANEL}\nAAA,2020-01-02,1,1,1,1,5\nBBB,2020-01-02,1,1,1,-1,5\n"
    paths = [put("a.csv", legacy_file(AAA=10)), put("bad.csv", bad), put("page.csv", "<html>")]
    first = load(lake, *paths)
    assert first.batch_id is not None
    before = sorted(path for path in lake.root.rglob("*.*") if path.is_file())
    again = load(lake, *paths, now=NOW + timedelta(days=1))
    assert again.batch_id is None
    assert "already loaded, in batch" in notes(again)
    assert [file.rows_kept for file in again.files] == [0, 0, 0]
    assert [file.rows_duplicate for file in again.files] == [1, 1, 0]
    assert sorted(path for path in lake.root.rglob("*.*") if path.is_file()) == before


def test_an_echo_changes_nothing_but_is_taken_where_it_is_the_only_copy(
    lake: Lake, put: Put, rows: Rows, legacy_file: Make
) -> None:
    body = legacy_file(day="02-JAN-2020", AAA=10, BBB=20)
    echo, real = put("cm01JAN2020bhav.csv", body), put("cm02JAN2020bhav.csv", body)
    both = load(lake, echo, real)
    assert [(file.file, file.rows_kept, file.rows_duplicate) for file in both.files] == [
        ("cm01JAN2020bhav.csv", 0, 2),
        ("cm02JAN2020bhav.csv", 2, 0),
    ]
    assert "an echo" in notes(both)
    alone = Lake(lake.root.parent / "other", lake.datasets)
    load(alone, echo)
    assert rows(alone, "prices", "date, symbol, close") == rows(lake, "prices", "date, symbol, close")


def test_an_echo_of_other_bytes_is_recorded_but_adds_no_rows(
    lake: Lake, put: Put, rows: Rows, legacy_file: Make
) -> None:
    load(lake, put("a.csv", legacy_file(AAA=10)))
    echo = load(lake, put("b.csv", legacy_file(end="\r\n", AAA=10)), now=NOW + timedelta(hours=1))
    assert echo.batch_id is not None
    assert (echo.files[0].rows_kept, echo.files[0].rows_duplicate) == (0, 1)
    assert len(rows(lake, "prices")) == 1
    assert [len(batch.parts) for batch in lake.batches()] == [1, 0]


def test_same_key_of_another_format_is_kept(lake: Lake, put: Put, rows: Rows, legacy_file: Make) -> None:
    report = load(lake, put("a.csv", legacy_file(AAA=10)), put("p.csv", f"{PANEL}\nAAA,2020-01-02,10,10,10,10,10\n"))
    assert rows(lake, "prices", "format, close") == [("legacy_bhavcopy", 10), ("panel_tidy", 10)]
    assert "say otherwise" not in notes(report)


def test_same_key_and_format_with_other_values_is_kept_and_noted(
    lake: Lake, put: Put, rows: Rows, legacy_file: Make
) -> None:
    load(lake, put("a.csv", legacy_file(AAA=10)))
    report = load(lake, put("b.csv", legacy_file(AAA=11)), now=NOW + timedelta(hours=1))
    assert rows(lake, "prices", "close") == [(10,), (11,)]
    assert "1 rows say otherwise" in notes(report)


def test_a_correction_has_its_own_time_of_knowledge(lake: Lake, put: Put, rows: Rows, legacy_file: Make) -> None:
    later = datetime(2020, 1, 6, 13, 0, tzinfo=UTC)
    load(lake, put("a.csv", legacy_file(AAA=10)))
    report = load(lake, put("a.csv", legacy_file(AAA=11)), known_at=later, now=NOW + timedelta(hours=1))
    assert report.files[0].known_at == later
    assert "say otherwise" not in notes(report)
    assert rows(lake, "prices", "close", as_of=later - timedelta(seconds=1)) == [(10,)]
    assert rows(lake, "prices", "close", as_of=later) == [(10,), (11,)]
    # The same bytes known at another time are other facts, and so are not "already loaded".
    own = load(lake, put("a.csv", legacy_file(AAA=11)), now=NOW + timedelta(hours=2))
    assert own.files[0].rows_kept == 1


def test_rows_are_taken_back_by_loading_their_file_once_more(
    lake: Lake, put: Put, rows: Rows, legacy_file: Make
) -> None:
    later = datetime(2020, 1, 6, 13, 0, tzinfo=UTC)
    load(lake, put("a.csv", legacy_file(AAA=10, BBB=20)))
    report = load(lake, put("b.csv", legacy_file(AAA=10)), known_at=later, withdraw=True, now=NOW + timedelta(hours=1))
    assert "its rows are withdrawn" in notes(report)
    assert rows(lake, "prices", "symbol, is_withdrawn", as_of=later - timedelta(seconds=1)) == [
        ("AAA", False),
        ("BBB", False),
    ]
    assert rows(lake, "prices", "symbol, is_withdrawn", as_of=later) == [
        ("AAA", False),
        ("AAA", True),
        ("BBB", False),
    ]
    again = load(lake, put("b.csv", legacy_file(AAA=10)), known_at=later, withdraw=True, now=NOW + timedelta(hours=2))
    assert again.batch_id is None
    with pytest.raises(TsqError, match="nothing says from when"):
        load(lake, put("b.csv", legacy_file(AAA=10)), withdraw=True)


def test_a_row_of_the_future_is_taken_when_its_day_has_come(
    lake: Lake, put: Put, rows: Rows, legacy_file: Make
) -> None:
    path = put(
        "a.csv",
        legacy_file(AAA=10)
        .replace("\nAAA", "\nOLD,EQ,1,1,1,1,1,1,1,1,02-JAN-2020,1,X,\nAAA")
        .replace("02-JAN-2020,3", "06-JAN-2026,3"),
    )
    assert load(lake, path).files[0].rows_quarantined == 1
    report = load(lake, path, now=NOW + timedelta(days=1))
    assert (report.files[0].rows_kept, report.files[0].rows_duplicate) == (1, 1)
    assert len(rows(lake, "prices")) == 2


def test_refused_files_do_not_stop_the_others(lake: Lake, put: Put, legacy_file: Make) -> None:
    put("a.csv", legacy_file(AAA=10))
    put("empty.csv", "")
    put("page.csv", "<html>Access denied</html>")
    put("semi.csv", "symbol;date;open\nA;B;1\n")
    put("typo.csv", "symbol,date,open,high,low,closee,volume\nA,2020-01-02,1,1,1,1,1\n")
    put("names.csv", "NCH_SYMBOL, NCH_PREV_NAME, NCH_NEW_NAME, NCH_DT\nA,B,C,08-MAR-2016\n")
    folder = put("words.txt", "nothing to see\n").parent
    report = load(lake, folder)
    said = {file.file: " ".join(file.notes) for file in report.files if file.dataset is None}
    assert set(said) == {"empty.csv", "page.csv", "semi.csv", "typo.csv", "names.csv", "words.txt"}
    assert "empty" in said["empty.csv"]
    assert "HTML" in said["page.csv"]
    assert "semicolons" in said["semi.csv"]
    assert "lacks close (closee: did you mean close?)" in said["typo.csv"]
    assert "company names" in said["names.csv"]
    assert "begins with 'nothing to see'" in said["words.txt"]
    assert sum(file.rows_kept for file in report.files) == 1


def test_nothing_usable_is_an_error_of_three_lines_and_leaves_the_lake(lake: Lake, put: Put) -> None:
    for paths in ([put("page.csv", "<html>")], [put("p.csv", f"{PANEL}\n"), put("page.csv", "<html>")]):
        with pytest.raises(TsqError) as caught:
            load(lake, *paths)
        assert len(str(caught.value).splitlines()) == 3
        assert caught.value.exit_code == USAGE
    assert lake.batches() == ()
    assert not list(lake.root.rglob("*.parquet"))


def test_an_empty_folder_is_an_error(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(TsqError, match="no file to load"):
        load(lake, tmp_path / "empty")


def test_a_header_alone_is_said(lake: Lake, put: Put, legacy_file: Make) -> None:
    report = load(lake, put("a.csv", legacy_file(AAA=10)), put("b.csv", f"{PANEL}\n"))
    assert report.files[1].notes == ("holds no rows, only a header",)


def test_a_dry_run_writes_nothing(lake: Lake, put: Put, legacy_file: Make) -> None:
    report = load(lake, put("a.csv", legacy_file(AAA=10)), dry_run=True)
    assert report.batch_id is None
    assert report.files[0].rows_kept == 1
    assert lake.batches() == ()


def test_a_dataset_may_be_demanded(lake: Lake, put: Put, legacy_file: Make) -> None:
    with pytest.raises(TsqError, match="nearest is"):
        load(lake, put("a.csv", legacy_file(AAA=10)), dataset="sectors")
    with pytest.raises(TsqError, match="no dataset price") as caught:
        load(lake, put("a.csv", legacy_file(AAA=10)), dataset="price")
    assert caught.value.hint is not None
    assert "prices" in caught.value.hint


def test_times_need_a_zone(lake: Lake, put: Put, legacy_file: Make) -> None:
    with pytest.raises(TsqError, match="has no zone"):
        load(lake, put("a.csv", legacy_file(AAA=10)), known_at=datetime(2020, 1, 1))  # noqa: DTZ001


def test_two_loads_at_once_are_refused(lake: Lake, put: Put, legacy_file: Make) -> None:
    lake.root.mkdir()
    with FileLock(lake.root / ".lock"), pytest.raises(TsqError) as caught:
        load(lake, put("a.csv", legacy_file(AAA=10)))
    assert caught.value.exit_code == BUSY


def test_what_a_killed_load_left_is_swept_by_the_next(lake: Lake, put: Put, rows: Rows, legacy_file: Make) -> None:
    load(lake, put("a.csv", legacy_file(AAA=10)))
    left = lake.root / "prices" / "20200101T000000Z-dead.parquet"
    left.write_bytes(b"half")
    assert len(rows(lake, "prices")) == 1
    load(lake, put("b.csv", legacy_file(day="03-JAN-2020", AAA=10)), now=NOW + timedelta(hours=1))
    assert not left.exists()
    assert len(rows(lake, "prices")) == 2


def test_mixed_headers_and_blank_lines_keep_row_numbers(lake: Lake, put: Put, refused: Bad) -> None:
    one = f"\n\n{PANEL}\nAAA,2020-01-02,1,1,1,1,5\n\nBAD,2020-01-02,1,1,1,-1,5\n"
    two = f"{PANEL}\nBAD,2020-01-03,1,1,1,-1,5\nAAA,2020-01-03,1,1,1,1,5\n"
    load(lake, put("one.csv", one), put("two.csv", two))
    assert [(file, row_no) for file, row_no, _, _ in refused(lake)] == [("one.csv", 6), ("two.csv", 2)]


def test_a_table_says_itself_when_its_rows_were_known(lake: Lake, put: Put, rows: Rows) -> None:
    lines = [
        "date,symbol,series,open,high,low,close,volume,prev_close,known_at",
        "2020-03-04,A,EQ,1,1,1,1,9,1,2020-03-09 19:10:00+05:30",
        "2020-03-04,A,EQ,2,2,2,2,9,1,",
        "2020-03-05,A,EQ,1,1,1,1,9,1,some day",
    ]
    report = load(lake, put("corrected.csv", "\n".join(lines) + "\n"))
    assert rows(lake, "prices", "close, known_at") == [
        (1.0, datetime(2020, 3, 9, 13, 40, tzinfo=UTC)),
        (2.0, datetime(2020, 3, 4, 13, 0, tzinfo=UTC)),
    ]
    assert report.quarantined == (("prices", "known_at is not a time", 1),)
    # a time given for the load stands where a row says none, and a dataset's own table may have the column too
    given = datetime(2020, 4, 1, tzinfo=UTC)
    sectors = "symbol,sector,seen_on,known_at\nA,Steel,2020-03-04,2020-03-06 10:00\nB,Steel,2020-03-04,\n"
    load(lake, put("sectors.csv", sectors), known_at=given)
    assert rows(lake, "sectors", "symbol, known_at") == [("A", datetime(2020, 3, 6, 4, 30, tzinfo=UTC)), ("B", given)]

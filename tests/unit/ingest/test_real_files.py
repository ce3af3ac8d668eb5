"""The exchange's own files, each with its fault or event; skipped where there is no real data."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from tsq.engine.lake import FileRecord, Lake
from tsq.ingest.batch import ingest

NOW = datetime(2026, 10, 1, tzinfo=UTC)


def load(lake: Lake, *paths: Path) -> dict[str, FileRecord]:
    report = ingest(paths, lake, now=NOW)
    for file in report.files:
        assert file.rows_in == file.rows_kept + file.rows_quarantined + file.rows_duplicate
    return {file.file: file for file in report.files}


def test_fault_files(lake: Lake, real_data: Path) -> None:
    files = load(lake, real_data / "nse" / "faults")
    legacy = {name: file for name, file in files.items() if name.startswith("cm")}
    assert {name: (file.rows_kept, file.notes) for name, file in legacy.items()} == {
        "cm01OCT2010bhav.csv": (1445, ()),
        "cm05NOV2013bhav.csv": (1435, ()),
        "cm06SEP2017bhav.csv": (1758, ()),
        "cm07SEP2017bhav.csv": (1771, ()),
        "cm27OCT2019bhav.csv": (1802, ()),
        "cm05MAR2020bhav.csv": (1968, ()),
        "cm06MAR2020bhav.csv": (2002, ()),
    }
    cut = files["sec_bhavdata_full_04052022.csv"]
    assert (cut.rows_in, cut.rows_kept, cut.rows_quarantined) == (24, 23, 1)
    assert any("cut off" in note for note in cut.notes)
    real, echo = files["sec_bhavdata_full_13042022.csv"], files["sec_bhavdata_full_14042022.csv"]
    assert (real.rows_kept, real.notes) == (2205, ())
    assert (echo.rows_kept, echo.rows_duplicate, echo.last_date) == (0, 2205, date(2022, 4, 13))
    assert any("its name says 2022-04-14" in note for note in echo.notes)
    assert files["real_panel_mini_40x5y.parquet"].rows_kept == 48606
    wanted = "format = 'legacy_bhavcopy' and symbol = 'RELIANCE' and series = 'EQ' and year(date) = 2017"
    with duckdb.connect() as con:
        query = f"select date, close, prev_close from ({lake.source_sql('prices', None)}) where {wanted} order by date"
        before, after = con.execute(query).fetchall()
    # The bonus halves the price; the previous close is printed as it was.
    assert after[2] == before[1] > 1.9 * after[1]


def test_reference_files(lake: Lake, real_data: Path) -> None:
    files = load(lake, real_data / "nse" / "reference")
    found = {name: (file.dataset, file.rows_kept, file.rows_quarantined) for name, file in files.items()}
    assert found == {
        "EQUITY_L.csv": ("listings", 2365, 0),
        "fundamentals_filings.parquet": ("fundamentals", 2808, 0),
        "iima_factors_daily.csv": (None, 0, 0),
        "index_history.parquet": ("index_levels", 183093, 156),
        "index_tri.csv": ("index_levels", 9361, 0),
        "namechange.csv": (None, 0, 0),
        "nifty500_snapshots.csv": ("sectors", 4509, 0),
        "nifty50_membership_pit.csv": ("index_members", 84, 0),
        "sector_map.csv": ("sectors", 995, 1193),
        "split_bonus_events.csv": ("corporate_actions", 981, 0),
        "symbolchange.csv": ("symbol_changes", 1023, 6),
        "trading_calendar.csv": (None, 0, 0),
    }


@pytest.mark.slow
def test_every_daily_file(lake: Lake, real_data: Path) -> None:
    files = load(lake, real_data / "nse" / "bhavcopy")
    assert len(files) == 756
    assert sum(file.rows_in for file in files.values()) == 1_500_706
    assert sum(file.rows_quarantined for file in files.values()) == 1
    assert sum(file.rows_duplicate for file in files.values()) == 23_532
    # A session whose only copy lies under the next day's name.
    assert [file.rows_kept for name, file in files.items() if "13052021" in name] == [2036]


@pytest.mark.slow
def test_every_misdated_file_is_reported(lake: Lake, real_data: Path) -> None:
    """Each file under `full` whose rows have another date than its name, told from the files without tsq."""
    folder = real_data / "nse" / "bhavcopy" / "full"
    files = {name.partition(":")[0]: file for name, file in load(lake, folder).items()}
    assert len(files) == 265
    bodies = {path.name: _only_member(path) for path in folder.iterdir()}
    named = {name: date(int(name[22:26]), int(name[20:22]), int(name[18:20])) for name in bodies}
    within = {name: _first_day(body) for name, body in bodies.items()}
    misdated = {name for name in bodies if named[name] != within[name]}
    assert len(misdated) == 15
    for name, file in files.items():
        said = f"its name says {named[name]}, its rows say {within[name]}: the rows are believed"
        assert (said in file.notes) == (name in misdated), name
    # Rows of an echo stand in the file of their own date, or in another echo; the others hold the only copy of a session.
    echoes = {name for name in misdated if any(other != name and bodies[other] == bodies[name] for other in bodies)}
    assert {name for name, file in files.items() if file.rows_duplicate} == echoes
    for name in echoes:
        assert (files[name].rows_kept, files[name].rows_duplicate) == (0, files[name].rows_in)
        assert "an echo: all its rows are known from another file" in files[name].notes
    only = {
        name: (str(within[name]), files[name].rows_kept, files[name].rows_quarantined) for name in misdated - echoes
    }
    assert only == {
        "sec_bhavdata_full_13052021.csv.zip": ("2021-05-12", 2036, 0),
        "sec_bhavdata_full_05112021.csv.zip": ("2021-11-04", 2013, 0),
        "sec_bhavdata_full_25012022.csv.zip": ("2022-01-24", 2235, 0),
        "sec_bhavdata_full_26012022.csv.zip": ("2022-01-25", 2174, 0),
    }
    # One file is cut off in a row: that row is refused with a reason, the whole ones before it are kept.
    refused = {name: (file.rows_kept, file.rows_quarantined) for name, file in files.items() if file.rows_quarantined}
    assert refused == {"sec_bhavdata_full_04052022.csv.zip": (23, 1)}
    with duckdb.connect() as con:
        assert con.execute(f"select file, row_no, reason from ({lake.quarantine_sql()})").fetchall() == [
            (
                "sec_bhavdata_full_04052022.csv.zip:sec_bhavdata_full_04052022.csv",
                25,
                "has too few or too many values (cut off, or a comma inside a value)",
            )
        ]


def _only_member(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        (member,) = archive.namelist()
        return archive.read(member)


def _first_day(body: bytes) -> date:
    return datetime.strptime(body.decode().splitlines()[1].split(",")[2].strip(), "%d-%b-%Y").replace(tzinfo=UTC).date()


@pytest.mark.slow
def test_the_panel_and_the_exchange_agree(lake: Lake, real_data: Path) -> None:
    load(lake, real_data / "nse" / "panel.parquet", real_data / "nse" / "bhavcopy" / "legacy")
    with duckdb.connect() as con:
        con.execute(f"create view prices as {lake.source_sql('prices', None)}")
        (shared, other) = con.execute("""
            select count(*), count(*) filter (a.close != b.close or a.volume != b.volume or a.isin != b.isin)
            from prices as a join prices as b using (date, symbol, series)
            where a.format = 'panel_nse' and b.format = 'legacy_bhavcopy'
        """).fetchone() or (0, 0)
    assert shared > 800_000
    assert other == 0

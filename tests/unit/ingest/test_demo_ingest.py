"""The demo market goes through the ingest of real files, and its faults come out as planned."""

from collections import Counter
from pathlib import Path

import pytest

from tsq.engine.datasets import load_datasets
from tsq.engine.lake import FileRecord, Lake
from tsq.ingest.batch import ingest
from tsq.ingest.demo import make_market, write_demo
from tsq.ingest.demo.plan import OVERLAP_SESSIONS

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FileRecord]:
    folder = tmp_path_factory.mktemp("ingested")
    paths = write_demo(folder / "files", size="small")
    lake = Lake(folder / "lake", load_datasets(ROOT / "sql" / "raw"))
    report = ingest(list(paths), lake)
    assert len(report.files) == len(paths)
    return {Path(record.file).name: record for record in report.files}


def test_every_file_is_recognised(records: dict[str, FileRecord]) -> None:
    assert Counter(record.dataset for record in records.values() if record.dataset != "prices") == {
        "calendar": 1,
        "contract_notes": 1,
        "corporate_actions": 1,
        "fills": 3,
        "fundamentals": 1,
        "holdings": 2,
        "index_levels": 2,
        "index_members": 1,
        "listings": 1,
        "sectors": 2,
        "symbol_changes": 1,
    }


def test_rows_come_out_as_planned(records: dict[str, FileRecord]) -> None:
    plan = make_market(size="small").plan
    for record in records.values():
        assert record.rows_in == record.rows_kept + record.rows_quarantined + record.rows_duplicate
    by_format = Counter()
    for record in records.values():
        by_format[record.format] += record.rows_kept

    def in_time(low: int, high: int) -> int:
        return int(plan.traded[low:high].sum()) - sum(low <= c.row < high for c in plan.faults.late_rows)

    low, high = plan.era_rows["legacy_11"][0], plan.era_rows["legacy_13"][1]
    assert by_format["legacy_bhavcopy"] == in_time(low, high)
    assert by_format["udiff"] == in_time(*plan.era_rows["udiff"])
    assert by_format["panel_nse"] == len(plan.faults.prices) + len(plan.faults.late_rows)
    low, high = plan.era_rows["full"]
    lost = plan.traded[plan.truncated_row].sum() - next(
        record.rows_kept for name, record in records.items() if "cut off" in " ".join(record.notes)
    )
    assert 0 < lost < 0.3 * plan.size.securities
    assert by_format["sec_bhavdata_full"] == in_time(low, high + OVERLAP_SESSIONS) - lost


def test_only_the_planted_faults_are_reported(records: dict[str, FileRecord]) -> None:
    plan = make_market(size="small").plan
    noted = {name for name, record in records.items() if record.notes}
    assert noted == {
        f"sec_bhavdata_full_{plan.day(plan.truncated_row):%d%m%Y}.csv",
        f"sec_bhavdata_full_{plan.echo[1]:%d%m%Y}.csv",
        f"sec_bhavdata_full_{plan.misnamed[1]:%d%m%Y}.csv",
        "symbolchange.csv",
        "tradebook-DM0001-EQ-2.csv",
    }
    quarantined = {name for name, record in records.items() if record.rows_quarantined}
    assert quarantined == {
        f"sec_bhavdata_full_{plan.day(plan.truncated_row):%d%m%Y}.csv",
        "symbolchange.csv",
        "tradebook-DM0001-EQ-2.csv",
    }
    echo = records[f"sec_bhavdata_full_{plan.echo[1]:%d%m%Y}.csv"]
    assert (echo.rows_kept, echo.rows_duplicate) == (0, echo.rows_in)

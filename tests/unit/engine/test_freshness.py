"""How old a dataset may be, and to which time its age is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tsq.engine import freshness
from tsq.engine.datasets import Freshness, load_datasets
from tsq.engine.lake import Lake
from tsq.engine.warehouse import connect
from tsq.errors import TsqError

SCHEMA = "doc: d\nkey: [day]\nfreshness: {freshness}\ncolumns:\n  day: {{type: DATE}}\n"
PLAIN = "doc: d\nkey: [day]\ncolumns:\n  day: {type: DATE}\n"
MONDAY = datetime(2024, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def make_lake(tmp_path: Path, limits: str = "{warn_after_days: 5, block_after_days: 30}") -> Lake:
    schemas = tmp_path / "schemas"
    schemas.mkdir()
    (schemas / "readings.yml").write_text(SCHEMA.format(freshness=limits), encoding="utf-8")
    (schemas / "others.yml").write_text(PLAIN, encoding="utf-8")
    (schemas / "never.yml").write_text(SCHEMA.format(freshness=limits), encoding="utf-8")
    return Lake(tmp_path / "lake", load_datasets(schemas))


def add(lake: Lake, *known_at: datetime, loaded_at: datetime = MONDAY + 400 * DAY, dataset: str = "readings") -> None:
    with connect() as con:
        con.execute(
            "create table r as select date '2024-01-01' as day, 'x' as format, 1 as source_rank, 'f' as file, false as is_withdrawn"
        )
        con.execute("alter table r add column known_at timestamptz")
        con.execute(
            "create table rows as select r.* exclude (known_at), unnest(?) as known_at from r", [list(known_at)]
        )
        batch = f"b{len(lake.batches())}"
        lake.write(con, batch_id=batch, loaded_at=loaded_at, files=(), rows={dataset: "rows"}, quarantine=None)


def ages(lake: Lake, observed_at: datetime) -> dict[tuple[str, str], tuple[float, bool]]:
    return {(v.dataset, v.level): (v.age_days, v.broken) for v in freshness.judge(lake, observed_at)}


@pytest.mark.parametrize(
    ("days", "warns", "blocks"), [(0, False, False), (5, False, False), (5.01, True, False), (31, True, True)]
)
def test_a_dataset_ages(tmp_path: Path, days: float, warns: bool, blocks: bool) -> None:
    lake = make_lake(tmp_path)
    add(lake, MONDAY - 20 * DAY, MONDAY)
    assert ages(lake, MONDAY + days * DAY) == {
        ("readings", "warn"): (pytest.approx(days), warns),
        ("readings", "block"): (pytest.approx(days), blocks),
    }


def test_the_newest_batch_counts(tmp_path: Path) -> None:
    lake = make_lake(tmp_path)
    add(lake, MONDAY)
    add(lake, MONDAY - 9 * DAY)  # a late file of an older day makes nothing fresher
    add(lake, MONDAY + 3 * DAY, dataset="others")
    assert ages(lake, MONDAY + 4 * DAY)["readings", "warn"] == (4, False)


def test_what_was_never_loaded_is_missing_and_not_old(tmp_path: Path) -> None:
    lake = make_lake(tmp_path)
    assert freshness.judge(lake, MONDAY) == ()
    add(lake, MONDAY, dataset="others")
    assert freshness.judge(lake, MONDAY + 99 * DAY) == ()


def test_a_run_of_the_past_is_not_told_of_today(tmp_path: Path) -> None:
    lake = make_lake(tmp_path)
    add(lake, MONDAY)
    add(lake, MONDAY + 100 * DAY)
    now = MONDAY + 300 * DAY
    assert freshness.observation(as_of=None, lives_on=True, now=now) == now
    assert freshness.observation(as_of=MONDAY, lives_on=True, now=now) == MONDAY
    assert freshness.observation(as_of=None, lives_on=False, now=now) is None
    assert freshness.judge(lake, None) == ()
    # as it was known three days on: the newer batch did not exist
    assert ages(lake, MONDAY + 3 * DAY)["readings", "warn"] == (3, False)
    assert ages(lake, MONDAY + 40 * DAY)["readings", "block"] == (40, True)
    assert freshness.judge(lake, MONDAY - DAY) == ()


def test_rows_known_ahead_of_their_load_move_no_clock(tmp_path: Path) -> None:
    lake = make_lake(tmp_path)
    add(lake, MONDAY, MONDAY + 90 * DAY, loaded_at=MONDAY + DAY)
    assert ages(lake, MONDAY + 8 * DAY)["readings", "warn"] == (8, True)


def test_a_batch_on_both_sides_of_the_time_is_as_new_as_it(tmp_path: Path) -> None:
    lake = make_lake(tmp_path)
    add(lake, MONDAY, MONDAY + 90 * DAY)
    assert ages(lake, MONDAY + 40 * DAY)["readings", "warn"] == (0, False)


def test_one_line_says_what_is_old(tmp_path: Path) -> None:
    lake = make_lake(tmp_path)
    add(lake, MONDAY)
    assert freshness.warning(freshness.judge(lake, MONDAY)) is None
    said = freshness.warning(freshness.judge(lake, MONDAY + 1200 * DAY))
    assert said == "warning: nothing new for long: readings 1,200 days (at most 5)"


def test_data_too_old_stops_a_run(tmp_path: Path) -> None:
    lake = make_lake(tmp_path)
    add(lake, MONDAY)
    freshness.stop(lake, freshness.judge(lake, MONDAY + 30 * DAY))
    with pytest.raises(TsqError, match=r"raw\.readings is 31 days old: .* 2024-01-01 12:00 UTC") as caught:
        freshness.stop(lake, freshness.judge(lake, MONDAY + 31 * DAY))
    assert caught.value.exit_code == 1
    assert "readings.yml" in str(caught.value.where)


def test_a_verdict_is_a_check_of_the_dataset(tmp_path: Path) -> None:
    lake = make_lake(tmp_path, "{warn_after_days: 5}")
    add(lake, MONDAY)
    (result,) = [verdict.result for verdict in freshness.judge(lake, MONDAY + 6 * DAY)]
    assert (result.model, result.level, result.failed) == ("raw.readings", "warn", 1)
    assert result.name == "freshness: known in the last 5 days"
    assert "dataset = 'readings'" in result.sql


@pytest.mark.parametrize(
    ("limits", "said", "line"),
    [
        ("{warn_after_day: 5}", "unknown key warn_after_day", 3),
        ("{warn_after_days: soon}", "warn_after_days is 'soon'", 3),
        ("{warn_after_days: 0}", "warn_after_days is 0", 3),
        ("{warn_after_days: true}", "warn_after_days is True", 3),
        ("{warn_after_days: 9, block_after_days: 3}", "blocks before it warns", 3),
        ("5", "not a mapping", 3),
    ],
)
def test_a_limit_is_read_strictly(tmp_path: Path, limits: str, said: str, line: int) -> None:
    with pytest.raises(TsqError, match=said) as caught:
        make_lake(tmp_path, limits)
    assert str(caught.value.where).endswith(f"never.yml:{line}")
    assert caught.value.hint


def test_either_limit_may_stand_alone(tmp_path: Path) -> None:
    lake = make_lake(tmp_path, "{block_after_days: 3}")
    assert lake.datasets["readings"].freshness == Freshness(None, 3)
    assert lake.datasets["others"].freshness is None


def test_a_file_of_the_project_has_no_freshness(tmp_path: Path) -> None:
    text = SCHEMA.format(freshness="{warn_after_days: 3}") + "file: config/x.csv\n"
    (tmp_path / "x.yml").write_text(text, encoding="utf-8")
    with pytest.raises(TsqError, match="datasets that are ingested"):
        load_datasets(tmp_path)

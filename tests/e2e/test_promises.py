"""A promise that rows break: its table's readers stop, what was published stays, and the rows can be seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tsq.engine.lake import file_sha256

Tsq = Callable[..., Any]
LOW_VOL = "models/factors/low_vol.sql"


def edit(project: Path, before: str, after: str, file: str = LOW_VOL) -> None:
    path = project / file
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, after), encoding="utf-8")


def rows(project: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str((project / "warehouse/tsq.duckdb").resolve()), read_only=True) as con:
        return con.execute(sql).fetchall()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('["value < 0"]', '["value < 0", "value > -0.02"]'),  # a new promise about a table that is there
        ("    -nullif(daily.vol_252, 0) as value,", "    nullif(daily.vol_252, 0) as value,"),  # another table
    ],
)
def test_a_blocked_table_publishes_nothing(project: Path, tsq: Tsq, before: str, after: str) -> None:
    pointer = project / "warehouse/tsq.duckdb"
    published, sha256 = pointer.resolve(), file_sha256(pointer.resolve())
    scores = rows(project, "select count(*), sum(rank) from signals.score")
    edit(project, before, after)
    done = tsq(project, "run", "--no-report")
    assert done.code == 1
    what, where, hint = done.err.strip().splitlines()[-3:]
    assert what.startswith("factors.low_vol: ")
    assert "the first: date=2" in what
    assert "security_id=" in what
    assert where.strip().endswith(LOW_VOL)
    assert "tsq failed factors.low_vol" in hint
    assert "signals.panel" not in done.err  # it reads the table that is blocked
    assert (pointer.resolve(), file_sha256(published)) == (published, sha256)
    assert rows(project, "select count(*), sum(rank) from signals.score") == scores
    assert tsq(project, "run", "--no-report").code == 1  # and again: a run that goes on does not go past it


def test_the_rows_can_be_seen_until_the_promise_holds(project: Path, tsq: Tsq) -> None:
    assert "no rows are kept" in tsq(project, "failed").err
    edit(project, '["value < 0"]', '["value < 0", "value > -0.02"]')
    failed = int(
        tsq(project, "run", "--no-report").err.split("factors.low_vol: ")[1].split(" rows")[0].replace(",", "")
    )
    listed = tsq(project, "failed")
    assert listed.code == 0
    assert f"factors.low_vol: {failed:,} rows broke `value > -0.02`" in listed.out
    assert "failed/factors.low_vol/01_value_0_02.parquet" in listed.out
    shown = tsq(project, "failed", "low_vol")
    assert "security_id" in shown.out
    (record,) = json.loads(tsq(project, "failed", "factors.low_vol", "--json").out)
    assert (record["failed"], record["kept"]) == (failed, len(record["rows"]))
    assert all(row["value"] <= -0.02 for row in record["rows"])
    assert duckdb.sql(f"select count(*) from '{record['file']}'").fetchall() == [(record["kept"],)]
    assert "rows" not in json.loads(tsq(project, "failed", "--json").out)[0]
    missed = tsq(project, "failed", "factors.lowvol")
    assert missed.code == 2
    assert "did you mean factors.low_vol" in missed.err
    # taken back: nothing is to do, and nothing is kept any more
    edit(project, ', "value > -0.02"]', "]")
    assert "nothing to do" in tsq(project, "run", "--no-report").err
    assert json.loads(tsq(project, "failed", "--json").out) == []


def test_a_value_that_stands_nowhere_blocks(project: Path, tsq: Tsq) -> None:
    edit(project, "    members.security_id,\n", "    members.security_id + 1 as security_id,\n")
    done = tsq(project, "run", "--no-report")
    assert done.code == 1
    assert "rows break `security_id: stands in pit.securities.security_id`" in done.err


def test_a_warning_publishes_and_is_recorded(project: Path, tsq: Tsq) -> None:
    edit(project, '["value < 0"]', '["value < 0", {rows: "value > -0.02", level: warn, name: calm}]')
    done = tsq(project, "run", "--no-report")
    assert done.code == 0
    assert "calm" in done.err
    ((failed, sql),) = rows(project, "select failed, sql from ops.checks where check_name = 'calm'")
    assert len(rows(project, sql)) == failed > 0
    assert json.loads(tsq(project, "failed", "--json").out) == []


def test_old_data_warns_or_stops(project: Path, tsq: Tsq) -> None:
    done = tsq(project, "run", "--no-report")
    assert "nothing new" not in done.err  # the demo market does not live on
    ((newest,),) = rows(project, "select cast(as_of as date) from ops.runs")
    later = str(newest.replace(year=newest.year + 2))
    done = tsq(project, "run", "--no-report", "--as-of", later)
    assert done.code == 0
    assert "warning: nothing new for long: " in done.err
    assert "prices 73" in done.err
    assert "(at most 5)" in done.err
    pointer = (project / "warehouse/tsq.duckdb").resolve()
    edit(project, "{warn_after_days: 5}", "{warn_after_days: 5, block_after_days: 30}", "sql/raw/prices.yml")
    done = tsq(project, "run", "--no-report", "--as-of", later)
    assert done.code == 1
    assert "raw.prices is 73" in done.err
    assert "prices.yml" in done.err
    assert (project / "warehouse/tsq.duckdb").resolve() == pointer
    edit(project, "warn_after_days", "warn_after_day", "sql/raw/fundamentals.yml")
    done = tsq(project, "run", "--no-report")
    assert done.code == 2
    assert "did you mean warn_after_days" in done.err

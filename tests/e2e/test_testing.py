"""`tsq test` and `tsq snapshot` as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Tsq, copy_project

CASE = """\
- name: a rate without an end is in force
  given:
    config.charges: |
      item         | venue | rate  | side | from_date  | to_date
      STT_DELIVERY | ALL   | 0.001 | both | 2013-06-01 |
  expect: |
    item         | to_date
    STT_DELIVERY | 9999-12-31
"""


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A project that was never run."""
    project = copy_project(tmp_path / "fresh")
    (project / "tests" / "cases").mkdir(parents=True)
    (project / "tests" / "cases" / "pit.charges.yml").write_text(CASE, encoding="utf-8")
    return project


def test_cases_pass_and_fail(fresh: Path, tsq: Tsq) -> None:
    done = tsq(fresh, "test")
    assert (done.code, done.out.splitlines()[-1].partition(" in ")[0]) == (0, "1 passed, 0 failed")
    file = fresh / "tests" / "cases" / "pit.charges.yml"
    file.write_text(CASE.replace("9999", "2024"), encoding="utf-8")
    done = tsq(fresh, "test", "pit/")
    assert done.code == 1
    assert "  in:   tests/cases/pit.charges.yml:1" in done.out
    assert "want  STT_DELIVERY  2024-12-31" in done.out
    assert "got   STT_DELIVERY  [9999-12-31]" in done.out
    told = json.loads(tsq(fresh, "test", "--json").out)
    assert (told["passed"], told["failed"]) == (0, 1)
    assert told["cases"][0]["problem"]


def test_a_project_that_tests_nothing_is_told_how(fresh: Path, tsq: Tsq) -> None:
    done = tsq(fresh, "test", "book/")
    assert (done.code, done.out) == (2, "")
    assert "tests/cases/<layer>.<table>.yml" in done.err


def test_a_file_of_cases_that_is_wrong_says_its_line(fresh: Path, tsq: Tsq) -> None:
    file = fresh / "tests" / "cases" / "pit.charges.yml"
    file.write_text(CASE.replace("given:", "gievn:"), encoding="utf-8")
    done = tsq(fresh, "test")
    assert done.code == 2
    assert "pit.charges.yml:2" in done.err
    assert "did you mean given?" in done.err


def test_snapshots_are_written_compared_and_cleared(fresh: Path, tsq: Tsq) -> None:
    folder = fresh / "tests" / "snapshots"
    wanted = ("pit.charges", "pit.sessions")
    missing = tsq(fresh, "snapshot", *wanted)
    assert (missing.code, folder.exists()) == (1, False)
    assert "pit.charges: has no tests/snapshots/pit.charges.csv" in missing.out
    assert tsq(fresh, "snapshot", *wanted, "--update").code == 0
    assert sorted(file.stem for file in folder.iterdir()) == list(wanted)
    assert tsq(fresh, "snapshot", *wanted).code == 0
    assert not (fresh / "warehouse" / "tsq.duckdb").exists()
    assert not (fresh / "warehouse" / "demo").exists()

    model = fresh / "models" / "pit" / "charges.sql"
    model.write_text(model.read_text(encoding="utf-8").replace("    rate,", "    2 * rate as rate,"), encoding="utf-8")
    (folder / "pit.chrages.csv").touch()
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    done = tsq(fresh, "snapshot", *wanted)
    assert done.code == 1
    assert "pit.charges: differs from tests/snapshots/pit.charges.csv" in done.out
    assert "rate 0.001 → 0.002" in done.out
    assert "pit.chrages: tests/snapshots/pit.chrages.csv is unused" in done.out
    told = json.loads(tsq(fresh, "snapshot", *wanted, "--json").out)
    assert {one["model"]: one["state"] for one in told["snapshots"]} == {
        "pit.charges": "differs",
        "pit.sessions": "same",
        "pit.chrages": "unused",
    }
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == before

    assert tsq(fresh, "snapshot", *wanted, "--update").code == 0
    assert sorted(file.stem for file in folder.iterdir()) == list(wanted)
    assert (folder / "pit.sessions.csv").stat().st_mtime_ns == before[folder / "pit.sessions.csv"]
    assert tsq(fresh, "snapshot", *wanted).code == 0

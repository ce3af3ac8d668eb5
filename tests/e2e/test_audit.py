"""`tsq audit` on the small demo market: the project passes, and every leak a user adds is named with its file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Tsq
from tests.e2e.leaks import LEAKS


def audited(tsq: Tsq, project: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = tsq(project, "audit", "--json", *arguments)
    assert done.out, done.err
    return done.code, json.loads(done.out)


def test_the_project_is_point_in_time(demo_project: Path, tsq: Tsq) -> None:
    code, found = audited(tsq, demo_project, "--cuts", "2")
    assert [(one["table"], one["said"]) for one in found["findings"]] == []
    assert code == 0
    assert found["passed"] is True
    proofs = {step["proof"] for step in found["steps"]}
    assert proofs == {"declared", "truncate", "perturb", "load order", "known_at"}
    assert all(step["rows"] > 1000 for step in found["steps"] if step["proof"] != "declared")
    assert "sectors" in {one["dataset"] for one in found["undated"]}
    assert {one["measure"] for one in found["lag"]} == {"cagr", "sharpe"}
    assert not list((demo_project / "warehouse" / ".cache").glob("audit-*"))


def test_people_read_tables(demo_project: Path, tsq: Tsq) -> None:
    done = tsq(demo_project, "audit", "--cuts", "1", "--models", "pit/")
    assert done.code == 0, done.out
    assert done.out.splitlines()[0].split() == [
        "proof",
        "what",
        "was",
        "tried",
        "tables",
        "rows",
        "not",
        "yet",
        "failed",
    ]
    assert done.out.splitlines()[-1].startswith("point in time: ")


@pytest.fixture
def leaky(demo_project: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "project"
    shutil.copytree(demo_project, copy, symlinks=True)
    for name, text in LEAKS.items():
        (copy / "models" / name).write_text(text, encoding="utf-8")
    return copy


def test_every_leak_a_user_adds_is_named_with_its_file(leaky: Path, tsq: Tsq) -> None:
    code, found = audited(tsq, leaky)
    assert code == 1
    named = {one["table"]: one for one in found["findings"]}
    wanted = {name.replace("/", ".").partition(".")[0] + "." + Path(name).stem: f"models/{name}" for name in LEAKS}
    assert {table: named[table]["file"] for table in named} == wanted
    for finding in named.values():
        differing = finding["compared"]["differing"]
        assert differing["first"] <= finding["cut"]
        assert finding["compared"]["rows"] > 0
    assert set(named["factors.next_value"]["compared"]["differing"]["columns"]) == {"value"}
    text = (leaky / named["factors.next_value"]["file"]).read_text(encoding="utf-8").splitlines()
    assert "as value" in text[named["factors.next_value"]["line"] - 1]


def test_a_table_that_says_nothing_fails(project: Path, tsq: Tsq) -> None:
    (project / "models" / "pit" / "untold.sql").write_text("select 1 as one", encoding="utf-8")
    code, found = audited(tsq, project, "--models", "pit.untold pit.sessions", "--cuts", "1")
    assert code == 1
    (finding,) = found["findings"]
    assert (finding["proof"], finding["table"], finding["file"]) == ("declared", "pit.untold", "models/pit/untold.sql")


def test_a_number_of_leaks_needs_the_word(demo_project: Path, tsq: Tsq) -> None:
    done = tsq(demo_project, "audit", "8")
    assert done.code == 2
    assert "tsq audit --plant 8" in done.err


@pytest.mark.slow
def test_planted_leaks_are_caught(demo_project: Path, tsq: Tsq) -> None:
    code, found = audited(tsq, demo_project, "--plant", "16", "--seed", "1")
    assert [(one["leak"], one["model"]) for one in found["planted"] if not one["caught"] and not one["void"]] == []
    assert sum(one["caught"] for one in found["planted"]) == 16
    assert len({one["leak"] for one in found["planted"]}) >= 6
    assert code == 0


def test_an_empty_project_has_nothing_to_audit(tmp_path: Path, tsq: Tsq) -> None:
    from tests.e2e.conftest import copy_project

    done = tsq(copy_project(tmp_path / "empty"), "audit")
    assert done.code == 2
    assert "no data" in done.err

"""What `tsq run` starts from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tsq.cli import running
from tsq.engine import plan
from tsq.errors import TsqError

MakeProject = Callable[[Mapping[str, str]], Path]

TEN = "/*---\nchecks: [total = 10]\n---\n*/\nselect sum(i) as total from base.numbers"
FILES = {
    "models/base/numbers.sql": "select i from range(5) t(i)",
    "models/base/labels.sql": "select {{ label }} as label",
    "models/mart/total.sql": TEN,
}


def run(root: Path, *models: str, sets: tuple[str, ...] = ()) -> frozenset[str]:
    """Run; gives the tables that are published then."""
    wish = running.Wish(list(models), [], None, full_refresh=False, build=None)
    work = running.Work(2, None, wait=False, verify_skips=False)
    running.run(root=root, sets=list(sets), profile=None, wish=wish, work=work, with_report=False, as_json=False)
    base = plan.base_of(root / "warehouse" / "tsq.duckdb")
    assert base is not None
    return frozenset(base.models)


def test_readers_of_what_a_failed_run_changed_are_still_wanted(make_project: MakeProject) -> None:
    root = make_project(FILES)
    run(root, "all")
    (root / "models/base/numbers.sql").write_text("select i from range(6) t(i)", encoding="utf-8")
    for _ in range(2):  # the second finds `base.numbers` done, and no longer changed
        with pytest.raises(TsqError, match="1 rows break"):
            run(root, "state:changed+")


def test_a_failed_run_takes_no_table_from_the_next_one(make_project: MakeProject) -> None:
    root = make_project(FILES)
    everything = run(root, "all")
    # takes longer than the label, so that going on would save the most
    slow = "select i from range(6) t(i) where (select sum(hash(j)) from range(2000000) u(j)) > 0"
    (root / "models/base/numbers.sql").write_text(slow, encoding="utf-8")
    with pytest.raises(TsqError, match="1 rows break"):
        run(root, "mart.total", sets=("label=other",))
    (root / "models/mart/total.sql").write_text(TEN.replace("10", "15"), encoding="utf-8")
    assert run(root, "mart.total") == everything


def test_a_failed_run_is_gone_on_with(make_project: MakeProject, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_project(FILES)
    (root / "models/mart/total.sql").write_text(TEN.replace("10", "15"), encoding="utf-8")
    with pytest.raises(TsqError, match="1 rows break"):
        run(root, "all")
    (root / "models/mart/total.sql").write_text(TEN, encoding="utf-8")
    run(root, "all")
    assert "going on with" in capsys.readouterr().err

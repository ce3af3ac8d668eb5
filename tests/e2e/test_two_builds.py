"""Builds side by side, as a user compares and publishes them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import call
from tsq.engine import builds

Tsq = Callable[..., Any]


@pytest.fixture(scope="module")
def compared(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with three builds: as shipped, with dearer trades, and with a larger book besides."""
    project = tmp_path_factory.mktemp("compared") / "project"
    shutil.copytree(demo_project, project, symlinks=True)
    assert call(project, "run", "--no-report", "--set", "slippage_bps=25") == 0
    settings = project / "config/portfolios.yml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("top_n: 25", "top_n: 35", 1), encoding="utf-8")
    assert call(project, "run", "--no-report", "--set", "slippage_bps=25") == 0
    return project


def ids(project: Path) -> list[str]:
    return [kept.run_id for kept in reversed(builds.kept(project / "warehouse/tsq.duckdb"))]


def answer(tsq: Tsq, project: Path, *arguments: str) -> Any:
    done = tsq(project, *arguments, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_a_knob_is_followed_to_money(compared: Path, tsq: Tsq) -> None:
    first, second, _ = ids(compared)
    found = answer(tsq, compared, "diff", first, second)
    assert found["different"]
    assert {"kind": "knob", "name": "slippage_bps", "a": 10, "b": 25} in found["inputs"]
    tables = {table["name"]: table for table in found["tables"]}
    assert not tables["pit.prices"]["read"]
    assert tables["portfolio.targets"]["status"] == "same"
    assert tables["book.nav"]["status"] == "changed"
    assert tables["book.nav"]["key"] == ["date", "portfolio", "basis"]
    figures = {(f["portfolio"], f["basis"], f["window"], f["kpi"]): f["difference"] for f in found["money"]["figures"]}
    assert figures["base", "net", "full", "cagr"] < 0 < figures["base", "net", "full", "cost_drag_ann"]
    final = {(value["portfolio"], value["basis"]): value["difference_inr"] for value in found["money"]["final"]}
    assert final["base", "net"] < -1000
    assert found["money"]["weights"] == found["money"]["missing"] == []


def test_a_setting_in_a_file_is_followed_to_trades(compared: Path, tsq: Tsq) -> None:
    found = answer(tsq, compared, "diff", "--limit", "2")
    assert [item["name"] for item in found["inputs"]] == ["config.portfolios"]
    (base,) = [weights for weights in found["money"]["weights"] if weights["portfolio"] == "base"]
    assert base["turnover"] > 0
    assert {trades["portfolio"] for trades in found["money"]["trades"]} == {"base"}
    assert all(len(trades["newest"]) <= 2 for trades in found["money"]["trades"])
    done = tsq(compared, "diff")
    assert "what went in\n  file  config.portfolios" in done.out
    for said in ("in money", "key figures", "final value", "₹", "trades"):
        assert said in done.out
    assert tsq(compared, "diff", "--exit-code").code == 1


def test_tables_are_compared_closely_when_they_are_named(compared: Path, tsq: Tsq) -> None:
    first, *_ = ids(compared)
    done = tsq(compared, "diff", first, "published", "--tables", "book.nav,pit/")
    assert "book.nav   by date, portfolio, basis" in done.out
    assert "  nav: " in done.out
    assert "pit.prices" not in done.out
    count = len(list((compared / "models/pit").glob("*.sql")))
    assert f"{count + 1} tables: 1 differ, {count} do not ({count} told by their hashes)" in done.out
    assert tsq(compared, "diff", "--tables", "book.navs").code == 2


def test_nothing_changed_is_said_calmly(compared: Path, tsq: Tsq) -> None:
    assert tsq(compared, "diff", "published", "published", "--exit-code").out.endswith("\nthe same build\n")
    first, second, _ = ids(compared)
    done = tsq(compared, "diff", first, second, "--tables", "pit/", "--exit-code")
    count = len(list((compared / "models/pit").glob("*.sql")))
    assert (done.code, done.out.splitlines()[-1]) == (0, f"no difference in {count} tables")


def test_an_as_of_names_a_build(compared: Path, tsq: Tsq) -> None:
    assert "the same build" in tsq(compared, "diff", "2023-12-29 18:30").out
    done = tsq(compared, "diff", "2020-01-01")
    assert done.code == 2
    assert "tsq run --as-of '2020-01-01' --build" in done.err
    assert "'2023-12-29 18:30'" in done.err


def test_queries_and_exports_read_another_build(compared: Path, tsq: Tsq, tmp_path: Path) -> None:
    first, *_ = ids(compared)
    sql = "select json_extract(knobs, '$.slippage_bps')::integer as bps from ops.runs"
    assert tsq(compared, "query", sql, "--format", "csv").out == "bps\n25\n"
    assert tsq(compared, "query", sql, "--format", "csv", "--build", first).out == "bps\n10\n"
    to = tmp_path / "runs.csv"
    assert tsq(compared, "export", "ops.runs", "--to", str(to), "--build", first).code == 0
    assert first in to.read_text(encoding="utf-8")
    assert tsq(compared, "query", sql, "--build", "no-such").code == 2


def test_there_and_back_again(project: Path, tsq: Tsq) -> None:
    (first,) = ids(project)
    assert tsq(project, "run", "--no-report", "--set", "slippage_bps=25").code == 0
    second = ids(project)[1]
    sql = "select max(slippage_inr / value_inr) > 0.002 as dear from book.trades"
    before = tsq(project, "query", sql, "--format", "csv").out
    done = tsq(project, "publish", "previous")
    assert (done.code, done.out) == (0, f"published  {first}   instead of {second}\n")
    assert f"tsq publish {second}" in done.err
    assert tsq(project, "query", sql, "--format", "csv").out != before
    assert "is published already" in tsq(project, "publish", first).out
    assert answer(tsq, project, "publish", second)["replaced"] == first
    assert tsq(project, "query", sql, "--format", "csv").out == before
    listed = answer(tsq, project, "builds")
    assert [(row["run_id"], row["published"]) for row in listed] == [(second, True), (first, False)]
    assert tsq(project, "builds").out.splitlines()[1].startswith(f"*  {second} ")

    # the pointer's build is what the next run starts from, however old it is
    assert tsq(project, "publish", first).code == 0
    assert "nothing to do" in tsq(project, "run", "--no-report").err
    done = tsq(project, "run", "--no-report", "--set", "slippage_bps=25")
    assert done.code == 0, done.err
    third = ids(project)[2]
    assert answer(tsq, project, "diff", second, third)["different"] is False
    carried = "select count(*) > 30 as most from ops.builds where carried"
    assert tsq(project, "query", carried, "--format", "csv").out == "most\ntrue\n"


def test_names_keep_builds_and_are_taken_away(project: Path, tsq: Tsq) -> None:
    (first,) = ids(project)
    builds.name_build(project / "warehouse/builds", "shipped", first)
    assert answer(tsq, project, "builds")[0]["names"] == ["shipped"]
    assert "published already" in tsq(project, "publish", "shipped").out
    assert answer(tsq, project, "builds", "--forget", "shipped") == {"forgot": "shipped", "run_id": first}
    assert tsq(project, "publish", "shipped").code == 2
    assert tsq(project, "builds", "--forget", "shipped").code == 2


def test_a_build_that_was_touched_is_not_published(project: Path, tsq: Tsq) -> None:
    (first,) = ids(project)
    copy = project / "warehouse/builds/20200101T000000-aaaaaa.duckdb"
    copy.write_bytes(b"no database")
    copy.with_suffix(".json").write_bytes((project / f"warehouse/builds/{first}.json").read_bytes())
    done = tsq(project, "publish", "20200101")
    assert done.code == 1
    assert "cannot be trusted" in done.err
    assert (project / "warehouse/tsq.duckdb").resolve().stem == first


HOLD = """
import sys, time
from pathlib import Path
from tsq.engine.locks import locked
with locked(Path(sys.argv[1])):
    print("mine", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def test_publish_waits_for_a_run_or_says_who_runs(project: Path, tsq: Tsq) -> None:
    command = [sys.executable, "-c", HOLD, str(project / "warehouse"), "1.5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        done = tsq(project, "publish", "published")
        assert done.code == 75
        assert f"process {holder.pid} " in done.err
        done = tsq(project, "publish", "published", "--wait")
        assert done.code == 0
        assert done.err.startswith(f"waiting for process {holder.pid} ")

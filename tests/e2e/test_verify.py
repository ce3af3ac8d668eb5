"""Skips are proved, runs repeat, and threads decide nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Tsq
from tsq.cli import workspace
from tsq.engine import builds, verify
from tsq.engine import plan as plans
from tsq.engine.manifest import Manifest
from tsq.engine.plan import Inputs
from tsq.engine.warehouse import Machine

COVERAGE = "models/alpha/coverage.sql"


def published(project: Path) -> Manifest:
    manifest = builds.trusted_manifest(project / "warehouse" / "tsq.duckdb")
    assert manifest is not None
    return manifest


def pretend(project: Path, name: str) -> None:
    """Write into the build's record that a table is what its model says now, which it is not."""
    graph = workspace.load_graph(project)
    build = project / "warehouse" / "builds" / f"{published(project).run_id}.json"
    record = json.loads(build.read_text(encoding="utf-8"))
    for model in record["models"]:
        if model["name"] == name:
            node = graph.nodes[name]
            model["own_hash"] = node.own_hash
            model["fingerprint"] = plans.fingerprint(node, model["parents"], model["sources"])
    build.write_text(json.dumps(record), encoding="utf-8")


def test_what_a_run_skips_is_what_it_would_have_built(project: Path, tsq: Tsq) -> None:
    done = tsq(project, "run", "--no-report", "--verify-skips", "--set", "slippage_bps=33")
    assert done.code == 0, done.err
    assert "rebuilt from nothing, are the same" in done.err
    assert "tables unchanged" in done.err
    again = tsq(project, "run", "--no-report", "--verify-skips", "--set", "slippage_bps=33")
    assert "nothing to do" in again.err
    assert "are the same" in again.err


def test_a_wrong_skip_is_found_and_not_published(project: Path, tsq: Tsq) -> None:
    path = project / COVERAGE
    text = path.read_text(encoding="utf-8")
    changed = text.replace("count(*) ", "1 + count(*) ", 1)
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    pretend(project, "alpha.coverage")
    assert "nothing to do" in tsq(project, "run", "--no-report").err
    done = tsq(project, "run", "--no-report", "--verify-skips")
    assert done.code == 1
    assert "alpha.coverage" in done.err
    before = published(project).run_id
    done = tsq(project, "run", "--no-report", "--verify-skips", "--set", "slippage_bps=33")
    assert done.code == 1
    assert "alpha.coverage" in done.err
    assert published(project).run_id == before


def test_a_run_is_built_again_from_what_it_was_made_of(project: Path, tsq: Tsq) -> None:
    assert tsq(project, "run", "--no-report", "--set", "slippage_bps=33", "--build", "dear").code == 0
    done = tsq(project, "run", "--verify", "dear", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["different"] == []
    (project / COVERAGE).write_text("select 1 as x", encoding="utf-8")
    done = tsq(project, "run", "--verify", "dear")
    assert done.code != 0
    project_lake = project / "warehouse" / "demo" / "raw" / "_batches"
    shutil.rmtree(project_lake)
    done = tsq(project, "run", "--verify", "dear")
    assert done.code == 1
    assert "does not hold any more" in done.err


@pytest.mark.parametrize("threads", [1, 4])
def test_tables_do_not_depend_on_threads(demo_project: Path, tmp_path: Path, threads: int) -> None:
    project = tmp_path / "project"
    shutil.copytree(demo_project, project, symlinks=True)
    before = published(project)
    graph = workspace.load_graph(project)
    lake = workspace.demo_lake(graph)
    inputs = Inputs(lake, "demo", lake.newest_known_at())
    *_, after = verify.rebuild(graph, inputs, tuple(graph.nodes), Machine(threads=threads))
    assert isinstance(after, Manifest)
    assert after.threads == threads != before.threads
    assert verify.differences(before, after) == ()

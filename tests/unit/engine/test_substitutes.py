"""A run that is given other rows for a table of settings than its file has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tsq import config
from tsq.config import Project
from tsq.engine import catalog, graph, plan, runner, warehouse
from tsq.engine import manifest as manifests
from tsq.engine.compile import compile_catalog
from tsq.engine.lake import Lake
from tsq.engine.runner import Published, Result
from tsq.engine.warehouse import Machine
from tsq.errors import TsqError

MakeProject = Callable[[Mapping[str, str]], Path]

FILES = {
    "sql/config/limits.yml": """
doc: limits
key: [name]
file: config/limits.yml
columns:
  name: {type: VARCHAR, doc: d}
  most: {type: DOUBLE, doc: d, required: true}
""",
    "config/limits.yml": "close: {most: 3}\n",
    "models/base/numbers.sql": "select i from range(10) t(i)",
    "models/base/most.sql": "select max(most) as most from config.limits",
    "models/mart/total.sql": "select sum(i) as total from base.numbers where i < (select most from base.most)",
}
OTHER = "close: {most: 5}\nopen: {most: 4}\n"


def execute(project: Project, name: str | None = None) -> tuple[dict[str, str], Published]:
    found = catalog.read(project)
    lake = Lake(project.warehouse / "raw", found.raw)
    nodes = graph.build(found, compile_catalog(found))
    made = plan.make(nodes, plan.Inputs(lake, "real", None), ["all"], plan.base_of(project.pointer))
    events = list(runner.run(made, Machine(threads=2), name))
    assert isinstance(events[-1], Published)
    return {event.name: event.action for event in events if isinstance(event, Result)}, events[-1]


def total(build: Path) -> int:
    with warehouse.open_readonly(build) as con:
        return int(con.execute("select total from mart.total").fetchall()[0][0])


def given(root: Path, text: str, table: str = "limits") -> Project:
    return replace(config.load(root), substitutes={table: text})


def test_only_what_reads_the_table_is_built_again_and_the_record_says_of_what(make_project: MakeProject) -> None:
    root = make_project(FILES)
    _, published = execute(config.load(root))
    actions, aside = execute(given(root, OTHER), "aside")
    assert actions == {"base.numbers": "carry", "base.most": "build", "mart.total": "build"}
    assert (total(published.build), total(aside.build)) == (3, 10)
    assert total(root / "warehouse" / "tsq.duckdb") == 3
    record = manifests.read(aside.build.with_suffix(".json"))
    assert record.substitutes == {"limits": OTHER}
    # the same numbers said in other words are other settings, but the same content: what reads it stays
    actions, _ = execute(given(root, "close: {most: 3.0}\n"), "aside")
    assert actions == {"base.numbers": "carry", "base.most": "build", "mart.total": "carry"}


@pytest.mark.parametrize(
    ("text", "table", "what", "where"),
    [
        (OTHER, "limit", "no table of settings is called limit", "config"),
        ("close: {most: 5}\nopen: {least: 4}\n", "limits", "unknown column least", "substitute of config.limits:2"),
        ("close: {}\n", "limits", "most has no value", "substitute of config.limits:1"),
        ("- close\n", "limits", "substitute of config.limits must be names, each with its settings", ":1"),
    ],
)
def test_a_mistake_in_it_is_told_like_one_in_a_file(
    make_project: MakeProject, text: str, table: str, what: str, where: str
) -> None:
    root = make_project(FILES)
    with pytest.raises(TsqError) as refused:
        execute(given(root, text, table))
    assert refused.value.what == what
    assert str(refused.value.where).endswith(where)
    assert not (root / "warehouse" / "tsq.duckdb").exists()


def test_what_stands_in_for_a_csv_is_one(make_project: MakeProject) -> None:
    files = {**FILES, "config/limits.csv": "name,most\nclose,3\n"}
    files["sql/config/limits.yml"] = files["sql/config/limits.yml"].replace("limits.yml", "limits.csv")
    root = make_project(files)
    _, aside = execute(given(root, "name,most\nclose,5\nopen,4\n"), "aside")
    assert total(aside.build) == 10
    with pytest.raises(TsqError, match="unknown column least") as refused:
        execute(given(root, "name,least\nclose,5\n"))
    assert str(refused.value.where) == "substitute of config.limits:2"

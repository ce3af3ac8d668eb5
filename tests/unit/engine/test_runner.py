from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import pytest

from tsq import config
from tsq.engine import builds, catalog, graph, plan, runner, scratch, warehouse
from tsq.engine.compile import compile_catalog
from tsq.engine.lake import Lake
from tsq.engine.runner import Published, Result
from tsq.engine.warehouse import Machine
from tsq.errors import TsqError

MakeProject = Callable[[Mapping[str, str]], Path]

PRICES = """
doc: prices
key: [day, id]
columns:
  day: {type: DATE, doc: d}
  id: {type: VARCHAR, doc: d}
  close: {type: DOUBLE, doc: d}
"""
LIMITS = """
doc: limits
key: [name]
file: config/limits.csv
columns:
  name: {type: VARCHAR, doc: d}
  most: {type: DOUBLE, doc: d, required: true}
"""
ROWS = """/*---
grain: [i]
columns: {i: {type: BIGINT, unit: rows, doc: "number"}}
checks: ["i >= 0"]
---
One row a number.
*/
select i from range({{ n_rows }}) t(i)
"""
TWICE = '''"""---
grain: [i]
---
Twice.
"""
import polars as pl


def model(rows, limits, *, n_rows):
    return rows.with_columns(twice=pl.col("i") * 2 + n_rows * 0 + limits.height * 0)
'''
MARKET = {
    "sql/raw/prices.yml": PRICES,
    "sql/config/limits.yml": LIMITS,
    "config/limits.csv": "name,most\nclose,100\n",
    "models/base/rows.sql": ROWS,
    "models/base/prices.sql": "select day, id, close from raw.prices, (select max(most) as most from config.limits) where close < most",
    "models/mart/total.sql": "select sum(i) as total from base.rows",
    "models/mart/twice.py": TWICE,
}
TOTAL = "models/mart/total.sql"


def make_plan(root: Path, *words: str, full_refresh: bool = False, sets: tuple[str, ...] = ()) -> plan.Plan:
    found = catalog.read(config.load(root, sets=sets))
    nodes = graph.build(found, compile_catalog(found))
    lake = Lake(root / "warehouse" / "raw", found.raw)
    base = plan.base_of(found.project.pointer)
    inputs = plan.Inputs(lake, "real", lake.newest_known_at())
    return plan.make(nodes, inputs, words or ("all",), base, full_refresh=full_refresh)


def execute(
    root: Path, *words: str, full_refresh: bool = False, sets: tuple[str, ...] = ()
) -> tuple[list[Result], Published]:
    events = list(runner.run(make_plan(root, *words, full_refresh=full_refresh, sets=sets), Machine(threads=2)))
    assert isinstance(events[-1], Published)
    return [event for event in events if isinstance(event, Result)], events[-1]


def ask(root: Path, sql: str) -> list[tuple[object, ...]]:
    with warehouse.open_readonly(root / "warehouse" / "tsq.duckdb") as con:
        return con.execute(sql).fetchall()


def actions(results: list[Result]) -> dict[str, str]:
    return {result.name: result.action for result in results}


def header(yaml: str, sql: str) -> str:
    return f"/*---\n{yaml}\n---\n*/\n{sql}"


def test_a_run_publishes_every_table(make_project: MakeProject) -> None:
    root = make_project(MARKET)
    results, published = execute(root)
    assert set(actions(results).values()) == {"build"}
    assert ask(root, "select total from mart.total") == [(10,)]
    assert ask(root, "select sum(twice) from mart.twice") == [(20,)]
    assert ask(root, "select count(*) from base.prices") == [(0,)]
    assert ask(root, "select comment from duckdb_columns() where table_name = 'rows'") == [("number, [rows]",)]
    assert ask(root, "select run_id, market, models from ops.runs") == [(published.manifest.run_id, "real", 4)]
    assert ask(root, "select count(*) from ops.builds where not carried and fingerprint != ''") == [(4,)]
    assert ask(root, "select failed from ops.checks where check_name = 'i >= 0'") == [(0,)]
    assert ask(
        root, "select column_name, from_table, from_column, kind from ops.lineage where model = 'mart.total'"
    ) == [("total", "base.rows", "i", "value"), ("*", "base.rows", "*", "filter")]
    assert not published.build.stat().st_mode & stat.S_IWUSR
    assert published.manifest.file_header_sha256
    assert published.manifest.packages["duckdb"] == duckdb.__version__


def test_nothing_changed_is_nothing_to_do(make_project: MakeProject) -> None:
    root = make_project(MARKET)
    execute(root)
    assert make_plan(root).nothing_to_do
    assert not make_plan(root, full_refresh=True).nothing_to_do
    assert not make_plan(root, sets=("n_rows=6",)).nothing_to_do


def test_only_what_changed_and_its_readers_are_built(make_project: MakeProject) -> None:
    root = make_project(MARKET)
    execute(root)
    (root / TOTAL).write_text("select sum(i) + 1 as total from base.rows", encoding="utf-8")
    results, _ = execute(root)
    assert actions(results) == {
        "base.prices": "carry",
        "base.rows": "carry",
        "mart.total": "build",
        "mart.twice": "carry",
    }
    assert ask(root, "select total from mart.total") == [(11,)]
    assert ask(root, "select count(*) from ops.builds where carried") == [(3,)]
    (root / "config/limits.csv").write_text("name,most\nclose,50\n", encoding="utf-8")
    results, _ = execute(root)
    assert actions(results)["base.prices"] == actions(results)["mart.twice"] == "build"
    assert actions(results)["base.rows"] == "carry"


def test_a_selection_leaves_stale_tables_out(make_project: MakeProject) -> None:
    root = make_project(MARKET)
    execute(root)
    assert make_plan(root, "mart.total", sets=("n_rows=6",)).left_out == ("mart.twice",)
    execute(root, "mart.total", sets=("n_rows=6",))
    assert ask(root, "select total from mart.total") == [(15,)]
    assert ask(root, "select table_name from duckdb_tables() where schema_name = 'mart'") == [("total",)]


@pytest.mark.parametrize(
    ("text", "said", "where"),
    [
        ("select\n    sum(ii) as total\nfrom base.rows", "no column ii", "total.sql:2"),
        (header('checks: ["total > 99"]', "select sum(i) as total from base.rows"), "1 rows break", "total.sql"),
        (header("grain: [x]", "select 1 as x from base.rows"), "unique", "total.sql"),
        (header("grain: [x]", "select null as x from base.rows"), "not null", "total.sql"),
        (header('checks: ["select i from base.rows"]', "select 1 as x"), "5 rows break", "total.sql"),
        (header("grain: [xx]", "select 1 as x"), "cannot be checked", "total.sql"),
        (header('checks: ["xx > 0"]', "select 1 as x"), "cannot be checked", "total.sql"),
        (header("columns: {y: {}}", "select 1 as x"), "promises a column y", "total.sql"),
        (header("columns: {x: {type: DATE}}", "select 1 as x"), "promised as DATE", "total.sql"),
    ],
)
def test_a_failed_run_leaves_what_was_published(make_project: MakeProject, text: str, said: str, where: str) -> None:
    root = make_project(MARKET)
    _, published = execute(root)
    (root / TOTAL).write_text(text, encoding="utf-8")
    with pytest.raises(TsqError) as caught:
        execute(root)
    assert said in caught.value.what
    assert where in str(caught.value.where)
    assert caught.value.exit_code == 1
    assert builds.published(root / "warehouse/tsq.duckdb") == published.build
    assert ask(root, "select total from mart.total") == [(10,)]
    (root / TOTAL).write_text(MARKET[TOTAL], encoding="utf-8")
    assert make_plan(root).nothing_to_do


def test_what_a_failed_run_has_done_is_not_done_again(make_project: MakeProject) -> None:
    root = make_project(MARKET)
    (root / TOTAL).write_text("select nothing from base.rows", encoding="utf-8")
    with pytest.raises(TsqError):
        execute(root)
    assert builds.published(root / "warehouse/tsq.duckdb") is None
    (root / TOTAL).write_text(MARKET[TOTAL], encoding="utf-8")
    left = scratch.leftover(root / "warehouse/builds")
    assert left is not None
    fresh = make_plan(root)
    going_on = plan.make(fresh.graph, fresh.inputs, ("all",), left)
    events = list(runner.run(going_on, Machine(threads=2)))
    assert {event.name: event.action for event in events if isinstance(event, Result)} == {
        "base.prices": "carry",
        "base.rows": "carry",
        "mart.total": "build",
        "mart.twice": "build",
    }
    assert ask(root, "select total from mart.total") == [(10,)]
    assert not list((root / "warehouse/builds").glob(".*"))
    assert ask(root, "select table_name from duckdb_tables() where table_name = 'progress'") == []


def test_what_another_version_has_left_is_not_gone_on_with(make_project: MakeProject) -> None:
    root = make_project({**MARKET, TOTAL: "select nothing from base.rows"})
    with pytest.raises(TsqError):
        execute(root)
    (file,) = (root / "warehouse/builds").glob(".*.duckdb")
    with duckdb.connect(str(file)) as con:
        con.execute("update ops.progress set said = replace(said, 'own_hash', 'body_hash')")
    assert scratch.leftover(root / "warehouse/builds") is None


def test_a_rebuilt_table_with_the_same_rows_stops_the_wave(make_project: MakeProject) -> None:
    root = make_project(MARKET)
    execute(root)
    (root / "models/base/rows.sql").write_text(
        ROWS.replace("select i from range({{ n_rows }}) t(i)", "select 4 - i as i from range({{ n_rows }}) t(i)"),
        encoding="utf-8",
    )
    steps = {step.name: step.action for step in make_plan(root).steps}
    assert steps == {"base.prices": "carry", "base.rows": "build", "mart.total": "follow", "mart.twice": "follow"}
    results, _ = execute(root)
    assert actions(results) == {
        "base.prices": "carry",
        "base.rows": "build",
        "mart.total": "carry",
        "mart.twice": "carry",
    }
    assert make_plan(root).nothing_to_do


def test_an_unselected_reader_stays_only_while_what_it_reads_is_the_same(make_project: MakeProject) -> None:
    root = make_project(MARKET)
    execute(root)
    rows = root / "models/base/rows.sql"
    rows.write_text(ROWS.replace("select i from", "select i + 0 as i from"), encoding="utf-8")
    results, _ = execute(root, "base.rows")
    assert actions(results)["mart.total"] == "carry"
    rows.write_text(ROWS.replace("select i from", "select i + 1 as i from"), encoding="utf-8")
    results, _ = execute(root, "base.rows")
    assert actions(results)["mart.total"] == "leave"
    assert ask(root, "select count(*) from duckdb_tables() where schema_name = 'mart'") == [(0,)]
    assert ask(root, "select count(*) from ops.content where model like 'mart.%'") == [(0,)]


def test_a_table_whose_promise_looks_at_one_that_is_left_out_is_left_out_too(make_project: MakeProject) -> None:
    looks = header('checks: ["select 1 from mart.total where total < 0"]', "select 1 as x")
    root = make_project({**MARKET, "models/mart/looks.sql": looks})
    execute(root)
    (root / "models/base/rows.sql").write_text(
        ROWS.replace("select i from", "select i + 1 as i from"), encoding="utf-8"
    )
    results, _ = execute(root, "base.rows")
    assert actions(results)["mart.total"] == actions(results)["mart.looks"] == "leave"


def test_a_view_passes_on_what_changes_behind_it(make_project: MakeProject) -> None:
    view = header("kind: view", "select i, i * 10 as tens from base.rows")
    root = make_project({**MARKET, "models/mart/tens.sql": view, TOTAL: "select sum(tens) as total from mart.tens"})
    execute(root)
    (root / "models/base/rows.sql").write_text(
        ROWS.replace("select i from", "select i + 1 as i from"), encoding="utf-8"
    )
    results, _ = execute(root)
    assert actions(results)["mart.tens"] == actions(results)["mart.total"] == "build"
    assert ask(root, "select total from mart.total") == [(150,)]


def test_new_promises_are_checked_without_a_rebuild(make_project: MakeProject) -> None:
    root = make_project(MARKET)
    execute(root)
    (root / TOTAL).write_text(header('checks: ["total > 9"]', MARKET[TOTAL]), encoding="utf-8")
    results, _ = execute(root)
    assert actions(results)["mart.total"] == "check"
    assert ask(root, "select check_name, failed from ops.checks where model = 'mart.total'") == [("total > 9", 0)]
    assert make_plan(root).nothing_to_do


def test_another_evening_reaches_the_build(make_project: MakeProject) -> None:
    root = make_project(MARKET)
    execute(root)
    with (root / "models/layers.yml").open("a", encoding="utf-8") as layers:
        layers.write("evening: 18:30 Asia/Kolkata\n")
    results, _ = execute(root)
    assert set(actions(results).values()) == {"check"}
    assert ask(root, "select ops.day_known(timestamptz '2024-01-02 12:59+00')") == [(dt.date(2024, 1, 1),)]
    assert make_plan(root).nothing_to_do


def test_a_check_may_end_with_a_comment(make_project: MakeProject) -> None:
    checks = (
        "checks:\n  - |\n    x = 'a' -- of every row\n  - |\n    select 1 from base.rows where i < 0; -- there are none"
    )
    root = make_project({**MARKET, TOTAL: header(checks, "select 'a' as x")})
    execute(root)
    assert ask(root, "select sql, failed from ops.checks where model = 'mart.total'") == [
        ("select * from mart.total where (x = 'a') is not true", 0),
        ("select 1 from base.rows where i < 0", 0),
    ]


def test_a_python_model_is_no_view(make_project: MakeProject) -> None:
    root = make_project({**MARKET, "models/mart/twice.py": TWICE.replace("grain: [i]", "kind: view")})
    with pytest.raises(TsqError, match="cannot be a view"):
        make_plan(root)


def test_a_warning_does_not_stop_a_run(make_project: MakeProject) -> None:
    root = make_project({**MARKET, TOTAL: header('checks: [{rows: "false", level: warn}]', "select 1 as x")})
    results, _ = execute(root)
    assert [check.failed for result in results for check in result.checks if check.level == "warn"] == [1]


def test_null_is_not_true_in_a_check(make_project: MakeProject) -> None:
    root = make_project({**MARKET, TOTAL: header('checks: ["x > 0"]', "select null::integer as x")})
    with pytest.raises(TsqError, match="1 rows break `x > 0`"):
        execute(root)


def test_rows_are_stored_in_the_promised_order(make_project: MakeProject) -> None:
    root = make_project({**MARKET, TOTAL: header("order: [k, i]", "select i, i % 3 as k from range(200000) t(i)")})
    execute(root)
    assert ask(root, "select k, i from mart.total limit 3 offset 66666") == [(0, 199998), (1, 1), (1, 4)]


def test_only_builds_that_were_not_touched_are_a_base(make_project: MakeProject) -> None:
    root = make_project(MARKET)
    _, published = execute(root)
    pointer = root / "warehouse/tsq.duckdb"
    os.utime(published.build, (1, 1))
    assert builds.trusted_manifest(pointer) is not None  # touched, but the same bytes
    published.build.chmod(stat.S_IRUSR | stat.S_IWUSR)
    with duckdb.connect(str(published.build)) as con:
        con.execute("create table base.mine as select 1 as x")
    assert builds.trusted_manifest(pointer) is None
    results, _ = execute(root)
    assert set(actions(results).values()) == {"build"}


def test_old_builds_are_pruned(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "KEEP_BUILDS", 2)
    root = make_project(MARKET)
    for _ in range(4):
        execute(root, full_refresh=True)
    assert len(list((root / "warehouse/builds").glob("*.duckdb"))) == 2
    assert ask(root, "select total from mart.total") == [(10,)]


def test_a_build_that_was_killed_before_its_manifest_is_pruned_first(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "KEEP_BUILDS", 2)
    root = make_project(MARKET)
    _, first = execute(root)
    killed = root / "warehouse/builds/20990101T000000-abcdef.duckdb"
    mine = root / "warehouse/builds/mine.duckdb"
    for file in (killed, mine):
        file.write_bytes(first.build.read_bytes())
    _, second = execute(root, full_refresh=True)
    assert set(killed.parent.glob("*.duckdb")) == {first.build, second.build, mine}


def test_the_pointer_is_copied_where_links_are_not_allowed(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    root = make_project(MARKET)
    _, published = execute(root)
    pointer = root / "warehouse/tsq.duckdb"
    assert not pointer.is_symlink()
    assert builds.published(pointer) == published.build
    assert ask(root, "select total from mart.total") == [(10,)]
    assert make_plan(root).nothing_to_do
    _, again = execute(root, full_refresh=True)
    assert builds.published(pointer) == again.build


def test_a_pointer_held_open_keeps_the_build_beside_it(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_project(MARKET)
    pointer = root / "warehouse/tsq.duckdb"
    real = Path.replace

    def held(self: Path, target: Path) -> Path:
        if Path(target) == pointer:
            raise PermissionError("held open")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", held)
    monkeypatch.setattr("time.sleep", lambda _: None)
    _, published = execute(root)
    assert published.pointed.path == published.build
    assert "held open" in str(published.pointed.note)


def test_a_reader_of_nothing_is_told_to_run(tmp_path: Path) -> None:
    with pytest.raises(TsqError, match="nothing has been published"):
        warehouse.open_readonly(tmp_path / "tsq.duckdb")
    (tmp_path / "tsq.duckdb").write_text("this is no database, however long it may be", encoding="utf-8")
    with pytest.raises(TsqError, match="cannot be opened"):
        warehouse.open_readonly(tmp_path / "tsq.duckdb")


@pytest.mark.parametrize(
    "sql",
    ["select * from read_text('/etc/hostname')", "create table x as select 1", "attach 'x.duckdb'", "set threads = 1"],
)
def test_a_reader_reads_nothing_but_the_build(make_project: MakeProject, sql: str) -> None:
    root = make_project(MARKET)
    execute(root)
    with pytest.raises(duckdb.Error):
        ask(root, sql)


LOADED = """
create table r as select
    date '2024-01-02' as day, 'A' as id, 7.0 as close, 'x' as format, 1 as source_rank,
    timestamptz '2024-01-02 13:00+00' as known_at, 'f' as file, false as is_withdrawn
"""


def test_as_of_is_written_down(make_project: MakeProject) -> None:
    root = make_project(MARKET)
    known = dt.datetime(2024, 1, 2, 13, tzinfo=dt.UTC)
    lake = Lake(root / "warehouse" / "raw", catalog.read(config.load(root)).raw)
    with warehouse.connect() as con:
        con.execute(LOADED)
        lake.write(con, batch_id="b1", loaded_at=known, files=(), rows={"prices": "r"}, quarantine=None)
    _, published = execute(root)
    assert published.manifest.as_of == "2024-01-02T13:00:00+00:00"
    assert ask(root, "select id, close from base.prices") == [("A", 7.0)]
    assert list(published.manifest.inputs) == ["prices/b1.parquet"]

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

Tsq = Callable[..., object]


def rows(project: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str((project / "warehouse/tsq.duckdb").resolve()), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_a_run_ends_with_what_to_open(demo_project: Path, tsq: Tsq) -> None:
    done = tsq(demo_project, "run")
    assert done.code == 0
    assert "warehouse/tsq.duckdb" in done.out
    assert "demo market" in done.out
    assert "reports/out/index.html" in done.out
    assert "nothing to do" in done.err
    assert (demo_project / "reports/out/index.html").stat().st_size > 100_000


def test_every_file_adds_up(demo_project: Path) -> None:
    wrong = "select file from ops.ingests where rows_in != rows_kept + rows_quarantined + rows_duplicate"
    assert rows(demo_project, wrong) == []
    assert rows(demo_project, "select sum(rows_quarantined) from ops.ingests") == rows(
        demo_project, "select count(*) from ops.quarantine where dataset is not null"
    )


def test_no_blocking_check_failed(demo_project: Path) -> None:
    assert rows(demo_project, "select model, check_name from ops.checks where level = 'block' and failed > 0") == []
    (count,) = rows(demo_project, "select count(*) from ops.checks where level = 'block'")[0]
    assert count > 50


def test_nav_begins_with_its_inception(demo_project: Path) -> None:
    first = rows(
        demo_project,
        "select portfolio, basis, arg_min(nav, date), arg_min(costs_inr, date) from book.nav group by all order by all",
    )
    assert first
    assert all(nav == 1.0 and costs == 0.0 for _, _, nav, costs in first)
    assert {basis for _, basis, _, _ in first} == {"gross", "net", "after_tax"}


def test_ls_names_every_model_in_order(demo_project: Path, tsq: Tsq) -> None:
    done = tsq(demo_project, "ls", "--json")
    names = [row["name"] for row in json.loads(done.out)]
    assert names.index("pit.prices") < names.index("factors.low_vol") < names.index("kpis.summary")
    assert "pit.prices" in tsq(demo_project, "ls", "--models", "pit/").out
    done = tsq(demo_project, "ls", "--models", "factors.lowvol")
    assert done.code == 2
    assert "did you mean factors.low_vol" in done.err


def test_show_tells_what_a_row_means(demo_project: Path, tsq: Tsq) -> None:
    done = tsq(demo_project, "show", "low_vol")
    assert "models/factors/low_vol.sql" in done.out
    assert "grain" in done.out
    assert tsq(demo_project, "show", "factors.low_vol", "--sql").out.lstrip().startswith(("select", "with"))
    assert json.loads(tsq(demo_project, "show", "book.events", "--json").out)["name"] == "book.events"
    assert "def model(" in tsq(demo_project, "show", "book.events", "--sql").out
    assert tsq(demo_project, "show", "lowvol").code == 2


def test_query_answers_in_three_formats(demo_project: Path, tsq: Tsq) -> None:
    sql = "select 1 as x, 'a' as y"
    assert "│" in tsq(demo_project, "query", sql).out
    assert tsq(demo_project, "query", sql, "--format", "csv").out == "x,y\n1,a\n"
    assert json.loads(tsq(demo_project, "query", sql, "--format", "json").out) == [{"x": 1, "y": "a"}]
    for saved in sorted((demo_project / "sql/queries").glob("*.sql")):
        assert tsq(demo_project, "query", saved.stem).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["query", "select nope from pit.prices"], 1, "nope"),
        (["query", "drop table pit.prices"], 1, ""),
        (["query", "select 1", "--format", "xml"], 2, "unknown format"),
        (["query", "worst_drawdown_of_all"], 2, "no saved query"),
        (["query", "select * from read_text('/etc/hostname')"], 1, "disabled"),
        (["run", "--set", "top=5"], 2, "unknown knob"),
        (["run", "--set", "winsor_pct=high"], 2, "winsor_pct is float"),
        (["run", "--set", "winsor_pct"], 2, "no value"),
        (["run", "--profile", "wild"], 2, "unknown profile"),
        (["run", "--as-of", "yesterday"], 2, "is not a time"),
        (["run", "--models", "factor.low_vol"], 2, "no model is called"),
        (["ingest"], 2, "nothing to ingest"),
        (["ingest", "no/such/file.csv"], 2, ""),
        (["ingest", "--demo", "huge"], 2, "huge"),
        (["export", "pit.nothing"], 1, "nothing"),
        (["run", "--no-such-option"], 2, ""),
        (["no-such-command"], 2, ""),
    ],
)
def test_a_mistake_is_said_in_lines_and_changes_nothing(
    demo_project: Path, tsq: Tsq, arguments: list[str], code: int, said: str
) -> None:
    before = (demo_project / "warehouse/tsq.duckdb").resolve()
    done = tsq(demo_project, *arguments)
    assert done.code == code
    assert said in done.err
    assert "Traceback" not in done.err
    assert (demo_project / "warehouse/tsq.duckdb").resolve() == before


def test_export_writes_whole_files(demo_project: Path, tsq: Tsq, tmp_path: Path) -> None:
    for kind in ("csv", "parquet", "json"):
        target = tmp_path / f"sessions.{kind}"
        assert tsq(demo_project, "export", "pit.sessions", "--format", kind, "--to", str(target)).code == 0
        assert target.stat().st_size > 1000
    assert pl.read_parquet(tmp_path / "sessions.parquet").height == pl.read_csv(tmp_path / "sessions.csv").height
    assert not list(tmp_path.glob(".*"))


def test_a_factor_is_one_file(project: Path, tsq: Tsq) -> None:
    text = (project / "models/factors/low_vol.sql").read_text(encoding="utf-8")
    (project / "models/factors/my_factor.sql").write_text(text, encoding="utf-8")
    done = tsq(project, "run", "--no-report")
    assert done.code == 0, done.err
    assert rows(project, "select count(*) > 0 from signals.zscores where factor = 'my_factor'") == [(True,)]
    assert rows(project, "select count(*) > 0 from alpha.ic where factor = 'my_factor'") == [(True,)]
    assert rows(project, "select count(*) > 0 from ops.builds where carried and model = 'pit.prices'") == [(True,)]


def test_as_of_builds_from_what_was_known(project: Path, tsq: Tsq) -> None:
    (last,) = rows(project, "select max(date) from pit.sessions")[0]
    (half,) = rows(project, "select quantile_disc(date, 0.5) from pit.sessions")[0]
    done = tsq(project, "run", "--as-of", f"{half} 20:00", "--models", "pit.prices", "--no-report", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["manifest"]["as_of"].startswith(str(half))
    assert rows(project, "select max(date) from pit.prices") == [(half,)]
    assert half < last


def test_a_bad_project_stops_before_anything_is_written(project: Path, tsq: Tsq) -> None:
    before = (project / "warehouse/tsq.duckdb").resolve()
    (project / "models/factors/uphill.sql").write_text(
        "select date, security_id, score as value from signals.score", encoding="utf-8"
    )
    done = tsq(project, "run")
    assert done.code == 2
    assert "reads uphill" in done.err
    assert len(done.err.strip().splitlines()) == 3
    assert (project / "warehouse/tsq.duckdb").resolve() == before


def test_bad_files_beside_good_ones_are_refused_by_name(project: Path, tsq: Tsq, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "page.csv").write_text("<html><body>Access denied</body></html>", encoding="utf-8")
    (folder / "empty.csv").write_text("", encoding="utf-8")
    (folder / "odd.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.csv", b"0" * 300_000_000)
    done = tsq(project, "ingest", str(folder))
    assert done.code == 2
    assert "Traceback" not in done.err
    tidy = "ticker,date,open,high,low,close,volume\nAAA,2024-01-01,10,11,9,10,100\nAAA,2024-01-02,10,9,11,10,100\nAAA,2024-01-03,-1,11,9,10,100\n"
    (folder / "good.csv").write_text(tidy, encoding="utf-8")
    done = tsq(project, "ingest", str(folder), "--json")
    assert done.code == 0, done.err
    by_name = {Path(file["file"]).name: file for file in json.loads(done.out)["files"]}
    assert by_name["good.csv"]["rows_kept"] == 1
    assert by_name["good.csv"]["rows_quarantined"] == 2
    assert by_name["page.csv"]["dataset"] is None
    assert tsq(project, "run", "--models", "pit.prices", "--no-report").code == 0
    assert rows(project, "select market from ops.runs") == [("real",)]


def test_help_names_every_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tsq.cli", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "80"},
    )
    for command in ("run", "ingest", "ls", "show", "query", "export", "report"):
        assert f"\n  {command}" in done.stdout
    heavy = "import sys; import tsq.cli.main; print([m for m in ('duckdb', 'polars', 'altair', 'sqlglot') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True).stdout == "[]\n"

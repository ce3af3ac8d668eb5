"""The published warehouse as a user of the public DuckDB shell meets it, and what open shells and readers do to runs."""

from __future__ import annotations

import csv
import io
import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

Tsq = Callable[..., Any]
Shell = Callable[..., str]
ROOT = Path(__file__).parent.parent.parent
QUERIES = sorted(path.stem for path in (ROOT / "sql/queries").glob("*.sql"))
LATE = "models/kpis/compare.sql"  # nothing reads it


@pytest.fixture(scope="session")
def program() -> str:
    """The public shell, of the line of versions that users have."""
    beside = Path(sys.executable).parent
    found = shutil.which("duckdb", path=str(beside)) or shutil.which("duckdb")
    if found is None:
        pytest.skip("there is no `duckdb` command: pip install duckdb-cli")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if not version.startswith("v1.5."):
        pytest.skip(f"the `duckdb` command is {version.strip()}; the shell to hold to is 1.5")
    return found


@pytest.fixture
def shell(program: str, demo_project: Path) -> Shell:
    """Ask the published warehouse, in the project's folder, without the user's own settings."""

    def ask(*statements: str, mode: str = "-csv") -> str:
        command = [program, "-no-init", "-readonly", mode, "warehouse/tsq.duckdb"]
        asked = [part for statement in statements for part in ("-c", statement)]
        done = subprocess.run([*command, *asked], cwd=demo_project, capture_output=True, encoding="utf-8", timeout=60)
        assert done.returncode == 0, done.stderr
        assert not done.stderr
        return done.stdout

    return ask


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_table_opens_and_is_whole(shell: Shell) -> None:
    built = {row["model"]: int(row["rows"]) for row in table(shell("select model, rows from ops.builds"))}
    counts = " union all ".join(f"select '{name}' as model, count(*) as rows from {name}" for name in built)
    assert {row["model"]: int(row["rows"]) for row in table(shell(counts))} == built
    assert len(built) > 50


def test_tables_and_columns_say_what_they_are(shell: Shell) -> None:
    silent = "select schema_name || '.' || table_name as name from duckdb_tables() where comment is null"
    assert table(shell(silent)) == []
    price = "select comment from duckdb_columns() where schema_name = 'pit' and table_name = 'prices'"
    said = [row["comment"] for row in table(shell(price))]
    assert "official close, never adjusted, [inr]" in said
    assert all(said)


def test_every_table_can_be_asked_what_was_known_then(shell: Shell) -> None:
    found = table(
        shell(
            "select schema_name || '.' || function_name as name, comment from duckdb_functions() "
            "where function_type = 'table_macro' and not internal"
        )
    )
    names = [row["name"] for row in found]
    assert {"pit.prices_at", "pit.securities_at", "pit.fundamentals_at", "factors.low_vol_at"} <= set(names)
    assert all("known at as_of" in row["comment"] for row in found)
    counts = " union all ".join(
        f"select '{name}' as name, (select count(*) from {name}(timestamptz '2022-06-30 18:30:00+05:30')) as past, "
        f"(select count(*) from {name}(timestamptz '2030-01-01 00:00:00+00')) as present, "
        f"(select count(*) from {name.removesuffix('_at')}) as rows"
        for name in names
    )
    rows = {row["name"]: (int(row["past"]), int(row["present"]), int(row["rows"])) for row in table(shell(counts))}
    assert all(past <= present <= whole for past, present, whole in rows.values())
    # versions that were replaced are in force no more
    versions = table(
        shell(
            "select schema_name || '.' || table_name || '_at' as name from duckdb_columns() where column_name = 'known_to'"
        )
    )
    assert {name for name, (_, present, whole) in rows.items() if present != whole} <= {row["name"] for row in versions}
    assert 0 < rows["pit.prices_at"][0] < rows["pit.prices_at"][1]


def test_prices_appear_at_their_evening(shell: Shell) -> None:
    newest = "select max(date) as date from pit.prices_at('2022-06-30 18:{}:00+05:30')"
    assert table(shell(newest.format("29"))) == [{"date": "2022-06-29"}]
    assert table(shell(newest.format("30"))) == [{"date": "2022-06-30"}]


@pytest.mark.parametrize("name", QUERIES)
def test_a_saved_question_can_be_read(shell: Shell, name: str) -> None:
    assert shell(f".read sql/queries/{name}.sql").count("\n") >= 1


def test_answers_come_as_json(shell: Shell, demo_project: Path, tsq: Tsq) -> None:
    sql = "select date, kind, session_no from pit.sessions order by date limit 3"
    asked = json.loads(shell(sql, mode="-json"))
    assert asked == json.loads(tsq(demo_project, "query", sql, "--json").out)
    assert tsq(demo_project, "query", sql, "--json").out == tsq(demo_project, "query", sql, "--format", "json").out


def test_what_was_published_cannot_be_written(program: str, demo_project: Path) -> None:
    command = [program, "-no-init", "-readonly", "warehouse/tsq.duckdb", "-c", "create table pit.mine as select 1"]
    done = subprocess.run(command, cwd=demo_project, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode != 0
    assert "read-only" in done.stderr


def test_a_macro_gives_the_table_of_a_build_of_that_time(project: Path, tsq: Tsq) -> None:
    as_of = "2022-06-30 18:30"
    names = ["pit.securities", "pit.identities", "pit.sectors"]
    done = tsq(project, "run", "--no-report", "--as-of", as_of, "--build", "then", "--models", " ".join(names))
    assert done.code == 0, done.err
    for name in names:
        asked = f"select * from {name}_at(timestamptz '{as_of}:00+05:30') order by all"
        now = json.loads(tsq(project, "query", asked, "--json").out)
        then = tsq(project, "query", f"select * from {name} order by all", "--build", "then", "--json")
        assert now == json.loads(then.out)
        whole = json.loads(tsq(project, "query", f"select count(*) as n from {name}", "--json").out)[0]["n"]
        assert len(now) < whole or name == "pit.sectors"


@contextmanager
def open_shell(program: str, build: Path, *statements: str) -> Iterator[subprocess.Popen[str]]:
    """A shell that writes to a build and stays open."""
    build.chmod(stat.S_IRUSR | stat.S_IWUSR)
    with subprocess.Popen(
        [program, "-no-init", "-csv", str(build)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write("; ".join([*statements, "select 'ready'"]) + ";\n")
        process.stdin.flush()
        while (line := process.stdout.readline()) and "ready" not in line:
            pass
        assert process.poll() is None
        yield process
        process.stdin.close()
        process.wait(timeout=30)


def describe(project: Path, text: str) -> None:
    """Change the prose of a table that nothing reads: the next run makes another build, quickly."""
    path = project / LATE
    before, _, after = path.read_text(encoding="utf-8").rpartition("*/")
    path.write_text(f"{before}{text}\n*/{after}", encoding="utf-8")


def one_row(file: Path, sql: str) -> Any:
    with duckdb.connect(str(file), read_only=True) as con:
        ((value,),) = con.execute(sql).fetchall()
    return value


@pytest.mark.parametrize(
    "statements", [(), ("create table ops.mine as select 1 as x", "checkpoint")], ids=["looks", "writes"]
)
def test_a_shell_left_open_blocks_no_run(project: Path, tsq: Tsq, program: str, statements: tuple[str, ...]) -> None:
    pointer = project / "warehouse/tsq.duckdb"
    with open_shell(program, pointer.resolve(), *statements) as process:
        describe(project, "Said anew.")
        done = tsq(project, "run", "--no-report")
        assert done.code == 0, done.err
        assert process.poll() is None  # it is still open
    # a build that somebody wrote to is no base: everything is built anew
    assert ("tables unchanged" in done.err) is not bool(statements)
    assert one_row(pointer.resolve(), "select count(*) from duckdb_tables() where table_name = 'mine'") == 0
    assert one_row(pointer.resolve(), "select run_id from ops.runs") == pointer.resolve().stem
    assert "nothing to do" in tsq(project, "run", "--no-report").err


def test_a_build_that_a_killed_shell_wrote_to_still_opens(project: Path, tsq: Tsq, program: str) -> None:
    build = (project / "warehouse/tsq.duckdb").resolve()
    with open_shell(program, build, "create table ops.mine as select 1 as x") as process:
        process.kill()
    describe(project, "Said anew.")
    assert tsq(project, "run", "--no-report").code == 0
    assert json.loads(tsq(project, "query", "select count(*) as n from ops.runs", "--json").out) == [{"n": 1}]


READER = """
import sys
import time
from pathlib import Path
import duckdb

pointer, stop = Path(sys.argv[1]), Path(sys.argv[2])
seen = []
ending = False
while not ending:
    ending = stop.exists()  # one more look, at what was published last
    with duckdb.connect(str(pointer), read_only=True) as con:
        runs = con.execute("select run_id, rows from ops.runs").fetchall()
        tables = con.execute("select sum(rows), count(*) from ops.builds").fetchall()
        held = con.execute("select count(*) from kpis.summary").fetchall()
        told = con.execute("select rows from ops.builds where model = 'kpis.summary'").fetchall()
        ((path,),) = con.execute("select path from duckdb_databases() where not internal").fetchall()
    assert len(runs) == 1, runs
    assert runs[0][1] == tables[0][0], (runs, tables)
    assert held == told, (held, told)
    if Path(path).name != pointer.name:
        assert Path(path).stem == runs[0][0], (path, runs)
    if not seen or seen[-1] != runs[0][0]:
        seen.append(runs[0][0])
    time.sleep(0.02)
print(" ".join(seen))
"""


def test_readers_see_whole_builds_only(project: Path, tsq: Tsq, tmp_path: Path) -> None:
    pointer, stop = project / "warehouse/tsq.duckdb", tmp_path / "stop"
    published = [pointer.resolve().stem]
    arguments = [sys.executable, "-c", READER, str(pointer), str(stop)]
    readers = [subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for number in range(3):
        describe(project, f"Said {number}.")
        assert tsq(project, "run", "--no-report").code == 0
        published.append(pointer.resolve().stem)
    stop.touch()
    for reader in readers:
        out, err = reader.communicate(timeout=60)
        assert reader.returncode == 0, err
        seen = out.split()
        assert [run for run in published if run in seen] == seen  # each in its turn, none twice
        assert seen[-1] == published[-1]

"""One graph of 20 models, a million price rows and 13 checks: tsq beside bare DuckDB, dbt-duckdb and SQLMesh.

`python -m benchmarks.modelgraph.bench --rounds 5 [--dbt PATH] [--sqlmesh PATH]` (or the environment's DBT and SQLMESH,
each the command of a venv of its own). Scenarios: help, import, full_cold (no project cache), full_warm, noop, tests
(the checks only), edit_leafward (a constant in `signals.alpha`: 5 models rebuild), edit_comment (none need to).
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import measure, projects
from benchmarks.measure import DATA, Cost, Side
from benchmarks.modelgraph import data, peers

HERE = Path(__file__).parent
TSQ = Path(sys.executable).parent / "tsq"
SCENARIOS = ("help", "import", "full_cold", "full_warm", "noop", "tests", "edit_leafward", "edit_comment")
CONSTANT = "0.4 * coalesce"
Sides = dict[str, Side]


def prepare() -> None:
    """Write the data and every engine's project."""
    files = data.write(DATA / "modelgraph" / "sources")
    root = DATA / "modelgraph" / "tsq"
    projects.lay_out(HERE / "project", root)
    projects.fill_lake(root, files, "(date + interval 13 hour)")
    graph = projects.load(root)
    projects.write_script(graph, root / "bare.sql")
    for name, write in {"dbt": peers.write_dbt, "sqlmesh": peers.write_sqlmesh}.items():
        shutil.rmtree(DATA / "modelgraph" / name, ignore_errors=True)
        write(graph, files, DATA / "modelgraph" / name)


def tsq_column(root: Path) -> Sides:
    """Tsq: one command for everything; checks alone run when only a promise changes."""
    alpha = root / "models" / "signals" / "alpha.sql"
    run = [TSQ, "run", "--no-report", "--project", root]
    promises = {path: path.read_text(encoding="utf-8") for path in root.glob("models/*/*.sql")}
    turns = itertools.count()

    def forget() -> None:
        projects.forget(root)
        shutil.rmtree(root / "warehouse" / ".cache", ignore_errors=True)

    def change_promises() -> None:
        turn = next(turns)
        for path, text in promises.items():
            path.write_text(text.replace("\n---\n", f"\n---\nPromised {turn}.\n", 1), encoding="utf-8")

    return {
        "help": Side([TSQ, "--help"]),
        "import": Side([sys.executable, "-c", "import tsq.cli.main"]),
        "full_cold": Side(run, before=forget),
        "full_warm": Side(run, before=lambda: projects.forget(root)),
        "noop": Side(run),
        "tests": Side(run, before=change_promises),
        "edit_leafward": Side(run, before=constant(alpha)),
        "edit_comment": Side(run, before=comment(alpha)),
    }


def bare_column(root: Path) -> Sides:
    """The same SQL in one connection: the floor of a full build."""
    full = Side([sys.executable, projects.BARE, root / "bare.sql", DATA / "modelgraph" / "bare.duckdb"])
    return {"import": Side([sys.executable, "-c", "import duckdb"]), "full_cold": full, "full_warm": full}


def dbt_column(dbt: str, root: Path) -> Sides:
    """dbt-duckdb: it skips what is unchanged only when told to compare with a saved state."""
    alpha = root / "models" / "signals__alpha.sql"
    options = ["--profiles-dir", "."]
    build = [dbt, "--quiet", "build", *options]
    changed = [*build, "--select", "state:modified+", "--state", "before"]

    def forget() -> None:
        (root / "bench.duckdb").unlink(missing_ok=True)

    def forget_all() -> None:
        forget()
        shutil.rmtree(root / "target", ignore_errors=True)

    def keep_state() -> None:
        if not (root / "before").exists():
            (root / "before").mkdir()
            shutil.copyfile(root / "target" / "manifest.json", root / "before" / "manifest.json")

    def after_state(edit: Callable[[], None]) -> Callable[[], None]:
        def before() -> None:
            keep_state()
            edit()

        return before

    return {
        "help": Side([dbt, "--help"]),
        "import": Side([Path(dbt).parent / "python", "-c", "import dbt.cli.main"]),
        "full_cold": Side(build, before=forget_all, folder=root),
        "full_warm": Side(build, before=forget, folder=root),
        "noop": Side(changed, before=keep_state, folder=root),
        "tests": Side([dbt, "--quiet", "test", *options], folder=root),
        "edit_leafward": Side(changed, before=after_state(constant(alpha)), folder=root),
        "edit_comment": Side(changed, before=after_state(comment(alpha)), folder=root),
    }


def sqlmesh_column(sqlmesh: str, root: Path) -> Sides:
    """SQLMesh: state and tables in one file, a plan applied without questions."""
    alpha = root / "models" / "signals__alpha.sql"
    plan = [sqlmesh, "plan", "--auto-apply", "--no-prompts"]

    def forget() -> None:
        (root / "bench.duckdb").unlink(missing_ok=True)

    def forget_all() -> None:
        forget()
        shutil.rmtree(root / ".cache", ignore_errors=True)

    return {
        "help": Side([sqlmesh, "--help"]),
        "import": Side([Path(sqlmesh).parent / "python", "-c", "import sqlmesh"]),
        "full_cold": Side(plan, before=forget_all, folder=root),
        "full_warm": Side(plan, before=forget, folder=root),
        "noop": Side(plan, folder=root),
        "tests": Side([sqlmesh, "audit"], folder=root),
        "edit_leafward": Side(plan, before=constant(alpha), folder=root),
        "edit_comment": Side(plan, before=comment(alpha), folder=root),
    }


def constant(path: Path) -> Callable[[], None]:
    """Give one constant a value it never had."""
    turns = itertools.count(1)
    text = path.read_text(encoding="utf-8")

    def edit() -> None:
        path.write_text(text.replace(CONSTANT, f"0.4{next(turns):03d} * coalesce"), encoding="utf-8")

    return edit


def comment(path: Path) -> Callable[[], None]:
    """Append a comment."""
    turns = itertools.count(1)

    def edit() -> None:
        text = path.read_text(encoding="utf-8")
        path.write_text(f"{text}-- note {next(turns)}\n", encoding="utf-8")

    return edit


def main() -> None:
    """Parse, run, print, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scenarios", nargs="+", default=SCENARIOS, choices=SCENARIOS)
    parser.add_argument("--dbt", default=os.environ.get("DBT"))
    parser.add_argument("--sqlmesh", default=os.environ.get("SQLMESH"))
    wanted = parser.parse_args()
    measure.apart(prepare)
    folder = DATA / "modelgraph"
    columns = {"tsq": tsq_column(folder / "tsq"), "bare": bare_column(folder / "tsq")}
    if wanted.dbt:
        columns["dbt"] = dbt_column(wanted.dbt, folder / "dbt")
    if wanted.sqlmesh:
        columns["sqlmesh"] = sqlmesh_column(wanted.sqlmesh, folder / "sqlmesh")
    costs: dict[str, dict[str, list[Cost]]] = {}
    for scenario in wanted.scenarios:
        several = {name: sides[scenario] for name, sides in columns.items() if scenario in sides}
        costs[scenario] = measure.rounds(several, wanted.rounds)
        print(f"\n{scenario}\n\n{measure.table(costs[scenario])}", flush=True)
    print(f"\n| CPU s, median of {wanted.rounds} | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for scenario, each in costs.items():
        cells = [f"{measure.median(each[name]).cpu:.2f}" if name in each else "-" for name in columns]
        print(f"| {scenario} | {' | '.join(cells)} |")
    measure.save("modelgraph", costs)


if __name__ == "__main__":
    main()

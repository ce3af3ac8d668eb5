"""The default demo from nothing to report, a process for each step, then again as the one command a user types.

`python -m benchmarks.demo` works on a copy of the project in a folder of its own: make the market, ingest it, run every
model (seconds of each), write the report; then `tsq run` on an empty warehouse, which does all of that.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from benchmarks import measure, projects
from benchmarks.measure import DATA, Cost, Side

TSQ = Path(sys.executable).parent / "tsq"
PARTS = ("models", "sql", "config", "reports/pages")
SLOWEST = 20

MAKE = """
import sys, pathlib
from tsq.ingest.demo import write_demo
write_demo(pathlib.Path(sys.argv[1]), size=sys.argv[2])
"""
LOAD = """
import sys, pathlib
from tsq.cli import workspace
from tsq.ingest.batch import ingest
ingest([pathlib.Path(sys.argv[2])], workspace.demo_lake(workspace.load_graph(pathlib.Path(sys.argv[1]))))
"""


def fresh(root: Path) -> None:
    """A copy of the project that never ran."""
    shutil.rmtree(root, ignore_errors=True)
    for part in PARTS:
        shutil.copytree(projects.ROOT / part, root / part)


def steps(root: Path) -> dict[str, Side]:
    """The parts of the one command, in order."""
    files = root / "warehouse" / "demo" / "files"
    return {
        "make the market": Side([sys.executable, "-c", MAKE, files, "default"]),
        "ingest": Side([sys.executable, "-c", LOAD, root, files]),
        "models": Side([TSQ, "run", "--no-report", "--project", root]),
        "report": Side([TSQ, "report", "--project", root]),
        "nothing to do": Side([TSQ, "run", "--project", root]),
        "all in one command": Side([TSQ, "run", "--project", root], before=lambda: fresh(root)),
    }


def slowest(root: Path) -> list[dict[str, object]]:
    """Models of the published build with their seconds, slowest first."""
    manifests = sorted((root / "warehouse" / "builds").glob("*.json"))
    models = json.loads(manifests[-1].read_text(encoding="utf-8"))["models"]
    kept = [{name: model[name] for name in ("name", "rows", "seconds")} for model in models]
    return sorted(kept, key=lambda model: -model["seconds"])


def main() -> None:
    """Run, print, save."""
    root = DATA / "demo"
    fresh(root)
    costs: dict[str, list[Cost]] = {}
    for name, side in steps(root).items():
        costs[name] = [measure.once(side)]
    models = slowest(root)
    print(measure.table(costs))
    print(f"\n| model ({len(models)}, slowest {SLOWEST}) | rows | s |\n|---|---|---|")
    for model in models[:SLOWEST]:
        print(f"| {model['name']} | {model['rows']:,} | {model['seconds']:.2f} |")
    print(f"| all | | {sum(model['seconds'] for model in models):.2f} |")
    measure.save("demo", {"steps": costs, "models": models})


if __name__ == "__main__":
    main()

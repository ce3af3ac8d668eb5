"""What proof and versions cost: the audit, and a run as of an earlier time, beside a build of everything.

`python -m benchmarks.point_in_time` uses copies of the project on the small and the default demo market;
`--real FOLDER` adds a project with real data (`benchmarks.real_market` loads one), of which the audit takes a sample.
Each side starts from the same published build; the runs build all tables aside, under a name.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from benchmarks import measure, projects
from benchmarks.demo import PARTS, TSQ
from benchmarks.measure import DATA, Side

# The last session but one of the demo market, and of the real panel: nearly all of the data.
LATE = "2023-12-28 20:00"


def demo(size: str) -> Path:
    """A copy of the project with a demo market of this size, built and published."""
    root = DATA / f"point_in_time_{size}"
    shutil.rmtree(root, ignore_errors=True)
    for part in PARTS:
        shutil.copytree(projects.ROOT / part, root / part)
    measure.once(Side([TSQ, "ingest", "--demo", size, "--project", root]))
    measure.once(Side([TSQ, "run", "--no-report", "--project", root]))
    return root


def sides(root: Path) -> dict[str, Side]:
    """Everything built anew, the same as of the last session but one, and the audit of what is published."""
    everything = [TSQ, "run", "--no-report", "--full-refresh", "--project", root]
    return {
        "build everything": Side([*everything, "--build", "whole"]),
        "the same, as of the session before": Side([*everything, "--build", "before", "--as-of", LATE]),
        "audit": Side([TSQ, "audit", "--project", root]),
        "audit --plant": Side([TSQ, "audit", "--plant", "--project", root]),
    }


def main() -> None:
    """Run, print, save."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--real", type=Path, help="a project with real data, built and published")
    asked = parser.parse_args()
    roots = {"small demo": demo("small"), "default demo": demo("default")}
    if asked.real:
        roots["real panel"] = asked.real
    results = {}
    for name, root in roots.items():
        results[name] = measure.rounds(sides(root), asked.rounds, warm_up=False)
        print(f"\n{name}\n\n{measure.table(results[name], against='build everything')}", flush=True)
    measure.save("point_in_time", results)


if __name__ == "__main__":
    main()

"""The canonical pipeline from nothing: tsq, the same SQL bare in one DuckDB connection, and the users' stack.

Dedupe, returns, six daily factors, universe, scores, IC, quantiles, NAV, key figures over 20 years:
`python -m benchmarks.pipeline.bench --securities 200 2000 --rounds 3 --stack PYTHON --memory-limit 512MB`. The bare
side has plain sums instead of bit-stable ones and no checks; tsq's time is a whole process, publish and manifest
included. With two or more sizes, the growth exponent of CPU seconds over rows is fitted.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from pathlib import Path

from benchmarks import measure, projects
from benchmarks.measure import DATA, Cost, Side
from benchmarks.pipeline import panel

HERE = Path(__file__).parent
KNOWN_AT = "(date + interval 13 hour)"
TSQ = Path(sys.executable).parent / "tsq"


def prepare(n: int) -> Path:
    """Generate the panel unless it is there, and lay out both projects anew."""
    folder = DATA / f"panel_{n}"
    panel.write(n, folder)
    files = {name: folder / f"{name}.parquet" for name in ("prices", "sectors")}
    stable = projects.ROOT / "sql" / "macros" / "stable.sql"
    for name, macros in {"stable": [stable], "plain": sorted((HERE / "plain").glob("*.sql"))}.items():
        projects.lay_out(HERE / "project", folder / name, macros)
        projects.fill_lake(folder / name, files, KNOWN_AT)
    projects.write_script(projects.load(folder / "plain"), folder / "bare.sql")
    return folder


def sides(folder: Path, stack: str | None, memory_limit: str | None) -> dict[str, Side]:
    """The commands to compare."""
    root = folder / "stable"
    run = [TSQ, "run", "--no-report", "--project", root]
    bare = [sys.executable, projects.BARE, folder / "bare.sql", folder / "bare.duckdb"]
    found = {
        "bare": Side(bare),
        "tsq": Side(run, before=lambda: projects.forget(root)),
    }
    if memory_limit:
        found[f"tsq {memory_limit}"] = Side(
            [*run, "--memory-limit", memory_limit], before=lambda: projects.forget(root)
        )
    if stack:
        found["stack"] = Side([stack, "-W", "ignore", HERE / "stack.py", folder])
    return found


def exponent(costs: dict[int, dict[str, list[Cost]]], side: str) -> float:
    """Slope of log CPU seconds over log securities, first size to last."""
    sizes = sorted(costs)
    first, last = (measure.median(costs[size][side]).cpu for size in (sizes[0], sizes[-1]))
    return math.log(last / first) / math.log(sizes[-1] / sizes[0])


def main() -> None:
    """Parse, run, print, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--securities", type=int, nargs="+", default=[200])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--stack", default=os.environ.get("STACK_PYTHON"), help="Python with pandas, alphalens, vectorbt"
    )
    parser.add_argument("--memory-limit", help="one more side: tsq under this limit")
    parser.add_argument("--no-warm-up", action="store_true")
    wanted = parser.parse_args()
    costs: dict[int, dict[str, list[Cost]]] = {}
    for n in wanted.securities:
        folder = measure.apart(prepare, n)
        several = sides(folder, wanted.stack, wanted.memory_limit)
        costs[n] = measure.rounds(several, wanted.rounds, warm_up=not wanted.no_warm_up)
        print(f"\n{n} securities × 20 years, {wanted.rounds} rounds\n\n{measure.table(costs[n], 'bare')}", flush=True)
    growth = {side: exponent(costs, side) for side in ("bare", "tsq")} if len(costs) > 1 else {}
    for side, slope in growth.items():
        print(f"growth of {side}: CPU seconds ∝ securities^{slope:.3f}")
    measure.save("pipeline", {"securities": costs, "growth": growth})


if __name__ == "__main__":
    main()

"""What one more portfolio costs: `tsq compare` of 1, 2, 10, 50 and 100 variants on one universe, in one pass each.

`python -m benchmarks.variants` makes the demo market in a copy of the project, runs all of it once, and then compares
more and more variants, each time from the published build, so that everything upstream is shared. It says what each
comparison cost in CPU seconds, the cost of the hundredth variant (the slope between 50 and 100) against that of the
first, and which tables it goes to. `--lake FOLDER` reads a loaded lake of real data instead of the demo market.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from itertools import islice, product
from pathlib import Path

from benchmarks import measure
from benchmarks.demo import TSQ, fresh
from benchmarks.measure import DATA, Cost, Side

STEPS = (1, 2, 10, 50, 100)
MOST = 15


def variants(optimisers: list[str]) -> Iterator[tuple[str, dict[str, object]]]:
    """Portfolios of one universe that differ in what they hold, when, how it is weighed and from how long a past."""
    shared = {"blend": "core", "sector_cap": 0.3, "capital_inr": 1e7, "benchmark": "NIFTY 100, DEMO 100"}
    axes = product((252, 126), (25, 15, 20, 30, 40), (0.1, 0.08), ("ME", "QE"), optimisers)
    for look_back, top_n, name_cap, rebalance, optimiser in axes:
        name = f"{optimiser}_{look_back}_{top_n}_{round(100 * name_cap)}_{rebalance}"
        choice = {"look_back_sessions": look_back, "top_n": top_n, "name_cap": name_cap, "rebalance": rebalance}
        yield name, {**shared, **choice, "optimiser": optimiser}


def write(root: Path, count: int, optimisers: list[str]) -> Path:
    """The first so many variants as a file of portfolios."""
    path = root / f"variants-{count}.yml"
    rows = [f"{name}: {json.dumps(row)}\n" for name, row in islice(variants(optimisers), count)]
    if len(rows) < count:
        sys.exit(f"these optimisers make only {len(rows)} variants: name more of them")
    path.write_text("".join(rows), encoding="utf-8")
    return path


def seconds(root: Path, build: str) -> dict[str, float]:
    """Model → wall seconds, of those that the build made itself."""
    folder = root / "warehouse" / "builds"
    run_id = (folder / f"{build}.ref").read_text(encoding="utf-8").strip()
    manifest = json.loads((folder / f"{run_id}.json").read_text(encoding="utf-8"))
    return {model["name"]: model["seconds"] for model in manifest["models"] if model["run_id"] == run_id}


def compare(root: Path, count: int, optimisers: list[str]) -> tuple[Cost, dict[str, float]]:
    """Compare so many variants, from the published build."""
    file, build = write(root, count, optimisers), f"variants-{count}"
    for old in (root / "warehouse" / "builds").glob("variants-*.ref"):
        old.unlink()  # else it would be the nearest build to start from
    cost = measure.once(Side([TSQ, "compare", "--file", file, "--build", build, "--json", "--project", root]))
    return cost, seconds(root, build)


def slope(costs: Mapping[int, Cost], first: int, last: int) -> float:
    """CPU seconds of one variant more, between two numbers of them."""
    return (costs[last].cpu - costs[first].cpu) / (last - first)


def main() -> None:
    """Run, print, save."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", default="default", help="demo market: small or default")
    parser.add_argument("--lake", type=Path, help="a loaded lake of real data")
    parser.add_argument("--optimisers", nargs="+", default=["equal_weight", "min_variance", "risk_parity"])
    options = parser.parse_args()
    root = DATA / "variants"
    fresh(root)
    (root / "warehouse").mkdir()
    if options.lake:
        (root / "warehouse" / "raw").symlink_to(options.lake.resolve())
    else:
        measure.once(Side([TSQ, "ingest", "--demo", options.size, "--project", root]))
    costs = {"all of it, once": [measure.once(Side([TSQ, "run", "--no-report", "--project", root]))]}
    found: dict[int, Cost] = {}
    models: dict[int, dict[str, float]] = {}
    for count in STEPS:
        found[count], models[count] = compare(root, count, options.optimisers)
        costs[f"{count} variants"] = [found[count]]
    one, hundredth = found[1].cpu, slope(found, 50, 100)
    print(measure.table(costs))
    print(f"\nload {os.getloadavg()[0]:.1f}; optimisers {', '.join(options.optimisers)}")
    print(f"the first {one:.2f} CPU s; one more at 10 {slope(found, 2, 10):.3f}, the hundredth {hundredth:.3f} CPU s")
    print(f"the hundredth costs {hundredth / one:.1%} of the first")
    more = {name: (models[100][name] - models[1].get(name, 0.0)) / 99 for name in models[100]}
    print(f"\n| model (most of {len(more)}) | s with 1 | s with 100 | s a variant more |\n|---|---|---|---|")
    for name in sorted(more, key=lambda name: -more[name])[:MOST]:
        print(f"| {name} | {models[1].get(name, 0.0):.2f} | {models[100][name]:.2f} | {more[name]:.3f} |")
    measure.save("variants", {"costs": costs, "models": models, "first": one, "hundredth": hundredth})
    shutil.rmtree(root)


if __name__ == "__main__":
    main()

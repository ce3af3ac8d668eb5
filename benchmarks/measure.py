"""Run commands as child processes and say what they cost: wall seconds, CPU seconds (user + system) and peak memory.

Sides of a comparison run interleaved, a warm-up first, in one session: on a machine that others use too, trust CPU
seconds and the ratio of neighbours, not wall seconds from another day.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
HERE = Path(__file__).parent
DATA = HERE / "data"
OUT = HERE / "out"


@dataclass(frozen=True)
class Cost:
    """What one child cost; memory in MB."""

    wall: float
    cpu: float
    rss: float


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a command, and what to do before it, untimed."""

    command: Sequence[str | Path]
    before: Callable[[], None] = lambda: None
    folder: Path = HERE
    env: Mapping[str, str] | None = None


def apart(function: Callable[..., T], *arguments: object) -> T:
    """Call a function in a process of its own: a child's peak memory is never less than its parent's was."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def once(side: Side) -> Cost:
    """Run a side once; a failing child ends the benchmark with its last words."""
    side.before()
    OUT.mkdir(exist_ok=True)
    said = OUT / f"child-{os.getpid()}.log"
    with said.open("wb") as log:
        clock = time.perf_counter()
        child = subprocess.Popen(
            [str(part) for part in side.command],
            cwd=side.folder,
            env={**os.environ, **(side.env or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - clock
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"failed: {side.command}\n{said.read_text(encoding='utf-8')[-3000:]}")
    said.unlink()
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def rounds(sides: Mapping[str, Side], n: int, *, warm_up: bool = True) -> dict[str, list[Cost]]:
    """Run every side `n` times, interleaved, after one warm-up round that is thrown away."""
    costs: dict[str, list[Cost]] = {name: [] for name in sides}
    for turn in range(-1 if warm_up else 0, n):
        for name, side in sides.items():
            cost = once(side)
            if turn >= 0:
                costs[name].append(cost)
    return costs


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each measure; peak memory is the largest."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        max(cost.rss for cost in costs),
    )


def table(costs: Mapping[str, Sequence[Cost]], against: str | None = None) -> str:
    """A Markdown table of medians, with ratios to one of the sides."""
    base = median(costs[against]) if against else None
    lines = ["| | wall s | spread | CPU s | peak MB |" + (f" wall ÷ {against} | CPU ÷ {against} |" if base else "")]
    lines.append("|---|---|---|---|---|" + ("---|---|" if base else ""))
    for name, several in costs.items():
        middle = median(several)
        walls = [cost.wall for cost in several]
        line = (
            f"| {name} | {middle.wall:.2f} | {min(walls):.2f}–{max(walls):.2f} | {middle.cpu:.2f} | {middle.rss:.0f} |"
        )
        lines.append(line + (f" {middle.wall / base.wall:.2f} | {middle.cpu / base.cpu:.2f} |" if base else ""))
    return "\n".join(lines)


def save(name: str, results: Mapping[str, object]) -> Path:
    """Write results as JSON under `out/`; costs become mappings."""
    OUT.mkdir(exist_ok=True)
    path = OUT / f"{name}.json"
    path.write_text(json.dumps(results, indent=1, default=asdict), encoding="utf-8")
    return path

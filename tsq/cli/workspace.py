"""What several commands need: the project, its graph, its lake, and times as people write them."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from tsq import config
from tsq.config import Project
from tsq.engine import catalog
from tsq.engine import compile as compiler
from tsq.engine import graph as graphs
from tsq.engine.graph import Graph
from tsq.engine.lake import Lake
from tsq.errors import TsqError

INDIA = ZoneInfo("Asia/Kolkata")


@dataclass(frozen=True)
class Market:
    """The lake a command works on: real data once there is any, the demo market before."""

    lake: Lake
    kind: Literal["demo", "real"]


def load_graph(root: Path | None, sets: Iterable[str] = (), profile: str | None = None) -> Graph:
    """Read, render and check a whole project; nothing is written but a cache.

    Raises:
        TsqError: the first mistake in it.
    """
    return graph_of(config.load(root, sets=sets, profile=profile))


def graph_of(project: Project) -> Graph:
    """Read, render and check a project whose knobs are set; raises as `load_graph`."""
    found = catalog.read(project)
    memory = project.cache / "compiled.json"
    return graphs.build(found, compiler.compile_catalog(found, memory))


def real_lake(graph: Graph) -> Lake:
    """The lake of real data."""
    return Lake(graph.catalog.project.warehouse / "raw", graph.catalog.raw)


def demo_lake(graph: Graph) -> Lake:
    """The demo market's lake, which never mixes with real data."""
    return Lake(graph.catalog.project.warehouse / "demo" / "raw", graph.catalog.raw)


def market(graph: Graph) -> Market:
    """Real data if any was loaded, else the demo market."""
    lake = real_lake(graph)
    return Market(lake, "real") if lake.batches() else Market(demo_lake(graph), "demo")


def parse_time(text: str) -> dt.datetime:
    """Read a time; without a zone it is Asia/Kolkata, and a bare date is the end of that day.

    Raises:
        TsqError: the text is no time.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise TsqError(
            f"{text!r} is not a time", hint="write 2023-06-30, or '2023-06-30 18:00' (Asia/Kolkata)"
        ) from None
    if len(text) == len("2023-06-30"):
        moment = moment.replace(hour=23, minute=59, second=59)
    return moment if moment.tzinfo else moment.replace(tzinfo=INDIA)


def in_india(text: str) -> str:
    """A time of a manifest as a person writes it: 2023-06-30 18:00, Asia/Kolkata."""
    return f"{dt.datetime.fromisoformat(text).astimezone(INDIA):%Y-%m-%d %H:%M}"


def shown(path: Path, project: Project) -> str:
    """A path as the user would type it: relative to here or to the project where that is shorter."""
    for base in (Path.cwd(), project.root):
        if path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    return str(path)


def say(text: str) -> None:
    """A line for people, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()

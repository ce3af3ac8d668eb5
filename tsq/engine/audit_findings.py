"""What an audit found, and where: the first failing table of each chain, its file, and the line of the column."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsq.engine.audit_compare import Compared
from tsq.engine.compile import Compiled
from tsq.engine.graph import Graph, reach

PROOFS = ("declared", "truncate", "perturb", "load order", "known_at", "replay")


@dataclass(frozen=True)
class Build:
    """A build that was compared with the whole one.

    Attributes:
        proof: truncate, perturb or load order.
        said: what it is, for people.
        moment: until when it knows the same as the whole build; None where it knows all of it.
        cut: the day of that moment.
    """

    database: str
    proof: str
    said: str
    moment: dt.datetime | None = None
    cut: dt.date | None = None


@dataclass(frozen=True)
class Finding:
    """Something that is not point in time.

    Attributes:
        proof: which of `PROOFS` found it.
        table: the culprit: all it is made of is clean.
        place: its file, with the line of the first column that differs.
        said: what is wrong, in a sentence.
        cut: the day whose evening ended the data; None where none did.
        compared: how its rows differ, where rows were compared.
        also: in how many other builds it failed.
        downstream: tables that failed as well and are made of it.
    """

    proof: str
    table: str
    file: Path
    line: int
    said: str
    cut: dt.date | None = None
    compared: Compared | None = None
    also: int = 0
    downstream: tuple[str, ...] = ()


@dataclass(frozen=True)
class Undated:
    """A dataset with rows that the lake holds without a date of knowledge, and the models that are made of it.

    Attributes:
        direct: models that read it themselves.
        behind: models that read those, as far as the graph goes.
    """

    dataset: str
    rows: int
    direct: tuple[str, ...]
    behind: tuple[str, ...]


def culprits(graph: Graph, results: Mapping[Build, Mapping[str, Compared]]) -> list[Finding]:
    """One finding for each table that fails in some build in which all it is made of is clean."""
    nodes = graph.nodes
    made_of = {name: tuple(read for read in node.own_reads if read in nodes) for name, node in nodes.items()}
    above = {name: reach([name], made_of) for name in graph.nodes}
    failing = {
        build: [name for name in graph.nodes if name in tables and tables[name].differing]
        for build, tables in results.items()
    }
    findings = []
    for name, node in graph.nodes.items():
        builds = [build for build, failed in failing.items() if name in failed and above[name].isdisjoint(failed)]
        if not builds:
            continue
        build = builds[0]
        compared = results[build][name]
        behind = tuple(other for other in failing[build] if name in above[other])
        line, said = line_of(node, _column(compared)), _said(compared, build)
        also = len(builds) - 1
        findings.append(Finding(build.proof, name, node.model.path, line, said, build.cut, compared, also, behind))
    return findings


def line_of(node: Compiled, column: str | None) -> int:
    """The line of a model's file on which a column is made: where it is named last; else, where the body begins."""
    if column:
        lines = node.model.path.read_text(encoding="utf-8").splitlines()
        first = node.model.body_line if node.model.language == "sql" else 1
        for pattern in (rf"\bas\s+\"?{re.escape(column)}\"?\b", rf"\b{re.escape(column)}\b"):
            found = [
                number for number, line in enumerate(lines, 1) if number >= first and re.search(pattern, line, re.I)
            ]
            if found:
                return found[-1]
    return node.model.body_line


def _column(compared: Compared) -> str | None:
    return next(iter(compared.differing.columns), None) if compared.differing else None


def _said(compared: Compared, build: Build) -> str:
    found = compared.differing
    if found is None:
        return ""
    parts = [f"{count:,} values of {name}" for name, count in list(found.columns.items())[:3]]
    if len(found.columns) > 3:
        parts.append(f"{len(found.columns) - 3} more columns")
    if found.only_now:
        parts.append(f"{found.only_now:,} rows that were not there then")
    if found.only_then:
        parts.append(f"{found.only_then:,} rows that are not there any more")
    why = {
        "truncate": "differ from what a build without the future says",
        "perturb": "move when the future is another one",
        "load order": "depend on the order or the number of times data was loaded",
    }
    return f"{', '.join(parts)} {why[build.proof]}"

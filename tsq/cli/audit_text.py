"""What an audit found, for people: a table on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from tsq.cli import workspace
from tsq.cli.grid import grid
from tsq.config import Project
from tsq.engine.audit import Audit, Step
from tsq.engine.audit_build import Sample
from tsq.engine.audit_compare import Differing
from tsq.engine.audit_findings import Finding
from tsq.engine.audit_plants import Planted
from tsq.engine.audit_replay import Replayed
from tsq.engine.plan import Plan

_MOST_NAMES = 6
_MOST_VALUES = 3
_OTHERWISE = {
    "truncate": "without the future",
    "perturb": "with another future",
    "load order": "loaded otherwise",
}


def opening(tables: int, plan: Plan, whole: Path | None) -> str:
    """What is audited, and what it is compared with."""
    market = "the demo market" if plan.inputs.market == "demo" else "real data"
    when = f"{plan.inputs.as_of.astimezone(workspace.INDIA):%Y-%m-%d %H:%M} IST" if plan.inputs.as_of else ""
    source = f"the published build {whole.stem}" if whole else "a build made aside"
    return f"audit of {tables} tables of {market} as of {when}, held to {source}"


def sample(kept: Sample) -> str:
    """What was left out of a large lake."""
    return (
        f"sampled: {kept.rows:,} of {kept.rows_before:,} rows of {kept.dataset}, those of one in {kept.one_in} of its "
        f"values of {kept.column}; --sample 0 takes all"
    )


def step(done: Step) -> str:
    """One proof that ended."""
    verdict = f"{done.failed} failed" if done.failed else "holds"
    what = f"{done.proof:<11}{done.said:<58}"
    return f"{what}{done.tables:>4} tables {done.rows:>11,} rows {done.seconds:>7.1f} s  {verdict}"


def planted(plant: Planted) -> str:
    """One leak that was planted."""
    return f"planted    {plant.leak:<16}{plant.model:<34}{_caught(plant)}"


def show(found: Audit, replayed: Replayed | None, passed: bool, seconds: float, project: Project) -> None:
    """Write the result on stdout."""
    heads = ("proof", "what was tried", "tables", "rows", "not yet", "failed")
    rows = [_cells(done) for done in found.steps]
    if replayed:
        rows.append(("replay", *_replay(replayed)))
    _table(heads, rows, right={2, 3, 4, 5})
    if found.planted:
        typer.echo("")
        listed = [(plant.leak, plant.model, plant.said, _caught(plant)) for plant in found.planted]
        _table(("leak", "planted in", "what was changed", "caught by"), listed)
    for finding in found.findings:
        typer.echo("")
        for line in _finding(finding, project):
            typer.echo(line)
    for line in _remarks(found):
        typer.echo(line)
    typer.echo("")
    typer.echo(_verdict(found, replayed, passed, seconds))


def _cells(done: Step) -> tuple[str, ...]:
    skipped = f"{done.skipped:,}" if done.skipped else ""
    return done.proof, done.said, f"{done.tables}", f"{done.rows:,}" if done.rows else "", skipped, f"{done.failed}"


def _replay(replayed: Replayed) -> tuple[str, ...]:
    if replayed.run_id is None or replayed.as_of is None:
        others = f"; {replayed.skipped} of other models or settings" if replayed.skipped else ""
        return f"no run of an earlier time is kept that the models of today made{others}", "", "", "", "0"
    when = f"{replayed.as_of.astimezone(workspace.INDIA):%Y-%m-%d %H:%M}"
    skipped = f"; {replayed.skipped} of other models skipped" if replayed.skipped else ""
    said = f"{replayed.run_id} as of {when} again, hash for hash{skipped}"
    return said, f"{replayed.tables}", "", "", f"{len(replayed.different)}"


def _finding(finding: Finding, project: Project) -> Iterator[str]:
    yield f"✗ {finding.table}   {workspace.shown(finding.file, project)}:{finding.line}"
    yield f"  {finding.proof}: {finding.said}"
    if finding.compared and finding.compared.differing:
        differing = finding.compared.differing
        first = f"first bad date {differing.first}, " if differing.first else ""
        cut = f"cut at the evening of {finding.cut}, " if finding.cut else ""
        yield (f"  {first}{cut}{finding.compared.rows:,} rows compared, {finding.compared.skipped:,} not knowable yet")
        yield from _example(differing, finding.proof)
    if finding.also:
        yield f"  fails in {finding.also} more build{'s' if finding.also > 1 else ''}"
    if finding.downstream:
        yield f"  {len(finding.downstream)} tables made of it fail with it: {_names(finding.downstream)}"


def _example(differing: Differing, proof: str) -> Iterator[str]:
    example, other = differing.example, _OTHERWISE[proof]
    key = _values(example.key, list(example.key)[:6])
    if example.then is None or example.now is None:
        there = f"there, {other} it is not" if example.then is None else f"not there, {other} it is"
        yield f"  for example: {key}: the row is {there}"
        return
    told = [
        f"{name} is {_value(example.now[name])}, {other} {_value(example.then[name])}"
        for name in differing.columns
        if example.then[name] != example.now[name]
    ]
    yield f"  for example: {key}: {'; '.join(told[:_MOST_VALUES])}"


def _remarks(found: Audit) -> Iterator[str]:
    if found.lag:
        yield "\ndecisions one session later"
        heads = ("of", "measure", "as it is", "later", "")
        cells = [
            (one.name, one.measure, _value(one.value), _value(one.later), "collapses" if one.collapsed else "")
            for one in found.lag
        ]
        yield from grid([heads, *cells], right={2, 3}, indent=2)
    if found.undated:
        yield "\nundated: rows of which nobody knows when they were known count as always known"
        for one in found.undated:
            behind = f", and {len(one.behind)} tables behind: {_names(one.behind)}" if one.behind else ""
            yield f"  {one.rows:,} rows of raw.{one.dataset}, read by {', '.join(one.direct)}{behind}"
    if found.never_final:
        yield f"\nnever final, so compared at no cut: {', '.join(found.never_final)}"
    for warning in found.warnings:
        yield f"\nwarning: {warning}"


def _verdict(found: Audit, replayed: Replayed | None, passed: bool, seconds: float) -> str:
    if passed:
        rows = sum(done.rows for done in found.steps)
        proofs = sum(not plant.void for plant in found.planted)
        caught = f", {proofs} of {proofs} planted leaks caught" if found.planted else ""
        return f"point in time: {rows:,} rows held at {len(found.cuts)} cuts{caught}, in {seconds:.1f} s"
    missed = sum(not plant.caught and not plant.void for plant in found.planted)
    parts = [f"{len(found.findings)} table{'s' if len(found.findings) > 1 else ''} failed"] if found.findings else []
    parts += [f"{missed} of {len(found.planted)} planted leaks missed"] if missed else []
    if replayed and replayed.different:
        parts.append(f"{len(replayed.different)} tables of {replayed.run_id} are others now")
    return f"not point in time: {', '.join(parts)}, in {seconds:.1f} s"


def _caught(plant: Planted) -> str:
    if plant.ahead:
        return "no proof: the lake itself holds it before the model counts it as known"
    if plant.void:
        return "no proof: it changes no row that was known before the end of the data"
    if plant.by is None:
        return f"MISSED{f': {plant.error}' if plant.error else ''}"
    first = f", first bad date {plant.differing.first}" if plant.differing and plant.differing.first else ""
    return f"{plant.by.proof} {plant.by.cut}{first}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: set[int] | None = None) -> None:
    """Draw a table where there is a terminal; lay it out in columns elsewhere."""
    if not sys.stdout.isatty():
        for line in grid([heads, *rows], right=right or set()):
            typer.echo(line)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if right and place in right else "left")
    for row in rows:
        bad = "MISSED" in row[-1] or (heads[-1] == "failed" and row[-1] != "0")
        table.add_row(*(Text(cell) for cell in row), style="red" if bad else "")
    Console().print(table)


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _values(row: Mapping[str, Any], names: Sequence[str]) -> str:
    return ", ".join(f"{name} {_value(row[name])}" for name in names)


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    return f"{value:.9g}" if isinstance(value, float) else str(value)

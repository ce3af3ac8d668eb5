"""Why a plan does what it does: for each model what changed (which knob, which line, which file that came in)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tsq.engine.compile import Compiled
from tsq.engine.manifest import BuiltModel
from tsq.engine.plan import Plan, Step, engine

Status = Literal["new", "changed", "indirect", "promises", "unchanged", "left out", "removed"]
STATUS_ORDER: tuple[Status, ...] = ("new", "changed", "indirect", "promises", "left out", "removed", "unchanged")
MOST_FILES = 3


@dataclass(frozen=True)
class Reason:
    """What becomes of one model and why.

    Attributes:
        how: how it would be built: `by session` with its look-back, or `whole` and why it is not by session.
        why: what changed, most telling first; empty for what is unchanged.
        seconds: what it took when it was last built whole; None where it never was.
    """

    name: str
    status: Status
    how: str
    why: tuple[str, ...]
    seconds: float | None


def explain(plan: Plan, texts: Mapping[str, str]) -> tuple[Reason, ...]:
    """Explain every step of a plan, and every table it leaves out.

    Args:
        plan: the plan.
        texts: model → the SQL that made its table in the base.
    """
    known = plan.base.models if plan.base else {}
    reasons = [_reason(plan, step, known.get(step.name), texts) for step in plan.steps]
    gone = [("left out", name) for name in plan.left_out] + [("removed", name) for name in plan.removed]
    said = {"left out": "not selected, and no longer up to date", "removed": "no model makes it any more"}
    for status, name in gone:
        reasons.append(Reason(name, status, "", (said[status],), known[name].seconds))  # type: ignore[arg-type]
    return tuple(reasons)


def _reason(plan: Plan, step: Step, done: BuiltModel | None, texts: Mapping[str, str]) -> Reason:
    node = plan.graph.nodes[step.name]
    seconds = done.seconds if done else None
    if step.action == "carry":
        return Reason(step.name, "unchanged", how(node), (), seconds)
    if step.action == "check":
        return Reason(step.name, "promises", "checked", (step.reason,), seconds)
    if step.action == "follow":
        return Reason(step.name, "indirect", how(node), (step.reason,), seconds)
    if done is None:
        return Reason(step.name, "new", how(node), (), None)
    why = _changes(plan, node, done, texts.get(step.name)) or [step.reason]
    return Reason(step.name, "changed", how(node), tuple(why), seconds)


def how(node: Compiled) -> str:
    """How a model is built when what it reads moves on by a session."""
    header = node.model.header
    if header.kind == "incremental":
        back = f", {header.look_back} back" if header.look_back else ""
        return f"by session{back}"
    if header.kind == "view":
        return "view"
    if node.model.language == "python":
        return "whole: Python"
    if header.date is None:
        return "whole: no session of its own"
    return "whole: not declared by session"


def _changes(plan: Plan, node: Compiled, done: BuiltModel, text: str | None) -> list[str]:
    found = [
        f"knob {name} {_short(done.knobs.get(name))} → {_short(value)}"
        for name, value in node.knobs.items()
        if _short(done.knobs.get(name)) != _short(value)
    ]
    if done.own_hash != node.own_hash and not found:
        found.append(_line(node, text))
    for source in sorted({*done.sources, *(read for read in node.own_reads if read in plan.sources)}):
        if done.sources.get(source) != plan.sources.get(source):
            found.append(_source(plan, source, done.sources.get(source)))
    if done.engine != engine():
        found.append(f"engine {done.engine} → {engine()}")
    return found


def _line(node: Compiled, text: str | None) -> str:
    """The first line that says something else than the text that made the table."""
    file = node.model.path.name
    if node.model.language == "python":
        return f"{file}, or tsq.quant which it calls"
    if not text:
        return f"{file}: its text changed"
    old, new = ([line.strip() for line in sql.splitlines()] for sql in (text, node.sql))
    for kind, *_, first, last in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        told = next((row for row in range(first, last) if new[row]), None)
        if kind != "equal" and told is not None:
            return f"{file}:{node.lines[min(told, len(node.lines) - 1)]}: {new[told][:80]}"
        if kind == "delete":
            return f"{file}:{node.lines[min(first, len(node.lines) - 1)]}: lines went away here"
    return f"{file}: how it is stored"


def _source(plan: Plan, source: str, was: str | None) -> str:
    schema, _, name = source.partition(".")
    if schema == "config":
        dataset = plan.graph.catalog.config[name]
        if dataset.substitute is not None:
            return f"{source} has other rows for this run"
        return f"{dataset.file.as_posix() if dataset.file else source} changed"
    before = plan.base.sources.get(was) if plan.base and was else None
    if before is None:
        return f"{source}: new data"
    lake = plan.inputs.lake
    files = [
        record.file
        for batch in lake.batches()
        if name in batch.parts and batch.parts[name].sha256[:16] not in before["parts"]
        for record in batch.files
        if record.dataset == name
    ]
    if files:
        more = f" and {len(files) - MOST_FILES} more" if len(files) > MOST_FILES else ""
        return f"{source}: {', '.join(files[:MOST_FILES])}{more}"
    as_of = plan.inputs.as_of
    if before["as_of"] != (as_of.isoformat() if as_of else None):
        return f"{source}: seen as of another time"
    return f"{source}: files are gone, or its schema changed"


def _short(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

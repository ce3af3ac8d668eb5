"""`tsq plan`: what a run would do, and why."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import typer

from tsq.cli import running, workspace
from tsq.engine import explain
from tsq.engine.explain import Reason
from tsq.engine.plan import Plan


def plan(
    *, root: Path | None, sets: list[str], profile: str | None, wish: running.Wish, everything: bool, as_json: bool
) -> None:
    """Print what becomes of each model."""
    graph = workspace.load_graph(root, sets, profile)
    made = running.make_plan(graph, wish)
    if not made.nothing_to_do:
        from tsq.engine import bind

        bind.check(graph, graph.catalog.project.cache / "bound.json")
    reasons = explain.explain(made, _texts(made))
    if as_json:
        base = made.base.run_id if made.base else None
        said = {"base": base, "nothing_to_do": made.nothing_to_do, "models": [asdict(reason) for reason in reasons]}
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    for status in explain.STATUS_ORDER:
        for reason in reasons:
            if reason.status == status and (everything or status != "unchanged"):
                _print(reason)
    counts = Counter(reason.status for reason in reasons)
    typer.echo(", ".join(f"{counts[status]} {status}" for status in explain.STATUS_ORDER if counts[status]))
    if made.nothing_to_do:
        typer.echo("nothing to do")
        return
    whole = sum(reason.seconds or 0.0 for reason in reasons if reason.status in ("new", "changed", "indirect"))
    unknown = sum(reason.seconds is None for reason in reasons if reason.status == "new")
    never = f", and {unknown} never built" if unknown else ""
    typer.echo(f"at most {whole:.1f} s, as they took when last built whole{never}")


def _print(reason: Reason) -> None:
    seconds = f"{reason.seconds:.2f} s" if reason.seconds is not None else "-"
    first, *rest = reason.why or ("",)
    typer.echo(f"{reason.status:<10}{reason.name:<34} {seconds:>9}  {reason.how:<32} {first}".rstrip())
    for line in rest:
        typer.echo(f"{'':<88}{line}")


def _texts(made: Plan) -> dict[str, str]:
    """The SQL that made the tables whose text changed; the base is opened only where there are any."""
    known = made.base.models if made.base else {}
    told = [step.name for step in made.steps if step.action == "build" and step.name in known]
    if not made.base or not any(known[name].own_hash != made.graph.nodes[name].own_hash for name in told):
        return {}
    from tsq.engine import warehouse

    with warehouse.open_readonly(made.base.file) as con:
        return dict(con.execute("select model, sql from ops.builds").fetchall())

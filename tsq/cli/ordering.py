"""`tsq export orders`: the order list of a portfolio, as CSV."""

from __future__ import annotations

from pathlib import Path

import typer

from tsq.cli import workspace
from tsq.engine import builds
from tsq.errors import TsqError
from tsq.report.order_list import OrderList, Wish


def export_orders(*, root: Path | None, wish: Wish, to: Path | None, build: str | None) -> None:
    """Write the orders that may be sent, and beside them every check; say what was cut and why."""
    from tsq.engine import warehouse
    from tsq.report import order_list

    if wish.holdings is not None and wish.account is not None:
        raise TsqError("a statement and an account both say what is held", hint="give --holdings or --account")
    graph = workspace.load_graph(root)
    project = graph.catalog.project
    pointer = builds.resolve(project.pointer, build) if build else project.pointer
    made = order_list.make(graph.catalog, warehouse.open_readonly(pointer), wish)
    target = to or project.reports / "out" / f"orders_{wish.portfolio}.csv"
    checked = target.with_name(f"{target.stem}_checked{target.suffix}")
    target.parent.mkdir(parents=True, exist_ok=True)
    for path, frame in ((checked, made.checked), (target, made.orders)):
        scratch = path.with_name(f".{path.name}.tmp")
        frame.write_csv(scratch)
        scratch.replace(path)
    _print(made)
    for path, frame in ((target, made.orders), (checked, made.checked)):
        typer.echo(f"{workspace.shown(path.resolve(), project)}   {frame.height:,} rows")


def _print(made: OrderList) -> None:
    for note in made.notes:
        workspace.say(note)
    for symbol, side, status, wanted, sent, reason in made.checked.select(
        "symbol", "side", "status", "wanted", "sent", "reason"
    ).iter_rows():
        if status != "sent":
            workspace.say(f"{status:<8} {side.lower():<5} {symbol:<14} {sent:,} of {wanted:,}: {reason}")

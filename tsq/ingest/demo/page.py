"""The tables of docs/explanation/demo_market.md, made from the default demo market."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from tsq.ingest.demo.plan import Event

BEGIN, END = "<!-- made from the default demo market: begin -->", "<!-- end -->"

_HEADER = "| event | how many | first one | symbol | what |\n|---|---:|---|---|---|\n"


def event_table(events: tuple[Event, ...]) -> str:
    """Write the planted events as a Markdown table, one line a kind, with the first of each."""
    lines = []
    for kind, group in groupby(events, key=lambda event: event.kind):
        planted = list(group)
        first = planted[0]
        symbol = f"`{first.symbol}`" if first.symbol else ""
        lines.append(f"| {kind.replace('_', ' ')} | {len(planted)} | {first.on} | {symbol} | {first.detail} |\n")
    return _HEADER + "".join(lines)


def filled(text: str, table: str) -> str:
    """Put a table between the marks of a page."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n\n{table}\n{END}{after}"


def refresh(page: Path) -> None:
    """Rewrite the table of a page from the default demo market."""
    from tsq.ingest.demo import make_account, make_market

    market = make_market()
    events = (*market.plan.events, *make_account(market).events)
    text = filled(page.read_text(encoding="utf-8"), event_table(events))
    page.write_text(text, encoding="utf-8", newline="\n")

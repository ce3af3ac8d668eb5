"""Markdown as the generated pages write it: tables, prose, and links between the pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

COMMAND = "python -m tsq.cli.reference"


def head(title: str, source: str) -> str:
    """The top of a page: its title, and what it is written from."""
    return f"# {title}\n\n<!-- Written by `{COMMAND}` from {source}: change that, not this page. -->\n"


def link(name: str) -> str:
    """A link to where a table or dataset is described."""
    page = {"raw": "datasets.md", "config": "config_tables.md"}.get(name.partition(".")[0], "tables.md")
    return f"[{name}]({page}#{name.replace('.', '')})"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what a cell holds stands on one line."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(escape(text).replace("|", "\\|").split())


def prose(text: str) -> str:
    """Prose as Markdown: a line that names a source stands on its own."""
    return escape(re.sub(r"\n(?=Source)", "\n\n", text.strip())) + "\n"


def escape(text: str) -> str:
    """Angle brackets outside code would be read as HTML."""
    return "".join(part if part.startswith("`") else part.replace("<", "&lt;") for part in re.split(r"(`[^`]*`)", text))

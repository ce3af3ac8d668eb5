"""What the reference of tables says of a header beyond its columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tsq.cli import reference, workspace

DAYS = """/*---
grain: [day]
columns: {day: {type: DATE, doc: "the day"}}
---
One row is a day.
*/
select day from raw.ticks
"""
SUMS = """/*---
kind: incremental
date: day
look_back: 5
grain: [day]
tags: [daily, cheap]
references: {day: base.days.day}
columns: {day: {type: DATE, doc: "the day"}}
---
One row is a day and its sums.
*/
select day from base.days
"""
TICKS = "doc: One row is a tick.\nkey: [day]\ndate: day\ncolumns:\n  day: {type: DATE, doc: the day}\n"


def test_kind_session_tags_and_references_are_said(make_project: Callable[[Mapping[str, str]], Path]) -> None:
    root = make_project(
        {"models/base/days.sql": DAYS, "models/mart/sums.sql": SUMS, "sql/raw/ticks.yml": TICKS, "sql/config/.keep": ""}
    )
    graph = workspace.load_graph(root)
    days, sums = (section.partition("\n## ")[0] for section in reference.tables_page(graph).split("\n### ")[1:3])
    assert "- kind: incremental, looking back 5 sessions\n" in sums
    assert "- session: `day`\n" in sums
    assert "- references: `day` → [base.days](tables.md#basedays) `day`\n" in sums
    assert "- tags: `daily`, `cheap`\n" in sums
    assert not [word for word in ("kind", "session", "references", "tags") if f"- {word}:" in days]
    assert "- session: `day`\n" in reference.datasets_page(graph.catalog.raw, graph)

"""The blocks of a page: queries, headings, prose, and what is shown of a query, with every field a block may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tsq.errors import TsqError, did_you_mean
from tsq.report import fields
from tsq.report.charts import KINDS
from tsq.report.fields import Field
from tsq.strict_yaml import Document

SHOWS = ("chart", "table", "tiles", "facts")

_WIDTHS = ("full", "two-thirds", "half", "third")

_EVERY = {
    "data": Field("text", needed=True),
    "title": Field("text", needed=True),
    "note": Field("text", default=""),
    "empty": Field("text", default=""),
    "width": Field("choice", default="full", words=_WIDTHS),
}
_CHART = _EVERY | {
    "kind": Field("text", needed=True),
    "description": Field("text", needed=True),
    "height": Field("whole"),
    "reduce": Field("mapping"),
}
_REDUCE = {
    "x": Field("column", needed=True),
    "y": Field("column", needed=True),
    "by": Field("column"),
    "points": Field("whole", default=1000),
}
_TABLE = _EVERY | {"columns": Field("mapping"), "format_by": Field("column"), "rows": Field("whole", default=50)}
_FACTS = _EVERY | {"columns": Field("mapping")}
_TILES = _EVERY | {
    "title": Field("text", default=""),
    "label": Field("column", default="label"),
    "value": Field("column", default="value"),
    "unit": Field("column"),
    "format": Field("format", default="auto"),
    "detail": Field("column"),
    "compare": Field("column"),
    "compare_title": Field("text", default=""),
    "tone": Field("column"),
}
_COLUMN = {
    "title": Field("text"),
    "format": Field("format"),
    "bar": Field("flag", default=False),
    "strong": Field("flag", default=False),
}


@dataclass(frozen=True)
class Query:
    """A named query: its SQL, and the line of the file on which the SQL begins."""

    name: str
    sql: str
    line: int


@dataclass(frozen=True)
class Heading:
    """The start of a section (`## …`) and the anchor that leads to it."""

    text: str
    slug: str
    line: int


@dataclass(frozen=True)
class Prose:
    """Markdown between blocks, with its placeholders."""

    text: str
    line: int


@dataclass(frozen=True)
class Reduce:
    """How a series is thinned: to at most `points` values of `x`, keeping the extremes of `y` of each series `by`."""

    x: str
    y: str
    by: str | None
    points: int


@dataclass(frozen=True)
class Show:
    """What to show of a query.

    Attributes:
        what: chart, table, tiles or facts.
        data: the query's name.
        title: heading of the card; empty for tiles without one; may hold placeholders.
        note: a line below it; may hold placeholders.
        empty: what to say when the query returns no rows.
        width: full, two-thirds, half or third of the page.
        options: the fields of its own, checked.
        reduce: how a chart's series is thinned.
        line: line of the block in the file.
    """

    what: str
    data: str
    title: str
    note: str
    empty: str
    width: str
    options: Mapping[str, Any]
    reduce: Reduce | None
    line: int


Block = Heading | Prose | Show


def read_show(what: str, document: Document, line: int) -> Show:
    """Read what a fenced block asks to show.

    Args:
        what: one of `SHOWS`.
        document: the block's YAML, with its lines.
        line: line of the block in the file.

    Raises:
        TsqError: an unknown field or kind of chart, a missing field, or a value of the wrong kind.
    """
    known = {"chart": _CHART, "table": _TABLE, "tiles": _TILES, "facts": _FACTS}[what]
    if what == "chart" and isinstance(document.value, dict) and document.value.get("kind") is not None:
        kind = document.value["kind"]
        if kind not in KINDS:
            hint = did_you_mean(str(kind), KINDS)
            raise TsqError(f"there is no kind of chart {kind}", where=document.where("kind"), hint=hint)
        known = {**known, **KINDS[kind].fields}
    values = fields.read(document, known, what)
    reduce = None
    if values.get("reduce") is not None:
        reduce = Reduce(**fields.read(document, _REDUCE, "reduce", ("reduce",)))
    if values.get("columns") is not None:
        values["columns"] = {
            name: fields.read(document, _COLUMN, "column", ("columns", name)) for name in values["columns"]
        }
    options = {name: value for name, value in values.items() if name not in _EVERY and name != "reduce"}
    return Show(
        what,
        values["data"],
        values["title"],
        values["note"],
        values["empty"],
        values["width"],
        options,
        reduce,
        line,
    )

"""Rows as tables, tiles and facts: plain values for the template, every figure already written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tsq.errors import TsqError, did_you_mean
from tsq.report import format as formats
from tsq.report.format import Numbers


@dataclass(frozen=True)
class Cell:
    """A value as it is shown.

    Attributes:
        text: the value, written; not escaped.
        align: left or right.
        style: `code`, `status ok`, `strong` …: names of the style sheet.
        bar: length of a bar behind a number, percent of the column's largest; None for none.
    """

    text: str
    align: str
    style: str
    bar: int | None


@dataclass(frozen=True)
class Table:
    """A table: titles, rows, and how many rows were left out."""

    heads: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left_out: int


@dataclass(frozen=True)
class Tile:
    """One figure with its name, what it is compared with, and a tone (ok, warn, bad, plain)."""

    label: str
    value: str
    detail: str
    tone: str


def table(frame: pl.DataFrame, options: Mapping[str, Any], numbers: Numbers = "indian") -> Table:
    """Write a frame as a table.

    Args:
        frame: tidied rows.
        options: columns (name → title, format, bar, strong; None shows all), format_by (a column that holds each row's
            format), rows (how many to show).
        numbers: how figures count.

    Raises:
        TsqError: a column is not in the frame.
    """
    format_by = options["format_by"]
    columns = _columns(frame, options["columns"], leave=format_by)
    shown = frame.head(options["rows"])
    tops = {name: _top(shown, name) for name, column in columns.items() if column["bar"]}
    specs = shown[_there(frame, format_by)].to_list() if format_by else [None] * shown.height
    rows = []
    for row, spec in zip(shown.iter_rows(named=True), specs, strict=True):
        rows.append(
            tuple(
                _cell(row[name], _format(frame, name, column, spec), column, tops.get(name), numbers)
                for name, column in columns.items()
            )
        )
    heads = tuple(
        Cell(_title(name, column), _align(frame, name, column, format_by), "", None) for name, column in columns.items()
    )
    return Table(heads, tuple(rows), frame.height - shown.height)


def facts(frame: pl.DataFrame, options: Mapping[str, Any], numbers: Numbers = "indian") -> tuple[tuple[str, Cell], ...]:
    """Write the first row of a frame as names and values.

    Raises:
        TsqError: a column is not in the frame.
    """
    columns = _columns(frame, options["columns"], leave=None)
    row = frame.row(0, named=True)
    return tuple(
        (_title(name, column), _cell(row[name], _format(frame, name, column, None), column, None, numbers))
        for name, column in columns.items()
    )


def tiles(frame: pl.DataFrame, options: Mapping[str, Any], numbers: Numbers = "indian") -> tuple[Tile, ...]:
    """Write each row of a frame as a tile.

    Raises:
        TsqError: a column is not in the frame.
    """
    label, value = _there(frame, options["label"]), _there(frame, options["value"])
    names = {name: _there(frame, options[name]) for name in ("unit", "detail", "compare", "tone") if options[name]}
    made = []
    for row in frame.iter_rows(named=True):
        own = {name: row[column] for name, column in names.items()}
        spec = str(own["unit"]) if "unit" in own else options["format"]
        details = []
        if not formats.is_missing(own.get("compare")):
            details.append(f"{options['compare_title']} {formats.write(own['compare'], spec, numbers)}".strip())
        if own.get("detail") is not None:
            details.append(str(own["detail"]))
        tone = formats.tone(own.get("tone", ""))
        made.append(Tile(str(row[label]), formats.write(row[value], spec, numbers), " · ".join(details), tone))
    return tuple(made)


def placeholder(frame: pl.DataFrame, column: str, spec: str, numbers: Numbers = "indian") -> str:
    """Write a value of a frame's first row for prose; `–` when there is no row.

    Raises:
        TsqError: the column is not in the frame.
    """
    name = _there(frame, column)
    return formats.write(frame[name][0] if frame.height else None, spec or "auto", numbers)


def _columns(frame: pl.DataFrame, asked: Mapping[str, Any] | None, leave: str | None) -> dict[str, Mapping[str, Any]]:
    plain = {"title": None, "format": None, "bar": False, "strong": False}
    if asked is None:
        return {name: plain for name in frame.columns if name != leave}
    return {_there(frame, name): column for name, column in asked.items()}


def _there(frame: pl.DataFrame, name: str) -> str:
    if name not in frame.columns:
        raise TsqError(f"the query gives no column {name}", hint=did_you_mean(name, frame.columns))
    return name


def _title(name: str, column: Mapping[str, Any]) -> str:
    return column["title"] if column["title"] is not None else name.replace("_", " ").capitalize()


def _format(frame: pl.DataFrame, name: str, column: Mapping[str, Any], spec: str | None) -> str:
    if column["format"]:
        return str(column["format"])
    dtype = frame.schema[name]
    if spec is not None and dtype.is_numeric():
        return spec
    if dtype.is_integer():
        return "count"
    return "number" if dtype.is_float() else "auto"


def _align(frame: pl.DataFrame, name: str, column: Mapping[str, Any], format_by: str | None) -> str:
    spec = _format(frame, name, column, "number" if format_by else None)
    return formats.split(spec)[0].align


def _cell(value: object, spec: str, column: Mapping[str, Any], top: float | None, numbers: Numbers) -> Cell:
    style = f"status {formats.tone(value)}" if spec == "status" else spec if spec == "code" else ""
    if column["strong"]:
        style = f"{style} strong".strip()
    align = formats.split(spec)[0].align if formats.known(spec) is None else "right"
    bar = None
    if top and isinstance(value, (int, float)):
        bar = round(100 * abs(value) / top)
    text = "" if spec == "status" and formats.is_missing(value) else formats.write(value, spec, numbers)
    return Cell(text, align, style, bar)


def _top(frame: pl.DataFrame, name: str) -> float | None:
    values: Sequence[object] = frame[name].to_list()
    sizes = [abs(value) for value in values if isinstance(value, (int, float)) and math.isfinite(value)]
    return max(sizes, default=None)

"""The charts a page can name: pure functions from rows to a Vega-Lite description.

Colours, fonts and grid lines are the theme's (`theme.py`), never the chart's, so that one description serves light and
dark. A series' place in `order` decides its colour. Every field is named with its type; what a field holds is data and
is never parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import polars as pl
from altair.utils.schemapi import debug_mode

from tsq.errors import TsqError, did_you_mean
from tsq.report.drawing import (
    DATA,
    Options,
    base,
    log_ticks,
    number_axis,
    once,
    over_time,
    records,
    series_of,
    under_pointer,
    written,
)
from tsq.report.fields import Field
from tsq.report.format import Numbers

Spec = dict[str, Any]
Drawn = tuple[alt.LayerChart | alt.FacetChart, pl.DataFrame]

_ROW_HEIGHT = 26
# room for the labels of the y axis, so that charts over time below one another line up
_GUTTER = 40


@dataclass(frozen=True)
class Kind:
    """A kind of chart.

    Attributes:
        fields: the fields a page may give it.
        draw: (rows, fields, numbers) → the chart and the rows it reads.
        height: (rows, fields) → pixels, where the page does not say.
    """

    fields: Mapping[str, Field]
    draw: Callable[[pl.DataFrame, Options, Numbers], Drawn]
    height: Callable[[pl.DataFrame, Options], int]


def spec(
    kind: str,
    frame: pl.DataFrame,
    options: Options,
    description: str,
    numbers: Numbers = "indian",
    *,
    validate: bool = False,
) -> Spec:
    """Describe a chart of a frame.

    Args:
        kind: one of `KINDS`.
        frame: tidied rows, at least one.
        options: the fields of the page's block, checked; columns they name must be in the frame.
        description: what the chart shows, for people who do not see it.
        numbers: how labels written here count.
        validate: check the description against Vega-Lite's schema. The kinds are fixed, so tests do it once; it takes
            two thirds of the time of a report.

    Returns:
        A Vega-Lite description with its rows inside: plain values, no NaN, dates as local midnight; no colours of its
        own.

    Raises:
        TsqError: a column is not there, or holds what the chart cannot use (names the column).
    """
    drawing = KINDS[kind]
    _check_columns(drawing, frame, options)
    with debug_mode(validate):
        chart, rows = drawing.draw(frame, options, numbers)
        height = options.get("height") or drawing.height(frame, options)
        result: Spec = chart.properties(width="container", height=height).to_dict(validate=validate)
    result.pop("config", None)
    result["description"] = description
    result["autosize"] = {"type": "fit-x", "contains": "padding"}
    result["datasets"] = {DATA: records(rows)}
    return result


def _lines(frame: pl.DataFrame, options: Options, _numbers: Numbers) -> Drawn:
    """Draw series over time, on a linear or a log scale."""
    start, colour, rows = over_time(frame, options)
    scale, axis = alt.Scale(zero=options["zero"]), number_axis(options, tickCount=6, minExtent=_GUTTER)
    if options["scale"] == "log":
        scale, axis = _log(frame, options)
    y = alt.Y(field=options["y"], type="quantitative", scale=scale, axis=axis)
    lines = start.mark_line(strokeJoin="round").encode(y=y, color=colour)
    return alt.layer(lines, under_pointer(start, frame, options)), rows


def _log(frame: pl.DataFrame, options: Options) -> tuple[alt.Scale, alt.Axis]:
    values = [float(value) for value in frame[options["y"]].drop_nulls()]
    if min(values, default=1.0) <= 0:
        raise TsqError(f"the column {options['y']} is not above zero everywhere", hint="use scale: linear")
    ticks = log_ticks(min(values), max(values)) if values else []
    return alt.Scale(type="log", nice=False), number_axis(options, values=ticks, labelOverlap=False, minExtent=_GUTTER)


def _areas(frame: pl.DataFrame, options: Options, _numbers: Numbers) -> Drawn:
    """Draw the first series as an area from zero, the others as lines before it: a drawdown and the benchmark's."""
    start, colour, rows = over_time(frame, options)
    y = alt.Y(field=options["y"], type="quantitative", axis=number_axis(options, tickCount=5, minExtent=_GUTTER))
    first = start.transform_filter(alt.FieldEqualPredicate(field="_series", equal=series_of(frame, options)[0]))
    return alt.layer(
        first.mark_area(opacity=0.28).encode(y=y, color=colour),
        start.mark_line(strokeWidth=1.2).encode(y=y, color=colour),
        under_pointer(start, frame, options),
    ), rows


def _stack(frame: pl.DataFrame, options: Options, _numbers: Numbers) -> Drawn:
    """Draw series on top of each other over time, the first at the top, as in the legend."""
    start, colour, rows = over_time(frame, options, side="right")
    y = alt.Y(
        field=options["y"], type="quantitative", stack="zero", axis=number_axis(options, tickCount=5, minExtent=_GUTTER)
    )
    order = alt.Order(field="_rank", type="quantitative", sort="descending")
    areas = start.mark_area(opacity=0.92, interpolate="step-after").encode(y=y, color=colour, order=order)
    return alt.layer(areas, under_pointer(start, frame, options)), rows


def _heatmap(frame: pl.DataFrame, options: Options, numbers: Numbers) -> Drawn:
    """Draw a value by two categories, coloured from the middle (diverging) or from zero, with the value written in."""
    x, y, value = options["x"], options["y"], options["value"]
    limit = options["limit"] or max((abs(float(v)) for v in frame[value].drop_nulls()), default=0.0) or 1.0
    is_diverging = options["scale"] == "diverging"
    colours = alt.Scale(
        domain=[-limit, 0, limit] if is_diverging else [0, limit],
        range="diverging" if is_diverging else "heatmap",
        interpolate="rgb",
        clamp=True,
    )
    label = (
        pl.col(options["label"]).cast(pl.String)
        if options["label"]
        else written(frame, value, options["format"], numbers)
    )
    bare: dict[str, Any] = {"domain": False, "ticks": False, "grid": False}
    cells = base().encode(
        x=alt.X(
            field=x,
            type="ordinal",
            sort=once(frame, x),
            axis=alt.Axis(title=options["x_title"], orient="top", labelAngle=0, **bare),
        ),
        y=alt.Y(
            field=y,
            type="ordinal",
            sort=once(frame, y),
            axis=alt.Axis(title=options["y_title"], labelLimit=220, **bare),
        ),
        tooltip=[
            alt.Tooltip(field=y, type="nominal", title=options["y_title"] or y),
            alt.Tooltip(field=x, type="nominal", title=options["x_title"] or x),
            alt.Tooltip(field="_label", type="nominal", title=options["value_title"] or value),
        ],
    )
    colour = alt.Color(field=value, type="quantitative", scale=colours, legend=None)
    return alt.layer(
        cells.mark_rect(cornerRadius=3, strokeWidth=2, stroke="transparent").encode(color=colour),
        cells.mark_text(fontSize=11, aria=False).encode(text=alt.Text(field="_label", type="nominal")),
    ), frame.select(x, y, value, label.alias("_label"))


def _bars(frame: pl.DataFrame, options: Options, numbers: Numbers) -> Drawn:
    """Draw horizontal bars in the order of the rows, each with its value, and a line at `rule` if there is one."""
    label, value, detail = options["label"], options["value"], options["detail"] or ()
    rows = frame.select(
        *dict.fromkeys([label, value, *detail]),
        written(frame, value, options["format"], numbers).alias("_label"),
        pl.when(pl.col(value) < 0).then(pl.lit("below")).otherwise(pl.lit("above")).alias("_side"),
    )
    bars = base().encode(
        y=alt.Y(
            field=label,
            type="ordinal",
            sort=once(frame, label),
            axis=alt.Axis(title=None, ticks=False, domain=False, labelLimit=200),
        ),
        x=alt.X(field=value, type="quantitative", axis=None, scale=_room(frame, options)),
        tooltip=[
            alt.Tooltip(field=label, type="nominal", title=options["label_title"] or label),
            alt.Tooltip(field="_label", type="nominal", title=options["value_title"] or value),
            *[alt.Tooltip(field=name, type="nominal") for name in detail],
        ],
    )
    side = alt.Color(field="_side", type="nominal", scale=alt.Scale(domain=["above", "below"]), legend=None)
    text = alt.Text(field="_label", type="nominal")
    layers = [bars.mark_bar(cornerRadiusEnd=2, height={"band": 0.68}).encode(color=side)]
    sides: list[tuple[str, Literal["left", "right"], int]] = [("above", "left", 5), ("below", "right", -5)]
    for name, align, dx in sides:
        beside = bars.transform_filter(alt.FieldEqualPredicate(field="_side", equal=name))
        layers.append(beside.mark_text(align=align, dx=dx, fontSize=11, aria=False).encode(text=text))
    rule = frame[options["rule"]][0] if options["rule"] else None
    if rule is not None:
        line = alt.Chart(alt.InlineData(values=[{}])).mark_rule(strokeDash=[4, 3], strokeWidth=1.4)
        layers.append(line.encode(x=alt.datum(float(rule), type="quantitative")))
    return alt.layer(*layers), rows


def _room(frame: pl.DataFrame, options: Options) -> alt.Scale:
    """Leave room for the figures beside the bars."""
    names = [options["value"], *([options["rule"]] if options["rule"] else [])]
    values = [0.0, *(float(value) for name in names for value in frame[name].drop_nulls())]
    low, high = min(values), max(values)
    room = 0.25 * (high - low or 1.0)
    return alt.Scale(domain=[low - room if low < 0 else 0, high + room if high > 0 else 0], nice=False)


_TIME = {
    "x": Field("column", needed=True),
    "y": Field("column", needed=True),
    "series": Field("column"),
    "order": Field("names"),
    "place": Field("column"),
    "format": Field("format", default="number"),
    "y_title": Field("text"),
}
_LINE = _TIME | {
    "scale": Field("choice", default="linear", words=("linear", "log")),
    "zero": Field("flag", default=False),
}
_HEATMAP = {
    "x": Field("column", needed=True),
    "y": Field("column", needed=True),
    "value": Field("column", needed=True),
    "label": Field("column"),
    "format": Field("format", default="number"),
    "scale": Field("choice", default="diverging", words=("diverging", "sequential")),
    "limit": Field("number"),
    "x_title": Field("text"),
    "y_title": Field("text"),
    "value_title": Field("text"),
}
_BAR = {
    "label": Field("column", needed=True),
    "value": Field("column", needed=True),
    "format": Field("format", default="number"),
    "rule": Field("column"),
    "detail": Field("columns"),
    "label_title": Field("text"),
    "value_title": Field("text"),
}

KINDS: Mapping[str, Kind] = {
    "line": Kind(_LINE, _lines, lambda _frame, _options: 320),
    "area": Kind(_TIME, _areas, lambda _frame, _options: 190),
    "stack": Kind(_TIME, _stack, lambda _frame, _options: 300),
    "heatmap": Kind(_HEATMAP, _heatmap, lambda frame, options: _ROW_HEIGHT * frame[options["y"]].n_unique()),
    "bar": Kind(_BAR, _bars, lambda frame, options: _ROW_HEIGHT * max(3, frame[options["label"]].n_unique())),
}


def _check_columns(kind: Kind, frame: pl.DataFrame, options: Options) -> None:
    for name, field in kind.fields.items():
        given = options.get(name)
        if field.kind not in ("column", "columns") or given is None:
            continue
        for column in given if isinstance(given, tuple) else (given,):
            if column not in frame.columns:
                raise TsqError(f"the query gives no column {column}", hint=did_you_mean(column, frame.columns))
    if kind.fields.keys() >= _TIME.keys():
        _check_type(frame, options["x"], "a date", frame.schema[options["x"]].is_temporal())
        _check_type(frame, options["y"], "a number", frame.schema[options["y"]].is_numeric())
        return
    for name in ("value", "rule"):
        if options.get(name) is not None:
            _check_type(frame, options[name], "a number", frame.schema[options[name]].is_numeric())


def _check_type(frame: pl.DataFrame, column: str, wanted: str, fits: bool) -> None:
    if not fits and frame[column].null_count() < frame.height:
        raise TsqError(
            f"the column {column} is not {wanted}", hint=f"it is {frame.schema[column]}: cast it in the query"
        )

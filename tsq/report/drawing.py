"""What charts are drawn from: axes, legends, ticks, the line under the pointer, and rows as plain values."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import Any, Literal

import altair as alt
import polars as pl

from tsq.report import format as formats
from tsq.report.format import Numbers

Options = Mapping[str, Any]

DATA = "rows"
SIGNIFICANT = 6

_TICKS = (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
_RUPEES = (
    "(datum.value < 0 ? '−₹' : '₹') + (abs(datum.value) >= 1e7 ? format(abs(datum.value) / 1e7, ',.3~f') + ' cr'"
    " : abs(datum.value) >= 1e5 ? format(abs(datum.value) / 1e5, ',.3~f') + ' lakh'"
    " : format(abs(datum.value), ',.0f'))"
)


def records(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Turn a frame into what JSON and Vega read alike.

    Returns:
        One mapping a row: floats to six significant digits, missing ones None, dates as `2024-01-31T00:00:00` (a
        browser reads a bare date as UTC and may show the day before).
    """
    return [{name: plain(value) for name, value in row.items()} for row in frame.iter_rows(named=True)]


def plain(value: object) -> object:
    """Turn one value into what JSON and Vega read alike (see `records`)."""
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT}g}") if math.isfinite(value) else None
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat(timespec="seconds")
    if isinstance(value, dt.date):
        return f"{value.isoformat()}T00:00:00"
    return value if isinstance(value, (str, int)) or value is None else str(value)


def log_ticks(low: float, high: float) -> list[float]:
    """Return round values for a log axis between two positive numbers: at most eight, and never one alone."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    kept: list[float] = []
    for steps in (_TICKS, (1, 1.5, 2, 3, 5), (1, 2, 5), (1, 3), (1,)):
        every = [round(step * 10.0**power, 10) for power in range(first, last + 1) for step in steps]
        kept = [value for value in every if low <= value <= high]
        if len(kept) <= 8:
            break
    return kept if len(kept) > 1 else [low, high]


def escaped(name: str) -> str:
    """Write a value as a Vega-Lite field name: dots, brackets and quotes in it are not a path."""
    return re.sub(r"([\\.\[\]'\"])", r"\\\1", name)


def series_of(frame: pl.DataFrame, options: Options) -> list[str]:
    """Name the series of a chart over time: those of `order` first, then by the column `place`, then as they come."""
    if not options["series"]:
        return [options["y_title"] or options["y"]]
    if options["place"]:
        frame = frame.sort(options["place"], nulls_last=True, maintain_order=True)
    names = frame[options["series"]].unique(maintain_order=True)
    found = list(dict.fromkeys(formats.NO_VALUE if name is None else str(name) for name in names))
    first = [name for name in options["order"] or () if name in found]
    return first + [name for name in found if name not in first]


def over_time(
    frame: pl.DataFrame, options: Options, side: Literal["top", "right"] = "top"
) -> tuple[alt.Chart, alt.Color, pl.DataFrame]:
    """Begin a chart over time: its base with the time axis, the colours of its series, and the rows it reads."""
    series = series_of(frame, options)
    ranks = {name: rank for rank, name in enumerate(series)}
    name = pl.col(options["series"]).cast(pl.String) if options["series"] else pl.lit(series[0])
    frame = frame.select(options["x"], options["y"], name.fill_null(formats.NO_VALUE).alias("_series"))
    frame = frame.with_columns(pl.col("_series").replace_strict(ranks, return_dtype=pl.Int64).alias("_rank"))
    symbol = "stroke" if side == "top" else "square"
    legend = alt.Legend(
        title=None, orient=side, symbolType=symbol, symbolStrokeWidth=3, symbolOpacity=1, labelLimit=240
    )
    colour = alt.Color(
        field="_series", type="nominal", scale=alt.Scale(domain=series), legend=legend if len(series) > 1 else None
    )
    x = alt.X(
        field=options["x"],
        type="temporal",
        axis=alt.Axis(title=None, grid=False, tickCount=8, labelOverlap=True),
    )
    return base().encode(x=x), colour, frame


def under_pointer(start: alt.Chart, frame: pl.DataFrame, options: Options) -> alt.Chart:
    """Show every series' value on the day nearest to the pointer."""
    chosen, digits = formats.split(options["format"])
    shown = ",.0f" if chosen.d3 is None else chosen.d3.format(chosen.digits if digits is None else digits)
    unit = " (₹)" if options["format"].startswith("inr") else ""
    near = alt.selection_point(
        name="near", fields=[options["x"]], nearest=True, on="pointermove", clear="pointerout", empty=False
    )
    day = alt.Tooltip(field=options["x"], type="temporal", title="date", format="%-d %b %Y")
    values = [
        alt.Tooltip(field=escaped(name), type="quantitative", format=shown, title=f"{name}{unit}")
        for name in series_of(frame, options)
    ]
    by_day = start.transform_pivot("_series", value=options["y"], groupby=[options["x"]])
    opacity = alt.condition(near, alt.value(0.5), alt.value(0))
    rule: alt.Chart = (
        by_day.mark_rule(strokeWidth=1, aria=False).encode(opacity=opacity, tooltip=[day, *values]).add_params(near)
    )
    return rule


def number_axis(options: Options, title: str = "y_title", **more: Any) -> alt.Axis:
    """Make an axis whose labels are written in the chart's format."""
    chosen, digits = formats.split(options["format"])
    if options["format"].startswith("inr"):
        more["labelExpr"] = _RUPEES
    elif chosen.d3 is not None:
        more["format"] = chosen.d3.format(chosen.axis_digits if digits is None else digits)
    return alt.Axis(title=options[title], domain=False, ticks=False, **more)


def base() -> alt.Chart:
    """Begin a chart of the rows that come with the description."""
    return alt.Chart(alt.NamedData(name=DATA))


def written(frame: pl.DataFrame, column: str, spec: str, numbers: Numbers) -> pl.Expr:
    """Write a column as text in a format; a missing value is an empty text."""
    texts = ["" if formats.is_missing(value) else formats.write(value, spec, numbers) for value in frame[column]]
    return pl.lit(pl.Series(texts, dtype=pl.String))


def once(frame: pl.DataFrame, column: str) -> list[Any]:
    """Return a column's values in the order they first come."""
    return [plain(value) for value in frame[column].unique(maintain_order=True)]

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest

from tsq.errors import TsqError
from tsq.report import charts
from tsq.report.drawing import escaped, log_ticks, records

NAN, INF = float("nan"), float("inf")


def curve() -> pl.DataFrame:
    days = [dt.date(2024, 1, 1), dt.date(2024, 1, 2)]
    return pl.DataFrame(
        {
            "day": days * 2,
            "who": ["Net", "Net", "a.b[1] \\'x'", "a.b[1] \\'x'"],
            "v": [1.0, 1.1, 1.0, None],
            "n": [2, 2, 1, 1],
        }
    )


def options(kind: str, **given: Any) -> dict[str, Any]:
    return {name: field.default for name, field in charts.KINDS[kind].fields.items()} | given


EXAMPLES: dict[str, tuple[pl.DataFrame, dict[str, Any]]] = {
    "line": (curve(), {"x": "day", "y": "v", "series": "who", "scale": "log", "place": "n", "format": "inr"}),
    "area": (curve(), {"x": "day", "y": "v", "series": "who", "format": "percent"}),
    "stack": (curve(), {"x": "day", "y": "v", "series": "who", "order": ("Net",)}),
    "heatmap": (
        pl.DataFrame({"m": ["Jan", "Feb"], "y": [2024, 2024], "v": [0.01, None]}),
        {"x": "m", "y": "y", "value": "v", "format": "percent_signed"},
    ),
    "bar": (
        pl.DataFrame({"k": ["a", "b"], "v": [0.1, -0.2], "r": [0.3, 0.3], "d": ["x", "y"]}),
        {"label": "k", "value": "v", "rule": "r", "detail": ("d",), "format": "inr"},
    ),
}


def test_every_kind_has_an_example() -> None:
    assert EXAMPLES.keys() == charts.KINDS.keys()


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_description_is_valid_vega_lite_and_valid_json(kind: str) -> None:
    frame, given = EXAMPLES[kind]
    spec = charts.spec(kind, frame, options(kind, **given), "what it shows", validate=True)
    json.dumps(spec, allow_nan=False)
    assert spec["description"] == "what it shows"
    assert spec["width"] == "container"
    assert spec["datasets"]["rows"]
    assert "config" not in spec


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_same_rows_give_the_same_description(kind: str) -> None:
    frame, given = EXAMPLES[kind]
    first, second = (json.dumps(charts.spec(kind, frame, options(kind, **given), "d")) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_description_has_no_colour_of_its_own(kind: str) -> None:
    frame, given = EXAMPLES[kind]
    assert "#" not in json.dumps(charts.spec(kind, frame, options(kind, **given), "d"))


def test_values_are_fit_for_a_browser() -> None:
    frame = pl.DataFrame({"day": [dt.date(2024, 1, 1)], "t": [dt.datetime.fromisoformat("2024-01-01T18:30")], "v": [1.23456789], "n": [2**40], "w": [NAN], "i": [INF]})  # fmt: skip
    assert records(frame) == [
        {"day": "2024-01-01T00:00:00", "t": "2024-01-01T18:30:00", "v": 1.23457, "n": 2**40, "w": None, "i": None}
    ]


def test_series_are_coloured_by_place_then_by_order() -> None:
    frame, given = EXAMPLES["line"]
    domain = _domain(charts.spec("line", frame, options("line", **given), "d"))
    assert domain == ["a.b[1] \\'x'", "Net"]
    domain = _domain(charts.spec("line", frame, options("line", **(given | {"order": ("Net",)})), "d"))
    assert domain == ["Net", "a.b[1] \\'x'"]


def _domain(spec: dict[str, Any]) -> list[str]:
    return spec["layer"][0]["encoding"]["color"]["scale"]["domain"]


def test_a_name_with_dots_and_brackets_is_no_path() -> None:
    assert escaped("a.b[1]'x'") == "a\\.b\\[1\\]\\'x\\'"


@pytest.mark.parametrize(
    ("kind", "change", "what"),
    [
        ("line", {"y": "vv"}, "no column vv"),
        ("line", {"y": "who"}, "who is not a number"),
        ("line", {"x": "who"}, "who is not a date"),
        ("bar", {"value": "k"}, "k is not a number"),
        ("bar", {"detail": ("nope",)}, "no column nope"),
        ("heatmap", {"value": "m"}, "m is not a number"),
    ],
)
def test_a_wrong_column_is_named(kind: str, change: dict[str, Any], what: str) -> None:
    frame, given = EXAMPLES[kind]
    with pytest.raises(TsqError, match=what):
        charts.spec(kind, frame, options(kind, **(given | change)), "d")


def test_a_log_scale_needs_values_above_zero() -> None:
    frame, given = EXAMPLES["line"]
    with pytest.raises(TsqError, match="not above zero"):
        charts.spec("line", frame.with_columns(v=pl.lit(-1.0)), options("line", **given), "d")


@pytest.mark.parametrize(("low", "high"), [(0.9, 1.1), (1, 7), (0.2, 40), (1, 1e5), (3.1, 3.2)])
def test_log_ticks_are_few_and_inside(low: float, high: float) -> None:
    ticks = log_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    assert all(low <= tick <= high for tick in ticks)
    assert ticks == sorted(ticks)


def test_a_chart_of_missing_values_still_is_one() -> None:
    frame = curve().with_columns(v=pl.lit(None, dtype=pl.Float64))
    for scale in ("log", "linear"):
        charts.spec("line", frame, options("line", x="day", y="v", series="who", scale=scale), "d", validate=True)
    empty = pl.DataFrame({"m": ["Jan"], "y": [2024], "v": [None]}, schema_overrides={"v": pl.Float64})
    charts.spec("heatmap", empty, options("heatmap", x="m", y="y", value="v"), "d", validate=True)

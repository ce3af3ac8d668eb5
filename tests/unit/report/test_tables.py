from typing import Any

import polars as pl
import pytest

from tsq.errors import TsqError
from tsq.report import tables

COLUMN = {"title": None, "format": None, "bar": False, "strong": False}
FRAME = pl.DataFrame({"name": ["a", "b"], "value": [0.5, -1.0], "unit": ["percent", "inr"], "n": [1, 200000]})


def options(**given: Any) -> dict[str, Any]:
    return {"columns": None, "format_by": None, "rows": 50} | given


def test_a_table_shows_every_column_unless_told() -> None:
    table = tables.table(FRAME, options())
    assert [head.text for head in table.heads] == ["Name", "Value", "Unit", "N"]
    assert [cell.text for cell in table.rows[1]] == ["b", "−1.00", "inr", "2,00,000"]
    assert [head.align for head in table.heads] == ["left", "right", "left", "right"]


def test_each_row_may_have_its_own_format() -> None:
    table = tables.table(FRAME, options(columns={"name": COLUMN, "value": COLUMN}, format_by="unit"))
    assert [row[1].text for row in table.rows] == ["50.0%", "−₹1"]


def test_rows_beyond_the_limit_are_counted() -> None:
    table = tables.table(FRAME, options(rows=1))
    assert (len(table.rows), table.left_out) == (1, 1)


def test_a_bar_is_as_long_as_its_share_of_the_largest() -> None:
    table = tables.table(FRAME, options(columns={"value": COLUMN | {"bar": True}}))
    assert [row[0].bar for row in table.rows] == [50, 100]


def test_a_status_has_a_tone_and_may_be_blank() -> None:
    frame = pl.DataFrame({"state": ["ok", None]})
    table = tables.table(frame, options(columns={"state": COLUMN | {"format": "status", "strong": True}}))
    assert [(row[0].text, row[0].style) for row in table.rows] == [
        ("ok", "status ok strong"),
        ("", "status plain strong"),
    ]


def test_tiles_compare_in_their_own_unit() -> None:
    frame = pl.DataFrame(
        {"k": ["Return"], "v": [0.1], "b": [0.2], "unit": ["percent"], "tone": ["warn"], "more": ["since 2020"]}
    )
    asked = {"label": "k", "value": "v", "unit": "unit", "format": "auto", "detail": "more", "compare": "b", "compare_title": "vs", "tone": "tone"}  # fmt: skip
    (tile,) = tables.tiles(frame, asked)
    assert (tile.label, tile.value, tile.detail, tile.tone) == ("Return", "10.0%", "vs 20.0% · since 2020", "warn")


def test_facts_are_the_first_row() -> None:
    facts = tables.facts(FRAME, {"columns": {"n": COLUMN | {"title": "Count"}, "name": COLUMN}})
    assert [(name, cell.text) for name, cell in facts] == [("Count", "1"), ("Name", "a")]


def test_a_placeholder_without_a_row_is_a_dash() -> None:
    assert tables.placeholder(FRAME, "value", "percent") == "50.0%"
    assert tables.placeholder(FRAME.clear(), "value", "percent") == "–"


@pytest.mark.parametrize("asked", [options(columns={"nmae": COLUMN}), options(format_by="nmae")])
def test_a_column_that_is_not_there_is_guessed(asked: dict[str, Any]) -> None:
    with pytest.raises(TsqError) as caught:
        tables.table(FRAME, asked)
    assert "name" in str(caught.value.hint)

from __future__ import annotations

from typing import Any

import pytest

from tsq.engine.comparison import compare, render, verdict

NAN = float("nan")


def verdicts(want: list[Any], got: list[Any], **more: Any) -> list[str]:
    return [verdict(pair) for pair in compare(want, got, **{"ordered": False, "tolerance": 1e-9, **more})]


def test_rows_are_matched_wherever_they_stand_each_once() -> None:
    assert verdicts([(1,), (2,)], [(2,), (1,)]) == ["same", "same"]
    assert verdicts([(1,), (1,)], [(1,)]) == ["same", "missing"]
    assert verdicts([(1,)], [(1,), (1,)]) == ["same", "extra"]
    assert verdicts([], []) == []


def test_the_order_counts_where_it_is_asked_for() -> None:
    assert verdicts([(1,), (2,)], [(2,), (1,)], ordered=True) == ["changed", "changed"]
    assert verdicts([(1,), (2,)], [(1,)], ordered=True) == ["same", "missing"]


@pytest.mark.parametrize(
    ("want", "got", "same"),
    [
        (1.0, 1.0 + 1e-10, True),
        (1.0, 1.0 + 1e-8, False),
        (1e9, 1e9 + 0.1, True),
        (0.0, 1e-13, True),
        (0.0, 1e-11, False),
        (NAN, NAN, True),
        (NAN, None, False),
        (None, 0.0, False),
        ("", None, False),
        (float("inf"), float("inf"), True),
        ([1.0, None], [1.0 + 1e-12, None], True),
        ({"a": 1.0}, {"a": 1.1}, False),
    ],
)
def test_when_two_values_are_the_same(want: Any, got: Any, same: bool) -> None:
    assert (verdicts([(want,)], [(got,)]) == ["same"]) is same


def test_the_tolerance_is_relative_and_can_be_none() -> None:
    assert verdicts([(100.0,)], [(101.0,)], tolerance=0.01) == ["same"]
    assert verdicts([(1.0,)], [(1.0 + 1e-15,)], tolerance=0.0) == ["missing", "extra"]


def test_rows_that_differ_are_shown_beside_the_row_of_their_key() -> None:
    want = [("a", 1, 5, 5), ("b", 1, 6, 6)]
    got = [("b", 1, 5, 5), ("a", 1, 6, 6)]
    pairs = compare(want, got, ordered=False, tolerance=0, key=[0])
    assert [(pair.want[0], pair.got[0]) for pair in pairs] == [("a", "a"), ("b", "b")]  # type: ignore[index]


def test_the_table_marks_the_cells_that_differ() -> None:
    pairs = compare([("a", 1.5, None), ("c", 1.0, 1)], [("a", 2.5, None), ("d", 9.0, 2)], ordered=False, tolerance=0)
    assert render(pairs, ["name", "x", "y"], 0) == [
        "         name  x      y",
        "want     a     1.5    NULL",
        "got      a     [2.5]  NULL",
        "missing  c     1      1",
        "extra    d     9      2",
    ]


def test_a_difference_behind_the_twelfth_digit_can_be_seen() -> None:
    pairs = compare([("a", 0.3)], [("a", 0.1 + 0.2)], ordered=False, tolerance=0)
    assert render(pairs, ["name", "x"], 0)[-1] == "got   a     [0.30000000000000004]"


def test_long_tables_show_what_differs_only() -> None:
    want = [(i, 0) for i in range(100)]
    got = [(i, 1 if i % 4 == 0 else 0) for i in range(100)]
    lines = render(compare(want, got, ordered=False, tolerance=0, key=[0]), ["i", "x"], 0)
    assert lines[-1] == "… and 5 more rows that differ"
    assert len(lines) == 1 + 2 * 20 + 1

"""Expected rows beside the rows that came: are they the same, and a table that shows where they are not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

# Two decimals this close are the same, however small they are.
NOTHING = 1e-12
MOST_ROWS = 20

Values = tuple[Any, ...]


@dataclass(frozen=True)
class Pair:
    """An expected row and the row that came for it; None where there is none."""

    want: Values | None
    got: Values | None
    same: bool


def compare(
    want: Sequence[Values],
    got: Sequence[Values],
    *,
    ordered: bool,
    tolerance: float,
    key: Sequence[int] = (),
) -> tuple[Pair, ...]:
    """Put rows side by side.

    Args:
        want: expected rows.
        got: rows that came, with the same columns.
        ordered: whether a row must stand in its place; else rows are matched wherever they stand, each once.
        tolerance: largest relative difference of two floats that are the same; null and NaN are two things.
        key: columns that name a row: of rows that differ, those of one key are shown together.

    Returns:
        Every row of both sides, once, in the expected order, and then what came besides.
    """
    if ordered:
        length = max(len(want), len(got))
        sides = [(want[i] if i < len(want) else None, got[i] if i < len(got) else None) for i in range(length)]
        return tuple(Pair(w, g, w is not None and g is not None and _same(w, g, tolerance)) for w, g in sides)
    left = list(got)
    partners: dict[int, Pair] = {}
    for place, row in enumerate(want):
        found = next((i for i, other in enumerate(left) if _same(row, other, tolerance)), None)
        if found is not None:
            partners[place] = Pair(row, left.pop(found), True)
    for place, row in enumerate(want):
        if place not in partners:
            nearest = max(left, key=lambda other: _likeness(row, other, tolerance, key), default=None)
            if nearest is not None and _likeness(row, nearest, tolerance, key):
                left = [other for other in left if other is not nearest]
                partners[place] = Pair(row, nearest, False)
            else:
                partners[place] = Pair(row, None, False)
    return (*(partners[place] for place in range(len(want))), *(Pair(None, row, False) for row in left))


def render(pairs: Sequence[Pair], names: Sequence[str], tolerance: float) -> list[str]:
    """Write pairs as a table: what was wanted above what came, with the cells in brackets that differ."""
    wrong = [pair for pair in pairs if not pair.same]
    shown = pairs if len(pairs) <= MOST_ROWS else wrong[:MOST_ROWS]
    lines: list[list[str]] = [["", *names]]
    for pair in shown:
        if pair.same and pair.got:
            lines.append(["", *map(_text, pair.got)])
        elif pair.want and pair.got:
            equal = [_equal(w, g, tolerance) for w, g in zip(pair.want, pair.got, strict=True)]
            lines.append(["want", *map(_text, pair.want)])
            told = [
                _text(g) if e else f"[{_distinct(w, g)}]" for w, g, e in zip(pair.want, pair.got, equal, strict=True)
            ]
            lines.append(["got", *told])
        else:
            lines.append(["missing" if pair.want else "extra", *map(_text, pair.want or pair.got or ())])
    widths = [max(len(line[i]) for line in lines) for i in range(len(names) + 1)]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    hidden = len(wrong) - sum(not pair.same for pair in shown)
    return [*rows, *([f"… and {hidden:,} more rows that differ"] if hidden else [])]


def verdict(pair: Pair) -> Literal["same", "changed", "missing", "extra"]:
    """What became of a row."""
    if pair.same:
        return "same"
    return "missing" if pair.got is None else "extra" if pair.want is None else "changed"


def _same(want: Values, got: Values, tolerance: float) -> bool:
    return all(_equal(w, g, tolerance) for w, g in zip(want, got, strict=True))


def _likeness(want: Values, got: Values, tolerance: float, key: Sequence[int]) -> int:
    """How alike two rows are: a shared key before any number of equal cells."""
    equal = [_equal(w, g, tolerance) for w, g in zip(want, got, strict=True)]
    if key:
        return len(equal) * all(equal[i] for i in key) + sum(equal[i] for i in key) * sum(equal)
    return sum(equal)


def _equal(want: Any, got: Any, tolerance: float) -> bool:
    if isinstance(want, float) and isinstance(got, float):
        if math.isnan(want) or math.isnan(got):
            return math.isnan(want) and math.isnan(got)
        return math.isclose(want, got, rel_tol=tolerance, abs_tol=min(tolerance, NOTHING))
    if isinstance(want, Mapping) and isinstance(got, Mapping):
        return want.keys() == got.keys() and all(_equal(want[name], got[name], tolerance) for name in want)
    if isinstance(want, (list, tuple)) and isinstance(got, (list, tuple)):
        return len(want) == len(got) and all(_equal(w, g, tolerance) for w, g in zip(want, got, strict=True))
    return bool(want == got)


def _distinct(want: Any, got: Any) -> str:
    """A value that differs, with as many digits as it takes to see it."""
    return repr(got) if isinstance(got, float) and _text(want) == _text(got) else _text(got)


def _text(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case float():
            return f"{value:.12g}"
        case bool():
            return "true" if value else "false"
        case "":
            return "''"
    return str(value)

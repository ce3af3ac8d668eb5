"""Intervals that begin before anybody knew of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tsq.engine.plants_axis import MOMENT, spelt

# A year: a cut lies before few events, and has to show one of them.
EARLY = 365
_OPEN = {"DATE": "date '9999-01-01'", MOMENT: "timestamptz '9999-01-01 00:00:00+00'"}


def earlier(interval: Sequence[str], kinds: Mapping[str, str]) -> dict[str, str]:
    """The times of a row of an interval that begins, and is known, `EARLY` days early.

    What was known ahead begins as early before that: else it would be early, and no secret. Only the later half of a
    table is early: before the rest there may be no day on which anybody could have looked.

    Args:
        interval: column of the beginning and, if there is one, of the end.
        kinds: types of these columns, and of others that say when a row was known.

    Returns:
        Column → SQL over the row; none where the beginning is neither a date nor a moment.
    """
    if not interval or kinds.get(interval[0]) not in _OPEN:
        return {}
    first, is_day = interval[0], kinds[interval[0]] == "DATE"
    said = {name: kind for name, kind in kinds.items() if name not in interval and kind in _OPEN}
    known = [spelt(name) if (kind == "DATE") == is_day else _as(spelt(name), is_day) for name, kind in said.items()]
    began = f"least({', '.join([spelt(first), *known])})" if known else spelt(first)
    begins = f"{began} - {EARLY}" if is_day else f"{began} - to_days({EARLY})"
    half = f"quantile_disc({spelt(first)}, 0.5) over ()"
    is_later = f"{spelt(first)} > {half}"
    put = {first: f"case when {is_later} then {begins} else {spelt(first)} end"}
    for name, kind in said.items():
        moved = begins if (kind == "DATE") == is_day else _as(begins, kind == "DATE")
        put[name] = f"case when {is_later} then least({spelt(name)}, {moved}) else {spelt(name)} end"
    for name in interval[1:]:
        if kinds.get(name) in _OPEN:
            ended = f"{spelt(name)} - {EARLY if kinds[name] == 'DATE' else f'to_days({EARLY})'}"
            ends = f"{spelt(name)} < {_OPEN[kinds[name]]}"
            ends += f" and {spelt(name)} > {half}" if kinds[name] == kinds[first] else ""
            put[name] = f"case when {ends} then {ended} else {spelt(name)} end"
    return put


def _as(value: str, is_day: bool) -> str:
    """A moment as its day, or a day as its first moment."""
    return f"cast(timezone('UTC', {value}) as date)" if is_day else f"timezone('UTC', cast({value} as timestamp))"

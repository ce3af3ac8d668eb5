"""Where to cut: days on which knowing the future would show.

Found in the tables and the lake alone. A table that has rows on few of the sessions decides something on these days;
a key of the lake that has several versions, or was known before or after the day it speaks of, is a fact in motion. A
cut belongs on a decision that is also the end of a quarter, right behind one, right before one, and inside as many
facts in motion as one day can be; the rest are drawn at random.
"""

from __future__ import annotations

import datetime as dt
import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log1p
from zoneinfo import ZoneInfo

from tsq.engine.audit_build import Aside
from tsq.engine.audit_compare import session_of
from tsq.engine.audit_known import moment_of
from tsq.engine.catalog import Evening
from tsq.engine.lake import quote, quote_name
from tsq.engine.macros import NEVER
from tsq.errors import TsqError

# A table with rows on fewer than this share of the sessions decides on the days it has rows.
_SPARSE = 0.34
# Of facts of one kind in motion no more are looked at.
_MOST_FACTS = 5000
# Of the days of one table that no cut lies on no more count.
_MOST_WEIGHT = 100
_ENDS: tuple[tuple[str, Callable[[dt.date], tuple[int, ...]]], ...] = (
    ("quarter", lambda day: (day.year, (day.month - 1) // 3)),
    ("month", lambda day: (day.year, day.month)),
    ("week", lambda day: (day.isocalendar().year, day.isocalendar().week)),
)


@dataclass(frozen=True)
class Cut:
    """A day whose evening ends the data, why this day, and how many facts in motion it lies inside of."""

    date: dt.date
    moment: dt.datetime
    why: str
    facts: int = 0


@dataclass(frozen=True)
class Calendar:
    """The days of a project's tables.

    Attributes:
        sessions: days on which the densest table has rows, in order.
        decisions: of these, those on which most of the sparse tables have rows.
        begun: from this session on nearly all tables have rows.
    """

    sessions: tuple[dt.date, ...]
    decisions: tuple[dt.date, ...]
    begun: int


@dataclass(frozen=True)
class Motion:
    """Facts of one dataset and kind that were known in one way from one day on, and otherwise from another."""

    kind: str
    spans: tuple[tuple[dt.date, dt.date], ...]


def evening(day: dt.date, when: Evening) -> dt.datetime:
    """The moment of a day from which its rows are known."""
    return dt.datetime.combine(day, when.time, ZoneInfo(when.zone))


def first_evening(moment: str, when: Evening) -> str:
    """The day of the first evening at which something was known, as an expression over the moment it became known."""
    seconds = (when.time.hour * 60 + when.time.minute) * 60 + when.time.second
    return (
        f"(cast(timezone({quote(when.zone)}, {moment}) - to_seconds({seconds}) - interval 1 microsecond as date) + 1)"
    )


def calendar(aside: Aside, database: str, columns: Mapping[str, Mapping[str, str]]) -> Calendar:
    """Read the days of all tables of a build.

    Raises:
        TsqError: no table has dated rows.
    """
    aside.stand(database)
    days: dict[str, list[dt.date]] = {}
    for name, found in columns.items():
        column = session_of(aside.graph.nodes[name].model.header, found)
        if aside.graph.nodes[name].model.header.date == column and column and found[column] == "DATE":
            listed = quote_name(column)
            rows = aside.con.execute(
                f"select distinct {listed} from {name} where {listed} is not null order by 1"
            ).fetchall()
            if rows:
                days[name] = [row[0] for row in rows]
    if not days:
        raise TsqError(
            "nothing can be audited: no table has rows with a date",
            hint="say in a header which column is the session (`date`), and load data: `tsq ingest`",
        )
    sessions = max(days.values(), key=len)
    sparse = [set(dates) for dates in days.values() if 2 < len(dates) < _SPARSE * len(sessions)]
    busy = {day: sum(day in dates for dates in sparse) for day in sessions}
    most = max(busy.values())
    decisions = tuple(day for day in sessions if most and busy[day] > most / 2)
    starts = sorted(bisect_left(sessions, dates[0]) for dates in days.values())
    begun = min(starts[int(0.9 * (len(starts) - 1))], len(sessions) // 2)
    return Calendar(tuple(sessions), decisions, begun)


def motions(aside: Aside) -> tuple[Motion, ...]:
    """The facts in motion of the lake: corrected, announced ahead, and known late."""
    found = []
    for name, dataset in aside.datasets().items():
        rows, key = aside.rows_of(name), ", ".join(quote_name(column) for column in dataset.key)
        known = first_evening("known_at", aside.graph.catalog.evening)
        kinds = {
            "corrected": f"select {known} as first, lead({known}) over version as later from {rows} "
            f"window version as (partition by {key} order by known_at)"
        }
        for column in dataset.columns:
            if column.type == "DATE":
                day = quote_name(column.name)
                kinds[f"ahead of {column.name}"] = f"select {known} as first, {day} as later from {rows}"
            if column.name == dataset.date:
                kinds["late"] = f"select {day} as first, {known} as later from {rows}"
        for kind, query in kinds.items():
            spans = aside.con.execute(
                f"select * from (select first, later from ({query}) where first < later and first > date '1900-01-02' "
                f"and later < date '9999-01-01') order by hash(first, later), first, later limit {_MOST_FACTS}"
            ).fetchall()
            if spans:
                found.append(Motion(f"{name} {kind}", tuple(spans)))
    return tuple(found)


def spells(aside: Aside, database: str, columns: Mapping[str, Mapping[str, str]]) -> tuple[frozenset[dt.date], ...]:
    """Of each table the days on which its rows became known, and those that they speak of.

    A leak of one session shows only where a cut lies on such a day.
    """
    aside.stand(database)
    when = aside.graph.catalog.evening
    found = set()
    for name, kinds in columns.items():
        header = aside.graph.nodes[name].model.header
        moment = moment_of(header, kinds, when)
        if moment is None or header.knowable == NEVER:
            continue
        dated = session_of(header, kinds)
        for day in {first_evening(moment, when), f"cast({quote_name(dated)} as date)" if dated else "null::date"}:
            rows = aside.con.execute(f"select distinct {day} as day from {name} where {day} is not null").fetchall()
            found.add(frozenset(row[0] for row in rows))
    return tuple(sorted(found, key=lambda days: (len(days), sorted(days))))


def choose(days: Calendar, moving: Sequence[Motion], when: Evening, count: int, seed: int) -> tuple[Cut, ...]:
    """Choose the cuts, oldest first; the same seed chooses the same.

    Args:
        days: the calendar.
        moving: facts in motion.
        when: the evening of a day.
        count: how many cuts, at least one.
        seed: of what is drawn at random.
    """
    draw = random.Random(seed)
    sessions = days.sessions
    last = len(sessions) - 1 - max(2, len(sessions) // 50)
    # where tables have only begun there is little to compare
    first = days.begun + max(last - days.begun, 0) // 8
    allowed = [sessions[place] for place in range(min(first, max(last - 1, 0)), max(last, 1))]
    decisions = [day for day in days.decisions if allowed[0] <= day <= allowed[-1]]
    chosen: dict[dt.date, str] = {}

    def take(options: Sequence[dt.date], why: str, share: float) -> None:
        free = [day for day in options if day not in chosen]
        if free and len(chosen) < count:
            chosen[free[min(int(share * len(free)), len(free) - 1)]] = why

    def last_of(period: str, options: Sequence[dt.date]) -> list[dt.date]:
        part = dict(_ENDS)[period]
        following = dict(pairwise(sessions))
        return [day for day in options if day in following and part(day) != part(following[day])]

    for period, _ in _ENDS:
        ends = last_of(period, decisions or allowed)
        if ends:
            what = "on a decision that ends a" if decisions else "on the last session of a"
            take(ends, f"{what} {period}", 0.35 + 0.2 * draw.random())
            break
    take(*_in_motion(allowed, moving, chosen), 0.0)
    after = [sessions[bisect_right(sessions, day)] for day in decisions if day < sessions[-1]]
    take(
        [day for day in after if day in allowed and day not in decisions],
        "one session after a decision",
        0.25 + 0.2 * draw.random(),
    )
    # between two decisions, and where rows dated to the session before a decision would show
    before = [sessions[bisect_left(sessions, day) - 1] for day in decisions if day > sessions[0]]
    take(
        [day for day in before if day in allowed and day not in decisions],
        "one session before a decision",
        0.3 + 0.3 * draw.random(),
    )
    while len(chosen) < min(count, len(allowed)):
        take(allowed, "drawn at random", draw.random())
        take(*_in_motion(allowed, moving, chosen), 0.0)
    return tuple(Cut(day, evening(day, when), why, _inside(moving, day)) for day, why in sorted(chosen.items()))


def missed(
    days: Calendar, busy: Collection[frozenset[dt.date]], cuts: Sequence[Cut], when: Evening, most: int
) -> tuple[Cut, ...]:
    """More cuts, on days of tables that no cut lies on yet.

    Args:
        days: the calendar.
        busy: the days of tables (`spells`); of those that are the same only one.
        cuts: those there are.
        when: the evening of a day.
        most: how many more.
    """
    last = len(days.sessions) - 1
    allowed = days.sessions[min(1, last) : last]
    taken = {cut.date for cut in cuts}
    left = [found for found in busy if taken.isdisjoint(found) and not found.isdisjoint(allowed)]
    more: list[Cut] = []
    while left and len(more) < most:
        # a table with a rhythm of its own weighs more than one of a few events
        weights = [sum(min(len(found), _MOST_WEIGHT) ** 2 for found in left if day in found) for day in allowed]
        best = [day for day, weight in zip(allowed, weights, strict=True) if weight == max(weights)]
        day = best[len(best) // 2]
        hit = sum(day in found for found in left)
        more.append(Cut(day, evening(day, when), f"on days of {hit} tables that no other cut lies on"))
        left = [found for found in left if day not in found]
    return tuple(more)


def later(days: Calendar, cuts: Sequence[Cut], moving: Sequence[Motion], when: Evening) -> Cut:
    """The day after which data are bent: a decision in the later half, no cut itself, inside most facts in motion.

    The longer the past, the more rows are compared.
    """
    sessions, taken = days.sessions, {cut.date for cut in cuts}
    half = [day for day in sessions[len(sessions) // 2 : -max(2, len(sessions) // 50)] if day not in taken]
    decided = set(days.decisions)
    options = [day for day in half if day in decided] or half
    if not options:
        return cuts[-1]
    best = max(options, key=lambda day: (_inside(moving, day), day))
    return Cut(best, evening(best, when), "everything known after it is bent", _inside(moving, best))


def _inside(moving: Sequence[Motion], day: dt.date) -> int:
    """How many facts a day's evening finds between two versions: known, and not yet known otherwise."""
    return sum(first <= day < later for motion in moving for first, later in motion.spans)


def _in_motion(
    days: Sequence[dt.date], moving: Sequence[Motion], taken: Iterable[dt.date]
) -> tuple[list[dt.date], str]:
    """The day inside most facts in motion that no cut lies in yet, each kind counted by its order of size."""
    left = [[span for span in motion.spans if not any(span[0] <= day < span[1] for day in taken)] for motion in moving]
    ordered = [(sorted(first for first, _ in spans), sorted(later for _, later in spans)) for spans in left]
    best: tuple[float, int, list[dt.date]] = 0.0, 0, []
    for day in days:
        # begun by this evening, and not yet known otherwise
        inside = [bisect_right(firsts, day) - bisect_right(laters, day) for firsts, laters in ordered]
        score = sum(log1p(facts) for facts in inside)
        if score > best[0]:
            best = score, sum(inside), [day]
    return best[2], f"between two versions of {best[1]:,} facts"

"""Compare the rows of one table in two builds, in SQL: by key where there is one, else as a bag of rows.

Only the shared columns are compared, and only the sessions in which the two differ at all: a hash of each session's
rows finds them, which costs a fraction of a join.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tsq.engine.lake import quote, quote_name
from tsq.engine.warehouse import Connection

_WHOLE = re.compile(r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)")
_REAL = re.compile(r"FLOAT|DOUBLE|DECIMAL\(.*\)")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Limits:
    """How closely to look.

    Attributes:
        tolerance: floating-point numbers are equal when they differ by no more than this, or by no more than this
            share of the larger of the two; 0 is exactly equal.
        examples: rows and values shown of each kind of difference.
    """

    tolerance: float = 0.0
    examples: int = 3


@dataclass(frozen=True)
class Column:
    """A column both builds have, its type in each, and whether it is a label: a number that names something."""

    name: str
    type_a: str
    type_b: str
    label: bool = False

    @property
    def common(self) -> str:
        """The type in which values of both are compared."""
        if self.type_a == self.type_b:
            return self.type_a
        if _WHOLE.fullmatch(self.type_a) and _WHOLE.fullmatch(self.type_b):
            return "HUGEINT"
        return "DOUBLE" if self._numbers else "VARCHAR"

    @property
    def numeric(self) -> bool:
        """Whether the difference of two values is a number."""
        return self._numbers and not self.label

    @property
    def real(self) -> bool:
        """Whether values are floating-point or decimal in one of the builds."""
        return self.numeric and any(_REAL.fullmatch(kind) for kind in (self.type_a, self.type_b))

    @property
    def _numbers(self) -> bool:
        return all(_WHOLE.fullmatch(kind) or _REAL.fullmatch(kind) for kind in (self.type_a, self.type_b))


@dataclass(frozen=True)
class Pair:
    """One table as two builds have it: the columns both have, what tells its rows apart, the session of a row."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    date: str | None


@dataclass(frozen=True)
class Change:
    """One value that is another one in B; difference and relative (to A's size) are null where they have no meaning."""

    key: Row
    a: Any
    b: Any
    difference: float | None
    relative: float | None


@dataclass(frozen=True)
class ColumnChange:
    """What became of a column's values, in rows both builds have.

    Attributes:
        rows: values that differ.
        appeared: of these, null in A only.
        vanished: of these, null in B only.
        largest: the largest differences first; where a difference has no size, the first by key.
        most_relative: the largest difference relative to A's value.
    """

    name: str
    rows: int
    appeared: int
    vanished: int
    largest: tuple[Change, ...]
    most_relative: Change | None


@dataclass(frozen=True)
class RowsDiff:
    """How rows differ: those of one side only, by key or whole, with some of them; and the values that changed."""

    only_a: int = 0
    only_b: int = 0
    changed: int = 0
    examples_a: tuple[Row, ...] = ()
    examples_b: tuple[Row, ...] = ()
    columns: tuple[ColumnChange, ...] = ()


def touched_sessions(con: Connection, pair: Pair, recorded: bool) -> str:
    """Find the sessions that differ.

    Args:
        con: both builds.
        pair: the table.
        recorded: whether both builds keep hashes of its sessions, of the same columns.

    Returns:
        A condition on rows: those of sessions that differ; `true` when there is nothing to tell sessions by.
    """
    date = next((column for column in pair.columns if column.name == pair.date), None)
    if date is None or date.type_a != "DATE" or date.type_b != "DATE":
        return "true"
    if recorded and all(_counts_agree(con, pair, side) for side in "ab"):
        a, b = (f"select date, hash from {side}.ops.content where model = {quote(pair.name)}" for side in "ab")
    else:
        hashed = ", ".join(quote_name(column.name) for column in pair.columns)
        a, b = (
            f"select {quote_name(date.name)} as date, sum(hash({hashed})) as hash "
            f"from ({_select(pair, side, 'true')}) group by all"
            for side in "ab"
        )
    con.execute(
        "create or replace temp table touched as select coalesce(x.date, y.date) as date "
        f"from ({a}) as x full join ({b}) as y on x.date is not distinct from y.date "
        "where x.hash is distinct from y.hash"
    )
    dateless = (con.execute("select count(*) from touched where date is null").fetchone() or (0,))[0]
    within = f"{quote_name(date.name)} in (select date from touched where date is not null)"
    return f"({within} or {quote_name(date.name)} is null)" if dateless else within


def unique(con: Connection, pair: Pair, side: str, within: str) -> bool:
    """Whether no two of a side's rows share the key."""
    keys = ", ".join(quote_name(name) for name in pair.key)
    twice = f"select 1 from {_table(pair.name, side)} where {within} group by {keys} having count(*) > 1 limit 1"
    return con.execute(twice).fetchone() is None


def by_key(con: Connection, pair: Pair, within: str, limits: Limits) -> RowsDiff:
    """Compare rows that share a key; the key tells rows apart in both builds."""
    keys = {name: f"k{place}" for place, name in enumerate(pair.key)}
    values = [column for column in pair.columns if column.name not in keys]
    sides = {
        side: ", ".join(
            [
                *(f"{quote_name(name)} as {short}" for name, short in keys.items()),
                *(f"{quote_name(column.name)} as {side}{place}" for place, column in enumerate(values)),
                "true as here",
            ]
        )
        for side in "ab"
    }
    differ = [_differs(column, place, limits.tolerance) for place, column in enumerate(values)]
    listed = ", ".join(
        [
            *(f"coalesce(x.{short}, y.{short}) as {short}" for short in keys.values()),
            *(f"x.a{place}, y.b{place}" for place in range(len(values))),
        ]
    )
    con.execute(
        f"""
        create or replace temp table differing as
        with x as (select {sides["a"]} from ({_select(pair, "a", within)})),
        y as (select {sides["b"]} from ({_select(pair, "b", within)}))
        select {listed}, x.here is not null as in_a, y.here is not null as in_b
        from x full join y on {" and ".join(f"x.{short} is not distinct from y.{short}" for short in keys.values())}
        where x.here is null or y.here is null or {" or ".join([*differ, "false"])}
        """
    )
    counts = ["not in_b", "not in_a", "in_a and in_b"]
    for place, differs in enumerate(differ):
        both = f"in_a and in_b and {differs}"
        counts += [both, f"{both} and a{place} is null", f"{both} and b{place} is null"]
    only_a, only_b, changed, *found = con.execute(
        f"select {', '.join(f'count(*) filter ({count})' for count in counts)} from differing"
    ).fetchone() or (0, 0, 0)
    changes = [
        _column_change(con, column, place, differ[place], tuple(found[3 * place : 3 * place + 3]), keys, limits)
        for place, column in enumerate(values)
        if found[3 * place]
    ]
    order = ", ".join(keys.values())
    some = f"select {order} from differing where not in_{{}} order by {order} limit {limits.examples}"
    examples = {side: _rows(con, some.format(other), pair.key) for side, other in ("ab", "ba")}
    return RowsDiff(only_a, only_b, changed, examples["a"], examples["b"], tuple(changes))


def as_bag(con: Connection, pair: Pair, within: str, limits: Limits) -> RowsDiff:
    """Compare whole rows, each as often as it stands there; values exactly."""
    names = [column.name for column in pair.columns]
    counted: dict[str, tuple[int, tuple[Row, ...]]] = {}
    for side, other in ("ab", "ba"):
        con.execute(
            f"create or replace temp table differing as {_select(pair, side, within)} "
            f"except all {_select(pair, other, within)}"
        )
        count = (con.execute("select count(*) from differing").fetchone() or (0,))[0]
        examples = _rows(con, f"select * from differing order by all limit {limits.examples}", names)
        counted[side] = count, examples
    return RowsDiff(counted["a"][0], counted["b"][0], 0, counted["a"][1], counted["b"][1])


def _column_change(
    con: Connection,
    column: Column,
    place: int,
    differs: str,
    counts: tuple[int, ...],
    keys: Mapping[str, str],
    limits: Limits,
) -> ColumnChange:
    difference, relative = "null::double", "null::double"
    if column.numeric:
        a, b = f"cast(a{place} as double)", f"cast(b{place} as double)"
        difference = f"if(isfinite({a}) and isfinite({b}), {b} - {a}, null)"
        relative = f"{difference} / nullif(abs({a}), 0)"
    order = ", ".join(keys.values())
    query = (
        f"select {order}, a{place}, b{place}, {difference} as difference, {relative} as relative "
        f"from differing where in_a and in_b and {differs} order by"
    )
    largest = con.execute(f"{query} abs(difference) desc nulls last, {order} limit {limits.examples}").fetchall()
    most = con.execute(f"{query} abs(relative) desc nulls last, {order} limit 1").fetchall()
    rows, appeared, vanished = counts
    changes = [_change(row, list(keys)) for row in [*largest, *most]]
    relative_most = changes[-1] if changes and changes[-1].relative is not None else None
    return ColumnChange(column.name, rows, appeared, vanished, tuple(changes[: len(largest)]), relative_most)


def _change(row: Sequence[Any], key: Sequence[str]) -> Change:
    a, b, difference, relative = row[len(key) :]
    return Change(dict(zip(key, row, strict=False)), a, b, difference, relative)


def _differs(column: Column, place: int, tolerance: float) -> str:
    """Whether two values differ: null equals null, NaN equals NaN."""
    exactly = f"a{place} is distinct from b{place}"
    if not (tolerance and column.real):
        return f"({exactly})"
    a, b = f"cast(a{place} as double)", f"cast(b{place} as double)"
    near = f"isfinite({a}) and isfinite({b}) and abs({b} - {a}) <= {tolerance!r} * greatest(1.0, abs({a}), abs({b}))"
    return f"({exactly} and not coalesce({near}, false))"


def _counts_agree(con: Connection, pair: Pair, side: str) -> bool:
    """Whether recorded hashes are of the sessions that this date column tells: each has as many rows in the table."""
    recorded = f"select date, rows from {side}.ops.content where model = {quote(pair.name)}"
    counted = f"select {quote_name(pair.date or '')}, count(*) from {_table(pair.name, side)} group by all"
    found = con.execute(
        f"select count(*) from (({recorded} except all {counted}) union all ({counted} except all {recorded}))"
    ).fetchone()
    return found == (0,)


def _select(pair: Pair, side: str, within: str) -> str:
    """The shared columns of a side's rows, each in the type both are compared in."""
    names = {"a": "type_a", "b": "type_b"}
    listed = ", ".join(
        quote_name(column.name)
        if getattr(column, names[side]) == column.common
        else f"cast({quote_name(column.name)} as {column.common}) as {quote_name(column.name)}"
        for column in pair.columns
    )
    return f"select {listed} from {_table(pair.name, side)} where {within}"


def _table(name: str, side: str) -> str:
    return ".".join([side, *(quote_name(part) for part in name.split("."))])


def _rows(con: Connection, query: str, names: Sequence[str]) -> tuple[Row, ...]:
    return tuple(dict(zip(names, row, strict=True)) for row in con.execute(query).fetchall())

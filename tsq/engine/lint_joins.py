"""Joins on one side of a time: each row meets all of the past, or all of the future.

`a.date >= b.date` alone multiplies rows, and its mirror image looks ahead. A bound is an equality of two times, a
comparison the other way round (an interval), or a pick of one row: `qualify row_number()`, `limit`, `arg_max`. Times
are known by their names (`date`, `session_no`, `known_at`, `valid_from`, …), tables by the alias before the column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

from sqlglot import exp

_TIME = re.compile(r"(^|_)(date|day|session|time|month|week|known|valid|period)(_|$)|_(at|on)$")
_ANY = re.compile("")
_PICKS = (exp.Max, exp.Min, exp.ArgMax, exp.ArgMin, exp.First, exp.Last, exp.AnyValue)
_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank)
_EQUALITIES = (exp.EQ, exp.NullSafeEQ)
Pair = tuple[str, str]


@dataclass(frozen=True)
class _Bounds:
    """What a condition says of the times of tables: `ordered` holds (later, earlier), `equal` holds equal pairs."""

    ordered: frozenset[Pair] = frozenset()
    equal: frozenset[Pair] = frozenset()

    def __or__(self, other: _Bounds) -> _Bounds:
        return _Bounds(self.ordered | other.ordered, self.equal | other.equal)

    def __and__(self, other: _Bounds) -> _Bounds:
        return _Bounds(self.ordered & other.ordered, self.equal & other.equal)


def unbounded(query: exp.Expr) -> Iterator[tuple[exp.Expr, str, str]]:
    """Conditions that join on one side of a time only, each with the two tables it joins."""
    for select in query.find_all(exp.Select):
        if (select.args.get("joins") or _is_joined(select)) and not _picks(select):
            yield from _of_select(select)


def _of_select(select: exp.Select) -> Iterator[tuple[exp.Expr, str, str]]:
    conditions = [(condition, _bounds(condition)) for condition in _conditions(select)]
    said = reduce(_Bounds.__or__, [bounds for _, bounds in conditions], _Bounds())
    relations = {name: many and not _is_one_a_key(query, name, select) for name, query, many in _relations(select)}
    group = _groups([*said.equal, *_using(select)])
    ordered = {(group.get(later, later), group.get(earlier, earlier)) for later, earlier in said.ordered}
    for condition, bounds in conditions:
        for later, earlier in sorted(bounds.ordered):
            upper, lower = group.get(later, later), group.get(earlier, earlier)
            # a name of no table here belongs to the query around: it counts where this one is joined to that
            many = all(relations.get(name, _is_joined(select)) for name in (later, earlier))
            if many and upper != lower and (lower, upper) not in ordered:
                yield condition, later, earlier
                break


def _bounds(condition: exp.Expr) -> _Bounds:
    condition = condition.unnest()
    match condition:
        case exp.And():
            return _bounds(condition.left) | _bounds(condition.right)
        case exp.Or():
            # an open end: `valid_to is null or date < valid_to`
            sides = [side for side in condition.flatten() if not isinstance(side.unnest(), exp.Is)]
            return reduce(_Bounds.__and__, [_bounds(side) for side in sides]) if sides else _Bounds()
        case exp.Between():
            return _at_least(condition.this, condition.args["low"]) | _at_least(condition.args["high"], condition.this)
        case exp.GT() | exp.GTE():
            return _at_least(condition.left, condition.right)
        case exp.LT() | exp.LTE():
            return _at_least(condition.right, condition.left)
    if isinstance(condition, _EQUALITIES):
        either = _at_least(condition.left, condition.right) | _at_least(condition.right, condition.left)
        return _Bounds(either.ordered, either.ordered)
    return _Bounds()


def _at_least(greater: exp.Expr, lesser: exp.Expr) -> _Bounds:
    """What `greater >= lesser` says."""
    inner = lesser.unnest()
    terms = [
        *_compared(greater, 1, with_time=any(_times(lesser, 1))),
        *_compared(lesser, -1, with_time=any(_times(greater, 1))),
    ]
    later = {name for name, sign in terms if sign > 0}
    earlier = {name for name, sign in terms if sign < 0}
    pairs = {(a, b) for a in later for b in earlier if a != b}
    if isinstance(inner, exp.Abs):
        # `abs(a.session_no - b.session_no) <= 5` bounds both sides
        around = {name for name, _ in _times(inner.this, 1)}
        pairs |= {(a, b) for a in around for b in around if a != b}
    return _Bounds(frozenset(pairs))


def _compared(side: exp.Expr, sign: int, *, with_time: bool) -> Iterator[tuple[str, int]]:
    """The times of one side; compared with a time, a side without one is a time whatever its names."""
    times = list(_times(side, sign))
    yield from times or (_times(side, sign, _ANY) if with_time else ())


def _times(node: exp.Expr, sign: int, names: re.Pattern[str] = _TIME) -> Iterator[tuple[str, int]]:
    """Tables whose times a value grows with (1) or falls with (-1)."""
    match node:
        case exp.Column():
            if node.table and names.search(node.name.lower()):
                yield node.table.lower(), sign
        case exp.Sub():
            yield from _times(node.left, sign, names)
            yield from _times(node.right, -sign, names)
        case exp.Neg():
            yield from _times(node.this, -sign, names)
        case exp.Query():
            return
        case _:
            for child in node.iter_expressions():
                yield from _times(child, sign, names)


def _conditions(select: exp.Select) -> Iterator[exp.Expr]:
    """The conditions rows of several tables meet, one by one."""
    where = select.args.get("where")
    whole = [where.this] if where else []
    whole += [join.args["on"] for join in select.args.get("joins") or () if join.args.get("on") is not None]
    for condition in whole:
        inner = condition.unnest()
        yield from inner.flatten() if isinstance(inner, exp.And) else [inner]


def _relations(select: exp.Select) -> Iterator[tuple[str, exp.Expr | None, bool]]:
    """What a SELECT reads: alias, the query it stands for if any, and whether it may have more than one row."""
    first = select.args.get("from_")
    for node in [*([first.this] if first else ()), *(join.this for join in select.args.get("joins") or ())]:
        query = node.this if isinstance(node, (exp.Subquery, exp.Lateral)) else _cte(node)
        yield node.alias_or_name.lower(), query, not (isinstance(query, exp.Select) and _is_one_row(query))


def _is_one_a_key(query: exp.Expr | None, name: str, select: exp.Select) -> bool:
    """Whether a grouped query is joined on all it is grouped by: it then has one row for each row it meets."""
    group = query.args.get("group") if isinstance(query, exp.Select) else None
    if not isinstance(query, exp.Select) or group is None:
        return False
    if group.args.get("all"):
        keys = {column.alias_or_name.lower() for column in query.selects if not column.find(exp.AggFunc)}
    else:
        keys = {column.name.lower() for column in group.expressions}
    joined = {
        column.name.lower()
        for join in select.args.get("joins") or ()
        for column in join.args.get("using") or ()
        if name in (join.alias_or_name.lower(), select.args["from_"].alias_or_name.lower())
    }
    for condition in _conditions(select):
        if isinstance(condition, _EQUALITIES):
            sides = (condition.left.unnest(), condition.right.unnest())
            joined |= {
                side.name.lower() for side in sides if isinstance(side, exp.Column) and side.table.lower() == name
            }
    return bool(keys) and keys <= joined


def _using(select: exp.Select) -> Iterator[Pair]:
    """Tables joined by the name of a time."""
    first = select.args.get("from_")
    before = [first.this.alias_or_name.lower()] if first else []
    for join in select.args.get("joins") or ():
        name = join.this.alias_or_name.lower()
        if any(_TIME.search(column.name.lower()) for column in join.args.get("using") or ()):
            yield from ((name, other) for other in before[:1])
        before.append(name)


def _groups(pairs: list[Pair]) -> dict[str, str]:
    """One name for all tables whose times are equal."""
    group: dict[str, str] = {}
    for a, b in pairs:
        kept, gone = group.setdefault(a, a), group.setdefault(b, b)
        group = {name: kept if owner == gone else owner for name, owner in group.items()}
    return group


def _picks(select: exp.Select) -> bool:
    """Whether a SELECT keeps one row, or one a group, of all it joins."""
    qualify = select.args.get("qualify")
    if qualify is not None and any(window.this.unnest().__class__ in _RANKS for window in qualify.find_all(exp.Window)):
        return True
    if select.args.get("limit") is not None or _is_one_row(select):
        return True
    found = [node for column in select.expressions for node in column.find_all(exp.AggFunc)]
    return select.args.get("group") is not None and bool(found) and all(isinstance(node, _PICKS) for node in found)


def _is_one_row(select: exp.Select) -> bool:
    limit = select.args.get("limit")
    if limit is not None and limit.expression is not None and limit.expression.name == "1":
        return True
    if select.args.get("group") is not None or not select.expressions:
        return False
    return all(column.find(exp.AggFunc) and not column.find(exp.Window) for column in select.expressions)


def _is_joined(select: exp.Select) -> bool:
    """Whether a SELECT is itself one of the tables of another: then it sees their rows, one by one."""
    holder = select.parent
    return isinstance(holder, (exp.Subquery, exp.Lateral)) and isinstance(
        holder.parent, (exp.From, exp.Join, exp.Lateral)
    )


def _cte(table: exp.Expr) -> exp.Expr | None:
    """The CTE a name means, looking outwards; None for a table of the project."""
    around = table.parent if isinstance(table, exp.Table) and not table.db else None
    while around is not None:
        clause = around.args.get("with_")
        for cte in clause.expressions if clause else ():
            if cte.alias_or_name.lower() == table.name.lower():
                return cte.this  # type: ignore[no-any-return]
        around = around.parent
    return None

"""Which divisors may be zero, as far as the text of a query says.

A divisor is safe when it is written so (`nullif(x, 0)`, a literal, `1 + abs(x)`), when a condition around it says so
(`if(x > 0, y / x, null)`, `where x > 0`), or when the CTE it comes from gives it so. Null is safe: it gives null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

_CALLS = {"divide", "fdiv", "fmod"}
# A query without one of these divides by nothing.
SIGNS = frozenset({"/", "//", "%", "mod", *_CALLS})
_COMPARISONS = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ, exp.NEQ)
_MIRRORED: Mapping[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
}
_DENIED: Mapping[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.LTE,
    exp.GTE: exp.LT,
    exp.LT: exp.GTE,
    exp.LTE: exp.GT,
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
}
_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile)
_DEPTH = 8


@dataclass(frozen=True)
class _Known:
    """What conditions say of expressions, by their text."""

    positive: frozenset[str] = frozenset()
    nonzero: frozenset[str] = frozenset()

    def __or__(self, other: _Known) -> _Known:
        return _Known(self.positive | other.positive, self.nonzero | other.nonzero)


def unguarded(query: exp.Expr) -> Iterator[exp.Expr]:
    """Divisors of `/`, `//`, `%` and their functions that may be zero."""
    for node in query.walk():
        if isinstance(node, (exp.Div, exp.IntDiv, exp.Mod)):
            divisor = node.expression
        elif isinstance(node, exp.Anonymous) and node.name.lower() in _CALLS and len(node.expressions) == 2:
            divisor = node.expressions[1]
        else:
            continue
        if not _nonzero(divisor, _around(node), 0):
            yield divisor.unnest()


def _nonzero(node: exp.Expr, known: _Known, depth: int) -> bool:
    node = node.unnest()
    value = _number(node)
    if value is not None:
        return value != 0
    if isinstance(node, exp.Null) or _text(node) in known.nonzero or _positive(node, known, depth):
        return True
    match node:
        case exp.Nullif():
            return _number(node.expression) == 0
        case exp.Neg() | exp.Abs():
            return _nonzero(node.this, known, depth)
        case exp.Cast():
            return _is_real(node) and _nonzero(node.this, known, depth)
        case exp.Mul():
            return _nonzero(node.left, known, depth) and _nonzero(node.right, known, depth)
        case exp.Div():
            return _nonzero(node.left, known, depth)
        case exp.Coalesce() | exp.If() | exp.Case():
            return all(_nonzero(*choice, depth) for choice in _choices(node, known))
        case exp.Column():
            return _given(node, depth, positive=False)
    return False


def _positive(node: exp.Expr, known: _Known, depth: int) -> bool:
    node = node.unnest()
    value = _number(node)
    if value is not None:
        return value > 0
    if isinstance(node, exp.Null) or _text(node) in known.positive:
        return True
    match node:
        case exp.Greatest():
            return any(_positive(part, known, depth) for part in (node.this, *node.expressions))
        case exp.Least():
            return all(_positive(part, known, depth) for part in (node.this, *node.expressions))
        case exp.Coalesce() | exp.If() | exp.Case():
            return all(_positive(*choice, depth) for choice in _choices(node, known))
        case exp.Cast():
            return _is_real(node) and _positive(node.this, known, depth)
        case exp.Add():
            sides = (node.left, node.right)
            return all(_not_negative(side, known, depth) for side in sides) and any(
                _positive(side, known, depth) for side in sides
            )
        case exp.Mul() | exp.Div():
            return _positive(node.left, known, depth) and _positive(node.right, known, depth)
        case exp.Sqrt() | exp.Pow():
            return _positive(node.this, known, depth)
        case exp.Exp():
            return True
        case exp.Abs():
            return _nonzero(node.this, known, depth)
        case exp.Window():
            # a row is in its own window, unless a frame leaves it out
            return isinstance(node.this, _RANKS) or (_is_count_of_rows(node.this) and not node.args.get("spec"))
        case exp.Count():
            select = node.parent_select
            return _is_count_of_rows(node) and select is not None and select.args.get("group") is not None
        case exp.Column():
            return _given(node, depth, positive=True)
    return False


def _not_negative(node: exp.Expr, known: _Known, depth: int) -> bool:
    node = node.unnest()
    value = _number(node)
    if value is not None:
        return value >= 0
    match node:
        case exp.Abs() | exp.Count() | exp.CountIf() | exp.Sqrt() | exp.Stddev() | exp.StddevPop() | exp.Variance():
            return True
        case exp.Window() | exp.Filter():
            return _not_negative(node.this, known, depth)
        case exp.Pow():
            return (_number(node.expression) or 1) % 2 == 0
        case exp.Mul():
            return _text(node.left.unnest()) == _text(node.right.unnest())
        case exp.Coalesce():
            return all(_not_negative(*choice, depth) for choice in _choices(node, known))
    return _positive(node, known, depth)


def _choices(node: exp.Expr, known: _Known) -> Iterator[tuple[exp.Expr, _Known]]:
    """What an expression may become, each with what is known by then; a missing `else` is null, and null is safe."""
    if isinstance(node, exp.Coalesce):
        for part in (node.this, *node.expressions):
            yield part, known
        return
    for branch in [node] if isinstance(node, exp.If) else node.args["ifs"]:
        yield branch.args["true"], known | _around(branch.args["true"])
    last = node.args.get("false") if isinstance(node, exp.If) else node.args.get("default")
    if last is not None:
        yield last, known | _around(last)


def _around(node: exp.Expr) -> _Known:
    """What the conditions around a node say whenever the node counts, up to its own SELECT."""
    known = _Known()
    child, parent = node, node.parent
    while parent is not None:
        match parent:
            case exp.Case():
                earlier = [branch for branch in parent.args["ifs"] if branch is not child]
                if child.arg_key == "ifs":
                    earlier = parent.args["ifs"][: child.index]
                for branch in earlier if child.arg_key in ("ifs", "default") else ():
                    known |= _says(_condition(branch), truth=False)
            case exp.If() if child.arg_key in ("true", "false"):
                known |= _says(_condition(parent), truth=child.arg_key == "true")
            case exp.And() | exp.Or():
                other = parent.right if child is parent.left else parent.left
                known |= _says(other, truth=isinstance(parent, exp.And))
            case exp.Filter() if child.arg_key == "this":
                known |= _says(parent.expression.this, truth=True)
            case exp.Select():
                return known | _kept(parent, child)
        child, parent = parent, parent.parent
    return known


def _kept(select: exp.Select, part: exp.Expr | None = None) -> _Known:
    """What is true of every row a SELECT keeps; `part` is the clause that asks, which says nothing of itself."""
    known = _Known()
    for clause in ("where", "having", "qualify"):
        condition = select.args.get(clause)
        if condition is not None and condition is not part:
            known |= _says(condition.this, truth=True)
    for join in select.args.get("joins") or ():
        if join is not part and not join.side and join.args.get("on") is not None:
            known |= _says(join.args["on"], truth=True)
    return known


def _condition(branch: exp.Expr) -> exp.Expr:
    """The condition of one branch; `case x when 0` compares x with 0."""
    condition: exp.Expr = branch.this
    case = branch.parent
    if isinstance(case, exp.Case) and case.this is not None:
        return exp.EQ(this=case.this.copy(), expression=condition.copy())
    return condition


def _says(condition: exp.Expr, *, truth: bool) -> _Known:
    """What follows when a condition is true, or when it is not."""
    condition = condition.unnest()
    match condition:
        case exp.Not():
            return _says(condition.this, truth=not truth)
        case exp.And() if truth:
            return _says(condition.left, truth=True) | _says(condition.right, truth=True)
        case exp.Or() if not truth:
            return _says(condition.left, truth=False) | _says(condition.right, truth=False)
        case exp.Between() if truth:
            low = _number(condition.args["low"])
            return _fact(condition.this, exp.GTE, low) if low is not None else _Known()
    if not isinstance(condition, _COMPARISONS):
        return _Known()
    left, right = condition.left, condition.right
    kind: type[exp.Expr] = type(condition)
    if _number(left) is not None:
        left, right, kind = right, left, _MIRRORED.get(kind, kind)
    bound = _number(right)
    return _Known() if bound is None else _fact(left, kind if truth else _DENIED[kind], bound)


def _fact(node: exp.Expr, kind: type[exp.Expr], bound: float) -> _Known:
    """What `node kind bound` says of the node."""
    inner = node.unnest()
    text = frozenset({_text(inner)})
    above = (kind is exp.GT and bound >= 0) or (kind is exp.GTE and bound > 0) or (kind is exp.EQ and bound > 0)
    below = (kind is exp.LT and bound <= 0) or (kind is exp.LTE and bound < 0) or (kind is exp.EQ and bound < 0)
    known = _Known(positive=text if above else frozenset())
    if above or below or (kind is exp.NEQ and bound == 0):
        known |= _Known(nonzero=text)
        if isinstance(inner, exp.Abs):
            known |= _Known(nonzero=frozenset({_text(inner.this.unnest())}))
    return known


def _given(column: exp.Column, depth: int, *, positive: bool) -> bool:
    """Whether the CTEs or sub-queries a column comes from give it so."""
    select = column.parent_select
    if depth >= _DEPTH or not isinstance(select, exp.Select):
        return False
    origins = [query for alias, query in _sources(select) if column.table in ("", alias)]
    if not origins or (column.table == "" and None in origins):
        return False
    proofs = [_proven(query, column.name, depth + 1, positive=positive) for query in origins if query is not None]
    said = [proof for proof in proofs if proof is not None]
    return bool(said) and all(said)


def _proven(query: exp.Expr, name: str, depth: int, *, positive: bool) -> bool | None:
    """Whether a query gives a column so; None when it has no such column."""
    if isinstance(query, exp.SetOperation):
        sides = [_proven(side, name, depth, positive=positive) for side in (query.this, query.expression)]
        return None if sides[0] is None else all(sides)
    if isinstance(query, exp.Subquery):
        return _proven(query.this, name, depth, positive=positive)
    if not isinstance(query, exp.Select):
        return None
    test = _positive if positive else _nonzero
    known = _kept(query)
    for column in query.expressions:
        if column.alias_or_name.lower() == name.lower() and not column.is_star:
            inner = column.unalias()
            return name in (known.positive if positive else known.nonzero) or test(inner, known, depth)
    if not any(column.is_star for column in query.expressions):
        return None
    column = exp.column(name)
    column.parent = query
    return test(column, known, depth)


def _sources(select: exp.Select) -> Iterator[tuple[str, exp.Expr | None]]:
    """What a SELECT reads, by alias: a query of this text, or None for a table."""
    first = select.args.get("from_")
    for node in [*([first.this] if first else ()), *(join.this for join in select.args.get("joins") or ())]:
        if isinstance(node, exp.Subquery):
            yield node.alias_or_name, node.this
        elif isinstance(node, exp.Table):
            yield node.alias_or_name, None if node.db else _cte(node)
        else:
            yield node.alias_or_name, None


def _cte(table: exp.Table) -> exp.Expr | None:
    """The CTE a name means, looking outwards."""
    around = table.parent
    while around is not None:
        clause = around.args.get("with_")
        for cte in clause.expressions if clause else ():
            if cte.alias_or_name.lower() == table.name.lower():
                found: exp.Expr = cte.this
                return found
        around = around.parent
    return None


def _number(node: exp.Expr) -> float | None:
    """The value of a number that is written out."""
    node = node.unnest()
    if isinstance(node, exp.Literal) and not node.is_string:
        return float(node.this)
    if isinstance(node, exp.Neg):
        inner = _number(node.this)
        return None if inner is None else -inner
    if isinstance(node, exp.Cast) and _is_real(node):
        return _number(node.this)
    return None


def _is_real(cast: exp.Cast) -> bool:
    """Whether a cast keeps what is not zero from becoming zero."""
    return cast.to.is_type(exp.DataType.Type.DOUBLE, exp.DataType.Type.FLOAT)


def _is_count_of_rows(node: exp.Expr) -> bool:
    return isinstance(node, exp.Count) and isinstance(node.this, exp.Star)


def _text(node: exp.Expr) -> str:
    return node.sql(dialect="duckdb", comments=False).lower()

"""Expressions read for `tsq.engine.flows`: which columns stand in one, and through which fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import takewhile

from sqlglot import exp

from tsq.engine.flows import Flow, Scope, join, merge, struct


def evaluate(node: exp.Expr | None, scope: Scope) -> Flow:
    """What a value is made of. None, a clause that is not there, is made of nothing."""
    match node:
        case None | exp.Literal() | exp.DataType() | exp.Var() | exp.Identifier() | exp.Null() | exp.Boolean():
            return Flow()
        case exp.Column(this=exp.Star()) | exp.Star():
            return scope.counted
        case exp.Column():
            return _name([part.name for part in node.parts], scope)
        case exp.Dot():
            return _dotted(node, scope)
        case exp.StructExtract(expression=exp.Literal(is_string=True)):
            return evaluate(node.this, scope).field(node.expression.name.lower())
        case exp.Bracket(expressions=[exp.Literal() as key]):
            inside = evaluate(node.this, scope)
            return inside.field(key.name.lower()) if key.is_string else inside
        case exp.Struct():
            return struct({part.name.lower(): evaluate(_field_value(part), scope) for part in node.expressions})
        case exp.Alias() | exp.Paren() | exp.Explode():
            return evaluate(node.this, scope)
        case exp.Array():
            return join([evaluate(item, scope) for item in node.expressions])
        case exp.Query() | exp.Values():
            found = scope.read(node, scope)
            columns = [flow for _, flow in found.columns] + ([found.rest] if found.rest else [])
            return merge([*columns, Flow(choice=found.rows)])
        case exp.Lambda():
            return _within(identifiers(node.expressions), [node.this], scope)
        case exp.Comprehension():
            inside = _within(identifiers([node.expression]), [node.this, node.args.get("condition")], scope)
            return merge([inside, evaluate(node.args["iterator"], scope)])
        case exp.Window() | exp.Filter() | exp.ArgMin() | exp.ArgMax():
            return _chosen(node, scope)
        case exp.Binary():
            return merge(evaluate(part, scope) for part in _operands(node))
        case exp.Order() if node.this:
            return _chosen(node, scope)
    return merge(evaluate(child, scope) for child in node.iter_expressions())


def identifiers(nodes: Iterable[exp.Expr] | None) -> list[str]:
    """Names written as such: of a column list, of USING, of a lambda's arguments."""
    return [node.name.lower() for node in nodes or ()]


def spreads(item: exp.Expr) -> list[exp.Expr]:
    """What an item of a select list unnests: lists or structs, of which each makes several rows or columns."""
    made = [node for node in item.find_all(exp.Explode) if node.parent_select is item.parent_select]
    return [node.this for node in made]


def is_opaque(item: exp.Expr) -> bool:
    """Whether an item of a select list makes columns that only DuckDB can name."""
    if item.find(exp.Columns, exp.PositionalColumn):
        return True
    if isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
        return bool(item.db)
    own = [star for star in item.find_all(exp.Star) if star.parent_select is item.parent_select]
    return any(star is not item and not star.find_ancestor(exp.Count) for star in own)


def _name(parts: Sequence[str], scope: Scope) -> Flow:
    names = [part.lower() for part in parts]
    return Flow() if names[0] in scope.bound else scope.resolve(names)


def _chosen(node: exp.Expr, scope: Scope) -> Flow:
    """A value, and beside it what says which, in what order or of what group."""
    beside = [child for child in node.iter_expressions() if child is not node.this]
    window = scope.windows.get(node.alias.lower()) if isinstance(node, exp.Window) else None
    beside += [window] if window else []
    return merge([evaluate(node.this, scope), *(evaluate(child, scope).choosing for child in beside)])


def _operands(node: exp.Binary) -> Iterator[exp.Expr]:
    """Operands of a chain such as `a + b + c`, which leans to the left and may be hundreds long."""
    left: exp.Expr = node
    while isinstance(left, exp.Binary) and not isinstance(left, exp.Dot):
        yield left.expression
        left = left.this
    yield left


def _field_value(part: exp.Expr) -> exp.Expr:
    return part.expression if isinstance(part, exp.PropertyEQ) else part


def _dotted(node: exp.Dot, scope: Scope) -> Flow:
    """`a.b.c` with more parts than a column has, or a function behind a value, as `a.upper()`."""
    chain: list[exp.Expr] = []
    base: exp.Expr = node
    while isinstance(base, exp.Dot):
        chain.insert(0, base.expression)
        base = base.this
    names = [part.name.lower() for part in takewhile(lambda part: isinstance(part, exp.Identifier), chain)]
    functions = [evaluate(part, scope) for part in chain[len(names) :]]
    if isinstance(base, exp.Identifier | exp.Column):
        parts = [base] if isinstance(base, exp.Identifier) else base.parts
        flow = _name([*(part.name for part in parts), *names], scope)
    else:
        flow = evaluate(base, scope).field(*names)
    return merge([flow, *functions]) if functions else flow


def _within(names: Iterable[str], parts: Iterable[exp.Expr | None], scope: Scope) -> Flow:
    """Expressions in which some names are a lambda's own."""
    inside = replace(scope, bound=scope.bound | frozenset(names))
    return merge(evaluate(part, inside) for part in parts)

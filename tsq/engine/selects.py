"""Queries followed from their columns down to tables: select lists, set operations and CTEs.

The names are followed here rather than by sqlglot's own optimizer: DuckDB's rules (a column before an alias, fields of
structs, stars after USING) decide what a name means, and one pass over a query is all there is time for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlglot import Dialect, exp

from tsq.engine.expressions import evaluate, identifiers, is_opaque, spreads
from tsq.engine.flows import NOTHING, ROWS, Flow, Refs, Relation, Scope, join, merge
from tsq.engine.from_clause import add_join, add_source, opaque, star


@dataclass(frozen=True)
class Traced:
    """The answer for one query: its relation, and names in it that stand for nothing known."""

    relation: Relation
    lost: tuple[str, ...]


def trace(sql: str, tables: Mapping[str, Iterable[str]]) -> Traced:
    """Find what feeds each column of a query.

    Args:
        sql: one SELECT in DuckDB's dialect.
        tables: `schema.table` → its columns, in order, for every table the query reads.
    """
    known = {
        table: Relation(
            tuple((name.lower(), Flow(frozenset({(table, name.lower())}))) for name in columns),
            frozenset({(table, ROWS)}),
        )
        for table, columns in tables.items()
    }
    dialect = Dialect.get_or_raise("duckdb")
    (tree,) = (tree for tree in dialect.parser().parse(dialect.tokenize(sql), sql) if tree is not None)
    outside = Scope(query, known)
    return Traced(query(tree, outside), tuple(dict.fromkeys(outside.lost)))


def query(node: exp.Expr, scope: Scope) -> Relation:
    """Read a query that stands within `scope`."""
    tables = _ctes(node.args.get("with_"), scope)
    inside = scope.inner(tables)
    match node:
        case exp.Select():
            return _select(node, inside)
        case exp.SetOperation():
            return _ordered(node, _set_operation(node, inside), inside)
        case exp.Subquery(this=exp.Query() | exp.Values()):
            return _ordered(node, query(node.this, inside), inside)
        case exp.Values():
            return _values(node, inside)
    return opaque(node, inside)


def _ctes(node: exp.Expr | None, scope: Scope) -> Mapping[str, Relation]:
    """The tables a query can name: those around it, and its own CTEs one after the other."""
    if node is None:
        return scope.tables
    tables = dict(scope.tables)
    for cte in node.expressions:
        name, columns = cte.alias.lower(), identifiers(cte.args["alias"].args.get("columns"))
        body = cte.this
        if node.args.get("recursive") and isinstance(body, exp.SetOperation):
            tables[name] = _recursive(name, columns, body, scope.inner(tables))
        else:
            tables[name] = query(body, scope.inner(tables)).renamed(columns)
    return tables


def _recursive(name: str, columns: list[str], body: exp.SetOperation, scope: Scope) -> Relation:
    """A recursive CTE: read again, each time knowing more of itself, until nothing is added."""
    first: exp.Expr = body
    while isinstance(first, exp.SetOperation):
        first = first.this
    found = _plain(query(first, scope).renamed(columns))
    while True:
        known = found
        found = _plain(query(body, scope.inner({**scope.tables, name: known})).renamed(columns))
        if found == known:
            return found


def _plain(relation: Relation) -> Relation:
    columns = tuple((name, merge([flow])) for name, flow in relation.columns)
    return Relation(columns, relation.rows, merge([relation.rest]) if relation.rest else None)


def _select(node: exp.Select, scope: Scope) -> Relation:
    if node.args.get("from_"):
        add_source(node.args["from_"].this, scope)
    for joined in node.args.get("joins") or ():
        add_join(joined, scope)
    scope.windows = {window.name.lower(): window for window in node.args.get("windows") or ()}
    columns: list[tuple[str, Flow]] = []
    rest: list[Flow] = []
    for item in node.expressions:
        found, more = _item(item, scope)
        columns += found
        rest += more
        if isinstance(item, exp.Alias):
            scope.aliases.update(found)
    scope.aliases_count = True
    relation = Relation(tuple(columns), NOTHING, join(rest) if rest else None)
    group, distinct = node.args.get("group"), node.args.get("distinct")
    clauses = [node.args.get(name) for name in ("where", "group", "having", "qualify")]
    scope.rows |= merge(evaluate(clause, scope) for clause in clauses).both | _by_position(group, relation)
    if distinct and distinct.args.get("on"):
        scope.rows |= evaluate(distinct.args["on"], scope).both | _by_position(distinct.args["on"], relation)
    elif distinct or (group and group.args.get("all")):
        scope.rows |= relation.everything
    return _ordered(node, Relation(relation.columns, scope.rows, relation.rest), scope)


def _item(item: exp.Expr, scope: Scope) -> tuple[list[tuple[str, Flow]], list[Flow]]:
    """The columns that one item of a select list makes, and what further columns of unknown name are made of."""
    if is_opaque(item):
        return [], [Flow(scope.everything | evaluate(item, scope).both)]
    if item.is_star:
        return star(item, scope)
    flow = evaluate(item, scope)
    # A list makes as many rows as it is long; one that is written out is as long in every row.
    lists = [made for made in spreads(item) if not isinstance(made, exp.Array)]
    scope.rows |= merge(evaluate(made, scope) for made in lists).both
    name = item.alias_or_name.lower() if isinstance(item, exp.Alias | exp.Column | exp.Dot) else ""
    # A struct makes a column of each of its fields.
    fields = isinstance(item.unalias(), exp.Explode) and bool(lists)
    return [(name, flow)], [flow] if fields else []


def _set_operation(node: exp.SetOperation, scope: Scope) -> Relation:
    """Operations written one after the other lean to the left: read in a loop, as there may be hundreds."""
    chain = [node]
    while isinstance(inner := chain[-1].this, exp.SetOperation) and not any(
        inner.args.get(clause) for clause in ("with_", "order", "limit", "offset")
    ):
        chain.append(inner)
    found = query(chain[-1].this, scope)
    for operation in reversed(chain):
        found = _combined(operation, found, query(operation.expression, scope))
    return found


def _combined(node: exp.SetOperation, left: Relation, right: Relation) -> Relation:
    rows = left.rows | right.rows
    if node.args.get("distinct") or not isinstance(node, exp.Union):
        rows |= left.everything | right.everything
    if not isinstance(node, exp.Union):
        return Relation(left.columns, rows, left.rest)
    if node.args.get("by_name"):
        names = dict.fromkeys(name for name, _ in (*left.columns, *right.columns))
        pairs = [(name, [side.find(name) for side in (left, right)]) for name in names]
        columns = tuple((name, join([flow for flow in flows if flow is not None])) for name, flows in pairs)
    elif left.rest or right.rest:  # places are not known: any column of one may meet any of the other
        every = Flow(left.everything | right.everything)
        return Relation(tuple((name, every) for name, _ in left.columns), rows, every)
    else:
        columns = tuple(
            (name, join([flow, other])) for (name, flow), (_, other) in zip(left.columns, right.columns, strict=True)
        )
    rest = [side.rest for side in (left, right) if side.rest]
    return Relation(columns, rows, join(rest) if rest else None)


def _ordered(node: exp.Expr, relation: Relation, scope: Scope) -> Relation:
    """The relation, its rows with what their order and limit depend on."""
    order, outside = node.args.get("order"), scope
    if not isinstance(node, exp.Select):
        outside = scope.inner()
        outside.sources.append(((), relation))
    rows = merge(evaluate(node.args.get(name), outside) for name in ("order", "limit", "offset")).both
    if order and any(item.this.name.lower() == "all" for item in order.expressions):
        rows |= relation.everything
    return Relation(relation.columns, relation.rows | rows | _by_position(order, relation), relation.rest)


def _by_position(clause: exp.Expr | None, relation: Relation) -> Refs:
    """What `group by 1` or `order by 2` stand for."""
    items = [item.this if isinstance(item, exp.Ordered) else item for item in clause.expressions] if clause else []
    numbers = [int(item.this) for item in items if isinstance(item, exp.Literal) and not item.is_string]
    return merge(relation.columns[number - 1][1] for number in numbers if number <= len(relation.columns)).both


def _values(node: exp.Values, scope: Scope) -> Relation:
    flows: list[list[Flow]] = []
    for line in node.expressions:
        cells = line.expressions if isinstance(line, exp.Tuple) else [line]
        flows.append([evaluate(cell, scope) for cell in cells])
    columns = tuple((f"col{place}", join(cells)) for place, cells in enumerate(zip(*flows, strict=True)))
    return Relation(columns)

"""What a FROM shows to the rest of a query: tables, joins, functions that make rows, and the stars over them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from tsq.engine.expressions import evaluate, identifiers
from tsq.engine.flows import NOTHING, Flow, Relation, Scope, join, merge


def add_source(node: exp.Expr, scope: Scope) -> None:
    """Put what stands in a FROM into the scope, and what stands in brackets with it."""
    nested = isinstance(node, exp.Subquery) and not isinstance(node.this, exp.Query | exp.Values)
    if nested and not node.alias and not node.args.get("pivots"):
        add_source(node.this, scope)
    else:
        relation, names = _source(node, scope)
        scope.sources.append((names, relation))
        scope.rows |= relation.rows
    for joined in node.args.get("joins") or ():
        add_join(joined, scope)


def _source(node: exp.Expr, scope: Scope) -> tuple[Relation, tuple[str, ...]]:
    """One table, function, subquery or bracket of a FROM, and the names it goes by."""
    alias = node.args.get("alias")
    columns = identifiers(alias.args.get("columns")) if isinstance(alias, exp.TableAlias) else []
    names: tuple[str, ...] = (node.alias.lower(),)
    body = node.this if isinstance(node, exp.Lateral) else node
    if node.args.get("pivots"):
        return opaque(node, scope), (*names, *(pivot.alias.lower() for pivot in node.args["pivots"]))
    match body:
        case exp.Table(this=exp.Identifier()):
            full = _full(body)
            names = names if alias else (body.name.lower(), full)
            relation = scope.tables.get(full, Relation(rest=Flow()))
            scope.lost += [] if full in scope.tables else [full]
        case exp.Table() | exp.Unnest():
            relation = _made_rows(body, node.alias.lower(), scope)
        case exp.Subquery(this=exp.Table()):
            group = scope.inner()
            add_source(body.this, group)
            listed, rest = star(exp.Star(), group)
            relation = Relation(tuple(listed), group.rows, join(rest) if rest else None)
        case _:
            relation = scope.read(body, scope)
    return relation.renamed(columns), names


def _made_rows(node: exp.Expr, alias: str, scope: Scope) -> Relation:
    """A function that makes rows: `unnest(list)`, `range(a, b)`. What it is given decides values and rows."""
    made = node.expressions if isinstance(node, exp.Unnest) else [node.this]
    flows = [evaluate(item, scope) for item in made]
    fixed = all(isinstance(item, exp.Array) for item in made)
    rows = NOTHING if fixed else merge(flows).both
    if len(flows) > 1:
        return Relation(tuple(("", flow) for flow in flows), rows)
    function = "range" if node.this and node.this.args.get("is_end_exclusive") else "generate_series"
    name = alias or ("unnest" if isinstance(node, exp.Unnest) else function)
    return Relation(((name, flows[0]),), rows)


def add_join(node: exp.Join, scope: Scope) -> None:
    """Put what is joined into the scope, and what joins it among what decides the rows."""
    before = len(scope.sources)
    add_source(node.this, scope)
    shared = identifiers(node.args.get("using"))
    if node.method == "NATURAL":
        ours = {name for _, source in scope.sources[:before] for name, _ in source.columns}
        theirs = dict.fromkeys(name for _, source in scope.sources[before:] for name, _ in source.columns)
        shared = [name for name in theirs if name in ours]
    for name in shared:
        _merge(name, node.side, before, scope)
    scope.rows |= evaluate(node.args.get("on"), scope).both
    if node.kind in ("SEMI", "ANTI"):
        del scope.sources[before:]


def _merge(name: str, side: str, before: int, scope: Scope) -> None:
    """USING: of two columns one is left, with the value of the left one but for a right or full join."""
    ours = [(place, flow) for place, flow in _having(name, scope) if place < before]
    theirs = [flow for place, flow in _having(name, scope) if place >= before]
    place, left = scope.merged.get(name) or (ours[0] if ours else (-1, Flow()))
    sides = {"RIGHT": theirs, "FULL": [left, *theirs]}.get(side, [left])
    scope.rows |= merge([left, *theirs]).both
    scope.merged[name] = (place, join(sides))
    scope.hidden |= {(theirs_place, name) for theirs_place in range(before, len(scope.sources))}


def _having(name: str, scope: Scope) -> Iterator[tuple[int, Flow]]:
    sources = enumerate(source for _, source in scope.sources)
    return ((place, flow) for place, source in sources if (flow := source.find(name)) is not None)


def _full(table: exp.Table) -> str:
    return f"{table.db}.{table.name}".lower() if table.db else table.name.lower()


def opaque(node: exp.Expr, scope: Scope) -> Relation:
    """A query that is not followed: every column may depend on all that is read in it or seen from it."""
    read = [
        scope.tables[name].everything for table in node.find_all(exp.Table) if (name := _full(table)) in scope.tables
    ]
    refs = scope.everything.union(*read)
    return Relation((), refs, Flow(refs))


def star(item: exp.Expr, scope: Scope) -> tuple[list[tuple[str, Flow]], list[Flow]]:
    """The columns of `*`, `t.*` or `struct.*`, and what further columns of unknown name are made of."""
    star = item.this if isinstance(item, exp.Column) else item
    only = item.table.lower() if isinstance(item, exp.Column) else ""
    sources = scope.sources
    if only and not any(only in names for names, _ in sources):  # the fields of a struct
        inside = scope.resolve([only])
        fields = tuple((inside.fields or {}).items())
        sources = [((only,), Relation(fields, rest=None if fields else inside))]
    left_out = {named.name.lower() for named in star.args.get("except_") or ()}
    put = {named.alias.lower(): evaluate(named.this, scope) for named in star.args.get("replace") or ()}
    names = {named.this.name.lower(): named.alias.lower() for named in star.args.get("rename") or ()}
    columns: list[tuple[str, Flow]] = []
    rest: list[Flow] = []
    for place, (source_names, source) in enumerate(sources):
        if only and only not in source_names:
            continue
        for name, flow in source.columns:
            if name not in left_out and (only or (place, name) not in scope.hidden):
                left, merged = scope.merged.get(name, (-1, flow))
                kept = merged if left == place and not only else flow
                columns.append((names.get(name, name), put.get(name, kept)))
        rest += [source.rest] if source.rest else []
    return columns, rest

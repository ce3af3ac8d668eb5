"""What feeds a value: columns of tables, found by following names. `tsq.engine.selects` reads queries with these.

Three questions have three answers. A *value*: the columns it is computed from. A *choice*: those that only say which of
them, in which order or group (`partition by`, `order by`, `filter`, the second argument of `arg_min`). The *rows*:
those that decide which rows there are (joins, filters, groups, distinct, order, limit), the same for all columns.
Together they hold everything a column depends on. What is not understood (a pivot, `columns(…)`) is taken to depend on
all that it reads: an answer may be too wide, never too narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

ROWS = "*"
Ref = tuple[str, str]
Refs = frozenset[Ref]
NOTHING: Refs = frozenset()


@dataclass(frozen=True)
class Flow:
    """What a value is made of: columns of tables, as (table, column); (table, `*`) is that table's rows, counted.

    Attributes:
        refs: columns it is computed from.
        choice: columns that only choose, order or group them.
        fields: the same of each field, where the value is a struct built in sight, or a list of such.
    """

    refs: Refs = NOTHING
    choice: Refs = NOTHING
    fields: Mapping[str, Flow] | None = None

    def field(self, *path: str) -> Flow:
        """The flow of a field, or a field's field; of the whole value where its fields are not known."""
        flow = self
        for name in path:
            flow = (flow.fields or {}).get(name, Flow(flow.refs, flow.choice))
        return flow

    @property
    def both(self) -> Refs:
        """All that can change it."""
        return self.refs | self.choice

    @property
    def choosing(self) -> Flow:
        """The flow of what this one chooses or orders."""
        return Flow(choice=self.both)


@dataclass(frozen=True)
class Relation:
    """Rows of named columns.

    Attributes:
        columns: name and flow, in order; a name is empty where DuckDB makes one up.
        rows: what decides which rows there are.
        rest: flow of any other column it may have, where not all are known.
    """

    columns: tuple[tuple[str, Flow], ...] = ()
    rows: Refs = NOTHING
    rest: Flow | None = None

    @property
    def everything(self) -> Refs:
        """All that any column or the rows depend on."""
        rest = self.rest.both if self.rest else NOTHING
        return merge(flow for _, flow in self.columns).both | self.rows | rest

    @property
    def is_whole(self) -> bool:
        """Whether every column is known by its name."""
        return self.rest is None and all(name for name, _ in self.columns)

    def find(self, name: str) -> Flow | None:
        """The flow of a column; of those it could be, where not all names are known; None when there is no such."""
        exact = [flow for known, flow in self.columns if known == name]
        if exact or self.is_whole:
            return join(exact) if exact else None
        unnamed = [flow for known, flow in self.columns if not known]
        return merge([*unnamed, self.rest or Flow()])

    def renamed(self, names: Sequence[str]) -> Relation:
        """The same relation, its first columns named anew."""
        flows = [flow for _, flow in self.columns]
        flows += [self.rest or Flow(self.rows)] * (len(names) - len(flows))
        kept = [name for name, _ in self.columns][len(names) :]
        return replace(self, columns=tuple(zip([*names, *kept], flows, strict=True)))


@dataclass
class Scope:
    """What the expressions of one SELECT can see; filled while its FROM is read.

    Attributes:
        read: reads a query that stands within a scope.
        tables: relations the query can name: `schema.table`, or a CTE.
        parent: the query around it.
        lost: names that stand for nothing known, shared by a query and all within it.
        sources: the names each goes by, and its relation, in order.
        merged: columns joined by USING: the place in `sources` of the one that is left, and its flow.
        hidden: places in `sources` and columns of them that a star leaves out, as they were merged.
        aliases: the select list so far.
        aliases_count: whether an alias may be meant where a column has the same name (having, order by, …).
        windows: named windows.
        bound: arguments of the lambdas around, which are no columns.
        rows: what decides the rows, so far.
    """

    read: Callable[[Any, Scope], Relation]
    tables: Mapping[str, Relation]
    parent: Scope | None = None
    lost: list[str] = field(default_factory=list)
    sources: list[tuple[tuple[str, ...], Relation]] = field(default_factory=list)
    merged: dict[str, tuple[int, Flow]] = field(default_factory=dict)
    hidden: set[tuple[int, str]] = field(default_factory=set)
    aliases: dict[str, Flow] = field(default_factory=dict)
    aliases_count: bool = False
    windows: Mapping[str, Any] = field(default_factory=dict)
    bound: frozenset[str] = frozenset()
    rows: Refs = NOTHING

    def inner(self, tables: Mapping[str, Relation] | None = None) -> Scope:
        """The scope of a query that stands within this one."""
        return Scope(self.read, self.tables if tables is None else tables, self, self.lost, bound=self.bound)

    @property
    def counted(self) -> Flow:
        """What `*` means to count(*): the rows of all tables in the FROM."""
        return Flow(frozenset(ref for _, source in self.sources for ref in source.rows if ref[1] == ROWS))

    @property
    def everything(self) -> Refs:
        """All that can be seen from here."""
        own = NOTHING.union(*(source.everything for _, source in self.sources)) | merge(self.aliases.values()).both
        return own | self.parent.everything if self.parent else own

    def resolve(self, parts: Sequence[str]) -> Flow:
        """Follow a dotted name: a column, perhaps of a table, perhaps with fields behind it.

        A name that stands for nothing is noted as lost, and taken for anything in sight.
        """
        flows: list[Flow] = []
        scope: Scope | None = self
        while scope:
            found, certain = scope._find(parts)
            flows += found
            if certain:
                return join(flows)
            scope = scope.parent
        if not flows:
            self.lost.append(".".join(parts))
        return join(flows) if flows else Flow(self.everything)

    def _find(self, parts: Sequence[str]) -> tuple[list[Flow], bool]:
        """What a name may mean here, and whether it must be meant here, and not in a query around."""
        for size in (2, 1):
            prefix = ".".join(parts[:size])
            named = [source for names, source in self.sources if prefix in names]
            flows = [flow for source in named if len(parts) > size and (flow := source.find(parts[size])) is not None]
            if flows:
                return [join(flows).field(*parts[size + 1 :])], True
        name = parts[0]
        if name in self.merged:
            exact = [self.merged[name][1]]
        else:
            exact = [flow for _, source in self.sources for known, flow in source.columns if known == name]
        found = exact or [flow for _, source in self.sources if (flow := source.find(name)) is not None]
        if name in self.aliases and (self.aliases_count or not exact):
            exact = found = [*found, self.aliases[name]]
        if not found:  # the name of a table is a row of it
            whole = [source for names, source in self.sources if name in names and source.is_whole]
            exact = found = [struct(dict(source.columns)) for source in whole]
        return [flow.field(*parts[1:]) for flow in found], bool(exact)


def merge(flows: Iterable[Flow]) -> Flow:
    """One flow of several that make a value together."""
    known = tuple(flows)
    return Flow(
        NOTHING.union(*(flow.refs for flow in known)),
        NOTHING.union(*(flow.choice for flow in known)),
    )


def struct(fields: Mapping[str, Flow]) -> Flow:
    """A struct of named fields."""
    whole = merge(fields.values())
    return Flow(whole.refs, whole.choice, fields)


def join(flows: Sequence[Flow]) -> Flow:
    """One flow of several of which one is the value. Fields stay where all have them."""
    if len(flows) == 1:
        return flows[0]
    shapes = [flow.fields for flow in flows if flow.fields is not None]
    if not flows or len(shapes) < len(flows):
        return merge(flows)
    names = dict.fromkeys(name for shape in shapes for name in shape)
    return struct({name: join([shape[name] for shape in shapes if name in shape]) for name in names})

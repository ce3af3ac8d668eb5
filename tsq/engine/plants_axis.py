"""What a planted leak has to know of a model: which rows follow each other, and when each was known."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from tsq.engine.compile import Compiled
from tsq.engine.graph import Graph
from tsq.engine.header import Header

MOMENT = "TIMESTAMP WITH TIME ZONE"
_FRACTIONS = re.compile(r"DOUBLE|FLOAT|DECIMAL\(.*")
_COUNTS = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?")
_TIMES = re.compile(r"DATE|TIMESTAMP.*")
# Whole numbers that count time, so that they are no figures.
_OF_TIME = re.compile(r"(.*_)?(date|day|week|month|quarter|year|session|seq|no|on|at|from|to|since|start|end)(_.*)?")


@dataclass(frozen=True)
class Change:
    """A model's SQL with a leak: which, what was changed, and in which column it shows, if in one."""

    leak: str
    sql: str
    said: str
    column: str | None = None


@dataclass(frozen=True)
class Axis:
    """How the rows of a table lie in time.

    Attributes:
        when: SQL over a row by which rows are put into the order of time.
        known: SQL over a row that says when it was known, a day or a moment.
        key: columns that name a line of rows through time; empty where all rows are one line.
        order: columns that make the order of a line full, after `when`.
        times: columns that say when, not what.
        saying_known: those of `times` that `known` is made of.
    """

    when: str
    known: str
    key: tuple[str, ...]
    order: tuple[str, ...]
    times: frozenset[str]
    saying_known: frozenset[str]

    @property
    def line(self) -> str:
        """What goes into `over (…)`: a line of rows in the order of time."""
        rest = [spelt(name) for name in self.order if spelt(name) != self.when]
        by = ", ".join(f"{part} nulls last" for part in (self.when, *rest))
        return f"{self.partition}order by {by}"

    @property
    def partition(self) -> str:
        """The part of `line` that says which rows are one line."""
        return f"partition by {', '.join(map(spelt, self.key))} " if self.key else ""


@dataclass(frozen=True)
class Place:
    """A model to plant leaks in.

    Attributes:
        node: the model.
        columns: its columns with their types.
        axis: how its rows lie in time.
        graph: the graph it stands in.
        tables: columns of all tables of the graph.
        varied: columns whose values are many, or None.
    """

    node: Compiled
    columns: Mapping[str, str]
    axis: Axis
    graph: Graph
    tables: Mapping[str, Mapping[str, str]]
    varied: Collection[str] | None

    @property
    def header(self) -> Header:
        """What the model promises."""
        return self.node.model.header

    def column(self, leak: str, *, fractions: bool = False) -> str | None:
        """The column a leak is put into: a figure, else (unless `fractions`) any value that is no key and no time.

        Which of several is decided by a hash of the model and the leak, so all kinds of columns come to be used.
        """
        kinds = {name: self.columns[name] for name in self._values}
        figures = [name for name, kind in kinds.items() if _FRACTIONS.fullmatch(kind)]
        counts = [name for name, kind in kinds.items() if _COUNTS.fullmatch(kind) and not _OF_TIME.fullmatch(name)]
        others = [name for name, kind in kinds.items() if not _COUNTS.fullmatch(kind)]
        chosen = figures if fractions else figures or counts or others
        return min(chosen, key=lambda name: digest(self.node.name, leak, name), default=None)

    @property
    def is_rare(self) -> bool:
        """Whether the table speaks of so few times that whole rows moved or left out could hardly show."""
        says = {name for name in (self.header.date, *self.header.interval[:1]) if name in self.columns}
        return self.varied is not None and not says <= set(self.varied)

    @cached_property
    def _values(self) -> frozenset[str]:
        header = self.header
        without = {*header.grain, *header.references, *self.axis.key, *self.axis.times}
        constant = _constants(self.node, self.tables)
        return frozenset(
            name
            for name, kind in self.columns.items()
            if name not in without | constant
            and not _TIMES.fullmatch(kind)
            and (self.varied is None or name in self.varied)
        )


def place_of(
    node: Compiled,
    columns: Mapping[str, str],
    graph: Graph,
    tables: Mapping[str, Mapping[str, str]],
    varied: Collection[str] | None,
) -> Place | None:
    """A model as a place for leaks; None for one that can hold none, or in which none could be seen."""
    if not node.sql or node.name in companions(graph) or not of_the_lake(node.name, graph):
        return None
    axis = axis_of(node.model.header, columns)
    return Place(node, columns, axis, graph, tables, varied) if axis else None


def companions(graph: Graph) -> frozenset[str]:
    """Tables that hold the replaced rows of others."""
    return frozenset(node.model.header.versions or "" for node in graph.nodes.values())


def of_the_lake(table: str, graph: Graph) -> bool:
    """Whether a table is made of data that a lake could end before: settings are the same whenever one looks."""
    seen, waiting = {table}, [table]
    while waiting:
        name = waiting.pop()
        if name.startswith("raw."):
            return True
        for read in graph.nodes[name].own_reads if name in graph.nodes else ():
            if read not in seen:
                seen.add(read)
                waiting.append(read)
    return False


def axis_of(header: Header, columns: Mapping[str, str]) -> Axis | None:
    """How the rows of a table lie in time; None where neither its header nor its columns say."""
    knowable = _asked(header.knowable, columns)
    if header.knowable and not knowable:
        return None  # said once for all rows: they are never final
    is_version = columns.get("known_from") == columns.get("known_to") == MOMENT
    moment = "known_from" if is_version else "known_at" if columns.get("known_at") == MOMENT else None
    first = header.interval[0] if header.interval and header.interval[0] in columns else None
    dated = header.date if header.date in columns else None
    said = f"({header.knowable})" if knowable else None
    when = spelt(dated or moment or first or "") if dated or moment or first else said
    known = spelt(moment) if moment else said if dated or not first else spelt(first)
    if when is None:
        return None
    times = {name for name, kind in columns.items() if _TIMES.fullmatch(kind)}
    times |= {*header.interval, *knowable, *([header.date] if header.date else [])}
    told = times & set(header.grain)
    key = tuple(name for name in header.grain if name not in times) if told else ()
    order = tuple(name for name in (header.grain or columns) if name not in key)
    saying = frozenset({*([moment] if moment else []), *knowable} & times)
    return Axis(when, known or when, key, order, frozenset(times), saying)


def spelt(name: str) -> str:
    """A column's name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def table_spelt(name: str) -> str:
    """A table's full name as SQL writes it."""
    return ".".join(map(spelt, name.split(".")))


def digest(*parts: str) -> str:
    """A hash to choose by."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _asked(expression: str | None, columns: Mapping[str, str]) -> frozenset[str]:
    """Columns of the table that an expression over its row names."""
    if not expression:
        return frozenset()
    from sqlglot import exp, parse_one

    tree = parse_one(f"select {expression}", dialect="duckdb")
    named = {column.name for column in tree.find_all(exp.Column) if column.parent_select is tree}
    return frozenset(named & columns.keys())


def _constants(node: Compiled, tables: Mapping[str, Mapping[str, str]]) -> frozenset[str]:
    """Columns that no table decides."""
    from tsq.engine.selects import trace

    found = trace(node.sql, {read: tables[read] for read in node.own_reads}).relation
    return frozenset(name for name, flow in found.columns if name and not flow.both)

"""Leaks put into what a model reads: another table in the place of one of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tsq.engine.plants_axis import MOMENT, Change, Place, axis_of, companions, digest, of_the_lake, spelt, table_spelt
from tsq.engine.plants_intervals import EARLY, earlier

# Columns of raw data that say from when on, and until when, a row counts.
_FROM = re.compile(r"(ex|effective|event)_(date|on)|(valid|effective)_from|from_date")
_TO = re.compile(r"(valid|effective)_to|to_date")


def changes(place: Place) -> Iterator[Change]:
    """Every leak that can be put into what this model reads."""
    reads = [read for read in place.node.own_reads if of_the_lake(read, place.graph)]
    survivors: list[Change] = []
    for read in reads:
        restated = _restated(place, read)
        if restated:
            rows, said = restated
            yield Change("restated_early", instead(place, read, rows), said)
        early = _early(place, read)
        if early and not _joined_on(place, early[1]):
            rows, first = early
            said = f"the later half of {first} in {read} is {EARLY} days earlier, and no later than it was known"
            yield Change("ex_date_early", instead(place, read, rows), said)
        alive = _alive(place, read)
        if alive:
            rows, key = alive
            said = f"{read} has rows only of {key} that are there at the end"
            survivors.append(Change("survivors_only", instead(place, read, rows), said))
    if survivors:
        yield min(survivors, key=lambda change: digest(place.node.name, change.said))


def instead(place: Place, table: str, rows: str) -> str:
    """The model's SQL with a query wherever it reads a table."""
    from sqlglot import Dialect, exp

    sql = place.node.sql
    dialect = Dialect.get_or_raise("duckdb")
    (tree,) = (tree for tree in dialect.parser().parse(dialect.tokenize(sql), sql) if tree is not None)
    edits: list[tuple[int, int, str]] = []
    for found in tree.find_all(exp.Table, exp.Column):
        schema = found.args.get("db")
        name = found.this if isinstance(found, exp.Table) else found.args.get("table")
        if not schema or name is None or f"{schema.name}.{name.name}".lower() != table:
            continue
        start, end = schema.meta["start"], name.meta["end"] + 1
        if isinstance(found, exp.Column):
            edits.append((start, end, spelt(name.name)))
        else:
            edits.append((start, end, f"({rows})" if found.alias else f"({rows}) as {spelt(name.name)}"))
    for start, end, text in sorted(edits, reverse=True):
        sql = sql[:start] + text + sql[end:]
    return sql


def _restated(place: Place, read: str) -> tuple[str, str] | None:
    """The newest version of each row of a table, as known since the first; and what that is."""
    columns, table = place.tables[read], table_spelt(read)
    if read == place.header.versions:  # without its own earlier rows a table has fewer rows, and none too early
        return None
    if read in companions(place.graph):
        return f"select * from {table} where false", f"{read} is empty: the newest version is used on all days"
    header = place.graph.nodes[read].model.header if read in place.graph.nodes else None
    if header and columns.get("known_from") == columns.get("known_to") == MOMENT:
        moment, key = "known_from", [name for name in header.grain if name not in ("known_from", "known_to")]
        is_versioned = bool(key) and "known_from" in header.grain
    elif header is None and not place.header.versions:
        # a source that corrects itself; others that say the same beside it stay
        moment, key = "known_at", [*place.graph.catalog.raw[read.partition(".")[2]].key, "format"]
        is_versioned = True
    else:
        return None
    if not is_versioned:
        return None
    same = f"partition by {', '.join(map(spelt, key))}"
    rows = (
        f"select * replace (min({moment}) over ({same}) as {moment}) from {table} "
        f"qualify rank() over ({same} order by {moment} desc) = 1"
    )
    return rows, f"of each row of {read} the newest version is known since the first was"


def _early(place: Place, read: str) -> tuple[str, str] | None:
    """A table whose intervals or events begin early, and the column of their beginning."""
    columns = place.tables[read]
    if read in place.graph.nodes:
        header = place.graph.nodes[read].model.header
        axis = axis_of(header, columns)
        if axis is None:  # it speaks of what is known today, not of what began
            return None
        interval, saying = list(header.interval), axis.saying_known
    else:
        interval = [name for pattern in (_FROM, _TO) for name in columns if pattern.fullmatch(name)][:2]
        interval = interval if interval and _FROM.fullmatch(interval[0]) else []
        saying = frozenset({"known_at"})
    kinds = {name: kind for name, kind in columns.items() if name in interval or name in saying}
    put = earlier(interval, kinds)
    if not put:
        return None
    replaced = ", ".join(f"{made} as {spelt(name)}" for name, made in put.items())
    return f"select * replace ({replaced}) from {table_spelt(read)}", interval[0]


def _joined_on(place: Place, column: str) -> bool:
    """Whether rows are joined where two tables say the same of a column: moved in one of them they find no partner."""
    from sqlglot import Dialect, exp

    dialect = Dialect.get_or_raise("duckdb")
    (tree,) = (tree for tree in dialect.parser().parse(dialect.tokenize(place.node.sql), place.node.sql) if tree)
    using = {name.name for join in tree.find_all(exp.Join) for name in join.args.get("using") or ()}
    equal = (
        (pair.this, pair.expression)
        for pair in tree.find_all(exp.EQ)
        if isinstance(pair.this, exp.Column) and isinstance(pair.expression, exp.Column)
    )
    return column in using or any(one.name == other.name == column for one, other in equal)


def _alive(place: Place, read: str) -> tuple[str, str] | None:
    """A table without the keys that are gone at its end, and what these keys are."""
    columns = place.tables[read]
    if read in place.graph.nodes:
        header = place.graph.nodes[read].model.header
        axis = axis_of(header, columns)
        day, key = header.date, axis.key if axis else ()
    else:
        dataset = place.graph.catalog.raw[read.partition(".")[2]]
        day, key = dataset.date, tuple(name for name in dataset.key if columns[name] != "DATE")
    if not day or not key or columns.get(day) != "DATE":
        return None
    names, table = ", ".join(map(spelt, key)), table_spelt(read)
    last = f"select max({spelt(day)}) from {table}"
    rows = f"select * from {table} where ({names}) in (select {names} from {table} where {spelt(day)} = ({last}))"
    return rows, ", ".join(key)

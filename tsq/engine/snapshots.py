"""Snapshots of tables: canonical text that git can compare, and what differs between two of them.

A snapshot is CSV below remarks. Rows are sorted by grain, numbers have nine significant digits, null is an empty cell.
Of a large table it shows the rows whose grain's hash falls into one of 2^k parts, always the same ones; the remarks say
how many rows there are, and for each column what all of them add up to: nothing escapes, and nothing is large.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsq.engine.template import identifier
from tsq.engine.warehouse import Connection
from tsq.errors import TsqError

DIGITS = 9
# A table of at most so many rows stands there whole; of a larger one, about SHOWN rows at most.
WHOLE = 200
SHOWN = 150
MOST_LINES = 10

_DECIMALS = ("DOUBLE", "FLOAT", "DECIMAL")
_NULL, _BETWEEN = "chr(1)", "chr(31)"
_KEY, _PLACE = '"#key"', '"#place"'  # columns beside those of the table: no name of its own begins so
Key = tuple[str, ...]


@dataclass(frozen=True)
class Snapshot:
    """What a table holds.

    Attributes:
        n_rows: rows of the table.
        one_in: of so many parts of the table one is shown; 1 for a table shown whole.
        columns: name → type and content: a number that all its values decide, whatever their order.
        key: columns that name a row.
        rows: values of the key → all values, as text, in the order of the key; null is an empty text.
    """

    n_rows: int
    one_in: int
    columns: Mapping[str, tuple[str, str]]
    key: tuple[str, ...]
    rows: Mapping[Key, Key]


def take(con: Connection, table: str, grain: Sequence[str]) -> Snapshot:
    """Take the snapshot of a table.

    Args:
        con: an open build.
        table: `layer.table`.
        grain: columns that name a row; none for all of them.
    """
    types = {row[0]: row[1] for row in con.execute(f"describe {identifier(table)}").fetchall()}
    key = tuple(grain) or tuple(types)
    ((n_rows,),) = con.execute(f"select count(*) from {identifier(table)}").fetchall()
    one_in = 1
    while n_rows > WHOLE and n_rows / one_in > SHOWN:
        one_in *= 2
    texts = ", ".join(f'{_text(name, kind)} as "{name}"' for name, kind in types.items())
    keys = ", ".join(f"coalesce({_text(name, types[name])}, {_NULL})" for name in key)
    order = ", ".join(f'"{name}" nulls last' for name in key)
    written = (
        f"select concat_ws({_BETWEEN}, {keys}) as {_KEY}, row_number() over (order by {order}) as {_PLACE}, {texts} "
        f"from {identifier(table)}"
    )
    sums = ", ".join(
        f'sum(md5_number_lower(concat_ws({_BETWEEN}, {_KEY}, coalesce("{name}", {_NULL})))) % {2**64}' for name in types
    )
    contents = con.execute(f"select {sums} from ({written})").fetchall()[0]
    columns = {
        name: (kind, f"{content or 0:016x}") for (name, kind), content in zip(types.items(), contents, strict=True)
    }
    chosen = ", ".join(f'"{name}"' for name in types)
    shown = con.execute(
        f"select {chosen} from ({written}) where md5_number_lower({_KEY}) % {one_in} = 0 order by {_PLACE}"
    ).fetchall()
    return Snapshot(n_rows, one_in, columns, key, _by_key(tuple(types), key, shown))


def write(model: str, snapshot: Snapshot) -> str:
    """A snapshot as the text of its file."""
    shown = "all shown" if snapshot.one_in == 1 else f"1 in {snapshot.one_in} shown, by the hash of the key"
    width = max(map(len, snapshot.columns))
    lines = [
        f"# {model}: {snapshot.n_rows} rows, {shown}",
        f"# key: {', '.join(snapshot.key)}",
        *(f"# {name:<{width}}  {content}  {kind}" for name, (kind, content) in snapshot.columns.items()),
    ]
    body = io.StringIO()
    writer = csv.writer(body, lineterminator="\n")
    writer.writerow(snapshot.columns)
    writer.writerows(snapshot.rows.values())
    return "\n".join(lines) + "\n" + body.getvalue()


def parse(text: str, path: Path) -> Snapshot:
    """Read the text of a snapshot.

    Args:
        text: what `write` wrote.
        path: its file, for the error.

    Raises:
        TsqError: it is no snapshot.
    """
    lines = text.splitlines(keepends=True)
    head = [line[2:].strip() for line in lines if line.startswith("# ")]
    try:
        counted = head[0].rpartition(": ")[2]
        n_rows = int(counted.split(" ")[0])
        one_in = int(counted.split(" ")[4]) if " 1 in " in counted else 1
        key = tuple(head[1].removeprefix("key: ").split(", "))
        columns = {}
        for line in head[2:]:
            name, content, kind = line.split(None, 2)
            columns[name] = (kind, content)
        rows = list(csv.reader(io.StringIO("".join(lines[len(head) :]), newline="")))
        if tuple(rows[0]) != tuple(columns):
            raise ValueError("its columns are not those it speaks of")
        return Snapshot(n_rows, one_in, columns, key, _by_key(tuple(columns), key, rows[1:]))
    except (ValueError, IndexError) as error:
        raise TsqError(
            f"{path.name} is not a snapshot: {error}", where=path, hint="write it anew with `tsq snapshot --update`"
        ) from None


def compare(old: Snapshot, new: Snapshot) -> list[str]:
    """Say what differs, in lines for people; none when nothing does."""
    return [*_shape(old, new), *_rows(old, new)]


def _shape(old: Snapshot, new: Snapshot) -> Iterator[str]:
    if old.n_rows != new.n_rows:
        yield f"rows: {old.n_rows:,} → {new.n_rows:,}"
    if old.key != new.key:
        yield f"key: {', '.join(old.key)} → {', '.join(new.key)}"
    for name in old.columns.keys() - new.columns.keys():
        yield f"column gone: {name}"
    for name, (kind, _) in new.columns.items():
        if name not in old.columns:
            yield f"column new: {name} {kind}"
        elif old.columns[name][0] != kind:
            yield f"column {name}: {old.columns[name][0]} → {kind}"
    if tuple(old.columns) != tuple(new.columns) and set(old.columns) == set(new.columns):
        yield f"order of columns: {', '.join(new.columns)}"


def _rows(old: Snapshot, new: Snapshot) -> Iterator[str]:
    places = {name: (list(old.columns).index(name), i) for i, name in enumerate(new.columns) if name in old.columns}
    told: set[str] = set()
    if old.key == new.key:
        changed: list[str] = []
        for key, row in new.rows.items():
            before = old.rows.get(key)
            cells = (
                {name: (before[i], row[j]) for name, (i, j) in places.items() if before[i] != row[j]} if before else {}
            )
            if cells:
                told |= cells.keys()
                said = ", ".join(f"{name} {_shown(a)} → {_shown(b)}" for name, (a, b) in cells.items())
                changed.append(f"{_named(new.key, key)}: {said}")
        yield from _listed("changed", changed)
        if old.one_in == new.one_in:
            yield from _listed("new", [_named(new.key, key) for key in new.rows.keys() - old.rows.keys()])
            yield from _listed("gone", [_named(old.key, key) for key in old.rows.keys() - new.rows.keys()])
    if old.n_rows == new.n_rows and old.key == new.key and new.one_in > 1:
        unseen = [name for name in places if old.columns[name][1] != new.columns[name][1] and name not in told]
        if unseen:
            yield f"other values in rows that are not shown: {', '.join(unseen)}"


def _listed(what: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"{what}: {len(lines):,} of the rows shown"
        yield from (f"  {line}" for line in sorted(lines)[:MOST_LINES])
        if len(lines) > MOST_LINES:
            yield f"  … and {len(lines) - MOST_LINES:,} more"


def _named(names: Sequence[str], key: Key) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(names, key, strict=False))


def _shown(text: str) -> str:
    return text or "null"


def _text(name: str, kind: str) -> str:
    """A column as canonical text: nine significant digits, no minus zero, NaN told from null, an empty text quoted."""
    column = f'"{name}"'
    if kind.startswith(_DECIMALS):
        return f"format('{{:.{DIGITS}g}}', cast({column} as double) + 0.0)"
    if kind == "VARCHAR":
        return f"if({column} = '', '''''', {column})"
    return f"cast({column} as varchar)"


def _by_key(names: tuple[str, ...], key: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> dict[Key, Key]:
    """Rows by key; rows that share one are counted."""
    places = [names.index(name) for name in key]
    found: dict[Key, Key] = {}
    for row in rows:
        cells = tuple("" if cell is None else str(cell) for cell in row)
        named = tuple(cells[place] for place in places)
        again = 1
        while (*named, *([str(again)] if again > 1 else [])) in found:
            again += 1
        found[(*named, *([str(again)] if again > 1 else []))] = cells
    return found

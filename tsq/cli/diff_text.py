"""The difference of two builds as text: calm where nothing changed, a line a table, money last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tsq.cli import money_text, workspace
from tsq.cli.grid import grid
from tsq.engine.diff import TableDiff
from tsq.engine.diff_inputs import Input
from tsq.engine.diff_rows import Change, ColumnChange, Row
from tsq.report import format as formats
from tsq.report.money import Money

if TYPE_CHECKING:
    from tsq.cli.comparing import Side


def lines(
    a: Side, b: Side, inputs: Sequence[Input], tables: Sequence[TableDiff], money: Money, closely: bool
) -> Iterator[str]:
    """Write it all down.

    Args:
        a: the first build.
        b: the second.
        inputs: what went in.
        tables: every table that was compared.
        money: what it means.
        closely: whether to show keys and values of each table, not only its line.
    """
    yield from grid([_title("A", a), _title("B", b)])
    if a.build == b.build:
        yield "\nthe same build"
        return
    if inputs:
        yield "\nwhat went in"
        yield from grid([_input(item) for item in inputs], indent=2)
    changed = [table for table in tables if table.status != "same"]
    if not changed:
        yield f"\nno difference in {_tables(len(tables))}"
        return
    unread = sum(not table.read and table.status == "same" for table in tables)
    proven = f" ({unread} told by their hashes)" if unread else ""
    yield f"\n{_tables(len(tables))}: {len(changed)} differ, {len(tables) - len(changed)} do not{proven}"
    heads = ("table", "rows A", "rows B", "only A", "only B", "changed", "columns")
    yield from grid([heads, *(_line(table) for table in changed)], right={1, 2, 3, 4, 5}, indent=2)
    if closely:
        for table in changed:
            yield from _close(table)
    else:
        yield f"  keys and values: add --tables, as in `tsq diff {a.word} {b.word} --tables {changed[-1].name}`"
    yield from money_text.lines(money)


def _title(letter: str, side: Side) -> tuple[str, ...]:
    manifest = side.manifest
    as_of = f"as of {_moment(manifest.as_of)}" if manifest.as_of else "no data"
    word = side.word if side.word != manifest.run_id else ""
    return letter, manifest.run_id, word, f"{'demo market' if manifest.market == 'demo' else 'real data'}, {as_of}"


def _moment(text: str) -> str:
    return f"{workspace.in_india(text)} IST"


def _input(item: Input) -> tuple[str, str, str]:
    if item.kind == "as_of":
        return "as of", "", " → ".join(_moment(side) if side else "no data" for side in (item.a, item.b))
    name = "" if item.name == item.kind else item.name
    if item.kind == "batch" and (item.a is None or item.b is None):
        return "batch", name, f"only in {'A' if item.b is None else 'B'}: {item.a or item.b}"
    return item.kind, name, f"{_plain(item.a)} → {_plain(item.b)}"


def _tables(count: int) -> str:
    return f"{count} table{'' if count == 1 else 's'}"


def _line(table: TableDiff) -> tuple[str, ...]:
    if table.status in ("only_a", "only_b"):
        side = "A" if table.status == "only_a" else "B"
        return table.name, _count(table.rows_a), _count(table.rows_b), "", "", "", f"the table is in {side} only"
    said = [f"+{name}" for name, _ in table.added]
    said += [f"−{name}" for name, _ in table.removed]
    said += [f"{name} {was} → {now}" for name, was, now in table.retyped]
    said += [column.name for column in sorted(table.rows.columns, key=lambda column: -column.rows)]
    shown = ", ".join(said[:5]) + (f", {len(said) - 5} more" if len(said) > 5 else "")
    rows = table.rows
    changed = _count(rows.changed) if table.key else "–"
    return (
        table.name,
        _count(table.rows_a),
        _count(table.rows_b),
        _some(rows.only_a),
        _some(rows.only_b),
        changed if rows.changed or not table.key else "",
        shown,
    )


def _close(table: TableDiff) -> Iterator[str]:
    yield (
        f"\n{table.name}   by {', '.join(table.key)}" if table.key else f"\n{table.name}   {table.note or ''}".rstrip()
    )
    for name, kind in table.added:
        yield f"  column only in B   {name} {kind}"
    for name, kind in table.removed:
        yield f"  column only in A   {name} {kind}"
    for name, was, now in table.retyped:
        yield f"  column retyped     {name} {was} → {now}"
    rows = table.rows
    for side, count, examples in (("A", rows.only_a, rows.examples_a), ("B", rows.only_b, rows.examples_b)):
        if count:
            yield f"  {_count(count)} row{'' if count == 1 else 's'} only in {side}"
            yield from (f"    {_key(row)}" for row in examples)
            if count > len(examples):
                yield "    …"
    for column in rows.columns:
        yield from _column(column)


def _column(column: ColumnChange) -> Iterator[str]:
    nulls = [f"{_count(column.appeared)} were null"] if column.appeared else []
    nulls += [f"{_count(column.vanished)} became null"] if column.vanished else []
    said = f" ({', '.join(nulls)})" if nulls else ""
    yield f"  {column.name}: {_count(column.rows)} value{'' if column.rows == 1 else 's'} changed{said}"
    cells = [_change(change) for change in column.largest]
    if column.most_relative and column.most_relative not in column.largest:
        cells.append(_change(column.most_relative))
    yield from grid(cells, right={0, 2, 3, 4}, indent=4)


def _change(change: Change) -> tuple[str, ...]:
    signed = f"{change.difference:+.6g}" if change.difference is not None else ""
    ratio = f"{change.relative:+.2%}" if change.relative is not None and abs(change.relative) < 1e4 else ""
    return _plain(change.a), "→", _plain(change.b), _minus(signed), _minus(ratio), _key(change.key)


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _some(value: int) -> str:
    return f"{value:,}" if value else ""


def _key(row: Row) -> str:
    return "  ".join(f"{name} {_plain(value)}" for name, value in row.items())


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _minus(text: str) -> str:
    return text.replace("-", formats.MINUS)

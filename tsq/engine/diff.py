"""How two builds differ, table by table: columns, rows, keys, values.

Nothing here knows what a table means. What is known to be equal (the same content hash, or the same run built both) is
not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from tsq.engine import diff_rows
from tsq.engine.diff_rows import Column, Limits, Pair, RowsDiff
from tsq.engine.manifest import BuiltModel, CheckResult, Manifest
from tsq.engine.warehouse import Connection

# The end of the name of a check that a key is unique; the key stands before it.
_UNIQUE = ": unique"
Types = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Question:
    """What to know of a table to compare it.

    Attributes:
        key: columns that tell its rows apart; where it is empty, the key that both builds were checked for.
        date: the column of its sessions; None for any column of dates.
        labels: columns whose numbers name something, so that a difference of two has no size.
    """

    key: tuple[str, ...] = ()
    date: str | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableDiff:
    """How one table differs.

    Attributes:
        status: same; changed; or it is in one of the builds only.
        read: whether rows were compared; False where hashes said enough.
        key: columns by which rows were matched; empty where whole rows were.
        note: why rows could not be matched by key.
        added: columns of B only, with their types; removed: of A only.
        retyped: column → its types in A and in B.
        rows: how rows and values differ.
    """

    name: str
    status: Literal["same", "changed", "only_a", "only_b"]
    rows_a: int | None
    rows_b: int | None
    read: bool = False
    key: tuple[str, ...] = ()
    note: str | None = None
    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    retyped: tuple[tuple[str, str, str], ...] = ()
    rows: RowsDiff = field(default_factory=RowsDiff)


def compare(
    con: Connection, a: Manifest, b: Manifest, questions: Mapping[str, Question], limits: Limits
) -> Iterator[TableDiff]:
    """Compare tables of two builds.

    Args:
        con: both builds, as `warehouse.open_pair` opens them.
        a: the manifest of the first.
        b: the manifest of the second.
        questions: table → how to tell its rows apart; those named here are compared, in this order.
        limits: how closely.

    Yields:
        One answer a table that at least one of the builds has.
    """
    models = {side: {model.name: model for model in manifest.models} for side, manifest in (("a", a), ("b", b))}
    types = {side: column_types(con, side) for side in "ab"}
    recorded = all("ops.content" in held for held in types.values())
    unique = [
        {(check.model, check.name.removesuffix(_UNIQUE)) for check in manifest.checks if _is_unique(check)}
        for manifest in (a, b)
    ]
    proven = dict(sorted(unique[0] & unique[1]))
    for name, question in questions.items():
        first, second = models["a"].get(name), models["b"].get(name)
        if first and second:
            if (first.content and first.content == second.content) or first.run_id == second.run_id:
                yield TableDiff(name, "same", first.rows, second.rows)
            else:
                promised = tuple(proven[name].split(", ")) if name in proven else ()
                asked = replace(question, key=question.key or promised)
                pair = (first, second), (types["a"][name], types["b"][name])
                yield _table(con, *pair, asked, limits, recorded, asked.key == promised)
        elif first:
            yield TableDiff(name, "only_a", first.rows, None)
        elif second:
            yield TableDiff(name, "only_b", None, second.rows)


def column_types(con: Connection, side: str) -> Types:
    """Table → column → type, of everything a build holds, in the order of its columns."""
    rows = con.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
        "where database_name = ? order by schema_name, table_name, column_index",
        [side],
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        found.setdefault(table, {})[column] = kind
    return found


def _table(
    con: Connection,
    models: tuple[BuiltModel, BuiltModel],
    types: tuple[Mapping[str, str], Mapping[str, str]],
    question: Question,
    limits: Limits,
    recorded: bool,
    unique: bool,
) -> TableDiff:
    (a, b), (types_a, types_b) = models, types
    shared = tuple(
        Column(name, types_a[name], kind, name in question.labels) for name, kind in types_b.items() if name in types_a
    )
    retyped = tuple((column.name, column.type_a, column.type_b) for column in shared if column.type_a != column.type_b)
    added = tuple((name, kind) for name, kind in types_b.items() if name not in types_a)
    removed = tuple((name, kind) for name, kind in types_a.items() if name not in types_b)
    pair = Pair(a.name, shared, question.key, question.date or _date_of(question.key, shared))
    same_columns = not (added or removed or retyped)
    within = diff_rows.touched_sessions(con, pair, recorded and same_columns)
    note = _why_no_key(con, pair, within, unique)
    if not shared:
        rows = RowsDiff(a.rows, b.rows)
    elif note:
        rows = diff_rows.as_bag(con, pair, within, limits)
    else:
        rows = diff_rows.by_key(con, pair, within, limits)
    differs = not same_columns or rows.only_a or rows.only_b or rows.changed
    return TableDiff(
        a.name,
        "changed" if differs else "same",
        a.rows,
        b.rows,
        True,
        () if note else question.key,
        note,
        added,
        removed,
        retyped,
        rows,
    )


def _is_unique(check: CheckResult) -> bool:
    return check.name.endswith(_UNIQUE) and not check.failed


def _date_of(key: tuple[str, ...], columns: tuple[Column, ...]) -> str | None:
    dates = [column.name for column in columns if column.type_a == column.type_b == "DATE"]
    return next((name for name in dates if name in key), dates[0] if dates else None)


def _why_no_key(con: Connection, pair: Pair, within: str, unique: bool) -> str | None:
    """Why rows cannot be matched by the key, in words; None when they can."""
    if not pair.key:
        return "it has no grain: whole rows are compared"
    names = {column.name for column in pair.columns}
    for name in pair.key:
        if name not in names:
            return f"{name} of its grain is not in both: whole rows are compared"
    for side in "ab":
        if not unique and not diff_rows.unique(con, pair, side, within):
            return f"its grain is not unique in {side.upper()}: whole rows are compared"
    return None

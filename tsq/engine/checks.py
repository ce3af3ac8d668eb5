"""A table's promises, verified in one statement."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from tsq.engine import failed, uniqueness
from tsq.engine.compile import Compiled
from tsq.engine.manifest import CheckResult
from tsq.engine.template import identifier
from tsq.engine.warehouse import Connection, DatabaseError
from tsq.errors import FAILED, TsqError, did_you_mean

# From here on, looking for a proof of uniqueness is cheaper than grouping.
MANY_ROWS = 3_000_000


@dataclass(frozen=True)
class Probe:
    """One promise as SQL.

    Attributes:
        key: columns of which it promises that no two rows share them; empty for any other promise.
        count: a scalar expression over the table (or a sub-query): how many rows break the promise.
        rows: a query that shows them.
    """

    name: str
    level: str
    count: str
    rows: str
    key: tuple[str, ...] = ()


def probes(node: Compiled, where: str | None = None, moved: Collection[str] = ()) -> tuple[Probe, ...]:
    """All promises of a model: its grain, its references, then its checks.

    Args:
        node: the model.
        where: a predicate over its rows; only rows that meet it are counted, except by checks that are queries or
            hold one, and by those that only warn.
        moved: tables that changed since the other rows were counted; references to them are counted over all rows.
    """
    grain = node.model.header.grain
    found = [_not_null(node), _unique(node, where)] if grain else []
    for column, target in node.model.header.references.items():
        found.append(_reference(node, column, None if target.rpartition(".")[0] in moved else where))
    for rule in node.rules:
        if rule.kind == "rows":
            probe = _of_rows(node, rule.name, rule.level, f"({rule.sql}) is not true")
            # rows that broke a warning may stand in sessions that are not counted anew: they must stay in the count;
            # and what a check looks up in a table may have changed for every row
            whole = where and (rule.level == "warn" or rule.reads)
            found.append(replace(probe, count=f"(select count(*) from ({probe.rows}))") if whole else probe)
        else:
            found.append(Probe(rule.name, rule.level, f"(select count(*) from ({rule.sql}))", rule.sql))
    return tuple(found)


def _of_rows(node: Compiled, name: str, level: str, broken: str) -> Probe:
    rows = f"select * from {identifier(node.name)} where {broken}"
    return Probe(name, level, f"count(*) filter (where {broken})", rows)


def _not_null(node: Compiled) -> Probe:
    grain = node.model.header.grain
    return _of_rows(node, f"{', '.join(grain)}: not null", "block", " or ".join(f'"{name}" is null' for name in grain))


def _unique(node: Compiled, where: str | None) -> Probe:
    grain = node.model.header.grain
    keys = ", ".join(f'"{column}"' for column in grain)

    def repeated(rows: str) -> str:
        return f"select {keys}, count(*) as n_rows from {rows} group by {keys} having count(*) > 1"

    table = identifier(node.name)
    # Rows of two parts share a key only where the key does not say the part.
    counted = repeated(_part(table, where if node.model.header.date in grain else None))
    return Probe(f"{', '.join(grain)}: unique", "block", f"(select count(*) from ({counted}))", repeated(table), grain)


def _reference(node: Compiled, column: str, where: str | None) -> Probe:
    target = node.model.header.references[column]
    parent, _, key = target.rpartition(".")

    def orphans(what: str, rows: str) -> str:
        return (
            f"select {what} from {rows} as child anti join {identifier(parent)} as parent "
            f'on parent.{identifier(key)} = child."{column}" where child."{column}" is not null'
        )

    table = identifier(node.name)
    counted = f"({orphans('count(*)', _part(table, where))})"
    return Probe(f"{column}: stands in {target}", "block", counted, orphans("child.*", table))


def _part(table: str, where: str | None) -> str:
    return f"(select * from {table} where {where})" if where else table


def enforce(
    con: Connection, node: Compiled, folder: Path, *, where: str | None = None, moved: Collection[str] = ()
) -> tuple[int, tuple[CheckResult, ...]]:
    """Verify a table's promises; keep the rows that break one that blocks, and raise.

    Call it in the transaction that made the table: what it writes below `folder` outlives the roll-back. Rows kept of
    a model are removed when it keeps its promises again.

    Args:
        con: a connection that sees the table.
        node: its model.
        folder: `warehouse/failed`.
        where: as for `verify`.
        moved: as for `verify`.

    Returns:
        As `verify`.

    Raises:
        TsqError: as `verify`, or rows break a promise that blocks; names the first.
    """
    rows, results = verify(con, node, where=where, moved=moved)
    broken = [result for result in results if result.failed and result.level == "block"]
    if not broken:
        failed.forget(folder, [node.name])
        return rows, results
    failed.keep(con, node.name, broken, folder)
    error = explain(con, node, broken[0])
    error.hint = f"see them with `tsq failed {node.name}`; what was published before stays"
    raise error


def verify(
    con: Connection, node: Compiled, *, where: str | None = None, moved: Collection[str] = ()
) -> tuple[int, tuple[CheckResult, ...]]:
    """Count a table's rows and the rows that break each promise, in one statement.

    Args:
        con: a connection that sees the table.
        node: its model.
        where: a predicate on the header's date column, when the rows that do not meet it were verified before and
            have not changed: row checks, nulls, references and uniqueness are counted over the rows that meet it.
            Checks that are queries or hold one run whole, and so do those that only warn.
        moved: tables that changed since; references to them are counted over all rows.

    Returns:
        Rows of the whole table, and one result a promise.

    Raises:
        TsqError: a promised column is missing or has another type, or a check is not SQL over this table.
    """
    _verify_columns(con, node)
    table = identifier(node.name)
    try:
        found = [probe if where else _settled(con, node, probe) for probe in probes(node, where, moved)]
        counts = ", ".join([f"(select count(*) from {table})", *(probe.count for probe in found)])
        # An aggregate of no column keeps this one row, when every promise is a sub-query.
        (row,) = con.execute(f"select {counts}, count(*) from {_part(table, where)}").fetchall()
    except DatabaseError as error:
        said = str(error).split("\n\n")[0].splitlines()
        raise TsqError(
            f"a promise of {node.name} cannot be checked: {said[0]}",
            where=node.model.path,
            hint=" ".join(said[1:]) or "grain and checks are written in terms of the table's own columns",
            exit_code=FAILED,
        ) from None
    results = [
        CheckResult(node.name, probe.name, probe.level, count, probe.rows)
        for probe, count in zip(found, row[1:-1], strict=True)
    ]
    return row[0], tuple(results)


def _settled(con: Connection, node: Compiled, probe: Probe) -> Probe:
    """A large table's promise of uniqueness, not counted where the order of its rows proves it."""
    if not probe.key or node.model.header.kind == "view":
        return probe
    ((rows,),) = con.execute(f"select count(*) from {identifier(node.name)}").fetchall()
    if rows < MANY_ROWS or not uniqueness.proven(con, node.name, probe.key):
        return probe
    return replace(probe, count="0")


def explain(con: Connection, node: Compiled, broken: CheckResult) -> TsqError:
    """Say which rows broke a blocking check, with the first of them."""
    cursor = con.execute(f"select * from ({broken.sql}) order by all limit 1")
    names = [column[0] for column in cursor.description or ()]
    (row,) = cursor.fetchall()
    first = ", ".join(f"{name}={value}" for name, value in zip(names, row, strict=True))
    return TsqError(
        f"{node.name}: {broken.failed:,} rows break `{broken.name}`; the first: {first[:300]}",
        where=node.model.path,
        hint="mend the model or the data, or make the check `level: warn`",
        exit_code=FAILED,
    )


def _verify_columns(con: Connection, node: Compiled) -> None:
    promised = node.model.header.columns
    if not promised:
        return
    actual = {row[0]: row[1] for row in con.execute(f"describe {identifier(node.name)}").fetchall()}
    for name, column in promised.items():
        if name not in actual:
            raise TsqError(
                f"{node.name} promises a column {name} and has none",
                where=node.model.path,
                hint=did_you_mean(name, actual),
                exit_code=FAILED,
            )
        if column.type and column.type.upper() not in (actual[name], _alias(actual[name])):
            raise TsqError(
                f"{node.name}.{name} is promised as {column.type} and is {actual[name]}",
                where=node.model.path,
                hint=f"cast it, or promise {actual[name]}",
                exit_code=FAILED,
            )


def _alias(kind: str) -> str:
    return {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ"}.get(kind, kind)

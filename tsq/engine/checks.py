"""A table's promises, verified in one statement."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tsq.engine import uniqueness
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


def probes(node: Compiled) -> tuple[Probe, ...]:
    """All promises of a model: its grain, then its checks."""
    table = identifier(node.name)
    found: list[Probe] = []
    grain = node.model.header.grain
    if grain:
        keys = ", ".join(f'"{column}"' for column in grain)
        missing = " or ".join(f'"{column}" is null' for column in grain)
        name = ", ".join(grain)
        found.append(
            Probe(
                f"{name}: not null",
                "block",
                f"count(*) filter (where {missing})",
                f"select * from {table} where {missing}",
            )
        )
        repeated = f"select {keys}, count(*) as n_rows from {table} group by {keys} having count(*) > 1"
        found.append(Probe(f"{name}: unique", "block", f"(select count(*) from ({repeated}))", repeated, grain))
    for rule in node.rules:
        if rule.kind == "rows":
            broken = f"({rule.sql}) is not true"
            found.append(
                Probe(
                    rule.name, rule.level, f"count(*) filter (where {broken})", f"select * from {table} where {broken}"
                )
            )
        else:
            found.append(Probe(rule.name, rule.level, f"(select count(*) from ({rule.sql}))", rule.sql))
    return tuple(found)


def verify(con: Connection, node: Compiled) -> tuple[int, tuple[CheckResult, ...]]:
    """Count a table's rows and the rows that break each promise, in one statement.

    Returns:
        Rows of the table, and one result a promise.

    Raises:
        TsqError: a promised column is missing or has another type, or a check is not SQL over this table.
    """
    _verify_columns(con, node)
    try:
        found = [_settled(con, node, probe) for probe in probes(node)]
        counts = ", ".join(["count(*)", *(probe.count for probe in found)])
        row = con.execute(f"select {counts} from {identifier(node.name)}").fetchone() or ()
    except DatabaseError as error:
        said = str(error).split("\n\n")[0].splitlines()
        raise TsqError(
            f"a promise of {node.name} cannot be checked: {said[0]}",
            where=node.model.path,
            hint=" ".join(said[1:]) or "grain and checks are written in terms of the table's own columns",
            exit_code=FAILED,
        ) from None
    results = [
        CheckResult(node.name, probe.name, probe.level, failed, probe.rows)
        for probe, failed in zip(found, row[1:], strict=True)
    ]
    return row[0], tuple(results)


def _settled(con: Connection, node: Compiled, probe: Probe) -> Probe:
    """A large table's promise of uniqueness, not counted where the order of its rows proves it."""
    if not probe.key or node.model.header.kind == "view":
        return probe
    (rows,) = con.execute(f"select count(*) from {identifier(node.name)}").fetchone() or (0,)
    if rows < MANY_ROWS or not uniqueness.proven(con, node.name, probe.key):
        return probe
    return replace(probe, count="0")


def explain(con: Connection, node: Compiled, failed: CheckResult) -> TsqError:
    """Say which rows broke a blocking check, with the first of them."""
    cursor = con.execute(f"select * from ({failed.sql}) limit 1")
    names = [column[0] for column in cursor.description or ()]
    first = ", ".join(f"{name}={value}" for name, value in zip(names, cursor.fetchone() or (), strict=False))
    return TsqError(
        f"{node.name}: {failed.failed:,} rows break `{failed.name}`; the first: {first[:300]}",
        where=node.model.path,
        hint="what was published before stays; mend the model or the data, or make the check `level: warn`",
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

"""How much depends on the very next session: the same decisions one session later, and what becomes of the result.

A project says in `config/audit.yml` which table decides, and what to measure. A strategy whose result collapses when
it acts a session later lives on something that may not have been there yet: no proof of a leak, and a reason to look.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tsq import strict_yaml
from tsq.engine import reading
from tsq.engine.audit_build import WHOLE, Aside
from tsq.engine.graph import Graph, reach
from tsq.engine.lake import quote_name
from tsq.engine.warehouse import DatabaseError
from tsq.errors import TsqError, did_you_mean

FILE = Path("config", "audit.yml")
LATE = "late build"
_KEYS = ("table", "date", "sessions", "measure", "collapse")


@dataclass(frozen=True)
class Lag:
    """What a project says of its decisions.

    Attributes:
        table: the decisions, one session each.
        date: its session.
        sessions: `layer.table.column` of all sessions.
        measure: a query of name, measure and value: what came of it.
        collapse: the measure that must not fall by more than half.
    """

    table: str
    date: str
    sessions: str
    measure: str
    collapse: str
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Measured:
    """One measure of one name, as it is and one session later."""

    name: str
    measure: str
    value: float | None
    later: float | None
    collapsed: bool


def read(graph: Graph) -> Lag | None:
    """What the project says; None where it says nothing.

    Raises:
        TsqError: an unknown or missing key, or a table that nothing makes.
    """
    path = graph.catalog.project.root / FILE
    if not path.is_file():
        return None
    document = strict_yaml.read(path)
    body: Any = document.value.get("lag") if isinstance(document.value, dict) else None
    if not isinstance(body, dict) or set(body) != set(_KEYS) or set(document.value) != {"lag"}:
        raise TsqError("config/audit.yml has `lag` with a few keys", where=path, hint=f"they are {', '.join(_KEYS)}")
    where = partial(_where, document.where("lag", "measure"))
    reads = reading.tables(reading.parse(str(body["measure"]), where), where)
    table = str(body["sessions"]).rpartition(".")[0]
    for name in (str(body["table"]), table, *reads):
        if name not in graph.nodes:
            raise TsqError(f"no model makes {name}", where=path, hint=did_you_mean(name, graph.nodes))
    return Lag(**{key: str(body[key]) for key in _KEYS}, reads=tuple(reads))


def measure(aside: Aside, lag: Lag) -> tuple[Measured, ...]:
    """Move the decisions to the next session, build what is made of them, and measure both.

    Raises:
        TsqError: the measure does not run, or a model does not build on the later decisions.
    """
    graph = aside.graph
    wanted = set(lag.reads) | reach(lag.reads, graph.parents)
    moved = (reach([lag.table], graph.children) & wanted) - {lag.table}
    given = {parent for name in moved for parent in graph.parents[name]} - moved
    instead = {name: f"select * from {quote_name(WHOLE)}.{name}" for name in sorted(given | set(lag.reads) - moved)}
    sessions, _, session = lag.sessions.rpartition(".")
    whole, day, date = quote_name(WHOLE), quote_name(session), quote_name(lag.date)
    days = f"select {day} as day, lead({day}) over (order by {day}) as next from {whole}.{sessions}"
    instead[lag.table] = (
        f"select decided.* replace (days.next as {date}) from {whole}.{lag.table} as decided "
        f"inner join ({days}) as days on days.day = decided.{date} where days.next is not null"
    )
    made = aside.build(LATE, moved, instead)
    for error in made.failed.values():
        raise error
    found = []
    for database in (WHOLE, LATE):
        aside.stand(database)
        try:
            found.append({(row[0], row[1]): row[2] for row in aside.con.execute(lag.measure).fetchall()})
        except DatabaseError as error:
            raise TsqError(
                f"the measure does not run: {str(error).splitlines()[0]}",
                where=graph.catalog.project.root / FILE,
                hint="it selects name, measure, value",
            ) from None
    aside.forget(LATE)
    before, after = found
    return tuple(
        Measured(
            name,
            what,
            value,
            after.get((name, what)),
            what == lag.collapse and _collapsed(value, after.get((name, what))),
        )
        for (name, what), value in before.items()
    )


def _collapsed(value: float | None, later: float | None) -> bool:
    return value is not None and value > 0 and (later is None or later < value / 2)


def _where(place: str, _line: int) -> str:
    return place

"""Prove that a large table holds a key once, from the order its rows already have.

Most panels are stored as a few thousand runs: rows of one name side by side, their dates rising. Looking at each row
and the one before it then proves a key unique in a tenth of the time that grouping by it takes. The proof may fail to
be found (rows in no order), but it is never wrong: it needs only that `lag` sees the rows in some one order.
"""

from __future__ import annotations

from tsq.engine.template import identifier
from tsq.engine.warehouse import Connection


def proven(con: Connection, name: str, grain: tuple[str, ...]) -> bool:
    """Whether the order of a table's rows proves that no two rows share the values of `grain`.

    It proves nothing of rows in which one of these values is null; that none is, is a promise of its own.
    """
    return any(_proven_by(con, name, column, tuple(c for c in grain if c != column)) for column in reversed(grain))


def _proven_by(con: Connection, name: str, column: str, rest: tuple[str, ...]) -> bool:
    """A run is a stretch of rows with one value of `column`: rows rise within it, and runs of one value never meet."""
    if not rest:
        return False
    names = ", ".join(f'"{other}"' for other in rest)
    value = names if len(rest) == 1 else f"row({names})"
    steps = f"""
        select
            "{column}" as run,
            {value} as place,
            lag("{column}") over () as run_before,
            lag({value}) over () as place_before,
        from {identifier(name)}
    """
    falls, runs, values = con.execute(
        "select count(*) filter (where run = run_before and place <= place_before), "
        "count(*) filter (where run_before is distinct from run), count(distinct run) "
        f"from ({steps})"
    ).fetchone() or (1, 0, 0)
    if falls:
        return False
    return runs == values or _apart(con, steps)


def _apart(con: Connection, steps: str) -> bool:
    """Whether the runs of each value lie apart: its n-th end, in order, stands before its start n + 1."""
    (meetings,) = con.execute(
        f"""
        with borders as materialized (
            select run, place, run_before, place_before from ({steps}) where run_before is distinct from run
        ),
        starts as (
            select run, place, row_number() over (partition by run order by place) as n from borders
        ),
        ends as (
            select run_before as run, place_before as place,
                row_number() over (partition by run_before order by place_before) as n
            from borders
            where run_before is not null
        )
        select count(*) from starts join ends on ends.run = starts.run and ends.n + 1 = starts.n
        where starts.place <= ends.place
        """
    ).fetchone() or (1,)
    return not meetings

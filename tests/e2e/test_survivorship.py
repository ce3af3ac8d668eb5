"""The ledger and pit.delistings tell one story of the dead."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest


def test_holdings_are_closed_when_and_at_what_a_death_says(demo_project: Path) -> None:
    with duckdb.connect(str(demo_project / "warehouse" / "tsq.duckdb"), read_only=True) as con:
        closed = con.execute("""
            select events.price, deaths.terminal_price
            from book.events as events
            left join pit.delistings as deaths on deaths.security_id = events.security_id and deaths.closed_on = events.date
            where events.kind = 'delisting'
        """).fetchall()
    assert closed
    for price, terminal in closed:
        assert price == pytest.approx(terminal, rel=1e-12)


def test_universes_of_the_past_hold_names_that_are_gone(demo_project: Path) -> None:
    with duckdb.connect(str(demo_project / "warehouse" / "tsq.duckdb"), read_only=True) as con:
        ((then, gone, after),) = con.execute("""
            with deaths as (select * from pit.delistings where kind = 'equity' and returned_on = date '9999-12-31')
            select
                count(distinct members.security_id) filter (where members.date <= deaths.last_date),
                (select count(*) from deaths),
                count(*) filter (where members.date > deaths.closed_on)
            from deaths
            left join universe.members as members using (security_id)
        """).fetchall()
    assert gone == then > 0
    assert after == 0

"""As-of macros: which rows were known at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tsq import config
from tsq.engine import catalog, macros, warehouse
from tsq.engine.catalog import MIDNIGHT, Evening
from tsq.engine.compile import Compiled, compile_catalog
from tsq.engine.warehouse import Connection

MakeProject = Callable[[Mapping[str, str]], Path]
EVENING = Evening(dt.time(18, 30), "Asia/Kolkata")
HEADER = "/*---\nknowable: {knowable}\n{more}---\n*/\nselect 1 as x"


@pytest.fixture
def con() -> Connection:
    con = warehouse.connect()
    con.execute("create schema base; create schema ops")
    macros.prepare(con, EVENING)
    con.execute("create or replace table ops.runs as select timestamptz '2024-01-31 20:00+05:30' as as_of")
    return con


@pytest.fixture
def node(make_project: MakeProject) -> Callable[..., Compiled]:
    def make(knowable: str, more: str = "") -> Compiled:
        others = {"models/base/earlier.sql": "select 1 as x"} if "versions" in more else {}
        root = make_project({"models/base/t.sql": HEADER.format(knowable=knowable, more=more), **others})
        return compile_catalog(catalog.read(config.load(root)))["base.t"]

    return make


def make(con: Connection, node: Compiled) -> str | None:
    """Make the macro of `base.t`; its name, if it has one."""
    columns = {row[0]: row[1] for row in con.execute("describe base.t").fetchall()}
    statements = macros.statements(node, columns)
    con.execute("; ".join(statements))
    return f"{node.name}_at" if len(statements) > 1 else None


def known(con: Connection, as_of: str) -> list[tuple[object, ...]]:
    return con.execute(f"select * from base.t_at(timestamptz '{as_of}') order by all").fetchall()


Node = Callable[..., Compiled]


def test_rows_are_known_at_their_time(con: Connection, node: Node) -> None:
    con.execute(
        "create table base.t as select * from (values (1, timestamptz '2024-01-05 18:30+05:30'), (2, null)) as t(x, known_at)"
    )
    make(con, node("date"))
    assert known(con, "2024-01-05 18:29:59+05:30") == []
    assert [x for x, _ in known(con, "2024-01-05 18:30+05:30")] == [1]


def test_the_version_in_force_is_known(con: Connection, node: Node) -> None:
    con.execute(
        "create table base.t as select * from (values "
        "(1, timestamptz '2024-01-05 10:00+00', timestamptz '2024-01-09 10:00+00'), "
        "(2, timestamptz '2024-01-09 10:00+00', timestamptz '9999-12-31 00:00+00')) as t(x, known_from, known_to)"
    )
    make(con, node("date"))
    assert known(con, "2024-01-05 09:59+00") == []
    ((x, _, known_to),) = known(con, "2024-01-09 09:59+00")
    # that it would be replaced an hour later nobody knew
    assert (x, str(known_to)[:10]) == (1, "9999-12-31")
    assert [row[0] for row in known(con, "2024-01-09 10:00+00")] == [2]


def test_a_row_of_a_day_is_known_at_its_evening(con: Connection, node: Node) -> None:
    con.execute("create table base.t as select * from (values (date '2024-01-05'), (date '2024-01-08')) as t(day)")
    make(con, node("day"))
    assert known(con, "2024-01-05 18:29+05:30") == []
    assert known(con, "2024-01-05 18:30+05:30") == known(con, "2024-01-08 18:29+05:30") == [(dt.date(2024, 1, 5),)]
    assert len(known(con, "2024-01-08 18:30+05:30")) == 2


def test_an_evening_may_be_the_end_of_the_day(con: Connection, node: Node) -> None:
    con.execute("create table base.t as select date '2024-01-05' as day")
    make(con, node("day"))
    macros.prepare(con, MIDNIGHT)  # no other macro has to be made anew
    assert known(con, "2024-01-05 23:59:58+00") == []
    assert len(known(con, "2024-01-05 23:59:59+00")) == 1


def test_what_is_never_final_is_known_as_the_build_knows_it(con: Connection, node: Node) -> None:
    con.execute("create table base.t as select 1 as x")
    make(con, node("\"date '9999-12-31'\""))
    assert known(con, "2024-01-31 19:59+05:30") == []
    assert known(con, "2024-01-31 20:00+05:30") == [(1,)]


def test_an_end_that_came_later_is_open(con: Connection, node: Node) -> None:
    con.execute(
        "create table base.t as select *, timestamptz '2024-01-01 13:00+00' as known_at "
        "from (values ('a', date '2024-01-01', date '2024-01-10'), ('b', date '2024-01-01', date '9999-12-31')) "
        "as t(name, valid_from, valid_to)"
    )
    make(con, node("valid_to", "interval: [valid_from, valid_to]\n"))

    def ends(as_of: str) -> list[int]:
        return [row[2].year for row in known(con, as_of)]  # type: ignore[attr-defined]

    assert ends("2024-01-10 18:29+05:30") == [9999, 9999]
    assert ends("2024-01-10 18:30+05:30") == [2024, 9999]
    # an end that is told ahead, as the build holds it
    con.execute("update base.t set valid_to = '2024-06-01' where name = 'b'")
    assert ends("2024-01-30 18:30+05:30") == [2024, 9999]
    assert ends("2024-01-31 20:00+05:30") == [2024, 2024]


def test_a_row_that_was_replaced_is_known_until_then(con: Connection, node: Node) -> None:
    con.execute(
        "create table base.earlier as select 1 as k, 10 as x, timestamptz '2024-01-05 13:00+00' as known_at, "
        "timestamptz '2024-01-05 13:00+00' as known_from, timestamptz '2024-01-09 10:00+00' as known_to"
    )
    con.execute(
        "create table base.t as select * from (values (1, 11, timestamptz '2024-01-09 10:00+00'), "
        "(2, 20, timestamptz '2024-01-05 13:00+00')) as t(k, x, known_at)"
    )
    make(con, node("date", "grain: [k]\nversions: base.earlier\n"))
    assert known(con, "2024-01-05 12:59+00") == []
    assert [row[:2] for row in known(con, "2024-01-09 09:59+00")] == [(1, 10), (2, 20)]
    assert [row[:2] for row in known(con, "2024-01-09 10:00+00")] == [(1, 11), (2, 20)]


@pytest.mark.parametrize("kind", ["date", "timestamp"])
def test_a_time_without_a_zone_is_no_time_of_knowing(con: Connection, node: Node, kind: str) -> None:
    con.execute(f"create table base.t as select date '2024-01-05' as day, {kind} '1999-01-01' as known_at")
    make(con, node("day"))
    assert known(con, "2024-01-05 18:29+05:30") == []


def test_a_table_that_cannot_tell_has_no_macro(con: Connection, node: Node, make_project: MakeProject) -> None:
    con.execute("create table base.t as select 1 as x, date '2024-01-05' as day")
    assert make(con, node("day")) == "base.t_at"
    assert make(con, node("null")) is None
    left = "select function_name from duckdb_functions() where function_type = 'table_macro' and not internal"
    assert con.execute(left).fetchall() == []


def test_a_macro_and_a_table_may_share_a_name(con: Connection, node: Node) -> None:
    con.execute("create table base.t as select 1 as x, date '2024-01-05' as day")
    con.execute("create table base.t_at as select 'mine' as y")
    make(con, node("day"))
    assert con.execute("select y from base.t_at").fetchall() == [("mine",)]
    assert len(known(con, "2024-01-06 00:00+00")) == 1


def test_a_macro_says_what_it_is(con: Connection, node: Node) -> None:
    con.execute("create table base.t as select date '2024-01-05' as day")
    make(con, node("day"))
    said = dict(
        con.execute("select function_name, comment from duckdb_functions() where comment is not null").fetchall()
    )
    assert said["t_at"] == "Rows of base.t as they were known at as_of, a TIMESTAMPTZ."
    assert "18:30 Asia/Kolkata" in said["day_known"]

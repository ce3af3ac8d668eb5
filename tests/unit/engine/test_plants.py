"""Leaks made on purpose: each runs in the place of its model, shows what became known later, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import pytest

from tsq import config
from tsq.engine import bind, catalog, graph, plants
from tsq.engine.compile import compile_catalog
from tsq.engine.graph import Graph
from tsq.engine.header import Header
from tsq.engine.plants import Plant

MakeProject = Callable[[Mapping[str, str]], Path]
Plants = Callable[..., dict[str, list[Plant]]]
RAW = """doc: Rows.
key: [day, name]
columns:
  day: {type: DATE, doc: d}
  name: {type: VARCHAR, doc: d}
  x: {type: DOUBLE, doc: d}
  n: {type: BIGINT, doc: d}
"""
DAILY = "/*---\ndate: day\ngrain: [day, name]\nknowable: day\n---\n*/\n"
# two names over six days, one of which ends after the fourth
ROWS = "insert into raw.t by name select date '2024-01-01' + i::integer as day, name, power(2, i) * f as x, 10 * i as n, 'f' as format, '2024-01-01 12:00+00'::timestamptz + to_days(i::integer) as known_at from range(6) as r(i), (values ('a', 1.0), ('b', -1.0)) as names(name, f) where name = 'a' or i < 4"

# a name from its first day on, which ends, and one from its second on
INTERVALS = (
    "/*---\ngrain: [name, first]\ninterval: [first, last]\n---\n*/\n"
    "select name, if(name = 'a', date '2024-01-01', date '2024-01-02') as first, "
    "if(name = 'b', date '9999-12-31', date '2024-01-04') as last, x from raw.t where day = date '2024-01-01'"
)
# each day brings another version of a name
VERSIONS = (
    "/*---\ngrain: [name, known_from]\n---\n*/\n"
    "select name, x, known_at as known_from, "
    "lead(known_at, 1, timestamptz '9999-12-31 00:00+00') over (partition by name order by known_at) as known_to from raw.t"
)


def read(root: Path) -> Graph:
    found = catalog.read(config.load(root))
    return graph.build(found, compile_catalog(found))


@pytest.fixture
def plant(make_project: MakeProject) -> Plants:
    """Plants of `base.t` by leak, for the text of that model and further files."""

    def make(model: str, files: Mapping[str, str] | None = None, **models: str) -> dict[str, list[Plant]]:
        texts = {f"models/base/{name}.sql": text for name, text in {"t": model, **models}.items()}
        found = read(make_project({"sql/raw/t.yml": RAW, **texts, **(files or {})}))
        tables = bind.columns(found)
        by_leak: dict[str, list[Plant]] = {}
        for one in plants.plants(found.nodes["base.t"], tables["base.t"], found, tables):
            by_leak.setdefault(one.leak, []).append(one)
        return by_leak

    return make


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(
        "set timezone = 'UTC'; create schema raw; create schema base; create table raw.t (day date, name varchar, x double, n bigint, format varchar, known_at timestamptz)"
    )
    con.execute(ROWS)
    return con


def rows(con: duckdb.DuckDBPyConnection, sql: str) -> dict[tuple[int, str], object]:
    """Value by day of the month and name."""
    return {(day.day, name): x for day, name, x in con.execute(sql).fetchall()}


def test_lead(plant: Plants, con: duckdb.DuckDBPyConnection) -> None:
    (found,) = plant(DAILY + "select day, name, x from raw.t")["lead"]
    assert found.column == "x"
    assert "x is that of the next row of its name" in found.said
    made = rows(con, found.sql)
    assert [made[day, "a"] for day in range(1, 7)] == [2, 4, 8, 16, 32, 32]
    assert [made[day, "b"] for day in range(1, 5)] == [-2, -4, -8, -8]


def test_centred_window(plant: Plants, con: duckdb.DuckDBPyConnection) -> None:
    (found,) = plant(DAILY + "select day, name, x from raw.t")["centred_window"]
    made = rows(con, found.sql)
    assert made[3, "a"] == (1 + 2 + 4 + 8 + 16) / 5
    assert made[6, "a"] == 32  # nothing follows that it could show


def test_whole_sample_z(plant: Plants, con: duckdb.DuckDBPyConnection) -> None:
    (found,) = plant(DAILY + "select day, name, x from raw.t")["whole_sample_z"]
    mean, spread = con.execute("select avg(x), stddev_samp(x) from raw.t").fetchall()[0]
    assert rows(con, found.sql)[6, "a"] == pytest.approx((32 - mean) / spread)


@pytest.mark.parametrize("where", ["day = date '2024-01-02'", "false"])
def test_a_table_without_a_future_has_only_void_plants(
    plant: Plants, con: duckdb.DuckDBPyConnection, where: str
) -> None:
    sql = f"select day, name, x, n from raw.t where {where}"
    columns = {"day": "DATE", "name": "VARCHAR", "x": "DOUBLE", "n": "BIGINT"}
    found = [one for group in plant(DAILY + sql).values() for one in group]
    assert found
    for one in found:
        assert con.execute(plants.differing(f"({sql})", f"({one.sql})", columns)).fetchall() == [], one.leak


def test_same_close_fill(plant: Plants, con: duckdb.DuckDBPyConnection) -> None:
    (found,) = plant(DAILY + "select day, name, x from raw.t")["same_close_fill"]
    made = rows(con, found.sql)
    assert [made[day, "a"] for day in range(1, 6)] == [2, 4, 8, 16, 32]
    assert (6, "a") not in made
    assert len(made) == 8


def test_the_session_before_is_one_of_the_tables_read(plant: Plants, con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table base.daily as select day, name, x from raw.t")
    found = plant(
        DAILY + "select day, name, x from base.daily where day(day) in (3, 6)",
        daily=DAILY + "select day, name, x from raw.t",
    )["same_close_fill"]
    assert set(rows(con, found[0].sql)) == {(2, "a"), (2, "b"), (5, "a")}


def test_survivors_only(plant: Plants, con: duckdb.DuckDBPyConnection) -> None:
    for found in plant(DAILY + "select day, name, x from raw.t")["survivors_only"]:
        assert {name for _, name in rows(con, found.sql)} == {"a"}, found.said


def test_survivors_of_a_table_of_intervals(plant: Plants, con: duckdb.DuckDBPyConnection) -> None:
    found = plant(INTERVALS)["survivors_only"]
    assert con.execute(found[0].sql).fetchall() == con.execute(f"{INTERVALS} and name = 'b'").fetchall()


def test_back_filled(plant: Plants, con: duckdb.DuckDBPyConnection) -> None:
    (found,) = plant(DAILY + "select day, name, x from raw.t")["back_filled"]
    made = rows(con, found.sql)
    honest = rows(con, "select day, name, x from raw.t")
    later = {key: [honest[day, key[1]] for day in range(key[0], 7) if (day, key[1]) in honest] for key in honest}
    assert all(made[key] in later[key] for key in honest)
    assert made != honest


def test_the_newest_version_everywhere(plant: Plants, con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"create table base.versions as {VERSIONS}")
    (found,) = plant(VERSIONS)["restated_early"][:1]
    assert {x for (x,) in con.execute(f"select x from ({found.sql}) where name = 'a'").fetchall()} == {32.0}


def test_a_reader_of_versions_gets_the_newest(plant: Plants, con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"create table base.versions as {VERSIONS}")
    reader = DAILY + (
        "select days.day, versions.name, versions.x from (select distinct day from raw.t) as days\n"
        "join base.versions on versions.known_from < days.day + 1 and days.day + 1 <= versions.known_to -- as known\n"
    )
    by_what = {one.said: one for one in plant(reader, versions=VERSIONS)["restated_early"]}
    (said,) = [said for said in by_what if "base.versions" in said]
    made = rows(con, by_what[said].sql)
    assert {x for (_, name), x in made.items() if name == "a"} == {32.0}
    assert rows(con, reader)[1, "a"] == 1.0
    assert set(made) == set(rows(con, reader))  # nothing is known before its first version was


def test_replaced_rows_are_not_looked_at(plant: Plants, con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table base.standing as select day, name, x, known_at from raw.t where day > date '2024-01-03'")
    con.execute(
        "create table base.replaced as select day, name, x, known_at, known_at as known_from, "
        "timestamptz '9999-12-31 00:00+00' as known_to from raw.t where day <= date '2024-01-03'"
    )
    standing = "/*---\ndate: day\ngrain: [day, name]\nknowable: day\nversions: base.replaced\n---\n*/\nselect day, name, x, known_at from raw.t"
    replaced = "/*---\ngrain: [day, name, known_from]\n---\n*/\nselect day, name, x, known_at, known_at as known_from, known_at as known_to from raw.t"
    reader = "select day, name, x from base.standing union all select day, name, x from base.replaced"
    found = plant(DAILY + reader, standing=standing, replaced=replaced)["restated_early"]
    (empty,) = [one for one in found if "is empty" in one.said]
    assert {day for day, _ in rows(con, empty.sql)} == {4, 5, 6}


def test_a_source_that_corrects_itself(plant: Plants, con: duckdb.DuckDBPyConnection) -> None:
    con.execute("insert into raw.t values ('2024-01-02', 'a', 99, 0, 'f', '2024-01-05 12:00+00')")
    known_then = "select day, name, x, known_at from raw.t where known_at < day + 1"
    (found,) = plant(DAILY + known_then)["restated_early"]
    made = {(day.day, name): (x, known) for day, name, x, known in con.execute(found.sql).fetchall()}
    honest = {(day.day, name): (x, known) for day, name, x, known in con.execute(known_then).fetchall()}
    assert made.pop((2, "a")) == (99.0, honest.pop((2, "a"))[1])
    assert made == honest


def test_an_event_before_anybody_knew(plant: Plants, con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"create table base.spells as {INTERVALS}")
    own = plant(INTERVALS)["ex_date_early"][0]
    started = con.execute(f"select name, first from ({own.sql}) order by first").fetchall()
    assert [(name, first.isoformat()) for name, first in started] == [("b", "2023-01-02"), ("a", "2024-01-01")]
    reader = DAILY + (
        "select t.day, t.name, s.x from raw.t as t\n"
        "join base.spells as s on s.name = t.name and s.first <= t.day and t.day < s.last"
    )
    read = [one for one in plant(reader, spells=INTERVALS)["ex_date_early"] if "base.spells" in one.said]
    assert set(rows(con, read[0].sql)) - set(rows(con, reader)) == {(1, "b")}


def test_what_is_never_final_has_no_events(plant: Plants) -> None:
    today = INTERVALS.replace("interval:", "knowable: date '9999-12-31'\ninterval:")
    found = plant(DAILY + "select first as day, name, x from base.spells", spells=today)
    assert "ex_date_early" not in found


@pytest.mark.parametrize(
    ("window", "turned"),
    [
        ("over (partition by name order by day)", True),
        ("over lines", True),
        ("over (partition by day order by x)", False),
        ("over (partition by name order by x)", False),
    ],
)
def test_lag_becomes_lead_where_rows_follow_in_time(
    plant: Plants, con: duckdb.DuckDBPyConnection, window: str, turned: bool
) -> None:
    text = (
        f"select day, name, x - lag(x) {window} as x, '(lag(' as said,\n"
        "day - lag(day) over lines as days, -- lag(x) stands in a comment\n"
        "from raw.t window lines as (partition by name order by day)"
    )
    found = [one for one in plant(DAILY + text)["lead"] if "lag()" in one.said]
    assert bool(found) == turned
    for one in found:
        assert one.sql == text.replace("lag(x)", "lead(x)", 1)
        assert con.execute(one.sql).fetchall()


def test_frames_are_centred(plant: Plants, con: duckdb.DuckDBPyConnection) -> None:
    text = (
        "select day, name, sum(x) over (partition by name order by day rows between 3 preceding and current row) as x,\n"
        "count(*) over (partition by name order by day rows between unbounded preceding and current row) as n from raw.t"
    )
    found = [one for one in plant(DAILY + text)["centred_window"] if "text" in one.said]
    assert [one.sql for one in found] == [text.replace("3 preceding and current row", "1 preceding and 2 following")]
    assert rows(con, f"select day, name, x from ({found[0].sql})")[2, "a"] == 1 + 2 + 4 + 8


@pytest.mark.parametrize(
    "header",
    [
        "",
        "/*---\ngrain: [name]\n---\n*/\n",
        "/*---\ndate: day\ngrain: [day, name]\nknowable: date '9999-12-31'\n---\n*/\n",
    ],
)
def test_a_table_that_is_never_final_gets_none(plant: Plants, header: str) -> None:
    assert plant(header + "select day, name, x from raw.t") == {}


def test_settings_have_no_future(plant: Plants) -> None:
    files = {
        "sql/config/f.yml": RAW.replace("columns:", "file: config/f.csv\ncolumns:"),
        "config/f.csv": "day,name,x,n\n2024-01-01,a,1,1\n",
    }
    assert plant(DAILY + "select day, name, x from config.f", files) == {}


def test_columns_that_hardly_change_are_left_alone(con: duckdb.DuckDBPyConnection) -> None:
    header = Header(date="day", grain=("day", "name"))
    columns = {"day": "DATE", "name": "VARCHAR", "x": "DOUBLE", "flat": "INTEGER", "sparse": "INTEGER"}
    con.execute(
        "create table base.wide as select day + 10 * i::integer as day, name, x + i as x, 1 as flat, "
        "if(i = 1 and day(day) = 1, 1, null) as sparse from raw.t, range(5) as r(i)"
    )
    asked = plants.varying("base.wide", header, columns)
    assert con.execute(asked).fetchall() == [(True, False, True, False, False)]
    few = plants.varying("raw.t", header, {"day": "DATE", "name": "VARCHAR", "x": "DOUBLE"})
    assert con.execute(few).fetchall() == [(False, False, False)]

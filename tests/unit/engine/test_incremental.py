"""Incremental tables equal full rebuilds, whatever comes, in whatever order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsq import config
from tsq.engine import catalog, graph, plan, runner, warehouse
from tsq.engine.compile import compile_catalog
from tsq.engine.lake import Lake
from tsq.engine.runner import Published, Result
from tsq.engine.warehouse import Machine
from tsq.errors import TsqError

MakeProject = Callable[[Mapping[str, str]], Path]

FIRST = dt.date(2024, 1, 1)
PROJECT = {
    "sql/raw/prices.yml": """
doc: prices
key: [day, id]
date: day
columns:
  day: {type: DATE, doc: d}
  id: {type: VARCHAR, doc: d}
  close: {type: DOUBLE, doc: d}
""",
    # the newest known price of a day
    "models/base/prices.sql": """/*---
kind: incremental
date: day
look_back: 0
grain: [day, id]
---
*/
select day, id, close
from raw.prices
qualify row_number() over (partition by day, id order by known_at desc, close) = 1
""",
    # names begin when they are first seen, and end when they are seen as another kind
    "models/base/kinds.sql": """/*---
grain: [id, valid_from]
interval: [valid_from, valid_to]
---
*/
select
    id,
    day as valid_from,
    lead(day, 1, date '9999-12-31') over (partition by id order by day) as valid_to,
    kind,
from (
    select id, day, close > 5 as kind from base.prices
    qualify (close > 5) is distinct from lag(close > 5) over (partition by id order by day)
)
""",
    # the mean of three sessions, where a name has all three
    "models/mart/means.sql": """/*---
kind: incremental
date: day
look_back: 2
grain: [day, id]
---
*/
with days as (
    select day, row_number() over (order by day) as n from (select distinct day from base.prices)
),

numbered as (
    select day, id, close, n from base.prices join days using (day)
)

select
    day,
    id,
    if(n - lag(n, 2) over names = 2, (close + lag(close) over names + lag(close, 2) over names) / 3, null) as mean,
from numbered
window names as (partition by id order by n)
""",
    "models/mart/labelled.sql": """/*---
kind: incremental
date: day
look_back: 0
grain: [day, id]
---
*/
select means.day, means.id, means.mean, kinds.kind
from mart.means as means
join base.kinds as kinds on kinds.id = means.id and kinds.valid_from <= means.day and means.day < kinds.valid_to
""",
    "models/mart/totals.sql": "select day, count(mean) as n, count(*) filter (where kind) as n_high from mart.labelled group by day",
}

# day, name, close, days after it that the row became known
ROWS = st.lists(
    st.tuples(st.integers(0, 11), st.sampled_from("AB"), st.integers(1, 9), st.integers(0, 3)),
    min_size=1,
    max_size=6,
    unique_by=lambda row: row[:2],
)


def load(lake: Lake, name: str, rows: list[tuple[int, str, int, int]]) -> None:
    values = ", ".join(
        f"(date '{FIRST + dt.timedelta(day)}', '{who}', {close}::double, 'x', 1, "
        f"timestamptz '{FIRST + dt.timedelta(day + late)} 13:00+00', '{name}', false)"
        for day, who, close, late in rows
    )
    with warehouse.connect() as con:
        con.execute(
            f"create table r as select * from (values {values}) "
            "t(day, id, close, format, source_rank, known_at, file, is_withdrawn)"
        )
        loaded_at = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
        lake.write(con, batch_id=name, loaded_at=loaded_at, files=(), rows={"prices": "r"}, quarantine=None)


def run(root: Path, as_of: dt.datetime | None = None, *, full: bool = False) -> dict[str, Result]:
    found = catalog.read(config.load(root))
    nodes = graph.build(found, compile_catalog(found))
    lake = Lake(root / "warehouse" / "raw", found.raw)
    inputs = plan.Inputs(lake, "real", as_of or lake.newest_known_at())
    base = plan.base_of(found.project.pointer)
    made = plan.make(nodes, inputs, ["all"], base, full_refresh=full)
    events = list(runner.run(made, Machine(threads=2)))
    assert isinstance(events[-1], Published)
    return {event.name: event for event in events if isinstance(event, Result)}


def contents(root: Path) -> dict[str, str]:
    base = plan.base_of(root / "warehouse" / "tsq.duckdb")
    assert base is not None
    return {name: model.content for name, model in base.models.items()}


def lake_of(root: Path) -> Lake:
    return Lake(root / "warehouse" / "raw", catalog.read(config.load(root)).raw)


def test_a_new_day_computes_one_session(make_project: MakeProject) -> None:
    root = make_project(PROJECT)
    load(lake_of(root), "b1", [(day, who, 3 + day, 0) for day in range(9) for who in "AB"])
    assert {result.action for result in run(root).values()} == {"build"}
    load(lake_of(root), "b2", [(9, who, 4, 0) for who in "AB"])
    results = run(root)
    assert {name: (result.action, result.sessions) for name, result in results.items()} == {
        "base.prices": ("update", 1),
        "base.kinds": ("build", None),
        "mart.means": ("update", 1),
        "mart.labelled": ("update", 1),
        "mart.totals": ("build", None),
    }
    updated = contents(root)
    assert {result.action for result in run(root, full=True).values()} == {"build"}
    assert contents(root) == updated


def test_a_correction_of_the_past_computes_the_sessions_it_can_touch(make_project: MakeProject) -> None:
    root = make_project(PROJECT)
    load(lake_of(root), "b1", [(day, who, 3, 0) for day in range(20) for who in "AB"])
    run(root)
    load(lake_of(root), "b2", [(4, "A", 4, 15)])
    results = run(root)
    assert {name: (result.action, result.sessions) for name, result in results.items()} == {
        "base.prices": ("update", 1),
        "base.kinds": ("build", None),
        "mart.means": ("update", 3),
        "mart.labelled": ("update", 3),
        "mart.totals": ("build", None),
    }
    updated = contents(root)
    run(root, full=True)
    assert contents(root) == updated


def test_nothing_touched_computes_nothing(make_project: MakeProject) -> None:
    root = make_project(PROJECT)
    load(lake_of(root), "b1", [(day, "A", 3, 0) for day in range(9)])
    run(root)
    load(lake_of(root), "b2", [(4, "A", 3, 3)])
    results = run(root)
    assert (results["base.prices"].action, results["base.prices"].sessions) == ("update", 1)
    assert {results[name].action for name in PROJECT_READERS} == {"carry"}


PROJECT_READERS = ("base.kinds", "mart.means", "mart.labelled", "mart.totals")


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    batches=st.lists(ROWS, min_size=2, max_size=4),
    as_ofs=st.lists(st.one_of(st.none(), st.integers(2, 14)), min_size=4, max_size=4),
)
def test_any_history_ends_where_a_full_rebuild_ends(
    make_project: MakeProject, batches: list[list[tuple[int, str, int, int]]], as_ofs: list[int | None]
) -> None:
    root = make_project(PROJECT)
    # a past long enough that what comes is an update
    load(lake_of(root), "b0", [(day, who, 2 + (day * 7) % 8, 0) for day in range(12) for who in "ABC"])
    run(root)
    for number, (rows, as_of) in enumerate(zip(batches, as_ofs, strict=False), start=1):
        load(lake_of(root), f"b{number}", rows)
        moment = None if as_of is None else dt.datetime(2024, 1, 1, 14, tzinfo=dt.UTC) + dt.timedelta(as_of)
        run(root, moment)
        updated = contents(root)
        run(root, moment, full=True)
        assert contents(root) == updated


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        ("kind: incremental\ndate: day\ngrain: [day, id]", "says its look_back"),
        ("kind: incremental\nlook_back: 1\ngrain: [day, id]", "says its date"),
        ("kind: incremental\ndate: day\nlook_back: 1\ngrain: [id]", "its date is not in its grain"),
        ("look_back: 1\ngrain: [id]", "look_back is for incremental models"),
        ("kind: incremental\ndate: day\nlook_back: -1\ngrain: [day]", "look_back"),
    ],
)
def test_a_header_that_promises_too_little_is_refused(make_project: MakeProject, yaml: str, said: str) -> None:
    text = f"/*---\n{yaml}\n---\n*/\nselect day, id from base.prices"
    root = make_project({**PROJECT, "models/mart/bad.sql": text})
    with pytest.raises(TsqError, match=said):
        catalog.read(config.load(root))


def write(root: Path, name: str, text: str) -> None:
    (root / name).write_text(text, encoding="utf-8")


def incremental(look_back: int, sql: str, grain: str = "[day, id]") -> str:
    return f"/*---\nkind: incremental\ndate: day\nlook_back: {look_back}\ngrain: {grain}\n---\n*/\n{sql}"


def dated(sql: str) -> str:
    return f"/*---\ndate: day\ngrain: [day, id]\n---\n*/\n{sql}"


def different(root: Path) -> list[str]:
    """Tables that a full rebuild makes otherwise."""
    updated = contents(root)
    run(root, full=True)
    rebuilt = contents(root)
    assert rebuilt.keys() == updated.keys()
    return [name for name in rebuilt if rebuilt[name] != updated[name]]


SMALL = {
    "sql/raw/prices.yml": PROJECT["sql/raw/prices.yml"],
    "models/base/prices.sql": PROJECT["models/base/prices.sql"],
}
TWELVE_DAYS = [(day, who, 3 + (day * 7) % 5, 0) for day in range(12) for who in "AB"]


def test_columns_that_swap_their_names_are_read_anew(make_project: MakeProject) -> None:
    root = make_project(
        {
            **SMALL,
            "models/base/two.sql": dated("select day, id, close as a, close + 1 as b from base.prices"),
            "models/mart/one.sql": incremental(0, "select day, id, a from base.two"),
        }
    )
    load(lake_of(root), "b1", TWELVE_DAYS)
    run(root)
    # one session has other values too, so that the sessions that differ can be told
    one = "if(day = date '2024-01-03', 5, close + 1)"
    write(root, "models/base/two.sql", dated(f"select day, id, close as b, {one} as a from base.prices"))
    run(root)
    assert not different(root)


@pytest.mark.parametrize("said", ["", "date: day\n", "interval: [day]\n"])
def test_another_session_column_builds_anew(make_project: MakeProject, said: str) -> None:
    sql = "select day, id, close from base.prices"
    root = make_project({**SMALL, "models/mart/two.sql": dated(sql)})
    load(lake_of(root), "b1", TWELVE_DAYS)
    run(root)
    write(root, "models/mart/two.sql", f"/*---\n{said}grain: [id, day]\n---\n*/\n{sql}")
    assert (run(root)["mart.two"].action == "build") == (said != "date: day\n")
    assert not different(root)


def test_a_look_back_counts_the_dates_that_are_read_and_not_its_own(make_project: MakeProject) -> None:
    days = (
        "select cast(d as date) as day from range(timestamp '2024-01-01', timestamp '2024-02-01', interval 1 day) t(d)"
    )
    filled = """
with weekly as (
    select day, close, lead(day, 1, date '2999-01-01') over (order by day) as until from {prices}
)

select days.day, weekly.close
from base.days as days
join weekly on weekly.day <= days.day and days.day < weekly.until
"""
    root = make_project(
        {
            **SMALL,
            "models/base/days.sql": days,
            "models/base/filled.sql": incremental(1, filled.format(prices="raw.prices"), "[day]"),
            "models/mart/filled.sql": incremental(1, filled.format(prices="base.prices"), "[day]"),
        }
    )
    load(lake_of(root), "b1", [(day, "A", 1 + day, 0) for day in (0, 7, 21, 28)])
    run(root)
    load(lake_of(root), "b2", [(14, "A", 50, 16)])
    results = run(root)
    assert results["base.filled"].action == results["mart.filled"].action == "update"
    assert not different(root)


def test_rows_dated_after_all_they_read_are_computed(make_project: MakeProject) -> None:
    ahead = incremental(1, "select day + 1 as day, id, close from base.prices")
    root = make_project({**SMALL, "models/mart/ahead.sql": ahead})
    load(lake_of(root), "b1", TWELVE_DAYS)
    run(root)
    load(lake_of(root), "b2", [(12, "A", 9, 0)])
    assert run(root)["mart.ahead"].action == "update"
    assert not different(root)


def test_rows_without_a_session_are_seen_from_all_of_them(make_project: MakeProject) -> None:
    some = "/*---\ndate: day\n---\n*/\nselect day, id, close from base.prices union all select null, 'Z', 100"
    plus = """
select day, id, close + (select close from base.some where day is null) as close from base.some where day is not null
"""
    root = make_project({**SMALL, "models/base/some.sql": some, "models/mart/plus.sql": incremental(0, plus)})
    load(lake_of(root), "b1", TWELVE_DAYS)
    run(root)
    load(lake_of(root), "b2", [(12, "A", 9, 0)])
    assert run(root)["mart.plus"].action == "build"
    assert not different(root)


def test_raw_columns_of_another_type_build_anew(make_project: MakeProject) -> None:
    root = make_project({**SMALL, "models/mart/count.sql": "select count(*) as n from base.prices"})
    load(lake_of(root), "b1", TWELVE_DAYS)
    run(root)
    text = PROJECT["sql/raw/prices.yml"].replace("close: {type: DOUBLE", "close: {type: VARCHAR")
    write(root, "sql/raw/prices.yml", text)
    assert run(root)["base.prices"].action == "build"
    assert not different(root)


def test_a_table_that_no_session_of_moved_is_carried_into_the_build(make_project: MakeProject) -> None:
    root = make_project(SMALL)
    load(lake_of(root), "b1", [*TWELVE_DAYS, (3, "C", 1, 60)])
    noon = dt.datetime(2024, 1, 15, 12, tzinfo=dt.UTC)
    run(root, noon)
    # the part holds a row that is not known yet, so another as-of is another source, of the same rows
    run(root, noon + dt.timedelta(1))
    with warehouse.open_readonly(root / "warehouse" / "tsq.duckdb") as con:
        assert con.execute("select count(*) from base.prices").fetchall() == [(len(TWELVE_DAYS),)]
    load(lake_of(root), "b2", [(12, "A", 9, 0)])
    assert run(root, noon + dt.timedelta(1))["base.prices"].action == "update"


def test_a_full_refresh_updates_nothing(make_project: MakeProject) -> None:
    root = make_project(PROJECT)
    load(lake_of(root), "b1", TWELVE_DAYS)
    run(root)
    load(lake_of(root), "b2", [(12, "A", 9, 0)])
    assert {result.action for result in run(root, full=True).values()} == {"build"}


def test_a_reference_is_checked_where_no_session_moved(make_project: MakeProject) -> None:
    refers = PROJECT["models/base/prices.sql"].replace("grain:", "references: {id: base.names.id}\ngrain:")
    names = "select unnest(['A', 'B']) as id"
    root = make_project({**SMALL, "models/base/prices.sql": refers, "models/base/names.sql": names})
    load(lake_of(root), "b1", [*TWELVE_DAYS, (3, "C", 1, 60)])
    noon = dt.datetime(2024, 1, 15, 12, tzinfo=dt.UTC)
    run(root, noon)
    write(root, "models/base/names.sql", "select unnest(['A', 'B', 'C']) as id")
    assert run(root, noon + dt.timedelta(1))["base.prices"].action == "update"
    write(root, "models/base/names.sql", "select 'A' as id")
    with pytest.raises(TsqError, match="`id: stands in"):
        run(root, noon + dt.timedelta(2))


@pytest.mark.parametrize(
    "promise",
    ["references: {close: base.prices.close}", "checks: ['close in (select close from base.prices)']"],
)
def test_a_promise_about_what_is_read_is_checked_of_every_row(make_project: MakeProject, promise: str) -> None:
    # the last day is a copy of the first
    copied = "select day, id, if(day = date '2024-01-12', 100, close) as close from base.prices"
    text = incremental(0, copied).replace("grain:", f"{promise}\ngrain:")
    root = make_project({**SMALL, "models/mart/copied.sql": text})
    load(lake_of(root), "b1", [*TWELVE_DAYS, (0, "C", 100, 0)])
    run(root)
    load(lake_of(root), "b2", [(0, "C", 7, 1)])
    with pytest.raises(TsqError, match="2 rows break"):
        run(root)

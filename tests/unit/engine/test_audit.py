from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from toy_audit import DAYS, PROJECT, audited, opened, with_model, write

from tsq.engine import audit_cuts, bent_lake
from tsq.engine.audit import Wish
from tsq.engine.audit_compare import columns_of, compare, known_at
from tsq.engine.header import Header
from tsq.engine.warehouse import connect

MakeProject = Callable[[Mapping[str, str]], Path]
HEADER = "/*---\ndate: day\ngrain: [day, name]\nknowable: day\n---\nA copy.\n*/\n"
LEAKS = {
    "next": "select day, name, lead(value) over (partition by name order by day) as value from mart.seen",
    "mean": "select day, name, value - avg(value) over () as value from mart.seen",
    "corrected": "select day, name, value from base.facts",
    "survivors": "select day, name, value from mart.seen qualify max(day) over (partition by name) = max(day) over ()"
    " and value < max(value) over (partition by name)",
}


def test_an_honest_project_passes(make_project: MakeProject) -> None:
    found = audited(write(make_project(PROJECT)))
    assert found.passed, found.findings
    assert [step.proof for step in found.steps[:1]] == ["declared"]
    assert {step.proof for step in found.steps} == {"declared", "truncate", "perturb", "load order", "known_at"}
    held = {name for tables in found.tables.values() for name, one in tables.items() if one.rows}
    assert held == {"base.facts", "base.replaced", "mart.seen", "mart.starts"}
    cut_only = {name for build, tables in found.tables.items() if build.startswith("cut") for name in tables}
    assert "base.replaced" not in cut_only


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_is_named_with_its_file_and_first_bad_date(make_project: MakeProject, leak: str) -> None:
    root = make_project(with_model(f"mart/{leak}.sql", HEADER + LEAKS[leak]))
    found = audited(write(root))
    assert [finding.table for finding in found.findings] == [f"mart.{leak}"]
    (finding,) = found.findings
    assert finding.file == root / "models" / "mart" / f"{leak}.sql"
    assert finding.line == 8
    assert finding.compared
    assert finding.compared.differing
    assert finding.compared.differing.first
    assert finding.cut
    assert DAYS[0] <= finding.compared.differing.first <= finding.cut


def test_more_cuts_lie_on_days_of_tables_that_none_lies_on(make_project: MakeProject) -> None:
    days = audit_cuts.Calendar(DAYS, DAYS[::20], 0)
    when = write(make_project(PROJECT)).catalog.evening
    cut = audit_cuts.Cut(DAYS[40], audit_cuts.evening(DAYS[40], when), "chosen")
    met, rhythm, rare, over = frozenset(DAYS[::20]), frozenset(DAYS[3::20]), frozenset(DAYS[7:9]), frozenset(DAYS[-1:])
    more = audit_cuts.missed(days, (over, rare, rhythm, met), (cut,), when, 5)
    assert [one.date in rhythm for one in more] == [True, False]
    assert more[1].date in rare
    assert audit_cuts.missed(days, (rhythm,), (cut,), when, 0) == ()
    bend = audit_cuts.later(days, (cut,), (), when)
    assert bend.date in days.decisions
    assert bend.date != cut.date


def test_a_cut_build_holds_nothing_that_was_known_later(make_project: MakeProject) -> None:
    nodes = write(make_project(PROJECT))
    until = dt.datetime(2023, 4, 3, 20, tzinfo=dt.UTC)
    with opened(nodes) as aside:
        aside.show(aside.known_by(None))
        aside.build("short", aside.names, until=until)
        latest = aside.con.execute("select max(known_at) from base.facts").fetchone()
    assert latest
    assert latest[0] <= until


def test_the_first_table_of_a_chain_is_the_culprit(make_project: MakeProject) -> None:
    files = with_model("mart/next.sql", HEADER + LEAKS["next"])
    root = make_project({**files, "models/mart/reader.sql": HEADER + "select day, name, value from mart.next"})
    (finding,) = audited(write(root)).findings
    assert (finding.table, finding.downstream) == ("mart.next", ("mart.reader",))


def test_a_table_that_says_nothing_and_one_that_is_never_final(make_project: MakeProject) -> None:
    silent = "/*---\ngrain: [name]\n---\nSilent.\n*/\nselect name, max(value) as most from mart.seen group by name"
    never = silent.replace("grain: [name]", "grain: [name]\nknowable: \"date '9999-12-31'\"")
    root = make_project({**with_model("mart/silent.sql", silent), "models/mart/never.sql": never})
    found = audited(write(root))
    assert [(finding.proof, finding.table) for finding in found.findings] == [("declared", "mart.silent")]
    assert found.never_final == ("mart.never",)


def test_a_row_that_claims_to_be_known_before_its_input(make_project: MakeProject) -> None:
    early = (
        "/*---\ndate: day\ngrain: [day, name]\n---\nEarly.\n*/\n"
        "select day, name, value, known_at - interval 1 day as known_at from base.facts"
    )
    found = audited(write(make_project(with_model("mart/early.sql", early))))
    assert ("known_at", "mart.early") in {(finding.proof, finding.table) for finding in found.findings}


def test_what_counts_rows_depends_on_loading_twice(make_project: MakeProject) -> None:
    counted = (
        "/*---\ndate: day\ngrain: [day]\nknowable: day\n---\nRows.\n*/\n"
        "select day, count(*) filter (known_at <= cast(day as timestamp) + interval 20 hours) as n from raw.prints group by day"
    )
    found = audited(write(make_project(with_model("base/counted.sql", counted))))
    assert [(finding.proof, finding.table) for finding in found.findings] == [("load order", "base.counted")]


def test_a_model_that_fails_without_the_future_is_a_finding(make_project: MakeProject) -> None:
    fails = (
        HEADER
        + "select day, name, case when (select max(day) from mart.seen) < date '2023-07-01' then error('no') else value end as value from mart.seen"
    )
    found = audited(write(make_project(with_model("mart/fails.sql", fails))))
    assert {(finding.proof, finding.table) for finding in found.findings} == {("truncate", "mart.fails")}
    assert "does not build from what was known then" in found.findings[0].said


def test_the_same_seed_draws_the_same_cuts_inside_the_history(make_project: MakeProject) -> None:
    nodes = write(make_project(PROJECT))
    with opened(nodes) as aside:
        aside.show(aside.known_by(None))
        aside.build("whole build", aside.names)
        columns = {name: columns_of(aside.con, "whole build", name) for name in aside.names}
        days = audit_cuts.calendar(aside, "whole build", columns)
        moving = audit_cuts.motions(aside)
        cuts = [audit_cuts.choose(days, moving, nodes.catalog.evening, 6, seed) for seed in (3, 3, 4)]
    assert days.sessions == DAYS
    assert [day.day <= 7 for day in days.decisions] == [True] * len(days.decisions)
    assert len(days.decisions) == 7
    assert {motion.kind for motion in moving} == {"prints corrected", "prints late"}
    assert cuts[0] == cuts[1] != cuts[2]
    assert len({cut.date for cut in cuts[0]}) == 6
    assert all(DAYS[0] < cut.date < DAYS[-1] and cut.moment.hour == 20 for cut in cuts[0])
    assert max(cut.facts for cut in cuts[0]) > 0
    assert any("decision" in cut.why for cut in cuts[0])


def test_a_bent_future_leaves_the_past(make_project: MakeProject) -> None:
    nodes = write(make_project(PROJECT))
    cut = dt.datetime(2023, 4, 3, 20, tzinfo=dt.UTC)
    with opened(nodes) as aside:
        dataset, rows = nodes.catalog.raw["prints"], aside.rows_of("prints")
        bent = f"({bent_lake.bent(dataset, rows, cut, 0)})"
        known = "known_at <= timestamptz '2023-04-03 20:00:00+00'"
        count = lambda query: (aside.con.execute(f"select count(*) from ({query})").fetchone() or (0,))[0]  # noqa: E731
        assert count(f"(from {bent} where {known}) except all (from {rows} where {known})") == 0
        assert count(f"(from {rows} where {known}) except all (from {bent} where {known})") == 0
        assert count(f"from {bent} where not {known} and value is null") == 0
        future = f"from {bent} where not {known}"
        assert count(f"select distinct name {future} and length(name) = 2") or count(f"{future} and value > 1500")
        restated = f"{future} and day < date '2023-04-01' and known_at > timestamptz '2023-04-04 00:00:00+00'"
        assert count(f"{restated} and is_withdrawn") > 0
        assert count(f"{restated} and not is_withdrawn") > 0
        twice = f"({bent_lake.again(dataset, rows, 0)})"
        assert count(f"from {twice}") == 2 * count(f"from {rows}")
        assert count(f"select distinct day, name, value, known_at from {twice}") == count(f"from {rows}")


def test_a_large_lake_is_sampled_by_name(make_project: MakeProject) -> None:
    nodes = write(make_project(PROJECT))
    with opened(nodes, most_rows=300) as aside:
        (sample,) = aside.samples
        assert (sample.dataset, sample.column, sample.rows_before) == ("prints", "name", 923)
        assert sample.one_in == 4
        assert 0 < sample.rows < 923
        query = f"select count(*), count(distinct name) from {aside.rows_of('prints')}"
        rows, names = aside.con.execute(query).fetchone() or (0, 0)
    assert rows == sample.rows
    assert rows >= 150 * names


@pytest.mark.parametrize(
    ("then", "same"),
    [
        ("(1, 0.1 + 0.2), (2, 1e9)", True),
        ("(1, 0.3), (2, 1e9 + 0.5)", True),
        ("(1, 0.3), (2, 1e9 + 5)", False),
        ("(1, 0.3), (2, null)", False),
        ("(1, 0.3)", False),
        ("(1, 0.3), (2, 1e9), (3, 1)", False),
    ],
)
@pytest.mark.parametrize("grain", [("k",), ()])
def test_rows_are_compared_as_sets_and_floats_to_nine_digits(then: str, same: bool, grain: tuple[str, ...]) -> None:
    columns = {"k": "INTEGER", "x": "DOUBLE"}
    with connect() as con:
        for name, rows in (("now", "(1, 0.3), (2, 1e9)"), ("then", then)):
            con.execute(f'attach \':memory:\' as "{name}"; create schema "{name}".mart')
            con.execute(f'create table "{name}".mart.t as select k, x::double as x from (values {rows}) as v(k, x)')
        found = compare(con, Header(grain=grain), columns, ("now", "from mart.t"), ("then", "from mart.t"), 5)
    assert (found.rows, found.skipped) == (2, 3)
    assert (found.differing is None) is same


def test_versions_that_ended_later_read_as_open() -> None:
    moment = "TIMESTAMP WITH TIME ZONE"
    columns = {"k": "INTEGER", "known_from": moment, "known_to": moment}
    query = known_at("mart.t", Header(grain=("k",)), columns, dt.datetime(2023, 1, 1, tzinfo=dt.UTC))
    assert query
    with connect() as con:
        con.execute(
            "create schema mart; create table mart.t as select 1 as k, timestamptz '2022-01-01' as known_from, timestamptz '2023-06-01' as known_to"
        )
        row = con.execute(
            query.replace("select *", "select k, year(known_to)", 1).replace(
                " replace (timestamptz '9999-12-31 00:00:00+00' as known_to)", ""
            )
        ).fetchone()
    assert row is not None
    assert row[0] == 1


def test_planting_needs_no_clean_names(make_project: MakeProject) -> None:
    found = audited(write(make_project(PROJECT)), Wish(cuts=2, plants=4, seed=1))
    assert sum(plant.caught for plant in found.planted) == 4
    assert all(plant.caught or plant.void for plant in found.planted)

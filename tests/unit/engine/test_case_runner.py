from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tsq import config
from tsq.engine import bind, case_runner, cases, catalog, graph
from tsq.engine.case_runner import Bench
from tsq.engine.compile import compile_catalog
from tsq.errors import TsqError

PROJECT = {
    "sql/raw/sales.yml": "doc: A sale.\nkey: [day]\ncolumns:\n  day: {type: DATE}\n  inr: {type: DOUBLE}\n",
    "sql/config/shops.yml": (
        "doc: A shop.\nkey: [shop]\nfile: config/shops.csv\ncolumns:\n  shop: {type: VARCHAR}\n"
        "  size: {type: INTEGER, default: 3}\n"
    ),
    "config/shops.csv": "shop,size\n",
    "models/base/days.sql": (
        "/*---\ngrain: [day]\nchecks:\n  - inr >= 0\n  - {rows: inr < 1000, level: warn, name: not_many}\n---\nA day.\n*/\n"
        "select day, sum(inr) as inr, count(known_at) as n_known, from raw.sales group by day\n"
    ),
    "models/base/shops.sql": "select shop, size, {{ label }} as label, from config.shops order by size desc\n",
    "models/mart/rates.sql": "select day, 100 / inr as rate, {{ n_rows }} as n_rows, from base.days where inr != 0\n",
    "models/mart/means.py": (
        '"""---\ngrain: [n]\ncolumns: {n: {type: BIGINT}, mean: {type: DOUBLE}}\n---\nOne row.\n"""\nimport polars as pl\n\n\n'
        "def model(days: pl.DataFrame, *, n_rows: int) -> pl.DataFrame:\n"
        '    if days.is_empty():\n        raise ValueError("no days")\n'
        '    return pl.DataFrame({"n": [n_rows], "mean": [days["inr"].mean()]})\n'
    ),
}


@pytest.fixture
def bench(make_project: Callable[[Mapping[str, str]], Path]) -> Bench:
    found = catalog.read(config.load(make_project(PROJECT)))
    made = graph.build(found, compile_catalog(found))
    return case_runner.open_bench(made, bind.columns(made))


def run(bench: Bench, model: str, case: str) -> list[str]:
    """What is wrong with a case; nothing where it passes."""
    path = bench.graph.catalog.project.root / f"{model}.yml"
    path.write_text(f"- name: n\n{case}", encoding="utf-8")
    (found,) = cases.read_file(path)
    return list(case_runner.run(bench, found).problem)


def test_given_rows_in_expected_rows_out(bench: Bench) -> None:
    given = "  given:\n    raw.sales: [{day: 2024-01-01, inr: 1}, {day: 2024-01-01, inr: 2}]\n"
    assert run(bench, "base.days", f"{given}  expect: [{{day: 2024-01-01, inr: 3}}]\n") == []
    assert run(bench, "base.days", f"{given}  expect: [{{day: 2024-01-01, inr: 4}}]\n") == [
        "      day         inr",
        "want  2024-01-01  4",
        "got   2024-01-01  [3]",
    ]


def test_a_raw_row_is_known_since_ever_where_the_case_does_not_say(bench: Bench) -> None:
    assert run(bench, "base.days", "  given: {raw.sales: [{day: 2024-01-01}]}\n  expect: [{n_known: 1}]\n") != []
    given = "  given: {raw.sales: [{day: 2024-01-01, inr: 1}]}\n"
    assert run(bench, "base.days", f"{given}  expect: [{{n_known: 1}}]\n") == []


def test_a_case_leaves_nothing_to_the_next(bench: Bench) -> None:
    assert run(bench, "base.days", "  given: {raw.sales: [{day: 2024-01-01, inr: 1}]}\n  expect: []\n") != []
    assert run(bench, "base.days", "  expect: []\n") == []
    assert run(bench, "base.days", "  given: {raw.sales: [{day: x}]}\n  expect: []\n") != []
    assert run(bench, "base.days", "  expect: []\n") == []


def test_declared_defaults_hold_in_settings(bench: Bench) -> None:
    assert run(bench, "base.shops", "  given: {config.shops: [{shop: a}]}\n  expect: [{shop: a, size: 3}]\n") == []


def test_only_rows_asked_for_are_compared_and_in_order_if_asked(bench: Bench) -> None:
    given = "  given: {config.shops: [{shop: a, size: 1}, {shop: b, size: 2}, {shop: c, size: 9}]}\n"
    assert run(bench, "base.shops", f"{given}  where: size < 9\n  expect: [{{shop: a}}, {{shop: b}}]\n") == []
    assert (
        run(bench, "base.shops", f"{given}  where: size < 9\n  ordered: true\n  expect: [{{shop: b}}, {{shop: a}}]\n")
        == []
    )
    assert run(
        bench, "base.shops", f"{given}  where: size < 9\n  ordered: true\n  expect: [{{shop: a}}, {{shop: b}}]\n"
    )
    (said, *_) = run(bench, "base.shops", f"{given}  where: sise < 9\n  expect: []\n")
    assert said.startswith("`where` cannot be asked")


def test_knobs_render_the_model_anew(bench: Bench) -> None:
    given = "  given: {base.days: [{day: 2024-01-01, inr: 50}]}\n"
    assert run(bench, "mart.rates", f"{given}  expect: [{{rate: 2, n_rows: 5}}]\n") == []
    assert run(bench, "mart.rates", f"  knobs: {{n_rows: 8}}\n{given}  expect: [{{n_rows: 8}}]\n") == []
    assert run(bench, "mart.rates", f"{given}  expect: [{{n_rows: 5}}]\n") == []


@pytest.mark.parametrize(
    ("case", "said", "hint"),
    [
        ("  given: {base.dasy: []}\n  expect: []\n", "mart.rates does not read base.dasy", "did you mean base.days?"),
        ("  given: {base.shops: []}\n  expect: []\n", "mart.rates does not read base.shops", "base.days"),
        (
            "  given: {base.days: [{dya: 2024-01-01}]}\n  expect: []\n",
            "base.days has no column dya",
            "did you mean day?",
        ),
        ("  expect: [{rat: 1}]\n", "mart.rates has no column rat", "did you mean rate?"),
        ("  knobs: {n_row: 1}\n  expect: []\n", "unknown knob n_row", "did you mean n_rows?"),
        ("  knobs: {label: x}\n  expect: []\n", "mart.rates does not use the knob label", "known: n_rows"),
        ("  knobs: {n_rows: many}\n  expect: []\n", "knob n_rows is int", "same kind"),
        ("  given: {base.days: [{inr: abc}]}\n  expect: []\n", "inr is 'abc', which is not a DOUBLE", "DOUBLE"),
    ],
)
def test_a_mistake_in_a_case_is_its_problem(bench: Bench, case: str, said: str, hint: str) -> None:
    problem = run(bench, "mart.rates", case)
    assert said in problem[0]
    assert "mart.rates.yml:" in problem[1]
    assert hint in problem[2]


def test_promises_are_held_too(bench: Bench) -> None:
    given = "  given: {raw.sales: [{day: 2024-01-01, inr: -1}]}\n"
    assert "break `inr >= 0`" in run(bench, "base.days", f"{given}  expect: [{{inr: -1}}]\n")[0]
    assert run(bench, "base.days", f"{given}  fails_check: inr >= 0\n") == []
    good = given.replace("-1", "1")
    assert "was expected to fail" in run(bench, "base.days", f"{good}  fails_check: inr >= 0\n")[0]
    assert "did you mean inr >= 0?" in run(bench, "base.days", f"{good}  fails_check: inr > 0\n")[2]


def test_a_warning_breaks_no_case_but_can_be_expected(bench: Bench) -> None:
    given = "  given: {raw.sales: [{day: 2024-01-01, inr: 5000}]}\n"
    assert run(bench, "base.days", f"{given}  expect: [{{inr: 5000}}]\n") == []
    assert run(bench, "base.days", f"{given}  fails_check: not_many\n") == []


def test_a_python_model_is_called_with_its_tables_and_knobs(bench: Bench) -> None:
    given = "  given: {base.days: [{day: 2024-01-01, inr: 1}, {day: 2024-01-02, inr: 2}]}\n"
    assert run(bench, "mart.means", f"  knobs: {{n_rows: 7}}\n{given}  expect: [{{n: 7, mean: 1.5}}]\n") == []


def test_what_a_python_model_trips_over_is_told_with_its_line(bench: Bench) -> None:
    problem = run(bench, "mart.means", "  expect: []\n")
    assert problem[0] == "mart.means: ValueError: no days"
    assert problem[1].endswith("means.py:12")
    assert run(bench, "mart.means", "  expect_error: no days\n") == []
    assert run(bench, "mart.means", "  expect_error: no weeks\n")[0] == "the error does not say 'no weeks':"


def test_an_error_that_does_not_come_is_missed(bench: Bench) -> None:
    assert run(bench, "base.days", "  expect_error: anything\n")[0].startswith("no error")


def test_a_case_reads_no_file(bench: Bench) -> None:
    given = "  given: {base.days: [{inr: \"= (select count(*) from read_text('/etc/hostname'))\"}]}\n"
    assert "not a DOUBLE" in run(bench, "mart.rates", f"{given}  expect: []\n")[0]


def test_a_file_named_after_no_model_is_refused(bench: Bench) -> None:
    path = bench.graph.catalog.project.root / "base.dayz.yml"
    path.write_text("- {name: n, expect: []}\n", encoding="utf-8")
    with pytest.raises(TsqError, match=r"no model is called base\.dayz") as error:
        case_runner.check_cases(bench.graph, {"base.dayz": cases.read_file(path)})
    assert error.value.hint == "did you mean base.days?"


def test_a_report_says_what_where_and_why(bench: Bench) -> None:
    root = bench.graph.catalog.project.root
    path = root / "base.days.yml"
    path.write_text("- name: something comes of nothing\n  why: it does not\n  expect: [{inr: 1}]\n", encoding="utf-8")
    outcome = case_runner.run(bench, cases.read_file(path)[0])
    assert case_runner.report(outcome, root).splitlines() == [
        "base.days: something comes of nothing",
        "  in:   base.days.yml:1",
        "  why:  it does not",
        "             inr",
        "    missing  1",
    ]

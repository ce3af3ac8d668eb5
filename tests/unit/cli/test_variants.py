"""Words and options of `tsq compare` become rows of settings."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tsq.cli import variants
from tsq.cli.variants import COST, Tables, Variant
from tsq.engine import seeds
from tsq.engine.datasets import read_dataset
from tsq.errors import TsqError

SCHEMA = """doc: One row is a portfolio.
key: [portfolio]
file: config/portfolios.yml
columns:
  portfolio: {type: VARCHAR, doc: "name"}
  blend: {type: VARCHAR, required: true, doc: "blend"}
  benchmark: {type: VARCHAR, default: none, doc: "indices"}
  top_n: {type: INTEGER, required: true, min: 1, doc: "names"}
  rebalance: {type: VARCHAR, required: true, one_of: [ME, WE], doc: "when"}
  optimiser: {type: VARCHAR, default: equal_weight, one_of: [equal_weight, min_variance], doc: "how"}
  turnover_cap: {type: DOUBLE, above: 0, doc: "most turnover"}
  execution: {type: VARCHAR, default: open, doc: "how traded"}
  starts_on: {type: DATE, doc: "when it starts"}
"""
EXECUTION = """doc: One row is a way to trade.
key: [execution]
file: config/execution.yml
columns:
  execution: {type: VARCHAR, doc: "name"}
  price: {type: VARCHAR, required: true, doc: "price"}
  slippage_bps: {type: DOUBLE, min: 0, doc: "floor"}
"""
PORTFOLIOS = (
    "base: {blend: core, top_n: 25, rebalance: ME, turnover_cap: 0.5}\ncalm: {blend: calm, top_n: 9, rebalance: WE}\n"
)


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    for name, text in {
        "sql/portfolios.yml": SCHEMA,
        "sql/execution.yml": EXECUTION,
        "config/portfolios.yml": PORTFOLIOS,
        "config/execution.yml": "open: {price: open}\nclose: {price: close, slippage_bps: 3}\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return Tables(*(read_dataset(tmp_path / "sql" / f"{name}.yml") for name in ("portfolios", "execution")), tmp_path)


def vary(
    tables: Tables, *words: str, on: str | None = None, file: Path | None = None, **given: str
) -> tuple[Variant, ...]:
    axes = [variants.axis(tables, f"--{column}", column, [text]) for column, text in given.items()]
    return variants.choose(tables, words, axes, on=on, file=file)


def rows(tables: Tables, made: tuple[Variant, ...]) -> dict[str, dict[str, dict[str, Any]]]:
    """What a run would read in place of the files, through the loader it uses."""
    found = {}
    for name, text in variants.substitutes(tables, made).items():
        dataset = replace(tables.portfolios if name == "portfolios" else tables.execution, substitute=text)
        seed = seeds.read(dataset, tables.root)
        found[name] = {row[0]: dict(zip(dataset.column_names, row, strict=True)) for row in seed.rows}
    return found


def test_without_a_word_the_plain_book_meets_the_one_of_least_variance(tables: Tables) -> None:
    made = rows(tables, vary(tables))
    assert made.keys() == {"portfolios"}
    assert {name: row["optimiser"] for name, row in made["portfolios"].items()} == {
        "equal_weight": "equal_weight",
        "min_variance": "min_variance",
    }
    assert {row["blend"] for row in made["portfolios"].values()} == {"core"}


def test_an_optimiser_takes_all_else_from_the_portfolio_it_is_applied_to(tables: Tables) -> None:
    (made,) = rows(tables, vary(tables, "min_variance", on="calm"))["portfolios"].values()
    assert (made["blend"], made["top_n"], made["optimiser"]) == ("calm", 9, "min_variance")


def test_several_values_make_the_product_and_are_part_of_the_name(tables: Tables) -> None:
    made = rows(tables, vary(tables, "base", "calm", top_n="5, 10", rebalance="WE", starts_on="2020-01-31"))[
        "portfolios"
    ]
    assert {name: row["top_n"] for name, row in made.items()} == {
        "base_5": 5,
        "base_10": 10,
        "calm_5": 5,
        "calm_10": 10,
    }
    assert {(row["rebalance"], row["starts_on"]) for row in made.values()} == {("WE", dt.date(2020, 1, 31))}


def test_a_value_that_is_nothing_takes_a_setting_away(tables: Tables) -> None:
    (made,) = rows(tables, vary(tables, "base", turnover_cap=""))["portfolios"].values()
    assert made["turnover_cap"] is None


def test_costs_are_profiles_of_execution_beside_those_of_the_project(tables: Tables) -> None:
    axes = [variants.axis(tables, "--cost-bps", COST, ["0,12.5"]), *variants.assignments(tables, ["execution=close"])]
    made = rows(tables, variants.choose(tables, ["base"], axes))
    assert {name: row["execution"] for name, row in made["portfolios"].items()} == {
        "base_0": "close at 0 bps",
        "base_12.5": "close at 12.5 bps",
    }
    assert {name: (row["price"], row["slippage_bps"]) for name, row in made["execution"].items()} == {
        "open": ("open", None),
        "close": ("close", 3.0),
        "close at 0 bps": ("close", 0.0),
        "close at 12.5 bps": ("close", 12.5),
    }


def test_a_file_brings_portfolios_of_its_own(tables: Tables, tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    file.write_text(
        "bold: {blend: core, top_n: 3, rebalance: WE}\nbase: {blend: core, top_n: 7, rebalance: ME}\n", "utf-8"
    )
    made = rows(tables, vary(tables, file=file))["portfolios"]
    assert {name: row["top_n"] for name, row in made.items()} == {"bold": 3, "base": 7}
    assert [variant.name for variant in vary(tables, "calm", "bold", file=file)] == ["calm", "bold"]


def test_lists_keep_their_commas_and_names_are_taken_apart(tables: Tables) -> None:
    axes = list(variants.assignments(tables, ["benchmark=a, b", "execution=open,close", "top_n=3,4", "top_n=5"]))
    assert [axis.texts for axis in axes] == [("a, b",), ("open", "close"), ("3", "4", "5")]


def test_a_file_that_is_not_there_is_named(tables: Tables, tmp_path: Path) -> None:
    with pytest.raises(TsqError, match=r"none\.yml does not exist"):
        vary(tables, file=tmp_path / "none.yml")


def test_rows_of_a_portfolio_go_along_to_its_variants(tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "sql/held.yml").write_text(
        "doc: d\nkey: [portfolio, ticker]\nfile: config/held.csv\ncolumns:\n  portfolio: {type: VARCHAR, doc: p}\n"
        "  ticker: {type: VARCHAR, doc: t}\n  until: {type: DATE, doc: u}\n  why: {type: VARCHAR, doc: w}\n",
        encoding="utf-8",
    )
    (tmp_path / "config/held.csv").write_text("portfolio,ticker,until,why\n", encoding="utf-8")
    tables = replace(tables, taken=(read_dataset(tmp_path / "sql/held.yml"),))
    made = vary(tables, "base", "min_variance", top_n="3,4")
    assert "held" not in variants.substitutes(tables, made), "an empty table is the same table"
    (tmp_path / "config/held.csv").write_text(
        'portfolio,ticker,until,why\nbase,ABC,2024-01-31,"dear, but good"\ncalm,XYZ,,\n', encoding="utf-8"
    )
    told = replace(tables.taken[0], substitute=variants.substitutes(tables, made)["held"])
    assert [row[0] for row in seeds.read(told, tmp_path).rows] == [variant.name for variant in made]
    assert {row[1:] for row in seeds.read(told, tmp_path).rows} == {("ABC", dt.date(2024, 1, 31), "dear, but good")}
    assert seeds.read(
        replace(told, substitute=variants.substitutes(tables, vary(tables, "calm"))["held"]), tmp_path
    ).rows == (("calm", "XYZ", None, None),)


def test_which_columns_are_lists_is_what_their_schema_says() -> None:
    columns = read_dataset(Path(__file__).parents[3] / "sql/config/portfolios.yml").columns
    assert tuple(column.name for column in columns if "separated by commas" in column.doc) == variants.LISTS


@pytest.mark.parametrize(
    ("words", "given", "what", "hint"),
    [
        (["bse"], [], "bse is neither a portfolio nor an optimiser", "did you mean base?"),
        (["min_varianse"], [], "min_varianse is neither a portfolio nor an optimiser", "did you mean min_variance?"),
        (["base", "base"], [], "base is to be compared with itself", "say each"),
        (["base"], ["top_m=3"], "config.portfolios has no column top_m", "did you mean top_n?"),
        (["base"], ["top_n=many"], "top_n is 'many', which is not a INTEGER", "names"),
        (["base"], ["top_n=0"], "top_n is '0', not at least 1", "names"),
        (["base"], ["top_n="], "top_n has no value", "names"),
        (["base"], ["rebalance=MM"], "rebalance is 'MM'", "known: ME, WE"),
        (["base"], ["top_n"], "--with top_n has no value", "write --with"),
        (["base"], ["portfolio=x"], "--with portfolio: the name is made of the words and the values", "leave it out"),
    ],
)
def test_a_mistake_is_told_in_the_words_of_the_option(
    tables: Tables, words: list[str], given: list[str], what: str, hint: str
) -> None:
    with pytest.raises(TsqError) as refused:
        variants.choose(tables, words, list(variants.assignments(tables, given)))
    assert refused.value.what == what
    assert hint in (refused.value.hint or "")
    assert "substitute" not in str(refused.value)


def test_an_unknown_base_or_profile_is_refused(tables: Tables, tmp_path: Path) -> None:
    with pytest.raises(TsqError, match="no portfolio is called clam"):
        vary(tables, "min_variance", on="clam")
    axes = [variants.axis(tables, "--cost-bps", COST, ["5"]), *variants.assignments(tables, ["execution=opne"])]
    with pytest.raises(TsqError, match="no execution is called opne"):
        variants.substitutes(tables, variants.choose(tables, ["base"], axes))
    with pytest.raises(TsqError, match="nowhere"):
        vary(tables, file=tmp_path / "nowhere.yml")

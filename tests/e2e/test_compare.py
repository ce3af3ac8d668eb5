"""`tsq compare`: portfolios side by side in a build aside, from the command line to the files."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.e2e.conftest import Tsq
from tsq.engine import builds
from tsq.engine import manifest as manifests
from tsq.engine.manifest import Manifest

# what does not hang on which portfolios there are
UPSTREAM = ("pit.", "health.", "features.", "factors.", "signals.", "universe.members", "universe.liquidity")


def manifest(project: Path, name: str) -> Manifest:
    pointer = project / "warehouse" / "tsq.duckdb"
    return manifests.read(builds.resolve(pointer, name).with_suffix(".json"))


def figures(tsq: Tsq, project: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    done = tsq(project, "compare", *arguments, "--json")
    assert done.code == 0, done.err
    return {row["portfolio"]: row for row in json.loads(done.out)["portfolios"]}


def table(project: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(project / "reports" / "out" / f"{name}.parquet")


def test_portfolios_of_the_project_come_out_as_they_were_published(project: Path, tsq: Tsq) -> None:
    published = (project / "warehouse" / "tsq.duckdb").resolve()
    done = tsq(project, "compare", "defensive", "base")
    assert done.code == 0, done.err
    shown = [line.split()[0] for line in done.out.splitlines() if "%" in line]
    assert shown[:2] == ["defensive", "base"]
    assert shown[2] == "benchmark"
    assert (project / "warehouse" / "tsq.duckdb").resolve() == published
    # as_of, data and settings are the same, so the books are
    navs = "select * from book.nav where portfolio in ('base', 'defensive') order by all"
    aside, before = (tsq(project, "query", navs, "--build", build, "--json").out for build in ("compare", "published"))
    assert json.loads(aside) == json.loads(before) != []
    # nothing upstream of the portfolios was built again
    record = manifest(project, "compare")
    again = {model.name for model in record.models if model.run_id == record.run_id}
    assert "portfolio.candidates" in again
    assert not [name for name in again if name.startswith(UPSTREAM)]
    assert {model.name for model in record.models} >= {"kpis.compare", "kpis.summary", "signals.score"}


def test_deciding_weekly_beside_it_leaves_the_monthly_book_as_it_was(project: Path, tsq: Tsq) -> None:
    assert tsq(project, "compare", "base", "--rebalance", "ME,WE").code == 0
    columns = "date, security_id, weight from portfolio.targets where portfolio"
    monthly = tsq(project, "query", f"select {columns} = 'base_ME' order by all", "--build", "compare", "--json").out
    assert json.loads(monthly) == json.loads(
        tsq(project, "query", f"select {columns} = 'base' order by all", "--json").out
    )
    counts = table(project, "portfolio_weights").group_by("portfolio").len()
    dates = dict(counts.iter_rows())
    assert 3.5 < dates["base_WE"] / dates["base_ME"] < 4.6


def test_what_is_compared_is_written_wide_and_long(project: Path, tsq: Tsq) -> None:
    rows = figures(tsq, project, "base", "defensive", "--with", "top_n=10,20")
    names = ["base_10", "base_20", "defensive_10", "defensive_20"]
    assert list(rows) == names
    compared = table(project, "portfolio_compare")
    assert compared["portfolio"].to_list() == names
    assert compared["top_n"].to_list() == [10, 20, 10, 20]
    assert compared["cagr_net"].to_list() == [rows[name]["figures"]["cagr_net"] for name in names]
    assert compared["base_date"].n_unique() == 1
    drag = compared["cagr_gross"] - compared["cagr_net"]
    assert drag.to_list() == pytest.approx(compared["cost_drag_ann"].to_list())
    assert drag.min() > 0  # type: ignore[operator]
    long, wide = table(project, "portfolio_weights_long"), table(project, "portfolio_weights")
    assert (long["weight"] > 0).all()
    assert long.group_by("portfolio", "date").len().height == wide.height
    assert wide.drop("date", "portfolio").sum().sum_horizontal().item() == pytest.approx(long["weight"].sum())
    most = long.group_by("portfolio", "date").len().group_by("portfolio").agg(pl.max("len"))
    held = dict(most.iter_rows())
    assert max(held["base_10"], held["defensive_10"]) <= 10 < held["base_20"]
    navs, curves = table(project, "portfolio_navs"), table(project, "portfolio_navs_long")
    assert navs.columns[0] == "date"
    assert {f"{name} {basis}" for name in names for basis in ("gross", "net", "benchmark")} <= set(navs.columns)
    last = curves.filter(portfolio="base_20", basis="net").sort("date")["nav"][-1]
    assert navs.sort("date")["base_20 net"][-1] == last
    for name in ("compare", "navs", "navs_long", "weights", "weights_long"):
        written = pl.read_csv(project / "reports" / "out" / f"portfolio_{name}.csv", infer_schema_length=None)
        assert written.shape == table(project, f"portfolio_{name}").shape


def test_a_book_that_starts_later_is_compared_from_then(project: Path, tsq: Tsq) -> None:
    late = figures(tsq, project, "base", "--start", "2022-06-15")["base"]
    assert late["settings"]["starts_on"] == "2022-06-15"
    assert late["figures"]["base_date"] == "2022-06-30"
    assert table(project, "portfolio_weights_long")["date"].min() == dt.date(2022, 6, 30)


def test_a_comparison_can_be_repeated_and_verified_from_its_own_record(project: Path, tsq: Tsq) -> None:
    arguments = ("compare", "base", "--with", "top_n=7", "--build", "seven")
    assert tsq(project, *arguments).code == 0
    made = manifest(project, "seven")
    assert '"top_n": 7' in made.substitutes["portfolios"]
    assert "nothing to do" in tsq(project, *arguments).err
    assert manifest(project, "seven") == made
    done = tsq(project, "run", "--verify", "seven")
    assert done.code == 0, done.err
    assert "are the same" in done.err


@pytest.mark.parametrize(
    ("arguments", "what", "hint"),
    [
        (("bsae",), "bsae is neither a portfolio nor an optimiser", "base"),
        (("base", "--rebalance", "monthly"), "rebalance is 'monthly'", "known: ME, QE, WE"),
        (("base", "--lookback", "5"), "look_back_sessions is '5', not at least 20", "window"),
        (("base", "--start", "soon"), "starts_on is 'soon', which is not a DATE", "first date"),
        (("base", "--with", "sector_cap"), "--with sector_cap has no value", "--with column=value"),
        (("base", "--build", "published"), "published has a meaning of its own", "another name"),
    ],
)
def test_a_mistake_costs_no_run(project: Path, tsq: Tsq, arguments: tuple[str, ...], what: str, hint: str) -> None:
    kept = sorted((project / "warehouse" / "builds").iterdir())
    done = tsq(project, "compare", *arguments)
    assert done.code == 2
    assert what in done.err
    assert hint in done.err
    assert done.out == ""
    assert sorted((project / "warehouse" / "builds").iterdir()) == kept

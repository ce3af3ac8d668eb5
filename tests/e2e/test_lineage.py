"""`tsq lineage` and the words of `tsq ls`, on the demo market."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

Tsq = Callable[..., object]


def test_a_kpi_leads_to_raw_columns_and_files(demo_project: Path, tsq: Tsq) -> None:
    done = tsq(demo_project, "lineage", "kpis.summary.value")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "kpis.summary.value"
    assert "  kpis.measures.sharpe" in lines
    assert any(line.strip() == "raw.prices.close" for line in lines)
    assert sum("book.events (Python: of all it is given)" in line for line in lines) == 1
    assert any(line.strip().startswith("… see above: ") for line in lines)
    assert "--rows shows them" in done.out
    assert len(lines) < 1000
    (file,) = [line for line in lines if "config/charges.csv" in line]
    assert hashlib.sha256((demo_project / "config/charges.csv").read_bytes()).hexdigest() in file
    assert any(line.startswith("raw.prices   ") and line.endswith(" rows") for line in lines)
    assert any("more: --json names them all" in line for line in lines)


def test_json_names_every_file(demo_project: Path, tsq: Tsq) -> None:
    facts = json.loads(tsq(demo_project, "lineage", "pit.prices.close", "--json").out)
    assert facts["target"] == ["pit.prices.close"]
    assert {
        "table": "pit.prices",
        "column": "close",
        "from_table": "raw.prices",
        "from_column": "close",
        "kind": "value",
    } in (facts["edges"])
    sources = {source["table"]: source for source in facts["sources"]}
    assert sources.keys() == {"raw.prices", "raw.symbol_changes", "raw.calendar", "config.special_sessions"}
    with duckdb.connect(str((demo_project / "warehouse/tsq.duckdb").resolve()), read_only=True) as con:
        sql = "select file, sha256, rows_kept, batch_id from ops.ingests where dataset = 'prices' and rows_kept > 0"
        ingested = set(con.execute(sql).fetchall())
    files = sources["raw.prices"]["files"]
    assert {(file["file"], file["sha256"], file["rows"], file["batch"]) for file in files} == ingested
    assert "close" in sources["raw.prices"]["columns"]


def test_readers_of_a_raw_column(demo_project: Path, tsq: Tsq) -> None:
    done = tsq(demo_project, "lineage", "raw.prices.close", "--down")
    assert "pit.prices.close" in [line.strip() for line in done.out.splitlines()]
    assert "kpis.summary.value" in done.out
    assert "sha256" not in done.out
    assert tsq(demo_project, "lineage", "kpis.summary.value", "--down").out == "kpis.summary.value\n"


def test_depth_and_rows(demo_project: Path, tsq: Tsq) -> None:
    lines = tsq(demo_project, "lineage", "kpis.drawdowns.depth", "--depth", "1").out.splitlines()
    assert lines[:2] == ["kpis.drawdowns.depth", "  kpis.curves.drawdown …"]
    assert not lines[2].startswith("  ")
    out = tsq(demo_project, "lineage", "kpis.drawdowns.depth", "--depth", "1", "--rows").out
    assert "kpis.drawdowns.*   which rows there are" in out
    assert "  kpis.curves.date   filter …" in out.splitlines()
    assert "--rows shows them" not in out
    edges = json.loads(tsq(demo_project, "lineage", "kpis.drawdowns.depth", "--depth", "1", "--json").out)["edges"]
    assert {edge["table"] for edge in edges} == {"kpis.drawdowns"}
    assert tsq(demo_project, "lineage", "kpis.drawdowns", "--depth", "0").code == 2


def test_a_whole_table_and_what_comes_from_nowhere(demo_project: Path, tsq: Tsq) -> None:
    out = tsq(demo_project, "lineage", "costs").out
    assert "kpis.costs.component\n  made of no column: its query writes it\n" in out
    assert "\nkpis.costs.last_date\n" in out
    assert tsq(demo_project, "lineage", "config.charges.rate").out.startswith(
        "config.charges.rate\n\nconfig.charges   1 col"
    )


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("kpis.sumary", "did you mean kpis.summary"),
        ("kpis.summary.valeu", "did you mean value"),
        ("identities", "health.identities or pit.identities"),
    ],
)
def test_an_unknown_name_is_guessed(demo_project: Path, tsq: Tsq, target: str, said: str) -> None:
    done = tsq(demo_project, "lineage", target)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""


def test_ls_leaves_out(demo_project: Path, tsq: Tsq) -> None:
    def names(*words: str) -> set[str]:
        return {row["name"] for row in json.loads(tsq(demo_project, "ls", *words, "--json").out)}

    every = names("-m", "book/")
    assert names("-m", "book/", "--exclude", "book.nav,positions") == every - {"book.nav", "book.positions"}
    assert names("-m", "+kpis.summary", "--exclude", "+book/") < names("-m", "+kpis.summary")
    done = tsq(demo_project, "ls", "-m", "book.nav", "--exclude", "book/")
    assert (done.code, done.out) == (2, "")
    assert "nothing is left" in done.err
    assert tsq(demo_project, "ls", "-m", "tag:nosuch").code == 2

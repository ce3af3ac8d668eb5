from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from tsq.engine.datasets import load_datasets
from tsq.engine.lake import Batch, FileRecord, Lake
from tsq.errors import TsqError

SCHEMA = """
doc: One row is
  a reading.
key: [site, day]
columns:
  site: {type: VARCHAR, doc: where}
  day: {type: DATE}
  value: {type: DOUBLE, unit: metre, required: true}
  kind: {type: VARCHAR, one_of: [a, b], default: a}
"""
DATED = SCHEMA.replace("[site, day]", "[site, day]\ndate: day")
MONDAY = datetime(2024, 1, 1, 12, tzinfo=UTC)
LOADED = datetime(2024, 1, 10, tzinfo=UTC)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "readings.yml").write_text(SCHEMA, encoding="utf-8")
    return Lake(tmp_path / "lake", load_datasets(tmp_path / "schemas"))


Add = Callable[..., Batch]


@pytest.fixture
def add(lake: Lake, con: duckdb.DuckDBPyConnection) -> Add:
    def write(batch_id: str, *rows: tuple[str, datetime], loaded_at: datetime = LOADED, bad: bool = False) -> Batch:
        con.execute("create or replace table rows (site varchar, known_at timestamptz)")
        for row in rows:
            con.execute("insert into rows values (?, ?)", row)
        con.execute(
            "create or replace view incoming as select site, date '2024-01-01' as day, 1.5 as value, 'a' as kind, "
            "'csv' as format, 10 as source_rank, known_at, 'in.csv' as file, false as is_withdrawn from rows"
        )
        con.execute(
            "create or replace table bad as select 'readings' as dataset, 'in.csv' as file, 3 as row_no, "
            "'is odd' as reason, 'x,y' as row_text"
        )
        record = FileRecord(
            "in.csv", "ab" * 32, "readings", "csv", len(rows), len(rows), known_at=MONDAY, notes=("odd",)
        )
        return lake.write(
            con,
            batch_id=batch_id,
            loaded_at=loaded_at,
            files=(record,),
            rows={"readings": "incoming"},
            quarantine="bad" if bad else None,
        )

    return write


def test_a_schema_is_read(lake: Lake) -> None:
    dataset = lake.datasets["readings"]
    assert dataset.doc == "One row is a reading."
    assert dataset.key == ("site", "day")
    assert [(column.name, column.required) for column in dataset.columns] == [
        ("site", True),
        ("day", True),
        ("value", True),
        ("kind", False),
    ]
    assert (dataset.column("value").unit, dataset.column("kind").one_of, dataset.column("kind").default) == (
        "metre",
        ("a", "b"),
        "a",
    )


@pytest.mark.parametrize(
    ("change", "said", "line"),
    [
        (("doc:", "docs:"), "unknown key docs", ":2"),
        (("type: DOUBLE", "type: DUOBLE"), "has type 'DUOBLE'", ":8"),
        (("unit: metre", "units: metre"), "unknown key units", ":8"),
        (("[site, day]", "[site, date]"), "key column date is not a column", ":4"),
        (("required: true", "required: maybe"), "required is 'maybe'", ":8"),
        (("one_of: [a, b]", "one_of: a"), "one_of is 'a'", ":9"),
        (("key: [site, day]\n", ""), "has no key", ""),
        (("{type: DATE}", "DATE"), "column day is not a mapping", ":7"),
        (("  day:", "  site:"), "the key site stands twice", ":7"),
        (("doc: One row is", "doc: [One"), "not valid YAML", ":4"),
        (("[site, day]", "[site, day]\ndate: site"), "date column site is of type VARCHAR", ":7"),
        ((SCHEMA, DATED.replace("DATE}", "DATE, required: false}")), "date column day may be empty", ":8"),
    ],
)
def test_a_wrong_schema_is_an_error_with_its_line(
    tmp_path: Path, change: tuple[str, str], said: str, line: str
) -> None:
    assert change[0] in SCHEMA
    (tmp_path / "readings.yml").write_text(SCHEMA.replace(*change), encoding="utf-8")
    with pytest.raises(TsqError, match=re.escape(said)) as caught:
        load_datasets(tmp_path)
    assert f"{tmp_path / 'readings.yml'}{line}" == str(caught.value.where)


def test_a_schema_may_not_use_the_lakes_own_columns(tmp_path: Path) -> None:
    (tmp_path / "readings.yml").write_text(SCHEMA + "  known_at: {type: DATE}\n", encoding="utf-8")
    with pytest.raises(TsqError, match="column known_at"):
        Lake(tmp_path, load_datasets(tmp_path))


def test_a_dataset_never_loaded_is_empty_and_typed(lake: Lake, con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"create view readings as {lake.source_sql('readings', None)}")
    described = {name: kind for name, kind, *_ in con.execute("describe readings").fetchall()}
    assert described == {
        "site": "VARCHAR",
        "day": "DATE",
        "value": "DOUBLE",
        "kind": "VARCHAR",
        "format": "VARCHAR",
        "source_rank": "INTEGER",
        "known_at": "TIMESTAMP WITH TIME ZONE",
        "loaded_at": "TIMESTAMP WITH TIME ZONE",
        "batch_id": "VARCHAR",
        "file": "VARCHAR",
        "is_withdrawn": "BOOLEAN",
    }
    assert con.execute("from readings").fetchall() == []
    assert con.execute(lake.quarantine_sql()).fetchall() == []
    assert lake.newest_known_at() is None
    assert lake.batches() == ()


def test_an_unknown_dataset_is_an_error(lake: Lake) -> None:
    with pytest.raises(TsqError, match="no dataset reading") as caught:
        lake.source_sql("reading", None)
    assert caught.value.hint == "did you mean readings?"


def test_a_batch_is_read_as_it_was_written(lake: Lake, add: Add, con: duckdb.DuckDBPyConnection) -> None:
    second = add("b2", ("B", MONDAY), loaded_at=LOADED + timedelta(days=1), bad=True)
    first = add("b1", ("A", MONDAY), ("C", MONDAY + timedelta(days=1)))
    assert lake.batches() == (first, second)
    part = first.parts["readings"]
    assert (part.rows, part.oldest_known_at, part.newest_known_at) == (2, MONDAY, MONDAY + timedelta(days=1))
    assert con.execute(
        f"select site, batch_id, loaded_at from ({lake.source_sql('readings', None)}) order by 1"
    ).fetchall() == [
        ("A", "b1", LOADED),
        ("B", "b2", LOADED + timedelta(days=1)),
        ("C", "b1", LOADED),
    ]
    assert con.execute(lake.quarantine_sql()).fetchall() == [("b2", "readings", "in.csv", 3, "is odd", "x,y")]


def test_as_of_hides_what_was_not_known(lake: Lake, add: Add, con: duckdb.DuckDBPyConnection) -> None:
    add("b1", ("A", MONDAY), ("B", MONDAY + timedelta(hours=1)))
    query = lake.source_sql("readings", MONDAY)
    assert con.execute(f"select site from ({query})").fetchall() == [("A",)]


def test_a_column_that_older_parts_lack_is_null(lake: Lake, add: Add, con: duckdb.DuckDBPyConnection) -> None:
    add("b1", ("A", MONDAY))
    path = lake.datasets["readings"].path
    path.write_text(SCHEMA + "  note: {type: VARCHAR}\n", encoding="utf-8")
    grown = Lake(lake.root, load_datasets(path.parent))
    assert con.execute(f"select site, note from ({grown.source_sql('readings', None)})").fetchall() == [("A", None)]


def test_the_hash_follows_what_can_be_seen(lake: Lake, add: Add) -> None:
    empty = lake.source_hash("readings", None)
    add("b1", ("A", MONDAY))
    one = lake.source_hash("readings", MONDAY)
    assert one != empty
    assert lake.source_hash("readings", MONDAY - timedelta(days=1)) == empty
    add("b2", ("B", MONDAY + timedelta(days=2)), ("C", MONDAY + timedelta(days=4)))
    # Rows of the future change nothing; a part seen in half changes with every as-of; a whole one no longer.
    assert lake.source_hash("readings", MONDAY + timedelta(days=1)) == one
    half, later = (lake.source_hash("readings", MONDAY + timedelta(days=days)) for days in (2, 3))
    whole = lake.source_hash("readings", MONDAY + timedelta(days=4))
    assert len({one, half, later, whole}) == 4
    assert lake.source_hash("readings", MONDAY + timedelta(days=9)) == whole == lake.source_hash("readings", None)


def test_the_clock_does_not_run_ahead_of_the_load(lake: Lake, add: Add) -> None:
    add("b1", ("A", MONDAY), ("B", LOADED + timedelta(days=300)))
    assert lake.newest_known_at() == MONDAY


def test_a_part_without_its_batch_is_not_seen_and_is_swept(
    lake: Lake, add: Add, con: duckdb.DuckDBPyConnection
) -> None:
    add("b1", ("A", MONDAY))
    add("b2", ("B", MONDAY))
    (lake.root / "_batches" / "b2.json").unlink()
    half = lake.root / "_batches" / "b3.tmp"
    half.write_text("{", encoding="utf-8")
    assert con.execute(f"select site from ({lake.source_sql('readings', None)})").fetchall() == [("A",)]
    assert lake.sweep() == (half, lake.root / "readings" / "b2.parquet")
    assert lake.sweep() == ()
    assert con.execute(f"select site from ({lake.source_sql('readings', None)})").fetchall() == [("A",)]


def test_an_empty_relation_makes_no_part(lake: Lake, add: Add) -> None:
    assert add("b1").parts == {}
    assert list((lake.root / "readings").iterdir()) == []


def test_a_lost_part_and_a_damaged_batch_are_errors(lake: Lake, add: Add) -> None:
    batch = add("b1", ("A", MONDAY))
    (lake.root / batch.parts["readings"].path).unlink()
    with pytest.raises(TsqError, match="has lost"):
        lake.source_sql("readings", None)
    path = lake.root / "_batches" / "b1.json"
    body = json.loads(path.read_text(encoding="utf-8"))
    del body["files"]
    path.write_text(json.dumps(body), encoding="utf-8")
    with pytest.raises(TsqError, match="not a batch"):
        lake.batches()


def test_a_lake_as_it_was_loaded_by_a_time(lake: Lake, add: Add, con: duckdb.DuckDBPyConnection) -> None:
    tuesday = MONDAY + timedelta(days=1)
    add("b1", ("north", MONDAY))
    add("b2", ("south", MONDAY), ("east", tuesday), loaded_at=LOADED + timedelta(days=1), bad=True)
    before = replace(lake, loaded_by=LOADED)
    assert [batch.batch_id for batch in before.batches()] == ["b1"]
    assert con.execute(f"select site from ({before.source_sql('readings', None)})").fetchall() == [("north",)]
    assert con.execute(f"select count(*) from ({before.quarantine_sql()})").fetchone() == (0,)
    assert before.newest_known_at() == MONDAY
    assert before.source_hash("readings", None) != lake.source_hash("readings", None)
    assert replace(lake, loaded_by=LOADED + timedelta(days=1)).batches() == lake.batches()
    assert replace(lake, loaded_by=LOADED - timedelta(days=1)).batches() == ()

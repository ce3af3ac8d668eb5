"""Whatever the order and the batches in which files are loaded, the same rows are visible."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from tsq.engine.lake import Lake, load_datasets
from tsq.errors import TsqError
from tsq.ingest.batch import ingest

DATASETS = load_datasets(Path(__file__).parents[2] / "sql" / "raw")
NOW = datetime(2026, 1, 5, tzinfo=UTC)
LEGACY = "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,"
PANEL = "symbol,date,open,high,low,close,volume"


def legacy_line(symbol: str, day: int, price: int) -> str:
    return f"{symbol},EQ,{price},{price},{price},{price},{price},{price},10,{10 * price},{day:02d}-JAN-2020,"


def panel_line(symbol: str, day: int, price: int) -> str:
    return f"{symbol},2020-01-{day:02d},{price},{price},{price},{price},10"


# Few symbols, days and prices, so that keys repeat; a price of zero is a bad row.
lines = st.lists(
    st.tuples(st.sampled_from(["AA", "BB", "CC"]), st.integers(1, 3), st.integers(0, 3)), min_size=1, max_size=6
)
bodies = st.one_of(
    lines.map(lambda rows: "\n".join([LEGACY, *(legacy_line(*row) for row in rows)])),
    lines.map(lambda rows: "\n".join([PANEL, *(panel_line(*row) for row in rows)]) + "\n"),
)


def visible(folder: Path, batches: list[list[str]]) -> list[tuple[object, ...]]:
    lake = Lake(folder / "lake", DATASETS)
    for number, batch in enumerate(batches):
        paths = []
        for place, body in enumerate(batch):
            paths.append(folder / f"{number}_{place}.csv")
            paths[-1].write_text(body, encoding="utf-8")
        try:
            report = ingest(paths, lake, now=NOW + timedelta(hours=number))
        except TsqError:
            continue
        for file in report.files:
            assert file.rows_in == file.rows_kept + file.rows_quarantined + file.rows_duplicate
    with duckdb.connect() as con:
        query = f"select * exclude (loaded_at, batch_id, file) from ({lake.source_sql('prices', None)}) order by all"
        return con.execute(query).fetchall()


@settings(max_examples=15, deadline=None)
@given(files=st.lists(bodies, min_size=1, max_size=5), data=st.data())
def test_order_and_batches_do_not_matter(files: list[str], data: st.DataObject) -> None:
    order = data.draw(st.permutations(files))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(order)), max_size=3)))
    batches = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True) if a < b]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        together = visible(Path(one), [files])
        assert visible(Path(other), batches) == together
        # Loading all of it again adds nothing.
        assert visible(Path(other), [order]) == together

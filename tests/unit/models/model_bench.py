"""A bench for models: a few raw rows in, the rendered SQL of chosen models run over them, rows out."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import polars as pl

from tsq.engine.compile import Compiled

PROVENANCE = {
    "format": "VARCHAR",
    "source_rank": "INTEGER",
    "known_at": "TIMESTAMPTZ",
    "loaded_at": "TIMESTAMPTZ",
    "batch_id": "VARCHAR",
    "file": "VARCHAR",
    "is_withdrawn": "BOOLEAN",
}
Row = Mapping[str, Any]


def weekdays(first: str, count: int, closed: Sequence[str] = ()) -> list[dt.date]:
    """`count` weekdays from a date on, without the closed ones."""
    days: list[dt.date] = []
    day = dt.date.fromisoformat(first)
    while len(days) < count:
        if day.weekday() < 5 and day.isoformat() not in closed:
            days.append(day)
        day += dt.timedelta(days=1)
    return days


def price(date: dt.date | str, symbol: str, close: float, **more: Any) -> dict[str, Any]:
    """One raw price row with plain values where the test says nothing."""
    day = dt.date.fromisoformat(date) if isinstance(date, str) else date
    known_at = dt.datetime.combine(day, dt.time(13), dt.UTC)
    plain = {
        "date": day,
        "symbol": symbol,
        "series": "EQ",
        "close": close,
        "volume": 1000,
        "turnover_inr": 5e7,
        "turnover_exact": True,
        "known_at": known_at,
    }
    return plain | more


@dataclasses.dataclass(frozen=True)
class Bench:
    """An in-memory database with empty raw and config tables, and the compiled models of the project."""

    con: duckdb.DuckDBPyConnection
    compiled: Mapping[str, Compiled]

    def put(self, dataset: str, rows: Sequence[Row]) -> None:
        """Add rows to `raw.<dataset>`; what a row does not say is null."""
        defaults = {
            "format": "test",
            "source_rank": 10,
            "known_at": dt.datetime(1900, 1, 1, tzinfo=dt.UTC),
            "loaded_at": dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
            "batch_id": "b1",
            "file": "f1",
        }
        if not rows:
            return
        frame = pl.DataFrame([defaults | dict(row) for row in rows], infer_schema_length=None)
        self.con.register("frame", frame.to_arrow())
        self.con.execute(f"insert into raw.{dataset} by name select * from frame")
        self.con.unregister("frame")

    def run(self, *wanted: str) -> None:
        """Run models, and first what they read that was not run yet."""
        for name in wanted:
            compiled = self.compiled[name]
            schema, table = name.split(".")
            for read in compiled.reads:
                if read in self.compiled and not self._has(read):
                    self.run(read)
            self.con.execute(f"create schema if not exists {schema}")
            self.con.execute(f"create or replace table {schema}.{table} as {compiled.sql}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query answers."""
        return self.con.execute(query).fetchall()

    def broken_rules(self, name: str) -> list[str]:
        """Names of the blocking checks of a table that do not hold."""
        broken = []
        for rule in self.compiled[name].rules:
            query = f"select * from {name} where ({rule.sql}) is not true" if rule.kind == "rows" else rule.sql
            if rule.level == "block" and self.con.execute(query).fetchall():
                broken.append(rule.name)
        return broken

    def _has(self, name: str) -> bool:
        schema, table = name.split(".")
        query = "select 1 from information_schema.tables where table_catalog = 'memory' and table_schema = ? and table_name = ?"
        return bool(self.con.execute(query, [schema, table]).fetchall())

"""The small demo market as it became known: a lake to which the rows of each span of time are added as they come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tests.e2e.conftest import copy_project
from tsq.engine.datasets import load_datasets
from tsq.engine.lake import FileRecord, Lake, timestamp_sql
from tsq.engine.manifest import Manifest

INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30))
NOTHING: Mapping[str, str] = {}
START = dt.datetime(1800, 1, 1, tzinfo=dt.UTC)
# Books of several sizes: whichever way a name moves in rank, one of them sees it.
BOOKS = "".join(
    f"n{n:02d}: {{blend: core, top_n: {n}, rebalance: ME, name_cap: 0.5, sector_cap: 1.0, capital_inr: 10000000, "
    "benchmark: DEMO 100}\n"
    for n in range(2, 22, 2)
)


def evening(day: str) -> dt.datetime:
    """When the decisions of a day are made."""
    return dt.datetime.fromisoformat(f"{day}T20:00:00").replace(tzinfo=INDIA)


@dataclass(frozen=True)
class Growing:
    """A project whose real lake grows.

    Attributes:
        project: its folder.
        whole: the lake that holds everything, with the time at which each row was known.
    """

    project: Path
    whole: Lake

    @property
    def lake(self) -> Lake:
        """The lake that grows."""
        return Lake(self.project / "warehouse" / "raw", self.whole.datasets)

    def add(self, since: dt.datetime, until: dt.datetime, withheld: Mapping[str, str] = NOTHING) -> None:
        """Load what became known after `since` and by `until`, at `until`.

        Args:
            since: what was known by then is there.
            until: time of loading.
            withheld: dataset → SQL condition of rows that do not come.
        """
        with duckdb.connect() as con:
            con.execute("set TimeZone = 'UTC'")
            rows = {}
            for name in self.whole.datasets:
                con.execute(f"create table {name} as {self._rows(name, since, until, withheld.get(name, 'false'))}")
                rows[name] = name
            self.lake.write(
                con,
                batch_id=f"{until.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}-00000000",
                loaded_at=until,
                files=(FileRecord("demo", "0" * 64, None, None),),
                rows=rows,
                quarantine=None,
            )

    def _rows(self, name: str, since: dt.datetime, until: dt.datetime, withheld: str) -> str:
        source = f"(select * exclude (loaded_at, batch_id) from ({self.whole.source_sql(name, None)}))"
        first, last = timestamp_sql(since), timestamp_sql(until)
        span = f"known_at > {first} and known_at <= {last}"
        if name == "index_members":
            # a list names the end of a membership once it is announced: then the row comes again, known from then on
            ended = "timezone('Asia/Kolkata', exit_announced_on::timestamp)"
            opened = f"select * replace (null as valid_to, null as exit_announced_on) from {source}"
            closed = f"select * replace ({ended} as known_at) from {source} where {ended} is not null"
            return f"select * from ({opened} union all {closed}) where {span}"
        return f"select * from {source} where {span} and ({withheld}) is not true"


def grow(demo_project: Path, to: Path) -> Growing:
    """A project with an empty lake, and books of several sizes, beside the demo market that was made elsewhere."""
    project = copy_project(to)
    (project / "config" / "portfolios.yml").write_text(BOOKS, encoding="utf-8")
    return Growing(project, Lake(demo_project / "warehouse" / "demo" / "raw", load_datasets(project / "sql" / "raw")))


def contents(manifest: Manifest) -> dict[str, str]:
    """Hash of the rows of every table."""
    return {model.name: model.content for model in manifest.models}

"""Build the graph aside, several times on one connection, each time from other rows of the same lake.

No promise is enforced, nothing is sealed or hashed: what counts is which rows each model makes of what it is shown.
The rows of the lake are read once; what a build sees of them is a query over that copy.
"""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tsq.engine import macros, making, sources, warehouse
from tsq.engine.datasets import Dataset
from tsq.engine.graph import Graph, reach
from tsq.engine.lake import Lake, quote, quote_name, timestamp_sql
from tsq.engine.warehouse import Connection, Machine
from tsq.errors import TsqError

WHOLE = "whole build"
MOMENT = "TIMESTAMP WITH TIME ZONE"
ENDLESS = "timestamptz '9999-12-31 00:00:00+00'"
_LAKE = "lake copy"
# Builds of lakes up to this many rows are held in memory, which spares their compression; larger ones on disk.
_ROWS_IN_MEMORY = 1_500_000


@dataclass(frozen=True)
class Sample:
    """What was kept of a dataset that is too large to be built from several times.

    Attributes:
        column: one in so many of its values was kept, with all of its rows.
    """

    dataset: str
    column: str
    one_in: int
    rows: int
    rows_before: int


@dataclass(frozen=True)
class Made:
    """What a build aside holds: the models that were built, and why others could not be.

    Attributes:
        failed: model → its error; what reads it is in neither.
    """

    database: str
    built: tuple[str, ...]
    failed: Mapping[str, TsqError]


@dataclass(frozen=True)
class Aside:
    """A connection with a copy of the lake, on which graphs are built under names of their own.

    Attributes:
        folder: where builds that are too large for memory are written.
        rows: of the largest dataset.
    """

    con: Connection
    graph: Graph
    names: tuple[str, ...]
    folder: Path
    samples: tuple[Sample, ...]
    rows: int

    def datasets(self) -> dict[str, Dataset]:
        """The datasets of the lake that some model here reads."""
        return {name: self.graph.catalog.raw[name] for name in _raw(self.graph, self.names)}

    def rows_of(self, dataset: str) -> str:
        """All rows of a dataset, as a table."""
        return f"{quote_name(_LAKE)}.main.{quote_name(dataset)}"

    def stand(self, database: str) -> None:
        """Let names of models mean the tables of one build."""
        self.con.execute(f"use {quote_name(database)}")

    def attach(self, database: str) -> None:
        """Make room for a build."""
        if self.rows <= _ROWS_IN_MEMORY:
            self.con.execute(f"attach ':memory:' as {quote_name(database)}")
            return
        file = quote((self.folder / f"{database}.duckdb").as_posix())
        self.con.execute(
            f"attach {file} as {quote_name(database)} (storage_version {quote(warehouse.STORAGE_VERSION)})"
        )

    def show(self, seen: Mapping[str, str]) -> None:
        """Give models `raw.*`: a query for each dataset."""
        for dataset, query in seen.items():
            self.con.execute(f"create or replace view raw.main.{quote_name(dataset)} as {query}")

    def lay(self, word: str, queries: Mapping[str, str]) -> dict[str, str]:
        """Lay rows of datasets down once, under a word; gives a query of them for each dataset."""
        found = {}
        for dataset, query in queries.items():
            table = f"{quote_name(_LAKE)}.main.{quote_name(f'{dataset} {word}')}"
            self.con.execute(f"create table {table} as {query}")
            found[dataset] = f"select * from {table}"
        return found

    def known_by(self, moment: dt.datetime | None) -> dict[str, str]:
        """What a build sees of each dataset that may know what was known by then."""
        rule = f" where known_at <= {timestamp_sql(moment)}" if moment else ""
        return {name: f"select * from {self.rows_of(name)}{rule}" for name in self.datasets()}

    def build(
        self,
        database: str,
        names: Iterable[str],
        instead: Mapping[str, str] | None = None,
        until: dt.datetime | None = None,
    ) -> Made:
        """Make models in running order from what `show` gave them.

        Args:
            database: the name of the build; room is made for it.
            names: models, with all they read that is not given instead.
            instead: table → a query that takes the place of its model.
            until: rows that tables say were known later are gone before anything reads them.
        """
        self.attach(database)
        self.stand(database)
        for layer in (*self.graph.catalog.layers, "ops"):
            self.con.execute(f"create schema if not exists {quote_name(layer)}")
        macros.prepare(self.con, self.graph.catalog.evening)
        for table, query in (instead or {}).items():
            self.con.execute(f"create view {table} as {query}")
        built: list[str] = []
        failed: dict[str, TsqError] = {}
        wanted = set(names)
        for name in self.graph.nodes:
            node = self.graph.nodes[name]
            if name not in wanted or (instead and name in instead):
                continue
            if failed and not reach([name], self.graph.parents).isdisjoint(failed):
                continue
            try:
                making.make(self.con, node)
                if until:
                    self._forget_later(name, until)
            except TsqError as error:
                failed[name] = error
            else:
                built.append(name)
        return Made(database, tuple(built), failed)

    def _forget_later(self, name: str, until: dt.datetime) -> None:
        """Take back what a table says of times after a moment: a source may tell ahead what was announced later."""
        kinds = {row[0]: row[1] for row in self.con.execute(f"describe {name}").fetchall()}
        is_versioned = kinds.get("known_from") == kinds.get("known_to") == MOMENT
        column = "known_from" if is_versioned else "known_at"
        if kinds.get(column) != MOMENT or self.graph.nodes[name].model.header.kind == "view":
            return
        moment = timestamp_sql(until)
        ends = f", max(known_to) filter (known_to < {ENDLESS})" if is_versioned else ""
        latest = self.con.execute(f"select greatest(max({column}){ends}) > {moment} from {name}").fetchone()
        if not latest or not latest[0]:
            return
        self.con.execute(f"delete from {name} where {column} > {moment}")
        if is_versioned:
            self.con.execute(
                f"update {name} set known_to = {ENDLESS} where known_to > {moment} and known_to < {ENDLESS}"
            )

    def forget(self, database: str) -> None:
        """Drop a build that was compared."""
        self.con.execute("use memory")
        self.con.execute(f"detach {quote_name(database)}")
        (self.folder / f"{database}.duckdb").unlink(missing_ok=True)


@contextmanager
def aside(
    graph: Graph,
    names: Sequence[str],
    lake: Lake,
    as_of: dt.datetime | None,
    machine: Machine,
    *,
    whole: Path | None,
    most_rows: int,
) -> Iterator[Aside]:
    """Open a folder and a connection for builds aside; both are gone at the end.

    Args:
        graph: the project's graph.
        names: models that will be built.
        lake: the data.
        as_of: rows known later do not exist.
        machine: what of this machine to use.
        whole: a published build of these models and this data, which is then the whole; it is only read.
        most_rows: of a dataset with more rows only a share of its names is kept; 0 keeps all. Not with `whole`.
    """
    cache = graph.catalog.project.cache
    cache.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="audit-", dir=cache))
    con = warehouse.connect()
    try:
        con.execute("set preserve_insertion_order = false")
        con.execute(f"set temp_directory = {quote((folder / 'spill').as_posix())}")
        if machine.threads:
            con.execute(f"set threads = {int(machine.threads)}")
        if machine.memory_limit:
            con.execute(f"set memory_limit = {quote(machine.memory_limit)}")
        con.execute("attach ':memory:' as raw; attach ':memory:' as config")
        con.execute(f"attach {quote((folder / 'lake.duckdb').as_posix())} as {quote_name(_LAKE)}")
        if whole:
            con.execute(f"attach {quote(whole.resolve().as_posix())} as {quote_name(WHOLE)} (read_only)")
        folders = ", ".join(quote(f"{path.resolve().as_posix()}/") for path in (folder, lake.root))
        con.execute(f"set allowed_directories = [{folders}]")
        warehouse.lock_down(con)
        for name in sorted({read for model in names for read in graph.sources[model] if read.startswith("config.")}):
            sources.attach_config(con, graph.catalog, name.partition(".")[2])
        copies = [
            _copy(con, graph.catalog.raw[name], lake.source_sql(name, as_of), most_rows) for name in _raw(graph, names)
        ]
        samples = tuple(copy for copy in copies if copy.one_in > 1)
        most = max((copy.rows for copy in copies), default=0)
        yield Aside(con, graph, tuple(names), folder, samples, most)
    finally:
        con.close()
        shutil.rmtree(folder, ignore_errors=True)


def rows_seen(graph: Graph, names: Iterable[str], lake: Lake) -> dict[str, int]:
    """How many rows the lake holds of each dataset that models read."""
    counts = dict.fromkeys(_raw(graph, names), 0)
    for batch in lake.batches():
        for name, part in batch.parts.items():
            if name in counts:
                counts[name] += part.rows
    return counts


def _raw(graph: Graph, names: Iterable[str]) -> list[str]:
    read = {source for name in names for source in graph.sources[name]}
    return sorted(source.partition(".")[2] for source in read if source.startswith("raw."))


def _copy(con: Connection, dataset: Dataset, query: str, most_rows: int) -> Sample:
    """Lay the rows of a dataset down; all of them, or those of a share of its names."""
    table = f"{quote_name(_LAKE)}.main.{quote_name(dataset.name)}"
    column = next((name for name in dataset.key if dataset.column(name).type == "VARCHAR"), "")
    (rows,) = con.execute(f"select count(*) from ({query})").fetchone() or (0,)
    one_in = -(-rows // most_rows) if most_rows and column and rows else 1
    share = f" where hash({quote_name(column)}) % {one_in} = 0" if one_in > 1 else ""
    con.execute(f"create table {table} as select * from ({query}){share}")
    (kept,) = con.execute(f"select count(*) from {table}").fetchone() or (0,)
    return Sample(dataset.name, column, one_in, kept, rows)

"""What the documentation site says of tables that no model makes: datasets, settings, and the record of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tsq.engine.datasets import Dataset
from tsq.engine.graph import Graph
from tsq.engine.lake import LAKE_COLUMNS, Batch
from tsq.engine.manifest import Manifest
from tsq.engine.ops_tables import TABLES
from tsq.report.docs_parts import Check, Column, Entry, Loads, first_sentence

LAKE_DOCS = {
    "format": "format the file was recognised as",
    "source_rank": "rank of the format: between sources of equal knowledge the lower one wins",
    "known_at": "when the market could have known the row",
    "loaded_at": "when the row was loaded",
    "batch_id": "load that brought the row",
    "file": "file the row stood in",
    "is_withdrawn": "true where the row takes back what was said of its key",
}
NEWEST_FILES = 8


def dataset(
    graph: Graph,
    name: str,
    schema: Dataset,
    readers: Mapping[str, list[str]],
    batches: Iterable[Batch],
    manifest: Manifest | None,
) -> Entry:
    """Describe `raw.<name>`: its schema, what the lake adds to every row, and the files that were loaded."""
    found = [(batch, file) for batch in batches for file in batch.files if file.dataset == name]
    loads = Loads(
        files=len(found),
        kept=sum(file.rows_kept for _, file in found),
        quarantined=sum(file.rows_quarantined for _, file in found),
        first_date=min((file.first_date for _, file in found if file.first_date), default=None),
        last_date=max((file.last_date for _, file in found if file.last_date), default=None),
        known_at=max((file.known_at for _, file in found if file.known_at), default=None),
        newest=tuple(
            (file.file, file.sha256, file.rows_kept, batch.loaded_at) for batch, file in found[-NEWEST_FILES:]
        ),
    )
    lake = tuple(Column(column, kind, "", LAKE_DOCS[column]) for column, kind in LAKE_COLUMNS.items())
    entry = _schema(graph, f"raw.{name}", schema, readers)
    return replace(
        entry, kind="dataset", columns=(*entry.columns, *lake), loads=loads, checks=_freshness(schema, manifest)
    )


def _freshness(schema: Dataset, manifest: Manifest | None) -> tuple[Check, ...]:
    """How old a dataset may be, and whether it was older when the build was made."""
    found = manifest.checks if manifest else ()
    failed = {check.level: check.failed for check in found if check.model == f"raw.{schema.name}"}
    limits = vars(schema.freshness) if schema.freshness else {}
    return tuple(
        Check(f"known in the last {days} days", "", level, failed.get(level))
        for level in ("warn", "block")
        if (days := limits.get(f"{level}_after_days"))
    )


def settings(graph: Graph, name: str, schema: Dataset, readers: Mapping[str, list[str]]) -> Entry:
    """Describe `config.<name>`, with the file that holds its values."""
    entry = _schema(graph, f"config.{name}", schema, readers)
    facts = (("Values", schema.file.as_posix()),) if schema.file else ()
    return replace(entry, kind="settings", facts=(*entry.facts, *facts))


def _schema(graph: Graph, name: str, schema: Dataset, readers: Mapping[str, list[str]]) -> Entry:
    columns = []
    for column in schema.columns:
        one_of = f"one of {', '.join(map(str, column.one_of))}" if column.one_of else ""
        default = f"default {column.default}" if column.default is not None else ""
        needed = "required" if column.required else ""
        doc = "; ".join(part for part in (column.doc, one_of, column.range_text, default, needed) if part)
        columns.append(Column(column.name, column.type, column.unit or "", doc))
    return Entry(
        name,
        name.partition(".")[0],
        "",
        first_sentence(schema.doc),
        schema.doc,
        file=schema.path.relative_to(graph.catalog.project.root).as_posix(),
        grain=schema.key,
        facts=(("Session", schema.date),) if schema.date else (),
        columns=tuple(columns),
        readers=tuple(readers.get(name, ())),
    )


def records() -> tuple[Entry, ...]:
    """Describe the tables `ops.*`."""
    return tuple(
        Entry(
            f"ops.{name}",
            "ops",
            "record",
            first_sentence(table.doc),
            table.doc,
            columns=tuple(Column(column, kind, "", table.docs[column]) for column, kind in table.columns.items()),
        )
        for name, table in TABLES.items()
    )

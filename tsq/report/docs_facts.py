"""What the documentation site says of a project, taken from its graph, its schemas and its published build."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tsq.engine import checks, ops
from tsq.engine.compile import Compiled
from tsq.engine.datasets import Dataset
from tsq.engine.graph import Graph
from tsq.engine.lake import LAKE_COLUMNS, QUARANTINE_COLUMNS, Batch
from tsq.engine.manifest import BuiltModel, Manifest

LAKE_DOCS = {
    "format": "format the file was recognised as",
    "source_rank": "rank of the format: between sources of equal knowledge the lower one wins",
    "known_at": "when the market could have known the row",
    "loaded_at": "when the row was loaded",
    "batch_id": "load that brought the row",
    "file": "file the row stood in",
}
NEWEST_FILES = 8

Types = Mapping[str, Mapping[str, str]]
Lineage = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Column:
    """A column: its type and unit (empty when nothing is said), what it is, and the columns it is made of."""

    name: str
    type: str
    unit: str
    doc: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """A promise: its name, its SQL where the name does not say it, and the rows that broke it (None: never run)."""

    name: str
    sql: str
    level: str
    failed: int | None


@dataclass(frozen=True)
class Built:
    """A table in the published build; `changed`: its model says something else by now."""

    rows: int
    seconds: float
    content: str
    run_id: str
    changed: bool


@dataclass(frozen=True)
class Loads:
    """The files that filled a dataset, newest last: how many, their rows, and the newest of them."""

    files: int
    kept: int
    quarantined: int
    first_date: object
    last_date: object
    known_at: object
    newest: tuple[tuple[str, str, int, object], ...]


@dataclass(frozen=True)
class Entry:
    """One table as the site shows it.

    Attributes:
        layer: a layer of models, or raw, config, ops.
        kind: how it comes to be, in a word or a few.
        summary: the first sentence of its prose.
        grain: columns that tell its rows apart.
        known: SQL expression of the session at whose evening a row can be known; empty when nothing is said.
        facts: other things its header says, as (label, text).
        references: column → the column in which its values stand.
        knobs: knobs it uses, with their values.
        reads: tables it reads; `readers`: tables that read it.
        source: what its author wrote; `sql`: what runs, empty where that is the same.
    """

    name: str
    layer: str
    kind: str
    summary: str
    prose: str
    file: str = ""
    grain: tuple[str, ...] = ()
    known: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    checks: tuple[Check, ...] = ()
    references: tuple[tuple[str, str], ...] = ()
    knobs: tuple[tuple[str, str], ...] = ()
    reads: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    language: str = ""
    source: str = ""
    sql: str = ""
    built: Built | None = None
    loads: Loads | None = None

    @property
    def failed(self) -> tuple[Check, ...]:
        """Promises that rows of the published build break."""
        return tuple(check for check in self.checks if check.failed)


@dataclass(frozen=True)
class Layer:
    """A layer, what it promises in words, and its tables in the order in which they run."""

    name: str
    doc: str
    entries: tuple[Entry, ...]


def layers_of(
    graph: Graph, manifest: Manifest | None, batches: Iterable[Batch], types: Types, lineage: Lineage
) -> tuple[Layer, ...]:
    """Describe every table: raw and config first, then the layers in order, then what a run says of itself.

    Args:
        graph: the project's graph.
        manifest: of the published build; None when nothing was published.
        batches: loads of the lake.
        types: table → column → type, of every column a table has; tables it does not know show what they promise.
        lineage: `layer.table.column` → the columns it is made of.
    """
    batches = tuple(batches)
    catalog = graph.catalog
    readers: dict[str, list[str]] = {}
    for name, node in graph.nodes.items():
        for read in node.reads:
            readers.setdefault(read, []).append(name)
    raw = tuple(_dataset(graph, name, found, readers, batches) for name, found in catalog.raw.items())
    config = tuple(_settings(graph, name, found, readers) for name, found in catalog.config.items())
    models = [
        Layer(
            layer.name,
            layer.header.doc,
            tuple(
                _model(graph, node, manifest, readers, types.get(node.name, {}), lineage)
                for node in graph.nodes.values()
                if node.model.layer == layer.name
            ),
        )
        for layer in catalog.layers.values()
    ]
    return (
        Layer("raw", "The market's data as files gave it, loaded with `tsq ingest` and never changed.", raw),
        Layer("config", "Tables of settings: files of `config/` that people edit.", config),
        *(layer for layer in models if layer.entries),
        Layer("ops", "What a run says of itself, written at its end. Models do not read it.", _records()),
    )


def _model(
    graph: Graph,
    node: Compiled,
    manifest: Manifest | None,
    readers: Mapping[str, list[str]],
    types: Mapping[str, str],
    lineage: Lineage,
) -> Entry:
    model, header = node.model, node.model.header
    built = {one.name: one for one in manifest.models}.get(node.name) if manifest else None
    template = model.body.strip()
    rendered = _tidy(node.sql)
    facts = {"Session": header.date or "", "Stored sorted by": ", ".join(header.order)}
    facts |= {str(key).replace("_", " ").capitalize(): str(value) for key, value in header.meta.items()}
    return Entry(
        node.name,
        model.layer,
        _kind(node),
        _first_sentence(model.prose),
        model.prose,
        file=model.path.relative_to(graph.catalog.project.root).as_posix(),
        grain=header.grain,
        known=header.knowable or "",
        facts=tuple((label, text) for label, text in facts.items() if text),
        tags=header.tags,
        columns=_columns(node, types, lineage),
        checks=_checks(node, manifest),
        references=tuple(header.references.items()),
        knobs=tuple((knob, knob_text(value)) for knob, value in node.knobs.items()),
        reads=node.reads,
        readers=tuple(readers.get(node.name, ())),
        language=model.language,
        source=template,
        sql=rendered if rendered != _tidy(template) else "",
        built=_built(node, built) if built else None,
    )


def _kind(node: Compiled) -> str:
    header = node.model.header
    if header.kind == "incremental":
        return f"incremental, looks back {header.look_back} sessions" if header.look_back else "incremental"
    return "Python" if node.model.language == "python" else header.kind


def _built(node: Compiled, built: BuiltModel) -> Built:
    return Built(built.rows, built.seconds, built.content, built.run_id, built.own_hash != node.own_hash)


def _columns(node: Compiled, types: Mapping[str, str], lineage: Lineage) -> tuple[Column, ...]:
    """Columns in the table's own order where that is known, with what its header says of them."""
    promised = node.model.header.columns
    found = []
    for name in dict.fromkeys([*types, *promised]):
        said = promised.get(name)
        kind = types.get(name) or (said and said.type) or ""
        sources = lineage.get(f"{node.name}.{name}", ())
        found.append(Column(name, kind, (said and said.unit) or "", (said and said.doc) or "", sources))
    return tuple(found)


def _checks(node: Compiled, manifest: Manifest | None) -> tuple[Check, ...]:
    failed = {check.name: check.failed for check in manifest.checks if check.model == node.name} if manifest else {}
    written = {rule.name: rule.sql for rule in node.rules}
    return tuple(
        Check(
            probe.name,
            "" if " ".join(written.get(probe.name, "").split()) in ("", probe.name) else _tidy(written[probe.name]),
            probe.level,
            failed.get(probe.name),
        )
        for probe in checks.probes(node)
    )


def _dataset(
    graph: Graph, name: str, dataset: Dataset, readers: Mapping[str, list[str]], batches: Iterable[Batch]
) -> Entry:
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
    entry = _schema(graph, f"raw.{name}", dataset, readers)
    return Entry(**{**vars(entry), "kind": "dataset", "columns": (*entry.columns, *lake), "loads": loads})


def _settings(graph: Graph, name: str, dataset: Dataset, readers: Mapping[str, list[str]]) -> Entry:
    entry = _schema(graph, f"config.{name}", dataset, readers)
    facts = (("Values", dataset.file.as_posix()),) if dataset.file else ()
    return Entry(**{**vars(entry), "kind": "settings", "facts": facts})


def _schema(graph: Graph, name: str, dataset: Dataset, readers: Mapping[str, list[str]]) -> Entry:
    columns = []
    for column in dataset.columns:
        one_of = f"one of {', '.join(map(str, column.one_of))}" if column.one_of else ""
        default = f"default {column.default}" if column.default is not None else ""
        needed = "required" if column.required else ""
        doc = "; ".join(part for part in (column.doc, one_of, default, needed) if part)
        columns.append(Column(column.name, column.type, column.unit or "", doc))
    return Entry(
        name,
        name.partition(".")[0],
        "",
        _first_sentence(dataset.doc),
        dataset.doc,
        file=dataset.path.relative_to(graph.catalog.project.root).as_posix(),
        grain=dataset.key,
        columns=tuple(columns),
        readers=tuple(readers.get(name, ())),
    )


def _records() -> tuple[Entry, ...]:
    tables = {**ops.TABLES, "quarantine": ops.Table("One row is a line that was refused, and why.", QUARANTINE_COLUMNS)}
    return tuple(
        Entry(
            f"ops.{name}",
            "ops",
            "record",
            _first_sentence(table.doc),
            table.doc,
            columns=tuple(Column(column, kind, "", "") for column, kind in table.columns.items()),
        )
        for name, table in tables.items()
    )


def knob_text(value: object) -> str:
    """A knob's value as `config/run.yml` would write it."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(knob_text, value))}]"
    return (
        {True: "true", False: "false", None: "null"}[value]
        if value is None or value is True or value is False
        else str(value)
    )


def _first_sentence(text: str) -> str:
    """The first sentence of a text, as one line."""
    line = " ".join(text.split())
    match = re.search(r"(?<=[^.\s]{2})\.(?=\s|$)", line)
    return line[: match.end()] if match else line


def _tidy(sql: str) -> str:
    """SQL without the empty lines that tags of a template leave behind."""
    return re.sub(r"\n\s*\n(\s*\n)*", "\n", sql).strip()

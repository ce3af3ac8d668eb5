"""What the documentation site says of a project, taken from its graph, its schemas and its published build."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tsq.engine import checks
from tsq.engine.compile import Compiled
from tsq.engine.graph import Graph
from tsq.engine.lake import Batch
from tsq.engine.manifest import BuiltModel, Manifest
from tsq.report import docs_datasets
from tsq.report.docs_parts import Built, Check, Column, Entry, Layer, first_sentence

Types = Mapping[str, Mapping[str, str]]
Lineage = Mapping[str, tuple[str, ...]]


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
    raw = tuple(
        docs_datasets.dataset(graph, name, found, readers, batches, manifest) for name, found in catalog.raw.items()
    )
    config = tuple(docs_datasets.settings(graph, name, found, readers) for name, found in catalog.config.items())
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
        Layer("ops", "What a run says of itself, written at its end. Models do not read it.", docs_datasets.records()),
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
    facts = {
        "Session": header.date or "",
        "Interval": ", ".join(header.interval),
        "Stored sorted by": ", ".join(header.order),
    }
    facts |= {str(key).replace("_", " ").capitalize(): str(value) for key, value in header.meta.items()}
    return Entry(
        node.name,
        model.layer,
        _kind(node),
        first_sentence(model.prose),
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


def knob_text(value: object) -> str:
    """A knob's value as `config/run.yml` would write it."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(knob_text, value))}]"
    return (
        {True: "true", False: "false", None: "null"}[value]
        if value is None or value is True or value is False
        else str(value)
    )


def _tidy(sql: str) -> str:
    """SQL without the empty lines that tags of a template leave behind."""
    return re.sub(r"\n\s*\n(\s*\n)*", "\n", sql).strip()

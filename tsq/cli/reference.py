"""The pages of `docs/reference/`, written from what the project says of itself: commands, knobs, headers, schemas.

`python -m tsq.cli.reference` writes them; a test of the house fails when one is stale. No warehouse is needed: columns
come from headers and schemas alone.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import typer

from tsq import config
from tsq.cli import command_list, error_list, markdown, workspace
from tsq.cli.main import app
from tsq.engine.compile import Compiled
from tsq.engine.datasets import Dataset
from tsq.engine.graph import Graph
from tsq.engine.header import Check
from tsq.engine.lake import LAKE_COLUMNS
from tsq.engine.ops_tables import TABLES, Table
from tsq.report.docs_datasets import LAKE_DOCS


def pages(root: Path) -> dict[str, str]:
    """Write every page as text.

    Args:
        root: the project folder.

    Returns:
        File name below `docs/reference/` → Markdown.

    Raises:
        TsqError: the first mistake in the project.
    """
    graph = workspace.load_graph(root)
    catalog = graph.catalog
    return {
        "cli.md": cli_page(),
        "errors.md": errors_page(),
        "knobs.md": knobs_page(graph),
        "tables.md": tables_page(graph),
        "datasets.md": datasets_page(catalog.raw, graph),
        "config_tables.md": config_tables_page(catalog.config, graph),
    }


def write(root: Path) -> tuple[Path, ...]:
    """Write the pages whose text changed; returns their files."""
    folder = root / "docs" / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, text in pages(root).items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            changed.append(path)
    return tuple(changed)


def cli_page() -> str:
    """The command line: every command with its arguments and options."""
    group = typer.main.get_command(app)
    parts = [
        markdown.head("Commands", "the command line itself"),
        "Results go to stdout, everything else to stderr. Every command works from any folder of a project.\n",
        _exit_codes(),
    ]
    for command in command_list.commands(group):
        parts.append(f"## tsq {command.name}\n\n{command.doc}\n\n    {command.usage}\n")
        rows = ((f"`{option.name}`", option.doc, option.default) for option in command.options)
        parts.append(markdown.table(("argument or option", "meaning", "default"), rows))
    return "\n".join(parts)


def errors_page() -> str:
    """Every error tsq can say, by what its reader was doing."""
    parts = [
        markdown.head("Errors", "the source of tsq"),
        "An error is three lines on stderr: what happened; `in:` the file and line you wrote; `hint:` what to do "
        "next.\n⟨name⟩ stands for a value, words in [brackets] come only where they apply. "
        "Anything else that ends in a traceback is a bug.\n",
        _exit_codes(),
    ]
    for title, said in error_list.grouped().items():
        rows = (
            (error.what, error.where, error.hint, "" if error.exit_code is None else str(error.exit_code))
            for error in said
        )
        parts.append(f"## {title}\n\n{markdown.table(('what it says', 'in', 'hint', 'exit'), rows)}")
    return "\n".join(parts)


def knobs_page(graph: Graph) -> str:
    """Knobs: what each does, its value and the models that use it."""
    project = graph.catalog.project
    users: dict[str, list[str]] = {name: [] for name in project.knobs}
    for node in graph.nodes.values():
        for knob in node.knobs:
            users[knob].append(node.name)
    parts = [
        markdown.head("Knobs", "the comments of `config/run.yml`"),
        "`tsq run --set knob=value` overrides a knob for one run, a file of `config/profiles/` several at once.\n"
        "Only the models that use a knob are rebuilt when it changes.\n",
    ]
    for section, names in config.knob_comments(project).items():
        rows = (
            (
                f"`{name}`",
                f"`{_knob(project.knobs[name])}`",
                doc,
                ", ".join(map(markdown.link, users[name])) or "none yet",
            )
            for name, doc in names.items()
        )
        parts.append(
            f"## {section[:1].upper()}{section[1:]}\n\n{markdown.table(('knob', 'value', 'meaning', 'used by'), rows)}"
        )
    return "\n".join(parts)


def tables_page(graph: Graph) -> str:
    """Every table of the warehouse, layer by layer in the order they are built."""
    layers = graph.catalog.layers.values()
    parts = [
        markdown.head("Tables", "the headers of the models"),
        "Layers in order; a table reads its own layer and those before it. `tsq show TABLE` says the same and more.\n",
    ]
    nodes = {layer.name: [node for node in graph.nodes.values() if node.model.layer == layer.name] for layer in layers}
    parts += [
        f"- {layer}: {', '.join(markdown.link(node.name) for node in found)}" for layer, found in nodes.items() if found
    ]
    for layer in layers:
        if nodes[layer.name]:
            parts.append(f"\n## Layer {layer.name}\n\n{markdown.prose(layer.header.doc)}")
            parts += [_model(node, graph) for node in nodes[layer.name]]
    parts.append("\n## Layer ops\n\nWhat a run says of itself, written at its end. Models do not read it.\n")
    parts += [_record(name, table) for name, table in TABLES.items()]
    return "\n".join(parts)


def datasets_page(datasets: Mapping[str, Dataset], graph: Graph) -> str:
    """Datasets of the raw lake, read by models as `raw.<name>`."""
    readers = " and ".join(sorted(graph.catalog.raw_readers))
    lake = ((f"`{name}`", kind, "", LAKE_DOCS[name]) for name, kind in LAKE_COLUMNS.items())
    parts = [
        markdown.head("Datasets", "the schemas in `sql/raw/`"),
        f"Only the layers {readers} read them. After its own columns each has:\n",
        markdown.table(("column", "type", "unit", "meaning"), lake),
    ]
    return "\n".join([*parts, *(_dataset(f"raw.{name}", dataset, graph) for name, dataset in datasets.items())])


def config_tables_page(datasets: Mapping[str, Dataset], graph: Graph) -> str:
    """Tables of settings, read by models as `config.<name>`."""
    parts = [
        markdown.head("Tables of settings", "the schemas in `sql/config/`"),
        "Each is a file of `config/`: a CSV with a header, or YAML in which each name is a row.\n",
    ]
    return "\n".join([*parts, *(_dataset(f"config.{name}", dataset, graph) for name, dataset in datasets.items())])


def main() -> None:
    """Write the pages of the project around the current folder."""
    root = workspace.load_graph(None).catalog.project.root
    for path in write(root):
        sys.stdout.write(f"{path.relative_to(root).as_posix()}\n")


def _exit_codes() -> str:
    return markdown.table(("exit code", "meaning"), ((str(code), said) for code, said in error_list.EXIT_CODES.items()))


def _model(node: Compiled, graph: Graph) -> str:
    model, header = node.model, node.model.header
    file = model.path.relative_to(graph.catalog.project.root).as_posix()
    facts = {
        "file": f"[{file}](../../{file})",
        "one row": ", ".join(f"`{column}`" for column in header.grain),
        "knowable": f"`{header.knowable}`" if header.knowable else "",
        "meta": ", ".join(f"{key} {value}" for key, value in header.meta.items()),
        "knobs": ", ".join(f"`{knob}`" for knob in node.knobs),
        "reads": ", ".join(map(markdown.link, node.reads)),
        "read by": ", ".join(map(markdown.link, graph.children[node.name])),
        "kind": _kind(node),
        "session": f"`{header.date}`" if header.date else "",
        "references": ", ".join(f"`{column}` → {_target(to)}" for column, to in header.references.items()),
        "tags": ", ".join(f"`{tag}`" for tag in header.tags),
    }
    rows = (
        (f"`{name}`", column.type or "", column.unit or "", column.doc or "") for name, column in header.columns.items()
    )
    parts = [
        f"\n### {node.name}\n",
        markdown.prose(model.prose),
        *(f"- {name}: {value}" for name, value in facts.items() if value),
    ]
    if header.columns:
        parts.append("\n" + markdown.table(("column", "type", "unit", "meaning"), rows))
    if header.checks:
        parts.append("Checks, beside the grain:\n")
        parts += [_check(check) for check in header.checks]
    return "\n".join(parts)


def _kind(node: Compiled) -> str:
    header = node.model.header
    if header.kind == "incremental":
        return f"incremental, looking back {header.look_back} sessions"
    return "Python" if node.model.language == "python" else header.kind if header.kind != "table" else ""


def _target(reference: str) -> str:
    table, _, column = reference.rpartition(".")
    return f"{markdown.link(table)} `{column}`"


def _record(name: str, table: Table) -> str:
    rows = ((f"`{column}`", kind, table.docs[column]) for column, kind in table.columns.items())
    return f"### ops.{name}\n\n{markdown.prose(table.doc)}\n{markdown.table(('column', 'type', 'meaning'), rows)}"


def _check(check: Check) -> str:
    name = f"{check.name}: " if check.name else ""
    said = "every row has" if check.rows else "there are no rows of"
    warns = " (warns)" if check.level == "warn" else ""
    return f"- {name}{said} `{' '.join((check.rows or check.query or '').split())}`{warns}"


def _dataset(name: str, dataset: Dataset, graph: Graph) -> str:
    readers = [model for model, sources in graph.sources.items() if name in sources]
    facts = {
        "key": ", ".join(f"`{column}`" for column in dataset.key),
        "session": f"`{dataset.date}`" if dataset.date else "",
        "file": f"[{dataset.file.as_posix()}](../../{dataset.file.as_posix()})" if dataset.file else "",
        "read by": ", ".join(map(markdown.link, readers)),
    }
    rows = []
    for column in dataset.columns:
        one_of = f"one of {', '.join(map(str, column.one_of))}" if column.one_of else ""
        default = f"default {column.default}" if column.default is not None else ""
        needed = "required" if column.required else ""
        doc = "; ".join(part for part in (column.doc, one_of, default, needed) if part)
        rows.append((f"`{column.name}`", column.type, column.unit or "", doc))
    lines = [f"- {key}: {value}" for key, value in facts.items() if value]
    table = markdown.table(("column", "type", "unit", "meaning"), rows)
    return "\n".join([f"\n## {name}\n", markdown.prose(dataset.doc), *lines, "", table])


def _knob(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


if __name__ == "__main__":
    main()

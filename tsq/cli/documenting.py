"""`tsq docs`: gather what a project says of itself and write it as one page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from tsq import config
from tsq.cli import command_list, error_list, workspace
from tsq.config import Project
from tsq.engine import builds
from tsq.engine.graph import Graph


def docs(*, root: Path | None, out: Path | None, group: Any, as_json: bool) -> None:
    """Write the documentation site and say where it is.

    Args:
        root: the project folder; None looks upwards from here.
        out: folder of the site; None is `reports/out/docs` of the project.
        group: the command line itself, whose commands are listed.
        as_json: print one JSON document instead of the path.
    """
    from tsq.report import docs_site

    graph = workspace.load_graph(root)
    project = graph.catalog.project
    facts = gather(graph, group)
    path = docs_site.write(facts, out if out is not None else project.reports / "out" / "docs")
    if as_json:
        entries = facts.entries.values()
        counts = {"tables": len(entries), "columns": sum(len(entry.columns) for entry in entries)}
        typer.echo(json.dumps({"file": str(path), "bytes": path.stat().st_size, **counts}))
        return
    typer.echo(workspace.shown(path.resolve(), project))


def gather(graph: Graph, group: Any) -> Any:
    """All that the site shows of a project (a `tsq.report.docs_site.Facts`)."""
    from tsq.engine import bind
    from tsq.report import docs_facts
    from tsq.report.docs_site import Facts, Section

    project = graph.catalog.project
    manifest = builds.trusted_manifest(project.pointer)
    types = bind.columns(graph, project.cache / "bound.json")
    batches = workspace.market(graph).lake.batches()
    return Facts(
        title=project.root.name,
        layers=docs_facts.layers_of(graph, manifest, batches, types, _sources(graph)),
        manifest=manifest,
        knobs=_knobs(graph),
        queries=_queries(project),
        commands=command_list.commands(group),
        errors=tuple(Section(title, tuple(said)) for title, said in error_list.grouped().items()),
        exit_codes=error_list.EXIT_CODES,
    )


def _sources(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Column → the columns its value is computed from; where there are none, those that choose it."""
    from tsq.engine import lineage

    project = graph.catalog.project
    found = lineage.read(graph, project.cache / "lineage.json")
    sources = {}
    for (table, column), edges in found.up.items():
        values = [edge for edge in edges if edge.kind in (lineage.VALUE, lineage.PYTHON)]
        chosen = values or [edge for edge in edges if edge.kind == lineage.CHOICE]
        if column != lineage.ROWS and chosen:
            names = (f"{edge.from_table}.{edge.from_column}" for edge in chosen)
            sources[f"{table}.{column}"] = tuple(dict.fromkeys(names))
    return sources


def _knobs(graph: Graph) -> tuple[Any, ...]:
    from tsq.report.docs_facts import knob_text
    from tsq.report.docs_site import Knob, Section

    project = graph.catalog.project
    users: dict[str, list[str]] = {name: [] for name in project.knobs}
    for node in graph.nodes.values():
        for knob in node.knobs:
            users[knob].append(node.name)
    return tuple(
        Section(
            title[:1].upper() + title[1:],
            tuple(
                Knob(name, knob_text(project.knobs[name]), project.origins[name], doc, tuple(users[name]))
                for name, doc in names.items()
            ),
        )
        for title, names in config.knob_comments(project).items()
    )


def _queries(project: Project) -> tuple[Any, ...]:
    from tsq.report.docs_site import Query

    found = []
    for path in sorted((project.sql / "queries").glob("*.sql")):
        sql = path.read_text(encoding="utf-8").strip()
        said = [line[2:].strip() for line in sql.splitlines() if line.startswith("--")]
        found.append(Query(path.stem, " ".join(said), sql))
    return tuple(found)

"""`tsq ls`, `show`, `query` and `export`: look at the graph and at what was published."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import typer

from tsq import config
from tsq.cli import workspace
from tsq.config import Project
from tsq.engine import builds
from tsq.engine import graph as graphs
from tsq.engine.compile import Compiled
from tsq.engine.graph import Graph
from tsq.errors import TsqError, did_you_mean

# A pipe or a file has no edge; a terminal shows what fits and says how much there is.
WIDEST = 10_000
MOST_ROWS = 60
_NAME = re.compile(r"[a-z_0-9]+(\.[a-z_0-9]+)?")


def list_models(*, root: Path | None, models: list[str], exclude: list[str], as_json: bool) -> None:
    """Print models in running order."""
    graph = workspace.load_graph(root)
    manifest = builds.trusted_manifest(graph.catalog.project.pointer)
    built = {model.name: model for model in manifest.models} if manifest else {}
    rows = []
    for name in graphs.select(graph, models, exclude=exclude):
        node = graph.nodes[name]
        done = built.get(name)
        rows.append(
            {
                "name": name,
                "kind": "python" if node.model.language == "python" else node.model.header.kind,
                "rows": done.rows if done else None,
                "seconds": done.seconds if done else None,
                "reads": list(node.reads),
            }
        )
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        count = f"{row['rows']:,}" if row["rows"] is not None else "-"
        seconds = f"{row['seconds']:.2f} s" if row["seconds"] is not None else ""
        typer.echo(f"{row['name']:<34} {row['kind']:<7} {count:>12} {seconds:>9}")


def show(*, root: Path | None, name: str, only_sql: bool, as_json: bool) -> None:
    """Print one model."""
    graph = workspace.load_graph(root)
    node = _one(graph, name)
    if only_sql:
        typer.echo(_tidy(node.sql) if node.sql else node.model.body)
        return
    header = node.model.header
    facts: dict[str, Any] = {
        "name": node.name,
        "file": workspace.shown(node.model.path, graph.catalog.project),
        "kind": header.kind,
        "grain": list(header.grain),
        "knowable": header.knowable,
        "reads": list(node.reads),
        "read_by": list(graph.children[node.name]),
        "knobs": dict(node.knobs),
        "columns": {
            column: {key: said for key, said in vars(promised).items() if said is not None}
            for column, promised in header.columns.items()
        },
        "checks": [{"name": rule.name, "level": rule.level, rule.kind: rule.sql} for rule in node.rules],
        "prose": node.model.prose,
        "sql": node.sql,
    }
    if as_json:
        typer.echo(json.dumps(facts, default=str, ensure_ascii=False))
        return
    typer.echo(f"{node.name}   {facts['file']}\n\n{node.model.prose}\n")
    for label in ("kind", "grain", "knowable", "reads", "read_by", "knobs"):
        value = facts[label]
        text = (
            ", ".join(f"{k}={v}" for k, v in value.items())
            if isinstance(value, dict)
            else ", ".join(value)
            if isinstance(value, list)
            else value
        )
        typer.echo(f"{label.replace('_', ' '):<9} {text or '-'}")
    for column, promised in header.columns.items():
        unit = f" [{promised.unit}]" if promised.unit else ""
        typer.echo(f"  {column:<22} {promised.type or '':<12}{promised.doc or ''}{unit}")
    for rule in node.rules:
        typer.echo(f"check     {rule.level:<6}{rule.name}")


def query(*, root: Path | None, text: str, output: str, build: str | None = None) -> None:
    """Print the rows of a query against the published warehouse, or another build."""
    from tsq.engine import warehouse

    project = config.load(root)
    _one_of(output, ("table", "csv", "json"))
    sql = _query_text(project, text)
    con = warehouse.open_readonly(builds.resolve(project.pointer, build) if build else project.pointer)
    relation = _ask(con, sql, text)
    if output == "table":
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDEST
        relation.show(max_width=width, max_rows=MOST_ROWS)
    elif output == "csv":
        typer.echo(relation.pl().write_csv(), nl=False)
    else:
        typer.echo(json.dumps(relation.pl().to_dicts(), default=str, ensure_ascii=False))


def export(*, root: Path | None, text: str, output: str, to: Path | None, build: str | None = None) -> None:
    """Write the rows of a table or query to a file, whole or not at all."""
    from tsq.engine import warehouse

    project = config.load(root)
    _one_of(output, ("csv", "parquet", "json"))
    name = text if _NAME.fullmatch(text) else "query"
    target = to or project.reports / "out" / f"{name}.{output}"
    sql = f"select * from {text}" if "." in name else _query_text(project, text)
    con = warehouse.open_readonly(builds.resolve(project.pointer, build) if build else project.pointer)
    frame = _ask(con, sql, text).pl()
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}.tmp")
    if output == "csv":
        frame.write_csv(scratch)
    elif output == "parquet":
        frame.write_parquet(scratch)
    else:
        scratch.write_text(json.dumps(frame.to_dicts(), default=str, ensure_ascii=False), encoding="utf-8")
    scratch.replace(target)
    typer.echo(f"{workspace.shown(target.resolve(), project)}   {frame.height:,} rows")


def _one(graph: Graph, name: str) -> Compiled:
    found = [node for node in graph.nodes.values() if name in (node.name, node.model.table)]
    if len(found) == 1:
        return found[0]
    if found:
        raise TsqError(f"{name} could be {' or '.join(node.name for node in found)}", hint="write layer.table")
    names = [*graph.nodes, *(node.model.table for node in graph.nodes.values())]
    raise TsqError(f"no model is called {name}", hint=did_you_mean(name, names))


def _query_text(project: Project, text: str) -> str:
    folder = project.sql / "queries"
    if not _NAME.fullmatch(text):
        return text
    path = folder / f"{text}.sql"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    if "." in text:
        return f"select * from {text}"
    raise TsqError(
        f"no saved query is called {text}",
        where=folder,
        hint=did_you_mean(text, [file.stem for file in folder.glob("*.sql")]),
    )


def _ask(con: Any, sql: str, text: str) -> Any:
    from tsq.engine.warehouse import DatabaseError

    try:
        relation = con.sql(sql)
    except DatabaseError as error:
        said = str(error).split("\n\n")[0].splitlines()
        raise TsqError(
            said[0], where=f"query: {text[:80]}", hint=" ".join(said[1:]) or "see the tables with `tsq ls`", exit_code=1
        ) from None
    if relation is None:
        raise TsqError("a question is one SELECT", where=f"query: {text[:80]}", hint="the warehouse is read-only")
    return relation


def _one_of(value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise TsqError(f"unknown format {value}", hint=did_you_mean(value, known))


def _tidy(sql: str) -> str:
    return re.sub(r"\n\s*\n(\s*\n)*", "\n", sql).strip()

"""The same graph as a dbt-duckdb and as a SQLMesh project, written from tsq's compiled models.

Every promise of a model becomes one test of the peer: the very query with which tsq would show the rows that break it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import yaml

from tsq.engine.checks import probes
from tsq.engine.compile import Compiled
from tsq.engine.graph import Graph


def write_dbt(graph: Graph, files: dict[str, Path], root: Path) -> None:
    """Write a dbt-duckdb project; every model a table, as in a tsq build."""
    for folder in ("models", "tests"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    _yaml(
        root / "dbt_project.yml",
        {
            "name": "bench",
            "version": "1.0",
            "profile": "bench",
            "model-paths": ["models"],
            "test-paths": ["tests"],
            "models": {"bench": {"+materialized": "table"}},
            "flags": {"send_anonymous_usage_stats": False},
        },
    )
    output = {"type": "duckdb", "path": str(root / "bench.duckdb"), "schema": "core", "threads": 2}
    _yaml(root / "profiles.yml", {"bench": {"target": "dev", "outputs": {"dev": output}}})
    place = _places(graph, files, lambda name: "{{ ref('" + _flat(name) + "') }}")
    for name, node in graph.nodes.items():
        (root / "models" / f"{_flat(name)}.sql").write_text(_replace(node.sql, place), encoding="utf-8")
        for number, sql in enumerate(_tests(node)):
            (root / "tests" / f"{_flat(name)}_{number}.sql").write_text(_replace(sql, place), encoding="utf-8")


def write_sqlmesh(graph: Graph, files: dict[str, Path], root: Path) -> None:
    """Write a SQLMesh project; every model FULL, every promise a blocking audit."""
    for folder in ("models", "audits", "macros"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    connection = {"type": "duckdb", "database": str(root / "bench.duckdb"), "concurrent_tasks": 1}
    categories = dict.fromkeys(("sql", "external", "python", "seed"), "full")
    _yaml(
        root / "config.yaml",
        {
            "gateways": {"local": {"connection": connection}},
            "default_gateway": "local",
            "model_defaults": {"dialect": "duckdb", "start": "2016-01-01"},
            "disable_anonymized_analytics": True,
            "plan": {"auto_categorize_changes": categories},
        },
    )
    place = _places(graph, files, lambda name: f"core.{_flat(name)}")
    for name, node in graph.nodes.items():
        audits = []
        for number, sql in enumerate(_tests(node)):
            audits.append(f"{_flat(name)}_{number}")
            text = _replace(sql, {**place, name: "@this_model"})
            (root / "audits" / f"{audits[-1]}.sql").write_text(
                f"AUDIT (name {audits[-1]});\n{text}\n", encoding="utf-8"
            )
        said = f",\n  audits ({', '.join(audits)})" if audits else ""
        head = f"MODEL (\n  name core.{_flat(name)},\n  kind FULL{said}\n);\n\n"
        (root / "models" / f"{_flat(name)}.sql").write_text(head + _replace(node.sql, place), encoding="utf-8")


def _places(graph: Graph, files: dict[str, Path], table: Callable[[str], str]) -> dict[str, str]:
    sources = {f"raw.{name}": f"read_parquet('{path.resolve().as_posix()}')" for name, path in files.items()}
    return {name: table(name) for name in graph.nodes} | sources


def _replace(sql: str, place: dict[str, str]) -> str:
    names = "|".join(re.escape(name) for name in sorted(place, key=len, reverse=True))
    return re.sub(rf"(?<=from )(?:{names})\b|(?<=join )(?:{names})\b", lambda found: place[found.group()], sql)


def _tests(node: Compiled) -> list[str]:
    return [probe.rows for probe in probes(node)]


def _flat(name: str) -> str:
    return name.replace(".", "__")


def _yaml(path: Path, value: object) -> None:
    path.write_text(yaml.safe_dump(value, sort_keys=False), encoding="utf-8")

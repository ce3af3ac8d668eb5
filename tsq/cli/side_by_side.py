"""`tsq compare`: portfolios side by side, on one universe, in a build aside."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer

from tsq import config
from tsq.cli import running, variants, workspace
from tsq.cli.grid import grid
from tsq.cli.variants import COST, Axis, Tables, Variant
from tsq.config import Project
from tsq.engine import builds
from tsq.engine import manifest as manifests
from tsq.engine.graph import Graph
from tsq.engine.manifest import Manifest
from tsq.report import format as formats

# everything that is told of portfolios; what else is out of date stays out of the build
MODELS = "kpis/"
# settings by portfolio that a variant takes from the portfolio it is made of
TAKEN = ("discretionary", "capacity_exceptions")
BASES = ("gross", "net", "after_tax")
RISK = (
    ("volatility_ann", "volatility", "percent.2"),
    ("sharpe", "Sharpe", "number.2"),
    ("sortino", "Sortino", "number.2"),
    ("calmar", "Calmar", "number.2"),
    ("omega", "Omega", "number.2"),
    ("profit_factor", "profit factor", "number.2"),
    ("max_drawdown", "max drawdown", "percent.2"),
)
TRADED = (
    ("turnover_ann", "turnover", "times.2"),
    ("cost_drag_ann", "cost drag", "percent.2"),
    ("tax_drag_ann", "tax drag", "percent.2"),
)


@dataclass(frozen=True)
class Question:
    """What to compare.

    Attributes:
        words: portfolios and optimisers.
        options: option → its column of config.portfolios (or COST) and the values given.
        settings: `column=value` texts of `--with`.
        on: the portfolio optimisers are applied to.
        file: more portfolios.
    """

    words: tuple[str, ...]
    options: Mapping[str, tuple[str, tuple[str, ...]]]
    settings: tuple[str, ...]
    on: str | None
    file: Path | None


def compare(
    *,
    root: Path | None,
    sets: list[str],
    profile: str | None,
    question: Question,
    as_of: str | None,
    name: str,
    work: running.Work,
    as_json: bool,
) -> None:
    """Build the portfolios asked for aside, print them side by side and write what is compared to files.

    Raises:
        TsqError: a word or a value that means nothing, or what a run raises.
    """
    from tsq.engine import warehouse
    from tsq.report import side_by_side

    clock = time.perf_counter()
    builds.check_name(name)
    project = config.load(root, sets=sets, profile=profile)
    asked, graph = substituted(project, question)
    ended = running.bring_up(graph, running.Wish([MODELS], [], as_of, False, name), work)
    varied = {variant.name: variant.varied for variant in asked}
    with warehouse.open_readonly(ended.path) as con:
        found = side_by_side.read(con, varied)
    files = side_by_side.write(found, project.reports / "out")
    manifest = manifests.read(ended.path.with_suffix(".json"))
    seconds = time.perf_counter() - clock
    rows = found.figures.to_dicts()
    if as_json:
        typer.echo(json.dumps(_answer(asked, rows, manifest, name, files, seconds), default=str, ensure_ascii=False))
        return
    for line in lines(rows):
        typer.echo(line)
    typer.echo("")
    typer.echo(f"build  {name} ({manifest.run_id}): `tsq query … --build {name}` asks for more")
    typer.echo(f"files  {workspace.shown(files[0].parent, project)}/: {', '.join(_names(files))}; .csv and .parquet")
    workspace.say(f"done in {seconds:.1f} s")


def _names(files: tuple[Path, ...]) -> list[str]:
    return sorted({path.stem for path in files})


def substituted(project: Project, question: Question) -> tuple[tuple[Variant, ...], Graph]:
    """The portfolios asked for, and the project's graph with them in the place of its own."""
    graph = workspace.graph_of(project)
    settings = graph.catalog.config
    taken = tuple(settings[name] for name in TAKEN if name in settings)
    tables = Tables(settings["portfolios"], settings["execution"], project.root, taken)
    axes: list[Axis] = [
        variants.axis(tables, option, column, texts) for option, (column, texts) in question.options.items() if texts
    ]
    axes += variants.assignments(tables, question.settings)
    asked = variants.choose(tables, question.words, axes, on=question.on, file=question.file)
    instead = variants.substitutes(tables, asked)
    return asked, workspace.graph_of(replace(project, substitutes=instead))


def lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The figures as text: a line a portfolio, and a line for each thing they are measured against."""
    there = [row for row in rows if row["base_date"] is not None]
    silent = [row["portfolio"] for row in rows if row["base_date"] is None]
    if there:
        first, last = (formats.write(there[0][end], "date") for end in ("base_date", "last_date"))
        basis = "after_tax" if any(row["volatility_ann_after_tax"] is not None for row in there) else "net"
        yield f"{first} to {last}: CAGR before costs, after costs and after taxes; risk {basis.replace('_', ' ')}"
        yield ""
        heads = ["", "gross", "net", "after tax", *(title for _, title, _ in (*RISK, *TRADED)), "capacity"]
        told = [_line(row, basis) for row in there]
        benchmarks = dict.fromkeys(map(_benchmark, there))
        yield from grid([heads, *told, *benchmarks], right=range(1, len(heads)))
    if silent:
        yield f"no decision, so no figures: {', '.join(silent)}"


def _line(row: Mapping[str, Any], basis: str) -> tuple[str, ...]:
    return (
        str(row["portfolio"]),
        *(formats.write(row[f"cagr_{side}"], "percent.2") for side in BASES),
        *(formats.write(row[f"{kpi}_{basis}"], spec) for kpi, _, spec in RISK),
        *(formats.write(row[kpi], spec) for kpi, _, spec in TRADED),
        _capacity(row),
    )


def _capacity(row: Mapping[str, Any]) -> str:
    return "beyond" if row["is_beyond_grid"] else formats.write(row["capacity_inr"], "inr.1")


def _benchmark(row: Mapping[str, Any]) -> tuple[str, ...]:
    held = {kpi: row.get(f"{kpi}_benchmark") for kpi, _, _ in RISK}
    return (
        "benchmark",
        formats.write(row["cagr_benchmark"], "percent.2"),
        "",
        "",
        *("" if held[kpi] is None else formats.write(held[kpi], spec) for kpi, _, spec in RISK),
        *("" for _ in TRADED),
        "",
    )


def _answer(
    asked: tuple[Variant, ...],
    rows: list[dict[str, Any]],
    manifest: Manifest,
    name: str,
    files: tuple[Path, ...],
    seconds: float,
) -> dict[str, Any]:
    made = [model for model in manifest.models if model.run_id == manifest.run_id]
    return {
        "build": name,
        "run_id": manifest.run_id,
        "market": manifest.market,
        "as_of": manifest.as_of,
        "seconds": seconds,
        "tables": {"built": len(made), "shared": len(manifest.models) - len(made)},
        "portfolios": [
            {"portfolio": variant.name, "settings": _settings(variant), "figures": _figures(variant, row)}
            for variant, row in zip(asked, rows, strict=True)
        ],
        "files": [str(path) for path in files],
    }


def _settings(variant: Variant) -> dict[str, Any]:
    cost = {} if variant.cost_bps is None else {COST: variant.cost_bps}
    return {**variant.settings, **cost}


def _figures(variant: Variant, row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "portfolio" and key not in variant.varied}

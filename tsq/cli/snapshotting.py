"""`tsq snapshot`, and what a project's own pytest needs of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import typer

from tsq.cli import workspace
from tsq.engine.graph import Graph, select
from tsq.errors import FAILED

SNAPSHOTS = Path("tests", "snapshots")
# When the demo market behind snapshots counts as loaded: after its last session, and the same for everybody.
LOADED_AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Finding:
    """What became of one snapshot: `lines` say what differs, `text` is what it should be now."""

    model: str
    state: Literal["same", "differs", "missing", "unused"]
    file: Path
    lines: tuple[str, ...] = ()
    text: str = ""


def snapshot(*, root: Path | None, selection: list[str], update: bool, as_json: bool) -> None:
    """Compare snapshots of the selected models, or write those that differ; exits 1 when one differs and stays."""
    clock = time.perf_counter()
    graph = workspace.load_graph(root)
    project = graph.catalog.project
    findings = compare(graph, selection)
    off = [finding for finding in findings if finding.state != "same"]
    for finding in off if update else ():
        if finding.state == "unused":
            finding.file.unlink()
        else:
            finding.file.parent.mkdir(parents=True, exist_ok=True)
            finding.file.write_text(finding.text, encoding="utf-8", newline="\n")
    seconds = time.perf_counter() - clock
    if as_json:
        listed = [
            {"model": f.model, "state": f.state, "file": workspace.shown(f.file, project), "lines": list(f.lines)}
            for f in findings
        ]
        typer.echo(json.dumps({"updated": update, "seconds": seconds, "snapshots": listed}, ensure_ascii=False))
    else:
        for finding in off:
            typer.echo(_finding(finding, workspace.shown(finding.file, project), update))
        counts = {state: sum(f.state == state for f in findings) for state in ("same", "differs", "missing", "unused")}
        typer.echo(", ".join(f"{n} {state}" for state, n in counts.items() if n) + f" in {seconds:.1f} s")
        if off and not update:
            typer.echo("if that is what you meant: tsq snapshot --update, and look at the diff of tests/snapshots")
    if off and not update:
        raise typer.Exit(FAILED)


def compare(graph: Graph, selection: Iterable[str] = ("all",)) -> list[Finding]:
    """Build the selected models on the small demo market and compare them with the snapshots there are.

    Returns:
        One finding a selected model, in running order, then the snapshots that are named after no model.
    """
    from tsq.engine import snapshots

    chosen = select(graph, selection)
    folder = graph.catalog.project.root / SNAPSHOTS
    findings = []
    for name, text in _taken(graph, chosen, build_demo(graph, chosen)).items():
        file = folder / f"{name}.csv"
        before = file.read_text(encoding="utf-8") if file.is_file() else None
        if before is None:
            findings.append(Finding(name, "missing", file, (), text))
        elif before == text:
            findings.append(Finding(name, "same", file))
        else:
            lines = snapshots.compare(snapshots.parse(before, file), snapshots.parse(text, file))
            findings.append(Finding(name, "differs", file, tuple(lines or ["the file was edited by hand"]), text))
    unused = [file for file in sorted(folder.glob("*.csv")) if file.stem not in graph.nodes]
    return [*findings, *(Finding(file.stem, "unused", file) for file in unused)]


def _taken(graph: Graph, names: Iterable[str], build: Path) -> dict[str, str]:
    """The text of each table's snapshot; a table whose content was seen before is not read again."""
    from tsq.engine import manifest, memo, snapshots, warehouse

    memory = build.parent.parent / "taken.json"
    known = memo.load(memory)
    code = Path(snapshots.__file__).read_text(encoding="utf-8")
    built = {model.name: model for model in manifest.read(build.with_suffix(".json")).models}
    con = None
    entries: dict[str, Mapping[str, str]] = {}
    texts: dict[str, str] = {}
    for name in names:
        grain = graph.nodes[name].model.header.grain
        key = _hash(code, name, repr(grain), built[name].fingerprint, built[name].content)
        if key not in known:
            con = con or warehouse.open_readonly(build)
            taken = snapshots.take(con, name, grain)
            entries[key] = {"text": snapshots.write(name, taken)}
        else:
            entries[key] = known[key]
        texts[name] = entries[key]["text"]
    if con:
        con.close()
        memo.save(memory, entries if len(entries) == len(graph.nodes) else {**known, **entries})
    return texts


def build_demo(graph: Graph, selection: Iterable[str]) -> Path:
    """Build models on the small demo market, in a cache of its own; the project's warehouse is left alone.

    The market is made once for each state of what makes it; a build carries over what has not changed.

    Returns:
        The build.
    """
    from tsq.engine import builds, runner
    from tsq.engine import plan as plans
    from tsq.engine.locks import locked
    from tsq.engine.plan import Inputs
    from tsq.engine.warehouse import Machine

    cache = graph.catalog.project.cache / "snapshot"
    store = cache / _market_key(graph)
    for other in cache.glob("*"):
        if other != store:
            shutil.rmtree(other, ignore_errors=True)
    project = replace(graph.catalog.project, store=store)
    graph = replace(graph, catalog=replace(graph.catalog, project=project))
    lake = workspace.demo_lake(graph)
    with locked(store, wait=True):
        if not lake.batches():
            _make_market(graph)
        inputs = Inputs(lake, "demo", lake.newest_known_at())
        plan = plans.make(graph, inputs, selection, plans.base_of(project.pointer))
        if not plan.nothing_to_do:
            for _ in runner.run(plan, Machine()):
                pass
    return builds.published(project.pointer) or project.pointer


def _make_market(graph: Graph) -> None:
    from tsq.ingest.batch import ingest
    from tsq.ingest.demo import write_demo

    lake = workspace.demo_lake(graph)
    files = lake.root.parent / "files"
    shutil.rmtree(files, ignore_errors=True)
    ingest(write_demo(files, size="small"), lake, now=LOADED_AT)


def _market_key(graph: Graph) -> str:
    """Hash of all that makes the small demo market: the code that writes and loads it, and the schemas."""
    package = Path(__file__).parent.parent
    code = [*package.glob("ingest/**/*.py"), package / "engine" / "lake.py", package / "engine" / "datasets.py"]
    schemas = [dataset.path for dataset in graph.catalog.raw.values()]
    return _hash(*(path.read_text(encoding="utf-8") for path in (*sorted(code), *schemas)))[:16]


def _hash(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode())
        digest.update(b"\x00")
    return digest.hexdigest()


def _finding(finding: Finding, file: str, update: bool) -> str:
    done = {"differs": "written", "missing": "written, it is new", "unused": "removed: no model has this name"}
    said = {"differs": f"differs from {file}", "missing": f"has no {file}", "unused": f"{file} is unused"}
    head = f"{finding.model}: {done[finding.state]}" if update else f"{finding.model}: {said[finding.state]}"
    return "\n".join([head, *(f"    {line}" for line in finding.lines)])

"""The documentation of a project as one HTML file that needs no network: tables, columns, checks, knobs, SQL, lineage.

The page is whole without its script, which only routes, searches, colours SQL and draws edges. Its security policy
names that script and its style by hash and forbids everything else. All text is escaped; a column may be called
`</script>`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape

from tsq.engine.manifest import Manifest
from tsq.report import docs_graph, files, theme
from tsq.report import format as formats
from tsq.report.docs_graph import Band
from tsq.report.docs_parts import Entry, Layer
from tsq.report.embed import asset, digest, json_text

# Layers of the site that are no part of what a run computes.
APART = ("ops",)
_CODE = re.compile(r"`([^`\n]+)`|\b([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*){1,2})\b")


@dataclass(frozen=True)
class Knob:
    """A knob: its value as text, where that was written, what it does, and the tables that use it."""

    name: str
    value: str
    origin: str
    doc: str
    users: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """A titled list: knobs of one kind, errors of one doing."""

    title: str
    rows: tuple[Any, ...]


@dataclass(frozen=True)
class Query:
    """A saved query: its name, what its first comment says, its SQL."""

    name: str
    doc: str
    sql: str


@dataclass(frozen=True)
class Facts:
    """All that the site shows.

    Attributes:
        title: the project's name.
        layers: tables, layer by layer.
        manifest: of the published build; None when nothing was published.
        knobs: knobs by section.
        queries: saved queries.
        commands: `tsq.cli` commands: objects with name, doc, usage and options (name, doc, default).
        errors: errors by section: objects with what, where, hint and exit_code.
        exit_codes: exit code → meaning.
    """

    title: str
    layers: tuple[Layer, ...]
    manifest: Manifest | None
    knobs: tuple[Section, ...]
    queries: tuple[Query, ...]
    commands: tuple[Any, ...]
    errors: tuple[Section, ...]
    exit_codes: Mapping[int, str]

    @property
    def entries(self) -> dict[str, Entry]:
        """Every table by name."""
        return {entry.name: entry for layer in self.layers for entry in layer.entries}


def write(facts: Facts, out: Path) -> Path:
    """Write the site as `out/index.html`, put in place whole.

    Returns:
        The file, or one beside it when the old one is held open by another program.
    """
    return files.write_text(out / "index.html", html(facts))


def html(facts: Facts) -> str:
    """The site as text: the same facts give the same bytes."""
    entries = facts.entries
    css = asset("page.css") + asset("docs.css") + _tints(facts.layers)
    script = asset("docs.js")
    policy = [
        "default-src 'none'",
        f"script-src {digest(script)}",
        f"style-src {digest(css)}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    environment = _environment()
    targets = _targets(entries)
    environment.filters["prose"] = partial(_prose, targets=targets)
    environment.filters["inline"] = partial(_inline, targets=targets)
    return environment.from_string(asset("docs.html.j2")).render(
        facts=facts,
        entries=entries,
        targets=targets,
        layers=facts.layers,
        tint={layer.name: f"c{number % len(_palette())}" for number, layer in enumerate(facts.layers)},
        bands=_bands(facts.layers),
        totals=_totals(facts),
        manifest=facts.manifest,
        policy="; ".join(policy),
        css=css,
        script=script,
        payload=json_text(_payload(facts)),
        missing=formats.NO_VALUE,
    )


def _bands(layers: Sequence[Layer]) -> tuple[Band, ...]:
    shown = {layer.name: [entry.name for entry in layer.entries] for layer in layers if layer.name not in APART}
    reads = {entry.name: entry.reads for layer in layers for entry in layer.entries}
    return docs_graph.bands({name: names for name, names in shown.items() if names}, reads)


def _totals(facts: Facts) -> dict[str, Any]:
    models = [entry for entry in facts.entries.values() if entry.layer not in ("raw", "config", "ops")]
    columns = [column for entry in models for column in entry.columns]
    checks = [check for entry in models for check in entry.checks]
    return {
        "tables": len(models),
        "layers": len({entry.layer for entry in models}),
        "columns": len(columns),
        "undescribed": sum(not column.doc for column in columns),
        "checks": len(checks),
        "never_run": sum(check.failed is None for check in checks),
        "failed": sum(bool(check.failed) for check in checks),
        "rows": sum(entry.built.rows for entry in models if entry.built),
        "built": sum(entry.built is not None for entry in models),
        "files": sum(entry.loads.files for entry in facts.entries.values() if entry.loads),
        "datasets": sum(entry.loads is not None for entry in facts.entries.values()),
    }


def _payload(facts: Facts) -> dict[str, Any]:
    """What the script works on: things to find, edges of tables, and edges of columns by number."""
    entries = facts.entries.values()
    made = {f"{entry.name}.{column.name}": column.sources for entry in entries for column in entry.columns}
    made = {name: sources for name, sources in made.items() if sources}
    names = sorted({*made, *(source for sources in made.values() for source in sources)})
    number = {name: index for index, name in enumerate(names)}
    return {
        "find": _find(facts),
        "reads": {entry.name: entry.reads for entry in entries if entry.reads},
        "tables": {entry.name: entry.layer for entry in entries},
        "whole": [entry.name for entry in entries if entry.language == "python"],
        "columns": names,
        "made": {number[name]: [number[source] for source in sources] for name, sources in made.items()},
    }


def _find(facts: Facts) -> list[tuple[str, str, str, str]]:
    """Kind, name, words and target of everything the search box knows, the weightiest kinds first."""
    found: list[tuple[str, str, str, str]] = []
    entries = facts.entries.values()
    found += [("table", entry.name, entry.summary, entry.name) for entry in entries]
    found += [("knob", knob.name, knob.doc, f"knob/{knob.name}") for few in facts.knobs for knob in few.rows]
    found += [("command", f"tsq {one.name}", one.doc.strip(), f"command/{one.name}") for one in facts.commands]
    found += [("query", one.name, one.doc, f"query/{one.name}") for one in facts.queries]
    for entry in entries:
        for column in entry.columns:
            name = f"{entry.name}.{column.name}"
            found.append(("column", name, f"{column.doc} [{column.unit}]" if column.unit else column.doc, name))
    for entry in entries:
        for number, check in enumerate(entry.checks):
            found.append(("check", check.name, entry.name, f"{entry.name}!{number}"))
    for number, section in enumerate(facts.errors):
        found += [("error", error.what, error.hint, f"errors/{number}") for error in section.rows]
    return found


def _targets(entries: Mapping[str, Entry]) -> frozenset[str]:
    columns = (f"{entry.name}.{column.name}" for entry in entries.values() for column in entry.columns)
    return frozenset([*entries, *columns])


def _prose(text: str, targets: frozenset[str]) -> Markup:
    """Prose as paragraphs: code in backticks, names of tables and columns as links, a source on a line of its own."""
    paragraphs = re.split(r"\n\s*\n|\n(?=Source)", text.strip())
    return Markup("").join(Markup("<p>{}</p>").format(_inline(part, targets)) for part in paragraphs if part)


def _inline(text: str, targets: frozenset[str]) -> Markup:
    parts: list[Markup] = []
    position = 0
    for match in _CODE.finditer(text):
        parts.append(escape(text[position : match.start()]))
        position = match.end()
        word = match[1] or match[2]
        shown = Markup("<code>{}</code>").format(word) if match[1] else escape(word)
        parts.append(Markup('<a href="{}">{}</a>').format(_link(word), shown) if word in targets else shown)
    return Markup("").join([*parts, escape(text[position:])])


def _link(target: str) -> str:
    """A target of this page as a link to it."""
    return f"#{quote(target, safe='/!')}"


def _palette() -> list[tuple[str, str]]:
    return list(zip(*(theme.THEMES[name]["range"]["category"] for name in ("light", "dark")), strict=True))


def _tints(layers: Sequence[Layer]) -> str:
    """One colour a layer, of the palette of the charts."""
    few = _palette()[: len(layers)]
    return "".join(f".c{n} {{ --tint: light-dark({light}, {dark}); }}\n" for n, (light, dark) in enumerate(few))


def _moment(text: str | None) -> str:
    """A time of the manifest, which writes ISO text, as people here read it."""
    return formats.write(dt.datetime.fromisoformat(text) if text else None, "time")


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["link"] = _link
    environment.filters["write"] = formats.write
    environment.filters["moment"] = _moment
    environment.filters["seconds"] = _seconds
    environment.filters["commas"] = lambda value: f"{value:,}"
    return environment

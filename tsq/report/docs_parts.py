"""What a table is in the documentation site: its columns, promises, files and place in the graph."""

from __future__ import annotations

import re
from dataclasses import dataclass


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


def first_sentence(text: str) -> str:
    """The first sentence of a text, as one line."""
    line = " ".join(text.split())
    match = re.search(r"(?<=[^.\s]{2})\.(?=\s|$)", line)
    return line[: match.end()] if match else line

"""A page's blocks to cards: every query asked once, every figure written, every fault kept beside its block."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from tsq.engine.warehouse import Connection
from tsq.errors import TsqError
from tsq.report import charts, queries, tables
from tsq.report import format as formats
from tsq.report.blocks import Block, Heading, Prose, Reduce, Show
from tsq.report.page import PLACEHOLDER, Page, markdown, slug

Key = tuple[str, Reduce | None]

_WRITES: Mapping[str, Callable[[pl.DataFrame, Mapping[str, Any], formats.Numbers], Any]] = {
    "table": tables.table,
    "tiles": tables.tiles,
    "facts": tables.facts,
}


@dataclass(frozen=True)
class Problem:
    """A block that could not be shown, or a file that could not be put in place.

    Attributes:
        page: the page's name.
        what: what happened.
        where: file and line, or the file.
        hint: what to do next; empty when there is nothing to say.
    """

    page: str
    what: str
    where: str
    hint: str


@dataclass(frozen=True)
class Sheet:
    """One HTML file to be: a page, and the row it is for.

    Attributes:
        page: the page.
        name: the file's name without its ending.
        given: the row of the page's `each` query; empty for a page of its own.
    """

    page: Page
    name: str
    given: Mapping[str, object]

    @property
    def label(self) -> str:
        """The row in words, for the links between sheets of one page."""
        return " · ".join(formats.write(value, "auto") for value in self.given.values())


@dataclass(frozen=True)
class Answers:
    """A sheet's queries, asked: frames of those that worked, problems of those that did not."""

    frames: Mapping[Key, pl.DataFrame]
    problems: Mapping[Key, Problem]


@dataclass(frozen=True)
class Card:
    """One thing on a page, ready for the template.

    Attributes:
        what: heading, prose, chart, table, tiles or facts.
        html: prose, already HTML.
        show: the block it comes from; None for headings and prose.
        slug: anchor of a heading.
        title: text of a heading, or of the card.
        note: the line below the title.
        content: a `tables.Table`, tiles or facts; None for a chart.
        chart: number of the chart on the page; None for anything else.
        problem: what went wrong; None when nothing did.
        is_empty: the query returned no rows.
        sql: the query.
        sources: tables it reads.
    """

    what: str
    html: str = ""
    show: Show | None = None
    slug: str = ""
    title: str = ""
    note: str = ""
    content: Any = None
    chart: int | None = None
    problem: Problem | None = None
    is_empty: bool = False
    sql: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Content:
    """A sheet's title, the line below it, its cards top to bottom, its charts, and what could not be shown."""

    title: str
    subtitle: str
    cards: tuple[Card, ...]
    specs: tuple[charts.Spec, ...]
    problems: tuple[Problem, ...]


def sheets(connection: Connection, page: Page) -> tuple[tuple[Sheet, ...], tuple[Problem, ...]]:
    """Make a sheet of a page, or one for each row of its `each` query; the first keeps the page's own name.

    Returns:
        The sheets, at least one, and the problem of the `each` query if it failed.
    """
    if page.each is None:
        return (Sheet(page, page.name, {}),), ()
    query = page.queries[page.each]
    try:
        rows = list(queries.ask(connection, query, page.file).iter_rows(named=True))
    except TsqError as error:
        return (Sheet(page, page.name, {}),), (problem_of(page, error, query.line),)
    made: list[Sheet] = []
    for row in rows:
        name = "-".join([page.name, *(slug(str(value)) for value in row.values())]) if made else page.name
        taken = sum(sheet.name == name or sheet.name.startswith(f"{name}~") for sheet in made)
        made.append(Sheet(page, f"{name}~{taken + 1}" if taken else name, row))
    # with no row there still is a page, which says what is missing
    return tuple(made) or (Sheet(page, page.name, {}),), ()


def fill(connection: Connection, sheet: Sheet) -> Content:
    """Ask a sheet's queries and make its cards. A query that fails is a problem of its block, not an error."""
    page, answers = sheet.page, _answers(connection, sheet)
    specs: list[charts.Spec] = []
    cards: list[Card] = []
    for block in page.blocks:
        if isinstance(block, Show):
            cards.append(_show(block, page, answers, specs))
        elif isinstance(block, Heading):
            cards.append(Card("heading", title=block.text, slug=block.slug))
        else:
            cards.append(_prose(block, page, answers))
    problems: list[Problem] = []
    title, subtitle = (_filled(text, page, answers, 1, problems) for text in (page.title, page.subtitle))
    problems += [card.problem for card in cards if card.problem is not None]
    return Content(title, subtitle, tuple(cards), tuple(specs), tuple(dict.fromkeys(problems)))


def problem_of(page: Page, error: TsqError, line: int) -> Problem:
    """Turn an error into a problem of a page, at a line of its file unless the error knows better."""
    return Problem(page.name, error.what, error.where or f"{page.file}:{line}", error.hint or "")


def _answers(connection: Connection, sheet: Sheet) -> Answers:
    page = sheet.page
    frames: dict[Key, pl.DataFrame] = {}
    problems: dict[Key, Problem] = {}
    wanted = {
        (name, None) for text in (page.title, page.subtitle) for name, _column, _spec in PLACEHOLDER.findall(text)
    }
    for name, reduce in dict.fromkeys([*sorted(wanted), *(key for block in page.blocks for key in _reads(block))]):
        query = page.queries[name]
        try:
            if name == page.each and sheet.given:
                frames[name, reduce] = pl.DataFrame([sheet.given], infer_schema_length=None)
            else:
                frames[name, reduce] = queries.ask(connection, query, page.file, reduce, sheet.given)
        except TsqError as error:
            problems[name, reduce] = problem_of(page, error, query.line)
    return Answers(frames, problems)


def _reads(block: Block) -> list[Key]:
    if isinstance(block, Show):
        return [(block.data, block.reduce), *_named(block.title), *_named(block.note)]
    return _named(block.text)


def _named(text: str) -> list[Key]:
    return [(name, None) for name, _column, _spec in PLACEHOLDER.findall(text)]


def _show(show: Show, page: Page, answers: Answers, specs: list[charts.Spec]) -> Card:
    key = (show.data, show.reduce)
    query = page.queries[show.data]
    faults: list[Problem] = []
    title, note = (_filled(text, page, answers, show.line, faults) for text in (show.title, show.note))
    card = Card(show.what, show=show, title=title, note=note, sql=query.sql, sources=queries.sources(query))
    if faults:
        return replace(card, problem=faults[0])
    if key in answers.problems:
        return replace(card, problem=answers.problems[key])
    frame = answers.frames[key]
    if not frame.height:
        return replace(card, is_empty=True)
    try:
        if show.what == "chart":
            kind = show.options["kind"]
            specs.append(charts.spec(kind, frame, show.options, show.options["description"], page.numbers))
            return replace(card, chart=len(specs) - 1)
        return replace(card, content=_WRITES[show.what](frame, show.options, page.numbers))
    except TsqError as error:
        return replace(card, problem=problem_of(page, error, show.line))


def _prose(block: Prose, page: Page, answers: Answers) -> Card:
    """Render markdown; a placeholder's value goes in after parsing, so that it is never read as markdown or HTML."""
    problems: list[Problem] = []
    parser = markdown()
    tokens = parser.parse(block.text)
    for token in tokens:
        for child in token.children or ():
            if child.type == "text":
                child.content = _filled(child.content, page, answers, block.line, problems)
    return Card(
        "prose", html=parser.renderer.render(tokens, parser.options, {}), problem=problems[0] if problems else None
    )


def _filled(text: str, page: Page, answers: Answers, line: int, problems: list[Problem]) -> str:
    def value(match: re.Match[str]) -> str:
        key = (match[1], None)
        if key in answers.problems:
            problems.append(answers.problems[key])
            return formats.NO_VALUE
        try:
            return tables.placeholder(answers.frames[key], match[2], match[3] or "", page.numbers)
        except TsqError as error:
            problems.append(problem_of(page, error, line))
            return formats.NO_VALUE

    return PLACEHOLDER.sub(value, text)

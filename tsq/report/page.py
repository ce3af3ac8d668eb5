"""A page: prose, named queries, and what to show of them. It is a text file, and it cannot program.

    ---
    title: Costs
    order: 20
    ---
    ## What trading cost
    Costs took {total.drag:percent.2} of the portfolio a year.

    ```sql total
    select drag from kpis.costs where ...
    ```
    ```chart
    kind: bar
    data: total
    ...
    ```

`{query.column:format}` in prose is a value of a query's first row. With `each: query` in its front matter a page is
made once for each row of that query, whose columns the other queries read as `$column`. A page is checked when it is
read: every name it uses must exist, so that a slip is an error with its line, not a hole in the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tsq import strict_yaml
from tsq.errors import TsqError, did_you_mean
from tsq.report import fields
from tsq.report import format as formats
from tsq.report.blocks import SHOWS, Block, Heading, Prose, Query, Show, read_show
from tsq.report.fields import Field
from tsq.strict_yaml import Document

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)(?::([a-z_]+(?:\.\d)?))?\}")

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_FILE = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_FRONT = {
    "title": Field("text", needed=True),
    "subtitle": Field("text", default=""),
    "order": Field("whole", default=100),
    "each": Field("text"),
    "numbers": Field("choice", default="indian", words=("indian", "international")),
}


@dataclass(frozen=True)
class Page:
    """A page as its author wrote it, checked.

    Attributes:
        name: the file's name without its ending; also the page's name in the site.
        file: the file.
        title: title of the page; may hold placeholders.
        subtitle: a line below it; empty for none; may hold placeholders.
        each: the query of whose rows each gets a page of its own; its columns are parameters (`$name`) of the others;
            None for one page.
        order: place among the pages, lowest first.
        numbers: `indian` or `international` digits.
        queries: name → query.
        blocks: what the page shows, top to bottom.
    """

    name: str
    file: Path
    title: str
    subtitle: str
    order: int
    each: str | None
    numbers: formats.Numbers
    queries: Mapping[str, Query]
    blocks: tuple[Block, ...]


def load_pages(folder: Path) -> tuple[Page, ...]:
    """Read every page of a folder, `index` first, then by order and name.

    Raises:
        TsqError: no pages, or a page with a mistake.
    """
    files = sorted(folder.glob("*.md"))
    if not files:
        raise TsqError(
            "there are no pages to show", where=folder, hint="a page is a file NAME.md with a title, queries and charts"
        )
    pages = [read_page(file) for file in files]
    return tuple(sorted(pages, key=lambda page: (page.name != "index", page.order, page.name)))


def read_page(file: Path) -> Page:
    """Read a page's file.

    Raises:
        TsqError: it is not UTF-8, or has a mistake (see `parse`).
    """
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TsqError(f"{file.name} is not UTF-8 text ({error.reason})", where=file, hint="save it as UTF-8") from None
    return parse(text, file)


def parse(text: str, file: Path) -> Page:
    """Take a page apart and check every name in it.

    Args:
        text: the page.
        file: the file it stands in: names the page, and every error.

    Raises:
        TsqError: no front matter; an unknown block, field, format, chart kind or query; a repeated query.
    """
    if not _FILE.fullmatch(file.stem):
        raise TsqError(
            f"a page cannot be called {file.stem}", where=file, hint="small letters, digits, - and _, a letter first"
        )
    front, body, body_line = _front_matter(text, file)
    head = fields.read(front, _FRONT, "page")
    lines = body.split("\n")
    queries: dict[str, Query] = {}
    blocks: list[Block] = []
    for token, line in _top_level(body, body_line):
        if token.type == "fence":
            _fence(token, line, file, queries, blocks)
        elif token.type == "heading_open" and token.tag == "h2":
            title = lines[(token.map or [0])[0]].strip("# \t\r")
            blocks.append(Heading(title, _anchor(title, blocks), line))
        elif token.map:
            start, end = token.map
            blocks.append(Prose("\n".join(lines[start:end]), line))
    page = Page(
        file.stem,
        file,
        head["title"],
        head["subtitle"],
        head["order"],
        head["each"],
        head["numbers"],
        queries,
        tuple(blocks),
    )
    _check_names(page, front)
    return page


def markdown() -> MarkdownIt:
    """Return the parser of prose: CommonMark without raw HTML and without images."""
    return MarkdownIt("commonmark", {"html": False}).disable(["image", "html_block", "html_inline"])


def _front_matter(text: str, file: Path) -> tuple[Document, str, int]:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    match = re.match(r"---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", text, re.DOTALL | re.MULTILINE)
    if match is None:
        raise TsqError("a page opens with front matter", where=f"{file}:1", hint="first lines: ---, title: …, ---")
    document = strict_yaml.parse(match[1], file, first_line=2)
    return document, text[match.end() :], text[: match.end()].count("\n") + 1


def _top_level(body: str, first_line: int) -> Iterator[tuple[Token, int]]:
    for token in markdown().parse(body):
        if token.level == 0 and token.nesting >= 0 and token.map:
            yield token, first_line + token.map[0]


def _fence(token: Token, line: int, file: Path, queries: dict[str, Query], blocks: list[Block]) -> None:
    where = f"{file}:{line}"
    what, _, name = token.info.strip().partition(" ")
    name = name.strip()
    if what == "sql":
        if not _NAME.fullmatch(name):
            raise TsqError(
                f"a query cannot be called {name!r}", where=where, hint="write ```sql name: small letters, digits and _"
            )
        if name in queries:
            raise TsqError(
                f"the query {name} stands twice", where=where, hint=f"the first is on line {queries[name].line - 1}"
            )
        queries[name] = Query(name, token.content.rstrip().removesuffix(";"), line + 1)
    elif what in SHOWS:
        if name:
            raise TsqError(f"a {what} has no name", where=where, hint=f"write ```{what} alone")
        blocks.append(read_show(what, strict_yaml.parse(token.content, file, first_line=line + 1), line))
    else:
        raise TsqError(
            f"a page has no block {what or 'without a name'}", where=where, hint=did_you_mean(what, ("sql", *SHOWS))
        )


def _check_names(page: Page, front: Document) -> None:
    texts = [(page.title, front.where("title")), (page.subtitle, front.where("subtitle"))]
    wanted = [(page.each, front.where("each"))] if page.each else []
    for block in page.blocks:
        where = f"{page.file}:{block.line}"
        if isinstance(block, Show):
            wanted.append((block.data, where))
            texts += [(block.title, where), (block.note, where)]
        else:
            texts.append((block.text, where))
    for text, where in texts:
        for name, _column, spec in PLACEHOLDER.findall(text):
            wanted.append((name, where))
            if spec and (hint := formats.known(spec)) is not None:
                raise TsqError(f"there is no format {spec}", where=where, hint=hint)
    for name, where in wanted:
        if name not in page.queries:
            raise TsqError(f"there is no query {name}", where=where, hint=did_you_mean(name, page.queries))


def slug(text: str) -> str:
    """Return a text as an anchor or a file name: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "other"


def _anchor(title: str, before: list[Block]) -> str:
    anchor = slug(title)
    same = sum(isinstance(block, Heading) and block.text.lower() == title.lower() for block in before)
    return f"{anchor}-{same + 1}" if same else anchor

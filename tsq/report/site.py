"""Pages and a published warehouse to self-contained HTML: one file a page, no network, no script but its own.

The page's security policy names its two scripts by hash and forbids everything else; Vega runs its expressions by
interpreting them, so nothing is evaluated. All text is escaped; a ticker may be called `</script>`.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2

from tsq.engine.warehouse import Connection, DatabaseError, open_readonly
from tsq.report import bundle, cards, files, queries, theme
from tsq.report import format as formats
from tsq.report.cards import Card, Content, Problem, Sheet
from tsq.report.embed import asset, digest, json_text
from tsq.report.page import Page, load_pages


@dataclass(frozen=True)
class Site:
    """What a build wrote: the files, `index.html` first, and what could not be shown."""

    files: tuple[Path, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Run:
    """The run a report shows: its name, the time it knows up to, and its market (`demo`, `real`)."""

    run_id: str
    as_of: str
    market: str


def make_site(warehouse: Path, pages: Path, out: Path, cache: Path | None = None) -> Site:
    """Render every page of a folder from a published warehouse, and say what could not be shown.

    The same warehouse and pages give the same bytes. Each file is put in place whole.

    Args:
        warehouse: a published `.duckdb` file; only read.
        pages: folder of page files.
        out: folder of the HTML files; made when missing.
        cache: folder that keeps the drawing script; None is the user's cache.

    Raises:
        TsqError: there is no warehouse, or a page has a mistake. A query that fails is a problem of its block, not an
            error.
    """
    with ThreadPoolExecutor(max_workers=1) as worker:
        script = worker.submit(bundle.javascript, cache)
        return _make_site(warehouse, load_pages(pages), out, script)


def _make_site(warehouse: Path, pages: tuple[Page, ...], out: Path, script: Future[str]) -> Site:
    written: list[Path] = []
    problems: list[Problem] = []
    with closing(open_readonly(warehouse)) as connection:
        run = _run(connection)
        sheets: list[Sheet] = []
        for page in pages:
            of_page, faults = cards.sheets(connection, page)
            sheets += of_page
            problems += faults
        for sheet in sheets:
            content = cards.fill(connection, sheet)
            problems += content.problems
            path = out / f"{sheet.name}.html"
            put = files.write_text(path, _html(sheet, content, sheets, run, script))
            written.append(put)
            if put != path:
                what = f"{path.name} is locked by another program; the new report is {put.name}"
                problems.append(Problem(sheet.name, what, str(path), "close the program that shows it"))
    return Site(tuple(written), tuple(dict.fromkeys(problems)))


def _run(connection: Connection) -> Run | None:
    """Read what run made the warehouse; None when it does not say."""
    sql = "select run_id, as_of, market from ops.runs order by finished_at desc nulls last limit 1"
    try:
        frame = queries.tidy(connection.sql(sql).pl())
    except DatabaseError:
        # a warehouse made by hand has no ops.runs; its pages still show
        return None
    if not frame.height:
        return None
    row = frame.row(0, named=True)
    return Run(row["run_id"], formats.write(row["as_of"], "time"), str(row["market"] or ""))


def _html(sheet: Sheet, content: Content, sheets: list[Sheet], run: Run | None, script: Future[str]) -> str:
    page = sheet.page
    scripts = [script.result(), asset("page.js")] if content.specs else [asset("page.js")]
    policy = [
        "default-src 'none'",
        f"script-src {' '.join(digest(text) for text in scripts)}",
        "style-src 'unsafe-inline'",
        "img-src data: blob:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    firsts = {other.page.name: other for other in reversed(sheets)}
    return _template().render(
        title=content.title,
        subtitle=content.subtitle,
        links=[
            (first.page.title.partition("{")[0].strip(), f"{first.name}.html", first.page.name == page.name)
            for first in reversed(firsts.values())
        ],
        siblings=[(other.label, f"{other.name}.html", other is sheet) for other in sheets if other.page is page],
        run=run,
        name=sheet.name,
        flow=_flow(content.cards),
        headings=[card for card in content.cards if card.what == "heading"],
        policy="; ".join(policy),
        css=asset("page.css"),
        scripts=scripts,
        payload=json_text({"themes": theme.THEMES, "numbers": page.numbers, "charts": content.specs}),
    )


def _flow(blocks: tuple[Card, ...]) -> list[list[Card]]:
    """Put cards that follow one another into one grid; headings and prose stand alone."""
    groups: list[list[Card]] = []
    for card in blocks:
        if card.show is not None and groups and groups[-1][0].show is not None:
            groups[-1].append(card)
        else:
            groups.append([card])
    return groups


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(asset("page.html.j2"))

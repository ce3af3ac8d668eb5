from pathlib import Path

import pytest

from tsq.errors import TsqError
from tsq.report.blocks import Heading, Prose, Reduce, Show
from tsq.report.page import load_pages, parse, read_page

FRONT = "---\ntitle: Costs\norder: 3\n---\n"
SQL = "```sql paid\nselect 1 as x;\n```\n"
CHART = "```chart\nkind: bar\ndata: paid\ntitle: Paid\ndescription: Bars.\nlabel: x\nvalue: x\n```\n"


def test_a_page_is_taken_apart() -> None:
    text = FRONT + "## What it cost\nSome *prose* with {paid.x:inr}.\n\n" + SQL + CHART
    page = parse(text, Path("pages/costs.md"))
    assert (page.name, page.title, page.order, page.numbers) == ("costs", "Costs", 3, "indian")
    assert page.queries["paid"].sql == "select 1 as x"
    assert page.queries["paid"].line == 9
    heading, prose, chart = page.blocks
    assert isinstance(heading, Heading)
    assert (heading.text, heading.slug, heading.line) == ("What it cost", "what-it-cost", 5)
    assert isinstance(prose, Prose)
    assert prose.text == "Some *prose* with {paid.x:inr}."
    assert isinstance(chart, Show)
    assert (chart.what, chart.data, chart.options["label"], chart.line) == ("chart", "paid", "x", 11)


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    text = FRONT + SQL + CHART
    plain = parse(text, Path("p.md"))
    assert parse("\ufeff" + text.replace("\n", "\r\n"), Path("p.md")) == plain


def test_a_series_can_be_thinned() -> None:
    chart = "```chart\nkind: line\ndata: paid\ntitle: t\ndescription: d\nx: x\ny: x\nreduce: {x: x, y: x, points: 10}\n```\n"
    (show,) = parse(FRONT + SQL + chart, Path("p.md")).blocks
    assert isinstance(show, Show)
    assert show.reduce == Reduce("x", "x", None, 10)


def test_headings_of_one_name_have_their_own_anchors() -> None:
    page = parse(FRONT + "## Now\n\n## Now\n", Path("p.md"))
    assert [block.slug for block in page.blocks if isinstance(block, Heading)] == ["now", "now-2"]


@pytest.mark.parametrize(
    ("text", "line", "what", "hint"),
    [
        ("# no front matter\n", 1, "front matter", "title"),
        ("---\ntitle: t\nordr: 1\n---\n", 3, "no ordr", "order"),
        ("---\norder: 1\n---\n", 2, "no title", "title"),
        ("---\ntitle: t\norder: soon\n---\n", 3, "whole number", "examples"),
        ("---\ntitle: t\nnumbers: roman\n---\n", 3, "roman", "indian"),
        ("---\ntitle: t\neach: people\n---\n", 3, "no query people", "none"),
        ("---\ntitle: '{paid.x}'\n---\n", 2, "no query paid", "none"),
        (FRONT + "```chrt\nkind: bar\n```\n", 5, "no block chrt", "chart"),
        (FRONT + "```\ncode\n```\n", 5, "without a name", "known"),
        (FRONT + "```sql\nselect 1\n```\n", 5, "cannot be called", "sql name"),
        (FRONT + "```sql Paid Now\nselect 1\n```\n", 5, "cannot be called", "small letters"),
        (FRONT + SQL + SQL, 8, "stands twice", "line 5"),
        (FRONT + SQL + CHART.replace("data: paid", "data: piad"), 8, "no query piad", "paid"),
        (FRONT + SQL + CHART.replace("kind: bar", "kind: baar"), 9, "no kind of chart baar", "bar"),
        (FRONT + SQL + CHART.replace("value: x", "valeu: x"), 14, "no valeu", "value"),
        (FRONT + SQL + CHART.replace("value: x\n", ""), 9, "no value", "add `value:`"),
        (FRONT + SQL + CHART.replace("description: Bars.\n", ""), 9, "no description", "description"),
        (FRONT + SQL + CHART.replace("label: x", "format: procent\nlabel: x"), 13, "no format procent", "percent"),
        (FRONT + SQL + CHART.replace("label: x", "label: [x]"), 13, "name of a column", "examples"),
        (FRONT + SQL + CHART.replace("data: paid", "data: paid\ndata: paid"), 11, "stands twice", "line 10"),
        (FRONT + SQL + "```table\ndata: paid\ntitle: t\ncolumns: {x: {titel: X}}\n```\n", 11, "no titel", "title"),
        (FRONT + SQL + "```chart x\n```\n", 8, "has no name", "alone"),
        (FRONT + "Made {piad.x}.\n", 5, "no query piad", "none"),
        (FRONT + SQL + "Made {paid.x:rupees}.\n", 8, "no format rupees", "known"),
    ],
)
def test_a_slip_is_an_error_with_its_line(text: str, line: int, what: str, hint: str) -> None:
    with pytest.raises(TsqError) as caught:
        parse(text, Path("pages/p.md"))
    assert what in caught.value.what
    assert caught.value.where == f"{Path('pages/p.md')}:{line}"
    assert hint in str(caught.value.hint)


def test_a_page_has_a_name_for_the_web(tmp_path: Path) -> None:
    with pytest.raises(TsqError, match="cannot be called"):
        parse(FRONT, tmp_path / "My Page!.md")


def test_a_page_is_utf8(tmp_path: Path) -> None:
    (tmp_path / "p.md").write_bytes(FRONT.encode() + b"\xff")
    with pytest.raises(TsqError, match="UTF-8"):
        read_page(tmp_path / "p.md")


def test_pages_come_in_order_and_index_first(tmp_path: Path) -> None:
    for name, order in (("late", 9), ("early", 1), ("index", 50)):
        (tmp_path / f"{name}.md").write_text(f"---\ntitle: t\norder: {order}\n---\n", encoding="utf-8")
    assert [page.name for page in load_pages(tmp_path)] == ["index", "early", "late"]


def test_a_folder_without_pages_says_what_a_page_is(tmp_path: Path) -> None:
    with pytest.raises(TsqError, match="no pages"):
        load_pages(tmp_path)


def test_the_shipped_pages_have_no_mistake(shipped_pages: Path) -> None:
    assert load_pages(shipped_pages)[0].name == "index"

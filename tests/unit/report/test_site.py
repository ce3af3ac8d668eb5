import json
import re
from pathlib import Path

import duckdb
import pytest
from made_warehouse import EVIL, make

from tsq.errors import TsqError
from tsq.report import embed, site

FRONT = "---\ntitle: A page\n---\n"


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    (tmp_path / "pages").mkdir()
    return tmp_path / "pages"


def _page(pages: Path, text: str, name: str = "index") -> Path:
    path = pages / f"{name}.md"
    path.write_text(text, encoding="utf-8")
    return path


def _payload(html: str) -> dict[str, object]:
    match = re.search(r'<script id="charts" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert match
    return json.loads(match[1], parse_constant=lambda name: pytest.fail(f"{name} in the data"))


def test_the_shipped_page_renders_whole(warehouse: Path, shipped_pages: Path, tmp_path: Path, cache: Path) -> None:
    made = site.make_site(warehouse, shipped_pages, tmp_path, cache)
    assert made.problems == ()
    assert [path.name for path in made.files][:2] == ["index.html", "index-defensive.html"]
    html = made.files[0].read_text(encoding="utf-8")
    assert len(_payload(html)["charts"]) == 8  # type: ignore[arg-type]
    assert "Demo market" in html
    assert "29 Dec 2023, 18:30 IST" in html
    assert made.files[0].stat().st_size < 2_000_000
    # lots of an earlier decision are nobody's news, also where a portfolio has no newer ones
    assert not any("LONGSINCE" in path.read_text(encoding="utf-8") for path in made.files)
    assert "No lot turns long-term soon." in made.files[1].read_text(encoding="utf-8")


def test_the_same_input_gives_the_same_bytes(warehouse: Path, shipped_pages: Path, tmp_path: Path, cache: Path) -> None:
    first, second = (site.make_site(warehouse, shipped_pages, tmp_path / name, cache).files for name in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_nothing_in_a_page_comes_from_elsewhere(
    warehouse: Path, shipped_pages: Path, tmp_path: Path, cache: Path
) -> None:
    html = site.make_site(warehouse, shipped_pages, tmp_path, cache).files[0].read_text(encoding="utf-8")
    shell = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert re.findall(r'(?:src|href)="(?!#|data:|[a-z-]+\.html)', shell) == []
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    assert "default-src &#39;none&#39;" in policy[1]
    assert "unsafe-eval" not in policy[1]
    assert "http" not in policy[1]


def test_text_of_the_data_stays_text(warehouse: Path, shipped_pages: Path, tmp_path: Path, cache: Path) -> None:
    html = site.make_site(warehouse, shipped_pages, tmp_path, cache).files[0].read_text(encoding="utf-8")
    assert EVIL not in html
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in html
    assert html.count("<script") == html.count("</script>") == 3


def test_a_chart_carries_any_name_as_data(warehouse: Path, pages: Path, tmp_path: Path, cache: Path) -> None:
    chart = "```chart\nkind: bar\ndata: q\ntitle: t\ndescription: d\nlabel: ticker\nvalue: weight\n```\n"
    _page(pages, FRONT + "```sql q\nselect ticker, weight from book.positions where portfolio = 'base'\n```\n" + chart)
    html = site.make_site(warehouse, pages, tmp_path, cache).files[0].read_text(encoding="utf-8")
    assert EVIL not in html
    assert EVIL in json.dumps(_payload(html), ensure_ascii=False)


def test_a_value_in_prose_is_neither_html_nor_markdown(
    warehouse: Path, pages: Path, tmp_path: Path, cache: Path
) -> None:
    prose = "Bold: **{q.bold}**, plain: {q.text}, `{q.bold}` and {not a value}. <b>raw</b> ![x](http://x/y.png)\n"
    _page(pages, FRONT + "```sql q\nselect '<i>**a**</i>' as text, 0.5 as bold\n```\n\n" + prose)
    html = site.make_site(warehouse, pages, tmp_path, cache).files[0].read_text(encoding="utf-8")
    assert "<strong>0.50</strong>, plain: &lt;i&gt;**a**&lt;/i&gt;, <code>{q.bold}</code> and {not a value}." in html
    assert "&lt;b&gt;raw" in html
    assert "<img" not in html


def test_a_block_that_fails_leaves_the_rest_standing(pages: Path, tmp_path: Path, cache: Path) -> None:
    warehouse = make(tmp_path / "w.duckdb", without=("kpis.costs",))
    queries = "```sql lost\nselect * from kpis.costs\n```\n```sql held\nselect 7 as seven\n```\n"
    shows = "".join(f"```table\ndata: {name}\ntitle: The {name}\n```\n" for name in ("lost", "held"))
    wrong = "```facts\ndata: held\ntitle: Wrong\ncolumns: {eight: {}}\n```\n"
    file = _page(pages, FRONT + queries + shows + wrong + "\nSeen {lost.x} and {held.nine}.\n")
    made = site.make_site(warehouse, pages, tmp_path / "out", cache)
    html = made.files[0].read_text(encoding="utf-8")
    assert [problem.where for problem in made.problems] == [f"{file}:5", f"{file}:18"]
    assert "costs does not exist" in made.problems[0].what
    assert "no column eight" in made.problems[1].what
    assert "<td" in html
    assert html.count('role="alert"') == 3
    assert "Traceback" not in html


def test_no_rows_is_a_state_with_words(warehouse: Path, pages: Path, tmp_path: Path, cache: Path) -> None:
    sql = "```sql none\nselect 1 as x where false\n```\n"
    _page(
        pages,
        FRONT + sql + "```table\ndata: none\ntitle: T\nempty: All is well.\n```\n```facts\ndata: none\ntitle: F\n```\n",
    )
    made = site.make_site(warehouse, pages, tmp_path, cache)
    html = made.files[0].read_text(encoding="utf-8")
    assert "All is well." in html
    assert "There are no rows to show yet." in html
    assert made.problems == ()


def test_a_page_without_charts_carries_no_drawing_script(
    warehouse: Path, pages: Path, tmp_path: Path, cache: Path
) -> None:
    _page(pages, FRONT + "Only words.\n")
    assert site.make_site(warehouse, pages, tmp_path, cache).files[0].stat().st_size < 40_000


def test_a_page_is_made_for_each_row(warehouse: Path, pages: Path, tmp_path: Path, cache: Path) -> None:
    front = "---\ntitle: 'Name {people.name}'\neach: people\n---\n"
    sql = "```sql people\nselect unnest(['A/B', 'a b', 'C']) as name\n```\n```sql q\nselect $name || '!' as loud\n```\n"
    _page(pages, front + sql + "\n{q.loud}\n")
    _page(pages, "---\ntitle: Other\n---\n", "other")
    made = site.make_site(warehouse, pages, tmp_path, cache)
    assert [path.name for path in made.files] == ["index.html", "index-a-b.html", "index-c.html", "other.html"]
    html = made.files[1].read_text(encoding="utf-8")
    assert "<h1>Name a b</h1>" in html
    assert "a b!" in html
    assert '<a class="sheet" href="index-a-b.html" aria-current="page">a b</a>' in html
    assert '<a class="page" href="other.html">Other</a>' in html


def test_rows_that_share_a_name_get_files_of_their_own(
    warehouse: Path, pages: Path, tmp_path: Path, cache: Path
) -> None:
    _page(pages, "---\ntitle: T\neach: people\n---\n```sql people\nselect unnest(['x', 'A', 'a', '+']) as name\n```\n")
    files = site.make_site(warehouse, pages, tmp_path, cache).files
    assert [path.name for path in files] == ["index.html", "index-a.html", "index-a~2.html", "index-other.html"]


def test_a_page_for_no_row_says_what_is_missing(warehouse: Path, pages: Path, tmp_path: Path, cache: Path) -> None:
    _page(
        pages,
        "---\ntitle: T\neach: people\n---\n```sql people\nselect name from no.table\n```\n\nHello {people.name}.\n",
    )
    made = site.make_site(warehouse, pages, tmp_path, cache)
    assert [path.name for path in made.files] == ["index.html"]
    assert len(made.problems) == 1


def test_a_real_market_has_no_banner(pages: Path, tmp_path: Path, cache: Path) -> None:
    _page(pages, FRONT)
    warehouse = make(tmp_path / "w.duckdb", market="real")
    html = site.make_site(warehouse, pages, tmp_path / "out", cache).files[0].read_text(encoding="utf-8")
    assert 'class="banner"' not in html


def test_a_warehouse_made_by_hand_still_shows(pages: Path, tmp_path: Path, cache: Path) -> None:
    duckdb.connect(str(tmp_path / "w.duckdb")).close()
    _page(pages, FRONT + "```sql q\nselect 41 + 1 as n\n```\n\nIt is {q.n}.\n")
    html = site.make_site(tmp_path / "w.duckdb", pages, tmp_path, cache).files[0].read_text(encoding="utf-8")
    assert "It is 42." in html


def test_a_locked_page_is_kept_beside_and_told(
    warehouse: Path, pages: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _page(pages, FRONT)
    monkeypatch.setattr(site.files, "write_text", lambda path, text: path.with_name("index.new.html"))
    made = site.make_site(warehouse, pages, tmp_path, cache)
    assert [path.name for path in made.files] == ["index.new.html"]
    assert "locked" in made.problems[0].what


def test_no_warehouse_is_an_error_for_people(pages: Path, tmp_path: Path) -> None:
    _page(pages, FRONT)
    with pytest.raises(TsqError):
        site.make_site(tmp_path / "none.duckdb", pages, tmp_path)


def test_the_entry_returns_the_files(warehouse: Path, pages: Path, tmp_path: Path) -> None:
    _page(pages, FRONT)
    assert site.make_site(warehouse, pages, tmp_path / "out").files == (tmp_path / "out" / "index.html",)


def test_json_for_a_page_ends_no_element() -> None:
    text = embed.json_text({"a": "</script><!-- & \u2028"})
    assert not set(text) & set("<>&\u2028")
    assert json.loads(text) == {"a": "</script><!-- & \u2028"}
    with pytest.raises(ValueError, match="JSON"):
        embed.json_text(float("nan"))

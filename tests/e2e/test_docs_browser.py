"""The documentation site in a real browser: it opens, finds, draws and colours, and asks the network for nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import call
from tests.e2e.test_report_browser import BROWSERS, Seen, look

Open = Callable[..., Seen]


@pytest.fixture(scope="module")
def page(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    assert call(demo_project, "docs", "--out", str(folder)) == 0
    return folder / "index.html"


@pytest.fixture
def open_page(page: Path, tmp_path: Path) -> Open:
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        pytest.skip(f"no browser on the path: none of {', '.join(BROWSERS)}")

    def opened(target: str = "", size: str = "1400,1000", file: Path = page) -> Seen:
        return look(browser, f"{file.as_uri()}{target}", tmp_path, f"--window-size={size}", "--dump-dom")

    return opened


def shown(seen: Seen) -> list[str]:
    """Ids of the articles that are on show."""
    return re.findall(r'<article id="([^"]+)" class="[^"]*\bshown\b', seen.dom)


def lines(seen: Seen, flow: str) -> list[str]:
    """Edges drawn in the graph of a kind."""
    graphs = re.findall(rf'data-flow="{flow}"[^>]*><svg.*?</svg>', seen.dom, re.DOTALL)
    return [line for graph in graphs for line in re.findall(r'<path d="([^"]*)"', graph)]


@pytest.mark.parametrize(("theme", "size"), [("light", "1400,1000"), ("dark", "420,900")])
def test_it_opens_and_draws_the_graph(open_page: Open, theme: str, size: str) -> None:
    seen = open_page(f"?theme={theme}", size)
    assert seen.console == []
    assert seen.asked == []
    assert f'data-theme="{theme}"' in seen.dom
    assert shown(seen) == ["home"]
    assert len(lines(seen, "tables")) > 100
    assert "NaN" not in "".join(lines(seen, "tables"))
    assert "undefined" not in "".join(lines(seen, "tables"))


def test_search_finds_a_column_by_its_name_and_by_its_words(open_page: Open) -> None:
    hits = re.findall(r'id="hit-\d+" href="([^"]+)"', open_page("?find=total_return_index").dom)
    assert hits[0] == "#pit.returns.total_return_index"
    hits = re.findall(r'id="hit-\d+" href="([^"]+)"', open_page("?find=carried%20across%20holes").dom)
    assert "#pit.returns.total_return_index" in hits


def test_a_column_shows_what_it_is_made_of(open_page: Open) -> None:
    seen = open_page("#pit.returns.total_return_index")
    assert seen.console == []
    assert shown(seen) == ["pit.returns"]
    assert '<tr id="pit.returns.total_return_index" class="here">' in seen.dom
    made = re.findall(r'class="cell[^"]*" href="([^"]+)"', seen.dom)
    assert {"#pit.prices.close", "#raw.prices.close", "#pit.returns.total_return_index"} <= set(made)
    assert len(lines(seen, "columns")) >= 4
    assert len(lines(seen, "near")) >= 4


def test_sql_is_coloured_and_its_tables_are_links(open_page: Open) -> None:
    seen = open_page("#signals.panel")
    code = re.findall(r'<pre class="panel code"[^>]*data-done="yes"[^>]*>(.*?)</pre>', seen.dom, re.DOTALL)
    assert len(code) == 2
    assert '<span class="tk-tag">{{ factor.table }}</span>' in code[0]
    assert '<span class="tk-keyword">select</span>' in code[1]
    assert '<a href="#factors.low_vol">factors.low_vol</a>' in code[1]


def test_an_unknown_page_says_so(open_page: Open) -> None:
    seen = open_page("#no.such%3Cb%3E")
    assert shown(seen) == ["lost"]
    assert '<code id="lost-name">no.such&lt;b&gt;</code>' in seen.dom


def test_a_script_that_was_put_in_is_refused(open_page: Open, page: Path, tmp_path: Path) -> None:
    planted = tmp_path / "planted.html"
    bad = "<script>document.title='owned'</script><img src='http://example.invalid/x.png'></main>"
    planted.write_text(page.read_text(encoding="utf-8").replace("</main>", bad), encoding="utf-8")
    seen = open_page(file=planted)
    assert "<title>owned" not in seen.dom
    assert seen.asked == []
    assert sum("Content Security Policy" in line for line in seen.console) == 2


def test_keys_mouse_and_the_theme_button_do_what_they_say(open_page: Open, page: Path, tmp_path: Path) -> None:
    """A copy without its policy, driven by a script that reports in the title."""
    driver = """
      const press = (target, key) => target.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
      const found = [];
      const node = document.querySelector('.bands [data-node="pit.prices"]');
      node.dispatchEvent(new PointerEvent('pointerover', {bubbles: true}));
      const lit = (side) => [...document.querySelectorAll(`.bands .pill.${side}`)].map((pill) => pill.dataset.node);
      found.push(lit('up').includes('raw.prices'), lit('down').includes('kpis.summary'), lit('down').includes('raw.prices'));
      press(document.body, '/');
      const box = document.getElementById('query');
      found.push(document.activeElement === box);
      box.value = 'winsor';
      box.dispatchEvent(new Event('input'));
      press(box, 'Enter');
      document.getElementById('theme').click();
      setTimeout(() => {
        const shown = document.querySelector('article.shown').id;
        document.title = [...found, location.hash, shown, document.documentElement.dataset.theme].join(' ');
      }, 200);
    """
    driven = tmp_path / "driven.html"
    html = page.read_text(encoding="utf-8").replace("Content-Security-Policy", "x")
    driven.write_text(html.replace("</body>", f"<script>{driver}</script></body>"), encoding="utf-8")
    seen = open_page("?theme=light", file=driven)
    title = re.search(r"<title>([^<]*)</title>", seen.dom)
    assert title
    assert title[1] == "true true false true #knob/winsor_pct knobs dark"

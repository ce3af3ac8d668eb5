"""The report in a real browser: everything draws, nothing is fetched, nothing of the data runs."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tsq.report.site import make_site

ROOT = Path(__file__).parents[2]
MADE = runpy.run_path(str(ROOT / "tests" / "unit" / "report" / "made_warehouse.py"))
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --enable-logging=stderr --virtual-time-budget=20000"
)
N_CHARTS = 8


@dataclass(frozen=True)
class Seen:
    """What the browser made of a page: its document after drawing, its console, and what the page asked the network for."""

    dom: str
    console: list[str]
    asked: list[str]


@pytest.fixture(scope="module")
def browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser on the path: none of {', '.join(BROWSERS)}")
    return found


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    warehouse = MADE["make"](folder / "made.duckdb")
    return make_site(warehouse, ROOT / "reports" / "pages", folder / "out").files[0]


def look(browser: str, url: str, folder: Path, *arguments: str) -> Seen:
    log = folder / "net.json"
    command = [
        browser,
        *FLAGS.split(),
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={folder / 'profile'}",
    ]
    command += [f"--log-net-log={log}", *arguments, url]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True)
    # the browser asks for things of its own too; what a page asks for has the page as its initiator
    events = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if '"initiator":' in line]
    asked = [
        url[1]
        for line in events
        if '"not an origin"' not in line and (url := re.search(r'"url":"((?:http|ws)[^"]*)"', line))
    ]
    return Seen(done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line], asked)


@pytest.fixture(scope="module", params=[("light", "1400,1000"), ("dark", "500,900")], ids=["light desk", "dark phone"])
def seen(request: pytest.FixtureRequest, browser: str, page: Path, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    theme, size = request.param
    url = f"{page.as_uri()}?theme={theme}"
    return look(browser, url, tmp_path_factory.mktemp("browser"), f"--window-size={size}", "--dump-dom")


def test_every_chart_draws_without_a_word_on_the_console(seen: Seen) -> None:
    assert seen.console == []
    assert f'data-charts="{N_CHARTS} of {N_CHARTS}"' in seen.dom
    charts = re.split(r'<div class="chart[^"]*" id="chart-\d+"', seen.dom)[1:]
    assert len(charts) == N_CHARTS
    assert all(chart.count("<path") > 5 for chart in charts)
    assert "NaN" not in "".join(re.findall(r' d="[^"]*"', seen.dom))


def test_charts_fill_their_cards(seen: Seen) -> None:
    widths = [float(width) for width in re.findall(r'<svg[^>]*class="marks" width="([\d.]+)"', seen.dom)]
    assert len(widths) == N_CHARTS
    assert all(250 < width < 1250 for width in widths)


def test_the_data_does_not_run(seen: Seen) -> None:
    # a script that got out would stand in the page as an element of its own
    assert seen.dom.count("<script") == 3
    assert "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in seen.dom


def test_nothing_is_asked_of_the_network(seen: Seen) -> None:
    assert seen.asked == []


@pytest.mark.parametrize("has_policy", [True, False])
def test_the_policy_is_what_stops_a_script_that_was_put_in(
    browser: str, page: Path, tmp_path: Path, has_policy: bool
) -> None:
    html = page.read_text(encoding="utf-8")
    bad = "<script>document.title='owned'</script><img src='http://example.invalid/x.png'></main>"
    html = html.replace("</main>", bad)
    planted = tmp_path / "planted.html"
    planted.write_text(html if has_policy else html.replace("Content-Security-Policy", "x"), encoding="utf-8")
    found = look(browser, planted.as_uri(), tmp_path, "--dump-dom")
    refused = [line for line in found.console if "Content Security Policy" in line]
    assert ("<title>owned" in found.dom, len(found.asked) > 0, len(refused)) == (
        not has_policy,
        not has_policy,
        2 * has_policy,
    )


@pytest.mark.slow
def test_the_page_prints(browser: str, page: Path, tmp_path: Path) -> None:
    pdf = tmp_path / "report.pdf"
    found = look(browser, page.as_uri(), tmp_path, f"--print-to-pdf={pdf}")
    assert found.console == []
    assert pdf.read_bytes().startswith(b"%PDF")
    assert pdf.stat().st_size > 50_000

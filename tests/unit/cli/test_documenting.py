"""The documentation site: all of the project is in it, every link leads somewhere, and nothing of the text runs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer

from tsq.cli import documenting, workspace
from tsq.cli.main import app
from tsq.engine.graph import Graph
from tsq.report import docs_site
from tsq.report.docs_site import Facts

ROOT = Path(__file__).parents[3]
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


@dataclass
class Read(HTMLParser):
    """What a browser would make of the page: elements, ids, links and the text."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def of(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.tags if attribute in attributes]

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def read(html: str) -> Read:
    page = Read()
    page.feed(html)
    return page


def facts_of(graph: Graph) -> Facts:
    facts = documenting.gather(graph, typer.main.get_command(app))
    assert isinstance(facts, Facts)
    return facts


@pytest.fixture(scope="module")
def graph() -> Graph:
    return workspace.load_graph(ROOT)


@pytest.fixture(scope="module")
def html(graph: Graph) -> str:
    return docs_site.html(facts_of(graph))


@pytest.fixture(scope="module")
def page(html: str) -> Read:
    return read(html)


def test_every_table_column_knob_and_command_has_its_place(graph: Graph, page: Read) -> None:
    ids = set(page.of("id"))
    assert set(graph.nodes) <= ids
    assert {f"{name}.{column}" for name, node in graph.nodes.items() for column in node.model.header.columns} <= ids
    catalog = graph.catalog
    for schema, datasets in (("raw", catalog.raw), ("config", catalog.config)):
        assert {f"{schema}.{name}.{column}" for name, one in datasets.items() for column in one.column_names} <= ids
    assert {f"knob/{knob}" for knob in catalog.project.knobs} <= ids
    assert {f"command/{name}" for name in typer.main.get_command(app).commands} <= ids  # type: ignore[attr-defined]
    assert len(page.of("id")) == len(ids), "an id stands twice"


def test_every_word_of_a_header_is_there(graph: Graph, page: Read) -> None:
    text = " ".join("".join(page.text).split())
    for name, node in graph.nodes.items():
        header = node.model.header
        docs = [column.doc for column in header.columns.values() if column.doc]
        for said in [*docs, *(rule.name for rule in node.rules), *node.knobs]:
            assert " ".join(said.replace("`", "").split()) in text.replace("`", ""), f"{name}: {said}"


def test_units_types_and_sources_stand_beside_their_columns(html: str) -> None:
    row = re.search(r'<tr id="pit\.returns\.ret">.*?</tr>', html, re.DOTALL)
    assert row
    assert ">DOUBLE<" in row[0]
    assert ">ratio<" in row[0]
    assert 'href="#pit.prices.close"' in row[0]


def test_how_old_a_dataset_may_be_is_a_promise(html: str) -> None:
    assert re.search(r'<tr id="raw\.prices!0"><td><code>known in the last 5 days</code></td><td>a warning</td>', html)


def test_every_link_leads_somewhere(page: Read) -> None:
    ids = set(page.of("id"))
    links = [unquote(target.removeprefix("#")) for target in page.of("href") if target.startswith("#")]
    assert len(links) > 1000
    assert not sorted(set(links) - ids)


def test_everything_to_find_leads_somewhere(graph: Graph, html: str, page: Read) -> None:
    payload = json.loads(re.findall(r'<script id="site" type="application/json">(.*?)</script>', html)[0])
    ids = set(page.of("id"))
    assert len(payload["find"]) > 900
    assert not [target for *_, target in payload["find"] if target not in ids]
    assert {"table", "column", "knob", "check", "command", "error", "query"} == {kind for kind, *_ in payload["find"]}
    assert payload["reads"] == {name: list(node.reads) for name, node in graph.nodes.items() if node.reads}


def test_nothing_is_fetched(html: str, page: Read) -> None:
    assert not [target for target in page.of("href") if not target.startswith("#") and target != "data:,"]
    assert page.of("src") == []
    assert page.of("style") == []
    assert "@import" not in html
    assert not re.search(r"url\((?!data:)", html)


def test_the_policy_names_the_style_and_the_script(html: str, page: Read) -> None:
    policy = next(one["content"] for tag, one in page.tags if one.get("http-equiv") == "Content-Security-Policy")
    style, script = (re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL) for tag in ("style", "script"))
    assert (len(style), len(script), page.count("script")) == (1, 1, 2)
    for what, (text,) in (("style", style), ("script", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{what}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_the_site_is_small_and_always_the_same(graph: Graph, html: str) -> None:
    assert len(html.encode()) < 24_000 * len(graph.nodes)
    assert docs_site.html(facts_of(graph)) == html


def test_hostile_names_and_words_stay_text(make_project: Callable[[Mapping[str, str]], Path]) -> None:
    quoted = json.dumps(HOSTILE)
    header = f"tags: [{quoted}]\nmeta: {{{quoted}: {quoted}}}\ncolumns: {{{quoted}: {{doc: {quoted}, unit: {quoted}}}}}"
    checks = f"checks: [{{name: {quoted}, rows: \"'x' != '{HOSTILE}'\"}}]"
    sql = f"/*---\n{header}\n{checks}\n---\n{HOSTILE} and `{HOSTILE}`\n*/\nselect '{HOSTILE}' as \"{HOSTILE}\"\n"
    root = make_project(
        {
            "models/base/a.sql": sql,
            "config/run.yml": f"# {HOSTILE}\nn_rows: {quoted}\n",
            "sql/queries/q.sql": f"-- {HOSTILE}\nselect '{HOSTILE}'\n",
        }
    )
    html = docs_site.html(facts_of(workspace.load_graph(root)))
    page = read(html)
    assert page.count("script") == 2
    assert page.count("img") == 0
    assert f"base.a.{HOSTILE}" in page.of("id")
    assert "".join(page.text).count(HOSTILE) > 8
    links = {unquote(target.removeprefix("#")) for target in page.of("href") if target.startswith("#")}
    assert links <= set(page.of("id"))


def test_it_is_written_whole_over_an_old_one(graph: Graph, tmp_path: Path) -> None:
    facts = facts_of(graph)
    (tmp_path / "index.html").write_text("old", encoding="utf-8")
    path = docs_site.write(facts, tmp_path)
    assert path == tmp_path / "index.html"
    assert path.read_text(encoding="utf-8").endswith("</html>\n")
    assert [file.name for file in tmp_path.iterdir()] == ["index.html"]

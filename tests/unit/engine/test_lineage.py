from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import pytest

from tsq import config
from tsq.engine import bind, catalog, graph, lineage, selects
from tsq.engine.compile import compile_catalog
from tsq.engine.graph import Graph
from tsq.engine.lineage import ROWS, Edge, Ref
from tsq.errors import TsqError

MakeProject = Callable[[Mapping[str, str]], Path]
ROOT = Path(__file__).parent.parent.parent.parent
DATASET = "doc: Rows.\nkey: [day]\n{}columns:\n  day: {{type: INTEGER, doc: d}}\n  v: {{type: INTEGER, doc: d}}\n  w: {{type: INTEGER, doc: d}}\n"
PROJECT = {
    "sql/raw/t.yml": DATASET.format(""),
    "sql/config/f.yml": DATASET.format("file: config/f.csv\n"),
    "config/f.csv": "day,v,w\n1,2,3\n2,3,1\n",
    "models/base/clean.sql": "select day, v * 2 as double, w from raw.t where w > 2",
    "models/base/seen.sql": "/*---\nkind: view\n---\n*/\nselect day, double from base.clean",
    "models/mart/total.sql": (
        "select s.day % 2 as side, sum(s.double) as total, count(*) as n, max(f.v) as factor, 1 as one\n"
        "from base.seen as s left join config.f as f on f.day = s.day % 2 group by 1"
    ),
    "models/mart/made.py": (
        '"""---\ncolumns:\n  p: {type: INTEGER}\n  q: {type: INTEGER}\n---\nMade.\n"""\n\n\n'
        "def model(clean, config__f):\n    return clean\n"
    ),
    "models/mart/read.sql": "select p + 1 as p, row_number() over (order by q) as place from mart.made",
}


def build(root: Path) -> Graph:
    found = catalog.read(config.load(root))
    return graph.build(found, compile_catalog(found))


@pytest.fixture(scope="module")
def shipped() -> Graph:
    return build(ROOT)


def words(edges: tuple[Edge, ...]) -> set[str]:
    return {f"{edge.column} {edge.kind} {edge.from_table}.{edge.from_column}" for edge in edges}


def test_edges_of_a_model(make_project: MakeProject) -> None:
    found = lineage.read(build(make_project(PROJECT)))
    assert found.columns["mart.total"] == ("side", "total", "n", "factor", "one")
    assert words(tuple(edge for edge in found.edges if edge.table == "mart.total")) == {
        "side value base.seen.day",
        "total value base.seen.double",
        "n value base.seen.*",
        "n value config.f.*",
        "factor value config.f.v",
        "* filter base.seen.*",
        "* filter base.seen.day",
        "* filter config.f.*",
        "* filter config.f.day",
    }
    assert words(tuple(edge for edge in found.edges if edge.table == "mart.read")) == {
        "p value mart.made.p",
        "place choice mart.made.q",
        "* filter mart.made.*",
    }


def test_a_python_model_may_use_all_it_is_given(make_project: MakeProject) -> None:
    found = lineage.read(build(make_project(PROJECT)))
    given = {"base.clean.day", "base.clean.double", "base.clean.w", "config.f.day", "config.f.v", "config.f.w"}
    for column in ("p", "q"):
        steps = found.steps(("mart.made", column))
        assert {f"{edge.from_table}.{edge.from_column}" for edge in steps} == given
        assert {edge.kind for edge in steps} == {"python"}
    rows = {f"{edge.from_table}.{edge.from_column}" for edge in found.steps(("mart.made", ROWS))}
    assert rows == given | {"base.clean.*", "config.f.*"}


def test_up_and_down_are_one_walk(make_project: MakeProject) -> None:
    found = lineage.read(build(make_project(PROJECT)))

    def ends(start: Ref, **options: object) -> set[str]:
        edges = lineage.closure(found, [start], **options)  # type: ignore[arg-type]
        return {".".join(edge.to if options.get("down") else edge.source) for edge in edges}

    total = ("mart.total", "total")
    assert ends(total, rows=False) == {"base.seen.double", "base.clean.double", "raw.t.v"}
    assert ends(total, rows=False, depth=1) == {"base.seen.double"}
    assert {"raw.t.w", "config.f.day", "raw.t.day"} <= ends(total)
    assert "config.f.v" not in ends(total)
    assert ends(("raw.t", "v"), down=True, rows=False) == {
        *("base.clean.double", "base.seen.double", "mart.total.total"),
        *("mart.made.p", "mart.made.q", "mart.read.p", "mart.read.place"),
    }
    assert "base.clean.*" in ends(("raw.t", "w"), down=True)
    assert ends(("mart.total", "one"), rows=False) == set()


@pytest.mark.parametrize(
    ("target", "columns"),
    [
        ("mart.total.total", ["total"]),
        ("mart.total", ["side", "total", "n", "factor", "one"]),
        ("total", ["side", "total", "n", "factor", "one"]),
        ("TOTAL.Side", ["side"]),
        ("mart.total.*", ["*"]),
    ],
)
def test_targets(make_project: MakeProject, target: str, columns: list[str]) -> None:
    found = lineage.read(build(make_project(PROJECT)))
    assert lineage.locate(found, target) == tuple(("mart.total", column) for column in columns)
    assert lineage.locate(found, "raw.t.v") == (("raw.t", "v"),)
    assert lineage.locate(found, "config.f.day") == (("config.f", "day"),)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("mart.totl", r"no table is called mart.totl\n  hint: did you mean mart.total"),
        ("totl", r"no table is called totl\n  hint: did you mean total"),
        ("mart.total.totl", r"mart.total has no column totl\n  hint: did you mean total"),
        ("total.totl", "has no column totl"),
        ("", "no table is called"),
        (".", "no table is called"),
        ("mart.total.side.x", "has no column side.x"),
    ],
)
def test_an_unknown_target_is_guessed(make_project: MakeProject, target: str, said: str) -> None:
    found = lineage.read(build(make_project(PROJECT)))
    with pytest.raises(TsqError, match=said) as caught:
        lineage.locate(found, target)
    assert caught.value.hint


def test_a_name_of_two_tables_is_refused(make_project: MakeProject) -> None:
    found = lineage.read(build(make_project({**PROJECT, "models/mart/seen.sql": "select 1 as x"})))
    with pytest.raises(TsqError, match=r"base\.seen or mart\.seen"):
        lineage.locate(found, "seen")


def test_only_what_changed_is_traced_again(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_project(PROJECT)
    memory = root / "lineage.json"
    first = lineage.read(build(root), memory)
    assert lineage.read(build(root)) == first
    seen: list[str] = []
    traced = lineage._trace

    def note(graph: Graph, node, columns):  # type: ignore[no-untyped-def]
        seen.append(node.name)
        return traced(graph, node, columns)

    monkeypatch.setattr(lineage, "_trace", note)
    assert lineage.read(build(root), memory) == first
    assert seen == []
    path = root / "models/base/clean.sql"
    path.write_text("-- why\nselect day, v * 2 as double, w from raw.t where w > 2", encoding="utf-8")
    assert lineage.read(build(root), memory) == first
    assert seen == []
    path.write_text("select day, w * 2 as double, w from raw.t", encoding="utf-8")
    second = lineage.read(build(root), memory)
    assert seen == ["base.clean"]
    assert second == lineage.read(build(root)) != first
    path.write_text("select day, w * 2 as double, w, v from raw.t", encoding="utf-8")
    seen.clear()
    lineage.read(build(root), memory)
    assert seen == ["base.clean", "base.seen", "mart.made"]
    memory.write_text("{", encoding="utf-8")
    assert lineage.read(build(root), memory) == lineage.read(build(root))


def test_names_that_duckdb_makes_up_are_asked_of_it(make_project: MakeProject) -> None:
    files = {**PROJECT, "models/mart/loose.sql": "select count(*), day + 1 from base.clean group by all"}
    found = lineage.read(build(make_project(files)))
    assert found.columns["mart.loose"] == ("count_star()", '("day" + 1)')
    assert words(found.steps(("mart.loose", '("day" + 1)'))) == {'("day" + 1) value base.clean.day'}
    assert words(found.steps(("mart.loose", "count_star()"))) == {"count_star() value base.clean.*"}


def test_columns_of_which_nobody_knows_the_place_are_made_of_all_in_sight(make_project: MakeProject) -> None:
    files = {**PROJECT, "models/mart/loose.sql": "select w as mine, #2 from base.clean"}
    found = lineage.read(build(make_project(files)))
    assert found.columns["mart.loose"] == ("mine", "double")
    assert words(found.steps(("mart.loose", "mine"))) == {"mine value base.clean.w"}
    assert "double value base.clean.double" in words(found.steps(("mart.loose", "double")))


def test_what_feeds_no_column_changes_none(make_project: MakeProject) -> None:
    """Rows of the sources are drawn anew, a column at a time, and the whole chain is run by DuckDB."""
    found_graph = build(make_project(PROJECT))
    found = lineage.read(found_graph)
    models = [name for name, node in found_graph.nodes.items() if node.sql and "made" not in node.sql]

    def run(changed: Ref | None) -> dict[str, list[tuple[object, ...]]]:
        with duckdb.connect() as con:
            con.execute("create schema base; create schema mart; create schema raw; create schema config")
            for table in ("raw.t", "config.f"):
                drawn = {
                    column: [hash((i * 7 + shift + ((table, column) == changed) * 5) % 11) for i in range(8)]
                    for shift, column in enumerate(("day", "v", "w"))
                }
                rows = ", ".join(map(str, zip(*drawn.values(), strict=True)))
                con.execute(f"create table {table} as from (values {rows}) as made(day, v, w)")
            for name in models:
                con.execute(f"create table {name} as {found_graph.nodes[name].sql}")
            return {name: con.execute(f"from {name}").fetchall() for name in models}

    before = run(None)
    tried, moved = 0, 0
    for changed in [(table, column) for table in ("raw.t", "config.f") for column in ("day", "v", "w")]:
        after = run(changed)
        reached = {edge.to for edge in lineage.closure(found, [changed], down=True)}
        for name in models:
            free = [i for i, column in enumerate(found.columns[name]) if (name, column) not in reached]
            if (name, ROWS) not in reached and free:
                tried += 1
                cut = [Counter(tuple(row[i] for i in free) for row in some[name]) for some in (before, after)]
                assert cut[0] == cut[1], (changed, name)
            moved += before[name] != after[name]
    assert tried >= 8
    assert moved >= 5


def test_every_column_shipped_is_known(shipped: Graph) -> None:
    found = lineage.read(shipped)
    known = bind.columns(shipped)
    assert {name: [*columns] for name, columns in found.columns.items()} == {
        name: [column.lower() for column in known[name]] for name in found.columns
    }
    tables = {name: list(columns) for name, columns in found.columns.items()}
    for name, node in shipped.nodes.items():
        if node.sql:
            traced = selects.trace(node.sql, {read: tables[read] for read in node.reads})
            assert traced.lost == ()
            assert traced.relation.is_whole, name


def test_only_words_of_a_query_come_from_nowhere(shipped: Graph) -> None:
    found = lineage.read(shipped)
    bare = {
        f"{name}.{column}"
        for name in shipped.nodes
        for column in found.columns[name]
        if not found.steps((name, column), rows=True)
    }
    assert bare == {
        "alpha.coverage.basis",
        "alpha.coverage.factor",
        "alpha.ic.horizon_days",
        "book.lot_schedule.is_newest",
        "book.nav.basis",
        "book.note_checks.item",
        "health.account_faults.dataset",
        "health.account_faults.what",
        "health.filings.item",
        "health.freshness.dataset",
        "health.identities.doubt",
        "kpis.capacity_violations.limit",
        "kpis.costs.component",
        "kpis.slippage.against",
        "kpis.summary.kpi",
        "kpis.summary.unit",
        "pit.calendar.basis",
        "pit.delistings.terminal_ret",
        "pit.fundamental_faults.item",
        "pit.proposed_actions.nearest_ratio",
        "pit.securities.currency",
        "portfolio.sleeves.sleeve",
        "risk.event_windows.kind",
        "signals.panel.basis",
        "signals.panel.factor",
        "signals.panel.is_proxy",
        "signals.panel.sign",
        "signals.panel.sleeve",
        "universe.members.free_float",
    }


def test_shipped_columns_with_known_answers(shipped: Graph) -> None:
    found = lineage.read(shipped)

    def feeds(target: str, kind: str) -> set[str]:
        (ref,) = lineage.locate(found, target)
        return {".".join(edge.source) for edge in found.steps(ref) if edge.kind == kind}

    assert feeds("pit.prices.close", "value") == {"raw.prices.close", "pit.price_versions.close"}
    assert "raw.prices.source_rank" in feeds("pit.prices.close", "choice")
    assert feeds("kpis.measures.max_drawdown", "value") == {"kpis.curves.nav"}
    assert feeds("factors.low_vol.value", "value") == {"features.daily.vol_252"}
    assert feeds("pit.sessions.session_no", "choice") == {"pit.days.date"}
    assert "kpis.measures.sharpe" in feeds("kpis.summary.value", "value")
    assert "kpis.measures.basis" in feeds("kpis.summary.*", "filter")
    raw = {edge.source for edge in lineage.closure(found, lineage.locate(found, "kpis.summary.value"))}
    assert {("raw.prices", "close"), ("raw.corporate_actions", "price_factor"), ("config.charges", "rate")} <= raw


def test_the_memory_is_small(shipped: Graph, tmp_path: Path) -> None:
    lineage.read(shipped, tmp_path / "lineage.json")
    entries = json.loads((tmp_path / "lineage.json").read_text(encoding="utf-8"))
    assert len(entries) == len(shipped.nodes)
    assert (tmp_path / "lineage.json").stat().st_size < 1_000_000

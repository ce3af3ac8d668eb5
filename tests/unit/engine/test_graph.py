from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tsq import config
from tsq.engine import catalog, graph
from tsq.engine.compile import compile_catalog
from tsq.engine.graph import Graph
from tsq.errors import TsqError

MakeProject = Callable[[Mapping[str, str]], Path]
CHAIN = {
    "models/base/a.sql": "select 1 as x",
    "models/base/b.sql": "with c as (select x from base.a) select x + {{ n_rows }} as x from c",
    "models/mart/c.sql": "select x from base.b",
    "models/mart/d.sql": "select x from base.a",
}
PYTHON = '"""---\n---\n"""\n\n\ndef model({}):\n    ...\n'
ONE = "select 1 as x"
PLACED = "/*---\nplace: mart\n---\n*/\nselect x from mart.z"


def build(root: Path) -> Graph:
    found = catalog.read(config.load(root))
    return graph.build(found, compile_catalog(found))


def test_the_order_is_found_in_the_sql(make_project: MakeProject) -> None:
    found = build(make_project(CHAIN))
    assert list(found.nodes) == ["base.a", "base.b", "mart.d", "mart.c"]
    assert found.parents["mart.c"] == ("base.b",)
    assert found.children["base.a"] == ("base.b", "mart.d")
    assert found.nodes["base.b"].knobs == {"n_rows": 5}


def test_a_table_may_stand_in_another_layers_place(make_project: MakeProject) -> None:
    files = {"models/base/a.sql": PLACED, "models/mart/z.sql": ONE, "models/mart/y.sql": "select x from base.a"}
    assert list(build(make_project(files)).nodes) == ["mart.z", "base.a", "mart.y"]


TAGGED = {
    **CHAIN,
    "models/base/a.sql": "/*---\ntags: [slow]\n---\n*/\nselect 1 as x",
    "models/mart/_layer.yml": "tags: [shown]\n",
}


@pytest.mark.parametrize(
    ("words", "exclude", "names"),
    [
        (["all"], [], ["base.a", "base.b", "mart.d", "mart.c"]),
        (["c"], [], ["mart.c"]),
        (["mart/"], [], ["mart.d", "mart.c"]),
        (["mart"], [], ["mart.d", "mart.c"]),
        (["+mart.c"], [], ["base.a", "base.b", "mart.c"]),
        (["base.b+"], [], ["base.b", "mart.c"]),
        (["+b+"], [], ["base.a", "base.b", "mart.c"]),
        (["a,d"], [], ["base.a", "mart.d"]),
        (["a", "d"], [], ["base.a", "mart.d"]),
        (["a , d"], [], ["base.a", "mart.d"]),
        (["tag:slow"], [], ["base.a"]),
        (["tag:shown"], [], ["mart.d", "mart.c"]),
        (["tag:slow+"], ["b"], ["base.a", "mart.d", "mart.c"]),
        (["+tag:shown"], ["base/"], ["mart.d", "mart.c"]),
        (["all"], ["b+"], ["base.a", "mart.d"]),
        (["all"], ["tag:slow,tag:shown"], ["base.b"]),
        (["state:changed"], [], ["base.b"]),
        (["state:changed+"], [], ["base.b", "mart.c"]),
        (["+state:changed+"], ["a"], ["base.b", "mart.c"]),
        (["all"], ["state:changed"], ["base.a", "mart.d", "mart.c"]),
    ],
)
def test_selections(make_project: MakeProject, words: list[str], exclude: list[str], names: list[str]) -> None:
    found = build(make_project(TAGGED))
    assert list(graph.select(found, words, exclude=exclude, changed={"base.b", "no.longer"})) == names


def test_what_changed_is_asked_only_where_it_is_named(make_project: MakeProject) -> None:
    found = build(make_project(CHAIN))
    asked: list[bool] = []

    def changed() -> frozenset[str]:
        asked.append(True)
        return frozenset()

    assert graph.select(found, ["a"], changed=changed) == ("base.a",)
    assert not asked
    assert graph.select(found, ["state:changed"], changed=changed) == ()
    assert graph.select(found, ["+state:changed+"], exclude=["a"], changed=changed) == ()
    assert asked == [True, True]
    with pytest.raises(TsqError, match="what changed is not known here"):
        graph.select(found, ["state:changed"])


@pytest.mark.parametrize(
    ("words", "exclude", "said"),
    [
        ("mrt/", "", r"no layer is called mrt\n  hint: did you mean .*mart/"),
        ("base.aa", "", r"no model is called base.aa\n  hint: did you mean .*base\.a"),
        ("tag:slw", "", r"no model has the tag 'slw'\n  hint: did you mean tag:slow"),
        ("all", "tag:slw", r"did you mean tag:slow"),
        ("tag:", "", "no model has the tag ''"),
        ("tagg:slow", "", "tagg:slow selects nothing\n  hint: did you mean tag:slow"),
        ("state:chnged", "", "did you mean state:changed"),
        ("state:", "", "state: selects nothing"),
        (":", "", ": selects nothing"),
        ("+", "", r"no model is called \+"),
        ("++", "", r"no model is called \+"),
        ("++a", "", r"no model is called \+a"),
        ("/", "", "no layer is called"),
        ("extra/", "", "the layer extra has no models"),
        ("same", "", r"same could be base\.same or mart\.same"),
        ("", "", "the selection is empty"),
        (" , ", "", "the selection is empty"),
        ("tag:slow", "base/", "nothing is left of tag:slow without base/"),
        ("a", "b+,a", "nothing is left of a without"),
    ],
)
def test_a_word_that_means_nothing_is_guessed(make_project: MakeProject, words: str, exclude: str, said: str) -> None:
    more = {"models/base/same.sql": ONE, "models/mart/same.sql": ONE, "models/extra/_layer.yml": "doc: none yet\n"}
    layers = {"models/layers.yml": "order: [base, mart, extra]\n"}
    found = build(make_project({**TAGGED, **more, **layers}))
    with pytest.raises(TsqError) as caught:
        graph.select(found, [words], exclude=[exclude])
    assert re.search(said, str(caught.value))
    assert caught.value.hint


def model(name: str, text: str) -> tuple[str, str]:
    return f"models/{name}.sql", text


@pytest.mark.parametrize(
    ("files", "said", "file"),
    [
        ([model("base/a", "select x from mart.z"), model("mart/z", ONE)], "reads uphill", "a.sql"),
        (
            [model("base/a", PLACED), model("base/b", "select x from base.a"), model("mart/z", ONE)],
            "b reads uphill",
            "b.sql",
        ),
        ([model("base/a", PLACED.replace("mart", "marts", 1))], "a takes the place of marts", "a.sql"),
        (
            [model("base/a", "select x from base.b"), model("base/b", "select x from base.a")],
            "in a circle: base",
            ".sql",
        ),
        ([model("base/a", "select x from base.bb"), model("base/b", ONE)], "nothing makes", "a.sql"),
        ([model("base/a", "select x from nowhere")], "not a table of this project", "a.sql"),
        ([model("base/a", "select * from 'x.csv'")], "not a table of this project", "a.sql"),
        ([model("base/a", "select * from read_csv('x.csv')")], "a model reads tables", "a.sql"),
        ([model("base/a", "select * from 'https://example.com/x.parquet'")], "not a table of this project", "a.sql"),
        ([model("base/a", "select * from other.base.x")], "not a table of this project", "a.sql"),
        ([model("base/a", "select 1 as x; select 2 as y")], "one SELECT", "a.sql"),
        ([model("base/a", "drop table x")], "one SELECT", "a.sql"),
        ([model("base/a", "create table x as select 1")], "one SELECT", "a.sql"),
        ([model("base/a", "")], "one SELECT", "a.sql"),
        ([model("base/a", "select 1 +\nfrom where")], "not valid SQL", "a.sql:"),
        ([model("base/a", ONE), ("models/base/a.py", PYTHON.format(""))], "two files", "a.sql"),
        ([model("base/Big", ONE)], "cannot be the name", "Big.sql"),
        ([model("base/con", ONE)], "cannot be the name", "con.sql"),
        ([model("extra/a", ONE)], "no place in the order", "layers.yml"),
        (
            [
                model("mart/a", "select x from raw.t"),
                ("sql/raw/t.yml", "doc: d\nkey: [x]\ncolumns: {x: {type: DATE, doc: d}}\n"),
            ],
            r"reads raw\.t",
            "a.sql",
        ),
        (
            [model("base/a", '/*---\nchecks: [{rows: "x > 0", query: q}]\n---\n*/\nselect 1 as x')],
            "either `rows`",
            "a.sql",
        ),
        ([("models/layers.yml", "ordr: [base]\n")], "unknown key ordr", "layers.yml"),
        ([("models/layers.yml", "order: [base]\nevening: 18:30 Asia\n")], "evening is .18:30 Asia.", "layers.yml:2"),
        ([("models/layers.yml", "order: [base]\nevening: late\n")], "evening is .late.", "layers.yml:2"),
        ([("models/layers.yml", "order: [ops, base]\n"), model("ops/a", ONE)], "cannot be called ops", "layers.yml:1"),
        ([("models/layers.yml", "order: [raw, base]\n"), model("raw/a", ONE)], "cannot be called raw", "layers.yml:1"),
    ],
)
def test_a_bad_project_is_refused(
    make_project: MakeProject, files: list[tuple[str, str]], said: str, file: str
) -> None:
    with pytest.raises(TsqError, match=said) as caught:
        build(make_project({"models/base/ok.sql": ONE, **dict(files)}))
    assert file in str(caught.value.where)
    assert caught.value.hint
    assert caught.value.exit_code == 2


def test_comments_and_white_space_change_no_hash(make_project: MakeProject) -> None:
    root = make_project({"models/base/a.sql": ONE})
    before = build(root).nodes["base.a"].own_hash
    (root / "models/base/a.sql").write_text("-- why\nselect\n    1   as x /* one */\n", encoding="utf-8")
    assert build(root).nodes["base.a"].own_hash == before
    (root / "models/base/a.sql").write_text("select 2 as x", encoding="utf-8")
    assert build(root).nodes["base.a"].own_hash != before


def test_python_models_name_their_tables(make_project: MakeProject) -> None:
    root = make_project({**CHAIN, "models/mart/p.py": PYTHON.format("b, mart__c, *, n_rows")})
    node = build(root).nodes["mart.p"]
    assert node.reads == ("base.b", "mart.c")
    assert node.knobs == {"n_rows": 5}
    for arguments, said in [("zz", "nothing makes"), ("*, zz", "unknown knob")]:
        (root / "models/mart/p.py").write_text(PYTHON.format(arguments), encoding="utf-8")
        with pytest.raises(TsqError, match=said):
            build(root)
    (root / "models/mart/b.sql").write_text(ONE, encoding="utf-8")
    (root / "models/mart/p.py").write_text(PYTHON.format("b"), encoding="utf-8")
    with pytest.raises(TsqError, match="could be"):
        build(root)


def test_there_are_at_most_six_python_models(make_project: MakeProject) -> None:
    with pytest.raises(TsqError, match="at most 6"):
        build(make_project({f"models/base/p{i}.py": PYTHON.format("") for i in range(7)}))


def test_templates_list_tables_of_a_layer(make_project: MakeProject) -> None:
    union = (
        "{% for t in tables('base') %}\n"
        "select x * {{ t.meta.sign | default(1) }} as x, {{ t.table }} as name from {{ t.name | ident }}\n"
        "{{ 'union all' | sql if not loop.last else '' | sql }}\n"
        "{% endfor %}"
    )
    files = {
        "models/base/a.sql": "/*---\nmeta: {sign: -1}\n---\n*/\nselect 1 as x",
        "models/base/b.sql": "select 2 as x",
        "models/mart/all_of.sql": union,
    }
    node = build(make_project(files)).nodes["mart.all_of"]
    assert node.reads == ("base.a", "base.b")
    assert "x * -1" in node.sql
    with pytest.raises(TsqError, match="no such layer"):
        build(make_project({"models/mart/all_of.sql": "select {{ tables('bse') | length }} as n"}))


def test_a_view_reads_no_sources(make_project: MakeProject) -> None:
    dataset = "doc: prices\nkey: [day]\ncolumns:\n  day: {type: DATE, doc: d}\n"
    view = "/*---\nkind: view\n---\n*/\nselect day from raw.prices"
    root = make_project({"sql/raw/prices.yml": dataset, "models/base/v.sql": view})
    with pytest.raises(TsqError, match=r"base\.v is a view of raw\.prices"):
        build(root)

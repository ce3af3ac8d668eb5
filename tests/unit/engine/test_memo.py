from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tsq import config
from tsq.engine import catalog, memo
from tsq.engine.compile import Compiled, compile_catalog

MakeProject = Callable[[Mapping[str, str]], Path]

MARKET = {
    "sql/macros/twice.sql": "{% macro twice(x) %}({{ x | sql }} * 2){% endmacro %}",
    "models/base/rows.sql": "/*---\ngrain: [i]\nchecks: ['i < {{ n_rows }}']\n---\nRows.\n*/\nselect i from range({{ n_rows }}) t(i)\n",
    "models/mart/total.sql": "select {{ twice('sum(i)') }} as total from base.rows",
    "models/mart/wide.sql": "select {% for t in tables('base') %} count(*) as {{ t.table | ident }}, {% endfor %} from base.rows",
    "models/mart/made.py": '"""---\ngrain: [i]\n---\nMade.\n"""\ndef model(rows, *, n_rows):\n    return rows\n',
}


def compiled(root: Path, sets: tuple[str, ...] = ()) -> dict[str, Compiled]:
    return compile_catalog(catalog.read(config.load(root, sets=sets)), root / "memory.json")


def forbid(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the models that are compiled from here on."""
    seen: list[str] = []
    for name in ("_sql_model", "_python_model"):
        made = compile_catalog.__globals__[name]

        def note(model, *rest, made=made):
            seen.append(model.name)
            return made(model, *rest)

        monkeypatch.setitem(compile_catalog.__globals__, name, note)
    return seen


def test_what_is_remembered_equals_what_was_compiled(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch):
    root = make_project(MARKET)
    first = compiled(root)
    seen = forbid(monkeypatch)
    assert compiled(root) == first
    assert seen == []


def test_an_edited_model_alone_is_compiled_again(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch):
    root = make_project(MARKET)
    compiled(root)
    seen = forbid(monkeypatch)
    (root / "models/mart/total.sql").write_text("select sum(i) as total from base.rows", encoding="utf-8")
    assert compiled(root)["mart.total"].sql == "select sum(i) as total from base.rows"
    assert seen == ["mart.total"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("sql/macros/twice.sql", "{% macro twice(x) %}(2 * {{ x | sql }}){% endmacro %}"),
        ("models/base/more.sql", "select i from base.rows"),
        ("models/base/_layer.yml", "doc: Rows.\n"),
        ("config/run.yml", "# Rows.\nn_rows: 6\nlabel: it's\n"),
    ],
)
def test_what_a_template_sees_decides_too(make_project: MakeProject, path: str, text: str):
    root = make_project(MARKET)
    compiled(root)
    (root / path).write_text(text, encoding="utf-8")
    fresh = compile_catalog(catalog.read(config.load(root)))
    assert compiled(root) == fresh


@pytest.mark.parametrize(
    ("sets", "files", "names"),
    [
        (("label=other",), {}, []),
        (("n_rows=7",), {}, ["base.rows", "mart.made"]),
        (("year=2",), {}, ["mart.total"]),
        ((), {"models/base/more.sql": "select i from base.rows"}, ["base.more", "mart.made", "mart.wide"]),
        ((), {"models/base/rows.sql": "select 1 as i"}, ["base.rows"]),
    ],
)
def test_only_models_that_see_a_change_are_compiled_again(
    make_project: MakeProject,
    monkeypatch: pytest.MonkeyPatch,
    sets: tuple[str, ...],
    files: Mapping[str, str],
    names: list[str],
):
    root = make_project({**MARKET, "config/run.yml": "# Rows.\nn_rows: 5\nlabel: it's\nyear: 1\n"})
    (root / "models/mart/total.sql").write_text("select sum(i) + {{ year }} as total from base.rows", encoding="utf-8")
    compiled(root)
    seen = forbid(monkeypatch)
    for name, text in files.items():
        (root / name).write_text(text, encoding="utf-8")
    compiled(root, sets)
    assert sorted(seen) == names


def test_a_knob_of_a_macro_counts_everywhere(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch):
    root = make_project(
        {**MARKET, "sql/macros/twice.sql": "{% macro twice(x) %}{{ x | sql }} * {{ n_rows }}{% endmacro %}"}
    )
    compiled(root)
    seen = forbid(monkeypatch)
    assert "* 7" in compiled(root, ("n_rows=7",))["mart.total"].sql
    assert len(seen) == len(compiled(root))


def test_a_knob_at_the_start_of_a_check_s_line_counts(make_project: MakeProject):
    text = "/*---\nchecks:\n  - |\n    i <\n    {{n_rows}}\n---\n*/\nselect 1 as i"
    root = make_project({"models/base/one.sql": text})
    assert "5" in compiled(root)["base.one"].rules[0].sql
    assert "7" in compiled(root, ("n_rows=7",))["base.one"].rules[0].sql
    knob_first = text.replace("{{n_rows}}", "{{\n    n_rows }}")
    (root / "models/base/one.sql").write_text(knob_first, encoding="utf-8")
    assert "5" in compiled(root)["base.one"].rules[0].sql
    assert "7" in compiled(root, ("n_rows=7",))["base.one"].rules[0].sql


def test_another_knob_is_another_entry(make_project: MakeProject):
    root = make_project(MARKET)
    assert "range(5)" in compiled(root)["base.rows"].sql
    assert "range(7)" in compiled(root, ("n_rows=7",))["base.rows"].sql
    assert "range(5)" in compiled(root)["base.rows"].sql


@pytest.mark.parametrize("text", ["", "{", "[1]"])
def test_a_broken_memory_is_no_memory(make_project: MakeProject, text: str):
    root = make_project(MARKET)
    first = compiled(root)
    (root / "memory.json").write_text(text, encoding="utf-8")
    assert compiled(root) == first
    assert len(memo.load(root / "memory.json")) == len(first)


def test_a_folder_that_cannot_be_written_remembers_nothing(tmp_path: Path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    memo.save(tmp_path / "file" / "memory.json", {"key": {}})
    assert memo.load(tmp_path / "file" / "memory.json") == {}

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsq.engine.template import Renderer, identifier, literal
from tsq.errors import TsqError

FILE = Path("models/base/x.sql")


def render(text: str, macros: list[Path] | None = None, **names: object) -> str:
    return Renderer(names, macros or []).render(text, FILE, 7).sql


@given(st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_text_never_leaves_its_quotes(text: str) -> None:
    assert duckdb.execute(f"select {literal(text)}").fetchone() == (text,)


@given(
    st.one_of(
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.dates(min_value=dt.date(1, 1, 1)),
        st.none(),
    )
)
def test_a_literal_is_read_back_as_the_value(value: object) -> None:
    assert duckdb.execute(f"select {literal(value)}").fetchone() == (value,)


def test_times_and_lists_have_literals() -> None:
    moment = dt.datetime(2024, 1, 2, 18, 30, tzinfo=dt.UTC)
    assert duckdb.execute(f"select epoch({literal(moment)})").fetchone() == (moment.timestamp(),)
    assert literal(("a", 1)) == "('a', 1)"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), (), object()])
def test_a_value_without_literal_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"literal|number"):
        literal(value)


def test_a_knob_cannot_inject_sql() -> None:
    assert render("select {{ label }}", label="x' or '1'='1") == "select 'x'' or ''1''=''1'"


def test_identifiers_are_checked() -> None:
    assert identifier("factors.low_vol") == "factors.low_vol"
    with pytest.raises(ValueError, match="not an identifier"):
        identifier("a; drop table b")


def test_macros_return_sql_and_may_use_each_other(tmp_path: Path) -> None:
    macros = tmp_path / "m.sql"
    macros.write_text(
        "{% macro twice(x) %}2 * ({{ x | sql }}){% endmacro %}\n"
        "{% macro more(x) %}{{ twice(x) }} + {{ n }}{% endmacro %}",
        encoding="utf-8",
    )
    assert render("select {{ more('a < b') }}", [macros], n=3) == "select 2 * (a < b) + 3"


def test_lines_survive_loops() -> None:
    text = "select\n{% for i in range(2) %}\n    {{ i }} as c,\n{% endfor %}\n    bad\nfrom t"
    rendered = Renderer({}).render(text, FILE, 10)
    lines = dict(zip((line.strip() for line in rendered.sql.split("\n")), rendered.lines, strict=True))
    assert lines["select"] == 10
    assert lines["0 as c,"] == lines["1 as c,"] == 12
    assert lines["bad"] == 14
    assert lines["from t"] == 15


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("select {{ labl }}", "unknown name labl", 7),
        ("select\n{{ 'a' * 100000000 }}", "not allowed", 8),
        ("select {{ ().__class__ }}", "unsafe", 7),
        ("{% include 'config/run.yml' %}", "no template", 7),
        ("a\n{% for %}", "not a valid template", 8),
        ("{{ label.nope }}", "no attribute", 7),
        ("{{ (1, 2)[7] }}", "has no element", 7),
        ("{{ range(1000000000) }}", "Range too big", 7),
    ],
)
def test_a_wrong_template_names_its_line(text: str, said: str, line: int) -> None:
    with pytest.raises(TsqError) as caught:
        render(text, label="x")
    assert said in caught.value.what
    assert caught.value.where == f"{FILE}:{line}"


def test_an_unknown_name_is_guessed() -> None:
    with pytest.raises(TsqError, match=r"did you mean label\?"):
        render("{{ labl }}", label="x")


def test_output_is_bounded() -> None:
    loops = "{% for i in range(99999) %}{% for j in range(99999) %}xxxxxxxxxxxxxxxx{% endfor %}{% endfor %}"
    with pytest.raises(TsqError, match="goes on"):
        render(loops)


def test_a_macro_cannot_take_the_name_of_a_knob(tmp_path: Path) -> None:
    macros = tmp_path / "m.sql"
    macros.write_text("{% macro label(x) %}1{% endmacro %}", encoding="utf-8")
    with pytest.raises(TsqError, match="taken already"):
        Renderer({"label": 1}, [macros])

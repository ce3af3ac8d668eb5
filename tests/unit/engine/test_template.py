from __future__ import annotations

import datetime as dt
import re
import tracemalloc
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


def test_a_text_uses_what_its_macros_use(tmp_path: Path) -> None:
    macros = tmp_path / "m.sql"
    macros.write_text(
        "{% macro outer(x) %}{{ inner() }} + {{ x }}{% endmacro %}\n"
        "{% macro inner() %}{{ n }}{% endmacro %}\n"
        "{% macro other() %}{{ unused }}{% endmacro %}",
        encoding="utf-8",
    )
    rendered = Renderer({"n": 3, "x": 4, "unused": 5}, [macros]).render("select {{ outer(1) }}", FILE)
    assert rendered.names == {"outer", "inner", "n"}


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


DOUBLED = "{% set a = 'xxxxxxxxxx' %}"
ROUND = "{% for i in range(900) %}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{% for i in range(99999) %}{% for j in range(99999) %}xxxx{% endfor %}{% endfor %}", "50,000 steps"),
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "50,000 steps"),
        (ROUND * 2 + "{{ 'xxxxx' }}" + "{% endfor %}" * 2, "50,000 steps"),
        (ROUND + "xxxxxxxxxx" * 300 + "{% endfor %}", "writes more than 2,000,000 characters"),
        (ROUND + "{{ 'xxxxxxxxxx' ~ label }}" * 300 + "{% endfor %}", "50,000 steps"),
        (DOUBLED + "{% set a = a ~ a ~ a ~ a ~ a %}" * 20 + "{{ a }}", "characters"),
        (DOUBLED + "{% set a = a + a + a + a + a %}" * 20 + "{{ a }}", "characters"),
        (DOUBLED + "{% set a = [a, a, a]|join(a) %}" * 20 + "{{ a }}", "characters"),
        (DOUBLED + "{% set a = a|replace('x', a) %}" * 20 + "{{ a }}", "characters"),
        (DOUBLED + "{% set a %}{{ a }}{{ a }}{{ a }}{% endset %}" * 20 + "{{ a }}", "characters"),
        (DOUBLED + "{% set a = a ~ a ~ a %}" * 10 + ROUND + "{% set b = a.upper() %}{% endfor %}", "on its way"),
        (DOUBLED + "{% set a = a ~ a ~ a %}" * 10 + ROUND + "{% set b = a|upper %}{% endfor %}", "on its way"),
        ("{% set a = [1] %}" + "{% set a = a + a + a + a + a %}" * 20 + "{{ a|length }}", "characters"),
        ("{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}", "calls itself without end"),
        ("{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(60) }}", "50,000 steps"),
        ("{% block a %}{{ self.a() }}{% endblock %}", "calls itself without end"),
        ("{{ 9**9**9 }}", "a number without end"),
        ("{% set n = 2**64 %}" + "{% set n = n * n %}" * 40 + "{{ n }}", "a number without end"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "nested too deeply"),
        ("{{ 'a'|center(1000000000) }}", "No filter named 'center'"),
        ("{{ 'a'.ljust(1000000000) }}", "'ljust' of 'str' object is unsafe"),
        ("{{ '{:>1000000000}'.format(1) }}", "'format' of 'str' object is unsafe"),
        ("{{ '%1000000000d' % 1 }}", "% of str and int is not allowed"),
        ("{{ (1).to_bytes(1000000000, 'big') }}", "'to_bytes' of 'int' object is unsafe"),
        ("{{ label|attr('__class__') }}", "No filter named 'attr'"),
        ("{{ [label]|map(attribute='__class__')|list }}", "unsafe"),
        ("{% import 'x' as y %}", "no template x"),
    ],
)
def test_what_a_template_does_is_bounded_before_it_is_done(text: str, said: str) -> None:
    with pytest.raises(TsqError, match=re.escape(said)) as caught:
        render(text, label="x")
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'a' * 1000000000 }}",
        "{{ 'a'|center(1000000000) }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ (1).to_bytes(1000000000, 'big') }}",
        DOUBLED + "{% set a = a ~ a ~ a ~ a ~ a %}" * 20 + "{{ a }}",
        DOUBLED + "{% set a = a|replace('x', a) %}" * 20 + "{{ a }}",
    ],
)
def test_a_text_without_end_is_not_made_even_for_a_moment(text: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TsqError):
            render(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000_000


def test_macro_files_are_bounded_too(tmp_path: Path) -> None:
    macros = tmp_path / "m.sql"
    macros.write_text("{% macro f() %}{{ f() }}{% endmacro %}\n{{ f() }}", encoding="utf-8")
    with pytest.raises(TsqError, match="calls itself without end") as caught:
        Renderer({}, [macros])
    assert str(caught.value.where).startswith(str(macros))


def test_bounds_are_of_one_template_not_of_all() -> None:
    renderer = Renderer({})
    for _ in range(3):
        assert renderer.render("{% for i in range(30000) %}{% endfor %}x", FILE).sql == "x"


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("{{ ['a', 'b']|join(', ')|sql }}", "a, b"),
        ("{{ 'A_b'|replace('_', ' ')|lower }}", "'a b'"),
        ("{{ ('x_' ~ label)|ident }}", "x_it"),
        ("{{ label.upper() }}", "'IT'"),
        ("{{ 2 ** 3 * 1.5 }}", "12.0::DOUBLE"),
        ("{{ 7 % 4 }}", "3"),
        ("{{ [1, 2] + [3] }}", "(1, 2, 3)"),
        ("{% for k in [1, 2] %}{{ k }}{{ ', ' | sql if not loop.last else '' | sql }}{% endfor %}", "1, 2"),
        ("{% for k in [1, 2] %}{{ loop.length }}{% endfor %}", "22"),
        ("{% for k, v in {'a': 1}.items() %}{{ k | sql }}={{ v }}{% endfor %}", "a=1"),
        ("{{ [3, 1]|sort|first }}", "1"),
    ],
)
def test_what_templates_need_works(text: str, sql: str) -> None:
    assert render(text, label="it") == sql


def test_a_macro_cannot_take_the_name_of_a_knob(tmp_path: Path) -> None:
    macros = tmp_path / "m.sql"
    macros.write_text("{% macro label(x) %}1{% endmacro %}", encoding="utf-8")
    with pytest.raises(TsqError, match="taken already"):
        Renderer({"label": 1}, [macros])

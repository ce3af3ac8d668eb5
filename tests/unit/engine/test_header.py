from __future__ import annotations

from pathlib import Path

import pytest

from tsq.engine.header import read_python, read_sql
from tsq.errors import TsqError

FILE = Path("models/base/x.sql")
GOOD = """/*---
grain: [date, id]
meta: {sleeve: momentum, sign: 1}
columns:
  value: {type: DOUBLE, unit: ratio, doc: "what"}
checks:
  - "value > 0"
  - "select * from base.x where value > 9"
  - {rows: "value < 9", level: warn, name: small}
---
What a row is.
*/

select 1 as value
"""


def test_a_header_is_read_whole() -> None:
    parts = read_sql(GOOD, FILE)
    header = parts.header
    assert header.grain == ("date", "id")
    assert header.meta == {"sleeve": "momentum", "sign": 1}
    assert header.columns["value"].unit == "ratio"
    assert [bool(check.query) for check in header.checks] == [False, True, False]
    assert header.checks[2].level == "warn"
    assert parts.prose == "What a row is."
    assert parts.body.startswith("select 1")
    assert GOOD.split("\n")[parts.body_line - 1] == "select 1 as value"


def test_no_header_is_an_empty_one() -> None:
    parts = read_sql("select 1", FILE)
    assert parts.header.grain == ()
    assert parts.body_line == 1


@pytest.mark.parametrize(
    ("text", "said", "where"),
    [
        ("/*---\ngrian: [a]\n---\n*/ select 1", "unknown header key grian", f"{FILE}:2"),
        ("/*---\ngrain: 5\n---\n*/ select 1", "header key grain", f"{FILE}:2"),
        ("/*---\nkind: tabel\n---\n*/ select 1", "header key kind", f"{FILE}:2"),
        ("/*---\nchecks: [{rwos: a}]\n---\n*/ select 1", "unknown header key rwos", f"{FILE}:2"),
        ("/*---\nmeta: {}\n select 1", "never closed", f"{FILE}:1"),
        ("/*---\nmeta: {}\n*/ select 1", "does not end", f"{FILE}:1"),
        ("/*---\ngrain: [a\n---\n*/ select 1", "not valid YAML", f"{FILE}:3"),
        ("/*---\nkind: view\nkind: table\n---\n*/ select 1", "stands twice", f"{FILE}:3"),
        ("/*---\n- a\n---\n*/ select 1", "key: value", f"{FILE}:2"),
    ],
)
def test_a_wrong_header_names_its_line(text: str, said: str, where: str) -> None:
    with pytest.raises(TsqError) as caught:
        read_sql(text, FILE)
    assert said in caught.value.what
    assert caught.value.where == where


def test_an_unknown_key_is_guessed() -> None:
    with pytest.raises(TsqError, match=r"did you mean grain\?"):
        read_sql("/*---\ngrian: [a]\n---\n*/ select 1", FILE)


PYTHON = '"""---\n{header}\n---\nProse.\n"""\n{rest}\n'


def test_a_python_header_is_read_without_importing() -> None:
    rest = "raise SystemExit\n\ndef model(prices, config__x, *, n_rows):\n    ..."
    parts = read_python(PYTHON.format(header="grain: [a]", rest=rest), FILE)
    assert parts.tables == ("prices", "config__x")
    assert parts.knobs == ("n_rows",)
    assert parts.header.grain == ("a",)
    assert parts.prose == "Prose."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def model(:", "not valid Python"),
        ("def model(a):\n    ...", "opens with a docstring"),
        ('"""---\ngrain: [a]\n"""\ndef model(a): ...', "does not end"),
        (PYTHON.format(header="grain: [a]", rest=""), "one function called model"),
        (PYTHON.format(header="grain: [a]", rest="def model(a, *rest): ..."), "named tables"),
        (PYTHON.format(header="grain: [a]", rest="def model(a, *, k=1): ..."), "without defaults"),
    ],
)
def test_a_wrong_python_model_is_refused(text: str, said: str) -> None:
    with pytest.raises(TsqError, match=said):
        read_python(text, FILE)

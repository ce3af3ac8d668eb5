from __future__ import annotations

from pathlib import Path

import pytest

from tsq.engine import cases
from tsq.errors import TsqError


@pytest.fixture
def write(tmp_path: Path) -> object:
    def make(text: str) -> Path:
        path = tmp_path / "mart.x.yml"
        path.write_text(text, encoding="utf-8")
        return path

    return make


def test_a_file_is_a_list_of_cases(write) -> None:  # type: ignore[no-untyped-def]
    path = write("- name: one\n  why: >-\n    because\n    of this\n  expect: []\n- name: two\n  expect_error: no\n")
    one, two = cases.read_file(path)
    assert (one.model, one.name, one.why, one.where) == ("mart.x", "one", "because of this", f"{path}:1")
    assert one.expect is not None
    assert one.expect.rows == ()
    assert (two.where, two.expect, two.expect_error) == (f"{path}:6", None, "no")


def test_cases_share_what_stands_above_them_and_change_it(write) -> None:  # type: ignore[no-untyped-def]
    path = write(
        "knobs: {a: 1, b: 2}\n"
        "given: {base.t: [{x: 1}], base.u: [{y: 1}]}\n"
        "cases:\n"
        "  - {name: same, expect: []}\n"
        "  - {name: other, knobs: {b: 3}, given: {base.u: []}, expect: []}\n"
    )
    same, other = cases.read_file(path)
    assert {name: value for name, (value, _) in same.knobs.items()} == {"a": 1, "b": 2}
    assert {name: value for name, (value, _) in other.knobs.items()} == {"a": 1, "b": 3}
    assert other.knobs["b"][1] == f"{path}:5"
    assert [len(rows.rows) for rows in same.given.values()] == [1, 1]
    assert [len(rows.rows) for rows in other.given.values()] == [1, 0]


def test_files_are_read_by_the_model_they_are_named_after(tmp_path: Path) -> None:
    (tmp_path / "mart.b.yml").write_text("- {name: n, expect: []}\n", encoding="utf-8")
    (tmp_path / "mart.a.yml").write_text("- {name: n, expect: []}\n", encoding="utf-8")
    assert list(cases.read_folder(tmp_path)) == ["mart.a", "mart.b"]
    assert cases.read_folder(tmp_path / "nothing") == {}


@pytest.mark.parametrize(
    ("text", "said", "line", "hint"),
    [
        ("- name: n\n  expct: []\n", "unknown key expct", 2, "did you mean expect?"),
        ("cases: []\n", "no cases", 1, "list"),
        ("case: []\n", "unknown key case", 1, "did you mean cases?"),
        ("- expect: []\n", "no name", 1, "what must be true"),
        ("- name: n\n", "expects nothing", 1, "expect"),
        ("- name: n\n  expect: []\n  fails_check: c\n", "several things", 1, "expect"),
        ("- {name: n, expect: []}\n- {name: n, expect: []}\n", "two cases are called 'n'", 2, ":1"),
        ("- name: n\n  expect: []\n  tolerance: tiny\n", "tolerance is not a number", 3, "1e-6"),
        ("- name: n\n  expect: []\n  ordered: 1\n", "true or false", 3, None),
        ("- name: n\n  fails_check: c\n  ordered: true\n", "ordered without expect", 3, "expected rows"),
        ("- name: n\n  expect: []\n  where: 1\n", "where is text", 3, "quotes"),
        ("- name: n\n  fails_check: [1]\n", "fails_check is text", 2, "quotes"),
        ("- name: n\n  given: []\n  expect: []\n", "given is not", 2, None),
    ],
)
def test_a_mistake_names_its_line(write, text: str, said: str, line: int, hint: str | None) -> None:  # type: ignore[no-untyped-def]
    path = write(text)
    with pytest.raises(TsqError, match=said) as error:
        cases.read_file(path)
    assert error.value.where == f"{path}:{line}"
    assert hint is None or hint in str(error.value.hint)

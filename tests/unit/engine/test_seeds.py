"""Tables of settings: what a file may say, and where a mistake in it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsq.engine import seeds
from tsq.engine.datasets import read_dataset
from tsq.errors import TsqError

SCHEMA = """doc: One row is a thing.
key: [name]
file: config/things.{suffix}
columns:
  name: {{type: VARCHAR, doc: "its name"}}
  share: {{type: DOUBLE, default: 0.25, above: 0, max: 1, doc: "part of the whole"}}
  count: {{type: INTEGER, min: 2, doc: "how many"}}
  size: {{type: DOUBLE, doc: "any number"}}
"""


def things(root: Path, text: str, suffix: str = "yml") -> seeds.Seed:
    """The table a text of settings makes."""
    for folder in ("sql", "config"):
        (root / folder).mkdir(exist_ok=True)
    (root / "sql" / "things.yml").write_text(SCHEMA.format(suffix=suffix), encoding="utf-8")
    (root / "config" / f"things.{suffix}").write_text(text, encoding="utf-8")
    return seeds.read(read_dataset(root / "sql" / "things.yml"), root)


def test_what_is_not_said_has_its_default(tmp_path):
    assert things(tmp_path, "a: {share: 1, count: 2}\nb: {}\n").rows == (("a", 1.0, 2, None), ("b", 0.25, None, None))


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("share: 0", "share is 0, not above 0, at most 1"),
        ("share: 1.01", "share is 1.01, not above 0, at most 1"),
        ("count: 1", "count is 1, not at least 2"),
        ("shear: 0.5", "unknown column shear"),
        ("count: 2.5", "count is 2.5, which is not a INTEGER"),
    ],
)
def test_a_mistake_in_yaml_is_shown_on_its_own_line(tmp_path, said, what):
    with pytest.raises(TsqError) as refused:
        things(tmp_path, f"a:\n  share: 0.5\nb:\n  size: 1\n  {said}\n")
    assert refused.value.what == what
    assert str(refused.value.where).endswith("things.yml:5")


@pytest.mark.parametrize(
    ("said", "what"), [("1,0", "share is '0', not above 0, at most 1"), ("1,inf", "share is 'inf', not above 0")]
)
def test_a_mistake_in_csv_is_shown_on_its_line(tmp_path, said, what):
    with pytest.raises(TsqError) as refused:
        things(tmp_path, f"size,share,name\n2,1,a\n{said},b\n", "csv")
    assert refused.value.what.startswith(what)
    assert str(refused.value.where).endswith("things.csv:3")


def test_a_number_without_a_range_is_finite(tmp_path):
    with pytest.raises(TsqError, match="size is 'nan', not finite"):
        things(tmp_path, "size,name\nnan,a\n", "csv")


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("min: 2", "min: two", "column count: min is 'two'"),
        ("name: {type: VARCHAR,", "name: {type: VARCHAR, max: 3,", "column name: max is 3"),
        ("file: config/things.yml\n", "", "column share has a range, which is for files of the project"),
    ],
)
def test_a_range_is_one_of_numbers_in_a_file_of_the_project(tmp_path, before, after, what):
    schema = SCHEMA.format(suffix="yml")
    assert before in schema
    (tmp_path / "things.yml").write_text(schema.replace(before, after), encoding="utf-8")
    with pytest.raises(TsqError) as refused:
        read_dataset(tmp_path / "things.yml")
    assert refused.value.what == what

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tsq import config
from tsq.errors import TsqError, did_you_mean

MakeProject = Callable[[Mapping[str, str]], Path]
RUN = "# Rows.\nn_rows: 5\nratio: 0.5\nlabel: x\nnames: [a, b]\nflag: true\n"


@pytest.fixture
def root(make_project: MakeProject) -> Path:
    return make_project({"config/run.yml": RUN, "config/profiles/small.yml": "n_rows: 2\n"})


def test_knobs_keep_their_types_and_origins(root: Path) -> None:
    project = config.load(root)
    assert dict(project.knobs) == {"n_rows": 5, "ratio": 0.5, "label": "x", "names": ("a", "b"), "flag": True}
    assert project.origins["ratio"] == "config/run.yml:3"


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("n_rows=7", 7),
        ("n_rows=1e3", 1000),
        ("ratio=2", 2.0),
        ("label=7", "7"),
        ("label=a: b", None),
        ("names=c", ("c",)),
        ("names=[c, d]", ("c", "d")),
        ("flag=false", False),
    ],
)
def test_an_override_takes_the_type_of_the_knob(root: Path, item: str, value: object) -> None:
    name = item.partition("=")[0]
    if value is None:
        with pytest.raises(TsqError):
            config.load(root, sets=[item])
    else:
        project = config.load(root, sets=[item])
        assert project.knobs[name] == value
        assert type(project.knobs[name]) is type(value)
        assert project.origins[name] == f"--set {item}"


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("n_row=1", r"unknown knob n_row"),
        ("n_rows=1.5", "is int"),
        ("n_rows=true", "is int"),
        ("flag=1", "is bool"),
        ("ratio=high", "is float"),
        ("ratio", "has no value"),
        ("ratio={a: 1}", "one value or a flat list"),
    ],
)
def test_a_wrong_override_is_refused(root: Path, item: str, said: str) -> None:
    with pytest.raises(TsqError, match=said):
        config.load(root, sets=[item])


def test_a_profile_lies_between_the_file_and_the_command(root: Path) -> None:
    assert config.load(root, profile="small").knobs["n_rows"] == 2
    assert config.load(root, profile="small", sets=["n_rows=3"]).knobs["n_rows"] == 3
    with pytest.raises(TsqError, match="unknown profile"):
        config.load(root, profile="smal")


def test_a_project_is_found_from_below(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "models")
    assert config.load().root == root
    with pytest.raises(TsqError, match="no tsq project here"):
        config.find_root(root.parent)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "stands twice"),
        ("a: &x 1\nb: *x\n", "alias"),
        ("<<: {a: 1}\n", "plain text"),
        ("a: [1\n", "not valid YAML"),
        ("- a\n", "key: value"),
        ("a: {b: 1}\n", "one value or a flat list"),
    ],
)
def test_configuration_is_strict(root: Path, text: str, said: str) -> None:
    (root / "config/run.yml").write_text(text, encoding="utf-8")
    with pytest.raises(TsqError, match=said) as caught:
        config.load(root)
    assert "run.yml" in str(caught.value.where)


def test_yaml_is_read_as_its_second_edition(root: Path) -> None:
    (root / "config/run.yml").write_text(
        "a: NO\nb: 1:30\nc: 012\nd: 2024-01-02\ne: ~\nf: 'true'\ng: 2024-13-01\n", encoding="utf-8"
    )
    knobs = config.load(root).knobs
    assert (knobs["a"], knobs["b"], knobs["c"], str(knobs["d"])) == ("NO", "1:30", "012", "2024-01-02")
    assert (knobs["e"], knobs["f"], knobs["g"]) == (None, "true", "2024-13-01")


def test_guesses() -> None:
    assert did_you_mean("lable", ["label", "other"]) == "did you mean label?"
    assert did_you_mean("zzz", ["label"]) == "known: label"
    assert did_you_mean("zzz", []) == "there are none yet"

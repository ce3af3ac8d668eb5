from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.engine import made_builds
from tsq.engine import builds
from tsq.engine import manifest as manifests
from tsq.errors import TsqError

IDS = tuple(f"2024010{day}T120000-{day}{letter * 5}" for day, letter in ((1, "a"), (2, "b"), (3, "c"), (4, "d")))


def add(folder: Path, run_id: str) -> Path:
    """A build as a run seals it: its file, its manifest, and a hash that holds."""
    build = folder / f"{run_id}.duckdb"
    manifest = made_builds.write(build, {"mart.t": "select 1 as i"}, run_id)
    state = build.stat()
    known = replace(manifest, file_bytes=state.st_size, file_mtime_ns=state.st_mtime_ns)
    manifests.write(known, build.with_suffix(".json"))
    return build


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "warehouse"
    for run_id in IDS:
        add(folder / "builds", run_id)
    return folder


@pytest.fixture
def pointer(made: Path, tmp_path: Path) -> Path:
    """Four builds, the third of them published."""
    shutil.copytree(made, tmp_path / "warehouse")
    pointer = tmp_path / "warehouse" / "tsq.duckdb"
    builds.point(pointer, pointer.parent / "builds" / f"{IDS[2]}.duckdb")
    return pointer


def folder(pointer: Path) -> Path:
    return pointer.parent / "builds"


def test_a_word_finds_its_build(pointer: Path) -> None:
    builds.name_build(folder(pointer), "trial", IDS[0])
    words = {IDS[3]: 3, "20240102": 1, IDS[1][:-1]: 1, "trial": 0, "published": 2, "previous": 1}
    assert {word: builds.resolve(pointer, word).stem for word in words} == {w: IDS[n] for w, n in words.items()}


@pytest.mark.parametrize(
    ("word", "said", "hint"),
    [
        ("2024", "could be", "more of the run id"),
        ("trail", "no build is called trail", "did you mean trial?"),
        ("publish", "no build is called", "did you mean published?"),
        ("", "no build is called", "tsq builds"),
        ("../tsq", "no build is called", "tsq builds"),
    ],
)
def test_a_word_that_means_no_build_is_told_the_nearest(pointer: Path, word: str, said: str, hint: str) -> None:
    builds.name_build(folder(pointer), "trial", IDS[0])
    with pytest.raises(TsqError, match=said) as caught:
        builds.resolve(pointer, word)
    assert hint in str(caught.value.hint)


def test_nothing_before_the_oldest_and_nothing_published(pointer: Path) -> None:
    builds.point(pointer, folder(pointer) / f"{IDS[0]}.duckdb")
    with pytest.raises(TsqError, match="no build is kept that is older"):
        builds.resolve(pointer, "previous")
    pointer.unlink()
    with pytest.raises(TsqError, match="nothing has been published"):
        builds.resolve(pointer, "published")


def test_a_name_moves_and_is_forgotten(pointer: Path) -> None:
    builds.name_build(folder(pointer), "trial", IDS[0])
    builds.name_build(folder(pointer), "trial", IDS[1])
    builds.name_build(folder(pointer), "other", IDS[1])
    assert builds.names(folder(pointer)) == {"other": IDS[1], "trial": IDS[1]}
    assert not list(folder(pointer).glob("*.tmp"))
    assert builds.forget(folder(pointer), "trial") == IDS[1]
    assert builds.names(folder(pointer)) == {"other": IDS[1]}
    with pytest.raises(TsqError, match="no build is called trial"):
        builds.forget(folder(pointer), "trial")


@pytest.mark.parametrize("name", ["", "Trial", "1st", IDS[0], "a b", "../x", "previous", "published", "con", "x" * 70])
def test_what_cannot_be_a_name(pointer: Path, name: str) -> None:
    with pytest.raises(TsqError):
        builds.name_build(folder(pointer), name, IDS[0])
    assert builds.names(folder(pointer)) == {}


def test_only_whole_builds_have_names(pointer: Path) -> None:
    (folder(pointer) / f"{IDS[0]}.json").unlink()
    with pytest.raises(TsqError, match="there is no build"):
        builds.name_build(folder(pointer), "trial", IDS[0])
    with pytest.raises(TsqError, match="no build is called"):
        builds.resolve(pointer, IDS[0])


def test_a_name_of_a_build_that_is_gone_says_so(pointer: Path) -> None:
    builds.name_build(folder(pointer), "trial", IDS[0])
    (folder(pointer) / f"{IDS[0]}.duckdb").unlink()
    with pytest.raises(TsqError, match="which is gone") as caught:
        builds.resolve(pointer, "trial")
    assert "--forget trial" in str(caught.value.hint)


def test_kept_builds_are_told_newest_first(pointer: Path) -> None:
    builds.name_build(folder(pointer), "trial", IDS[0])
    (folder(pointer) / f"{IDS[1]}.json").write_text("{}", encoding="utf-8")
    found = builds.kept(pointer)
    assert [kept.run_id for kept in found] == list(reversed(IDS))
    assert [kept.published for kept in found] == [False, True, False, False]
    assert [kept.names for kept in found] == [(), (), (), ("trial",)]
    assert [kept.manifest is None for kept in found] == [False, False, True, False]


def test_named_and_published_builds_outlive_the_rest(pointer: Path) -> None:
    builds.name_build(folder(pointer), "trial", IDS[0])
    newest = add(folder(pointer), "20240105T120000-eeeeee")
    builds.prune(folder(pointer), 1, newest)
    assert [kept.run_id for kept in builds.kept(pointer)] == [newest.stem, IDS[2], IDS[0]]
    builds.forget(folder(pointer), "trial")
    builds.prune(folder(pointer), 1, newest)
    assert [kept.run_id for kept in builds.kept(pointer)] == [newest.stem, IDS[2]]
    assert not (folder(pointer) / f"{IDS[0]}.json").exists()

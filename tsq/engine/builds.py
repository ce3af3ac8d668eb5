"""The builds of a warehouse as files: which are kept, what they are called, which is published and can be trusted.

A build is `builds/<run_id>.duckdb` with its manifest beside it, and never changes. A name is `builds/<name>.ref`, a
text file that holds a run id. Nothing here opens a database, so a run with nothing to do never loads DuckDB.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tsq.engine import manifest as manifests
from tsq.engine.locks import locked as locked
from tsq.engine.manifest import Manifest
from tsq.errors import TsqError, did_you_mean

PUBLISHED, PREVIOUS = "published", "previous"
_RUN_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
# besides our own words: Windows opens a device where one of these is the name of a file
_TAKEN = re.compile(rf"{PUBLISHED}|{PREVIOUS}|con|prn|aux|nul|com\d|lpt\d")
# the main header and the two database headers that a checkpoint writes in turn
HEADER_BYTES = 3 * 4096


@dataclass(frozen=True)
class Pointed:
    """Where the published build can be opened, and what to tell the user if it is not `tsq.duckdb`."""

    path: Path
    note: str | None = None


@dataclass(frozen=True)
class Kept:
    """One build that is kept.

    Attributes:
        build: its file; the manifest lies beside it.
        names: what it is called, sorted.
        published: whether `tsq.duckdb` points to it.
        manifest: None when another version of tsq wrote it.
    """

    build: Path
    names: tuple[str, ...]
    published: bool
    manifest: Manifest | None

    @property
    def run_id(self) -> str:
        """The run that made it."""
        return self.build.stem


def published(pointer: Path) -> Path | None:
    """The build that `tsq.duckdb` points to, or None when nothing was published (or the pointer is a plain copy)."""
    if pointer.is_symlink():
        target = pointer.resolve()
        return target if target.is_file() else None
    named = pointer.with_suffix(".published")
    if named.is_file():
        build = pointer.parent / "builds" / named.read_text(encoding="utf-8").strip()
        return build if build.is_file() else None
    return None


def trusted_manifest(pointer: Path) -> Manifest | None:
    """The published build's manifest, if its file still is what the manifest says."""
    build = published(pointer)
    return sound(build) if build else None


def sound(build: Path) -> Manifest | None:
    """A build's manifest, if its file still is what the manifest says."""
    if not build.with_suffix(".json").is_file():
        return None
    try:
        manifest = manifests.read(build.with_suffix(".json"))
    except TsqError:
        return None  # of another version of tsq: nothing of it can be carried over
    state = build.stat()
    if state.st_size == manifest.file_bytes and state.st_mtime_ns == manifest.file_mtime_ns:
        return manifest
    return manifest if header_sha256(build) == manifest.file_header_sha256 else None


def header_sha256(build: Path) -> str:
    """Hash of a database file's first pages, which every change of the file writes anew.

    DuckDB keeps a checksum in every other page, so these pages stand for the whole file at a cost that does not
    grow with it.
    """
    with build.open("rb") as file:
        return hashlib.sha256(file.read(HEADER_BYTES)).hexdigest()


def point(pointer: Path, build: Path) -> Pointed:
    """Move `tsq.duckdb` to a sealed build, atomically.

    A relative symbolic link where the platform allows one; else a copy put in place by an atomic replace, with
    retries while a reader holds the old one (Windows); else the build's own name, said so.
    """
    scratch = pointer.with_name(f".{pointer.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    try:
        scratch.symlink_to(Path("builds") / build.name)
        scratch.replace(pointer)
        return Pointed(pointer)
    except (OSError, NotImplementedError):
        scratch.unlink(missing_ok=True)
    pointer.with_suffix(".published").write_text(build.name, encoding="utf-8")
    shutil.copyfile(build, scratch)
    for pause in (0.0, 0.2, 0.5, 1.0, 2.0):
        time.sleep(pause)
        try:
            scratch.replace(pointer)
            return Pointed(pointer)
        except PermissionError:
            continue
    scratch.unlink(missing_ok=True)
    return Pointed(build, f"{pointer.name} is held open by another program: the new build is {build.name}")


def kept(pointer: Path) -> tuple[Kept, ...]:
    """All builds that are kept, newest first."""
    builds = pointer.parent / "builds"
    current = published(pointer)
    called: dict[str, list[str]] = {}
    for name, run_id in names(builds).items():
        called.setdefault(run_id, []).append(name)
    return tuple(
        Kept(build, tuple(called.get(build.stem, ())), build == current, _manifest(build))
        for build in reversed(tuple(_files(builds).values()))
    )


def names(builds: Path) -> dict[str, str]:
    """Name → run id, sorted by name."""
    found = sorted(path for path in builds.glob("*.ref") if _NAME.fullmatch(path.stem))
    return {path.stem: path.read_text(encoding="utf-8").strip() for path in found}


def name_build(builds: Path, name: str, run_id: str) -> None:
    """Call a build by a name, from now on; another build of that name loses it.

    Raises:
        TsqError: the name is not one, or there is no such build.
    """
    check_name(name)
    if run_id not in _files(builds):
        raise TsqError(f"there is no build {run_id}", where=builds, hint=did_you_mean(run_id, _files(builds)))
    scratch = builds / f"{name}.ref.tmp"
    scratch.write_text(f"{run_id}\n", encoding="utf-8")
    scratch.replace(builds / f"{name}.ref")


def check_name(name: str) -> None:
    """Refuse a name that no build can have, before a run takes its time.

    Raises:
        TsqError: the name is not one, or it has a meaning of its own.
    """
    if not _NAME.fullmatch(name):
        raise TsqError(
            f"{name!r} cannot be the name of a build",
            hint="use lower-case letters, digits, _ and -, starting with a letter",
        )
    if _TAKEN.fullmatch(name):
        raise TsqError(f"{name} has a meaning of its own", hint="choose another name for the build")


def forget(builds: Path, name: str) -> str:
    """Take a name away; its build is then one of the others, and goes when it is old.

    Returns:
        The run id of the build that was called so.

    Raises:
        TsqError: no build is called so (with the nearest names).
    """
    known = names(builds)
    if name not in known:
        raise TsqError(f"no build is called {name}", where=builds, hint=did_you_mean(name, known))
    (builds / f"{name}.ref").unlink()
    return known[name]


def resolve(pointer: Path, word: str) -> Path:
    """Find the build a word means.

    Args:
        pointer: the published warehouse.
        word: a run id or the beginning of one, a name, `published`, or `previous`: the newest build that is older
            than the published one.

    Raises:
        TsqError: no build, or several (with the nearest ids and names).
    """
    builds = pointer.parent / "builds"
    files, called = _files(builds), names(builds)
    if word in (PUBLISHED, PREVIOUS):
        return _from_published(pointer, word, files)
    found = [called[word]] if word in called else [run_id for run_id in files if word and run_id.startswith(word)]
    if len(found) > 1:
        raise TsqError(f"{word} could be {' or '.join(found)}", where=builds, hint="write more of the run id")
    if not found:
        raise TsqError(
            f"no build is called {word}",
            where=builds,
            hint=f"{did_you_mean(word, [*called, *reversed(files), PUBLISHED, PREVIOUS])} `tsq builds` lists all",
        )
    if found[0] not in files:
        raise TsqError(
            f"{word} is the name of {found[0]}, which is gone",
            where=builds / f"{word}.ref",
            hint=f"`tsq builds --forget {word}`, or `tsq run --build {word}`",
        )
    return files[found[0]]


def prune(builds: Path, keep: int, current: Path) -> tuple[Path, ...]:
    """Remove all but the newest `keep` builds, and any that a run has left without its manifest.

    Builds with a name and the published one stay however old they are, and do not count; neither is the current one
    removed, nor a file that is held open.

    Returns:
        The builds that were removed.
    """
    stays = {
        current,
        published(builds.parent / "tsq.duckdb"),
        *(builds / f"{run}.duckdb" for run in names(builds).values()),
    }
    found = sorted((path for path in builds.glob("*.duckdb") if _RUN_ID.fullmatch(path.stem)), reverse=True)
    others = [path for path in found if path not in stays]
    whole = [path for path in others if path.with_suffix(".json").is_file()]
    removed: list[Path] = []
    for build in [path for path in others if path not in whole[: max(0, keep - 1)]]:
        try:
            build.chmod(stat.S_IRUSR | stat.S_IWUSR)
            build.unlink()
        except PermissionError:
            continue
        build.with_suffix(".json").unlink(missing_ok=True)
        removed.append(build)
    return tuple(removed)


def discard(builds: Path, keep: Path | None = None) -> None:
    """Remove what killed or failed runs left: hidden builds, their logs and spill folders; `keep` is gone on with."""
    for path in builds.glob(".*"):
        if keep and path.name in (keep.name, f"{keep.name}.wal"):
            continue
        if path.suffix == ".spill":
            shutil.rmtree(path, ignore_errors=True)
        elif ".duckdb" in path.name:
            with suppress(PermissionError):  # held open by another program: the next run tries again
                path.chmod(stat.S_IRUSR | stat.S_IWUSR)
                path.unlink(missing_ok=True)


def _files(builds: Path) -> dict[str, Path]:
    """Run id → file of every whole build, oldest first."""
    found = sorted(path for path in builds.glob("*.duckdb") if _RUN_ID.fullmatch(path.stem))
    return {path.stem: path for path in found if path.with_suffix(".json").is_file()}


def _from_published(pointer: Path, word: str, files: Mapping[str, Path]) -> Path:
    current = published(pointer)
    if current is None:
        raise TsqError("nothing has been published yet", where=pointer, hint="run `tsq run --models all`")
    if word == PUBLISHED:
        return current
    older = [build for run_id, build in files.items() if run_id < current.stem]
    if not older:
        raise TsqError(
            f"no build is kept that is older than the published {current.stem}",
            where=pointer.parent / "builds",
            hint="`tsq builds` lists those that are; each run that changes something makes one",
        )
    return older[-1]


def _manifest(build: Path) -> Manifest | None:
    try:
        return manifests.read(build.with_suffix(".json"))
    except TsqError:
        return None  # of another version of tsq

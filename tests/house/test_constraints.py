"""constraints.txt pins everything the two commands of the README install."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Platforms of the tests; a pin may say for which it is meant.
PLATFORMS = ("linux", "win32", "darwin")


@pytest.fixture(scope="module")
def pins(root: Path) -> dict[str, list[Requirement]]:
    """Name → its pins; more than one where they differ by platform or Python."""
    found: dict[str, list[Requirement]] = {}
    for line in (root / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            found.setdefault(canonicalize_name(pin.name), []).append(pin)
    return found


@pytest.fixture(scope="module")
def wanted(root: Path) -> list[Requirement]:
    """What pyproject.toml asks for, the development extras included."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [
        Requirement(text) for text in [*project["dependencies"], *(one for extra in extras.values() for one in extra)]
    ]


def closure(wanted: Iterable[Requirement]) -> set[str]:
    """Names of all that comes along in this environment."""
    waiting = [
        (canonicalize_name(one.name), frozenset(one.extras))
        for one in wanted
        if not one.marker or one.marker.evaluate()
    ]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        for text in metadata.requires(name) or []:
            need = Requirement(text)
            if not need.marker or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                waiting.append((canonicalize_name(need.name), frozenset(need.extras)))
    return {name for name, _ in seen}


def test_everything_is_pinned(pins: dict[str, list[Requirement]], wanted: list[Requirement]) -> None:
    assert not closure(wanted) - set(pins)


def test_windows_needs_are_pinned(pins: dict[str, list[Requirement]]) -> None:
    assert {"colorama", "tzdata"} <= set(pins)


def test_a_pin_is_one_exact_version(pins: dict[str, list[Requirement]]) -> None:
    assert not [
        str(pin)
        for found in pins.values()
        for pin in found
        if not re.fullmatch(r"==[\w.!+]+", str(pin.specifier)) or pin.url
    ]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", ["3.11", "3.14"])
def test_pins_satisfy_the_project(
    platform: str, python: str, pins: dict[str, list[Requirement]], wanted: list[Requirement]
) -> None:
    place = {"sys_platform": platform, "python_version": python, "python_full_version": f"{python}.0"}
    wrong = []
    for need in wanted:
        if need.marker and not need.marker.evaluate(place):
            continue
        meant = [
            pin for pin in pins.get(canonicalize_name(need.name), []) if not pin.marker or pin.marker.evaluate(place)
        ]
        versions = [str(pin.specifier).removeprefix("==") for pin in meant]
        if len(versions) != 1 or not need.specifier.contains(versions[0]):
            wrong.append(f"{need}: {versions}")
    assert not wrong

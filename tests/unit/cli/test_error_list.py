"""The list of errors is read from the source: patterns, places, hints and exit codes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tsq import errors
from tsq.cli import error_list
from tsq.cli.error_list import NEAREST, Said

SOURCE = """
from tsq.errors import BUSY, TsqError, did_you_mean


def read(node, path, names, flag):
    raise TsqError(
        f"{node.name} reads {', '.join(names)}{' twice' if flag else ''} and {len(names)} more",
        where=f"{path}:{node.lineno}",
        hint=did_you_mean(node.name, names),
        exit_code=BUSY,
    )


def write(row, code):
    what = f"unit {row['unit']}" if code else "no unit"
    raise TsqError(what, where=row.folder / "units", hint="write one" if code else None, exit_code=code)


def again():
    raise TsqError("plain")
    raise TsqError("plain")
"""


def said(source: str, folder: Path) -> list[Said]:
    (folder / "engine").mkdir(parents=True)
    (folder / "engine" / "graph.py").write_text(source, encoding="utf-8")
    return list(error_list.errors_of(folder))


def test_patterns_name_what_they_hold(tmp_path: Path) -> None:
    reads, unit, no_unit, plain = said(SOURCE, tmp_path)
    assert reads == Said(
        "engine.graph", "⟨model⟩ reads ⟨names⟩[ twice] and ⟨number of names⟩ more", "⟨file:line⟩", NEAREST, errors.BUSY
    )
    assert (unit.what, no_unit.what) == ("unit ⟨unit⟩", "no unit")
    assert unit.where == "⟨folder⟩/units"
    assert (unit.hint, unit.exit_code) == ("write one", None)
    assert (plain.where, plain.hint, plain.exit_code) == ("", "", errors.USAGE)


def test_groups_follow_what_the_user_did(tmp_path: Path) -> None:
    said(SOURCE, tmp_path)
    assert [(title, len(few)) for title, few in error_list.grouped(tmp_path).items()] == [
        ("Reading other tables, and selecting models", 4)
    ]
    assert error_list.heading("engine.something") == "Working with a project"
    assert error_list.heading("elsewhere") == "Anything else"


def test_every_error_of_the_package_is_listed() -> None:
    calls = [
        node
        for path in error_list.PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "TsqError"
    ]
    listed = [error for few in error_list.grouped().values() for error in few]
    assert len(calls) > 100
    assert 0.85 * len(calls) < len(listed) < 1.25 * len(calls)
    assert all(error.what for error in listed)


@pytest.mark.parametrize(
    "what", ["unknown knob ⟨name⟩", "⟨model⟩ reads uphill from ⟨read⟩", "the warehouse is busy: ⟨who⟩ is writing it"]
)
def test_what_the_package_says_is_found(what: str) -> None:
    assert what in {error.what for error in error_list.errors_of()}


def test_every_module_that_speaks_has_a_heading() -> None:
    homeless = {error.module for error in error_list.errors_of() if error_list.heading(error.module) == "Anything else"}
    assert not homeless, "give these modules a place in HEADINGS"

"""Cases of models as people write them: `tests/cases/<layer>.<table>.yml`, given rows in and expected rows out.

A file is a list of cases, or `given` and `knobs` that its cases share, and `cases`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsq import strict_yaml
from tsq.engine import tabular
from tsq.engine.tabular import Rows
from tsq.errors import TsqError, did_you_mean
from tsq.strict_yaml import Document, Key

FILE_KEYS = ("given", "knobs", "cases")
CASE_KEYS = (
    "name",
    "why",
    "knobs",
    "given",
    "expect",
    "where",
    "ordered",
    "tolerance",
    "fails_check",
    "expect_error",
)
OUTCOMES = ("expect", "fails_check", "expect_error")
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Case:
    """One case of one model.

    Attributes:
        model: `layer.table`.
        where: file and line it stands on.
        knobs: knob → its value in this case, and where that is written.
        given: `layer.table`, `raw.x` or `config.x` → its rows; what the model reads besides is empty.
        expect: the rows it makes, in the columns named; None when something else is expected.
        rows_where: a SQL condition: only these of the rows it makes are compared.
        ordered: whether the order of rows counts.
        tolerance: largest relative difference of two decimals that are the same.
        fails_check: the checks that must fail; any other that blocks must hold.
        expect_error: words that the error must hold.
    """

    model: str
    name: str
    why: str
    where: str
    knobs: Mapping[str, tuple[Any, str]]
    given: Mapping[str, Rows]
    expect: Rows | None
    rows_where: str | None
    ordered: bool
    tolerance: float
    fails_check: tuple[str, ...]
    expect_error: str | None


def read_folder(folder: Path) -> dict[str, tuple[Case, ...]]:
    """Read every file of cases.

    Args:
        folder: `tests/cases` of a project; one that is not there holds no cases.

    Returns:
        Model → its cases, as the files are sorted.

    Raises:
        TsqError: the first mistake in a file; names the line.
    """
    return {path.stem: read_file(path) for path in sorted(folder.glob("*.yml"))}


def read_file(path: Path) -> tuple[Case, ...]:
    """Read the cases of the model a file is named after; raises as `read_folder` does."""
    document = strict_yaml.read(path)
    shared: Mapping[str, Any] = {}
    at: Key = ()
    if isinstance(document.value, dict):
        shared = _mapping(document, (), FILE_KEYS, "a file of cases")
        at = ("cases",)
    listed = document.value if not at else shared.get("cases")
    if not isinstance(listed, list) or not listed:
        raise TsqError("this file holds no cases", where=document.where(), hint="write a list: - name: …")
    common = _given(document, ("given",)) if "given" in shared else {}
    knobs = _knobs(document, ("knobs",)) if "knobs" in shared else {}
    cases: dict[str, Case] = {}
    for i in range(len(listed)):
        case = _case(document, (*at, i), path.stem, common, knobs)
        if case.name in cases:
            raise TsqError(
                f"two cases are called {case.name!r}",
                where=case.where,
                hint=f"the first is at {cases[case.name].where}",
            )
        cases[case.name] = case
    return tuple(cases.values())


def _case(
    document: Document,
    path: Key,
    model: str,
    common: Mapping[str, Rows],
    knobs: Mapping[str, tuple[Any, str]],
) -> Case:
    said = _mapping(document, path, CASE_KEYS, "a case")
    where = document.where(*path)
    name = said.get("name")
    if not isinstance(name, str):
        raise TsqError("a case has no name", where=where, hint="name: what must be true, in a few words")
    if sum(key in said for key in OUTCOMES) != 1:
        raise TsqError(f"{name}: expects nothing, or several things", where=where, hint=f"one of {', '.join(OUTCOMES)}")
    tolerance = said.get("tolerance", TOLERANCE)
    if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)) or tolerance < 0:
        raise TsqError("tolerance is not a number", where=document.where(*path, "tolerance"), hint="such as 1e-6")
    if not isinstance(said.get("ordered", False), bool):
        raise TsqError("ordered is true or false", where=document.where(*path, "ordered"))
    for key in ("where", "ordered", "tolerance"):
        if key in said and "expect" not in said:
            hint = "it says how expected rows are compared"
            raise TsqError(f"{name}: {key} without expect", where=document.where(*path, key), hint=hint)
    checks = said.get("fails_check", [])
    checks = checks if isinstance(checks, list) else [checks]
    words = {key: said.get(key) for key in ("why", "where", "expect_error")}
    words |= {"fails_check": None if all(isinstance(check, str) for check in checks) else checks}
    for key, value in words.items():
        if value is not None and not isinstance(value, str):
            raise TsqError(
                f"{key} is text, not {value!r}", where=document.where(*path, key), hint="put quotes around it"
            )
    expect = tabular.read(document, (*path, "expect")) if "expect" in said else None
    if expect and expect.query:
        raise TsqError(f"{name}: expects a query", where=expect.where, hint="write the rows out, worked by hand")
    return Case(
        model=model,
        name=name,
        why=" ".join((words["why"] or "").split()),
        where=where,
        knobs={**knobs, **(_knobs(document, (*path, "knobs")) if "knobs" in said else {})},
        given={**common, **(_given(document, (*path, "given")) if "given" in said else {})},
        expect=expect,
        rows_where=words["where"],
        ordered=said.get("ordered", False),
        tolerance=float(tolerance),
        fails_check=tuple(checks),
        expect_error=words["expect_error"],
    )


def _given(document: Document, path: Key) -> dict[str, Rows]:
    tables = _mapping(document, path, (), "given")
    return {table: tabular.read(document, (*path, table)) for table in tables}


def _knobs(document: Document, path: Key) -> dict[str, tuple[Any, str]]:
    knobs = _mapping(document, path, (), "knobs")
    return {name: (value, document.where(*path, name)) for name, value in knobs.items()}


def _mapping(document: Document, path: Key, known: tuple[str, ...], what: str) -> Mapping[str, Any]:
    value = tabular.at(document, path)
    if not isinstance(value, dict):
        raise TsqError(f"{what} is not `key: value` lines", where=document.where(*path), hint=did_you_mean("", known))
    for key in value:
        if known and key not in known:
            where = document.where(*path, key)
            raise TsqError(f"{what} has the unknown key {key}", where=where, hint=did_you_mean(str(key), known))
    return value

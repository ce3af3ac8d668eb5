"""Schemas of datasets that models read from outside the graph: one YAML file each, read strictly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsq import strict_yaml
from tsq.errors import TsqError, did_you_mean
from tsq.strict_yaml import Document

TYPES = ("BOOLEAN", "INTEGER", "BIGINT", "DOUBLE", "VARCHAR", "DATE", "TIMESTAMPTZ")
NUMBERS = ("INTEGER", "BIGINT", "DOUBLE")
DATASET_KEYS = ("doc", "key", "date", "freshness", "file", "columns")
FRESHNESS_KEYS = ("warn_after_days", "block_after_days")
COLUMN_KEYS = ("type", "unit", "doc", "required", "one_of", "default", "min", "max", "above")
RANGE_KEYS = ("min", "max", "above")


@dataclass(frozen=True)
class Column:
    """One column of a dataset: SQL type, unit, and what a value may be.

    A file of the project may say numbers from `min` to `max`, greater than `above`.
    """

    name: str
    type: str
    unit: str | None
    doc: str
    required: bool
    one_of: tuple[Any, ...]
    default: Any
    min: float | None = None
    max: float | None = None
    above: float | None = None

    @property
    def range_text(self) -> str:
        """The numbers it takes: `above 0, at most 1`; empty where any will do."""
        bounds = (("at least", self.min), ("above", self.above), ("at most", self.max))
        return ", ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)

    def takes(self, value: float) -> bool:
        """Tell whether a number is finite and in the range."""
        return (
            math.isfinite(value)
            and (self.min is None or value >= self.min)
            and (self.max is None or value <= self.max)
            and (self.above is None or value > self.above)
        )


@dataclass(frozen=True)
class Freshness:
    """Days that may pass since a dataset was last known anew, before a run warns and before it stops; None: any."""

    warn_after_days: int | None
    block_after_days: int | None


@dataclass(frozen=True)
class Dataset:
    """One dataset: what a row is, the key that tells rows apart, and its columns in order.

    `date` is the column of the key that says which session a row speaks of, if there is one; `freshness` says how old
    its newest row may be; `substitute` is text to read in place of `file`.
    """

    name: str
    doc: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    file: Path | None
    path: Path
    date: str | None = None
    freshness: Freshness | None = None
    substitute: str | None = None

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when there is none."""
        return {column.name: column for column in self.columns}[name]


def load_datasets(folder: Path) -> dict[str, Dataset]:
    """Read every `<name>.yml` of a folder as the schema of dataset `<name>`.

    Args:
        folder: e.g. `sql/raw`; a folder that does not exist holds no datasets.

    Returns:
        Datasets by name, sorted by name.

    Raises:
        TsqError: not strict YAML, an unknown or missing key, an unknown type, a key column that is not a column.
    """
    return {path.stem: read_dataset(path) for path in sorted(folder.glob("*.yml"))}


def read_dataset(path: Path) -> Dataset:
    """Read one schema file; raises TsqError naming the file, the line and the key that is wrong."""
    document = strict_yaml.read(path)
    body = _mapping(document, DATASET_KEYS)
    for name in ("doc", "key", "columns"):
        if not body.get(name):
            raise TsqError(f"the schema has no {name}", where=path, hint="a schema has doc, key and columns")
    key = tuple(body["key"]) if isinstance(body["key"], list) else (body["key"],)
    columns = tuple(_column(document, name, in_key=name in key) for name in _mapping(document, (), "columns"))
    known = [column.name for column in columns]
    for name in key:
        if name not in known:
            raise TsqError(
                f"key column {name} is not a column", where=document.where("key"), hint=did_you_mean(str(name), known)
            )
    date = body.get("date")
    if date is not None and date not in key:
        raise TsqError(
            f"date column {date} is not in the key", where=document.where("date"), hint=did_you_mean(date, key)
        )
    for column in columns:
        if column.name == date and (column.type, column.required) != ("DATE", True):
            said = "may be empty" if column.type == "DATE" else f"is of type {column.type}"
            hint = "the session of a row is a DATE that is always there; without `date`, the dataset has no sessions"
            raise TsqError(f"date column {date} {said}", where=document.where("columns", column.name), hint=hint)
    file = Path(body["file"]) if body.get("file") else None
    for column in columns if file is None else ():
        if column.range_text:
            hint = "what the market printed is judged by checks of the models that read it; drop the key"
            where = document.where("columns", column.name)
            raise TsqError(
                f"column {column.name} has a range, which is for files of the project", where=where, hint=hint
            )
    freshness = _freshness(document) if "freshness" in body else None
    if freshness and file:
        hint = "a file of the project is as old as its author wants it; drop the key"
        raise TsqError("freshness is for datasets that are ingested", where=document.where("freshness"), hint=hint)
    return Dataset(path.stem, " ".join(str(body["doc"]).split()), key, columns, file, path, date, freshness)


def _freshness(document: Document) -> Freshness:
    spec = _mapping(document, FRESHNESS_KEYS, "freshness")
    for name, value in spec.items():
        if type(value) is not int or value < 1:
            where = document.where("freshness", name)
            raise TsqError(f"freshness: {name} is {value!r}", where=where, hint="write a number of days, 1 or more")
    warn, block = (spec.get(name) for name in FRESHNESS_KEYS)
    if warn is not None and block is not None and block < warn:
        hint = "a run warns before it stops"
        raise TsqError("freshness blocks before it warns", where=document.where("freshness"), hint=hint)
    return Freshness(warn, block)


def _column(document: Document, name: str, *, in_key: bool) -> Column:
    spec = _mapping(document, COLUMN_KEYS, "columns", name)
    kind = str(spec.get("type", ""))
    if kind not in TYPES:
        where = document.where("columns", name, "type")
        raise TsqError(f"column {name} has type '{kind}'", where=where, hint=did_you_mean(kind.upper(), TYPES))
    if not isinstance(spec.get("required", in_key), bool):
        where = document.where("columns", name, "required")
        raise TsqError(f"column {name}: required is {spec['required']!r}", where=where, hint="write true or false")
    one_of = spec.get("one_of", [])
    if not isinstance(one_of, list):
        where = document.where("columns", name, "one_of")
        raise TsqError(f"column {name}: one_of is {one_of!r}", where=where, hint="write a list, such as [a, b]")
    for bound in (bound for bound in RANGE_KEYS if bound in spec):
        if kind not in NUMBERS or isinstance(spec[bound], bool) or not isinstance(spec[bound], (int, float)):
            where, hint = document.where("columns", name, bound), f"a number, for a column of {', '.join(NUMBERS)}"
            raise TsqError(f"column {name}: {bound} is {spec[bound]!r}", where=where, hint=hint)
    return Column(
        name=name,
        type=kind,
        unit=spec.get("unit"),
        doc=str(spec.get("doc", "")),
        required=spec.get("required", in_key),
        one_of=tuple(one_of),
        default=spec.get("default"),
        **{bound: spec.get(bound) for bound in RANGE_KEYS},
    )


def _mapping(document: Document, known: tuple[str, ...], *at: str) -> Mapping[str, Any]:
    """The mapping at a place of the document, with known keys only, where any are named."""
    value = document.value
    for name in at:
        value = value[name]
    what = " ".join(at).replace("columns ", "column ") or "the schema"
    if not isinstance(value, Mapping):
        hint = "a schema has doc, key and columns"
        raise TsqError(f"{what} is not a mapping of names to values", where=document.where(*at), hint=hint)
    for name in value:
        if known and name not in known:
            where = document.where(*at, name)
            raise TsqError(f"{what} has the unknown key {name}", where=where, hint=did_you_mean(name, known))
    return value

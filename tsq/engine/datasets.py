"""Schemas of datasets that models read from outside the graph: one YAML file each, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tsq.errors import TsqError, did_you_mean

TYPES = ("BOOLEAN", "INTEGER", "BIGINT", "DOUBLE", "VARCHAR", "DATE", "TIMESTAMPTZ")
DATASET_KEYS = ("doc", "key", "file", "columns")
COLUMN_KEYS = ("type", "unit", "doc", "required", "one_of", "default")


@dataclass(frozen=True)
class Column:
    """One column of a dataset: SQL type, unit, and what a value may be."""

    name: str
    type: str
    unit: str | None
    doc: str
    required: bool
    one_of: tuple[Any, ...]
    default: Any


@dataclass(frozen=True)
class Dataset:
    """One dataset: what a row is, the key that tells rows apart, and its columns in order."""

    name: str
    doc: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    file: Path | None
    path: Path

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
        TsqError: not YAML, an unknown or missing key, an unknown type, a key column that is not a column.
    """
    return {path.stem: read_dataset(path) for path in sorted(folder.glob("*.yml"))}


def read_dataset(path: Path) -> Dataset:
    """Read one schema file; raises TsqError naming the file and the key that is wrong."""
    try:
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise TsqError(f"{path.name} is not valid YAML: {' '.join(str(error).split())}", where=path) from error
    body = _mapping(body, path, "the schema")
    _known_keys(body, DATASET_KEYS, path, "the schema")
    for name in ("doc", "key", "columns"):
        if not body.get(name):
            raise TsqError(f"the schema has no {name}", where=path, hint="a schema has doc, key and columns")
    key = tuple(body["key"]) if isinstance(body["key"], list) else (body["key"],)
    specs = _mapping(body["columns"], path, "columns")
    columns = tuple(_column(name, spec, path, in_key=name in key) for name, spec in specs.items())
    for name in key:
        if name not in specs:
            raise TsqError(f"key column {name} is not a column", where=path, hint=did_you_mean(str(name), specs))
    file = Path(body["file"]) if body.get("file") else None
    return Dataset(path.stem, " ".join(str(body["doc"]).split()), key, columns, file, path)


def _column(name: str, spec: Any, path: Path, *, in_key: bool) -> Column:
    spec = _mapping(spec, path, f"column {name}")
    _known_keys(spec, COLUMN_KEYS, path, f"column {name}")
    kind = str(spec.get("type", ""))
    if kind not in TYPES:
        raise TsqError(f"column {name} has type '{kind}'", where=path, hint=did_you_mean(kind.upper(), TYPES))
    if not isinstance(spec.get("required", in_key), bool):
        raise TsqError(f"column {name}: required is {spec['required']!r}", where=path, hint="write true or false")
    one_of = spec.get("one_of", [])
    if not isinstance(one_of, list):
        raise TsqError(f"column {name}: one_of is {one_of!r}", where=path, hint="write a list, such as [a, b]")
    return Column(
        name=str(name),
        type=kind,
        unit=spec.get("unit"),
        doc=str(spec.get("doc", "")),
        required=spec.get("required", in_key),
        one_of=tuple(one_of),
        default=spec.get("default"),
    )


def _mapping(value: Any, path: Path, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TsqError(
            f"{what} is not a mapping of names to values", where=path, hint="a schema has doc, key and columns"
        )
    return value


def _known_keys(body: Mapping[str, Any], known: tuple[str, ...], path: Path, what: str) -> None:
    for name in body:
        if name not in known:
            raise TsqError(f"{what} has the unknown key {name}", where=path, hint=did_you_mean(str(name), known))

"""Tables of settings: small files of `config/` that models read as `config.<name>`.

A CSV gives one row a line. A YAML file gives one row a name: `base: {top_n: 25, …}` is the row whose first column is
`base`.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsq import strict_yaml
from tsq.engine.datasets import Column, Dataset
from tsq.errors import TsqError, did_you_mean

_READERS: dict[str, Any] = {
    "BOOLEAN": lambda text: {"true": True, "false": False}[text.lower()],
    "INTEGER": int,
    "BIGINT": int,
    "DOUBLE": float,
    "VARCHAR": str,
    "DATE": dt.date.fromisoformat,
    "TIMESTAMPTZ": dt.datetime.fromisoformat,
}


@dataclass(frozen=True)
class Seed:
    """A table of settings, read and checked.

    Attributes:
        rows: values in the order of the dataset's columns; an empty field is None.
    """

    dataset: Dataset
    rows: tuple[tuple[Any, ...], ...]


def source_hash(dataset: Dataset, root: Path) -> str:
    """Hash of all that decides a seed's rows: its schema and its file.

    Raises:
        TsqError: the file is missing.
    """
    digest = hashlib.sha256(dataset.path.read_bytes())
    digest.update(_file(dataset, root).read_bytes())
    return digest.hexdigest()


def read(dataset: Dataset, root: Path) -> Seed:
    """Read a table of settings.

    Raises:
        TsqError: an unknown or missing column, a value of the wrong kind, a repeated key; names file and line.
    """
    path = _file(dataset, root)
    found = _from_yaml(dataset, path) if path.suffix in (".yml", ".yaml") else _from_csv(path)
    rows: list[tuple[Any, ...]] = []
    keys: dict[tuple[Any, ...], str] = {}
    names = [column.name for column in dataset.columns]
    for where, values in found:
        _check_names(values, names, where)
        row = tuple(_value(column, values.get(column.name), where) for column in dataset.columns)
        key = tuple(row[names.index(name)] for name in dataset.key)
        if key in keys:
            raise TsqError(
                f"{dataset.name} has two rows for {', '.join(map(str, key))}",
                where=where,
                hint=f"the first is at {keys[key]}",
            )
        keys[key] = where
        rows.append(row)
    return Seed(dataset, tuple(rows))


def _file(dataset: Dataset, root: Path) -> Path:
    if dataset.file is None:
        raise TsqError(f"{dataset.name} names no file", where=dataset.path, hint="add `file: config/….csv`")
    path = root / dataset.file
    if not path.is_file():
        raise TsqError(
            f"{dataset.file.as_posix()} is missing",
            where=dataset.path,
            hint="the schema names it; restore it or change `file`",
        )
    return path


def _from_csv(path: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restkey="", restval=None)
        for values in reader:
            where = f"{path}:{reader.line_num}"
            if "" in values:
                raise TsqError(
                    "this line has more fields than the header", where=where, hint="quote fields that hold a comma"
                )
            yield where, {name: text for name, text in values.items() if text not in (None, "")}


def _from_yaml(dataset: Dataset, path: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    document = strict_yaml.read(path)
    first = dataset.columns[0].name
    if not isinstance(document.value, dict):
        raise TsqError(
            f"{path.name} must be names, each with its settings",
            where=document.where(),
            hint=f"name: {{{first}'s settings}}",
        )
    for name, settings in document.value.items():
        if not isinstance(settings, dict):
            raise TsqError(
                f"{name} must be a mapping of settings",
                where=document.where(name),
                hint="write `key: value` lines below it",
            )
        yield document.where(name), {first: name, **settings}


def _check_names(values: dict[str, Any], names: list[str], where: str) -> None:
    for name in values:
        if name not in names:
            raise TsqError(f"unknown column {name}", where=where, hint=did_you_mean(name, names))


def _value(column: Column, value: Any, where: str) -> Any:
    if value is None:
        if column.default is not None:
            return column.default
        if column.required:
            raise TsqError(f"{column.name} has no value", where=where, hint=column.doc or f"it is a {column.type}")
        return None
    try:
        read = _READERS[column.type](value) if isinstance(value, str) else _from_typed(column, value)
    except (ValueError, KeyError, TypeError):
        raise TsqError(
            f"{column.name} is {value!r}, which is not a {column.type}", where=where, hint=column.doc or None
        ) from None
    if column.one_of and read not in column.one_of:
        known = [str(choice) for choice in column.one_of]
        raise TsqError(f"{column.name} is {value!r}", where=where, hint=did_you_mean(str(value), known))
    return read


def _from_typed(column: Column, value: Any) -> Any:
    if isinstance(value, bool) != (column.type == "BOOLEAN"):
        raise TypeError
    match column.type, value:
        case ("BOOLEAN", bool()) | ("INTEGER" | "BIGINT", int()) | ("DATE", dt.date()):
            return value
        case "DOUBLE", int() | float():
            return float(value)
        case "VARCHAR", int() | float():
            return str(value)
    raise TypeError

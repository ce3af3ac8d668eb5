"""Tables of settings: small files of `config/` that models read as `config.<name>`.

A CSV gives one row a line. A YAML file gives one row a name: `base: {top_n: 25, …}` is the row whose first column is
`base`. A run can be given other rows than a file's, as text in the file's own form: the file then is not read.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tsq import strict_yaml
from tsq.engine.datasets import NUMBERS, Column, Dataset
from tsq.errors import TsqError, did_you_mean
from tsq.strict_yaml import Document

_READERS: dict[str, Any] = {
    "BOOLEAN": lambda text: {"true": True, "false": False}[text.lower()],
    "INTEGER": int,
    "BIGINT": int,
    "DOUBLE": float,
    "VARCHAR": str,
    "DATE": dt.date.fromisoformat,
    "TIMESTAMPTZ": dt.datetime.fromisoformat,
}


# where each column of a row was written, and its values
Found = tuple[Callable[[str], str], dict[str, Any]]


@dataclass(frozen=True)
class Seed:
    """A table of settings, read and checked.

    Attributes:
        rows: values in the order of the dataset's columns; an empty field is None.
    """

    dataset: Dataset
    rows: tuple[tuple[Any, ...], ...]


def source_hash(dataset: Dataset, root: Path) -> str:
    """Hash of all that decides a seed's rows: its schema and its file, or the text in place of that.

    Raises:
        TsqError: the file is missing.
    """
    digest = hashlib.sha256(dataset.path.read_bytes())
    text = dataset.substitute
    digest.update(_file(dataset, root).read_bytes() if text is None else text.encode())
    return digest.hexdigest()


def read(dataset: Dataset, root: Path) -> Seed:
    """Read a table of settings.

    Raises:
        TsqError: an unknown or missing column, a value of the wrong kind, a repeated key; names file and line.
    """
    found = _found(dataset, root)
    rows: list[tuple[Any, ...]] = []
    keys: dict[tuple[Any, ...], str] = {}
    names = [column.name for column in dataset.columns]
    for line_of, values in found:
        where = line_of(names[0])
        _check_names(values, names, line_of)
        row = tuple(value(column, values.get(column.name), line_of(column.name)) for column in dataset.columns)
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


def _found(dataset: Dataset, root: Path) -> Iterable[Found]:
    text, path = dataset.substitute, Path(f"substitute of config.{dataset.name}")
    if text is None:
        path = _file(dataset, root)
    if dataset.file is not None and dataset.file.suffix == ".csv":
        return _from_csv(path, path.read_bytes().decode("utf-8-sig") if text is None else text)
    return _from_yaml(dataset, strict_yaml.read(path) if text is None else strict_yaml.parse(text, path))


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


def _from_csv(path: Path, text: str) -> Iterator[Found]:
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval=None)
    for values in reader:
        where = f"{path}:{reader.line_num}"
        if "" in values:
            raise TsqError(
                "this line has more fields than the header", where=where, hint="quote fields that hold a comma"
            )
        yield partial(_same_line, where), {name: cell for name, cell in values.items() if cell not in (None, "")}


def _same_line(where: str, _name: str) -> str:
    return where


def _from_yaml(dataset: Dataset, document: Document) -> Iterable[Found]:
    first = dataset.columns[0].name
    if not isinstance(document.value, dict):
        raise TsqError(
            f"{document.file.name} must be names, each with its settings",
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
        yield partial(document.where, name), {first: name, **settings}


def _check_names(values: dict[str, Any], names: list[str], line_of: Callable[[str], str]) -> None:
    for name in values:
        if name not in names:
            raise TsqError(f"unknown column {name}", where=line_of(name), hint=did_you_mean(name, names))


def value(column: Column, given: Any, where: str) -> Any:
    """Read one value of a table of settings: text, or what YAML made of it.

    Args:
        column: what the value may be.
        given: None takes the column's default.
        where: the place it was written, for errors.

    Raises:
        TsqError: no value where one is required, or one of another kind.
    """
    if given is None:
        if column.default is not None:
            return column.default
        if column.required:
            raise TsqError(f"{column.name} has no value", where=where, hint=column.doc or f"it is a {column.type}")
        return None
    try:
        read = _READERS[column.type](given) if isinstance(given, str) else _from_typed(column, given)
    except (ValueError, KeyError, TypeError):
        raise TsqError(
            f"{column.name} is {given!r}, which is not a {column.type}", where=where, hint=column.doc or None
        ) from None
    if column.one_of and read not in column.one_of:
        known = [str(choice) for choice in column.one_of]
        raise TsqError(f"{column.name} is {given!r}", where=where, hint=did_you_mean(str(given), known))
    if column.type in NUMBERS and not column.takes(read):
        wanted = column.range_text or "finite"
        raise TsqError(f"{column.name} is {given!r}, not {wanted}", where=where, hint=column.doc or None)
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

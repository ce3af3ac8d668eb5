"""What a model promises: the YAML at its top, then prose.

A SQL model opens with a comment `/*---`, YAML, a line `---`, prose and `*/`. A Python model says the same in its
module docstring, which opens with `---`. The header is read without rendering SQL and without importing Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from tsq import strict_yaml
from tsq.errors import TsqError, did_you_mean
from tsq.strict_yaml import Document

Kind = Literal["table", "view", "incremental"]
Level = Literal["block", "warn"]


@dataclass(frozen=True)
class Column:
    """A promised column: SQL type, unit and what it is. Nothing promised is None."""

    type: str | None = None
    unit: str | None = None
    doc: str | None = None


@dataclass(frozen=True)
class Check:
    """A rule of a table: an expression true of every row, or a query that must return no rows."""

    rows: str | None = None
    query: str | None = None
    level: Level = "block"
    name: str | None = None


@dataclass(frozen=True)
class Header:
    """The promises of a model file, or of a layer.

    Attributes:
        kind: table; view for what is cheap and read once; or incremental: a table of which only the sessions that new
            data can touch are computed again.
        date: the column that says which session a row speaks of.
        interval: for a table of intervals: the column of the first session at which a row matters and, if it ends, the
            column of the first at which it no longer does.
        look_back: incremental only: a row of one session reads its dated tables this many of their dates back, no more.
        grain: columns that name one row; unique and not null.
        columns: promised columns.
        references: column → `layer.table.column` in which each of its values must stand, unless it is null.
        checks: rules of every row, or queries that must be empty.
        tags: words to select by: `tag:word`.
        meta: free words for the templates that list tables (`sleeve`, `sign`, …).
        knowable: SQL expression over a row: the session at whose evening the row can be known.
        versions: `layer.table` of the rows that were in force before those of this table and have been replaced: the
            same columns, and `known_from` and `known_to` of each. For a table with `known_at`.
        order: columns the table is stored sorted by.
        place: layer whose place in the order of layers the table takes, where that is not its folder's: it reads down
            from there, and only what stands there or later may read it.
    """

    kind: Kind = "table"
    date: str | None = None
    interval: tuple[str, ...] = ()
    look_back: int | None = None
    grain: tuple[str, ...] = ()
    columns: Mapping[str, Column] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    knowable: str | None = None
    versions: str | None = None
    order: tuple[str, ...] = ()
    place: str | None = None
    doc: str = ""


@dataclass(frozen=True)
class Parts:
    """A model file taken apart.

    Attributes:
        header: its own header, not yet merged with the layer's.
        given: header keys the file wrote itself.
        prose: the text after the YAML.
        body: the SQL, or the whole Python text.
        body_line: line of the file on which the body begins.
        tables: Python only: positional arguments of `model`, the tables it reads.
        knobs: Python only: keyword arguments of `model`, the knobs it uses.
    """

    header: Header
    given: frozenset[str]
    prose: str
    body: str
    body_line: int
    tables: tuple[str, ...] = ()
    knobs: tuple[str, ...] = ()


def validate(document: Document) -> Header:
    """Check a header's YAML against what a header may say.

    Raises:
        TsqError: an unknown key (with a guess), or a value of the wrong kind; names the line.
    """
    if not isinstance(document.value, dict):
        hint = did_you_mean("", _READERS)
        raise TsqError("a header must be `key: value` lines", where=document.where(), hint=hint)
    _known(document, document.value, _READERS)
    return Header(**{name: _READERS[name](document, value, name) for name, value in document.value.items()})


def _known(document: Document, value: Mapping[str, Any], names: Iterable[str], *path: str | int) -> None:
    for name in value:
        if name not in names:
            hint = did_you_mean(name, names)
            raise TsqError(f"unknown header key {name}", where=document.where(*path, name), hint=hint)


def _wrong(document: Document, said: str, value: Any, *path: str | int) -> TsqError:
    name = ".".join(map(str, path))
    return TsqError(f"header key {name}: {said}", where=document.where(*path), hint=f"it is {value!r}")


def _text(document: Document, value: Any, *path: str | int) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _wrong(document, "it should be text", value, *path)
    return value


def _count(document: Document, value: Any, *path: str | int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _wrong(document, "it should be a whole number, 0 or more", value, *path)
    return value


def _choice(document: Document, value: Any, *path: str | int) -> str:
    known = get_args(Kind) if path[-1] == "kind" else get_args(Level)
    if value not in known:
        raise _wrong(document, f"it should be {' or '.join(known)}", value, *path)
    return str(value)


def _names(document: Document, value: Any, *path: str | int) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise _wrong(document, "it should be a list of names, such as [date, security_id]", value, *path)
    return tuple(value)


def _interval(document: Document, value: Any, *path: str | int) -> tuple[str, ...]:
    found = _names(document, value, *path)
    if len(found) > 2:
        raise _wrong(document, "it should be [first] or [first, end]", value, *path)
    return found


def _mapping(document: Document, value: Any, *path: str | int) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(document, "it should be `name: value` lines", value, *path)
    return value


def _texts(document: Document, value: Any, *path: str | int) -> Mapping[str, str]:
    for name, text in _mapping(document, value, *path).items():
        if not isinstance(text, str):
            raise _wrong(document, "it should be text", text, *path, name)
    return dict(value)


def _columns(document: Document, value: Any, *path: str | int) -> Mapping[str, Column]:
    columns = {}
    for name, said in _mapping(document, value, *path).items():
        promised = _mapping(document, said, *path, name)
        _known(document, promised, [one.name for one in fields(Column)], *path, name)
        columns[name] = Column(**{key: _text(document, text, *path, name, key) for key, text in promised.items()})
    return columns


def _checks(document: Document, value: Any, *path: str | int) -> tuple[Check, ...]:
    if not isinstance(value, list):
        raise _wrong(document, "it should be a list of checks", value, *path)
    return tuple(_check(document, one, *path, place) for place, one in enumerate(value))


def _check(document: Document, value: Any, *path: str | int) -> Check:
    if isinstance(value, str):
        is_query = re.match(r"\s*(select|with|from)\b", value, re.IGNORECASE)
        return Check(query=value) if is_query else Check(rows=value)
    said = _mapping(document, value, *path)
    _known(document, said, [one.name for one in fields(Check)], *path)
    read = {"level": _choice}
    return Check(**{key: read.get(key, _text)(document, one, *path, key) for key, one in said.items()})  # type: ignore[arg-type]


_READERS: Mapping[str, Callable[..., Any]] = {
    "kind": _choice,
    "date": _text,
    "interval": _interval,
    "look_back": _count,
    "grain": _names,
    "columns": _columns,
    "references": _texts,
    "tags": _names,
    "checks": _checks,
    "meta": _mapping,
    "knowable": _text,
    "versions": _text,
    "order": _names,
    "place": _text,
    "doc": _text,
}


def read_sql(text: str, file: Path) -> Parts:
    """Take a SQL model apart.

    Raises:
        TsqError: the header is not closed, or is not a valid header.
    """
    if not text.startswith("/*---"):
        return Parts(Header(), frozenset(), "", text, 1)
    end = text.find("*/")
    if end < 0:
        raise TsqError(
            "the header comment is never closed", where=f"{file}:1", hint="end it with */ on a line of its own"
        )
    comment = text[len("/*---") : end]
    header_yaml, separator, prose = _split(comment)
    if not separator:
        raise TsqError(
            "the header's YAML does not end", where=f"{file}:1", hint="put a line `---` between the YAML and the prose"
        )
    document = strict_yaml.parse(header_yaml, file, first_line=1)
    rest = text[end + 2 :]
    body = rest.lstrip("\r\n")
    body_line = text[: len(text) - len(body)].count("\n") + 1
    return Parts(validate(document), frozenset(document.value), prose.strip(), body, body_line)


def read_python(text: str, file: Path) -> Parts:
    """Take a Python model apart without importing it.

    Raises:
        TsqError: a syntax error, no header in the docstring, no function `model`, or arguments that are not tables
            and knobs.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise TsqError(
            f"this is not valid Python: {error.msg}", where=f"{file}:{error.lineno}", hint="mend the syntax"
        ) from None
    docstring = ast.get_docstring(tree, clean=False) or ""
    if not docstring.startswith("---"):
        raise TsqError(
            "a Python model opens with a docstring that starts with ---",
            where=f"{file}:1",
            hint="see models/book/events.py",
        )
    header_yaml, separator, prose = _split(docstring.removeprefix("---"))
    if not separator:
        raise TsqError(
            "the header's YAML does not end", where=f"{file}:1", hint="put a line `---` between the YAML and the prose"
        )
    document = strict_yaml.parse(header_yaml, file, first_line=1)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "model"]
    if len(functions) != 1:
        raise TsqError(
            "a Python model has one function called model",
            where=file,
            hint="def model(tables…, *, knobs…) -> pl.DataFrame",
        )
    arguments = functions[0].args
    if arguments.vararg or arguments.kwarg or arguments.posonlyargs or arguments.defaults or any(arguments.kw_defaults):
        raise TsqError(
            "model() takes named tables, then `*`, then named knobs, without defaults",
            where=f"{file}:{functions[0].lineno}",
            hint="defaults of knobs stand in config/run.yml",
        )
    return Parts(
        validate(document),
        frozenset(document.value),
        prose.strip(),
        text,
        1,
        tuple(argument.arg for argument in arguments.args),
        tuple(argument.arg for argument in arguments.kwonlyargs),
    )


def _split(text: str) -> tuple[str, bool, str]:
    match = re.search(r"^---[ \t]*\r?$", text, re.MULTILINE)
    return (text[: match.start()], True, text[match.end() :]) if match else (text, False, "")

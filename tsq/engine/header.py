"""What a model promises: the YAML at its top, then prose.

A SQL model opens with a comment `/*---`, YAML, a line `---`, prose and `*/`. A Python model says the same in its
module docstring, which opens with `---`. The header is read without rendering SQL and without importing Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tsq import strict_yaml
from tsq.errors import TsqError, did_you_mean
from tsq.strict_yaml import Document

Kind = Literal["table", "view", "incremental"]
Level = Literal["block", "warn"]


class Column(BaseModel):
    """A promised column: SQL type, unit and what it is. Nothing promised is None."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str | None = None
    unit: str | None = None
    doc: str | None = None


class Check(BaseModel):
    """A rule of a table: an expression true of every row, or a query that must return no rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: str | None = None
    query: str | None = None
    level: Level = "block"
    name: str | None = None


def _check(value: object) -> object:
    if isinstance(value, str):
        is_query = re.match(r"\s*(select|with|from)\b", value, re.IGNORECASE)
        return {"query": value} if is_query else {"rows": value}
    return value


class Header(BaseModel):
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
        order: columns the table is stored sorted by.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind = "table"
    date: str | None = None
    interval: Annotated[tuple[str, ...], Field(max_length=2)] = ()
    look_back: Annotated[int, Field(ge=0)] | None = None
    grain: tuple[str, ...] = ()
    columns: Mapping[str, Column] = {}
    references: Mapping[str, str] = {}
    tags: tuple[str, ...] = ()
    checks: tuple[Annotated[Check, BeforeValidator(_check)], ...] = ()
    meta: Mapping[str, Any] = {}
    knowable: str | None = None
    order: tuple[str, ...] = ()
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
        raise TsqError(
            "a header must be `key: value` lines", where=document.where(), hint=did_you_mean("", Header.model_fields)
        )
    try:
        return Header.model_validate(document.value)
    except ValidationError as error:
        first = error.errors()[0]
        path = tuple(part for part in first["loc"] if not (isinstance(part, str) and "[" in part))
        where = document.where(*path)
        if first["type"] == "extra_forbidden":
            known = Header.model_fields if len(path) == 1 else (Check if path[0] == "checks" else Column).model_fields
            raise TsqError(
                f"unknown header key {path[-1]}", where=where, hint=did_you_mean(str(path[-1]), known)
            ) from None
        name = ".".join(str(part) for part in path)
        raise TsqError(
            f"header key {name}: {first['msg'].lower()}", where=where, hint=f"it is {first['input']!r}"
        ) from None


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

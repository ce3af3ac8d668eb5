"""SQL templates: sandboxed Jinja in which every value becomes a typed SQL literal.

`{{ x }}` writes a literal: text quoted, dates as DATE '…', lists as (a, b). Only two things write bare SQL: the
filters `ident` (a checked name) and `sql` (text the author of the template vouches for), and what macros return. So a
value can never become code.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError, Undefined, meta, nodes
from jinja2.environment import Template

from tsq.engine.sandbox import EndlessError, Sandbox, Sql
from tsq.errors import TsqError, did_you_mean

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")
_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_MARK = re.compile("\x01([0-9]+)\x02")


@dataclass(frozen=True)
class Rendered:
    """A rendered template.

    Attributes:
        sql: plain SQL.
        lines: for each line of `sql`, the line of the user's file it came from.
        names: free names the template and the macros it calls used (knobs, macros, functions).
    """

    sql: str
    lines: tuple[int, ...]
    names: frozenset[str]


def literal(value: object) -> Sql:
    """Write a Python value as a typed DuckDB literal.

    Raises:
        ValueError: NaN, infinity, an empty list or a type SQL has no literal for.
    """
    match value:
        case Sql():
            return value
        case Undefined():
            return Sql(str(value))  # a strict undefined raises here and says its name
        case None:
            return Sql("NULL")
        case bool():
            return Sql("TRUE" if value else "FALSE")
        case int():
            return Sql(str(value))
        case float():
            if not math.isfinite(value):
                raise ValueError(f"{value} is not a number SQL can compare")
            return Sql(f"{value!r}::DOUBLE")
        case str():
            return Sql("'" + value.replace("'", "''") + "'")
        case dt.datetime():
            return Sql(f"TIMESTAMPTZ '{value.isoformat(sep=' ')}'")
        case dt.date():
            return Sql(f"DATE '{value.isoformat()}'")
        case list() | tuple():
            if not value:
                raise ValueError("an empty list has no literal: `in ()` is not SQL")
            return Sql("(" + ", ".join(literal(item) for item in value) + ")")
    raise ValueError(f"a {type(value).__name__} has no SQL literal")


def identifier(name: str) -> Sql:
    """Write a checked identifier, at most `schema.table`.

    Raises:
        ValueError: anything but letters, digits, underscores and one dot.
    """
    if not _IDENTIFIER.fullmatch(str(name)):
        raise ValueError(f"{name!r} is not an identifier")
    return Sql(name)


class Renderer:
    """Renders the templates of one project with one set of names.

    Args:
        names: knobs and functions a template may use.
        macros: Jinja files whose macros every template may call.

    Raises:
        TsqError: a macro file that does not compile, or two macros of one name.
    """

    def __init__(self, names: Mapping[str, Any], macros: Iterable[Path] = ()) -> None:
        self._env = Sandbox(names, {"ident": identifier, "sql": Sql}, literal)
        self._named_by: dict[str, frozenset[str]] = {}
        for path in macros:
            self._add_macros(path)

    def _add_macros(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        template = self._compile(text, path, 1)
        with self._said(path, 1):
            made = vars(template.make_module())
        for name, macro in made.items():
            if name.startswith("_") or name == "name":
                continue
            if name in self._env.globals:
                raise TsqError(
                    f"the name {name} is taken already",
                    where=path,
                    hint="rename this macro: knobs and macros share names",
                )
            self._env.globals[name] = macro
        for macro in self._env.parse(text).find_all(nodes.Macro):
            used = list(macro.find_all(nodes.Name))
            own = {node.name for node in used if node.ctx != "load"}
            self._named_by[macro.name] = frozenset(node.name for node in used) - own

    def render(self, text: str, path: Path, first_line: int = 1) -> Rendered:
        """Render a template.

        Args:
            text: the template.
            path: the user's file, for errors.
            first_line: line of that file on which the template begins.

        Raises:
            TsqError: a syntax error, an unknown name (with a guess), a value without literal, a forbidden operation,
                or too much output.
        """
        template = self._compile(_mark_lines(text, first_line), path, first_line)
        names = self._check_names(text, path, first_line)
        with self._said(path, first_line):
            text = self._env.concat(template.generate())
        return _unmark(text, names, first_line)

    @contextmanager
    def _said(self, path: Path, first_line: int) -> Iterator[None]:
        """Run a template within its bounds, and say what went wrong in the user's words."""
        self._env.start()
        try:
            yield
        except (TemplateError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
            hint = "a template has knobs, tables() and the macros of sql/macros; it reads no files"
            if isinstance(error, TemplateNotFound):
                what = f"there is no template {error}"
            else:
                what = f"the template cannot be rendered: {error}"
            if isinstance(error, EndlessError):
                hint = "a template ends: bound its loops and what it repeats"
            raise TsqError(what, where=_place(error, path, first_line), hint=hint) from None
        except RecursionError as error:
            what = "the template cannot be rendered: a macro calls itself without end"
            hint = "a macro that calls itself needs a condition that ends it"
            raise TsqError(what, where=_place(error, path, first_line), hint=hint) from None

    def _compile(self, text: str, path: Path, first_line: int) -> Template:
        try:
            tree = self._env.parse(text, filename=str(path))
            code = self._env.compile(self._env.count_loops(tree), filename=str(path))
        except TemplateSyntaxError as error:
            raise TsqError(
                f"this is not a valid template: {error.message}",
                where=f"{path}:{error.lineno + first_line - 1}",
                hint="tags are {{ value }}, {% statement %} and {# comment #}",
            ) from None
        except RecursionError:
            raise TsqError(
                "this is not a valid template: it is nested too deeply", where=path, hint="write it in smaller steps"
            ) from None
        return Template.from_code(self._env, code, self._env.make_globals(None))

    def _check_names(self, text: str, path: Path, first_line: int) -> frozenset[str]:
        if "{" not in text:
            return frozenset()
        tree = self._env.parse(text)
        unknown = meta.find_undeclared_variables(tree)
        for node in tree.find_all(nodes.Name):
            if node.name in unknown:
                raise TsqError(
                    f"unknown name {node.name} in a template",
                    where=f"{path}:{node.lineno + first_line - 1}",
                    hint=did_you_mean(node.name, [str(name) for name in self._env.globals]),
                )
        return self._with_macros({node.name for node in tree.find_all(nodes.Name)} & self._env.globals.keys())

    def _with_macros(self, names: set[str]) -> frozenset[str]:
        """Names a text uses, with those the macros among them use."""
        found: set[str] = set()
        while names:
            found |= names
            names = set().union(*(self._named_by.get(name, ()) for name in names)) & self._env.globals.keys() - found
        return frozenset(found)


def _mark_lines(text: str, first_line: int) -> str:
    """End every line outside tags with its number, to be found again after loops and macros have moved it."""
    marked: list[str] = []
    line = first_line
    position = 0
    for tag in [*_TAG.finditer(text), None]:
        outside = text[position : tag.start() if tag else len(text)]
        for piece in re.split(r"(\n)", outside):
            if piece == "\n":
                marked.append(f"\x01{line}\x02\n")
                line += 1
            else:
                marked.append(piece)
        if tag:
            marked.append(tag.group())
            line += tag.group().count("\n")
            position = tag.end()
    if not text.endswith("\n"):
        marked.append(f"\x01{line}\x02")
    return "".join(marked)


def _unmark(text: str, names: frozenset[str], first_line: int) -> Rendered:
    lines: list[int] = []
    last = first_line
    for row in text.split("\n"):
        mark = _MARK.search(row)
        last = int(mark.group(1)) if mark else last
        lines.append(last)
    return Rendered(_MARK.sub("", text), tuple(lines), names)


def _place(error: BaseException, path: Path, first_line: int) -> str:
    line = None
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return f"{path}:{line + first_line - 1}" if line else str(path)

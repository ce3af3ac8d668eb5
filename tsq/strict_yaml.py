"""YAML without its surprises: no repeated keys, aliases or merge keys, YAML 1.2 booleans, and the line of every key.

Plain YAML 1.1 reads `NO` as false, `1:30` as 90 and keeps the last of two equal keys without a word; a configuration
that decides money should do none of that.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tsq.errors import TsqError

try:
    from yaml import CSafeLoader as _BaseLoader
except ImportError:  # a PyYAML built without libyaml
    from yaml import SafeLoader as _BaseLoader  # type: ignore[assignment]

Scalar = str | int | float | bool | dt.date | None
Key = tuple[str | int, ...]

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*([eE][-+]?[0-9]+)?|\.[0-9]+([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_WORDS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True)
class Document:
    """A parsed YAML text that remembers where each key stands.

    Attributes:
        value: mappings, lists and scalars; an empty text is an empty mapping.
        lines: path of keys and indices → line in the file the user wrote.
        file: that file.
    """

    value: Any
    file: Path
    lines: Mapping[Key, int] = field(default_factory=dict)

    def where(self, *path: str | int) -> str:
        """Return `file:line` of a key, or of the nearest parent that is known."""
        return f"{self.file}:{self.line(*path)}" if self.lines else str(self.file)

    def line(self, *path: str | int) -> int:
        """Return the line of a key, or of the nearest parent that is known; every document knows its root."""
        return next(self.lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self.lines)


def read(path: Path) -> Document:
    """Read a YAML file strictly.

    Raises:
        TsqError: the file is missing, is not UTF-8, or breaks a rule of this module.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TsqError(f"there is no {path.name}", where=path, hint="every tsq project has this file") from None
    except UnicodeDecodeError as error:
        raise TsqError(f"{path.name} is not UTF-8 text ({error.reason})", where=path, hint="save it as UTF-8") from None
    return parse(text, path)


def parse(text: str, file: Path, first_line: int = 1) -> Document:
    """Parse YAML strictly.

    Args:
        text: the YAML.
        file: the file it stands in, for errors.
        first_line: the line of `file` on which `text` begins.

    Raises:
        TsqError: a syntax error, a repeated key, an alias, a merge key or a key that is not text.
    """
    try:
        loader = _BaseLoader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = first_line + (mark.line if mark else 0)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise TsqError(
            f"this is not valid YAML: {problem}", where=f"{file}:{line}", hint="check indentation, quotes and colons"
        ) from None
    if node is None:
        return Document({}, file, {(): first_line})
    lines: dict[Key, int] = {}
    return Document(_build(node, (), lines, file, first_line, set()), file, lines)


def scalar(text: str) -> Scalar:
    """Read one plain YAML 1.2 scalar: null, boolean, integer, finite decimal, ISO date, else text."""
    if text.lower() in _WORDS and text in (text.lower(), text.capitalize(), text.upper()):
        return _WORDS[text.lower()]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _DATE.fullmatch(text):
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            return text
    return text


def _build(node: Any, path: Key, lines: dict[Key, int], file: Path, first_line: int, seen: set[int]) -> Any:
    line = first_line + node.start_mark.line
    lines.setdefault(path, line)
    if id(node) in seen:
        raise TsqError(
            "a YAML alias (*name) stands here",
            where=f"{file}:{line}",
            hint="write the value out; tsq files have no aliases",
        )
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        return scalar(node.value) if not node.style else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_build(child, (*path, i), lines, file, first_line, seen) for i, child in enumerate(node.value)]
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key_line = first_line + key_node.start_mark.line
        if not isinstance(key_node, yaml.ScalarNode) or key_node.value == "<<":
            raise TsqError(
                "a key must be plain text", where=f"{file}:{key_line}", hint="merge keys and complex keys are not read"
            )
        key = key_node.value
        if key in result:
            raise TsqError(
                f"the key {key} stands twice",
                where=f"{file}:{key_line}",
                hint=f"the first is on line {lines[(*path, key)]}",
            )
        lines[(*path, key)] = key_line
        result[key] = _build(value_node, (*path, key), lines, file, first_line, seen)
    return result

"""What a block of a page may say: named fields, read strictly, so that a slip is an error with its line and a guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tsq.errors import TsqError, did_you_mean
from tsq.report import format as formats
from tsq.strict_yaml import Document

Kind = Literal["text", "column", "columns", "names", "whole", "number", "flag", "format", "choice", "mapping"]

_SAYS = {
    "text": "text",
    "column": "the name of a column",
    "columns": "the name of a column, or a list of them",
    "names": "a list of text",
    "whole": "a whole number above zero",
    "number": "a number",
    "flag": "true or false",
    "format": "the name of a format",
    "choice": "one of a few words",
    "mapping": "`key: value` lines",
}


@dataclass(frozen=True)
class Field:
    """One field a block may have.

    Attributes:
        kind: what its value must be.
        needed: whether the block makes no sense without it.
        default: its value when the page says nothing.
        words: the words a `choice` has.
    """

    kind: Kind
    needed: bool = False
    default: Any = None
    words: tuple[str, ...] = ()


def read(document: Document, known: Mapping[str, Field], what: str, path: tuple[str, ...] = ()) -> dict[str, Any]:
    """Check `key: value` lines against the fields they may have.

    Args:
        document: the YAML, with its lines.
        known: name → field.
        what: what the lines describe, for errors: `chart`, `table`.
        path: keys that lead to the lines inside the document.

    Returns:
        Every known field, with its default where nothing was said.

    Raises:
        TsqError: an unknown field, a missing one, or a value of the wrong kind.
    """
    value = document.value
    for key in path:
        value = value[key]
    if not isinstance(value, dict):
        raise TsqError(
            f"a {what} is described by `key: value` lines",
            where=document.where(*path),
            hint=f"known: {', '.join(known)}",
        )
    for name in value:
        if name not in known:
            raise TsqError(f"a {what} has no {name}", where=document.where(*path, name), hint=did_you_mean(name, known))
    result: dict[str, Any] = {}
    for name, field in known.items():
        if name in value and value[name] is not None:
            result[name] = _value(value[name], field, name, document.where(*path, name), what)
        elif field.needed:
            raise TsqError(
                f"this {what} has no {name}", where=document.where(*path), hint=f"add `{name}:`, {_SAYS[field.kind]}"
            )
        else:
            result[name] = field.default
    return result


def _value(value: object, field: Field, name: str, where: str, what: str) -> object:
    if field.kind == "format":
        if not isinstance(value, str) or (hint := formats.known(value)) is not None:
            hint = formats.known(str(value))
            raise TsqError(f"there is no format {value}", where=where, hint=hint)
        return value
    if field.kind == "choice":
        if value not in field.words:
            raise TsqError(
                f"{name} of a {what} cannot be {value}", where=where, hint=did_you_mean(str(value), field.words)
            )
        return value
    if field.kind in ("columns", "names"):
        many = value if isinstance(value, list) else [value]
        if many and all(isinstance(item, str) for item in many):
            return tuple(many)
    elif field.kind == "text" and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return str(value)
    elif _fits(value, field.kind):
        return value
    raise TsqError(
        f"{name} of a {what} must be {_SAYS[field.kind]}, not {value!r}",
        where=where,
        hint="see the other pages for examples",
    )


def _fits(value: object, kind: Kind) -> bool:
    if isinstance(value, bool):
        return kind == "flag"
    if kind == "whole":
        return isinstance(value, int) and value > 0
    if kind == "number":
        return isinstance(value, (int, float))
    if kind == "column":
        return isinstance(value, str)
    return kind == "mapping" and isinstance(value, dict)

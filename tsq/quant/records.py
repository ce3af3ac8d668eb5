"""Changed copies of frozen records, made quickly: the fold makes dozens in every session."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")


def replace(record: T, **changes: Any) -> T:
    """Copy a frozen dataclass with some fields changed, in a fifth of the time of `dataclasses.replace`.

    What a record checks when it is first made is not checked again: use it for states and orders, not for settings.

    Raises:
        TypeError: the record has no such field.
    """
    fields = record.__dict__ | changes
    if len(fields) != len(record.__dict__):
        raise TypeError(f"{type(record).__name__} has no field {', '.join(changes.keys() - record.__dict__.keys())}")
    made = object.__new__(type(record))
    object.__setattr__(made, "__dict__", fields)
    return made

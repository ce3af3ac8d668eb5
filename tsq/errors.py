"""One error type for everything a person can mend.

An error is three lines: what happened, with the values; where, in the file the user wrote; what to do next. A bug is
not a
`TsqError`: it stays a traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

DONE = 0
FAILED = 1
USAGE = 2
INTERNAL = 3
REFUSED = 4
BUSY = 75
INTERRUPTED = 130


class TsqError(Exception):
    """A mistake in a project, its data or a command, said so that a person can mend it.

    Args:
        what: what happened, with the values in it; one line.
        where: the file the user wrote, best as `path:line`; None when there is no file.
        hint: what to do next; one line.
        exit_code: the process' exit code (`FAILED`, `USAGE`, `REFUSED`, `BUSY`).
    """

    def __init__(
        self, what: str, *, where: str | Path | None = None, hint: str | None = None, exit_code: int = USAGE
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = str(where) if where is not None else None
        self.hint = hint
        self.exit_code = exit_code

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  in:   {self.where}")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Say the nearest known names, or all of them when none is near.

    Returns:
        `did you mean a, b?`, or `known: a, b, c` (at most twelve) when nothing is close.
    """
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return f"did you mean {', '.join(near)}?"
    if not names:
        return "there are none yet"
    return f"known: {', '.join(names[:12])}{', …' if len(names) > 12 else ''}"

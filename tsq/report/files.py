"""Write a file whole or not at all, also while somebody on Windows has the old one open."""

from __future__ import annotations

import os
import time
from pathlib import Path

WAITS = (0.05, 0.1, 0.2, 0.4, 0.8)


def write_text(path: Path, text: str, waits: tuple[float, ...] = WAITS) -> Path:
    """Write UTF-8 text under a temporary name, then put it in place at once.

    Args:
        path: where it should be; its folder is made.
        text: what to write; line ends are kept as they are.
        waits: seconds to wait between tries while the old file is locked.

    Returns:
        `path`, or the file beside it that holds the new text when the old one stayed locked.

    Raises:
        OSError: the folder cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.stem}.{os.getpid()}.new{path.suffix}")
    fresh.write_text(text, encoding="utf-8", newline="")
    for wait in (*waits, None):
        try:
            fresh.replace(path)
        except PermissionError:
            if wait is None:
                return _keep(fresh, path)
            time.sleep(wait)
        else:
            break
    return path


def _keep(fresh: Path, path: Path) -> Path:
    beside = path.with_name(f"{path.stem}.new{path.suffix}")
    try:
        fresh.replace(beside)
    except PermissionError:
        return fresh
    return beside

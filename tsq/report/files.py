"""Write a file whole or not at all, also while somebody on Windows has the old one open."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

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
    fresh = _fresh(path)
    fresh.write_text(text, encoding="utf-8", newline="")
    return _put(fresh, path, waits)


def write_frame(path: Path, frame: pl.DataFrame, waits: tuple[float, ...] = WAITS) -> Path:
    """Write a frame as CSV, or as parquet where the name says so; as `write_text` does."""
    fresh = _fresh(path)
    if path.suffix == ".parquet":
        frame.write_parquet(fresh)
    else:
        frame.write_csv(fresh)
    return _put(fresh, path, waits)


def _fresh(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f"{path.stem}.{os.getpid()}.new{path.suffix}")


def _put(fresh: Path, path: Path, waits: tuple[float, ...]) -> Path:
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

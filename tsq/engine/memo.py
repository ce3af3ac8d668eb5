"""Compiled models remembered between runs: a text that has not changed is neither rendered nor parsed again.

An entry's key is a hash of all that decides it (the model's file, every knob, macro and table a template can see, the
code that compiles), so an entry can be missing, but not wrong. The file is a cache: without it a run is only slower.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Entries = Mapping[str, Mapping[str, Any]]


def load(path: Path) -> Entries:
    """Entries by key; none where there is no file or it cannot be read."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}


def save(path: Path, entries: Entries) -> None:
    """Keep these entries and no others; a folder that cannot be written keeps none."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
        scratch.replace(path)

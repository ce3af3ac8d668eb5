"""Versions of installed libraries, from the names of the folders that say them.

`importlib.metadata` parses a mail message for each; a run with nothing to do would spend a tenth of its time on that.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path


@cache
def version(name: str) -> str:
    """The version of an installed distribution.

    Args:
        name: as it is called in `constraints.txt`.

    Raises:
        PackageNotFoundError: it is not installed.
    """
    folder = name.lower().replace("-", "_")
    for path in sys.path:
        for entry in _infos(path):
            found, _, rest = entry.partition("-")
            if found.lower() == folder:
                return rest.removesuffix(".dist-info")
    from importlib import metadata

    return metadata.version(name)


@cache
def _infos(path: str) -> tuple[str, ...]:
    try:
        return tuple(entry.name for entry in Path(path or ".").glob("*.dist-info"))
    except OSError:
        return ()

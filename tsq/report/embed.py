"""Text that stands inside a page: assets, data, and their names in the page's security policy."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources


def json_text(value: object) -> str:
    """Write JSON that may stand inside a `<script>` element.

    Raises:
        ValueError: a NaN or an infinity is left in it.
    """
    text = json.dumps(value, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def asset(name: str) -> str:
    """Read a file of this package's `assets/`."""
    return resources.files("tsq.report").joinpath("assets", name).read_text(encoding="utf-8").replace("\r\n", "\n")


def digest(text: str) -> str:
    """Name a script or style in a security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

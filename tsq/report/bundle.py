"""The JavaScript that draws: Vega, Vega-Lite and vega-embed in one text that needs no network.

Building it takes about two seconds, so it is kept in the user's cache under the versions it was made of.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path

import vl_convert

from tsq.report.files import write_text

VEGA_LITE = "6.4"
SNIPPET = "window.vegaEmbed = vegaEmbed;"


def javascript(cache: Path | None = None) -> str:
    """Return the bundle, which defines `window.vegaEmbed`; safe to stand inside a `<script>` element.

    Args:
        cache: folder to keep it in; None is the user's cache. A folder that cannot be written to only costs time.
    """
    versions = (
        VEGA_LITE,
        vl_convert.get_vega_version(),
        vl_convert.get_vega_embed_version(),
        version("vl-convert-python"),
    )
    path = (cache if cache is not None else cache_folder()) / f"vega-{'-'.join(versions)}.js"
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        # nothing kept yet, or not ours to read: made afresh
        text = inlined(vl_convert.javascript_bundle(SNIPPET, vl_version=VEGA_LITE))
    try:
        write_text(path, text)
    except OSError:
        return text
    return text


def inlined(text: str) -> str:
    """Make JavaScript safe inside `<script>`: an end tag or comment in one of its strings must not be read as HTML."""
    return text.replace("</script", "<\\/script").replace("</SCRIPT", "<\\/SCRIPT").replace("<!--", "<\\!--")


def cache_folder() -> Path:
    """Return the user's cache folder of tsq; it need not exist."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "tsq" / "Cache"
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "tsq"

"""Hashes that say whether a model has to be compiled again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from tsq.engine.catalog import Catalog, Model
from tsq.engine.versions import version

# The modules whose code decides what a model compiles to.
_CODE = ("compile", "reading", "template", "sandbox", "lint", "lint_division", "lint_joins")


def of_models(catalog: Catalog, library: str) -> Callable[[Model], str]:
    """Hash of a model's file and of all else its compiled form depends on.

    A knob counts where its name stands in the model's file or in a macro; so do the tables of the project, which a
    template lists with `tables()` and a Python model names by its arguments.
    """
    knobs = catalog.project.knobs
    code = [Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8") for name in _CODE]
    macros = [path.read_text(encoding="utf-8") for path in catalog.macros]
    names = (list(knobs), list(catalog.layers), list(catalog.config), list(catalog.raw))
    surroundings = digest(library, version("sqlglot"), version("jinja2"), repr(names), *code, *macros)
    tables = repr([(model.name, model.header.meta) for model in catalog.models.values()])
    in_macros = _words("".join(macros))

    def key(model: Model) -> str:
        said = repr(model)
        words = in_macros | _words(said) | _words(re.sub(r"\\[nrt]", " ", said))
        sees_tables = model.language == "python" or "tables" in words
        used = [(name, value) for name, value in knobs.items() if name in words]
        return digest(surroundings, said, repr(used), tables if sees_tables else "")

    return key


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def library() -> str:
    """Hash of the source a Python model may call, and of what that calls: a changed step must rebuild what it made."""
    folder = Path(__file__).parent.parent / "quant"
    return digest(version("numpy"), *(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))))


def digest(*parts: str) -> str:
    """Hash texts, one after the other."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode())
        found.update(b"\x00")
    return found.hexdigest()

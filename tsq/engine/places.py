"""Where in the user's files something stands: looked up only when there is a mistake to point at."""

from __future__ import annotations

import re
from pathlib import Path

from tsq import strict_yaml
from tsq.engine.catalog import Model
from tsq.strict_yaml import Document

_SQL_HEADER = re.compile(r"/\*---(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_PYTHON_HEADER = re.compile(r"[rR]?(?:\"\"\"|''')---(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)


def promised(model: Model, *key: str | int) -> str:
    """`file:line` of a key of a model's header: in its own file, else in its layer's.

    Args:
        model: the model; its checks are numbered as its merged header has them, the layer's first.
        key: path of the key, such as `columns`, `close`, `type`.
    """
    own, layer = _own_header(model.path), _layer_header(model.path.parent / "_layer.yml")
    if key[0] == "checks" and len(key) > 1 and layer is not None:
        n_layer = len(layer.value.get("checks", ()))
        if int(key[1]) < n_layer:
            return layer.where(*key)
        key = ("checks", int(key[1]) - n_layer, *key[2:])
    for document in (own, layer):
        if document is not None and key[:2] in document.lines:
            return document.where(*key)
    for document in (own, layer):
        if document is not None and key[:1] in document.lines:
            return document.where(*key)
    return str(model.path)


def written(model: Model, sql: str, lines: tuple[int, ...], word: str) -> str:
    """`file:line` of the first place a model has a word: in its SQL, else in its header; else the file.

    Args:
        model: the model.
        sql: its rendered SQL.
        lines: line of the user's file for each line of `sql`.
        word: a name, such as `pit.prices`; case does not matter.
    """
    pattern = re.compile(rf"(?<![\w.]){re.escape(word)}(?!\w)", re.IGNORECASE)
    if word and lines and (found := pattern.search(sql)):
        return f"{model.path}:{lines[min(sql.count(chr(10), 0, found.start()), len(lines) - 1)]}"
    text = model.path.read_text(encoding="utf-8")
    found = pattern.search(text) if word else None
    return f"{model.path}:{text.count(chr(10), 0, found.start()) + 1}" if found else str(model.path)


def _own_header(path: Path) -> Document | None:
    found = (_SQL_HEADER if path.suffix == ".sql" else _PYTHON_HEADER).match(path.read_text(encoding="utf-8"))
    return strict_yaml.parse(found[1], path) if found else None


def _layer_header(path: Path) -> Document | None:
    return strict_yaml.read(path) if path.is_file() else None

"""What a project says: its layers, models, datasets and macros, read from files and checked, nothing rendered yet.

The path is the name: `models/factors/low_vol.sql` is the table `factors.low_vol`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tsq import strict_yaml
from tsq.config import Project
from tsq.engine import header as headers
from tsq.engine.datasets import Dataset, load_datasets
from tsq.engine.header import Header
from tsq.errors import TsqError, did_you_mean
from tsq.strict_yaml import Document

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_WINDOWS_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(1, 10))}
)
# Schemas and databases that stand beside the layers while a build is made.
_TAKEN = frozenset(
    {"build", "config", "information_schema", "memory", "ops", "pg_catalog", "raw", "seen", "system", "temp"}
)
MAX_PYTHON_MODELS = 6
_KEYS = tuple(key.name for key in fields(Header))


@dataclass(frozen=True)
class Layer:
    """A folder of models: its name, its place in the order, and what all its tables promise."""

    name: str
    position: int
    header: Header


@dataclass(frozen=True)
class Evening:
    """The time of a day, in a zone, from which rows are known of which only the day is said."""

    time: dt.time
    zone: str


# A project that says nothing: at the end of the day.
MIDNIGHT = Evening(dt.time(23, 59, 59), "UTC")


@dataclass(frozen=True)
class Model:
    """One model file.

    Attributes:
        name: `layer.table`.
        header: its promises, merged with its layer's.
        prose: what one row is and why, in words.
        body: SQL template, or Python text.
        body_line: line of the file on which the body begins.
        arguments: Python only: tables read, as argument names.
        knobs: Python only: knobs used.
    """

    name: str
    path: Path
    language: Literal["sql", "python"]
    header: Header
    prose: str
    body: str
    body_line: int
    arguments: tuple[str, ...] = ()
    knobs: tuple[str, ...] = ()

    @property
    def layer(self) -> str:
        """The schema the table stands in."""
        return self.name.partition(".")[0]

    @property
    def table(self) -> str:
        """The table's name within its schema."""
        return self.name.partition(".")[2]


@dataclass(frozen=True)
class Catalog:
    """Everything a project's files say.

    Attributes:
        layers: by name, in order: a layer reads itself and those before it.
        models: by `layer.table`, in the order of layers and names.
        raw: datasets of the lake, by name; read as `raw.<name>`.
        config: tables of settings, by name; read as `config.<name>`.
        raw_readers: layers that may read `raw.*`.
        macros: Jinja macro files.
        evening: when on its day a row is known whose header says the day (`knowable`).
    """

    project: Project
    layers: Mapping[str, Layer]
    models: Mapping[str, Model]
    raw: Mapping[str, Dataset]
    config: Mapping[str, Dataset]
    raw_readers: frozenset[str]
    macros: tuple[Path, ...]
    evening: Evening = MIDNIGHT


def read(project: Project) -> Catalog:
    """Read every model, layer and dataset of a project.

    Raises:
        TsqError: the first mistake found; nothing has been written by then.
    """
    layers, raw_readers, evening = _layers(project)
    models: dict[str, Model] = {}
    for layer in layers.values():
        for path in sorted((project.models / layer.name).iterdir()):
            if path.suffix in (".sql", ".py") and not path.name.startswith("_"):
                model = _model(path, layer)
                if model.name in models:
                    raise TsqError(
                        f"two files are the table {model.name}: {models[model.name].path.name} and {path.name}",
                        where=path,
                        hint="keep one of them",
                    )
                models[model.name] = model
                if (place := model.header.place or layer.name) not in layers:
                    hint = did_you_mean(place, layers)
                    raise TsqError(f"{model.name} takes the place of {place}, which is no layer", where=path, hint=hint)
    python = [model for model in models.values() if model.language == "python"]
    if len(python) > MAX_PYTHON_MODELS:
        raise TsqError(
            f"there are {len(python)} Python models; a project has at most {MAX_PYTHON_MODELS}",
            where=python[-1].path,
            hint="say it in SQL, or write an ADR on why SQL cannot and raise the limit",
        )
    macros = tuple(sorted((project.sql / "macros").glob("*.sql")))
    return Catalog(
        project,
        layers,
        models,
        load_datasets(project.sql / "raw"),
        _settings(project),
        raw_readers,
        macros,
        evening,
    )


def _settings(project: Project) -> dict[str, Dataset]:
    """Tables of settings, with the text that stands in for the file of some.

    Raises:
        TsqError: a schema that is wrong, or a substitute for a table there is not.
    """
    found = load_datasets(project.sql / "config")
    for name, text in project.substitutes.items():
        if name not in found:
            hint = did_you_mean(name, found)
            raise TsqError(f"no table of settings is called {name}", where=project.sql / "config", hint=hint)
        found[name] = replace(found[name], substitute=text)
    return found


def _layers(project: Project) -> tuple[dict[str, Layer], frozenset[str], Evening]:
    path = project.models / "layers.yml"
    document = strict_yaml.read(path)
    known = {"order", "read_raw", "evening"}
    for key in document.value:
        if key not in known:
            raise TsqError(f"unknown key {key}", where=document.where(key), hint=did_you_mean(key, known))
    order = document.value.get("order", [])
    folders = {folder.name for folder in project.models.iterdir() if folder.is_dir() and folder.name != "__pycache__"}
    for name in sorted(folders - set(order)):
        raise TsqError(
            f"the folder models/{name} has no place in the order of layers",
            where=document.where("order"),
            hint=did_you_mean(name, order),
        )
    layers = {}
    for position, name in enumerate(order):
        if name in folders:
            _check_name(name, project.models / name)
            if name in _TAKEN:
                hint = "the engine keeps tables of its own under this name; choose another"
                raise TsqError(f"a layer cannot be called {name}", where=document.where("order"), hint=hint)
            layers[name] = Layer(name, position, _layer_header(project.models / name / "_layer.yml"))
    return layers, frozenset(document.value.get("read_raw", [])), _evening(document)


def _evening(document: Document) -> Evening:
    if "evening" not in document.value:
        return MIDNIGHT
    said = str(document.value["evening"])
    time, _, zone = said.partition(" ")
    try:
        return Evening(dt.time.fromisoformat(time), ZoneInfo(zone).key)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise TsqError(
            f"evening is {said!r}",
            where=document.where("evening"),
            hint="write a time and a zone, such as 18:30 Asia/Kolkata",
        ) from None


def _layer_header(path: Path) -> Header:
    return headers.validate(strict_yaml.read(path)) if path.is_file() else Header()


def _model(path: Path, layer: Layer) -> Model:
    _check_name(path.stem, path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TsqError(f"{path.name} is not UTF-8 text ({error.reason})", where=path, hint="save it as UTF-8") from None
    language: Literal["sql", "python"] = "sql" if path.suffix == ".sql" else "python"
    parts = headers.read_sql(text, path) if language == "sql" else headers.read_python(text, path)
    header = _merge(layer.header, parts.header, parts.given)
    _check_kind(header, language, path)
    return Model(
        f"{layer.name}.{path.stem}",
        path,
        language,
        header,
        parts.prose,
        parts.body,
        parts.body_line,
        parts.tables,
        parts.knobs,
    )


def _merge(layer: Header, own: Header, given: frozenset[str]) -> Header:
    """A file's promises on top of its layer's: maps and checks add up, everything else the file says wins."""
    merged: dict[str, Any] = {name: getattr(own if name in given else layer, name) for name in _KEYS}
    merged["columns"] = {**layer.columns, **own.columns}
    merged["meta"] = {**layer.meta, **own.meta}
    merged["references"] = {**layer.references, **own.references}
    merged["checks"] = (*layer.checks, *own.checks)
    merged["tags"] = (*layer.tags, *own.tags)
    merged["doc"] = own.doc
    return Header(**merged)


def _check_kind(header: Header, language: str, path: Path) -> None:
    if header.kind == "view" and language == "python":
        hint = "make it `kind: table`, or say it in SQL"
        raise TsqError("this model cannot be a view: it is Python", where=path, hint=hint)
    if header.kind == "incremental":
        for key in ("date", "look_back"):
            if getattr(header, key) is None:
                raise TsqError(
                    f"an incremental model says its {key}",
                    where=path,
                    hint="date: the session's column; look_back: dates",
                )
        if language == "python" or header.date not in header.grain:
            why = "it is Python" if language == "python" else "its date is not in its grain"
            raise TsqError(
                f"this model cannot be incremental: {why}",
                where=path,
                hint="a session's rows must be told from all others by SQL alone; else make it `kind: table`",
            )
    elif header.look_back is not None:
        raise TsqError("look_back is for incremental models", where=path, hint="add `kind: incremental`, or drop it")


def _check_name(name: str, path: Path) -> None:
    if not NAME.fullmatch(name) or name in _WINDOWS_DEVICES:
        raise TsqError(
            f"{name!r} cannot be the name of a table or layer",
            where=path,
            hint="use lower-case letters, digits and underscores, starting with a letter",
        )

"""The one configuration object of a run: where the project lies, and its knobs.

Knobs are the flat `key: value` pairs of `config/run.yml`; a profile (`config/profiles/NAME.yml`) and `--set
key=value` override values of knobs that exist, with a value of the same type. Nothing else reads configuration, and
nothing reads it twice.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from tsq import strict_yaml
from tsq.errors import TsqError, did_you_mean
from tsq.strict_yaml import Document, Scalar

Knob = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True)
class Project:
    """A project folder and the knobs of one run.

    Attributes:
        root: folder that holds `models/`, `sql/` and `config/`.
        knobs: name → value; lists are tuples.
        origins: name → where the value was written (`config/run.yml:12`, `--set`).
        store: the folder a run writes to; None for `warehouse/` of the project.
        substitutes: table of settings → text read in place of its file, for this run.
    """

    root: Path
    knobs: Mapping[str, Knob]
    origins: Mapping[str, str]
    store: Path | None = None
    substitutes: Mapping[str, str] = field(default_factory=dict)

    @property
    def models(self) -> Path:
        """Folder of the models, one sub-folder a layer."""
        return self.root / "models"

    @property
    def sql(self) -> Path:
        """Folder of SQL that is not a table: dataset schemas, macros, saved queries."""
        return self.root / "sql"

    @property
    def warehouse(self) -> Path:
        """Folder of everything a run writes but reports."""
        return self.store or self.root / "warehouse"

    @property
    def cache(self) -> Path:
        """Folder of what can be lost: it only makes a run quicker."""
        return self.warehouse / ".cache"

    @property
    def pointer(self) -> Path:
        """The published warehouse: `warehouse/tsq.duckdb`."""
        return self.warehouse / "tsq.duckdb"

    @property
    def reports(self) -> Path:
        """Folder of page descriptions; `out/` below it holds what was rendered."""
        return self.root / "reports"


def find_root(start: Path) -> Path:
    """Find the project a folder belongs to: the nearest folder upwards with `config/run.yml` and `models/`.

    Raises:
        TsqError: there is none.
    """
    for folder in (start, *start.parents):
        if (folder / "config" / "run.yml").is_file() and (folder / "models").is_dir():
            return folder
    raise TsqError(
        "no tsq project here: neither this folder nor one above it has config/run.yml and models/",
        where=start,
        hint="change into a project, or name one with --project",
    )


def load(root: Path | None = None, *, sets: Iterable[str] = (), profile: str | None = None) -> Project:
    """Read a project's knobs.

    Args:
        root: the project folder; None looks upwards from the current folder.
        sets: `key=value` overrides, the value in YAML.
        profile: name of a file of `config/profiles/`.

    Raises:
        TsqError: no project, an unknown knob, a value of another type, or a file that is not strict YAML.
    """
    root = find_root(Path.cwd()) if root is None else find_root(root.resolve())
    document = strict_yaml.read(root / "config" / "run.yml")
    knobs: dict[str, Knob] = {}
    origins: dict[str, str] = {}
    for name, value in _mapping(document).items():
        knobs[name] = _knob(value, document.where(name))
        origins[name] = _short(document.where(name), root)
    project = Project(root, MappingProxyType(knobs), MappingProxyType(origins))
    return override(project, [*_profile(root, profile), *_sets(sets)])


def override(project: Project, values: Iterable[tuple[str, object, str]]) -> Project:
    """Give knobs that exist another value of the same type.

    Args:
        project: whose knobs.
        values: name, value and where it was written; a later one wins.

    Raises:
        TsqError: an unknown knob, or a value of another type.
    """
    knobs, origins = dict(project.knobs), dict(project.origins)
    for name, value, where in values:
        if name not in knobs:
            raise TsqError(f"unknown knob {name}", where=where, hint=did_you_mean(name, knobs))
        knobs[name] = _same_type(name, knobs[name], _knob(value, where), where)
        origins[name] = _short(where, project.root)
    return replace(project, knobs=MappingProxyType(knobs), origins=MappingProxyType(origins))


def knob_comments(project: Project) -> dict[str, dict[str, str]]:
    """Read what `config/run.yml` says of its knobs in comments.

    Returns:
        Section (`# -- name ---`) → knob → the comment right above it, as one line.
    """
    sections: dict[str, dict[str, str]] = {}
    section, comment = "knobs", ""
    for line in (project.root / "config" / "run.yml").read_text(encoding="utf-8").splitlines():
        title = re.fullmatch(r"# -- (.+?) -*", line)
        knob = re.match(r"([a-z][a-z0-9_]*):", line)
        if title:
            section, comment = title[1], ""
        elif knob:
            sections.setdefault(section, {})[knob[1]] = comment
            comment = ""
        else:
            comment = f"{comment} {line[1:].strip()}".strip() if line.startswith("#") else ""
    return sections


def _profile(root: Path, profile: str | None) -> list[tuple[str, object, str]]:
    if profile is None:
        return []
    folder = root / "config" / "profiles"
    path = folder / f"{profile}.yml"
    if not path.is_file():
        known = [file.stem for file in sorted(folder.glob("*.yml"))]
        raise TsqError(f"unknown profile {profile}", where=folder, hint=did_you_mean(profile, known))
    document = strict_yaml.read(path)
    return [(name, value, document.where(name)) for name, value in _mapping(document).items()]


def _sets(sets: Iterable[str]) -> list[tuple[str, object, str]]:
    overrides: list[tuple[str, object, str]] = []
    for item in sets:
        name, separator, text = item.partition("=")
        if not separator:
            raise TsqError(f"--set {item} has no value", hint="write --set knob=value")
        value = strict_yaml.parse(text, Path("--set")).value if text.strip() else text
        overrides.append((name.strip(), value, f"--set {item}"))
    return overrides


def _mapping(document: Document) -> dict[str, object]:
    if not isinstance(document.value, dict):
        raise TsqError(
            "this file must be `key: value` lines", where=document.file, hint="see config/run.yml of the starter"
        )
    return document.value


def _knob(value: object, where: str) -> Knob:
    if isinstance(value, list):
        if all(isinstance(item, (str, int, float, bool, dt.date)) for item in value):
            return tuple(value)
    elif value is None or isinstance(value, (str, int, float, bool, dt.date)):
        return value
    raise TsqError(
        "a knob is one value or a flat list of values",
        where=where,
        hint="tables of settings have files of their own in config/",
    )


def _same_type(name: str, default: Knob, value: Knob, where: str) -> Knob:
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, float) and value.is_integer() and isinstance(default, int) and not isinstance(default, bool):
        return int(value)  # 1e7 is how people write ten million
    if isinstance(default, str) and not isinstance(value, (str, tuple)) and value is not None:
        return str(value)
    if isinstance(default, tuple) and not isinstance(value, tuple):
        value = (value,)
    if default is not None and type(value) is not type(default):
        raise TsqError(
            f"knob {name} is {type(default).__name__} ({default!r}), not {type(value).__name__} ({value!r})",
            where=where,
            hint="give a value of the same kind",
        )
    return value


def _short(where: str, root: Path) -> str:
    return where.removeprefix(f"{root}/").removeprefix(f"{root}\\").replace("\\", "/")

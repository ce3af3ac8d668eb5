"""What went into two builds and was not the same: knobs, the clock, batches of data, files, models, versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

from tsq.engine.manifest import Manifest

Kind = Literal["market", "as_of", "knob", "batch", "file", "model", "package", "platform", "git"]


@dataclass(frozen=True)
class Input:
    """One thing that went in and differs; None where a build went without it.

    A batch is told by what it holds, a file of settings and a model by the hash of what they say.
    """

    kind: Kind
    name: str
    a: Any
    b: Any


def differences(a: Manifest, b: Manifest) -> tuple[Input, ...]:
    """What differs between the inputs of two builds; what decides most comes first."""
    return tuple(_differences(a, b))


def _differences(a: Manifest, b: Manifest) -> Iterator[Input]:
    yield from _unequal("market", {"market": a.market}, {"market": b.market})
    yield from _unequal("as_of", {"as_of": a.as_of}, {"as_of": b.as_of})
    yield from _unequal("knob", a.knobs, b.knobs)
    yield from _unequal("batch", _batches(a, b), _batches(b, a))
    yield from _unequal("file", _files(a), _files(b))
    yield from _models(a, b)
    yield from _unequal("package", a.packages, b.packages)
    yield from _unequal("platform", {"platform": a.platform}, {"platform": b.platform})
    yield from _unequal("git", _commit(a), _commit(b))


def _unequal(kind: Kind, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Input]:
    for name in [*a, *(name for name in b if name not in a)]:
        if a.get(name) != b.get(name):
            yield Input(kind, name, a.get(name), b.get(name))


def _batches(mine: Manifest, other: Manifest) -> dict[str, str]:
    """Batch → datasets it brought that the other build does not have just so."""
    found: dict[str, list[str]] = {}
    for part, sha256 in mine.inputs.items():
        path = PurePosixPath(part)
        if other.inputs.get(part) != sha256:
            changed = f" (sha256 {sha256[:8]})" if part in other.inputs else ""
            found.setdefault(path.stem, []).append(f"{path.parent}{changed}")
    return {batch: ", ".join(sorted(datasets)) for batch, datasets in sorted(found.items())}


def _files(manifest: Manifest) -> dict[str, str]:
    """Settings in files; raw data is told by its batches and the as-of."""
    return {
        source: sha256[:8]
        for model in manifest.models
        for source, sha256 in model.sources.items()
        if source.startswith("config.")
    }


def _models(a: Manifest, b: Manifest) -> Iterator[Input]:
    """Models that say something else, though their knobs are the same."""
    before = {model.name: model for model in a.models}
    for model in b.models:
        was = before.get(model.name)
        if was and was.own_hash != model.own_hash and was.knobs == model.knobs:
            yield Input("model", model.name, was.own_hash[:8], model.own_hash[:8])


def _commit(manifest: Manifest) -> dict[str, str]:
    commit = manifest.git.get("commit")
    return {"commit": f"{commit[:10]}{' and changes' if manifest.git.get('dirty') else ''}"} if commit else {}

"""Which portfolios `tsq compare` puts side by side: words and options become rows of tables of settings.

A word is a portfolio of config/portfolios.yml (or of a file like it), or an optimiser, applied to one of those. Options
give columns other values; several values of an option make the product. What comes out stands in for
`config.portfolios` and `config.execution` in one run, so nothing upstream of them is computed again.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from tsq.engine import seeds
from tsq.engine.datasets import Column, Dataset
from tsq.errors import TsqError, did_you_mean

Settings = Mapping[str, Any]
COST = "slippage_bps"
# what `tsq compare` says without words: the plain book against the one of least variance
PLAIN = ("equal_weight", "min_variance")
# columns of config.portfolios whose one value is a list with commas
LISTS = ("benchmark", "fallback")


@dataclass(frozen=True)
class Axis:
    """One thing that is varied.

    Attributes:
        option: as the user wrote it, for errors.
        column: of config.portfolios; or COST, of config.execution.
        texts: the values, as written.
    """

    option: str
    column: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Variant:
    """One portfolio to compare: its name, its row of config.portfolios, and its slippage where an option says it."""

    name: str
    settings: Settings
    cost_bps: float | None = None
    varied: Settings = field(default_factory=dict)


@dataclass(frozen=True)
class Tables:
    """The tables of settings that variants are made of, and where the project's files are.

    `taken` are tables with rows of portfolios (their first column) that go along to what is made of them.
    """

    portfolios: Dataset
    execution: Dataset
    root: Path
    taken: tuple[Dataset, ...] = ()


def choose(
    tables: Tables, words: Sequence[str], axes: Sequence[Axis], *, on: str | None = None, file: Path | None = None
) -> tuple[Variant, ...]:
    """Make the variants.

    Args:
        tables: the project's settings.
        words: portfolios and optimisers; none means all of `file`, or an equal weight against the least variance.
        axes: columns to vary; those with several values become part of the names.
        on: the portfolio that optimisers are applied to; None is the first.
        file: more portfolios, in the form of config/portfolios.yml.

    Raises:
        TsqError: a word nobody knows, a value a column cannot have, the same name twice, or no such file.
    """
    if file and not file.is_file():
        raise TsqError(
            f"{file} does not exist", where="--file", hint="give a file in the form of config/portfolios.yml"
        )
    own = _rows(replace(tables.portfolios, file=file.resolve()), tables.root) if file else {}
    known = {**_rows(tables.portfolios, tables.root), **own}
    base = on or next(iter(known), "")
    if base not in known:
        raise TsqError(
            f"no portfolio is called {base}" if base else "there is no portfolio to compare",
            where=file or tables.portfolios.file,
            hint=did_you_mean(base, known) if base else "write one in config/portfolios.yml",
        )
    optimisers = _column(tables.portfolios, "optimiser", "the words of `tsq compare`").one_of
    chosen = [_word(word, known, base, optimisers) for word in words or tuple(own) or PLAIN]
    values = [_values(tables, axis) for axis in axes]
    named = [axis.column for axis, found in zip(axes, values, strict=True) if len(found) > 1]
    columns = [axis.column for axis in axes]
    made = [
        _varied(variant, dict(zip(columns, picked, strict=True)), named)
        for variant in chosen
        for picked in product(*values)
    ]
    seen: set[str] = set()
    for variant in made:
        if variant.name in seen:
            raise TsqError(f"{variant.name} is to be compared with itself", hint="say each portfolio and value once")
        seen.add(variant.name)
    return tuple(made)


def substitutes(tables: Tables, variants: Iterable[Variant]) -> dict[str, str]:
    """What stands in for tables of settings so that a run makes these variants and no other portfolio."""
    variants = tuple(variants)
    profiles = _rows(tables.execution, tables.root)
    key, execution = tables.portfolios.columns[0].name, tables.execution.columns[0].name
    dear: dict[str, Settings] = {}
    rows: dict[str, Settings] = {}
    for variant in variants:
        settings = dict(variant.settings)
        if variant.cost_bps is not None:
            profile = str(settings[execution])
            if profile not in profiles:
                hint = did_you_mean(profile, profiles)
                raise TsqError(
                    f"{variant.name}: no execution is called {profile}", where=tables.execution.file, hint=hint
                )
            settings[execution] = f"{profile} at {variant.cost_bps:g} bps"
            dear[settings[execution]] = {**profiles[profile], execution: settings[execution], COST: variant.cost_bps}
        rows[variant.name] = settings
    made = {tables.portfolios.name: _text(rows, key)}
    if dear:
        made[tables.execution.name] = _text({**profiles, **dear}, execution)
    for dataset in tables.taken:
        if told := seeds.read(dataset, tables.root).rows:
            made[dataset.name] = _csv(dataset, [(variant, row) for variant in variants for row in told], key)
    return made


def _csv(dataset: Dataset, pairs: Iterable[tuple[Variant, tuple[Any, ...]]], key: str) -> str:
    """The rows of portfolios, told of their variants."""
    out = io.StringIO(newline="")
    sheet = csv.writer(out, lineterminator="\n")
    sheet.writerow(dataset.column_names)
    sheet.writerows((variant.name, *row[1:]) for variant, row in pairs if row[0] == variant.settings[key])
    return out.getvalue()


def axis(tables: Tables, option: str, column: str, texts: Iterable[str]) -> Axis:
    """Take an option's values apart at commas, unless one value of the column is a list with commas of its own."""
    _of(tables, column, option)
    parts = [part.strip() for text in texts for part in ([text] if column in LISTS else text.split(","))]
    return Axis(option, column, tuple(dict.fromkeys(parts)))


def assignments(tables: Tables, given: Iterable[str]) -> Iterator[Axis]:
    """The axes of `--with COLUMN=VALUE`; the same column said twice has both values.

    Raises:
        TsqError: no `=`, or no such column.
    """
    found: dict[str, list[str]] = {}
    for text in given:
        column, equals, value = text.partition("=")
        if not equals:
            raise TsqError(f"--with {text} has no value", hint="write --with column=value")
        found.setdefault(column.strip(), []).append(value)
    for column, texts in found.items():
        if column == tables.portfolios.columns[0].name:
            raise TsqError(f"--with {column}: the name is made of the words and the values", hint="leave it out")
        yield axis(tables, f"--with {column}", column, texts)


def _word(word: str, known: Mapping[str, Settings], base: str, optimisers: Sequence[Any]) -> Variant:
    if word in known:
        return Variant(word, known[word])
    if word in optimisers:
        return Variant(word, {**known[base], "optimiser": word})
    raise TsqError(
        f"{word} is neither a portfolio nor an optimiser",
        where="tsq compare",
        hint=did_you_mean(word, [*known, *map(str, optimisers)]),
    )


def _varied(variant: Variant, values: Mapping[str, Any], named: Sequence[str]) -> Variant:
    name = "_".join([variant.name, *(_short(values[column]) for column in named)])
    settings = {**variant.settings, **{column: value for column, value in values.items() if column != COST}}
    return Variant(name, settings, values.get(COST), dict(values))


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).replace(" ", "_")


def _values(tables: Tables, axis: Axis) -> list[Any]:
    column = _of(tables, axis.column, axis.option)
    return [seeds.value(column, text or None, f"{axis.option} {text}") for text in axis.texts]


def _of(tables: Tables, column: str, option: str) -> Column:
    return _column(tables.execution if column == COST else tables.portfolios, column, option)


def _column(dataset: Dataset, name: str, option: str) -> Column:
    if name not in dataset.column_names:
        known = did_you_mean(name, dataset.column_names)
        raise TsqError(f"config.{dataset.name} has no column {name}", where=option, hint=known)
    return dataset.column(name)


def _rows(dataset: Dataset, root: Path) -> dict[str, Settings]:
    rows = seeds.read(dataset, root).rows
    return {str(row[0]): dict(zip(dataset.column_names, row, strict=True)) for row in rows}


def _text(rows: Mapping[str, Settings], key: str) -> str:
    """Rows as YAML, one a line, so that an error's line is a row's number."""
    return "".join(
        f"{json.dumps(name)}: {json.dumps(_said(settings, key), default=str, ensure_ascii=False)}\n"
        for name, settings in rows.items()
    )


def _said(settings: Settings, key: str) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None and name != key}

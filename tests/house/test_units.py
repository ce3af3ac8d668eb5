"""A name that says a unit or a type says the truth: `cash_inr` is in rupees, `known_at` is a time, `is_last` is yes or no."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from tsq.engine.graph import Graph

# What a name promises → the units that keep it.
UNITS = {
    r"\w+_inr": r"inr( per share)?",
    r"\w+_bps": r"basis points( a year)?",
    r"\w+_pct": r"percent",
    r"(\w+_)?bps_\w+|\w+_bps_ann": r"basis points( a year)?",
    r"\w+_ann": r"[\w ]+ a year",
    r"cagr": r"ratio a year",
    r"\w+_days": r"days|sessions",
    r"(\w+_)?sessions(_\w+)?": r"sessions|ratio a year",
    r"(\w+_)?qty|shares|volume": r"shares",
    r"(\w+_)?(ret|return|weight|drawdown|turnover|coverage)": r"ratio",
}
# … and the types.
TYPES = {
    r"(is|has)_\w+": "BOOLEAN",
    r"\w+_at|known_from|known_to": "TIMESTAMPTZ",
    r"date|\w+_date|\w+_on|valid_from|valid_to": "DATE",
    r"security_id": "BIGINT",
    r"n_\w+": r"BIGINT|INTEGER",
    r"\w+_inr|ret|weight|nav": "DOUBLE",
}


def broken(name: str, unit: str | None, kind: str) -> list[str]:
    """What a column's name promises and its unit or type does not keep."""
    said = [f"{name} [{unit}]" for names, units in UNITS.items() if matches(names, name) and not matches(units, unit)]
    return said + [
        f"{name} {kind}" for names, kinds in TYPES.items() if matches(names, name) and not matches(kinds, kind)
    ]


def matches(pattern: str, text: str | None) -> bool:
    return re.fullmatch(pattern, text or "") is not None


def columns(graph: Graph) -> Iterator[tuple[str, str, str | None, str]]:
    for name, node in graph.nodes.items():
        for column, promised in node.model.header.columns.items():
            yield name, column, promised.unit, promised.type or ""
    sources: Mapping[str, Mapping] = {"raw": graph.catalog.raw, "config": graph.catalog.config}
    for schema, datasets in sources.items():
        for name, dataset in datasets.items():
            for column in dataset.columns:
                yield f"{schema}.{name}", column.name, column.unit, column.type


@pytest.mark.parametrize(
    ("name", "unit", "kind", "said"),
    [
        ("cash_inr", "inr", "DOUBLE", []),
        ("eps_inr", "inr per share", "DOUBLE", []),
        ("cash_inr", None, "DOUBLE", ["cash_inr [None]"]),
        ("cash_inr", "lakh", "BIGINT", ["cash_inr [lakh]", "cash_inr BIGINT"]),
        ("cost_bps", "ratio", "DOUBLE", ["cost_bps [ratio]"]),
        ("vol_ann", "ratio", "DOUBLE", ["vol_ann [ratio]"]),
        ("gap_days", "hours", "INTEGER", ["gap_days [hours]"]),
        ("known_at", None, "DATE", ["known_at DATE"]),
        ("valid_to", None, "TIMESTAMPTZ", ["valid_to TIMESTAMPTZ"]),
        ("is_last", None, "INTEGER", ["is_last INTEGER"]),
        ("note", None, "VARCHAR", []),
    ],
)
def test_a_name_that_lies_is_found(name: str, unit: str | None, kind: str, said: list[str]) -> None:
    assert broken(name, unit, kind) == said


def test_names_say_their_units(graph: Graph) -> None:
    lies = [f"{table}: {lie}" for table, name, unit, kind in columns(graph) for lie in broken(name, unit, kind)]
    assert not lies


def test_a_column_has_a_type(graph: Graph) -> None:
    assert not [f"{table}.{name}" for table, name, _, kind in columns(graph) if not kind]

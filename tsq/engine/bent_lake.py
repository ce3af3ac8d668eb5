"""A lake whose future is another one: what became known after a cut is bent, whatever the datasets mean.

Each name (the text columns of a key) meets one fate at the cut: its numbers grow tenfold, it vanishes, its numbers and
texts go missing, it gets the numbers of another name, it goes on under another name, or its texts change. Some facts
from before the cut are said again afterwards with other values, or taken back. Dates and flags stay, and so does
everything that was known by the cut. A row stays a row: what is required is there, its numbers move together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from tsq.engine.datasets import Column, Dataset
from tsq.engine.lake import LAKE_COLUMNS, quote_name, timestamp_sql

FATES = ("tenfold", "vanished", "missing", "shuffled", "renamed", "reworded")
# Facts from before the cut that are said again: of each dataset the newest, and others.
_RESTATED = 24
# When they are: few moments, as a correction makes the past of its name known anew.
_LATER_DAYS = (1, 9)
_NUMBERS = ("DOUBLE", "BIGINT", "INTEGER")


def bent(dataset: Dataset, rows: str, cut: dt.datetime, seed: int) -> str:
    """A SELECT of the rows of a dataset, with another future after the cut.

    Args:
        dataset: its schema.
        rows: a table of its rows and the lake's columns.
        cut: what was known by then stays.
        seed: another one gives names other fates.

    Returns:
        The query; the same columns.
    """
    moment = timestamp_sql(cut)
    later = f"select *, {_fate(dataset, seed)} as fate from {rows} where known_at > {moment}"
    if _numbers(dataset):
        # the numbers of the next name of the same day; of the same other name on all days
        same = f"partition by {', '.join(map(quote_name, _axis(dataset)))} " if _axis(dataset) else ""
        order = ", ".join(map(quote_name, [name for name in dataset.key if name not in _axis(dataset)] or dataset.key))
        other = ", ".join(
            f"lead({name}, 1, {name}) over w as other_{place}"
            for place, name in enumerate(quote_name(column.name) for column in _numbers(dataset))
        )
        later = f"select *, {other} from ({later}) window w as ({same}order by hash({order}), {order}, known_at, file)"
    return (
        f"select {_listed(dataset, {})} from {rows} where known_at <= {moment} "
        f"union all select {_listed(dataset, _bends(dataset))} from ({later}) where fate != {FATES.index('vanished')} "
        f"union all {_restated(dataset, rows, cut, seed)}"
    )


def again(dataset: Dataset, rows: str, seed: int) -> str:
    """A SELECT of a dataset as if it had been loaded twice, in the opposite order, its rows in any order."""
    opposite = (
        "make_timestamptz(epoch_us(min(loaded_at) over ()) + epoch_us(max(loaded_at) over ()) - epoch_us(loaded_at))"
    )
    first = f"select * replace ({opposite} as loaded_at, md5(batch_id) as batch_id) from {rows}"
    second = f"select * replace (loaded_at + interval 1 hour as loaded_at, md5(batch_id) as batch_id) from ({first})"
    key = ", ".join(map(quote_name, dataset.key))
    return (
        f"select {_listed(dataset, {})} from ({first} union all {second}) "
        f"order by hash({seed}, {key}, known_at, batch_id)"
    )


def _restated(dataset: Dataset, rows: str, cut: dt.datetime, seed: int) -> str:
    """Some rows from before the cut, said again after it with other values, or taken back."""
    changed: dict[str, str] = {}
    fresh = " ".join(
        f"when restated % {len(_LATER_DAYS)} = {place} then {timestamp_sql(cut + dt.timedelta(days=days))}"
        for place, days in enumerate(_LATER_DAYS)
    )
    known = f"case {fresh} end"
    for column in dataset.columns:
        name = quote_name(column.name)
        if column.type in _NUMBERS and column.name not in dataset.key:
            changed[column.name] = f"try_cast(round({name} * 1.5, 4) as {column.type})"
        elif _is_word(column) and column.name not in dataset.key:
            changed[column.name] = f"if(restated % 3 = 0, {name} || '_', {name})"
        elif column.type == "TIMESTAMPTZ":
            # a column that says when the row was known says so of the new row too
            changed[column.name] = f"if({name} = known_at, {known}, {name})"
    changed["known_at"] = known
    changed["is_withdrawn"] = "coalesce(is_withdrawn, false) or restated % 4 = 1"
    key = ", ".join(map(quote_name, dataset.key))
    known_before = f"select * from {rows} where known_at <= {timestamp_sql(cut)}"
    chosen = (
        f"select *, row_number() over (order by known_at desc, hash({seed}, {key})) as recent, "
        f"row_number() over (order by hash({seed}, {key}, known_at), {key}) as restated from ({known_before}) "
        f"qualify restated <= {_RESTATED} or recent <= {_RESTATED}"
    )
    return f"select {_listed(dataset, changed)} from ({chosen})"


def _bends(dataset: Dataset) -> dict[str, str]:
    changed: dict[str, str] = {}
    fate = {name: f"fate = {place}" for place, name in enumerate(FATES)}
    for place, column in enumerate(_numbers(dataset)):
        name = quote_name(column.name)
        missing = "" if column.required else f"when {fate['missing']} then null "
        changed[column.name] = (
            f"case when {fate['tenfold']} then try_cast({name} * 10 as {column.type}) {missing}"
            f"when {fate['shuffled']} then other_{place} else {name} end"
        )
    renamed = _renamed(dataset)
    for column in dataset.columns:
        name = quote_name(column.name)
        if column.name == renamed:
            changed[column.name] = f"if({fate['renamed']}, {name} || 'X', {name})"
        elif _is_word(column) and column.name not in dataset.key:
            # with its name goes what else names it, or it would be the same under another name
            missing = "" if column.required else f"when {fate['missing']} then null "
            changed[column.name] = (
                f"case when {fate['reworded']} or {fate['renamed']} then {name} || 'X' {missing}else {name} end"
            )
    return changed


def _fate(dataset: Dataset, seed: int) -> str:
    words = [quote_name(column.name) for column in dataset.columns if column.name in dataset.key and _is_word(column)]
    who = ", ".join(words or [quote_name(name) for name in dataset.key])
    return f"hash({seed}, '{dataset.name}', {who}) % {len(FATES)}"


def _numbers(dataset: Dataset) -> list[Column]:
    return [column for column in dataset.columns if column.type in _NUMBERS and column.name not in dataset.key]


def _is_word(column: Column) -> bool:
    return column.type == "VARCHAR" and not column.one_of


def _renamed(dataset: Dataset) -> str | None:
    """The text of the key that is a name: the first one whose values are not all known beforehand."""
    return next((name for name in dataset.key if _is_word(dataset.column(name))), None)


def _axis(dataset: Dataset) -> list[str]:
    """The columns of the key that are no names: rows that share them are of one day."""
    return [name for name in dataset.key if dataset.column(name).type == "DATE"]


def _listed(dataset: Dataset, changed: Mapping[str, str]) -> str:
    names = [*dataset.column_names, *LAKE_COLUMNS]
    return ", ".join(
        f"{changed[name]} as {quote_name(name)}" if name in changed else quote_name(name) for name in names
    )

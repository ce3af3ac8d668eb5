"""Leaks put behind a model: its own rows, made anew with a look at rows that became known later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tsq.engine.plants_axis import Change, Place, spelt

# The moment at which a row was known, beside the model's own columns.
KNOWN = '"known to plants"'
_AROUND = 2


def changes(place: Place) -> Iterator[Change]:
    """Every leak that can be put behind this model."""
    yield from _lead(place)
    yield from _centred(place)
    yield from _whole_sample(place)


def remade(place: Place, put: Mapping[str, str], *, steps: str = "", source: str = "honest") -> str:
    """The model's SELECT with some columns made anew, each cast back to its type.

    Args:
        place: the model.
        put: column → SQL over the rows of `honest`, which have the model's columns and `KNOWN`.
        steps: further CTEs, each with a comma before it.
        source: what stands behind FROM; the model's rows go by the name `honest`.
    """
    listed = [
        f"cast({put[name]} as {kind}) as {spelt(name)}" if name in put else f"honest.{spelt(name)}"
        for name, kind in place.columns.items()
    ]
    rows = f"with own as (\n{place.node.sql}\n),\n\nhonest as (select *, {place.axis.known} as {KNOWN} from own)"
    return f"{rows}{steps}\n\nselect {', '.join(listed)}\nfrom {source}"


def _lead(place: Place) -> Iterator[Change]:
    column = place.column("lead")
    if column:
        line, name = place.axis.line, spelt(column)
        later = f"lead({KNOWN}) over ({line}) > {KNOWN}"
        sql = remade(place, {column: f"case when {later} then lead({name}) over ({line}) else {name} end"})
        yield Change("lead", sql, f"{column} is that of the next row{_per_key(place)}", column)


def _centred(place: Place) -> Iterator[Change]:
    column = place.column("centred_window", fractions=True)
    if column:
        around = f"{place.axis.line} rows between {_AROUND} preceding and {_AROUND} following"
        name = spelt(column)
        later = f"max({KNOWN}) over ({around}) > {KNOWN}"
        sql = remade(place, {column: f"case when {later} then avg({name}) over ({around}) else {name} end"})
        said = f"{column} is the mean of {_AROUND} rows before and {_AROUND} after it{_per_key(place)}"
        yield Change("centred_window", sql, said, column)


def _whole_sample(place: Place) -> Iterator[Change]:
    column = place.column("whole_sample_z", fractions=True)
    if column:
        name = spelt(column)
        finite = f"case when isfinite({name}) then {name} end" if place.columns[column] in ("DOUBLE", "FLOAT") else name
        score = f"({name} - avg({finite}) over ()) / nullif(stddev_samp({finite}) over (), 0)"
        later = f"max({KNOWN}) over () > min({KNOWN}) over ()"
        sql = remade(place, {column: f"case when {later} then coalesce({score}, {name}) else {name} end"})
        said = f"{column} is its distance from the mean of all rows, in their standard deviations"
        yield Change("whole_sample_z", sql, said, column)


def _per_key(place: Place) -> str:
    return f" of its {', '.join(place.axis.key)}" if place.axis.key else ""

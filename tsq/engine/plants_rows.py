"""Leaks put behind a model: its own rows, made anew with a look at rows that became known later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tsq.engine.plants_axis import MOMENT, Change, Place, spelt, table_spelt
from tsq.engine.plants_intervals import EARLY, earlier

# The moment at which a row was known, beside the model's own columns.
KNOWN = '"known to plants"'
_AROUND = 2
# One value in so many stays where the others are emptied.
_KEPT = 10


def changes(place: Place) -> Iterator[Change]:
    """Every leak that can be put behind this model."""
    yield from _lead(place)
    yield from _centred(place)
    yield from _whole_sample(place)
    yield from _back_filled(place)
    yield from _restated(place)
    if not place.is_rare:
        yield from _earlier_session(place)
        yield from _survivors(place)
        yield from _early_interval(place)


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


def _earlier_session(place: Place) -> Iterator[Change]:
    """Rows dated to the session before: the last one before them that the model, or a table it reads, has rows of."""
    day = place.header.date
    if not day or place.columns.get(day) != "DATE":
        return
    sources = [f"select {spelt(day)} as day from honest"]
    for read in place.node.own_reads:
        dated = place.graph.nodes[read].model.header.date if read in place.graph.nodes else None
        if dated and place.tables[read].get(dated) == "DATE":
            sources.append(f"select {spelt(dated)} from {table_spelt(read)}")
    days = f"select distinct day from ({' union all '.join(sources)}) where day is not null"
    steps = (
        f",\n\nsessions as (select day, lag(day) over (order by day) as before from ({days})),\n\n"
        f"dated as (select day, before from sessions where day in (select {spelt(day)} from honest))"
    )
    gone = f"cast(honest.{spelt(day)} - dated.before as integer)"
    put = {}
    # all that says when a row was known moves with its day
    for name, kind in place.columns.items():
        if name == day or (name in place.axis.saying_known and kind in ("DATE", MOMENT)):
            own = f"honest.{spelt(name)}"
            put[name] = f"coalesce({own} - {f'to_days({gone})' if kind == MOMENT else gone}, {own})"
    source = (
        f"honest join dated on dated.day = honest.{spelt(day)}\n"
        "where dated.before is not null or (select count(*) from dated) = 1"
    )
    said = f"{day} is the session before: what a close decides is dated so that it is traded at that close"
    yield Change("same_close_fill", remade(place, put, steps=steps, source=source), said, day)


def _survivors(place: Place) -> Iterator[Change]:
    """Rows of those keys only that are there at the end."""
    if not place.axis.key:
        return
    key = ", ".join(map(spelt, place.axis.key))
    interval = place.header.interval
    if place.header.date in place.columns:
        last = place.axis.when
    elif len(interval) == 2 and interval[1] in place.columns:
        last = spelt(interval[1])
    else:
        return
    alive = f"select {key} from honest where {last} = (select max({last}) from honest)"
    source = f"honest\nwhere ({key}) in ({alive})"
    said = f"rows only of {', '.join(place.axis.key)} that are there at the end"
    yield Change("survivors_only", remade(place, {}, source=source), said)


def _back_filled(place: Place) -> Iterator[Change]:
    column = place.column("back_filled")
    if not column:
        return
    name, line = spelt(column), f"{place.axis.line} rows between current row and unbounded following"
    drawn = ", ".join([place.axis.when, *map(spelt, place.axis.key)])
    kept, fill, known = '"kept by plants"', '"filled by plants"', '"filled when known to plants"'
    steps = (
        f",\n\nemptied as (select *, hash({drawn}) % {_KEPT} = 0 and {name} is not null as {kept} from honest),\n\n"
        f"filled as (select *, first_value(case when {kept} then {name} end ignore nulls) over ({line}) as {fill}, "
        f"first_value(case when {kept} then {KNOWN} end ignore nulls) over ({line}) as {known} from emptied)"
    )
    put = {column: f"case when {known} > {KNOWN} then {fill} else {name} end"}
    said = f"{column} is emptied but in one row of {_KEPT}, and filled from the next that has it{_per_key(place)}"
    yield Change("back_filled", remade(place, put, steps=steps, source="filled as honest"), said, column)


def _restated(place: Place) -> Iterator[Change]:
    """Every version of a row with the values of the newest."""
    columns = place.columns
    if not columns.get("known_from") == columns.get("known_to") == MOMENT:
        return
    key = [name for name in place.header.grain if name not in ("known_from", "known_to")]
    if not key or len(key) == len(place.header.grain):
        return
    following = "rows between current row and unbounded following"
    line = f"partition by {', '.join(map(spelt, key))} order by known_from {following}"
    put = {
        name: f"last_value({spelt(name)}) over ({line})"
        for name in columns
        if name not in (*key, "known_from", "known_to")
    }
    if put:
        yield Change("restated_early", remade(place, put), "every version has the values of the newest")


def _early_interval(place: Place) -> Iterator[Change]:
    interval = [name for name in place.header.interval if name in place.columns]
    kinds = {name: kind for name, kind in place.columns.items() if name in interval or name in place.axis.saying_known}
    put = earlier(interval, kinds)
    if put:
        said = f"the later half of {interval[0]} is {EARLY} days earlier, and no later than it was known"
        yield Change("ex_date_early", remade(place, put), said, interval[0])


def _per_key(place: Place) -> str:
    return f" of its {', '.join(place.axis.key)}" if place.axis.key else ""

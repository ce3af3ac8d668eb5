"""A toy project whose lake is written by hand, and an audit of it: names, days, a value that is corrected."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tsq import config
from tsq.engine import audit, audit_build, catalog, graph, warehouse
from tsq.engine.audit import Audit, Wish
from tsq.engine.audit_build import Aside
from tsq.engine.compile import compile_catalog
from tsq.engine.graph import Graph
from tsq.engine.lake import Lake
from tsq.engine.warehouse import Machine

VALUES = """
doc: values
key: [day, name]
date: day
columns:
  day: {type: DATE, doc: d}
  name: {type: VARCHAR, doc: d}
  value: {type: DOUBLE, doc: d, required: true}
  note: {type: VARCHAR, doc: d}
"""
DAYS = tuple(dt.date(2023, 1, 2) + dt.timedelta(days=7 * week + day) for week in range(30) for day in range(5))
# the value of a day as it was known, with all its versions behind it
FACTS = """/*---
date: day
grain: [day, name]
versions: base.replaced
---
Values, as known now.
*/
with versions as (
    select day, name, value, known_at, lead(known_at) over (partition by day, name order by known_at, value) as later
    from raw.prints
)

select day, name, value, known_at,
from versions
where later is null
"""
REPLACED = """/*---
grain: [day, name, known_from]
knowable: "date '9999-12-31'"
---
Values that were corrected.
*/
with versions as (
    select day, name, value, known_at, lead(known_at) over (partition by day, name order by known_at, value) as later
    from raw.prints
)

select day, name, value, known_at, known_at as known_from, later as known_to,
from versions
where later > known_at
"""
# what a decision of the day may know
SEEN = """/*---
date: day
grain: [day, name]
knowable: day
---
The value of each day that was known on its evening.
*/
select day, name, arg_max(value, known_at) as value,
from (
    select day, name, value, known_at from base.facts
    union all
    select day, name, value, known_at from base.replaced
)
where known_at <= cast(day as timestamp) + interval 20 hours
group by day, name
"""
PROJECT = {
    "sql/raw/prints.yml": VALUES,
    "models/layers.yml": "order: [base, mart]\nread_raw: [base]\nevening: 20:00 UTC\n",
    "models/base/facts.sql": FACTS,
    "models/base/replaced.sql": REPLACED,
    "models/mart/seen.sql": SEEN,
    "models/mart/starts.sql": """/*---
date: day
grain: [day, name]
knowable: day
---
One row a name and month: its first day.
*/
select day, name, value,
from mart.seen
qualify row_number() over (partition by name, date_trunc('month', day) order by day) = 1
""",
}


def write(root: Path) -> Graph:
    """Load the lake of a project: 6 names, 150 days; one value in forty is corrected ten days later."""
    found = catalog.read(config.load(root))
    lake = Lake(root / "warehouse" / "raw", found.raw)
    rows = []
    for number, (day, name) in enumerate(itertools.product(DAYS, "abcdef")):
        value = 100.0 + (number * 37) % 101
        rows.append((day, name, value, dt.datetime.combine(day, dt.time(18), dt.UTC)))
        if number % 40 == 7:
            rows.append((day, name, value + 1, dt.datetime.combine(day + dt.timedelta(days=10), dt.time(12), dt.UTC)))
    with warehouse.connect() as con:
        con.execute("create table fresh (day date, name varchar, value double, known_at timestamptz)")
        con.executemany("insert into fresh values (?, ?, ?, ?)", rows)
        con.execute(
            "create view loaded as select *, 'note' as note, 'csv' as format, 1 as source_rank, 'f' as file, "
            "false as is_withdrawn from fresh"
        )
        moment = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
        lake.write(con, batch_id="b1", loaded_at=moment, files=(), rows={"prints": "loaded"}, quarantine=None)
    return graph.build(found, compile_catalog(found))


@contextmanager
def opened(nodes: Graph, *, most_rows: int = 0) -> Iterator[Aside]:
    """A connection to audit a project on."""
    lake = Lake(nodes.catalog.project.warehouse / "raw", nodes.catalog.raw)
    as_of = lake.newest_known_at()
    with audit_build.aside(nodes, list(nodes.nodes), lake, as_of, Machine(), whole=None, most_rows=most_rows) as aside:
        yield aside


def audited(nodes: Graph, wish: Wish | None = None) -> Audit:
    """Audit a project to the end."""
    as_of = Lake(nodes.catalog.project.warehouse / "raw", nodes.catalog.raw).newest_known_at()
    assert as_of is not None
    with opened(nodes) as aside:
        *_, found = audit.run(aside, as_of, wish or Wish(), published=False)
    assert isinstance(found, Audit)
    return found


def with_model(name: str, text: str) -> Mapping[str, str]:
    """The toy project with one more model."""
    return {**PROJECT, f"models/{name}": text}

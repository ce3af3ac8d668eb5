"""The sources of a run as tables that models read: `raw.*` from the lake, `config.*` from files."""

from __future__ import annotations

from tsq.engine import seeds
from tsq.engine.catalog import Catalog
from tsq.engine.plan import Plan
from tsq.engine.template import identifier
from tsq.engine.warehouse import Connection


def attach(con: Connection, plan: Plan) -> None:
    """Give models `raw.*` as the lake shows it at the run's as-of, and `config.*` as the files say."""
    catalog = plan.graph.catalog
    used = {source for step in plan.steps if step.action != "carry" for source in plan.graph.sources[step.name]}
    for source in sorted(used):
        schema, _, name = source.partition(".")
        if schema == "raw":
            con.execute(
                f"create view raw.main.{identifier(name)} as {plan.inputs.lake.source_sql(name, plan.inputs.as_of)}"
            )
        else:
            attach_config(con, catalog, name)


def attach_config(con: Connection, catalog: Catalog, name: str) -> None:
    """Give models `config.<name>` as its file says."""
    seed = seeds.read(catalog.config[name], catalog.project.root)
    columns = ", ".join(f'"{identifier(column.name)}" {column.type}' for column in seed.dataset.columns)
    con.execute(f"create table config.main.{identifier(name)} ({columns})")
    marks = ", ".join("?" for _ in seed.dataset.columns)
    if seed.rows:
        con.executemany(f"insert into config.main.{identifier(name)} values ({marks})", seed.rows)

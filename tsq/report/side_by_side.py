"""Portfolios side by side, from a build to files: key figures, NAVs and weights, wide and long, as CSV and parquet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tsq.engine.warehouse import Connection
from tsq.report.files import write_frame

FIGURES = "select * from kpis.compare order by portfolio"
NAVS = "select date, portfolio, basis, nav, drawdown from kpis.curves order by portfolio, basis, date"
# a security keeps its column through renames: it is called by its last ticker, and its number too where two share that
WEIGHTS = """
with names as (
    select security_id, arg_max(ticker, date) as ticker from portfolio.targets group by security_id
),
columns as (
    select security_id, ticker || if(count(*) over (partition by ticker) > 1, ' ' || security_id, '') as name from names
)
select
    targets.date,
    targets.portfolio,
    targets.security_id,
    targets.ticker,
    targets.weight,
    columns.name,
from portfolio.targets as targets
inner join columns on columns.security_id = targets.security_id
order by targets.portfolio, targets.date, targets.weight desc, targets.security_id
"""


@dataclass(frozen=True)
class SideBySide:
    """What is compared.

    Attributes:
        figures: kpis.compare, a row a portfolio, in the order asked for; after the name what was varied.
        navs: date, portfolio, basis, nav, drawdown.
        weights: target weights, 0 for what is given up: date, portfolio, security_id, ticker, weight, and the name of
            the wide column.
    """

    figures: pl.DataFrame
    navs: pl.DataFrame
    weights: pl.DataFrame

    @property
    def navs_wide(self) -> pl.DataFrame:
        """A row a date, a column a portfolio and basis; empty before a curve begins."""
        named = self.navs.with_columns(curve=pl.format("{} {}", "portfolio", "basis"))
        return named.pivot(on="curve", index="date", values="nav", sort_columns=False).sort("date")

    @property
    def weights_wide(self) -> pl.DataFrame:
        """A row a decision of a portfolio, a column a security; 0 where it is not wanted."""
        wide = self.weights.pivot(on="name", index=["date", "portfolio"], values="weight", sort_columns=True)
        return wide.fill_null(0.0).sort("portfolio", "date")

    @property
    def weights_long(self) -> pl.DataFrame:
        """A row a decision, portfolio and security that it wants."""
        return self.weights.filter(pl.col("weight") > 0).drop("name")


def read(con: Connection, varied: Mapping[str, Mapping[str, Any]]) -> SideBySide:
    """Read what a build says of some portfolios.

    Args:
        con: the build.
        varied: portfolio → settings that differ between them; the figures come in this order. A portfolio that never
            decided anything has a row without figures.
    """
    said = [{"portfolio": name, **settings} for name, settings in varied.items()]
    order = pl.DataFrame(said, infer_schema_length=None)
    figures = order.join(con.sql(FIGURES).pl(), on="portfolio", how="left", maintain_order="left")
    return SideBySide(figures, con.sql(NAVS).pl(), con.sql(WEIGHTS).pl())


def write(compared: SideBySide, folder: Path) -> tuple[Path, ...]:
    """Write every table as CSV and as parquet; returns the files."""
    tables = {
        "portfolio_compare": compared.figures,
        "portfolio_navs": compared.navs_wide,
        "portfolio_navs_long": compared.navs,
        "portfolio_weights": compared.weights_wide,
        "portfolio_weights_long": compared.weights_long,
    }
    return tuple(
        write_frame(folder / f"{name}.{suffix}", table)
        for name, table in tables.items()
        for suffix in ("csv", "parquet")
    )

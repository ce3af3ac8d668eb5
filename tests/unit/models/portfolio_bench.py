"""A small made market, and the project's own portfolio, book and kpis models over it."""

from __future__ import annotations

import datetime as dt
import runpy
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from tsq.cli import workspace
from tsq.engine import seeds
from tsq.engine.graph import Graph

ROOT = Path(__file__).parents[3]
LAYERS = ("portfolio", "book", "kpis")
BUILT = ("risk", *LAYERS)  # the layer risk has tests of its own
PORTFOLIOS = [
    ("monthly", "one", 8, "ME", 0.20, 0.40, 1e7, "INDEX", "uncapped", "equal_weight", 0.0, None),
    ("quarterly", "two", 4, "QE", 0.25, 0.50, 1e5, "NOTHING", "uncapped", "min_variance", 0.0, None),
    ("weekly", "one", 2, "WE", 0.30, 0.60, 1e6, "NOTHING, INDEX", "calm", "equal_weight", 0.1, "N7"),
]
FUND = "N7"
OPEN_END = dt.date(9999, 12, 31)
OPEN_TIME = pl.lit(dt.datetime.combine(OPEN_END, dt.time(), dt.UTC)).cast(pl.Datetime("us", "UTC"))
RIGHTS_ROW, RIGHTS_COLUMN, RIGHTS_FACTOR = 170, 8, 0.95


def load(**knobs: Any) -> Graph:
    """The project's graph, with knobs changed by name."""
    return workspace.load_graph(ROOT, sets=[f"{name}={value}" for name, value in knobs.items()])


def made_market(n_days: int = 420, n_names: int = 14, seed: int = 3) -> dict[str, pl.DataFrame]:
    """What the models read: prices with holes, deaths, splits and dividends; members, sectors and scores that change."""
    rng = np.random.default_rng(seed)
    days = [dt.date(2019, 12, 2) + dt.timedelta(day) for day in range(2 * n_days)]
    days = [day for day in days if day.weekday() < 5][:n_days]
    months = [(day.year, day.month) for day in days]
    later = [*days[1:], days[-1] + dt.timedelta(1)]
    sessions = pl.DataFrame(
        {
            "date": days,
            "session_no": np.arange(1, n_days + 1, dtype=np.int32),
            "is_short": np.arange(1, n_days + 1) % 60 == 7,
        }
    ).with_columns(normal_no=(~pl.col("is_short")).cum_sum().cast(pl.Int32))
    rebalances = sessions.with_columns(
        is_week_end=pl.Series(
            [day.isocalendar()[:2] != after.isocalendar()[:2] for day, after in zip(days, later, strict=True)]
        ),
        is_month_end=pl.Series(
            [month != (after.year, after.month) for month, after in zip(months, later, strict=True)]
        ),
    ).with_columns(is_quarter_end=pl.col("is_month_end") & (pl.col("date").dt.month() % 3 == 0))

    names = np.arange(n_names) + 500
    close = (
        100.0 * np.exp(np.cumsum(rng.normal(0.0005, 0.02, (n_days, n_names)), axis=0)) * rng.uniform(0.3, 30.0, n_names)
    )
    open_ = close * np.exp(rng.normal(0.0, 0.004, close.shape))
    trades = rng.random(close.shape) > 0.05
    trades[n_days // 2 :, 0] = False
    trades[n_days // 3 : n_days // 3 + 90, 1] = False
    actions = []
    for column, factor, cash in ((2, 2.0, 0.0), (3, 1.5, 0.0), (4, 0.1, 0.0), (5, 1.0, 3.0), (6, 5.0, 1.0)):
        row = int(rng.integers(80, n_days - 20))
        trades[row - 1 : row + 1, column] = column % 2 == 0  # some go ex in a hole
        close[row:, column] /= factor
        open_[row:, column] /= factor
        actions.append((500 + column, days[row], "bonus" if cash == 0.0 else "split", factor, 1.0 / factor, cash))
    # rights take a twentieth out of the price and add no shares
    close[RIGHTS_ROW:, RIGHTS_COLUMN] *= RIGHTS_FACTOR
    open_[RIGHTS_ROW:, RIGHTS_COLUMN] *= RIGHTS_FACTOR
    trades[RIGHTS_ROW - 1 : RIGHTS_ROW + 1, RIGHTS_COLUMN] = True
    actions.append((500 + RIGHTS_COLUMN, days[RIGHTS_ROW], "rights", 1.0, RIGHTS_FACTOR, 0.0))
    rows, columns = np.nonzero(trades)
    at = (rows, columns)
    prices = pl.DataFrame(
        {
            "date": [days[row] for row in rows],
            "session_no": (rows + 1).astype(np.int32),
            "security_id": names[columns],
            "ticker": [f"N{column}" for column in columns],
            "open": open_[at],
            "high": np.maximum(open_, close)[at],
            "low": np.minimum(open_, close)[at],
            "close": close[at],
            "volume": np.where(rng.random(len(rows)) < 0.01, 0, 1_000_000),
            "turnover_inr": close[at] * 1_000_000.0,
            "seen_on": [days[row] for row in rows],
        }
    )
    # short sessions have no row, and the first ones know nothing
    daily = prices.filter(pl.col("session_no") % 60 != 7).select(
        "date",
        "session_no",
        "security_id",
        adv_inr=pl.when(pl.col("session_no") > 5).then(pl.col("turnover_inr")),
        vol_252=pl.when(pl.col("session_no") > 5).then(0.02),
        beta_252=pl.when(pl.col("session_no") > 5).then(0.5 + pl.col("security_id") % 7 / 7.0),
    )
    decisions = (
        rebalances.filter(pl.col("session_no") > 20)
        .select("date")
        .join(prices.select("date", "security_id", "ticker"), on="date")
    )
    members = decisions.with_columns(
        active=pl.col("security_id") % 13 != 0,
        sector=pl.when(pl.col("security_id") % 5 == 0)
        .then(None)
        .otherwise("S" + (pl.col("security_id") % 3).cast(pl.String)),
        adv_inr=1e7 * (pl.col("security_id") - 499),
    )
    key = pl.col("date").dt.month() * 7919 + pl.col("security_id") * 104729
    scores = pl.concat(
        members.select("date", "security_id", blend=pl.lit(blend), score=((key * prime) % 1009) / 1009.0)
        for blend, prime in (("one", 31), ("two", 57))
    )
    level = 1000.0 * np.cumprod(1.0 + rng.normal(0.0004, 0.01, n_days))
    returns = prices.sort("security_id", "session_no").with_columns(
        ret=pl.col("close").pct_change().over("security_id"),
        total_return_index=(pl.col("close") / pl.col("close").first()).over("security_id"),
    )
    seen = ("date", "session_no", "security_id", "ticker", "ret", "total_return_index")
    filed = pl.DataFrame(
        actions, schema=["security_id", "ex_date", "kind", "share_factor", "price_factor", "cash_inr"], orient="row"
    ).with_columns(known_at=pl.col("ex_date").cast(pl.Datetime("us", "UTC")))
    return {
        "pit.sessions": sessions,
        "pit.prices": prices,
        "features.daily": daily,
        "features.market": sessions.with_columns(normal_no=pl.col("session_no"), ret=pl.lit(0.001)),
        "pit.filings": pl.DataFrame(
            schema={
                "security_id": pl.Int64,
                "period_start": pl.Date,
                "period_end": pl.Date,
                "known_from": pl.Datetime("us", "UTC"),
            }
        ),
        "pit.corporate_actions": filed,
        "pit.returns": returns.select(seen),
        # nothing was corrected, and nothing came late
        "pit.price_versions": prices.clear().with_columns(
            seen_to=pl.lit(OPEN_END), known_from=OPEN_TIME, known_to=OPEN_TIME
        ),
        "pit.replaced_actions": filed.clear().with_columns(known_from=pl.col("known_at"), known_to=pl.col("known_at")),
        "pit.vintages": pl.DataFrame(
            schema={"security_id": pl.Int64, "track": pl.Int64, "from_date": pl.Date, "to_date": pl.Date}
        ),
        "pit.vintage_returns": returns.select(*seen, track="security_id").clear(),
        "pit.benchmarks": sessions.with_columns(
            benchmark=pl.lit("INDEX"), kind=pl.lit("price"), level=pl.Series(level), is_filled=pl.lit(False)
        )
        .with_columns(known_from=pl.col("date").cast(pl.Datetime("us", "UTC")).dt.offset_by("13h"), known_to=OPEN_TIME)
        .filter(pl.col("session_no") % 50 != 7),
        "pit.sectors": members.select("security_id", "sector")
        .drop_nulls()
        .unique()
        .with_columns(valid_from=pl.lit(dt.date(1900, 1, 1)), valid_to=pl.lit(OPEN_END)),
        "pit.charges": pl.read_csv(ROOT / "config" / "charges.csv", try_parse_dates=True).with_columns(
            known_from=pl.col("from_date").cast(pl.Datetime("us", "UTC")), known_to=OPEN_TIME
        ),
        "pit.tax_rates": pl.read_csv(ROOT / "config" / "tax_rates.csv", try_parse_dates=True).with_columns(
            valid_from=pl.col("from_date"),
            valid_to=pl.col("to_date").dt.offset_by("1d").fill_null(OPEN_END),
            known_from=pl.col("from_date").cast(pl.Datetime("us", "UTC")),
            known_to=OPEN_TIME,
        ),
        "universe.rebalances": rebalances,
        "universe.members": members,
        # one of the names that may not be bought is a fund
        "universe.liquidity": members.select(
            "date",
            "security_id",
            "ticker",
            "adv_inr",
            kind=pl.when(pl.col("ticker") == FUND).then(pl.lit("etf")).otherwise(pl.lit("equity")),
            sessions_since_print=0,
        ),
        "signals.zscores": members.select(
            "date", "security_id", factor=pl.lit("momentum_12_1"), z=((key * 13) % 1009) / 504.5 - 1.0
        ),
        "signals.score": scores,
        "config.blends": pl.DataFrame({"blend": ["one", "two"]}),
        "config.portfolios": pl.DataFrame(
            PORTFOLIOS,
            schema=[
                "portfolio",
                "blend",
                "top_n",
                "rebalance",
                "name_cap",
                "sector_cap",
                "capital_inr",
                "benchmark",
                "tier",
                "optimiser",
                "conviction_cap",
                "fallback",
            ],
            orient="row",
        ).with_columns(
            look_back_sessions=20,
            overlay=pl.when(pl.col("portfolio") == "quarterly").then(pl.lit("aggressive")).otherwise(pl.lit("none")),
        ),
        "config.discretionary": pl.DataFrame(
            {
                "portfolio": "weekly",
                "ticker": "N3",
                "from_date": dt.date(2020, 5, 1),
                "to_date": dt.date(2020, 12, 31),
                "weight": 0.2,
                "written_on": dt.date(2020, 6, 1),
                "thesis": "made up",
            }
        ),
        # a tier that a weekly portfolio cannot keep
        "config.capacity": pl.DataFrame(
            {"tier": ["uncapped", "calm"], "max_participation": None, "max_exit_days": None, "turnover_low": None}
            | {"turnover_high": [None, 0.1], "slippage_target_bps": None},
            schema_overrides=dict.fromkeys(
                ("max_participation", "max_exit_days", "turnover_low", "slippage_target_bps"), pl.Float64
            ),
        ),
    }


def cut(market: dict[str, pl.DataFrame], day: dt.date) -> dict[str, pl.DataFrame]:
    """The same market as it was known at the evening of a day."""
    past = {
        name: table.filter(pl.col("date") <= day) if "date" in table.columns else table
        for name, table in market.items()
    }
    return past | {"pit.corporate_actions": market["pit.corporate_actions"].filter(pl.col("ex_date") <= day)}


def settings(graph: Graph, market: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The project's own tables of settings, but for those the market brings."""
    types = {"VARCHAR": pl.String, "DOUBLE": pl.Float64, "INTEGER": pl.Int32, "BOOLEAN": pl.Boolean, "DATE": pl.Date}
    found = {}
    for name, dataset in graph.catalog.config.items():
        if f"config.{name}" not in market:
            schema = {column.name: types[column.type] for column in dataset.columns}
            rows = seeds.read(dataset, graph.catalog.project.root).rows
            found[f"config.{name}"] = pl.DataFrame(rows, schema=schema, orient="row")
    return found


def buildable(graph: Graph) -> list[str]:
    """Models of the layers that the market has all the sources of: none of what a broker's files say."""
    given = set(made_market()) | {f"config.{name}" for name in graph.catalog.config}
    out: list[str] = []
    for name, node in graph.nodes.items():
        if node.model.layer in BUILT and given.issuperset(node.own_reads):
            given.add(name)
            out.append(name)
    return out


def configure(con: duckdb.DuckDBPyConnection, graph: Graph, market: dict[str, pl.DataFrame]) -> None:
    """Make the market's tables and the project's settings; what a portfolio leaves unsaid has its default."""
    for name, table in (settings(graph, market) | market).items():
        con.register("table_", table)
        con.execute(f"create table {name} as select * from table_")
        con.unregister("table_")
    for column in graph.catalog.config["portfolios"].columns:
        if column.name not in market["config.portfolios"].columns:
            usual = "null" if column.default is None else f"'{column.default}'"
            con.execute(f"alter table config.portfolios add column {column.name} {column.type} default {usual}")


def build(graph: Graph, market: dict[str, pl.DataFrame]) -> duckdb.DuckDBPyConnection:
    """Run the portfolio, book and kpis models over a market."""
    con = duckdb.connect()
    for schema in ("pit", "features", "universe", "signals", "config", *BUILT):
        con.execute(f"create schema {schema}")
    configure(con, graph, market)
    for name in buildable(graph):
        node = graph.nodes[name]
        if node.sql:
            con.execute(f"create table {name} as {node.sql}")
            continue
        model = runpy.run_path(str(node.model.path))["model"]
        frame = model(*(con.sql(f"select * from {read}").pl() for read in node.own_reads), **node.knobs)
        con.register("table_", frame)
        con.execute(f"create table {name} as select * from table_")
        con.unregister("table_")
    return con

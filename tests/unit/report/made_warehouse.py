"""A published warehouse made up for tests of the report: the public tables its page reads, seeded and plausible, small."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

EVIL = "</script><script>alert(1)</script>"
PORTFOLIOS = ("base", "defensive")
SECTORS = [
    "Banks",
    "IT",
    "Consumer",
    "Energy",
    "Metals",
    "Health",
    "Chemicals",
    "Autos",
    "Telecom",
    "unlabelled",
    "cash",
]
FACTORS = ["momentum_12_1", "quality_inv_downside_vol", "low_vol", "beta", "reversal_1m", "amihud", "pricing_power"]
COMPONENTS = ["stt", "exchange", "ipft", "sebi", "stamp", "gst", "brokerage", "dp", "slippage"]
CLOCK = dt.datetime(2023, 12, 29, 13, 0, tzinfo=dt.UTC)

Rows = list[tuple[Any, ...]]


def make(
    path: Path, *, market: str = "demo", years: int = 2, ticker: str = EVIL, without: tuple[str, ...] = ()
) -> Path:
    """Write the warehouse.

    Args:
        path: the file.
        market: demo or real.
        years: how long the curves are.
        ticker: name of one holding.
        without: tables to leave out.
    """
    rng = np.random.default_rng(7)
    days = [dt.date(2023, 12, 29) - dt.timedelta(days=n) for n in range(365 * years)]
    dates = sorted(day for day in days if day.weekday() < 5)
    tables = _curves(rng, dates) | _book(rng, dates, ticker) | _alpha(rng, dates) | _ops(market)
    with duckdb.connect(str(path)) as con:
        con.execute("set timezone = 'UTC'")
        for name, (columns, rows) in tables.items():
            if name in without:
                continue
            con.execute(f"create schema if not exists {name.partition('.')[0]}")
            con.register("made", pl.DataFrame(rows, schema=columns.split(), orient="row", infer_schema_length=None))
            con.execute(f"create table {name} as from made")
            con.unregister("made")
    return path


def _curves(rng: np.random.Generator, dates: list[dt.date]) -> dict[str, tuple[str, Rows]]:
    curves: Rows = []
    months: Rows = []
    summary: Rows = []
    compare: Rows = []
    market = rng.normal(0.0004, 0.011, len(dates))
    for portfolio, drift in zip(PORTFOLIOS, (0.0004, 0.0001), strict=True):
        daily = 0.85 * market + rng.normal(drift, 0.005, len(dates))
        sides: dict[str, float] = {}
        for basis, returns in (("gross", daily), ("net", daily - 0.00006), ("benchmark", market)):
            growth = np.concatenate([[1.0], np.cumprod(1 + returns[1:])])
            drawdown = growth / np.maximum.accumulate(growth) - 1
            curves += [
                (portfolio, basis, day, float(nav), float(down))
                for day, nav, down in zip(dates, growth, drawdown, strict=True)
            ]
            months += _months(portfolio, basis, dates, growth)
            cagr, deviation = float(growth[-1] ** (252 / len(dates)) - 1), float(returns.std() * 252**0.5)
            figures = {
                "cagr": cagr,
                "volatility_ann": deviation,
                "sharpe": cagr / deviation,
                "max_drawdown": float(drawdown.min()),
            }
            summary += [(portfolio, basis, "full", kpi, value, "ratio") for kpi, value in figures.items()]
            summary += [(portfolio, basis, "2023", "total_return", 0.123, "ratio")]
            sides |= {f"{kpi}_{basis}": value for kpi, value in figures.items()}
        compare.append((portfolio, *sides.values(), 0.1, 2.04, 0.011, 0.02, 3e8))
    return {
        "kpis.curves": ("portfolio basis date nav drawdown", curves),
        "kpis.monthly_returns": ("portfolio basis year month ret", months),
        "kpis.summary": ("portfolio basis window kpi value unit", summary),
        "kpis.compare": (
            f"portfolio {' '.join(sides)} cagr_after_tax turnover_ann cost_drag_ann tax_drag_ann capacity_inr",
            compare,
        ),
        "kpis.benchmark": ("portfolio benchmark date", [(portfolio, "DEMO 100", dates[0]) for portfolio in PORTFOLIOS]),
        "kpis.drawdowns": (
            "portfolio basis depth peak_date trough_date recovered_date days",
            [(portfolio, "net", -0.12, dates[20], dates[60], None, 300) for portfolio in PORTFOLIOS],
        ),
    }


def _months(portfolio: str, basis: str, dates: list[dt.date], growth: np.ndarray) -> Rows:
    rows: Rows = []
    before = 1.0
    for (year, month), i in sorted({(day.year, day.month): i for i, day in enumerate(dates)}.items()):
        rows.append((portfolio, basis, year, month, float(growth[i]) / before - 1))
        before = float(growth[i])
    return rows


def _book(rng: np.random.Generator, dates: list[dt.date], ticker: str) -> dict[str, tuple[str, Rows]]:
    exposures: Rows = []
    positions: Rows = []
    trades: Rows = []
    targets: Rows = []
    for portfolio in PORTFOLIOS:
        for day in dates[20::21]:
            weights = rng.dirichlet(np.full(len(SECTORS), 4.0))
            exposures += [(day, portfolio, name, float(share), 2) for name, share in zip(SECTORS, weights, strict=True)]
        for n, name in enumerate([ticker, *[f"DEMO{n:03d}" for n in range(1, 25)]]):
            positions.append((dates[-1], portfolio, n, name, 100 + n, 250.5 + n, 4e5, 0.04, n == 3))
            trades.append((n, dates[-3], portfolio, n, name, "buy" if n % 2 else "sell", 4e5, 820.0))
            targets.append((dates[-1], portfolio, n + 2, f"DEMO{n + 2:03d}", 0.04))
    costs = [
        (portfolio, "full", name, 10.0 ** (n / 2 + 2), n / 2, n * 4.0)
        for portfolio in PORTFOLIOS
        for n, name in enumerate(COMPONENTS)
    ]
    curve = [
        (portfolio, capital, 0.15 - lost, lost, lost * 4.0, lost * 5.0)
        for portfolio in PORTFOLIOS
        for capital, lost in ((1e6, 0.0), (1e8, 0.01), (1e10, 0.1))
    ]
    navs = [(dates[-1], portfolio, basis, 1.5, 1.5e7, 2e5) for portfolio in PORTFOLIOS for basis in ("gross", "net")]
    return {
        "kpis.exposures": ("date portfolio sector weight names", exposures),
        "kpis.costs": ("portfolio window component cost_inr bps_of_traded bps_of_value_ann", costs),
        "kpis.cost_curve": ("portfolio capital_inr net_cagr lost_ann participation_p95 over_pace_share", curve),
        "kpis.capacity": (
            "portfolio capital_inr capacity_inr lost_ann participation_p95 exit_days_p95",
            [(portfolio, 1e7, 2.4e7, 0.006, 0.04, 1.2) for portfolio in PORTFOLIOS],
        ),
        "universe.rebalances": ("date", [(dates[-1],)]),
        "book.nav": ("date portfolio basis nav value_inr cash_inr", navs),
        "book.tax_years": (
            "portfolio financial_year stcg_inr stcl_inr ltcg_inr ltcl_inr dividends_inr set_off_inr exempt_inr tax_inr "
            "unpaid_inr carried_stcl_inr carried_ltcl_inr",
            [(portfolio, 2022, 9e5, 4e5, 2e5, 0.0, 5e4, 4e5, 1e5, 88e3, 1e3, 0.0, 0.0) for portfolio in PORTFOLIOS],
        ),
        "book.lot_schedule": (
            "date portfolio ticker lot_id long_from days gain_inr saving_inr waiting_costs_inr is_worth_waiting",
            [
                (dates[-1] if lot == 7 else dates[-90], portfolio, ticker if lot == 7 else "LONGSINCE", lot, dates[-1], 12, 5e4, 2.6e3, 400.0, True)
                for portfolio in PORTFOLIOS
                for lot in ((7, 6) if portfolio == PORTFOLIOS[0] else (6,))
            ],
        ),
        "book.positions": ("date portfolio security_id ticker qty close value_inr weight is_stale", positions),
        "book.trades": ("seq date portfolio security_id ticker side value_inr cost_inr", trades),
        "portfolio.targets": ("date portfolio security_id ticker weight", targets),
        "pit.sectors": ("security_id sector valid_from valid_to", [(n, SECTORS[n % 9], dt.date(2000, 1, 1), dt.date(9999, 12, 31)) for n in range(20)]),
    }  # fmt: skip


def _alpha(rng: np.random.Generator, dates: list[dt.date]) -> dict[str, tuple[str, Rows]]:
    coverage: Rows = []
    summary: Rows = []
    for f, factor in enumerate(FACTORS):
        coverage += [(day, factor, 250, 250, 1.0 if f < 6 else i / 40) for i, day in enumerate(dates[::21])]
        summary += [
            (factor, "sleeve", horizon, float(rng.normal(0.02, 0.02)), 1.9, 0.55, 48) for horizon in (1, 5, 21, 63)
        ]
    return {
        "alpha.coverage": ("date factor n_active n_with_value coverage", coverage),
        "alpha.ic_summary": ("factor sleeve horizon_days mean_ic t_stat hit_rate n_dates", summary),
        "health.sessions_missing": (
            "date last_date share_broken candidates",
            [(dates[100], dates[98], 0.96, str(dates[99]))],
        ),
        "health.jumps": ("date ret", [(dates[50], -0.56)]),
        "health.price_breaks": ("date is_market_wide", [(dates[100], True), (dates[90], False)]),
        "health.conflicts": ("date symbol", [(dates[3], EVIL)]),
        "health.identities": ("first_date doubt", [(dates[2], "reused symbol")]),
        "health.freshness": (
            "dataset n_rows last_date days_behind",
            [("prices", 190000, dates[-1], 0), ("sectors", 300, None, None)],
        ),
    }


def _ops(market: str) -> dict[str, tuple[str, Rows]]:
    files: Rows = [
        (f"cm{n:02d}DEC2023bhav.csv", f"{n:064x}", "prices", "legacy_bhavcopy", 1000, 990, 6, 4, dt.date(2023, 12, n), EVIL if n == 2 else "")
        for n in range(1, 20)
    ]  # fmt: skip
    reasons = ["high is below low"] * 70 + ["price is not above zero"] * 30 + [EVIL] * 14
    knobs = json.dumps({"slippage_bps": 10, "ic_horizons": [1, 5, 21, 63]})
    run = ("20231229T130000-4f2a91", CLOCK, market, CLOCK, 7.25, 48, 1234567, "0.1.0", "2.0.0", "3.11.7", "Linux", "ab12cd34ef56ab12", True, knobs)  # fmt: skip
    return {
        "ops.runs": (
            "run_id as_of market finished_at seconds models rows tsq_version duckdb_version python_version platform "
            "git_commit git_dirty knobs",
            [run],
        ),
        "ops.ingests": (
            "file sha256 dataset format rows_in rows_kept rows_quarantined rows_duplicate last_date notes",
            files,
        ),
        "ops.quarantine": ("dataset reason", [("prices", reason) for reason in reasons]),
        "ops.checks": (
            "model check_name level failed",
            [("pit.prices", "grain", "block", 0), ("health.jumps", "unexplained", "warn", 3)],
        ),
        "ops.builds": (
            "model rows seconds carried fingerprint",
            [("pit.prices", 190000, 1.25, False, "ab" * 32), ("book.events", 5000, 2.5, True, "cd" * 32)],
        ),
    }

"""The real market through tsq, and what its tables must show.

Loads the real price panel and reference lists (`--data`, default `TSQ_REAL_DATA`) into a project of its own below
`benchmarks/out/`, runs every model, and prints the facts that `docs/measurements.md` quotes: sessions against a
calendar made from other sources, the sessions that are missing, returns over confirmed splits and bonuses, crashes that
must stay crashes, correlations with the exchange's and a university's series, and the key figures of the shipped
portfolios as they are. `--exchange-files` also loads the exchange's own daily files and checks that they agree.

    python -m benchmarks.real_market [--data DIR] [--exchange-files]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb

ROOT = Path(__file__).parent.parent
OUT = ROOT / "benchmarks" / "out" / "real"

SESSIONS = """
with ours as (select date from pit.sessions),
theirs as (
    select date from read_csv('{reference}/trading_calendar.csv')
    where date between (select min(date) from ours) and (select max(date) from ours)
)
select
    (select count(*) from ours) as sessions,
    (select count(*) from theirs) as calendar,
    (select count(*) from ours anti join theirs using (date)) as only_ours,
    (select count(*) from theirs anti join ours using (date)) as only_calendar,
    (select string_agg(date::varchar, ' ' order by date) from theirs anti join ours using (date)) as missing
"""
GAPS = "select date, last_date, round(share_broken, 3) as broken, candidates from health.sessions_missing order by 1"
ACTIONS = """
with events as (
    select symbol, ex_date, factor, raw_close, raw_prev_close, raw_close / raw_prev_close * factor - 1 as expected
    from read_csv('{reference}/split_bonus_events.csv', all_varchar = false, nullstr = '')
    where verdict like 'confirmed%' and raw_close is not null and raw_prev_close is not null
),
found as (
    select events.*, returns.ret
    from events
    left join pit.returns as returns on returns.ticker = events.symbol and returns.date = events.ex_date
        and returns.kind in ('equity', 'sme')
)
select
    count(*) as events,
    count(ret) as with_a_return,
    count(*) filter (where abs(ret - expected) <= 1e-6) as exact,
    count(*) filter (where abs(ret - expected) > 1e-6) as different,
    count(*) filter (where ret < -0.4) as worse_than_minus_40_pct,
from found
"""
CRASHES = """
select ticker, date, round(ret, 4) as ret from pit.returns
where (ticker, date) in (('YESBANK', date '2020-03-06'), ('DHFL', date '2018-09-21'), ('INFIBEAM', date '2018-09-28'))
order by date
"""
MOST_TRADED = """
with months as (
    select date, lead(date, 1, date '9999-12-31') over (order by date) as until
    from universe.rebalances where is_month_end
),
picked as (
    select months.date, months.until, liquidity.security_id
    from universe.liquidity as liquidity join months using (date)
    where liquidity.kind = 'equity' and liquidity.series = 'EQ'
    qualify row_number() over (partition by months.date order by liquidity.adv_inr desc nulls last, security_id) <= 100
),
equal as (
    select returns.date, avg(returns.ret) as ret
    from picked join pit.returns as returns
        on returns.security_id = picked.security_id and returns.date > picked.date and returns.date <= picked.until
    group by 1
)
select round(corr(equal.ret, benchmarks.ret), 4) as correlation, count(*) as sessions
from equal join pit.benchmarks as benchmarks using (date)
where benchmarks.benchmark = 'NIFTY 100' and benchmarks.kind = 'price'
    and equal.ret is not null and benchmarks.ret is not null
"""
MARKET = """
with months as (
    select date, lead(date, 1, date '9999-12-31') over (order by date) as until
    from universe.rebalances where is_month_end
),
weights as (
    select months.date, months.until, liquidity.security_id, liquidity.adv_inr
    from universe.liquidity as liquidity join months using (date)
    where liquidity.kind = 'equity' and liquidity.adv_inr > 0
),
market as (
    select returns.date, sum(returns.ret * weights.adv_inr) / sum(weights.adv_inr) as ret
    from weights join pit.returns as returns
        on returns.security_id = weights.security_id and returns.date > weights.date and returns.date <= weights.until
    where returns.ret is not null
    group by 1
)
select round(corr(market.ret, theirs.MF), 4) as correlation, count(*) as sessions
from market join (select Date as date, MF from read_csv('{reference}/iima_factors_daily.csv')) as theirs using (date)
where theirs.MF is not null
"""
COUNTS = """
with names as (
    select security_id, count(distinct ticker) as tickers, count(distinct isin) as isins from pit.securities group by 1
)
select
    (select count(*) from pit.prices) as price_rows,
    (select count(*) from names) as securities,
    (select count(*) from names where tickers > 1) as renamed,
    (select count(*) from names where isins > 1) as isin_changed,
    (select count(*) from health.conflicts) as conflicts,
    (select count(*) from health.identities) as identity_reports,
    (select count(*) from health.jumps) as unexplained_jumps
"""
FIGURES = """
select
    portfolio, basis, base_date, last_date, round(100 * cagr, 2) as cagr_pct, round(100 * volatility_ann, 2) as vol_pct,
    round(sharpe, 2) as sharpe, round(sortino, 2) as sortino, round(calmar, 2) as calmar, round(omega, 2) as omega,
    round(profit_factor, 2) as profit_factor, round(100 * max_drawdown, 2) as max_drawdown_pct,
    case when basis != 'benchmark' then round(turnover_ann, 2) end as turnover_ann,
    round(100 * (max(cagr) filter (where basis = 'gross') over (partition by portfolio) - cagr), 2) as below_gross_pct
from kpis.measures left join kpis.turnover using (portfolio, "window", base_date, last_date)
where "window" = 'full' order by portfolio, basis
"""
IC = """
select factor, horizon_days, round(mean_ic, 4) as mean_ic, round(t_stat, 2) as t_stat, n_dates
from alpha.ic_summary where horizon_days = 21 order by 1
"""
SLOWEST = "select model, rows, round(seconds, 2) as seconds from ops.builds order by seconds desc limit 8"


def tsq(project: Path, *arguments: str) -> None:
    """Run a command and say what it cost."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "tsq.cli", *arguments, "--project", str(project)], check=True)
    print(f"== tsq {' '.join(arguments[:2])}: {time.perf_counter() - began:.1f} s\n", flush=True)


def ask(project: Path, title: str, sql: str, reference: Path) -> None:
    """Print the answer to one question."""
    print(f"-- {title}")
    with duckdb.connect(str((project / "warehouse" / "tsq.duckdb").resolve()), read_only=True) as con:
        con.sql(sql.format(reference=reference.as_posix())).show(max_width=200, max_rows=60)


def main() -> None:
    """Load, run, ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(os.environ.get("TSQ_REAL_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--exchange-files", action="store_true", help="load the exchange's daily files too")
    parser.add_argument("--keep", action="store_true", help="use what was loaded before")
    options = parser.parse_args()
    nse = options.data / "nse"
    reference = nse / "reference"
    if not options.keep:
        shutil.rmtree(OUT, ignore_errors=True)
        for part in ("models", "sql", "config", "reports/pages"):
            shutil.copytree(ROOT / part, OUT / part)
        tsq(OUT, "ingest", str(nse / "panel.parquet"), str(reference))
        if options.exchange_files:
            tsq(OUT, "ingest", str(nse / "bhavcopy" / "legacy"), str(nse / "bhavcopy" / "full"))
    tsq(OUT, "run")
    for title, sql in (
        ("sessions against the calendar", SESSIONS),
        ("missing sessions reported", GAPS),
        ("returns over confirmed splits and bonuses", ACTIONS),
        ("crashes", CRASHES),
        ("equal weight of the 100 most traded against NIFTY 100", MOST_TRADED),
        ("market weighted by median turnover against IIM-A's market factor", MARKET),
        ("what was found", COUNTS),
        ("information coefficients at 21 sessions", IC),
        ("portfolios", FIGURES),
        ("slowest models", SLOWEST),
    ):
        ask(OUT, title, sql, reference)


if __name__ == "__main__":
    main()

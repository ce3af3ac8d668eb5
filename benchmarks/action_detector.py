"""How well prices alone tell splits and bonuses: the detector on the real market, with the event file hidden.

Loads the real price panel and the exchange's renames (`--data`, default `TSQ_REAL_DATA`), but no corporate action,
into a project of its own below `benchmarks/out/`, builds `pit.proposed_actions` and compares its proposals with the
confirmed events of `split_bonus_events.csv`. The rules were chosen on the years up to 2016; those after it are told
apart. An event is found when something is proposed on its ex-date (or the first print after it); `right_ratio` counts
those whose proposed ratio is within 5 % of the file's. Proposals that no confirmed event explains count against
precision, also where the file lacks a true event (it holds next to none of SME shares, which are told apart too):
`--list` shows them for a reader to judge.

    python -m benchmarks.action_detector [--data DIR] [--keep] [--list]
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

import duckdb

from benchmarks.real_market import ROOT, tsq

OUT = ROOT / "benchmarks" / "out" / "actions"

# The file's symbols are those of the ex-date: the security is found through its names.
EVENTS = """
create or replace temp table events as
with stated as (
    select symbol, ex_date, coalesce(factor, f_eod2, f_csvk) as factor
    from read_csv('{file}', nullstr = '')
    where verdict like 'confirmed%'
)
select stated.*, names.security_id, coalesce(names.kind = 'sme', false) as is_sme
from stated
left join pit.securities as names
    on names.ticker = stated.symbol and names.valid_from <= stated.ex_date and names.kind in ('equity', 'sme', 'etf')
qualify row_number() over (partition by symbol, ex_date order by names.valid_from desc nulls last) = 1
"""
MATCHED = """
create or replace temp table matched as
select
    proposed.*,
    coalesce(names.kind = 'sme', events.is_sme, false) as is_sme,
    events.factor,
    events.symbol,
    coalesce(events.ex_date, proposed.date) as day,
    if(day < date '2017-01-01', '2010-2016 (rules chosen)', '2017-2023') as years
from (select * from pit.proposed_actions where verdict = 'proposed' and nearest_ratio > 1) as proposed
full join events
    on events.security_id = proposed.security_id
    and events.ex_date > proposed.last_date
    and events.ex_date <= proposed.date
left join pit.securities as names
    on names.security_id = proposed.security_id and names.valid_from <= proposed.date and proposed.date < names.valid_to
"""
SCORES = """
select
    if(grouping(is_sme) = 1, 'all', if(is_sme, 'SME', 'main board')) as shares,
    coalesce(years, 'all') as years,
    count(*) filter (factor >= 1.4) as big_events,
    count(*) filter (factor >= 1.4 and verdict is not null) as found,
    round(found / nullif(big_events, 0), 3) as recall,
    count(*) filter (factor >= 1.4 and abs(ln(nearest_ratio / factor)) < 0.05) as right_ratio,
    count(*) filter (verdict is not null) as proposals,
    round(count(*) filter (verdict is not null and factor is not null) / nullif(proposals, 0), 3) as precision,
    count(*) filter (factor < 1.4) as small_events,
    count(*) filter (factor < 1.4 and verdict is not null) as small_found
from matched
group by cube (years, is_sme)
order by shares, years
"""
VERDICTS = "select verdict, count(*) as n from pit.proposed_actions group by verdict order by n desc"
MISSED = """
select
    events.symbol, events.ex_date, round(events.factor, 2) as factor, rows.verdict,
    round(rows.observed_ratio, 2) as observed
from events
left join pit.proposed_actions as rows
    on rows.security_id = events.security_id and events.ex_date > rows.last_date and events.ex_date <= rows.date
where events.factor >= 1.4 and rows.verdict is distinct from 'proposed'
order by events.ex_date
"""
UNEXPLAINED = """
select
    ticker, date, series, last_close, open, high, low, close, round(observed_ratio, 2) as observed,
    round(nearest_ratio, 2) as ratio, isin_changed, round(value_multiple, 1) as value_x, round(score, 3) as score
from matched where verdict is not null and factor is null order by date
"""
CONSOLIDATIONS = """
select
    ticker, date, last_close, close, nearest_ratio, round(prev_close_ratio, 2) as prev_close_ratio,
    sessions_since_last as sessions, verdict
from pit.proposed_actions where close > last_close and (verdict = 'proposed' or isin_changed) order by date
"""
NAMED = """
select
    ticker, date, round(move, 3) as move, round(gap, 3) as gap, round(observed_ratio, 2) as observed, nearest_ratio,
    verdict
from pit.proposed_actions
where (ticker, date) in (
    ('YESBANK', date '2020-03-06'), ('DHFL', date '2018-09-21'), ('INFIBEAM', date '2018-09-28'),
    ('ADANIENT', date '2015-06-03'), ('ARVIND', date '2018-11-28'), ('CROMPGREAV', date '2016-03-15')
)
order by date
"""


def main() -> None:
    """Load, build, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("TSQ_REAL_DATA", ROOT.parent / "shared" / "data"))
    )
    parser.add_argument("--keep", action="store_true", help="use what was loaded before")
    parser.add_argument("--list", action="store_true", help="show what was missed and what no event explains")
    options = parser.parse_args()
    nse = options.data / "nse"
    if not options.keep:
        shutil.rmtree(OUT, ignore_errors=True)
    for part in ("models", "sql", "config"):
        shutil.copytree(ROOT / part, OUT / part, dirs_exist_ok=True)
    if not options.keep:
        tsq(OUT, "ingest", str(nse / "panel.parquet"), str(nse / "reference" / "symbolchange.csv"))
    tsq(OUT, "run", "--models", "+pit.proposed_actions", "--no-report")
    with duckdb.connect(str((OUT / "warehouse" / "tsq.duckdb").resolve()), read_only=True) as con:
        con.execute(EVENTS.format(file=(nse / "reference" / "split_bonus_events.csv").as_posix()))
        con.execute(MATCHED)
        asked = {"events and proposals": SCORES, "crashes and demergers": NAMED, "verdicts": VERDICTS}
        if options.list:
            asked |= {"missed": MISSED, "unexplained proposals": UNEXPLAINED, "consolidations": CONSOLIDATIONS}
        for title, sql in asked.items():
            print(f"-- {title}")
            con.sql(sql).show(max_width=220, max_rows=200)


if __name__ == "__main__":
    main()

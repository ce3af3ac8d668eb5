"""---
date: date
grain: [seq]
references: {date: pit.sessions.date, security_id: pit.securities.security_id}
order: [seq]
checks:
  - >-
    kind in ('inception', 'fill', 'corporate_action', 'fraction', 'dividend', 'delisting', 'financing', 'lot', 'match',
    'tax', 'assessment', 'stop', 'exposure')
  - cash_inr = 0 or kind in ('inception', 'fill', 'fraction', 'dividend', 'delisting', 'financing', 'tax')
  - shares = 0 or kind in ('fill', 'corporate_action', 'fraction', 'delisting')
  - kind != 'fill' or (side in ('buy', 'sell') and qty > 0 and price > 0)
  - signal_date is null or signal_date < date
columns:
  seq: {type: BIGINT, doc: "running number: by date, then portfolio, then the order things happened in"}
  date: {type: DATE, doc: "session"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  kind:
    type: VARCHAR
    doc: >-
      inception, fill, corporate_action, fraction (cashed out), dividend, delisting, financing (interest on borrowed
      cash), tax; and what changes neither cash nor shares: lot, match, assessment (of a financial year's tax), stop,
      exposure
  security_id: {type: BIGINT, doc: "pit.securities; null at inception"}
  ticker: {type: VARCHAR, doc: "ticker on the date"}
  side: {type: VARCHAR, doc: "buy or sell; null where nothing is traded"}
  qty: {type: DOUBLE, unit: shares, doc: "shares the event is about"}
  price: {type: DOUBLE, unit: inr, doc: "rupees a share, as printed"}
  value_inr: {type: DOUBLE, unit: inr, doc: "qty × price"}
  stt_inr: {type: DOUBLE, unit: inr, doc: "securities transaction tax"}
  exchange_inr: {type: DOUBLE, unit: inr, doc: "exchange transaction charge"}
  ipft_inr: {type: DOUBLE, unit: inr, doc: "investor protection fund"}
  sebi_inr: {type: DOUBLE, unit: inr, doc: "regulator's fee"}
  stamp_inr: {type: DOUBLE, unit: inr, doc: "stamp duty"}
  gst_inr: {type: DOUBLE, unit: inr, doc: "service tax, later GST; the one on the depository charge is in dp_inr"}
  brokerage_inr: {type: DOUBLE, unit: inr, doc: "broker's fee of the order"}
  dp_inr: {type: DOUBLE, unit: inr, doc: "depository charge of a sale, its tax included"}
  slippage_inr: {type: DOUBLE, unit: inr, doc: "slippage_bps of the value; the price stays the printed one"}
  impact_inr: {type: DOUBLE, unit: inr, doc: "what trading moved the price, by the square-root law; booked as a cost"}
  cash_inr: {type: DOUBLE, unit: inr, doc: "change of cash, after all costs"}
  shares: {type: BIGINT, unit: shares, doc: "change of the holding"}
  assumed: {type: BOOLEAN, doc: "some charge has no row for the date (it is zero), or its row is an assumption"}
  assumed_items: {type: VARCHAR, doc: "those charges, joined by commas"}
  signal_date: {type: DATE, doc: "evening that decided; null where nobody did"}
  reason: {type: VARCHAR, doc: "enter, add, trim, exit, capital, no_trades or the kind of corporate action"}
  lot_id: {type: BIGINT, doc: "lot of the portfolio that the event is about; null where it is about none"}
  acquired_date: {type: DATE, doc: "session the lot counts from; of a tax the first day of its financial year"}
  cost_basis_inr: {type: DOUBLE, unit: inr, doc: "lot: change of what it cost; match: what the part sold cost"}
  gain_inr:
    type: DOUBLE
    unit: inr
    doc: >-
      match: gain or loss; assessment: the amount of the row, by reason: gain, set_off, exempt, taxable, loss, untaxed,
      carried
  term: {type: VARCHAR, doc: "STCG or LTCG; dividend in an assessment"}
  tax_inr:
    type: DOUBLE
    unit: inr
    doc: >-
      tax: what is paid, below zero where it comes back; assessment: tax on what is taxable, surcharge and cess
      included, or (unpaid) that of all years less what was paid
  level:
    type: DOUBLE
    doc: >-
      fill: weight of the name after it, at the prices of the session; match: cost of what was sold as the law counts
      it; assessment: rate, or the year a loss is carried from; financing: yearly rate; stop: price of the stop;
      exposure: what weights are multiplied with
---
Everything that happens to the paper portfolios: the one session-by-session fold. Targets of an evening, scaled by the
overlay, trade from the next session on, sells first, whole shares, as far as the session lets them, never on credit
beyond a stated leverage. The steps and their order are `tsq.quant.ledger.STEPS`.
"""

import polars as pl

from tsq.quant.book import Policy
from tsq.quant.charges import schedule
from tsq.quant.events import COLUMNS, events_table
from tsq.quant.execution import Settings, profile
from tsq.quant.ledger import fold, targets_by_day
from tsq.quant.market import market, traded_at
from tsq.quant.overlay import scale
from tsq.quant.risk_rules import Looked, overlay, read_rules, rules_of
from tsq.quant.taxpayers import settings, terms


def model(
    targets: pl.DataFrame,
    quotes: pl.DataFrame,
    pit__sessions: pl.DataFrame,
    pit__charges: pl.DataFrame,
    pit__tax_rates: pl.DataFrame,
    score: pl.DataFrame,
    portfolios: pl.DataFrame,
    config__execution: pl.DataFrame,
    config__capacity: pl.DataFrame,
    taxpayers: pl.DataFrame,
    capacity_exceptions: pl.DataFrame,
    config__risk: pl.DataFrame,
    risk__atr: pl.DataFrame,
    risk__regimes: pl.DataFrame,
    risk__event_windows: pl.DataFrame,
    *,
    slippage_bps: float,
    brokerage_plan: str,
    charge_rounding: str,
    delist_after_sessions: int,
    delist_haircut_pct: float,
    taxes: bool,
    score_return_pct_ann: float,
    score_half_life_days: float,
    risk_free_pct_ann: float,
    sessions_per_year: int,
) -> pl.DataFrame:
    """Fold every portfolio over the sessions; returns the events, one row each."""
    since = targets["date"].min()
    sessions = pit__sessions.filter(pl.col("date") >= since) if since is not None else pit__sessions.clear()
    seen = market(quotes, sessions, delist_after_sessions=delist_after_sessions)
    charges = schedule(pit__charges, seen.dates, plan=brokerage_plan, rounding=charge_rounding)
    trading = Settings(config__execution, config__capacity, capacity_exceptions, slippage_bps)
    rules, looked = read_rules(config__risk), Looked(risk__atr, risk__regimes, risk__event_windows)
    law = settings(
        pit__tax_rates,
        taxpayers,
        score,
        taxes=taxes,
        score_return_pct_ann=score_return_pct_ann,
        score_half_life_days=score_half_life_days,
    )
    tables = [pl.DataFrame(schema=COLUMNS)]
    for portfolio in portfolios.sort("portfolio").iter_rows(named=True):
        decided = targets.filter(pl.col("portfolio") == portfolio["portfolio"])
        if decided.is_empty():
            continue
        how = profile(portfolio, trading, seen, quotes)
        mine = traded_at(seen, how.price)
        risk = rules_of(rules, portfolio["overlay"])
        watched = overlay(
            risk,
            looked,
            mine,
            risk_free=risk_free_pct_ann / 100.0,
            sessions_per_year=sessions_per_year,
            trades_at_close=how.price == "close",
        )
        wanted = targets_by_day(decided, mine)
        policy = Policy(
            targets=wanted,
            schedule=charges,
            slippage=how.slippage,
            delist_haircut=delist_haircut_pct / 100.0,
            execution=how.execution,
            name_cap=portfolio["name_cap"],
            leverage=1.0 if risk.financing_rate is None else max(risk.max_exposure, 1.0),
            financing=risk.financing_rate or 0.0,
            overlay=watched,
            taxes=terms(portfolio, law, wanted, mine),
            exposure=None if watched is None or not risk.scales else scale,
        )
        tables.append(events_table(portfolio["portfolio"], fold(mine, policy, portfolio["capital_inr"]), mine))
    events = pl.concat(tables).sort("date", "portfolio", "seq").with_columns(seq=pl.int_range(1, pl.len() + 1))
    happened = pl.col("date").is_in(events["date"].unique().implode())
    tickers = quotes.select("date", "security_id", "ticker").filter(happened)
    named = events.join(tickers, on=["date", "security_id"], how="left", maintain_order="left")
    first = ["seq", "date", "portfolio", "kind", "security_id", "ticker"]
    return named.select(*first, pl.exclude(first))

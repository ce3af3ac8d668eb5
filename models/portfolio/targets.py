"""---
date: date
grain: [date, portfolio, security_id]
references: {date: universe.rebalances.date, security_id: pit.securities.security_id}
order: [date, portfolio, security_id]
checks:
  - weight >= 0 and weight <= 1
  - weight > 0 or drifted > 0
  - drifted >= 0 and turnover >= 0
  - sleeve in ('core', 'conviction', 'fallback')
  - gap <= 1e-8
  - name: weights_sum_to_at_most_one
    query: >-
      select targets.date, targets.portfolio, sum(targets.weight) as total, portfolios.cash_buffer
      from portfolio.targets as targets
      inner join config.portfolios as portfolios on portfolios.portfolio = targets.portfolio
      group by targets.date, targets.portfolio, portfolios.cash_buffer
      having sum(targets.weight) > 1 - portfolios.cash_buffer + 1e-8
  - name: name_cap_holds
    query: >-
      select targets.* from portfolio.targets as targets inner join config.portfolios as portfolios
      on portfolios.portfolio = targets.portfolio
      where targets.weight > portfolios.name_cap + 1e-8 and targets.sleeve != 'fallback'
  - name: sector_cap_holds
    query: >-
      select targets.date, targets.portfolio, targets.sector, sum(targets.weight) as total
      from portfolio.targets as targets
      inner join config.portfolios as portfolios on portfolios.portfolio = targets.portfolio
      where targets.sleeve != 'fallback' and ({{ cap_unlabelled }} or targets.sector != 'unlabelled')
      group by targets.date, targets.portfolio, targets.sector, portfolios.sector_cap
      having sum(targets.weight) > portfolios.sector_cap + 1e-8
  - name: conviction_cap_holds
    query: >-
      select targets.date, targets.portfolio, sum(targets.weight) as total from portfolio.targets as targets
      inner join config.portfolios as portfolios on portfolios.portfolio = targets.portfolio
      where targets.sleeve = 'conviction' group by targets.date, targets.portfolio, portfolios.conviction_cap
      having sum(targets.weight) > portfolios.conviction_cap + 1e-8
  - name: turnover_cap_holds_or_says_that_it_gave
    query: >-
      select targets.date, targets.portfolio, sum(abs(targets.weight - targets.drifted)) as total
      from portfolio.targets as targets
      inner join config.portfolios as portfolios on portfolios.portfolio = targets.portfolio
      where targets.sleeve != 'fallback'
      group by targets.date, targets.portfolio, portfolios.turnover_cap
      having sum(abs(targets.weight - targets.drifted)) > portfolios.turnover_cap + 1e-7
      and max(targets.drifted) > 0 and not coalesce(bool_or(contains(targets.relaxed, 'turnover')), false)
  - name: few_are_relaxed_or_fallen_back
    level: warn
    query: >-
      select
          portfolio,
          count(*) as decisions,
          count(*) filter (where not solver_status in ('optimal', 'closed_form')) as given_up,
      from (select distinct date, portfolio, solver_status from portfolio.targets)
      group by portfolio having given_up > 0.02 * decisions
columns:
  date: {type: DATE, doc: "session whose evening decides; trades in the next session"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  ticker: {type: VARCHAR, doc: "ticker on the date"}
  sleeve: {type: VARCHAR, doc: "core, conviction or fallback; of a name that leaves, the one it was held for"}
  sector: {type: VARCHAR, doc: "sector the cap counted it in"}
  weight:
    type: DOUBLE
    unit: ratio
    doc: >-
      of the portfolio's value after costs; what is missing to one is cash; 0: the name leaves
  drifted:
    type: DOUBLE
    unit: ratio
    doc: >-
      what the targets of the decision before had become: the weight it was compared with
  method: {type: VARCHAR, doc: "how the weights of the core were to be found (optimiser of config.portfolios)"}
  solver_status:
    type: VARCHAR
    doc: >-
      optimal; closed_form: nothing was solved; relaxed:<limits that gave>; fallback:<method that took over>
  gap: {type: DOUBLE, unit: ratio, doc: "proven relative distance from the optimum"}
  relaxed: {type: VARCHAR, doc: "limits that gave, joined by commas; null where all were kept"}
  turnover:
    type: DOUBLE
    unit: ratio
    doc: >-
      sum of all changes of weight of the portfolio at this decision, buys and sells
  reason:
    type: VARCHAR
    doc: >-
      in: rank, hysteresis, frozen, conviction, core_unfilled; out: rank, sector, correlation, no_window, capacity,
      not_weighted, min_weight, no_candidate, conviction_ended, core_filled
---
Target weights: what each portfolio wants at its own rebalances, and, with weight 0, what it gives up. Sleeves are
filled in order: convictions as they were written down, within their cap; the core, chosen by score and weighted by
the portfolio's optimiser within every limit at once; then funds with what the core cannot fill, else cash. Where
fewer names fit than wanted the rest is not spread over them. The covariance is that of complete windows of returns as
known then (portfolio.windows); a name without one is not bought, and one held keeps its drifted weight (`frozen`) as
long as its rank holds. Before a decision come the targets of the one before, drifted to it (portfolio.growth): the
ledger decides what is really traded. Capacity counts against `capital_inr` grown by the targets' own returns before
costs. On a date on which no name has a score and no other sleeve a name, nothing is decided: what was wanted before
still is. The steps and their order are tsq.quant.decision. Known at the close of `date`.
"""

import polars as pl

from tsq.quant.target_path import Path, codes_of, groups, grown_of, step, targets_table, windows_of


def model(
    candidates: pl.DataFrame,
    sleeves: pl.DataFrame,
    portfolio__capacity: pl.DataFrame,
    portfolio__windows: pl.DataFrame,
    growth: pl.DataFrame,
    portfolios: pl.DataFrame,
    *,
    cap_unlabelled: bool,
    trade_cost_bps: float,
    alpha_ic: float,
) -> pl.DataFrame:
    """Decide for every portfolio at each of its rebalances, in order; returns one row a name wanted or given up."""
    codes = codes_of(candidates, sleeves, cap_unlabelled=cap_unlabelled)
    of_core = groups(candidates, portfolio__capacity, "rank", codes)
    of_others = groups(sleeves, portfolio__capacity, "place", codes)
    returns = portfolio__windows.partition_by("date", as_dict=True)
    grown = grown_of(growth)
    settings = {row["portfolio"]: row for row in portfolios.iter_rows(named=True)}
    paths = {name: Path(value=row["capital_inr"]) for name, row in settings.items()}
    rows = []
    decisions = {*of_core, *of_others}
    for date in sorted({date for date, _ in decisions}):
        windows = windows_of(returns.get((date,)))  # shared by all that decide on the date
        for name in (name for name in sorted(settings) if (date, name) in decisions):
            paths[name], decided = step(
                paths[name],
                settings[name],
                date,
                of_core.get((date, name)),
                of_others.get((date, name)),
                windows,
                grown,
                len(codes),
                trade_cost=trade_cost_bps * 1e-4,
                alpha_ic=alpha_ic,
            )
            rows.append(decided)
    return targets_table(rows)

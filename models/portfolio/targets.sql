/*---
date: date
grain: [date, portfolio, security_id]
references: {date: universe.rebalances.date, security_id: pit.securities.security_id}
checks:
  - weight > 0 and weight <= 1
  - name: weights_sum_to_at_most_one
    query: >-
      select date, portfolio, sum(weight) as total from portfolio.targets group by date, portfolio having sum(weight) > 1 + 1e-9
  - name: name_cap_holds
    query: >-
      select targets.* from portfolio.targets as targets inner join config.portfolios as portfolios
      on portfolios.portfolio = targets.portfolio where targets.weight > portfolios.name_cap + 1e-9
  - name: sector_cap_holds
    query: >-
      select targets.date, targets.portfolio, targets.sector, sum(targets.weight) as total from portfolio.targets as targets
      inner join config.portfolios as portfolios on portfolios.portfolio = targets.portfolio
      where {{ cap_unlabelled }} or targets.sector != 'unlabelled'
      group by targets.date, targets.portfolio, targets.sector, portfolios.sector_cap
      having sum(targets.weight) > portfolios.sector_cap + 1e-9
columns:
  date: {type: DATE, doc: "session whose evening decides; trades in the next session"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  ticker: {type: VARCHAR, doc: "ticker on the date"}
  sector: {type: VARCHAR, doc: "sector the cap counted it in"}
  weight: {type: DOUBLE, unit: ratio, doc: "of the portfolio's value after costs; what is missing to one is cash"}
  method: {type: VARCHAR, doc: "how the weights were found"}
  solver_status: {type: VARCHAR, doc: "closed_form: nothing was solved"}
---
Target weights: the best names that fit, in equal parts. Where fewer names fit than wanted the rest is cash, not larger positions.
*/
select
    candidates.date,
    candidates.portfolio,
    candidates.security_id,
    candidates.ticker,
    candidates.sector,
    candidates.weight,
    'equal_weight' as method,
    'closed_form' as solver_status,
from portfolio.candidates as candidates
inner join config.portfolios as portfolios on portfolios.portfolio = candidates.portfolio
where candidates.pick <= portfolios.top_n

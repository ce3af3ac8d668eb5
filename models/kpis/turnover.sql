/*---
grain: [portfolio, window]
knowable: "coalesce(make_date(try_cast(\"window\" as integer) + 1, 1, 1), date '9999-12-31')"
checks:
  - bought_inr >= 0 and sold_inr >= 0
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  window: {type: VARCHAR, doc: "kpis.windows"}
  base_date: {type: DATE, doc: "kpis.windows"}
  last_date: {type: DATE, doc: "kpis.windows"}
  fills: {type: BIGINT, doc: "fills in the window"}
  bought_inr: {type: DOUBLE, unit: inr, doc: "value bought"}
  sold_inr: {type: DOUBLE, unit: inr, doc: "value sold"}
  costs_inr: {type: DOUBLE, unit: inr, doc: "charges and slippage"}
  average_value_inr: {type: DOUBLE, unit: inr, doc: "mean value of the portfolio at the close, after costs and taxes"}
  turnover: {type: DOUBLE, unit: ratio, doc: "half of what was bought and sold, over the average value; the first build counts"}
  turnover_ann: {type: DOUBLE, unit: ratio a year, doc: "the same for a year of 365.25 days"}
  costs_of_value_ann: {type: DOUBLE, unit: ratio a year, doc: "costs over the average value"}
---
How much a portfolio trades in each window, and what that costs.
*/
with spans as (
    select
        portfolio,
        "window",
        base_date,
        last_date,
        date_diff('day', base_date, last_date) / 365.25 as years,
    from kpis.windows
    where basis = 'net'
),

traded as (
    select
        spans.portfolio,
        spans."window",
        count(*) as fills,
        sum(case when trades.side = 'buy' then trades.value_inr else 0.0 end order by trades.seq) as bought_inr,
        sum(case when trades.side = 'sell' then trades.value_inr else 0.0 end order by trades.seq) as sold_inr,
        sum(trades.cost_inr order by trades.seq) as costs_inr,
    from spans
    inner join book.trades as trades
        on trades.portfolio = spans.portfolio and trades.date > spans.base_date and trades.date <= spans.last_date
    group by spans.portfolio, spans."window"
),

valued as (
    select
        spans.portfolio,
        spans."window",
        avg(nav.value_inr order by nav.date) as average_value_inr,
    from spans
    inner join book.nav as nav
        on nav.portfolio = spans.portfolio
        and nav.basis = 'after_tax'
        and nav.date > spans.base_date
        and nav.date <= spans.last_date
    group by spans.portfolio, spans."window"
)

select
    spans.portfolio,
    spans."window",
    spans.base_date,
    spans.last_date,
    coalesce(traded.fills, 0) as fills,
    coalesce(traded.bought_inr, 0.0) as bought_inr,
    coalesce(traded.sold_inr, 0.0) as sold_inr,
    coalesce(traded.costs_inr, 0.0) as costs_inr,
    valued.average_value_inr,
    (coalesce(traded.bought_inr, 0.0) + coalesce(traded.sold_inr, 0.0)) / 2.0
    / nullif(valued.average_value_inr, 0.0) as turnover,
    (coalesce(traded.bought_inr, 0.0) + coalesce(traded.sold_inr, 0.0)) / 2.0
    / nullif(valued.average_value_inr * spans.years, 0.0) as turnover_ann,
    coalesce(traded.costs_inr, 0.0) / nullif(valued.average_value_inr * spans.years, 0.0) as costs_of_value_ann,
from spans
inner join valued on valued.portfolio = spans.portfolio and valued."window" = spans."window"
left join traded on traded.portfolio = spans.portfolio and traded."window" = spans."window"

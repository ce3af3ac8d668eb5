/*---
grain: [date, portfolio, lot_id]
references: {date: pit.sessions.date, security_id: pit.securities.security_id}
order: [date, portfolio, lot_id]
knowable: "case when is_newest then date '9999-12-31' else date end"
checks:
  - days > 0 and days <= {{ lot_schedule_days }}
  - long_from > date
  - is_worth_waiting = (saving_inr > 0 and coalesce(saving_inr > waiting_costs_inr, false))
columns:
  date: {type: DATE, doc: "evening of a decision of the portfolio, or the newest session that is not short"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  ticker: {type: VARCHAR, doc: "ticker on the date"}
  lot_id: {type: BIGINT, doc: "book.lots"}
  acquired_date: {type: DATE, doc: "book.lots"}
  long_from: {type: DATE, doc: "first day on which a sale is long-term"}
  days: {type: BIGINT, unit: days, doc: "calendar days until then"}
  qty: {type: DOUBLE, unit: shares, doc: "shares of the lot"}
  value_inr: {type: DOUBLE, unit: inr, doc: "at the close"}
  gain_inr: {type: DOUBLE, unit: inr, doc: "that less what the lot cost; below zero a loss"}
  short_rate: {type: DOUBLE, unit: ratio, doc: "of the tax on a sale now, as known on the date"}
  long_rate: {type: DOUBLE, unit: ratio, doc: "of the tax on a sale on long_from, as known on the date"}
  saving_inr: {type: DOUBLE, unit: inr, doc: "tax that waiting saves, cess and a surcharge that the taxpayer states included, as if neither exemption nor loss were left; below zero a loss is worth more now"}
  score_gap: {type: DOUBLE, unit: standard deviations, doc: "score of the name less the mean score of what the portfolio last wanted; null without a score"}
  waiting_costs_inr: {type: DOUBLE, unit: inr, doc: "what holding it until then is expected to cost against those: score_gap at score_return_pct_ann a year, half of it gone every score_half_life_days; null without a score"}
  is_worth_waiting: {type: BOOLEAN, doc: "it saves something, and more than it is expected to cost"}
  is_newest: {type: BOOLEAN, doc: "the portfolio does not decide on the date: the row is here as today's picture and leaves with the next session"}
---
Lots that turn long-term within lot_schedule_days: what a sale would be taxed now and then, and whether the difference is worth the wait. The same
rule, with tax_wait_days above zero, defers sales in the ledger (`tsq.quant.tax_waiting`).
*/
with decided as (
    select
        date,
        portfolio,
        list(security_id) filter (where weight > 0.0) as wanted,
    from portfolio.targets
    group by date, portfolio
),

newest as (
    select max(date) as date
    from universe.rebalances
),

-- decisions, and the newest session with what was last wanted
dates as (
    select
        date,
        portfolio,
        wanted,
        false as is_newest,
    from decided
    union all
    select
        newest.date,
        decided.portfolio,
        arg_max(decided.wanted, decided.date) as wanted,
        true as is_newest,
    from decided
    cross join newest
    group by newest.date, decided.portfolio
    having max(decided.date) < newest.date
),

scored as (
    select
        dates.date,
        dates.portfolio,
        score.security_id,
        score.score - avg(score.score order by score.security_id) filter (where list_contains(dates.wanted, score.security_id)) over (
            partition by dates.date, dates.portfolio
        ) as score_gap,
    from dates
    inner join config.portfolios as portfolios on portfolios.portfolio = dates.portfolio
    inner join signals.score as score on score.date = dates.date and score.blend = portfolios.blend
),

levies as (
    select
        dates.date,
        dates.portfolio,
        max(rates.rate) filter (where rates.item = 'STCG_111A') as short_rate,
        sum(rates.rate order by rates.item) filter (where rates.item like 'CESS%') as cess,
        max(rates.rate) filter (where rates.item = 'SURCHARGE_CAP_CG') as surcharge_cap,
    from dates
    inner join pit.tax_rates as rates
        on {{ is_rate_of('rates', 'rates.item', 'dates.date', 'dates.date') }}
    group by dates.date, dates.portfolio
),

open_lots as (
    select
        dates.date,
        dates.portfolio,
        dates.is_newest,
        lots.security_id,
        quotes.ticker,
        lots.lot_id,
        lots.acquired_date,
        lots.long_from,
        date_diff('day', dates.date, lots.long_from) as days,
        lots.qty,
        lots.qty * quotes.mark as value_inr,
        lots.qty * quotes.mark - lots.cost_inr as gain_inr,
        (1.0 + least(coalesce(taxpayers.surcharge, 0.0), coalesce(levies.surcharge_cap, 1.0)))
        * (1.0 + coalesce(levies.cess, 0.0)) as levy,
        levies.short_rate,
        (
            select coalesce(max(rates.rate), 0.0)
            from pit.tax_rates as rates
            where {{ is_rate_of('rates', "'LTCG_112A'", 'lots.long_from', 'dates.date') }}
        ) as long_rate,
    from dates
    inner join book.lots as lots
        on lots.portfolio = dates.portfolio
        and lots.from_date <= dates.date
        and dates.date < lots.to_date
        and lots.long_from > dates.date
        and lots.long_from <= dates.date + {{ lot_schedule_days }}
    inner join book.quotes as quotes on quotes.security_id = lots.security_id and quotes.date = dates.date
    inner join config.portfolios as portfolios on portfolios.portfolio = dates.portfolio
    inner join config.taxpayers as taxpayers on taxpayers.taxpayer = portfolios.taxpayer
    inner join levies on levies.date = dates.date and levies.portfolio = dates.portfolio
),

weighed as (
    select
        open_lots.*,
        open_lots.gain_inr * (open_lots.short_rate - open_lots.long_rate) * open_lots.levy as saving_inr,
        scored.score_gap,
        -- the score's return over the wait: an exponential decay, added up
        -scored.score_gap * {{ score_return_pct_ann }} / 100.0 * open_lots.value_inr
        * {{ score_half_life_days }} / nullif(ln(2.0) * 365.25, 0.0) * (1.0 - pow(2.0, -open_lots.days / nullif({{ score_half_life_days }}, 0)))
            as waiting_costs_inr,
    from open_lots
    left join scored
        on scored.date = open_lots.date and scored.portfolio = open_lots.portfolio and scored.security_id = open_lots.security_id
)

select
    date,
    portfolio,
    security_id,
    ticker,
    lot_id,
    acquired_date,
    long_from,
    days,
    qty,
    value_inr,
    gain_inr,
    short_rate,
    long_rate,
    saving_inr,
    score_gap,
    waiting_costs_inr,
    saving_inr > 0.0 and coalesce(saving_inr > waiting_costs_inr, false) as is_worth_waiting,
    is_newest,
from weighed

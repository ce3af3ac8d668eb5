/*---
date: date
grain: [seq]
references: {seq: book.events.seq, date: pit.sessions.date, security_id: pit.securities.security_id}
order: [seq]
checks:
  - "term in ('STCG', 'LTCG')"
  - qty >= 0
  - acquired_date <= date
  - "(term = 'LTCG') = (lot_id is not null and date >= long_from)"
  - abs(gain_inr - (sale_inr - expenses_inr - cost_by_law_inr)) <= 1e-6 * greatest(abs(sale_inr), abs(cost_by_law_inr), 1)
  - cost_by_law_inr >= cost_inr - 1e-6
  - name: everything_sold_is_matched
    query: >-
      with sold as (select portfolio, security_id, date, sum(qty) as qty from book.events
      where kind = 'fraction' or (kind in ('fill', 'delisting') and side = 'sell') group by portfolio, security_id, date),
      matched as (select portfolio, security_id, date, sum(qty) as qty from book.realised_gains group by portfolio, security_id, date)
      select sold.*, matched.qty as matched from sold full join matched
      on matched.portfolio = sold.portfolio and matched.security_id = sold.security_id and matched.date = sold.date
      where abs(coalesce(sold.qty, 0) - coalesce(matched.qty, 0)) > 1e-6 * greatest(coalesce(sold.qty, 0), 1)
columns:
  seq: {type: BIGINT, doc: "book.events"}
  date: {type: DATE, doc: "session of the sale: the day of the contract note decides the year and the rate"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  financial_year: {type: INTEGER, doc: "year in which the financial year of the sale began: April to March"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  ticker: {type: VARCHAR, doc: "ticker on the date"}
  lot_id: {type: BIGINT, doc: "book.lots; null for rights, which come from no lot"}
  acquired_date: {type: DATE, doc: "book.lots"}
  long_from: {type: DATE, doc: "first day on which the sale is long-term"}
  qty: {type: DOUBLE, unit: shares, doc: "shares of the lot that were sold; 0 where a demerger or rights took a part of their value"}
  sale_inr: {type: DOUBLE, unit: inr, doc: "what they brought at the printed price"}
  expenses_inr: {type: DOUBLE, unit: inr, doc: "deductible charges of the sale, slippage and impact; never the transaction tax (proviso to s.48)"}
  cost_inr: {type: DOUBLE, unit: inr, doc: "what they had cost"}
  cost_by_law_inr: {type: DOUBLE, unit: inr, doc: "the same, or their worth at the highest price of 31 January 2018 where s.55(2)(ac) puts it in its place"}
  gain_inr: {type: DOUBLE, unit: inr, doc: "sale less expenses and cost by law; below zero a loss"}
  term: {type: VARCHAR, doc: "STCG, or LTCG from long_from on"}
  rate: {type: DOUBLE, unit: ratio, doc: "of the tax on a gain of the day, as known on it; 0 where such a gain was exempt"}
  tax_inr: {type: DOUBLE, unit: inr, doc: "gain at that rate: before set-off, exemption, surcharge and cess, which are of a year (book.tax)"}
  reason: {type: VARCHAR, doc: "why it was sold, or the kind of corporate action"}
---
Every sale, matched with the lots it came from, first in, first out. A name that is closed because it stopped trading counts as sold; a fraction of a
share that was paid out too, out of the bonus where a bonus made it. What rights and demergers take out of the price is paid to the book and
counts as sold: rights without cost and as other income is taxed, what is spun off with its part of the cost and the days of the old lots.
*/
with matches as (
    select
        events.*,
        taxpayers.slab_rate,
        if(events.lot_id is not null, {{ long_from('events.acquired_date', 'taxpayers.holding_period') }}, null) as long_from,
        -- an event's value is qty × price, and no share leaves the book in a demerger or with rights
        if(events.qty > 0.0, events.value_inr, events.gain_inr + events.level) as sale_inr,
    from book.events as events
    inner join config.portfolios as portfolios on portfolios.portfolio = events.portfolio
    inner join config.taxpayers as taxpayers on taxpayers.taxpayer = portfolios.taxpayer
    where events.kind = 'match'
),

rated as (
    select
        matches.seq,
        max(rates.rate) filter (where rates.item != 'LTCG_EQ') as rate,
        bool_or(rates.item = 'LTCG_EQ') as is_exempt,
    from matches
    inner join pit.tax_rates as rates
        on {{ is_rate_of('rates', "if(matches.term = 'STCG', 'STCG_111A', 'LTCG_112A')", 'matches.date', 'matches.date') }}
        or {{ is_rate_of('rates', "if(matches.term = 'LTCG', 'LTCG_EQ', '')", 'matches.date', 'matches.date') }}
    group by matches.seq
)

select
    matches.seq,
    matches.date,
    matches.portfolio,
    {{ financial_year('matches.date') }} as financial_year,
    matches.security_id,
    matches.ticker,
    matches.lot_id,
    matches.acquired_date,
    matches.long_from,
    matches.qty,
    matches.sale_inr,
    matches.sale_inr - matches.level - matches.gain_inr as expenses_inr,
    matches.cost_basis_inr as cost_inr,
    matches.level as cost_by_law_inr,
    matches.gain_inr,
    matches.term,
    case
        when matches.lot_id is null then matches.slab_rate
        else coalesce(rated.rate, if(rated.is_exempt, 0.0, null))
    end as rate,
    matches.gain_inr * case
        when matches.lot_id is null then matches.slab_rate
        else coalesce(rated.rate, if(rated.is_exempt, 0.0, null))
    end as tax_inr,
    matches.reason,
from matches
left join rated on rated.seq = matches.seq

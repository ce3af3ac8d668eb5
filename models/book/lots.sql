/*---
grain: [portfolio, lot_id, from_date]
interval: [from_date, to_date]
references: {security_id: pit.securities.security_id}
order: [portfolio, security_id, lot_id, from_date]
checks:
  - qty > 0
  - cost_inr >= -1e-6
  - from_date < to_date
  - acquired_date <= from_date
  - long_from > acquired_date
  - name: lots_are_what_is_held
    query: >-
      with counted as (
      select holdings.portfolio, holdings.security_id, holdings.from_date, holdings.qty, sum(lots.qty) as in_lots from book.holdings as holdings
      left join book.lots as lots on lots.portfolio = holdings.portfolio and lots.security_id = holdings.security_id
      and lots.from_date <= holdings.from_date and holdings.from_date < lots.to_date
      group by holdings.portfolio, holdings.security_id, holdings.from_date, holdings.qty)
      select * from counted where abs(qty - coalesce(in_lots, 0)) > 1e-6 * qty
  - name: what_is_gone_has_no_lots
    query: >-
      select lots.portfolio, lots.security_id, lots.lot_id from book.lots as lots
      left join book.holdings as holdings on holdings.portfolio = lots.portfolio and holdings.security_id = lots.security_id
      and holdings.from_date <= lots.from_date and lots.from_date < holdings.to_date
      where holdings.qty is null
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios: each is a demat account of its own"}
  security_id: {type: BIGINT, doc: "pit.securities: a lot goes through renames and new ISINs with it"}
  lot_id: {type: BIGINT, doc: "running number within the portfolio; of a name the lowest is sold first"}
  from_date: {type: DATE, doc: "first session at whose close the lot was so"}
  to_date: {type: DATE, doc: "session that changed it; 9999-12-31 while it is so"}
  acquired_date: {type: DATE, doc: "session of the fill; of bonus shares their ex-date, which stands for the day of allotment"}
  long_from: {type: DATE, doc: "first day on which a sale is long-term, by the holding period of the portfolio's taxpayer"}
  qty: {type: DOUBLE, unit: shares, doc: "what is left of it; parts of a share where a consolidation or a bonus leaves them"}
  cost_inr: {type: DOUBLE, unit: inr, doc: "what that cost, deductible charges, slippage and impact included; 0 for bonus shares"}
knowable: to_date
---
Lots of shares as intervals [from_date, to_date), in the order they are sold: first in, first out within each portfolio. A sale, a split, a bonus or
a demerger ends one interval and starts the next. Source: Income-tax Act s.45(2A), CBDT Circular 768; the rest in docs/explanation/taxes.md.
*/
with changes as (
    select
        portfolio,
        security_id,
        lot_id,
        acquired_date,
        date,
        sum(if(kind = 'lot', qty, -qty) order by seq) as qty,
        sum(if(kind = 'lot', cost_basis_inr, -cost_basis_inr) order by seq) as cost_inr,
    from book.events
    where kind in ('lot', 'match') and lot_id is not null
    group by portfolio, security_id, lot_id, acquired_date, date
),

counted as (
    select
        portfolio,
        security_id,
        lot_id,
        acquired_date,
        date as from_date,
        lead(date) over life as to_date,
        sum(qty) over so_far as qty,
        sum(cost_inr) over so_far as cost_inr,
        max(abs(qty)) over so_far as largest_qty,
    from changes
    window
        life as (partition by portfolio, lot_id order by date),
        so_far as (partition by portfolio, lot_id order by date rows between unbounded preceding and current row)
)

select
    counted.portfolio,
    counted.security_id,
    counted.lot_id,
    counted.from_date,
    coalesce(counted.to_date, date '9999-12-31') as to_date,
    counted.acquired_date,
    {{ long_from('counted.acquired_date', 'taxpayers.holding_period') }} as long_from,
    counted.qty,
    counted.cost_inr,
from counted
inner join config.portfolios as portfolios on portfolios.portfolio = counted.portfolio
inner join config.taxpayers as taxpayers on taxpayers.taxpayer = portfolios.taxpayer
-- what fractions leave of a lot that is sold is none
where counted.qty > 1e-6 and counted.qty > 1e-9 * counted.largest_qty

/*---
grain: [track, bar_no]
date: null
order: [bar_no, track]
knowable: "date '9999-12-31'"
references: {security_id: pit.securities.security_id}
checks:
  - "low <= high"
  - "close between low and high"
  - "factor > 0"
columns:
  track: {type: BIGINT, doc: "the security, or a vintage of it (pit.vintages)"}
  bar_no: {type: BIGINT, doc: "running number of the prints of the track, from 0"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  date: {type: DATE, doc: "session of the print"}
  high: {type: DOUBLE, unit: inr, doc: "as printed; the larger of open and close where it is not"}
  low: {type: DOUBLE, unit: inr, doc: "as printed; the smaller of open and close where it is not"}
  close: {type: DOUBLE, unit: inr, doc: "as printed"}
  factor: {type: DOUBLE, unit: ratio, doc: "carries a price of the print before into today's units: 0.5 on the ex-date of a 1:1 bonus; dividends move nothing"}
  is_read: {type: BOOLEAN, doc: "the decision of the date reads this track, and some portfolio wanted the security by then"}
---
One row is a print of a security that some portfolio has ever wanted, from its first trade on, with what went ex since the print before. A security
of which something came late has the prints of its vintages too, so that the average of a date is made of what that date's decision knew.
*/
with followed as (
    select
        security_id,
        min(date) as first_date,
    from portfolio.targets
    group by security_id
),

prints as (
    select prices.security_id as track, prices.security_id, prices.date, prices.session_no, prices.open, prices.high, prices.low, prices.close
    from pit.prices as prices
    join followed on followed.security_id = prices.security_id
    where prices.volume > 0 and prices.close > 0
    union all
    select prices.track, prices.security_id, prices.date, prices.session_no, prices.open, prices.high, prices.low, prices.close
    from ({{ prints_of_vintages() }}) as prices
    join followed on followed.security_id = prices.security_id
    where prices.volume > 0 and prices.close > 0
),

actions as (
    select security_id as track, security_id, ex_date, kind, price_factor, known_at
    from pit.corporate_actions
    union all
    select track, security_id, ex_date, kind, price_factor, known_at
    from ({{ actions_of_vintages() }})
),

landed as (
    select
        actions.track,
        actions.ex_date,
        actions.kind,
        actions.price_factor,
        min(prints.session_no) as session_no,
    from actions
    -- lint: allow time_join: the first print on or after an ex-date; few names have actions that move prices
    join prints on prints.track = actions.track and prints.date >= actions.ex_date
    where actions.price_factor != 1.0
    group by actions.track, actions.ex_date, actions.kind, actions.price_factor
),

factors as (
    select
        track,
        session_no,
        product(price_factor order by ex_date, kind) as factor,
    from landed
    group by track, session_no
)

select
    prints.track,
    row_number() over (partition by prints.track order by prints.session_no) - 1 as bar_no,
    prints.security_id,
    prints.date,
    coalesce(greatest(prints.high, prints.open, prints.close), prints.close) as high,
    coalesce(least(prints.low, prints.open, prints.close), prints.close) as low,
    prints.close,
    coalesce(factors.factor, 1.0) as factor,
    prints.track = coalesce(vintages.track, prints.security_id) and prints.date >= followed.first_date as is_read,
from prints
join followed on followed.security_id = prints.security_id
{{ join_vintages('prints', 'prints.date') }}
left join factors on factors.track = prints.track and factors.session_no = prints.session_no

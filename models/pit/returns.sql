/*---
kind: incremental
date: date
look_back: 63
grain: [date, security_id]
order: [date, security_id]
knowable: seen_on
versions: pit.vintage_returns
checks:
  - "total_return_index > 0"
  - "ret is null or ret > -1"
  - "ret is null or sessions_since_last = 1"
  - name: every_price_has_a_row
    query: "select 1 where (select count(*) from pit.returns) != (select count(*) from pit.prices)"
columns:
  date: {type: DATE, doc: "trade date"}
  session_no: {type: INTEGER, doc: "number of the session"}
  security_id: {type: BIGINT, doc: "the security"}
  kind: {type: VARCHAR, doc: "kind on that day"}
  ticker: {type: VARCHAR, doc: "symbol printed that day"}
  close: {type: DOUBLE, unit: inr, doc: "official close, never adjusted"}
  turnover_inr: {type: DOUBLE, unit: inr, doc: "value traded"}
  ret: {type: DOUBLE, unit: ratio, doc: "return since the previous session; null on the first print and on the first print after a hole"}
  ret_kind: {type: VARCHAR, doc: "total once dividends are on file, price before"}
  total_return_index: {type: DOUBLE, unit: ratio, doc: "1.0 at the first print, running forward, carried across holes"}
  sessions_since_last: {type: INTEGER, unit: sessions, doc: "sessions since the previous print, 1 without a hole; null on the first and after a silence of more than 63"}
  is_stale: {type: BOOLEAN, doc: "printed without a trade"}
  known_at: {type: TIMESTAMPTZ, doc: "when the row was known as it stands"}
  seen_on: {type: DATE, doc: "first date whose decision could use the row as it stands; its date unless something it is made of came later"}
---
One row is the return of one security over one session, as known at the build's as-of. Known at the evening of `date`, unless a print came late
or was corrected, or an action was announced or restated after its ex-date: what decisions before that saw is in pit.vintage_returns.
ret = (close × shares + cash) / previous close − 1 (the CRSP form), with the shares and cash that one share held before turned into by every
action whose ex-date lies after the previous print (pit.entitlements): so a 1:1 bonus is no loss, and a crash stays one. A hole is not a one-day
return: its first print has no `ret`, while the index carries the whole move. Nothing is adjusted backwards. A dead name ends; no price is carried on.
Source: CRSP US Stock Database Guide, "holding period return".
*/
with prints as not materialized (
    select security_id as track, *
    from pit.prices
),

{{ steps_of('prints') }},

shares as (
    select
        *,
        lead(from_date, 1, date '9999-12-31') over (partition by security_id order by from_date) as to_date,
    from pit.entitlements
),

relearned as (
    select
        prices.security_id,
        prices.date,
        max(vintages.known_at) as known_at,
        max(vintages.to_date) as seen_on,
    from pit.prices as prices
    join pit.vintages as vintages
        -- lint: allow time_join: every row since then is known anew; few securities have vintages
        on vintages.security_id = prices.security_id and vintages.since_date <= prices.date and vintages.known_at > prices.known_at
    group by all
)

select
    {{ return_columns() }}
    coalesce(relearned.known_at, steps.known_at) as known_at,
    coalesce(relearned.seen_on, steps.seen_on) as seen_on,
from steps
join pit.first_prints as firsts using (security_id)
cross join dividends
left join shares
    on shares.security_id = steps.security_id
    and shares.from_date <= steps.date
    and steps.date < shares.to_date
left join relearned on relearned.security_id = steps.security_id and relearned.date = steps.date

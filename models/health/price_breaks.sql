/*---
kind: incremental
date: date
look_back: 1
grain: [date, security_id]
checks:
  - {query: "select date from health.price_breaks where not is_market_wide group by date having count(*) > 50", level: warn, name: many_breaks_in_one_session}
columns:
  date: {type: DATE, doc: "session whose printed previous close differs"}
  session_no: {type: INTEGER, doc: "number of the session"}
  security_id: {type: BIGINT, doc: "the security"}
  ticker: {type: VARCHAR, doc: "symbol that day"}
  last_close: {type: DOUBLE, unit: inr, doc: "our close of the session before"}
  prev_close: {type: DOUBLE, unit: inr, doc: "previous close as printed"}
  is_market_wide: {type: BOOLEAN, doc: "most names break in that session: a session is missing"}
---
One row is a security whose printed previous close is not our close of the session before. The exchange prints it raw, also on ex-dates, so in
a complete history nothing breaks (0 of 655 session pairs); single breaks are relistings, consolidations and errors, market-wide ones a missing session.
*/
with steps as (
    select
        prices.date,
        prices.session_no,
        prices.security_id,
        prices.ticker,
        prices.prev_close,
        before.close as last_close,
    from pit.prices as prices
    join pit.prices as before on before.security_id = prices.security_id and before.session_no = prices.session_no - 1
    where prices.prev_close is not null
),

broken as (
    select * from steps where abs(prev_close - last_close) > 0.005
),

sessions as (
    select
        session_no,
        count(*) as n_compared,
    from steps
    group by session_no
)

select
    broken.date,
    broken.session_no,
    broken.security_id,
    broken.ticker,
    broken.last_close,
    broken.prev_close,
    count(*) over (partition by broken.session_no) > 0.5 * sessions.n_compared as is_market_wide,
from broken
join sessions using (session_no)

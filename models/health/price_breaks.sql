/*---
grain: [security_id, session_no]
knowable: date
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
        date,
        session_no,
        security_id,
        ticker,
        prev_close,
        lag(close) over sessions as last_close,
        session_no - lag(session_no) over sessions as step,
    from pit.prices
    window sessions as (partition by security_id order by session_no)
),

broken as (
    select * from steps where step = 1 and abs(prev_close - last_close) > 0.005
),

sessions as (
    select
        session_no,
        count(*) as n_compared,
    from steps
    where step = 1 and prev_close is not null
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

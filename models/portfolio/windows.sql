/*---
kind: incremental
date: date
look_back: 280
grain: [date, security_id, session_no]
references: {date: universe.rebalances.date, security_id: pit.securities.security_id}
order: [date, security_id, session_no]
checks:
  - "isfinite(ret)"
columns:
  date: {type: DATE, doc: "session whose evening decides"}
  security_id: {type: BIGINT, doc: "a candidate of a portfolio that looks at returns"}
  session_no: {type: INTEGER, doc: "session of the return, not a short one"}
  ret: {type: DOUBLE, unit: ratio, doc: "return of that session as known on `date`"}
---
The returns a decision's covariances are made of: for each candidate of a portfolio whose optimiser or `max_correlation` looks at returns, those of the
last sessions that are not short (the longest `look_back_sessions` of all portfolios), as known at the decision: of the vintage of `date` (pit.vintages).
A session without a return (a hole, the first print) has no row; nothing is filled in. Known at the close of `date`.
*/
with looking as (
    select portfolio, max(look_back_sessions) over () as sessions
    from config.portfolios
    where optimiser != 'equal_weight' or max_correlation is not null
),

names as (
    select distinct candidates.date, candidates.security_id, looking.sessions
    from portfolio.candidates as candidates
    inner join looking on looking.portfolio = candidates.portfolio
),

read as (
    select
        names.date,
        names.security_id,
        names.sessions,
        coalesce(vintages.track, names.security_id) as track,
    from names
    {{ join_vintages('names', 'names.date') }}
),

reached as (
    select
        rebalances.date,
        sessions.session_no,
        rebalances.normal_no - sessions.normal_no as ago,
    from universe.rebalances as rebalances
    -- lint: allow time_join: a year of sessions before each decision
    inner join pit.sessions as sessions on sessions.normal_no > rebalances.normal_no - 252 and sessions.normal_no <= rebalances.normal_no
    where not sessions.is_short
),

tracks as not materialized (
    {{ returns_by_track('date, session_no, security_id, ret') }}
)

select
    read.date,
    read.security_id,
    tracks.session_no,
    tracks.ret,
from read
inner join reached on reached.date = read.date and reached.ago < read.sessions
inner join tracks on tracks.track = read.track and tracks.session_no = reached.session_no
where tracks.ret is not null

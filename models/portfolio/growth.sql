/*---
date: date
grain: [date, since_date, security_id]
references: {date: universe.rebalances.date, security_id: pit.securities.security_id}
order: [date, since_date, security_id]
checks:
  - "growth > 0"
  - "since_date < date"
columns:
  date: {type: DATE, doc: "session whose evening decides"}
  since_date: {type: DATE, doc: "the decision before, of a portfolio that decides on both"}
  security_id: {type: BIGINT, doc: "a name that could be chosen then"}
  ticker: {type: VARCHAR, doc: "ticker on `date`; the last one of a name that has ended"}
  growth: {type: DOUBLE, unit: ratio, doc: "what a rupee in the name has become, as known on `date`"}
---
What became of the names a portfolio could choose at its decision before this one: so that its targets of then can be drifted to now, the way they would
have moved had they been held without a trade. A name that stopped trading stays at its last price. From the forward index of the vintage of `date`
(pit.vintages): a split is no move, and a later correction changes no earlier row. A name without a print in the ten sessions before `since_date` has no
row, and counts as unmoved. Known at the close of `date`.
*/
with names as (
    select date, portfolio, security_id from portfolio.candidates
    union
    select date, portfolio, security_id from portfolio.sleeves
),

decisions as (
    select
        date as since_date,
        portfolio,
        lead(date) over (partition by portfolio order by date) as date,
    from (select distinct date, portfolio from names)
),

steps as (
    select distinct decisions.date, decisions.since_date, names.security_id
    from decisions
    inner join names on names.portfolio = decisions.portfolio and names.date = decisions.since_date
    where decisions.date is not null
),

read as (
    select
        steps.date,
        steps.since_date,
        steps.security_id,
        coalesce(vintages.track, steps.security_id) as track,
    from steps
    {{ join_vintages('steps', 'steps.date') }}
),

spans as (
    select
        ends.date,
        ends.since_date,
        since.session_no as since_no,
        sessions.session_no,
    from (select distinct date, since_date from steps) as ends
    inner join pit.sessions as since on since.date = ends.since_date
    inner join pit.sessions as until on until.date = ends.date
    -- lint: allow time_join: the sessions between two decisions
    inner join pit.sessions as sessions on sessions.session_no > since.session_no - 10 and sessions.session_no <= until.session_no
),

tracks as not materialized (
    {{ returns_by_track('date, session_no, security_id, ticker, total_return_index') }}
)

select
    read.date,
    read.since_date,
    read.security_id,
    arg_max(tracks.ticker, tracks.session_no) as ticker,
    arg_max(tracks.total_return_index, tracks.session_no)
    -- lint: allow division: pit.returns promises an index above zero
    / arg_max(tracks.total_return_index, tracks.session_no) filter (where tracks.session_no <= spans.since_no) as growth,
from read
inner join spans on spans.date = read.date and spans.since_date = read.since_date
inner join tracks on tracks.track = read.track and tracks.session_no = spans.session_no
group by read.date, read.since_date, read.security_id
having count(*) filter (where tracks.session_no <= spans.since_no) > 0

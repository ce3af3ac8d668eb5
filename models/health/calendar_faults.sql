/*---
date: noticed_on
grain: [date]
knowable: noticed_on
order: [date]
checks:
  - "fault in ('no_session', 'prices_on_shut_day')"
  - "noticed_on >= date"
  - {query: "select date from health.calendar_faults", level: warn, name: calendar_and_prices_differ}
columns:
  date: {type: DATE, doc: "the day"}
  noticed_on: {type: DATE, doc: "session whose evening shows it: the day itself, or the first session after a day without prices"}
  fault: {type: VARCHAR, doc: "no_session: announced as a session, and no prices came by noticed_on; prices_on_shut_day: announced as shut, and somebody printed prices"}
  status: {type: VARCHAR, doc: "pit.calendar's status, as known at the day's decision"}
  name: {type: VARCHAR, doc: "what the calendar calls the day"}
  basis: {type: VARCHAR, doc: "announced, or implied by a year's list that does not name the day"}
  n_securities: {type: BIGINT, unit: count, doc: "rows of prices on the day; zero where there are none"}
  is_session: {type: BOOLEAN, doc: "whether those prices count as a session (pit.sessions)"}
---
One row is a day on which what was announced and what traded differ: a session of the calendar that the prices lack (a file is missing, or a
holiday was called that the calendar does not know), or prices on a day announced as shut (a copy of another session, or a session that the
calendar does not know). Only days between the first and the last session count, and only what was announced by the decision of the day.
*/
with announced as (
    select
        date,
        status,
        trades,
        name,
        basis,
    from pit.calendar
    where {{ decision_date('known_from') }} <= date and date < {{ decision_date('known_to') }}
),

shown as (
    select
        announced.*,
        days.n_securities,
        days.known_at,
        if(
            announced.trades,
            (select min(later.date) from pit.sessions as later where later.date > announced.date),
            announced.date
        ) as noticed_on,
    from announced
    left join pit.days as days on days.date = announced.date
    where announced.date > (select min(first.date) from pit.sessions as first)
),

compared as (
    select
        shown.*,
        coalesce({{ decision_date('shown.known_at') }} <= shown.noticed_on, false) as came,
        sessions.date is not null as is_session,
    from shown
    left join pit.sessions as sessions on sessions.date = shown.date
)

select
    date,
    noticed_on,
    if(trades, 'no_session', 'prices_on_shut_day') as fault,
    status,
    name,
    basis,
    if(came, n_securities, 0) as n_securities,
    came and is_session as is_session,
from compared
where noticed_on is not null and if(trades, not (came and is_session), came)

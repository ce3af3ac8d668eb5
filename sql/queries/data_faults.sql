-- What the run should not trust blindly: missing sessions, days unlike the calendar, unexplained jumps of shares that can be traded, doubtful identities, conflicts.
select 'missing session' as fault, date, null as ticker, 'between ' || last_date || ' and ' || date || ': ' || candidates as detail
from health.sessions_missing
union all
select 'calendar', date, null, fault || ': ' || status || coalesce(' ' || name, '')
from health.calendar_faults
union all
select 'jump', date, ticker, printf('%.1f %% at a close of %.2f', 100 * ret, close)
from health.jumps
where kind = 'equity' and close >= 10
union all
select 'identity', first_date, symbol, doubt || ' ' || detail
from health.identities
union all
select 'conflict', date, symbol, printf('close %.2f to %.2f', low_close, high_close)
from health.conflicts
order by date desc, fault, ticker

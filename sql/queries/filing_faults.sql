-- Values of filings that cannot be true, newest first: as printed, and why. They are null in pit.fundamentals.
select
    timezone('Asia/Kolkata', known_from) as known_ist,
    ticker,
    period_end,
    if(consolidated, 'group', 'alone') as accounts,
    item,
    printed,
    reason,
    known_to < timestamptz '9999-12-31 00:00:00+00' as is_replaced,
from pit.fundamental_faults
order by known_from desc, ticker, period_end, accounts, item

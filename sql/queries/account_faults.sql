-- What is wrong in brokers' records: trades that cannot be, statements and contract notes that trades and rates do not bear out.
select date, account, dataset as what, coalesce(symbol, number) as name, what || coalesce(' (' || price || ')', '') as fault
from health.account_faults
union all
select date, account, 'statement', ticker, status || ': ' || reported_qty || ' reported, ' || qty || ' booked'
from book.reconciliation
where status != 'agrees'
union all
select date, account, 'contract note', item, 'printed ' || round(printed_inr, 2) || ', expected ' || round(expected_inr, 2)
from book.note_checks
where not is_within
order by date, account, what, name

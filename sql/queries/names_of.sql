-- Every name each security ever had, for those that had more than one: renames, new ISINs, moves between series.
select
    security_id,
    ticker,
    isin,
    series,
    kind,
    valid_from,
    valid_to,
from pit.securities
where security_id in (select security_id from pit.securities group by security_id having count(distinct ticker) > 1)
order by security_id, valid_from

/*---
interval: [first_date]
grain: [symbol, line, isin, first_date]
columns:
  symbol: {type: VARCHAR, doc: "ticker as printed"}
  line: {type: VARCHAR, doc: "share, or the series of an instrument beside it"}
  isin: {type: VARCHAR, doc: "ISIN as printed; '' where none was"}
  first_date: {type: DATE, doc: "first sight"}
  security_id: {type: BIGINT, doc: "the security it was joined to"}
  doubt: {type: VARCHAR, doc: "reused symbol, new issuer, symbol change against ISIN, or long silence"}
  detail: {type: VARCHAR, doc: "what it was joined to, or not"}
---
One row is a decision on identity a person may want to look at: a symbol that now names another security, a symbol whose issuer changed
between two sessions, a rename the exchange lists but the ISIN does not confirm, a join over a year of silence.
*/
with linked as (
    select
        child.*,
        past.symbol as past_symbol,
        past.isin as past_isin,
    from pit.identities as child
    left join pit.identities as past on past.node = child.parent
),

reused as (
    select
        linked.*,
        (
            select count(*)
            from pit.identities as older
            where older.symbol = linked.symbol and older.line = linked.line and older.first_date < linked.first_date
                and older.security_id != linked.security_id
        ) as n_older,
    from linked
),

doubted as (
    select
        *,
        case
            when n_older > 0 then 'reused symbol'
            when evidence = 'continuing' and isin != '' and past_isin != '' then 'new issuer'
            when evidence = 'change' and isin != '' and past_isin != ''
                and {{ issuer_of('isin') }} != {{ issuer_of('past_isin') }} then 'symbol change against ISIN'
            when gap_days > 365 then 'long silence'
        end as doubt,
    from reused
)

select
    symbol,
    line,
    isin,
    first_date,
    security_id,
    doubt,
    concat('after ', coalesce(past_symbol || ' ' || past_isin, 'nothing'), coalesce(', ' || gap_days || ' days later', '')) as detail,
from doubted
where doubt is not null

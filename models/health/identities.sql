/*---
interval: [first_date]
grain: [symbol, line, isin, first_date, doubt]
columns:
  symbol: {type: VARCHAR, doc: "ticker as printed"}
  line: {type: VARCHAR, doc: "share, or the series of an instrument beside it"}
  isin: {type: VARCHAR, doc: "ISIN as printed; '' where none was"}
  first_date: {type: DATE, doc: "first sight"}
  security_id: {type: BIGINT, doc: "the security it was joined to"}
  doubt: {type: VARCHAR, doc: "tied, other claims, older name still printed, older name printed again, reused symbol, new issuer, symbol change against ISIN, price does not agree, no ISIN, seen late, or long silence"}
  detail: {type: VARCHAR, doc: "what it was joined to, or not"}
---
One row is a doubt about an identity that a person may want to look at. What was decided stays as it was decided that evening; this says where
another answer was thinkable: two claims of equal strength (tied), weaker claims for somebody else, a name that still printed on the day its successor
appeared or printed again afterwards, a symbol that now names another security, a symbol whose issuer changed between two sessions, a rename that the
exchange lists and the ISIN does not confirm, a previous close that is not the old name's last close (over a long silence or a listing elsewhere it
need not be), an ISIN that is none, a join over a year of silence.
*/
with linked as (
    select
        child.*,
        past.symbol as past_symbol,
        past.isin as past_isin,
        past.line as past_line,
        past.from_date as past_from_date,
        past.to_date as past_to_date,
    from pit.identities as child
    left join pit.identities as past on past.node = child.parent
),

-- an older name that printed again after its successor was there
again as (
    select linked.node, min(prices.date) as again_on
    from linked
    join raw.prices as prices
        on prices.symbol = linked.past_symbol
        and {{ line_of('prices.series') }} = linked.past_line
        and coalesce(prices.isin, '') = linked.past_isin
        and prices.date >= linked.past_from_date
        and prices.date < linked.past_to_date
        -- lint: allow time_join: any later print of an older name is one too many
        and prices.date >= linked.first_date
    where linked.past_symbol != linked.symbol and prices.is_withdrawn is not true
    group by linked.node
),

reused as (
    select child.node, string_agg(distinct older.security_id::varchar, ', ') as others
    from pit.identities as child
    join pit.identities as older
        on older.symbol = child.symbol and older.line = child.line and older.node < child.node and older.security_id != child.security_id
    group by child.node
),

doubts as (
    select node, 'tied' as doubt, against as reason from linked where is_tied
    union all
    select node, 'other claims', against from linked where against is not null and not is_tied
    union all
    select node, 'older name still printed', refused from linked where refused is not null
    union all
    select node, 'older name printed again', again_on::varchar from again
    union all
    select node, 'reused symbol', 'also of ' || others from reused
    union all
    select node, 'new issuer', null from linked where evidence = 'continuing' and isin != '' and past_isin != ''
    union all
    select node, 'symbol change against ISIN', null
    from linked
    where evidence = 'change' and isin != '' and past_isin != '' and {{ issuer_of('isin') }} != {{ issuer_of('past_isin') }}
    union all
    select node, 'price does not agree', null from linked where not price_agrees
    union all
    select node, 'no ISIN', null from linked where isin != '' and not regexp_full_match(isin, '[A-Z]{2}[A-Z0-9]{9}[0-9]')
    union all
    select node, 'seen late', seen_on::varchar from linked where seen_on > first_date
    union all
    select node, 'long silence', null from linked where gap_days > 365
)

select
    linked.symbol,
    linked.line,
    linked.isin,
    linked.first_date,
    linked.security_id,
    doubts.doubt,
    concat(
        'after ',
        coalesce(rtrim(linked.past_symbol || ' ' || linked.past_isin), 'nothing'),
        coalesce(', ' || linked.gap_days || ' days later', ''),
        coalesce(': ' || doubts.reason, '')
    ) as detail,
from doubts
join linked using (node)

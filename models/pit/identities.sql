/*---
grain: [symbol, line, isin, first_date]
interval: [first_date]
knowable: first_date
checks:
  - "security_id between 0 and 999999999999"
  - name: linked_to_the_past
    query: "select child.symbol from pit.identities as child join pit.identities as parent on parent.node = child.parent where parent.first_date > child.first_date"
  - name: one_number_a_security
    query: "select security_id from pit.identities where parent is null group by security_id having count(*) > 1"
columns:
  node: {type: BIGINT, doc: "number of this identity"}
  parent: {type: BIGINT, doc: "the identity it continues; null where a security begins"}
  symbol: {type: VARCHAR, doc: "ticker as printed"}
  line: {type: VARCHAR, doc: "share, or the series of an instrument beside it"}
  isin: {type: VARCHAR, doc: "ISIN as printed; '' for a run of rows without one"}
  first_date: {type: DATE, doc: "session it was first seen"}
  security_id: {type: BIGINT, doc: "the security: a hash of the first identity of the chain"}
  kind: {type: VARCHAR, doc: "what the ISIN, else the past, else the ticker says it is"}
  evidence: {type: VARCHAR, doc: "isin, symbol, change, issuer or continuing: why it is joined to its parent"}
  gap_days: {type: INTEGER, unit: days, doc: "days between the parent's last print and first_date"}
---
One row is one printed identity (symbol, line, ISIN) at its first sight, and the security it belongs to. Known on `first_date`.
Exchanges give no permanent number: 416 renames and 526 changes of ISIN between 2010 and 2024. Each identity is joined once, when it is first
seen, to at most one that was seen before it, by what was known that evening; so chains only grow at their end, and nothing learned later
renumbers the past. Rows without an ISIN (before 2011-06-22, and in sec_bhavdata_full) form runs of a symbol that end with a long silence.
*/
-- lines are told of a few thousand series, not of every row
with recursive series_printed as (
    select
        symbol,
        series,
        isin,
        min(date) as first_date,
    from raw.prices
    where isin is not null
    group by all
),

printed as (
    select
        symbol,
        {{ line_of('series') }} as line,
        isin,
        min(first_date) as first_date,
    from series_printed
    group by all
),

unnamed as (
    select
        symbol,
        {{ line_of('series') }} as line,
        date,
        date - lag(date) over (partition by symbol, {{ line_of('series') }} order by date) as silence,
    from raw.prices
    where isin is null
),

identities as (
    select symbol, line, isin, {{ issuer_of('isin') }} as issuer, first_date, date '9999-12-31' as next_first from printed
    union all
    select
        symbol,
        line,
        '' as isin,
        null as issuer,
        date as first_date,
        lead(date, 1, date '9999-12-31') over (partition by symbol, line order by date) as next_first,
    from unnamed
    where silence is null or silence > {{ identity_gap_days }}
),

nodes as (
    select *, row_number() over (order by first_date, symbol, line, isin) as node from identities
),

changes as (
    select old_symbol, new_symbol, effective_date
    from raw.symbol_changes
    where old_symbol != new_symbol
    {{ newest_of('old_symbol, new_symbol, effective_date', 'company') }}
),

-- the lower the strength, the better the evidence
candidates as (
    select child.node, past.node as parent, 1 as strength, 'isin' as evidence, null::date as effective_date
    from nodes as child
    join nodes as past
        -- lint: allow time_join: every identity seen before is a candidate; links keeps the best one
        on past.isin = child.isin and past.line = child.line and past.symbol != child.symbol and past.first_date < child.first_date
    where child.isin != ''
    union all
    select child.node, past.node, if(past.issuer = child.issuer, 2, 5), if(past.issuer = child.issuer, 'symbol', 'continuing'), null
    from nodes as child
    join nodes as past
        on past.symbol = child.symbol and past.line = child.line
        -- two files of one day, with and without ISINs, show one share: the one with the ISIN leads
        -- lint: allow time_join: every identity seen before is a candidate; links keeps the best one
        and (past.first_date < child.first_date or (past.first_date = child.first_date and past.isin != '' and child.isin = ''))
    union all
    select child.node, past.node, 3, 'change', changes.effective_date
    from nodes as child
    join changes
        on changes.new_symbol = child.symbol
        and changes.effective_date between child.first_date - {{ identity_gap_days }} and child.first_date
    -- lint: allow time_join: every identity seen before is a candidate; links keeps the best one
    join nodes as past on past.symbol = changes.old_symbol and past.line = child.line and past.first_date < child.first_date
    union all
    select child.node, past.node, 4, 'issuer', null
    from nodes as child
    join nodes as past
        on past.issuer = child.issuer and past.line = child.line and past.symbol != child.symbol
        -- lint: allow time_join: every identity seen before is a candidate; links keeps the best one
        and past.isin != child.isin and past.first_date < child.first_date
),

questions as (
    select distinct past.node as parent, past.symbol, past.line, past.isin, past.first_date, past.next_first, child.first_date as asked_on
    from candidates
    join nodes as child using (node)
    join nodes as past on past.node = candidates.parent
),

-- when was the older identity last printed, as known on the day the younger one appears
answers as (
    select questions.parent, questions.asked_on, max(prices.date) as last_date
    from questions
    join raw.prices as prices
        on prices.symbol = questions.symbol
        and {{ line_of('prices.series') }} = questions.line
        and coalesce(prices.isin, '') = questions.isin
        and prices.date >= questions.first_date
        and prices.date < questions.next_first
        and prices.date <= questions.asked_on
    group by all
),

links as (
    select
        child.node,
        candidates.parent,
        candidates.evidence,
        child.first_date - answers.last_date as gap_days,
    from candidates
    join nodes as child using (node)
    join nodes as past on past.node = candidates.parent
    join answers on answers.parent = candidates.parent and answers.asked_on = child.first_date
    -- the same share under another name on the same day is another share (a DVR beside its ordinary share)
    where (
            answers.last_date < child.first_date
            or candidates.evidence = 'symbol'
            or (candidates.evidence = 'continuing' and '' in (child.isin, past.isin))
        )
        and (candidates.evidence != 'change' or answers.last_date < candidates.effective_date)
        and (
            candidates.evidence != 'continuing'
            or (
                answers.last_date >= child.first_date - {{ identity_gap_days }}
                -- a symbol whose company moved on to another symbol has been given to somebody else
                and not exists (
                    select 1
                    from nodes as elsewhere
                    where elsewhere.issuer = past.issuer and elsewhere.line = past.line and elsewhere.symbol != past.symbol
                        and elsewhere.first_date > answers.last_date and elsewhere.first_date <= child.first_date
                )
                and not exists (
                    select 1
                    from changes
                    where changes.old_symbol = past.symbol
                        and changes.effective_date > answers.last_date and changes.effective_date <= child.first_date
                )
            )
        )
    qualify row_number() over (partition by child.node order by candidates.strength, answers.last_date desc, candidates.parent desc) = 1
),

typed as (
    select
        nodes.node,
        links.parent,
        nodes.symbol,
        nodes.line,
        nodes.isin,
        nodes.first_date,
        links.evidence,
        links.gap_days,
        case
            when regexp_matches(nodes.line, '^E[0-9]') then 'partly_paid'
            when nodes.line in ('RR') then 'reit'
            when nodes.line in ('IV', 'ID') then 'invit'
            when nodes.isin like 'INF%' then 'etf'
            when nodes.isin like 'IN_____20%' or regexp_matches(nodes.symbol, '-RE[0-9]*$') then 'entitlement'
            when nodes.isin like 'IN_____07%' or nodes.isin like 'IN_____08%' or nodes.isin like 'IN0%' then 'debt'
            when regexp_matches(nodes.line, '^(N|Y|Z|G)[0-9A-Z]$') then 'debt'
            when nodes.isin like 'IN_____01%' and nodes.line = 'share' then 'equity'
            when nodes.isin != '' then 'other'
        end as said_kind,
        -- with nothing but a ticker, a fund is known by its name
        case when nodes.line != 'share' then 'other' when regexp_matches(nodes.symbol, '(BEES|ETF)$') then 'etf' else 'equity' end as guessed_kind,
    from nodes
    left join links using (node)
),

chains as (
    select node, node as root, coalesce(said_kind, guessed_kind) as kind
    from typed
    where parent is null
    union all
    select typed.node, chains.root, coalesce(typed.said_kind, chains.kind)
    from typed
    join chains on chains.node = typed.parent
),

-- a symbol given to another company without any ISIN to tell them apart: count the occurrences
named as (
    select
        node,
        concat_ws('|', symbol, line, isin, row_number() over (partition by symbol, line, isin order by first_date)) as first_identity,
    from typed
    where parent is null
)

select
    typed.node,
    typed.parent,
    typed.symbol,
    typed.line,
    typed.isin,
    typed.first_date,
    (md5_number_lower(named.first_identity) % 1000000000000)::bigint as security_id,
    chains.kind,
    typed.evidence,
    typed.gap_days::integer as gap_days,
from typed
join chains using (node)
join named on named.node = chains.root

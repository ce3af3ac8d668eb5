/*---
grain: [symbol, line, isin, first_date]
interval: [first_date, to_date]
knowable: seen_on
checks:
  - "security_id between 0 and 999999999999"
  - "seen_on >= first_date"
  - "from_date <= first_date and first_date < to_date"
  - name: linked_to_the_past
    query: "select child.symbol from pit.identities as child join pit.identities as parent on parent.node = child.parent where parent.seen_on > child.seen_on or (parent.seen_on = child.seen_on and parent.first_date > child.first_date)"
  - name: one_number_a_security
    query: "select security_id from pit.identities where parent is null group by security_id having count(*) > 1"
columns:
  node: {type: BIGINT, doc: "number of this identity, in the order of first sights"}
  parent: {type: BIGINT, doc: "the identity it continues; null where a security begins"}
  symbol: {type: VARCHAR, doc: "ticker as printed"}
  line: {type: VARCHAR, doc: "share, or the series of an instrument beside it"}
  isin: {type: VARCHAR, doc: "ISIN as printed; '' for a run of rows without one"}
  first_date: {type: DATE, doc: "session of its first print, as known at first sight"}
  seen_on: {type: DATE, doc: "first sight: the date whose decision could first use a print of it; first_date unless that came late"}
  from_date: {type: DATE, doc: "prints of this symbol, line and ISIN are meant from this date on; 1900-01-01 for the first run of them"}
  to_date: {type: DATE, doc: "and before this one: where the next run without an ISIN begins"}
  security_id: {type: BIGINT, doc: "the security: a hash of the first identity of the chain"}
  kind: {type: VARCHAR, doc: "what the ISIN, else the past, else the ticker says it is"}
  evidence: {type: VARCHAR, doc: "isin, symbol, change, issuer, continuing or price: why it is joined to its parent"}
  gap_days: {type: INTEGER, unit: days, doc: "days between the parent's last print and first_date; null where the parent printed only after it"}
  price_agrees: {type: BOOLEAN, doc: "the previous close printed at first sight is the parent's last close before; null where there is none"}
  against: {type: VARCHAR, doc: "evidence that spoke for other securities and was not followed, the best first; null where there was none"}
  is_tied: {type: BOOLEAN, doc: "some of that evidence is as good as what was followed"}
  refused: {type: VARCHAR, doc: "evidence for a name that still printed that day, so it was another share; null where there was none"}
  known_at: {type: TIMESTAMPTZ, doc: "when its first print was known"}
---
One row is one printed identity (symbol, line, ISIN) at its first sight, and the security it belongs to. Known on `seen_on`.
Exchanges give no permanent number: 416 renames and 526 changes of ISIN between 2010 and 2024. Each identity is joined once, when it is first
seen, to at most one that was seen before it, by the prints and the listed changes known that evening; so chains only grow at their end, and
nothing learned later renumbers the past: not a change of symbol that the list brings a week after the new one traded, nor a file that comes late.
Rows without an ISIN (before 2011-06-22, and in sec_bhavdata_full) form runs of a symbol. A run ends with a long silence, or when the symbol comes
back a month and more after the list of changes took it away.
Two companies may have claims on one identity: `against` and `refused` keep what was not followed, and health.identities shows it.
*/
with recursive nodes as (
    select *, {{ issuer_of("nullif(isin, '')") }} as issuer from pit.names
),

changes as (
    {{ listed_changes() }}
),

-- A became B and B became C: from A to C too, where B was never printed
ways as (
    select
        old_symbol,
        new_symbol,
        effective_date as left_on,
        effective_date as came_on,
        seen_on,
        gone_on,
        [old_symbol, new_symbol] as path,
    from changes
    union all
    select
        ways.old_symbol,
        changes.new_symbol,
        ways.left_on,
        changes.effective_date,
        greatest(ways.seen_on, changes.seen_on),
        least(ways.gone_on, changes.gone_on),
        list_append(ways.path, changes.new_symbol),
    from ways
    join changes
        on changes.old_symbol = ways.new_symbol
        and changes.effective_date >= ways.came_on
        and changes.effective_date <= ways.left_on + {{ identity_gap_days }}
        and not list_contains(ways.path, changes.new_symbol)
),

-- the lower the strength, the better the evidence
candidates as (
    select child.node, past.node as parent, 1 as strength, 'isin' as evidence, null::date as left_on
    from nodes as child
    join nodes as past on past.isin = child.isin and past.line = child.line and past.symbol != child.symbol
    where child.isin != ''
        -- lint: allow time_join: every identity seen before is a candidate; links keeps the best one
        and (past.seen_on, past.first_date) < (child.seen_on, child.first_date)
    union all
    select
        child.node,
        past.node,
        -- without two ISINs to compare, a symbol is as good as the list of changes: the later print decides
        case when past.issuer = child.issuer then 2 when '' in (child.isin, past.isin) then 3 else 5 end,
        if(past.issuer = child.issuer, 'symbol', 'continuing'),
        null,
    from nodes as child
    join nodes as past on past.symbol = child.symbol and past.line = child.line
    -- lint: allow time_join: every identity seen before is a candidate; links keeps the best one
    where (past.seen_on, past.first_date) < (child.seen_on, child.first_date)
        -- two files of one day, with and without ISINs, show one share: the one with the ISIN leads
        or ((past.seen_on, past.first_date) = (child.seen_on, child.first_date) and past.isin != '' and child.isin = '')
    union all
    select child.node, past.node, 3, 'change', max(ways.left_on)
    from nodes as child
    join ways
        on ways.new_symbol = child.symbol
        and ways.came_on between child.first_date - {{ identity_gap_days }} and child.first_date
        and ways.seen_on <= child.seen_on
        and child.seen_on < ways.gone_on
    join nodes as past on past.symbol = ways.old_symbol and past.line = child.line
    -- lint: allow time_join: every identity seen before is a candidate; links keeps the best one
    where (past.seen_on, past.first_date) < (child.seen_on, child.first_date)
    group by child.node, past.node
    union all
    select child.node, past.node, 4, 'issuer', null
    from nodes as child
    join nodes as past
            on past.issuer = child.issuer and past.line = child.line and past.symbol != child.symbol and past.isin != child.isin
    -- lint: allow time_join: every identity seen before is a candidate; links keeps the best one
    where (past.seen_on, past.first_date) < (child.seen_on, child.first_date)
),

questions as (
    select distinct
        past.node as parent,
        past.symbol,
        past.line,
        past.isin,
        past.first_date,
        past.to_date,
        child.first_date as asked_of,
        child.seen_on as asked_on,
    from candidates
    join nodes as child using (node)
    join nodes as past on past.node = candidates.parent
),

-- when was the older identity last printed, as known on the evening the younger one appears
answers as (
    select
        questions.parent,
        questions.asked_of,
        questions.asked_on,
        max(prices.date) as last_date,
        -- a file without ISINs may print the older one on that very day; its close is not yet the previous one
        arg_max(prices.close, (prices.date, prices.known_at, prices.volume)) filter (prices.date < questions.asked_of) as last_close,
    from questions
    join raw.prices as prices
        on prices.symbol = questions.symbol
        and {{ line_of('prices.series') }} = questions.line
        and coalesce(prices.isin, '') = questions.isin
        and prices.date >= questions.first_date
        and prices.date < questions.to_date
        and prices.date <= questions.asked_of
    where epoch_us(prices.known_at) <= {{ decision_us('questions.asked_on') }} and prices.is_withdrawn is not true
    group by questions.parent, questions.asked_of, questions.asked_on
),

judged as (
    select
        child.node,
        candidates.parent,
        candidates.strength,
        if(
            candidates.evidence = 'continuing' and answers.last_date < child.first_date - {{ identity_gap_days }},
            'price',
            candidates.evidence
        ) as evidence,
        past.symbol as past_symbol,
        past.isin as past_isin,
        answers.last_date,
        child.first_date - answers.last_date as gap_days,
        abs(nullif(child.prev_close, 0) - answers.last_close) < 0.005 as price_agrees,
        -- the same share under another name on the same day is another share (a DVR beside its ordinary share)
        candidates.evidence in ('isin', 'change') and coalesce(
            answers.last_date >= if(candidates.evidence = 'change', candidates.left_on, child.first_date), false
        ) as still_printed,
        case candidates.evidence
            -- a file that came late may show the older names of a security after the newer ones
            when 'symbol' then true
            when 'isin' then answers.last_date is distinct from child.first_date
            when 'change' then coalesce(answers.last_date < least(candidates.left_on, child.first_date), false)
            when 'issuer' then coalesce(answers.last_date < child.first_date, false)
            else coalesce(
                -- after a long silence only a previous close that is the old one's last close tells that it is the same
                (answers.last_date >= child.first_date - {{ identity_gap_days }} or price_agrees)
                and (answers.last_date < child.first_date or '' in (child.isin, past.isin))
                -- a symbol whose company moved on to another symbol has been given to somebody else
                and not exists (
                    select 1
                    from nodes as elsewhere
                    where elsewhere.issuer = past.issuer and elsewhere.line = past.line and elsewhere.symbol != past.symbol
                        and elsewhere.first_date > answers.last_date and elsewhere.first_date <= child.first_date
                        and elsewhere.seen_on <= child.seen_on
                )
                and not exists (
                    select 1
                    from changes
                    where changes.old_symbol = past.symbol
                        and changes.effective_date > answers.last_date and changes.effective_date <= child.first_date
                        and changes.seen_on <= child.seen_on and child.seen_on < changes.gone_on
                ),
                false
            )
        end as is_eligible,
    from candidates
    join nodes as child using (node)
    join nodes as past on past.node = candidates.parent
    left join answers
        on answers.parent = candidates.parent and answers.asked_of = child.first_date and answers.asked_on = child.seen_on
),

links as (
    select *
    from judged
    where is_eligible
    qualify row_number() over (partition by node order by strength, last_date desc nulls last, parent desc) = 1
),

typed as (
    select
        nodes.node,
        links.parent,
        nodes.symbol,
        nodes.line,
        nodes.isin,
        nodes.first_date,
        nodes.seen_on,
        nodes.from_date,
        nodes.to_date,
        nodes.known_at,
        links.strength,
        links.evidence,
        links.gap_days,
        links.price_agrees,
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

-- what spoke for somebody else
voices as (
    select distinct
        judged.node,
        judged.strength,
        concat_ws(' ', judged.evidence, judged.past_symbol, nullif(judged.past_isin, '')) as voice,
        judged.is_eligible,
        coalesce(judged.strength = links.strength, false) as is_tied,
    from judged
    join chains as own on own.node = judged.node
    join chains as other on other.node = judged.parent
    left join links on links.node = judged.node
    where other.root != own.root and (judged.is_eligible or judged.still_printed)
),

claims as (
    select
        node,
        string_agg(voice, ', ' order by strength, voice) filter (is_eligible) as against,
        string_agg(voice, ', ' order by strength, voice) filter (not is_eligible) as refused,
        bool_or(is_eligible and is_tied) as is_tied,
    from voices
    group by node
),

-- a symbol given to another company without any ISIN to tell them apart: count the occurrences
named as (
    select
        node,
        concat_ws('|', symbol, line, isin, row_number() over (partition by symbol, line, isin order by node)) as first_identity,
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
    typed.seen_on,
    typed.from_date,
    typed.to_date,
    (md5_number_lower(named.first_identity) % 1000000000000)::bigint as security_id,
    chains.kind,
    typed.evidence,
    typed.gap_days::integer as gap_days,
    typed.price_agrees,
    claims.against,
    coalesce(claims.is_tied, false) as is_tied,
    claims.refused,
    typed.known_at,
from typed
join chains using (node)
join named on named.node = chains.root
left join claims on claims.node = typed.node

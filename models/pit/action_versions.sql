/*---
grain: [security_id, ex_date, kind, known_from]
interval: [ex_date]
references: {security_id: pit.securities.security_id}
checks:
  - "known_from < known_to"
  - name: accept_is_confirmed_proposed_or_none
    query: "select {{ accept }} as accept where {{ accept }} not in ('confirmed', 'proposed', 'none')"
columns:
  security_id: {type: BIGINT, doc: "the security"}
  ticker: {type: VARCHAR, doc: "symbol in the announcement"}
  ex_date: {type: DATE, doc: "first session without the entitlement"}
  kind: {type: VARCHAR, doc: "split, bonus, split_or_bonus, consolidation, rights, dividend, demerger, other"}
  price_factor: {type: DOUBLE, unit: ratio, doc: "multiplies prices before ex_date: 0.5 for a 1:1 bonus"}
  share_factor: {type: DOUBLE, unit: ratio, doc: "multiplies shares held before ex_date: 2 for a 1:1 bonus"}
  cash_inr: {type: DOUBLE, unit: inr per share, doc: "cash for each share held before ex_date"}
  source: {type: VARCHAR, doc: "who says so"}
  known_from: {type: TIMESTAMPTZ, doc: "when this version came into force"}
  known_to: {type: TIMESTAMPTZ, doc: "when it was restated or taken back; 9999-12-31 while it stands"}
---
One row is a version of one accepted corporate action, in force in `[known_from, known_to)`: all that pit.corporate_actions ever said.
The knob `accept` says what is accepted: `confirmed` takes actions on file with the status confirmed; `proposed` takes those, and what
pit.proposed_actions proposes as long as no file speaks of it (a file that confirms, contradicts or cancels it ends a proposal; one that is
unconfirmed does not); `none` takes no action at all. An action that is cancelled or contradicted later ends and has no next version.
A vague `split_or_bonus` beside a split or bonus of the same day says the same thing twice and is dropped.
*/
with members as (
    select
        filed.security_id,
        filed.ticker,
        filed.ex_date,
        filed.kind,
        filed.status,
        filed.price_factor,
        filed.share_factor,
        filed.cash_inr,
        filed.source,
        filed.known_from,
        filed.known_to,
        -- an action that goes ex in a silence falls on the print that ends it
        coalesce(proposed.date, filed.ex_date) as falls_on,
        filed.status != 'unconfirmed' and (filed.kind != 'dividend' or filed.cash_inr > 0.2 * proposed.last_close) as explains,
    from pit.filed_actions as filed
    left join pit.proposed_actions as proposed
        on proposed.security_id = filed.security_id
        and filed.ex_date > proposed.last_date
        and filed.ex_date <= proposed.date
        and proposed.verdict = 'proposed'
    union all
    select
        security_id,
        ticker,
        date,
        kind,
        'proposed',
        1 / nullif(nearest_ratio, 0),
        nearest_ratio,
        0.0,
        'proposed from prices',
        known_at,
        timestamptz '9999-12-31 00:00:00+00',
        date,
        false,
    from pit.proposed_actions
    where verdict = 'proposed' and {{ accept }} = 'proposed'
),

-- each moment at which something about the actions of one print changed
moments as (
    select
        security_id,
        falls_on,
        moment,
        lead(moment, 1, timestamptz '9999-12-31 00:00:00+00') over (partition by security_id, falls_on order by moment) as next_moment,
    from (
        select security_id, falls_on, known_from as moment from members
        union
        select security_id, falls_on, known_to as moment from members where known_to < timestamptz '9999-12-31 00:00:00+00'
    )
),

standing as (
    select
        members.*,
        moments.moment,
        moments.next_moment,
        bool_or(members.explains) over (partition by members.security_id, members.falls_on, moments.moment) as is_explained,
    from moments
    join members
        on members.security_id = moments.security_id
        and members.falls_on = moments.falls_on
        and members.known_from <= moments.moment
        and moments.moment < members.known_to
),

accepted as (
    select *
    from standing
    where {{ accept }} != 'none' and (status = 'confirmed' or status = 'proposed' and not coalesce(is_explained, false))
    -- two symbols of one security may carry the same action
    qualify row_number() over (partition by security_id, ex_date, kind, moment order by status, ticker) = 1
        and (
            kind != 'split_or_bonus'
            or count(*) filter (where kind in ('split', 'bonus')) over (partition by security_id, ex_date, moment) = 0
        )
),

-- moments that changed nothing about an action open no version
changes as (
    select
        *,
        coalesce(
            lag(next_moment) over versions != moment
            or lag((ticker, price_factor, share_factor, cash_inr, source)) over versions
                is distinct from (ticker, price_factor, share_factor, cash_inr, source),
            true
        ) as is_new,
    from accepted
    window versions as (partition by security_id, ex_date, kind order by moment)
),

numbered as (
    select
        *,
        count(*) filter (where is_new) over (partition by security_id, ex_date, kind order by moment) as version_no,
    from changes
)

select
    security_id,
    any_value(ticker) as ticker,
    ex_date,
    kind,
    any_value(price_factor) as price_factor,
    any_value(share_factor) as share_factor,
    any_value(cash_inr) as cash_inr,
    any_value(source) as source,
    min(moment) as known_from,
    max(next_moment) as known_to,
from numbered
group by security_id, ex_date, kind, version_no

/*---
interval: [known_from, known_to]
grain: [index_name, security_id, valid_from, known_from]
references: {security_id: pit.securities.security_id}
knowable: "cast(timezone('Asia/Kolkata', known_to) as date)"
checks:
  - "valid_from < valid_to"
  - "known_from < known_to"
columns:
  index_name: {type: VARCHAR, doc: "index, in capitals"}
  security_id: {type: BIGINT, doc: "the member"}
  valid_from: {type: DATE, doc: "first session in the index: when the entry takes effect"}
  valid_to: {type: DATE, doc: "first session out of it: when the exit takes effect; 9999-12-31 while none is announced"}
  known_from: {type: TIMESTAMPTZ, doc: "announcement of the entry, of the exit, or of a correction; later where the list uses a symbol the security only bore later"}
  known_to: {type: TIMESTAMPTZ, doc: "when another announcement took its place; 9999-12-31 while it stands"}
---
One row is one version of a security's membership of an index: what was announced of it in `[known_from, known_to)`. A change is announced weeks
before it takes effect, entry and exit each at their own time, so a membership is open-ended until its exit is announced. Decide on a date with the
rows that were in force at the decision (known_from <= decision < known_to) and hold that day (valid_from <= date < valid_to).
An exit without a date of announcement is known when a later version of the list brings it, else on the day it takes effect.
Lists often write today's symbol for the past: such a row is known only once the security bears that symbol, and `known_from` says so.
*/
with told as (
    select
        upper(index_name) as index_name,
        symbol,
        valid_from,
        valid_to,
        exit_announced_on,
        is_withdrawn,
        known_at,
        lag(known_at) over lists is not null as is_later,
        lead(known_at) over lists as next_known_at,
    from (
        select *
        from raw.index_members
        qualify row_number() over (
            partition by upper(index_name), symbol, valid_from, known_at
            order by is_withdrawn desc nulls last, source_rank, valid_to desc nulls last, exit_announced_on
        ) = 1
    )
    window lists as (partition by upper(index_name), symbol, valid_from order by known_at)
),

-- what each list said, and from when on
said as (
    select index_name, symbol, valid_from, date '9999-12-31' as valid_to, is_withdrawn, known_at as said_at, next_known_at
    from told
    union all
    select
        index_name,
        symbol,
        valid_from,
        valid_to,
        is_withdrawn,
        greatest(
            known_at,
            case
                when exit_announced_on is not null then timezone('Asia/Kolkata', exit_announced_on::timestamp)
                when is_later then known_at
                else timezone('Asia/Kolkata', valid_to::timestamp)
            end
        ),
        next_known_at,
    from told
    where valid_to is not null
),

announced as (
    select *
    from said
    where coalesce(said_at < next_known_at, true)
    -- entry and exit in one announcement
    qualify row_number() over (partition by index_name, symbol, valid_from, said_at order by valid_to) = 1
),

memberships as (
    select index_name, symbol, valid_from, least(valid_from, {{ decision_date('min(said_at)') }}) as asked_of
    from announced
    group by index_name, symbol, valid_from
),

-- who bore the symbol when the entry was announced, else who bore it first after: the same whenever one asks
members as (
    select
        memberships.index_name,
        memberships.symbol,
        memberships.valid_from,
        securities.security_id,
        if(securities.valid_from > memberships.asked_of, securities.known_at, null) as borne_at,
    from memberships
    join pit.securities as securities on securities.ticker = memberships.symbol
    where securities.kind in ('equity', 'sme')
    qualify row_number() over (
        partition by memberships.index_name, memberships.symbol, memberships.valid_from
        order by
            securities.valid_from <= memberships.asked_of desc,
            abs(memberships.asked_of - securities.valid_from),
            securities.security_id
    ) = 1
),

bearers as (
    select
        announced.*,
        members.security_id,
        greatest(announced.said_at, members.borne_at) as known_from,
    from announced
    join members using (index_name, symbol, valid_from)
),

-- of several words that became known at once the last said counts
heard as (
    select *
    from bearers
    qualify row_number() over (
        partition by index_name, security_id, valid_from, known_from order by said_at desc, is_withdrawn nulls first, valid_to, symbol
    ) = 1
),

turns as (
    select *
    from heard
    qualify (valid_to, coalesce(is_withdrawn, false)) is distinct from lag((valid_to, coalesce(is_withdrawn, false))) over (
        partition by index_name, security_id, valid_from order by known_from
    )
),

versions as (
    select
        *,
        lead(known_from, 1, timestamptz '9999-12-31 00:00:00+00') over (
            partition by index_name, security_id, valid_from order by known_from
        ) as known_to,
    from turns
)

select
    index_name,
    security_id,
    valid_from,
    valid_to,
    known_from,
    known_to,
from versions
where is_withdrawn is not true

/*---
interval: [valid_from, valid_to]
grain: [index_name, security_id, valid_from]
references: {security_id: pit.securities.security_id}
knowable: valid_to
checks:
  - "valid_from < valid_to"
columns:
  index_name: {type: VARCHAR, doc: "index, in capitals"}
  security_id: {type: BIGINT, doc: "the member"}
  valid_from: {type: DATE, doc: "first session in the index"}
  valid_to: {type: DATE, doc: "first session out of it; 9999-12-31 while still a member"}
  known_at: {type: TIMESTAMPTZ, doc: "announcement, or the first day; later where the list uses a symbol the security only bore later"}
---
One row is a security's membership of an index over an interval. Lists often write today's symbol for the past: such a row is known only once
the security bears that symbol, and `known_at` says so. Decide with rows whose `known_at` lies before the decision.
*/
with newest as (
    select *
    from raw.index_members
    {{ newest_of('index_name, symbol, valid_from', 'valid_to, announced_on') }}
),

named as (
    select
        newest.index_name,
        securities.security_id,
        newest.valid_from,
        coalesce(newest.valid_to, date '9999-12-31') as valid_to,
        greatest(newest.known_at, if(securities.valid_from <= newest.valid_from, newest.known_at, securities.known_at)) as known_at,
    from newest
    join pit.securities as securities on securities.ticker = newest.symbol
    where securities.kind in ('equity', 'sme')
    qualify row_number() over (
        partition by newest.index_name, newest.symbol, newest.valid_from
        -- who bore the symbol then, else who bore it first after
        order by
            securities.valid_from <= newest.valid_from desc,
            if(securities.valid_from <= newest.valid_from, newest.valid_from - securities.valid_from, securities.valid_from - newest.valid_from),
            securities.security_id
    ) = 1
)

select
    upper(index_name) as index_name,
    security_id,
    valid_from,
    valid_to,
    known_at,
from named
qualify row_number() over (partition by upper(index_name), security_id, valid_from order by known_at, valid_to desc) = 1

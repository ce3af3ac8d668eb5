/*---
grain: [security_id, ex_date, kind]
interval: [ex_date]
references: {security_id: pit.securities.security_id}
knowable: "greatest(ex_date, cast(timezone('Asia/Kolkata', known_at) as date))"
checks:
  - "price_factor > 0"
  - "share_factor > 0"
  - "cash_inr >= 0"
  - {rows: "{{ ist_date('known_at') }} <= ex_date", level: warn, name: known_by_its_ex_date}
columns:
  security_id: {type: BIGINT, doc: "the security"}
  ticker: {type: VARCHAR, doc: "symbol in the announcement"}
  ex_date: {type: DATE, doc: "first session without the entitlement"}
  kind: {type: VARCHAR, doc: "split, bonus, split_or_bonus, consolidation, rights, dividend, demerger, other"}
  price_factor: {type: DOUBLE, unit: ratio, doc: "multiplies prices before ex_date: 0.5 for a 1:1 bonus"}
  share_factor: {type: DOUBLE, unit: ratio, doc: "multiplies shares held before ex_date: 2 for a 1:1 bonus"}
  cash_inr: {type: DOUBLE, unit: inr per share, doc: "cash for each share held before ex_date"}
  known_at: {type: TIMESTAMPTZ, doc: "when it was announced; where unknown, the morning of ex_date"}
  source: {type: VARCHAR, doc: "who says so"}
---
One row is one accepted corporate action of one security. Which statuses are accepted is the knob `accept_actions`. The symbol is read as it was
used on the ex-date; an action whose symbol nobody bore by then is left out and counted in health.coverage. A vague `split_or_bonus` beside a
split or bonus of the same day says the same thing twice and is dropped.
*/
with newest as (
    select *
    from raw.corporate_actions
    {{ newest_of('symbol, ex_date, kind', 'status, price_factor, share_factor, cash_inr, isin, source') }}
),

accepted as (
    select *, kind in ('split', 'bonus', 'split_or_bonus', 'consolidation') as is_division
    from newest
    where status in {{ accept_actions }}
),

-- whose it may be: whoever bore its ISIN or its symbol (two joins, as one on either would compare all with all)
meant as (
    select
        accepted.*,
        securities.security_id,
        securities.kind as security_kind,
        securities.valid_from,
        true as by_isin,
    from accepted
    join pit.securities as securities on securities.isin = accepted.isin
    union all
    select
        accepted.*,
        securities.security_id,
        securities.kind as security_kind,
        securities.valid_from,
        false as by_isin,
    from accepted
    join pit.securities as securities on securities.ticker = accepted.symbol
    where coalesce(securities.isin != accepted.isin, true)
),

owned as (
    select
        security_id,
        symbol as ticker,
        ex_date,
        kind,
        -- a split or a bonus turns value into more shares: either factor says the other
        coalesce(price_factor, if(is_division, 1 / nullif(share_factor, 0), null), 1.0) as price_factor,
        coalesce(share_factor, if(is_division, 1 / nullif(price_factor, 0), null), 1.0) as share_factor,
        coalesce(cash_inr, 0.0) as cash_inr,
        known_at,
        source,
    from meant
    where valid_from <= ex_date
    qualify row_number() over (
        partition by symbol, ex_date, kind
        order by
            by_isin desc,
            -- the share itself before the lines beside it
            security_kind in ('equity', 'sme', 'etf') desc,
            valid_from desc,
            security_id
    ) = 1
)

select
    security_id,
    ticker,
    ex_date,
    kind,
    price_factor,
    share_factor,
    cash_inr,
    known_at,
    source,
from owned
-- two symbols of one security may carry the same action
qualify row_number() over (partition by security_id, ex_date, kind order by known_at, ticker) = 1
    and (
        kind != 'split_or_bonus'
        or count(*) filter (where kind in ('split', 'bonus')) over (partition by security_id, ex_date) = 0
    )

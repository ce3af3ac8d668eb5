/*---
grain: [security_id, ticker, ex_date, kind, known_from]
interval: [ex_date]
references: {security_id: pit.securities.security_id}
checks:
  - "known_from < known_to"
  - "price_factor > 0"
  - "share_factor > 0"
  - "cash_inr >= 0"
columns:
  security_id: {type: BIGINT, doc: "the security"}
  ticker: {type: VARCHAR, doc: "symbol in the announcement"}
  ex_date: {type: DATE, doc: "first session without the entitlement"}
  kind: {type: VARCHAR, doc: "split, bonus, split_or_bonus, consolidation, rights, dividend, demerger, other"}
  status: {type: VARCHAR, doc: "confirmed, unconfirmed, contradicted, cancelled"}
  price_factor: {type: DOUBLE, unit: ratio, doc: "multiplies prices before ex_date: 0.5 for a 1:1 bonus"}
  share_factor: {type: DOUBLE, unit: ratio, doc: "multiplies shares held before ex_date: 2 for a 1:1 bonus"}
  cash_inr: {type: DOUBLE, unit: inr per share, doc: "cash for each share held before ex_date"}
  source: {type: VARCHAR, doc: "who says so"}
  known_from: {type: TIMESTAMPTZ, doc: "when this version came into force"}
  known_to: {type: TIMESTAMPTZ, doc: "when another took its place; 9999-12-31 while it stands"}
---
One row is a version of one action somebody put on file, whatever its status, given to the security that bore its ISIN or symbol on the ex-date.
Where a file gives terms instead of a factor, this is where they become one, with the exchange's formulas:
bonus A:B → B / (A + B); split and consolidation → new face value / old one; rights A:B at S, last cum close P → (B·P + A·S) / ((A + B)·P);
demerger → price without the part / P, where the price is that of the special session, or else the open of the ex-date. P is the last close known
so far, so a factor that rests on it is restated each evening up to the ex-date, as the exchange restates its own. A version is in force in
`[known_from, known_to)`; an action whose symbol nobody bore by its ex-date is left out and counted in health.coverage.
Source: NSE, adjustment of futures and options contracts for corporate actions; NISM Series VIII.
*/
with told as (
    select
        *,
        lead(known_at, 1, timestamptz '9999-12-31 00:00:00+00') over (partition by symbol, ex_date, kind order by known_at) as stated_to,
    from (
        select *
        from raw.corporate_actions
        qualify row_number() over (
            partition by symbol, ex_date, kind, known_at
            order by
                is_withdrawn desc nulls last,
                source_rank,
                (status, price_factor, share_factor, cash_inr, isin, source, ratio_new, ratio_held, issue_price_inr, face_value_to, ex_price_inr) desc
        ) = 1
    )
),

-- a row that is taken back ends what was said before it, and says nothing
stated as (
    select * from told where is_withdrawn is not true
),

-- whose it may be: whoever bore its ISIN or its symbol (two joins, as one on either would compare all with all)
meant as (
    select
        stated.*,
        securities.security_id,
        securities.kind as security_kind,
        securities.valid_from,
        securities.known_at as bearer_known_at,
        true as by_isin,
    from stated
    join pit.securities as securities on securities.isin = stated.isin
    union all
    select
        stated.*,
        securities.security_id,
        securities.kind as security_kind,
        securities.valid_from,
        securities.known_at as bearer_known_at,
        false as by_isin,
    from stated
    join pit.securities as securities on securities.ticker = stated.symbol
    where coalesce(securities.isin != stated.isin, true)
),

-- the bearer known so far: a better one takes over once its names were seen
owned as (
    select
        *,
        greatest(known_at, bearer_known_at) as owned_from,
        least(stated_to, coalesce(min(bearer_known_at) over better, stated_to)) as owned_to,
    from meant
    where valid_from <= ex_date
    window better as (
        partition by symbol, ex_date, kind, known_at
        order by
            by_isin desc,
            -- the share itself before the lines beside it
            security_kind in ('equity', 'sme', 'etf') desc,
            valid_from desc,
            security_id
        rows between unbounded preceding and 1 preceding
    )
    qualify owned_from < owned_to
),

termed as (
    select
        security_id,
        symbol as ticker,
        ex_date,
        kind,
        status,
        source,
        owned_from,
        owned_to,
        cash_inr,
        share_factor,
        ratio_new,
        ratio_held,
        issue_price_inr,
        ex_price_inr,
        kind in ('split', 'bonus', 'split_or_bonus', 'consolidation') as is_division,
        case
            when price_factor is not null then price_factor
            -- a split or a bonus turns value into more shares: either factor says the other
            when is_division and share_factor is not null then 1 / nullif(share_factor, 0)
            when kind = 'bonus' then ratio_held / nullif(ratio_new + ratio_held, 0)
            when is_division then face_value_to / nullif(face_value_from, 0)
        end as given_factor,
        given_factor is null
            and (kind = 'rights' and ratio_new > 0 and ratio_held > 0 and issue_price_inr >= 0 or kind = 'demerger' and coalesce(cash_inr, 0) = 0)
            as rests_on_price,
    from owned
),

resting as (
    select distinct security_id, ex_date
    from termed
    where rests_on_price and status != 'cancelled'
),

prints as (
    select
        resting.security_id,
        resting.ex_date,
        prices.date,
        prices.open,
        prices.close,
        prices.known_at as known_from,
        timestamptz '9999-12-31 00:00:00+00' as known_to,
    from resting
    -- lint: allow time_join: some months around an ex-date; few actions rest on a price
    join pit.prices as prices
        on prices.security_id = resting.security_id
        and prices.date >= resting.ex_date - 366
        and prices.date <= resting.ex_date + 31
    anti join pit.price_versions as versions on versions.security_id = prices.security_id and versions.date = prices.date
    union all
    select
        resting.security_id,
        resting.ex_date,
        versions.date,
        versions.open,
        versions.close,
        versions.known_from,
        versions.known_to,
    from resting
    -- lint: allow time_join: some months around an ex-date; few actions rest on a price
    join pit.price_versions as versions
        on versions.security_id = resting.security_id
        and versions.date >= resting.ex_date - 366
        and versions.date <= resting.ex_date + 31
),

-- the last close with the entitlement, as it was known
cum as (
    select
        security_id,
        ex_date,
        close,
        known_from as close_from,
        least(known_to, coalesce(min(known_from) over later, known_to)) as close_to,
    from prints
    where date < ex_date
    window later as (
        partition by security_id, ex_date order by date desc, known_from desc rows between unbounded preceding and 1 preceding
    )
    qualify close_from < close_to
),

-- the first open without it
parted as (
    select
        security_id,
        ex_date,
        open,
        known_from as open_from,
        least(known_to, coalesce(min(known_from) over earlier, known_to)) as open_to,
    from prints
    where date >= ex_date and open > 0
    window earlier as (
        partition by security_id, ex_date order by date, known_from desc rows between unbounded preceding and 1 preceding
    )
    qualify open_from < open_to
),

priced as (
    select
        termed.* exclude (owned_from, owned_to),
        greatest(termed.owned_from, cum.close_from) as owned_from,
        least(termed.owned_to, cum.close_to) as owned_to,
        (ratio_held * cum.close + ratio_new * issue_price_inr) / nullif((ratio_new + ratio_held) * cum.close, 0) as price_factor,
    from termed
    join cum using (security_id, ex_date)
    where termed.rests_on_price and termed.kind = 'rights'
    union all
    select
        termed.* exclude (owned_from, owned_to),
        greatest(termed.owned_from, cum.close_from),
        least(termed.owned_to, cum.close_to),
        ex_price_inr / nullif(cum.close, 0),
    from termed
    join cum using (security_id, ex_date)
    where termed.rests_on_price and termed.kind = 'demerger' and termed.ex_price_inr > 0
    union all
    select
        termed.* exclude (owned_from, owned_to),
        greatest(termed.owned_from, cum.close_from, parted.open_from),
        least(termed.owned_to, cum.close_to, parted.open_to),
        parted.open / nullif(cum.close, 0),
    from termed
    join cum using (security_id, ex_date)
    join parted using (security_id, ex_date)
    where termed.rests_on_price and termed.kind = 'demerger' and termed.ex_price_inr is null
    union all
    select
        termed.* exclude (owned_from, owned_to),
        owned_from,
        owned_to,
        coalesce(given_factor, 1.0),
    from termed
    -- what was cancelled has no factor to wait for
    where not rests_on_price or status = 'cancelled'
)

select
    security_id,
    ticker,
    ex_date,
    kind,
    status,
    price_factor,
    coalesce(share_factor, if(is_division, 1 / nullif(price_factor, 0), null), 1.0) as share_factor,
    coalesce(cash_inr, 0.0) as cash_inr,
    source,
    owned_from as known_from,
    owned_to as known_to,
from priced
where owned_from < owned_to

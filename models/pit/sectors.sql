/*---
grain: [security_id, valid_from]
interval: [valid_from, valid_to]
references: {security_id: pit.securities.security_id}
knowable: valid_to
checks:
  - "valid_from < valid_to"
columns:
  security_id: {type: BIGINT, doc: "the security"}
  sector: {type: VARCHAR, doc: "industry: the list's own words, or the name config/sector_mapping.csv gives them"}
  valid_from: {type: DATE, doc: "first date whose decision could use the label"}
  valid_to: {type: DATE, doc: "first day of the next label; 9999-12-31 while there is none"}
  is_undated: {type: BOOLEAN, doc: "true where the list has no date: it may know survivors only"}
  known_at: {type: TIMESTAMPTZ, doc: "when the label was known; of an undated list, when the security first bore the symbol or ISIN it names"}
---
One row is a security's sector over an interval. A dated list counts from its date, or from the evening it became known where that is later; an
undated one from the first day the security bore the symbol or ISIN it names, until a dated one speaks. A list that is corrected, or withdrawn,
changes nothing before that evening: the new label opens an interval of its own. A list older than one already known is no news.
An undated list leaks survival (names that died are missing from it), so it says so in `is_undated`, its unlabelled names stay a group of their own,
and health.coverage counts them by later fate.
*/
with told as (
    select
        symbol,
        isin,
        sector,
        seen_on,
        known_at,
        coalesce(is_withdrawn, false) as is_withdrawn,
        {{ decision_date('known_at') }} as known_on,
    from raw.sectors
    qualify row_number() over (
        partition by symbol, seen_on, known_at order by is_withdrawn desc nulls last, source_rank, (sector, isin) desc
    ) = 1
),

-- the exchange renamed its industries between 2021 and 2023; one sector must not be two for the caps
labelled as (
    select
        told.* exclude (sector),
        coalesce(labels.sector, told.sector) as sector,
    from told
    left join config.sector_labels as labels on upper(labels.label) = upper(told.sector)
),

-- whom a label may mean: whoever bears its ISIN or its symbol (two joins, as one on either would compare all with all)
meant as (
    select
        labelled.*,
        securities.security_id,
        securities.kind,
        securities.valid_from as since,
        securities.known_at as borne_at,
        true as by_isin,
    from labelled
    join pit.securities as securities on securities.isin = labelled.isin
    union all
    select
        labelled.*,
        securities.security_id,
        securities.kind,
        securities.valid_from as since,
        securities.known_at as borne_at,
        false as by_isin,
    from labelled
    join pit.securities as securities on securities.ticker = labelled.symbol
    where coalesce(securities.isin != labelled.isin, true)
),

bearers as (
    select
        symbol,
        sector,
        seen_on,
        known_at,
        known_on,
        is_withdrawn,
        security_id,
        by_isin,
        min(since) as since,
        min(borne_at) as borne_at,
    from meant
    where kind in ('equity', 'sme') and (seen_on is null or since <= seen_on)
    group by all
),

-- a dated list names whoever bore the symbol last by then; an undated one everybody who ever does
owners as (
    select
        security_id,
        sector,
        greatest(coalesce(seen_on, since), known_on) as valid_from,
        seen_on,
        seen_on is null as is_undated,
        -- whom a list means is settled on its own day
        greatest(known_at, borne_at, timezone('Asia/Kolkata', seen_on::timestamp)) as known_at,
        is_withdrawn,
        by_isin,
        symbol,
    from bearers
    qualify seen_on is null or row_number() over (partition by symbol, seen_on, known_at order by by_isin desc, since desc, security_id) = 1
),

-- of what counts from one evening the newest list, and of one list its newest version
evenings as (
    select *, (coalesce(seen_on, date '1900-01-01'), known_at) as age
    from owners
    qualify row_number() over (
        partition by security_id, valid_from order by is_undated, seen_on desc, known_at desc, by_isin desc, symbol
    ) = 1
),

news as (
    select *
    from evenings
    qualify coalesce(age >= max(age) over (
        partition by security_id order by valid_from rows between unbounded preceding and 1 preceding
    ), true)
),

changed as (
    select *
    from news
    qualify (sector, is_undated, is_withdrawn) is distinct from lag((sector, is_undated, is_withdrawn)) over (partition by security_id order by valid_from)
),

intervals as (
    select
        *,
        lead(valid_from, 1, date '9999-12-31') over (partition by security_id order by valid_from) as valid_to,
    from changed
)

select
    security_id,
    sector,
    valid_from,
    valid_to,
    is_undated,
    known_at,
from intervals
where not is_withdrawn

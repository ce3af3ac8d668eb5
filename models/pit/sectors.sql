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
  valid_from: {type: DATE, doc: "first day the label could be used"}
  valid_to: {type: DATE, doc: "first day of the next label; 9999-12-31 while there is none"}
  is_undated: {type: BOOLEAN, doc: "true where the list has no date: it may know survivors only"}
  known_at: {type: TIMESTAMPTZ, doc: "when the label was known; 1900-01-01 where the list has no date"}
---
One row is a security's sector over an interval. A dated list counts from its date; an undated one from the first day the security bore the
symbol or ISIN it names, until a dated one speaks. An undated list leaks survival (names that died are missing from it), so it says so in
`is_undated`, its unlabelled names stay a group of their own, and health.coverage counts them by later fate.
*/
with newest as (
    select *
    from raw.sectors
    {{ newest_of('symbol, seen_on', 'sector, isin') }}
),

-- the exchange renamed its industries between 2021 and 2023; one sector must not be two for the caps
labelled as (
    select
        newest.symbol,
        newest.isin,
        newest.seen_on,
        newest.known_at,
        coalesce(labels.sector, newest.sector) as sector,
    from newest
    left join config.sector_labels as labels on upper(labels.label) = upper(newest.sector)
),

-- whom a label may mean: whoever bears its ISIN or its symbol (two joins, as one on either would compare all with all)
meant as (
    select
        labelled.*,
        securities.security_id,
        securities.kind,
        securities.valid_from,
        true as by_isin,
    from labelled
    join pit.securities as securities on securities.isin = labelled.isin
    union all
    select
        labelled.*,
        securities.security_id,
        securities.kind,
        securities.valid_from,
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
        security_id,
        by_isin,
        min(valid_from) as since,
    from meant
    where kind in ('equity', 'sme') and (seen_on is null or valid_from <= seen_on)
    group by all
),

-- a dated list names whoever bore the symbol last by then; an undated one everybody who ever does
owners as (
    select
        security_id,
        sector,
        greatest(coalesce(seen_on, since), {{ ist_date('known_at') }}) as valid_from,
        seen_on is null as is_undated,
        known_at,
        by_isin,
        symbol,
    from bearers
    qualify seen_on is null or row_number() over (partition by symbol, seen_on order by by_isin desc, since desc, security_id) = 1
),

labels as (
    select
        *,
        coalesce(bool_or(not is_undated) over (
            partition by security_id order by valid_from, is_undated rows between unbounded preceding and 1 preceding
        ), false) as dated_before,
    from owners
    qualify row_number() over (partition by security_id, valid_from order by is_undated, by_isin desc, known_at, symbol) = 1
),

changed as (
    select *
    from labels
    where not (is_undated and dated_before)
    qualify (sector, is_undated) is distinct from lag((sector, is_undated)) over (partition by security_id order by valid_from)
)

select
    security_id,
    sector,
    valid_from,
    lead(valid_from, 1, date '9999-12-31') over (partition by security_id order by valid_from) as valid_to,
    is_undated,
    known_at,
from changed

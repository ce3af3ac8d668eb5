/*---
grain: [security_id, valid_from]
interval: [valid_from, valid_to]
knowable: valid_to
checks:
  - "valid_from < valid_to"
  - name: intervals_do_not_overlap
    query: "select a.security_id from pit.securities as a join pit.securities as b on a.security_id = b.security_id and a.valid_from < b.valid_from and b.valid_from < a.valid_to"
  - name: known_by_the_first_evening
    query: "select security_id from pit.securities where {{ decision_date('known_at') }} > valid_from"
columns:
  security_id: {type: BIGINT, doc: "the security"}
  kind: {type: VARCHAR, doc: "equity, sme, etf, entitlement, partly_paid, reit, invit, debt, other"}
  ticker: {type: VARCHAR, doc: "what it was called"}
  isin: {type: VARCHAR, doc: "its ISIN; null while none was printed"}
  series: {type: VARCHAR, doc: "its main series"}
  name: {type: VARCHAR, doc: "company name where a format printed it"}
  currency: {type: VARCHAR, doc: "currency of its prices"}
  valid_from: {type: DATE, doc: "first session with these names; where its print came late, the first date whose decision could know of it"}
  valid_to: {type: DATE, doc: "first session with others; 9999-12-31 while nothing else was seen (a death is not an end of a name)"}
  known_at: {type: TIMESTAMPTZ, doc: "when the first row with these names was known"}
---
One row is what a security was called over an interval of sessions: ticker, ISIN, series, kind. `valid_from <= day and day < valid_to` answers
"what was this called on that day" for every day up to now, as that evening knew it. An open interval may still be closed by a later change, so a
row is final only at `valid_to`; asking for a day never depends on what came after it, nor on a file of it that came late: a print that is older
than one already known changes no name, and one that is news counts from the evening it was known.
*/
with seen as (
    select *, {{ seen_on('known_at', 'date') }} as seen_on from pit.sightings
),

news as (
    select *
    from seen
    -- older than what was known by then: no news
    qualify coalesce(date > max(date) over (
        partition by security_id order by seen_on, date, known_at rows between unbounded preceding and 1 preceding
    ), true)
),

named as (
    -- a source without ISINs or names does not change them
    select
        security_id,
        seen_on,
        date,
        kind,
        ticker,
        coalesce(isin, lag(isin ignore nulls) over dates) as isin,
        series,
        coalesce(name, lag(name ignore nulls) over dates) as name,
        known_at,
    from news
    window dates as (partition by security_id order by date)
),

-- of what became known in one evening the newest counts
evenings as (
    select *
    from named
    qualify row_number() over (partition by security_id, seen_on order by date desc) = 1
),

changed as (
    select *
    from evenings
    qualify (kind, ticker, isin, series, name) is distinct from lag((kind, ticker, isin, series, name)) over (
        partition by security_id order by seen_on
    )
)

select
    security_id,
    kind,
    ticker,
    isin,
    series,
    name,
    'INR' as currency,
    seen_on as valid_from,
    lead(seen_on, 1, date '9999-12-31') over (partition by security_id order by seen_on) as valid_to,
    known_at,
from changed

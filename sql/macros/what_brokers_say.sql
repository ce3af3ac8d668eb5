{# Versions of what brokers report: each stands in [known_from, known_to), one that says the same again begins none, one withdrawn is gone.
   table: of raw; key: what names a fact; values: what is said of it. #}
{% macro account_versions(table, key, values) -%}
select
    {{ key | sql }},
    {{ values | sql }},
    known_from,
    known_to,
from (
    select *, lead(known_from, 1, timestamptz '9999-12-31 00:00:00+00') over (partition by {{ key | sql }} order by known_from) as known_to
    from (
        select *
        from (
            select {{ key | sql }}, {{ values | sql }}, known_at as known_from, coalesce(is_withdrawn, false) as is_gone
            from {{ table | sql }}
            qualify row_number() over (
                partition by {{ key | sql }}, known_at order by is_withdrawn desc nulls last, source_rank, ({{ values | sql }}) desc
            ) = 1
        )
        qualify ({{ values | sql }}, is_gone) is distinct from lag(({{ values | sql }}, is_gone)) over (partition by {{ key | sql }} order by known_from)
    )
)
where not is_gone
{%- endmacro %}

{# Joins the security a broker means by a symbol or an ISIN on a day: who bore it then, as it was known when the broker said so; else who bore it
   first after, known from then on. Two CTEs, the last is `meant` with security_id and the later `known_from`.
   rows: a CTE with symbol, isin, date, known_from, known_to; key: what names a row of it; series: its series, or null. #}
{% macro securities_meant(rows, key, series) -%}
candidates as (
    select {{ rows | sql }}.*, securities.security_id, securities.kind, securities.series as borne_series, securities.valid_from, securities.valid_to,
        securities.known_at as borne_at, coalesce(securities.isin = {{ rows | sql }}.isin, false) as by_isin
    from {{ rows | sql }}
    join pit.securities as securities on securities.ticker = {{ rows | sql }}.symbol
    union all
    select {{ rows | sql }}.*, securities.security_id, securities.kind, securities.series, securities.valid_from, securities.valid_to,
        securities.known_at, true
    from {{ rows | sql }}
    join pit.securities as securities on securities.isin = {{ rows | sql }}.isin
    where securities.ticker != {{ rows | sql }}.symbol
),

meant as (
    select * exclude (known_from), greatest(known_from, borne_at) as known_from
    from candidates
    where greatest(known_from, borne_at) < known_to
    qualify row_number() over (
        partition by {{ key | sql }}, candidates.known_from
        order by
            valid_from <= {{ decision_date('candidates.known_from') }} desc,
            valid_from <= date and date < valid_to desc,
            by_isin desc,
            coalesce({{ line_of('borne_series') }} = {{ line_of(series) }}, false) desc,
            kind in ('equity', 'sme', 'etf') desc,
            abs(date - valid_from),
            security_id
    ) = 1
)
{%- endmacro %}

{# Sessions with the date of the one before: what happens on a day without one counts in the next. #}
{% macro sessions_since() -%}
select
    date,
    session_no,
    lag(date, 1, date '1900-01-01') over (order by session_no) as previous_date,
from pit.sessions
{%- endmacro %}

{# Every version of a corporate action, while decisions believed in it: from its ex-date, or from when it was heard of, where that is later. #}
{% macro actions_believed() -%}
select
    security_id,
    ex_date,
    kind,
    coalesce(price_factor, 1.0) as price_factor,
    coalesce(share_factor, 1.0) as share_factor,
    coalesce(cash_inr, 0.0) as cash_inr,
    greatest(ex_date, seen_on) as from_on,
    to_on,
from (
    select security_id, ex_date, kind, price_factor, share_factor, cash_inr, {{ decision_date('known_at') }} as seen_on, date '9999-12-31' as to_on
    from pit.corporate_actions
    union all
    select security_id, ex_date, kind, price_factor, share_factor, cash_inr, {{ decision_date('known_from') }}, {{ decision_date('known_to') }}
    from pit.replaced_actions
)
where to_on > greatest(ex_date, seen_on)
{%- endmacro %}

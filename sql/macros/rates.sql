{# Versions of dated rates, as the last of a chain of CTEs: `rate_versions` has the columns of the table, `last_day` (of the rate, included;
   9999-12-31 while nobody knew of an end) and `known_from`, `known_to`. A rate is known from its `known_on`, else from its first day. Its end is
   known with the rate that follows it, else on the day after it. table: of rates; of: what has one rate a day; first, last: its days.
   A later rate of the same first day takes the place of the earlier one. #}
{% macro rate_versions(table, of, first, last) -%}
rates as (
    select
        *,
        timezone('Asia/Kolkata', cast(coalesce(known_on, {{ first | sql }}) as timestamp)) as announced_at,
    from {{ table | sql }}
),

moments as (
    select
        {{ of | sql }},
        announced_at as moment,
    from rates
    union
    select
        {{ of | sql }},
        timezone('Asia/Kolkata', cast({{ last | sql }} + 1 as timestamp)) as moment,
    from rates
    where {{ last | sql }} is not null
),

standing as (
    select
        rates.*,
        moments.moment,
    from moments
    join rates using ({{ of | sql }})
    where rates.announced_at <= moments.moment
    qualify row_number() over (
        partition by {{ of | sql }}, moment, {{ first | sql }}
        order by rates.announced_at desc
    ) = 1
),

followed as (
    select
        *,
        lead({{ first | sql }}) over (partition by {{ of | sql }}, moment order by {{ first | sql }}) as next_day,
    from standing
),

ended as (
    select
        *,
        case
            when next_day is not null then coalesce({{ last | sql }}, next_day - 1)
            when {{ last | sql }} < cast(timezone('Asia/Kolkata', moment) as date) then {{ last | sql }}
            else date '9999-12-31'
        end as last_day,
    from followed
),

begun as (
    select *
    from ended
    qualify row_number() over (
        partition by {{ of | sql }}, {{ first | sql }}, announced_at, last_day
        order by moment
    ) = 1
),

rate_versions as (
    select
        *,
        moment as known_from,
        lead(moment, 1, timestamptz '9999-12-31 00:00:00+00') over (
            partition by {{ of | sql }}, {{ first | sql }}
            order by moment
        ) as known_to,
    from begun
)
{%- endmacro %}

{# One row of several prints of the same key: each column comes from the newest known row that has it, then from the more exact source.
   rows: prints of raw.prices with the key's columns. key: what names one print. A print that was withdrawn last is gone. #}
{% macro chosen_prints(rows, key) -%}
select
    {{ key | sql }},
    arg_min(isin, choice) as isin,
    arg_min(name, choice) as name,
    arg_min(open, choice) as open,
    arg_min(high, choice) as high,
    arg_min(low, choice) as low,
    arg_min(close, choice) as close,
    arg_min(prev_close, choice) as prev_close,
    arg_min(volume, choice) as volume,
    arg_min(turnover_inr, turnover_choice) as turnover_inr,
    arg_min(deliverable_qty, choice) as deliverable_qty,
    arg_min(known_at, choice) as known_at,
    arg_min(coalesce(is_withdrawn, false), choice) as is_gone,
from (
    select
        *,
        row_number() over (
            partition by {{ key | sql }}
            -- two copies of one source that disagree: the fuller day, never the one loaded first
            order by
                known_at desc,
                is_withdrawn desc nulls last,
                source_rank,
                volume desc nulls last,
                turnover_inr desc nulls last,
                (close, open, high, low, prev_close, isin, name, deliverable_qty),
        ) as choice,
        row_number() over (
            partition by {{ key | sql }}
            order by
                known_at desc,
                not coalesce(turnover_exact, true),
                source_rank,
                volume desc nulls last,
                turnover_inr desc nulls last,
        ) as turnover_choice,
    from {{ rows | sql }}
)
group by {{ key | sql }}
having not is_gone
{%- endmacro %}

{# Prints as those of securities, with the number of the session. rows: a CTE of chosen prints; more: further columns of it. #}
{% macro prints_of_securities(rows, more='') -%}
select
    {{ more | sql }}
    {{ rows | sql }}.date,
    sessions.session_no,
    identities.security_id,
    if(identities.kind = 'equity' and {{ rows | sql }}.series in ('SM', 'ST', 'SZ'), 'sme', identities.kind) as kind,
    {{ rows | sql }}.symbol as ticker,
    {{ rows | sql }}.isin,
    {{ rows | sql }}.name,
    {{ rows | sql }}.series,
    {{ rows | sql }}.open,
    {{ rows | sql }}.high,
    {{ rows | sql }}.low,
    {{ rows | sql }}.close,
    {{ rows | sql }}.prev_close,
    {{ rows | sql }}.volume,
    coalesce({{ rows | sql }}.turnover_inr, {{ rows | sql }}.close * {{ rows | sql }}.volume) as turnover_inr,
    {{ rows | sql }}.deliverable_qty,
    {{ rows | sql }}.known_at,
from {{ rows | sql }}
join pit.sessions as sessions using (date)
join pit.identities as identities
    on identities.symbol = {{ rows | sql }}.symbol
    and identities.line = {{ line_of(rows ~ '.series') }}
    and identities.isin = coalesce({{ rows | sql }}.isin, '')
    and {{ rows | sql }}.date >= identities.from_date
    and {{ rows | sql }}.date < identities.to_date
{%- endmacro %}

{# Order in which the prints of one security on one day stand for it: the rolling line first. #}
{% macro main_line_first() -%}
list_position(['EQ', 'BE', 'BZ', 'SM', 'ST', 'SZ', 'T0', 'IL', 'BT', 'BL'], series) nulls last,
turnover_inr desc nulls last,
series,
ticker
{%- endmacro %}

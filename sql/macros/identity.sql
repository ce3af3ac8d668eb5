{# The line a series belongs to. Rolling, trade-for-trade and SME series are one share in different moods; every other series
   (partly paid E1, trust units, each bond) is an instrument of its own beside the share. #}
{% macro line_of(series) -%}
case when {{ series | sql }} in ('EQ', 'BE', 'BZ', 'BL', 'BT', 'T0', 'IL', 'SM', 'ST', 'SZ') then 'share' else {{ series | sql }} end
{%- endmacro %}

{# What survives a change of ISIN: issuer and type of an Indian share (a face-value split gives a new serial number);
   everything else (fund units, entitlements, bonds) is known by its whole ISIN. #}
{% macro issuer_of(isin) -%}
case when regexp_matches({{ isin | sql }}, '^IN[E9].{4}01') then left({{ isin | sql }}, 9) else {{ isin | sql }} end
{%- endmacro %}

{# Listed changes of a symbol, with the first date whose decision knew of each, and the first that knew it was taken back. #}
{% macro listed_changes() -%}
select
    old_symbol,
    new_symbol,
    effective_date,
    {{ decision_date('min(known_at)') }} as seen_on,
    coalesce({{ decision_date('min(known_at) filter (where is_withdrawn)') }}, date '9999-12-31') as gone_on,
from raw.symbol_changes
where old_symbol != new_symbol
group by old_symbol, new_symbol, effective_date
{%- endmacro %}

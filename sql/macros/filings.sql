{# Powers of ten between two amounts whatever their signs: 2 where x is a hundred times y; null where either is zero or not known. #}
{% macro decades(x, y) -%}
log10(nullif(abs({{ x | sql }}), 0) / nullif(abs({{ y | sql }}), 0))
{%- endmacro %}

{# Rupees a share may be worth on its face: what companies of this market have, so that anything else is a slip. #}
{% macro face_values() -%}
(1, 2, 3, 4, 5, 6, 10, 20, 25, 50, 100)
{%- endmacro %}

{# Of each active member what its results said that evening: joins `filings`, a row of features.fundamentals, to `members`. #}
{% macro filings_then() -%}
join features.fundamentals as filings
    on filings.security_id = members.security_id
    and filings.known_from <= timezone('Asia/Kolkata', members.date + cast({{ decision_time_ist }} as time))
    and timezone('Asia/Kolkata', members.date + cast({{ decision_time_ist }} as time)) < filings.known_to
    and filings.period_end >= members.date - {{ filing_max_age_days }}
{%- endmacro %}

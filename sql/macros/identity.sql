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

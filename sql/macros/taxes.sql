{# Condition under which a row of pit.tax_rates is the rate of an item on a day, as known on another. rates: the table's alias; item: SQL text;
   valid_on, known_on: days, as SQL. #}
{% macro is_rate_of(rates, item, valid_on, known_on) -%}
{{ rates | sql }}.item = {{ item | sql }}
and {{ rates | sql }}.valid_from <= {{ valid_on | sql }}
and {{ valid_on | sql }} < {{ rates | sql }}.valid_to
and cast(timezone('Asia/Kolkata', {{ rates | sql }}.known_from) as date) <= {{ known_on | sql }}
and {{ known_on | sql }} < cast(timezone('Asia/Kolkata', {{ rates | sql }}.known_to) as date)
{%- endmacro %}

{# First day on which a sale is long-term. acquired: day of acquisition; convention: holding_period of config.taxpayers. #}
{% macro long_from(acquired, convention) -%}
if({{ convention | sql }} = 'days365', {{ acquired | sql }} + 365, cast({{ acquired | sql }} + interval 12 months as date) + 1)
{%- endmacro %}

{# Year in which the financial year of a day began: April to March. #}
{% macro financial_year(day) -%}
cast(extract(year from {{ day | sql }} - interval 3 months) as integer)
{%- endmacro %}

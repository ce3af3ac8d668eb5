{# Sums of doubles that do not wobble with the order in which threads meet the rows: added as decimals, exactly.
   x: a SQL expression; digits: decimals kept (12 for ratios, 2 for rupees). #}
{% macro stable_sum(x, digits=12) -%}
sum(cast({{ x | sql }} as decimal(38, {{ digits }})))::double
{%- endmacro %}

{% macro stable_avg(x, digits=12) -%}
(sum(cast({{ x | sql }} as decimal(38, {{ digits }})))::double / nullif(count({{ x | sql }}), 0))
{%- endmacro %}

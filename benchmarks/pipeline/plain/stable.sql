{# The macros of sql/macros/stable.sql as anyone would write them: sums whose last bits depend on the threads. #}
{% macro stable_sum(x, digits=12) -%}
sum({{ x | sql }})
{%- endmacro %}

{% macro stable_avg(x, digits=12) -%}
avg({{ x | sql }})
{%- endmacro %}

{# The macros of the project's cross_section.sql without the care for the last bits. #}
{% macro stable_stddev(x, key) -%}
stddev_samp({{ x | sql }})
{%- endmacro %}

{% macro rank_corr(u, v) -%}
corr({{ u | sql }}, {{ v | sql }})
{%- endmacro %}

{% macro whole_rank_corr(u, v) -%}
corr({{ u | sql }}, {{ v | sql }})
{%- endmacro %}

{% macro average_rank(x, partition) -%}
(rank() over (partition by {{ partition | sql }} order by {{ x | sql }} nulls last)
 + (count(*) over (partition by {{ partition | sql }} order by {{ x | sql }} nulls last range between current row and current row) - 1) / 2.0)
{%- endmacro %}

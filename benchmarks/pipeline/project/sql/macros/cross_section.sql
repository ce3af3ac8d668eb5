{# Statistics of a cross-section whose last bits do not depend on the order in which threads meet the rows. #}
{% macro stable_stddev(x, key) -%}
stddev_samp({{ x | sql }} order by {{ key | sql }})
{%- endmacro %}

{# Correlation of two average ranks. Twice a rank is a whole number and its sums stay below 2^53, so they are exact. #}
{% macro rank_corr(u, v) -%}
((count(*) * sum(4 * {{ u | sql }} * {{ v | sql }}) - sum(2 * {{ u | sql }}) * sum(2 * {{ v | sql }}))
 / nullif(sqrt(count(*) * sum(4 * {{ u | sql }} * {{ u | sql }}) - sum(2 * {{ u | sql }}) * sum(2 * {{ u | sql }}))
        * sqrt(count(*) * sum(4 * {{ v | sql }} * {{ v | sql }}) - sum(2 * {{ v | sql }}) * sum(2 * {{ v | sql }})), 0))
{%- endmacro %}

{# Rank with ties averaged; the width of a tie is found in the same sort. #}
{% macro average_rank(x, partition) -%}
(rank() over (partition by {{ partition | sql }} order by {{ x | sql }} nulls last)
 + (count(*) over (partition by {{ partition | sql }} order by {{ x | sql }} nulls last range between current row and current row) - 1) / 2.0)
{%- endmacro %}

{# The same for plain ranks (whole numbers) of pairs that both exist. #}
{% macro whole_rank_corr(u, v) -%}
((count({{ v | sql }}) * sum({{ u | sql }} * {{ v | sql }}::double) - sum({{ u | sql }}::double) filter ({{ v | sql }} is not null) * sum({{ v | sql }}::double))
 / nullif(sqrt(count({{ v | sql }}) * sum({{ u | sql }} * {{ u | sql }}::double) filter ({{ v | sql }} is not null) - power(sum({{ u | sql }}::double) filter ({{ v | sql }} is not null), 2))
        * sqrt(count({{ v | sql }}) * sum({{ v | sql }} * {{ v | sql }}::double) - power(sum({{ v | sql }}::double), 2)), 0))
{%- endmacro %}

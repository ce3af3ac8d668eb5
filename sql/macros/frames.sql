{# Means over a frame of rows that are the same to the last bit wherever their partition begins, so that a table computed for a few
   sessions equals the whole one. Plain means, deviations and regressions of doubles over frames are not: how they round depends on
   the rows before the frame. x: a SQL expression; frame: a named window. #}

{# Of any size: added as decimals of 20 digits after the point and 18 before it. #}
{% macro frame_avg(x, frame) -%}
avg(cast({{ x | sql }} as decimal(38, 20))) over {{ frame | sql }}
{%- endmacro %}

{# Of ratios, in half the time: added as whole trillionths, exact while a frame's sum stays below 9000. #}
{% macro frame_avg_of_ratios(x, frame) -%}
(avg(round(({{ x | sql }}) * 1e12)) over {{ frame | sql }} / 1e12)
{%- endmacro %}

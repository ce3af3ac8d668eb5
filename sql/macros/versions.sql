{# Keep the version of each key that was known last; between sources of equal knowledge the more exact one; between two
   copies of one source that disagree the greater values, so that the order of loading decides nothing. Ends a select. #}
{% macro newest_of(key, values) -%}
qualify row_number() over (
    partition by {{ key | sql }}
    order by known_at desc, source_rank, ({{ values | sql }}) desc
) = 1
{%- endmacro %}

{# Date (Asia/Kolkata) of a moment: an IST midnight cast to DATE in UTC would be the day before. #}
{% macro ist_date(moment) -%}
cast(timezone('Asia/Kolkata', {{ moment | sql }}) as date)
{%- endmacro %}

{# First date whose decision can use what was known at a moment: decisions of a date are made at `decision_time_ist`. #}
{% macro decision_date(moment) -%}
(
    {{ ist_date(moment) }}
    + cast(cast(timezone('Asia/Kolkata', {{ moment | sql }}) as time) > cast({{ decision_time_ist }} as time) as integer)
)
{%- endmacro %}

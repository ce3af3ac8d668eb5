{# Keep the version of each key that was known last; between sources of equal knowledge the more exact one; between two
   copies of one source that disagree the greater values, so that the order of loading decides nothing. What was withdrawn last is gone.
   Ends a select. #}
{% macro newest_of(key, values) -%}
qualify row_number() over (
    partition by {{ key | sql }}
    order by known_at desc, is_withdrawn desc nulls last, source_rank, ({{ values | sql }}) desc
) = 1 and is_withdrawn is not true
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

{# The decision of a date, in microseconds since 1970: one number, and quicker to compare than a time in a zone. #}
{% macro decision_us(date) -%}
{% set clock = decision_time_ist.split(':') -%}
(epoch_us({{ date | sql }}) + {{ ((clock[0] | int) * 60 + (clock[1] | int) - 330) * 60000000 }})
{%- endmacro %}

{# First date whose decision can use what is said of a date and became known at a moment: the date itself, unless it came late. #}
{% macro seen_on(moment, date) -%}
if(epoch_us({{ moment | sql }}) <= {{ decision_us(date) }}, {{ date | sql }}, {{ decision_date(moment) }})
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

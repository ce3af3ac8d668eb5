{# Growth of a share by the corporate actions of a track: one row for each first print on or after an ex-date.
   prints: CTE of prints with their track; actions: CTE of actions with their track. A track is a security, or one vintage of it. #}
{% macro growth_of_shares(prints, actions) -%}
landed as (
    select
        {{ actions | sql }}.track,
        {{ actions | sql }}.security_id,
        {{ actions | sql }}.ex_date,
        {{ actions | sql }}.kind,
        {{ actions | sql }}.price_factor,
        {{ actions | sql }}.cash_inr,
        greatest({{ actions | sql }}.known_at, arg_min({{ prints | sql }}.known_at, {{ prints | sql }}.date)) as known_at,
        min({{ prints | sql }}.date) as date,
        arg_min({{ prints | sql }}.close, {{ prints | sql }}.date) as close,
    from {{ actions | sql }}
    join pit.first_prints as firsts
        on firsts.security_id = {{ actions | sql }}.security_id and firsts.first_date < {{ actions | sql }}.ex_date
    -- lint: allow time_join: a name may come back years after the ex-date; few names have actions
    join {{ prints | sql }}
        on {{ prints | sql }}.track = {{ actions | sql }}.track and {{ prints | sql }}.date >= {{ actions | sql }}.ex_date
    group by
        {{ actions | sql }}.track,
        {{ actions | sql }}.security_id,
        {{ actions | sql }}.ex_date,
        {{ actions | sql }}.kind,
        {{ actions | sql }}.price_factor,
        {{ actions | sql }}.cash_inr,
        {{ actions | sql }}.known_at
),

growth as (
    select
        track,
        any_value(security_id) as security_id,
        date as from_date,
        -- lint: allow division: pit.corporate_actions promises price_factor > 0, pit.prices close > 0
        product(1 / price_factor order by ex_date, kind) + sum(cash_inr order by ex_date, kind) / any_value(close) as shares,
        max(known_at) as known_at,
    from landed
    group by track, date
),

shares as (
    select
        track,
        security_id,
        from_date,
        lead(from_date, 1, date '9999-12-31') over actions as to_date,
        shares,
        product(shares) over (actions rows unbounded preceding) as shares_since_first,
        max(known_at) over (actions rows unbounded preceding) as known_at,
    from growth
    window actions as (partition by track order by from_date)
)
{%- endmacro %}

{# Steps from print to print of a track, and their returns: CTEs `steps` and `dividends`, and the columns of a return.
   prints: CTE of prints with their track. #}
{% macro steps_of(prints) -%}
steps as (
    select
        track,
        date,
        session_no,
        security_id,
        kind,
        ticker,
        close,
        turnover_inr,
        coalesce(volume = 0, false) as is_stale,
        known_at,
        seen_on,
        lag(close) over sessions as last_close,
        session_no - lag(session_no) over sessions as sessions_since_last,
    from {{ prints | sql }}
    window sessions as (partition by track order by session_no)
),

dividends as (
    -- from when on some were on file: one that is found later does not reach back, nor does one taken back
    select coalesce(min(greatest(ex_date, {{ decision_date('known_from') }})), date '9999-12-31') as first_date
    from (
        select ex_date, kind, known_at as known_from from pit.corporate_actions
        union all
        select ex_date, kind, known_from from pit.replaced_actions
    )
    where kind = 'dividend'
)
{%- endmacro %}

{% macro return_columns() -%}
steps.date,
    steps.session_no,
    steps.security_id,
    steps.kind,
    steps.ticker,
    steps.close,
    steps.turnover_inr,
    if(
        steps.sessions_since_last = 1,
        steps.close * if(steps.date = shares.from_date, shares.shares, 1) / nullif(steps.last_close, 0) - 1,
        null
    ) as ret,
    if(steps.date >= dividends.first_date, 'total', 'price') as ret_kind,
    -- lint: allow division: pit.first_prints promises first_close > 0
    steps.close / firsts.first_close * coalesce(shares.shares_since_first, 1) as total_return_index,
    -- what the look-back does not reach is not known to any session alike
    if(steps.sessions_since_last <= 63, steps.sessions_since_last, null)::integer as sessions_since_last,
    steps.is_stale,
{%- endmacro %}

{# Prints as each vintage knew them: the rows of pit.prices it could see, and what stood in the place of those it could not. #}
{% macro prints_of_vintages() -%}
select vintages.track, prices.*
from pit.prices as prices
join pit.vintages as vintages
    -- lint: allow time_join: a vintage knows every print before its end; few securities have one
    on vintages.security_id = prices.security_id and prices.date < vintages.to_date and prices.seen_on < vintages.to_date
union all by name
select vintages.track, versions.* exclude (known_from, known_to, seen_to)
from pit.price_versions as versions
join pit.vintages as vintages
    on vintages.security_id = versions.security_id
    -- lint: allow time_join: as above
    and versions.date < vintages.to_date
    and versions.seen_on < vintages.to_date
    and versions.seen_to >= vintages.to_date
    and versions.seen_to < date '9999-12-31'
{%- endmacro %}

{# Corporate actions as each vintage knew them. #}
{% macro actions_of_vintages() -%}
select vintages.track, actions.security_id, actions.ex_date, actions.kind, actions.price_factor, actions.cash_inr, actions.known_at
from (select *, {{ decision_date('known_at') }} as seen_on from pit.corporate_actions) as actions
join pit.vintages as vintages
    -- lint: allow time_join: a vintage knows every action before its end; few securities have one
    on vintages.security_id = actions.security_id and actions.seen_on < vintages.to_date
union all
select vintages.track, actions.security_id, actions.ex_date, actions.kind, actions.price_factor, actions.cash_inr, actions.known_from
from (
    select *, {{ decision_date('known_from') }} as seen_on, {{ decision_date('known_to') }} as seen_to
    from pit.replaced_actions
) as actions
join pit.vintages as vintages
    on vintages.security_id = actions.security_id and actions.seen_on < vintages.to_date and actions.seen_to >= vintages.to_date
{%- endmacro %}

{# Rows of pit.returns and of its vintages, each with its track. columns: columns of both. #}
{% macro returns_by_track(columns) -%}
select {{ columns | sql }}, security_id as track from pit.returns
union all
select {{ columns | sql }}, track from pit.vintage_returns
{%- endmacro %}

{# Joins what a decision of a date reads: rows whose track is `read_track` of it. rows: an alias with security_id; date: an expression. #}
{% macro join_vintages(rows, date) -%}
left join pit.vintages as vintages
    on vintages.security_id = {{ rows | sql }}.security_id and vintages.from_date <= {{ date | sql }} and {{ date | sql }} < vintages.to_date
{%- endmacro %}

{# The prints each date's own decision could see: without what came later, with what it replaced. columns: columns of pit.prices. #}
{% macro prices_then(columns) -%}
select {{ columns | sql }} from pit.prices where seen_on = date
union all
select {{ columns | sql }} from pit.price_versions where seen_on = date and seen_to > date and seen_to < date '9999-12-31'
{%- endmacro %}

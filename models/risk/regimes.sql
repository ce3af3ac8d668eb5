/*---
date: date
grain: [date]
references: {date: pit.sessions.date}
order: [date]
checks:
  - "trend in ('up', 'down', 'unknown')"
  - "volatility in ('calm', 'stormy', 'unknown')"
  - "level > 0"
  - name: overlays_can_be_applied
    query: >-
      select overlay, case
      when max_exposure > 1 and financing_rate is null then 'max_exposure is above 1 and there is no financing_rate'
      when throttle = 'steps' and throttle_steps is null then 'throttle is steps and there are no throttle_steps'
      end as wrong from config.risk where wrong is not null
  - name: overlays_exist
    query: >-
      select portfolio, overlay from config.portfolios where overlay != 'none' and overlay not in (select rules.overlay from config.risk as rules)
columns:
  date: {type: DATE, doc: "session"}
  session_no: {type: INTEGER, doc: "number of the session"}
  level: {type: DOUBLE, unit: ratio, doc: "what one rupee in all shares (features.market) has become"}
  mean_level: {type: DOUBLE, unit: ratio, doc: "mean of the level over the last sessions (knob trend_sessions); null before there are so many"}
  trend: {type: VARCHAR, doc: "up from a close above the mean by more than the band (knob trend_band_pct), down from one as far below it, and so until the other; unknown before the first"}
  vol: {type: DOUBLE, unit: ratio a year, doc: "standard deviation of the market's return over the last sessions that are not short (knob storm_sessions)"}
  vol_limit: {type: DOUBLE, unit: ratio a year, doc: "quantile (knob storm_pct) of that over the last of them (knob storm_history_sessions); null before there are so many"}
  volatility: {type: VARCHAR, doc: "stormy while vol is above the limit, else calm; unknown without a limit"}
---
One row is the state of the whole market at the close of a session, by two plain rules: is it above its long mean, and is it unusually volatile.
Overlays make multipliers of it (trend_gate and volatility_gate of config.risk). Means and quantiles end at the session itself.
Source: Faber (2007) for the trend; the band, and the rule for volatility, are assumptions.
*/
with grown as (
    select
        market.date,
        market.session_no,
        market.ret,
        sessions.is_short,
        -- added as decimals, so that a level is the same to the last bit in every build
        exp(sum(cast(ln(1 + market.ret) as decimal(38, 20))) over (
            order by market.session_no rows between unbounded preceding and current row
        )::double) as level,
    from features.market as market
    join pit.sessions as sessions on sessions.session_no = market.session_no
),

means as (
    select
        date,
        session_no,
        level,
        if(count(*) over trend = {{ trend_sessions }}, {{ frame_avg('level', 'trend') }}, null) as mean_level,
    from grown
    window trend as (order by session_no rows between {{ trend_sessions - 1 }} preceding and current row)
),

crossed as (
    select
        *,
        last_value(
            case
                when level > mean_level * (1 + {{ trend_band_pct }} / 100) then 'up'
                when level < mean_level * (1 - {{ trend_band_pct }} / 100) then 'down'
            end
            ignore nulls
        ) over (order by session_no rows between unbounded preceding and current row) as trend,
    from means
),

measured as (
    select
        session_no,
        if(
            count(*) over storm = {{ storm_sessions }},
            sqrt(greatest({{ frame_avg('ret * ret', 'storm') }} - {{ frame_avg('ret', 'storm') }} * {{ frame_avg('ret', 'storm') }}, 0.0) * {{ sessions_per_year }}),
            null
        ) as vol,
    from grown
    where not is_short
    window storm as (order by session_no rows between {{ storm_sessions - 1 }} preceding and current row)
),

limited as (
    select
        session_no,
        vol,
        if(count(vol) over past = {{ storm_history_sessions }}, quantile_cont(vol, {{ storm_pct }} / 100) over past, null) as vol_limit,
    from measured
    window past as (order by session_no rows between {{ storm_history_sessions - 1 }} preceding and current row)
),

-- a short session goes on from the one before it
carried as (
    select
        crossed.date,
        crossed.session_no,
        crossed.level,
        crossed.mean_level,
        crossed.trend,
        last_value(limited.vol ignore nulls) over path as vol,
        last_value(limited.vol_limit ignore nulls) over path as vol_limit,
    from crossed
    left join limited on limited.session_no = crossed.session_no
    window path as (order by crossed.session_no rows between unbounded preceding and current row)
)

select
    date,
    session_no,
    level,
    mean_level,
    coalesce(trend, 'unknown') as trend,
    vol,
    vol_limit,
    case when vol_limit is null then 'unknown' when vol > vol_limit then 'stormy' else 'calm' end as volatility,
from carried

/*---
kind: incremental
look_back: 280
grain: [date, security_id]
order: [date, security_id]
checks:
  - "adv_inr is null or adv_inr >= 0"
  - "vol_252 is null or vol_252 >= 0"
  - "downside_vol_252 is null or downside_vol_252 >= 0"
  - "amihud_60 is null or amihud_60 >= 0"
  - "momentum_12_1 is null or momentum_12_1 > -1"
  - name: look_back_is_as_long_as_the_windows
    query: >-
      select late.date
      from pit.sessions as late
      join pit.sessions as early on early.normal_no = late.normal_no - {{ [252, adv_window_sessions, min_history_sessions] | max + window_hole_sessions }}
      where late.session_no - early.session_no > 280
columns:
  date: {type: DATE, doc: "a session that is not short"}
  session_no: {type: INTEGER, doc: "number of the session"}
  normal_no: {type: INTEGER, doc: "number of the session among those that are not short"}
  security_id: {type: BIGINT, doc: "the security"}
  close: {type: DOUBLE, unit: inr, doc: "official close"}
  turnover_inr: {type: DOUBLE, unit: inr, doc: "value traded"}
  has_history: {type: BOOLEAN, doc: "its last prints (knob min_history_sessions) lie as close together as every window's must"}
  sessions_since_last: {type: INTEGER, unit: sessions, doc: "sessions that are not short since the previous row, 1 without a hole; null on the first and after a silence of more than 252"}
  adv_inr: {type: DOUBLE, unit: inr, doc: "median value traded over the last prints (knob adv_window_sessions)"}
  vol_252: {type: DOUBLE, unit: ratio per session, doc: "standard deviation of returns, 252 prints"}
  downside_vol_252: {type: DOUBLE, unit: ratio per session, doc: "root mean square of the negative returns over all 252"}
  beta_252: {type: DOUBLE, unit: ratio, doc: "slope of the return on the market's, 252 prints"}
  momentum_12_1: {type: DOUBLE, unit: ratio, doc: "return from 252 to 21 prints ago"}
  reversal_1m: {type: DOUBLE, unit: ratio, doc: "return over the last 21 prints"}
  amihud_60: {type: DOUBLE, unit: ratio per crore, doc: "mean of |return| over value traded, per crore of rupees, 60 prints"}
---
One row is a security on a session that is not short, with the rolling statistics factors are made of. Known at the evening of `date`.
Short sessions (a hundredth to a quarter of the usual volume) have no row, and so stand in no volume or volatility window; their moves still
count in momentum and reversal, which are ratios of the forward index. Windows count prints, and are empty unless those prints lie within as many
sessions and `window_hole_sessions` more: a name that did not trade for a month has no yearly volatility.
A decision reads the prints and actions known by then: a row of a date is made of the vintage of that date (pit.vintages), and never changes later.
Means of frames are exact sums, so a row is the same to the last bit however much history lies before its windows.
Source: INDIA.md §3.8 for the median; Amihud (2002); Jegadeesh & Titman (1993).
*/
with tracks as not materialized (
    {{ returns_by_track('date, session_no, security_id, close, turnover_inr, ret, total_return_index') }}
),

prints as (
    select
        tracks.track,
        tracks.date,
        tracks.session_no,
        tracks.security_id,
        tracks.close,
        tracks.turnover_inr,
        tracks.total_return_index as tri,
        tracks.ret,
        if(tracks.ret is null, null, market.ret) as market_ret,
        abs(tracks.ret) / nullif(tracks.turnover_inr / 1e7, 0) as illiquidity,
        sessions.normal_no,
    from tracks
    join pit.sessions as sessions on sessions.session_no = tracks.session_no and not sessions.is_short
    left join features.market as market on market.session_no = tracks.session_no
),

rolled as (
    select
        track,
        date,
        session_no,
        normal_no,
        security_id,
        close,
        turnover_inr,
        tri,
        normal_no - lag(normal_no) over prints as sessions_since_last,
        -- normal sessions that this many prints lie within
        normal_no - lag(normal_no, {{ min_history_sessions - 1 }}) over prints + 1 as span_history,
        normal_no - lag(normal_no, 21) over prints as span_21,
        normal_no - lag(normal_no, {{ adv_window_sessions - 1 }}) over prints + 1 as span_adv,
        normal_no - lag(normal_no, 60) over prints as span_60,
        normal_no - lag(normal_no, 252) over prints as span_252,
        lag(tri, 21) over prints as tri_21,
        lag(tri, 252) over prints as tri_252,
        median(turnover_inr) over last_adv as median_turnover_inr,
        {{ frame_avg('illiquidity', 'last_60') }} as mean_illiquidity,
        {{ frame_avg('ret * ret', 'last_252') }} as mean_square,
        {{ frame_avg('if(ret < 0, ret * ret, ret * 0)', 'last_252') }} as mean_downside,
        {{ frame_avg_of_ratios('ret', 'last_252') }} as mean,
        {{ frame_avg_of_ratios('market_ret', 'last_252') }} as market_mean,
        {{ frame_avg_of_ratios('market_ret * market_ret', 'last_252') }} as market_mean_square,
        {{ frame_avg_of_ratios('ret * market_ret', 'last_252') }} as mean_product,
    from prints
    window
        prints as (partition by track order by session_no),
        last_adv as (partition by track order by session_no rows between {{ adv_window_sessions - 1 }} preceding and current row),
        last_60 as (partition by track order by session_no rows between 59 preceding and current row),
        last_252 as (partition by track order by session_no rows between 251 preceding and current row)
)

select
    rolled.date,
    rolled.session_no,
    rolled.normal_no,
    rolled.security_id,
    rolled.close,
    rolled.turnover_inr,
    coalesce(span_history <= {{ min_history_sessions + window_hole_sessions }}, false) as has_history,
    if(sessions_since_last <= 252, sessions_since_last, null)::integer as sessions_since_last,
    if(span_adv <= {{ adv_window_sessions + window_hole_sessions }}, median_turnover_inr, null) as adv_inr,
    if(span_252 <= {{ 252 + window_hole_sessions }}, sqrt(greatest(mean_square - mean * mean, 0) * (252 / 251)), null) as vol_252,
    if(span_252 <= {{ 252 + window_hole_sessions }}, sqrt(mean_downside), null) as downside_vol_252,
    if(span_252 <= {{ 252 + window_hole_sessions }}, (mean_product - mean * market_mean) / nullif(market_mean_square - market_mean * market_mean, 0), null) as beta_252,
    if(span_252 <= {{ 252 + window_hole_sessions }}, tri_21 / nullif(tri_252, 0) - 1, null) as momentum_12_1,
    if(span_21 <= {{ 21 + window_hole_sessions }}, tri / nullif(tri_21, 0) - 1, null) as reversal_1m,
    if(span_60 <= {{ 60 + window_hole_sessions }}, mean_illiquidity, null) as amihud_60,
from rolled
{{ join_vintages('rolled', 'rolled.date') }}
where rolled.track = coalesce(vintages.track, rolled.security_id)

/*---
kind: incremental
date: date
look_back: 150
grain: [date, security_id]
references: {date: pit.sessions.date, security_id: pit.securities.security_id}
order: [date, security_id]
checks:
  - name: look_back_is_as_long_as_a_silence
    query: "select {{ delist_after_sessions }} as delist_after_sessions where {{ delist_after_sessions }} > 140"
  - mark > 0
  - sessions_stale >= 0
  - adv_inr is null or adv_inr >= 0
  - sigma is null or sigma >= 0
  - kept > 0 and bonus_factor > 0
columns:
  date: {type: DATE, doc: "session"}
  session_no: {type: INTEGER, doc: "pit.sessions"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  ticker: {type: VARCHAR, doc: "ticker on the date; the last one while nothing trades"}
  open: {type: DOUBLE, unit: inr, doc: "null without a trade"}
  high: {type: DOUBLE, unit: inr, doc: "null without a trade"}
  low: {type: DOUBLE, unit: inr, doc: "null without a trade"}
  close: {type: DOUBLE, unit: inr, doc: "null without a trade"}
  volume: {type: BIGINT, unit: shares, doc: "null without a trade"}
  turnover_inr: {type: DOUBLE, unit: inr, doc: "value traded; null without a trade"}
  adv_inr: {type: DOUBLE, unit: inr, doc: "value traded in a usual session (features.daily), as known the evening before; null where it is not"}
  sigma: {type: DOUBLE, unit: ratio per session, doc: "standard deviation of returns over a year (features.daily), as known the evening before; null where it is not"}
  mark: {type: DOUBLE, unit: inr, doc: "value of a share: the close, or the last one carried, rescaled for what went ex since"}
  sessions_stale: {type: INTEGER, unit: sessions, doc: "since the last trade; 0 on a session with one"}
  share_factor: {type: DOUBLE, unit: ratio, doc: "shares held after this session's corporate actions for each one before"}
  cash_per_share: {type: DOUBLE, unit: inr, doc: "cash for each share held before: dividends going ex, and what rights or a demerger take out of the price"}
  bonus_factor: {type: DOUBLE, unit: ratio, doc: "part of share_factor that is a bonus issue; a split or bonus nobody tells apart counts as a split"}
  kept: {type: DOUBLE, unit: ratio, doc: "part of the price that rights or a demerger left; 1 without one"}
  taken_per_share: {type: DOUBLE, unit: inr, doc: "part of cash_per_share that stands for what they took; 0 without one"}
  action: {type: VARCHAR, doc: "kinds of the corporate actions, joined by +; null without one"}
---
The market as the ledger needs it: every session of every security ever targeted, from its first decision until it has been without a
trade long enough to be closed. Holes are rows here, so a holding is always worth something and always says how stale that is.
A session shows what was known at its decision: a print that came later is a hole, a corrected one is as it first was, and an action announced or
restated after its ex-date counts when it is heard of; the session in which it is, is the one that makes good for it.
An action may take more out of the price than it adds in shares (rights, a demerger): the holder is paid the difference at the last mark, as if
the entitlement were sold for what it is worth in theory, so that what is no loss in pit.returns is none in the book.
*/
with prints as not materialized (
    {{ prices_then('date, session_no, security_id, ticker, open, high, low, close, volume, turnover_inr') }}
),

traded as (
    select
        prices.session_no,
        prices.security_id,
        prices.ticker,
        prices.open,
        prices.high,
        prices.low,
        prices.close,
        prices.volume,
        prices.turnover_inr,
        lead(prices.session_no) over (partition by prices.security_id order by prices.session_no) as next_no,
    from prints as prices
    -- lint: allow time_join: a security is followed from its first decision on
    inner join book.followed as followed on followed.security_id = prices.security_id and prices.date >= followed.first_date
    where prices.volume > 0 and prices.close > 0
),

calendar as (
    select
        date,
        session_no,
        lag(date) over (order by session_no) as previous_date,
    from pit.sessions
),

-- every version of an action, while decisions believed in it
believed as (
    select security_id, ex_date, kind, price_factor, share_factor, cash_inr, {{ decision_date('known_at') }} as seen_on, date '9999-12-31' as seen_to
    from pit.corporate_actions
    union all
    select security_id, ex_date, kind, price_factor, share_factor, cash_inr, {{ decision_date('known_from') }}, {{ decision_date('known_to') }}
    from pit.replaced_actions
),

-- it counts when it goes ex or is heard of, whichever is later, and is undone when another version takes its place
counted as (
    select
        security_id,
        greatest(ex_date, seen_on) as counts_on,
        ex_date,
        kind,
        coalesce(price_factor, 1.0) as price_factor,
        coalesce(share_factor, 1.0) as share_factor,
        coalesce(cash_inr, 0.0) as cash_inr,
    from believed
    where seen_to > greatest(ex_date, seen_on)
    union all
    select
        security_id,
        seen_to,
        ex_date,
        kind || ' undone',
        1.0 / nullif(coalesce(price_factor, 1.0), 0.0),
        1.0 / nullif(coalesce(share_factor, 1.0), 0.0),
        -coalesce(cash_inr, 0.0),
    from believed
    where seen_to > greatest(ex_date, seen_on) and seen_to < date '9999-12-31'
),

-- an action that goes ex on a holiday counts from the next session
actions as (
    select
        calendar.session_no,
        actions.security_id,
        product(actions.share_factor order by actions.ex_date, actions.kind) as share_factor,
        sum(actions.cash_inr order by actions.ex_date, actions.kind) as cash_per_share,
        product(actions.share_factor * actions.price_factor order by actions.ex_date, actions.kind) as all_kept,
        -- files round factors to a few digits: a loss that small is none
        if(all_kept between 0.999 and 1.001, 1.0, all_kept) as kept,
        product(if(actions.kind in ('bonus', 'bonus undone'), actions.share_factor, 1.0) order by actions.ex_date, actions.kind) as bonus_factor,
        string_agg(actions.kind, '+' order by actions.ex_date, actions.kind) as action,
    from counted as actions
    inner join book.followed as followed on followed.security_id = actions.security_id
    inner join calendar on actions.counts_on > calendar.previous_date and actions.counts_on <= calendar.date
    where actions.share_factor != 1.0 or actions.cash_inr != 0.0 or actions.price_factor != 1.0
    group by calendar.session_no, actions.security_id
),

-- sessions without a trade, as long as the ledger waits for one: whether a name comes back cannot be known in them
silent as (
    select
        calendar.session_no,
        traded.security_id,
        traded.ticker,
        traded.close as last_close,
        traded.session_no as last_no,
    from traded
    inner join calendar
        on calendar.session_no > traded.session_no
        and calendar.session_no <= traded.session_no + {{ delist_after_sessions }}
        and calendar.session_no < coalesce(traded.next_no, traded.session_no + {{ delist_after_sessions + 1 }})
    where traded.next_no is null or traded.next_no > traded.session_no + 1
),

-- what the actions of a silence made of a share
grown as (
    select
        silent.session_no,
        silent.security_id,
        -- lint: allow division: pit.corporate_actions promises factors above zero
        product(actions.share_factor / actions.kept order by actions.session_no) as growth,
    from silent
    inner join actions
        on actions.security_id = silent.security_id and actions.session_no > silent.last_no and actions.session_no <= silent.session_no
    group by silent.session_no, silent.security_id
),

marked as (
    select
        session_no,
        security_id,
        ticker,
        open,
        high,
        low,
        close,
        volume,
        turnover_inr,
        close as mark,
        session_no as last_no,
    from traded
    union all
    select
        silent.session_no,
        silent.security_id,
        silent.ticker,
        null,
        null,
        null,
        null,
        null,
        null,
        silent.last_close / coalesce(nullif(grown.growth, 0.0), 1.0),
        silent.last_no,
    from silent
    left join grown on grown.session_no = silent.session_no and grown.security_id = silent.security_id
),

-- what rights or a demerger took out of the last mark
taken as (
    select
        actions.session_no,
        actions.security_id,
        before.mark * (1.0 - actions.kept) as cash_per_share,
    from actions
    inner join marked as before on before.security_id = actions.security_id and before.session_no = actions.session_no - 1
    where actions.kept != 1.0
),

-- what the evening before knew of liquidity: the last session that told, as long ago as a silence may last
usual as (
    select
        marked.session_no,
        marked.security_id,
        last_value(daily.adv_inr ignore nulls) over evenings as adv_inr,
        last_value(daily.vol_252 ignore nulls) over evenings as sigma,
    from marked
    left join features.daily as daily on daily.security_id = marked.security_id and daily.session_no = marked.session_no
    window evenings as (partition by marked.security_id order by marked.session_no rows between {{ delist_after_sessions }} preceding and 1 preceding)
)

select
    calendar.date,
    marked.session_no,
    marked.security_id,
    marked.ticker,
    marked.open,
    marked.high,
    marked.low,
    marked.close,
    marked.volume,
    marked.turnover_inr,
    usual.adv_inr,
    usual.sigma,
    marked.mark,
    marked.session_no - marked.last_no as sessions_stale,
    coalesce(actions.share_factor, 1.0) as share_factor,
    coalesce(actions.cash_per_share, 0.0) + coalesce(taken.cash_per_share, 0.0) as cash_per_share,
    coalesce(actions.bonus_factor, 1.0) as bonus_factor,
    coalesce(actions.kept, 1.0) as kept,
    coalesce(taken.cash_per_share, 0.0) as taken_per_share,
    actions.action,
from marked
inner join calendar on calendar.session_no = marked.session_no
inner join usual on usual.session_no = marked.session_no and usual.security_id = marked.security_id
left join actions on actions.security_id = marked.security_id and actions.session_no = marked.session_no
left join taken on taken.security_id = marked.security_id and taken.session_no = marked.session_no

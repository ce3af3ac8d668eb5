/*---
date: date
grain: [date, account]
references: {date: pit.sessions.date}
order: [account, date]
checks:
  - name: value_is_what_was_there_and_what_came
    query: >-
      select date, account from book.tracking
      where abs(equity_inr - (previous_inr + bought_inr - sold_inr + pnl_inr)) > 1e-9 * greatest(equity_inr, previous_inr, 1.0)
columns:
  date: {type: DATE, doc: "session, at its close"}
  session_no: {type: INTEGER, doc: "pit.sessions"}
  account: {type: VARCHAR, doc: "the account at a broker"}
  portfolio: {type: VARCHAR, doc: "the paper portfolio it follows; null where config/accounts.yml names none"}
  previous_inr: {type: DOUBLE, unit: inr, doc: "shares at the close before"}
  equity_inr: {type: DOUBLE, unit: inr, doc: "shares at their marks (book.real_positions)"}
  bought_inr: {type: DOUBLE, unit: inr, doc: "shares bought, opened with, or given back because a sale was undone"}
  sold_inr: {type: DOUBLE, unit: inr, doc: "shares sold, or taken back because a purchase was undone"}
  dividends_inr: {type: DOUBLE, unit: inr, doc: "dividends of the ex-dates, gross of tax"}
  charges_inr: {type: DOUBLE, unit: inr, doc: "on contract notes that came; a later version counts by its difference"}
  pnl_inr: {type: DOUBLE, unit: inr, doc: "gain of the shares from prices alone"}
  ret: {type: DOUBLE, unit: ratio, doc: "gain of prices and dividends less charges, over the shares held before and those bought on balance; null without any"}
  paper_ret: {type: DOUBLE, unit: ratio, doc: "the same of the paper portfolio's shares, net of its costs and before taxes"}
  difference: {type: DOUBLE, unit: ratio, doc: "ret − paper_ret"}
  active_share: {type: DOUBLE, unit: ratio, doc: "half the sum of the differences of weights between the two books' shares: 0 the same, 1 nothing in common"}
  names: {type: BIGINT, doc: "names held"}
  paper_names: {type: BIGINT, doc: "names the paper portfolio holds"}
  common_names: {type: BIGINT, doc: "names both hold"}
---
The real book beside the paper book, session by session: returns of the shares alone, so what lies in cash counts for neither, and how far the holdings are
apart. As known that evening: a trade or a note reported later counts when it comes.
*/
with calendar as (
    {{ sessions_since() }}
),

followed as (
    select
        events.account,
        any_value(accounts.portfolio) as portfolio,
        min(events.session_no) as first_no,
    from book.real_events as events
    left join config.accounts as accounts on accounts.account = events.account
    group by events.account
),

days as (
    select calendar.date, calendar.session_no, followed.account, followed.portfolio
    from followed
    -- lint: allow time_join: an account has a row in every session from its first
    inner join calendar on calendar.session_no >= followed.first_no
),

held as (
    select account, date, {{ stable_sum('value_inr', 8) }} as equity_inr, count(*) as names
    from book.real_positions
    group by account, date
),

flows as (
    select
        events.account,
        events.date,
        {{ stable_sum("case when events.kind = 'opening' then events.shares * positions.close when events.kind in ('fill', 'undone') then greatest(-events.cash_inr, 0.0) end", 8) }}
            as bought_inr,
        {{ stable_sum("case when events.kind in ('fill', 'undone') then greatest(events.cash_inr, 0.0) end", 8) }} as sold_inr,
        {{ stable_sum("case when events.kind = 'dividend' then events.cash_inr end", 8) }} as dividends_inr,
    from book.real_events as events
    left join book.real_positions as positions
        on positions.account = events.account and positions.date = events.date and positions.security_id = events.security_id
    group by events.account, events.date
),

-- a note counts when it comes; a corrected one by what it says more, one taken back by what it said
notes as (
    select account, greatest(date, {{ decision_date('known_from') }}) as on_day, charges_inr
    from pit.contract_notes
    where {{ decision_date('known_to') }} > greatest(date, {{ decision_date('known_from') }})
    union all
    select account, {{ decision_date('known_to') }}, -charges_inr
    from pit.contract_notes
    where {{ decision_date('known_to') }} > greatest(date, {{ decision_date('known_from') }}) and {{ decision_date('known_to') }} < date '9999-12-31'
),

charged as (
    select notes.account, calendar.date, {{ stable_sum('notes.charges_inr', 8) }} as charges_inr
    from notes
    inner join calendar on notes.on_day > calendar.previous_date and notes.on_day <= calendar.date
    group by notes.account, calendar.date
),

valued as (
    select
        days.*,
        coalesce(held.equity_inr, 0.0) as equity_inr,
        coalesce(held.names, 0) as names,
        coalesce(lag(held.equity_inr) over (partition by days.account order by days.session_no), 0.0) as previous_inr,
        coalesce(flows.bought_inr, 0.0) as bought_inr,
        coalesce(flows.sold_inr, 0.0) as sold_inr,
        coalesce(flows.dividends_inr, 0.0) as dividends_inr,
        coalesce(charged.charges_inr, 0.0) as charges_inr,
    from days
    left join held on held.account = days.account and held.date = days.date
    left join flows on flows.account = days.account and flows.date = days.date
    left join charged on charged.account = days.account and charged.date = days.date
),

traded as (
    select
        portfolio,
        date,
        {{ stable_sum("if(side = 'buy', value_inr, -value_inr)", 8) }} as bought_inr,
    from book.trades
    group by portfolio, date
),

papers as (
    select
        nav.portfolio,
        nav.date,
        nav.equity_inr,
        -- what the tax took is no loss of the shares
        nav.value_inr + nav.tax_inr - lag(nav.value_inr) over life as gain_inr,
        lag(nav.equity_inr) over life as previous_equity_inr,
    from book.nav as nav
    -- trades and positions are rupees of this basis
    where nav.basis = 'after_tax'
    window life as (partition by nav.portfolio order by nav.date)
),

paper_returns as (
    select
        papers.portfolio,
        papers.date,
        papers.equity_inr,
        papers.gain_inr
        / nullif(papers.previous_equity_inr + greatest(coalesce(traded.bought_inr, 0.0), 0.0), 0.0) as paper_ret,
    from papers
    left join traded on traded.portfolio = papers.portfolio and traded.date = papers.date
),

paper_weights as (
    select
        positions.portfolio,
        positions.date,
        positions.security_id,
        positions.value_inr / nullif(paper_returns.equity_inr, 0.0) as weight,
    from book.positions as positions
    inner join paper_returns on paper_returns.portfolio = positions.portfolio and paper_returns.date = positions.date
    where positions.portfolio in (select portfolio from followed)
),

apart as (
    select
        coalesce(mine.account, theirs.account) as account,
        coalesce(mine.date, theirs.date) as date,
        {{ stable_sum('abs(coalesce(mine.weight, 0.0) - coalesce(theirs.weight, 0.0))') }} / 2.0 as active_share,
        count(theirs.security_id) as paper_names,
        count(*) filter (where mine.security_id is not null and theirs.security_id is not null) as common_names,
    from book.real_positions as mine
    full join (
        select days.account, paper_weights.*
        from days
        inner join paper_weights on paper_weights.portfolio = days.portfolio and paper_weights.date = days.date
    ) as theirs on theirs.account = mine.account and theirs.date = mine.date and theirs.security_id = mine.security_id
    group by all
),

returned as (
    select
        valued.*,
        valued.equity_inr - valued.previous_inr - valued.bought_inr + valued.sold_inr as pnl_inr,
        (valued.equity_inr - valued.previous_inr - valued.bought_inr + valued.sold_inr + valued.dividends_inr - valued.charges_inr)
        / nullif(valued.previous_inr + greatest(valued.bought_inr - valued.sold_inr, 0.0), 0.0) as ret,
        paper_returns.paper_ret,
        apart.active_share,
        coalesce(apart.paper_names, 0) as paper_names,
        coalesce(apart.common_names, 0) as common_names,
    from valued
    left join paper_returns on paper_returns.portfolio = valued.portfolio and paper_returns.date = valued.date
    left join apart on apart.account = valued.account and apart.date = valued.date
)

select
    date,
    session_no,
    account,
    portfolio,
    previous_inr,
    equity_inr,
    bought_inr,
    sold_inr,
    dividends_inr,
    charges_inr,
    pnl_inr,
    ret,
    paper_ret,
    ret - paper_ret as difference,
    if(portfolio is null or names = 0 or paper_names = 0, null, active_share) as active_share,
    names,
    paper_names,
    common_names,
from returned

/*---
date: date
grain: [portfolio, date]
order: [portfolio, date]
knowable: date
checks:
  - nav > 0
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  benchmark: {type: VARCHAR, doc: "the index, or UNIVERSE: the active members in equal weights"}
  date: {type: DATE, doc: "session of the book"}
  session_no: {type: INTEGER, doc: "pit.sessions"}
  nav: {type: DOUBLE, unit: ratio, doc: "1.0 at the inception, or at the first level after it; the last known level where a session has none"}
  ret: {type: DOUBLE, unit: ratio, doc: "return since the session before; null where either level is missing"}
---
What each portfolio is measured against: the first of its indices with levels, as a price index because the book's returns are price
returns; else the universe's members in equal weights. Joined on the date; a hole is a hole, never the next level.
*/
with book_sessions as (
    select
        portfolio,
        date,
        session_no,
    from book.nav
    where basis = 'net'
),

available as (
    select distinct benchmark
    from pit.benchmarks
    where kind = 'price'
),

wanted as (
    select
        portfolio,
        regexp_split_to_array(upper(trim(benchmark)), '\s*,\s*') as indices,
    from config.portfolios
),

chosen as (
    select
        wanted.portfolio,
        coalesce(
            arg_min(available.benchmark, list_position(wanted.indices, available.benchmark)), 'UNIVERSE'
        ) as benchmark,
    from wanted
    left join available on list_contains(wanted.indices, available.benchmark)
    group by wanted.portfolio
),

index_levels as (
    select
        book_sessions.portfolio,
        chosen.benchmark,
        book_sessions.date,
        book_sessions.session_no,
        levels.level,
    from book_sessions
    inner join chosen on chosen.portfolio = book_sessions.portfolio and chosen.benchmark != 'UNIVERSE'
    left join pit.benchmarks as levels
        on levels.benchmark = chosen.benchmark
        and levels.kind = 'price'
        and levels.date = book_sessions.date
        and not levels.is_filled
),

index_returns as (
    select
        portfolio,
        benchmark,
        date,
        session_no,
        level / nullif(lag(level) over path, 0.0) - 1.0 as ret,
        last_value(level ignore nulls) over (path rows between unbounded preceding and current row) as carried,
    from index_levels
    window path as (partition by portfolio order by session_no)
),

decisions as (
    select
        date,
        lead(date, 1, date '9999-12-31') over (order by date) as next_date,
    from (select distinct date from universe.members)
),

-- the members of an evening are held from the next session to the next evening that has members
universe_returns as (
    select
        returns.date,
        {{ stable_avg('returns.ret') }} as ret,
    from decisions
    inner join universe.members as members on members.date = decisions.date and members.active
    inner join ({{ returns_by_track('date, security_id, ret') }}) as returns
        on returns.security_id = members.security_id and returns.date > decisions.date and returns.date <= decisions.next_date
    -- each session as it was known in its evening
    {{ join_vintages('returns', 'returns.date') }}
    where returns.track = coalesce(vintages.track, returns.security_id)
        and exists (select 1 from chosen where chosen.benchmark = 'UNIVERSE')
    group by returns.date
),

universe_path as (
    select
        book_sessions.portfolio,
        chosen.benchmark,
        book_sessions.date,
        book_sessions.session_no,
        case when lag(book_sessions.date) over path is not null then universe_returns.ret end as ret,
    from book_sessions
    inner join chosen on chosen.portfolio = book_sessions.portfolio and chosen.benchmark = 'UNIVERSE'
    left join universe_returns on universe_returns.date = book_sessions.date
    window path as (partition by book_sessions.portfolio order by book_sessions.session_no)
)

select
    portfolio,
    benchmark,
    date,
    session_no,
    carried / nullif(first_value(carried) over (partition by portfolio order by session_no), 0.0) as nav,
    ret,
from index_returns
where carried is not null
union all
select
    portfolio,
    benchmark,
    date,
    session_no,
    product(1.0 + coalesce(ret, 0.0)) over (
        partition by portfolio order by session_no rows between unbounded preceding and current row
    ) as nav,
    ret,
from universe_path

/*---
date: date
grain: [portfolio, date]
order: [portfolio, date]
knowable: date
checks:
  - nav > 0
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  benchmark: {type: VARCHAR, doc: "the index measured against that session, or UNIVERSE: the active members in equal weights"}
  date: {type: DATE, doc: "session of the book"}
  session_no: {type: INTEGER, doc: "pit.sessions"}
  nav: {type: DOUBLE, unit: ratio, doc: "1.0 at the inception; the last known level where a session has none"}
  ret: {type: DOUBLE, unit: ratio, doc: "return since the session before; null where either level is missing"}
---
What each portfolio is measured against: the first of its indices that had a level by the evening before, as a price index because the book's
returns are price returns; until any has, the universe's members in equal weights. Where a better wish begins, the curve goes on with it. Levels are
those that the evening of their session knew. Joined on the date; a hole is a hole, never the next level.
*/
with book_sessions as (
    select
        portfolio,
        date,
        session_no,
        -- at the inception an index of the very day will do: nothing is measured before
        lag(date, 1, date) over (partition by portfolio order by session_no) as past_date,
        lag(session_no) over (partition by portfolio order by session_no) as past_no,
    from book.nav
    where basis = 'net'
),

evenings as (
    select
        benchmark,
        date,
        lead(date, 1, date '9999-12-31') over (partition by benchmark order by date) as next_date,
        level,
    from pit.benchmarks
    where kind = 'price'
        and not is_filled
        and epoch_us(known_from) <= {{ decision_us('date') }}
        and epoch_us(known_to) > {{ decision_us('date') }}
),

available as (
    select
        benchmark,
        min(date) as first_date,
    from evenings
    group by benchmark
),

wanted as (
    select
        portfolio,
        regexp_split_to_array(upper(trim(benchmark)), '\s*,\s*') as indices,
    from config.portfolios
),

-- which wishes there are, and from when on
wishes as (
    select
        wanted.portfolio,
        available.benchmark,
        available.first_date,
        list_position(wanted.indices, available.benchmark) as wish,
    from wanted
    inner join available on list_contains(wanted.indices, available.benchmark)
),

chosen as (
    select
        book_sessions.portfolio,
        book_sessions.date,
        book_sessions.session_no,
        book_sessions.past_no,
        coalesce(arg_min(wishes.benchmark, wishes.wish), 'UNIVERSE') as benchmark,
    from book_sessions
    left join wishes on wishes.portfolio = book_sessions.portfolio and wishes.first_date <= book_sessions.past_date
    group by book_sessions.portfolio, book_sessions.date, book_sessions.session_no, book_sessions.past_no
),

-- the levels of each wish on the sessions of the book; the last one known may be older than the book
index_levels as (
    select
        book_sessions.portfolio,
        wishes.benchmark,
        book_sessions.session_no,
        if(evenings.date = book_sessions.date, evenings.level, null) as level,
        evenings.level as carried,
    from book_sessions
    inner join wishes on wishes.portfolio = book_sessions.portfolio
    left join evenings
        on evenings.benchmark = wishes.benchmark and book_sessions.date >= evenings.date and book_sessions.date < evenings.next_date
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


-- a stretch is the time in which one benchmark is the best there is
paths as (
    select
        chosen.portfolio,
        chosen.benchmark,
        chosen.date,
        chosen.session_no,
        case
            when chosen.past_no is null then null
            when chosen.benchmark = 'UNIVERSE' then universe_returns.ret
            else here.level / nullif(before.level, 0.0) - 1.0
        end as ret,
        here.carried,
        -- where the stretch starts from: the session before, or the inception itself
        first_value(coalesce(before.carried, here.carried)) over stretch as start_level,
        product(1.0 + case when chosen.benchmark = 'UNIVERSE' and chosen.past_no is not null then coalesce(universe_returns.ret, 0.0) else 0.0 end) over (
            partition by chosen.portfolio, chosen.benchmark order by chosen.session_no rows between unbounded preceding and current row
        ) as universe_growth,
    from chosen
    left join index_levels as here
        on here.portfolio = chosen.portfolio and here.benchmark = chosen.benchmark and here.session_no = chosen.session_no
    left join index_levels as before
        on before.portfolio = chosen.portfolio and before.benchmark = chosen.benchmark and before.session_no = chosen.past_no
    left join universe_returns on universe_returns.date = chosen.date
    window stretch as (partition by chosen.portfolio, chosen.benchmark order by chosen.session_no)
),

grown as (
    select
        portfolio,
        benchmark,
        date,
        session_no,
        ret,
        if(benchmark = 'UNIVERSE', universe_growth, carried / nullif(start_level, 0.0)) as growth,
    from paths
),

stretches as (
    select
        portfolio,
        benchmark,
        coalesce(product(whole) over (
            partition by portfolio order by first_no rows between unbounded preceding and 1 preceding
        ), 1.0) as grown_before,
    from (
        select portfolio, benchmark, min(session_no) as first_no, arg_max(growth, session_no) as whole from grown group by portfolio, benchmark
    )
)

select
    grown.portfolio,
    grown.benchmark,
    grown.date,
    grown.session_no,
    grown.growth * stretches.grown_before as nav,
    grown.ret,
from grown
inner join stretches on stretches.portfolio = grown.portfolio and stretches.benchmark = grown.benchmark

/*---
kind: incremental
date: date
look_back: 20
grain: [date, benchmark, kind, known_from]
knowable: "cast(timezone('Asia/Kolkata', known_to) as date)"
order: [benchmark, kind, session_no, known_from]
checks:
  - "level > 0"
  - "kind in ('price', 'total')"
  - "benchmark = upper(benchmark)"
  - "known_from < known_to"
columns:
  date: {type: DATE, doc: "session"}
  session_no: {type: INTEGER, doc: "number of the session"}
  benchmark: {type: VARCHAR, doc: "index name in capitals"}
  kind: {type: VARCHAR, doc: "price, or total (dividends reinvested)"}
  level: {type: DOUBLE, unit: points, doc: "closing level, or the last one where the index has none that day"}
  ret: {type: DOUBLE, unit: ratio, doc: "level over the one that decisions of the session before read, less 1; null where they had none"}
  is_filled: {type: BOOLEAN, doc: "true where the level is carried from an earlier session"}
  known_at: {type: TIMESTAMPTZ, doc: "when the level itself was known: of a carried one, on its own day"}
  known_from: {type: TIMESTAMPTZ, doc: "when this version came into force; a level is carried from the decision time of the session that lacks it"}
  known_to: {type: TIMESTAMPTZ, doc: "when a late, corrected or withdrawn level took its place; 9999-12-31 while it stands"}
---
One row is one version of an index on one of *our* sessions, in force in `[known_from, known_to)`. Decisions of a date read the version in force at
its decision time. A missing level is carried from the past for at most five sessions (its return is zero, and the next level brings the whole
move), never filled from the future; after that the index has ended. A level that comes late, or corrected, is a version of its own: the evening
of its date never had it. Returns are taken from one evening's level to the next, so a mistake in one level is made good when the next one comes.
*/
with told as (
    select
        upper(index_name) as benchmark,
        kind,
        date,
        if(is_withdrawn, null, close) as close,
        known_at,
    from raw.index_levels
    -- a level of zero is a level that is missing
    where close > 0
    qualify row_number() over (
        partition by upper(index_name), kind, date, known_at order by is_withdrawn desc nulls last, source_rank, close
    ) = 1
),

levels as (
    select
        told.*,
        sessions.session_no,
        -- nearly all: told once, and by the evening
        count(*) over (partition by told.benchmark, told.kind, told.date) = 1
            and close is not null
            and epoch_us(told.known_at) <= {{ decision_us('told.date') }} as is_plain,
    from told
    join pit.sessions as sessions using (date)
),

spans as (
    select benchmark, kind, min(session_no) as first_no, max(session_no) + 5 as last_no
    from levels
    group by benchmark, kind
),

-- sessions of an index without such a level
disturbed as (
    select sessions.date, sessions.session_no, spans.benchmark, spans.kind
    from spans
    join pit.sessions as sessions on sessions.session_no between spans.first_no and spans.last_no
    anti join (select * from levels where is_plain) as plain
        on plain.benchmark = spans.benchmark and plain.kind = spans.kind and plain.session_no = sessions.session_no
),

-- what could be said of such a session, and from when on: an older level only at its decision time, when its own is known to be missing
offers as (
    select
        disturbed.date,
        disturbed.session_no,
        disturbed.benchmark,
        disturbed.kind,
        levels.session_no as level_no,
        levels.close,
        levels.known_at,
        if(
            levels.session_no = disturbed.session_no,
            levels.known_at,
            greatest(levels.known_at, make_timestamptz({{ decision_us('disturbed.date') }}))
        ) as moment,
    from disturbed
    join levels
        on levels.benchmark = disturbed.benchmark
        and levels.kind = disturbed.kind
        and levels.session_no between disturbed.session_no - 5 and disturbed.session_no
),

-- at each moment the newest word on each level
words as (
    select moments.moment as said_at, offers.*
    from (select distinct benchmark, kind, session_no, moment from offers) as moments
    join offers
        on offers.benchmark = moments.benchmark
        and offers.kind = moments.kind
        and offers.session_no = moments.session_no
        -- lint: allow time_join: a handful of levels for each session that lacks one
        and offers.moment <= moments.moment
    qualify row_number() over (
        partition by offers.benchmark, offers.kind, offers.session_no, moments.moment, offers.level_no order by offers.known_at desc
    ) = 1
),

-- and of those the latest level; none where all were withdrawn
states as (
    select
        benchmark,
        kind,
        date,
        session_no,
        said_at,
        max(level_no) filter (where close is not null) as from_no,
        arg_max(close, level_no) filter (where close is not null) as level,
        arg_max(known_at, level_no) filter (where close is not null) as known_at,
    from words
    group by benchmark, kind, date, session_no, said_at
),

turns as (
    select *
    from states
    qualify (from_no, level) is distinct from lag((from_no, level)) over (partition by benchmark, kind, session_no order by said_at)
),

versions as (
    select
        benchmark,
        kind,
        date,
        session_no,
        close as level,
        false as is_filled,
        known_at,
        known_at as known_from,
        timestamptz '9999-12-31 00:00:00+00' as known_to,
    from levels
    where is_plain
    union all
    select
        benchmark,
        kind,
        date,
        session_no,
        level,
        from_no != session_no,
        known_at,
        said_at,
        lead(said_at, 1, timestamptz '9999-12-31 00:00:00+00') over (partition by benchmark, kind, session_no order by said_at),
    from turns
),

-- what decisions of each date read
evenings as (
    select benchmark, kind, session_no, level
    from versions
    where level is not null
        and epoch_us(known_from) <= {{ decision_us('date') }}
        and epoch_us(known_to) > {{ decision_us('date') }}
)

select
    versions.date,
    versions.session_no,
    versions.benchmark,
    versions.kind,
    versions.level,
    versions.level / nullif(before.level, 0) - 1 as ret,
    versions.is_filled,
    versions.known_at,
    versions.known_from,
    versions.known_to,
from versions
left join evenings as before
    on before.benchmark = versions.benchmark and before.kind = versions.kind and before.session_no = versions.session_no - 1
where versions.level is not null

/*---
date: date
grain: [date, account, note_date, item]
references: {date: pit.sessions.date}
order: [account, date, note_date, item]
checks:
  - item in ('bought', 'sold', 'stt', 'exchange', 'ipft', 'sebi', 'stamp', 'gst')
  - name: notes_agree_with_trades_and_rates
    level: warn
    query: >-
      select * from book.note_checks where not is_within and date > (select max(date) - 92 from pit.sessions)
columns:
  date: {type: DATE, doc: "session whose evening heard of a note of the day, or of another version of one"}
  account: {type: VARCHAR, doc: "the account at a broker"}
  note_date: {type: DATE, doc: "trade date of the notes"}
  n_notes: {type: BIGINT, doc: "notes of that trade date known that evening"}
  item: {type: VARCHAR, doc: "bought, sold (against the trades), stt, exchange, ipft, sebi, stamp, gst (against the dated rates)"}
  printed_inr: {type: DOUBLE, unit: inr, doc: "on the notes"}
  expected_inr: {type: DOUBLE, unit: inr, doc: "by the trades known that evening, or by the rates of the trade date on the notes' own values; null where no rate is known"}
  difference_inr: {type: DOUBLE, unit: inr, doc: "printed less expected"}
  is_within: {type: BOOLEAN, doc: "the difference is at most note_tolerance_inr, or nothing is expected"}
---
A day's contract notes, item by item, against what the account's trades and the dated charges say they should be. Brokerage is the broker's own word
and not checked; the tax on services is worked out on it. Notes without a line for the investor protection fund have it among the exchange's charges.
*/
with calendar as (
    {{ sessions_since() }}
),

versions as (
    select
        *,
        greatest(date, {{ decision_date('known_from') }}) as from_on,
        {{ decision_date('known_to') }} as to_on,
    from pit.contract_notes
),

evenings as (
    select distinct
        calendar.date,
        versions.account,
        versions.date as note_date,
    from versions
    inner join calendar on versions.from_on > calendar.previous_date and versions.from_on <= calendar.date
),

notes as (
    select
        evenings.date,
        evenings.account,
        evenings.note_date,
        count(*) as n_notes,
        {{ stable_sum('versions.bought_inr', 2) }} as bought_inr,
        {{ stable_sum('versions.sold_inr', 2) }} as sold_inr,
        {{ stable_sum('versions.brokerage_inr', 2) }} as brokerage_inr,
        {{ stable_sum('versions.stt_inr', 2) }} as stt_inr,
        {{ stable_sum('versions.exchange_inr', 2) }} as exchange_inr,
        {{ stable_sum('versions.ipft_inr', 2) }} as ipft_inr,
        {{ stable_sum('versions.sebi_inr', 2) }} as sebi_inr,
        {{ stable_sum('versions.stamp_inr', 2) }} as stamp_inr,
        {{ stable_sum('versions.gst_inr', 2) }} as gst_inr,
    from evenings
    inner join versions
        on versions.account = evenings.account
        and versions.date = evenings.note_date
        and versions.from_on <= evenings.date
        and evenings.date < versions.to_on
    group by evenings.date, evenings.account, evenings.note_date
),

fills as (
    select
        account,
        date,
        side,
        qty * price as value_inr,
        greatest(date, {{ decision_date('known_from') }}) as from_on,
        {{ decision_date('known_to') }} as to_on,
    from pit.fills
),

traded as (
    select
        evenings.date,
        evenings.account,
        evenings.note_date,
        {{ stable_sum("if(fills.side = 'buy', fills.value_inr, 0.0)", 8) }} as bought_inr,
        {{ stable_sum("if(fills.side = 'sell', fills.value_inr, 0.0)", 8) }} as sold_inr,
    from evenings
    inner join fills
        on fills.account = evenings.account
        and fills.date = evenings.note_date
        and fills.from_on <= evenings.date
        and evenings.date < fills.to_on
    group by evenings.date, evenings.account, evenings.note_date
),

-- a day is charged by what was known on it
rates as (
    select
        notes.date,
        notes.account,
        notes.note_date,
        max(charges.rate) filter (where charges.item = 'STT_DELIVERY') as stt,
        max(charges.rate) filter (where charges.item = 'EXCH_TXN') as exchange,
        max(charges.rate) filter (where charges.item = 'IPFT') as ipft,
        max(charges.rate) filter (where charges.item = 'SEBI_FEE') as sebi,
        max(charges.rate) filter (where charges.item = 'STAMP_DELIVERY' and charges.side in ('both', 'buy')) as stamp_bought,
        max(charges.rate) filter (where charges.item = 'STAMP_DELIVERY' and charges.side in ('both', 'sell')) as stamp_sold,
        max(charges.rate) filter (where charges.item in ('GST', 'SERVICE_TAX')) as gst,
        max(charges.base) filter (where charges.item in ('GST', 'SERVICE_TAX')) as taxed,
    from notes
    inner join pit.charges as charges
        on charges.venue in ('ALL', 'NSE')
        and charges.from_date <= notes.note_date
        and notes.note_date <= charges.to_date
        and {{ ist_date('charges.known_from') }} <= notes.note_date
        and notes.note_date < {{ ist_date('charges.known_to') }}
    group by notes.date, notes.account, notes.note_date
),

fees as (
    select
        notes.*,
        notes.bought_inr + notes.sold_inr as value_inr,
        coalesce(traded.bought_inr, 0.0) as traded_bought_inr,
        coalesce(traded.sold_inr, 0.0) as traded_sold_inr,
        rates.stt * value_inr as expected_stt_inr,
        rates.exchange * value_inr as expected_exchange_inr,
        rates.ipft * value_inr as expected_ipft_inr,
        rates.sebi * value_inr as expected_sebi_inr,
        coalesce(rates.stamp_bought, 0.0) * notes.bought_inr + coalesce(rates.stamp_sold, 0.0) * notes.sold_inr as expected_stamp_inr,
        rates.gst * (
            notes.brokerage_inr
            + if(contains(rates.taxed, 'exch_txn'), coalesce(expected_exchange_inr, 0.0), 0.0)
            + if(contains(rates.taxed, 'ipft'), coalesce(expected_ipft_inr, 0.0), 0.0)
            + if(contains(rates.taxed, 'sebi_fee'), coalesce(expected_sebi_inr, 0.0), 0.0)
        ) as expected_gst_inr,
    from notes
    left join rates on rates.date = notes.date and rates.account = notes.account and rates.note_date = notes.note_date
    left join traded on traded.date = notes.date and traded.account = notes.account and traded.note_date = notes.note_date
),

items as (
    select
        date,
        account,
        note_date,
        n_notes,
        unnest([
            {'item': 'bought', 'printed_inr': bought_inr, 'expected_inr': traded_bought_inr},
            {'item': 'sold', 'printed_inr': sold_inr, 'expected_inr': traded_sold_inr},
            {'item': 'stt', 'printed_inr': stt_inr, 'expected_inr': expected_stt_inr},
            {
                'item': 'exchange',
                'printed_inr': exchange_inr,
                'expected_inr': expected_exchange_inr + if(ipft_inr is null, coalesce(expected_ipft_inr, 0.0), 0.0)
            },
            {'item': 'ipft', 'printed_inr': ipft_inr, 'expected_inr': expected_ipft_inr},
            {'item': 'sebi', 'printed_inr': sebi_inr, 'expected_inr': expected_sebi_inr},
            {'item': 'stamp', 'printed_inr': stamp_inr, 'expected_inr': expected_stamp_inr},
            {'item': 'gst', 'printed_inr': gst_inr, 'expected_inr': expected_gst_inr}
        ]) as line,
    from fees
)

select
    date,
    account,
    note_date,
    n_notes,
    line.item as item,
    line.printed_inr as printed_inr,
    line.expected_inr as expected_inr,
    line.printed_inr - line.expected_inr as difference_inr,
    coalesce(abs(line.printed_inr - line.expected_inr) <= {{ note_tolerance_inr }}, true) as is_within,
from items
where line.printed_inr is not null

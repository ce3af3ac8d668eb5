/*---
grain: [security_id, period_end, consolidated, known_from, item]
interval: [known_from, known_to]
references: {security_id: pit.securities.security_id}
knowable: "cast(timezone('Asia/Kolkata', known_to) + interval '4 hours' as date)"
checks:
  - "known_from < known_to"
  - {query: "select item from pit.fundamental_faults", level: warn, name: filings_have_faults}
columns:
  security_id: {type: BIGINT, doc: "the security"}
  ticker: {type: VARCHAR, doc: "symbol in the filing"}
  period_end: {type: DATE, doc: "last day of the period"}
  consolidated: {type: BOOLEAN, doc: "true for the group, false for the company alone"}
  known_from: {type: TIMESTAMPTZ, doc: "when the filing, and with it the verdict, was known"}
  known_to: {type: TIMESTAMPTZ, doc: "when a restatement replaced the filing; 9999-12-31 while none has"}
  item: {type: VARCHAR, doc: "column of pit.filings that is not believed"}
  printed: {type: DOUBLE, doc: "the value as printed"}
  reason: {type: VARCHAR, doc: "why it cannot be true"}
---
One row is a value of a filing that cannot be true: it is null in `pit.fundamentals`. A verdict rests on the filing itself and on what the company had
printed before it (`pit.earlier_filings`), never on what came later, so it never changes. As firms do change, a scale error needs two witnesses:
an amount is off by powers of ten against the company's own earlier filings and against the other amounts of the same filing.
An amount is *off* where it is nearer to ten times (a tenth) than to once what was expected, or fifty times where it has no second witness.
docs/how-to/use_fundamentals.md lists the rules with what they found.
*/
with measured as (
    select
        filings.*,
        earlier.* exclude (security_id, period_end, consolidated, known_from, known_to, n_filings),
        greatest(filings.revenue_inr, 0) + abs(coalesce(filings.other_income_inr, 0)) as income_inr,
        {{ decades('filings.revenue_inr', 'earlier.revenue_usual') }} as revenue_off,
        {{ decades('filings.paid_up_capital_inr', 'earlier.capital_usual') }} as capital_off,
        {{ decades('filings.face_value_inr', 'earlier.face_value_usual') }} as face_off,
        -- shares as profit and earnings per share tell them, which paisa do not blur; and as capital and face value do
        if(abs(filings.eps_inr) >= 0.5, abs(filings.net_profit_inr / nullif(filings.eps_inr, 0)), null) as earning_shares,
        if(filings.paid_up_capital_inr > 0, filings.paid_up_capital_inr / nullif(greatest(filings.face_value_inr, 0), 0), null) as paid_up_shares,
        {{ decades('earning_shares', 'paid_up_shares') }} as shares_off,
        {{ decades('earning_shares', 'coalesce(earlier.shares_usual, paid_up_shares)') }} as earning_off,
        filings.operating_profit_inr + filings.other_income_inr - filings.interest_inr - filings.tax_inr - filings.net_profit_inr as left_over_inr,
        cast(timezone('Asia/Kolkata', filings.known_from) as date) < filings.period_end as is_early,
        -- not one amount of a quarter's account
        (filings.revenue_inr = 0 or filings.net_profit_inr = 0)
            and coalesce(filings.revenue_inr, 0) = 0
            and coalesce(filings.operating_profit_inr, 0) = 0
            and coalesce(filings.other_income_inr, 0) = 0
            and coalesce(filings.tax_inr, 0) = 0
            and coalesce(filings.net_profit_inr, 0) = 0 as is_empty,
    from pit.filings as filings
    left join pit.earlier_filings as earlier using (security_id, period_end, consolidated, known_from)
),

-- a filing in another unit: its revenue is off by a power of ten, and its capital, or its profit for its earnings per share, by the same
judged as (
    select
        *,
        round(revenue_off) != 0
            and abs(revenue_off - round(revenue_off)) <= 0.35
            and (
                coalesce(abs(capital_off - round(revenue_off)) <= 0.35, false)
                or coalesce(abs(capital_off) <= 0.35 and abs(shares_off - round(revenue_off)) <= 0.35, false)
            ) as is_scaled,
    from measured
),

-- one row a value; `sense` is the sign with which it stands in operating profit + other income - interest - tax - net profit = 0
items as (
    select
        judged.*,
        item.name as item,
        item.printed,
        item.usual,
        item.sense,
        {{ decades('item.printed', 'item.usual') }} as off,
        round(off)::integer as tens,
    from judged
    cross join lateral (
        values
            ('revenue_inr', revenue_inr, revenue_usual, 0),
            ('operating_profit_inr', operating_profit_inr, operating_profit_usual, 1),
            ('other_income_inr', other_income_inr, other_income_usual, 1),
            ('interest_inr', interest_inr, interest_usual, -1),
            ('tax_inr', tax_inr, tax_usual, -1),
            ('net_profit_inr', net_profit_inr, net_profit_usual, -1),
            ('eps_inr', eps_inr, eps_usual, 0),
            ('paid_up_capital_inr', paid_up_capital_inr, capital_usual, 0),
            ('face_value_inr', face_value_inr, face_value_usual, 0),
            ('equity_inr', equity_inr, equity_usual, 0),
            ('assets_inr', assets_inr, assets_usual, 0),
            ('cfo_inr', cfo_inr, cfo_usual, 0)
    ) as item (name, printed, usual, sense)
    where item.printed is not null
),

doubted as (
    select
        *,
        case
            when is_early then 'known before its period had ended'
            when is_empty then 'nothing but zeros in the whole account'
            when is_scaled and item not in ('eps_inr', 'face_value_inr') then printf('the whole filing is off by a factor of 1e%+d', round(revenue_off)::integer)
            when item in ('paid_up_capital_inr', 'face_value_inr', 'assets_inr') and printed <= 0 then 'not above zero'
            when item = 'revenue_inr' and printed < 0 then 'below zero'
            when item = 'paid_up_capital_inr' and abs(off) >= 0.5 and abs(shares_off) >= 0.5 and sign(off) = -sign(shares_off)
                then printf('%.3g times the median of earlier filings, and at odds with profit and earnings per share', printed / nullif(usual, 0))
            when item in ('revenue_inr', 'paid_up_capital_inr', 'equity_inr', 'assets_inr') and abs(off) >= 1.7
                then printf('%.3g times the median of earlier filings', abs(printed) / nullif(usual, 0))
            when item = 'face_value_inr' and printed not in {{ face_values() | sql }} and abs(shares_off) >= 0.5
                then 'no face value of a share, and at odds with profit and earnings per share'
            when item = 'face_value_inr' and printed not in {{ face_values() | sql }} and abs(off) >= 0.5
                then 'no face value of a share, and at odds with earlier filings'
            when item = 'face_value_inr' and abs(off) >= 0.5 and abs(shares_off) >= 0.5 and sign(off) = sign(shares_off)
                and coalesce(abs(capital_off), 0) < 0.5
                then 'another than in earlier filings, and at odds with profit and earnings per share'
            -- a first filing: nobody can say which of the two is wrong
            when item in ('paid_up_capital_inr', 'face_value_inr') and shares_usual is null and abs(shares_off) >= 1.7
                and face_value_inr in {{ face_values() | sql }}
                then 'capital over face value is at odds with profit over earnings per share'
            when item = 'net_profit_inr' and abs(earning_off) >= 1.7 and abs(off) >= 1.3 and sign(off) = sign(earning_off)
                and coalesce(abs(face_off), 0) < 0.5
                then 'at odds with earnings per share and with earlier filings'
            when item = 'eps_inr' and abs(earning_off) >= 1.7 and abs(off) >= 1.3 and sign(off) = -sign(earning_off)
                and coalesce(abs(face_off), 0) < 0.5
                then 'at odds with net profit and with earlier filings'
            when sense != 0 and abs(printed) > 3 * income_inr and off >= 1.3 and coalesce(abs(revenue_off), 0) < 1.7
                then printf(
                    '%.3g times the income of the period and %.3g times the median of earlier filings',
                    abs(printed) / nullif(income_inr, 0),
                    abs(printed) / nullif(usual, 0)
                )
            -- printed is s times what it was: what is left over is what it is too large by
            when sense != 0 and abs(tens) >= 2
                and abs(left_over_inr) > 0.5 * greatest(abs(printed), abs(printed) * pow(10.0, -tens))
                and abs(left_over_inr - sense * printed * (1 - pow(10.0, -tens))) <= 0.02 * greatest(abs(printed), abs(printed) * pow(10.0, -tens))
                then printf('the account adds up with it at 1e%+d of what is printed', -tens)
            when item = 'equity_inr' and printed > 1.01 * assets_inr and assets_inr > 0
                and coalesce(abs({{ decades('assets_inr', 'assets_usual') }}) < 1.7, true)
                then 'above total assets'
        end as reason,
    from items
)

select
    security_id,
    ticker,
    period_end,
    consolidated,
    known_from,
    known_to,
    item,
    printed,
    reason,
from doubted
where reason is not null

/*---
grain: [security_id, period_end, consolidated, known_from]
interval: [known_from, known_to]
references: {security_id: pit.securities.security_id}
knowable: "cast(timezone('Asia/Kolkata', known_to) + interval '4 hours' as date)"
checks:
  - "known_from < known_to"
columns:
  security_id: {type: BIGINT, doc: "the security"}
  ticker: {type: VARCHAR, doc: "symbol in the filing"}
  period_start: {type: DATE, doc: "first day of the period"}
  period_end: {type: DATE, doc: "last day of the period"}
  consolidated: {type: BOOLEAN, doc: "true for the group, false for the company alone"}
  known_from: {type: TIMESTAMPTZ, doc: "when the market could read it"}
  known_to: {type: TIMESTAMPTZ, doc: "when a restatement replaced it; 9999-12-31 while none has"}
  fiscal_quarter: {type: INTEGER, doc: "quarter of the company's financial year, 1 to 4; null where not said"}
  revenue_inr: {type: DOUBLE, unit: inr, doc: "revenue from operations; a bank's interest earned"}
  operating_profit_inr: {type: DOUBLE, unit: inr, doc: "profit before tax and finance costs, without other income"}
  other_income_inr: {type: DOUBLE, unit: inr, doc: "income outside operations"}
  interest_inr: {type: DOUBLE, unit: inr, doc: "finance costs"}
  tax_inr: {type: DOUBLE, unit: inr, doc: "tax expense"}
  net_profit_inr: {type: DOUBLE, unit: inr, doc: "profit after tax"}
  eps_inr: {type: DOUBLE, unit: inr per share, doc: "basic earnings per share"}
  paid_up_capital_inr: {type: DOUBLE, unit: inr, doc: "paid-up equity capital"}
  face_value_inr: {type: DOUBLE, unit: inr per share, doc: "face value of a share"}
  equity_inr: {type: DOUBLE, unit: inr, doc: "shareholders' equity"}
  assets_inr: {type: DOUBLE, unit: inr, doc: "total assets"}
  cfo_inr: {type: DOUBLE, unit: inr, doc: "cash flow from operations since the financial year began"}
---
One row is one version of one period's results as printed, faults and all, in force in `[known_from, known_to)`; `pit.fundamentals` is what may be
used of it. Every version has its row: what was read before a restatement, and before a mended load, stays readable then. A filing that turns up
when a later one of its period is known already replaces nothing, and of one that was taken back the version before it stands again.
The filing's ISIN, else its symbol, says whose it is; where the list writes a symbol the security only bears later, it is known from then on.
*/
{% set amounts = 'revenue_inr, operating_profit_inr, net_profit_inr, isin, period_start, fiscal_quarter, other_income_inr, interest_inr, tax_inr, '
    ~ 'eps_inr, paid_up_capital_inr, face_value_inr, equity_inr, assets_inr, cfo_inr' -%}
-- one of the copies that came with equal knowledge; a copy that became known later is a version of its own
with printed as (
    select *
    from raw.fundamentals
    qualify row_number() over (
        partition by symbol, period_end, consolidated, broadcast_at, known_at
        order by is_withdrawn desc nulls last, source_rank, ({{ amounts | sql }}) desc
    ) = 1
),

-- whose it may be: whoever ever bears its ISIN or its symbol (two joins, as one on either would compare all with all)
meant as (
    select
        printed.*,
        securities.security_id,
        securities.kind,
        securities.valid_from,
        securities.known_at as named_at,
        true as by_isin,
    from printed
    join pit.securities as securities on securities.isin = printed.isin
    union all
    select
        printed.*,
        securities.security_id,
        securities.kind,
        securities.valid_from,
        securities.known_at as named_at,
        false as by_isin,
    from printed
    join pit.securities as securities on securities.ticker = printed.symbol
    where coalesce(securities.isin != printed.isin, true)
),

-- whoever bore it by the broadcast, the newest of them; else whoever is the first to bear it, as others are not known then
owned as (
    select
        *,
        greatest(broadcast_at, known_at, named_at) as known_from,
    from meant
    where kind in ('equity', 'sme')
    qualify row_number() over (
        partition by symbol, period_end, consolidated, broadcast_at, known_at
        order by
            named_at <= broadcast_at desc,
            if(named_at > broadcast_at, named_at, null) nulls last,
            by_isin desc,
            if(named_at <= broadcast_at, valid_from, null) desc nulls last,
            valid_from,
            security_id
    ) = 1
),

-- what was told of each filing, until something else was
told as (
    select
        *,
        lead(known_from, 1, timestamptz '9999-12-31 00:00:00+00') over (
            partition by security_id, period_end, consolidated, broadcast_at order by known_from
        ) as told_to,
    from (
        select *
        from owned
        qualify row_number() over (
            partition by security_id, period_end, consolidated, broadcast_at, known_from
            order by known_at desc, is_withdrawn desc nulls last, source_rank, symbol, ({{ amounts | sql }}) desc
        ) = 1
    )
),

moments as (
    select distinct
        security_id,
        period_end,
        consolidated,
        known_from as moment,
    from told
),

-- of a period's filings that were not taken back, the one broadcast last; or nothing
standing as (
    select
        moments.security_id,
        moments.period_end,
        moments.consolidated,
        moments.moment,
        max(told.broadcast_at) as broadcast_at,
        arg_max(told.known_from, told.broadcast_at) as told_from,
    from moments
    left join told
        on told.security_id = moments.security_id
        and told.period_end = moments.period_end
        and told.consolidated = moments.consolidated
        and told.known_from <= moments.moment
        and moments.moment < told.told_to
        and told.is_withdrawn is not true
    group by all
),

turns as (
    select *
    from standing
    qualify (broadcast_at, told_from) is distinct from lag((broadcast_at, told_from)) over (
        partition by security_id, period_end, consolidated order by moment
    )
),

spans as (
    select
        *,
        lead(moment, 1, timestamptz '9999-12-31 00:00:00+00') over (partition by security_id, period_end, consolidated order by moment) as until,
    from turns
)

select
    told.security_id,
    told.symbol as ticker,
    told.period_start,
    told.period_end,
    told.consolidated,
    spans.moment as known_from,
    spans.until as known_to,
    told.fiscal_quarter,
    told.revenue_inr,
    told.operating_profit_inr,
    told.other_income_inr,
    told.interest_inr,
    told.tax_inr,
    told.net_profit_inr,
    told.eps_inr,
    told.paid_up_capital_inr,
    told.face_value_inr,
    told.equity_inr,
    told.assets_inr,
    told.cfo_inr,
from spans
join told
    on told.security_id = spans.security_id
    and told.period_end = spans.period_end
    and told.consolidated = spans.consolidated
    and told.broadcast_at = spans.broadcast_at
    and told.known_from = spans.told_from

/*---
grain: [security_id, period_end, consolidated, known_from]
interval: [known_from, known_to]
references: {security_id: pit.securities.security_id}
knowable: "cast(timezone('Asia/Kolkata', known_to) as date)"
checks:
  - "known_from < known_to"
  - {rows: "period_end <= cast(timezone('Asia/Kolkata', known_from) as date)", name: reported_after_its_period}
columns:
  security_id: {type: BIGINT, doc: "the security"}
  ticker: {type: VARCHAR, doc: "symbol in the filing"}
  period_start: {type: DATE, doc: "first day of the period"}
  period_end: {type: DATE, doc: "last day of the period"}
  consolidated: {type: BOOLEAN, doc: "true for the group, false for the company alone"}
  known_from: {type: TIMESTAMPTZ, doc: "when the market could read it"}
  known_to: {type: TIMESTAMPTZ, doc: "when a restatement replaced it; 9999-12-31 while none has"}
  revenue_inr: {type: DOUBLE, unit: inr, doc: "revenue from operations"}
  operating_profit_inr: {type: DOUBLE, unit: inr, doc: "profit before tax and finance costs, without other income"}
  other_income_inr: {type: DOUBLE, unit: inr, doc: "income outside operations"}
  interest_inr: {type: DOUBLE, unit: inr, doc: "finance costs"}
  tax_inr: {type: DOUBLE, unit: inr, doc: "tax expense"}
  net_profit_inr: {type: DOUBLE, unit: inr, doc: "profit after tax"}
  eps_inr: {type: DOUBLE, unit: inr per share, doc: "basic earnings per share"}
  paid_up_capital_inr: {type: DOUBLE, unit: inr, doc: "paid-up equity capital; null where not above zero"}
  face_value_inr: {type: DOUBLE, unit: inr per share, doc: "face value of a share"}
  equity_inr: {type: DOUBLE, unit: inr, doc: "shareholders' equity"}
  assets_inr: {type: DOUBLE, unit: inr, doc: "total assets"}
  cfo_inr: {type: DOUBLE, unit: inr, doc: "cash flow from operations"}
---
One row is one version of one period's results, valid for decisions in `[known_from, known_to)`: a filing is used by the first decision after its
broadcast and a restatement never before its own. The filing's ISIN, else its symbol, says whose it is; where the list writes a symbol the
security only bears later, it is known from then on. An interval may still be closed by a restatement, so a row is final only at `known_to`.
*/
with filings as (
    select *
    from raw.fundamentals
    {{ newest_of('symbol, period_end, consolidated, broadcast_at', 'revenue_inr, operating_profit_inr, net_profit_inr, isin, period_start') }}
),

-- whose it may be: whoever ever bears its ISIN or its symbol (two joins, as one on either would compare all with all)
meant as (
    select
        filings.*,
        securities.security_id,
        securities.kind,
        securities.valid_from,
        securities.known_at as named_at,
        true as by_isin,
    from filings
    join pit.securities as securities on securities.isin = filings.isin
    union all
    select
        filings.*,
        securities.security_id,
        securities.kind,
        securities.valid_from,
        securities.known_at as named_at,
        false as by_isin,
    from filings
    join pit.securities as securities on securities.ticker = filings.symbol
    where coalesce(securities.isin != filings.isin, true)
),

owned as (
    select
        security_id,
        symbol as ticker,
        period_start,
        period_end,
        consolidated,
        greatest(broadcast_at, known_at, named_at) as known_from,
        revenue_inr,
        operating_profit_inr,
        other_income_inr,
        interest_inr,
        tax_inr,
        net_profit_inr,
        eps_inr,
        if(paid_up_capital_inr > 0, paid_up_capital_inr, null) as paid_up_capital_inr,
        face_value_inr,
        equity_inr,
        assets_inr,
        cfo_inr,
        broadcast_at,
    from meant
    where kind in ('equity', 'sme')
    qualify row_number() over (
        partition by symbol, period_end, consolidated, broadcast_at
        order by
            named_at <= broadcast_at desc,
            by_isin desc,
            if(named_at <= broadcast_at, valid_from, null) desc nulls last,
            valid_from,
            security_id
    ) = 1
),

versions as (
    select *
    from owned
    qualify row_number() over (
        partition by security_id, period_end, consolidated, known_from order by broadcast_at desc, ticker
    ) = 1
)

select
    security_id,
    ticker,
    period_start,
    period_end,
    consolidated,
    known_from,
    lead(known_from, 1, timestamptz '9999-12-31 00:00:00+00') over (
        partition by security_id, period_end, consolidated order by known_from
    ) as known_to,
    revenue_inr,
    operating_profit_inr,
    other_income_inr,
    interest_inr,
    tax_inr,
    net_profit_inr,
    eps_inr,
    paid_up_capital_inr,
    face_value_inr,
    equity_inr,
    assets_inr,
    cfo_inr,
from versions

/*---
grain: [security_id, period_end, consolidated, known_from]
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

owned as (
    select
        securities.security_id,
        filings.symbol as ticker,
        filings.period_start,
        filings.period_end,
        filings.consolidated,
        greatest(filings.broadcast_at, filings.known_at, securities.known_at) as known_from,
        filings.revenue_inr,
        filings.operating_profit_inr,
        filings.other_income_inr,
        filings.interest_inr,
        filings.tax_inr,
        filings.net_profit_inr,
        filings.eps_inr,
        if(filings.paid_up_capital_inr > 0, filings.paid_up_capital_inr, null) as paid_up_capital_inr,
        filings.face_value_inr,
        filings.equity_inr,
        filings.assets_inr,
        filings.cfo_inr,
        filings.broadcast_at,
    from filings
    join pit.securities as securities on securities.isin = filings.isin or securities.ticker = filings.symbol
    where securities.kind in ('equity', 'sme')
    qualify row_number() over (
        partition by filings.symbol, filings.period_end, filings.consolidated, filings.broadcast_at
        order by
            securities.known_at <= filings.broadcast_at desc,
            coalesce(securities.isin = filings.isin, false) desc,
            if(securities.known_at <= filings.broadcast_at, securities.valid_from, null) desc nulls last,
            securities.valid_from,
            securities.security_id
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

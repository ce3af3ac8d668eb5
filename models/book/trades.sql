/*---
date: date
grain: [seq]
references: {seq: book.events.seq, date: pit.sessions.date, security_id: pit.securities.security_id}
order: [seq]
checks:
  - side in ('buy', 'sell')
  - qty > 0
  - signal_date < date
  - name: price_inside_the_range
    query: >-
      select trades.seq, trades.price, quotes.low, quotes.high from book.trades as trades
      left join book.quotes as quotes on quotes.date = trades.date and quotes.security_id = trades.security_id
      where quotes.low is null or trades.price not between quotes.low and quotes.high
  - name: no_trade_without_volume
    query: >-
      select trades.seq from book.trades as trades
      left join book.quotes as quotes on quotes.date = trades.date and quotes.security_id = trades.security_id
      where coalesce(quotes.volume, 0) <= 0
  - name: no_more_than_the_execution_lets
    query: >-
      with traded as (select date, portfolio, security_id, sum(qty) as qty from book.trades group by date, portfolio, security_id)
      select traded.* from traded
      left join book.quotes as quotes on quotes.date = traded.date and quotes.security_id = traded.security_id
      left join config.portfolios as portfolios on portfolios.portfolio = traded.portfolio
      left join config.execution as execution on execution.execution = portfolios.execution
      where traded.qty > coalesce(execution.participation, 1.0) * quotes.volume + 1e-6
  - name: purchases_keep_the_name_cap
    query: >-
      with most as (select portfolio, security_id, max(weight) as weight from portfolio.targets group by portfolio, security_id)
      select trades.seq, trades.weight_after, portfolios.name_cap from book.trades as trades
      inner join config.portfolios as portfolios on portfolios.portfolio = trades.portfolio
      left join most on most.portfolio = trades.portfolio and most.security_id = trades.security_id
      where trades.side = 'buy' and trades.weight_after > greatest(portfolios.name_cap, coalesce(most.weight, 0.0)) + 1e-9
  - name: nothing_is_bought_at_a_locked_upper_band_nor_sold_at_a_lower_one
    query: >-
      with quoted as (select *, lag(mark) over (partition by security_id order by session_no) as last_mark from book.quotes)
      select trades.seq from book.trades as trades
      inner join quoted on quoted.date = trades.date and quoted.security_id = trades.security_id
      where quoted.high = quoted.low and quoted.share_factor = 1 and quoted.cash_per_share = 0
      and if(trades.side = 'buy', quoted.high / nullif(quoted.last_mark, 0) - 1, 1 - quoted.high / nullif(quoted.last_mark, 0)) > 0.0191
  - name: cash_is_value_less_costs
    query: >-
      select seq from book.trades
      where abs(cash_inr - (case when side = 'sell' then value_inr else -value_inr end - cost_inr)) > 1e-9 * value_inr
columns:
  seq: {type: BIGINT, doc: "book.events"}
  date: {type: DATE, doc: "session of the fill"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  ticker: {type: VARCHAR, doc: "ticker on the date"}
  side: {type: VARCHAR, doc: "buy or sell"}
  qty: {type: BIGINT, unit: shares, doc: "whole shares"}
  price: {type: DOUBLE, unit: inr, doc: "price of the session that the portfolio's execution names, a stop's where one was hit; inside the session's range"}
  value_inr: {type: DOUBLE, unit: inr, doc: "qty × price"}
  stt_inr: {type: DOUBLE, unit: inr, doc: "securities transaction tax"}
  exchange_inr: {type: DOUBLE, unit: inr, doc: "exchange transaction charge"}
  ipft_inr: {type: DOUBLE, unit: inr, doc: "investor protection fund"}
  sebi_inr: {type: DOUBLE, unit: inr, doc: "regulator's fee"}
  stamp_inr: {type: DOUBLE, unit: inr, doc: "stamp duty"}
  gst_inr: {type: DOUBLE, unit: inr, doc: "service tax, later GST"}
  brokerage_inr: {type: DOUBLE, unit: inr, doc: "broker's fee of the order"}
  dp_inr: {type: DOUBLE, unit: inr, doc: "depository charge of a sale, its tax included"}
  slippage_inr: {type: DOUBLE, unit: inr, doc: "slippage floor: a part of the value"}
  impact_inr: {type: DOUBLE, unit: inr, doc: "what trading moved the price: coefficient × volatility × √(value / usual value) × value"}
  cost_inr: {type: DOUBLE, unit: inr, doc: "all of them together"}
  cash_inr: {type: DOUBLE, unit: inr, doc: "change of cash"}
  assumed: {type: BOOLEAN, doc: "some charge is not known for the date"}
  assumed_items: {type: VARCHAR, doc: "those charges"}
  signal_date: {type: DATE, doc: "evening that decided"}
  reason: {type: VARCHAR, doc: "enter, add, trim or exit; stop or scale where the overlay acted; tax where one had to be paid"}
  weight_after: {type: DOUBLE, unit: ratio, doc: "of the name in the portfolio after the fill, at the prices of the session"}
---
Fills of the paper book with every charge. A dead holding that is closed is no fill: it is an event of its own kind.
*/
select
    seq,
    date,
    portfolio,
    security_id,
    ticker,
    side,
    qty::bigint as qty,
    price,
    value_inr,
    stt_inr,
    exchange_inr,
    ipft_inr,
    sebi_inr,
    stamp_inr,
    gst_inr,
    brokerage_inr,
    dp_inr,
    slippage_inr,
    impact_inr,
    stt_inr + exchange_inr + ipft_inr + sebi_inr + stamp_inr + gst_inr + brokerage_inr + dp_inr + slippage_inr
    + coalesce(impact_inr, 0.0) as cost_inr,
    cash_inr,
    assumed,
    assumed_items,
    signal_date,
    reason,
    level as weight_after,
from book.events
where kind = 'fill'

/*---
grain: [date, security_id]
order: [security_id, date]
checks: ["close > 0", "low <= high"]
---
One row is a security's session, adjusted for splits, the last load of it kept. Only keys that stand twice are looked at again.
*/
with repeated as (
    select
        symbol,
        date,
        max(load_seq) as load_seq,
    from raw.prices
    group by symbol, date
    having count(*) > 1
)
select
    prices.date,
    securities.security_id,
    prices.open * prices.adj_factor as open,
    prices.high * prices.adj_factor as high,
    prices.low * prices.adj_factor as low,
    prices.close * prices.adj_factor as close,
    prices.close * prices.volume as turnover_inr,
from raw.prices as prices
join pit.securities as securities on securities.symbol = prices.symbol
left join repeated on repeated.symbol = prices.symbol and repeated.date = prices.date
where repeated.load_seq is null or repeated.load_seq = prices.load_seq

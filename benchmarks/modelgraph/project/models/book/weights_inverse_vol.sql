/*---
checks:
  - weight is not null
  - select date from book.weights_inverse_vol group by date having abs(sum(weight) - 1) > 1e-9
---
One row is a held name.
*/
select
    alpha.date,
    alpha.ticker,
    (1.0 / nullif(volatility.vol_60, 0)) / nullif(sum(1.0 / nullif(volatility.vol_60, 0)) over (partition by alpha.date), 0) as weight,
from signals.alpha as alpha
join prepared.volatility as volatility on volatility.date = alpha.date and volatility.ticker = alpha.ticker
where alpha.rank <= {{ top_n }}

with weights as (
    select 'equal' as book, date, ticker, weight from book.weights_equal
    union all
    select 'inverse_vol' as book, date, ticker, weight from book.weights_inverse_vol
),
dates as (
    select
        book,
        date,
        lead(date) over (partition by book order by date) as next_date,
    from (select distinct book, date from weights)
)
select
    weights.book,
    returns.date,
    sum(weights.weight * (exp(returns.log_ret) - 1)) as ret,
from weights
join dates on dates.book = weights.book and dates.date = weights.date
join prepared.returns as returns
    on returns.ticker = weights.ticker
    and returns.date > weights.date
    and returns.date <= coalesce(dates.next_date, returns.date)
group by weights.book, returns.date

select
    volatility.date,
    volatility.ticker,
    1.0 / nullif(volatility.downside_vol_60, 0) as value,
from prepared.volatility as volatility
join prepared.calendar as calendar on calendar.date = volatility.date and calendar.is_month_end

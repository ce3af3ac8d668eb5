select
    adv.date,
    adv.ticker,
    -ln(adv.adv_inr * names.free_float) as value,
from prepared.adv as adv
join prepared.calendar as calendar on calendar.date = adv.date and calendar.is_month_end
join staging.universe as names on names.ticker = adv.ticker

select
    adv.date,
    adv.ticker,
    names.sector,
    adv.adv_inr,
from prepared.adv as adv
join prepared.calendar as calendar on calendar.date = adv.date and calendar.is_month_end
join staging.universe as names on names.ticker = adv.ticker
where adv.adv_inr > {{ min_adv_inr }}

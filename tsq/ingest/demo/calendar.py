"""Sessions of the demo market: an invented but Indian-like calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

Dates = npt.NDArray[np.datetime64]

# a full session on a Saturday, as for a Union Budget; the date is invented
BUDGET_SATURDAY = date(2022, 1, 29)
# a one-hour evening session on a Sunday, with about a tenth of the usual volume
MUHURAT_SUNDAY = date(2023, 11, 12)

# month and day of the holidays that do not move
_FIXED = ((1, 26), (4, 14), (5, 1), (8, 15), (10, 2), (12, 25))
# Diwali moves with the moon: the market is shut on the day and on the next
_DIWALI = (
    date(2014, 10, 23),
    date(2015, 11, 11),
    date(2016, 10, 30),
    date(2017, 10, 19),
    date(2018, 11, 7),
    date(2019, 10, 27),
    date(2020, 11, 14),
    date(2021, 11, 4),
    date(2022, 10, 24),
    date(2023, 11, 12),
)


# Diwali hangs on the moon: the list of its year named the two days after the right one, and was put right a week before
MOVED_HOLIDAY, FIRST_NAMED, MOVED_ON = date(2022, 10, 24), date(2022, 10, 26), date(2022, 10, 17)
_NAMES = {
    (1, 26): "Republic Day",
    (4, 14): "Ambedkar Jayanti",
    (5, 1): "Maharashtra Day",
    (8, 15): "Independence Day",
    (10, 2): "Gandhi Jayanti",
    (12, 25): "Christmas",
}


# not strftime, which writes months in the language of the machine
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day_month_year(day: date) -> str:
    """Write a date as the exchange does: 05-Jul-2024."""
    return f"{day.day:02d}-{_MONTHS[day.month - 1]}-{day.year}"


def _good_friday(year: int) -> date:
    # Meeus, Astronomical Algorithms (1991), chapter 8: Gregorian Easter
    golden, century, in_century = year % 19, year // 100, year % 100
    skipped, leap_centuries = century // 4, century % 4
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - skipped - correction + 15) % 30
    weekday = (32 + 2 * leap_centuries + 2 * (in_century // 4) - epact - in_century % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1) - timedelta(days=2)


def holidays(first: date, last: date) -> tuple[date, ...]:
    """List the weekdays from `first` to `last` on which the demo market is shut, oldest first."""
    years = range(first.year, last.year + 1)
    days = {date(year, month, day) for year in years for month, day in _FIXED}
    days |= {_good_friday(year) for year in years}
    days |= set(_DIWALI) | {day + timedelta(days=1) for day in _DIWALI}
    return tuple(sorted(day for day in days if first <= day <= last and day.weekday() < 5))


def sessions(first: date, last: date) -> Dates:
    """List the sessions of the demo market from `first` to `last`.

    Weekdays that are no holiday, with one full session on a Saturday and one short session on a Sunday.

    Returns:
        datetime64[D], oldest first.
    """
    days = np.arange(np.datetime64(first), np.datetime64(last) + 1)
    extra = np.array([BUDGET_SATURDAY, MUHURAT_SUNDAY], dtype="datetime64[D]")
    shut = np.array(holidays(first, last), dtype="datetime64[D]")
    open_days = (np.is_busday(days) & ~np.isin(days, shut)) | np.isin(days, extra)
    return days[open_days]


@dataclass(frozen=True)
class Announcement:
    """What the exchange says of a day on `announced`, in the words of the calendar dataset."""

    day: date
    status: str
    name: str
    announced: date
    window: str | None = None


def announcements(first: date, last: date) -> tuple[Announcement, ...]:
    """List what the exchange of the demo market says of days from `first` to `last`, in the order in which it says it.

    Each December the list of the next year's holidays; weeks before its day each session outside the week; and one
    holiday of the lists that moved.
    """
    said = []
    for day in holidays(first, last):
        listed = FIRST_NAMED if day == MOVED_HOLIDAY else day
        said.append(Announcement(listed, "holiday", _name(day), date(day.year - 1, 12, 12)))
    said += [
        Announcement(FIRST_NAMED, "trading", "moved", MOVED_ON),
        Announcement(MOVED_HOLIDAY, "holiday", _name(MOVED_HOLIDAY), MOVED_ON),
        Announcement(BUDGET_SATURDAY, "special", "Union Budget", BUDGET_SATURDAY - timedelta(days=25)),
        Announcement(MUHURAT_SUNDAY, "short", "Muhurat", MUHURAT_SUNDAY - timedelta(days=25), "18:15-19:15"),
    ]
    return tuple(sorted(said, key=lambda one: (one.announced, one.day)))


def _name(day: date) -> str:
    if day == _good_friday(day.year):
        return "Good Friday"
    return _NAMES.get((day.month, day.day), "Diwali")

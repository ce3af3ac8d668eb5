"""Corporate actions from a raw row to a return, with published numbers and the versions between."""

from __future__ import annotations

import datetime as dt

import pytest
from model_bench import Bench, price, weekdays

DAYS = weekdays("2025-07-21", 12)
A = "INE066P01011"
CONFIRMED = {"symbol": "AAA", "status": "confirmed"}


def at(day: dt.date, hour: int = 4) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), dt.UTC)


def put_market(bench: Bench, closes: dict[dt.date, float], **opens: float) -> None:
    """Names that trade every day, and AAA at the given closes; `opens` by ISO date without dashes."""
    bench.put(
        "prices", [price(day, name, 100.0, isin=f"INE90{i}Z01010") for day in DAYS for i, name in enumerate("XYZ")]
    )
    bench.put(
        "prices",
        [price(day, "AAA", close, isin=A, open=opens.get(f"d{day:%Y%m%d}", close)) for day, close in closes.items()],
    )


def ret_of(bench: Bench, day: dt.date) -> float:
    bench.run("pit.returns")
    return bench.rows(f"select ret from pit.returns where ticker = 'AAA' and date = '{day}'")[0][0]


@pytest.mark.parametrize(
    ("terms", "factor"),
    [
        ({"kind": "bonus", "ratio_new": 1, "ratio_held": 1}, 1 / 2),
        ({"kind": "bonus", "ratio_new": 3, "ratio_held": 2}, 2 / 5),
        ({"kind": "split", "face_value_from": 10, "face_value_to": 1}, 1 / 10),
        ({"kind": "consolidation", "face_value_from": 1, "face_value_to": 10}, 10),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_more_shares_at_less_each_are_no_return(bench: Bench, terms: dict[str, object], factor: float) -> None:
    put_market(bench, {DAYS[0]: 100.0, DAYS[1]: 100.0 * factor})
    bench.put("corporate_actions", [CONFIRMED | terms | {"ex_date": DAYS[1], "known_at": at(DAYS[0])}])
    assert ret_of(bench, DAYS[1]) == pytest.approx(0)
    assert bench.rows("select price_factor, share_factor from pit.corporate_actions") == [
        (pytest.approx(factor), pytest.approx(1 / factor))
    ]


def test_the_rights_factor_of_inoxwind(bench: Bench) -> None:
    """5:78 at 120 rupees: the exchange announced 0.985224 on 25 July 2025 and restated it to 0.985730 on the 28th."""
    friday, monday, ex_date = dt.date(2025, 7, 25), dt.date(2025, 7, 28), dt.date(2025, 7, 29)
    put_market(bench, {dt.date(2025, 7, 24): 159.0, friday: 158.0, monday: 157.25, ex_date: 155.0})
    bench.put(
        "corporate_actions",
        [CONFIRMED | {"kind": "rights", "ex_date": ex_date, "price_factor": 0.985224, "known_at": at(friday)}],
    )
    terms = {"ratio_new": 5, "ratio_held": 78, "issue_price_inr": 120.0}
    bench.put(
        "corporate_actions", [CONFIRMED | {"kind": "rights", "ex_date": ex_date, "known_at": at(monday, 13), **terms}]
    )
    assert ret_of(bench, ex_date) == pytest.approx(155.0 / 0.985730 / 157.25 - 1, abs=1e-6)
    (now,) = bench.rows("select price_factor, share_factor, known_at from pit.corporate_actions")
    assert now == (pytest.approx(0.985730, abs=5e-7), 1.0, at(monday, 13))
    before = bench.rows("select price_factor, known_from, known_to from pit.replaced_actions")
    assert before == [(0.985224, at(friday), at(monday, 13))]


@pytest.mark.parametrize(
    ("cum", "discovered", "spun_off"), [(2841.85, 2580.00, 261.85), (481.60, 455.60, 26.00)], ids=["RELIANCE", "ITC"]
)
@pytest.mark.parametrize("given", [True, False], ids=["price on file", "open of the day"])
def test_a_demerger_leaves_what_the_special_session_discovers(
    bench: Bench, cum: float, discovered: float, spun_off: float, given: bool
) -> None:
    opens = {f"d{DAYS[1]:%Y%m%d}": 1.0 if given else discovered}
    put_market(bench, {DAYS[0]: cum, DAYS[1]: discovered * 1.01}, **opens)
    more = {"ex_price_inr": discovered} if given else {}
    bench.put(
        "corporate_actions", [CONFIRMED | more | {"kind": "demerger", "ex_date": DAYS[1], "known_at": at(DAYS[0])}]
    )
    assert ret_of(bench, DAYS[1]) == pytest.approx(0.01)
    (factor, shares) = bench.rows("select price_factor, share_factor from pit.corporate_actions")[0]
    assert cum * (1 - factor) == pytest.approx(spun_off)
    assert shares == 1


def test_a_dividend_is_taken_as_crsp_does(bench: Bench) -> None:
    """VEDL, 16 rupees on 27 August 2025: −1.3547 %, where a price adjusted by 1 − D/P would make it −1.4046 %."""
    put_market(bench, {DAYS[0]: 450.30, DAYS[1]: 428.20})
    bench.put(
        "corporate_actions",
        [CONFIRMED | {"kind": "dividend", "ex_date": DAYS[1], "cash_inr": 16.0, "known_at": at(DAYS[0])}],
    )
    ret = ret_of(bench, DAYS[1])
    assert ret == pytest.approx(-0.013547, abs=5e-7)
    assert ret != pytest.approx(428.20 / (450.30 - 16) - 1, abs=1e-5)


def test_what_is_cancelled_before_its_ex_date_never_happens(bench: Bench) -> None:
    put_market(bench, {DAYS[0]: 100.0, DAYS[1]: 101.0, DAYS[2]: 102.0})
    action = CONFIRMED | {"kind": "bonus", "ex_date": DAYS[2], "price_factor": 0.5}
    bench.put("corporate_actions", [action | {"known_at": at(DAYS[0], 14)}])
    bench.put("corporate_actions", [action | {"price_factor": None, "status": "cancelled", "known_at": at(DAYS[1])}])
    assert ret_of(bench, DAYS[2]) == pytest.approx(102 / 101 - 1)
    assert bench.rows("select count(*) from pit.corporate_actions") == [(0,)]
    assert bench.rows("select known_from, known_to from pit.replaced_actions") == [(at(DAYS[0], 14), at(DAYS[1]))]

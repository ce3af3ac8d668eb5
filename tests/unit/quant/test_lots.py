"""Lots through purchases, sales and corporate actions, worked by hand; who published a case is named at it."""

import numpy as np
import pytest

from tsq.errors import TsqError
from tsq.quant.lots import NO_LOTS, Lots, bonus, bonus_undone, bought, cost_by_law, demerged, long_from, split, taken

ONE = np.array([0])


def day(text):
    return np.datetime64(text)


def days(*text):
    return np.array(text, "M8[D]")


def lot(acquired, qty, cost, fair=np.nan):
    return Lots(ONE, np.array([1]), days(acquired), np.array([float(qty)]), np.array([float(cost)]), np.array([fair]))


def of_name(*rows):
    """Lots of one name from rows of acquired, qty, cost; numbered from 1."""
    lots = NO_LOTS
    for number, (acquired, qty, cost) in enumerate(rows, 1):
        lots, _ = bought(lots, ONE, np.array([float(qty)]), np.array([float(cost)]), day(acquired), number)
    return lots


def told(lots):
    return list(
        zip(lots.ids.tolist(), lots.acquired.astype(str).tolist(), lots.qty.tolist(), lots.cost.tolist(), strict=True)
    )


def gain(lots, price, sold, expenses=0.0):
    """Gain of selling all of some lots at a price, rupees."""
    sale = lots.qty * price
    is_long = long_from(lots.acquired) <= day(sold)
    return float(np.sum(sale - expenses - cost_by_law(lots, sale, day(sold), is_long)))


@pytest.mark.parametrize(
    ("acquired", "sold", "strict", "days365"),
    [
        ("2024-01-01", "2024-12-30", False, False),
        ("2024-01-01", "2024-12-31", False, True),  # 365 days in a leap year
        ("2024-01-01", "2025-01-01", False, True),  # the anniversary is not more than twelve months
        ("2024-01-01", "2025-01-02", True, True),
        ("2023-03-15", "2024-03-14", False, True),  # 29 February lies between
        ("2023-03-15", "2024-03-15", False, True),
        ("2023-03-15", "2024-03-16", True, True),
        ("2024-02-29", "2025-02-27", False, False),
        ("2024-02-29", "2025-02-28", False, True),  # the twelve months end with February
        ("2024-02-29", "2025-03-01", True, True),
        ("2023-02-28", "2024-02-28", False, True),
        ("2023-02-28", "2024-02-29", True, True),
        ("2022-12-31", "2023-12-31", False, True),
        ("2022-12-31", "2024-01-01", True, True),
    ],
)
def test_long_is_more_than_twelve_months(acquired, sold, strict, days365):
    """s.2(42A): short if held for not more than twelve months; brokers' reports count 365 days (TradingQnA 184760)."""
    assert (long_from(days(acquired))[0] <= day(sold)) == strict
    assert (long_from(days(acquired), "days365")[0] <= day(sold)) == days365


def test_a_convention_is_one_that_is_known():
    with pytest.raises(TsqError, match="holding_period is 'lunar'"):
        long_from(days("2024-01-01"), "lunar")


def test_first_in_first_out():
    """s.45(2A), CBDT Circular 768."""
    lots = of_name(("2023-01-02", 10, 1000), ("2023-06-01", 20, 4000), ("2023-09-01", 5, 1500))
    rest, gone = taken(lots, ONE, np.array([15.0]))
    assert told(gone) == [(1, "2023-01-02", 10.0, 1000.0), (2, "2023-06-01", 5.0, 1000.0)]
    assert told(rest) == [(2, "2023-06-01", 15.0, 3000.0), (3, "2023-09-01", 5.0, 1500.0)]


def test_accounts_are_not_pooled():
    """Delhi ITAT, Radhika Roy 2019: each account sells its own oldest lot, whatever an older one in another account is."""
    old, young = of_name(("2022-01-03", 10, 500)), of_name(("2023-11-01", 10, 1500))
    _, gone = taken(young, ONE, np.array([10.0]))
    assert told(gone) == [(1, "2023-11-01", 10.0, 1500.0)]
    assert told(old) == [(1, "2022-01-03", 10.0, 500.0)]


def test_names_do_not_mix():
    lots, _ = bought(NO_LOTS, np.array([0, 2]), np.array([5.0, 7.0]), np.array([50.0, 70.0]), day("2024-01-01"), 1)
    lots, _ = bought(lots, np.array([0, 1]), np.array([1.0, 2.0]), np.array([30.0, 40.0]), day("2024-02-01"), 3)
    assert lots.names.tolist() == [0, 0, 1, 2]
    rest, gone = taken(lots, np.array([0, 2]), np.array([5.5, 7.0]))
    assert list(zip(gone.names.tolist(), gone.qty.tolist(), gone.cost.tolist(), strict=True)) == [
        (0, 5.0, 50.0),
        (0, 0.5, 15.0),
        (2, 7.0, 70.0),
    ]
    assert list(zip(rest.names.tolist(), rest.qty.tolist(), rest.cost.tolist(), strict=True)) == [
        (0, 0.5, 15.0),
        (1, 2.0, 40.0),
    ]


def test_more_than_there_is_cannot_be_sold():
    with pytest.raises(TsqError, match="11 shares are sold of a name whose lots hold 10"):
        taken(of_name(("2024-01-01", 10, 100)), ONE, np.array([11.0]))
    with pytest.raises(TsqError, match="lots hold 0"):
        taken(NO_LOTS, ONE, np.array([1.0]))


@pytest.mark.parametrize(
    ("cost", "fair", "price", "qty", "sold", "taxed"),
    [
        (100, 200, 250, 1, "2018-04-01", 50),  # CBDT FAQ 4-Feb-2018, four cases
        (100, 200, 150, 1, "2018-04-01", 0),
        (100, 50, 150, 1, "2018-04-01", 50),
        (100, 200, 50, 1, "2018-04-01", -50),
        (200_000, 250_000, 300, 1000, "2018-05-19", 50_000),  # Geojit
        (12_000, 15_000, 18_000, 1, "2018-06-01", 3_000),  # taxguru
        (1_000, 750, 3_000, 1, "2018-06-01", 2_000),  # DSIJ
        (50_000, 65_502.22, 60_010.10, 1, "2019-06-01", 0),  # a thread on the return's utility
        (100, 200, 250, 1, "2018-03-28", 150),  # before the tax there is nothing to protect
    ],
)
def test_gains_up_to_31_january_2018_are_protected(cost, fair, price, qty, sold, taxed):
    lots = lot("2015-01-01", qty, cost, float(fair))
    assert gain(lots, price, sold) == pytest.approx(taxed)


def test_only_long_term_gains_on_what_was_held_then_are_protected():
    assert gain(lot("2018-01-31", 1, 100, 200.0), 250, "2019-02-01") == 50
    assert gain(lot("2018-01-31", 1, 100, 200.0), 250, "2019-01-31") == 150  # short-term
    assert gain(lot("2018-02-01", 1, 100, 200.0), 250, "2019-04-01") == 150  # bought a day late
    assert gain(lot("2015-01-01", 1, 100), 250, "2019-04-01") == 150  # no price of that day


def test_what_a_share_was_worth_then_is_split_with_it():
    """freefincal: the price of 31 January 2018 over the split factor."""
    lots = split(lot("2015-01-01", 10, 1_000, 2_000.0), np.array([10.0]))
    assert gain(lots, 25.0, "2019-06-03") == 100 * 25 - 2_000
    _, half = taken(lots, ONE, np.array([50.0]))
    assert gain(half, 25.0, "2019-06-03") == 50 * 25 - 1_000


def test_a_split_keeps_cost_and_day():
    """10 at 1,000 bought in January 2023 are 100 from September; sold at 120 in February 2024 the gain is long-term."""
    lots = split(of_name(("2023-01-10", 10, 10_000)), np.array([10.0]))
    assert told(lots) == [(1, "2023-01-10", 100.0, 10_000.0)]
    assert long_from(lots.acquired)[0] <= day("2024-02-01")
    assert gain(lots, 120, "2024-02-01") == 2_000


def test_a_bonus_costs_nothing_and_is_the_youngest():
    lots, added = bonus(of_name(("2020-01-01", 1, 100)), np.array([2.0]), day("2021-06-01"), 2)
    assert told(lots) == [(1, "2020-01-01", 1.0, 100.0), (2, "2021-06-01", 1.0, 0.0)]
    assert told(added) == [(2, "2021-06-01", 1.0, 0.0)]
    rest, gone = taken(lots, ONE, np.array([1.0]))
    assert told(gone) == [(1, "2020-01-01", 1.0, 100.0)]
    assert long_from(rest.acquired)[0] == day("2022-06-02")


def test_bonus_on_a_protected_share():
    """Mint 28-Dec-2021: one share at 100, worth 120 then, a 1:1 bonus later; both sold at 75 are a gain of 50."""
    lots, _ = bonus(lot("2017-01-02", 1, 100, 120.0), np.array([2.0]), day("2019-06-03"), 2)
    each = [gain(lots.at(np.array([place])), 75, "2021-12-28") for place in (0, 1)]
    assert each == [-25, 75]
    assert sum(each) == 50


def test_a_bonus_of_before_31_january_2018_is_protected_itself():
    """Both shares are worth 60 on that day: sold at 75 the old one lost 25 and the bonus gained 15."""
    lots, _ = bonus(lot("2016-01-04", 1, 100), np.array([2.0]), day("2017-09-01"), 2)
    lots = Lots(lots.names, lots.ids, lots.acquired, lots.qty, lots.cost, np.array([60.0, 60.0]))
    assert [gain(lots.at(np.array([place])), 75, "2021-12-28") for place in (0, 1)] == [-25, 15]


def test_a_fraction_of_a_bonus_is_part_of_the_bonus():
    lots, _ = bonus(of_name(("2023-01-02", 3, 300)), np.array([1.5]), day("2024-01-01"), 2)
    rest, gone = taken(lots, ONE, np.array([0.5]), newest_first=True)
    assert told(gone) == [(2, "2024-01-01", 0.5, 0.0)]
    assert rest.qty.tolist() == [3.0, 1.0]


def test_a_bonus_that_was_none_is_taken_back():
    before = of_name(("2023-01-02", 10, 1_000), ("2023-02-01", 10, 2_000))
    lots, _ = bonus(before, np.array([2.0]), day("2024-01-01"), 3)
    assert told(bonus_undone(lots, np.array([0.5]))) == told(before)


def test_what_is_taken_back_of_bought_shares_leaves_their_cost_behind():
    lots = bonus_undone(of_name(("2023-01-02", 10, 1_000), ("2023-02-01", 10, 2_000)), np.array([0.75]))
    assert lots.qty.tolist() == [10.0, 5.0]
    assert lots.cost.tolist() == pytest.approx([1_000 + 1_000 * 10 / 15, 1_000 + 1_000 * 5 / 15])


def test_rights_cost_what_is_paid_and_run_from_their_allotment():
    lots = of_name(("2022-01-03", 100, 10_000), ("2023-05-02", 20, 1_200))
    _, gone = taken(lots, ONE, np.array([110.0]))
    assert told(gone) == [(1, "2022-01-03", 100.0, 10_000.0), (2, "2023-05-02", 10.0, 600.0)]
    assert (long_from(gone.acquired) <= day("2024-02-01")).tolist() == [True, False]


def test_a_demerger_splits_the_cost_and_keeps_the_days():
    """Reliance and Jio Financial, filing of 20-Jul-2023: 95.32 % and 4.68 %."""
    rest, spun = demerged(of_name(("2021-01-04", 1, 2_000)), np.array([0.9532]))
    assert rest.cost[0] == pytest.approx(1_906.40)
    assert spun.cost[0] == pytest.approx(93.60)
    assert rest.acquired.tolist() == spun.acquired.tolist() == [day("2021-01-04").item()]
    assert len(demerged(of_name(("2021-01-04", 1, 2_000)), np.array([1.0]))[1].names) == 0


def test_parts_of_shares_leave_nothing_behind():
    lots = split(of_name(("2023-01-02", 1, 10), ("2023-02-01", 1, 10), ("2023-03-01", 1, 10)), np.array([1 / 3]))
    rest, gone = taken(lots, ONE, np.array([1.0]))
    assert len(rest.names) == 0
    assert gone.cost.sum() == 30.0

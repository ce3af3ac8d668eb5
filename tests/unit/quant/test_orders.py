"""Order lists: whole shares, every check by itself and with the others, nothing ever rounded up."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsq.quant.orders import Name, Rules, check, per_session, slices

RULES = Rules(
    value_inr=1_000_000.0,
    cash_inr=1_000_000.0,
    name_cap=0.10,
    sector_cap=0.30,
    cap_unlabelled=False,
    no_trade_band=0.0,
    participation=0.10,
    most_exit_days=None,
    sessions=1,
    most_sessions=5,
    least_inr=1000.0,
    cost=0.0,
)
NAME = Name("ABC", "INE000A01011", "EQ", "Metals", 0, 0, 0.05, 100.0, 1e8)


def only(name: Name, rules: Rules = RULES) -> tuple[int, int, tuple[str, ...]]:
    (order,) = check([name], rules)
    return order.wanted, order.change, order.reasons


def test_an_order_goes_to_whole_shares_below_the_weight() -> None:
    assert only(replace(NAME, close=333.0)) == (150, 150, ())
    assert only(replace(NAME, weight=0.0, held=7, close=333.0)) == (-7, -7, ())
    assert check([replace(NAME, held=500)], RULES) == []


def test_exposure_scales_what_is_wanted() -> None:
    assert only(NAME, replace(RULES, exposure=0.5)) == (250, 250, ())


@pytest.mark.parametrize(
    ("name", "rules", "change", "reason"),
    [
        ({}, {"frozen": "audit under way"}, 0, "frozen: audit under way"),
        ({"barred": (("buy", "results on Friday"),)}, {}, 0, "barred: results on Friday"),
        ({"barred": (("both", "court case"),), "held": 900, "weight": 0.0}, {}, 0, "barred: court case"),
        ({"close": None, "held": 3, "weight": 0.0}, {}, 0, "has no price"),
        ({"held": -5, "weight": 0.0}, {}, 0, "more was sold than bought: load the trades that are missing"),
        ({"is_quiet": True}, {}, 0, "did not trade in the last session"),
        ({"series": "BZ", "may_buy": False}, {}, 0, "series BZ may not be bought"),
        (
            {"series": "BE", "held": 300, "unsettled": 100, "weight": 0.0},
            {},
            -200,
            "trade for trade (BE): bought in the last session",
        ),
        ({"held": 450}, {"no_trade_band": 0.01}, 0, "inside the no-trade band"),
        ({"weight": 0.15}, {}, 1000, "name cap of 10%"),
        ({"weight": 0.05}, {"sector_cap": 0.02}, 200, "sector cap of 2% (Metals)"),
        ({"adv_inr": 1e5}, {"most_exit_days": 3.0}, 300, "more than 3 sessions to sell again"),
        ({"adv_inr": 5e4}, {}, 250, "more than 5 sessions at 10% of the usual value"),
        ({"adv_inr": None}, {}, 0, "its usual value is not known"),
        ({}, {"cash_inr": 30_000.0}, 300, "cash"),
        ({"weight": 0.0005}, {}, 0, "worth less than 1000"),
    ],
)
def test_each_check_cuts_and_says_why(name: dict, rules: dict, change: int, reason: str) -> None:
    assert only(replace(NAME, **name), replace(RULES, **rules))[1:] == (change, (reason,))


def test_a_bar_on_one_side_leaves_the_other() -> None:
    assert only(replace(NAME, barred=(("buy", "x"),), held=900, weight=0.0))[1:] == (-900, ())


def test_an_exit_is_never_inside_the_no_trade_band() -> None:
    rules = replace(RULES, no_trade_band=0.5)
    assert only(replace(NAME, held=20, weight=0.0), rules)[1:] == (-20, ())
    assert only(NAME, rules)[1:] == (500, ())


def test_rolling_series_may_sell_what_was_bought_yesterday() -> None:
    assert only(replace(NAME, held=300, unsettled=100, weight=0.0))[1:] == (-300, ())


def test_sales_pay_for_purchases() -> None:
    sold = replace(NAME, ticker="OLD", held=500, weight=0.0)
    rules = replace(RULES, cash_inr=0.0, cost=0.01)
    orders = check([NAME, sold], rules)
    assert [(order.name.ticker, order.change) for order in orders] == [("OLD", -500), ("ABC", 490)]
    assert orders[1].reasons == ("cash",)


def test_a_refused_sale_pays_for_nothing() -> None:
    sold = replace(NAME, ticker="OLD", held=500, weight=0.0, is_quiet=True)
    assert [order.change for order in check([NAME, sold], replace(RULES, cash_inr=0.0))] == [0, 0]


def test_a_sector_keeps_its_cap_over_all_that_is_held() -> None:
    held = replace(NAME, ticker="BIG", held=2500, weight=0.25)
    orders = check([held, NAME, replace(NAME, ticker="DEF")], RULES)
    assert [(order.name.ticker, order.change) for order in orders] == [("ABC", 250), ("DEF", 250)]


def test_a_sale_that_is_cut_makes_no_room_in_its_sector() -> None:
    """300,000 of a sector capped at 300,000: only what can be sold in five sessions (250 shares) makes room."""
    stuck = replace(NAME, ticker="OLD", held=3000, weight=0.0, adv_inr=5e4)
    orders = check([NAME, stuck], RULES)
    assert [(order.name.ticker, order.change) for order in orders] == [("OLD", -250), ("ABC", 250)]


def test_names_without_a_sector_are_capped_where_the_knob_says_so() -> None:
    names = [replace(NAME, ticker=ticker, sector=None) for ticker in ("A", "B")]
    rules = replace(RULES, sector_cap=0.06)
    assert [order.change for order in check(names, rules)] == [500, 500]
    assert [order.change for order in check(names, replace(rules, cap_unlabelled=True))] == [300, 300]


def test_an_order_is_spread_over_sessions() -> None:
    assert slices(10, 100, RULES) == [10]
    assert slices(-10, 4, RULES) == [-4, -3, -3]
    assert slices(10, 100, replace(RULES, sessions=3)) == [4, 3, 3]
    assert slices(2, 100, replace(RULES, sessions=3)) == [1, 1]
    assert slices(3, 0.2, RULES) == [1, 1, 1]
    assert per_session(replace(NAME, adv_inr=1e5), RULES) == 100


names = st.builds(
    Name,
    ticker=st.text("ABCDEFGH", min_size=1, max_size=4),
    isin=st.none(),
    series=st.sampled_from(["EQ", "BE"]),
    sector=st.sampled_from([None, "Metals", "Energy"]),
    held=st.integers(0, 5000),
    unsettled=st.just(0),
    weight=st.floats(0.0, 0.2),
    close=st.floats(5.0, 5000.0),
    adv_inr=st.floats(1e4, 1e9),
    is_quiet=st.booleans(),
)


@given(
    held=st.lists(names, max_size=8, unique_by=lambda name: name.ticker),
    cash=st.floats(0.0, 1e6),
    days=st.none() | st.floats(0.5, 10),
)
def test_a_list_keeps_every_promise(held: list[Name], cash: float, days: float | None) -> None:
    value = cash + sum(name.held * (name.close or 0) for name in held) + 1.0
    rules = replace(RULES, value_inr=value, cash_inr=cash, most_exit_days=days, cost=0.002, no_trade_band=0.01)
    orders = check(held, rules)
    paid = sum(one.value_inr for one in orders if one.change > 0) * 1.002
    got = sum(one.value_inr for one in orders if one.change < 0) * 0.998
    assert paid <= cash + got + 1e-6
    for one in orders:
        assert abs(one.change) <= abs(one.wanted)
        assert one.change * one.wanted >= 0
        assert one.name.held + one.change >= 0
        assert (one.change == one.wanted) == (not one.reasons)
        assert sum(slices(one.change, per_session(one.name, rules), rules)) == one.change
        per_day = per_session(one.name, rules)
        assert max(map(abs, slices(one.change, per_day, rules)), default=0) <= max(per_day, 1) + 1e-6
        if one.change > 0:
            after = (one.name.held + one.change) * (one.name.close or 0)
            assert after <= rules.name_cap * value + 1e-6
            assert one.value_inr >= rules.least_inr
    for sector in ("Metals", "Energy"):
        change = {one.name.ticker: one.change for one in orders if one.name.sector == sector}
        if any(shares > 0 for shares in change.values()):
            total = sum((n.held + change.get(n.ticker, 0)) * (n.close or 0) for n in held if n.sector == sector)
            assert total <= rules.sector_cap * value + 1e-6

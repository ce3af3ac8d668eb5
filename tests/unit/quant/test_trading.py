"""What a session lets trade, what waits for the next one, and what borrowing costs: small cases, worked by hand."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from fold_bench import NAN, RATES, action, market_of, policy_of, run, seen

from tsq.errors import TsqError
from tsq.quant.book import NO_ORDERS, Book, Day, Execution, Orders
from tsq.quant.charges import BUY, SELL
from tsq.quant.ledger import STEPS
from tsq.quant.trading import execute, is_locked

FLAT = [[10.0]] * 6
DEPOSITORY = RATES.with_columns(
    item=RATES["item"].replace("STT_DELIVERY", "DP_ACME"),
    rate=RATES["rate"] * 0.0 + 16.0,
    unit=RATES["unit"].replace("ratio", "inr_per_isin_day_plus_gst"),
    side=RATES["side"].replace("both", "sell"),
).vstack(RATES.with_columns(item=RATES["item"].replace("STT_DELIVERY", "BROKERAGE_ACME"), rate=RATES["rate"] * 0.0))


def orders(qty, *, names=(0,), ends=0):
    n = len(names)
    return Orders(np.array(names), np.array(qty), np.zeros(n, np.int64), np.array(["exit"] * n), np.full(n, ends))


def day_of(market, row=1, **policy):
    return Day(row, market, policy_of(market, {0: {0: 1.0}}, **policy))


# -- how much a session takes -------------------------------------------------------------------------------------------
def test_a_purchase_takes_its_part_of_the_volume_and_the_rest_waits():
    events = run(market_of(FLAT, volume=400.0), {0: {0: 1.0}}, execution=Execution(participation=0.1))
    assert seen(events[1:], "date", "qty", "signal_date") == [
        (dt.date(2024, 1, 2), 40.0, dt.date(2024, 1, 1)),
        (dt.date(2024, 1, 3), 40.0, dt.date(2024, 1, 1)),
        (dt.date(2024, 1, 4), 20.0, dt.date(2024, 1, 1)),
    ]


def test_a_sale_takes_its_part_of_the_volume_and_the_rest_waits():
    volume = [[1e6]] * 3 + [[30.0]] * 3
    events = run(market_of(FLAT, volume=volume), {0: {0: 1.0}, 2: {}}, execution=Execution(participation=1.0))
    assert seen(events[2:], "shares") == [(-30,), (-30,), (-30,)]


def test_the_part_of_the_usual_value_is_taken_at_the_price():
    # a tenth of 3,000 rupees is 30 shares at 10; a name of which nothing is known has no such limit
    market = market_of([[10.0, 10.0]] * 4, adv=[[3000.0, NAN]])
    events = run(market, {0: {0: 0.4, 1: 0.4}}, execution=Execution(adv_participation=0.1))
    assert seen(events[1:], "security_id", "qty") == [(100, 30.0), (101, 40.0), (100, 10.0)]


def test_what_a_dearer_fill_of_the_session_took_leaves_fewer_rupees_to_a_cheaper_one():
    # a tenth of 3,000 rupees: 20 bought at 10 leave 100, which are 12 shares at 8; by shares alone 17 would be left
    day = day_of(market_of(FLAT, adv=3000.0), execution=Execution(adv_participation=0.1))
    book, _ = execute(Book(1000.0, np.array([50])), day, BUY, orders([20]))
    book, rest = execute(book, day, SELL, orders([40]), price=np.array([8.0]))
    assert (book.shares.tolist(), rest.qty.tolist()) == ([58], [28])


def test_a_limit_may_be_another_on_every_day_and_name():
    limits = np.full((6, 1), 0.1)
    limits[2] = 0.02
    events = run(market_of(FLAT, adv=3000.0), {0: {0: 0.9}}, execution=Execution(adv_participation=limits))
    assert seen(events[1:], "qty") == [(30.0,), (6.0,), (30.0,), (24.0,)]


def test_nothing_trades_without_volume():
    assert len(run(market_of(FLAT, volume=0.0), {0: {0: 1.0}})) == 1


def test_an_order_is_spread_in_equal_parts():
    events = run(market_of(FLAT), {0: {0: 1.0}}, execution=Execution(sessions=3))
    assert seen(events[1:], "qty") == [(34.0,), (33.0,), (33.0,)]


def test_what_a_session_of_the_spread_cannot_take_goes_to_the_next():
    prices = [[10.0], [10.0], [NAN], [10.0], [10.0]]
    events = run(market_of(prices), {0: {0: 0.9}}, execution=Execution(sessions=3))
    assert seen(events[1:], "date", "qty") == [(dt.date(2024, 1, 2), 30.0), (dt.date(2024, 1, 4), 60.0)]


def test_a_newer_decision_replaces_the_rest_of_a_purchase():
    events = run(market_of(FLAT, volume=200.0), {0: {0: 1.0}, 1: {0: 0.2}}, execution=Execution(participation=0.1))
    assert seen(events[1:], "qty") == [(20.0,)]


def test_a_purchase_that_waits_counts_in_new_shares_after_a_split():
    prices = [[10.0], [NAN], [5.0], [5.0]]
    market = market_of(prices, mark=[[10.0], [10.0], [5.0], [5.0]], actions={2: action(0, 2.0, label="split")})
    assert seen(run(market, {0: {0: 1.0}})[1:], "date", "qty") == [(dt.date(2024, 1, 3), 200.0)]


def test_a_purchase_of_a_name_that_died_is_gone():
    market = market_of([[10.0], [NAN], [NAN], [10.0]], deaths={2: np.array([0])})
    assert len(run(market, {0: {0: 1.0}})) == 1


def test_a_purchase_that_waits_takes_no_name_above_its_weight():
    # half of 1,000 was 50 shares; at 20 a share half of it is 25
    events = run(market_of([[10.0], [NAN], [20.0]]), {0: {0: 0.5}})
    assert seen(events[1:], "qty", "level") == [(25.0, 0.5)]


def test_the_cap_of_a_name_holds_when_it_trades_and_a_fund_may_have_more():
    capped = run(market_of(FLAT), {0: {0: 0.3}}, name_cap=0.2, exposure=lambda book, day, targets: targets)
    assert capped[1]["level"] == 0.3  # the decision itself wanted more: a fund
    doubled = {"exposure": lambda book, day, targets: replace(targets, weights=targets.weights * 2.0)}
    assert run(market_of(FLAT), {0: {0: 0.15}}, name_cap=0.2, **doubled)[1]["level"] == 0.2


def test_two_sales_of_a_name_in_a_session_share_its_volume_and_its_depository_charge():
    market = market_of(FLAT, volume=500.0)
    day = day_of(market, rates=DEPOSITORY, plan="ACME", execution=Execution(participation=0.1))
    book, rest = execute(Book(0.0, np.array([100])), day, SELL, orders([30]))
    assert not len(rest.names)
    book, rest = execute(book, day, SELL, orders([60]), np.array([9.95]))
    assert rest.qty.tolist() == [40]
    first, second = book.events
    assert (first.qty.tolist(), second.qty.tolist()) == ([30.0], [20.0])
    assert first.costs[0, 7] > 0.0
    assert second.costs[0, 7] == 0.0
    assert book.cash == pytest.approx(300.0 + 199.0 - first.costs.sum())


def test_never_more_is_sold_than_there_is():
    book, rest = execute(Book(0.0, np.array([7])), day_of(market_of(FLAT)), SELL, orders([10]))
    assert book.shares.tolist() == [0]
    assert rest.qty.tolist() == [3]


# -- bands --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("price", "low", "buys", "sells"),
    [
        (10.5, 10.5, False, True),  # all of the session at the upper band
        (9.5, 9.5, True, False),
        (10.5, 10.4, True, True),  # it traded below: not locked
        (10.1, 10.1, True, True),  # a single print near the close before
    ],
)
def test_a_locked_band_lets_only_one_side_trade(price, low, buys, sells):
    market = market_of([[10.0], [price]], high=[[10.0], [price]], low=[[10.0], [low]])
    day = day_of(market)
    assert [not is_locked(day, side, np.array([0]))[0] for side in (BUY, SELL)] == [buys, sells]
    for side, can in ((BUY, buys), (SELL, sells)):
        book, rest = execute(Book(1e4, np.array([50])), day, side, orders([10]))
        assert len(book.events) == can
        assert rest.qty.tolist() == ([] if can else [10])


def test_a_split_is_no_band():
    prices = [[10.0], [5.0]]
    market = market_of(prices, high=prices, low=prices, actions={1: action(0, 2.0, label="split")})
    assert not is_locked(day_of(market), SELL, np.array([0]))[0]


def test_a_sale_at_a_locked_band_is_carried():
    prices = [[10.0], [10.0], [9.0], [8.1], [8.0]]
    high = [[11.0], [11.0], [9.0], [8.1], [8.4]]
    low = [[9.0], [9.0], [9.0], [8.1], [7.9]]
    events = run(market_of(prices, high=high, low=low), {0: {0: 1.0}, 1: {}})
    assert seen(events[2:], "date", "shares", "price") == [(dt.date(2024, 1, 5), -100, 8.0)]


# -- impact -------------------------------------------------------------------------------------------------------------
def test_impact_is_booked_as_a_cost_and_the_price_stays():
    market = market_of(FLAT, adv=1e5, sigma=0.02)
    (fill,) = run(market, {0: {0: 0.5}}, execution=Execution(impact=1.0))[1:]
    assert fill["price"] == 10.0
    assert fill["impact_inr"] == pytest.approx(0.02 * np.sqrt(fill["value_inr"] / 1e5) * fill["value_inr"])
    assert fill["cash_inr"] == pytest.approx(-fill["value_inr"] - fill["impact_inr"])


def test_an_impact_that_is_not_known_is_free_and_says_so():
    market = market_of([[10.0, 10.0]] * 3, adv=[[1e5, NAN]], sigma=0.02)
    known, unknown = run(market, {0: {0: 0.5, 1: 0.4}}, execution=Execution(impact=1.0))[1:]
    assert known["impact_inr"] > 0.0
    assert "IMPACT" not in known["assumed_items"]
    assert unknown["impact_inr"] == 0.0
    assert unknown["assumed_items"].endswith("IMPACT")


# -- borrowing ----------------------------------------------------------------------------------------------------------
def leveraged(**more):
    exposure = {"exposure": lambda book, day, targets: replace(targets, weights=targets.weights * 1.3)}
    return run(market_of(FLAT), {0: {0: 1.0}}, capital=1000.0, **(exposure | more))


def test_nothing_is_borrowed_unless_leverage_is_stated():
    assert seen(leveraged()[1:], "qty") == [(100.0,)]


def test_stated_leverage_borrows_and_pays_interest_over_calendar_days():
    events = leveraged(leverage=1.3, financing=0.10)
    assert seen(events[1:2], "qty", "cash_inr") == [(130.0, -1300.0)]
    assert [event["kind"] for event in events[2:]] == ["financing"] * 4
    assert events[2]["cash_inr"] == pytest.approx(-300.0 * 0.10 / 365.0)
    assert events[3]["cash_inr"] == pytest.approx(-(300.0 + 300.0 * 0.10 / 365.0) * 0.10 / 365.0)
    assert events[2]["level"] == 0.10
    assert events[2]["security_id"] is None


def test_interest_counts_the_days_between_sessions():
    market = market_of(FLAT)
    dates = market.dates.copy()
    dates[2:] += 3
    spread = replace(market, dates=dates)
    more = {"exposure": lambda book, day, targets: replace(targets, weights=targets.weights * 1.3)}
    events = run(spread, {0: {0: 1.0}}, leverage=1.3, financing=0.10, **more)
    assert events[2]["cash_inr"] == pytest.approx(-300.0 * 0.10 * 4 / 365.0)


def test_a_purchase_that_cannot_trade_waits_while_too_much_is_owed():
    # 1,200 of the first name, a second that does not trade; at 6 the 200 owed are more than the 156 that may be
    prices = [[10.0, 10.0], [10.0, NAN], [6.0, NAN], [10.0, 10.0]]
    exposure = {"exposure": lambda book, day, targets: replace(targets, weights=targets.weights * 1.3)}
    events = run(market_of(prices), {0: {0: 1.2 / 1.3, 1: 0.1 / 1.3}}, leverage=1.3, **exposure)
    assert seen(events[1:], "security_id", "shares") == [(100, 120), (101, 10)]


def test_interest_is_of_what_was_owed_before_the_dividend_of_the_session():
    market = market_of(FLAT, actions={2: action(0, cash=5.0, label="dividend")})
    exposure = {"exposure": lambda book, day, targets: replace(targets, weights=targets.weights * 1.3)}
    events = run(market, {0: {0: 1.0}}, leverage=1.3, financing=0.10, **exposure)
    assert seen(events[2:], "kind", "cash_inr") == [
        ("financing", pytest.approx(-300.0 * 0.10 / 365.0)),
        ("dividend", 650.0),
    ]


# -- switches -----------------------------------------------------------------------------------------------------------
def test_a_switch_acts_on_orders_before_they_trade():
    def no_purchases(book, day):
        return replace(book, buys=NO_ORDERS) if day.row >= 3 else book

    events = run(market_of([[10.0, 10.0]] * 6), {0: {0: 1.0}, 2: {1: 1.0}}, switch=no_purchases)
    assert seen(events[1:], "security_id", "shares") == [(100, 100), (100, -100)]


# -- what cannot be -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wrong", "message", "where"),
    [
        ({"sessions": 0}, "spread over 0 sessions", "config/execution.yml"),
        ({"participation": 0.0}, "participation is 0", "config/execution.yml"),
        ({"adv_participation": -0.1}, "participation is -0.1", "config/capacity.yml"),
        ({"impact": -1.0}, "impact_coefficient is -1", "config/execution.yml"),
    ],
)
def test_executions_that_cannot_be_are_refused(wrong, message, where):
    with pytest.raises(TsqError, match=message) as error:
        Execution(**wrong)
    assert error.value.where == where


@pytest.mark.parametrize(("wrong", "message"), [({"leverage": 0.9}, "leverage"), ({"financing": -0.1}, "financing")])
def test_borrowing_that_would_pay_is_refused(wrong, message):
    with pytest.raises(TsqError, match=message):
        policy_of(market_of(FLAT), {0: {0: 1.0}}, **wrong)


# -- the order ----------------------------------------------------------------------------------------------------------
def test_the_steps_of_a_session_stand_in_the_stated_order():
    assert [step.__name__ for step in STEPS] == [
        "begin",
        "pay_interest",
        "adjust_for_actions",
        "close_dead",
        "stop_at_open",
        "decide",
        "follow",
        "defer",
        "restrain",
        "switch",
        "sell",
        "pay",
        "buy",
        "stop_in_session",
        "account",
        "observe",
    ]


def test_orders_of_a_name_are_replaced_by_later_ones():
    both = orders([10, 20], names=(1, 4)).and_also(orders([5, 6], names=(0, 4)))
    assert both.names.tolist() == [0, 1, 4]
    assert both.qty.tolist() == [5, 10, 6]

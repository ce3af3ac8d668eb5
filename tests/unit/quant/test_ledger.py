"""Small cases of the fold, worked by hand."""

import datetime as dt
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from fold_bench import NAN, RATES, action, market_of, policy_of, run, seen

from tsq.errors import TsqError
from tsq.quant.charges import BUY, SELL
from tsq.quant.ledger import STEPS, fold, targets_by_day


def test_capital_comes_in_the_evening_of_the_first_decision_and_trades_the_session_after():
    events = run(market_of([[10.0], [20.0], [25.0]]), {1: {0: 1.0}})
    assert seen(events, "kind", "date", "cash_inr", "shares", "signal_date") == [
        ("inception", dt.date(2024, 1, 2), 1000.0, 0, None),
        ("fill", dt.date(2024, 1, 3), -1000.0, 40, dt.date(2024, 1, 2)),
    ]
    assert events[0]["security_id"] is None
    assert events[1]["security_id"] == 100
    assert events[1]["reason"] == "enter"


def test_a_decision_of_the_last_session_never_trades():
    assert len(run(market_of([[10.0], [20.0]]), {1: {0: 1.0}})) == 1


def test_shares_are_whole_and_the_rest_stays_cash():
    events = run(market_of([[10.0], [300.0]]), {0: {0: 1.0}})
    assert seen(events[1:], "qty", "cash_inr") == [(3.0, -900.0)]


def test_sells_come_before_the_buys_they_pay_for():
    events = run(market_of([[10.0, 10.0], [10.0, 10.0], [10.0, 10.0]]), {0: {0: 1.0}, 1: {1: 1.0}})
    assert seen(events[2:], "side", "security_id", "shares", "reason") == [
        ("sell", 100, -100, "exit"),
        ("buy", 101, 100, "enter"),
    ]


def test_weights_drift_and_are_brought_back():
    events = run(market_of([[10.0, 10.0], [10.0, 10.0], [30.0, 10.0]]), {0: {0: 0.5, 1: 0.5}, 1: {0: 0.5, 1: 0.5}})
    # worth 1500 + 500: 1000 each is 33 shares at 30 and 100 at 10
    assert seen(events[3:], "side", "security_id", "shares", "reason") == [
        ("sell", 100, -17, "trim"),
        ("buy", 101, 50, "add"),
    ]


def test_weights_are_of_what_is_left_after_costs():
    events = run(market_of([[1.0], [1.0]]), {0: {0: 1.0}}, capital=1_000_000.0, rates=RATES, slippage=0.005)
    # V + 1.5 % of V = capital
    assert events[1]["qty"] == np.floor(1_000_000.0 / 1.015)
    assert events[1]["stt_inr"] == pytest.approx(0.01 * events[1]["value_inr"])
    assert events[1]["slippage_inr"] == pytest.approx(0.005 * events[1]["value_inr"])
    assert events[1]["cash_inr"] == pytest.approx(-1.015 * events[1]["value_inr"])
    assert events[1]["price"] == 1.0


def test_a_buy_that_cannot_trade_waits_for_the_names_next_session():
    events = run(market_of([[10.0, 10.0], [10.0, NAN], [10.0, 10.0]]), {0: {0: 0.5, 1: 0.5}})
    assert seen(events[1:], "security_id", "shares", "signal_date") == [
        (100, 50, dt.date(2024, 1, 1)),
        (101, 50, dt.date(2024, 1, 1)),
    ]


def test_a_sell_that_cannot_trade_waits_for_the_names_next_session():
    events = run(market_of([[10.0], [10.0], [NAN], [NAN], [8.0]]), {0: {0: 1.0}, 1: {}})
    assert seen(events[2:], "date", "shares", "price", "signal_date") == [
        (dt.date(2024, 1, 5), -100, 8.0, dt.date(2024, 1, 2))
    ]


def test_a_newer_decision_replaces_waiting_sells():
    prices = [[10.0], [10.0], [NAN], [10.0]]
    assert [event["shares"] for event in run(market_of(prices), {0: {0: 1.0}, 1: {}, 2: {0: 1.0}})] == [0, 100]


def test_buys_are_cut_by_one_ratio_when_a_sell_is_stuck():
    prices = [[10.0, 10.0, 20.0], [10.0, 10.0, 20.0], [NAN, 10.0, 20.0]]
    events = run(market_of(prices), {0: {0: 0.6}, 1: {1: 0.5, 2: 0.5}})
    # 400 of cash for 500 + 500 wanted
    assert seen(events[2:], "security_id", "shares") == [(101, 20), (102, 10)]


def test_a_sell_that_would_not_pay_its_own_costs_waits():
    fixed = RATES.with_columns(item=pl.lit("BROKERAGE_ACME"), rate=pl.lit(50.0), unit=pl.lit("inr_per_order"))
    market = market_of([[10.0], [10.0], [0.1]])
    batches = fold(market, policy_of(market, {0: {0: 1.0}, 1: {}}, rates=fixed, plan="ACME"), 1000.0)
    assert [batch.side for batch in batches] == [None, "buy"]


@pytest.mark.parametrize(("factor", "shares"), [(2.0, 100), (5.0, 400), (0.1, -90)])
def test_a_split_changes_shares_and_not_cash(factor, shares):
    events = run(
        market_of([[10.0], [10.0], [10.0 / factor]], actions={2: action(0, factor, label="split")}), {0: {0: 1.0}}
    )
    assert seen(events[2:], "kind", "shares", "cash_inr", "reason") == [("corporate_action", shares, 0.0, "split")]


def test_a_fraction_of_a_share_is_paid_out_at_the_days_price():
    market = market_of([[30.0], [30.0], [20.0]], actions={2: action(0, 1.5)})
    events = run(market, {0: {0: 1.0}}, capital=99.0)
    assert seen(events[2:], "kind", "shares", "qty", "price", "cash_inr") == [
        ("corporate_action", 1, 0.0, 0.0, 0.0),
        ("fraction", 0, 0.5, 20.0, 10.0),
    ]


def test_a_fraction_of_a_name_that_does_not_trade_is_paid_at_the_rescaled_last_close():
    market = market_of([[30.0], [30.0], [NAN]], mark=[[30.0], [30.0], [20.0]], actions={2: action(0, 1.5)})
    events = run(market, {0: {0: 1.0}}, capital=99.0)
    assert seen(events[3:], "kind", "price", "cash_inr") == [("fraction", 20.0, 10.0)]


def test_thirds_that_make_a_whole_number_leave_no_fraction():
    market = market_of([[10.0], [10.0], [30.0]], actions={2: action(0, 1.0 / 3.0, label="consolidation")})
    events = run(market, {0: {0: 1.0}}, capital=90.0)
    assert seen(events[2:], "kind", "shares") == [("corporate_action", -6)]


def test_what_is_taken_back_is_paid_from_cash_and_then_with_shares():
    # all of the capital is in 100 shares; 1.50 a share were paid for something that is called off later
    taken = {2: action(0, cash=1.5, label="demerger"), 3: action(0, cash=-3.5, label="demerger undone")}
    events = run(market_of([[10.0], [10.0], [10.0], [10.0]], actions=taken), {0: {0: 1.0}})
    assert seen(events, "kind", "cash_inr", "shares", "qty", "price")[2:] == [
        ("dividend", 150.0, 0, 100.0, 1.5),
        ("fraction", 200.0, -20, 20.0, 10.0),
        ("dividend", -350.0, 0, 100.0, -3.5),
    ]


def test_nothing_is_owed_when_all_is_taken_back():
    taken = {2: action(0, cash=-30.0, label="demerger undone")}
    events = run(market_of([[10.0], [10.0], [10.0]], actions=taken), {0: {0: 1.0}})
    assert sum(event["cash_inr"] for event in events) == 0.0
    assert sum(event["shares"] for event in events) == 0


def test_what_is_taken_back_from_a_book_that_borrows_pays_none_of_its_debt():
    # 1,200 and 100 rupees of shares on 1,000; 10 rupees of the second name are called off: one share of ten pays them
    taken = {2: action(1, cash=-1.0, label="demerger undone")}
    more = {"exposure": lambda book, day, targets: replace(targets, weights=targets.weights * 1.3), "leverage": 1.3}
    events = run(market_of([[10.0, 10.0]] * 3, actions=taken), {0: {0: 1.2 / 1.3, 1: 0.1 / 1.3}}, **more)
    assert seen(events, "kind", "cash_inr", "shares")[3:] == [("fraction", 10.0, -1), ("dividend", -10.0, 0)]


def test_a_price_of_next_to_nothing_makes_no_endless_order():
    events = run(market_of([[1e-12], [1e-12], [1e-12]]), {0: {0: 1.0}}, capital=1e9)
    assert all(abs(event["shares"]) <= 1e15 for event in events)


def test_a_dividend_is_paid_on_the_shares_of_the_evening_before():
    market = market_of([[10.0], [10.0], [5.0]], actions={2: action(0, 2.0, cash=1.0, label="bonus+dividend")})
    events = run(market, {0: {0: 1.0}})
    assert seen(events[2:], "kind", "shares", "qty", "price", "cash_inr") == [
        ("corporate_action", 100, 0.0, 0.0, 0.0),
        ("dividend", 0, 100.0, 1.0, 100.0),
    ]


def test_actions_of_names_not_held_do_nothing():
    assert len(run(market_of([[10.0], [10.0]], actions={1: action(0, 2.0)}), {0: {}})) == 1


def test_waiting_sells_count_in_new_shares_after_a_split():
    market = market_of(
        [[10.0], [10.0], [NAN], [5.0]], mark=[[10.0], [10.0], [10.0], [5.0]], actions={3: action(0, 2.0, label="split")}
    )
    events = run(market, {0: {0: 1.0}, 1: {}})
    assert seen(events[2:], "kind", "shares", "cash_inr") == [("corporate_action", 100, 0.0), ("fill", -200, 1000.0)]


def test_a_dead_holding_is_closed_at_a_haircut():
    market = market_of([[10.0], [10.0], [NAN], [NAN]], deaths={3: np.array([0])})
    events = run(market, {0: {0: 1.0}}, haircut=0.4)
    assert seen(events[2:], "kind", "date", "side", "shares", "price", "cash_inr", "reason") == [
        ("delisting", dt.date(2024, 1, 4), "sell", -100, 6.0, 600.0, "no_trades")
    ]


def test_the_death_of_a_name_not_held_does_nothing():
    assert len(run(market_of([[10.0], [NAN]], deaths={1: np.array([0])}), {0: {}})) == 1


def test_a_dead_holding_takes_its_waiting_sell_with_it():
    market = market_of([[10.0], [10.0], [NAN], [NAN], [9.0]], deaths={3: np.array([0])})
    events = run(market, {0: {0: 1.0}, 1: {}})
    assert [event["kind"] for event in events] == ["inception", "fill", "delisting"]


def test_charges_that_are_not_known_are_told_on_the_fill():
    events = run(market_of([[10.0], [10.0]]), {0: {0: 1.0}}, rates=RATES)
    assert events[1]["assumed"]
    assert events[1]["assumed_items"] == "EXCH_TXN,IPFT,SEBI_FEE,STAMP_DELIVERY,GST"
    assert not events[0]["assumed"]


def test_a_step_can_be_added_without_touching_the_fold():
    def pay_a_fee(book, day):
        return replace(book, cash=book.cash - 1.0)

    events = run(market_of([[10.0], [10.0]]), {0: {0: 1.0}}, steps=(pay_a_fee, *STEPS))
    assert events[1]["shares"] == 99


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        ({"slippage": -0.001}, "slippage_bps"),
        ({"slippage": NAN}, "slippage_bps"),
        ({"haircut": 1.3}, "delist_haircut_pct is 130"),
        ({"haircut": -0.1}, "delist_haircut_pct is -10"),
    ],
)
def test_costs_that_would_pay_are_refused(costs, message):
    with pytest.raises(TsqError, match=message):
        run(market_of([[10.0]] * 3), {0: {0: 1.0}}, **costs)


def test_targets_are_laid_out_by_the_session_that_decided():
    market = market_of([[1.0, 1.0], [1.0, 1.0]])
    table = pl.DataFrame(
        {
            "date": [dt.date(2024, 1, 2), dt.date(2024, 1, 1), dt.date(2024, 1, 2)],
            "security_id": [101, 999, 100],
            "weight": [0.2, 1.0, 0.1],
        }
    )
    made = targets_by_day(table, market)
    assert made[0].names.tolist() == []  # 999 never trades: the decision stands, without it
    assert made[1].names.tolist() == [0, 1]
    assert made[1].weights.tolist() == [0.1, 0.2]


def test_a_decision_without_a_session_is_an_error():
    table = pl.DataFrame({"date": [dt.date(2024, 6, 1)], "security_id": [100], "weight": [1.0]})
    with pytest.raises(TsqError, match="2024-06-01"):
        targets_by_day(table, market_of([[1.0]]))


def test_sides_are_numbered_as_the_schedule_is():
    assert (BUY, SELL) == (0, 1)

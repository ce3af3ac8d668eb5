"""The overlay's steps in the fold, one by one, in numbers a reader can follow."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from tests.unit.quant.fold_bench import NAN, action, market_of, run
from tsq.errors import TsqError
from tsq.quant import overlay as steps
from tsq.quant.book import Execution
from tsq.quant.ledger import STEPS
from tsq.quant.risk_rules import Looked, Overlay, Rules, overlay, read_rules, rules_of

NONE = Rules()


def day(row):
    return dt.date(2024, 1, 1) + dt.timedelta(row)


def laid(market, rules, *, atr=NAN, highest=NAN, gates=1.0, in_event=None, trades_at_close=False, year=252, rf=0.0):
    """An overlay from arrays; what is not said is not known."""
    shape = market.price.shape
    return Overlay(
        rules,
        rules.throttle_of(),
        np.broadcast_to(np.array(atr, float), shape),
        np.broadcast_to(np.array(highest, float), shape),
        np.broadcast_to(np.array(gates, float), (2, shape[0])),
        None if in_event is None else np.array(in_event, bool),
        rf,
        year,
        trades_at_close,
    )


def risky(market, targets, rules, *, inputs=None, **policy):
    """Events of a portfolio with an overlay."""
    made = laid(market, rules, **(inputs or {}))
    return run(market, targets, overlay=made, exposure=steps.scale, **policy)


def fills(events):
    found = [event for event in events if event["kind"] == "fill"]
    return [
        ((event["date"] - day(0)).days, event["security_id"] - 100, event["shares"], event["price"], event["reason"])
        for event in found
    ]


def levels(events, name=0):
    found = [event for event in events if event["kind"] == "stop" and event["security_id"] == 100 + name]
    return [((event["date"] - day(0)).days, event["reason"], event["level"]) for event in found]


def told(events, item):
    found = [event for event in events if event["kind"] == "exposure" and event["reason"] == item]
    return [((event["date"] - day(0)).days, event["level"]) for event in found]


def scales(events, item):
    return [(row, pytest.approx(level, rel=1e-12)) for row, level in told(events, item)]


TRAILING = Rules(stop_multiple=3.0)


def test_without_an_overlay_nothing_is_different():
    market = market_of([[10.0], [10.0], [5.0], [5.0]])
    plain = run(market, {0: {0: 1.0}})
    assert run(market, {0: {0: 1.0}}, exposure=steps.scale) == plain
    assert {event["kind"] for event in plain} == {"inception", "fill"}


# Stops ----------------------------------------------------------------------------------------------------------------


def stopped(open_, low, *, volume=1e6, rules=TRAILING, **policy):
    """Bought at 110 in session 1; the stop of session 2 hangs at 112 − 3 × 4 = 100; the session is as given."""
    price = [[110.0], [110.0], [open_], [open_]]
    market = market_of(
        price,
        mark=[[110.0], [110.0], [99.0], [99.0]],
        open=price,
        low=[[109.0], [109.0], [low], [90.0]],
        high=[[111.0], [112.0], [max(open_, 104.0)], [104.0]],
        close=[[110.0], [110.0], [99.0], [99.0]],
        volume=[[1e6], [1e6], [volume], [1e6]],
    )
    return risky(market, {0: {0: 1.0}}, rules, inputs={"atr": 4.0, "highest": 112.0}, **policy)


@pytest.mark.parametrize(
    ("open_", "low", "fill"),
    [(97.0, 96.0, 97.0), (103.0, 99.0, 100.0), (100.0, 99.0, 100.0)],
)
def test_a_stop_fills_at_the_worse_of_open_and_level(open_, low, fill):
    events = stopped(open_, low, capital=1100.0)
    assert levels(events) == [(1, "placed", 100.0), (2, "removed", None)]
    assert fills(events)[1:] == [(2, 0, -10, fill, "stop")]
    assert [event["signal_date"] for event in events if event["reason"] == "stop"] == [day(1)]


def test_a_stop_that_is_not_reached_stays():
    events = stopped(103.0, 100.05, capital=1100.0)
    assert not [fill for fill in fills(events) if fill[0] == 2]


def test_a_name_bought_today_has_no_stop_today():
    # the low of the session of the purchase is far below where the stop will hang
    market = market_of([[110.0], [110.0], [110.0]], low=[[109.0], [50.0], [109.0]])
    events = risky(market, {0: {0: 1.0}}, TRAILING, inputs={"atr": 4.0, "highest": 112.0})
    assert len(fills(events)) == 1


def test_where_orders_trade_at_the_close_the_stop_comes_first():
    market = market_of(
        [[110.0], [110.0], [99.0], [99.0]],
        open=[[110.0], [110.0], [103.0], [99.0]],
        low=[[109.0], [109.0], [98.0], [98.0]],
    )
    inputs = {"atr": 4.0, "highest": 112.0, "trades_at_close": True}
    events = risky(market, {0: {0: 1.0}, 1: {0: 0.5}}, TRAILING, inputs=inputs, capital=1100.0)
    # the decision would have kept five shares
    assert fills(events)[1:] == [(2, 0, -10, 100.0, "stop")]


def test_where_orders_trade_at_the_open_the_stop_sells_what_they_left():
    market = market_of(
        [[110.0], [110.0], [103.0], [99.0]],
        low=[[109.0], [109.0], [98.0], [98.0]],
        high=[[111.0], [111.0], [104.0], [100.0]],
    )
    events = risky(market, {0: {0: 1.0}, 1: {0: 0.5}}, TRAILING, inputs={"atr": 4.0, "highest": 112.0}, capital=1100.0)
    assert fills(events)[1:] == [(2, 0, -5, 103.0, "trim"), (2, 0, -5, 100.0, "stop")]


def test_a_stop_at_a_locked_band_is_carried_to_the_next_open():
    # 10 % down and nobody buys; the day after opens above the level and is sold there all the same
    market = market_of(
        [[110.0], [110.0], [99.0], [105.0]],
        high=[[111.0], [111.0], [99.0], [106.0]],
        low=[[109.0], [109.0], [99.0], [104.0]],
    )
    events = risky(market, {0: {0: 1.0}}, TRAILING, inputs={"atr": 4.0, "highest": 112.0}, capital=1100.0)
    assert fills(events)[1:] == [(3, 0, -10, 105.0, "stop")]


def test_what_the_volume_does_not_take_is_carried_too():
    market = market_of(
        [[110.0], [110.0], [103.0], [95.0], [94.0]],
        low=[[109.0], [109.0], [99.0], [90.0], [90.0]],
        high=[[111.0], [111.0], [104.0], [96.0], [96.0]],
        volume=[[1000.0], [1000.0], [40.0], [40.0], [40.0]],
    )
    events = risky(
        market,
        {0: {0: 1.0}},
        TRAILING,
        inputs={"atr": 4.0, "highest": 112.0},
        capital=1100.0,
        execution=Execution(participation=0.1),
    )
    assert fills(events)[1:] == [(2, 0, -4, 100.0, "stop"), (3, 0, -4, 95.0, "stop"), (4, 0, -2, 94.0, "stop")]


def test_a_suspended_name_is_stopped_when_it_comes_back():
    market = market_of(
        [[110.0], [110.0], [NAN], [80.0]], low=[[109.0], [109.0], [NAN], [79.0]], high=[[111.0], [111.0], [NAN], [81.0]]
    )
    events = risky(market, {0: {0: 1.0}}, TRAILING, inputs={"atr": 4.0, "highest": 112.0}, capital=1100.0)
    assert fills(events)[1:] == [(3, 0, -10, 80.0, "stop")]


def test_a_stop_rises_with_the_high_and_never_falls():
    price = [[110.0], [110.0], [120.0], [119.0], [118.0]]
    inputs = {"atr": [[4.0], [4.0], [4.0], [6.0], [NAN]], "highest": [[112.0], [112.0], [121.0], [121.0], [NAN]]}
    events = risky(market_of(price), {0: {0: 1.0}}, TRAILING, inputs=inputs)
    assert levels(events) == [(1, "placed", 100.0), (2, "raised", 109.0)]


@pytest.mark.parametrize(
    ("kept", "factor", "label"), [(1.0, 2.0, "split"), (0.9, 1.0, "rights"), (0.95, 1.25, "bonus+demerger")]
)
def test_a_stop_moves_with_what_goes_ex(kept, factor, label):
    ratio = kept / factor
    price = np.array([[110.0], [110.0], [105.0 * ratio], [105.0 * ratio]])
    market = market_of(
        price, actions={2: action(0, factor, label=label, kept=kept, taken=110.0 * (1 - kept), cash=110.0 * (1 - kept))}
    )
    inputs = {
        "atr": [[4.0], [4.0], [4.0 * ratio], [4.0 * ratio]],
        "highest": [[112.0], [112.0], [112.0 * ratio], [112.0 * ratio]],
    }
    events = risky(market, {0: {0: 1.0}}, TRAILING, inputs=inputs)
    assert levels(events) == [(1, "placed", 100.0), (2, "rescaled", pytest.approx(100.0 * ratio))]
    assert not [fill for fill in fills(events) if fill[-1] == "stop"]


def test_a_stop_stays_where_it_is_for_a_dividend():
    market = market_of(
        [[110.0], [110.0], [101.0]], actions={2: action(0, cash=9.0, label="dividend")}, low=[[109.0], [109.0], [100.5]]
    )
    events = risky(market, {0: {0: 1.0}}, TRAILING, inputs={"atr": 4.0, "highest": 112.0})
    assert levels(events) == [(1, "placed", 100.0)]


def test_a_hard_stop_hangs_from_the_price_of_entry():
    market = market_of(
        [[100.0], [100.0], [130.0], [79.0]],
        low=[[99.0], [99.0], [129.0], [78.0]],
        high=[[101.0], [101.0], [131.0], [85.0]],
    )
    events = risky(market, {0: {0: 1.0}}, Rules(hard_stop=0.20))
    assert levels(events) == [(1, "placed", 80.0), (3, "removed", None)]
    assert fills(events)[1:] == [(3, 0, -10, 79.0, "stop")]


def test_a_hard_stop_of_a_name_that_is_added_to_is_that_of_its_entry():
    events = risky(market_of([[100.0], [100.0], [150.0], [150.0]]), {0: {0: 0.5}, 1: {0: 0.9}}, Rules(hard_stop=0.20))
    assert levels(events) == [(1, "placed", 80.0)]


# Holding back ---------------------------------------------------------------------------------------------------------


def test_a_name_held_too_shortly_is_not_sold_by_a_decision():
    prices = [[10.0]] * 5
    rules = Rules(min_hold_sessions=2)
    assert fills(risky(market_of(prices), {0: {0: 1.0}, 1: {}}, rules)) == [(1, 0, 100, 10.0, "enter")]
    assert fills(risky(market_of(prices), {0: {0: 1.0}, 2: {}}, rules))[1:] == [(3, 0, -100, 10.0, "exit")]


def reentry(rules, closes, last):
    """Bought at 110, stopped at 100 in session 2; every evening from then on wants it again."""
    low = [109.0, 109.0, 99.0, *(close - 0.5 for close in closes[3:])]
    market = market_of([[close] for close in closes], low=[[each] for each in low])
    inputs = {"atr": [[4.0]] * 2 + [[NAN]] * (len(closes) - 2), "highest": 112.0}
    events = risky(
        market, {0: {0: 1.0}} | {row: {0: 1.0} for row in range(2, last)}, rules, inputs=inputs, capital=1100.0
    )
    return [(row, shares) for row, _, shares, _, _ in fills(events) if shares > 0]


def test_a_stopped_name_is_not_bought_again_before_its_time():
    closes = [110.0, 110.0, 103.0, 105.0, 105.0, 105.0, 105.0]
    assert reentry(Rules(stop_multiple=3.0), closes, 6) == [(1, 10), (3, 9)]
    assert reentry(Rules(stop_multiple=3.0, reentry_sessions=2), closes, 6) == [(1, 10), (5, 9)]


def test_nor_before_it_has_closed_above_the_level_that_was_hit():
    closes = [110.0, 110.0, 99.0, 98.0, 99.5, 104.0, 104.0]
    rules = Rules(stop_multiple=3.0, reentry_above_stop=True)
    # closes above 100 in session 5, is wanted that evening and bought in session 6
    assert reentry(rules, closes, 6) == [(1, 10), (6, 9)]


def test_a_name_stopped_at_the_open_is_not_bought_in_that_session():
    market = market_of([[110.0], [110.0], [97.0], [97.0]])
    events = risky(market, {0: {0: 0.5}, 1: {0: 1.0}}, TRAILING, inputs={"atr": 4.0, "highest": 112.0}, capital=2200.0)
    assert fills(events) == [(1, 0, 10, 110.0, "enter"), (2, 0, -10, 97.0, "stop")]


def test_around_results_less_is_added_and_nothing_sold():
    prices = [[10.0, 10.0]] * 4
    in_event = [[True, False], [False, False], [True, True], [False, False]]
    rules = Rules(event_weight=0.5)
    events = risky(market_of(prices), {0: {0: 0.5, 1: 0.5}, 2: {1: 0.1}}, rules, inputs={"in_event": in_event})
    assert fills(events) == [
        (1, 0, 25, 10.0, "enter"),
        (1, 1, 50, 10.0, "enter"),
        (3, 0, -25, 10.0, "exit"),
        (3, 1, -40, 10.0, "trim"),
    ]


# Exposure -------------------------------------------------------------------------------------------------------------


def test_a_gate_that_is_shut_scales_the_decision_of_that_evening():
    gates = [[1.0, 0.5, 1.0, 1.0], [1.0] * 4]
    rules = Rules(trend_gate=0.5, exposure_band=9.0)
    for decided, shares in ((0, 100), (1, 50), (2, 100)):
        events = risky(market_of([[10.0]] * 4), {decided: {0: 1.0}}, rules, inputs={"gates": gates})
        assert fills(events) == [(decided + 1, 0, shares, 10.0, "enter")]


def test_multipliers_multiply_and_are_capped_last():
    gates = [[0.5] * 4, [0.8] * 4]
    rules = Rules(trend_gate=0.5, volatility_gate=0.8, vol_target=0.2, kelly_fraction=0.5)
    events = risky(market_of([[10.0]] * 4), {0: {0: 1.0}}, rules, inputs={"gates": gates})
    # nothing is known of volatility and returns yet: 1 × 1 × 0.5 × 0.8
    assert fills(events) == [(1, 0, 40, 10.0, "enter")]
    assert scales(events, "exposure") == [(1, 0.4)]
    assert [event["reason"] for event in events if event["kind"] == "exposure"] == [
        "vol_scale",
        "kelly",
        "trend_gate",
        "volatility_gate",
        "exposure",
        "applied",
    ]


def test_an_exposure_below_one_is_a_rule_by_itself():
    assert fills(risky(market_of([[10.0]] * 3), {0: {0: 1.0}}, Rules(max_exposure=0.7))) == [(1, 0, 70, 10.0, "enter")]


def test_between_rebalances_exposure_moves_only_beyond_its_band():
    gates = [[1.0, 1.0, 0.92, 0.92, 0.8, 0.8, 1.0, 1.0], [1.0] * 8]
    rules = Rules(trend_gate=0.5, exposure_band=0.10)
    events = risky(market_of([[10.0, 10.0]] * 8), {0: {0: 0.6, 1: 0.4}}, rules, inputs={"gates": gates})
    assert fills(events)[2:] == [
        (5, 0, -12, 10.0, "scale"),  # 0.8 was known at the evening of session 4
        (5, 1, -8, 10.0, "scale"),
        (7, 0, 12, 10.0, "scale"),
        (7, 1, 8, 10.0, "scale"),
    ]
    assert scales(events, "applied") == [(1, 1.0), (5, 0.8), (7, 1.0)]


def test_exposure_that_moves_on_an_ex_date_counts_what_was_taken_out_of_the_price_once():
    # half of the first name is spun off: 50 shares of 5 and 250 of cash, beside 50 shares of 10; four fifths of each
    price = [[10.0, 10.0]] * 2 + [[5.0, 10.0]] * 2
    actions = {2: action(0, cash=5.0, label="demerger", kept=0.5, taken=5.0)}
    rules = Rules(trend_gate=0.5, exposure_band=0.10)
    gates = [[1.0, 0.8, 0.8, 0.8], [1.0] * 4]
    events = risky(market_of(price, actions=actions), {0: {0: 0.5, 1: 0.5}}, rules, inputs={"gates": gates})
    assert fills(events)[2:] == [(2, 0, -10, 5.0, "scale"), (2, 1, -10, 10.0, "scale")]


def test_exposure_that_was_nothing_comes_back_to_what_the_decision_wanted():
    gates = [[1.0, 0.0, 0.0, 1.0, 1.0], [1.0] * 5]
    rules = Rules(trend_gate=0.0)
    events = risky(market_of([[10.0, 10.0]] * 5), {0: {0: 0.6, 1: 0.4}}, rules, inputs={"gates": gates})
    assert [(row, name, shares) for row, name, shares, _, _ in fills(events)] == [
        (1, 0, 60),
        (1, 1, 40),
        (2, 0, -60),
        (2, 1, -40),
        (4, 0, 60),
        (4, 1, 40),
    ]


def test_a_volatility_target_looks_at_what_was_held_and_not_at_the_cash_beside_it():
    # ±1 % a day on half of the value: the scale of a constant percent, 12 / 15.8745
    price = [[100.0], [100.0]]
    for step in range(20):
        price.append([price[-1][0] * (1.01 if step % 2 == 0 else 0.99)])
    rules = Rules(vol_target=0.12, vol_half_life=5.0, exposure_band=9.0)
    events = risky(market_of(price), {0: {0: 0.5}}, rules, capital=1e9)
    found = scales(events, "vol_scale")
    # one is written down at once; fifteen returns are three half-lives, and the first return is that of session 2
    assert found[0] == (1, 1.0)
    assert [row for row, _ in found] == [1, *range(16, 22)]
    assert all(scale == pytest.approx(0.755929, abs=5e-7) for _, scale in told(events, "vol_scale")[1:])


def test_splits_and_dividends_are_no_returns():
    price = [[100.0], [100.0], [50.0], [45.0], [45.0]]
    actions = {2: action(0, 2.0, label="split"), 3: action(0, cash=5.0, label="dividend")}
    rules = Rules(vol_target=0.12, vol_half_life=1.0)
    events = risky(market_of(price, actions=actions), {0: {0: 1.0}}, rules)
    # a volatility of nothing asks for all there may be
    assert scales(events, "vol_scale") == [(1, 1.0)]


def test_a_drawdown_throttles_and_hysteresis_keeps_it():
    # all in one name at 100: drawdowns of 9, 8, 6 and 12 percent, and none
    price = [[100.0], [100.0], [91.0], [92.0], [94.0], [88.0], [100.0]]
    rules = Rules(throttle="linear", max_drawdown=0.30, throttle_hysteresis=0.02, exposure_band=9.0)
    events = risky(market_of(price), {0: {0: 1.0}}, rules)
    assert scales(events, "throttle") == [(1, 1.0), (2, 0.7), (4, 1 - 0.08 / 0.3), (5, 0.6), (6, 1.0)]


@pytest.mark.parametrize(("rule", "expected"), [("grossman_zhou", 0.741), ("linear", 0.667), ("steps", 0.75)])
def test_each_throttle_at_ten_percent(rule, expected):
    rules = Rules(throttle=rule, throttle_steps="0.08: 0.75, 0.12: 0.5", exposure_band=9.0)
    events = risky(market_of([[100.0], [100.0], [90.0]]), {0: {0: 1.0}}, rules)
    assert scales(events, "throttle")[1:] == [(2, pytest.approx(expected, abs=5e-4))]


def test_kelly_waits_for_its_returns_and_keeps_a_floor():
    price = [[100.0 * 0.99 ** max(row - 1, 0)] for row in range(8)]
    price[5][0] *= 1.001
    rules = Rules(kelly_fraction=0.5, kelly_sessions=4, risk_floor=0.25, exposure_band=9.0)
    events = risky(market_of(price), {0: {0: 1.0}}, rules)
    # losing money: no Kelly bet at all, so the floor, from the fourth return on
    assert scales(events, "kelly") == [(1, 1.0), (5, 0.25)]


def test_leverage_needs_to_be_stated_with_its_price():
    with pytest.raises(TsqError, match="financing_rate"):
        Rules(max_exposure=1.5)


def test_leverage_buys_more_than_there_is_and_is_brought_back_when_it_outgrows_its_cap():
    price = [[100.0], [100.0], [100.0], [100.0], [75.0], [75.0]]
    rules = Rules(vol_target=9.0, max_exposure=1.5, financing_rate=0.0, vol_half_life=1 / 3)
    events = risky(market_of(price), {0: {0: 1.0}, 2: {0: 1.0}}, rules, capital=10_000.0, leverage=1.5)
    # nothing is known at first, so nothing is borrowed; a calm session later the cap of 1.5 is asked for
    assert fills(events)[:2] == [(1, 0, 100, 100.0, "enter"), (3, 0, 50, 100.0, "add")]
    # at 75 the value is 6,250 and the shares 11,250, 1.8 of it: more than 1.5 and the band; 125 shares are 1.5 of it
    assert fills(events)[2:] == [(5, 0, -25, 75.0, "scale")]


# What is told ---------------------------------------------------------------------------------------------------------


def test_the_order_of_the_steps():
    assert [step.__name__ for step in STEPS if step.__module__ == steps.__name__] == [
        "begin",
        "stop_at_open",
        "follow",
        "restrain",
        "stop_in_session",
        "observe",
    ]
    names = [step.__name__ for step in STEPS]
    assert names.index("begin") < names.index("adjust_for_actions")
    assert names.index("close_dead") < names.index("stop_at_open") < names.index("decide") < names.index("follow")
    assert names.index("restrain") < names.index("switch") < names.index("sell") < names.index("buy")
    assert names.index("buy") < names.index("stop_in_session") < names.index("observe")


@pytest.mark.parametrize("bent", ["price", "gates"])
def test_nothing_is_decided_by_what_comes_later(bent):
    rng = np.random.default_rng(5)
    price = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.03, (40, 3)), axis=0))
    rules = Rules(
        vol_target=0.2,
        vol_half_life=3.0,
        throttle="linear",
        kelly_fraction=0.5,
        kelly_sessions=10,
        trend_gate=0.5,
        stop_multiple=2.0,
        hard_stop=0.1,
        exposure_band=0.02,
    )
    gates = np.where(rng.random((2, 40)) < 0.3, 0.5, 1.0)
    whole = None
    for cut in (40, 25, 12):
        later, shut = price.copy(), gates.copy()
        if bent == "price":
            later[cut:] *= 3.0
        else:
            shut[:, cut:] = 0.0
        inputs = {"atr": 0.02 * later, "highest": 1.02 * later, "gates": shut}
        events = risky(
            market_of(later),
            {row: {0: 0.4, 1: 0.3, 2: 0.3} for row in range(0, 40, 9)},
            rules,
            inputs=inputs,
            capital=1e6,
        )
        before = [event for event in events if event["date"] < day(cut)]
        whole = whole or events
        assert before == [event for event in whole if event["date"] < day(cut)]
    kinds = {(event["kind"], event["reason"]) for event in whole}
    assert {("fill", "stop"), ("fill", "scale"), ("exposure", "kelly"), ("exposure", "vol_scale")} <= kinds


# From tables ----------------------------------------------------------------------------------------------------------

ROWS = pl.DataFrame(
    {"overlay": ["none", "base"], "stop_multiple": [None, 3.0], "trend_gate": [1.0, 0.5], "event_weight": [1.0, 0.5]}
)


def test_rules_are_read_by_name():
    rules = read_rules(ROWS)
    assert rules["none"] == NONE
    assert read_rules(ROWS[:0]) == {"none": NONE}
    assert not NONE.does_something
    assert rules_of(rules, "base").stop_multiple == 3.0
    with pytest.raises(TsqError, match="no overlay bases"):
        rules_of(rules, "bases")


@pytest.mark.parametrize(
    "rules", [Rules(min_hold_sessions=1), Rules(event_weight=0.9), Rules(hard_stop=0.1), Rules(max_exposure=0.9)]
)
def test_one_rule_is_enough_to_act(rules):
    assert rules.does_something


def test_a_throttle_of_steps_needs_them():
    with pytest.raises(TsqError, match="throttle_steps"):
        Rules(throttle="steps")


def test_what_rules_look_at_is_laid_beside_the_market():
    market = market_of([[10.0, 10.0]] * 4)
    dates = [day(row) for row in range(4)]
    looked = Looked(
        pl.DataFrame(
            {
                "date": [dates[1], dates[2], dates[2], dates[3], day(-5)],
                "security_id": [100, 101, 101, 999, 100],
                "sessions": [22, 22, 22, 22, 22],
                "seed": ["wilder", "wilder", "talib", "wilder", "wilder"],
                "atr_inr": [1.0, 2.0, 3.0, 4.0, 5.0],
                "highest_inr": [11.0, 12.0, 13.0, 14.0, 15.0],
            }
        ),
        pl.DataFrame(
            {
                "date": [day(-1), *dates[:3]],
                "trend": ["down", "up", "down", "unknown"],
                "volatility": ["calm", "stormy", "calm", "calm"],
            }
        ),
        pl.DataFrame({"security_id": [101, 999], "from_date": [dates[1], dates[0]], "to_date": [dates[3], dates[3]]}),
    )
    rules = Rules(stop_multiple=3.0, trend_gate=0.5, volatility_gate=0.7, event_weight=0.5)
    made = overlay(rules, looked, market, risk_free=0.06, sessions_per_year=252, trades_at_close=False)
    np.testing.assert_array_equal(made.atr, [[NAN, NAN], [1.0, NAN], [NAN, 2.0], [NAN, NAN]])
    np.testing.assert_array_equal(made.highest, [[NAN, NAN], [11.0, NAN], [NAN, 12.0], [NAN, NAN]])
    np.testing.assert_array_equal(made.gates, [[1.0, 0.5, 1.0, 1.0], [0.7, 1.0, 1.0, 1.0]])
    np.testing.assert_array_equal(made.in_event, [[False, False], [False, True], [False, True], [False, False]])
    assert (1.0 + made.risk_free) ** 252 == pytest.approx(1.06)
    assert overlay(NONE, looked, market, risk_free=0.06, sessions_per_year=252, trades_at_close=False) is None

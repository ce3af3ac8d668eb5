"""Lots and taxes inside the fold: small cases worked by hand, at the law's own rates."""

import dataclasses
import datetime as dt

import numpy as np
import pytest
from fold_bench import NAN, RATES, action, market_of, run
from law_bench import the_law

from tsq.errors import TsqError
from tsq.quant.book import Book, Day
from tsq.quant.events import COSTS, Batch
from tsq.quant.ledger import STEPS
from tsq.quant.market import Actions
from tsq.quant.tax import Taxpayer
from tsq.quant.tax_accounts import Terms, Waiting, state_of
from tsq.quant.tax_events import changed

PLAIN = Terms(the_law())


def market_from(first, price, **more):
    """A market whose first session is another day; one session a calendar day."""
    market = market_of(price, **more)
    return dataclasses.replace(market, dates=np.datetime64(first) + np.arange(len(market.dates)))


def flat(*spans):
    """Prices of one name: pairs of a number of sessions and a price."""
    return [[float(price)] for sessions, price in spans for _ in range(sessions)]


def path(days, **at):
    """Prices of one name: 100, but from session `s12` on what that says."""
    prices = np.full((days, 1), 100.0)
    for name, price in at.items():
        prices[int(name[1:]) :] = price
    return prices


def fold(market, targets, *, taxes=PLAIN, capital=10_000.0, **more):
    return run(market, targets, capital=capital, taxes=taxes, **more)


def of_kind(events, *kinds):
    return [event for event in events if event["kind"] in kinds]


def told(events, *names):
    return [tuple(event[name] for name in names) for event in events]


def row_of(market, day):
    return market.day(day)


def test_lots_are_opened_by_purchases_and_closed_first_in_first_out():
    market = market_from("2024-01-01", [[100.0], [100.0], [100.0], [200.0], [200.0], [200.0]])
    events = fold(market, {0: {0: 0.5}, 2: {0: 0.9}, 4: {0: 0.3}})
    assert told(of_kind(events, "lot"), "lot_id", "acquired_date", "qty", "cost_basis_inr", "reason") == [
        (1, dt.date(2024, 1, 2), 50.0, 5_000.0, "enter"),
        (2, dt.date(2024, 1, 4), 17.0, 3_400.0, "add"),
    ]
    assert told(of_kind(events, "match"), "lot_id", "qty", "price", "cost_basis_inr", "gain_inr", "term", "reason") == [
        (1, 45.0, 200.0, 4_500.0, 4_500.0, "STCG", "trim")
    ]


def test_without_terms_there_is_neither_lot_nor_tax():
    events = fold(market_from("2024-01-01", path(120, s5=150.0)), {0: {0: 0.5}, 6: {}}, taxes=None)
    assert {event["kind"] for event in events} == {"inception", "fill"}


def test_lots_are_followed_where_nobody_pays():
    events = fold(
        market_from("2024-01-01", path(120, s5=150.0)),
        {0: {0: 0.5}, 6: {}},
        taxes=dataclasses.replace(PLAIN, pays=False),
    )
    assert [event["kind"] for event in events] == ["inception", "fill", "lot", "fill", "match"]
    assert events[-1]["gain_inr"] == 2_500.0


def test_a_gain_of_january_is_taxed_by_15_march():
    """50 shares at 100 sold at 150: 2,500 × 15 % × 1.04 = 390."""
    market = market_from("2024-01-01", path(120, s5=150.0))
    events = fold(market, {0: {0: 0.5}, 6: {}})
    assert told(of_kind(events, "tax"), "date", "cash_inr", "tax_inr", "acquired_date", "reason") == [
        (dt.date(2024, 3, 15), pytest.approx(-390), pytest.approx(390), dt.date(2023, 4, 1), "instalment")
    ]
    unpaid = told([event for event in events if event["reason"] == "unpaid"], "date", "tax_inr")
    assert unpaid == [
        (dt.date(2024, 1, 8), pytest.approx(390)),
        (dt.date(2024, 3, 15), pytest.approx(0)),
        (dt.date(2024, 4, 1), pytest.approx(0)),
    ]


def test_advance_tax_is_paid_in_parts():
    """A gain of 2,500 in April 2023 is 390 of tax: 58.50 by 15 June, 175.50, 292.50 and 390 by the later days."""
    events = fold(market_from("2023-04-03", path(400, s5=150.0)), {0: {0: 0.5}, 6: {}})
    assert told(of_kind(events, "tax"), "date", "tax_inr") == [
        (dt.date(2023, 6, 15), pytest.approx(58.5)),
        (dt.date(2023, 9, 15), pytest.approx(117)),
        (dt.date(2023, 12, 15), pytest.approx(117)),
        (dt.date(2024, 3, 15), pytest.approx(97.5)),
    ]


def test_at_the_years_end_it_is_paid_at_once():
    terms = Terms(the_law(), Taxpayer(instalments="year_end"))
    events = fold(market_from("2023-04-03", path(500, s5=150.0)), {0: {0: 0.5}, 6: {}}, taxes=terms)
    assert told(of_kind(events, "tax"), "date", "tax_inr") == [(dt.date(2024, 3, 31), pytest.approx(390))]


def test_what_the_last_day_of_the_year_brings_is_paid_with_the_return():
    market = market_from("2024-01-01", path(260, s5=150.0))
    events = fold(market, {0: {0: 0.5}, row_of(market, "2024-03-30"): {}})
    assert told(of_kind(events, "tax"), "date", "tax_inr", "reason", "acquired_date") == [
        (dt.date(2024, 7, 31), pytest.approx(390), "settlement", dt.date(2023, 4, 1))
    ]


def test_too_much_tax_comes_back():
    """Bought at 100 and at 150; the first half is sold at 150 (+2,500), the second at 125 (−1,250, in the same year)."""
    price = np.hstack([path(260, s5=150.0), path(260, s74=75.0)])
    market = market_from("2024-01-01", price)
    events = fold(market, {0: {0: 0.5, 1: 0.5}, 6: {1: 0.5}, row_of(market, "2024-03-19"): {}})
    gain, *losses = (event["gain_inr"] for event in of_kind(events, "match"))
    loss = sum(losses)
    assert gain == 2_500.0
    assert loss < 0
    tax = told(of_kind(events, "tax"), "date", "tax_inr", "reason", "acquired_date")
    assert tax == [
        (dt.date(2024, 3, 15), pytest.approx(390), "instalment", dt.date(2023, 4, 1)),
        (dt.date(2024, 7, 31), pytest.approx(0.156 * loss), "refund", dt.date(2023, 4, 1)),
    ]


def test_a_loss_is_carried_into_the_next_year():
    market = market_from("2024-01-01", path(500, s5=50.0, s120=100.0, s140=200.0))
    sold, again = row_of(market, "2024-01-10"), row_of(market, "2024-05-10")
    events = fold(market, {0: {0: 0.5}, sold: {}, again: {0: 0.5}, row_of(market, "2024-06-01"): {}})
    loss, gain = (event["gain_inr"] for event in of_kind(events, "match"))
    assert (loss, gain) == (-2_500.0, 3_700.0)
    carried = [event for event in events if event["reason"] == "carried"]
    assert told(carried[:1], "term", "gain_inr", "level", "acquired_date") == [
        ("STCG", -2_500.0, 2023.0, dt.date(2023, 4, 1))
    ]
    tax = sum(event["tax_inr"] for event in of_kind(events, "tax"))
    assert tax == pytest.approx((3_700 - 2_500) * 0.15 * 1.04)


def test_where_cash_lacks_everything_is_sold_in_proportion():
    """All cash is invested again: the tax of 780 asks for 0.5 % more than is missing, of both names alike."""
    price = np.hstack([path(120, s5=150.0), path(120), path(120)])
    events = fold(market_from("2024-01-01", price), {0: {0: 1.0}, 6: {1: 0.75, 2: 0.25}})
    (tax,) = of_kind(events, "tax")
    assert tax["tax_inr"] == pytest.approx(780)
    sold = [event for event in of_kind(events, "fill") if event["reason"] == "tax"]
    assert told(sold, "date", "security_id", "qty", "side") == [
        (dt.date(2024, 3, 15), 101, 6.0, "sell"),
        (dt.date(2024, 3, 15), 102, 2.0, "sell"),
    ]
    assert np.cumsum([event["cash_inr"] for event in events]).min() >= 0
    assert len([event for event in of_kind(events, "match") if event["reason"] == "tax"]) == 2


def test_what_cannot_be_raised_today_stays_due():
    price = np.hstack([path(120, s5=150.0), path(120)])
    price[row := 74, 1] = NAN  # suspended on 15 March
    events = fold(market_from("2024-01-01", price), {0: {0: 1.0}, 6: {1: 1.0}})
    assert told(of_kind(events, "tax"), "date", "tax_inr") == [(dt.date(2024, 3, 16), pytest.approx(780))]
    assert row == 74


def test_what_could_not_be_paid_is_due_no_more_when_losses_take_the_tax_away():
    """780 fall due on a gain of 5,000 while the other name is suspended; it comes back at a hundredth: no tax is left."""
    price = np.hstack([path(500, s5=150.0), path(500, s200=1.0)])
    price[50:200, 1] = NAN
    events = fold(market_from("2023-05-01", price), {0: {0: 1.0}, 6: {1: 1.0}, 60: {}})
    assert sum(event["gain_inr"] for event in of_kind(events, "match")) < 0
    taxes = told(of_kind(events, "tax"), "date", "reason")
    assert taxes[:3] == [
        (day, "instalment") for day in (dt.date(2023, 6, 15), dt.date(2023, 9, 15), dt.date(2023, 11, 17))
    ]
    assert taxes[3:] == [(dt.date(2024, 7, 31), "refund")]
    assert sum(event["tax_inr"] for event in of_kind(events, "tax")) == pytest.approx(0.0)


def test_dividends_are_taxed_at_the_slab():
    market = market_from("2024-01-01", path(120), actions={4: action(0, cash=2.0, label="dividend")})
    events = fold(market, {0: {0: 0.5}})
    (tax,) = of_kind(events, "tax")
    assert tax["tax_inr"] == pytest.approx(50 * 2.0 * 0.30 * 1.04)


def test_a_split_rescales_lots_and_a_bonus_is_one_of_its_own():
    price = [[100.0]] * 4 + [[50.0]] * 3 + [[25.0]] * 4
    actions = {4: action(0, 2.0, label="split"), 7: action(0, 2.0, label="bonus")}
    market = market_from("2024-01-01", price, actions=actions)
    events = fold(market, {0: {0: 0.5}, 8: {}})
    assert told(of_kind(events, "lot"), "date", "lot_id", "acquired_date", "qty", "cost_basis_inr") == [
        (dt.date(2024, 1, 2), 1, dt.date(2024, 1, 2), 50.0, 5_000.0),
        (dt.date(2024, 1, 5), 1, dt.date(2024, 1, 2), 50.0, 0.0),
        (dt.date(2024, 1, 8), 2, dt.date(2024, 1, 8), 100.0, 0.0),
    ]
    assert told(of_kind(events, "match"), "lot_id", "qty", "gain_inr") == [(1, 100.0, -2_500.0), (2, 100.0, 2_500.0)]


def test_the_fraction_of_a_bonus_is_sold_out_of_the_bonus():
    market = market_from("2024-01-01", [[100.0]] * 4 + [[66.0]] * 4, actions={4: action(0, 1.5)})
    events = fold(market, {0: {0: 0.03}})  # three shares become four and a half
    assert told(of_kind(events, "match"), "lot_id", "qty", "price", "gain_inr", "term") == [
        (2, 0.5, 66.0, 33.0, "STCG")
    ]


def test_what_a_demerger_spins_off_takes_its_part_of_the_cost():
    """Bought at 100, 60 before the ex-date of which 6 are spun off: a tenth of the cost, sold at a loss of 4 a share."""
    market = market_from(
        "2024-01-01",
        [[100.0]] * 3 + [[60.0], [54.0], [54.0]],
        actions={4: action(0, cash=6.0, label="demerger", kept=0.9, taken=6.0)},
    )
    events = fold(market, {0: {0: 0.5}})
    assert told(of_kind(events, "match"), "lot_id", "acquired_date", "qty", "cost_basis_inr", "gain_inr", "reason") == [
        (1, dt.date(2024, 1, 2), 0.0, pytest.approx(500), pytest.approx(-200), "demerger")
    ]


def test_rights_that_are_sold_cost_nothing_and_are_taxed_at_the_slab():
    market = market_from(
        "2024-01-01", path(120), actions={4: action(0, cash=6.0, label="rights", kept=0.94, taken=6.0)}
    )
    events = fold(market, {0: {0: 0.5}})
    assert told(of_kind(events, "match"), "lot_id", "qty", "cost_basis_inr", "gain_inr", "term") == [
        (None, 0.0, 0.0, 300.0, "STCG")
    ]
    assert of_kind(events, "tax")[0]["tax_inr"] == pytest.approx(300 * 0.3 * 1.04)


def test_the_transaction_tax_is_no_part_of_a_gain():
    """stt_excluded: 100,000 with charges of 20 and STT of 100, 120,000 with 25 and 120: a gain of 19,955."""
    market = market_from("2024-01-01", path(8, s4=120.0))
    state, matches = state_of(Book(0.0, np.zeros(1, np.int64)), Day(1, market, None), PLAIN)[0], []
    for row, side, price, stt, brokerage in ((1, "buy", 100.0, 100.0, 20.0), (5, "sell", 120.0, 120.0, 25.0)):
        costs = np.array([[{"stt_inr": stt, "brokerage_inr": brokerage}.get(name, 0.0) for name in COSTS]])
        fill = Batch("fill", row, *(np.array([number]) for number in (0, 1_000.0, price, 0.0, 0, side)), side, costs)
        state, batches = changed(state, fill, Day(row, market, None), PLAIN)
        matches += [batch for batch in batches if batch.kind == "match"]
    (match,) = matches
    assert match.more["gain_inr"].tolist() == [19_955.0]
    assert state.year.income.gains == {("STCG", 0.15): 19_955.0}


def test_slippage_and_deductible_charges_reduce_the_gain_and_the_transaction_tax_does_not():
    """1 % STT and 0.5 % slippage: 49 shares at 100 and at 200; the gain is 9,800 × 0.995 − 4,900 × 1.005."""
    market = market_from("2024-01-01", path(8, s4=200.0))
    events = fold(market, {0: {0: 0.5}, 5: {}}, rates=RATES, slippage=0.005)
    (match,) = of_kind(events, "match")
    assert match["qty"] == 49.0
    assert match["gain_inr"] == pytest.approx(9_800 * 0.995 - 4_900 * 1.005)


def test_shares_of_before_31_january_2018_are_protected():
    """Bought at 100, 200 at most on the day, 190 when sold after a year: the cost is the price, and nothing is taxed."""
    price = path(600, s20=180.0, s300=190.0)
    market = market_from("2018-01-01", price, high=np.where(np.arange(600)[:, None] == 30, 200.0, price))
    sold = row_of(market, "2019-01-20")
    events = fold(market, {0: {0: 0.5}, sold: {}})
    (match,) = of_kind(events, "match")
    assert (match["cost_basis_inr"], match["level"], match["gain_inr"], match["term"]) == (
        5_000.0,
        9_500.0,
        0.0,
        "LTCG",
    )
    unprotected = fold(market_from("2018-02-01", price[31:]), {0: {0: 0.5}, 400: {}})
    assert of_kind(unprotected, "match")[0]["gain_inr"] > 0


def test_a_name_that_was_suspended_on_31_january_2018_is_worth_its_last_high_split_since():
    price = path(600, s20=180.0, s25=90.0, s300=95.0)
    price[24:40] = NAN
    mark = np.where(np.isnan(price), 90.0, price)
    mark[24] = 180.0
    actions = {25: action(0, 2.0, label="split")}
    market = market_from(
        "2018-01-01", price, mark=mark, high=np.where(np.arange(600)[:, None] == 23, 200.0, price), actions=actions
    )
    events = fold(market, {0: {0: 0.5}, row_of(market, "2019-01-20"): {}})
    (match,) = of_kind(events, "match")
    assert (match["qty"], match["level"], match["gain_inr"]) == (100.0, 9_500.0, 0.0)


def test_the_threshold_of_july_2024_reaches_back_and_pays_back():
    """1,000 shares at 100 sold at 300 in May 2024: 2 lakh long-term. In June 15 % of 10,000 is paid, in the end all of 7,500."""
    market = market_from("2023-01-01", path(800, s300=300.0))
    events = fold(market, {0: {0: 0.5}, row_of(market, "2024-05-02"): {}}, capital=200_000.0)
    assert [event["gain_inr"] for event in of_kind(events, "match")] == [200_000.0]
    assert (
        told(of_kind(events, "tax"), "date", "tax_inr")
        == [
            (dt.date(2024, 6, 15), pytest.approx(0.15 * 10_000 * 1.04)),
            (dt.date(2024, 9, 15), pytest.approx((0.45 * 7_500 - 1_500) * 1.04)),
            (dt.date(2024, 12, 15), pytest.approx(0.30 * 7_500 * 1.04)),
            (dt.date(2025, 3, 10), pytest.approx(0.25 * 7_500 * 1.04)),
        ][:3]
    )
    unpaid = dict(told([event for event in events if event["reason"] == "unpaid"], "date", "tax_inr"))
    assert unpaid[dt.date(2024, 6, 15)] == pytest.approx(0.85 * 10_000 * 1.04)
    assert unpaid[dt.date(2024, 7, 23)] == pytest.approx((7_500 - 1_500) * 1.04)


def waiting(days=30, **more):
    """Terms under which sales wait; a name without a score waits for nothing, so every name has the mean one."""
    scores = {row: np.zeros(1) for row in range(2_000)}
    return dataclasses.replace(PLAIN, waiting=Waiting(**({"days": days, "scores": scores} | more)))


def test_a_sale_waits_until_its_lot_is_long_term():
    market = market_from("2023-01-01", path(420, s300=150.0))
    exit_on = row_of(market, "2023-12-20")  # bought on 2 January 2023
    events = fold(market, {0: {0: 0.5}, exit_on: {}}, taxes=waiting())
    assert told(of_kind(events, "match"), "date", "term") == [(dt.date(2024, 1, 3), "LTCG")]
    sooner = fold(market, {0: {0: 0.5}, exit_on: {}}, taxes=waiting(days=10))
    assert told(of_kind(sooner, "match"), "date", "term") == [(dt.date(2023, 12, 21), "STCG")]


def test_a_sale_does_not_wait_for_less_than_it_costs():
    """Waiting 13 days for a gain of a third saves 5 % of it, 1.73 % of the value; a name at −2 × 30 % loses 2.1 %."""
    market = market_from("2023-01-01", path(420, s300=150.0))
    exit_on = row_of(market, "2023-12-20")
    costs = {"score_return": 0.30, "half_life": 1e6}
    for score, on in ((-1.5, dt.date(2024, 1, 3)), (-2.0, dt.date(2023, 12, 21))):
        scores = {exit_on: np.array([score])}
        events = fold(market, {0: {0: 0.5}, exit_on: {}}, taxes=waiting(scores=scores, **costs))
        assert told(of_kind(events, "match"), "date") == [(on,)]


def test_a_loss_and_a_name_without_a_score_do_not_wait():
    market = market_from("2023-01-01", path(420, s300=90.0))
    exit_on = row_of(market, "2023-12-20")
    assert told(of_kind(fold(market, {0: {0: 0.5}, exit_on: {}}, taxes=waiting()), "match"), "term") == [("STCG",)]
    market = market_from("2023-01-01", path(420, s300=150.0))
    events = fold(market, {0: {0: 0.5}, exit_on: {}}, taxes=waiting(scores={}))
    assert told(of_kind(events, "match"), "term") == [("STCG",)]


def test_the_part_whose_lots_are_long_term_is_sold_at_once():
    """20 shares of May 2022 go now; 30 of 2 January 2023 wait."""
    market = market_from("2022-05-01", path(700, s500=150.0))
    more, exit_on = row_of(market, "2023-01-01"), row_of(market, "2023-12-20")
    events = fold(market, {0: {0: 0.2}, more: {0: 0.5}, exit_on: {}}, taxes=waiting())
    assert told(of_kind(events, "match"), "date", "qty", "term") == [
        (dt.date(2023, 12, 21), 20.0, "LTCG"),
        (dt.date(2024, 1, 3), 30.0, "LTCG"),
    ]


def test_a_sale_waits_no_longer_than_is_stated_however_many_lots_there_are():
    """Lots of every twelfth day from 2 January on, 15 shares of the first two turn within 30 days of 21 December."""
    market = market_from("2023-01-01", path(500, s300=150.0))
    buys = {12 * lot: {0: 0.1 + 0.05 * lot} for lot in range(7)}
    exit_on = row_of(market, "2023-12-20")
    events = fold(market, {**buys, exit_on: {}}, taxes=waiting(days=30))
    assert told(of_kind(events, "match"), "date", "qty", "term")[:2] == [
        (dt.date(2024, 1, 3), 10.0, "LTCG"),
        (dt.date(2024, 1, 15), 5.0, "LTCG"),
    ]
    assert {(match["date"], match["term"]) for match in of_kind(events, "match")[2:]} == {
        (dt.date(2024, 1, 15), "STCG")
    }


def test_what_is_younger_is_held_back_only_where_the_saving_pays_for_it():
    """2 shares save 5.20, and 88 younger ones at −1 × 30 % would lose 141 in 13 days; without a loss all wait."""
    market = market_from("2023-01-01", path(420, s300=150.0))
    exit_on = row_of(market, "2023-12-20")
    for score, on in ((-1.0, dt.date(2023, 12, 21)), (-0.03, dt.date(2024, 1, 3))):
        rule = waiting(scores={exit_on: np.array([score])}, score_return=0.30, half_life=1e6)
        events = fold(market, {0: {0: 0.02}, 250: {0: 0.9}, exit_on: {}}, taxes=rule)
        assert {match["date"] for match in of_kind(events, "match")} == {on}


def test_a_newer_decision_ends_the_wait():
    market = market_from("2023-01-01", path(420, s300=150.0))
    exit_on, again = row_of(market, "2023-12-20"), row_of(market, "2023-12-27")
    events = fold(market, {0: {0: 0.5}, exit_on: {}, again: {0: 0.6}}, taxes=waiting())
    assert of_kind(events, "match") == []
    scores = {exit_on: np.zeros(1)}  # at the second decision the name has no score any more
    events = fold(market, {0: {0: 0.5}, exit_on: {}, again: {}}, taxes=waiting(scores=scores))
    assert told(of_kind(events, "match"), "date", "term") == [(dt.date(2023, 12, 28), "STCG")]


def test_shares_that_wait_are_split_with_the_others():
    price = path(420, s300=150.0)
    at = 360
    price[at:] = 75.0
    market = market_from("2023-01-01", price, actions={at: action(0, 2.0, label="split")})
    events = fold(market, {0: {0: 0.5}, row_of(market, "2023-12-20"): {}}, taxes=waiting())
    assert told(of_kind(events, "match"), "date", "qty") == [(dt.date(2024, 1, 3), 100.0)]


def test_half_of_a_score_is_gone_after_its_half_life():
    rule = Waiting(days=30, score_return=0.3655, half_life=10.0)
    ten, twenty = rule.costs(np.array([-1.0, -1.0]), np.array([10.0, 20.0]))
    assert ten == pytest.approx(0.3655 * (10 / np.log(2) * 0.5) / 365.25)
    assert twenty == pytest.approx(1.5 * ten)
    with pytest.raises(TsqError, match="score_half_life_days"):
        Waiting(half_life=0.0)


def test_both_bonus_and_split_of_one_day():
    both = Actions(*(np.array([value]) for value in (0, 4.0, 0.0, "bonus+split", 2.0, 1.0, 0.0)))
    market = market_from("2024-01-01", [[100.0]] * 4 + [[25.0]] * 4, actions={4: both})
    events = fold(market, {0: {0: 0.5}, 5: {}})
    assert told(of_kind(events, "match"), "lot_id", "qty", "cost_basis_inr") == [(1, 100.0, 5_000.0), (2, 100.0, 0.0)]


def test_the_steps_stand_where_they_are_said_to():
    order = [step.__name__ for step in STEPS]
    assert order.index("decide") < order.index("defer") < order.index("sell") < order.index("pay") < order.index("buy")
    assert order[-2:] == ["account", "observe"]

"""NAV of given target weights: three libraries, plain numpy for each one's cash convention, and the fold with its steps.

The libraries differ only in how costs meet cash. The fold takes each of their conventions as a step of its own, which
shows that all else (prices, order of trades, holdings, value) is theirs; its shipped convention is a fourth, held to a
plain solution of its equation and told apart from theirs. Shares are whole in the fold: prices are made so small that
a share is no more than a part in 10¹² of the capital.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tsq.quant.book import NO_ORDERS, Orders, Policy, Targets
from tsq.quant.charges import BUY, schedule
from tsq.quant.ledger import STEPS, fold
from tsq.quant.market import market
from tsq.quant.trading import execute, sell

SAID = json.loads((Path(__file__).parent / "data" / "navs.json").read_text(encoding="utf-8"))
PRICES = np.array(SAID["prices"])
WEIGHTS = {int(row): np.array(weights) for row, weights in SAID["weights"].items()}
COSTS = {"free": 0.0, "ten_bps": SAID["cost"]}
CAPITAL, A_SHARE = 1e8, 1e-6
LAST = len(PRICES) - 1


# -- plain numpy: what each convention does at one rebalance, in rupees a name ---------------------------------------------
def vectorbt(held, cash, wanted, cost):
    """Sells first, then purchases from the smallest on, each with what cash is left."""
    change = wanted * (held.sum() + cash) - held
    sold = np.maximum(-change, 0.0)
    cash += sold.sum() * (1.0 - cost)
    held = held - sold
    for name in np.argsort(change, kind="stable"):
        if change[name] > 0.0:
            bought = min(change[name], cash / (1.0 + cost))
            held[name] += bought
            cash -= bought * (1.0 + cost)
    return held, cash


def bt(held, cash, wanted, cost):
    """What a name is given or gives back includes its commission; what is not wanted is sold whole."""
    change = wanted * (held.sum() + cash) - held
    traded = np.where(change > 0.0, change / (1.0 + cost), np.where(wanted > 0.0, change / (1.0 - cost), -held))
    return held + traded, cash - traded.sum() - cost * np.abs(traded).sum()


def cvxportfolio(held, cash, wanted, cost):
    """To the weights of the value before costs, which are paid from cash."""
    change = wanted * (held.sum() + cash) - held
    return held + change, cash - change.sum() - cost * np.abs(change).sum()


def ours(held, cash, wanted, cost):
    """To the weights of the value that is left: V + costs(V) = value before."""
    low, high = 0.0, held.sum() + cash
    for _ in range(200):
        value = (low + high) / 2.0
        left = value + cost * np.abs(wanted * value - held).sum() - (held.sum() + cash)
        low, high = (low, value) if left > 0.0 else (value, high)
    change = wanted * low - held
    return held + change, cash - change.sum() - cost * np.abs(change).sum()


CONVENTIONS = {"vectorbt": vectorbt, "bt": bt, "cvxportfolio": cvxportfolio}


def navs(convention, cost):
    """Value after each session, and as it comes into each, of one rupee."""
    held, cash, after, before = np.zeros(PRICES.shape[1]), 1.0, [], []
    for row, price in enumerate(PRICES):
        if row:
            held = held * price / PRICES[row - 1]
        before.append(held.sum() + cash)
        if row in WEIGHTS:
            held, cash = convention(held, cash, WEIGHTS[row], cost)
        after.append(held.sum() + cash)
    return np.array(after), np.array(before)


# -- the fold -----------------------------------------------------------------------------------------------------------
def in_value_before_costs(book, day):
    """Orders to the weights of the value before costs, from the weights listed for the session itself."""
    decided = day.policy.targets.get(day.row - 1)
    if decided is None:
        return book
    price = day.price
    value = book.cash + float(np.sum(book.shares * price))
    wanted = np.zeros(len(price))
    wanted[decided.names] = decided.weights
    return _ordered(book, day, np.round(wanted * value / price).astype(np.int64) - book.shares)


def commission_included(book, day):
    """Orders that come to the change of value with their commission in it; a name not wanted is sold whole."""
    decided = day.policy.targets.get(day.row - 1)
    if decided is None:
        return book
    price, cost = day.price, day.policy.slippage
    wanted = np.zeros(len(price))
    wanted[decided.names] = decided.weights
    change = wanted * (book.cash + float(np.sum(book.shares * price))) - book.shares * price
    change /= np.where(change > 0.0, 1.0 + cost, 1.0 - cost)
    qty = np.where(wanted > 0.0, np.round(change / price), -book.shares)
    return _ordered(book, day, qty.astype(np.int64))


def buy_all(book, day):
    """Purchases in full: cash may end a hair below zero."""
    book, _ = execute(book, day, BUY, book.buys)
    return replace(book, buys=NO_ORDERS)


def buy_from_the_smallest(book, day):
    """Purchases one by one, each with what cash is left."""
    for at in np.argsort(book.buys.qty * day.price[book.buys.names], kind="stable"):
        order = book.buys.only(np.arange(len(book.buys.names)) == at)
        most = int(book.cash / (1.0 + day.policy.slippage) / day.price[order.names[0]])
        book, _ = execute(book, day, BUY, order.left(np.minimum(order.qty, most)))
    return replace(book, buys=NO_ORDERS)


STEPS_OF = {
    "vectorbt": (in_value_before_costs, sell, buy_from_the_smallest),
    "bt": (commission_included, sell, buy_all),
    "cvxportfolio": (in_value_before_costs, sell, buy_all),
    "ours": STEPS,
}


def _ordered(book, day, change):
    names = np.arange(len(change))
    nobody = np.full(len(change), day.row - 1)
    orders = Orders(names, np.abs(change), nobody, np.full(len(change), "enter"), nobody)
    return replace(book, sells=orders.only(change < 0), buys=orders.only(change > 0))


@pytest.fixture(scope="module")
def seen():
    """The made-up prices as a market; the decisions are those of the evening before."""
    days = pl.date_range(pl.date(2019, 12, 31), pl.date(2019, 12, 31) + pl.duration(days=LAST + 1), eager=True)
    price = np.vstack([PRICES[:1], PRICES]) * A_SHARE
    row, name = np.nonzero(price > 0.0)
    columns = ("open", "high", "low", "close", "mark")
    quotes = pl.DataFrame(
        {"date": days.gather(row), "security_id": name}
        | dict.fromkeys(columns, price[row, name])
        | {"volume": 1e15, "turnover_inr": None, "adv_inr": None, "sigma": None}
        | {"sessions_stale": 0, "share_factor": 1.0, "cash_per_share": 0.0, "action": None}
        | {"bonus_factor": 1.0, "kept": 1.0, "taken_per_share": 0.0}
    )
    # a made-up range, so that no move of the day looks like a locked band
    quotes = quotes.with_columns(high=pl.col("close") * 1.01, low=pl.col("close") * 0.99)
    return market(quotes, pl.DataFrame({"date": days, "is_short": False}), delist_after_sessions=60)


def folded(seen, steps, cost):
    """Value after each session, and as it comes into each, of one rupee, by the fold."""
    targets = {row: Targets(np.flatnonzero(weights), weights[weights > 0.0]) for row, weights in WEIGHTS.items()}
    nothing = pl.DataFrame(
        schema=dict.fromkeys(("item", "venue", "unit", "base", "side", "status"), pl.String)
        | {"from_date": pl.Date, "to_date": pl.Date, "rate": pl.Float64}
    )
    policy = Policy(targets, schedule(nothing, seen.dates, plan="NONE"), cost, 0.0)
    shares, cash = np.zeros((LAST + 2, PRICES.shape[1])), np.zeros(LAST + 2)
    for batch in fold(seen, policy, CAPITAL, steps):
        cash[batch.day] += batch.cash.sum()
        if batch.kind == "fill":
            shares[batch.day, batch.names] += batch.shares
    held, cash = np.cumsum(shares, axis=0), np.cumsum(cash)
    after = (held * seen.mark).sum(axis=1) + cash
    before = (held[:-1] * seen.mark[1:]).sum(axis=1) + cash[:-1]
    return after[1:] / CAPITAL, before / CAPITAL


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("library", CONVENTIONS)
def test_plain_numpy_does_what_the_library_does(library, cost):
    after, before = navs(CONVENTIONS[library], COSTS[cost])
    theirs = np.array(SAID["navs"][cost][library])
    mine = (before if library == "cvxportfolio" else after)[: len(theirs)]
    np.testing.assert_allclose(mine, theirs, rtol=1e-12)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("library", CONVENTIONS)
def test_the_fold_with_its_cash_convention_is_the_library(seen, library, cost):
    after, before = folded(seen, STEPS_OF[library], COSTS[cost])
    theirs = np.array(SAID["navs"][cost][library])
    mine = (before if library == "cvxportfolio" else after)[: len(theirs)]
    np.testing.assert_allclose(mine, theirs, rtol=1e-9)


@pytest.mark.parametrize("cost", COSTS)
def test_the_shipped_steps_solve_for_the_value_after_costs(seen, cost):
    np.testing.assert_allclose(folded(seen, STEPS, COSTS[cost])[0], navs(ours, COSTS[cost])[0], rtol=1e-9)


def test_without_costs_there_is_one_convention(seen):
    for library in CONVENTIONS:
        theirs = np.array(SAID["navs"]["free"][library])
        mine = folded(seen, STEPS, 0.0)[library == "cvxportfolio"][: len(theirs)]
        np.testing.assert_allclose(mine, theirs, rtol=1e-9)


def test_with_costs_ours_is_its_own_and_never_far():
    cost = COSTS["ten_bps"]
    mine = navs(ours, cost)[0]
    for convention in CONVENTIONS.values():
        apart = np.abs(navs(convention, cost)[0] / mine - 1.0).max()
        assert 1e-9 < apart < 3e-4


def test_weights_hold_exactly_after_costs_only_in_ours():
    cost, held, cash = COSTS["ten_bps"], np.array([0.5, 0.3, 0.0]), 0.2
    wanted = np.array([0.2, 0.3, 0.5])
    for convention, exact in ((ours, True), (vectorbt, False), (bt, False), (cvxportfolio, False)):
        after, left = convention(held.copy(), cash, wanted, cost)
        assert np.allclose(after / (after.sum() + left), wanted, rtol=1e-12, atol=0.0) == exact

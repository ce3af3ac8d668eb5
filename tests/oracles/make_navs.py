"""Make tests/oracles/data/navs.json: NAV of given target weights by three libraries, each with its own cash convention.

They are heavy, so nothing of the project depends on them. In an environment of its own:

    python -m venv oracles && oracles/bin/pip install vectorbt==1.2.0 bt==1.4.1 cvxportfolio==1.5.1
    oracles/bin/python tests/oracles/make_navs.py

Prices are made up (seeded) and kept beside the answers, so that the test needs no random numbers. Shares are fractional,
costs a part of the traded value, trades at the price of the session that lists weights.
"""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import bt
import cvxportfolio as cvx
import numpy as np
import pandas as pd
import vectorbt as vbt

COST, CAPITAL, DAYS, NAMES = 0.001, 1e6, 260, 8
OUT = Path(__file__).parent / "data" / "navs.json"


def inputs() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Prices by session, and weights on the sessions that trade: some rebalances leave names out, some keep cash."""
    rng = np.random.default_rng(11)
    days = pd.bdate_range("2020-01-01", periods=DAYS)
    names = [f"N{number}" for number in range(NAMES)]
    steps = rng.normal(0.0004, 0.02, (DAYS, NAMES))
    prices = pd.DataFrame(np.round(100.0 * np.exp(np.cumsum(steps, axis=0)), 4), index=days, columns=names)
    weights = {}
    for row in range(0, DAYS - 1, 20):
        some = rng.random(NAMES) < 0.7
        some[rng.integers(NAMES)] = True
        part = np.where(some, rng.uniform(0.2, 1.0, NAMES), 0.0)
        weights[days[row]] = np.round(part / part.sum() * rng.choice([1.0, 1.0, 0.9]), 6)
    listed = pd.DataFrame.from_dict(weights, orient="index", columns=names)
    # six digits may add up to a hair more than one, which nobody can buy
    return prices, listed.div(listed.sum(axis=1).clip(lower=1.0), axis=0)


def by_vectorbt(prices: pd.DataFrame, weights: pd.DataFrame, cost: float) -> list[float]:
    """Sells first, then purchases as far as cash goes."""
    size = weights.reindex(prices.index)
    made = vbt.Portfolio.from_orders(
        prices,
        size,
        size_type="targetpercent",
        fees=cost,
        init_cash=CAPITAL,
        group_by=True,
        cash_sharing=True,
        call_seq="auto",
    )
    return (made.value() / CAPITAL).tolist()


def by_bt(prices: pd.DataFrame, weights: pd.DataFrame, cost: float) -> list[float]:
    """What a name is given or gives back includes its commission."""
    strategy = bt.Strategy("s", [bt.algos.WeighTarget(weights), bt.algos.Rebalance()])
    test = bt.Backtest(
        strategy,
        prices,
        initial_capital=CAPITAL,
        commissions=lambda qty, price: cost * abs(qty) * price,
        integer_positions=False,
        progress_bar=False,
    )
    bt.run(test)
    values = test.strategy.values
    return (values.reindex(prices.index) / CAPITAL).tolist()


def by_cvxportfolio(prices: pd.DataFrame, weights: pd.DataFrame, cost: float) -> list[float]:
    """Trades to the weights of the value before costs, and pays those from cash."""
    returns = prices.pct_change().shift(-1).iloc[:-1].assign(cash=0.0)
    data = cvx.UserProvidedMarketData(returns=returns, cash_key="cash", min_history=pd.Timedelta("0D"))
    simulator = cvx.MarketSimulator(
        market_data=data,
        costs=[cvx.StocksTransactionCost(a=cost, pershare_cost=None, b=None)],
        round_trades=False,
        max_fraction_liquidity=None,
        cash_key="cash",
    )
    full = weights.assign(cash=1.0 - weights.sum(axis=1))
    made = simulator.backtest(cvx.FixedWeights(full), start_time=returns.index[0], end_time=None, initial_value=CAPITAL)
    return (made.v / CAPITAL).tolist()


def main() -> None:
    """Ask the three of them, with and without costs, and write down what they say."""
    prices, weights = inputs()
    answers: dict[str, Any] = {}
    for name, cost in (("free", 0.0), ("ten_bps", COST)):
        answers[name] = {
            "vectorbt": by_vectorbt(prices, weights, cost),
            "bt": by_bt(prices, weights, cost),
            "cvxportfolio": by_cvxportfolio(prices, weights, cost),
        }
    said = {
        "made_by": "tests/oracles/make_navs.py",
        "versions": {name: metadata.version(name) for name in ("vectorbt", "bt", "cvxportfolio", "numpy", "pandas")},
        "cost": COST,
        "prices": prices.to_numpy().tolist(),
        "weights": {str(list(prices.index).index(day)): row.tolist() for day, row in weights.iterrows()},
        "navs": answers,
    }
    OUT.write_text(json.dumps(said) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

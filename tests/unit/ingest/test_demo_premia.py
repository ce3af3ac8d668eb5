"""What can be found in the demo market: the two planted premia, and without them nothing."""

import numpy as np
import numpy.typing as npt
import pytest

from tsq.ingest.demo import Market, make_market

Array = npt.NDArray[np.float64]

YEAR, MONTH = 252, 21


def rank(values: Array) -> Array:
    return values.argsort().argsort().astype(float)


def month_ends(market: Market) -> list[int]:
    months = market.plan.sessions.astype("datetime64[M]")
    ends = np.flatnonzero(months[1:] != months[:-1])
    return [int(end) for end in ends if YEAR <= end < len(months) - MONTH]


def information_coefficients(market: Market) -> dict[str, float]:
    """Mean rank correlation of each factor at month ends with the next month's return, on prices as printed."""
    equities = slice(0, market.plan.size.equities)
    close = np.where(market.plan.traded, market.close, np.nan)[:, equities]
    price = close / market.adjustment[:, equities]
    returns = price[1:] / price[:-1] - 1
    turnover = market.turnover[:, equities]
    found: dict[str, list[float]] = {}
    for end in month_ends(market):
        past = returns[end - YEAR : end]
        ahead = price[end + MONTH] / price[end]
        seen = np.isfinite(past).all(axis=0) & np.isfinite(ahead) & (close[end] >= 10)
        past = past[:, seen]
        average = past.mean(axis=1, keepdims=True)
        factors = {
            "momentum": (price[end - MONTH] / price[end - YEAR])[seen],
            "quality": 1 / np.sqrt((np.minimum(past, 0) ** 2).mean(axis=0)),
            "low_vol": -past.std(axis=0),
            "beta": (past * (average - average.mean())).mean(axis=0),
            "reversal": -(price[end] / price[end - MONTH])[seen],
            "amihud": (np.abs(past) / turnover[end - YEAR + 1 : end + 1, seen]).mean(axis=0),
        }
        for name, values in factors.items():
            found.setdefault(name, []).append(np.corrcoef(rank(values), rank(ahead[seen]))[0, 1])
    return {name: float(np.mean(values)) for name, values in found.items()}


def t_statistics(seeds: range, size: str) -> dict[str, float]:
    made = [
        information_coefficients(make_market(size=size, seed=seed, momentum_premium=0, quality_premium=0))
        for seed in seeds
    ]
    values = {name: np.array([one[name] for one in made]) for name in made[0]}
    return {name: float(v.mean() / (v.std(ddof=1) / np.sqrt(len(v)))) for name, v in values.items()}


def test_planted_premia_are_found() -> None:
    found = information_coefficients(make_market())
    assert 0.03 < found["momentum"] < 0.10
    assert 0.03 < found["quality"] < 0.10


def test_each_premium_is_planted_by_itself() -> None:
    momentum = information_coefficients(make_market(momentum_premium=0.01, quality_premium=0))
    quality = information_coefficients(make_market(momentum_premium=0, quality_premium=0.01))
    assert momentum["momentum"] > 0.06
    assert abs(momentum["quality"]) < 0.03
    assert quality["quality"] > 0.06


def test_quality_lowers_downside_volatility() -> None:
    market = make_market(size="small")
    equities = slice(0, market.plan.size.equities)
    downside = np.sqrt((np.minimum(market.log_return[:, equities], 0) ** 2).mean(axis=0))
    assert np.corrcoef(rank(-downside), rank(market.quality[equities]))[0, 1] > 0.6


def test_premia_move_no_date_and_no_shock() -> None:
    with_them, without = make_market(size="small"), make_market(size="small", momentum_premium=0, quality_premium=0)
    assert with_them.plan.events == without.plan.events
    gap = with_them.log_return - without.log_return
    assert np.abs(gap).max() < 0.002


def test_nothing_is_found_without_premia_in_small_markets() -> None:
    assert {name: t for name, t in t_statistics(range(20), "small").items() if abs(t) > 2.6} == {}


@pytest.mark.slow
def test_nothing_is_found_without_premia() -> None:
    # six correlated factors: two in a hundred such tests pass 2.6 by chance with one of them; the seeds are fixed
    assert {name: t for name, t in t_statistics(range(20), "default").items() if abs(t) > 2.6} == {}

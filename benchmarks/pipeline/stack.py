"""The same pipeline as users write it today: pandas for the panel, alphalens for the daily IC, vectorbt for the NAV.

`python stack.py FOLDER` prints one JSON line of results to compare with the other sides. It needs a Python of its own
with `pandas<3 pyarrow alphalens-reloaded vectorbt "plotly<6"`.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

SIGNS = {"momentum": 1, "inv_downside": 1, "low_vol": 1, "beta": -1, "range_pct": -1, "amihud": -1}
FACTORS = list(SIGNS)
HORIZONS = (1, 5, 21, 63)


def clean(folder: Path) -> pd.DataFrame:
    """Last load of each key, adjusted, sorted."""
    raw = pd.read_parquet(folder / "prices.parquet")
    raw["date"] = pd.to_datetime(raw["date"])
    raw = raw.sort_values(["symbol", "date", "load_seq"]).drop_duplicates(["symbol", "date"], keep="last")
    adjusted = {name: raw[name] * raw["adj_factor"] for name in ("open", "high", "low", "close")}
    turnover = raw["close"] * raw["volume"]
    return pd.DataFrame({"date": raw["date"], "symbol": raw["symbol"], **adjusted, "turnover": turnover}).reset_index(
        drop=True
    )


def with_factors(prices: pd.DataFrame) -> pd.DataFrame:
    """Returns and the six factors of every row, group by group."""
    by = prices.groupby("symbol", sort=False)
    frame = prices[["date", "symbol", "close", "turnover"]].copy()
    before = by["close"].shift(1)
    frame["ret"] = prices["close"] / before - 1
    frame["n"] = by.cumcount() + 1
    spread = prices["high"] - prices["low"]
    jumps = np.maximum((prices["high"] - before).abs(), (prices["low"] - before).abs())
    frame["true_range"] = np.maximum(spread, jumps).where(before.notna(), spread)
    market = frame["date"].map(frame.groupby("date")["ret"].mean()).where(frame["ret"].notna())

    def rolling(series: pd.Series, window: int, least: int | None = None) -> pd.core.window.RollingGroupby:
        return series.groupby(frame["symbol"], sort=False).rolling(window, min_periods=least)

    def mean(series: pd.Series, window: int) -> pd.Series:
        return rolling(series, window).mean().reset_index(level=0, drop=True)

    close = frame.groupby("symbol", sort=False)["close"]
    frame["adv"] = rolling(frame["turnover"], 63, 1).median().reset_index(level=0, drop=True)
    frame["momentum"] = close.shift(21) / close.shift(252) - 1
    frame["inv_downside"] = 1 / np.sqrt(mean(frame["ret"].clip(upper=0) ** 2, 252))
    frame["low_vol"] = -rolling(frame["ret"], 252).std().reset_index(level=0, drop=True)
    mean_ret, mean_market = mean(frame["ret"], 252), mean(market, 252)
    covariance = mean(frame["ret"] * market, 252) - mean_ret * mean_market
    frame["beta"] = covariance / (mean(market**2, 252) - mean_market**2)
    frame["range_pct"] = (mean(frame["true_range"], 14) / frame["close"]).where(frame["n"] > 14)
    frame["amihud"] = mean(frame["ret"].abs() / frame["turnover"].where(frame["turnover"] > 0), 63)
    for h in HORIZONS:
        frame[f"ahead_{h}"] = close.shift(-h) / frame["close"] - 1
    return frame


def scores(frame: pd.DataFrame, sectors: pd.Series) -> pd.DataFrame:
    """Members on rebalance dates with winsorised, standardised, sector-neutral factors and their blend."""
    days = frame["date"].drop_duplicates()
    rebalance = days.groupby(days.dt.to_period("M")).max()
    chosen = (frame["adv"] >= 5e6) & (frame["close"] >= 5) & (frame["n"] > 252)
    chosen &= frame["momentum"].notna() & frame["amihud"].notna() & frame["date"].isin(rebalance)
    score = frame.loc[chosen, ["date", "symbol", *FACTORS, *(f"ahead_{h}" for h in HORIZONS)]].copy()
    score["sector"] = score["symbol"].map(sectors)
    by = score.groupby("date")[FACTORS]
    low, high = by.quantile(0.01).reindex(score["date"]), by.quantile(0.99).reindex(score["date"])
    score[FACTORS] = np.clip(score[FACTORS].to_numpy(), low.to_numpy(), high.to_numpy())
    by = score.groupby("date")[FACTORS]
    score[FACTORS] = (score[FACTORS] - by.transform("mean")) / by.transform("std")
    score[FACTORS] -= score.groupby(["date", "sector"])[FACTORS].transform("mean")
    score["blend"] = sum(sign * score[name] for name, sign in SIGNS.items())
    score["rank"] = score.groupby("date")["blend"].rank(ascending=False, method="first")
    return score


def monthly_ic(score: pd.DataFrame) -> pd.DataFrame:
    """Rank correlation of each factor and the blend with each horizon, by date."""
    signals = [*FACTORS, "blend"]
    parts = []
    for h in HORIZONS:
        known = score[score[f"ahead_{h}"].notna()]
        each = known.groupby("date")[[*signals, f"ahead_{h}"]]
        ic = each.apply(lambda day, h=h: day[signals].corrwith(day[f"ahead_{h}"], method="spearman"))
        parts.append(ic.assign(h=h))
    return pd.concat(parts)


def daily_ic(frame: pd.DataFrame, closes: pd.DataFrame) -> pd.DataFrame:
    """Alphalens' daily information coefficient of momentum."""
    import alphalens

    factor = frame.dropna(subset=["momentum"]).set_index(["date", "symbol"])["momentum"]
    factor.index = factor.index.set_names(["date", "asset"])
    data = alphalens.utils.get_clean_factor_and_forward_returns(
        factor, closes, quantiles=5, periods=HORIZONS, max_loss=1.0, filter_zscore=None
    )
    return alphalens.performance.factor_information_coefficient(data)


def nav(score: pd.DataFrame, closes: pd.DataFrame) -> pd.Series:
    """vectorbt's value of the fifty best names, equally weighted at each rebalance."""
    import vectorbt

    best = score[score["rank"] <= 50].copy()
    best["weight"] = 1 / best.groupby("date")["symbol"].transform("count")
    weights = best.pivot(index="date", columns="symbol", values="weight").fillna(0)
    held = closes[weights.columns].ffill().loc[weights.index[0] :]
    portfolio = vectorbt.Portfolio.from_orders(
        held,
        size=weights.reindex(held.index),
        size_type="targetpercent",
        group_by=True,
        cash_sharing=True,
        fees=0.002,
        call_seq="auto",
        freq="1D",
        init_cash=1e7,
    )
    return portfolio.value() / 1e7


def key_figures(value: pd.Series) -> dict[str, float]:
    """Return, Sharpe ratio, drawdown, profit factor; rolling figures are made and dropped, as on the other sides."""
    ret = value.pct_change()
    ret.rolling(63).std()
    ret.rolling(252).mean() / ret.rolling(252).std()
    return {
        "cagr": (value.iloc[-1] / value.iloc[0]) ** (252 / len(value)) - 1,
        "sharpe": ret.mean() / ret.std() * 252**0.5,
        "max_drawdown": (value / value.cummax() - 1).min(),
        "profit_factor": ret.clip(lower=0).sum() / -ret.clip(upper=0).sum(),
    }


def main(folder: Path) -> None:
    """Everything, from files to key figures."""
    sectors = pd.read_parquet(folder / "sectors.parquet").set_index("symbol")["sector"]
    frame = with_factors(clean(folder))
    score = scores(frame, sectors)
    ic = monthly_ic(score)
    closes = frame.pivot(index="date", columns="symbol", values="close").sort_index()
    daily = daily_ic(frame, closes)
    bucket = score.groupby("date")["blend"].transform(lambda day: pd.qcut(day, 5, labels=False))
    score.groupby(["date", bucket])[[f"ahead_{h}" for h in HORIZONS]].mean()
    figures = key_figures(nav(score, closes))
    means = ic.groupby("h")["blend"].mean()
    print(
        json.dumps(
            {
                "rows": len(frame),
                "members": len(score),
                "ic_blend_21": means[21],
                "ic_daily_momentum_21": daily["21D"].mean(),
                **figures,
            }
        )
    )


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main(Path(sys.argv[1]))

"""Prices of the demo market: a factor world with two planted premia and nothing else to find.

Log returns are a common drift, plus a market and a sector factor and own noise, every shock drawn symmetrically
around zero. With both premia zero, turning the sign of all shocks to come reverses every future ranking and is as
likely as not, whatever the past was: no signal made of the past has an expected rank correlation with later returns.
Symmetry in *log* returns is what a rank correlation sees; symmetric simple returns would sink the median of volatile
names by compounding and plant a false low-volatility premium.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsq.ingest.demo.calendar import BUDGET_SATURDAY, MUHURAT_SUNDAY
from tsq.ingest.demo.names import SECTORS
from tsq.ingest.demo.plan import SLIDE_SESSIONS, Plan

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TICK_INR = 0.05
YEAR, MONTH = 252, 21
BURN_IN = YEAR + MONTH

MARKET_DRIFT = 0.0004
MARKET_VOL, SECTOR_VOL, OWN_VOL = 0.008, 0.005, 0.018
SLIDE_LOSS, CRASH_LOSS = 1.2, 0.6


@dataclass(frozen=True)
class Market:
    """A simulated market; arrays are (sessions, securities), prices in rupees on the tick, turnover in rupees.

    `quality`, `usual_turnover` (rupees a day) and `capital` (rupees) are (securities,); `quality` is each security's
    persistent trait, mean 0 and sd 1 over equities. `log_return` is before rounding, corporate actions taken out;
    `adjustment` is the product of all price factors so far. Cells of sessions not traded hold the hidden path: mask
    them with `plan.traded`.
    """

    plan: Plan
    quality: Array
    usual_turnover: Array
    capital: Array
    log_return: Array
    adjustment: Array
    open: Array
    high: Array
    low: Array
    close: Array
    last: Array
    prev_close: Array
    average: Array
    volume: Ints
    trades: Ints
    deliverable: Ints

    @property
    def turnover(self) -> Array:
        """Rupees traded: shares times the average price."""
        return np.round(self.volume * self.average, 2)


def simulate(plan: Plan, rng: np.random.Generator, *, momentum_premium: float, quality_premium: float) -> Market:
    """Draw the prices of a planned market.

    Args:
        plan: names, dates and events.
        rng: consumed.
        momentum_premium: expected log return per month of one cross-sectional standard deviation of 12-1 momentum rank.
        quality_premium: the same of one standard deviation of the quality trait.
    """
    n_sessions, n = plan.traded.shape
    quality = _standardised(rng.standard_normal((n,)), plan.size.equities)
    shocks, own_vol = _shocks(plan, quality, rng)
    log_return = _add_premia(shocks, plan, quality, momentum_premium, quality_premium)[BURN_IN:]
    for column, start in plan.slides:
        log_return[start : start + SLIDE_SESSIONS, column] -= SLIDE_LOSS / SLIDE_SESSIONS
    log_return[plan.crash[1], plan.crash[0]] -= CRASH_LOSS
    part, parent = n - 2, plan.parents["partly_paid"]
    log_return[:, part] = log_return[:, parent] + 0.004 * rng.standard_normal(n_sessions)

    adjustment = _adjustment(plan)
    first_price = 50.0 * 60.0 ** rng.random(n)
    first_price[n - 4 : n - 2] = (120.0, 8.0)
    first_price[part] = 0.5 * first_price[parent]
    path = np.cumsum(log_return, axis=0)
    base = path[plan.first_row, np.arange(n)]
    value = first_price * np.exp(path - base) * adjustment
    close = _ticks(value)
    opened = _ticks(value * (1 - 0.7 * log_return + 0.002 * rng.standard_normal(value.shape)))
    reach = own_vol * np.abs(rng.standard_normal((2, *value.shape))) * 0.4
    high = np.maximum(_ticks(np.maximum(opened, close) * (1 + reach[0])), np.maximum(opened, close))
    low = np.minimum(_ticks(np.minimum(opened, close) * (1 - reach[1])), np.minimum(opened, close))
    last = np.clip(_ticks(close + TICK_INR * rng.integers(-1, 2, value.shape)), low, high)
    average = np.round((opened + high + low + close) / 4, 2)

    usual_turnover = _usual_turnover(plan, rng)
    turnover = usual_turnover * _activity(plan, log_return / own_vol, rng)
    volume = np.maximum(np.floor(turnover / average), 100).astype(np.int64)
    delivered = 0.25 + 0.5 * rng.random(volume.shape)
    return Market(
        plan=plan,
        quality=quality,
        usual_turnover=usual_turnover,
        capital=usual_turnover * np.exp(6.0 + 0.4 * rng.standard_normal(n)),
        log_return=log_return,
        adjustment=adjustment,
        open=opened,
        high=high,
        low=low,
        close=close,
        last=last,
        prev_close=_previous_close(plan, close, opened),
        average=average,
        volume=volume,
        trades=1 + volume // np.maximum(np.round(25_000 / average), 1).astype(np.int64),
        deliverable=np.floor(volume * delivered).astype(np.int64),
    )


def _ticks(price: Array) -> Array:
    # dividing the whole number of ticks keeps 57.05 the double that prints as 57.05
    per_rupee = round(1 / TICK_INR)
    return np.maximum(np.round(price * per_rupee), 1.0) / per_rupee


def _standardised(values: Array, equities: int) -> Array:
    own = values[:equities]
    scaled: Array = (values - own.mean()) / own.std()
    return scaled


def _fat_tailed(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw symmetric noise of unit variance: one draw in sixteen is three times as wild."""
    wild = rng.random(shape) < 1 / 16
    noise: Array = rng.standard_normal(shape) * np.where(wild, 3.0, 1.0) / np.sqrt(1 + 8 / 16)
    return noise


def _shocks(plan: Plan, quality: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw log returns without premia, burn-in first, and each security's own daily volatility."""
    rows, n = plan.traded.shape
    rows += BURN_IN
    own_vol = OWN_VOL * np.exp(-0.3 * quality + 0.12 * rng.standard_normal(n))
    beta = 1.0 + 0.25 * rng.standard_normal(n) - 0.1 * quality
    # the fund follows the market, the entitlement swings
    own_vol[n - 4 : n - 2], beta[n - 4] = (0.0005, 0.04), 1.0
    calm_or_wild = np.exp(0.3 * rng.standard_normal(rows // MONTH + 1)).repeat(MONTH)[:rows]
    market = MARKET_VOL * calm_or_wild * _fat_tailed(rng, (rows,))
    sectors = SECTOR_VOL * _fat_tailed(rng, (rows, len(SECTORS)))
    sector_beta = np.ones(n)
    sector_beta[n - 4] = 0.0
    own = own_vol * _fat_tailed(rng, (rows, n))
    return MARKET_DRIFT + beta * market[:, None] + sector_beta * sectors[:, plan.sector] + own, own_vol


def _add_premia(
    log_return: Array, plan: Plan, quality: Array, momentum_premium: float, quality_premium: float
) -> Array:
    """Add each month's expected return, known from the months before: a step per month, the past being part of it."""
    equities = plan.size.equities
    months = plan.sessions.astype("datetime64[M]")
    starts = BURN_IN + np.concatenate([[0], np.flatnonzero(months[1:] != months[:-1]) + 1])
    ends = np.append(starts[1:], len(log_return))
    uniform_sd = np.sqrt((equities**2 - 1) / 12)
    level = np.cumsum(log_return, axis=0)
    added = np.zeros(equities)
    for start, end in zip(starts, ends, strict=True):
        momentum = level[start - 1 - MONTH, :equities] - level[start - 1 - YEAR, :equities]
        rank = (momentum.argsort().argsort() - (equities - 1) / 2) / uniform_sd
        drift = (momentum_premium * rank + quality_premium * quality[:equities]) / MONTH
        log_return[start:end, :equities] += drift
        level[start:end, :equities] += added + drift * np.arange(1, end - start + 1)[:, None]
        added += drift * (end - start)
    return log_return


def _adjustment(plan: Plan) -> Array:
    adjustment = np.ones(plan.traded.shape)
    for action in plan.actions:
        if action.status == "confirmed":
            adjustment[action.row :, action.column] *= action.price_factor
    return adjustment


def _usual_turnover(plan: Plan, rng: np.random.Generator) -> Array:
    n = plan.size.securities
    usual = 6e7 * np.exp(rng.standard_normal(n))
    usual[n - 3 :] = (2e6, 8e6, 4e6)
    return usual


def _activity(plan: Plan, surprise: Array, rng: np.random.Generator) -> Array:
    """Draw each day's turnover over the usual: busier on large moves, growing, a tenth in a short session."""
    busy = np.exp(0.35 * rng.standard_normal(plan.traded.shape)) * (0.7 + 0.3 * np.minimum(np.abs(surprise), 6.0))
    growth = 1 + 0.1 * np.arange(len(plan.sessions)) / YEAR
    short = np.where(plan.sessions == np.datetime64(MUHURAT_SUNDAY), 0.1, 1.0)
    weekend = np.where(plan.sessions == np.datetime64(BUDGET_SATURDAY), 0.9, 1.0)
    return busy * (growth * short * weekend)[:, None]


def _previous_close(plan: Plan, close: Array, opened: Array) -> Array:
    """Carry each security's last traded close forward, raw also on ex-dates; the first row shows its open."""
    rows = np.arange(len(close))[:, None]
    seen = np.maximum.accumulate(np.where(plan.traded, rows, -1), axis=0)
    before = np.vstack([np.full((1, close.shape[1]), -1), seen[:-1]])
    carried = np.take_along_axis(close, np.maximum(before, 0), axis=0)
    return np.where(before >= 0, carried, opened)

"""What an overlay is told: its rules from configuration, and what they look at, laid out beside the market."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tsq.errors import TsqError, did_you_mean
from tsq.quant.market import Floats, Market
from tsq.quant.sizing import Throttle, grossman_zhou, linear, read_steps

WHERE = "config/risk.yml"


@dataclass(frozen=True)
class Rules:
    """One row of config.risk; sql/config/risk.yml says what each column means."""

    overlay: str = "none"
    vol_target: float | None = None
    vol_half_life: float = 20.0
    max_exposure: float = 1.0
    financing_rate: float | None = None
    exposure_band: float = 0.10
    throttle: str = "none"
    max_drawdown: float = 0.30
    risk_floor: float = 0.25
    throttle_hysteresis: float = 0.02
    throttle_steps: str | None = None
    kelly_fraction: float = 0.0
    kelly_cap: float = 1.0
    kelly_sessions: int = 756
    trend_gate: float = 1.0
    volatility_gate: float = 1.0
    event_weight: float = 1.0
    stop_multiple: float | None = None
    stop_sessions: int = 22
    atr_seed: str = "wilder"
    hard_stop: float | None = None
    min_hold_sessions: int = 0
    reentry_sessions: int = 0
    reentry_above_stop: bool = False

    def __post_init__(self) -> None:
        """Raise TsqError where a rule is asked for without what it needs."""
        if self.max_exposure > 1.0 and self.financing_rate is None:
            what = f"overlay {self.overlay} borrows up to {self.max_exposure:g} and states no financing_rate"
            raise TsqError(what, where=WHERE, hint="a ratio a year, such as 0.12; or max_exposure: 1.0")
        if self.throttle == "steps" and self.throttle_steps is None:
            what = f"overlay {self.overlay} has a throttle of steps and no throttle_steps"
            raise TsqError(what, where=WHERE, hint="such as throttle_steps: '0.08: 0.75, 0.12: 0.50'")

    @property
    def does_something(self) -> bool:
        """Whether any of the rules can ever act."""
        return bool(self.scales or self.stops or self.restrains)

    @cached_property
    def scales(self) -> tuple[str, ...]:
        """Rules that make multipliers, in the order they are applied."""
        asked = {
            "vol_scale": self.vol_target is not None,
            "throttle": self.throttle != "none",
            "kelly": self.kelly_fraction > 0.0,
            "trend_gate": self.trend_gate < 1.0,
            "volatility_gate": self.volatility_gate < 1.0,
        }
        named = tuple(name for name, is_asked in asked.items() if is_asked)
        return named or (("cap",) if self.max_exposure < 1.0 else ())

    @cached_property
    def stops(self) -> bool:
        """Whether positions have stops."""
        return self.stop_multiple is not None or self.hard_stop is not None

    @property
    def restrains(self) -> bool:
        """Whether orders are held back without a stop."""
        return self.min_hold_sessions > 0 or self.event_weight < 1.0

    def throttle_of(self) -> Throttle | None:
        """The throttle as a function of the drawdown; raises TsqError where its steps are none."""
        if self.throttle == "steps":
            return read_steps(self.throttle_steps or "", WHERE).at
        shapes = {"linear": linear, "grossman_zhou": grossman_zhou}
        shape = shapes.get(self.throttle)
        return None if shape is None else partial(shape, most=self.max_drawdown, floor=self.risk_floor)


@dataclass(frozen=True)
class Overlay:
    """Rules and what they look at; rows and columns are those of the market the portfolio trades in.

    Attributes:
        rules: what to do.
        throttle: of a drawdown; None leaves it alone.
        atr: (n_days, n_names) average true range at the close, rupees; NaN where not known. None without stops of it.
        highest: (n_days, n_names) highest high of the same prints. None without such stops.
        gates: (2, n_days) multipliers of trend and volatility, as of the close.
        in_event: (n_days, n_names) whether the evening is in a window around results; None where nothing asks.
        risk_free: rate of a session, ratio.
        sessions_per_year: to annualise.
        trades_at_close: orders trade when the session is over, so that all stops come before them.
    """

    rules: Rules
    throttle: Throttle | None
    atr: Floats | None
    highest: Floats | None
    gates: Floats
    in_event: npt.NDArray[np.bool_] | None
    risk_free: float
    sessions_per_year: int
    trades_at_close: bool


@dataclass(frozen=True)
class Looked:
    """Tables an overlay looks at, as they come: risk.atr, risk.regimes and risk.event_windows."""

    atr: pl.DataFrame
    regimes: pl.DataFrame
    event_windows: pl.DataFrame


def read_rules(risk: pl.DataFrame) -> dict[str, Rules]:
    """Rules by name of the overlay; `none` is always one, and without rules unless the table says otherwise.

    Args:
        risk: the table config.risk.

    Raises:
        TsqError: a rule without what it needs.
    """
    return {"none": Rules()} | {row["overlay"]: Rules(**row) for row in risk.iter_rows(named=True)}


def rules_of(rules: Mapping[str, Rules], name: str) -> Rules:
    """The rules a portfolio names; raises TsqError where no overlay has the name."""
    if name not in rules:
        raise TsqError(f"there is no overlay {name}", where="config/portfolios.yml", hint=did_you_mean(name, rules))
    return rules[name]


def overlay(
    rules: Rules, looked: Looked, market: Market, *, risk_free: float, sessions_per_year: int, trades_at_close: bool
) -> Overlay | None:
    """Lay out what the rules look at.

    Args:
        rules: of one overlay.
        looked: the tables of the layer risk.
        market: that the portfolio trades in.
        risk_free: yearly rate, ratio; taken geometrically.
        sessions_per_year: to annualise.
        trades_at_close: whether orders trade at the close.

    Returns:
        None where the rules do nothing.
    """
    if not rules.does_something:
        return None
    atr = highest = None
    if rules.stop_multiple is not None:
        mine = looked.atr.filter((pl.col("sessions") == rules.stop_sessions) & (pl.col("seed") == rules.atr_seed))
        atr, highest = (_spread(mine, column, market) for column in ("atr_inr", "highest_inr"))
    return Overlay(
        rules,
        rules.throttle_of(),
        atr,
        highest,
        _gates(rules, looked.regimes, market),
        _windows(looked.event_windows, market) if rules.event_weight < 1.0 else None,
        (1.0 + risk_free) ** (1.0 / sessions_per_year) - 1.0,
        sessions_per_year,
        trades_at_close,
    )


def _spread(rows: pl.DataFrame, column: str, market: Market) -> Floats:
    """A column by session and name of the market; NaN where there is no row."""
    out = np.full((len(market.dates), len(market.names)), np.nan)
    dates, names = rows["date"].to_numpy(), rows["security_id"].to_numpy()
    known = np.isin(dates, market.dates) & np.isin(names, market.names)
    at = (np.searchsorted(market.dates, dates[known]), np.searchsorted(market.names, names[known]))
    out[at] = rows[column].to_numpy()[known]
    return out


def _gates(rules: Rules, regimes: pl.DataFrame, market: Market) -> Floats:
    """Multipliers of trend and volatility by session; 1 where nothing is known."""
    out = np.ones((2, len(market.dates)))
    dates: npt.NDArray[Any] = regimes["date"].to_numpy()
    known = np.isin(dates, market.dates)
    at = np.searchsorted(market.dates, dates[known])
    for gate, (state, shut, left) in enumerate(
        (("trend", "down", rules.trend_gate), ("volatility", "stormy", rules.volatility_gate))
    ):
        out[gate, at] = np.where((regimes[state] == shut).to_numpy()[known], left, 1.0)
    return out


def _windows(windows: pl.DataFrame, market: Market) -> npt.NDArray[np.bool_]:
    """Whether each session is inside a window of each name."""
    out = np.zeros((len(market.dates), len(market.names)), np.bool_)
    mine = windows.filter(pl.col("security_id").is_in(market.names.tolist()))
    column = np.searchsorted(market.names, mine["security_id"].to_numpy())
    first = np.searchsorted(market.dates, mine["from_date"].to_numpy())
    end = np.searchsorted(market.dates, mine["to_date"].to_numpy())
    for name, start, stop in zip(column, first, end, strict=True):
        out[start:stop, name] = True
    return out

"""A demo market without prices: who is listed when and under which name, what happens, which files are spoilt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt

from tsq.ingest.demo.calendar import Dates
from tsq.ingest.demo.size import DemoSize

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int16]
Flags = npt.NDArray[np.bool_]

SERIES = ("EQ", "BE", "SM", "E1")
EQ, BE, SM, E1 = range(4)
SLIDE_SESSIONS = 12
OVERLAP_SESSIONS = 5

# formats of the price files, and where in the span each one starts
ERAS = (("legacy_11", 0.0), ("legacy_13", 0.12), ("full", 0.50), ("udiff", 0.72))


@dataclass(frozen=True)
class Event:
    """Something planted: `kind` in one word, `on` its date, `symbol` as printed that day, or empty for a whole file."""

    kind: str
    on: date
    symbol: str
    detail: str


@dataclass(frozen=True)
class Action:
    """A corporate action of security `column`, effective at the open of session `row`.

    `price_factor` multiplies the price from `row` on; for a dividend it is one less the yield. A contradicted action
    is only claimed: prices do not move.
    """

    column: int
    row: int
    kind: str
    price_factor: float
    status: str = "confirmed"


@dataclass(frozen=True)
class Correction:
    """A fact of session `row` on security `column` that is wrong or missing until the evening of session `known`."""

    column: int
    row: int
    known: int


@dataclass(frozen=True)
class Claim:
    """What session `announced` was told of an action, before the truth (in `Plan.actions`, or nothing) replaced it."""

    action: Action
    announced: int


@dataclass(frozen=True)
class Faults:
    """What the exchange first tells wrong, late or not at all.

    Attributes:
        prices: closes printed wrong.
        late_rows: rows missing from their session's file.
        index_levels: levels printed wrong; their `column` is -1.
        labels: sectors given wrong; `row` is the first session of the name.
        claims: versions of corporate actions that did not last.
        announced: (security, ex-session) → session that announces the version that lasts, where not weeks before.
        restated: (security, session): profits of its last result before that are restated months later.
        wrong_scale: (security, session): its last result before is in a wrong scale and stays so.
        no_capital: (security, session): its last result before has no paid-up capital and stays so.
    """

    prices: tuple[Correction, ...] = ()
    late_rows: tuple[Correction, ...] = ()
    index_levels: tuple[Correction, ...] = ()
    labels: tuple[Correction, ...] = ()
    claims: tuple[Claim, ...] = ()
    announced: Mapping[tuple[int, int], int] = field(default_factory=dict)
    restated: tuple[tuple[int, int], ...] = ()
    wrong_scale: tuple[tuple[int, int], ...] = ()
    no_capital: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Plan:
    """The demo market without prices.

    Equities come first, then the fund, the entitlement, the partly paid line and the SME share.

    `traded`, `symbol`, `isin` and `series` are (sessions, securities), the last three numbers of `symbols`, `isins`
    and `SERIES`; `sector`, `first_row` and `last_row` are (securities,). A pair is (security, session), but `echo`
    and `misnamed` are (session, holiday in the file's name). `parents` names the equity an entitlement and a partly
    paid line belong to.
    """

    size: DemoSize
    sessions: Dates
    era_rows: dict[str, tuple[int, int]]
    kinds: tuple[str, ...]
    companies: tuple[str, ...]
    sector: Ints
    first_row: Ints
    last_row: Ints
    traded: Flags
    symbol: Codes
    symbols: tuple[str, ...]
    isin: Codes
    isins: tuple[str, ...]
    series: Codes
    parents: dict[str, int]
    slides: tuple[tuple[int, int], ...]
    crash: tuple[int, int]
    actions: tuple[Action, ...]
    unsectored: frozenset[int]
    sector_move: tuple[int, int]
    echo: tuple[int, date]
    misnamed: tuple[int, date]
    undated: int
    restated: tuple[int, int]
    truncated_row: int
    crcrlf_row: int
    events: tuple[Event, ...]
    faults: Faults = field(default_factory=Faults)

    @property
    def filers(self) -> tuple[int, ...]:
        """Securities that file results: two equities in three."""
        return tuple(c for c in range(self.size.equities) if c % 3 != 2 or c == self.restated[0])

    def symbol_at(self, row: int, column: int) -> str:
        """Say the symbol of a security as printed in session `row`."""
        return self.symbols[int(self.symbol[row, column])]

    def isin_at(self, row: int, column: int) -> str:
        """Say the ISIN of a security in force in session `row`."""
        return self.isins[int(self.isin[row, column])]

    def day(self, row: int) -> date:
        """Say the date of session `row`."""
        day: date = self.sessions[row].item()
        return day

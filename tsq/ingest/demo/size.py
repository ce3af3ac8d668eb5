"""How big a demo market is, and how many of each event it holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class DemoSize:
    """A size of the demo market.

    Every count is a number of securities; no security has more than one of the events, so that each can be told apart.
    The last four count faults of knowledge, which come on top.
    Four more securities than `equities` are made: an ETF, a rights entitlement, a partly paid line and an SME share.
    """

    name: str
    equities: int
    first: date
    last: date
    listings: int
    slides: int
    mergers: int
    renames: int
    splits: int
    bonuses: int
    dividends: int
    suspensions: int
    holes: int
    be_stretches: int
    unsectored: int
    misprints: int
    late_rows: int
    wrong_labels: int
    restated_results: int

    @property
    def securities(self) -> int:
        """Securities of every kind."""
        return self.equities + 4


_SMALL = DemoSize(
    name="small",
    equities=26,
    first=date(2021, 1, 1),
    last=date(2023, 12, 29),
    listings=2,
    slides=2,
    mergers=1,
    renames=3,
    splits=1,
    bonuses=2,
    dividends=1,
    suspensions=1,
    holes=1,
    be_stretches=2,
    unsectored=2,
    misprints=1,
    late_rows=1,
    wrong_labels=1,
    restated_results=2,
)
_DEFAULT = DemoSize(
    name="default",
    equities=296,
    first=date(2014, 1, 1),
    last=date(2023, 12, 29),
    listings=45,
    slides=10,
    mergers=12,
    renames=9,
    splits=9,
    bonuses=14,
    dividends=12,
    suspensions=6,
    holes=8,
    be_stretches=12,
    unsectored=6,
    misprints=4,
    late_rows=4,
    wrong_labels=3,
    restated_results=6,
)

SIZES = {size.name: size for size in (_SMALL, _DEFAULT)}

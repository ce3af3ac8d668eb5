"""What happens to single securities of a demo market: listings, deaths, renames, corporate actions, holes.

Every date is drawn independently of prices, so that no event can be foreseen from them. A slide lies inside one
calendar month: whoever decides at month ends never looks at a half-finished one, and the losses of dying names plant
no information coefficient.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tsq.ingest.demo import names
from tsq.ingest.demo.calendar import Dates
from tsq.ingest.demo.plan import BE, SLIDE_SESSIONS, Action, Codes, Flags, Ints
from tsq.ingest.demo.size import DemoSize


@dataclass
class Draft:
    """A plan being drawn: `roles` deals every equity to at most one event."""

    size: DemoSize
    rng: np.random.Generator
    sessions: Dates
    roles: dict[str, Ints]
    words: tuple[str, ...]
    symbols: list[str]
    isins: list[str]
    first_row: Ints
    last_row: Ints
    traded: Flags
    symbol: Codes
    isin: Codes
    series: Codes
    actions: list[Action] = field(default_factory=list)
    events: list[tuple[str, int, int, str]] = field(default_factory=list)

    def at(self, share: float) -> int:
        """Find the session at a share of the span."""
        return int(share * (len(self.sessions) - 1))

    def draw(self, low: float, high: float) -> int:
        """Draw a session between two shares of the span."""
        return int(self.rng.integers(self.at(low), self.at(high)))

    def note(self, kind: str, row: int, column: int, detail: str) -> None:
        """Keep an event for the table of the documentation."""
        self.events.append((kind, row, column, detail))


def list_and_bury(draft: Draft) -> None:
    """List some names late and end others without a loss."""
    # the first merger and the first listing share a symbol: a reused one, both under formats that carry ISINs
    first_merger, first_listing = int(draft.roles["mergers"][0]), int(draft.roles["listings"][0])
    for column in draft.roles["mergers"]:
        row = draft.draw(0.2, 0.4) if column == first_merger else draft.draw(0.2, 0.95)
        draft.last_row[column] = row
        draft.note("merger", row, column, "last session; taken over, no loss")
    for column in draft.roles["listings"]:
        row = draft.draw(0.78, 0.85) if column == first_listing else draft.draw(0.04, 0.75)
        draft.first_row[column] = row
        draft.note("listing", row, column, "first session")
    draft.symbols[first_listing] = draft.symbols[first_merger]
    draft.note("reused_symbol", int(draft.first_row[first_listing]), first_listing, "symbol of a name that died before")


def slide(draft: Draft) -> tuple[tuple[int, int], ...]:
    """Let some names fall and stop, each within a month of its own; returns (security, first session of the slide)."""
    months = draft.sessions.astype("datetime64[M]")
    starts = np.flatnonzero(months[1:] != months[:-1]) + 1
    starts = starts[(starts > draft.at(0.25)) & (starts < draft.at(0.95))]
    slides = []
    for column, month in zip(draft.roles["slides"], _sample(draft, starts, draft.size.slides), strict=True):
        start = int(month) + 2
        last = start + SLIDE_SESSIONS - 1
        draft.last_row[column] = last
        draft.note("slide", start, column, f"loses about 70 % in {SLIDE_SESSIONS} sessions, then stops")
        draft.note("delisting", last, column, "last session after a slide")
        slides.append((int(column), start))
    return tuple(slides)


def _sample(draft: Draft, pool: Ints, count: int) -> Ints:
    chosen: Ints = np.sort(pool[draft.rng.permutation(len(pool))[:count]])
    return chosen


def rename(draft: Draft) -> None:
    """Give some names another symbol, the ISIN staying."""
    # in turn under a format with ISINs, one without, and one with
    eras = ((0.14, 0.48), (0.52, 0.70), (0.74, 0.97))
    for i, column in enumerate(draft.roles["renames"]):
        row = draft.draw(*eras[i % len(eras)])
        new = f"DM{draft.words[draft.size.equities + i]}"
        draft.note("rename", row, column, f"from {draft.symbols[column]} to {new}, same ISIN")
        draft.symbol[row:, column] = len(draft.symbols)
        draft.symbols.append(new)


def act(draft: Draft) -> None:
    """Split, give bonuses, pay dividends, and claim one bonus that never was."""
    for i, column in enumerate(draft.roles["splits"]):
        # a split under the format without ISINs shows its new one only when that format ends
        row = draft.draw(0.15, 0.48) if i % 2 == 0 else draft.draw(0.55, 0.97)
        factor = (0.2, 0.5, 0.1)[i % 3]
        draft.isin[row:, column] = len(draft.isins)
        draft.isins.append(names.isin("INE", int(column), "01", 2))
        draft.actions.append(Action(int(column), row, "split", factor))
        draft.note("split", row, column, f"face value to {factor:g} of the old one; new ISIN from the same issuer")
    for i, column in enumerate(draft.roles["bonuses"]):
        row, (factor, ratio) = draft.draw(0.1, 0.97), ((0.5, "1:1"), (2 / 3, "1:2"))[i % 2]
        draft.actions.append(Action(int(column), row, "bonus", factor))
        draft.note("bonus", row, column, f"bonus {ratio}; ISIN unchanged, previous close printed raw")
    for column in draft.roles["dividends"]:
        row = draft.draw(0.1, 0.97)
        draft.actions.append(Action(int(column), row, "dividend", 0.96))
        draft.note("dividend", row, column, "special dividend of about 4 %")
    column, row = int(draft.roles["contradicted"][0]), draft.draw(0.3, 0.9)
    draft.actions.append(Action(column, row, "bonus", 0.5, status="contradicted"))
    draft.note("contradicted_action", row, column, "a 1:1 bonus is claimed; prices contradict it")


def interrupt(draft: Draft) -> None:
    """Suspend some names, make holes in others, move some to trade for trade."""
    for column in draft.roles["suspensions"]:
        row, length = draft.draw(0.2, 0.9), int(draft.rng.integers(15, 41))
        draft.traded[row : row + length, column] = False
        draft.note("suspension", row, column, f"not traded for {length} sessions")
    for column in draft.roles["holes"]:
        for row in (draft.draw(0.1, 0.4), draft.draw(0.4, 0.7), draft.draw(0.7, 0.97)):
            length = int(draft.rng.integers(1, 5))
            draft.traded[row : row + length, column] = False
            draft.note("hole", row, column, f"not traded for {length} session{'s' if length > 1 else ''}")
    for column in draft.roles["be_stretches"]:
        row, length = draft.draw(0.1, 0.9), int(draft.rng.integers(30, 81))
        draft.series[row : row + length, column] = BE
        draft.note("be_stretch", row, column, f"trade for trade (series BE) for {length} sessions")

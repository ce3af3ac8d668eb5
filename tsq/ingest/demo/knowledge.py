"""Draw what the demo market's exchange first tells wrong, late or not at all, and when it puts it right.

What a decision can see lies around a month's end: wrong at that end, right by the next. No fault changes what happened,
so the last version of everything is the market that `simulate` makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tsq.ingest.demo.happenings import Draft
from tsq.ingest.demo.plan import OVERLAP_SESSIONS, Action, Claim, Correction, Event, Faults, Plan

# what is printed at first, as a share of what is right
MISPRINT = 0.82
INDEX_MISPRINT = 1.03
FIRST_RIGHTS = 0.965
FIRST_BONUS = 0.75
WRONG_SCALE = 1e7
FIRST_PROFIT = 2.0
# a wrong label is that of so many sectors on
LABEL_SHIFT = 3
# sessions before a month's last one in which something is printed wrong, and after it when it is put right
BEFORE, AFTER = 5, 6
# roles of names to which nothing happens that moves prices
_HARMLESS = ("unsectored", "undated", "restated", "sector_move")


def plant(plan: Plan, draft: Draft, rng: np.random.Generator) -> Plan:
    """Add the faults of knowledge to a plan; all else in it stays.

    Args:
        plan: with no fault of knowledge.
        draft: what it was made of.
        rng: consumed; another than the plan's, so that these faults move nothing else.
    """
    size, filing, ends = plan.size, _steady_filers(plan, rng), iter(_month_ends(plan, rng))
    *calm, cancelled = _calm(plan, draft)[: size.misprints + size.late_rows + 1]
    around = [_around(column, next(ends), i) for i, column in enumerate(calm)]
    labelled = [int(c) for c in draft.roles["be_stretches"] if plan.first_row[c] == 0]
    claims, announced = _claims(plan, draft, cancelled)
    faults = Faults(
        prices=tuple(around[: size.misprints]),
        late_rows=tuple(around[size.misprints :]),
        index_levels=(_around(-1, next(ends), 2),),
        labels=tuple(Correction(c, 0, draft.at(0.5) + 9 * i) for i, c in enumerate(labelled[: size.wrong_labels])),
        claims=claims,
        announced=announced,
        restated=tuple((c, draft.at(0.6) + 30 * i) for i, c in enumerate(filing[2 : 2 + size.restated_results])),
        wrong_scale=((filing[0], draft.at(0.7)),),
        no_capital=((filing[1], draft.at(0.75)),),
    )
    events = sorted((*plan.events, *_events(plan, faults)), key=lambda event: (event.kind, event.on, event.symbol))
    return replace(plan, faults=faults, events=tuple(events))


def published(plan: Plan, row: int) -> str:
    """The time at which session `row` puts something right, as files write it: before the decision of its evening."""
    return f"{plan.day(row)} 19:10:00+05:30"


def _month_ends(plan: Plan, rng: np.random.Generator) -> list[int]:
    """Last sessions of months, shuffled, from when factors have a past, with no spoilt file in the sessions before."""
    months, n = plan.sessions.astype("datetime64[M]"), len(plan.sessions)
    overlap = plan.era_rows["udiff"][0]
    spoilt = {plan.echo[0], plan.misnamed[0], plan.truncated_row, *range(overlap, overlap + OVERLAP_SESSIONS)}
    ends = np.flatnonzero(months[1:] != months[:-1])
    ends = ends[(ends > 0.4 * n) & (ends < 0.93 * n)]
    return [int(end) for end in rng.permutation(ends) if not spoilt & set(range(end - BEFORE, end + 1))]


def _calm(plan: Plan, draft: Draft) -> list[int]:
    """Equities whose prices no event touches; those with no event at all come first."""
    busy = {int(c) for role, columns in draft.roles.items() if role not in _HARMLESS for c in columns}
    eventful = {int(c) for role in _HARMLESS for c in draft.roles[role]}
    return sorted((c for c in range(plan.size.equities) if c not in busy), key=lambda c: (c in eventful, c))


def _steady_filers(plan: Plan, rng: np.random.Generator) -> list[int]:
    """Equities that file results all the time, shuffled, without the one that has a restatement already."""
    last = len(plan.sessions) - 1
    found = [c for c in plan.filers if plan.first_row[c] == 0 and plan.last_row[c] == last and c != plan.restated[0]]
    return [int(c) for c in rng.permutation(found)]


def _around(column: int, end: int, shift: int) -> Correction:
    return Correction(column, end - BEFORE + shift % 3, end + AFTER + shift % 3)


def _claims(plan: Plan, draft: Draft, cancelled: int) -> tuple[tuple[Claim, ...], Mapping[tuple[int, int], int]]:
    """Versions of actions that did not last, and when those that did were announced."""
    bonus, late = (_action(plan, int(column)) for column in draft.roles["bonuses"][:2])
    rights = _action(plan, plan.parents["entitlement"])
    never = Action(cancelled, draft.at(0.66), "bonus", 0.5)
    claims = (
        # as INOXWIND's rights issue of July 2025, whose factor the exchange restated on the eve of the ex-date
        Claim(replace(rights, price_factor=FIRST_RIGHTS), rights.row - 9),
        Claim(replace(bonus, price_factor=FIRST_BONUS), bonus.row - 12),
        Claim(never, never.row - 15),
        Claim(replace(never, status="cancelled"), never.row - 4),
    )
    announced = {
        (rights.column, rights.row): rights.row - 1,
        (bonus.column, bonus.row): _after_month_end(plan, bonus.row),
        (late.column, late.row): _after_month_end(plan, late.row),
    }
    return claims, announced


def _action(plan: Plan, column: int) -> Action:
    return next(action for action in plan.actions if action.column == column)


def _after_month_end(plan: Plan, row: int) -> int:
    """A session after the next month's end, so that the decision of that end knows no better."""
    months = plan.sessions.astype("datetime64[M]")
    ends = np.flatnonzero(months[1:] != months[:-1])
    return int(min(ends[ends >= row + 2][0] + AFTER, len(months) - 1))


def _events(plan: Plan, faults: Faults) -> list[Event]:
    told: list[tuple[str, int, int, str]] = []
    for kind, what, corrections in (
        ("corrected_price", "a close 18 % too low, corrected", faults.prices),
        ("late_row", "missing from its day's file, published", faults.late_rows),
        ("corrected_index_level", "3 % too high, corrected", faults.index_levels),
        ("corrected_sector", "a wrong label, corrected", faults.labels),
    ):
        told += [(kind, c.column, c.row, f"{what} on {plan.day(c.known)}") for c in corrections]
    late = dict(faults.announced)
    for action, announced in ((claim.action, claim.announced) for claim in faults.claims):
        key, what = (
            (action.column, action.row),
            f"{action.kind} first announced with a factor of {action.price_factor:g}",
        )
        if key in late:
            told.append(("restated_action", *key, f"{what}, restated on {plan.day(late.pop(key))}"))
        elif action.status == "cancelled":
            told.append(("cancelled_action", *key, f"a 1:1 bonus, called off on {plan.day(announced)}"))
    told += [
        ("late_announcement", *key, f"announced on {plan.day(known)}, after its ex-date") for key, known in late.items()
    ]
    for kind, what, results in (
        ("restated_profit", "profits halved four months later", faults.restated),
        ("impossible_filing", "all amounts ten million times too large", faults.wrong_scale),
        ("impossible_filing", "no paid-up capital", faults.no_capital),
    ):
        told += [(kind, *result, f"the last filing before: {what}") for result in results]
    return [
        Event(kind, plan.day(row), plan.symbol_at(row, column) if column >= 0 else "", detail)
        for kind, column, row, detail in told
    ]

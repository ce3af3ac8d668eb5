"""Draw a demo market without prices: its names, what happens to them, the lines beside them and the files to spoil."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import numpy as np

from tsq.ingest.demo import names
from tsq.ingest.demo.calendar import (
    BUDGET_SATURDAY,
    FIRST_NAMED,
    MOVED_HOLIDAY,
    MOVED_ON,
    MUHURAT_SUNDAY,
    holidays,
    sessions,
)
from tsq.ingest.demo.happenings import Draft, act, interrupt, list_and_bury, rename, slide
from tsq.ingest.demo.knowledge import plant
from tsq.ingest.demo.plan import BE, E1, EQ, ERAS, OVERLAP_SESSIONS, SM, Action, Event, Plan
from tsq.ingest.demo.size import DemoSize


def make_plan(size: DemoSize, rng: np.random.Generator, fault_rng: np.random.Generator) -> Plan:
    """Draw everything of a demo market that is no price.

    Args:
        size: how big it is.
        rng: consumed by what happens.
        fault_rng: consumed by what is told wrong or late of it.
    """
    draft = _start(size, rng)
    list_and_bury(draft)
    slides = slide(draft)
    rename(draft)
    act(draft)
    interrupt(draft)
    parents = _add_specials(draft)
    crash = (int(draft.roles["crash"][0]), draft.draw(0.3, 0.9))
    draft.note("crash", crash[1], crash[0], "a fall of about 45 % in one session without a corporate action; trades on")
    sector = rng.integers(0, len(names.SECTORS), size.securities)
    sector_move = (int(draft.roles["sector_move"][0]), draft.draw(0.4, 0.6))
    moved_to = names.SECTORS[(int(sector[sector_move[0]]) + 1) % len(names.SECTORS)]
    draft.note("sector_change", sector_move[1], sector_move[0], f"reclassified to {moved_to}")
    era_rows = _era_rows(len(draft.sessions))
    echo, misnamed = _echoes(draft, era_rows["full"])
    truncated_row = _quiet_row(draft, era_rows["full"], taken=(echo[0], misnamed[0]))
    restated = (int(draft.roles["restated"][0]), draft.at(0.6))
    draft.note(
        "restatement", restated[1], restated[0], "the last filing before: in the wrong unit, corrected nine days later"
    )
    undated = int(draft.roles["undated"][0])
    draft.note("undated_sector", 0, undated, "its sector comes from a list without a date")
    # a name keeps its hidden path before its listing and after its end
    rows = np.arange(len(draft.sessions))[:, None]
    alive = (rows >= draft.first_row) & (rows <= draft.last_row)
    plan = Plan(
        size=size,
        sessions=draft.sessions,
        era_rows=era_rows,
        kinds=("equity",) * size.equities + ("etf", "entitlement", "partly_paid", "sme"),
        companies=_companies(draft, parents),
        sector=sector,
        first_row=draft.first_row,
        last_row=draft.last_row,
        traded=draft.traded & alive,
        symbol=draft.symbol,
        symbols=tuple(draft.symbols),
        isin=draft.isin,
        isins=tuple(draft.isins),
        series=draft.series,
        parents=parents,
        slides=slides,
        crash=crash,
        actions=tuple(sorted(draft.actions, key=lambda a: (a.row, a.column))),
        unsectored=frozenset(int(c) for c in draft.roles["unsectored"]),
        sector_move=sector_move,
        echo=echo,
        misnamed=misnamed,
        undated=undated,
        restated=restated,
        truncated_row=truncated_row,
        crcrlf_row=era_rows["legacy_13"][0] + 7,
        events=(),
    )
    return plant(_with_events(plan, draft), draft, fault_rng)


def _start(size: DemoSize, rng: np.random.Generator) -> Draft:
    days = sessions(size.first, size.last)
    counts = {
        "listings": size.listings,
        "slides": size.slides,
        "mergers": size.mergers,
        "renames": size.renames,
        "splits": size.splits,
        "bonuses": size.bonuses,
        "dividends": size.dividends,
        "suspensions": size.suspensions,
        "holes": size.holes,
        "be_stretches": size.be_stretches,
        "unsectored": size.unsectored,
        "rights": 1,
        "partly_paid": 1,
        "crash": 1,
        "contradicted": 1,
        "sector_move": 1,
        "undated": 1,
        "restated": 1,
    }
    dealt = np.split(rng.permutation(size.equities), np.cumsum(list(counts.values())))
    words = names.words(rng, size.equities + size.renames + 1)
    shape = (len(days), size.securities)
    own = np.broadcast_to(np.arange(size.securities, dtype=np.int16), shape)
    return Draft(
        size=size,
        rng=rng,
        sessions=days,
        roles=dict(zip(counts, dealt, strict=False)),
        words=words,
        symbols=[f"DM{word}" for word in words[: size.equities]],
        isins=[names.isin("INE", issuer, "01", 1) for issuer in range(size.equities)],
        first_row=np.zeros(size.securities, dtype=np.int64),
        last_row=np.full(size.securities, len(days) - 1, dtype=np.int64),
        traded=np.ones(shape, dtype=np.bool_),
        symbol=own.copy(),
        isin=own.copy(),
        series=np.zeros(shape, dtype=np.int16),
    )


def _add_specials(draft: Draft) -> dict[str, int]:
    """Add the four securities that are no ordinary equities; returns the parents of two of them."""
    etf, entitlement, part, sme = range(draft.size.equities, draft.size.securities)
    rights, partly = int(draft.roles["rights"][0]), int(draft.roles["partly_paid"][0])
    base = len(draft.symbols)
    draft.symbols += ["DM100ETF", f"{draft.symbols[rights]}-RE", draft.symbols[partly], f"DM{draft.words[-1]}"]
    draft.symbol[:, etf:] = np.arange(base, base + 4)
    base = len(draft.isins)
    draft.isins += [
        names.isin("INF", etf, "01", 1),
        names.isin("INE", rights, "20", 1),
        names.isin("IN9", partly, "01", 1),
        names.isin("INE", sme, "01", 1),
    ]
    draft.isin[:, etf:] = np.arange(base, base + 4)
    draft.series[:, etf:] = (EQ, BE, E1, SM)

    row = draft.draw(0.55, 0.9)
    draft.actions.append(Action(rights, row, "rights", 0.96))
    draft.note("rights", row, rights, "rights issue below the market price")
    draft.first_row[entitlement], draft.last_row[entitlement] = row + 6, row + 13
    draft.note("entitlement", row + 6, entitlement, "rights entitlement, traded for 8 sessions")
    row = draft.draw(0.2, 0.7)
    draft.first_row[part], draft.last_row[part] = row, row + 119
    draft.note("partly_paid", row, part, "partly paid line beside the full share, for 120 sessions")
    draft.first_row[sme] = draft.at(0.3)
    draft.note("sme", draft.at(0.3), sme, "an SME share, series SM")
    draft.note("etf", 0, etf, "an exchange-traded fund, ISIN INF…")
    return {"entitlement": rights, "partly_paid": partly}


def _era_rows(n_sessions: int) -> dict[str, tuple[int, int]]:
    starts = [int(share * n_sessions) for _, share in ERAS]
    return {name: (low, high) for (name, _), low, high in zip(ERAS, starts, [*starts[1:], n_sessions], strict=True)}


def _echoes(draft: Draft, full: tuple[int, int]) -> tuple[tuple[int, date], tuple[int, date]]:
    """Choose the first and the last holiday under sec_bhavdata_full, each with the session before it."""
    first, last = draft.sessions[full[0] + 1].item(), draft.sessions[full[1] - 1].item()
    shut = holidays(first, last)
    before = [int(np.searchsorted(draft.sessions, np.datetime64(day))) - 1 for day in (shut[0], shut[-1])]
    return (before[0], shut[0]), (before[1], shut[-1])


def _quiet_row(draft: Draft, full: tuple[int, int], taken: Iterable[int]) -> int:
    """Choose a session for the truncated file: no action, listing, end or rebalance on it or beside it."""
    busy = {action.row for action in draft.actions} | {row for _, row, _, _ in draft.events} | set(taken)
    near = {row + shift for row in busy for shift in (-1, 0, 1)}
    middle = (full[0] + full[1]) // 2
    return next(
        row for row in range(middle, full[1]) if row not in near and _midweek_of_midmonth(draft.sessions[row].item())
    )


def _midweek_of_midmonth(day: date) -> bool:
    return day.weekday() in (1, 2) and 8 <= day.day <= 22


def _companies(draft: Draft, parents: dict[str, int]) -> tuple[str, ...]:
    def company(word: str) -> str:
        return f"{word.title()} Limited (demo market)"

    words = draft.words[: draft.size.equities]
    return (
        *(company(word) for word in words),
        "Demo 100 ETF (demo market)",
        company(words[parents["entitlement"]]),
        company(words[parents["partly_paid"]]),
        company(draft.words[-1]),
    )


def _with_events(plan: Plan, draft: Draft) -> Plan:
    events = [
        Event(kind, plan.day(row), plan.symbol_at(row, int(col)), detail) for kind, row, col, detail in draft.events
    ]
    events += [
        Event("weekend_session", BUDGET_SATURDAY, "", "a full session on a Saturday"),
        Event("moved_holiday", MOVED_HOLIDAY, "", f"listed for {FIRST_NAMED}, moved on {MOVED_ON}"),
        Event("short_session", MUHURAT_SUNDAY, "", "a Muhurat evening session on a Sunday, a tenth of the volume"),
        Event(
            "holiday_echo", plan.echo[1], "", f"a file named for a holiday with the rows of {plan.day(plan.echo[0])}"
        ),
        Event(
            "misnamed_file", plan.misnamed[1], "", f"the only copy of {plan.day(plan.misnamed[0])}, named for a holiday"
        ),
        Event(
            "truncated_file",
            plan.day(plan.truncated_row),
            "",
            "cut in the middle of a row; the names after it are lost",
        ),
        Event("cr_cr_lf_file", plan.day(plan.crcrlf_row), "", "lines end in CR CR LF"),
    ]
    overlap = plan.era_rows["udiff"][0]
    events.append(
        Event(
            "two_formats", plan.day(overlap), "", f"{OVERLAP_SESSIONS} sessions come as UDiFF and as sec_bhavdata_full"
        )
    )
    return replace(plan, events=tuple(sorted(events, key=lambda e: (e.kind, e.on, e.symbol))))

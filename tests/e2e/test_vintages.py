"""Back-tests that live in time: what becomes known between two rebalances changes the second and not the first."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from tests.e2e.conftest import Tsq, call
from tests.e2e.growing_lake import START, Growing, contents, evening, grow
from tsq.engine import builds
from tsq.engine.lake import timestamp_sql
from tsq.engine.manifest import Manifest
from tsq.ingest.demo import make_market

LAST = evening("2023-12-29")
Decisions = Mapping[dt.date, frozenset[tuple[object, ...]]]


def published(project: Path, name: str = "published") -> Manifest:
    manifest = builds.sound(builds.resolve(project / "warehouse" / "tsq.duckdb", name))
    assert manifest is not None
    return manifest


def decisions(project: Path, sql: str, build: str = "published") -> Decisions:
    """Rows of a query whose first column is a date, by date."""
    with duckdb.connect(str(builds.resolve(project / "warehouse" / "tsq.duckdb", build)), read_only=True) as con:
        rows = con.execute(sql).fetchall()
    found: dict[dt.date, set[tuple[object, ...]]] = {}
    for row in rows:
        found.setdefault(row[0], set()).add(row)
    return {date: frozenset(found[date]) for date in sorted(found)}


TARGETS = "select date, portfolio, security_id, weight from portfolio.targets"
SCORES = (
    "select date, blend, security_id, ticker, score from signals.score join universe.members using (date, security_id)"
)


# -- what becomes known between two rebalances ------------------------------------------------------------------------

# where the versions that came last of each kind of fault lie: file, its column of days, its column of knowledge
PLACES = {
    "corrected_price": ("corrected_prices.csv", "date", "known_at"),
    "late_row": ("corrected_prices.csv", "date", "known_at"),
    "late_announcement": ("corporate_actions.csv", "ex_date", "announced_at"),
    "restated_action": ("corporate_actions.csv", "ex_date", "announced_at"),
    "cancelled_action": ("corporate_actions.csv", "ex_date", "announced_at"),
    "restated_profit": ("fundamentals.csv", "period_end", "broadcast_at"),
}
DATASETS = {
    "corrected_prices.csv": "prices",
    "corporate_actions.csv": "corporate_actions",
    "fundamentals.csv": "fundamentals",
}


@dataclass(frozen=True)
class Correction:
    """The last version of something: the line of a file that tells it, when it became known, from when it is seen.

    `options` are those with which the file is loaded.
    """

    kind: str
    symbol: str
    known: dt.datetime
    dataset: str
    lines: tuple[str, str]
    seen: dt.date
    options: tuple[str, ...] = ()

    @property
    def rows(self) -> str:
        """An SQL condition of its row in the lake."""
        return f"symbol = '{self.symbol}' and known_at = {timestamp_sql(self.known)}"


def corrections(files: Path) -> list[Correction]:
    """The faults of the small market of which a decision can see something, oldest correction first."""
    found = []
    for event in make_market(size="small").plan.events:
        if event.kind not in PLACES:
            continue
        name, day, known = PLACES[event.kind]
        header, *lines = (files / name).read_text(encoding="utf-8").splitlines()
        read = csv.DictReader([header, *lines])
        rows = [(row, line) for row, line in zip(read, lines, strict=True) if row["symbol"] == event.symbol]
        if event.kind == "restated_profit":
            days = [row[day] for row, _ in rows]
            rows = [(row, line) for row, line in rows if days.count(row[day]) > 1]
        else:
            rows = [(row, line) for row, line in rows if row[day] == str(event.on)]
        row, line = max(rows, key=lambda found: found[0][known])
        moment = dt.datetime.fromisoformat(row[known])
        found.append(Correction(event.kind, event.symbol, moment, DATASETS[name], (header, line), event.on))
    return sorted([*found, withdrawal()], key=lambda correction: correction.known)


def withdrawal() -> Correction:
    """A price of some days before a month's end that the exchange takes back in the month after."""
    market = make_market(size="small")
    plan, column = market.plan, market.plan.faults.prices[0].column
    end = max(row for row in range(len(plan.sessions)) if plan.day(row) < dt.date(2023, 6, 1))
    row, known = end - 3, evening(f"{plan.day(end + 6)}") - dt.timedelta(hours=1)
    close = market.close[row, column]
    line = f"{plan.day(row)},{plan.symbol_at(row, column)},EQ,{close},{close},{close},{close},1,"
    header = "date,symbol,series,open,high,low,close,volume,prev_close"
    options = ("--withdraw", "--known-at", known.isoformat())
    return Correction(
        "withdrawn_row", plan.symbol_at(row, column), known, "prices", (header, line), plan.day(row), options
    )


def withheld(of: Sequence[Correction]) -> dict[str, str]:
    return {
        name: " or ".join(f"({one.rows})" for one in of if one.dataset == name) for name in {one.dataset for one in of}
    }


@dataclass(frozen=True)
class Step:
    """The scores and the targets of a run without a correction, and of the run after it was loaded."""

    correction: Correction
    scores: tuple[Decisions, Decisions]
    targets: tuple[Decisions, Decisions]

    @property
    def next(self) -> dt.date:
        """The first decision that can know of it, and see it: an action is nothing before its ex-date."""
        first = max(self.correction.known.date(), self.correction.seen)
        return min(date for date in self.scores[1] if date >= first)


@pytest.fixture(scope="module")
def steps(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    """Load the whole market but its corrections, then one correction after the other, with a run after each."""
    growing = grow(demo_project, tmp_path_factory.mktemp("corrected") / "project")
    project, found = growing.project, corrections(demo_project / "warehouse" / "demo" / "files")
    growing.add(START, LAST, withheld(found))

    def run() -> tuple[Decisions, Decisions]:
        assert call(project, "run", "--no-report", "--models", "+portfolio.targets") == 0
        return decisions(project, SCORES), decisions(project, TARGETS)

    made = []
    before = run()
    for number, correction in enumerate(found):
        file = project / f"{number}.csv"
        file.write_text("\n".join([*correction.lines, ""]), encoding="utf-8")
        assert call(project, "ingest", str(file), *correction.options) == 0
        after = run()
        made.append(Step(correction, (before[0], after[0]), (before[1], after[1])))
        before = after
    return made


@pytest.mark.parametrize("kind", [*PLACES, "withdrawn_row"])
def test_a_correction_changes_no_decision_before_it_was_known(steps: list[Step], kind: str) -> None:
    of_kind = [step for step in steps if step.correction.kind == kind]
    assert of_kind
    for step in of_kind:
        for before, after in (step.scores, step.targets):
            earlier = [date for date in before if date < step.next]
            assert len(earlier) >= 1
            assert [date for date in earlier if before[date] != after[date]] == []


@pytest.mark.parametrize("kind", [*PLACES, "withdrawn_row"])
def test_a_correction_changes_the_next_decision(steps: list[Step], kind: str) -> None:
    of_kind = [step for step in steps if step.correction.kind == kind]
    for step in of_kind:
        before, after = ({row for row in run[step.next] if row[3] == step.correction.symbol} for run in step.scores)
        assert before
        assert before != after
    # a small move of a score moves no name past another; where the fault is large, some book sees it
    if kind in ("corrected_price", "late_announcement", "restated_action", "cancelled_action"):
        assert any(step.targets[0][step.next] != step.targets[1][step.next] for step in of_kind)


# -- runs made as the data grew ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Replayed:
    """A project whose data grew, and what the run of each evening made."""

    growing: Growing
    made: tuple[tuple[dt.datetime, Manifest, Decisions], ...]


def replayed(demo_project: Path, to: Path, evenings: Sequence[dt.datetime]) -> Replayed:
    growing, since, made = grow(demo_project, to), START, []
    for until in evenings:
        growing.add(since, until)
        assert call(growing.project, "run", "--no-report") == 0
        made.append((until, published(growing.project), decisions(growing.project, TARGETS)))
        since = until
    return Replayed(growing, tuple(made))


def check_replay(grown: Replayed) -> None:
    """Each run is made again, table by table, from all that is known today; and no decision changed since."""
    project = grown.growing.project
    *past, (_, _, final) = grown.made
    for until, then, decided in past:
        name = f"again-{until:%Y-%m-%d}"
        assert then.as_of is not None
        assert call(project, "run", "--no-report", "--build", name, "--as-of", then.as_of) == 0
        again = published(project, name)
        assert again.as_of == then.as_of
        assert {model for model, content in contents(then).items() if contents(again)[model] != content} == set()
        assert [date for date in decided if final[date] != decided[date]] == []


def month_ends() -> list[dt.datetime]:
    """Evenings of the small market's month ends."""
    days = [str(day) for day in make_market(size="small").plan.sessions]
    ends = [day for day, after in pairwise(days) if day[:7] != after[:7]]
    return [evening(day) for day in ends]


@pytest.fixture(scope="module")
def grown(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    """Runs on evenings before an announcement and before the correction of a price came, and at the end."""
    evenings = [evening("2022-03-31"), evening("2022-08-31"), LAST]
    return replayed(demo_project, tmp_path_factory.mktemp("grown") / "project", evenings)


def test_a_run_of_the_past_is_made_again_from_what_is_known_today(grown: Replayed) -> None:
    check_replay(grown)


def test_what_had_been_loaded_by_a_time_is_another_question(grown: Replayed, tsq: Tsq) -> None:
    project, (until, then, _) = grown.growing.project, grown.made[1]
    late = project / "late.csv"
    late.write_text("symbol,sector,seen_on\nDMXANIUM,Demo Metals,2021-06-30\n", encoding="utf-8")
    assert tsq(project, "ingest", str(late)).code == 0
    as_of, loaded_by = ["--as-of", str(then.as_of)], ["--loaded-by", until.isoformat()]
    for name, options in (("known", as_of), ("loaded", loaded_by)):
        done = tsq(project, "run", "--no-report", "--build", name, *options)
        assert done.code == 0, done.err
    assert "loaded by 2022-08-31 20:00 IST" in done.out
    known, loaded = (contents(published(project, name)) for name in ("known", "loaded"))
    # the label was known then, and nobody had loaded it
    assert known["pit.sectors"] != contents(then)["pit.sectors"]
    assert loaded == contents(then)
    done = tsq(project, "run", "--loaded-by", "2001-01-01")
    assert done.code == 2
    assert "nothing had been loaded by 2001-01-01 23:59 IST" in done.err


@pytest.mark.slow
def test_runs_of_two_years_are_made_again(demo_project: Path, tmp_path: Path) -> None:
    check_replay(replayed(demo_project, tmp_path / "project", [*month_ends()[12::9], LAST]))

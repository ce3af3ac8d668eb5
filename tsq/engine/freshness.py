"""Whether the newest rows of each dataset are as new as its schema asks, without opening a database.

Age is counted to a time of observation that is not the run's as-of: now, unless the run was asked for an as-of, of
which today says nothing. A market that does not live on grows no older.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from tsq.engine.header import Level
from tsq.engine.lake import Lake, Part, quote
from tsq.engine.manifest import CheckResult
from tsq.errors import FAILED, TsqError


@dataclass(frozen=True)
class Verdict:
    """How old a dataset was when it was looked at, and how old it may be.

    Attributes:
        newest: when its newest row was known, as far as it was by `observed_at`.
        limit_days: days it may be old; more breaks the promise.
    """

    dataset: str
    level: Level
    limit_days: int
    newest: dt.datetime
    observed_at: dt.datetime

    @property
    def age_days(self) -> float:
        """Days from the newest row to the observation."""
        return (self.observed_at - self.newest) / dt.timedelta(days=1)

    @property
    def broken(self) -> bool:
        """Whether it is older than it may be."""
        return self.age_days > self.limit_days

    @property
    def result(self) -> CheckResult:
        """The verdict as a check of `raw.<dataset>`."""
        files = f"select file, known_at from ops.ingests where dataset = {quote(self.dataset)}"
        sql = f"{files} order by known_at desc nulls last limit 1"
        name = f"freshness: known in the last {self.limit_days} days"
        return CheckResult(f"raw.{self.dataset}", name, self.level, int(self.broken), sql)


def observation(*, as_of: dt.datetime | None, lives_on: bool, now: dt.datetime | None = None) -> dt.datetime | None:
    """The time to which the age of the data is counted.

    Args:
        as_of: the as-of that was asked for; None for a run of the present.
        lives_on: whether new rows are to be expected as time goes by; False for the demo market.
        now: for tests; else the machine's clock.

    Returns:
        None when there is nothing to judge.
    """
    if as_of is not None:
        return as_of
    return (now or dt.datetime.now(dt.UTC)) if lives_on else None


def judge(lake: Lake, observed_at: dt.datetime | None) -> tuple[Verdict, ...]:
    """Hold every dataset to the freshness its schema asks for.

    Args:
        lake: the data, with the schemas.
        observed_at: as `observation` gives it; None judges nothing.

    Returns:
        A verdict a limit, by dataset. A dataset nothing of which was known by then has none: it is missing, not old.
    """
    verdicts = []
    batches = lake.batches() if observed_at else ()
    for name, dataset in sorted(lake.datasets.items()):
        parts = [batch.parts[name] for batch in batches if name in batch.parts]
        known = [time for part in parts if observed_at and (time := _newest(part, observed_at))]
        if dataset.freshness is None or observed_at is None or not known:
            continue
        limits: dict[Level, int | None] = {
            "warn": dataset.freshness.warn_after_days,
            "block": dataset.freshness.block_after_days,
        }
        verdicts += [
            Verdict(name, level, days, max(known), observed_at) for level, days in limits.items() if days is not None
        ]
    return tuple(verdicts)


def warning(verdicts: Sequence[Verdict]) -> str | None:
    """One line on all that is older than its schema likes, or None."""
    old = [
        f"{verdict.dataset} {verdict.age_days:,.0f} days (at most {verdict.limit_days})"
        for verdict in verdicts
        if verdict.broken and verdict.level == "warn"
    ]
    return f"warning: nothing new for long: {', '.join(old)}" if old else None


def stop(lake: Lake, verdicts: Sequence[Verdict]) -> None:
    """Refuse data that is too old to build from.

    Raises:
        TsqError: names the dataset, its newest row and the schema that sets the limit.
    """
    for verdict in verdicts:
        if verdict.broken and verdict.level == "block":
            newest = f"{verdict.newest.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
            raise TsqError(
                f"raw.{verdict.dataset} is {verdict.age_days:,.0f} days old: its newest row was known {newest}",
                where=lake.datasets[verdict.dataset].path,
                hint=f"ingest newer files; a run stops after {verdict.limit_days} days (block_after_days)",
                exit_code=FAILED,
            )


def _newest(part: Part, observed_at: dt.datetime) -> dt.datetime | None:
    """When the newest row of a part that was known by then was known; rows known ahead of their load do not count.

    A part on both sides of `observed_at` counts as known right up to it.
    """
    newest = part.clock_known_at or part.oldest_known_at
    if newest is None or part.oldest_known_at is None or part.oldest_known_at > observed_at:
        return None
    return min(newest, observed_at)

"""One run holds the past of every decision: whatever came late or was put right, in whatever order and however often.

A small market is drawn with many faults of knowledge at once. Its whole build, asked for an evening, must say what a
build says that knows nothing after that evening; and what either promises of its rows must hold.
"""

from __future__ import annotations

import datetime as dt
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsq import config
from tsq.engine import catalog, graph, sources, warehouse
from tsq.engine.audit_build import WHOLE, Aside
from tsq.engine.audit_compare import columns_of, compare, known_at
from tsq.engine.compile import compile_catalog
from tsq.engine.graph import Graph
from tsq.engine.lake import LAKE_COLUMNS

ROOT = Path(__file__).parents[2]
INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30))
HOLIDAYS = [dt.date(2015, 4, 3), dt.date(2015, 9, 17), dt.date(2015, 11, 12), dt.date(2016, 1, 26)]
N_SESSIONS = 320
N_NAMES = 7
KNOBS = {
    "min_adv_inr: 10000000": "min_adv_inr: 1000000",
    "min_history_sessions: 252": "min_history_sessions: 40",
    "delist_after_sessions: 60": "delist_after_sessions: 15",
}
BOOKS = "".join(
    f"{name}: {{blend: {blend}, top_n: {n}, rebalance: {when}, name_cap: 0.5, sector_cap: 1.0, capital_inr: 1000000, "
    "benchmark: NIFTY 100}\n"
    for name, blend, n, when in (("weekly", "core", 3, "WE"), ("monthly", "calm", 4, "ME"))
)
Row = dict[str, Any]
Rows = dict[str, list[Row]]


def weekdays(count: int) -> list[dt.date]:
    days = (dt.date(2015, 1, 1) + dt.timedelta(n) for n in range(2 * count))
    return [day for day in days if day.weekday() < 5 and day not in HOLIDAYS][:count]


DAYS = weekdays(N_SESSIONS)


def at(day: dt.date, clock: str = "18:30:00") -> dt.datetime:
    return dt.datetime.combine(day, dt.time.fromisoformat(clock), INDIA)


def price(t: int, i: int, size: float = 1.0, **more: Any) -> Row:
    """One printed row, at `size` times its price."""
    close = 50 * (i + 1) * math.exp(0.0005 * t + 0.02 * math.sin(t * (i + 2) / 5) + 0.01 * math.cos(t * 1.7 + i)) * size
    row = {
        "date": DAYS[t],
        "symbol": "N1NEW" if i == 1 and t >= 260 else f"N{i}",
        "series": "EQ",
        "isin": None if t < 20 else f"INE{i:03d}A01011",
        "open": round(close * 0.995, 2),
        "high": round(close * 1.01, 2),
        "low": round(close * 0.98, 2),
        "close": round(close, 2),
        "volume": 1000,
        "turnover_inr": (1e6 if t == 221 else 2e7) + 1e5 * ((t * (i + 3)) % 17),
        "turnover_exact": True,
        "known_at": at(DAYS[t]),
    }
    return row | more


def is_missing(t: int, i: int) -> bool:
    """A hole, a death and a late listing."""
    return (i == 3 and 200 <= t < 210) or (i == 4 and t > 280) or (i == 5 and t < 60)


def market() -> Rows:
    """What was known in time."""
    quarters = [dt.date(2014 + q // 4, 3 * (q % 4) + 1, 1) for q in range(11)]
    return {
        "prices": [price(t, i) for t in range(N_SESSIONS) for i in range(N_NAMES) if not is_missing(t, i)],
        "corporate_actions": [action(0, DAYS[100], "dividend", 0.5, at(DAYS[95]))],
        "symbol_changes": [
            {"old_symbol": "N1", "new_symbol": "N1NEW", "effective_date": DAYS[260], "known_at": at(DAYS[259])}
        ],
        "sectors": [
            {"symbol": f"N{i}", "sector": "even" if i % 2 else "odd", "seen_on": DAYS[50], "known_at": at(DAYS[52])}
            for i in range(5)
        ],
        "index_levels": [
            level(t, 1000 + 5 * math.sin(t), at(DAYS[t])) for t in range(N_SESSIONS) if t % 50 not in (9, 10)
        ],
        "index_members": [member(i, None, at(DAYS[45])) for i in range(4)],
        "fundamentals": [
            filing(i, start, end, 1.0, at(end + dt.timedelta(30 + i), "15:00:00"))
            for i in range(4)
            for start, end in zip(quarters, (day - dt.timedelta(1) for day in quarters[1:]), strict=False)
        ],
        "calendar": [
            {"date": day, "status": "holiday", "known_at": at(dt.date(day.year - 1, 12, 15))} for day in HOLIDAYS
        ],
    }


def action(i: int, day: dt.date, kind: str, factor: float, known: dt.datetime, **more: Any) -> Row:
    factors = {"price_factor": factor, "share_factor": 1 / factor, "cash_inr": 0.0}
    if kind == "dividend":
        factors = {"cash_inr": round(6 * factor, 2)}
    elif kind in ("rights", "demerger"):
        factors = {"price_factor": factor}
    return {"symbol": f"N{i}", "ex_date": day, "kind": kind, "status": "confirmed", "known_at": known} | factors | more


def level(t: int, close: float, known: dt.datetime, **more: Any) -> Row:
    return {"date": DAYS[t], "index_name": "Nifty 100", "kind": "price", "close": close, "known_at": known} | more


def member(i: int, until: dt.date | None, known: dt.datetime, **more: Any) -> Row:
    entered = {"index_name": "NIFTY 50", "symbol": f"N{i}", "valid_from": DAYS[50 + i], "valid_to": until}
    return entered | {"known_at": known} | more


def filing(i: int, start: dt.date, end: dt.date, size: float, known: dt.datetime, **more: Any) -> Row:
    return {
        "symbol": f"N{i}",
        "isin": f"INE{i:03d}A01011",
        "period_start": start,
        "period_end": end,
        "consolidated": False,
        "broadcast_at": known,
        "known_at": known,
        "revenue_inr": 1e8,
        "operating_profit_inr": (1e7 + 3e6 * i + 1e5 * start.month) * size,
        "net_profit_inr": 5e6 * size,
        "paid_up_capital_inr": 5e7,
        "face_value_inr": 10.0,
        "equity_inr": 4e8,
        "assets_inr": 9e8,
    } | more


# -- faults -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """Something about a name and a session that becomes known, or is put right, late.

    Attributes:
        what: a key of FAULTS.
        t: the session spoken of.
        i: the name.
        size: how wrong it was.
        after: when it became known, sessions after `t`; then `then` days on, as on a weekend, at `clock`.
        again: days until the next word on it.
        kind: of a corporate action.
    """

    what: str
    t: int
    i: int
    size: float
    after: int
    then: int
    clock: str
    again: int
    kind: str

    @property
    def known(self) -> dt.datetime:
        """When it became known: after the evening of its session."""
        day = DAYS[min(self.t + self.after, N_SESSIONS - 1)] + dt.timedelta(self.then)
        return max(at(day, self.clock), at(DAYS[self.t], "18:30:01"))

    @property
    def known_again(self) -> dt.datetime:
        """When the next word on it became known."""
        return self.known + dt.timedelta(days=self.again, hours=1)

    def right(self, size: float = 1.0, **more: Any) -> list[Row]:
        """The row of its name and session; none in a hole."""
        return [] if is_missing(self.t, self.i) else [price(self.t, self.i, size, **({"file": "f2"} | more))]

    def everybody(self, **more: Any) -> list[Row]:
        """The rows of its session."""
        return [price(self.t, j, **more) for j in range(N_NAMES) if not is_missing(self.t, j)]


def put(*datasets: tuple[str, Callable[[Fault], list[Row]]]) -> Callable[[Rows, Fault], None]:
    """A fault that brings rows."""

    def bring(rows: Rows, fault: Fault) -> None:
        for name, made in datasets:
            rows[name] += made(fault)

    return bring


def late(n_sessions: int, *, names: Sequence[int] | None = None) -> Callable[[Rows, Fault], None]:
    """A fault that lets prints come late: so many sessions of one name, or of the names given."""

    def hold_back(rows: Rows, fault: Fault) -> None:
        days = set(DAYS[fault.t : fault.t + n_sessions])
        symbols = {f"N{i}" for i in (names or [fault.i])} | ({"N1NEW"} if 1 in (names or [fault.i]) else set())
        for row in rows["prices"]:
            if row["date"] in days and row["symbol"] in symbols and "file" not in row:
                row["known_at"] = max(row["known_at"], fault.known)

    return hold_back


def late_session(rows: Rows, fault: Fault) -> None:
    """All of a session comes in the night: before the next one, which it would have been numbered after."""
    for row in rows["prices"]:
        if row["date"] == DAYS[fault.t]:
            row["known_at"] = max(row["known_at"], at(DAYS[fault.t], "23:30:00"))


def first_late(rows: Rows, fault: Fault) -> None:
    """The first prints of a name come late."""
    for row in rows["prices"]:
        if row["symbol"] == "N5" and row["date"] in DAYS[60 : 60 + fault.after]:
            row["known_at"] = max(row["known_at"], at(DAYS[60 + fault.after], fault.clock))


def bare(rows: Rows, fault: Fault) -> None:
    """A print without an open."""
    for row in rows["prices"]:
        if row["date"] == DAYS[fault.t] and row["symbol"] == f"N{fault.i}":
            row["open"] = None


def late_change(rows: Rows, fault: Fault) -> None:
    """The list of symbols brings a change late, and may take it back."""
    rows["symbol_changes"][0]["known_at"] = at(DAYS[min(255 + fault.after, N_SESSIONS - 1)], fault.clock)
    if fault.again:
        taken = rows["symbol_changes"][0]["known_at"] + dt.timedelta(fault.again)
        rows["symbol_changes"] += [rows["symbol_changes"][0] | {"is_withdrawn": True, "known_at": taken}]


def stated(fault: Fault, **more: Any) -> list[Row]:
    """An action announced in time, and the next word on it."""
    announced = at(DAYS[max(fault.t - fault.again, 0)], fault.clock)
    first = action(fault.i, DAYS[fault.t], fault.kind, 0.8, announced)
    return [first, first | {"known_at": max(fault.known, announced + dt.timedelta(hours=1))} | more]


def restated(fault: Fault) -> list[Row]:
    return stated(fault, **action(fault.i, DAYS[fault.t], fault.kind, min(fault.size, 0.9), fault.known))


def on_holiday(fault: Fault) -> list[Row]:
    day = HOLIDAYS[fault.i % 4]
    return [action(fault.i, day, fault.kind, 0.8, at(day + dt.timedelta(fault.then - 1), fault.clock))]


FAULTS: Mapping[str, Callable[[Rows, Fault], None]] = {
    "corrected": put(("prices", lambda f: f.right(f.size, known_at=f.known))),
    "corrected twice": put(
        ("prices", lambda f: f.right(f.size, known_at=f.known) + f.right(1.1, known_at=f.known_again, file="f3"))
    ),
    "corrected and back": put(
        ("prices", lambda f: f.right(f.size, known_at=f.known) + f.right(known_at=f.known_again, file="f3"))
    ),
    "withdrawn": put(("prices", lambda f: f.right(known_at=f.known, is_withdrawn=True))),
    "issued again": put(
        (
            "prices",
            lambda f: f.right(known_at=f.known, is_withdrawn=True) + f.right(f.size, known_at=f.known_again, file="f3"),
        )
    ),
    "late": late(1),
    "late for weeks": late(12),
    "last late": lambda rows, f: late(N_SESSIONS, names=[4])(rows, f),
    "first late": first_late,
    "session late": late_session,
    "file again": put(
        ("prices", lambda f: f.everybody(known_at=f.known, file="f2") + f.right(f.size, known_at=f.known))
    ),
    "another source": put(
        (
            "prices",
            lambda f: f.everybody(
                known_at=f.known, file="g", format="other", source_rank=5 if f.again else 20, isin=None, open=None
            ),
        )
    ),
    "early source": put(
        (
            "prices",
            lambda f: f.everybody(
                known_at=at(DAYS[f.t], "16:00:00"), file="g", format="early", source_rank=30, turnover_inr=None
            ),
        )
    ),
    "no open": bare,
    "absurd": put(("prices", lambda f: f.right(1e6 if f.again else 1e-3, known_at=f.known))),
    "not traded": put(("prices", lambda f: f.right(known_at=f.known, volume=0, turnover_inr=0.0))),
    "another series": put(("prices", lambda f: f.right(1.01, known_at=f.known, series="BE", turnover_inr=1e9))),
    "another ISIN": put(("prices", lambda f: f.right(known_at=f.known, isin=f"INE{f.i:03d}A01037"))),
    "another symbol": put(("prices", lambda f: f.right(known_at=f.known, symbol=f"N{f.i}X"))),
    "symbol change": late_change,
    "action late": put(("corporate_actions", lambda f: [action(f.i, DAYS[f.t], f.kind, min(f.size, 0.9), f.known)])),
    "action restated": put(("corporate_actions", restated)),
    "action cancelled": put(("corporate_actions", lambda f: stated(f, status="cancelled"))),
    "action withdrawn": put(("corporate_actions", lambda f: stated(f, is_withdrawn=True))),
    "action said twice": put(("corporate_actions", lambda f: stated(f, symbol=f"N{f.i}X") + stated(f))),
    "action on a holiday": put(("corporate_actions", on_holiday)),
    "action in a hole": put(
        ("corporate_actions", lambda f: [action(3, DAYS[200 + f.after % 12], f.kind, 0.5, f.known)])
    ),
    "action on the first print": put(
        ("corporate_actions", lambda f: [action(5, DAYS[58 + f.again], f.kind, 0.5, at(DAYS[60 + f.after], f.clock))])
    ),
    "demerger from prices": put(
        ("corporate_actions", lambda f: [action(f.i, DAYS[f.t], "demerger", 0.5, f.known, price_factor=None)]),
        ("prices", lambda f: f.right(0.9, known_at=f.known_again)),
    ),
    "sector": put(
        ("sectors", lambda f: [{"symbol": f"N{f.i}", "sector": "new", "seen_on": DAYS[50], "known_at": f.known}])
    ),
    "level": put(("index_levels", lambda f: [level(f.t, 900 * f.size, f.known, is_withdrawn=f.again > 5)])),
    "member": put(("index_members", lambda f: [member(f.i % 4, DAYS[f.t], f.known, is_withdrawn=f.again > 5)])),
    "filing": put(
        ("fundamentals", lambda f: [filing(f.i % 4, dt.date(2015, 4, 1), dt.date(2015, 6, 30), 3.0, f.known)])
    ),
    "calendar": put(
        ("calendar", lambda f: [{"date": DAYS[f.t], "status": "short" if f.again else "holiday", "known_at": f.known}])
    ),
}
CLOCKS = ["09:00:00", "19:10:00", "20:00:00", "20:00:01", "23:30:00"]
ACTIONS = ["bonus", "split", "dividend", "rights", "demerger"]
DRAWN = st.builds(
    Fault,
    what=st.sampled_from(sorted(FAULTS)),
    t=st.integers(62, N_SESSIONS - 8),
    i=st.integers(0, N_NAMES - 1),
    size=st.sampled_from([0.5, 0.9, 1.25, 2.0]),
    after=st.sampled_from([0, 1, 2, 5, 10, 40]),
    then=st.sampled_from([0, 0, 1, 2]),
    clock=st.sampled_from(CLOCKS),
    again=st.sampled_from([0, 1, 3, 10]),
    kind=st.sampled_from(ACTIONS),
)


# -- builds -----------------------------------------------------------------------------------------------------------


def shipped(root: Path, changed: Mapping[str, tuple[str, str]] | None = None) -> Graph:
    """The shipped models, with small knobs and books; `changed`: file → a text in it and what takes its place."""
    for part in ("models", "sql", "config"):
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    edits = [("config/run.yml", was, now) for was, now in KNOBS.items()]
    edits += [(file, was, now) for file, (was, now) in (changed or {}).items()]
    for file, was, now in edits:
        text = (root / file).read_text(encoding="utf-8")
        assert was in text
        (root / file).write_text(text.replace(was, now), encoding="utf-8")
    (root / "config" / "portfolios.yml").write_text(BOOKS, encoding="utf-8")
    found = catalog.read(config.load(root))
    return graph.build(found, compile_catalog(found, root / "compiled.json"))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    return shipped(tmp_path_factory.mktemp("vintages") / "project")


def lay_down(aside: Aside, name: str, rows: Sequence[Row]) -> None:
    """Write rows of a dataset; what a row does not say is null, and known for ever."""
    known = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
    plain = {"format": "test", "source_rank": 10, "known_at": known, "file": "f", "batch_id": "b", "loaded_at": known}
    types = {column.name: column.type for column in aside.graph.catalog.raw[name].columns} | dict(LAKE_COLUMNS)
    aside.con.execute(
        f"create table {aside.rows_of(name)} ({', '.join(f'{key} {kind}' for key, kind in types.items())})"
    )
    if rows:
        frame = pl.DataFrame([plain | {"is_withdrawn": False} | row for row in rows], infer_schema_length=None)
        aside.con.register("frame", frame.to_arrow())
        aside.con.execute(f"insert into {aside.rows_of(name)} by name select * from frame")
        aside.con.unregister("frame")


def differing(models: Graph, faults: Sequence[Fault], cuts: Sequence[dt.datetime]) -> Iterator[str]:
    """Tables whose rows of a cut are not what a build says that knows nothing after it, and promises that are broken."""
    rows = market()
    for fault in faults:
        FAULTS[fault.what](rows, fault)
    with warehouse.connect() as con:
        con.execute("set threads = 2; set TimeZone = 'UTC'")
        con.execute("attach ':memory:' as raw; attach ':memory:' as config; attach ':memory:' as \"lake copy\"")
        aside = Aside(con, models, tuple(models.nodes), Path(), (), 0)
        read = {source for sources_of in models.sources.values() for source in sources_of}
        for source in sorted(read):
            if source.startswith("config."):
                sources.attach_config(con, models.catalog, source.partition(".")[2])
        for name in aside.datasets():
            lay_down(aside, name, rows.get(name, []))
        aside.show(aside.known_by(None))
        assert not aside.build(WHOLE, aside.names).failed
        yield from broken(aside)
        columns = {name: columns_of(con, WHOLE, name) for name in aside.names}
        replaced = {node.model.header.versions for node in models.nodes.values()}
        for cut in cuts:
            aside.show(aside.known_by(cut))
            assert not aside.build("then", aside.names).failed
            for name in aside.names:
                header = models.nodes[name].model.header
                query = known_at(name, header, columns[name], cut)
                assert query is not None
                found = compare(con, header, columns[name], (WHOLE, query), ("then", query), 0)
                if name not in replaced and found.differing:
                    yield f"{name} at {cut}: {found.differing}"
            aside.forget("then")


def broken(aside: Aside) -> Iterator[str]:
    """Promises of the build the connection stands in that do not hold."""
    for name, node in aside.graph.nodes.items():
        keys = ", ".join(f'"{key}"' for key in node.model.header.grain)
        rules = [(rule.name, rule.kind, rule.sql) for rule in node.rules if rule.level == "block"]
        if keys:
            rules.append(("grain", "query", f"select {keys} from {name} group by {keys} having count(*) > 1"))
        for rule, kind, sql in rules:
            query = f"select * from {name} where ({sql}) is not true" if kind == "rows" else sql
            if row := aside.con.execute(query).fetchone():
                yield f"{name} breaks {rule}: {row}"


def cuts_of(faults: Sequence[Fault], count: int) -> list[dt.datetime]:
    """Evenings on which something was just known, or not yet, spread over the faults.

    None on which nothing at all of a session was known yet: it is counted as if it had been (ADR 0016).
    """
    unseen = {DAYS[f.t] for f in faults if f.what == "session late"}
    days = [day for f in faults for day in (f.known.date(), f.known.date() - dt.timedelta(1), DAYS[f.t])]
    inside = sorted({min(day, DAYS[-2]) for day in days} - unseen)
    return [at(day, "20:00:00") for day in inside[:: max(len(inside) // count, 1)][-count:]]


# -- properties -------------------------------------------------------------------------------------------------------


def one_of_each() -> list[Fault]:
    """Each fault once, or twice where actions are of many kinds, all over the second half of the market."""
    listed = [*FAULTS, *(name for name in FAULTS if name.startswith(("action", "corrected", "late")))]
    return [
        Fault(
            what, 180 + (37 * n) % 120, n % N_NAMES, (0.5, 0.9, 1.25)[n % 3], (1, 2, 7, 0, 15)[n % 5], n % 2,
            CLOCKS[n % 5], n % 4, ACTIONS[(n // 2) % 5],
        )
        for n, what in enumerate(listed)
    ]  # fmt: skip


def test_every_fault_at_once(models: Graph) -> None:
    faults = one_of_each()
    assert not list(differing(models, faults, cuts_of(faults, 3)))


def test_a_decision_that_reads_what_is_known_now_is_found(tmp_path: Path) -> None:
    forgets = (
        "where rolled.track = coalesce(vintages.track, rolled.security_id)",
        "where rolled.track = rolled.security_id",
    )
    models = shipped(tmp_path / "project", {"models/features/daily.sql": forgets})
    faults = one_of_each()
    found = list(differing(models, faults, cuts_of(faults, 4)[1:2]))
    assert any(line.startswith("features.daily at") for line in found)


@pytest.mark.parametrize("n_examples", [2, pytest.param(6, marks=pytest.mark.slow)], ids=["a few", "many"])
def test_any_history(models: Graph, n_examples: int) -> None:
    @settings(
        max_examples=n_examples, deadline=None, derandomize=n_examples < 10, suppress_health_check=list(HealthCheck)
    )
    @given(faults=st.lists(DRAWN, min_size=4, max_size=16))
    def check(faults: list[Fault]) -> None:
        assert not list(differing(models, faults, cuts_of(faults, 2)))

    check()

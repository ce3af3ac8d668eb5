"""The shipped tables that are computed session by session equal full rebuilds, whatever comes, in whatever order."""

from __future__ import annotations

import datetime as dt
import math
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsq import config
from tsq.engine import catalog, graph, plan, runner, warehouse
from tsq.engine.compile import compile_catalog
from tsq.engine.graph import Graph
from tsq.engine.lake import LAKE_COLUMNS, Lake
from tsq.engine.runner import Published, Result
from tsq.engine.warehouse import Machine

ROOT = Path(__file__).parents[2]
WANTED = ["pit/", "health/", "features/", "universe/", "factors/", "signals/", "alpha/", "+book.quotes"]
N_SESSIONS = 660
N_LOADED = 640
NAMES = [f"N{i}" for i in range(9)]
Row = dict[str, Any]
Rows = Mapping[str, list[Row]]


def weekdays(count: int) -> list[dt.date]:
    days = (dt.date(2015, 1, 1) + dt.timedelta(n) for n in range(2 * count))
    return [day for day in days if day.weekday() < 5][:count]


DAYS = weekdays(N_SESSIONS)
SHORT = (150, 405, 641)


def evening(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(13), dt.UTC)


def price(t: int, i: int, **more: Any) -> Row:
    """One printed row of a market with a rename, a split with a new ISIN, a fund and a share that leaves the SME board."""
    name, day = f"N{i}", DAYS[t]
    close = 50 * (i + 1) * math.exp(0.0005 * t + 0.02 * math.sin(t * (i + 2) / 5) + 0.01 * math.cos(t * 1.7 + i))
    is_split = i == 2 and t >= 380
    isin = "INF900A01010" if i == 8 else f"INE{i:03d}A010{'29' if is_split else '11'}"
    turnover = (1e6 if t in SHORT else 2e7) + 1e5 * ((t * (i + 3)) % 17)
    row = {
        "date": day,
        "symbol": "N1NEW" if i == 1 and t >= 430 else name,
        "series": "SM" if i == 7 and t < 300 else "EQ",
        "isin": None if t < 30 else isin,
        "close": round(close / (2 if is_split else 1), 2),
        "prev_close": round(close, 2),
        "volume": 1000,
        "turnover_inr": turnover,
        "turnover_exact": True,
        "known_at": evening(day),
    }
    return row | more


def is_missing(t: int, i: int) -> bool:
    """Holes of two weeks, of a quarter and of more than a year; a late listing; a death."""
    return (
        (i == 3 and 250 <= t < 265)
        or (i == 4 and 300 <= t < 375)
        or (i == 5 and (t < 40 or 200 <= t < 470))
        or (i == 6 and t > 520)
    )


# what only comes late: a whole session, and a month of one name
WITHHELD = {(333, i) for i in range(9)} | {(t, 0) for t in range(500, 520)}


def market() -> Rows:
    prices = [price(t, i) for t in range(N_LOADED) for i in range(9) if not is_missing(t, i) and (t, i) not in WITHHELD]
    filings = [
        {
            "symbol": name,
            "isin": f"INE{i:03d}A01011",
            "period_start": dt.date(DAYS[0].year + q // 4, 3 * (q % 4) + 1, 1),
            "period_end": dt.date(DAYS[0].year + (q + 1) // 4, 3 * ((q + 1) % 4) + 1, 1) - dt.timedelta(1),
            "consolidated": False,
            "broadcast_at": evening(DAYS[76 + 66 * q]),
            "known_at": evening(DAYS[76 + 66 * q]),
            "revenue_inr": 100.0,
            "operating_profit_inr": 10.0 + 3 * i + q % 2,
        }
        for i, name in enumerate(NAMES[:4])
        for q in range(8)
    ]
    return {
        "prices": prices,
        "corporate_actions": [action(2, 380, "split", 0.5), action(0, 450, "dividend", None)],
        "symbol_changes": [
            {"old_symbol": "N1", "new_symbol": "N1NEW", "effective_date": DAYS[430], "known_at": evening(DAYS[429])}
        ],
        "sectors": [{"symbol": name, "sector": "odd" if i % 2 else "even"} for i, name in enumerate(NAMES[:7])],
        "index_levels": [
            {"date": day, "index_name": "nifty 100", "kind": "price", "close": 1000.0 + t, "known_at": evening(day)}
            for t, day in enumerate(DAYS[:N_LOADED])
            if t % 50 > 6
        ],
        "fundamentals": filings,
    }


def action(i: int, t: int, kind: str, factor: float | None) -> Row:
    return {
        "symbol": f"N{i}",
        "ex_date": DAYS[t],
        "kind": kind,
        "price_factor": factor,
        "cash_inr": 2.0 if kind == "dividend" else None,
        "status": "confirmed",
        "known_at": evening(DAYS[t - 1]),
    }


@dataclass(frozen=True)
class Step:
    """One batch of files: what comes, and of what."""

    what: str
    t: int
    i: int
    size: float


def batch(step: Step, n_loaded: int) -> Rows:
    """The rows a step brings, in a market loaded up to some session."""
    t, i = min(step.t, n_loaded - 1), step.i
    later = evening(DAYS[n_loaded - 1]) + dt.timedelta(hours=2)
    if step.what == "append":
        coming = range(n_loaded, min(n_loaded + 1 + step.t % 3, N_SESSIONS))
        return {"prices": [price(t, i) for t in coming for i in range(9) if not is_missing(t, i)]}
    if step.what == "late session":
        return {"prices": [price(*key) for key in sorted(WITHHELD) if key[0] == 333]}
    if step.what == "late name":
        return {"prices": [price(*key) for key in sorted(WITHHELD) if key[0] != 333]}
    if step.what == "correction":
        right = price(t, i)
        return {"prices": [right | {"close": round(right["close"] * step.size, 2), "known_at": later}]}
    if step.what == "withdrawal":
        return {"prices": [price(t, i, known_at=later, is_withdrawn=True)]}
    if step.what == "restatement":
        # announced in time, and put right today
        first = action(i, max(t, 2), "bonus", step.size)
        return {"corporate_actions": [first, first | {"price_factor": 0.8, "known_at": later}]}
    if step.what == "cancellation":
        first = action(i, max(t, 2), "rights", 0.5)
        return {"corporate_actions": [first, first | {"status": "cancelled", "known_at": later}]}
    if step.what == "level":
        right = {"date": DAYS[t], "index_name": "nifty 100", "kind": "price", "close": 900.0, "known_at": later}
        return {"index_levels": [right]}
    if step.what == "other names":
        return {"prices": [price(t, i, isin=f"INE{i:03d}A01037", series="BE", known_at=later)]}
    if step.what == "volume":
        return {"prices": [price(t, i, turnover_inr=1e7 * step.size, known_at=later)]}
    if step.what == "thin session":
        return {"prices": [price(t, j, turnover_inr=1e5, known_at=later) for j in range(9) if not is_missing(t, j)]}
    if step.what == "action":
        return {"corporate_actions": [action(i, max(t, 2), "bonus", step.size)]}
    if step.what == "dividend":
        return {"corporate_actions": [action(i, max(t, 2), "dividend", None)]}
    if step.what == "sectors":
        return {"sectors": [{"symbol": f"N{i}", "sector": "new", "seen_on": DAYS[t], "known_at": evening(DAYS[t])}]}
    filing = dict(market()["fundamentals"][i % 4 * 8 + 3])
    moment = evening(DAYS[max(t, 340)])
    return {"fundamentals": [filing | {"operating_profit_inr": 50.0, "broadcast_at": moment, "known_at": moment}]}


KINDS = [
    "append",
    "append",
    "correction",
    "correction",
    "late session",
    "late name",
    "other names",
    "volume",
    "thin session",
    "action",
    "dividend",
    "sectors",
    "filing",
    "withdrawal",
    "restatement",
    "cancellation",
    "level",
]
STEPS = st.builds(
    Step, st.sampled_from(KINDS), st.integers(0, N_SESSIONS - 1), st.integers(0, 8), st.sampled_from([0.5, 0.9, 1.25])
)


def read(root: Path) -> tuple[Graph, Lake]:
    found = catalog.read(config.load(root))
    nodes = graph.build(found, compile_catalog(found, root / "compiled.json"))
    return nodes, Lake(root / "warehouse" / "raw", found.raw)


def load(lake: Lake, name: str, rows: Rows) -> None:
    """Write rows to the lake as a batch; what a row does not say is null, and known for ever."""
    known_at = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
    plain = {"format": "test", "source_rank": 10, "known_at": known_at, "file": name, "is_withdrawn": False}
    with warehouse.connect() as con:
        for dataset, of_dataset in rows.items():
            types = {column.name: column.type for column in lake.datasets[dataset].columns}
            types |= {key: LAKE_COLUMNS[key] for key in plain}
            con.execute(f"create table {dataset} ({', '.join(f'{key} {kind}' for key, kind in types.items())})")
            frame = pl.DataFrame([plain | row for row in of_dataset], infer_schema_length=None)
            con.register("frame", frame.to_arrow())
            con.execute(f"insert into {dataset} by name select * from frame")
            con.unregister("frame")
        loaded_at = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
        tables = {dataset: dataset for dataset in rows}
        lake.write(con, batch_id=name, loaded_at=loaded_at, files=(), rows=tables, quarantine=None)


def run(root: Path, *, full: bool = False) -> dict[str, Result]:
    nodes, lake = read(root)
    inputs = plan.Inputs(lake, "real", lake.newest_known_at())
    base = plan.base_of(nodes.catalog.project.pointer)
    events = list(runner.run(plan.make(nodes, inputs, WANTED, base, full_refresh=full), Machine(threads=2)))
    assert isinstance(events[-1], Published)
    return {event.name: event for event in events if isinstance(event, Result)}


def contents(root: Path) -> dict[str, str]:
    base = plan.base_of(root / "warehouse" / "tsq.duckdb")
    assert base is not None
    return {name: model.content for name, model in base.models.items()}


def different(root: Path, updated: Mapping[str, str]) -> list[str]:
    """Tables that a full rebuild makes otherwise."""
    run(root, full=True)
    rebuilt = contents(root)
    assert rebuilt.keys() == updated.keys()
    return [name for name in rebuilt if rebuilt[name] != updated[name]]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped models over a market loaded up to a session, and built."""
    root = tmp_path_factory.mktemp("incremental") / "project"
    for part in ("models", "sql", "config"):
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    knobs = root / "config" / "run.yml"
    text = knobs.read_text(encoding="utf-8")
    knobs.write_text(text.replace("min_adv_inr: 10000000", "min_adv_inr: 1000000"), encoding="utf-8")
    load(read(root)[1], "b0", market())
    run(root)
    return root


def history(loaded: Path, steps: Iterable[Step]) -> tuple[list[str], list[dict[str, Result]]]:
    """Run after each step; gives the tables a full rebuild then makes otherwise, and what the runs did."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        shutil.copytree(loaded, root, symlinks=True)
        lake, n_loaded, done = read(root)[1], N_LOADED, []
        for number, step in enumerate(steps, start=1):
            rows = batch(step, n_loaded)
            if not any(rows.values()):
                continue
            if step.what == "append":
                n_loaded = DAYS.index(max(row["date"] for row in rows["prices"])) + 1
            load(lake, f"b{number}", rows)
            done.append(run(root))
        return (different(root, contents(root)) if done else []), done


def test_a_new_session_computes_one_session(loaded: Path) -> None:
    wrong, (done,) = history(loaded, [Step("append", 0, 0, 1.0)])
    assert not wrong
    nodes = read(loaded)[0].nodes
    incremental = [name for name in done if nodes[name].model.header.kind == "incremental"]
    sessions = {name: done[name].sessions for name in incremental if done[name].action == "update"}
    one = {"pit.days", "pit.prices", "pit.returns", "features.market", "features.daily", "health.price_breaks"}
    assert {name: sessions[name] for name in one} == dict.fromkeys(one, 1)
    # a decision date leaves with the next session, so two of them are looked at
    assert all(count <= 2 for count in sessions.values())
    assert {name for name in incremental if done[name].action == "build"} <= {"health.conflicts", "health.jumps"}


def test_a_correction_computes_what_it_can_touch(loaded: Path) -> None:
    wrong, (done,) = history(loaded, [Step("correction", 630, 0, 1.25)])
    assert not wrong
    assert done["pit.prices"].sessions == 1
    assert done["pit.price_versions"].sessions == 1
    # decisions until today read the vintage that did not know of it, and their windows begin 280 sessions before
    for name in ("pit.returns", "features.daily"):
        assert done[name].action == "update"
        assert N_LOADED - 630 + 250 < (done[name].sessions or 0) <= N_LOADED - 630 + 281


def test_a_correction_that_comes_years_later_touches_all_decisions_since(loaded: Path) -> None:
    """Each of them read what was wrong, and what is known now of its session is new: nothing of it can be kept."""
    wrong, (done,) = history(loaded, [Step("correction", 300, 0, 1.25)])
    assert not wrong
    assert done["pit.prices"].sessions == 1
    assert done["features.daily"].action == "build"


def test_all_kinds_of_news_end_where_a_full_rebuild_ends(loaded: Path) -> None:
    """What touches most comes first, so that it mends nothing after it."""
    wide = ["late session", "thin session", "dividend", "other names", "action", "sectors"]
    narrow = ["filing", "late name", "append", "correction", "volume", "append"]
    narrow += ["withdrawal", "level", "restatement", "append", "cancellation"]
    assert set(wide + narrow) == set(KINDS)
    steps = [Step(what, 345 + 17 * n, (2 * n) % 8, 0.5) for n, what in enumerate([*wide, *narrow])]
    wrong, done = history(loaded, steps)
    assert not wrong
    assert len(done) == len(steps)


@pytest.mark.slow
@pytest.mark.parametrize("what", sorted(set(KINDS)))
def test_each_kind_of_news_ends_where_a_full_rebuild_ends(loaded: Path, what: str) -> None:
    wrong, _ = history(loaded, [Step(what, 345, 2, 0.5)])
    assert not wrong


@pytest.mark.slow
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, min_size=2, max_size=5))
def test_any_history_ends_where_a_full_rebuild_ends(loaded: Path, steps: list[Step]) -> None:
    wrong, _ = history(loaded, steps)
    assert not wrong

"""Real splits and bonuses: each confirmed event is applied once, crashes are left alone; skipped without real data."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from tests.e2e.conftest import call, copy_project

EVENTS = "nse/reference/split_bonus_events.csv"
MINI = "nse/faults/real_panel_mini_40x5y.parquet"
LAST_DAY = dt.date(2020, 12, 31)


def built(project: Path, *files: Path, run: tuple[str, ...] = ()) -> duckdb.DuckDBPyConnection:
    """Load files into a project, build returns, and open what came out."""
    if files:
        assert call(project, "ingest", *map(str, files)) == 0
    assert call(project, "run", "--models", "+pit.returns", "--no-report", *run) == 0
    return duckdb.connect(str((project / "warehouse" / "tsq.duckdb").resolve()), read_only=True)


def confirmed(real_data: Path) -> list[Mapping[str, str]]:
    with (real_data / EVENTS).open(encoding="utf-8", newline="") as lines:
        return [row for row in csv.DictReader(lines) if row["verdict"].startswith("confirmed")]


def verify_applied_once(con: duckdb.DuckDBPyConnection, events: list[Mapping[str, str]], tolerance: float) -> int:
    """Each event is one action with the file's factor, and the return of its ex-date follows from the raw prices."""
    compared = 0
    for event in events:
        factor = float(event["factor"] or event["f_eod2"] or event["f_csvk"])
        found = con.execute(
            """
            select actions.price_factor, returns.ret
            from pit.corporate_actions as actions
            left join pit.returns as returns
                on returns.security_id = actions.security_id and returns.date = actions.ex_date
            where actions.ticker = ? and actions.ex_date = ?
            """,
            [event["symbol"], event["ex_date"]],
        ).fetchall()
        assert len(found) == 1, event
        assert found[0][0] == pytest.approx(1 / factor), event
        if found[0][1] is not None:
            raw = float(event["raw_close"]) / float(event["raw_prev_close"])
            assert found[0][1] == pytest.approx(raw * factor - 1, abs=tolerance), event
            compared += 1
    return compared


@pytest.fixture(scope="module")
def mini(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty names over five years, with the event file."""
    project = copy_project(tmp_path_factory.mktemp("mini"))
    built(project, real_data / MINI, real_data / EVENTS).close()
    return project


def in_mini(con: duckdb.DuckDBPyConnection, real_data: Path) -> list[Mapping[str, str]]:
    names = {row[0] for row in con.execute("select distinct ticker from pit.prices").fetchall()}
    return [e for e in confirmed(real_data) if e["symbol"] in names and "2016-01-02" <= e["ex_date"] <= f"{LAST_DAY}"]


def test_every_event_of_forty_names_is_applied_once(mini: Path, real_data: Path) -> None:
    with duckdb.connect(str((mini / "warehouse" / "tsq.duckdb").resolve()), read_only=True) as con:
        events = in_mini(con, real_data)
        # the panel holds prices as 4-byte floats
        assert verify_applied_once(con, events, 2e-6) == len(events) == 16
        crash = con.execute("select ret from pit.returns where ticker = 'YESBANK' and date = '2020-03-06'").fetchone()
    assert crash == (pytest.approx(16.15 / 36.80 - 1, abs=2e-6),)


def test_a_return_between_two_past_dates_does_not_depend_on_when_you_look(mini: Path, tmp_path: Path) -> None:
    project = tmp_path / "then"
    shutil.copytree(mini, project)
    query = "select security_id, date, ret, total_return_index from pit.returns where date <= '2017-06-30' order by all"
    with duckdb.connect(str((project / "warehouse" / "tsq.duckdb").resolve()), read_only=True) as con:
        today = con.execute(query).fetchall()
        later = con.execute("select count(*) from pit.corporate_actions where ex_date > '2017-06-30'").fetchone()
    with built(project, run=("--as-of", "2017-06-30 20:00")) as con:
        then = con.execute(query).fetchall()
        assert con.execute("select max(ex_date) <= '2017-06-30' from pit.corporate_actions").fetchone() == (True,)
    assert later is not None
    assert later[0] > 5
    assert len(then) > 10_000
    assert then == today


def test_prices_alone_tell_the_big_events_and_leave_crashes_alone(mini: Path, real_data: Path, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "hidden")
    with built(project, real_data / MINI, run=("--set", "accept=proposed")) as con:
        events = [e for e in in_mini(con, real_data) if float(e["factor"]) >= 1.3]
        query = "select ticker, ex_date::varchar, share_factor from pit.corporate_actions order by all"
        proposed = {(ticker, day): shares for ticker, day, shares in con.execute(query).fetchall()}
        assert proposed == {(e["symbol"], e["ex_date"]): pytest.approx(float(e["factor"]), rel=2e-3) for e in events}
        query = """
            select returns.ret
            from pit.corporate_actions as actions
            join pit.returns as returns on returns.security_id = actions.security_id and returns.date = actions.ex_date
        """
        rets = [ret for (ret,) in con.execute(query).fetchall()]
        crash = con.execute("select ret from pit.returns where ticker = 'YESBANK' and date = '2020-03-06'").fetchone()
    assert len(rets) == len(events)
    assert all(abs(ret) < 0.2 for ret in rets)
    assert crash == (pytest.approx(16.15 / 36.80 - 1, abs=2e-6),)


@pytest.mark.slow
def test_every_confirmed_event_of_the_whole_panel_is_applied_once(real_data: Path, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "whole")
    reference = real_data / "nse" / "reference"
    with built(project, real_data / "nse" / "panel.parquet", reference / "symbolchange.csv", real_data / EVENTS) as con:
        events = confirmed(real_data)
        compared = verify_applied_once(con, events, 1e-6)
    # the other few fall after a hole, where there is no one-day return
    assert len(events) == 834
    assert compared >= 820

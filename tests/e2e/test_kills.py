"""Runs that die at any moment, and runs that meet: what is published always opens, and the next run makes it right."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from tests.e2e.conftest import Tsq
from tsq.engine import builds
from tsq.engine import plan as plans

# Settings that make other numbers, in an order in which few tables follow a change, then many.
SETTINGS = ("slippage_bps=10", "risk_free_pct_ann=3", "slippage_bps=10", "slippage_bps=25")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a POSIX signal")


def start(project: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tsq.cli", "run", "--no-report", "--project", str(project), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(project: Path, tsq: Tsq, *arguments: str) -> str:
    done = tsq(project, "run", "--no-report", *arguments)
    assert done.code == 0, done.err
    return done.err


def watched(project: Path, *arguments: str) -> tuple[float, int]:
    """Seconds a run takes, and how many lines it says of tables."""
    clock = time.perf_counter()
    run = start(project, *arguments)
    _, err = run.communicate(timeout=300)
    assert run.returncode == 0
    return time.perf_counter() - clock, sum(map(is_of_a_table, err.splitlines()))


def is_of_a_table(line: str) -> bool:
    return " rows " in line and line.rstrip().endswith(" s")


def kill(run: subprocess.Popen[str], life: float, seconds: float, tables: int, dice: random.Random) -> None:
    """Kill a run when so much of its life is over: so many tables are told of, and a moment of the next has passed."""
    assert run.stderr is not None
    told = round(life * tables)
    pause = seconds / tables if told else seconds / 2  # before the first table it plans
    while told and (line := run.stderr.readline()):
        told -= is_of_a_table(line)
    time.sleep(dice.uniform(0, pause))
    run.send_signal(signal.SIGKILL)
    run.communicate()


def contents(project: Path) -> dict[str, str]:
    base = plans.base_of(project / "warehouse" / "tsq.duckdb")
    assert base is not None
    return {name: model.content for name, model in base.models.items()}


def check_published(project: Path) -> None:
    """The pointer opens, on a build that is whole: its tables are those its own record names, with as many rows."""
    pointer = project / "warehouse" / "tsq.duckdb"
    assert builds.trusted_manifest(pointer) is not None
    with duckdb.connect(str(pointer.resolve()), read_only=True) as con:
        for model, rows in con.execute("select model, rows from ops.builds").fetchall():
            assert con.execute(f"select count(*) from {model}").fetchone() == (rows,)
        assert con.execute("select count(*) from ops.runs").fetchone() == (1,)


def kill_at_random(project: Path, tsq: Tsq, moments: int, seed: int) -> None:
    dice = random.Random(seed)
    wanted, lives = [], []
    for setting in SETTINGS:
        lives.append(watched(project, "--set", setting))
        wanted.append(contents(project))
    assert wanted[0] == wanted[2] != wanted[1] != wanted[3]
    whole = watched(project, "--set", SETTINGS[-1], "--full-refresh")
    # one moment in each part of a run's life, in any order: chance alone would strike some parts twice and others never
    parts = dice.sample(range(moments), moments)
    resumed = 0
    for moment, part in enumerate(parts):
        turn = moment % len(SETTINGS)
        everything = ["--full-refresh"] if moment % 6 == 5 else []
        run = start(project, "--set", SETTINGS[turn], *everything)
        kill(run, (part + dice.random()) / moments, *(whole if everything else lives[turn]), dice)
        check_published(project)
        resumed += "going on with what a run" in finish(project, tsq, "--set", SETTINGS[turn])
        assert contents(project) == wanted[turn]
        assert not list((project / "warehouse" / "builds").glob(".*.duckdb*"))
    check_published(project)
    # some of the moments must have left more than the next run had to start from, or this test says little
    assert resumed >= moments // 8


def test_a_run_killed_at_any_moment_harms_nothing(project: Path, tsq: Tsq) -> None:
    kill_at_random(project, tsq, 8, seed=1)


@pytest.mark.slow
def test_a_run_killed_at_many_moments_harms_nothing(project: Path, tsq: Tsq) -> None:
    kill_at_random(project, tsq, 16, seed=2)


def test_of_two_runs_the_second_names_the_first_or_waits(project: Path) -> None:
    first = start(project, "--full-refresh")
    holder = project / "warehouse" / ".holder"
    while not (holder.exists() and f"{first.pid}" in holder.read_text(encoding="utf-8")):
        assert first.poll() is None, first.communicate()
        time.sleep(0.01)
    first.send_signal(signal.SIGSTOP)
    second = start(project, "--set", SETTINGS[3])
    _, err = second.communicate(timeout=60)
    assert second.returncode == 75
    assert f"process {first.pid}" in err
    patient = start(project, "--set", SETTINGS[3], "--wait")
    time.sleep(1)
    assert patient.poll() is None
    first.send_signal(signal.SIGCONT)
    assert first.wait(timeout=300) == 0
    _, err = patient.communicate(timeout=300)
    assert patient.returncode == 0
    assert f"waiting for process {first.pid}" in err
    first.communicate()
    check_published(project)

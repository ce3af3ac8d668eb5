"""The whole pipeline on markets without any premium finds none; on markets with planted ones it finds those."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import duckdb
import pytest

from tests.e2e.conftest import call, copy_project
from tsq.engine.datasets import load_datasets
from tsq.engine.lake import Lake
from tsq.ingest.batch import ingest
from tsq.ingest.demo import write_demo

SEEDS = range(20)
HORIZON = 21
# Twelve factors are looked at, so a |t| of 3 comes by chance in about one suite of ten; chosen before any was run.
MOST_T = 3.0


def mean_ics(folder: Path, seed: int, **premia: float) -> dict[str, float]:
    project = copy_project(folder)
    lake = Lake(project / "warehouse" / "demo" / "raw", load_datasets(project / "sql" / "raw"))
    ingest(write_demo(project / "files", size="small", seed=seed, **premia), lake)
    assert call(project, "run", "--models", "+alpha.ic_summary", "--no-report") == 0
    with duckdb.connect(str((project / "warehouse/tsq.duckdb").resolve()), read_only=True) as con:
        sql = f"select factor, mean_ic from alpha.ic_summary where horizon_days = {HORIZON}"
        return dict(con.execute(sql).fetchall())


def t_statistics(folder: Path, seeds: range, **premia: float) -> dict[str, float]:
    found = [mean_ics(folder / str(seed), seed, **premia) for seed in seeds]
    by_factor = {factor: [one[factor] for one in found] for factor in found[0]}
    return {
        factor: statistics.fmean(ics) / (statistics.stdev(ics) / math.sqrt(len(ics)))
        for factor, ics in by_factor.items()
    }


@pytest.mark.slow
def test_no_premium_is_no_information(tmp_path: Path) -> None:
    found = t_statistics(tmp_path, SEEDS, momentum_premium=0.0, quality_premium=0.0)
    assert len(found) == 12
    assert {factor: t for factor, t in found.items() if abs(t) > MOST_T} == {}


@pytest.mark.slow
def test_planted_premia_are_found(tmp_path: Path) -> None:
    found = t_statistics(tmp_path, SEEDS)
    assert found["momentum_12_1"] > MOST_T
    assert found["quality_inv_downside_vol"] > MOST_T

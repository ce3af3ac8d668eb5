"""The whole pipeline on markets without any premium finds none; on markets with planted ones it finds those."""

from __future__ import annotations

import math
import shutil
import statistics
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest

from tests.e2e.conftest import call, copy_project
from tsq.engine.datasets import load_datasets
from tsq.engine.lake import Lake
from tsq.ingest.batch import ingest
from tsq.ingest.demo import write_demo

SEEDS = range(20)
# A seed draws the same noise with and without premia: what they add stands out of a few markets as it would out of many.
PLANTED = range(6)
HORIZON = 21
# Twelve factors are looked at, so a |t| of 3 comes by chance in about one suite of ten; chosen before any was run.
MOST_T = 3.0

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("null market")]

Ics = dict[str, float]


def mean_ics(project: Path, seed: int, **premia: float) -> Ics:
    """One market from files to information coefficients; the project's models are read once for all markets."""
    for made in ("files", "warehouse/demo", "warehouse/builds"):
        shutil.rmtree(project / made, ignore_errors=True)
    (project / "warehouse/tsq.duckdb").unlink(missing_ok=True)
    lake = Lake(project / "warehouse" / "demo" / "raw", load_datasets(project / "sql" / "raw"))
    ingest(write_demo(project / "files", size="small", seed=seed, **premia), lake)
    assert call(project, "run", "--models", "+alpha.ic_summary", "--no-report") == 0
    with duckdb.connect(str((project / "warehouse/tsq.duckdb").resolve()), read_only=True) as con:
        sql = f"select factor, mean_ic from alpha.ic_summary where horizon_days = {HORIZON}"
        return dict(con.execute(sql).fetchall())


def t_statistic(values: Iterable[float]) -> float:
    values = list(values)
    return statistics.fmean(values) / (statistics.stdev(values) / math.sqrt(len(values)))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("null"))


@pytest.fixture(scope="module")
def without(project: Path) -> list[Ics]:
    """Of each seed, what is found in a market without premia."""
    return [mean_ics(project, seed, momentum_premium=0.0, quality_premium=0.0) for seed in SEEDS]


def test_no_premium_is_no_information(without: list[Ics]) -> None:
    found = {factor: t_statistic(ics[factor] for ics in without) for factor in without[0]}
    assert len(found) == 12
    assert {factor: t for factor, t in found.items() if abs(t) > MOST_T} == {}


def test_planted_premia_are_found(project: Path, without: list[Ics]) -> None:
    planted = [mean_ics(project, seed) for seed in PLANTED]
    for factor in ("momentum_12_1", "quality_inv_downside_vol"):
        assert t_statistic(there[factor] - null[factor] for there, null in zip(planted, without, strict=False)) > MOST_T

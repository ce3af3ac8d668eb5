"""The project's cases of models, one test each: the same files and the same code as `tsq test`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsq.cli import testing
from tsq.engine import case_runner
from tsq.engine.case_runner import Bench
from tsq.engine.cases import Case

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def bench() -> Bench:
    return testing.open_bench(ROOT)


@pytest.mark.parametrize("case", testing.cases_of(ROOT), ids=lambda case: f"{case.model}: {case.name}")
def test_case(bench: Bench, case: Case) -> None:
    outcome = case_runner.run(bench, case)
    if not outcome.passed:
        pytest.fail(case_runner.report(outcome, ROOT), pytrace=False)

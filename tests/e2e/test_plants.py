"""Every leak that can be planted in the demo's models is caught by an audit of six cuts."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.conftest import Tsq
from tsq.engine.plants import LEAKS


@pytest.mark.slow
def test_every_plant_is_caught(demo_project: Path, tsq: Tsq) -> None:
    done = tsq(demo_project, "audit", "--plant", "100000", "--cuts", "6", "--json")
    planted = json.loads(done.out)["planted"]
    assert [(one["leak"], one["model"], one["said"], one["error"]) for one in planted if not one["caught"]] == []
    caught = Counter(one["leak"] for one in planted)
    assert {leak: count for leak in LEAKS if (count := caught[leak]) < 10} == {}

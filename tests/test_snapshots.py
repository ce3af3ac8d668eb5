"""What every model makes of the small demo market is what tests/snapshots say: the same code as `tsq snapshot`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tsq.cli import snapshotting, workspace
from tsq.cli.snapshotting import Finding

ROOT = Path(__file__).parent.parent
MODELS = sorted(f"{path.parent.name}.{path.stem}" for path in ROOT.glob("models/*/*") if path.suffix in (".sql", ".py"))


@pytest.fixture(scope="session")
def findings() -> Mapping[str, Finding]:
    """The market is made and the models are built once a session, in a cache that the next session finds."""
    return {finding.model: finding for finding in snapshotting.compare(workspace.load_graph(ROOT))}


@pytest.mark.parametrize("model", MODELS)
def test_snapshot(findings: Mapping[str, Finding], model: str) -> None:
    found = findings[model]
    if found.state != "same":
        pytest.fail("\n".join([f"{found.file.name}: {found.state}; see `tsq snapshot`", *found.lines]), pytrace=False)


def test_no_snapshot_is_unused(findings: Mapping[str, Finding]) -> None:
    unused = [finding.file.name for finding in findings.values() if finding.state == "unused"]
    assert not unused, "remove them with `tsq snapshot --update`"

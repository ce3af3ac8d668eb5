from __future__ import annotations

from importlib import metadata

import pytest

from tsq.engine.manifest import PACKAGES
from tsq.engine.versions import version


@pytest.mark.parametrize("name", [*PACKAGES, "jinja2", "tsq", "vl-convert-python", "PyYAML"])
def test_a_version_is_what_the_installer_wrote(name: str) -> None:
    assert version(name) == metadata.version(name)


def test_what_is_not_installed_has_no_version() -> None:
    with pytest.raises(metadata.PackageNotFoundError):
        version("no-such-thing")

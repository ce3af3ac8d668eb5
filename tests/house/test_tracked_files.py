"""What may stand in no file of the project: paths of one machine, private registries, Windows' forbidden names."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

# Written so that this file does not match itself.
FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.])/(?:work|tmp|root|home|opt|Users|var)/\w|\b[A-Z]:\\Users\\"),
    "a registry": re.compile(
        r"(?:extra-)?index-url\s*[=:\s]|@ fil[e]://|(?:pypi|artifactory|nexus|registry|mirror)[\w.-]*(?::\d+)?/\S*simpl[e]"
    ),
    "a merge conflict": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
}
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(1, 10))}


def test_files_hold_nothing_of_one_machine(own_files: dict[str, str]) -> None:
    found = [
        f"{name}:{text[: match.start()].count(chr(10)) + 1} {what}: {match.group()}"
        for name, text in own_files.items()
        for what, pattern in FORBIDDEN.items()
        for match in pattern.finditer(text)
    ]
    assert not found


def test_names_work_on_every_platform(own_files: dict[str, str]) -> None:
    folded: dict[str, str] = {}
    wrong = []
    for name in own_files:
        stems = {part.partition(".")[0].lower() for part in PurePosixPath(name).parts}
        if stems & DEVICES or set(name) & set('<>:"|?*\\') or folded.setdefault(name.lower(), name) != name:
            wrong.append(name)
    assert not wrong

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tsq.engine.locks import locked
from tsq.errors import BUSY, TsqError

HOLD = """
import sys, time
from pathlib import Path
from tsq.engine.locks import locked
with locked(Path(sys.argv[1])):
    print("mine", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@contextmanager
def holder(warehouse: Path, seconds: float = 60.0) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the warehouse."""
    command = [sys.executable, "-c", HOLD, str(warehouse), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "mine\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_second_is_told_who_is_first(tmp_path: Path) -> None:
    with holder(tmp_path) as first, pytest.raises(TsqError, match=f"process {first.pid} ") as caught, locked(tmp_path):
        pass
    assert caught.value.exit_code == BUSY
    assert "--wait" in str(caught.value.hint)


def test_waiting_ends_with_the_holder_and_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with holder(tmp_path, 0.6) as first:
        with locked(tmp_path, wait=True):
            assert first.wait(5) == 0
            assert f"process {os.getpid()} " in (tmp_path / ".holder").read_text(encoding="utf-8")
        said = capsys.readouterr().err
    assert re.fullmatch(rf"waiting for process {first.pid} \(.*\) since \d\d:\d\d:\d\d, which is .*\n", said)


def test_waiting_has_an_end(tmp_path: Path) -> None:
    begun = time.monotonic()
    with (
        holder(tmp_path) as first,
        pytest.raises(TsqError, match=f"process {first.pid} ") as caught,
        locked(tmp_path, wait=True, timeout=0.3),
    ):
        pass
    assert 0.2 < time.monotonic() - begun < 30
    assert caught.value.exit_code == BUSY
    assert "0.3 s" in str(caught.value.hint)


@pytest.mark.skipif(os.name == "nt", reason="signals are of POSIX")
def test_a_killed_holder_holds_nothing_and_is_not_named(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        first.send_signal(signal.SIGKILL)
        first.wait(10)
    left = (tmp_path / ".holder").read_text(encoding="utf-8")
    assert f"process {first.pid} " in left
    with locked(tmp_path):
        assert f"process {os.getpid()} " in (tmp_path / ".holder").read_text(encoding="utf-8")
        (tmp_path / ".holder").write_text(left, encoding="utf-8")  # as between our getting the lock and our signing
        done = subprocess.run(
            [sys.executable, "-c", HOLD, str(tmp_path), "0"], capture_output=True, text=True, check=False
        )
        assert "another process" in done.stderr
        assert str(first.pid) not in done.stderr


def test_nothing_is_left_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), locked(tmp_path):
        raise ValueError("mine")
    assert not list(tmp_path.glob(".holder*"))
    with locked(tmp_path):
        pass

"""Who may write a warehouse: one process at a time, and anyone else is told which."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tsq.errors import BUSY, TsqError

# How long the words of a holder that has just died may stand before those of the next one.
_LOOKS, _PAUSE = 10, 0.05


@contextmanager
def locked(warehouse: Path, wait: bool = False, timeout: float | None = None) -> Iterator[None]:
    """Hold the warehouse for writing.

    Args:
        warehouse: its folder; made if need be.
        wait: wait for a process that holds it, and say so once on stderr.
        timeout: seconds to wait at most; None for as long as it takes.

    Raises:
        TsqError: another process holds it (exit code 75); names it. The lock of a killed process is free at once.
    """
    from filelock import FileLock, Timeout  # it brings asyncio, which a run with nothing to do does without

    warehouse.mkdir(parents=True, exist_ok=True)
    lock, holder = FileLock(warehouse / ".lock"), warehouse / ".holder"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if not wait:
            raise _busy(warehouse, "add --wait, or try again when it has ended") from None
        sys.stderr.write(f"waiting for {_who(holder)}, which is writing the warehouse\n")
        sys.stderr.flush()
        try:
            lock.acquire(timeout=-1 if timeout is None else timeout, poll_interval=0.1)
        except Timeout:
            raise _busy(warehouse, f"it took more than {timeout:g} s; try again when it has ended") from None
    try:
        _sign(holder)
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _sign(holder: Path) -> None:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    shown = command if len(command) <= 80 else f"{command[:79]}…"
    scratch = holder.with_name(f".holder.{os.getpid()}")
    scratch.write_text(f"process {os.getpid()} ({shown}) since {time.strftime('%H:%M:%S')}", encoding="utf-8")
    scratch.replace(holder)


def _busy(warehouse: Path, hint: str) -> TsqError:
    who = _who(warehouse / ".holder")
    return TsqError(f"the warehouse is busy: {who} is writing it", where=warehouse, hint=hint, exit_code=BUSY)


def _who(holder: Path) -> str:
    """The holder in words; never one that is dead, whose words its follower has yet to replace."""
    for _ in range(_LOOKS):
        text = holder.read_text(encoding="utf-8") if holder.exists() else ""
        found = re.match(r"process (\d+)", text)
        if found and _alive(int(found[1])):
            return text
        time.sleep(_PAUSE)
    return "another process"


def _alive(process: int) -> bool:
    if os.name == "nt":  # asking by signal would end the process there
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

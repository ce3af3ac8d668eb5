"""What a run shows while it works: a live line on a terminal, plain lines in a pipe or a log."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tsq.engine.runner import Result

if TYPE_CHECKING:
    from rich.progress import Progress as Bar


class Progress:
    """Counts built models; each result also becomes a line where there is no terminal.

    Args:
        total: models to build.
    """

    def __init__(self, total: int) -> None:
        self._bar = _bar(total) if sys.stderr.isatty() else None
        self._warned = 0

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()
        if self._warned and kind is None:
            sys.stderr.write(f'{self._warned} warnings: tsq query "select * from ops.checks where failed > 0"\n')

    def advance(self, result: Result) -> None:
        """Show one finished model."""
        if self._bar:
            self._bar.update(self._bar.task_ids[0], advance=1, description=result.name)
        else:
            how = f"{result.sessions:>7,} sessions" if result.sessions is not None else ""
            sys.stderr.write(f"{result.name:<34} {result.rows:>12,} rows {result.seconds:>8.2f} s{how}\n")
        for check in result.checks:
            if check.failed:
                self._warned += 1
                self._warn(f"  warn {result.name}: {check.failed:,} rows: {check.name}")

    def _warn(self, text: str) -> None:
        if self._bar:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            sys.stderr.write(f"{text}\n")


def _bar(total: int) -> Bar:
    """The live line, with its one task; rich is imported only where there is a terminal to draw on."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task("building", total=total)
    return bar

"""What a run shows while it works: a live line on a terminal, plain lines in a pipe or a log."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from tsq.engine.runner import Result


class Progress:
    """Counts built models; each result also becomes a line where there is no terminal.

    Args:
        total: models to build.
    """

    def __init__(self, total: int) -> None:
        self._console = Console(stderr=True)
        self._live = sys.stderr.isatty()
        self._bar = Bar(
            TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=self._console, transient=True, disable=not self._live,
        )  # fmt: skip
        self._task = self._bar.add_task("building", total=total)
        self._warned = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()
        if self._warned and kind is None:
            sys.stderr.write(f'{self._warned} warnings: tsq query "select * from ops.checks where failed > 0"\n')

    def advance(self, result: Result) -> None:
        """Show one finished model."""
        self._bar.update(self._task, advance=1, description=result.name)
        if not self._live:
            sys.stderr.write(f"{result.name:<34} {result.rows:>12,} rows {result.seconds:>8.2f} s\n")
        for check in result.checks:
            if check.failed:
                self._warned += 1
                self._console.print(
                    f"  warn {result.name}: {check.failed:,} rows: {check.name}", markup=False, highlight=False
                )

"""Cells laid out in columns, as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def grid(rows: Iterable[Sequence[str]], right: Iterable[int] = (), indent: int = 0) -> Iterator[str]:
    """Lay cells out in columns; `right` says which stand at the right edge."""
    rows = list(rows)
    wide = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    edges = set(right)
    for row in rows:
        cells = [cell.rjust(wide[n]) if n in edges else cell.ljust(wide[n]) for n, cell in enumerate(row)]
        yield (" " * indent + "  ".join(cells)).rstrip()

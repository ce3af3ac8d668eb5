"""SQL blocks of a page, each with the answer it shows: a Markdown table, as `.mode markdown` of the DuckDB shell prints it.

`python -m tests.e2e.page_blocks docs/explanation/point_in_time.md` makes the small demo market in a scratch folder, asks
every block, and writes the answers into the page.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb

from tests.e2e.conftest import call, copy_project

# a block of SQL and, after a blank line, the table that answers it
BLOCK = re.compile(r"```sql\n(?P<sql>.*?)```\n(?:\n(?P<answer>(?:\|[^\n]*\n)+))?", re.DOTALL)


def answer(con: duckdb.DuckDBPyConnection, sql: str) -> str:
    """What a block answers, as a Markdown table; numbers to the right, a null is an empty cell."""
    result = con.execute(sql)
    heads = [(name, str(kind) in ("DOUBLE", "INTEGER", "BIGINT", "HUGEINT")) for name, kind, *_ in result.description]
    lines = ["|".join(["", *(name for name, _ in heads), ""])]
    lines.append("|".join(["", *("---:" if right else "---" for _, right in heads), ""]))
    lines += ["|".join(["", *("" if cell is None else _text(cell) for cell in row), ""]) for row in result.fetchall()]
    return "".join(f"{line}\n" for line in lines)


def with_answers(page: str, ask: Callable[[str], str]) -> str:
    """The page with each block's answer put in the place of the one it shows."""
    return BLOCK.sub(lambda found: f"```sql\n{found['sql']}```\n\n{ask(found['sql'])}", page)


def refresh(page: Path) -> None:
    """Ask every block of a page on a small demo market of its own, and write the answers into it."""
    with tempfile.TemporaryDirectory() as scratch:
        project = copy_project(Path(scratch) / "project")
        assert call(project, "ingest", "--demo", "small") == 0
        assert call(project, "run", "--no-report") == 0
        with duckdb.connect(str((project / "warehouse/tsq.duckdb").resolve()), read_only=True) as con:
            text = with_answers(page.read_text(encoding="utf-8"), lambda sql: answer(con, sql))
    page.write_text(text, encoding="utf-8", newline="\n")


def _text(cell: object) -> str:
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


if __name__ == "__main__":
    refresh(Path(sys.argv[1]))

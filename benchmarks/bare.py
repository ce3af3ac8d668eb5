"""Run a script of SQL in one DuckDB connection and nothing else: `python bare.py SCRIPT DATABASE`."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb


def build(script: Path, database: Path) -> None:
    """Run a script in a fresh database file."""
    for path in (database, database.with_name(f"{database.name}.wal")):
        path.unlink(missing_ok=True)
    with duckdb.connect(str(database)) as con:
        con.execute(script.read_text(encoding="utf-8"))


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))

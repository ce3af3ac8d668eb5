"""What the tables `ops.*` of a build are: one row, each column, its type and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """One `ops` table: what a row is, its columns with their types, and what each of them says."""

    doc: str
    columns: Mapping[str, str]
    docs: Mapping[str, str]


def _table(doc: str, text: str) -> Table:
    """A table from lines `name TYPE what it says`."""
    parts = [line.split(maxsplit=2) for line in text.strip().splitlines()]
    return Table(doc, {name: kind for name, kind, _ in parts}, {name: said for name, _, said in parts})


TABLES = {
    "runs": _table(
        "One row is the run that made this build.",
        """
        run_id VARCHAR the run; the build's file bears its name
        as_of TIMESTAMPTZ newest knowledge the build may hold
        market VARCHAR demo or real
        started_at TIMESTAMPTZ when the run began
        finished_at TIMESTAMPTZ when the last table was done
        seconds DOUBLE from beginning to end, without publishing
        threads INTEGER worker threads
        models INTEGER tables of the build
        rows BIGINT rows of all of them
        tsq_version VARCHAR version of tsq
        duckdb_version VARCHAR version of DuckDB
        python_version VARCHAR version of Python
        platform VARCHAR operating system and processor
        git_commit VARCHAR commit of the project; null without git
        git_dirty BOOLEAN whether tracked files differed from it
        knobs VARCHAR every knob with its value, as JSON
        """,
    ),
    "builds": _table(
        "One row is a table of this build: its hashes, the run that last built it, and the SQL that made it.",
        """
        run_id VARCHAR the run that last built it
        model VARCHAR layer.table
        layer VARCHAR its schema
        kind VARCHAR table, incremental or view
        fingerprint VARCHAR hash of all that decides its rows
        content VARCHAR hash of its rows, whatever their order
        rows BIGINT how many it has
        seconds DOUBLE what it took when it was last built whole
        carried BOOLEAN whether an earlier run built it
        sql VARCHAR the SQL as it ran; empty for a Python model
        """,
    ),
    "content": _table(
        "One row is one session of a table: how many rows it has there, or begin and end there, and their hash.",
        """
        model VARCHAR layer.table
        date DATE the session; null where rows have none
        rows BIGINT rows of the session
        hash HUGEINT sum of the hashes of its rows
        """,
    ),
    "checks": _table(
        "One row is a promise of a table and how many rows broke it; sql shows them.",
        """
        run_id VARCHAR the run that made this build
        model VARCHAR layer.table, or raw.dataset for its freshness
        check_name VARCHAR the promise
        level VARCHAR block or warn
        failed BIGINT rows that broke it
        sql VARCHAR the query that shows them
        """,
    ),
    "ingests": _table(
        "One row is a file that was loaded: rows_in = rows_kept + rows_quarantined + rows_duplicate.",
        """
        batch_id VARCHAR the load
        file VARCHAR its name
        sha256 VARCHAR hash of its bytes
        dataset VARCHAR what it holds; null where it was refused
        format VARCHAR how it is written
        rows_in BIGINT rows of the file
        rows_kept BIGINT rows in the lake
        rows_quarantined BIGINT rows refused; see ops.quarantine
        rows_duplicate BIGINT rows that were there already
        first_date DATE its first date
        last_date DATE its last date
        known_at TIMESTAMPTZ when the newest of its rows was known
        loaded_at TIMESTAMPTZ when it was loaded
        notes VARCHAR what is worth reading about it
        """,
    ),
    "lineage": _table(
        "One row is an edge of the graph, column by column: what a column is made from, and what chooses its rows.",
        """
        model VARCHAR layer.table
        column_name VARCHAR its column; * for its rows
        from_table VARCHAR the table or source it comes from
        from_column VARCHAR that column; * for its rows
        kind VARCHAR value (computed from), choice (which one), filter (which rows) or python (anything of it)
        """,
    ),
    "quarantine": _table(
        "One row is a line that was refused, and why.",
        """
        batch_id VARCHAR the load
        dataset VARCHAR what it was taken for
        file VARCHAR the file it stands in
        row_no BIGINT its place in the file
        reason VARCHAR why it was refused
        row_text VARCHAR the line
        """,
    ),
}

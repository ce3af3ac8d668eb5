"""Ingest of real exchange files in rows a second, beside DuckDB's own CSV reader on the same files.

`python -m benchmarks.ingest [--files 60]` needs TSQ_REAL_DATA (default `../shared/data`). Each side reads the newest
files of one format: tsq recognises, checks, quarantines and writes its lake; the bare side parses the text into a
table. Bare text has no types, checks or lake: it is the floor, not a rival.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path

from benchmarks import measure, projects
from benchmarks.measure import DATA, Cost, Side

TSQ = Path(sys.executable).parent / "tsq"
BARE = """
import sys, duckdb
con = duckdb.connect(sys.argv[2])
files = sys.argv[1] + "/*.csv"
con.execute(
    "create table rows as select * from read_csv(?, all_varchar = true, union_by_name = true, null_padding = true, "
    "ignore_errors = true, filename = true)", [files]
)
"""


def gather(source: Path, n: int, folder: Path) -> Path:
    """The newest `n` files of one format as plain CSV: DuckDB reads no zips, and both sides shall read the same."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in sorted(path for path in source.iterdir() if path.suffix.lower() in (".zip", ".csv"))[-n:]:
        if path.suffix.lower() == ".csv":
            shutil.copyfile(path, folder / path.name)
            continue
        with zipfile.ZipFile(path) as packed:
            for name in packed.namelist():
                (folder / Path(name).name).write_bytes(packed.read(name))
    return folder


def sides(root: Path, files: Path) -> dict[str, Side]:
    """The two commands; tsq begins with an empty lake."""
    database = DATA / "ingest" / "bare.duckdb"
    return {
        "bare read_csv": Side(
            [sys.executable, "-c", BARE, files, database], before=lambda: database.unlink(missing_ok=True)
        ),
        "tsq ingest": Side(
            [TSQ, "ingest", files, "--project", root, "--json"],
            before=lambda: shutil.rmtree(root / "warehouse", ignore_errors=True),
        ),
    }


def rows_in(root: Path) -> int:
    """Rows of the batch just loaded."""
    batches = (root / "warehouse" / "raw" / "_batches").glob("*.json")
    return sum(file["rows_in"] for path in batches for file in json.loads(path.read_text(encoding="utf-8"))["files"])


def main() -> None:
    """Parse, run, print, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    real = Path(os.environ.get("TSQ_REAL_DATA", projects.ROOT.parent / "shared" / "data"))
    root = DATA / "ingest" / "project"
    for part in ("models", "sql", "config"):
        shutil.copytree(projects.ROOT / part, root / part, dirs_exist_ok=True)
    results: dict[str, dict[str, object]] = {}
    for source in sorted(path for path in (real / "nse" / "bhavcopy").iterdir() if path.is_dir()):
        files = gather(source, wanted.files, DATA / "ingest" / source.name)
        costs: dict[str, list[Cost]] = measure.rounds(sides(root, files), wanted.rounds)
        rows = rows_in(root)
        print(f"\n{source.name}: {wanted.files} files, {rows:,} rows\n\n{measure.table(costs, 'bare read_csv')}")
        for name, several in costs.items():
            middle = measure.median(several)
            print(f"{name}: {rows / middle.wall:,.0f} rows/s of wall, {rows / middle.cpu:,.0f} rows/CPU-s")
        results[source.name] = {"files": wanted.files, "rows": rows, "costs": costs}
    measure.save("ingest", results)


if __name__ == "__main__":
    main()

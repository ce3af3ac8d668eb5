"""One new session on the full real panel, and the scenarios of the model graph with every shipped model.

    python -m benchmarks.new_session [--sessions 3] [--rounds 3]

Needs the project that `python -m benchmarks.real_market` loads. Works on a copy of it with this repository's models:
builds everything once from nothing, then loads one daily file after another (made from the last session's prices, each
moved by up to two per cent) with `tsq ingest` and `tsq run --no-report`, as a user does in the evening; then nothing
changed, a comment, a promise and a constant of a factor are edited; at the end all is built from nothing again, beside
what was updated, and compared.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

from benchmarks import measure
from benchmarks.measure import OUT, Cost, Side
from benchmarks.real_market import OUT as LOADED
from benchmarks.real_market import ROOT

TSQ = Path(sys.executable).parent / "tsq"
PROJECT = OUT / "new_session"
PARTS = ("models", "sql", "config")
# the last session's rows, each price moved by the same share of it, as the exchange prints a day
DAY = """
copy (
    with last as (
        select *, 1 + (hash(symbol, '{date}') % 4001 - 2000.0) / 100000 as move
        from read_parquet({parts})
        where date = (select max(date) from read_parquet({parts}))
        qualify row_number() over (partition by symbol, series order by known_at desc, source_rank) = 1
    )
    select
        symbol as "SYMBOL",
        series as "SERIES",
        round(close * least(move, 1), 2) as "OPEN",
        round(close * greatest(move, 1) * 1.004, 2) as "HIGH",
        round(close * least(move, 1) * 0.996, 2) as "LOW",
        round(close * move, 2) as "CLOSE",
        round(close * move, 2) as "LAST",
        close as "PREVCLOSE",
        volume as "TOTTRDQTY",
        round(volume * close * move, 2) as "TOTTRDVAL",
        strftime(date '{date}', '%d-%b-%Y') as "TIMESTAMP",
        100 as "TOTALTRADES",
        isin as "ISIN",
    from last
    where close > 1
) to '{file}' (format csv, header)
"""


def prepare() -> None:
    """Copy the loaded project, with the models as they are now."""
    if not (LOADED / "warehouse" / "raw").is_dir():
        sys.exit(f"no loaded panel in {LOADED}: run python -m benchmarks.real_market first")
    shutil.rmtree(PROJECT, ignore_errors=True)
    for part in PARTS:
        shutil.copytree(ROOT / part, PROJECT / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(LOADED / "warehouse" / "raw", PROJECT / "warehouse" / "raw")


def next_session() -> Path:
    """Write the daily file of the next weekday."""
    parts = [path.as_posix() for path in sorted((PROJECT / "warehouse" / "raw" / "prices").glob("*.parquet"))]
    with duckdb.connect() as con:
        (last,) = con.execute(f"select max(date) from read_parquet({parts})").fetchone() or (None,)
        day: dt.date = last + dt.timedelta(days=1 if last.weekday() < 4 else 7 - last.weekday())
        file = PROJECT / f"cm{day:%d%b%Y}bhav.csv"
        con.execute(DAY.format(date=day, parts=parts, file=file.as_posix()))
    return file


def edit(path: Path, old: str, new: str) -> Callable[[], None]:
    """Replace a text, each time by another one: `{n}` in the new one counts."""
    text = path.read_text(encoding="utf-8")
    turns = itertools.count(1)
    assert old in text, f"{path} does not say {old}"
    return lambda: Path.write_text(path, text.replace(old, new.format(n=next(turns))), encoding="utf-8") and None


def main() -> None:
    """Parse, run, print, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    measure.apart(prepare)
    run = [TSQ, "run", "--no-report", "--project", PROJECT]
    low_vol = PROJECT / "models" / "factors" / "low_vol.sql"
    costs: dict[str, list[Cost]] = {"full": [measure.once(Side(run))]}
    costs |= {"ingest": [], "run": []}
    for _ in range(wanted.sessions):
        file = measure.apart(next_session)
        costs["ingest"].append(measure.once(Side([TSQ, "ingest", file, "--project", PROJECT])))
        costs["run"].append(measure.once(Side(run)))
    costs["new session"] = [
        Cost(one.wall + other.wall, one.cpu + other.cpu, max(one.rss, other.rss))
        for one, other in zip(costs["ingest"], costs["run"], strict=True)
    ]
    scenarios = {
        "nothing changed": Side(run),
        "a comment": Side(run, before=edit(low_vol, "from universe.members", "-- {n}\nfrom universe.members")),
        "a promise": Side(run, before=edit(low_vol, "\n---\n", "\n---\nPromised {n}.\n")),
        "a constant of a factor": Side(run, before=edit(low_vol, " as value", " * 1.{n:03d} as value")),
    }
    for name, side in scenarios.items():
        costs[name] = measure.rounds({name: side}, wanted.rounds)[name]
    costs["full again"] = [measure.once(Side([*run, "--full-refresh"]))]
    print(measure.table(costs, against="full"))
    measure.once(Side([*run, "--verify-skips"]))
    print("\nall tables are what they are when built from nothing")
    measure.save("new_session", costs)


if __name__ == "__main__":
    main()

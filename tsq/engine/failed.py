"""Rows that broke a promise, kept outside the build that was rolled back: `warehouse/failed/<layer.table>/`."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tsq.engine.manifest import CheckResult, utc

# A run with nothing to do forgets what was kept, and loads neither.
if TYPE_CHECKING:
    import polars as pl

    from tsq.engine.warehouse import Connection

MOST_ROWS = 1_000
_INDEX = "checks.json"
_PLAIN = re.compile(r"(BOOLEAN|U?(TINY|SMALL|BIG)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\)|VARCHAR|DATE|TIMESTAMP.*)$")


@dataclass(frozen=True)
class Failed:
    """One promise that rows broke, and the file of those that were kept.

    Attributes:
        failed: rows that broke it; of these the first `kept`, in the order of their columns, stand in `file`.
        at: when, in UTC.
        sql: the query that found them.
        file: name of a parquet file in the model's folder.
    """

    model: str
    check: str
    failed: int
    kept: int
    at: str
    sql: str
    file: str


def keep(con: Connection, model: str, broken: Sequence[CheckResult], folder: Path) -> tuple[Failed, ...]:
    """Write the rows that break each check to a file, in place of those kept of the model before.

    Args:
        con: the connection in whose transaction the rows still stand.
        model: `layer.table`.
        broken: checks that rows break.
        folder: `warehouse/failed`; made when it is missing.

    Returns:
        What was kept, in the order of the checks. A reader sees all of it or nothing.
    """
    scratch = folder / f".{model}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    at = utc(dt.datetime.now(dt.UTC))
    records = []
    for number, check in enumerate(broken, 1):
        rows = _rows(con, check.sql)
        slug = re.sub("[^a-z0-9]+", "_", check.name.lower()).strip("_")[:60]
        file = f"{number:02d}_{slug}.parquet"
        rows.write_parquet(scratch / file)
        records.append(Failed(model, check.name, check.failed, rows.height, at, check.sql, file))
    text = json.dumps([asdict(record) for record in records], indent=1, ensure_ascii=False)
    (scratch / _INDEX).write_text(text, encoding="utf-8")
    forget(folder, [model])
    scratch.rename(folder / model)
    return tuple(records)


def _rows(con: Connection, sql: str) -> pl.DataFrame:
    """The first rows of a query. What a parquet file does not hold as it is (an interval, a struct) becomes text."""
    found = con.sql(sql)
    columns = ", ".join(
        name if _PLAIN.match(str(kind)) else f"cast({name} as varchar) as {name}"
        for name, kind in zip(map(_quoted, found.columns), found.types, strict=True)
    )
    rows: pl.DataFrame = con.sql(f"select {columns} from ({sql}) order by all limit {MOST_ROWS}").pl()
    return rows


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def forget(folder: Path, models: Iterable[str]) -> None:
    """Remove what was kept of models that keep their promises now."""
    for model in models:
        if (folder / model).is_dir():
            shutil.rmtree(folder / model)


def read(folder: Path) -> tuple[Failed, ...]:
    """What is kept of every model, by model and in the order of its checks."""
    found = sorted(path for path in folder.glob(f"*/{_INDEX}") if not path.parent.name.startswith("."))
    return tuple(Failed(**record) for path in found for record in json.loads(path.read_text(encoding="utf-8")))

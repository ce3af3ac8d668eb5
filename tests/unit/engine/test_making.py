from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tsq import config
from tsq.engine import catalog, making, warehouse
from tsq.engine.compile import compile_catalog
from tsq.errors import TsqError

MakeProject = Callable[[Mapping[str, str]], Path]

HEADER = '"""---\ngrain: [x]\ncolumns: {x: {type: BIGINT}}\n---\nA table.\n"""\nimport polars as pl\n\n\n'
ROWS = {"models/base/rows.sql": "select x from range(3) as t(x)\n"}
ALONE = """
import sys
from pathlib import Path
from tsq import config
from tsq.engine import catalog, making, warehouse
from tsq.engine.compile import compile_catalog

nodes = compile_catalog(catalog.read(config.load(Path(sys.argv[1]))))
con = warehouse.connect()
con.execute("create schema base; create schema mart; create table base.rows as select x from range(3) as t(x)")
making.make(con, nodes["mart.made"])
print(con.execute("select count(*) from mart.made").fetchone()[0])
con.close()
"""


def made_by(make_project: MakeProject, body: str) -> warehouse.Connection:
    """A connection on which the model's table was made."""
    model = f"{HEADER}def model(rows: pl.DataFrame) -> pl.DataFrame:\n    return {body}\n"
    nodes = compile_catalog(catalog.read(config.load(make_project({**ROWS, "models/mart/made.py": model}))))
    con = warehouse.connect()
    con.execute("create schema base; create schema mart; create table base.rows as select x from range(3) as t(x)")
    making.make(con, nodes["mart.made"])
    return con


def test_a_python_model_makes_its_frame_a_table(make_project: MakeProject) -> None:
    con = made_by(make_project, 'rows.with_columns(name=pl.lit("a"), wide=pl.col("x") * 0.5)')
    assert con.execute("from mart.made order by x").fetchall() == [(0, "a", 0.0), (1, "a", 0.5), (2, "a", 1.0)]


@pytest.mark.parametrize(("nulls", "read"), [("None", None), ("pl.concat_list(pl.lit(None))", [None])])
def test_a_column_of_nothing_but_nulls_is_one(make_project: MakeProject, nulls: str, read: object) -> None:
    con = made_by(make_project, f"rows.with_columns(y={nulls})")
    assert con.execute("select y from mart.made").fetchall() == [(read,)] * 3


def test_no_rows_are_a_table_too(make_project: MakeProject) -> None:
    con = made_by(make_project, "rows.clear()")
    assert con.execute("select count(*) from mart.made").fetchone() == (0,)


@pytest.mark.parametrize(("body", "type_"), [("rows.lazy()", "LazyFrame"), ("None", "NoneType")])
def test_a_model_that_returns_no_frame(make_project: MakeProject, body: str, type_: str) -> None:
    with pytest.raises(TsqError, match=f"mart.made returned a {type_}"):
        made_by(make_project, body)


def test_a_python_model_ends_without_a_word(make_project: MakeProject) -> None:
    """DuckDB reports objects that outlive it on stderr; who reads its rows decides whether any do."""
    model = f"{HEADER}def model(rows: pl.DataFrame) -> pl.DataFrame:\n    return rows\n"
    root = make_project({**ROWS, "models/mart/made.py": model})
    done = subprocess.run([sys.executable, "-c", ALONE, str(root)], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("3", "")

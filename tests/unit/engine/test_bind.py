from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import pytest

from tsq import config
from tsq.engine import bind, catalog, graph
from tsq.engine.compile import compile_catalog
from tsq.engine.graph import Graph
from tsq.errors import TsqError

MakeProject = Callable[[Mapping[str, str]], Path]
PRICES = (
    "doc: prices\nkey: [date, ticker]\ncolumns:\n"
    "  date: {type: DATE, doc: d}\n  ticker: {type: VARCHAR, doc: t}\n  close: {type: DOUBLE, doc: c}\n"
)
KNOBS = "doc: rates\nkey: [ticker]\nfile: config/rates.csv\ncolumns:\n  ticker: {type: VARCHAR, doc: t}\n  rate: {type: DOUBLE, doc: r}\n"
HEADER = """/*---
grain: [date, ticker]
date: date
order: [ticker, date]
knowable: date
references: {ticker: base.names.ticker}
checks:
  - close > 0
  - select ticker from base.prices where close > 1e9
columns:
  close: {type: DOUBLE, doc: the close}
---
One row.
*/
"""
GOOD = {
    "sql/raw/prices.yml": PRICES,
    "sql/config/rates.yml": KNOBS,
    "models/base/names.sql": "select distinct ticker from raw.prices",
    "models/base/prices.sql": HEADER + "select date, ticker, close, known_at from raw.prices",
    "models/mart/returns.sql": (
        "select\n    prices.date,\n    prices.ticker,\n    prices.close * rates.rate as value,\n    null as nothing,\n"
        "from base.prices as prices\njoin config.rates as rates using (ticker)"
    ),
}
PYTHON = '"""---\ncolumns:\n  ticker: {type: VARCHAR}\n  weight: {type: DOUBLE}\n---\n"""\n\n\ndef model(returns):\n    ...\n'


def build(root: Path) -> Graph:
    found = catalog.read(config.load(root))
    return graph.build(found, compile_catalog(found))


def test_types_are_those_of_a_run(make_project: MakeProject) -> None:
    files = {
        **GOOD,
        "models/mart/weights.py": PYTHON,
        "models/mart/sums.sql": "select sum(weight) as total, count(*) as n, cast(1 as decimal(9, 2)) as d from mart.weights",
    }
    found = bind.columns(build(make_project(files)))
    assert found["base.prices"] == {
        "date": "DATE",
        "ticker": "VARCHAR",
        "close": "DOUBLE",
        "known_at": "TIMESTAMP WITH TIME ZONE",
    }
    assert found["mart.returns"] == {"date": "DATE", "ticker": "VARCHAR", "value": "DOUBLE", "nothing": '"NULL"'}
    assert found["mart.weights"] == {"ticker": "VARCHAR", "weight": "DOUBLE"}
    assert found["mart.sums"] == {"total": "DOUBLE", "n": "BIGINT", "d": "DECIMAL(9,2)"}
    assert found["config.rates"] == {"ticker": "VARCHAR", "rate": "DOUBLE"}
    assert list(found["raw.prices"])[:4] == ["date", "ticker", "close", "format"]


NAMES, PRICES_SQL, RETURNS = "models/base/names.sql", "models/base/prices.sql", "models/mart/returns.sql"


def sql(text: str, header: str = "") -> str:
    return f"/*---\n{header}\n---\n*/\n{text}"


@pytest.mark.parametrize(
    ("file", "text", "what", "line", "hint"),
    [
        (RETURNS, "select\n    date,\n    clse\nfrom base.prices", "there is no column clse", 3, "did you mean close?"),
        (RETURNS, "select\n    p.date,\n    p.clse\nfrom base.prices as p", "no column clse", 3, "close"),
        (RETURNS, "select p.date\nfrom base.prices as p\njoin base.names as n\n    using (tickr)", "column tickr", 4, "ticker"),
        (RETURNS, "select price.date\nfrom base.prices as prices", "no table or alias is called price", 1, "prices"),
        (RETURNS, "select\n    roud(close) as c\nfrom base.prices", "no function roud", 2, "round"),
        (RETURNS, "select\n    close + ticker as c\nfrom base.prices", "no function takes +(DOUBLE, VARCHAR)", 2, "cast"),
        (RETURNS, "select\n    sum(ticker) as c\nfrom base.prices", "no function takes sum(VARCHAR)", 2, "cast"),
        (RETURNS, "select\n    cast(close as duble) as c\nfrom base.prices", "no type duble", 2, "double"),
        (RETURNS, "select\n    ticker, sum(close) as c\nfrom base.prices", "must appear in the GROUP BY", 2, "ANY_VALUE"),
        (RETURNS, sql("select close from base.prices", "columns: {clos: {type: DOUBLE}}"), "promises a column clos", 2, "close"),
        (RETURNS, sql("select close from base.prices", "columns:\n  close: {type: BIGINT}"), "promised as BIGINT and is DOUBLE", 3, "cast"),
        (RETURNS, sql("select close from base.prices", "grain: [date]"), "grain of mart.returns names a column date", 2, "close"),
        (RETURNS, sql("select close from base.prices", "order: [clos]"), "order of mart.returns names", 2, "close"),
        (RETURNS, sql("select close from base.prices", "date: close"), "which is DOUBLE", 2, "DATE"),
        (RETURNS, sql("select close from base.prices", "date: day"), "date of mart.returns names a column day", 2, "close"),
        (RETURNS, sql("select close from base.prices", "knowable: dat"), "knowable of mart.returns: there is no column dat", 2, "close"),
        (RETURNS, sql("select close from base.prices", "knowable: close + 1"), "is DOUBLE, not a day", 2, "DATE"),
        (RETURNS, sql("select close from base.prices", "checks:\n  - close > 0\n  - clos > 0"), "the check `clos > 0`", 4, "close"),
        (RETURNS, sql("select close from base.prices", "checks: [close + 1]"), "is DOUBLE, not true or false", 2, "comparison"),
        (RETURNS, sql("select close from base.prices", "checks: [count(*) > 1]"), "WHERE clause cannot contain aggregates", 2, ""),
        (
            RETURNS,
            sql("select close from base.prices", "checks:\n  - select x from mart.returns"),
            "the check `select x from mart.returns` of mart.returns: there is no column x",
            3,
            "close",
        ),
        (RETURNS, sql("select ticker from base.prices", "references: {ticker: base.names.tickr}"), "has no such column", 2, "ticker"),
        (RETURNS, sql("select ticker from base.prices", "references: {tick: base.names.ticker}"), "names a column tick", 2, "ticker"),
        (RETURNS, sql("select close from base.prices", "references: {close: base.names.ticker}"), "is DOUBLE; base.names.ticker", 2, "type"),
        (RETURNS, sql("select ticker, known_at from base.prices", "grain: [ticker]\nversions: base.names"), "holds the earlier versions of mart.returns and has no column known_at", 3, "name another table"),
        (RETURNS, sql("select ticker from base.prices", "versions: base.names"), "does not say which row was known when", 2, "known_at"),
        (RETURNS, sql("select ticker, known_at from base.prices", "grain: [ticker]\nversions: base.nams"), "reads base.nams, which nothing makes", 3, "base.names"),
        (RETURNS, "select x from base.prices, lateral (select * from glob('*')) as g(x)", "a model reads tables", 1, "ingest"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_before_a_row_is_read(
    make_project: MakeProject, file: str, text: str, what: str, line: int, hint: str
) -> None:
    root = make_project({**GOOD, file: text})
    with pytest.raises(TsqError) as caught:
        bind.check(build(root))
    assert what in caught.value.what
    assert caught.value.where == f"{root / file}:{line}"
    assert hint in str(caught.value.hint)
    assert caught.value.exit_code == 2


def test_a_promise_of_the_layer_is_pointed_at_in_the_layer(make_project: MakeProject) -> None:
    root = make_project(
        {**GOOD, "models/mart/_layer.yml": "doc: marts\nchecks:\n  - vlue > 0\ngrain: [date, ticker]\n"}
    )
    with pytest.raises(TsqError, match="no column vlue") as caught:
        bind.check(build(root))
    assert caught.value.where == f"{root / 'models/mart/_layer.yml'}:3"
    (root / "models/mart/_layer.yml").write_text("doc: marts\ngrain: [day]\n", encoding="utf-8")
    with pytest.raises(TsqError, match="names a column day") as caught:
        bind.check(build(root))
    assert caught.value.where == f"{root / 'models/mart/_layer.yml'}:2"


def test_the_first_mistake_in_running_order_is_said(make_project: MakeProject) -> None:
    root = make_project(
        {**GOOD, NAMES: sql("select ticker from raw.prices", "grain: [tick]"), RETURNS: "select x from base.prices"}
    )
    with pytest.raises(TsqError, match=r"base\.names"):
        bind.check(build(root))


def test_a_template_s_lines_are_the_user_s(make_project: MakeProject) -> None:
    text = "select\n{% for i in range(3) %}\n    {{ i }} as c{{ i | sql }},\n{% endfor %}\n    nope\nfrom base.prices"
    root = make_project({**GOOD, RETURNS: sql(text, "kind: table")})
    with pytest.raises(TsqError) as caught:
        bind.check(build(root))
    assert caught.value.where == f"{root / RETURNS}:{4 + 5}"


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("", "promises no columns"),
        ("columns:\n  x: {doc: d}", "no type for x"),
        ("columns:\n  x: {type: DUBLE}", "DUBLE"),
    ],
)
def test_python_promises_typed_columns(make_project: MakeProject, columns: str, said: str) -> None:
    text = f'"""---\n{columns}\n---\n"""\n\n\ndef model(returns):\n    ...\n'
    files = {**GOOD, "models/mart/p.py": text, "models/mart/q.sql": "select x from mart.p"}
    with pytest.raises(TsqError, match=said) as caught:
        bind.check(build(make_project(files)))
    assert "p.py" in str(caught.value.where)


def test_promises_may_look_at_any_table(make_project: MakeProject) -> None:
    looks = sql(
        "select date, close from base.prices", "knowable: if(date in (select z.date from mart.zz as z), null, date)"
    )
    files = {**GOOD, "models/mart/aa.sql": looks, "models/mart/zz.sql": "select date from base.prices"}
    bind.check(build(make_project(files)))


def test_a_view_a_semicolon_and_a_last_comment_bind(make_project: MakeProject) -> None:
    files = {
        **GOOD,
        "models/mart/v.sql": sql("select close from base.prices order by close limit 3; -- the end", "kind: view"),
        "models/mart/w.sql": "with recursive n as (select 1 as i union all select i + 1 from n where i < 5) select i from n",
        "models/mart/x.sql": "from base.prices select close -- the end",
    }
    assert bind.columns(build(make_project(files)))["mart.v"] == {"close": "DOUBLE"}


def test_names_may_hold_anything(make_project: MakeProject, tmp_path: Path) -> None:
    files = {"models/base/a.sql": 'select 1 as "a ""b"', "models/mart/b.sql": 'select "a ""b" as b from base.a'}
    root, memory = make_project(files), tmp_path / "bound.json"
    bind.check(build(root), memory)
    (root / "models/mart/b.sql").write_text('select "a ""b" + 1 as b from base.a', encoding="utf-8")
    assert bind.columns(build(root), memory)["mart.b"] == {"b": "INTEGER"}


def test_nothing_unchanged_is_bound_twice(
    make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, memory = make_project(GOOD), tmp_path / "bound.json"
    bound: list[str] = []
    opened: list[object] = []
    bind_one, connect = bind._Binder.bind, duckdb.connect
    monkeypatch.setattr(bind._Binder, "bind", lambda self, node: bound.append(node.name) or bind_one(self, node))
    monkeypatch.setattr(duckdb, "connect", lambda *args, **more: opened.append(args) or connect(*args, **more))
    first = bind.columns(build(root), memory)
    assert bound == ["base.names", "base.prices", "mart.returns"]
    assert len(opened) == 1
    assert bind.columns(build(root), memory) == first
    assert len(bound) == 3
    assert len(opened) == 1
    (root / PRICES_SQL).write_text(GOOD[PRICES_SQL].replace("close,", "close + 1 as close,"), encoding="utf-8")
    bind.check(build(root), memory)
    assert bound[3:] == ["base.prices"]  # its columns are what they were: no reader is bound again
    (root / "sql/raw/prices.yml").write_text(
        PRICES.replace("close: {type: DOUBLE", "close: {type: BIGINT"), encoding="utf-8"
    )
    with pytest.raises(TsqError, match="promised as DOUBLE and is BIGINT"):
        bind.check(build(root), memory)
    (root / "sql/raw/prices.yml").write_text(PRICES, encoding="utf-8")
    (root / PRICES_SQL).write_text(GOOD[PRICES_SQL].replace("close > 0", "clse > 0"), encoding="utf-8")
    for _ in range(2):
        with pytest.raises(TsqError, match="no column clse"):
            bind.check(build(root), memory)


def test_seeds_need_no_rows(make_project: MakeProject) -> None:
    root = make_project(GOOD)
    assert not (root / "config/rates.csv").exists()
    bind.check(build(root))

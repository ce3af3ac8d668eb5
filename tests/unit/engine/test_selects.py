"""Each query has a known answer, written by hand; then DuckDB is asked whether the answers are true."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import duckdb
import pytest

from tsq.engine.flows import Ref
from tsq.engine.selects import trace

TABLES = {"s.t": ["a", "b", "c", "k"], "s.u": ["k", "x", "y"], "s.v": ["info", "xs"]}


@dataclass(frozen=True)
class Case:
    """A query, its columns as `values` or `values < choices`, and what decides its rows; `t*` are a table's rows."""

    sql: str
    columns: Mapping[str, str]
    rows: str


CASES = {
    "star": Case("select * from s.t", {"a": "t.a", "b": "t.b", "c": "t.c", "k": "t.k"}, "t*"),
    "from first": Case("from s.u", {"k": "u.k", "x": "u.x", "y": "u.y"}, "u*"),
    "exclude, replace, rename": Case(
        "select t.* exclude (b) replace (b + 1 as a) rename (c as z) from s.t as t",
        {"a": "t.b", "z": "t.c", "k": "t.k"},
        "t*",
    ),
    "join": Case(
        "select t.a + u.x as n, 1 as one from s.t left join s.u as u on u.k = t.k and u.y > 0 where t.c > 2",
        {"n": "t.a u.x", "one": ""},
        "t* u* t.k u.k u.y t.c",
    ),
    "using": Case(
        "select * from s.t join s.u using (k)",
        {"a": "t.a", "b": "t.b", "c": "t.c", "k": "t.k", "x": "u.x", "y": "u.y"},
        "t* u* t.k u.k",
    ),
    "full join": Case("select k, x from s.t full join s.u using (k)", {"k": "t.k u.k", "x": "u.x"}, "t* u* t.k u.k"),
    "right join": Case("select k, a from s.t right join s.u using (k)", {"k": "u.k", "a": "t.a"}, "t* u* t.k u.k"),
    "natural join": Case(
        "select k, a, x from s.t natural join s.u", {"k": "t.k", "a": "t.a", "x": "u.x"}, "t* u* t.k u.k"
    ),
    "a third table keeps its own key": Case(
        "select * exclude (a, b, c, x, y) from s.t join s.u using (k) cross join (select x as k from s.u) as o",
        {"k": "t.k", "k_1": "u.x"},
        "t* u* t.k u.k",
    ),
    "semi join": Case("select a from s.t semi join s.u on u.x = t.b", {"a": "t.a"}, "t* u* u.x t.b"),
    "nested join": Case(
        "select t.a, u.x from s.t join (s.u join s.v on true) on t.k = u.k",
        {"a": "t.a", "x": "u.x"},
        "t* u* v* t.k u.k",
    ),
    "ctes": Case(
        "with p as (select a as q, b from s.t where c > 1), r(z) as (select q + b from p) select z from r",
        {"z": "t.a t.b"},
        "t* t.c",
    ),
    "a cte hides a column": Case("with p as (select b as a from s.t) select a from p", {"a": "t.b"}, "t*"),
    "recursive": Case(
        "with recursive w as (select a as n, k as low from s.t union all select n + 1, low from w where n < 3 + (select max(x) from s.u)) select n, low from w",
        {"n": "t.a", "low": "t.k"},
        "t* u* t.a u.x",
    ),
    "recursive, crossing": Case(
        "with recursive w(p, q, i) as (select a, b, 0 from s.t union all select q, p, i + 1 from w where i < 2) select p, i from w",
        {"p": "t.a t.b", "i": ""},
        "t*",
    ),
    "union by position": Case(
        "select a, b from s.t union all select x, k from s.u", {"a": "t.a u.x", "b": "t.b u.k"}, "t* u*"
    ),
    "union by name": Case(
        "select k, a from s.t union all by name select x as a, k from s.u", {"k": "t.k u.k", "a": "t.a u.x"}, "t* u*"
    ),
    "union of different rows": Case("select a from s.t union select x from s.u", {"a": "t.a u.x"}, "t* u* t.a u.x"),
    "except": Case("select a from s.t except select x from s.u", {"a": "t.a"}, "t* u* t.a u.x"),
    "order and limit of a union": Case(
        "(select a, b from s.t) union all (select x, y from s.u) order by b, a limit 3",
        {"a": "t.a u.x", "b": "t.b u.y"},
        "t* u* t.a t.b u.x u.y",
    ),
    "group": Case(
        "select b % 2 as side, sum(a) as total, count(*) as n from s.t group by b % 2 having sum(c) > 0",
        {"side": "t.b", "total": "t.a", "n": "t*"},
        "t* t.b t.c",
    ),
    "group by position": Case("select b, max(a) as most from s.t group by 1", {"b": "t.b", "most": "t.a"}, "t* t.b"),
    "group by all": Case(
        "select b % 2 as side, max(a) as most from s.t group by all", {"side": "t.b", "most": "t.a"}, "t* t.a t.b"
    ),
    "aggregates that choose": Case(
        "select arg_max(a, b) as best, sum(a) filter (where c > 2) as some, list(a order by k) as listed from s.t",
        {"best": "t.a < t.b", "some": "t.a < t.c", "listed": "t.a < t.k"},
        "t*",
    ),
    "windows": Case(
        "select lag(a) over (partition by b % 2 order by k) as before, row_number() over w as place from s.t window w as (order by c)",
        {"before": "t.a < t.b t.k", "place": "< t.c"},
        "t*",
    ),
    "windows of windows": Case(
        "select sum(a) over (w rows between unbounded preceding and current row) as run from s.t window p as (partition by b % 2), w as (p order by k)",
        {"run": "t.a < t.b t.k"},
        "t*",
    ),
    "qualify": Case(
        "select a, rank() over (order by c) as place from s.t qualify place <= 2 and b > 0",
        {"a": "t.a", "place": "< t.c"},
        "t* t.b t.c",
    ),
    "lateral column aliases": Case(
        "select a + 1 as p, p * b as q, q as k from s.t", {"p": "t.a", "q": "t.a t.b", "k": "t.a t.b"}, "t*"
    ),
    "a column before an alias": Case("select b as a, a + 1 as n from s.t", {"a": "t.b", "n": "t.a"}, "t*"),
    "an alias in where": Case("select a + b as n from s.t where n > 2", {"n": "t.a t.b"}, "t* t.a t.b"),
    "order by an alias": Case("select -a as b from s.t order by b limit 2", {"b": "t.a"}, "t* t.a t.b"),
    "distinct": Case("select distinct a % 2 as m, b % 2 as n from s.t", {"m": "t.a", "n": "t.b"}, "t* t.a t.b"),
    "distinct on": Case("select distinct on (b % 2) a from s.t order by b % 2, c", {"a": "t.a"}, "t* t.b t.c"),
    "scalar subquery": Case(
        "select (select max(x) from s.u where u.k = t.k and u.y > 1) as best from s.t",
        {"best": "u.x < u* u.k t.k u.y"},
        "t*",
    ),
    "counting subquery": Case("select (select count(*) from s.u) as n, a from s.t", {"n": "u*", "a": "t.a"}, "t*"),
    "exists and in": Case(
        "select a from s.t where exists (from s.u where u.k = t.k) and b not in (select y from s.u)",
        {"a": "t.a"},
        "t* u* u.k t.k t.b u.x u.y",
    ),
    "correlated derived table": Case(
        "select t.a, l.n from s.t, lateral (select sum(x) as n from s.u where u.k < t.k) as l",
        {"a": "t.a", "n": "u.x"},
        "t* u* u.k t.k",
    ),
    "structs": Case(
        "with m as (select {'p': a, 'q': {'r': b}} as s from s.t) select s.p as p, m.s.q.r as r, s['p'] as again, s from m",
        {"p": "t.a", "r": "t.b", "again": "t.a", "s": "t.a t.b"},
        "t*",
    ),
    "a list written out": Case(
        "with m as (select unnest([{'name': 'a', 'v': a}, {'name': 'b', 'v': b}]) as item from s.t) select item.name as name, item.v as v from m",
        {"name": "", "v": "t.a t.b"},
        "t*",
    ),
    "a struct of a table": Case("select info.p as p from s.v", {"p": "v.info"}, "v*"),
    "a row as a value": Case("select t from s.t", {"t": "t.a t.b t.c t.k"}, "t*"),
    "a struct spread": Case("with m as (select unnest(info) from s.v) select p from m", {"p": "v.info"}, "v* v.info"),
    "fields of a struct": Case(
        "select s.* exclude (q) from (select {'p': a, 'q': b} as s from s.t)", {"p": "t.a"}, "t*"
    ),
    "unnest of a column": Case("select unnest(xs) as n from s.v", {"n": "v.xs"}, "v* v.xs"),
    "unnest in from": Case(
        "select u.n, info.p as p from s.v, unnest(xs) as u(n)", {"n": "v.xs", "p": "v.info"}, "v* v.xs"
    ),
    "range": Case("select a, i from s.t, range(b) as r(i)", {"a": "t.a", "i": "t.b"}, "t* t.b"),
    "values": Case("select a * f as n from s.t cross join (values (1), (2)) as o(f)", {"n": "t.a"}, "t*"),
    "lambda": Case("select list_transform(xs, lambda k: k + 1) as ys from s.v", {"ys": "v.xs"}, "v*"),
    "lambda that reads a column": Case(
        "select list_transform(xs, lambda i: i + info.p) as ys from s.v", {"ys": "v.xs v.info"}, "v*"
    ),
    "comprehension": Case("select [i + 1 for i in xs if i > 1] as ys from s.v", {"ys": "v.xs"}, "v*"),
    "a function behind a value": Case("select k.greatest(a) as n from s.t", {"n": "t.k t.a"}, "t*"),
    "pivot": Case(
        "with m as (select k, x from s.u) select * from m pivot (sum(x) for k in (1, 2))", {"1": "u*", "2": "u*"}, ""
    ),
}
WIDE = {"pivot"}
# Without its type nobody can tell a list, which makes rows, from a struct, which makes columns.
UNTOLD = {"unnest of a column"}


def refs(text: str) -> set[Ref]:
    return {(f"s.{word[0]}", word[2:] or "*") if word[1] == "." else (f"s.{word[0]}", "*") for word in text.split()}


@pytest.mark.parametrize("name", sorted(CASES.keys() - WIDE))
def test_what_feeds_each_column(name: str) -> None:
    case = CASES[name]
    found = trace(case.sql, TABLES)
    assert not found.lost
    assert found.relation.is_whole == (name not in UNTOLD)
    answers = {}
    for i, (column, flow) in enumerate(found.relation.columns):
        answers[column if column not in answers else f"{column}_{i}"] = (set(flow.refs), set(flow.choice - flow.refs))
    known = {}
    for column, text in case.columns.items():
        values, _, choices = text.partition("<")
        known[column] = (refs(values), refs(choices))
    assert answers == known
    assert set(found.relation.rows) == refs(case.rows)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute("set threads = 1")
        con.execute("create schema s")
        yield con


def fill(con: duckdb.DuckDBPyConnection, seed: int, change: Ref | None) -> None:
    """Tables of numbers without ties; `change` is a column drawn anew."""
    for table, columns in TABLES.items():
        drawn = [random.Random(f"{seed} {table} {column} {change == (table, column)}") for column in columns]
        numbers = zip(*(draw.sample(range(1, 12), 6) for draw in drawn), strict=True)
        kinds = {"info": "{{'p': {0}}}", "xs": "range({0} % 4)"}
        lines = [[kinds.get(c, "{0}").format(n) for c, n in zip(columns, line, strict=True)] for line in numbers]
        rows = ", ".join(f"({', '.join(line)})" for line in lines)
        con.execute(f"create or replace table {table} as from (values {rows}) as made({', '.join(columns)})")


def asked(
    con: duckdb.DuckDBPyConnection, sql: str, seed: int, change: Ref | None
) -> Callable[[list[int]], Counter[str]]:
    """Ask a query of those tables; gives its rows, cut to some of its columns, in no order."""
    fill(con, seed, change)
    rows = con.execute(sql).fetchall()
    return lambda places: Counter(repr([row[i] for i in places]) for row in rows)


@pytest.mark.parametrize("name", CASES)
def test_what_feeds_no_column_changes_none(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """A column of a table that an answer leaves out is drawn anew: the answer's columns stay as they were."""
    relation = trace(CASES[name].sql, TABLES).relation
    tried = 0
    for seed in range(2):
        before = asked(con, CASES[name].sql, seed, None)
        for change in [(table, column) for table, columns in TABLES.items() for column in columns]:
            free = [i for i, (_, flow) in enumerate(relation.columns) if change not in flow.both]
            if change not in relation.rows and free:
                tried += 1
                assert asked(con, CASES[name].sql, seed, change)(free) == before(free), change
    assert tried or name in WIDE


@pytest.mark.parametrize(
    ("name", "column", "change"),
    [("join", 0, ("s.u", "x")), ("join", 1, ("s.t", "c")), ("windows", 0, ("s.t", "k")), ("group", 1, ("s.t", "a"))],
)
def test_what_feeds_a_column_changes_it(con: duckdb.DuckDBPyConnection, name: str, column: int, change: Ref) -> None:
    """The other way round, so that the test above can fail: a column that feeds another changes it."""
    results = [asked(con, CASES[name].sql, seed, drawn)([column]) for seed in range(3) for drawn in (None, change)]
    assert results[::2] != results[1::2]


def test_long_chains_are_followed() -> None:
    terms = " + ".join(["a", "b"] * 1500)
    branches = " union all ".join(["select a from s.t", "select x from s.u"] * 500)
    found = trace(f"select {terms} as n from s.t where {' or '.join(['c > 1'] * 3000)}", TABLES).relation
    assert dict(found.columns)["n"].refs == refs("t.a t.b")
    assert found.rows == refs("t* t.c")
    assert dict(trace(branches, TABLES).relation.columns)["a"].refs == refs("t.a u.x")


def test_a_name_that_is_nothing_is_lost_and_may_be_anything() -> None:
    found = trace("select a + nowhere as n from s.t", TABLES)
    assert found.lost == ("nowhere",)
    assert dict(found.relation.columns)["n"].refs == refs("t.a t.b t.c t.k t*")


@pytest.mark.parametrize(
    "sql",
    [
        "select columns('a|b') from s.t",
        "select * like 'a%' from s.t",
        "select info.* from s.v",
        "select #1 from s.t",
        "select count(*) from s.t",
    ],
)
def test_names_that_duckdb_makes_up_are_not_guessed(sql: str) -> None:
    assert not trace(sql, TABLES).relation.is_whole
    around = trace(f"with m as ({sql}) select x_y from m", TABLES)
    assert not around.lost
    (flow,) = (flow for _, flow in around.relation.columns)
    assert flow.both

from __future__ import annotations

from pathlib import Path

import pytest
from sqlglot import Dialect, exp

from tsq.engine import lint
from tsq.errors import TsqError


def query(sql: str) -> lint.Query:
    dialect = Dialect.get_or_raise("duckdb")
    tokens = dialect.tokenize(sql)
    (tree,) = dialect.parser().parse(tokens, sql)
    assert isinstance(tree, exp.Query)
    return lint.Query(sql, tokens, tree)


def broken(sql: str) -> list[str]:
    return [finding.rule for finding in lint.findings(query(sql))]


@pytest.mark.parametrize(
    "sql",
    [
        "select current_date as d from a.t",
        "select x from a.t where d < now()",
        "select x from a.t where d < today()",
        "select localtimestamp as d from a.t",
        "select random() as r from a.t",
        "select gen_random_uuid() as r from a.t",
        "select setseed(0.5) as r from a.t",
        "with b as (select x from a.t using sample 10%) select x from b",
        "select x from a.t tablesample 10%",
    ],
)
def test_clocks_and_draws_are_found(sql: str) -> None:
    assert broken(sql) == ["clock"]


@pytest.mark.parametrize(
    "sql",
    [
        "select today, random from a.t",
        "select t.current_date as d from a.t as t",
        "select 'now()' as said from a.t",
        'select "current_date" as d from a.t',
        "select x as now from a.t -- now()",
        "select max(date) as newest from a.t",
    ],
)
def test_words_that_only_look_like_clocks_are_not(sql: str) -> None:
    assert broken(sql) == []


@pytest.mark.parametrize(
    "sql",
    [
        "select * from a.t",
        "from a.t",
        "select t.* from a.t as t",
        "select * exclude (x) from a.t",
        "select x, columns('y.*') from a.t",
        "select x from a.t union all select * from a.u",
        "with b as (select 1 as x) (select * from b)",
    ],
)
def test_a_star_at_the_end_is_found(sql: str) -> None:
    assert broken(sql) == ["star"]


@pytest.mark.parametrize(
    "sql",
    [
        "with b as (select * from a.t), c as (select * exclude (y) from b) select x from c",
        "select count(*) as n from a.t",
        "select x from (select * from a.t)",
        "select x from a.t where exists (select * from a.u where u.x = t.x)",
        "select x from a.t where (select count(*) from a.u) > 3",
    ],
)
def test_a_star_elsewhere_is_not(sql: str) -> None:
    assert broken(sql) == []


@pytest.mark.parametrize(
    "divided",
    [
        "x / y",
        "x // y",
        "x % y",
        "mod(x, y)",
        "fmod(x, y)",
        "divide(x, y)",
        "x / 0",
        "x / (y - 1)",
        "x / (y + 1)",
        "x / abs(y)",
        "x / greatest(y, 0)",
        "x / coalesce(y, 0)",
        "x / coalesce(nullif(y, 0), z)",
        "x / nullif(y, 1)",
        "x / cast(0.4 as integer)",
        "x / count(*)",
        "x / count(y)",
        "x / (count(*) filter (where y > 0))",
        "x / sum(y) over (partition by z)",
        "x / count(*) over (order by z rows between 5 preceding and 1 preceding)",
        "if(y >= 0, x / y, null)",
        "if(z > 0, x / y, null)",
        "if(y = 0, x / y, null)",
        "case when y > 0 then 1 else x / y end",
        "case when z = 0 then null else x / y end",
        "x / case when y > 0 then y else z end",
        "y > 0 or x / y > 3",
        "x / least(y, 1)",
    ],
)
def test_a_divisor_that_may_be_zero_is_found(divided: str) -> None:
    assert broken(f"select {divided} as r from a.t") == ["division"]


@pytest.mark.parametrize(
    "divided",
    [
        "x / 252",
        "x / -2.0",
        "x / 252::double",
        "x / nullif(y, 0)",
        "x / nullif(y, 0.0)",
        "x / (-nullif(y, 0))",
        "x / (1 + abs(y))",
        "x / (1 + y * y)",
        "x / (y ** 2 + 1)",
        "x / greatest(y, 1)",
        "x / greatest(1e-9, y)",
        "x / coalesce(nullif(y, 0), 1)",
        "x / (2 * nullif(y, 0))",
        "x / sqrt(252)",
        "x / exp(y)",
        "x / nullif(count(*), 0)",
        "x / count(*) over (partition by z)",
        "x / row_number() over (order by z)",
        "x / if(y > 0, y, 1)",
        "x / case when y = 0 then null else y end",
        "if(y > 0, x / y, null)",
        "if(0 < y, x / y, null)",
        "if(y != 0 and z > 0, x / y / z, null)",
        "if(y = 0, null, x / y)",
        "if(y is null or y <= 0, null, x / y)",
        "if(not y <= 0, x / y, null)",
        "if(y between 1 and 5, x / y, null)",
        "if(abs(y) > 1e-12, x / y, null)",
        "case when y = 0 then null when z = 0 then 1 else x / y / z end",
        "case y when 0 then null else x / y end",
        "case when y < 0 then x / y end",
        "y > 0 and x / y > 3",
        "y = 0 or x / y > 3",
        "sum(x / y) filter (where y > 0)",
        "date_trunc('month', x)",
        "'a / b'",
    ],
)
def test_a_guarded_divisor_is_not(divided: str) -> None:
    assert broken(f"select {divided} as r from a.t") == []


@pytest.mark.parametrize(
    ("sql", "is_found"),
    [
        ("select x / y as r from a.t where y > 0", False),
        ("select x / y as r from a.t where y >= 0", True),
        ("select x / y as r from a.t qualify y > 0", False),
        ("select x / sum(y) as r from a.t group by x having sum(y) > 0", False),
        ("select x from a.t where x / y > 1", True),
        ("select x from a.t where y != 0 and x / y > 1", False),
        ("select t.x / u.y as r from a.t as t join a.u as u on u.x = t.x and u.y > 0", False),
        ("select t.x / u.y as r from a.t as t left join a.u as u on u.x = t.x and t.y > 0", True),
        ("select g, sum(x) / count(*) as r from a.t group by g", False),
        ("select sum(x) / count(*) as r from a.t", True),
        ("with p as (select x, y from a.t where y > 0) select x / y as r from p", False),
        ("with p as (select * from a.t where y > 0) select p.x / p.y as r from p", False),
        ("with p as (select x, nullif(y, 0) as y from a.t) select x / y as r from p", False),
        ("with p as (select x, y from a.t) select x / y as r from p", True),
        (
            "with n as (select g, count(*) as n from a.t group by g) select t.x / n.n as r from a.t as t join n using (g)",
            False,
        ),
        ("with n as (select count(*) as n from a.t) select t.x / n.n as r from a.t as t cross join n", True),
        ("select x / y as r from (select x, 2 as y from a.t)", False),
        ("with p as (select x, 1 as y from a.t union all select x, y from a.u) select x / y as r from p", True),
        (
            "with recursive p as (select 1 as y union all select y + 1 from p where y < 9) select 1 / y as r from p",
            True,
        ),
    ],
)
def test_conditions_and_ctes_guard_a_divisor(sql: str, is_found: bool) -> None:
    assert broken(sql) == (["division"] if is_found else [])


JOIN = "select t.x, u.y from a.t as t join a.u as u on u.id = t.id and "


@pytest.mark.parametrize(
    "sql",
    [
        JOIN + "u.date <= t.date",
        JOIN + "t.session_no > u.session_no",
        JOIN + "u.known_at <= t.date + 1",
        JOIN + "t.date - u.date >= 0",
        JOIN + "u.date <= t.date and u.date < date '2024-01-01'",
        JOIN + "u.from_date <= t.date and u.from_date <= t.known_at",
        "select t.x, u.y from a.t as t, a.u as u where u.date <= t.date",
        "select t.x, u.y from a.t as t left join a.u as u on t.date >= u.valid_from",
        "select t.date, sum(u.y) as y from a.t as t join a.u as u on u.date <= t.date group by t.date",
        "select t.x, u.y from a.t as t join lateral (select v.y from a.v as v where v.date <= t.date) as u on true",
        JOIN + "(u.date <= t.date or u.kind = 'a')" + " and u.date <= t.date",
    ],
)
def test_a_time_join_on_one_side_is_found(sql: str) -> None:
    assert set(broken(sql)) == {"time_join"}


@pytest.mark.parametrize(
    "sql",
    [
        JOIN + "u.date = t.date",
        JOIN + "u.date = t.date and u.known_at <= t.known_at",
        JOIN + "u.session_no = t.session_no - 21",
        JOIN + "t.date between u.valid_from and u.valid_to",
        JOIN + "u.valid_from <= t.date and t.date < u.valid_to",
        JOIN + "u.valid_from <= t.date and (u.valid_to is null or t.date < u.valid_to)",
        JOIN + "u.valid_from <= t.date and t.date < coalesce(u.next_from, date '9999-12-31')",
        JOIN + "u.session_no <= t.session_no and u.session_no > t.session_no - 20",
        JOIN + "t.session_no - u.session_no between 0 and 19",
        JOIN + "abs(t.session_no - u.session_no) <= 5",
        JOIN + "u.date <= t.date qualify row_number() over (partition by t.id, t.date order by u.date desc) = 1",
        "select t.x from a.t as t join a.u as u using (id, date) where u.known_at <= t.known_at",
        "select t.x, u.y from a.t as t join a.v as v using (date) join a.u as u on u.valid_from <= t.date and v.date < u.valid_to",
        "select t.date, max(u.date) as last_date from a.t as t join a.u as u on u.date <= t.date group by t.date",
        "select t.date, arg_max(u.y, u.date) as y from a.t as t join a.u as u on u.date <= t.date group by all",
        "select t.x, (select max(u.date) from a.u as u where u.date < t.date) as last_date from a.t as t",
        "select t.x from a.t as t where not exists (select 1 from a.u as u where u.id = t.id and u.date < t.date)",
        "with n as (select max(date) as date from a.u) select t.x from a.t as t cross join n where t.date <= n.date",
        "with f as (select id, min(date) as date from a.u group by id) select t.x from a.t as t join f on f.id = t.id and t.date >= f.date",
        "select t.x, u.y from a.t as t join lateral (select v.y from a.v as v where v.date <= t.date order by v.date desc limit 1) as u on true",
        "select x from a.t where date >= date '2020-01-01' and known_at <= date",
        "select t.x, u.y from a.t as t join a.u as u on u.id = t.id and u.price <= t.price",
    ],
)
def test_a_bounded_time_join_is_not(sql: str) -> None:
    assert broken(sql) == []


@pytest.mark.parametrize(
    ("sql", "rules"),
    [
        ("select t.x from a.t as t asof join a.u as u on t.date >= u.date", ["asof"]),
        ("select sum(x) over (order by d range interval 5 days preceding) as s from a.t", ["frame"]),
        (
            "select sum(x) over (order by d range between interval 5 days preceding and current row) as s from a.t",
            ["frame"],
        ),
        (
            "select sum(x) over w as s from a.t window w as (order by d range between interval 1 day preceding and current row)",
            ["frame"],
        ),
        (
            "select sum(x) over (order by d rows between 5 preceding and current row exclude current row) as s from a.t",
            ["frame"],
        ),
        ("select sum(x) over (order by n range between 5 preceding and current row) as s from a.t", []),
        ("select sum(x) over (order by d rows between 5 preceding and 1 preceding) as s from a.t", []),
        ("select d + interval 5 days as e, sum(x) over (order by d) as s from a.t group by all", []),
    ],
)
def test_frames_count_sessions(sql: str, rules: list[str]) -> None:
    assert [rule for rule in broken(sql) if rule != "time_join"] == rules


def test_a_comment_with_a_reason_excuses_its_line() -> None:
    assert broken("select\n    -- lint: allow division: groups have rows\n    x / y as r,\nfrom a.t") == []
    assert broken("select\n    x / y as r, -- lint: allow division: groups have rows\nfrom a.t") == []


@pytest.mark.parametrize(
    ("comment", "rules", "said"),
    [
        ("-- lint: allow division", ["allow"], "gives no reason"),
        ("-- lint: allow division:  ", ["allow"], "gives no reason"),
        ("-- lint: allow divison: it is right", ["allow", "division"], "no rule divison"),
        ("-- lint: allow star: it is right", ["division"], "division by"),
        ("-- a comment", ["division"], "division by"),
    ],
)
def test_a_comment_excuses_nothing_else(comment: str, rules: list[str], said: str) -> None:
    found = lint.findings(query(f"select\n    {comment}\n    x / y as r,\nfrom a.t"))
    assert [finding.rule for finding in found] == rules
    assert said in found[0].what
    assert broken(f"select\n    1 as o, {comment}\n    2 as p,\n    x / y as r,\nfrom a.t")[-1] == "division"


def test_a_finding_names_the_line_and_what_to_write() -> None:
    parsed = query("select\n    x,\n    x / y as r,\nfrom a.t")
    with pytest.raises(TsqError) as caught:
        lint.check(parsed, "a.m", lambda line: f"{Path('m.sql')}:{line + 10}")
    assert caught.value.where == "m.sql:13"
    assert caught.value.what == "a.m: division by `y`, which may be zero"
    assert "nullif(y, 0)" in str(caught.value.hint)
    assert caught.value.exit_code == 2


def test_checks_ask_no_clock_and_may_do_the_rest() -> None:
    lint.check_repeatable(query("select * from a.t where x / y > 1"), "a.m", str)
    with pytest.raises(TsqError, match=r"a check of a\.m: now gives another answer"):
        lint.check_repeatable(query("select x from a.t where d > now()"), "a.m", str)

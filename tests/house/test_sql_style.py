"""How SQL is written here, and what may never stand in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.tokens import Token, TokenType

from tsq.engine.graph import Graph

TEXT = {TokenType.STRING, TokenType.IDENTIFIER, TokenType.NATIONAL_STRING, TokenType.HEREDOC_STRING}
# They give another answer at another time, so a build could not be repeated.
CLOCKS = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}
DRAWS = {"now", "today", "random", "uuid", "gen_random_uuid", "get_current_timestamp", "get_current_time", "setseed"}
EXCLUSION = ("exclude", "current", "row")
TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def blank_tags(text: str) -> str:
    """Put an identifier where a template writes a value, and nothing where it decides; lines stay."""

    def blank(match: re.Match[str]) -> str:
        lines = "\n" * match.group().count("\n")
        return f" x {lines}" if match.group().startswith("{{") else lines

    return TAG.sub(blank, text)


def tokens(sql: str) -> list[Token]:
    return list(sqlglot.tokenize(sql, read="duckdb"))


def written(sql: str, token: Token) -> str:
    """A token as it stands in the text."""
    return sql[token.start : token.end + 1]


def parse(sql: str) -> exp.Expression:
    return sqlglot.parse_one(sql, read="duckdb")


def branches(query: exp.Expression) -> Iterator[exp.Select]:
    """The SELECTs whose columns are the table's: both sides of a union."""
    if isinstance(query, exp.SetOperation):
        yield from branches(query.this)
        yield from branches(query.expression)
    elif isinstance(query, exp.Subquery):
        yield from branches(query.this)
    elif isinstance(query, exp.Select):
        yield query


def shouted_words(sql: str) -> list[str]:
    """Words that are not lower case."""
    return [
        word for token in tokens(sql) if token.token_type not in TEXT and (word := written(sql, token)) != word.lower()
    ]


def other_unequals(sql: str) -> list[str]:
    """Inequality is written !=."""
    return [word for token in tokens(sql) if (word := written(sql, token)) == "<>"]


def clocks_and_draws(sql: str) -> list[str]:
    """What answers differently the next time."""
    listed = tokens(sql)
    found = []
    for token, following in zip(listed, [*listed[1:], None], strict=True):
        word = written(sql, token).lower()
        called = following is not None and following.token_type == TokenType.L_PAREN
        if token.token_type not in TEXT and (word in CLOCKS or (word in DRAWS and called)):
            found.append(word)
    return found


def bare_aliases(sql: str) -> list[str]:
    """Names given without `as`."""
    found = tokens(sql)
    before = {token.start: previous for previous, token in pairwise(found)}
    bare = []
    for node in parse(sql).find_all(exp.Alias, exp.TableAlias):
        alias = node.args.get("alias") if isinstance(node, exp.Alias) else node.this
        if isinstance(node.parent, exp.CTE) or not isinstance(alias, exp.Identifier) or "start" not in alias.meta:
            continue
        previous = before.get(alias.meta["start"])
        if previous is None or written(sql, previous).lower() != "as":
            bare.append(alias.name)
    return bare


def final_stars(sql: str) -> list[str]:
    """A table's columns are written out."""
    return [column.sql() for select in branches(parse(sql)) for column in select.expressions if column.is_star]


def wrong_frames(sql: str) -> list[str]:
    """ASOF loses rows at equal times; RANGE INTERVAL counts days, not sessions; EXCLUDE CURRENT ROW is slow."""
    words = [written(sql, token).lower() for token in tokens(sql) if token.token_type not in TEXT]
    found = [word for word in words if word == "asof"]
    found += ["exclude current row" for trio in zip(words, words[1:], words[2:], strict=False) if trio == EXCLUSION]
    for place, (word, following) in enumerate(pairwise(words)):
        if word == "range" and following != "(" and "interval" in words[place : words.index(")", place)]:
            found.append("range interval")
    return found


Rule = Callable[[str], list[str]]
OF_TEMPLATES: tuple[Rule, ...] = (shouted_words, other_unequals)
OF_QUERIES: tuple[Rule, ...] = (clocks_and_draws, bare_aliases, final_stars, wrong_frames)


@pytest.fixture(scope="session")
def templates(root: Path) -> dict[str, str]:
    """Every SQL file as its author wrote it, headers blanked."""
    found = {}
    for folder in ("models", "sql"):
        for path in sorted((root / folder).rglob("*.sql")):
            text = path.read_text(encoding="utf-8")
            header = re.match(r"/\*---.*?\*/", text, re.DOTALL)
            kept = text if header is None else "\n" * header.group().count("\n") + text[header.end() :]
            found[path.relative_to(root).as_posix()] = blank_tags(kept)
    return found


@pytest.fixture(scope="session")
def queries(graph: Graph) -> dict[str, str]:
    """Every SQL model as it runs."""
    return {name: node.sql for name, node in graph.nodes.items() if node.sql}


@pytest.mark.parametrize("rule", OF_TEMPLATES, ids=lambda rule: rule.__name__)
def test_templates_are_written_one_way(rule: Rule, templates: dict[str, str]) -> None:
    assert not {name: found for name, text in templates.items() if (found := rule(text))}


@pytest.mark.parametrize("rule", OF_QUERIES, ids=lambda rule: rule.__name__)
def test_models_are_written_one_way(rule: Rule, queries: dict[str, str]) -> None:
    assert not {name: found for name, sql in queries.items() if (found := rule(sql))}


@pytest.mark.parametrize(
    ("rule", "sql"),
    [
        (shouted_words, "SELECT a from t"),
        (shouted_words, "select Count(*) as n from t"),
        (other_unequals, "select a from t where a <> 1"),
        (clocks_and_draws, "select current_date as d from t"),
        (clocks_and_draws, "select a from t where b < now()"),
        (clocks_and_draws, "select random() as r from t"),
        (bare_aliases, "select a b from t as t"),
        (bare_aliases, "select t.a from x.y t"),
        (bare_aliases, "select t.a from (select 1 as a) t"),
        (final_stars, "with t as (select 1 as a) select * from t"),
        (final_stars, "select a from t union all select t.* from t"),
        (wrong_frames, "select a from t asof join u using (a)"),
        (wrong_frames, "select sum(a) over (order by d range interval 5 days preceding) as s from t"),
        (
            wrong_frames,
            "select sum(a) over (order by d range between interval 5 days preceding and current row) as s from t",
        ),
        (
            wrong_frames,
            "select sum(a) over (order by d rows between 5 preceding and current row exclude current row) as s from t",
        ),
    ],
)
def test_rules_catch_what_they_are_for(rule: Rule, sql: str) -> None:
    assert rule(sql)


def test_rules_let_good_sql_pass() -> None:
    sql = """
    with newest as (select *, 'SHOUT <> now()' as "Name" from x.y)
    select
        newest.a,
        sum(newest.b) over (order by newest.d rows between 5 preceding and current row) as total,
        random,
    from newest as newest
    join x.z as z using (a)
    where newest.a != z.today
    """
    assert not [found for rule in (*OF_TEMPLATES, *OF_QUERIES) for found in rule(sql)]


def test_every_model_says_what_a_row_is(graph: Graph) -> None:
    silent = [name for name, node in graph.nodes.items() if not node.model.prose]
    grainless = [name for name, node in graph.nodes.items() if not node.model.header.grain]
    assert not silent
    assert not grainless


def test_every_column_is_described(graph: Graph, queries: dict[str, str]) -> None:
    """A header that describes other columns than the query gives has rotted."""
    wrong = []
    for name, sql in queries.items():
        gives = {column.alias_or_name for column in next(branches(parse(sql))).expressions}
        promised = set(graph.nodes[name].model.header.columns)
        wrong += [f"{name}.{column} has no description" for column in sorted(gives - promised)]
        wrong += [f"{name}.{column} is described and not there" for column in sorted(promised - gives)]
    for name, node in graph.nodes.items():
        columns = node.model.header.columns.items()
        wrong += [f"{name}.{column} needs a type and a doc" for column, said in columns if not (said.type and said.doc)]
    assert not wrong

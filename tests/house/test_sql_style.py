"""How SQL is written here; what may never stand in it, the engine says itself (`tsq/engine/lint.py`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.tokens import Token, TokenType

from tsq.engine import bind
from tsq.engine.graph import Graph
from tsq.engine.lint import branches

TEXT = {TokenType.STRING, TokenType.IDENTIFIER, TokenType.NATIONAL_STRING, TokenType.HEREDOC_STRING}
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


def shouted_words(sql: str) -> list[str]:
    """Words that are not lower case."""
    return [
        word for token in tokens(sql) if token.token_type not in TEXT and (word := written(sql, token)) != word.lower()
    ]


def other_unequals(sql: str) -> list[str]:
    """Inequality is written !=."""
    return [word for token in tokens(sql) if (word := written(sql, token)) == "<>"]


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


Rule = Callable[[str], list[str]]
OF_TEMPLATES: tuple[Rule, ...] = (shouted_words, other_unequals)
OF_QUERIES: tuple[Rule, ...] = (bare_aliases,)


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
        (bare_aliases, "select a b from t as t"),
        (bare_aliases, "select t.a from x.y t"),
        (bare_aliases, "select t.a from (select 1 as a) t"),
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


def test_models_and_their_promises_bind(graph: Graph) -> None:
    assert set(bind.columns(graph)) >= set(graph.nodes)


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

"""The house's rules for the SQL of a model, read off its tree before anything runs.

Each rule is about numbers that would be wrong, not about taste. A line may be excused, with a reason:

    -- lint: allow division: a group has at least one row
    total / n_rows as share,

The comment stands on the line itself or alone on the line above.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sqlglot import TokenType, exp

from tsq.engine import lint_division, lint_joins
from tsq.errors import TsqError, did_you_mean

if TYPE_CHECKING:
    from sqlglot.tokenizer_core import Token

_TEXT = {TokenType.STRING, TokenType.IDENTIFIER, TokenType.NATIONAL_STRING, TokenType.HEREDOC_STRING}
# They give another answer at another time, so a build could not be repeated.
_CLOCKS = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}
_CALLED = {
    "now",
    "today",
    "get_current_time",
    "get_current_timestamp",
    "current_localtime",
    "current_localtimestamp",
    "transaction_timestamp",
    "random",
    "setseed",
    "uuid",
    "uuidv4",
    "uuidv7",
    "gen_random_uuid",
    "nextval",
    "txid_current",
}
_ALLOW = re.compile(r"--\s*lint:\s*allow\b\s*(?P<rule>[\w-]*)\s*(?::\s*(?P<reason>.*\S))?")


@dataclass(frozen=True)
class Finding:
    """One broken rule: its name, what is wrong, the line of the SQL, and what to write instead."""

    rule: str
    what: str
    line: int
    hint: str


@dataclass(frozen=True)
class Query:
    """One parsed query: its text, its tokens and its tree."""

    sql: str
    tokens: Sequence[Token]
    tree: exp.Query

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word and sign of the text: what has no `asof` in it needs no search for one."""
        return frozenset(token.text.lower() for token in self.tokens)


def findings(query: Query) -> tuple[Finding, ...]:
    """Every rule a query breaks and no comment excuses, by line; an excuse that is none is a finding of its own."""
    allowed, wrong = _allowed(query.sql)
    found = [item for rule in _RULES for item in rule(query) if (item.rule, item.line) not in allowed]
    return tuple(sorted([*wrong, *found], key=lambda item: item.line))


def check(query: Query, name: str, where: Callable[[int], str]) -> None:
    """Refuse a model whose SQL breaks a rule.

    Args:
        query: the model's query.
        name: the model.
        where: line of the SQL → file and line of the user's file.

    Raises:
        TsqError: the first rule that is broken, with file and line.
    """
    _refuse(findings(query), name, where)


def check_repeatable(query: Query, name: str, where: Callable[[int], str]) -> None:
    """Refuse a check that would answer differently at another time; the other rules are about tables.

    Raises:
        TsqError: it asks a clock, or draws.
    """
    _refuse(tuple(_clock(query)), f"a check of {name}", where)


def _refuse(found: Sequence[Finding], name: str, where: Callable[[int], str]) -> None:
    if found:
        raise TsqError(f"{name}: {found[0].what}", where=where(found[0].line), hint=found[0].hint)


def _clock(query: Query) -> Iterator[Finding]:
    hint = "a build must be repeatable: take the day from the data, e.g. (select max(date) from pit.sessions)"
    kinds = [token.token_type for token in query.tokens]
    for token, before, after in zip(query.tokens, [None, *kinds], [*kinds[1:], None], strict=False):
        word = token.text.lower()
        called = after == TokenType.L_PAREN and word in _CALLED
        if token.token_type not in _TEXT and before != TokenType.DOT and (called or word in _CLOCKS):
            yield Finding("clock", f"{word} gives another answer at another time", token.line, hint)
    for sample in query.tree.find_all(exp.TableSample) if query.words & {"sample", "tablesample"} else ():
        yield Finding("clock", "a sample gives other rows every time", line_of(sample), "choose rows by a rule")


def _star(query: Query) -> Iterator[Finding]:
    for select in branches(query.tree):
        for column in select.expressions:
            if column.is_star or isinstance(column.unalias(), exp.Columns):
                what = f"the last select is `{column.sql(dialect='duckdb')}`: nobody can read which columns it has"
                yield Finding("star", what, line_of(column), "write the columns out; CTEs may use `*`")


def _division(query: Query) -> Iterator[Finding]:
    for divisor in lint_division.unguarded(query.tree) if query.words & lint_division.SIGNS else ():
        text = _short(divisor)
        hint = f"write nullif({text}, 0), or say why it cannot be: -- lint: allow division: reason"
        yield Finding("division", f"division by `{text}`, which may be zero", line_of(divisor), hint)


def _time_join(query: Query) -> Iterator[Finding]:
    hint = "bound the other side too, join on the date, or keep one row with `qualify row_number() over (…) = 1`"
    for condition, left, right in lint_joins.unbounded(query.tree):
        what = f"`{_short(condition)}` joins {left} to every row of {right} on one side of a time"
        yield Finding("time_join", what, line_of(condition), hint)


def _asof(query: Query) -> Iterator[Finding]:
    for join in query.tree.find_all(exp.Join) if "asof" in query.words else ():
        if join.method.upper() == "ASOF":
            hint = "join the interval a row is valid in: date >= valid_from and date < valid_to"
            yield Finding("asof", "an asof join picks any of the rows of equal time", line_of(join), hint)


def _frame(query: Query) -> Iterator[Finding]:
    for spec in query.tree.find_all(exp.WindowSpec) if query.words & {"range", "exclude"} else ():
        if (spec.args.get("kind") or "").upper() == "RANGE" and spec.find(exp.Interval):
            hint = "count sessions: rows between 19 preceding and current row, or a range over session_no"
            yield Finding("frame", "a range of days holds more or fewer sessions by season", line_of(spec), hint)
        if spec.args.get("exclude") is not None and "CURRENT" in str(spec.args["exclude"]).upper():
            hint = "end the frame at 1 preceding, or subtract the row's own value"
            yield Finding("frame", "`exclude current row` makes every frame anew", line_of(spec), hint)


RULES = ("clock", "star", "division", "time_join", "asof", "frame")
_RULES: tuple[Callable[[Query], Iterator[Finding]], ...] = (_clock, _star, _division, _time_join, _asof, _frame)


def _allowed(sql: str) -> tuple[set[tuple[str, int]], list[Finding]]:
    """What comments excuse, as (rule, line), and the comments that excuse nothing."""
    allowed: set[tuple[str, int]] = set()
    wrong: list[Finding] = []
    for number, text in enumerate(sql.split("\n"), start=1):
        said = _ALLOW.search(text)
        if said is None:
            continue
        rule = said["rule"]
        if rule not in RULES:
            wrong.append(
                Finding("allow", f"there is no rule {rule or '…'} to allow", number, did_you_mean(rule, RULES))
            )
        elif not said["reason"]:
            hint = f"-- lint: allow {rule}: why it is right here"
            wrong.append(Finding("allow", f"`lint: allow {rule}` gives no reason", number, hint))
        alone = text.lstrip().startswith("--")
        allowed.add((rule, number + 1 if alone else number))
    return allowed, wrong


def branches(query: exp.Expr) -> Iterator[exp.Select]:
    """The SELECTs whose columns are the table's: both sides of a union."""
    if isinstance(query, exp.SetOperation):
        yield from branches(query.this)
        yield from branches(query.expression)
    elif isinstance(query, exp.Subquery):
        yield from branches(query.this)
    elif isinstance(query, exp.Select):
        yield query


def line_of(node: exp.Expr) -> int:
    """The line a node stands on: its own, else of the first thing in it, else of the nearest thing around it."""
    around: exp.Expr | None = node
    while around is not None:
        lines = [part.meta["line"] for part in around.walk() if "line" in part.meta]
        if lines:
            return int(min(lines))
        around = around.parent
    return 1


def _short(node: exp.Expr) -> str:
    text = " ".join(node.sql(dialect="duckdb", comments=False, normalize_functions="lower").split())
    return text if len(text) <= 60 else f"{text[:57]}…"

"""Read the SQL of a model: that it is one query, and which tables it reads."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tsq.errors import TsqError

# sqlglot is imported where it works: what is remembered does not need it.
if TYPE_CHECKING:
    from sqlglot.expressions import Expr

    from tsq.engine.lint import Query


def place(path: Path, line: Callable[[int], int], n: int) -> str:
    """`file:line` of a line of rendered SQL."""
    return f"{path}:{line(n)}"


def parse(sql: str, where: Callable[[int], str]) -> Query:
    """Parse one SELECT; a semicolon at its end is left out.

    Args:
        sql: plain SQL.
        where: line of `sql` → file and line of the user's file.

    Raises:
        TsqError: not SQL, or not exactly one query.
    """
    from sqlglot import Dialect, TokenType, exp
    from sqlglot.errors import SqlglotError

    from tsq.engine.lint import Query

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it cannot read is said below, once
    dialect = Dialect.get_or_raise("duckdb")
    try:
        tokens = dialect.tokenize(sql)
        while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
            end = tokens.pop()
            sql = sql[: end.start] + sql[end.end + 1 :]
        statements = [statement for statement in dialect.parser().parse(tokens, sql) if statement is not None]
    except SqlglotError as error:
        first = (getattr(error, "errors", None) or [{}])[0]
        near = f" near {first['highlight']!r}" if first.get("highlight") else ""
        why = re.sub(
            r"Required keyword: '(\w+)' missing for .*", r"its \1 is missing", first.get("description", str(error))
        )
        raise TsqError(
            f"this is not valid SQL{near}: {why}",
            where=where(first.get("line") or 1),
            hint="mend the query",
        ) from None
    except RecursionError:
        hint = "write it in smaller steps, as CTEs"
        raise TsqError("this SQL is nested too deeply", where=where(1), hint=hint) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        kinds = ", ".join(_kind(statement) for statement in statements) or "nothing"
        raise TsqError(
            f"a model is one SELECT; this file holds {kinds}", where=where(1), hint="one file = one table = one query"
        )
    return Query(sql, tokens, statements[0])


def _kind(statement: Expr) -> str:
    return statement.name.lower() if statement.key == "command" else statement.key


def tables(parsed: Query, where: Callable[[int], str]) -> tuple[str, ...]:
    """Find the full names of the tables a query reads, sorted.

    Raises:
        TsqError: a table that is not written `schema.table`, or a function that stands for one.
    """
    from sqlglot import exp

    from tsq.engine.lint import line_of

    query = parsed.tree
    local = {cte.alias_or_name.lower() for cte in query.find_all(exp.CTE)}
    reads: set[str] = set()
    for table in query.find_all(exp.Table, exp.Lateral):
        if isinstance(table.this, exp.Func):
            if not isinstance(table.this, (exp.GenerateSeries, exp.Unnest)):
                raise TsqError(
                    f"a model reads tables, not {table.this.sql(dialect='duckdb')[:60]}",
                    where=where(line_of(table)),
                    hint="bring files in with `tsq ingest` and read raw.*",
                )
        elif not isinstance(table, exp.Table):
            continue
        elif table.db and not table.catalog:
            reads.add(f"{table.db}.{table.name}".lower())
        elif table.catalog or table.name.lower() not in local:
            name = table.sql(dialect="duckdb")
            is_file = re.search(r"[/.:]", table.name)
            raise TsqError(
                f"{name} is not a table of this project",
                where=where(line_of(table)),
                hint="bring files in with `tsq ingest` and read raw.*"
                if is_file
                else "write it in full, as schema.table",
            )
    return tuple(sorted(reads))


def normalised(parsed: Query) -> str:
    """The SQL without comments and white space, of which an edit rebuilds nothing."""
    return "\x1f".join(f"{token.token_type.name} {token.text}" for token in parsed.tokens)

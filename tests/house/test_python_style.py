"""Rules of the package's Python that no linter of ours states."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

# Words of the market. The engine turns any folder of SQL into tables; finance stands in models, ingest and quant.
FINANCE = re.compile(
    "bhavcopy|nse|bse|isin|tickers?|symbols?|prices?|stocks?|equity|equities|dividends?|bonus|broker|brokerage"
    "|sharpe|sortino|drawdown|volatility|turnover|slippage|rupees?|inr|nav|portfolios?|rebalance|benchmark|holdings?"
    "|momentum|fundamentals|lakh|crore"
)
# Written so that this file does not match itself.
UNFINISHED = re.compile(r"\bTOD[O]\b|\bFIXM[E]\b|\bXX[X]\b|raise NotImplemente[d]")


def trees(folder: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(folder.rglob("*.py")):
        yield path.relative_to(folder.parent).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def public_things(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public_things(node)


def words(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Words of every identifier and every string, docstrings apart."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        names = [getattr(node, field, None) for field in ("name", "id", "attr", "arg")]
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            names.append(node.value)
        for name in names:
            if isinstance(name, str):
                yield from ((word.lower(), getattr(node, "lineno", 0)) for word in re.findall(r"[A-Za-z]+", name))


def test_public_things_say_what_they_are(root: Path) -> None:
    silent = [
        f"{file}:{thing.lineno} {thing.name}"
        for file, tree in trees(root / "tsq")
        for thing in public_things(tree)
        if not ast.get_docstring(thing)
    ]
    silent += [file for file, tree in trees(root / "tsq") if tree.body and not ast.get_docstring(tree)]
    assert not silent


def test_no_broad_except(root: Path) -> None:
    """`except BaseException` that raises again is a rollback, not a broad except."""
    broad = []
    for file, tree in trees(root / "tsq"):
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else ""
                raises = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
                if caught in ("", "Exception") or (caught == "BaseException" and not raises):
                    broad.append(f"{file}:{node.lineno}")
    assert not broad


def test_engine_knows_no_finance(root: Path) -> None:
    found = [
        f"{file}:{line} {word}"
        for file, tree in trees(root / "tsq" / "engine")
        for word, line in words(tree)
        if FINANCE.fullmatch(word)
    ]
    assert not found


def test_nothing_is_left_unfinished(own_files: dict[str, str]) -> None:
    found = [
        f"{name}:{text[: match.start()].count(chr(10)) + 1} {match.group()}"
        for name, text in own_files.items()
        for match in UNFINISHED.finditer(text)
    ]
    assert not found

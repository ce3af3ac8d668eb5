"""Every error tsq can say, read from its own source: what it says, where it points, what it advises.

The source is parsed, never imported. What an f-string fills in stands as ⟨name⟩, and words it may leave out in
brackets.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tsq import errors

PACKAGE = Path(errors.__file__).parent
NEAREST = "the nearest known names"
EXIT_CODES = {
    errors.DONE: "done",
    errors.FAILED: "a model or a check failed; what was published before is unchanged",
    errors.USAGE: "a mistake in the command or in the project's files",
    errors.INTERNAL: "a bug in tsq: a traceback follows",
    errors.REFUSED: "refused on purpose",
    errors.BUSY: "another run holds the warehouse",
    errors.INTERRUPTED: "interrupted",
}
# What the user was doing when a module spoke: the most telling prefix wins.
HEADINGS = {
    "cli": "Typing a command",
    "config": "Finding the project and setting knobs",
    "strict_yaml": "Writing YAML",
    "quant": "Trading in the ledger",
    "engine": "Working with a project",
    "engine.catalog": "Naming models and layers",
    "engine.header": "Writing a header",
    "engine.template": "Writing a template",
    "engine.compile": "Writing a model",
    "engine.reading": "Writing a model",
    "engine.bind": "Writing a model",
    "engine.lint": "Writing a model",
    "engine.sql_error": "Writing a model",
    "engine.datasets": "Describing datasets and tables of settings",
    "engine.seeds": "Filling tables of settings",
    "engine.graph": "Reading other tables, and selecting models",
    "engine.lineage": "Tracing a column",
    "engine.lake": "Keeping the lake",
    "engine.warehouse": "Opening the warehouse",
    "engine.runner": "Running models",
    "engine.making": "Running models",
    "engine.locks": "Running models",
    "cli.verifying": "Proving a run",
    "engine.checks": "Keeping promises",
    "engine.promises": "Keeping promises",
    "engine.freshness": "Keeping promises",
    "cli.failing": "Keeping promises",
    "engine.cases": "Testing models",
    "engine.case_runner": "Testing models",
    "engine.tabular": "Testing models",
    "engine.snapshots": "Testing models",
    "cli.testing": "Testing models",
    "engine.builds": "Publishing and going back",
    "engine.diff": "Comparing builds",
    "cli.comparing": "Comparing builds",
    "engine.manifest": "Reading the record of a run",
    "ingest": "Loading files",
    "report": "Writing pages",
}
_WORDS = {"lineno": "line", "msg": "message", "said": "message", "first": "message", "stem": "name", "__name__": "type"}
# A thing's name is called by what the thing is.
_OWNERS = {"node": "model", "model": "model", "dataset": "dataset", "column": "column", "path": "file", "file": "file"}
_PLACES = ((r"⟨path⟩", "⟨file⟩"), (r"⟨where⟩", "⟨file:line⟩"), (r"⟨file⟩:⟨[^⟩]*line[^⟩]*⟩", "⟨file:line⟩"))
_SAME = {"str", "repr", "sorted", "list", "tuple", "set", "map", "abs", "max", "min", "type", "round", "reversed"}


@dataclass(frozen=True)
class Said:
    """One thing tsq can say.

    Attributes:
        module: who says it, below the package: `engine.graph`.
        what: the first line, a pattern.
        where: what its second line names; empty when it has none.
        hint: the third line, a pattern; empty when it has none.
        exit_code: the process' exit code; None where the code decides as it runs.
    """

    module: str
    what: str
    where: str
    hint: str
    exit_code: int | None


def errors_of(package: Path = PACKAGE) -> tuple[Said, ...]:
    """Read what a package can say, module by module, each thing once.

    Args:
        package: its folder; every `TsqError(...)` below it is read.
    """
    found: dict[Said, None] = {}
    for path in sorted(package.rglob("*.py")):
        module = ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__")
        text = path.read_text(encoding="utf-8")
        for call, function in _calls(ast.parse(text)) if "TsqError(" in text else ():
            found.update(dict.fromkeys(_said(module, call, function)))
    return tuple(found)


def heading(module: str) -> str:
    """What the user was doing when a module spoke; its own name for a module without a heading."""
    while module and module not in HEADINGS:
        module = module.rpartition(".")[0]
    return HEADINGS.get(module, "Anything else")


def grouped(package: Path = PACKAGE) -> dict[str, list[Said]]:
    """Errors by what the user was doing, in the order of `HEADINGS`."""
    groups: dict[str, list[Said]] = {title: [] for title in (*HEADINGS.values(), "Anything else")}
    for said in errors_of(package):
        groups[heading(said.module)].append(said)
    return {title: sorted(few, key=lambda said: said.what.lstrip("⟨[")) for title, few in groups.items() if few}


def _calls(tree: ast.Module) -> list[tuple[ast.Call, ast.FunctionDef | None]]:
    """Every `TsqError(...)` in the order of the source, with the innermost function it stands in."""
    inside: dict[ast.Call, ast.FunctionDef | None] = {}
    for scope in ast.walk(tree):
        if isinstance(scope, ast.Module | ast.FunctionDef):
            for node in ast.walk(scope):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "TsqError":
                    inside[node] = scope if isinstance(scope, ast.FunctionDef) else None
    return sorted(inside.items(), key=lambda found: found[0].lineno)


def _said(module: str, call: ast.Call, function: ast.FunctionDef | None) -> Iterator[Said]:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    where = " or ".join(dict.fromkeys(map(_place, _patterns(given.get("where"), function))))
    hint = " — or: ".join(dict.fromkeys(_patterns(given.get("hint"), function)))
    for what in _patterns(call.args[0], function):
        yield Said(module, what, where, hint, _exit_code(given.get("exit_code")))


def _place(pattern: str) -> str:
    for old, new in _PLACES:
        pattern = re.sub(old, new, pattern)
    return pattern


def _exit_code(node: ast.expr | None) -> int | None:
    if node is None:
        return errors.USAGE
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return getattr(errors, name, None) if name.isupper() else None


def _patterns(node: ast.expr | None, function: ast.FunctionDef | None) -> list[str]:
    """A text as the user may see it: one pattern for each way the code may write it."""
    match node:
        case None | ast.Constant(value=None):
            return []
        case ast.IfExp():
            return [*_patterns(node.body, function), *_patterns(node.orelse, function)]
        case ast.BoolOp(op=ast.Or()):
            return [pattern for value in node.values for pattern in _patterns(value, function)]
        case ast.Name() if function and (values := _assigned(node.id, function)):
            return [pattern for value in values for pattern in _patterns(value, None)]
        case ast.Call(func=ast.Name(id="did_you_mean")):
            return [NEAREST]
        case ast.Constant() | ast.JoinedStr() | ast.BinOp(op=ast.Add() | ast.Div()):
            return [_text(node)]
    return [f"⟨{_label(node)}⟩"]


def _assigned(name: str, function: ast.FunctionDef) -> list[ast.expr]:
    """What a function assigns to a name, wherever it does."""
    return [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    ]


def _text(node: ast.expr) -> str:
    """A text with its fields written as ⟨name⟩."""
    match node:
        case ast.Constant(value=value):
            return str(value)
        case ast.JoinedStr(values=values):
            return "".join(_text(value) for value in values)
        case ast.FormattedValue(value=ast.IfExp(body=body, orelse=ast.Constant(value=""))):
            return f"[{_text(body)}]"
        case ast.FormattedValue(value=ast.IfExp(body=body, orelse=orelse)):
            return f"{_text(body)}|{_text(orelse)}"
        case ast.FormattedValue(value=value):
            return _text(value) if isinstance(value, ast.Constant | ast.JoinedStr) else f"⟨{_label(value)}⟩"
        case ast.BinOp(left=left, op=operator, right=right):
            return _text(left) + ("/" if isinstance(operator, ast.Div) else "") + _text(right)
    return f"⟨{_label(node)}⟩"


def _label(node: ast.expr) -> str:
    """A word for the value of an expression, taken from its names."""
    match node:
        case ast.Name(id=name):
            return _word(name)
        case ast.Attribute(value=value, attr="__name__"):
            return f"type of {_label(value)}"
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr="name") if owner in _OWNERS:
            return _OWNERS[owner]
        case ast.Attribute(attr=name):
            return _word(name)
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return _word(key)
        case ast.Subscript(value=value) | ast.Starred(value=value) | ast.FormattedValue(value=value):
            return _label(value)
        case ast.Call(func=ast.Name(id="len"), args=[value]):
            return f"number of {_label(value)}"
        case ast.Call(func=ast.Name(id="did_you_mean")):
            return "nearest known names"
        case ast.Call(func=ast.Name(id=name), args=[*_, value]) if name in _SAME:
            return _label(value)
        case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[value]):
            return _label(value)
        case ast.Call(func=ast.Attribute(attr="where")):
            return "file:line"
        case ast.Call(func=ast.Attribute(value=value)):
            return _label(value)
        case ast.Call(func=ast.Name(id=name)):
            return _word(name)
        case ast.GeneratorExp(elt=value) | ast.ListComp(elt=value) | ast.BoolOp(values=[value, *_]):
            return _label(value)
        case ast.BinOp(left=left):
            return _label(left)
        case ast.IfExp(body=value):
            return _label(value)
    return "…"


def _word(name: str) -> str:
    return _WORDS.get(name, re.sub(r"_+", " ", name).strip().lower() or "…")

"""Imports point one way: cli → report, govern → ingest → engine; the quant library knows nothing of tsq but its errors."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

# Every module or package directly below tsq has a place here: what it may import of tsq, besides itself.
BASE = {"errors", "strict_yaml", "config"}
MAY_IMPORT = {
    "__init__": set(),
    "errors": set(),
    "strict_yaml": {"errors"},
    "config": {"errors", "strict_yaml"},
    "quant": {"errors"},
    "engine": BASE,
    "ingest": BASE | {"engine", "quant"},
    "report": BASE | {"ingest", "engine", "quant"},
    "govern": BASE | {"ingest", "engine", "quant"},
    "cli": BASE | {"__init__", "report", "govern", "ingest", "engine", "quant"},
}
MODELS_MAY_IMPORT = {"tsq.quant", "polars", "numpy", "__future__"}
# `tsq --help` answers before any of these is loaded.
HEAVY = ("duckdb", "polars", "numpy", "pyarrow", "altair", "sqlglot", "pydantic", "jinja2", "rich.progress")


def modules(root: Path) -> dict[str, ast.Module]:
    """Dotted name → syntax tree of every module of the package."""
    found = {}
    for path in sorted((root / "tsq").rglob("*.py")):
        dotted = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        found[dotted] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imported(tree: ast.AST, known: set[str]) -> set[str]:
    """Modules a syntax tree imports anywhere; `from a import b` is `a.b` where that is a module."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                deep = f"{node.module}.{alias.name}"
                names.add(deep if deep in known else str(node.module))
    return names


def without_type_checking(tree: ast.Module) -> ast.Module:
    """The tree without its `if TYPE_CHECKING:` blocks, which import nothing when it runs."""
    body = [node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))]
    return ast.Module(body=body, type_ignores=[])


def place(module: str) -> str:
    """The part of tsq a module belongs to."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def test_every_module_has_a_place(root: Path) -> None:
    homeless = sorted({place(module) for module in modules(root)} - set(MAY_IMPORT))
    assert not homeless, f"give these a place in MAY_IMPORT: {homeless}"


def test_imports_point_downhill(root: Path) -> None:
    trees = modules(root)
    wrong = [
        f"{module} imports {name}"
        for module, tree in trees.items()
        for name in imported(tree, set(trees))
        if name.partition(".")[0] == "tsq"
        and place(name) != place(module)
        and place(name) not in MAY_IMPORT[place(module)]
    ]
    assert not wrong


def test_no_import_cycle(root: Path) -> None:
    trees = modules(root)
    edges = {
        module: {name for name in imported(without_type_checking(tree), set(trees)) if name in trees and name != module}
        for module, tree in trees.items()
    }
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        pytest.fail(f"an import cycle: {' → '.join(error.args[1])}")


def test_python_models_import_only_numbers(root: Path) -> None:
    wrong = []
    for path in sorted((root / "models").rglob("*.py")):
        for name in imported(ast.parse(path.read_text(encoding="utf-8")), set()):
            if not any(name == allowed or name.startswith(f"{allowed}.") for allowed in MODELS_MAY_IMPORT):
                wrong.append(f"{path.relative_to(root)} imports {name}")
    assert not wrong


def test_help_loads_nothing_heavy() -> None:
    script = f"import sys, tsq.cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

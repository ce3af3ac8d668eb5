"""The sandbox templates run in: no files, no reach into Python, and an end to everything.

What a template may do is bounded before it is done: text by its length, numbers by their size, loops and calls by a
count of steps. A text of a gigabyte is never made, not even for a moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from jinja2 import FunctionLoader, StrictUndefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range

# Of one text; of all texts a template makes on its way; of rounds, calls and values; of a whole number.
MAX_CHARS = 2_000_000
MAX_MADE_CHARS = 20_000_000
MAX_STEPS = 50_000
MAX_BITS = 256
# Filters whose result is no larger than what they are given, or as large as a bound here allows.
_FILTERS = [
    "abs",
    "capitalize",
    "count",
    "d",
    "default",
    "dictsort",
    "first",
    "float",
    "int",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "sort",
    "string",
    "title",
    "trim",
    "unique",
    "upper",
]
_TEXT_METHODS = frozenset(
    {"upper", "lower", "strip", "lstrip", "rstrip", "startswith", "endswith", "removeprefix", "removesuffix", "split"}
)


class Sql(str):
    """Text that is SQL already and is written as it stands."""

    __slots__ = ()


class EndlessError(SecurityError):
    """A template that grows or goes on without end."""


class _Generator(CodeGenerator):
    """Compiles `a ~ b` to a call of the sandbox, which bounds it."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class Sandbox(ImmutableSandboxedEnvironment):
    """A Jinja environment with bounds.

    Args:
        names: what a template may use by name.
        filters: filters beside Jinja's own.
        finalize: what becomes of each `{{ value }}`.
    """

    code_generator_class = _Generator
    intercepted_binops = frozenset({"+", "*", "%", "**"})

    def __init__(self, names: Mapping[str, Any], filters: Mapping[str, Any], finalize: Any) -> None:
        super().__init__(
            loader=FunctionLoader(lambda _name: None),
            undefined=StrictUndefined,
            finalize=self._metered(finalize),
            keep_trailing_newline=True,
        )
        self._steps = 0
        self._made = 0
        self.globals.clear()
        self.globals.update({"range": safe_range, **names})
        own = {"join": _join, "replace": _replace, **filters}
        self.filters = {
            **{
                name: self._metered(filter_)
                for name, filter_ in ({name: FILTERS[name] for name in _FILTERS} | own).items()
            },
            "_counted": self._counted,
        }

    def start(self) -> None:
        """Begin to count what a template does."""
        self._steps = self._made = 0

    def count_loops(self, tree: nodes.Template) -> nodes.Template:
        """Make every loop of a parsed template count its rounds."""
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "_counted", [], [], None, None, lineno=loop.iter.lineno)
        tree.set_environment(self)
        return tree

    def concat(self, parts: Iterable[str]) -> Sql:
        """Join what a template, a macro or a block has written."""
        return Sql("".join(_short_enough(list(parts))))

    def joined(self, parts: Iterable[Any]) -> str:
        """Join the values of `a ~ b`."""
        text = "".join(_short_enough([str(part) for part in parts]))
        self._meter(text)
        return text

    def call(self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a macro, a function or a method, and count it: before, as it may call itself, and after."""
        self._step(1)
        return self._meter(super().call(__context, __obj, *args, **kwargs))

    def wrap_str_format(self, value: Any) -> None:
        """Nothing: `'{:>1000000000}'.format(1)` is a method like any other, and not among the harmless ones."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Texts have a few harmless methods, numbers none."""
        if isinstance(obj, str):
            return attr in _TEXT_METHODS
        return not isinstance(obj, (int, float, bytes)) and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Reckon with numbers of a bounded size; add texts and lists of a bounded length."""
        if all(isinstance(side, (int, float)) for side in (left, right)):
            sizes = [side.bit_length() if isinstance(side, int) else 0 for side in (left, right)]
            if (operator == "*" and sum(sizes) > MAX_BITS) or (
                operator == "**" and (abs(right) > MAX_BITS or sizes[0] * right > MAX_BITS)
            ):
                raise EndlessError(f"{operator} makes a number without end")
        elif operator == "+" and any(isinstance(left, kind) and isinstance(right, kind) for kind in (str, list, tuple)):
            if len(left) + len(right) > MAX_CHARS:
                raise EndlessError(f"+ makes more than {MAX_CHARS:,} characters")
        else:
            names = f"{type(left).__name__} and {type(right).__name__}"
            raise SecurityError(f"{operator} of {names} is not allowed in a template")
        return self._meter(super().call_binop(context, operator, left, right))

    def _counted(self, items: Iterable[Any]) -> list[Any]:
        rounds = list(items)
        self._step(len(rounds))
        return rounds

    def _step(self, n: int) -> None:
        self._steps += n
        if self._steps > MAX_STEPS:
            raise EndlessError(f"it goes on for more than {MAX_STEPS:,} steps")

    def _meter(self, made: Any) -> Any:
        self._step(1)
        if isinstance(made, str):
            self._made += len(made)
            if self._made > MAX_MADE_CHARS:
                raise EndlessError(f"it makes more than {MAX_MADE_CHARS:,} characters on its way")
        return made

    def _metered(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)  # keeps the mark by which Jinja knows what a filter wants to be given
        def metered(*args: Any, **kwargs: Any) -> Any:
            return self._meter(function(*args, **kwargs))

        return metered


def _join(items: Iterable[Any], separator: str = "") -> str:
    parts = [str(item) for item in items]
    _short_enough([*parts, *([str(separator)] * max(len(parts) - 1, 0))])
    return str(separator).join(parts)


def _replace(text: str, old: str, new: str) -> str:
    if len(text) + str(text).count(old) * len(new) > MAX_CHARS:
        raise EndlessError(f"replace makes more than {MAX_CHARS:,} characters")
    return str(text).replace(old, new)


def _short_enough(parts: list[str]) -> list[str]:
    if sum(map(len, parts)) > MAX_CHARS:
        raise EndlessError(f"it writes more than {MAX_CHARS:,} characters")
    return parts

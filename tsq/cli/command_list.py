"""The commands of the command line as data, for the pages that list them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Option:
    """An argument or option: how it is written, what it does, and its default (empty for none)."""

    name: str
    doc: str
    default: str


@dataclass(frozen=True)
class Command:
    """One command: its name after `tsq`, what it does, how it is called, and what may follow."""

    name: str
    doc: str
    usage: str
    options: tuple[Option, ...]


def commands(group: Any) -> tuple[Command, ...]:
    """List the commands of a Click group, in its order."""
    return tuple(_command(name, command) for name, command in group.commands.items())


def _command(name: str, command: Any) -> Command:
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param.param_type_name == "option"]
    return Command(
        name,
        command.help or "",
        " ".join(["tsq", name, *map(_argument, arguments), "[OPTIONS]"]),
        (
            *(Option(_argument(param), param.help or "", "") for param in arguments),
            *(Option(_option(param), param.help or "", _default(param)) for param in options),
        ),
    )


def _argument(param: Any) -> str:
    name = param.metavar or param.name.upper()
    return name if param.required else f"[{name}]"


def _option(param: Any) -> str:
    names = " / ".join([*param.opts, *param.secondary_opts])
    return names if param.is_flag else f"{names} {param.metavar or param.name.upper()}"


def _default(param: Any) -> str:
    if param.is_flag:
        return param.opts[0] if param.default else ""
    return "" if param.default is None else f"`{param.default}`"

"""What the database says, in the user's words: the model, the file and line they wrote, the nearest names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tsq.engine import places
from tsq.engine.compile import Compiled
from tsq.errors import FAILED, TsqError, did_you_mean

_COLUMN = re.compile(
    r'Referenced column "(?P<a>[^"]+)" not found|does not have a column named "(?P<b>[^"]+)"'
    r'|^Column "(?P<c>[^"]+)" does not exist on (?:left|right) side'
)
_ALIAS = re.compile(r'Referenced table "(?P<name>[^"]+)" not found')
_FUNCTION = re.compile(r"Function with name (?P<name>\S+) does not exist")
_TYPE = re.compile(r"Type with name (?P<name>.+?) does not exist")
_ARGUMENTS = re.compile(r"No function matches the given name and argument types '(?P<call>.+)'\.")
_CANDIDATES = re.compile(r"^Candidate (?:bindings|tables): *:? *(.+)$", re.MULTILINE)
_GUESS = re.compile(r'^Did you mean "(?P<name>[^"]+)"', re.MULTILINE)
_LONGEST_HINT = 300


def sql_error(
    node: Compiled, error: Exception, first: int, *, known: Iterable[str] = (), exit_code: int = FAILED
) -> TsqError:
    """A database error over a model's SQL as an error of the model.

    Args:
        node: the model that ran.
        error: what DuckDB said.
        first: line of the statement on which the model's own SQL begins.
        known: names of the columns it could have meant, beside those DuckDB offers.
        exit_code: the process' exit code.
    """
    what, hint = in_words(error, known)
    found = re.search(r"^LINE (\d+):", str(error), re.MULTILINE)
    if found and node.lines:
        row = min(max(int(found.group(1)) - first, 0), len(node.lines) - 1)
        where = f"{node.model.path}:{node.lines[row]}"
    else:
        quoted = re.search(r'"([^"]+)"', str(error))
        where = places.written(node.model, node.sql, node.lines, quoted.group(1) if quoted else "")
    hint = hint or f"see the SQL that runs with `tsq show {node.name} --sql`"
    return TsqError(f"{node.name}: {what}", where=where, hint=hint, exit_code=exit_code)


def in_words(error: Exception, known: Iterable[str] = ()) -> tuple[str, str]:
    """What is wrong, and the nearest names or what else DuckDB advises; an empty hint when it says nothing.

    Args:
        error: what DuckDB said.
        known: names of the columns that could have been meant.
    """
    text = re.sub(r"^[A-Z][\w ]* Error: ", "", str(error).split("\n\nLINE ")[0]).strip()
    offered = [name for names in _CANDIDATES.findall(text) for name in re.findall(r'"([^"]+)"', names)]
    guess = _GUESS.search(text)
    if found := _COLUMN.search(text):
        name = next(part for part in found.groups() if part)
        near = did_you_mean(name, offered)
        return f"there is no column {name}", near if near.startswith("did") else did_you_mean(name, [*offered, *known])
    if found := _ALIAS.search(text):
        return f"no table or alias is called {found['name']} here", did_you_mean(found["name"], offered)
    if found := _FUNCTION.search(text):
        return f"there is no function {found['name']}", f"did you mean {guess['name']}?" if guess else ""
    if found := _TYPE.search(text):
        return f"there is no type {found['name']}", f"did you mean {guess['name']}?" if guess else ""
    if found := _ARGUMENTS.search(text):
        takes = [line.strip() for line in text.splitlines() if "->" in line and '"left"' not in line]
        more = f": it takes {', '.join(takes[:3])}" if takes else ""
        return f"no function takes {found['call']}", f"cast an argument{more}"[:_LONGEST_HINT]
    if "file system operations are disabled" in text:
        return text.splitlines()[0], "bring files in with `tsq ingest` and read raw.*"
    said = text.splitlines()
    return said[0], " ".join(" ".join(said[1:]).split())[:_LONGEST_HINT]

"""Leaks put into the text of a model: its own windows, turned to the future.

The text is changed token by token, so all else runs as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tsq.engine.plants_axis import Change, Place

if TYPE_CHECKING:
    from sqlglot.tokenizer_core import Token

_FRAME = ("rows", "between", None, "preceding", "and", "current", "row")
_TIME = re.compile(r"(.*_)?(date|day|week|month|quarter|year|session|seq|no|on|at|from|since|start|time)(_.*)?")
_INSIDE_A_WINDOW = ("partition by", "order by", "rows", "range", "groups")


def changes(place: Place) -> Iterator[Change]:
    """Every leak that can be put into the text of this model."""
    from sqlglot import Dialect, TokenType

    sql = place.node.sql
    tokens = Dialect.get_or_raise("duckdb").tokenize(sql)
    words = [
        "" if token.token_type == TokenType.STRING else re.sub(r"\s+", " ", token.text.lower()) for token in tokens
    ]
    times = {
        name
        for table in (place.node.name, *place.node.own_reads)
        for name, kind in place.tables[table].items()
        if kind == "DATE" or kind.startswith("TIMESTAMP")
    }
    windows = _Windows(words, frozenset(times))
    lags = [at for at, word in enumerate(words) if word == "lag" and words[at + 1 : at + 2] == ["("]]
    # what looks back for a time stays: a text that asks how long ago the last row was must not answer with a minus
    lags = [at for at in lags if windows.through_time(windows.of_call(at + 1)) and not windows.is_of_time(at + 1)]
    # each version of a table of versions is made of what was known by then, whichever way its windows look
    if lags and not {"known_from", "known_to"} <= place.tables[place.node.name].keys():
        text = _edited(sql, tokens, dict.fromkeys(lags, "lead"))
        yield Change("lead", text, f"lag() is lead() in its text, {len(lags)} times")
    frames = [
        at + 2
        for at in range(len(words) - len(_FRAME) + 1)
        if all(want is None or want == word for want, word in zip(_FRAME, words[at:], strict=False))
        and words[at + 2].isdigit()
        and int(words[at + 2]) > 0
        and windows.through_time(windows.around(at))
    ]
    if frames:
        put: dict[int, str] = {}
        for at in frames:
            size = int(words[at])
            # as many rows as before, so that what counts them finds them whole
            put |= {at: str(size // 2), at + 3: str(size - size // 2), at + 4: "following"}
        text = _edited(sql, tokens, put)
        yield Change("centred_window", text, f"frames of its text are centred on their row, {len(frames)} times")


class _Windows:
    """The windows of a text, found by their brackets."""

    def __init__(self, words: Sequence[str], times: frozenset[str]) -> None:
        self._words, self._times = words, times
        self._close: dict[int, int] = {}
        self._open: dict[int, int] = {}
        waiting: list[int] = []
        for at, word in enumerate(words):
            if word == "(":
                waiting.append(at)
            elif word == ")" and waiting:
                self._close[waiting[-1]] = at
                self._open[at] = waiting.pop()
        self._named: Mapping[str, tuple[int, int]] = {
            words[at - 2]: (at + 1, close)
            for at, close in self._close.items()
            if at > 1 and words[at - 1] == "as" and words[at + 1] in _INSIDE_A_WINDOW
        }

    def of_call(self, at: int) -> list[str]:
        """What stands in the window behind a call whose bracket opens at a place."""
        behind = self._close.get(at, len(self._words)) + 1
        if self._words[behind : behind + 1] != ["over"]:
            return []
        return self._spec(behind + 1)

    def around(self, at: int) -> list[str]:
        """What stands in the window that a place lies in."""
        inside = [start for start, close in self._close.items() if start < at < close]
        return self._spec(max(inside)) if inside else []

    def is_of_time(self, at: int) -> bool:
        """Whether the first argument of a call whose bracket opens at a place names a time."""
        inside = self._words[at + 1 : self._close.get(at, at)]
        return any(map(self._is_time, inside[: inside.index(",")] if "," in inside else inside))

    def through_time(self, spec: Sequence[str]) -> bool:
        """Whether the rows of a window follow each other in time."""
        text = list(spec)
        if "order by" not in text:
            return False
        at = text.index("order by")
        parts, order = text[:at], text[at + 1 :]
        ends = [place for place, word in enumerate(order) if word in ("rows", "range", "groups", ",")]
        first = order[: ends[0]] if ends else order
        return any(map(self._is_time, first)) and not any(map(self._is_day, parts))

    def _spec(self, at: int) -> list[str]:
        """A window written out at a place, or the named one that stands there."""
        if self._words[at : at + 1] != ["("]:
            start, close = self._named.get(self._words[at] if at < len(self._words) else "", (0, 0))
            return list(self._words[start:close])
        spec = list(self._words[at + 1 : self._close[at]])
        if spec and spec[0] not in _INSIDE_A_WINDOW and spec[0] in self._named:
            start, close = self._named[spec[0]]
            spec = [*self._words[start:close], *spec[1:]]
        return spec

    def _is_time(self, word: str) -> bool:
        return word in self._times or bool(_TIME.fullmatch(word))

    def _is_day(self, word: str) -> bool:
        return word in self._times


def _edited(sql: str, tokens: Sequence[Token], put: Mapping[int, str]) -> str:
    """The text with other words in the place of some tokens."""
    for at in sorted(put, reverse=True):
        # two words may be one token
        start, end = tokens[at].start, tokens[at].end + 1
        sql = sql[:start] + put[at] + sql[end:]
    return sql

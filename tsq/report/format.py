"""Numbers, units and dates as a person reads them: ₹ in lakh and crore, percent, basis points, Indian time.

A format is a name, and digits if the name's own do not fit: `percent`, `percent.2`, `inr`. The same names serve tables,
tiles, prose and charts, so that a figure looks the same wherever it stands. What has no value is an en dash.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from tsq.errors import did_you_mean

Numbers = Literal["indian", "international"]
Align = Literal["left", "right"]

NO_VALUE = "–"
MINUS = "−"
CLOCK = ZoneInfo("Asia/Kolkata")

_SPEC = re.compile(r"([a-z_]+)(?:\.(\d))?")
_CRORE, _LAKH = 1e7, 1e5
_WORDS = {
    "ok": "ok",
    "pass": "ok",
    "passed": "ok",
    "normal": "ok",
    "true": "ok",
    "warn": "warn",
    "warning": "warn",
    "stale": "warn",
    "fail": "bad",
    "failed": "bad",
    "block": "bad",
    "error": "bad",
    "false": "bad",
}


@dataclass(frozen=True)
class Format:
    """How a kind of value is written.

    Attributes:
        write: (value, digits, numbers) → text; never called with a missing value.
        digits: decimals when the page does not say.
        align: side of a table's column.
        d3: the same on a chart's axis, as a d3-format with `{}` for the digits; None where d3 has no such format.
        axis_digits: decimals on an axis when the page does not say.
    """

    write: Callable[[object, int, Numbers], str]
    digits: int
    align: Align
    d3: str | None
    axis_digits: int = 0


def known(spec: str) -> str | None:
    """Return None for a format that exists, else what is wrong with it and the nearest names."""
    match = _SPEC.fullmatch(spec)
    if match and match[1] in FORMATS:
        return None
    return did_you_mean(spec.partition(".")[0], FORMATS)


def split(spec: str) -> tuple[Format, int | None]:
    """Take `percent.2` apart into the format and the digits asked for.

    Raises:
        KeyError: the name is not a format (pages are checked when they are read).
    """
    name, _, digits = spec.partition(".")
    return FORMATS[name], int(digits) if digits else None


def write(value: object, spec: str, numbers: Numbers = "indian") -> str:
    """Write a value for reading.

    Args:
        value: anything a query returns; None, NaN and infinities are `–`.
        spec: a format, as `inr` or `number.3`; a name that is no format is a unit: the value as `auto`, then the name.
        numbers: `indian` groups 12,34,567 and counts lakh and crore; `international` groups 1,234,567 and counts
            thousands and millions.

    Returns:
        Plain text, not escaped.
    """
    if is_missing(value):
        return NO_VALUE
    if known(spec) is not None:
        return f"{_auto(value, 2, numbers)} {spec.replace('_', ' ')}".strip()
    chosen, digits = split(spec)
    return chosen.write(value, chosen.digits if digits is None else digits, numbers)


def is_missing(value: object) -> bool:
    """Tell whether a value is None, NaN or infinite."""
    return value is None or (isinstance(value, (float, Decimal)) and not math.isfinite(value))


def tone(value: object) -> str:
    """Return `ok`, `warn`, `bad` or `plain` for the word of a status."""
    return _WORDS.get(str(value).lower(), "plain")


def group(whole: int, numbers: Numbers = "indian") -> str:
    """Write a whole number with separators: 12,34,567 or 1,234,567."""
    text = f"{abs(whole):,}"
    if numbers == "indian" and abs(whole) >= _LAKH:
        digits = str(abs(whole))
        head, tail = digits[:-3], digits[-3:]
        pairs = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)]
        text = ",".join([*reversed(pairs), tail])
    return f"{MINUS}{text}" if whole < 0 else text


def _decimal(value: object, digits: int, numbers: Numbers) -> str:
    number = float(value)  # type: ignore[arg-type]
    if math.isinf(number):
        # a double near its end, times a hundred
        return f"{MINUS if number < 0 else ''}∞"
    rounded = f"{abs(number):.{digits}f}"
    whole, _, fraction = rounded.partition(".")
    text = group(int(whole), numbers) + (f".{fraction}" if fraction else "")
    return f"{MINUS}{text}" if number < 0 and float(rounded) else text


def _number(value: object, digits: int, numbers: Numbers) -> str:
    return _decimal(value, digits, numbers) if _is_number(value) else str(value)


def _scaled(scale: float, unit: str) -> Callable[[object, int, Numbers], str]:
    def scaled(value: object, digits: int, numbers: Numbers) -> str:
        return _decimal(float(value) * scale, digits, numbers) + unit if _is_number(value) else str(value)  # type: ignore[arg-type]

    return scaled


def _signed(value: object, digits: int, numbers: Numbers) -> str:
    text = _scaled(100, "%")(value, digits, numbers)
    return f"+{text}" if _is_number(value) and not text.startswith(MINUS) and re.search("[1-9]", text) else text


def _rupees(value: object, digits: int, numbers: Numbers) -> str:
    if not _is_number(value):
        return str(value)
    number = float(value)  # type: ignore[arg-type]
    size = abs(number)
    steps = [(_CRORE, " crore"), (_LAKH, " lakh")] if numbers == "indian" else [(1e9, " bn"), (1e6, " m"), (1e3, " k")]
    # a value that rounds up to the next unit is written in it: 99,99,999 is 1.00 crore, not 100.00 lakh
    for step, unit in steps:
        if round(size / step, digits) >= 1:
            text = _decimal(size / step, digits, numbers) + unit
            break
    else:
        text = _decimal(size, 0, numbers)
    sign = MINUS if number < 0 and re.search("[1-9]", text) else ""
    return f"{sign}₹{text}"


def _rupees_full(value: object, digits: int, numbers: Numbers) -> str:
    text = _number(value, digits, numbers)
    return f"{MINUS}₹{text[1:]}" if text.startswith(MINUS) else f"₹{text}"


def _date(value: object, _digits: int, _numbers: Numbers) -> str:
    if isinstance(value, dt.datetime):
        value = _local(value).date()
    return f"{value.day} {value:%b %Y}" if isinstance(value, dt.date) else str(value)


def _time(value: object, _digits: int, _numbers: Numbers) -> str:
    if not isinstance(value, dt.datetime):
        return _date(value, 0, "indian")
    local = _local(value)
    return f"{local.day} {local:%b %Y, %H:%M}{' IST' if value.tzinfo else ''}"


def _local(value: dt.datetime) -> dt.datetime:
    return value.astimezone(CLOCK) if value.tzinfo else value


def _bytes(value: object, digits: int, numbers: Numbers) -> str:
    if not _is_number(value):
        return str(value)
    size = float(value)  # type: ignore[arg-type]
    for unit in ("B", "KB", "MB", "GB"):
        if abs(size) < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{_decimal(size, 0 if unit == 'B' else digits, numbers)} {unit}"


def _flag(value: object, _digits: int, _numbers: Numbers) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _text(value: object, _digits: int, _numbers: Numbers) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _auto(value: object, digits: int, numbers: Numbers) -> str:
    if isinstance(value, bool):
        return _flag(value, digits, numbers)
    if isinstance(value, int):
        return group(value, numbers)
    if isinstance(value, (float, Decimal)):
        return _decimal(value, digits, numbers)
    if isinstance(value, dt.date):
        return _time(value, digits, numbers)
    return _text(value, digits, numbers)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


FORMATS = {
    "auto": Format(_auto, 2, "left", ",.{}~f", 2),
    "text": Format(_text, 0, "left", None),
    "code": Format(_text, 0, "left", None),
    "status": Format(_text, 0, "left", None),
    "flag": Format(_flag, 0, "left", None),
    "number": Format(_number, 2, "right", ",.{}~f", 2),
    "ratio": Format(_number, 2, "right", ",.{}~f", 2),
    "count": Format(_number, 0, "right", ",.{}f"),
    "sessions": Format(_scaled(1, " sessions"), 0, "right", ",.{}f"),
    "days": Format(_scaled(1, " days"), 0, "right", ",.{}f"),
    "seconds": Format(_scaled(1, " s"), 2, "right", ",.{}f", 1),
    "times": Format(_scaled(1, "×"), 2, "right", ",.{}~f", 2),
    "percent": Format(_scaled(100, "%"), 1, "right", ".{}%"),
    "percent_signed": Format(_signed, 1, "right", "+.{}%"),
    "bps": Format(_scaled(1, " bps"), 1, "right", ",.{}f"),
    "inr": Format(_rupees, 2, "right", None),
    "inr_full": Format(_rupees_full, 0, "right", None),
    "bytes": Format(_bytes, 1, "right", None),
    "date": Format(_date, 0, "left", None),
    "time": Format(_time, 0, "left", None),
}

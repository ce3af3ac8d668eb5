"""Dates in the names of files, in every form the exchange has used."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

DAYS_IN_NAMES = (
    (r"(?<!\d)(\d{2}[A-Za-z]{3}\d{4})(?!\d)", "%d%b%Y"),
    (r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)", "%Y-%m-%d"),
    (r"(?<!\d)((?:19|20)\d{2}[01]\d[0-3]\d)(?!\d)", "%Y%m%d"),
    (r"(?<!\d)([0-3]\d[01]\d(?:19|20)\d{2})(?!\d)", "%d%m%Y"),
)


def day_in_name(name: str) -> date | None:
    """The one date a file's name gives, in any of the forms the exchange has used; None when it gives none."""
    last = re.split(r"[/:]", name)[-1]
    for pattern, form in DAYS_IN_NAMES:
        for text in re.findall(pattern, last):
            try:
                return datetime.strptime(text, form).replace(tzinfo=UTC).date()
            except ValueError:
                continue
    return None

"""What a row must be before the lake keeps it, and when the market could have known it.

A rule is a reason and an SQL condition over the mapped row that is TRUE when the row is wrong; NULL is not wrong. Order
matters: a row is quarantined with the first reason that holds.
"""

from __future__ import annotations

from datetime import date, datetime

from tsq.engine.datasets import Column, Dataset
from tsq.engine.lake import quote, timestamp_sql

Rule = tuple[str, str]

# No exchange file or filing of this market is older; a date before it is a misread one.
OLDEST_DAY = date(1900, 1, 1)
WRONG_WIDTH = "has too few or too many values (cut off, or a comma inside a value)"
SYMBOL = r"[A-Z0-9&.\-_$]{1,30}"

# Prices are compared exactly: in 7.1 million real rows (2010-2023) every open and close lies inside [low, high].
# Value over volume is an average price, so it must lie in [low, high] too. Files print it rounded (to 1,000 rupees in
# lakhs, to 1 rupee in panels), and one in a hundred is allowed for prices rounded by a panel's maker. What this catches
# is a wrong unit (lakhs, crores, paise) and adjusted prices beside unadjusted values.
ROWS: dict[str, tuple[Rule, ...]] = {
    "prices": (
        ("close is not above zero", "close <= 0"),
        ("open is not above zero", "open <= 0"),
        ("high is not above zero", "high <= 0"),
        ("low is not above zero", "low <= 0"),
        ("previous close is below zero", "prev_close < 0"),
        ("high is below low", "high < low"),
        ("open is outside low and high", "open > high or open < low"),
        ("close is outside low and high", "close > high or close < low"),
        ("volume is below zero", "volume < 0"),
        ("turnover is below zero", "turnover_inr < 0"),
        (
            "turnover over volume is not a price of the day (a wrong unit, or adjusted prices?)",
            "turnover_inr + 1000 < 0.99 * volume * low or turnover_inr - 1000 > 1.01 * volume * high",
        ),
    ),
    "corporate_actions": (
        ("price factor is not above zero", "price_factor <= 0"),
        ("share factor is not above zero", "share_factor <= 0"),
        ("cash is below zero", "cash_inr < 0"),
        ("ratio is not above zero", "ratio_new <= 0 or ratio_held <= 0"),
        ("issue price is below zero", "issue_price_inr < 0"),
        ("face value is not above zero", "face_value_from <= 0 or face_value_to <= 0"),
        ("price without the demerged part is not above zero", "ex_price_inr <= 0"),
        (
            "has neither a factor nor cash, nor what gives its factor",
            """coalesce(price_factor, share_factor, cash_inr) is null and status is distinct from 'cancelled'
                and case kind
                when 'split' then face_value_from is null or face_value_to is null
                when 'consolidation' then face_value_from is null or face_value_to is null
                when 'bonus' then ratio_new is null or ratio_held is null
                when 'rights' then ratio_new is null or ratio_held is null or issue_price_inr is null
                else kind != 'demerger'
            end""",
        ),
    ),
    "index_levels": (
        ("close is not above zero", "close <= 0"),
        ("high is below low", "high < low"),
    ),
    "fills": (
        ("quantity is not above zero", "qty <= 0"),
        ("price is not above zero", "price <= 0"),
        ("arrival price is not above zero", "arrival_inr <= 0"),
        ("was executed on another day than its trade date", "(timezone('Asia/Kolkata', executed_at))::date != date"),
    ),
    "contract_notes": (
        ("value is below zero", "bought_inr < 0 or sold_inr < 0"),
        ("a note of no trade", "bought_inr = 0 and sold_inr = 0"),
        (
            "a charge is below zero",
            "least(brokerage_inr, exchange_inr, ipft_inr, sebi_inr, stt_inr, stamp_inr, gst_inr) < 0",
        ),
        (
            "the amounts do not add up to the net amount",
            """abs(sold_inr - bought_inr - net_inr - brokerage_inr - exchange_inr - coalesce(ipft_inr, 0) - sebi_inr
                - stt_inr - stamp_inr - gst_inr - other_inr) > 1""",
        ),
    ),
    "holdings": (("quantity is below zero", "qty < 0"), ("average cost is below zero", "average_inr < 0")),
    "index_members": (("valid_to is not after valid_from", "valid_to <= valid_from"),),
    "fundamentals": (
        ("period_end is before period_start", "period_end < period_start"),
        ("was broadcast before its period ended", "broadcast_at < ist(period_end::timestamp)"),
    ),
}

# When the market could have known a row: the exchange's publication, never the download.
KNOWN_AT: dict[str, str] = {
    "prices": "ist(date + interval '18 hours 30 minutes')",
    "index_levels": "ist(date + interval '18 hours 30 minutes')",
    "fundamentals": "broadcast_at",
    "corporate_actions": "coalesce(announced_at, ist(ex_date::timestamp))",
    "symbol_changes": "ist(effective_date::timestamp)",
    # An undated list is always visible; its null seen_on says that it is undated.
    "sectors": "coalesce(ist(seen_on + interval '18 hours 30 minutes'), TIMESTAMPTZ '1900-01-01 00:00:00+00:00')",
    "index_members": "ist(coalesce(announced_on, valid_from)::timestamp)",
    "listings": "coalesce(ist(listed_on::timestamp), TIMESTAMPTZ '1900-01-01 00:00:00+00:00')",
    # A day without an announcement on file is known on its own morning.
    "calendar": "coalesce(announced_at, ist(date::timestamp))",
    # An account's records: when the broker reported them. A sheet without a time is the evening's; a contract note is
    # due within 24 hours of the trade.
    "fills": "ist(date + interval '18 hours 30 minutes')",
    "holdings": "ist(date + interval '18 hours 30 minutes')",
    "contract_notes": "ist(date + interval '1 day')",
}

# Days that have happened when they are printed: one after the day of loading is a mistake.
PAST_DAYS: dict[str, tuple[str, ...]] = {
    "prices": ("date",),
    "index_levels": ("date",),
    "fundamentals": ("period_end", "broadcast_at"),
    "sectors": ("seen_on",),
    "calendar": ("announced_at",),
    "fills": ("date", "executed_at"),
    "contract_notes": ("date",),
    "holdings": ("date",),
}

# Kinds of facts that are dated by another column than a DATE of their key.
DAY_COLUMN: dict[str, str] = {"listings": "listed_on"}


def known_at_sql(dataset: Dataset, given: datetime | None) -> str:
    """SQL of a row's `known_at`: the time given for the whole load, else the dataset's own rule."""
    if given is not None:
        return timestamp_sql(given)
    return KNOWN_AT[dataset.name]


def day_column(dataset: Dataset) -> str | None:
    """The column that dates a row in reports: the first DATE of the key; None where rows have no date."""
    days = [name for name in dataset.key if dataset.column(name).type == "DATE"]
    return days[0] if days else DAY_COLUMN.get(dataset.name)


def reason_sql(dataset: Dataset, loaded_at: datetime) -> str:
    """A CASE over the mapped row: the first reason to quarantine it, or NULL.

    The mapped row has the dataset's columns with numbers as DOUBLE (NaN where unreadable), `wrong_width`, `reject` and
    `told_at`.
    """
    rules: list[Rule] = [("known_at is not a time", "isinf(told_at)")]
    for column in dataset.columns:
        rules += _readable(column)
    for column in dataset.columns:
        if column.required:
            rules.append((f"{column.name} is missing", f'"{column.name}" is null'))
        if column.one_of:
            values = ", ".join(quote(str(value)) for value in column.one_of)
            rules.append(
                (
                    f"{column.name} is not one of {', '.join(map(str, column.one_of))}",
                    f'"{column.name}" not in ({values})',
                )
            )
    rules += [
        (f"{name} has characters no ticker has", f"not regexp_full_match({name}, {quote(SYMBOL)})")
        for name in ("symbol", "old_symbol", "new_symbol")
        if name in dataset.column_names
    ]
    # Today in India: the trade date of a file printed this evening.
    today = f"(timezone('Asia/Kolkata', {timestamp_sql(loaded_at)}))::date"
    for name in PAST_DAYS.get(dataset.name, ()):
        moment = timestamp_sql(loaded_at) if dataset.column(name).type == "TIMESTAMPTZ" else today
        rules.append((f"{name} is in the future", f'"{name}" > {moment}'))
    rules += ROWS.get(dataset.name, ())
    cases = "\n        ".join(f"when {condition} then {quote(reason)}" for reason, condition in rules)
    first = f"when wrong_width then {quote(WRONG_WIDTH)}\n        when reject is not null then reject"
    return f"case\n        {first}\n        {cases}\n    end"


def _readable(column: Column) -> list[Rule]:
    name = f'"{column.name}"'
    if column.type in ("DOUBLE", "BIGINT", "INTEGER"):
        rules = [(f"{column.name} is not a finite number", f"not isfinite({name})")]
        if column.type != "DOUBLE":
            rules.append((f"{column.name} is not a whole number", f"{name} != trunc({name}) or abs({name}) > 9e15"))
        return rules
    if column.type in ("DATE", "TIMESTAMPTZ"):
        return [(f"{column.name} is not a date", f"isinf({name}) or {name} < DATE '{OLDEST_DAY}'")]
    return []

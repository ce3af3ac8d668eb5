"""The formats ingest knows: one frozen value each. Adding a format is adding one value.

A format is recognised by the names in its header (lower case, trimmed), never by the file's name. Its `select` maps
cells to the columns of its dataset, written with the macros of `tsq.ingest.cells`:

    number(x)   a DOUBLE; what is not a number becomes NaN, which the checks refuse
    amount(x)   the same, written with commas: 1,23,456.50
    day(x)      a DATE; what is not a date becomes -infinity, which the checks refuse
    instant(x)  a time with a zone; a naive one is Asia/Kolkata
    over(x)     the same of what is known when it happened; of a day without a time, its end
    word(x)     a trimmed text, null when empty
    caps(x)     the same in capitals

Three more output names mean something: `reject`, a reason to quarantine the row, `note`, a remark on the file, and
`told_at`, the time at which the row itself says it was known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tsq.engine.datasets import Dataset

MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
OWN_RANK = 10
# A hand-made price file is the last to be believed; any other hand-made table was made to be believed.
OWN_PRICES_RANK = 60
# Columns of a hand-made file that are not read as all of their type are.
OWN_READ = {"index_name": "caps({})", "broadcast_at": "over({})", "exchange": "caps({})", "side": "lower(word({}))"}
# Other names for a dataset's own columns in a hand-made file.
OWN_ALIASES = {
    "ticker": "symbol",
    "industry": "sector",
    "index": "index_name",
    "level": "close",
    "quantity": "qty",
}


@dataclass(frozen=True)
class Format:
    """How one kind of file is recognised and read.

    `needs` must all be in the header; `may` are read when there and null otherwise; `aliases` rename header names.
    `only`: nothing but `needs` and `may` may be in the header. `first_line` recognises a file without a header, whose
    columns are then `needs`. `of_file`: aggregates over the rows of a file, which `select` may use by name.
    `by_name`: the file's own name says what its rows do not: `select` may use `file`, and `named`, the one date in it.
    A lower `source_rank` wins between formats of equal knowledge.
    """

    name: str
    dataset: str
    source_rank: int
    needs: tuple[str, ...]
    select: str
    may: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    only: bool = False
    first_line: re.Pattern[str] | None = None
    of_file: str = ""
    by_name: bool = False


LEGACY_BHAVCOPY = Format(
    name="legacy_bhavcopy",
    dataset="prices",
    source_rank=20,
    needs=(
        "symbol",
        "series",
        "open",
        "high",
        "low",
        "close",
        "last",
        "prevclose",
        "tottrdqty",
        "tottrdval",
        "timestamp",
    ),
    may=("totaltrades", "isin"),
    select="""
        day(timestamp) as date,
        word(symbol) as symbol,
        word(series) as series,
        word(isin) as isin,
        number(open) as open,
        number(high) as high,
        number(low) as low,
        number(close) as close,
        number(last) as last,
        number(prevclose) as prev_close,
        number(tottrdqty) as volume,
        number(tottrdval) as turnover_inr,
        number(totaltrades) as trades,
        true as turnover_exact,
    """,
)

SEC_BHAVDATA_FULL = Format(
    name="sec_bhavdata_full",
    dataset="prices",
    source_rank=40,
    needs=(
        *(
            "symbol",
            "series",
            "date1",
            "prev_close",
            "open_price",
            "high_price",
            "low_price",
            "last_price",
            "close_price",
        ),
        *("ttl_trd_qnty", "turnover_lacs"),
    ),
    may=("avg_price", "no_of_trades", "deliv_qty", "deliv_per"),
    # A converter in the wild writes rupees into the lakhs column. One such row is refused by the price checks; only a
    # file in which at least 99 rows of 100 (and at least 10 rows) make sense as rupees is read as rupees, and says so.
    of_file="""
        count(*) as n_rows,
        count_if(number(turnover_lacs) between 0.5 * number(ttl_trd_qnty) * number(low_price)
            and 2 * number(ttl_trd_qnty) * number(high_price)) as n_like_rupees
    """,
    select="""
        day(date1) as date,
        word(symbol) as symbol,
        word(series) as series,
        number(open_price) as open,
        number(high_price) as high,
        number(low_price) as low,
        number(close_price) as close,
        number(last_price) as last,
        number(prev_close) as prev_close,
        number(ttl_trd_qnty) as volume,
        n_like_rupees >= 10 and n_like_rupees >= 0.99 * n_rows as is_rupees,
        round(number(turnover_lacs) * case when is_rupees then 1 else 100000 end, 2) as turnover_inr,
        number(no_of_trades) as trades,
        number(nullif(deliv_qty, '-')) as deliverable_qty,
        false as turnover_exact,
        case when is_rupees then 'the column of lakhs holds rupees; read as rupees' end as note,
    """,
)

UDIFF = Format(
    name="udiff",
    dataset="prices",
    source_rank=10,
    needs=(
        *(
            "traddt",
            "sgmt",
            "src",
            "fininstrmtp",
            "isin",
            "tckrsymb",
            "sctysrs",
            "opnpric",
            "hghpric",
            "lwpric",
            "clspric",
        ),
        *("lastpric", "prvsclsgpric", "ttltradgvol", "ttltrfval"),
    ),
    may=("fininstrmnm", "ttlnboftxsexctd"),
    select="""
        day(traddt) as date,
        word(tckrsymb) as symbol,
        word(sctysrs) as series,
        word(isin) as isin,
        word(fininstrmnm) as name,
        number(opnpric) as open,
        number(hghpric) as high,
        number(lwpric) as low,
        number(clspric) as close,
        number(lastpric) as last,
        number(prvsclsgpric) as prev_close,
        number(ttltradgvol) as volume,
        number(ttltrfval) as turnover_inr,
        number(ttlnboftxsexctd) as trades,
        true as turnover_exact,
        case
            when sgmt is distinct from 'CM' then 'is not of the cash market (Sgmt is not CM)'
            when fininstrmtp is distinct from 'STK' then 'is not a stock (FinInstrmTp is not STK)'
            when src is distinct from 'NSE' then 'is not of this exchange (Src is not NSE)'
        end as reject,
    """,
)

PANEL_ALIASES = {
    "ticker": "symbol",
    "turnover": "turnover_inr",
    "deliverable": "deliverable_qty",
    "prevclose": "prev_close",
    "previous_close": "prev_close",
}
# A hand-made table may say of each row when it was known: corrections lie in one file.
TOLD_AT = "instant(known_at) as told_at,"
PANEL_NEEDS = ("date", "symbol", "open", "high", "low", "close", "volume")
PANEL_SELECT = f"""
        {TOLD_AT}
        day(date) as date,
        word(symbol) as symbol,
        coalesce(word(series), 'EQ') as series,
        word(isin) as isin,
        word(name) as name,
        number(open) as open,
        number(high) as high,
        number(low) as low,
        number(close) as close,
        number(last) as last,
        number(prev_close) as prev_close,
        number(volume) as volume,
        number(turnover_inr) as turnover_inr,
        number(trades) as trades,
        number(deliverable_qty) as deliverable_qty,
        coalesce(try_cast(turnover_exact as boolean), true) as turnover_exact,
"""
PANEL_NSE = Format(
    name="panel_nse",
    dataset="prices",
    source_rank=30,
    needs=(*PANEL_NEEDS, "series", "prev_close"),
    may=("isin", "name", "last", "turnover_inr", "trades", "deliverable_qty", "turnover_exact", "known_at"),
    aliases=PANEL_ALIASES,
    select=PANEL_SELECT,
)
PANEL_TIDY = Format(
    name="panel_tidy",
    dataset="prices",
    source_rank=50,
    needs=PANEL_NEEDS,
    may=(
        *("series", "prev_close", "isin", "name", "last", "turnover_inr", "trades", "deliverable_qty"),
        *("turnover_exact", "known_at"),
    ),
    aliases=PANEL_ALIASES,
    select=PANEL_SELECT,
)

SYMBOLCHANGE = Format(
    name="symbolchange",
    dataset="symbol_changes",
    source_rank=20,
    needs=("company", "old_symbol", "new_symbol", "effective_date"),
    first_line=re.compile(rf"^[^,]*,\s*[^,\s]+\s*,\s*[^,\s]+\s*,\s*\d{{2}}-({MONTHS})-\d{{4}}\s*$", re.IGNORECASE),
    select="""
        word(old_symbol) as old_symbol,
        word(new_symbol) as new_symbol,
        day(effective_date) as effective_date,
        word(company) as company,
        case when old_symbol = new_symbol then 'changes nothing: old and new symbol are the same' end as reject,
    """,
)

SPLIT_BONUS_EVENTS = Format(
    name="split_bonus_events",
    dataset="corporate_actions",
    source_rank=20,
    needs=("symbol", "ex_date", "factor", "isin_changed", "verdict"),
    may=("f_eod2", "f_csvk", "prev_date", "raw_prev_close", "raw_close", "raw_ratio"),
    # `factor` is null where its maker's first source has none: the second source's factor then stands in.
    select="""
        word(symbol) as symbol,
        day(ex_date) as ex_date,
        case when try_cast(isin_changed as boolean) then 'split' else 'split_or_bonus' end as kind,
        coalesce(number(factor), number(f_eod2), number(f_csvk)) as share_factor,
        1 / nullif(share_factor, 0) as price_factor,
        case
            when starts_with(verdict, 'confirmed') then 'confirmed'
            when verdict = 'contradicted' then 'contradicted'
            when verdict = 'not_in_panel' then 'unconfirmed'
            else verdict
        end as status,
        'split_bonus_events: ' || verdict as source,
    """,
)

NIFTY500_SNAPSHOTS = Format(
    name="nifty500_snapshots",
    dataset="sectors",
    source_rank=20,
    needs=("seen_on", "company name", "industry", "symbol", "series", "isin code"),
    select="""
        word(symbol) as symbol,
        word("isin code") as isin,
        word(industry) as sector,
        day(seen_on) as seen_on,
    """,
)

SECTOR_MAP = Format(
    name="sector_map",
    dataset="sectors",
    source_rank=30,
    needs=("symbol", "isin", "company", "industry", "source", "as_of"),
    may=("tv_sector", "tv_industry"),
    # A list dated to a month only is dated to the month's end: seen_on is an upper bound.
    select="""
        word(symbol) as symbol,
        word(isin) as isin,
        word(industry) as sector,
        case
            when regexp_full_match(as_of, '\\d{4}-\\d{2}') then last_day(day(as_of || '-01'))
            else day(as_of)
        end as seen_on,
    """,
)

SECTOR_MAPPING = Format(
    name="sector_mapping",
    dataset="sectors",
    source_rank=OWN_RANK,
    needs=("symbol", "sector"),
    may=("isin", "seen_on", "company", "company name", "name", "series", "known_at"),
    aliases={**OWN_ALIASES, "isin code": "isin", "as_of": "seen_on"},
    only=True,
    select=f"""
        {TOLD_AT}
        word(symbol) as symbol,
        word(isin) as isin,
        word(sector) as sector,
        day(seen_on) as seen_on,
    """,
)

NIFTY50_MEMBERSHIP = Format(
    name="nifty50_membership",
    dataset="index_members",
    source_rank=20,
    needs=("index_name", "symbol", "valid_from", "valid_to", "open_source", "close_source"),
    # The press releases that announced an entry and an exit carry their dates in their names: ind_prs27022014.
    select="""
        caps(index_name) as index_name,
        word(symbol) as symbol,
        day(valid_from) as valid_from,
        day(valid_to) as valid_to,
        try_strptime(regexp_extract(open_source, 'ind_prs(\\d{8})', 1), '%d%m%Y')::date as announced_on,
        try_strptime(regexp_extract(close_source, 'ind_prs(\\d{8})', 1), '%d%m%Y')::date as exit_announced_on,
    """,
)

INDEX_TRI = Format(
    name="index_tri",
    dataset="index_levels",
    source_rank=20,
    needs=("date", "index_name", "tri"),
    may=("source",),
    select="""
        day(date) as date,
        caps(index_name) as index_name,
        'total' as kind,
        number(tri) as close,
    """,
)

INDEX_HISTORY = Format(
    name="index_history",
    dataset="index_levels",
    source_rank=20,
    needs=("date", "index_name", "open", "high", "low", "close", "volume"),
    # Days without an opening level are printed as zeros.
    select="""
        day(date) as date,
        caps(index_name) as index_name,
        'price' as kind,
        nullif(number(open), 0) as open,
        nullif(number(high), 0) as high,
        nullif(number(low), 0) as low,
        number(close) as close,
    """,
)

FUNDAMENTALS_FILINGS = Format(
    name="fundamentals_filings",
    dataset="fundamentals",
    source_rank=20,
    needs=(
        "symbol",
        "period_start",
        "period_end",
        "consolidated",
        "broadcast_ts",
        "revenue",
        "finance_costs",
        "pbt",
        "pat",
    ),
    may=(
        *("isin", "relating_to", "interest_earned", "other_income", "tax", "eps_basic", "paid_up_equity", "face_value"),
        *("equity", "assets", "cfo"),
    ),
    # A bank has no revenue line: its interest earned stands for it. Cash flow counts from the start of the financial
    # year, which not all companies begin in April; which quarter of it a filing is of stands in relating_to.
    select="""
        word(symbol) as symbol,
        word(isin) as isin,
        day(period_start) as period_start,
        day(period_end) as period_end,
        try_cast(consolidated as boolean) as consolidated,
        over(broadcast_ts) as broadcast_at,
        list_position(['first quarter', 'second quarter', 'third quarter', 'fourth quarter'], lower(word(relating_to)))
            as fiscal_quarter,
        coalesce(number(revenue), number(interest_earned)) as revenue_inr,
        number(pbt) + coalesce(number(finance_costs), 0) - coalesce(number(other_income), 0) as operating_profit_inr,
        number(other_income) as other_income_inr,
        number(finance_costs) as interest_inr,
        number(tax) as tax_inr,
        number(pat) as net_profit_inr,
        number(eps_basic) as eps_inr,
        number(paid_up_equity) as paid_up_capital_inr,
        number(face_value) as face_value_inr,
        number(equity) as equity_inr,
        number(assets) as assets_inr,
        number(cfo) as cfo_inr,
    """,
)

EQUITY_L = Format(
    name="equity_l",
    dataset="listings",
    source_rank=20,
    needs=("symbol", "name of company", "series", "date of listing", "isin number", "face value"),
    may=("paid up value", "market lot"),
    select="""
        word(symbol) as symbol,
        word("name of company") as name,
        word(series) as series,
        day("date of listing") as listed_on,
        word("isin number") as isin,
        number("face value") as face_value_inr,
    """,
)

# Holidays as the exchange's site hands them out: it says no word of when they were announced (`--known-at`).
HOLIDAY_LIST = Format(
    name="holiday_list",
    dataset="calendar",
    source_rank=20,
    needs=("date", "day", "description"),
    may=("sr. no", "sr. no.", "sr no", "morning session", "evening session"),
    only=True,
    select="""
        day(date) as date,
        case when contains(lower(description), 'muhurat') then 'short' else 'holiday' end as status,
        word(description) as name,
        'list of holidays' as source,
    """,
)

# Lists made by hand from circulars, with the day of the circular as the first words of `known_from`, or in `source`.
DATED_HOLIDAYS = Format(
    name="dated_holidays",
    dataset="calendar",
    source_rank=20,
    needs=("date", "holiday", "known_from"),
    may=("status", "source"),
    only=True,
    select="""
        day(date) as date,
        'holiday' as status,
        word(holiday) as name,
        instant(word(left(known_from, 10))) as announced_at,
        coalesce(word(source), word(known_from)) as source,
    """,
)

SETTLEMENT_HOLIDAYS = Format(
    name="settlement_holidays",
    dataset="calendar",
    source_rank=20,
    needs=("date", "reason", "effect", "source"),
    may=("status",),
    only=True,
    select="""
        day(date) as date,
        'settlement_holiday' as status,
        word(reason) as name,
        ist(day(nullif(regexp_extract(source, '\\d{1,2}-[A-Z][a-z]{2}-\\d{4}'), ''))::timestamp) as announced_at,
        word(source) as source,
    """,
)

# A broker's files name the account only in the file's name: tradebook-AB1234-EQ.csv.
CLIENT_OF_FILE = (
    "coalesce(nullif(regexp_extract(file, '(?:^|[^A-Z0-9])([A-Z]{2,3}[0-9]{3,6})(?:[^A-Z0-9]|$)', 1), ''), 'main')"
)

# Trades as Zerodha's Console hands them out; a trade has no time of report, so it counts as known that evening.
TRADEBOOK = Format(
    name="tradebook",
    dataset="fills",
    source_rank=20,
    needs=("symbol", "trade_date", "exchange", "trade_type", "quantity", "price", "trade_id"),
    may=("isin", "segment", "series", "auction", "order_id", "order_execution_time"),
    by_name=True,
    select=f"""
        {CLIENT_OF_FILE} as account,
        day(trade_date) as date,
        instant(order_execution_time) as executed_at,
        word(symbol) as symbol,
        word(isin) as isin,
        word(series) as series,
        caps(exchange) as exchange,
        lower(word(trade_type)) as side,
        number(quantity) as qty,
        number(price) as price,
        word(trade_id) as trade_id,
        word(order_id) as order_id,
        case when segment != 'EQ' then 'is not of the cash market (segment is not EQ)' end as reject,
    """,
)

# Holdings as Kite and Console hand them out: neither says of which day, so the file's name must.
NO_DAY_IN_NAME = (
    "case when named is null then 'no date: put the day of the statement into the file''s name' end as reject,"
)
KITE_HOLDINGS = Format(
    name="kite_holdings",
    dataset="holdings",
    source_rank=20,
    needs=("instrument", "qty.", "avg. cost", "ltp"),
    may=("invested", "cur. val", "p&l", "net chg.", "day chg."),
    by_name=True,
    select=f"""
        {CLIENT_OF_FILE} as account,
        coalesce(named, '-infinity'::date) as date,
        word(instrument) as symbol,
        amount("qty.") as qty,
        amount("avg. cost") as average_inr,
        {NO_DAY_IN_NAME}
    """,
)
CONSOLE_HOLDINGS = Format(
    name="console_holdings",
    dataset="holdings",
    source_rank=20,
    needs=("symbol", "isin", "quantity available", "average price"),
    may=("sector", "quantity discrepant", "quantity long term", "quantity pledged (margin)", "quantity pledged (loan)"),
    by_name=True,
    # What is pledged is held all the same, and is not among what is available.
    select=f"""
        {CLIENT_OF_FILE} as account,
        coalesce(named, '-infinity'::date) as date,
        word(symbol) as symbol,
        word(isin) as isin,
        amount("quantity available") + coalesce(amount("quantity pledged (margin)"), 0)
            + coalesce(amount("quantity pledged (loan)"), 0) as qty,
        amount("average price") as average_inr,
        {NO_DAY_IN_NAME}
    """,
)

# The table of a contract note in its own words, one note a row.
NOTE_WORDS = Format(
    name="note_words",
    dataset="contract_notes",
    source_rank=20,
    needs=(
        *("contract note no", "trade date", "purchase value", "sale value", "securities transaction tax"),
        *(
            "exchange transaction charges",
            "sebi turnover fees",
            "stamp duty",
            "net amount receivable/payable by client",
        ),
    ),
    may=("client id", "taxable value of supply (brokerage)", "integrated gst", "central gst", "state gst", "ipft"),
    select="""
        coalesce(word("client id"), 'main') as account,
        day("trade date") as date,
        word("contract note no") as note_no,
        amount("purchase value") as bought_inr,
        amount("sale value") as sold_inr,
        amount("taxable value of supply (brokerage)") as brokerage_inr,
        amount("exchange transaction charges") as exchange_inr,
        amount(ipft) as ipft_inr,
        amount("sebi turnover fees") as sebi_inr,
        amount("securities transaction tax") as stt_inr,
        amount("stamp duty") as stamp_inr,
        coalesce(amount("integrated gst"), 0) + coalesce(amount("central gst"), 0) + coalesce(amount("state gst"), 0)
            as gst_inr,
        amount("net amount receivable/payable by client") as net_inr,
    """,
)

# The most telling headers first: the first format that fits is taken.
FORMATS: tuple[Format, ...] = (
    UDIFF,
    LEGACY_BHAVCOPY,
    SEC_BHAVDATA_FULL,
    FUNDAMENTALS_FILINGS,
    SPLIT_BONUS_EVENTS,
    NIFTY50_MEMBERSHIP,
    NIFTY500_SNAPSHOTS,
    SECTOR_MAP,
    EQUITY_L,
    INDEX_HISTORY,
    INDEX_TRI,
    PANEL_NSE,
    PANEL_TIDY,
    SYMBOLCHANGE,
    SECTOR_MAPPING,
    DATED_HOLIDAYS,
    SETTLEMENT_HOLIDAYS,
    HOLIDAY_LIST,
    TRADEBOOK,
    KITE_HOLDINGS,
    CONSOLE_HOLDINGS,
    NOTE_WORDS,
)

# Files of the exchange that are known and hold nothing a model uses: header → what to say.
UNUSED = {
    (
        "nch_symbol",
        "nch_prev_name",
        "nch_new_name",
        "nch_dt",
    ): "is the exchange's list of company names, which no model uses: left out"
}


def own_format(dataset: Dataset) -> Format:
    """The format of a file whose header is a dataset's own column names: the required ones, any others, known_at."""
    read = {
        "DOUBLE": "number({})",
        "BIGINT": "number({})",
        "INTEGER": "number({})",
        "DATE": "day({})",
        "TIMESTAMPTZ": "instant({})",
        "BOOLEAN": "try_cast({} as boolean)",
        "VARCHAR": "word({})",
    }
    lines = [TOLD_AT]
    for column in dataset.columns:
        value = OWN_READ.get(column.name, read[column.type]).format(f'"{column.name}"')
        lines.append(f'{value} as "{column.name}",')
    needed = tuple(column.name for column in dataset.columns if column.required and column.default is None)
    return Format(
        name=dataset.name,
        dataset=dataset.name,
        source_rank=OWN_PRICES_RANK if dataset.name == "prices" else OWN_RANK,
        needs=needed,
        may=(*(name for name in dataset.column_names if name not in needed), "known_at"),
        aliases={alias: name for alias, name in OWN_ALIASES.items() if name in dataset.column_names},
        only=True,
        select="\n".join(lines),
    )


def recognise(header: tuple[str, ...], first_line: str, formats: Iterable[Format]) -> Format | None:
    """The first format that fits a header (lower case, trimmed) or, for a file without one, its first line."""
    for candidate in formats:
        if candidate.first_line is not None:
            if candidate.first_line.match(first_line):
                return candidate
            continue
        names = {candidate.aliases.get(name, name) for name in header if name}
        if names.issuperset(candidate.needs) and (not candidate.only or names <= {*candidate.needs, *candidate.may}):
            return candidate
    return None

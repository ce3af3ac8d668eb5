"""Files of one format and one header, as one relation: `file_no, row_no, wrong_width`, and a column for each name read.

Text goes through DuckDB's CSV reader once for the whole group. Where every row has the header's width and nothing is
quoted, the reader splits it. Any other text is read one line a value and split there, so that a damaged row damages no
other. Either way a row keeps its number and its text, which is read again only where a row is refused. Numbers and
dates are read by the macros below, with one answer for "is not one".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import duckdb

from tsq.engine.lake import quote
from tsq.ingest.formats import Format

UNIT_SEPARATOR = "\x1f"
DAYS = "['%d-%b-%Y', '%d-%B-%Y', '%d %b %Y', '%d/%m/%Y', '%d-%m-%Y', '%Y%m%d']"

MACROS = (
    "create macro ist(moment) as timezone('UTC', moment - interval '5 hours 30 minutes')",
    "create macro number(x) as case when x is not null then coalesce(try_cast(x as double), 'nan'::double) end",
    "create macro amount(x) as number(replace(cast(x as varchar), ',', ''))",
    "create macro word(x) as nullif(trim(cast(x as varchar)), '')",
    "create macro caps(x) as upper(nullif(trim(cast(x as varchar)), ''))",
    # The exchange writes days first; an ISO date may carry a time, which is dropped. Either is tried first where its
    # punctuation stands, as a miss costs more than a hit.
    f"create macro day_first(x) as try_strptime(x, {DAYS})::date",
    "create macro day(x) as case "
    "when x is null then null "
    "when typeof(x) in ('DATE', 'TIMESTAMP', 'TIMESTAMP_NS') then try_cast(x as date) "
    "when substr(cast(x as varchar), 3, 1) = '-' "
    "then coalesce(day_first(cast(x as varchar)), try_cast(cast(x as varchar) as date), '-infinity'::date) "
    "else coalesce(try_cast(cast(x as varchar) as date), day_first(cast(x as varchar)), '-infinity'::date) end",
    # A time without a zone is Indian wall time.
    "create macro instant(x) as case when x is not null then coalesce("
    r"case when regexp_matches(cast(x as varchar), ':\d\d(\.\d+)?\s*(Z|[+-]\d\d(:?\d\d)?)$')"
    " then try_cast(cast(x as varchar) as timestamptz) end, "
    "ist(try_cast(cast(x as varchar) as timestamp)), "
    "ist(try_strptime(cast(x as varchar), ['%d-%b-%Y %H:%M:%S', '%d-%b-%Y %H:%M', '%d/%m/%Y %H:%M:%S'])), "
    "'-infinity'::timestamptz) end",
    # Of a day without a time nobody knows the hour: what happened on it is known when it is over.
    r"create macro is_day(x) as regexp_full_match(trim(cast(x as varchar)), '\d{4}-\d\d-\d\d')",
    "create macro over(x) as instant(x) + to_days(cast(is_day(x) as integer))",
)


class Layout(NamedTuple):
    """How lines are split: what stands between values, whether it alone tells them apart, and whether blanks pad them.

    The exchange's full bhavcopy has a comma and a blank; taken as one delimiter they leave nothing to trim.
    """

    delimiter: str
    is_regular: bool
    is_padded: bool


@dataclass
class TextGroup:
    """Text files of one format, header and layout, gathered in one file of lines, each led by its file's number.

    `files` has for each file its number and what to add to a line's place in the group to get its number in the file.
    """

    format: Format
    header: tuple[str, ...]
    layout: Layout
    path: Path
    files: list[tuple[int, int]] = field(default_factory=list)
    n_lines: int = 0

    def add(self, file_no: int, rows: bytes, n_before: int) -> None:
        """Append a file's rows: UTF-8 lines, each ending in a newline, after its first `n_before` lines."""
        self.files.append((file_no, n_before - self.n_lines))
        self.n_lines += rows.count(b"\n")
        lead = f"{file_no}{self.layout.delimiter}".encode()
        clean = rows.replace(UNIT_SEPARATOR.encode(), b" ")
        with self.path.open("ab") as out:
            out.write(lead + clean[:-1].replace(b"\n", b"\n" + lead) + b"\n")


def layout_of(rows: bytes, width: int) -> Layout:
    """The layout of a file's rows, from counts over all of its bytes; `width` is the number of its header's names.

    Counts cannot tell a row too long from one too short beside it: the reader does, see `load_text`.
    """
    n_commas, n_rows = rows.count(b","), rows.count(b"\n")
    if width < 2 or b'"' in rows or n_commas not in (n_rows * (width - 1), n_rows * width):
        return Layout(",", is_regular=False, is_padded=True)
    delimiter = ","
    pads: tuple[bytes, ...] = (b", ", b" ,", b"\n ", b" \n", b"\t")
    if b", " in rows and rows.count(b", ") == n_commas and rows.count(b" ,") == rows.count(b", ,"):
        # A blank before a comma is the end of a delimiter where the value between is empty.
        delimiter, pads = ", ", (b",  ", b"\n ", b" \n", b"\t")
    if rows.startswith(b" ") or any(pad in rows for pad in pads):
        return Layout(",", is_regular=True, is_padded=True)
    return Layout(delimiter, is_regular=True, is_padded=False)


@dataclass
class ParquetGroup:
    """Parquet files of one format and schema: (file number, path) of each."""

    format: Format
    schema: tuple[tuple[str, str], ...]
    files: list[tuple[int, Path]] = field(default_factory=list)


def header_names(names: Iterable[str]) -> tuple[str, ...]:
    """Header names as formats write them: trimmed, unquoted, lower case; without empty ones after the last."""
    found = [name.strip().strip('"').strip().lower() for name in names]
    while found and not found[-1]:
        found.pop()
    return tuple(found)


def parquet_schema(con: duckdb.DuckDBPyConnection, path: Path) -> tuple[tuple[str, str], ...]:
    """Names and types of a parquet file's columns; empty when it is not a whole parquet file."""
    try:
        rows = con.execute(f"describe select * from read_parquet({quote(path.as_posix())})").fetchall()
    except duckdb.Error:
        return ()
    return tuple((str(name), str(kind)) for name, kind, *_ in rows)


def load_text(con: duckdb.DuckDBPyConnection, group: TextGroup, lines: str) -> str:
    """Make the view `lines` (file_no, row_no, line) of a group and give the SELECT of its cells.

    Blank lines are no rows. Cells are trimmed text, null when empty. Row numbers are the line numbers in the file.
    Reading the cells of a regular layout raises duckdb.InvalidInputException where a row has another width after all.
    """
    files = f"{lines}_files"
    con.execute(
        f"create or replace table {files} as select unnest(?)::integer as file_no, unnest(?)::bigint as shift",
        [list(column) for column in zip(*group.files, strict=True)],
    )
    # Numbered as they are read: the reader gives lines in the file's order.
    con.execute(
        f"create or replace view {lines} as select file_no, place + shift as row_no, line from ("
        f"select cast(split_part(text, ',', 1) as integer) as file_no, row_number() over () as place, "
        f"text[strpos(text, ',') + {len(group.layout.delimiter)}:] as line "
        f"from {_reader(group.path, UNIT_SEPARATOR, {'text': 'VARCHAR'})}) "
        f"join {files} using (file_no) where trim(line, e' \t') != ''"
    )
    places = _places(group.format, group.header)
    cell = "nullif(trim({}, e' \\t'), '')" if group.layout.is_padded else "{}"
    if group.layout.is_regular:
        columns = {"file_no": "INTEGER"} | {f"c{place}": "VARCHAR" for place in range(1, len(group.header) + 1)}
        source = (
            "select *, false as wrong_width, row_number() over () as place "
            f"from {_reader(group.path, group.layout.delimiter, columns)}"
        )
        cells = [f"{cell.format(f'c{place}')} as {_ident(name)}" for place, name in places]
        select = ["file_no", "place + shift as row_no", "wrong_width", *cells, *_absent(group.format, group.header)]
        return f"select {', '.join(select)} from ({source}) join {files} using (file_no)"
    # A comma after every value lets one pattern read them all; a quoted value then loses its quotes.
    values = """regexp_extract_all(line || ',', '(\\s*"(?:[^"]|"")*"\\s*|[^,]*),', 1)"""
    plain = """case when starts_with(trim(x), '"') then replace(trim(x)[2:-2], '""', '"') else x end"""
    quoted = f"list_transform({values}, lambda x: {plain})"
    split = f"case when contains(line, '\"') then {quoted} else string_split(line, ',') end"
    n = len(group.header)
    rest = f"trim(array_to_string(parts[{n + 1}:], ''), e' \\t') != ''"
    cells = [f"{cell.format(f'parts[{place}]')} as {_ident(name)}" for place, name in places]
    wrong = f"len(parts) < {n} or (len(parts) > {n} and {rest}) as wrong_width"
    return (
        f"select {', '.join(['file_no', 'row_no', wrong, *cells, *_absent(group.format, group.header)])} "
        f"from (select file_no, row_no, {split} as parts from {lines})"
    )


def load_parquet(con: duckdb.DuckDBPyConnection, group: ParquetGroup, lines: str) -> str:
    """Make the view `lines` (file_no, row_no, line) of a group and give the SELECT of its typed cells."""
    con.execute(
        f"create table {lines}_files as select unnest(?)::integer as file_no, unnest(?)::bigint as place",
        [[number for number, _ in group.files], list(range(len(group.files)))],
    )
    paths = ", ".join(quote(path.as_posix()) for _, path in group.files)
    con.execute(
        f"create view {lines}_all as select f.file_no, p.file_row_number + 1 as row_no, "
        f"p.* from (select *, file_index, file_row_number from read_parquet([{paths}])) as p "
        f"join {lines}_files as f on p.file_index = f.place"
    )
    names = [name for name, _ in group.schema]
    values = ", ".join(f"coalesce(cast({_ident(name)} as varchar), '')" for name in names)
    con.execute(f"create view {lines} as select file_no, row_no, concat_ws(',', {values}) as line from {lines}_all")
    header = header_names(names)
    cells = [
        f"{_typed(names[place - 1], group.schema[place - 1][1])} as {_ident(name)}"
        for place, name in _places(group.format, header)
    ]
    columns = ", ".join([*cells, *_absent(group.format, header)])
    return f"select file_no, row_no, false as wrong_width, {columns} from {lines}_all"


def _reader(path: Path, delimiter: str, columns: Mapping[str, str]) -> str:
    """The CSV reader with nothing left to guess; an empty value is null, a row of another width is an error."""
    named = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    return (
        f"read_csv({quote(path.as_posix())}, auto_detect = false, columns = {{{named}}}, delim = '{delimiter}', "
        "quote = '', escape = '', header = false, nullstr = '')"
    )


def _places(of: Format, header: Sequence[str]) -> list[tuple[int, str]]:
    """(1-based place, name) of the columns a format reads; a name written twice is read once, at its first place."""
    wanted = (*of.needs, *of.may)
    names = [of.aliases.get(name, name) if of.aliases.get(name, name) in wanted else name for name in header]
    return [
        (place, name) for place, name in enumerate(names, start=1) if name in wanted and name not in names[: place - 1]
    ]


def _absent(of: Format, header: Sequence[str]) -> list[str]:
    there = {name for _, name in _places(of, header)}
    return [f"cast(null as varchar) as {_ident(name)}" for name in (*of.needs, *of.may) if name not in there]


def _typed(name: str, kind: str) -> str:
    if kind == "FLOAT":
        # 885.6 kept in 32 bits is 885.5999755859375 in 64; its shortest text is what was meant.
        return f"cast(cast({_ident(name)} as varchar) as double)"
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"timezone('Asia/Kolkata', {_ident(name)})"
    return _ident(name)


def _ident(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

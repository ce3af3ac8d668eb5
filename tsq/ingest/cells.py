"""Files of one format and one header, as one relation: `file_no, row_no, wrong_width`, and a column for each name read.

Text goes through DuckDB's CSV reader once for the whole group, one value a line, and is split there; so a row keeps its
number and its text, and a damaged row damages no other. Numbers and dates are read by the macros below, with one answer
for "is not one".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from tsq.engine.lake import quote
from tsq.ingest.formats import Format

UNIT_SEPARATOR = "\x1f"

MACROS = (
    "create macro ist(moment) as timezone('UTC', moment - interval '5 hours 30 minutes')",
    "create macro number(x) as case when x is not null then coalesce(try_cast(x as double), 'nan'::double) end",
    "create macro word(x) as nullif(trim(cast(x as varchar)), '')",
    "create macro caps(x) as upper(nullif(trim(cast(x as varchar)), ''))",
    # The exchange writes days first; an ISO date may carry a time, which is dropped.
    "create macro day(x) as case when x is not null then coalesce("
    "try_cast(cast(x as varchar) as date), "
    "try_strptime(cast(x as varchar), ['%d-%b-%Y', '%d-%B-%Y', '%d %b %Y', '%d/%m/%Y', '%d-%m-%Y', '%Y%m%d'])::date, "
    "'-infinity'::date) end",
    # A time without a zone is Indian wall time.
    "create macro instant(x) as case when x is not null then coalesce("
    r"case when regexp_matches(cast(x as varchar), ':\d\d(\.\d+)?\s*(Z|[+-]\d\d(:?\d\d)?)$')"
    " then try_cast(cast(x as varchar) as timestamptz) end, "
    "ist(try_cast(cast(x as varchar) as timestamp)), "
    "ist(try_strptime(cast(x as varchar), ['%d-%b-%Y %H:%M:%S', '%d-%b-%Y %H:%M', '%d/%m/%Y %H:%M:%S'])), "
    "'-infinity'::timestamptz) end",
)


@dataclass
class TextGroup:
    """Text files of one format and header, gathered in one file of lines, each led by its file's number."""

    format: Format
    header: tuple[str, ...]
    path: Path
    files: list[tuple[int, int, int]] = field(default_factory=list)
    n_lines: int = 0
    has_quotes: bool = False

    def add(self, file_no: int, body: bytes, header_line: int) -> None:
        """Append a file: UTF-8 lines, each ending in a newline; the first `header_line` lines are not rows."""
        self.files.append((file_no, self.n_lines, header_line))
        self.n_lines += body.count(b"\n")
        self.has_quotes |= b'"' in body
        lead = f"{file_no}{UNIT_SEPARATOR}".encode()
        clean = body.replace(UNIT_SEPARATOR.encode(), b" ")
        with self.path.open("ab") as out:
            out.write(lead + clean[:-1].replace(b"\n", b"\n" + lead) + b"\n")


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
    """Read a group into the table `lines` (file_no, row_no, line) and give the SELECT of its cells.

    Blank lines are no rows. Cells are trimmed text, null when empty. Row numbers are the line numbers in the file.
    """
    con.execute(f"create table {lines}_files (file_no integer, first_line bigint, header_line bigint)")
    con.executemany(f"insert into {lines}_files values (?, ?, ?)", group.files)
    # Insertion order is the file's order, so a row's rowid is its place among all lines of the group.
    con.execute(
        f"create table {lines}_all as select file_no, line from read_csv({quote(group.path.as_posix())}, "
        f"auto_detect = false, columns = {{'file_no': 'INTEGER', 'line': 'VARCHAR'}}, delim = '{UNIT_SEPARATOR}', "
        "quote = '', escape = '', header = false, nullstr = '')"
    )
    con.execute(
        f"create view {lines} as select file_no, a.rowid - first_line + 1 as row_no, line "
        f"from {lines}_all as a join {lines}_files as f using (file_no) "
        f"where a.rowid - first_line >= header_line and trim(line, e' \\t') != ''"
    )
    split = "string_split(line, ',')"
    if group.has_quotes:
        # A comma after every value lets one pattern read them all; a quoted value then loses its quotes.
        values = """regexp_extract_all(line || ',', '(\\s*"(?:[^"]|"")*"\\s*|[^,]*),', 1)"""
        plain = """case when starts_with(trim(x), '"') then replace(trim(x)[2:-2], '""', '"') else x end"""
        split = f"case when contains(line, '\"') then list_transform({values}, lambda x: {plain}) else {split} end"
    n = len(group.header)
    rest = f"trim(array_to_string(parts[{n + 1}:], ''), e' \\t') != ''"
    cells = [
        f"nullif(trim(parts[{place}], e' \\t'), '') as {_ident(name)}"
        for place, name in _places(group.format, group.header)
    ]
    return (
        f"select file_no, row_no, len(parts) < {n} or (len(parts) > {n} and {rest}) as wrong_width, "
        + ", ".join([*cells, *_absent(group.format, group.header)])
        + f" from (select file_no, row_no, {split} as parts from {lines})"
    )


def load_parquet(con: duckdb.DuckDBPyConnection, group: ParquetGroup, lines: str) -> str:
    """Make the view `lines` (file_no, row_no, line) of a group and give the SELECT of its typed cells."""
    con.execute(f"create table {lines}_files (file_no integer, path varchar)")
    con.executemany(
        f"insert into {lines}_files values (?, ?)", [(number, path.as_posix()) for number, path in group.files]
    )
    paths = ", ".join(quote(path.as_posix()) for _, path in group.files)
    con.execute(
        f"create view {lines}_all as select f.file_no, p.file_row_number + 1 as row_no, "
        "p.* exclude (filename, file_row_number) "
        f"from read_parquet([{paths}], filename = true, file_row_number = true) as p "
        f"join {lines}_files as f on p.filename = f.path"
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

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from samples import NOW, legacy

from tsq.engine.lake import Lake
from tsq.ingest.batch import ingest
from tsq.ingest.cells import MACROS, Layout, TextGroup, layout_of, load_text
from tsq.ingest.formats import LEGACY_BHAVCOPY

BARE, SPACED = Layout(",", True, False), Layout(", ", True, False)
PADDED, ODD = Layout(",", True, True), Layout(",", False, True)
HEADER = ("symbol", "series", "isin")


@pytest.mark.parametrize(
    ("rows", "layout"),
    [
        (b"a,b,c\nd,e f,g\n", BARE),
        (b"a,b,\nd,,\n", BARE),
        (b"a,b,c,\nd,e,f,\n", BARE),
        (b"a, b, c\nd, , f\n", SPACED),
        (b"a, , , \nd, e, f, \n", PADDED),
        (b"a, b,c\n", PADDED),
        (b"a,b\t,c\n", PADDED),
        (b"a,  b, c\n", PADDED),
        (b"a , b, c\n", PADDED),
        (b" a,b,c\n", PADDED),
        (b"a,b,c \n", PADDED),
        (b"a,b\nd,e,f\n", ODD),
        (b"a,b,c\n\nd,e,f\n", ODD),
        (b'a,"b",c\n', ODD),
    ],
)
def test_a_layout_is_found_from_counts(rows: bytes, layout: Layout) -> None:
    assert layout_of(rows, 3) == layout


def test_one_name_tells_no_layout() -> None:
    assert layout_of(b"a\n\nb\n", 1) == ODD


def read(folder: Path, files: list[bytes], layout: Layout, how: Layout) -> list[tuple[Any, ...]]:
    """Cells of files gathered in one layout and read as another."""
    (folder / "lines.txt").unlink(missing_ok=True)
    group = TextGroup(LEGACY_BHAVCOPY, HEADER, layout, folder / "lines.txt")
    for number, rows in enumerate(files):
        group.add(number, rows, n_before=1)
    with duckdb.connect() as con:
        for macro in MACROS:
            con.execute(macro)
        cells = load_text(con, replace(group, layout=how), "lines")
        names = "file_no, row_no, wrong_width, symbol, series, isin"
        return con.execute(f"select {names} from ({cells}) order by all").fetchall()


VALUES = st.sampled_from(["", "A", "B C", " D", "E ", "1.5", "\u00e9", "\u00a0", "-"])
LINES = st.lists(st.lists(VALUES, min_size=2, max_size=5), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=3), st.sampled_from([",", ", "]))
def test_the_reader_splits_as_lines_are_split(files: list[list[list[str]]], delimiter: str) -> None:
    texts = ["".join(delimiter.join(row) + "\n" for row in lines).encode() for lines in files]
    layout = layout_of(texts[0], 3)
    together = [text for text in texts if layout_of(text, 3) == layout]
    assume(layout.is_regular)
    with TemporaryDirectory() as folder:
        by_line = read(Path(folder), together, layout, layout._replace(is_regular=False, is_padded=True))
        with suppress(duckdb.InvalidInputException):  # rows of several widths: they are read by line
            assert read(Path(folder), together, layout, layout) == by_line


def test_a_row_too_long_beside_one_too_short_is_refused_alone(
    lake: Lake,
    put: Callable[[str, str | bytes], Path],
    rows: Callable[..., list[tuple[Any, ...]]],
    refused: Callable[[Lake], list[tuple[Any, ...]]],
) -> None:
    good = "AAA,EQ,10,10,10,10,10,10,10,100,02-JAN-2020,3,INE00000000,"
    short, long = good.replace(",3,INE00000000,", ","), good.replace("AAA", "B,B,B")
    assert layout_of(f"{good}\n{short}\n{long}\n".encode(), 13).is_regular
    ingest([put("a.csv", legacy(good, short, long))], lake, now=NOW)
    assert rows(lake, "prices", "symbol, close") == [("AAA", 10)]
    reason = "has too few or too many values (cut off, or a comma inside a value)"
    assert refused(lake) == [("a.csv", 3, reason, short), ("a.csv", 4, reason, long)]

"""Every query of the page on point in time answers what the page shows, whatever the zone of who asks."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.e2e.conftest import ROOT
from tests.e2e.page_blocks import BLOCK, answer, with_answers

PAGE = (ROOT / "docs/explanation/point_in_time.md").read_text(encoding="utf-8")


def test_the_page_has_queries_with_answers() -> None:
    blocks = list(BLOCK.finditer(PAGE))
    assert len(blocks) >= 10
    assert all(block["answer"] for block in blocks)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York"])
def test_queries_answer_what_the_page_shows(demo_project: Path, zone: str) -> None:
    with duckdb.connect(str((demo_project / "warehouse/tsq.duckdb").resolve()), read_only=True) as con:
        con.execute(f"set TimeZone = '{zone}'")
        asked = with_answers(PAGE, lambda sql: answer(con, sql))
    assert asked == PAGE, "renew the answers: python -m tests.e2e.page_blocks docs/explanation/point_in_time.md"


def test_an_answer_is_a_table_of_markdown() -> None:
    with duckdb.connect() as con:
        sql = "select 1 as n, true as yes, null::integer as nothing, 'a' as word\n"
        assert answer(con, sql) == "|n|yes|nothing|word|\n|---:|---|---:|---|\n|1|true||a|\n"
        page = f"before\n```sql\n{sql}```\n\n|old|\n|---|\n\nafter\n```sql\n{sql}```\n"
        once = with_answers(page, lambda sql: answer(con, sql))
        assert once.count("|1|true||a|") == 2
        assert ("|old|" in once, "before" in once, "\n\nafter\n" in once) == (False, True, True)
        assert with_answers(once, lambda sql: answer(con, sql)) == once

"""A project with a mistake: three lines that say where it is, exit code 2, and nothing changed on disk."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.conftest import Tsq

SECONDS = 10
MODEL = "models/health/mistake.sql"
CARDS = "select date, session_no from pit.sessions"


@dataclass(frozen=True)
class Mistake:
    """Files that are wrong.

    Attributes:
        name: what the mistake is.
        files: path → text; a text with `→` in it replaces what stands before it by what stands behind it.
        what: a pattern of the first line.
        where: end of the second line: the file and its line; after a last colon any line will do.
        hint: a pattern of the third line.
        arguments: of `tsq run`.
    """

    name: str
    files: Mapping[str, str]
    what: str
    where: str
    hint: str
    arguments: tuple[str, ...] = field(default=())


def model(name: str, text: str, what: str, line: int | None, hint: str) -> Mistake:
    return Mistake(name, {MODEL: text}, what, MODEL if line is None else f"{MODEL}:{line}", hint)


def header(yaml: str, sql: str = CARDS) -> str:
    return f"/*---\n{yaml}\n---\nProse.\n*/\n{sql}"


MISTAKES = [
    Mistake(
        "cyclic",
        {
            "models/health/egg.sql": "select date from health.hen",
            "models/health/hen.sql": "select date from health.egg",
        },
        r"in a circle: health\.(egg|hen) → health\.(hen|egg) → health\.(egg|hen)",
        ".sql:",
        "cannot need itself",
    ),
    Mistake(
        "reads itself",
        {MODEL: "select date from health.mistake"},
        r"in a circle: health\.mistake → health\.mistake",
        f"{MODEL}:1",
        "cannot need itself",
    ),
    model("uphill", "select date\nfrom kpis.summary", r"reads uphill from kpis\.summary", 2, "downhill only: pit → health"),
    Mistake(
        "raw data outside its layers",
        {"models/kpis/mistake.sql": "select date\nfrom raw.prices"},
        r"kpis\.mistake reads raw\.prices",
        "models/kpis/mistake.sql:2",
        r"read pit\.\* instead",
    ),
    model("unknown table", "select date\nfrom pit.session", r"reads pit\.session, which nothing makes", 2, r"mean .*pit\.sessions"),
    model("unknown column", "select\n    date,\n    sesion_no,\nfrom pit.sessions", "there is no column sesion_no", 3, r"did you mean session_no"),
    model("unknown alias", "select\n    s.date,\nfrom pit.sessions as t", "no table or alias is called s", 2, "t"),
    model("types that do not fit", "select\n    date * 2 as d,\nfrom pit.sessions", r"no function takes \*\(DATE", 2, "cast"),
    model(
        "wrong promised type",
        header("columns:\n  date: {type: VARCHAR, doc: d}"),
        r"health\.mistake\.date is promised as VARCHAR and is DATE",
        3,
        "cast it in the SQL, or promise DATE",
    ),
    model("promised column missing", header("columns:\n  dat: {type: DATE}"), "promises a column dat and has none", 3, "mean date"),
    model("grain of no column", header("grain: [date, isin]"), "grain of .* names a column isin", 2, "known: date, session_no"),
    model("check over no column", header("checks:\n  - sesion_no > 0"), "the check `sesion_no > 0`", 3, "did you mean session_no"),
    model("check that asks the clock", header('checks: ["date <= today()"]'), "a check of .*: today gives another", 2, "repeatable"),
    model(
        "reference to no column",
        header("references:\n  session_no: pit.sessions.sesion"),
        "pit.sessions has no such column",
        3,
        "did you mean session_no",
    ),
    Mistake(
        "two files, one table",
        {MODEL: CARDS, "models/health/mistake.py": '"""---\n---\n"""\n\n\ndef model(sessions):\n    return sessions\n'},
        r"two files are the table health\.mistake: mistake\.py and mistake\.sql",
        MODEL,
        "keep one",
    ),
    Mistake(
        "two files, one table where case does not count",
        {MODEL: CARDS, "models/health/Mistake_.sql": CARDS},
        r"'Mistake_' cannot be the name of a table",
        "models/health/Mistake_.sql",
        "lower-case",
    ),
    model("syntax error", "select\n    date,\n    session_no +,\nfrom pit.sessions", "not valid SQL", 3, "mend the query"),
    model("empty file", "", "one SELECT; this file holds nothing", 1, "one file = one table"),
    model("several statements", f"{CARDS};\n{CARDS}", "one SELECT; this file holds select, select", 1, "one file"),
    model("a statement behind the query", f"{CARDS}; drop table pit.sessions", "holds select, drop", 1, "one file"),
    model("ddl", "create table health.mistake as select 1 as x", "one SELECT; this file holds create", 1, "one file"),
    model("attach", "attach 'x.duckdb'", "one SELECT; this file holds attach", 1, "one file"),
    model("call", "call x()", "one SELECT; this file holds call", 1, "one file"),
    model("a url", "select x\nfrom 'https://example.com/x.parquet'", "is not a table of this project", 2, "tsq ingest"),
    model("a url as a function", "select x\nfrom read_parquet('https://example.com/x')", "reads tables, not", 2, "tsq ingest"),
    model("a file", "select x\nfrom 'config/run.yml'", "is not a table of this project", 2, "tsq ingest"),
    model("a file by a function", "select x\nfrom read_csv('/etc/passwd')", "a model reads tables, not", 2, "tsq ingest"),
    model("a file in a sub-query", "select (\n    select content from read_text('/etc/passwd')\n) as x", "reads tables, not", 2, "tsq ingest"),
    model("a file beside a table", "select x\nfrom pit.sessions, lateral read_text('x') as t(x)", "reads tables, not", 2, "tsq ingest"),
    model("SQL in a text", "select x\nfrom query('select 1 as x')", "a model reads tables, not", 2, "tsq ingest"),
    model("a parameter", "select\n    $1 as x\nfrom pit.sessions", "parameters", None, "tsq show"),
    model("undefined variable", "select\n    {{ min_price }} as x\nfrom pit.sessions", "unknown name min_price", 2, "min_price_inr"),
    model("template that is none", "select\n    {% if %}\nfrom pit.sessions", "not a valid template", 2, "tags are"),
    model("template that includes a file", "select 1 as x\n{% include 'config/run.yml' %}", "there is no template config", 2, "reads no files"),
    model("template that reaches into Python", "select\n    {{ ''.__class__.__mro__ }} as x", "'__class__' .* is unsafe", 2, "knobs"),
    model("template that calls an unknown function", "select {{ open('x') }} as x", "unknown name open", 1, "known"),
    model("template that repeats a text", "select\n    {{ 'a' * 10**9 }} as x", "not allowed in a template", 2, "knobs"),
    model("template that formats a text", "select {{ '{:>1000000000}'.format(1) }} as x", "'format' .* is unsafe", 1, "knobs"),
    model(
        "template that doubles a text",
        "{% set a = 'xxxxxxxxxx' %}\n" + "{% set a = a ~ a ~ a ~ a ~ a %}\n" * 20 + "select {{ a }} as x",
        "writes more than 2,000,000 characters",
        9,
        "a template ends",
    ),
    model(
        "template that loops in loops",
        "select 1 as x\n{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "goes on for more than 50,000 steps",
        2,
        "bound its loops",
    ),
    Mistake(
        "macro that calls itself",
        {"sql/macros/mistake.sql": "{% macro again(x) %}{{ again(x) }}{% endmacro %}", MODEL: "select\n    {{ again(1) }} as x"},
        "a macro calls itself without end",
        "",
        "a condition that ends it",
    ),
    Mistake(
        "macro that calls itself twice",
        {
            "sql/macros/mistake.sql": "{% macro twice(n) %}{% if n %}{{ twice(n - 1) }}{{ twice(n - 1) }}{% endif %}{% endmacro %}",
            MODEL: "select\n    1 as x {{ twice(60) }}",
        },
        "goes on for more than 50,000 steps",
        "",
        "bound its loops",
    ),
    Mistake(
        "two macros of one name",
        {"sql/macros/mistake.sql": "{% macro stable_sum(x) %}{{ x | sql }}{% endmacro %}"},
        "the name stable_sum is taken already",
        ".sql",
        "rename this macro",
    ),
    model("bad YAML", header("grain: [date"), "not valid YAML", 3, "indentation, quotes"),
    model("header that does not end", f"/*---\ngrain: [date]\n*/\n{CARDS}", "the header's YAML does not end", 1, "a line `---`"),
    model("header that is never closed", "/*---\ngrain: [date]\n---\nProse.\n", "comment is never closed", 1, r"\*/"),
    model("unknown header key", header("grane: [date]"), "unknown header key grane", 2, "did you mean grain"),
    model("a key twice", header("grain: [date]\ngrain: [date]"), "the key grain stands twice", 3, "the first is on line 2"),
    Mistake("unknown knob", {}, "unknown knob jmp_pct", "--set jmp_pct=3", "did you mean jump_pct", ("--set", "jmp_pct=3")),
    Mistake("knob of another kind", {}, "knob jump_pct is", "--set jump_pct=[1]", "the same kind", ("--set", "jump_pct=[1]")),
    Mistake(
        "unknown knob of a Python model",
        {"models/health/mistake.py": '"""---\ncolumns: {x: {type: DATE}}\n---\n"""\n\n\ndef model(sessions, *, jmp_pct):\n    ...\n'},
        "unknown knob jmp_pct",
        "models/health/mistake.py:7",
        "did you mean jump_pct",
    ),
    Mistake(
        "Python that is none",
        {"models/health/mistake.py": '"""---\n---\n"""\ndef model(sessions:\n'},
        "not valid Python",
        "models/health/mistake.py:4",
        "mend the syntax",
    ),
    Mistake(
        "Python that promises no types",
        {"models/health/mistake.py": '"""---\ncolumns: {x: {doc: d}}\n---\n"""\n\n\ndef model(sessions):\n    ...\n'},
        "promises no type for x",
        "models/health/mistake.py:2",
        "type: DOUBLE",
    ),
    Mistake("a layer without a place", {"models/extra/x.sql": CARDS}, "models/extra has no place", "models/layers.yml:2", "known"),
    model("clock", "select\n    current_date as x\nfrom pit.sessions", "current_date gives another answer", 2, "repeatable"),
    model("star at the end", "select\n    *\nfrom pit.sessions", r"the last select is `\*`", 2, "write the columns out"),
    model("unguarded division", "select\n    date,\n    1 / session_no as x\nfrom pit.sessions", "division by `session_no`", 3, r"nullif\(session_no, 0\)"),
    model(
        "time join without a bound",
        "select a.date\nfrom pit.sessions as a\njoin pit.sessions as b\n    on b.date <= a.date",
        "joins .* to every row of",
        4,
        "bound the other side",
    ),
    model("excuse without a reason", f"-- lint: allow star\n{CARDS}", "gives no reason", 1, "-- lint: allow star:"),
    Mistake(
        "schema of another type",
        {"sql/raw/sectors.yml": "sector: {type: VARCHAR→sector: {type: DOUBLE"},
        r"pit\.sectors",
        "models/pit/sectors.sql:",
        "cast",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def shared(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy of the demo project; each test leaves it as it found it."""
    copy = tmp_path_factory.mktemp("bad") / "project"
    shutil.copytree(demo_project, copy, symlinks=True)
    return copy


@pytest.fixture
def broken(shared: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Path, Mistake]]:
    mistake: Mistake = request.param
    before = {name: (shared / name).read_text(encoding="utf-8") for name in mistake.files if (shared / name).exists()}
    for name, text in mistake.files.items():
        path = shared / name
        path.parent.mkdir(parents=True, exist_ok=True)
        old, arrow, new = text.partition("→")
        path.write_text(before[name].replace(old, new) if arrow else text, encoding="utf-8")
    yield shared, mistake
    for name in mistake.files:
        (shared / name).unlink()
    if (shared / "models/extra").exists():
        (shared / "models/extra").rmdir()
    for name, text in before.items():
        (shared / name).write_text(text, encoding="utf-8")


def state(project: Path) -> dict[str, str]:
    """Every file a project holds but the caches, by its content; a link by where it points."""
    found = {}
    for path in sorted(project.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(project))] = str(path.readlink())
        elif path.is_file() and not {".cache", "__pycache__"} & set(path.parts):
            found[str(path.relative_to(project))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.mark.parametrize("broken", MISTAKES, ids=lambda mistake: mistake.name.replace(" ", "_"), indirect=True)
def test_a_mistake_is_three_lines_and_changes_nothing(broken: tuple[Path, Mistake], tsq: Tsq) -> None:
    project, mistake = broken
    before = state(project)
    began = time.perf_counter()
    done = tsq(project, "run", "--models", "all", *mistake.arguments)
    seconds = time.perf_counter() - began
    assert done.code == 2, done.err
    assert done.out == ""
    what, where, hint = done.err.splitlines()
    assert re.search(mistake.what, what)
    assert where.startswith("  in:   ")
    where = where.replace("\\", "/")
    assert (re.sub(r"\d+$", "", where) if mistake.where.endswith(":") else where).endswith(mistake.where)
    assert re.search(rf"^  hint: .*{mistake.hint}", hint)
    assert state(project) == before
    assert seconds < SECONDS


def test_the_project_runs_again_when_it_is_mended(shared: Path, tsq: Tsq) -> None:
    done = tsq(shared, "run", "--models", "all", "--no-report")
    assert done.code == 0, done.err
    assert "nothing to do" in done.err


def test_a_project_without_datasets_makes_no_demo_and_ingests_nothing(
    make_project: Callable[[Mapping[str, str]], Path], tsq: Tsq, tmp_path: Path
) -> None:
    root = make_project({"models/base/one.sql": "select 1 as x"})
    done = tsq(root, "run", "--no-report")
    assert (done.code, "demo market (" in done.err) == (0, False)
    (tmp_path / "a.csv").write_text("x\n1\n", encoding="utf-8")
    done = tsq(root, "ingest", str(tmp_path / "a.csv"))
    assert done.code == 2
    assert "knows no dataset" in done.err

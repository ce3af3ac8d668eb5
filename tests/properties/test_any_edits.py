"""Whatever is edited, run, broken off and run again: a build is one piece, and what a full rebuild would make.

A small project of every kind of model is changed at random: texts, comments, headers, promises, knobs, settings, data,
the as-of, the selection, a model that fails in between. After every run each table must be made of just the tables
that stand beside it, and must equal the table a build from nothing makes.
"""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsq import config
from tsq.cli import running
from tsq.engine import catalog, graph, plan, runner, verify, warehouse
from tsq.engine.compile import compile_catalog
from tsq.engine.graph import Graph
from tsq.engine.lake import Lake
from tsq.engine.manifest import Manifest
from tsq.engine.plan import Plan
from tsq.engine.runner import Published
from tsq.engine.warehouse import Machine
from tsq.errors import TsqError

FIRST = dt.date(2024, 1, 1)
MACHINE = Machine(threads=2)

# What each file may say, the first text first: an edit chooses another.
TEXTS: Mapping[str, tuple[str, ...]] = {
    "models/layers.yml": (
        "order: [base, mart, top]\nread_raw: [base]\n",
        "order: [base, mart, top]\nread_raw: [base]\nevening: 18:30 Asia/Kolkata\n",
    ),
    "config/run.yml": (
        "# Names above it are high.\nhigh: 5\n# Nobody reads it.\nidle: 1\n",
        "# Names above it are high.\nhigh: 6\n# Nobody reads it.\nidle: 1\n",
        "# Names above it are high.\nhigh: 5\n# Nobody reads it.\nidle: 2\n",
    ),
    "config/weights.csv": ("id,weight\nA,1\nB,2\n", "id,weight\nB,2\nA,1\n", "id,weight\nA,1\nB,3\nC,1\n"),
    "sql/config/weights.yml": (
        "doc: w\nkey: [id]\nfile: config/weights.csv\n"
        "columns: {id: {type: VARCHAR, doc: d}, weight: {type: DOUBLE, doc: d}}\n",
        "doc: w\nkey: [id]\nfile: config/weights.csv\n"
        "columns: {id: {type: VARCHAR, doc: d}, weight: {type: BIGINT, doc: d}}\n",
    ),
    "sql/raw/prices.yml": (
        "doc: prices\nkey: [day, id]\ndate: day\ncolumns:\n  day: {type: DATE, doc: d}\n"
        "  id: {type: VARCHAR, doc: d}\n  close: {type: DOUBLE, doc: d}\n",
        "doc: prices\nkey: [day, id]\ndate: day\ncolumns:\n  day: {type: DATE, doc: d}\n"
        "  id: {type: VARCHAR, doc: d}\n  close: {type: DOUBLE, doc: d}\n  note: {type: VARCHAR, doc: d}\n",
        "doc: prices\nkey: [day, id]\ncolumns:\n  day: {type: DATE, doc: d}\n"
        "  id: {type: VARCHAR, doc: d}\n  close: {type: DOUBLE, doc: d}\n",
    ),
    "sql/macros/scaled.sql": (
        "{% macro scaled(x) %}({{ x | sql }} * 2){% endmacro %}\n",
        "{% macro scaled(x) %}({{ x | sql }} * 3){% endmacro %}\n",
    ),
    "models/base/prices.sql": tuple(
        f"/*---\n{head}grain: [day, id]\n---\n{prose}*/\nselect day, id, close{more} from raw.prices\n"
        "qualify row_number() over (partition by day, id order by known_at desc, close) = 1\n"
        for head, prose, more in (
            ("kind: incremental\ndate: day\nlook_back: 0\n", "", ""),
            ("kind: incremental\ndate: day\nlook_back: 0\n", "Prices.\n", ""),
            ("kind: incremental\ndate: day\nlook_back: 1\norder: [id, day]\n", "", ""),
            ("date: day\n", "", ""),
            ("", "", ""),
            ("kind: incremental\ndate: day\nlook_back: 0\n", "", " + 1 as close"),
        )
    ),
    # its two columns may be swapped, retyped, or come from another session
    "models/base/two.sql": tuple(
        f"/*---\n{head}grain: [day, id]\n---\n*/\nselect {columns} from base.prices\n"
        for head, columns in (
            ("date: day\n", "day, id, close as a, close + 1 as b"),
            ("date: day\n", "day, id, close as b, close + 1 as a"),
            ("date: day\n", "day, id, cast(close as integer) as a, close + 1 as b"),
            ("kind: view\n", "day, id, close as a, close + 1 as b"),
            ("kind: incremental\ndate: day\nlook_back: 0\n", "day, id, close as a, close + 1 as b -- the same"),
            ("date: day\nchecks: [b > 0]\n", "day, id, close as a, close + 1 as b"),
            ("", "day + 1 as day, id, close as a, close + 1 as b"),
        )
    ),
    # names begin as they are first seen, and end as they are seen as another kind
    "models/base/kinds.sql": tuple(
        f"/*---\ngrain: [id, valid_from]\n{head}---\n*/\nselect\n    id,\n    day as valid_from,\n"
        "    lead(day, 1, date '9999-12-31') over (partition by id order by day) as valid_to,\n    is_high,\nfrom (\n"
        "    select id, day, close > {{ high }} as is_high from base.prices\n"
        "    qualify (close > {{ high }}) is distinct from lag(close > {{ high }}) over (partition by id order by day)"
        "\n)\n"
        for head in ("interval: [valid_from, valid_to]\n", "")
    ),
    # the mean of the dates that are read: gaps count
    "models/mart/means.sql": tuple(
        f"/*---\n{head}grain: [day, id]\n---\n*/\n"
        "with days as (select day, row_number() over (order by day) as n from (select distinct day from base.two)),\n"
        "numbered as (select day, id, a, n from base.two join days using (day))\n"
        "select day, id, if(n - lag(n, 2) over names = 2, (a + lag(a) over names + lag(a, 2) over names) / 3, null)\n"
        "    as mean from numbered window names as (partition by id order by n)\n"
        for head in ("kind: incremental\ndate: day\nlook_back: 2\n", "", "kind: incremental\ndate: day\nlook_back: 3\n")
    ),
    "models/mart/labelled.sql": tuple(
        f"/*---\nkind: incremental\ndate: day\nlook_back: 0\ngrain: [day, id]\n{head}---\n*/\n"
        "select means.day, means.id, {{ scaled('means.mean') }} as twice, kinds.is_high, two.b\n"
        "from mart.means as means\njoin base.two as two using (day, id)\njoin base.kinds as kinds\n"
        "    on kinds.id = means.id and kinds.valid_from <= means.day and means.day < kinds.valid_to\n"
        for head in (
            "",
            "checks:\n  - {query: 'select 1 from base.kinds where valid_from is null', name: kinds}\n",
            "references: {id: base.kinds.id}\n",
        )
    ),
    "models/mart/weighted.sql": (
        "select id, sum(weight) as weight from config.weights group by id",
        "select id, sum(weight) as weight from config.weights where weight > 1 group by id",
        "/*---\nchecks: ['select 1 from config.weights where weight > 2.5 and false']\n---\n*/\n"
        "select distinct id, 1.0 as weight from base.prices",
    ),
    "models/top/count.py": (
        '"""---\ngrain: [n]\n---\nA count.\n"""\nimport polars as pl\n\n\ndef model(labelled, weighted, *, high):\n'
        '    return pl.DataFrame({"n": [labelled.height + weighted.height + high]})\n',
        '"""---\ngrain: [n]\n---\nA count.\n"""\nimport polars as pl\n\n\ndef model(labelled, weighted):\n'
        '    return pl.DataFrame({"n": [labelled.height + weighted.height]})\n',
    ),
    "models/top/total.sql": (
        "select day, count(twice) as n, count(*) filter (where is_high) as n_high from mart.labelled group by day",
        "select day, count(*) as n, 0 as n_high from mart.labelled group by day",
    ),
    "models/top/extra.sql": ("", "select id from mart.weighted", "/*---\nkind: view\n---\n*/\nselect n from top.total"),
}
SELECTIONS = ("all", "base/", "mart.labelled", "mart/", "top.total", "base.two+", "state:changed+", "+top.count")
# models that may break off a run
FAILS = ("models/mart/means.sql", "models/top/total.sql", "models/base/kinds.sql")


@dataclass(frozen=True)
class Step:
    """What happens between two runs, and how the second is asked for.

    Attributes:
        edits: file → which of its texts.
        rows: what a batch brings: day, name, close, days until the row is known.
        as_of: days after the first; None for all that is known.
        fails: a model that is broken in a run before this one, with the edits made.
        takes: whether the oldest batch is taken away.
    """

    edits: tuple[tuple[str, int], ...]
    rows: tuple[tuple[int, str, int, int], ...]
    as_of: int | None
    selection: str
    exclude: str | None
    fails: str | None
    takes: bool


ROWS = st.lists(
    st.tuples(st.integers(0, 13), st.sampled_from("ABC"), st.integers(1, 9), st.integers(0, 3)),
    max_size=4,
    unique_by=lambda row: row[:2],
).map(tuple)
EDITS = st.lists(
    st.sampled_from([(name, number) for name, texts in TEXTS.items() for number in range(len(texts))]), max_size=3
).map(tuple)
STEPS = st.builds(
    Step,
    edits=EDITS,
    rows=st.one_of(st.just(()), ROWS, ROWS),
    as_of=st.one_of(st.none(), st.none(), st.integers(6, 14)),
    selection=st.one_of(st.just("all"), st.sampled_from(SELECTIONS)),
    exclude=st.one_of(st.none(), st.none(), st.sampled_from(("top/", "mart.labelled+", "base.two"))),
    fails=st.one_of(st.none(), st.none(), st.sampled_from(FAILS)),
    takes=st.sampled_from([False] * 7 + [True]),
)


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if text:
        path.write_text(text, encoding="utf-8")
    else:
        path.unlink(missing_ok=True)


def read(root: Path) -> tuple[Graph, Lake]:
    found = catalog.read(config.load(root))
    nodes = graph.build(found, compile_catalog(found, root / "compiled.json"))
    return nodes, Lake(root / "warehouse" / "raw", found.raw)


def load(root: Path, name: str, rows: Sequence[tuple[int, str, int, int]]) -> None:
    lake = read(root)[1]
    values = ", ".join(
        f"(date '{FIRST + dt.timedelta(day)}', '{who}', {close}::double, null, 'x', 1, "
        f"timestamptz '{FIRST + dt.timedelta(day + late)} 13:00+00', '{name}', false)"
        for day, who, close, late in rows
    )
    columns = "day, id, close, note, format, source_rank, known_at, file, is_withdrawn"
    with warehouse.connect() as con:
        con.execute(f"create table r as select * from (values {values}) t({columns})")
        loaded_at = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
        lake.write(con, batch_id=name, loaded_at=loaded_at, files=(), rows={"prices": "r"}, quarantine=None)


def planned(root: Path, step: Step) -> Plan:
    """The plan of a run, which goes on with what a failed one left where that is better."""
    nodes, _ = read(root)
    noon = dt.datetime(2024, 1, 1, 14, tzinfo=dt.UTC)
    as_of = None if step.as_of is None else (noon + dt.timedelta(step.as_of)).isoformat()
    exclude = [step.exclude] if step.exclude else []
    wish = running.Wish([step.selection], exclude, as_of, full_refresh=False, build=None)
    made = running.make_plan(nodes, wish)
    return made if made.nothing_to_do else running.resumed(made, nodes, wish)


def run(root: Path, step: Step) -> Plan | None:
    """Run; gives the plan, or None where the selection means nothing or a promise is broken."""
    try:
        made = planned(root, step)
        if not made.nothing_to_do:
            assert isinstance(list(runner.run(made, MACHINE))[-1], Published)
    except TsqError:
        return None
    return made


@contextmanager
def broken(root: Path, name: str) -> Iterator[None]:
    """A model that fails as it runs: it divides a word."""
    path = root / name
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text.rstrip()}\n union all by name select cast('x' as integer) as day", encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(text, encoding="utf-8")


def published(root: Path) -> Manifest:
    base = plan.base_of(root / "warehouse" / "tsq.duckdb")
    assert base is not None
    assert base.manifest is not None
    return base.manifest


def assert_one_piece(root: Path, manifest: Manifest) -> None:
    """Every table is there, and is made of just the tables that stand beside it."""
    models = {model.name: model for model in manifest.models}
    for model in manifest.models:
        assert {name: models[name].content for name in model.parents} == model.parents
    with warehouse.open_readonly(root / "warehouse" / "tsq.duckdb") as con:
        for model in manifest.models:
            found = con.execute(f"select count(*) from {model.name}").fetchone()
            assert model.kind == "view" or found == (model.rows,)
        stored = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where schema_name != 'ops' union all "
            "select schema_name || '.' || view_name from duckdb_views() where not internal"
        ).fetchall()
        hashed = con.execute("select distinct model from ops.content").fetchall()
    assert {name for (name,) in stored} == models.keys()
    assert {name for (name,) in hashed} <= models.keys()


def assert_as_rebuilt(made: Plan, manifest: Manifest) -> None:
    """Every table is what a build from nothing makes, and so is what its checks found."""
    names = tuple(model.name for model in manifest.models)
    (rebuilt,) = [
        event for event in verify.rebuild(made.graph, made.inputs, names, MACHINE) if isinstance(event, Manifest)
    ]
    assert verify.differences(manifest, rebuilt) == ()
    assert sorted(map(repr, manifest.checks)) == sorted(map(repr, rebuilt.checks))
    assert {model.name: model.rows for model in manifest.models} == {model.name: model.rows for model in rebuilt.models}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it first is, with a past long enough that what comes is an update, built."""
    root = tmp_path_factory.mktemp("edits") / "project"
    for name, texts in TEXTS.items():
        write(root, name, texts[0])
    load(root, "b00", [(day, who, 2 + (day * 7) % 8, 0) for day in range(6) for who in "ABC"])
    load(root, "b01", [(day, who, 2 + (day * 5) % 8, 1) for day in range(6, 12) for who in "AB"])
    assert run(root, ALL)
    return root


ALL = Step((), (), None, "all", None, None, takes=False)


def history(built: Path, steps: Sequence[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        shutil.copytree(built, root, symlinks=True)
        for number, step in enumerate(steps, start=1):
            for name, which in step.edits:
                write(root, name, TEXTS[name][which])
            if step.rows:
                load(root, f"b1{number}", step.rows)
            batches = sorted((root / "warehouse/raw/_batches").glob("*.json"))
            if step.takes and len(batches) > 1:
                batches[0].unlink()
            if step.fails:
                with broken(root, step.fails):
                    run(root, step)
            made = run(root, step)
            if made:
                manifest = published(root)
                assert_one_piece(root, manifest)
                assert_as_rebuilt(made, manifest)
                assert made.nothing_to_do or not list((root / "warehouse" / "builds").glob(".*"))


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, min_size=1, max_size=4))
def test_any_edits_end_where_a_full_rebuild_ends(built: Path, steps: list[Step]) -> None:
    history(built, steps)


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, min_size=2, max_size=8))
def test_any_long_history_of_edits_ends_where_a_full_rebuild_ends(built: Path, steps: list[Step]) -> None:
    history(built, steps)

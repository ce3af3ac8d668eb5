"""The command line: parse, call one function, print. Results on stdout, everything else on stderr."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from tsq import __version__
from tsq.errors import FAILED, INTERRUPTED, TsqError

app = typer.Typer(
    name="tsq",
    help="Exchange files in, after-cost target weights out, every number a table anyone can audit.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ProjectOption = Annotated[
    Path | None, typer.Option("--project", help="The project folder; default: this folder or one above it.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KNOB=VALUE", help="Override a knob for this run; repeatable.")
]
ProfileOption = Annotated[str | None, typer.Option(help="A file of config/profiles/ laid over config/run.yml.")]
BUILD_HELP = "A run id or the beginning of one, a name, published, or previous (the newest before the published)."
BuildOption = Annotated[str | None, typer.Option("--build", metavar="BUILD", help=f"Read this build: {BUILD_HELP}")]
ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--models",
        "-m",
        metavar="SELECT",
        help="all, layer.table, a table name, layer/, tag:x, state:changed; +x adds what x reads, x+ its readers.",
    ),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="SELECT", help="Models not to select, in the words of --models."),
]
AsOfOption = Annotated[
    str | None, typer.Option(help="Build from what was known then, e.g. '2023-06-30 18:00' (Asia/Kolkata).")
]
LoadedByOption = Annotated[
    str | None, typer.Option(help="Build from what had been loaded by then, whenever it was known (Asia/Kolkata).")
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tsq {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def run(
    models: ModelsOption = None,
    exclude: ExcludeOption = None,
    as_of: AsOfOption = None,
    loaded_by: LoadedByOption = None,
    sets: SetOption = None,
    profile: ProfileOption = None,
    full_refresh: Annotated[bool, typer.Option(help="Build every selected model, changed or not.")] = False,
    build: Annotated[
        str | None, typer.Option(metavar="NAME", help="Build aside under this name; the published build stays.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(envvar="TSQ_THREADS", help="Worker threads; default: one a core.")
    ] = None,
    memory_limit: Annotated[
        str | None, typer.Option(envvar="TSQ_MEMORY_LIMIT", help="For example 4GB; more is spilled to disk.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for another run to end instead of giving up.")] = False,
    verify_skips: Annotated[
        bool, typer.Option("--verify-skips", help="Build everything aside as well, and fail if a table differs.")
    ] = False,
    verify: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Build that run again from its own knobs, as-of and files, and compare."),
    ] = None,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Write the HTML report after publishing.")
    ] = True,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build the selected models, check them, publish the warehouse and write the report."""
    from tsq.cli import running

    if verify:
        from tsq.cli import verifying

        verifying.verify_run(project, verify, threads=threads, memory_limit=memory_limit, as_json=as_json)
        return
    running.run(
        root=project,
        sets=sets or [],
        profile=profile,
        wish=running.Wish(models or ["all"], exclude or [], as_of, full_refresh, build, loaded_by),
        work=running.Work(threads, memory_limit, wait, verify_skips),
        with_report=report,
        as_json=as_json,
    )


@app.command()
def plan(
    models: ModelsOption = None,
    exclude: ExcludeOption = None,
    as_of: AsOfOption = None,
    loaded_by: LoadedByOption = None,
    sets: SetOption = None,
    profile: ProfileOption = None,
    full_refresh: Annotated[bool, typer.Option(help="As if every selected model were built anew.")] = False,
    build: Annotated[str | None, typer.Option(metavar="NAME", help="As if built aside under this name.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Name unchanged models too.")] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a run would do, model by model, and why; nothing is written."""
    from tsq.cli import planning, running

    wish = running.Wish(models or ["all"], exclude or [], as_of, full_refresh, build, loaded_by)
    planning.plan(root=project, sets=sets or [], profile=profile, wish=wish, everything=everything, as_json=as_json)


@app.command()
def ingest(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH...", help="Files, folders or zips, in any mix of formats.")
    ] = None,
    known_at: Annotated[
        str | None, typer.Option(help="When the market could know these rows; default: the format's own rule.")
    ] = None,
    withdraw: Annotated[
        bool, typer.Option(help="Take the rows of these files back, from --known-at on; what was known before stays.")
    ] = False,
    dataset: Annotated[
        str | None, typer.Option(help="Take every file as this dataset, whatever it looks like.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Say what would happen and write nothing.")] = False,
    demo: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Make the demo market instead: small or default.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recognise, validate, quarantine and append exchange files to the raw lake."""
    from tsq.cli import loading

    loading.ingest(
        root=project,
        paths=paths or [],
        known_at=known_at,
        withdraw=withdraw,
        dataset=dataset,
        dry_run=dry_run,
        demo=demo,
        as_json=as_json,
    )


@app.command("ls")
def list_models(
    models: ModelsOption = None,
    exclude: ExcludeOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """List models in running order: what each reads, its rows and its seconds in the published build."""
    from tsq.cli import browsing

    browsing.list_models(root=project, models=models or ["all"], exclude=exclude or [], as_json=as_json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="layer.table, or a table name that is unique.")],
    sql: Annotated[bool, typer.Option("--sql", help="The SQL that runs, and nothing else.")] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one model: what a row means, its columns, checks, readers and SQL."""
    from tsq.cli import browsing

    browsing.show(root=project, name=name, only_sql=sql, as_json=as_json)


@app.command()
def lineage(
    target: Annotated[
        str,
        typer.Argument(help="layer.table.column, layer.table, or a table name that is unique; raw.* and config.* too."),
    ],
    down: Annotated[bool, typer.Option("--down", help="What is made of it, instead of what it is made of.")] = False,
    rows: Annotated[
        bool,
        typer.Option("--rows", help="Show what chooses, orders and filters too, not only what values are made of."),
    ] = False,
    depth: Annotated[int | None, typer.Option(min=1, metavar="N", help="Levels to show; default: all.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Trace a column: up to the raw columns and files it is made of, or down to all that is made of it."""
    from tsq.cli import tracing

    tracing.lineage(root=project, target=target, down=down, rows=rows, depth=depth, as_json=as_json)


@app.command()
def query(
    text: Annotated[str, typer.Argument(metavar="QUERY", help="SQL, or the name of a file of sql/queries/.")],
    output: Annotated[str, typer.Option("--format", help="table, csv or json.")] = "table",
    build: BuildOption = None,
    project: ProjectOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Ask the published warehouse a question."""
    from tsq.cli import browsing

    browsing.query(root=project, text=text, output="json" if as_json else output, build=build)


@app.command()
def failed(
    model: Annotated[str | None, typer.Argument(help="layer.table; default: list all that is kept.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the rows that broke a promise in the last run, which its roll-back took out of the warehouse."""
    from tsq.cli import failing

    failing.failed(root=project, model=model, as_json=as_json)


@app.command()
def export(
    text: Annotated[
        str, typer.Argument(metavar="TABLE|QUERY|orders", help="A table, SQL, the name of a saved query, or orders.")
    ],
    output: Annotated[str, typer.Option("--format", help="csv, parquet or json; orders are always csv.")] = "csv",
    to: Annotated[Path | None, typer.Option(help="The file to write; default: reports/out/<name>.<format>.")] = None,
    build: BuildOption = None,
    portfolio: Annotated[str, typer.Option(help="Of orders: whose newest decision to get to.")] = "base",
    holdings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Of orders: a statement of what is held; default: paper book.")
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="Of orders: start from what the trades of this account left.")
    ] = None,
    cash: Annotated[
        float | None, typer.Option(min=0.0, metavar="INR", help="Of orders: cash of the account, in rupees.")
    ] = None,
    project: ProjectOption = None,
) -> None:
    """Write a table, a query's rows or an order list to a file, whole or not at all."""
    if text == "orders":
        from tsq.cli import ordering
        from tsq.report.order_list import Wish

        ordering.export_orders(root=project, wish=Wish(portfolio, holdings, account, cash), to=to, build=build)
        return
    from tsq.cli import browsing

    browsing.export(root=project, text=text, output=output, to=to, build=build)


@app.command()
def builds(
    forget: Annotated[
        str | None, typer.Option(metavar="NAME", help="Take a name away: its build then goes when it is old.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the builds that are kept, newest first; * is the published one."""
    from tsq.cli import building

    building.list_builds(root=project, forget=forget, as_json=as_json)


@app.command()
def publish(
    build: Annotated[str, typer.Argument(metavar="BUILD", help=BUILD_HELP)],
    wait: Annotated[bool, typer.Option("--wait", help="Wait for a run that holds the warehouse.")] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show another build to readers: one that was built aside, or an older one again."""
    from tsq.cli import building

    building.publish(root=project, word=build, wait=wait, as_json=as_json)


@app.command()
def diff(
    a: Annotated[str, typer.Argument(metavar="A", help=f"{BUILD_HELP} Or the as-of time of one.")] = "previous",
    b: Annotated[str, typer.Argument(metavar="B", help="The build to compare it with.")] = "published",
    tables: Annotated[
        list[str] | None,
        typer.Option("--tables", metavar="SELECT", help="Only these, and closely: keys and values; as --models."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Examples shown of each kind of difference.")] = 3,
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="Numbers this close, or this share of the larger, are equal.")
    ] = 0.0,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 1 when a table differs.")] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what changed between two builds: what went in, tables, values, and what it means in money."""
    from tsq.cli import comparing

    comparing.diff(
        root=project,
        a=a,
        b=b,
        tables=tables or [],
        examples=limit,
        tolerance=tolerance,
        exit_code=exit_code,
        as_json=as_json,
    )


@app.command()
def compare(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PORTFOLIO|OPTIMISER...",
            help="Portfolios of config/portfolios.yml, and optimisers; default: equal_weight min_variance.",
        ),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(metavar="PORTFOLIO", help="What optimisers are applied to; default: the first portfolio."),
    ] = None,
    lookback: Annotated[
        list[str] | None, typer.Option(metavar="SESSIONS", help="Window of returns; 126,252 compares both.")
    ] = None,
    rebalance: Annotated[list[str] | None, typer.Option(metavar="ME|WE|QE", help="When to decide.")] = None,
    cost_bps: Annotated[
        list[str] | None, typer.Option(metavar="BPS", help="Slippage of every fill, beside the dated charges.")
    ] = None,
    start: Annotated[list[str] | None, typer.Option(metavar="DATE", help="First date to decide on.")] = None,
    capital: Annotated[list[str] | None, typer.Option(metavar="INR", help="Cash at inception.")] = None,
    tier: Annotated[list[str] | None, typer.Option(help="Capacity caps, a tier of config/capacity.yml.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="COLUMN=VALUE", help="Another value of any column of config/portfolios.yml."),
    ] = None,
    file: Annotated[Path | None, typer.Option(help="More portfolios, in the form of config/portfolios.yml.")] = None,
    build: Annotated[str, typer.Option(metavar="NAME", help="What the build is called that holds them.")] = "compare",
    as_of: AsOfOption = None,
    sets: SetOption = None,
    profile: ProfileOption = None,
    threads: Annotated[
        int | None, typer.Option(envvar="TSQ_THREADS", help="Worker threads; default: one a core.")
    ] = None,
    memory_limit: Annotated[
        str | None, typer.Option(envvar="TSQ_MEMORY_LIMIT", help="For example 4GB; more is spilled to disk.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for another run to end instead of giving up.")] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put portfolios side by side on one universe, in a build aside; several values of an option are all compared."""
    from tsq.cli import running, side_by_side
    from tsq.cli.variants import COST

    options = {
        "--lookback": ("look_back_sessions", tuple(lookback or ())),
        "--rebalance": ("rebalance", tuple(rebalance or ())),
        "--cost-bps": (COST, tuple(cost_bps or ())),
        "--start": ("starts_on", tuple(start or ())),
        "--capital": ("capital_inr", tuple(capital or ())),
        "--tier": ("tier", tuple(tier or ())),
    }
    side_by_side.compare(
        root=project,
        sets=sets or [],
        profile=profile,
        question=side_by_side.Question(tuple(words or ()), options, tuple(settings or ()), on, file),
        as_of=as_of,
        name=build,
        work=running.Work(threads, memory_limit, wait, False),
        as_json=as_json,
    )


@app.command()
def report(project: ProjectOption = None) -> None:
    """Write the HTML report of the published warehouse."""
    from tsq.cli import running

    running.report(root=project)


@app.command()
def docs(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="Folder of the site; default: reports/out/docs.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the documentation of the project: tables, columns, checks, knobs, SQL and lineage, in one HTML file."""
    from tsq.cli import documenting

    documenting.docs(root=project, out=out, group=context.find_root().command, as_json=as_json)


@app.command("test")
def run_cases(
    selection: Annotated[
        list[str] | None, typer.Argument(metavar="SELECT", help="Models whose cases to run; default: all.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the cases of tests/cases: given rows in, expected rows out."""
    from tsq.cli import testing

    testing.run(root=project, selection=selection or ["all"], as_json=as_json)


@app.command()
def snapshot(
    selection: Annotated[
        list[str] | None, typer.Argument(metavar="SELECT", help="Models to compare; default: all.")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Write the snapshots that differ; remove unused ones.")
    ] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare what every model makes of the small demo market with tests/snapshots."""
    from tsq.cli import snapshotting

    snapshotting.snapshot(root=project, selection=selection or ["all"], update=update, as_json=as_json)


@app.command()
def audit(
    leaks: Annotated[
        int | None, typer.Argument(metavar="N", min=1, help="With --plant: so many leaks; default: 24.")
    ] = None,
    models: ModelsOption = None,
    cuts: Annotated[int, typer.Option(min=1, help="On how many days the data are made to end.")] = 4,
    plant: Annotated[
        bool, typer.Option("--plant", help="Plant leaks in models drawn at random; catch every one.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of all that is drawn at random; the same seed draws the same.")] = 0,
    sample: Annotated[
        int, typer.Option(min=0, help="Of a dataset with more rows, audit a sample of names; 0 takes all rows.")
    ] = 1_000_000,
    as_of: AsOfOption = None,
    sets: SetOption = None,
    profile: ProfileOption = None,
    threads: Annotated[
        int | None, typer.Option(envvar="TSQ_THREADS", help="Worker threads; default: one a core.")
    ] = None,
    memory_limit: Annotated[
        str | None, typer.Option(envvar="TSQ_MEMORY_LIMIT", help="For example 4GB; more is spilled to disk.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove that no row of any table saw its future; exits 1 and names the culprit when one did."""
    from tsq.cli import auditing
    from tsq.engine.audit import Wish
    from tsq.engine.warehouse import Machine

    if leaks and not plant:
        raise TsqError(f"{leaks} says how many leaks to plant", hint=f"write `tsq audit --plant {leaks}`")
    wish, machine = Wish(cuts, seed, (leaks or 24) if plant else 0), Machine(threads, memory_limit)
    look = auditing.Look(models or ["all"], as_of, sample, wish, machine)
    auditing.run(root=project, sets=sets or [], profile=profile, look=look, as_json=as_json)


def main() -> None:
    """Run the command line; the one place where errors become exit codes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a Windows pipe would be cp1252, and tables are drawn in UTF-8
            stream.reconfigure(encoding="utf-8")
    try:
        app()
    except TsqError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except RuntimeError as error:
        if "interrupted" not in str(error).lower():
            raise
        _fail("interrupted", INTERRUPTED)


def _fail(text: str, code: int) -> None:
    sys.stderr.write(f"{text}\n")
    sys.exit(code)

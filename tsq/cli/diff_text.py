"""The difference of two builds as text: calm where nothing changed, a line a table, money last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tsq.cli import workspace
from tsq.engine.diff import TableDiff
from tsq.engine.diff_inputs import Input
from tsq.engine.diff_rows import Change, ColumnChange, Row
from tsq.report import format as formats
from tsq.report.money import Figure, Money, Trade, Trades, Weights

if TYPE_CHECKING:
    from tsq.cli.comparing import Side

HEADLINES = {
    "total_return": "total return",
    "cagr": "CAGR",
    "volatility_ann": "volatility",
    "sharpe": "Sharpe",
    "sortino": "Sortino",
    "max_drawdown": "max drawdown",
    "turnover_ann": "turnover",
    "cost_drag_ann": "cost drag",
}
NUMBERS = {"sharpe", "sortino"}
WAYS = {"only_a": "only in A", "only_b": "only in B", "other_qty": "other quantity", "other_price": "other price"}
MOST = 12


def lines(
    a: Side, b: Side, inputs: Sequence[Input], tables: Sequence[TableDiff], money: Money, closely: bool
) -> Iterator[str]:
    """Write it all down.

    Args:
        a: the first build.
        b: the second.
        inputs: what went in.
        tables: every table that was compared.
        money: what it means.
        closely: whether to show keys and values of each table, not only its line.
    """
    yield from grid([_title("A", a), _title("B", b)])
    if a.build == b.build:
        yield "\nthe same build"
        return
    if inputs:
        yield "\nwhat went in"
        yield from grid([_input(item) for item in inputs], indent=2)
    changed = [table for table in tables if table.status != "same"]
    if not changed:
        yield f"\nno difference in {_tables(len(tables))}"
        return
    unread = sum(not table.read and table.status == "same" for table in tables)
    proven = f", {unread} of them by their hashes" if unread else ""
    yield f"\n{_tables(len(tables))}: {len(changed)} differ, {len(tables) - len(changed)} do not{proven}"
    heads = ("table", "rows A", "rows B", "only A", "only B", "changed", "columns")
    yield from grid([heads, *(_line(table) for table in changed)], right={1, 2, 3, 4, 5}, indent=2)
    if closely:
        for table in changed:
            yield from _close(table)
    else:
        yield f"  keys and values: add --tables, as in `tsq diff {a.word} {b.word} --tables {changed[-1].name}`"
    yield from _money(money)


def grid(rows: Iterable[Sequence[str]], right: Iterable[int] = (), indent: int = 0) -> Iterator[str]:
    """Lay cells out in columns; `right` says which stand at the right edge."""
    rows = list(rows)
    wide = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    edges = set(right)
    for row in rows:
        cells = [cell.rjust(wide[n]) if n in edges else cell.ljust(wide[n]) for n, cell in enumerate(row)]
        yield (" " * indent + "  ".join(cells)).rstrip()


def _title(letter: str, side: Side) -> tuple[str, ...]:
    manifest = side.manifest
    as_of = f"as of {_moment(manifest.as_of)}" if manifest.as_of else "no data"
    word = side.word if side.word != manifest.run_id else ""
    return letter, manifest.run_id, word, f"{'demo market' if manifest.market == 'demo' else 'real data'}, {as_of}"


def _moment(text: str) -> str:
    return f"{dt.datetime.fromisoformat(text).astimezone(workspace.INDIA):%Y-%m-%d %H:%M} IST"


def _input(item: Input) -> tuple[str, str, str]:
    if item.kind == "as_of":
        return "as of", "", " → ".join(_moment(side) if side else "no data" for side in (item.a, item.b))
    name = "" if item.name == item.kind else item.name
    if item.kind == "batch" and (item.a is None or item.b is None):
        return "batch", name, f"only in {'A' if item.b is None else 'B'}: {item.a or item.b}"
    return item.kind, name, f"{_plain(item.a)} → {_plain(item.b)}"


def _tables(count: int) -> str:
    return f"{count} table{'' if count == 1 else 's'}"


def _line(table: TableDiff) -> tuple[str, ...]:
    if table.status in ("only_a", "only_b"):
        side = "A" if table.status == "only_a" else "B"
        return table.name, _count(table.rows_a), _count(table.rows_b), "", "", "", f"the table is in {side} only"
    said = [f"+{name}" for name, _ in table.added]
    said += [f"−{name}" for name, _ in table.removed]
    said += [f"{name} {was} → {now}" for name, was, now in table.retyped]
    said += [column.name for column in sorted(table.rows.columns, key=lambda column: -column.rows)]
    shown = ", ".join(said[:5]) + (f", {len(said) - 5} more" if len(said) > 5 else "")
    rows = table.rows
    changed = _count(rows.changed) if table.key else "–"
    return (
        table.name,
        _count(table.rows_a),
        _count(table.rows_b),
        _some(rows.only_a),
        _some(rows.only_b),
        changed if rows.changed or not table.key else "",
        shown,
    )


def _close(table: TableDiff) -> Iterator[str]:
    yield (
        f"\n{table.name}   by {', '.join(table.key)}" if table.key else f"\n{table.name}   {table.note or ''}".rstrip()
    )
    for name, kind in table.added:
        yield f"  column only in B   {name} {kind}"
    for name, kind in table.removed:
        yield f"  column only in A   {name} {kind}"
    for name, was, now in table.retyped:
        yield f"  column retyped     {name} {was} → {now}"
    rows = table.rows
    for side, count, examples in (("A", rows.only_a, rows.examples_a), ("B", rows.only_b, rows.examples_b)):
        if count:
            yield f"  {_count(count)} row{'' if count == 1 else 's'} only in {side}"
            yield from (f"    {_key(row)}" for row in examples)
            if count > len(examples):
                yield "    …"
    for column in rows.columns:
        yield from _column(column)


def _column(column: ColumnChange) -> Iterator[str]:
    nulls = [f"{_count(column.appeared)} were null"] if column.appeared else []
    nulls += [f"{_count(column.vanished)} became null"] if column.vanished else []
    said = f" ({', '.join(nulls)})" if nulls else ""
    yield f"  {column.name}: {_count(column.rows)} value{'' if column.rows == 1 else 's'} changed{said}"
    cells = [_change(change) for change in column.largest]
    if column.most_relative and column.most_relative not in column.largest:
        cells.append(_change(column.most_relative))
    yield from grid(cells, right={0, 2, 3, 4}, indent=4)


def _change(change: Change) -> tuple[str, ...]:
    signed = f"{change.difference:+.6g}" if change.difference is not None else ""
    ratio = f"{change.relative:+.2%}" if change.relative is not None and abs(change.relative) < 1e4 else ""
    return _plain(change.a), "→", _plain(change.b), _minus(signed), _minus(ratio), _key(change.key)


def _money(money: Money) -> Iterator[str]:
    if money == type(money)():
        return
    yield "\nin money"
    yield from (f"  not compared: {what}" for what in money.missing)
    headlines = [figure for figure in money.figures if _is_headline(figure)]
    if headlines:
        yield from _block("key figures, whole period", [_figure(figure) for figure in headlines], right={3, 4, 5})
    if len(money.figures) > len(headlines):
        more = len(money.figures) - len(headlines)
        yield f"    {_count(more)} {'more ' if headlines else ''}key figures differ, of other windows and kinds: --json"
    final = [value for value in money.final if value.difference_inr]
    if final:
        cells = [
            (
                value.portfolio,
                value.basis,
                str(value.date),
                _inr(value.a_inr),
                _inr(value.b_inr),
                _gain(value.difference_inr),
            )
            for value in final
        ]
        yield from _block("final value", [("portfolio", "basis", "on", "A", "B", "B − A"), *cells], right={3, 4, 5})
    moved = [
        weights for weights in money.weights if weights.turnover is None or weights.turnover or _ends_differ(weights)
    ]
    if moved:
        yield from _block("target weights", [_weights(weights) for weights in moved], right={2})
    if money.trades:
        heads = ("portfolio", "", "count", "value A", "value B")
        yield from _block("trades", [heads, *(_trades(trades) for trades in money.trades)], right={2, 3, 4})
        newest = sorted(
            (trade for trades in money.trades for trade in trades.newest), key=lambda t: t.date, reverse=True
        )
        yield from _block("newest of them", [_trade(trade) for trade in newest[:MOST]], right={4})


def _block(title: str, rows: Sequence[Sequence[str]], right: set[int]) -> Iterator[str]:
    yield f"  {title}"
    yield from grid(rows, right, indent=4)


def _is_headline(figure: Figure) -> bool:
    return figure.window == "full" and figure.kpi in HEADLINES and figure.basis != "benchmark"


def _figure(figure: Figure) -> tuple[str, ...]:
    number = figure.kpi in NUMBERS
    spec = "number.2" if number else "percent.2"
    change = formats.write(figure.difference, "number.2" if number else "percent.2")
    if figure.difference is not None:
        change = change.replace("%", " pp")
        change = change if change.startswith(formats.MINUS) else f"+{change}"
    return (
        figure.portfolio,
        figure.basis,
        HEADLINES[figure.kpi],
        formats.write(figure.a, spec),
        formats.write(figure.b, spec),
        change,
    )


def _ends_differ(weights: Weights) -> bool:
    return weights.newest_a != weights.newest_b


def _weights(weights: Weights) -> tuple[str, ...]:
    if weights.turnover is None:
        return weights.portfolio, "no date in both", "", ""
    said = [f"{len(weights.entering)} enter{_names(weights.entering)}"] if weights.entering else []
    said += [f"{len(weights.leaving)} leave{_names(weights.leaving)}"] if weights.leaving else []
    if _ends_differ(weights):
        said.append(f"newest {weights.newest_a} → {weights.newest_b}")
    return (
        weights.portfolio,
        str(weights.date),
        f"{formats.write(weights.turnover, 'percent.2')} to trade",
        "; ".join(said),
    )


def _names(names: Sequence[str]) -> str:
    return f" ({', '.join(names[:5])}{', …' if len(names) > 5 else ''})"


def _trades(trades: Trades) -> tuple[str, ...]:
    return (
        trades.portfolio,
        WAYS[trades.way],
        _count(trades.count),
        _inr(trades.value_a_inr) if trades.way != "only_b" else "",
        _inr(trades.value_b_inr) if trades.way != "only_a" else "",
    )


def _trade(trade: Trade) -> tuple[str, ...]:
    qty = " → ".join("–" if qty is None else formats.group(qty) for qty in (trade.qty_a, trade.qty_b))
    worth = max(trade.value_a_inr or 0.0, trade.value_b_inr or 0.0)
    return str(trade.date), trade.portfolio, trade.side, trade.ticker, qty, _inr(worth)


def _inr(value: float) -> str:
    return formats.write(value, "inr")


def _gain(value: float) -> str:
    text = _inr(value)
    return text if text.startswith(formats.MINUS) else f"+{text}"


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _some(value: int) -> str:
    return f"{value:,}" if value else ""


def _key(row: Row) -> str:
    return "  ".join(f"{name} {_plain(value)}" for name, value in row.items())


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _minus(text: str) -> str:
    return text.replace("-", formats.MINUS)

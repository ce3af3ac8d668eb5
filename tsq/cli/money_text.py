"""What the difference of two builds means in money, as text: headlines, final values, weights, trades."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tsq.cli.grid import grid
from tsq.report import format as formats
from tsq.report.money import Figure, FinalValue, Money, Trade, Trades, Weights

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


def lines(money: Money) -> Iterator[str]:
    """Write it down; nothing where there is nothing to tell."""
    if money == Money():
        return
    yield "\nin money"
    yield from (f"  not compared: {what}" for what in money.missing)
    headlines = sorted(filter(_is_headline, money.figures), key=_place)
    told = [row for row in map(_figure, headlines) if re.search("[1-9]", row[-1]) or row[-1] == formats.NO_VALUE]
    if told:
        heads = ("portfolio", "basis", "", "A", "B", "B − A")
        yield from _block("key figures, whole period", [heads, *told], right={3, 4, 5})
    more = len(money.figures) - len(told)
    if more:
        yield f"    {more:,}{' more' if told else ''} key figures differ, by less or of other kinds and windows: --json"
    final = [value for value in money.final if value.difference_inr]
    if final:
        heads = ("portfolio", "basis", "on", "A", "B", "B − A")
        yield from _block("final value", [heads, *map(_final, final)], right={3, 4, 5})
    moved = [
        weights for weights in money.weights if weights.turnover is None or weights.turnover or _ends_differ(weights)
    ]
    if moved:
        yield from _block("target weights", [_weights(weights) for weights in moved], right={2})
    if money.trades:
        titles = ("portfolio", "", "count", "value A", "value B")
        yield from _block("trades", [titles, *map(_trades, money.trades)], right={2, 3, 4})
        newest = sorted(
            (trade for trades in money.trades for trade in trades.newest), key=lambda t: t.date, reverse=True
        )
        yield from _block("newest of them", [_trade(trade) for trade in newest[:MOST]], right={4})


def _block(title: str, rows: Sequence[Sequence[str]], right: set[int]) -> Iterator[str]:
    yield f"  {title}"
    yield from grid(rows, right, indent=4)


def _is_headline(figure: Figure) -> bool:
    return figure.window == "full" and figure.kpi in HEADLINES and figure.basis != "benchmark"


def _place(figure: Figure) -> tuple[str, bool, str, int]:
    """By portfolio, net first; then in the order of the headlines."""
    return figure.portfolio, figure.basis != "net", figure.basis, list(HEADLINES).index(figure.kpi)


def _figure(figure: Figure) -> tuple[str, ...]:
    number = figure.kpi in NUMBERS
    spec = "number.2" if number else "percent.2"
    change = formats.write(figure.difference, spec)
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


def _final(value: FinalValue) -> tuple[str, ...]:
    return (
        value.portfolio,
        value.basis,
        str(value.date),
        _inr(value.a_inr),
        _inr(value.b_inr),
        _gain(value.difference_inr),
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
        f"{trades.count:,}",
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

"""The list of orders that takes an account, or the paper book, to what its portfolio wants: made from a build.

A build is only read. What is held comes from the paper book, from an account's trades, or from a statement of holdings;
what is wanted from the newest decision of the portfolio, scaled by its overlay.
"""

from __future__ import annotations

import datetime as dt
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsq.engine import seeds
from tsq.engine.catalog import Catalog
from tsq.engine.lake import Lake, quote
from tsq.engine.warehouse import Connection, connect
from tsq.errors import FAILED, TsqError, did_you_mean
from tsq.ingest.batch import ingest
from tsq.quant.charges import BUY, charge_fills, schedule
from tsq.quant.order_prices import Band, Tick, band_of, limit_of, tick_of
from tsq.quant.orders import TRADE_FOR_TRADE, Draft, Name, Rules, check, per_session, slices

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Wish:
    """Whose orders: a portfolio, from a statement file, from an account's trades, or (neither) from the paper book.

    `cash_inr` is what the account has in cash; the paper book knows its own.
    """

    portfolio: str
    holdings: Path | None = None
    account: str | None = None
    cash_inr: float | None = None


@dataclass(frozen=True)
class OrderList:
    """What may be sent, every name that would have to trade with its checks, and what a person should know."""

    orders: pl.DataFrame
    checked: pl.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Held:
    """What is held: shares and those bought in the newest session, by security; cash; and what to say of it."""

    shares: Mapping[int, int]
    unsettled: Mapping[int, int]
    cash_inr: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Day:
    """The newest session, the decision that counts, and the trading days to come."""

    last: dt.date
    decided: dt.date
    ahead: tuple[dt.date, ...]


@dataclass(frozen=True)
class _Stop:
    """A stop that still keeps a name from being bought; `is_over`: it came after the decision, which it ended."""

    is_over: bool
    reason: str


@dataclass(frozen=True)
class _Prices:
    """What an order of a name may cost: tick, band, limit."""

    tick: float
    band: Band
    limit: float


def make(catalog: Catalog, con: Connection, wish: Wish) -> OrderList:
    """Make the order list of a portfolio.

    Args:
        catalog: the project, for its settings.
        con: a build, open for reading.
        wish: whose.

    Returns:
        The list; its tables may be empty.

    Raises:
        TsqError: no such portfolio, it has decided nothing yet, the holdings cannot be read, or the cash is missing.
    """
    portfolios = {row["portfolio"]: row for row in _settings(catalog, "portfolios")}
    if wish.portfolio not in portfolios:
        raise TsqError(f"there is no portfolio {wish.portfolio}", hint=did_you_mean(wish.portfolio, portfolios))
    portfolio = portfolios[wish.portfolio]
    day = _day(con, wish.portfolio)
    held = _held(catalog, con, wish, day)
    names, kinds, month_close = _names(catalog, con, wish.portfolio, day, held)
    value = held.cash_inr + sum(name.held * (name.close or 0.0) for name in names.values())
    if value <= 0:
        raise TsqError("there is nothing to trade with", hint="say the account's cash: --cash 500000")
    own = _rules_of(catalog, wish.portfolio)
    rules = _rules(catalog, con, portfolio, own, day, value, held.cash_inr)
    drafts = check(list(names.values()), rules)
    ticks = _ticks(catalog)
    prices = {}
    for draft in drafts:
        name = draft.name
        if name.close:
            kind = "equity" if kinds[name.ticker] in ("equity", "sme") else "all"
            tick = tick_of(ticks, kind, month_close.get(name.ticker) or name.close, day.ahead[0])
            pct = own["band_t2t_pct"] if name.series in TRADE_FOR_TRADE else own["band_pct"]
            band = band_of(name.close, pct, tick)
            prices[name.ticker] = _Prices(tick, band, limit_of(draft.side, name.close, own["limit_bps"], tick, band))
    drafts = [_on_the_tick(draft, prices) for draft in drafts]
    why = _why(con, wish.portfolio, day)
    notes = [f"decision of {day.decided}, prices of {day.last}, value {value:,.0f} of which {held.cash_inr:,.0f} cash"]
    if rules.exposure != 1.0:
        notes.append(f"the overlay scales what is wanted by {rules.exposure:.3f}")
    if rules.frozen:
        notes.append(f"frozen: {rules.frozen}")
    notes += held.notes
    return OrderList(_sheet(drafts, prices, rules, day, wish, why), _checked(drafts, prices, rules, why), tuple(notes))


def _on_the_tick(draft: Draft, prices: Mapping[str, _Prices]) -> Draft:
    found = prices.get(draft.name.ticker)
    if found is not None and found.band.low > found.band.high:
        return draft.cut(0, f"no multiple of the tick ({found.tick:g}) lies inside the price band")
    return draft


def _settings(catalog: Catalog, name: str) -> list[dict[str, Any]]:
    seed = seeds.read(catalog.config[name], catalog.project.root)
    columns = seed.dataset.column_names
    return [dict(zip(columns, row, strict=True)) for row in seed.rows]


def _one(catalog: Catalog, table: str, key: str, value: str) -> dict[str, Any]:
    """The row of a table of settings that a portfolio names."""
    rows = {row[key]: row for row in _settings(catalog, table)}
    if value not in rows:
        raise TsqError(f"config.{table} has no {key} {value}", hint=did_you_mean(value, rows))
    return rows[value]


def _rules_of(catalog: Catalog, portfolio: str) -> dict[str, Any]:
    rows = {row["portfolio"]: row for row in _settings(catalog, "order_rules")}
    return rows.get(portfolio) or _one(catalog, "order_rules", "portfolio", "*")


def _ticks(catalog: Catalog) -> tuple[Tick, ...]:
    return tuple(
        Tick(
            row["from_date"],
            row["kind"],
            row["price_from"],
            math.inf if row["price_to"] is None else row["price_to"],
            row["tick_inr"],
        )
        for row in _settings(catalog, "tick_sizes")
    )


def _day(con: Connection, portfolio: str) -> _Day:
    (last,) = con.execute("select max(date) from pit.sessions").fetchall()[0]
    (decided,) = con.execute("select max(date) from portfolio.targets where portfolio = ?", [portfolio]).fetchall()[0]
    if decided is None:
        raise TsqError(f"{portfolio} has decided nothing yet", hint="look at portfolio.targets", exit_code=FAILED)
    said = dict(
        con.execute(
            "select date, trades from pit.calendar where date > ? and known_to = timestamptz '9999-12-31 00:00:00+00'",
            [last],
        ).fetchall()
    )
    ahead: list[dt.date] = []
    day = last
    while len(ahead) < 63:
        day += dt.timedelta(days=1)
        if said.get(day, day.weekday() < 5):
            ahead.append(day)
    return _Day(last, decided, tuple(ahead))


def _held(catalog: Catalog, con: Connection, wish: Wish, day: _Day) -> _Held:
    if wish.holdings is not None:
        return _from_statement(catalog, con, wish.holdings, day, _cash(wish))
    if wish.account is not None:
        known = [row[0] for row in con.execute("select distinct account from book.real_events order by 1").fetchall()]
        if wish.account not in known:
            raise TsqError(f"no trades of an account {wish.account}", hint=did_you_mean(wish.account, known))
        shares = con.execute(
            "select security_id, qty from book.real_positions where account = ? and date = ?", [wish.account, day.last]
        ).fetchall()
        bought = con.execute(
            "select security_id, sum(shares)::bigint from book.real_events "
            "where account = ? and trade_date = ? and kind in ('fill', 'undone') and side = 'buy' group by 1",
            [wish.account, day.last],
        ).fetchall()
        return _Held(dict(shares), dict(bought), _cash(wish))
    shares = con.execute(
        "select security_id, qty from book.positions where portfolio = ? and date = ?", [wish.portfolio, day.last]
    ).fetchall()
    bought = con.execute(
        "select security_id, sum(qty)::bigint from book.trades "
        "where portfolio = ? and date = ? and side = 'buy' group by 1",
        [wish.portfolio, day.last],
    ).fetchall()
    cash = con.execute(
        "select cash_inr from book.cash where portfolio = ? and date = ?", [wish.portfolio, day.last]
    ).fetchall()
    return _Held(dict(shares), dict(bought), cash[0][0] if wish.cash_inr is None and cash else wish.cash_inr or 0.0)


def _cash(wish: Wish) -> float:
    if wish.cash_inr is None:
        raise TsqError(
            "nobody knows how much cash the account has", hint="say it: --cash 250000, or --cash 0", exit_code=2
        )
    return wish.cash_inr


def _from_statement(catalog: Catalog, con: Connection, path: Path, day: _Day, cash: float) -> _Held:
    """Read a statement as `tsq ingest` would, refuse it where a row is wrong, and take its newest day."""
    with tempfile.TemporaryDirectory() as scratch:
        lake = Lake(Path(scratch), {"holdings": catalog.raw["holdings"]})
        report = ingest([path], lake, dataset="holdings")
        if report.quarantined:
            _, reason, rows = report.quarantined[0]
            raise TsqError(f"{rows} rows of the statement cannot be used: {reason}", where=path, hint="put them right")
        with connect() as reader:
            lines = reader.execute(
                "select account, symbol, isin, qty, date from (" + lake.source_sql("holdings", None) + ") "
                "qualify date = max(date) over () order by account, symbol"
            ).fetchall()
    if len({account for account, *_ in lines}) > 1:
        raise TsqError("the statement is of several accounts", where=path, hint="give a file of one")
    shares: dict[int, int] = {}
    notes = []
    told = lines[0][4]
    if told != day.last:
        notes.append(f"the statement is of {told}: what was traded or split since is not in it")
    for _, symbol, isin, qty, _ in lines:
        found = con.execute(
            "select security_id from pit.securities where (ticker = ? or isin = ?) and valid_from <= ? "
            "order by isin is not distinct from ? desc, ? < valid_to desc, kind in ('equity', 'sme', 'etf') desc, "
            "valid_from desc, security_id limit 1",
            [symbol, isin, day.last, isin, day.last],
        ).fetchall()
        if found:
            shares[found[0][0]] = shares.get(found[0][0], 0) + qty
        else:
            notes.append(f"nobody bears {symbol}: left as it is")
    return _Held(shares, {}, cash, tuple(notes))


def _names(
    catalog: Catalog, con: Connection, portfolio: str, day: _Day, held: _Held
) -> tuple[dict[int, Name], dict[str, str], dict[str, float]]:
    """Every name held or wanted; the kind of each, and the close of the month before the orders, by ticker."""
    wanted = dict(
        con.execute(
            "select security_id, weight from portfolio.targets where portfolio = ? and date = ?",
            [portfolio, day.decided],
        ).fetchall()
    )
    ids = sorted({*wanted, *(security for security, shares in held.shares.items() if shares)})
    listed = ", ".join(map(str, ids)) or "-1"
    month = quote(day.ahead[0].replace(day=1).isoformat())
    found = con.execute(
        f"""
        with prints as (
            select security_id, arg_max(ticker, date) as ticker, arg_max(series, date) as series,
                arg_max(kind, date) as kind, arg_max(close, date) as close, max(date) as date,
                arg_max(close, date) filter (where date < date {month}) as month_close
            from pit.prices where security_id in ({listed}) and volume > 0 and close > 0 group by security_id
        ),
        usual as (
            select security_id, arg_max(adv_inr, date) as adv_inr
            from features.daily where security_id in ({listed}) group by security_id
        ),
        latest as (
            select security_id, arg_max(isin, valid_from) as isin, arg_max(ticker, valid_from) as ticker,
                arg_max(series, valid_from) as series, arg_max(kind, valid_from) as kind
            from pit.securities where security_id in ({listed}) and valid_from <= ? group by security_id
        ),
        labels as (
            select security_id, any_value(sector) as sector
            from pit.sectors where security_id in ({listed}) and valid_from <= ? and ? < valid_to group by security_id
        )
        select security_id, coalesce(prints.ticker, latest.ticker), latest.isin, coalesce(prints.series, latest.series),
            labels.sector, prints.close, usual.adv_inr, prints.date, coalesce(prints.kind, latest.kind),
            prints.month_close
        from latest left join prints using (security_id) left join usual using (security_id)
        left join labels using (security_id) order by security_id
    """,
        [day.last, day.last, day.last],
    ).fetchall()
    barred = [row for row in _settings(catalog, "restrictions") if _holds(row, day)]
    stopped = _stopped(catalog, con, portfolio, day)
    universe = catalog.project.knobs["universe_series"]
    series = set(universe) if isinstance(universe, tuple) else {universe}
    names: dict[int, Name] = {}
    kinds: dict[str, str] = {}
    month_close: dict[str, float] = {}
    for security, ticker, isin, line, sector, close, adv, printed, kind, before in found:
        own = {("ticker", ticker), ("portfolio", portfolio)}
        names[security] = Name(
            ticker=ticker,
            isin=isin,
            series=line,
            sector=sector,
            held=held.shares.get(security, 0),
            unsettled=held.unsettled.get(security, 0),
            weight=0.0 if security in stopped and stopped[security].is_over else wanted.get(security, 0.0),
            close=close,
            adv_inr=adv,
            is_quiet=printed is None or printed < day.last,
            may_buy=kind != "equity" or line in series,
            barred=(
                *((row["side"], row["reason"]) for row in barred if (row["scope"], row["name"]) in own),
                *((("buy", stopped[security].reason),) if security in stopped else ()),
            ),
        )
        kinds[ticker] = kind
        if before is not None:
            month_close[ticker] = before
    return names, kinds, month_close


def _stopped(catalog: Catalog, con: Connection, portfolio: str, day: _Day) -> dict[int, _Stop]:
    """Names the paper book was stopped out of, which its overlay would not buy again in the coming session."""
    named = next(row["overlay"] for row in _settings(catalog, "portfolios") if row["portfolio"] == portfolio)
    rules = _one(catalog, "risk", "overlay", named)
    rows = con.execute(
        """
        with hits as (
            select security_id, max(date) as date, arg_max(signal_date, date) as signal_date
            from book.trades where portfolio = ? and reason = 'stop' group by security_id
        ),
        levels as (
            select hits.security_id, hits.date, max(stops.stop_price) as level
            from hits left join book.stops as stops on stops.portfolio = ? and stops.security_id = hits.security_id
                and stops.from_date <= hits.signal_date and hits.signal_date < stops.to_date
            group by all
        )
        select levels.security_id, levels.date,
            (select count(*) from pit.sessions where date > levels.date) + 1 as sessions_since,
            coalesce(max(prices.close) > levels.level, false) as is_above
        from levels
        left join pit.prices as prices on prices.security_id = levels.security_id and prices.date > levels.date
        group by levels.security_id, levels.date, levels.level
        """,
        [portfolio, portfolio],
    ).fetchall()
    return {
        security: _Stop(date > day.decided, f"stopped out on {date}")
        for security, date, since, is_above in rows
        if date > day.decided or since <= rules["reentry_sessions"] or (rules["reentry_above_stop"] and not is_above)
    }


def _holds(row: Row, day: _Day) -> bool:
    first = day.ahead[0]
    return bool(row["from_date"] <= first and (row["to_date"] is None or first <= row["to_date"]))


def _rules(catalog: Catalog, con: Connection, portfolio: Row, own: Row, day: _Day, value: float, cash: float) -> Rules:
    execution = _one(catalog, "execution", "execution", portfolio["execution"])
    tier = _one(catalog, "capacity", "tier", portfolio["tier"])
    scale = con.execute(
        "select value from book.switches where portfolio = ? and item = 'exposure' and to_date = date '9999-12-31'",
        [portfolio["portfolio"]],
    ).fetchall()
    frozen = [
        row["reason"]
        for row in _settings(catalog, "restrictions")
        if (row["scope"], row["name"], row["side"]) == ("portfolio", portfolio["portfolio"], "both")
        and _holds(row, day)
    ]
    rates = schedule(
        con.sql("select * from pit.charges").pl(), [day.ahead[0]], plan=str(catalog.project.knobs["brokerage_plan"])
    )
    charged = float(charge_fills(rates, 0, BUY, np.array([1e5])).sum()) / 1e5
    return Rules(
        value_inr=value,
        cash_inr=cash,
        name_cap=portfolio["name_cap"],
        sector_cap=portfolio["sector_cap"],
        cap_unlabelled=bool(catalog.project.knobs["cap_unlabelled"]),
        no_trade_band=portfolio["no_trade_band"],
        participation=min(execution["participation"], tier["max_participation"] or math.inf),
        most_exit_days=tier["max_exit_days"],
        sessions=execution["sessions"],
        most_sessions=max(own["most_sessions"], execution["sessions"]),
        least_inr=own["least_inr"],
        cost=charged + own["limit_bps"] / 1e4,
        exposure=scale[0][0] if scale else 1.0,
        frozen=frozen[0] if frozen else None,
    )


def _why(con: Connection, portfolio: str, day: _Day) -> dict[str, str]:
    """What signals.entries_exits says of the decision's names, where the build has it."""
    there = con.execute(
        "select count(*) from information_schema.columns where table_schema = 'signals' "
        "and table_name = 'entries_exits' and column_name in ('portfolio', 'date', 'ticker', 'reason')"
    ).fetchall()
    if there != [(4,)]:
        return {}
    return dict(
        con.execute(
            "select ticker, reason from signals.entries_exits where portfolio = ? and date = ? and reason is not null",
            [portfolio, day.decided],
        ).fetchall()
    )


def _word(draft: Draft) -> str:
    """Enter, add, trim or exit: what the order was to do."""
    if draft.side == "buy":
        return "add" if draft.name.held else "enter"
    return "trim" if draft.name.held + draft.wanted > 0 else "exit"


def _sheet(
    drafts: list[Draft], prices: Mapping[str, _Prices], rules: Rules, day: _Day, wish: Wish, why: Mapping[str, str]
) -> pl.DataFrame:
    """The sheet a broker takes: one row an order of a session."""
    rows = [
        {
            "session": at + 1,
            "date": day.ahead[at],
            "portfolio": wish.portfolio,
            "exchange": "NSE",
            "symbol": draft.name.ticker,
            "series": draft.name.series,
            "isin": draft.name.isin,
            "side": draft.side.upper(),
            "quantity": abs(shares),
            "order_type": "LIMIT",
            "price": prices[draft.name.ticker].limit,
            "product": "CNC",
            "validity": "DAY",
            "value_inr": round(abs(shares) * (draft.name.close or 0.0), 2),
            "what": _word(draft),
            "why": why.get(draft.name.ticker, ""),
        }
        for draft in drafts
        for at, shares in enumerate(slices(draft.change, per_session(draft.name, rules), rules))
    ]
    schema = {
        "session": pl.Int64,
        "date": pl.Date,
        "portfolio": pl.String,
        "exchange": pl.String,
        "symbol": pl.String,
        "series": pl.String,
        "isin": pl.String,
        "side": pl.String,
        "quantity": pl.Int64,
        "order_type": pl.String,
        "price": pl.Float64,
        "product": pl.String,
        "validity": pl.String,
        "value_inr": pl.Float64,
        "what": pl.String,
        "why": pl.String,
    }
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.sort("session", pl.col("side") == "BUY", "symbol")


def _checked(drafts: list[Draft], prices: Mapping[str, _Prices], rules: Rules, why: Mapping[str, str]) -> pl.DataFrame:
    """Every name that would have to trade: what was wanted, what is left of it, and why."""
    rows = []
    for draft in drafts:
        name, price = draft.name, prices.get(draft.name.ticker)
        close = name.close or 0.0
        rows.append(
            {
                "symbol": name.ticker,
                "isin": name.isin,
                "series": name.series,
                "side": draft.side.upper(),
                "what": _word(draft),
                "status": "sent" if draft.change == draft.wanted else "cut" if draft.change else "refused",
                "held": name.held,
                "wanted": abs(draft.wanted),
                "sent": abs(draft.change),
                "reason": "; ".join(draft.reasons),
                "why": why.get(name.ticker, ""),
                "close": name.close,
                "limit": price.limit if price else None,
                "tick": price.tick if price else None,
                "band_low": price.band.low if price else None,
                "band_high": price.band.high if price else None,
                "weight_before": name.held * close / rules.value_inr,
                "weight_wanted": name.weight * rules.exposure,
                "weight_after": (name.held + draft.change) * close / rules.value_inr,
                "value_inr": round(draft.value_inr, 2),
                "sessions": len(slices(draft.change, per_session(name, rules), rules)),
                "part_of_usual_value": draft.value_inr / name.adv_inr if name.adv_inr else None,
            }
        )
    schema = {
        "symbol": pl.String,
        "isin": pl.String,
        "series": pl.String,
        "side": pl.String,
        "what": pl.String,
        "status": pl.String,
        "held": pl.Int64,
        "wanted": pl.Int64,
        "sent": pl.Int64,
        "reason": pl.String,
        "why": pl.String,
        "close": pl.Float64,
        "limit": pl.Float64,
        "tick": pl.Float64,
        "band_low": pl.Float64,
        "band_high": pl.Float64,
        "weight_before": pl.Float64,
        "weight_wanted": pl.Float64,
        "weight_after": pl.Float64,
        "value_inr": pl.Float64,
        "sessions": pl.Int64,
        "part_of_usual_value": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")

"""What must hold of the fold whatever the market does."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsq.quant.book import Execution, Policy
from tsq.quant.charges import schedule
from tsq.quant.events import COSTS, events_table
from tsq.quant.ledger import fold, targets_by_day
from tsq.quant.market import market

RATES = pl.read_csv(Path(__file__).parents[2] / "config" / "charges.csv", try_parse_dates=True)
FIRST = dt.date(2025, 6, 2)
DEAD_AFTER = 3
UNKNOWN = dict.fromkeys(("turnover_inr", "adv_inr", "sigma"), pl.Float64)

pytestmark = pytest.mark.filterwarnings("error")
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def worlds(draw, *, actions=True, holes=True, last_decision=None):
    """Quotes, sessions, targets and capital of a small market with holes, deaths, splits and dividends."""
    n_days, n_names = draw(st.integers(3, 14)), draw(st.integers(1, 5))
    days = [FIRST + dt.timedelta(day) for day in range(n_days)]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    hole_rate = draw(st.sampled_from([0.0, 0.2, 0.6])) if holes else 0.0
    action_rate = draw(st.sampled_from([0.0, 0.3])) if actions else 0.0
    rows = []
    for name in range(n_names):
        price = float(np.exp(rng.uniform(-1.0, 8.0)))
        mark, stale = None, 0
        for day in days:
            factor, cash = 1.0, 0.0
            if mark is not None and rng.random() < action_rate:
                factor = float(rng.choice([2.0, 1.5, 10.0, 0.1, 1.0 / 3.0, 1.0]))
                cash = float(rng.choice([0.0, 0.01])) * price
            price = max(price * float(np.exp(rng.normal(0.0, 0.1))) / factor, 0.05)
            trades = mark is None or rng.random() >= hole_rate
            stale = 0 if trades else stale + 1
            mark = price if trades else mark / factor
            if stale <= DEAD_AFTER:
                rows.append(
                    {
                        "date": day,
                        "security_id": 1000 + 7 * name,
                        "open": round(price * 1.01, 2) if trades else None,
                        "close": price if trades else None,
                        "mark": mark,
                        "sessions_stale": stale,
                        "share_factor": factor,
                        "cash_per_share": cash,
                        "action": "split" if factor != 1.0 else None,
                        "high": price * 1.02 if trades else None,
                        "low": price * 0.98 if trades else None,
                        "volume": 1_000_000_000 if trades else None,
                        "turnover_inr": None,
                        "adv_inr": None,
                        "sigma": None,
                        "bonus_factor": 1.0,
                        "kept": 1.0,
                        "taken_per_share": 0.0,
                    }
                )
    decisions = sorted({0, *draw(st.lists(st.integers(0, (last_decision or n_days) - 1), max_size=6))})
    targets = []
    for row in decisions:
        wanted = np.flatnonzero(rng.random(n_names) < 0.7)
        weights = rng.dirichlet(np.ones(len(wanted))) * rng.choice([1.0, 0.5]) if len(wanted) else []
        targets += [
            {"date": days[row], "security_id": 1000 + 7 * int(name), "weight": float(weight)}
            for name, weight in zip(wanted, weights, strict=True)
        ]
    if not targets:
        targets = [{"date": days[0], "security_id": 1000, "weight": 1.0}]
    return (
        pl.DataFrame(rows, schema_overrides={"action": pl.String, **UNKNOWN}),
        pl.DataFrame(targets),
        draw(st.sampled_from([500.0, 1e5, 1e7])),
    )


@st.composite
def executions(draw):
    """Ways to trade, thin volumes that make them matter, and what is borrowed."""
    how = Execution(
        sessions=draw(st.integers(1, 3)),
        participation=draw(st.sampled_from([0.01, 0.1, 1.0])),
        adv_participation=draw(st.sampled_from([np.inf, 0.05])),
        impact=draw(st.sampled_from([0.0, 1.0])),
    )
    leverage = draw(st.sampled_from([1.0, 1.5]))
    return {"execution": how, "leverage": leverage, "financing": 0.1}, draw(st.sampled_from([50, 5_000, 10**9]))


def thin(quotes, volume):
    """The same quotes with so many shares traded, of which most is known the evening before."""
    return quotes.with_columns(
        volume=pl.when(pl.col("open").is_not_null()).then(volume),
        adv_inr=pl.when(pl.col("security_id") % 3 != 0).then(pl.col("mark") * volume),
        sigma=0.03,
    )


def borrowed(book, day, targets):
    """Weights that a stated leverage is used with, and one that is not stated is not."""
    return replace(targets, weights=targets.weights * 1.4)


def run(quotes, targets, capital, *, plan="GROWW", slippage=0.001, trade_at="open", **more):
    """The events table and the market of one portfolio."""
    # a session is one even where every name is dead by then
    first, last = targets["date"].min(), max(quotes["date"].max(), targets["date"].max())
    sessions = pl.DataFrame({"date": pl.date_range(first, last, eager=True)}).with_columns(is_short=False)
    quotes = quotes.filter(pl.col("date") >= first)
    seen = market(quotes, sessions, delist_after_sessions=DEAD_AFTER, price=trade_at)
    policy = Policy(targets_by_day(targets, seen), schedule(RATES, seen.dates, plan=plan), slippage, 0.5, **more)
    return events_table("p", fold(seen, policy, capital), seen), seen


def marks(quotes, seen):
    """Value of a share of each name after each session of the market."""
    at = {(quote["date"], quote["security_id"]): quote["mark"] for quote in quotes.iter_rows(named=True)}
    return np.array([[at.get((date.item(), name), np.nan) for name in seen.names.tolist()] for date in seen.dates])


def values(events, seen, mark):
    """Value of the portfolio after each session, from the events and the marks alone."""
    out = []
    for row, date in enumerate(seen.dates):
        so_far = events.filter(pl.col("date") <= date.item())
        shares = dict(so_far.drop_nulls("security_id").group_by("security_id").agg(pl.col("shares").sum()).iter_rows())
        held = sum(count * mark[row, list(seen.names).index(name)] for name, count in shares.items() if count)
        out.append(so_far["cash_inr"].sum() + held)
    return np.array(out)


@quick
@given(worlds(), executions())
def test_fills_never_exceed_participation(world, execution):
    (quotes, targets, capital), (more, volume) = world, execution
    quotes = thin(quotes, volume)
    events, _ = run(quotes, targets, capital, exposure=borrowed, **more)
    fills = (
        events.filter(pl.col("kind") == "fill").group_by("date", "security_id").agg(pl.col("qty", "value_inr").sum())
    )
    fills = fills.join(quotes, on=["date", "security_id"], how="left")
    how = more["execution"]
    assert (fills["qty"] <= how.participation * fills["volume"] + 1e-6).all()
    if np.isfinite(how.adv_participation):
        known = fills.drop_nulls("adv_inr")
        assert (known["value_inr"] <= how.adv_participation * known["adv_inr"] * (1.0 + 1e-9) + 1e-6).all()


@quick
@given(worlds(), executions())
def test_no_more_is_borrowed_than_is_stated(world, execution):
    (quotes, targets, capital), (more, volume) = world, execution
    quotes = thin(quotes, volume)
    events, seen = run(quotes, targets, capital, exposure=borrowed, plan="NONE", slippage=0.0, **more)
    cash = events["cash_inr"].cum_sum()
    if more["leverage"] == 1.0:
        assert cash.min() >= -1e-6
        assert "financing" not in events["kind"].to_list()
        return
    bought = events.filter(pl.col("side") == "buy")["date"].unique()
    for row, date in enumerate(seen.dates):
        if date.item() in bought.to_list():
            so_far = events.filter(pl.col("date") <= date.item())
            shares = so_far.drop_nulls("security_id").group_by("security_id").agg(pl.col("shares").sum())
            held = sum(
                count * (seen.before if np.isnan(seen.price[row, at]) else seen.price)[row, at]
                for name, count in shares.iter_rows()
                if count
                for at in [list(seen.names).index(name)]
            )
            value = held + so_far["cash_inr"].sum()
            # what impact costs comes off the value after it was asked what may be borrowed
            slack = so_far.filter(pl.col("date") == date.item())["impact_inr"].sum()
            assert held <= more["leverage"] * (value + slack) + slack + 1e-6


@quick
@given(worlds())
def test_cash_and_holdings_are_never_negative(world):
    events, _ = run(*world)
    assert events["cash_inr"].cum_sum().min() >= -1e-6
    held = events.drop_nulls("security_id").with_columns(held=pl.col("shares").cum_sum().over("security_id"))
    assert (held["held"] >= 0).all()


@quick
@given(worlds(), executions())
def test_value_changes_by_prices_less_costs_and_interest(world, execution):
    (quotes, targets, capital), (more, volume) = world, execution
    events, seen = run(thin(quotes, volume), targets, capital, exposure=borrowed, **more)
    mark = marks(world[0], seen)
    value, names = values(events, seen, mark), list(seen.names)
    held = np.zeros(len(names))
    for row, date in enumerate(seen.dates):
        today = events.filter(pl.col("date") == date.item())
        factor, paid = np.ones(len(names)), np.zeros(len(names))
        if row in seen.actions:
            factor[seen.actions[row].names] = seen.actions[row].factor
            paid[seen.actions[row].names] = seen.actions[row].cash
        if row:
            moved = held > 0
            pnl = float(np.sum(held[moved] * (factor * mark[row] + paid - mark[row - 1])[moved]))
            for event in today.filter(pl.col("kind").is_in(["fill", "fraction", "delisting"])).iter_rows(named=True):
                sign = 1.0 if event["side"] == "buy" else -1.0
                pnl += sign * event["qty"] * (mark[row, names.index(event["security_id"])] - event["price"])
            costs = sum(today[name].sum() for name in COSTS)
            costs -= today.filter(pl.col("kind") == "financing")["cash_inr"].sum()
            assert value[row] == pytest.approx(value[row - 1] + pnl - costs, rel=1e-9)
        for event in today.drop_nulls("security_id").iter_rows(named=True):
            held[names.index(event["security_id"])] += event["shares"]


@quick
@given(worlds(), st.sampled_from(["open", "close"]))
def test_fills_are_whole_shares_at_printed_prices_after_their_decision(world, trade_at):
    quotes, targets, capital = world
    events, _ = run(quotes, targets, capital, trade_at=trade_at)
    fills = events.filter(pl.col("kind") == "fill").join(
        quotes, on=["date", "security_id"], how="left", suffix="_quote"
    )
    assert (fills["price"] == fills[trade_at if trade_at == "close" else "open"]).all()
    assert (fills["qty"] == fills["shares"].abs()).all()
    assert (fills["qty"] >= 1).all()
    assert (fills["signal_date"] < fills["date"]).all()
    assert fills["signal_date"].is_in(targets["date"].to_list()).all()


@quick
@given(worlds(), st.integers(1, 13))
def test_the_future_changes_nothing_before_it(world, days):
    quotes, targets, capital = world
    cut = quotes["date"].min() + dt.timedelta(days)
    known = targets.filter(pl.col("date") <= cut)
    if known.is_empty():
        return
    past = quotes.filter((pl.col("date") <= cut) & pl.col("security_id").is_in(known["security_id"].to_list()))
    short, _ = run(past, known, capital)
    long, _ = run(quotes, targets, capital)
    assert short.equals(long.filter(pl.col("date") <= cut))


@quick
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(world, random):
    quotes, targets, capital = world
    seed = random.randint(0, 2**31)
    shuffled = [table.sample(fraction=1.0, shuffle=True, seed=seed) for table in (quotes, targets)]
    assert run(*shuffled, capital)[0].equals(run(quotes, targets, capital)[0])


@quick
@given(worlds(), st.sampled_from([0.25, 2.0, 1024.0]))
def test_another_currency_changes_only_the_amounts(world, scale):
    quotes, targets, capital = world
    exact = quotes.with_columns(pl.col("cash_per_share") * 0.0)
    other = exact.with_columns(pl.col("open", "close", "mark") * scale)
    one, _ = run(exact, targets, capital, plan="NONE")
    two, _ = run(other, targets, capital * scale, plan="NONE")
    assert one["shares"].to_list() == two["shares"].to_list()
    assert (one["cash_inr"] * scale).to_list() == pytest.approx(two["cash_inr"].to_list(), rel=1e-12, abs=1e-9 * scale)


@quick
@given(worlds(actions=False, holes=False, last_decision=1), st.integers(2, 13), st.sampled_from([2.0, 5.0, 10.0]))
def test_a_split_neither_makes_nor_loses_money(world, days, factor):
    quotes, targets, capital = world
    name, ex_date = targets["security_id"][0], quotes["date"].min() + dt.timedelta(days)
    is_after = (pl.col("security_id") == name) & (pl.col("date") >= ex_date)
    is_ex = (pl.col("security_id") == name) & (pl.col("date") == ex_date)
    split = quotes.with_columns(
        pl.when(is_after).then(pl.col("open", "close", "mark") / factor).otherwise(pl.col("open", "close", "mark")),
        share_factor=pl.when(is_ex).then(factor).otherwise(pl.col("share_factor")),
    )
    plain, split_values = (
        values(events, seen, marks(table, seen))
        for table in (quotes, split)
        for events, seen in [run(table, targets, capital)]
    )
    np.testing.assert_allclose(split_values, plain, rtol=1e-12)


@quick
@given(worlds(actions=False))
def test_no_buy_takes_a_name_above_its_weight(world):
    quotes, targets, _ = world
    events, seen = run(quotes, targets, 1e7, plan="NONE")
    names = list(seen.names)
    for row, date in enumerate(seen.dates[1:], start=1):
        so_far = events.filter(pl.col("date") <= date.item())
        bought = so_far.filter((pl.col("date") == date.item()) & (pl.col("side") == "buy"))
        if bought.is_empty():
            continue
        shares = dict(so_far.drop_nulls("security_id").group_by("security_id").agg(pl.col("shares").sum()).iter_rows())
        worth = {
            name: count
            * (seen.before if np.isnan(seen.price[row, names.index(name)]) else seen.price)[row, names.index(name)]
            for name, count in shares.items()
            if count
        }
        value = sum(worth.values()) + so_far["cash_inr"].sum()
        (decided,) = bought["signal_date"].unique()
        weights = dict(targets.filter(pl.col("date") == decided).select("security_id", "weight").iter_rows())
        for name in bought["security_id"]:
            assert worth[name] <= weights[name] * value * (1.0 + 1e-6)

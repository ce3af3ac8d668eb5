"""The simulated broker: trades inside the market's range, shares that add up, notes that add up, and every planted fault."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from tsq.ingest.demo import Account, Market, make_account, make_market
from tsq.ingest.demo.broker import ACCOUNT


@pytest.fixture(scope="module", params=["small", "default"])
def market(request: pytest.FixtureRequest) -> Market:
    return make_market(size=request.param)


@pytest.fixture(scope="module")
def account(market: Market) -> Account:
    return make_account(market)


def planted(account: Account, kind: str) -> tuple[date, str]:
    (event,) = [event for event in account.events if event.kind == kind]
    return event.on, event.symbol


def trades(account: Account) -> pl.DataFrame:
    """What was traded in truth: both parts of the tradebook, each trade once, late and corrected ones put right."""
    parts = [table for name, table in account.tables.items() if name.startswith("tradebook")]
    mended = account.tables["late_fills.csv"]
    told = pl.concat(parts).filter(pl.col("quantity") > 0, pl.col("symbol") != "DMNOBODY").unique("trade_id")
    told = told.filter(~pl.col("trade_id").is_in(mended["trade_id"].to_list()))
    columns = {"trade_date": "date", "trade_type": "side", "quantity": "qty"}
    names = ["date", "symbol", "side", "qty", "price", "trade_id", "order_id"]
    return pl.concat([told.rename(columns).select(names), mended.select(names)])


def test_every_trade_is_inside_the_range_of_its_session_and_on_the_tick(market: Market, account: Account) -> None:
    found = trades(account)
    for day, symbol, price in found.select("date", "symbol", "price").iter_rows():
        row = int(np.searchsorted(market.plan.sessions, np.datetime64(day)))
        (column,) = [
            c
            for c in range(market.plan.size.equities)
            if market.plan.symbol_at(row, c) == symbol and market.plan.traded[row, c]
        ]
        assert market.low[row, column] <= price <= market.high[row, column]
        assert abs(price * 20 - round(price * 20)) < 1e-9
    assert found["trade_id"].is_unique().all()
    assert found.group_by("order_id").len()["len"].max() > 1, "no order is filled in parts"


def test_notes_add_up_to_the_trades_and_to_themselves(account: Account) -> None:
    values = trades(account).with_columns(value=pl.col("qty") * pl.col("price"))
    notes = account.tables["contract_notes.csv"].sort("date")
    for side, column in (("buy", "bought_inr"), ("sell", "sold_inr")):
        daily = values.filter(pl.col("side") == side).group_by("date").agg(pl.col("value").sum())
        both = notes.join(daily, on="date", how="left").fill_null(0.0)
        assert (both[column] - both["value"]).abs().max() < 0.01
    charges = ["brokerage_inr", "exchange_inr", "ipft_inr", "sebi_inr", "stt_inr", "stamp_inr", "gst_inr"]
    paid = notes.select(pl.sum_horizontal(charges))["brokerage_inr"]
    assert (notes["sold_inr"] - notes["bought_inr"] - paid - notes["net_inr"]).abs().max() < 0.011
    tax = notes["stt_inr"] / (notes["bought_inr"] + notes["sold_inr"])
    (twice,) = notes.filter(tax > 1.5e-3)["date"]
    assert twice == planted(account, "broker_double_tax")[0]


def test_statements_are_what_was_bought_less_what_was_sold(market: Market, account: Account) -> None:
    """Of the names that no split or bonus touched; the one planted gap is the only one."""
    moved = {market.plan.isin_at(a.row, a.column) for a in market.plan.actions if a.kind in ("split", "bonus")}
    renamed = set(market.plan.symbols) - {market.plan.symbol_at(0, c) for c in range(len(market.plan.kinds))}
    signed = trades(account).with_columns(shares=pl.when(pl.col("side") == "buy").then("qty").otherwise(-pl.col("qty")))
    lines = account.tables["holdings.csv"].filter(~pl.col("isin").is_in(list(moved)))
    gaps = []
    for (day,), statement in lines.group_by("date", maintain_order=True):
        held = signed.filter(pl.col("date") <= day).group_by("symbol").agg(pl.col("shares").sum())
        both = statement.join(held, on="symbol", how="full", coalesce=True).filter(
            ~pl.col("symbol").is_in(list(renamed))
        )
        wrong = both.filter(pl.col("qty").fill_null(0) != pl.col("shares").fill_null(0), pl.col("isin").is_not_null())
        assert not wrong.height
        gaps += [(day, name) for name in both.filter(pl.col("qty").is_null(), pl.col("shares") != 0)["symbol"]]
    untouched = {symbol for symbol in held["symbol"] if symbol in lines["symbol"].to_list()}
    assert planted(account, "broker_lost_holding") in gaps
    assert {name for day, name in gaps if name in untouched and day == planted(account, "broker_lost_holding")[0]} == {
        planted(account, "broker_lost_holding")[1]
    }


def test_a_file_says_the_account_in_its_name_or_its_rows(account: Account) -> None:
    for name, table in account.tables.items():
        assert ACCOUNT in name or set(table["account"]) == {ACCOUNT}


def test_faults_are_in_the_files(account: Account) -> None:
    second, late = account.tables[f"tradebook-{ACCOUNT}-EQ-2.csv"], account.tables["late_fills.csv"]
    first = account.tables[f"tradebook-{ACCOUNT}-EQ.csv"]
    assert "DMNOBODY" in second["symbol"]
    assert 0 in second["quantity"]
    assert second.height - second["trade_id"].n_unique() == 1
    assert set(first["trade_id"]) & set(second["trade_id"])
    told = pl.concat([first, second]).unique("trade_id").join(late, on="trade_id", how="inner")
    assert (told["price"] / told["price_right"]).to_list() == pytest.approx([10.0])
    assert {str(on) for on in late["date"]} == {
        str(planted(account, kind)[0]) for kind in ("broker_late_fill", "broker_misprint")
    }


def test_the_account_moves_no_price(market: Market) -> None:
    before = market.close.copy()
    make_account(market)
    assert (market.close == before).all()

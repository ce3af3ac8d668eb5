"""Targets, the book and its measures over a made market: every promise holds, and the future changes nothing known."""

from __future__ import annotations

import datetime as dt

import duckdb
import polars as pl
import portfolio_bench as bench
import pytest

from tsq.engine.graph import Graph


@pytest.fixture(scope="module")
def graph() -> Graph:
    return bench.load(delist_after_sessions=30)


@pytest.fixture(scope="module")
def market() -> dict[str, pl.DataFrame]:
    return bench.made_market()


@pytest.fixture(scope="module")
def book(graph, market) -> duckdb.DuckDBPyConnection:
    return bench.build(graph, market)


def models(graph):
    return [name for name in bench.buildable(graph) if graph.nodes[name].model.layer in bench.LAYERS]


def rows(con, query):
    return con.execute(query).fetchall()


def test_every_promise_holds(graph, book):
    for name in models(graph):
        node = graph.nodes[name]
        assert rows(book, f"select 1 from {name} limit 1"), f"{name} is empty"
        keys = ", ".join(f'"{column}"' for column in node.model.header.grain)
        assert rows(book, f"select {keys} from {name} group by {keys} having count(*) > 1") == [], name
        for rule in node.rules:
            query = f"select * from {name} where ({rule.sql}) is not true" if rule.kind == "rows" else rule.sql
            assert rows(book, query) == [], f"{name}: {rule.name}"
        promised = {column: spec.type for column, spec in node.model.header.columns.items()}
        found = {row[0]: row[1] for row in rows(book, f"describe {name}")}
        assert list(found.items()) == list(promised.items()), name


def test_the_market_shows_every_kind_of_event(book):
    kinds = {row[0] for row in rows(book, "select distinct kind from book.events")}
    assert kinds == {
        *("inception", "fill", "corporate_action", "fraction", "dividend", "delisting"),
        *("lot", "match", "assessment", "tax", "stop", "exposure"),
    }


@pytest.mark.parametrize("day", [dt.date(2020, 6, 30), dt.date(2020, 9, 16), dt.date(2021, 1, 1), dt.date(2021, 3, 5)])
def test_rows_knowable_by_a_cut_do_not_see_past_it(graph, market, book, day):
    past = bench.build(graph, bench.cut(market, day))
    compared = {}
    for name in models(graph):
        knowable = graph.nodes[name].model.header.knowable
        query = f"select * from {name} where ({knowable}) <= date '{day}' order by all"
        full = rows(book, query)
        assert full == rows(past, query), name
        compared[name] = len(full)
    assert {name for name, count in compared.items() if not count} <= {
        "book.lot_schedule",  # no lot is a year old by then
        *(f"kpis.{name}" for name in ("compare", "cost_curve", "capacity")),
        *(
            name
            for name in (
                "book.tax_years",
                *(f"kpis.{name}" for name in ("windows", "measures", "turnover", "costs", "tax_drag", "summary")),
                "kpis.capacity_violations",
            )
            if day.year == 2020
        ),
    }


def test_the_order_of_rows_does_not_matter(graph, market, book):
    shuffled = {name: table.sample(fraction=1.0, shuffle=True, seed=5) for name, table in market.items()}
    again = bench.build(graph, shuffled)
    for name in models(graph):
        query = f"select * from {name} order by all"
        assert rows(again, query) == rows(book, query), name


def test_each_portfolio_decides_on_its_own_dates(book, market):
    ends = market["universe.rebalances"].rows_by_key("date", named=True, unique=True)
    kinds = {"monthly": "is_month_end", "quarterly": "is_quarter_end", "weekly": "is_week_end"}
    decided = rows(book, "select distinct portfolio, date from portfolio.targets")
    assert {portfolio for portfolio, _ in decided} == set(kinds)
    assert all(ends[date][kinds[portfolio]] for portfolio, date in decided)


def test_the_best_names_are_taken_until_their_sector_is_full(book):
    date, taken = rows(
        book, "select date, list(security_id order by pick) from portfolio.targets join portfolio.candidates"
        " using (date, portfolio, security_id) where portfolio = 'monthly' group by date order by date limit 1"
    )[0]  # fmt: skip
    ranked = rows(
        book,
        "select security_id, coalesce(sector, 'unlabelled') from signals.score join universe.members using (date, security_id)"
        f" where date = '{date}' and blend = 'one' and active order by score desc, security_id",
    )
    expected, places = [], {}
    for name, sector in ranked:
        places[sector] = places.get(sector, 0) + 1
        if places[sector] <= 3 and len(expected) < 8:  # 0.40 of a sector at 0.125 a name
            expected.append(name)
    assert taken == expected


def test_names_without_a_sector_can_be_freed_of_the_cap(market):
    nameless = market | {"universe.members": market["universe.members"].with_columns(sector=pl.lit(None, pl.String))}
    counts = []
    for cap in ("true", "false"):
        built = bench.build(bench.load(cap_unlabelled=cap), nameless)
        counts.append(
            rows(
                built,
                "select max(n) from (select count(*) as n from portfolio.targets where portfolio = 'monthly' and weight > 0 group by date)",
            )
        )
    assert counts == [[(3,)], [(8,)]]


def test_a_hole_is_marked_at_the_last_close_rescaled_for_what_went_ex(book, market):
    security_id, ex_date, _, factor, *_ = market["pit.corporate_actions"].filter(pl.col("security_id") == 503).row(0)
    before, on_ex = rows(
        book, f"select mark, sessions_stale, share_factor from book.quotes where security_id = {security_id}"
        f" and date <= date '{ex_date}' order by date desc limit 2"
    )[::-1]  # fmt: skip
    assert on_ex[0] == pytest.approx(before[0] / factor, rel=1e-12)
    assert on_ex[1] == before[1] + 1
    assert (before[2], on_ex[2]) == (1.0, factor)
    close = rows(
        book,
        f"select close from pit.prices where security_id = {security_id} and date < date '{ex_date}' and volume > 0 order by date desc limit 1",
    )
    assert before[0] == close[0][0]


def test_what_rights_take_out_of_the_price_is_paid_to_the_holder(book, market):
    day = market["pit.sessions"]["date"][bench.RIGHTS_ROW]
    security = 500 + bench.RIGHTS_COLUMN
    ((before, cash),) = rows(
        book,
        f"select last_mark, cash_per_share from (select *, lag(mark) over (order by date) as last_mark from book.quotes where security_id = {security}) where date = '{day}'",
    )
    assert cash == pytest.approx(before * (1.0 - bench.RIGHTS_FACTOR))
    paid = rows(
        book,
        f"select price, reason, cash_inr = qty * price from book.events where kind = 'dividend' and date = '{day}' and security_id = {security}",
    )
    assert paid
    assert set(paid) == {(cash, "rights", True)}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ("blend = 'on'", "config/blends.csv has no blend on"),
        ("top_n = 0", "top_n is below 1"),
        ("name_cap = 10", "name_cap is a ratio above 0, 1 at most"),
        ("sector_cap = 30", "sector_cap is a ratio, 1 at most"),
        ("sector_cap = 0.02", "sector_cap is below the weight of one name"),
        ("capital_inr = 0", "capital_inr is not above 0"),
        ("tier = 'large'", "config/capacity.yml has no tier large"),
        ("exit_rank = 1", "exit_rank is below top_n"),
        ("min_weight = 0.31", "min_weight is above an equal part"),
        ("conviction_cap = 0.61", "conviction_cap is above sector_cap"),
        ("cash_buffer = 0.9", "conviction_cap and cash_buffer leave nothing for the core"),
        ("beta_low = 1.2, beta_high = 0.8", "beta_low is above beta_high"),
        ("size_low = 1, size_high = 0", "size_low is above size_high"),
        ("momentum_low = 1, momentum_high = 0", "momentum_low is above momentum_high"),
    ],
)
def test_a_portfolio_that_cannot_be_built_is_told(graph, market, change, wrong):
    con = duckdb.connect()
    con.execute("create schema config")
    bench.configure(con, graph, {name: table for name, table in market.items() if name.startswith("config.")})
    (rule,) = (rule for rule in graph.nodes["portfolio.candidates"].rules if rule.name == "portfolios_can_be_built")
    assert rows(con, rule.sql) == []
    con.execute(f"update config.portfolios set {change} where portfolio = 'weekly'")
    assert rows(con, rule.sql) == [("weekly", wrong)]


def test_a_year_without_sessions_is_refused():
    con = duckdb.connect()
    broken = []
    for sessions in (252, 0):
        rules = bench.load(sessions_per_year=sessions).nodes["kpis.measures"].rules
        (rule,) = (rule for rule in rules if rule.name == "a_year_has_sessions")
        broken.append(rows(con, rule.sql))
    assert broken == [[], [(0,)]]


def test_quotes_end_when_a_holding_would_be_closed(book):
    assert rows(book, "select max(sessions_stale) from book.quotes") == [(30,)]
    last = rows(book, "select max(date) from pit.prices where security_id = 500 and volume > 0")[0][0]
    until = rows(book, "select max(date) from book.quotes where security_id = 500")[0][0]
    assert rows(book, f"select count(*) from pit.sessions where date > date '{last}' and date <= date '{until}'") == [
        (30,)
    ]


def test_net_adds_taxes_back_and_gross_costs_too(book):
    table = book.sql("select * from book.nav where portfolio = 'monthly' order by date").pl()
    happened, net, gross = (table.filter(pl.col("basis") == basis) for basis in ("after_tax", "net", "gross"))
    value, costs, taxes = (happened[name].to_list() for name in ("value_inr", "costs_inr", "tax_inr"))
    before_taxes = before_costs = 1.0
    for today in range(1, len(value)):
        before_taxes *= (value[today] + taxes[today]) / value[today - 1]
        before_costs *= (value[today] + taxes[today] + costs[today]) / value[today - 1]
    assert net["nav"][-1] == pytest.approx(before_taxes, rel=1e-12)
    assert gross["nav"][-1] == pytest.approx(before_costs, rel=1e-12)
    assert gross["nav"][-1] > net["nav"][-1] > happened["nav"][-1]


def test_a_session_without_a_move_leaves_every_nav_exactly_as_it_was(graph):
    con = duckdb.connect()
    con.execute("create schema book")
    con.execute(
        "create table book.cash as select portfolio, date '2020-01-01' + i::int as date, i as session_no, 1e7 as capital_inr, "
        "1e7 * (1 + 0.1 * sin((i // 2) * 7.1 + portfolio)) as cash_inr, 0.0 as costs_inr, 0.0 as tax_inr, "
        "0.0 as financing_inr from range(600) t(i), range(3) u(portfolio)"
    )
    con.execute("create table book.positions (portfolio bigint, date date, value_inr double)")
    con.execute(
        "create table book.events (portfolio bigint, date date, kind varchar, reason varchar, level double, seq int)"
    )
    con.execute(f"create table book.nav as {graph.nodes['book.nav'].sql}")
    moved = (
        "select * from (select *, lag(nav) over (partition by portfolio, basis order by session_no) as last from book.nav) "
        "where session_no % 2 = 1 and nav != last"
    )
    assert rows(con, moved) == []


def test_costs_by_component_add_up(book):
    for portfolio, paid in rows(book, "select portfolio, sum(cost_inr) from book.trades group by portfolio"):
        shown = rows(
            book, f"""select sum(cost_inr) from kpis.costs where portfolio = '{portfolio}' and "window" = 'full'"""
        )
        assert shown[0][0] == pytest.approx(paid, rel=1e-9)

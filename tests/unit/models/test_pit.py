"""The tricky cases of the pit layer, each with a handful of rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from model_bench import Bench, price, weekdays

DAYS = weekdays("2015-01-05", 30)
A, SPLIT_A, B = "INE001A01011", "INE001A01029", "INE002B01017"


def put_market(bench: Bench, days: list[dt.date] = DAYS) -> None:
    """Three names that trade every day, so that every day is a session."""
    bench.put(
        "prices",
        [price(day, symbol, 100.0, isin=f"INE90{i}Z01010") for day in days for i, symbol in enumerate(("X", "Y", "Z"))],
    )


def ids(bench: Bench, where: str) -> set[int]:
    bench.run("pit.identities")
    return {row[0] for row in bench.rows(f"select distinct security_id from pit.identities where {where}")}


def test_a_rename_is_one_security(bench: Bench) -> None:
    bench.put("prices", [price(DAYS[0], "OLD", 10, isin=A), price(DAYS[1], "NEW", 10, isin=A)])
    assert len(ids(bench, "true")) == 1


def test_a_face_value_split_changes_the_isin_and_not_the_security(bench: Bench) -> None:
    bench.put("prices", [price(DAYS[0], "AAA", 10, isin=A), price(DAYS[1], "AAA", 5, isin=SPLIT_A)])
    assert len(ids(bench, "true")) == 1


def test_a_rename_on_the_day_of_a_split_is_one_security(bench: Bench) -> None:
    bench.put("prices", [price(DAYS[0], "OLD", 10, isin=A), price(DAYS[1], "NEW", 5, isin=SPLIT_A)])
    assert len(ids(bench, "true")) == 1


def test_a_rename_without_isins_needs_the_exchanges_list(bench_of: Callable[..., Bench]) -> None:
    rows = [price(DAYS[0], "OLD", 10), price(DAYS[1], "NEW", 10)]
    change = {"old_symbol": "OLD", "new_symbol": "NEW", "effective_date": DAYS[1]}
    found = []
    for changes in ([], [change]):
        bench = bench_of()
        bench.put("prices", rows)
        bench.put("symbol_changes", changes)
        found.append(len(ids(bench, "true")))
    assert found == [2, 1]


def test_rows_without_isin_join_the_symbol_before_and_after(bench: Bench) -> None:
    isins = [None, None, A, A, None, SPLIT_A]
    bench.put("prices", [price(day, "AAA", 10, isin=isin) for day, isin in zip(DAYS, isins, strict=False)])
    bench.run("pit.prices")
    assert bench.rows("select count(*), count(distinct security_id) from pit.prices") == [(6, 1)]


def test_two_sources_with_and_without_isin_are_one_share(bench: Bench) -> None:
    put_market(bench)
    with_isin = [price(day, "AAA", 10, isin=A, file="panel") for day in DAYS[:5]]
    without = [price(day, "AAA", 10, source_rank=40, file="full") for day in DAYS[:8]]
    bench.put("prices", with_isin + without)
    bench.run("pit.prices")
    assert bench.rows("select count(*), count(distinct security_id) from pit.prices where ticker = 'AAA'") == [(8, 1)]


def test_a_symbol_given_to_another_company_is_another_security(bench: Bench) -> None:
    bench.put(
        "prices",
        [
            price("2012-01-02", "AAA", 10, isin=A),
            price("2012-01-03", "MOVED", 10, isin=A),
            price("2012-02-01", "AAA", 99, isin=B),
        ],
    )
    assert len(ids(bench, "symbol = 'AAA'")) == 2


@pytest.mark.parametrize(("later", "securities"), [("2013-12-01", 1), ("2014-03-01", 2)])
def test_silence_without_isin_ends_a_security(bench: Bench, later: str, securities: int) -> None:
    bench.put("prices", [price("2012-01-02", "AAA", 10), price(later, "AAA", 10)])
    assert len(ids(bench, "true")) == securities


def test_a_partly_paid_line_stands_beside_the_share(bench: Bench) -> None:
    put_market(bench)
    bench.put(
        "prices", [price(DAYS[0], "AAA", 100, isin=A), price(DAYS[0], "AAA", 40, series="E1", isin="IN9001A01019")]
    )
    bench.run("pit.prices")
    assert bench.rows("select kind, close from pit.prices where ticker = 'AAA' order by close") == [
        ("partly_paid", 40.0),
        ("equity", 100.0),
    ]


def test_a_dvr_with_the_issuers_code_is_another_security(bench: Bench) -> None:
    bench.put(
        "prices", [price(day, "AAA", 100, isin=A) for day in DAYS[:3]] + [price(DAYS[1], "AAADVR", 60, isin=SPLIT_A)]
    )
    assert len(ids(bench, "true")) == 2


def test_kinds(bench: Bench) -> None:
    put_market(bench)
    bench.put(
        "prices",
        [
            price(DAYS[0], "FUND", 10, isin="INF204KB1010"),
            price(DAYS[0], "AAA-RE", 10, isin="INE001A20011"),
            price(DAYS[0], "TRUST", 10, series="IV", isin="INE001A23011"),
            price(DAYS[0], "SMALL", 10, series="SM", isin=B),
            price(DAYS[0], "GOLDBEES", 10),
        ],
    )
    bench.run("pit.prices")
    kinds = dict(bench.rows("select ticker, kind from pit.prices"))
    assert {k: kinds[k] for k in ("FUND", "AAA-RE", "TRUST", "SMALL", "GOLDBEES")} == {
        "FUND": "etf",
        "AAA-RE": "entitlement",
        "TRUST": "invit",
        "SMALL": "sme",
        "GOLDBEES": "etf",
    }


def test_the_future_never_renumbers_the_past(bench_of: Callable[..., Bench]) -> None:
    rows = [price(DAYS[i], "OLD", 10, isin=A) for i in range(3)] + [
        price(DAYS[i], "NEW", 10, isin=SPLIT_A) for i in range(3, 6)
    ]
    seen = []
    for known in (rows[:3], rows):
        bench = bench_of()
        bench.put("prices", known)
        seen.append(ids(bench, "symbol = 'OLD'"))
    assert seen[0] == seen[1]


def test_securities_answer_what_it_was_called_on_a_day(bench: Bench) -> None:
    put_market(bench)
    bench.put("prices", [price(day, "OLD" if i < 5 else "NEW", 10, isin=A) for i, day in enumerate(DAYS)])
    bench.run("pit.securities")
    called = "select ticker from pit.securities where isin = ? and valid_from <= ? and ? < valid_to"
    assert [bench.con.execute(called, [A, day, day]).fetchall() for day in (DAYS[4], DAYS[5])] == [
        [("OLD",)],
        [("NEW",)],
    ]


def test_a_stray_file_and_a_muhurat(bench: Bench) -> None:
    symbols = [f"S{i}" for i in range(10)]
    rows = [price(day, symbol, 10, turnover_inr=2e6 if day == DAYS[25] else 1e7) for day in DAYS for symbol in symbols]
    stray = price("2015-02-01", "S1", 10)  # one row on a Sunday
    bench.put("prices", [*rows, stray])
    bench.run("pit.sessions")
    assert bench.rows("select count(*), max(session_no), max(normal_no) from pit.sessions") == [(30, 30, 29)]
    assert bench.rows("select date, kind from pit.sessions where is_short") == [(DAYS[25], "short")]


def test_a_file_for_each_name_is_one_picture_of_a_day(bench: Bench) -> None:
    # one name trades most of the value every other day; whole days are worth the same
    for i in range(4):
        rows = [
            price(day, f"S{i}", 10, turnover_inr=(9e7 if t % 2 else 3e7) if i == 0 else (1e7 if t % 2 else 3e7))
            for t, day in enumerate(DAYS)
        ]
        bench.put("prices", [row | {"file": f"S{i}.csv"} for row in rows])
    # the same day once more, from another source, does not count twice
    bench.put("prices", [price(DAYS[3], f"S{i}", 10, format="other", file="other.csv") for i in range(2)])
    bench.run("pit.sessions")
    assert bench.rows("select distinct kind, n_securities, turnover_inr from pit.sessions") == [("normal", 4, 1.2e8)]


def test_value_traded_is_worked_out_where_no_source_prints_it(bench: Bench) -> None:
    put_market(bench)
    bench.put("prices", [price(DAYS[0], "AAA", 20.0, volume=50, turnover_inr=None)])
    bench.put("prices", [price(DAYS[1], "AAA", 20.0, volume=50, turnover_inr=None, source_rank=1)])
    bench.put("prices", [price(DAYS[1], "AAA", 20.0, volume=50, turnover_inr=999.0, source_rank=2, file="f2")])
    bench.run("pit.prices")
    assert bench.rows("select turnover_inr from pit.prices where ticker = 'AAA' order by date") == [(1000.0,), (999.0,)]


def test_a_month_ends_when_it_is_known_to_be_over(bench: Bench) -> None:
    put_market(bench, weekdays("2015-03-02", 60, closed=["2015-04-30", "2015-05-01"]))
    bench.run("pit.sessions")
    ends = [row[0].isoformat() for row in bench.rows("select date from pit.sessions where is_month_end order by date")]
    # 30 April is closed: that the month is over shows on 4 May
    assert ends == ["2015-03-31", "2015-05-04"]
    assert bench.rows("select count(*) from pit.sessions where is_week_end and isodow(date) != 5") == [(1,)]


def test_columns_come_from_the_newest_then_the_exact_source(bench: Bench) -> None:
    put_market(bench)
    later = dt.datetime(2016, 1, 1, tzinfo=dt.UTC)
    bench.put(
        "prices",
        [
            price(DAYS[0], "AAA", 10, isin=A, turnover_inr=123456.0, source_rank=30, file="panel"),
            price(
                DAYS[0],
                "AAA",
                10,
                turnover_inr=123000.0,
                turnover_exact=False,
                deliverable_qty=7,
                source_rank=40,
                file="full",
            ),
            price(DAYS[1], "AAA", 11, isin=A, source_rank=20, file="panel"),
            price(DAYS[1], "AAA", 12, isin=A, source_rank=40, known_at=later, file="correction"),
        ],
    )
    bench.run("pit.prices")
    got = bench.rows(
        "select close, isin, turnover_inr, deliverable_qty from pit.prices where ticker = 'AAA' order by date"
    )
    assert got == [(10.0, A, 123456.0, 7), (12.0, A, 5e7, None)]


def test_which_copy_was_loaded_first_decides_nothing(bench_of: Callable[..., Bench]) -> None:
    found = []
    for first, second in (("b1", "b2"), ("b2", "b1")):
        bench = bench_of()
        put_market(bench)
        thin, full = {"batch_id": first, "file": "one"}, {"batch_id": second, "file": "two"}
        bench.put(
            "prices",
            [price(DAYS[0], "AAA", 10, volume=900, **thin), price(DAYS[0], "AAA", 11, volume=1000, **full)],
        )
        bench.put(
            "sectors", [{"symbol": "AAA", "sector": sector, **where} for sector, where in (("S1", thin), ("S2", full))]
        )
        bench.run("pit.prices", "pit.sectors")
        found.append(bench.rows("select close, volume from pit.prices where ticker = 'AAA'"))
        found.append(bench.rows("select sector from pit.sectors"))
    assert found == [[(11.0, 1000)], [("S2",)]] * 2


def test_two_series_on_one_day_keep_the_rolling_one(bench: Bench) -> None:
    put_market(bench)
    bench.put(
        "prices",
        [
            price(DAYS[0], "AAA", 11, series="BL", isin=A, turnover_inr=9e9),
            price(DAYS[0], "AAA", 10, series="EQ", isin=A),
        ],
    )
    bench.run("pit.prices")
    assert bench.rows("select series, close from pit.prices where ticker = 'AAA'") == [("EQ", 10.0)]


def action(symbol: str, ex_date: dt.date, **more: object) -> dict[str, object]:
    plain = {
        "symbol": symbol,
        "ex_date": ex_date,
        "kind": "bonus",
        "price_factor": 1.0,
        "share_factor": 1.0,
        "cash_inr": 0.0,
        "status": "confirmed",
    }
    return plain | more


def test_returns_over_a_bonus_a_dividend_a_hole_and_a_crash(bench: Bench) -> None:
    put_market(bench)
    closes = {0: 100.0, 1: 55.0, 2: 50.0, 3: 20.0, 6: 30.0}
    bench.put("prices", [price(DAYS[i], "AAA", close, isin=A) for i, close in closes.items()])
    bench.put(
        "corporate_actions",
        [
            action("AAA", DAYS[1], price_factor=0.5),
            action("AAA", DAYS[2], kind="dividend", cash_inr=2.75),
            action("AAA", DAYS[5], kind="split", price_factor=0.25),
            action("AAA", DAYS[6], kind="split", price_factor=0.5, status="unconfirmed"),
        ],
    )
    bench.run("pit.returns")
    rows = bench.rows(
        "select ret, ret_kind, total_return_index, sessions_since_last from pit.returns where ticker = 'AAA' order by date"
    )
    rets = [row[0] for row in rows]
    assert rets[0] is None
    assert rets[1] == pytest.approx(0.10)
    assert rets[2] == pytest.approx((50 + 2.75) / 55 - 1)
    assert rets[3] == pytest.approx(-0.60)
    assert rets[4] is None
    assert [row[1] for row in rows] == ["price", "price", "total", "total", "total"]
    growth = 1.10 * (52.75 / 55) * 0.4
    assert rows[3][2] == pytest.approx(growth)
    assert rows[4][2] == pytest.approx(growth * 30 * 4 / 20)
    assert [row[3] for row in rows] == [None, 1, 1, 1, 3]


def test_either_factor_of_a_split_says_the_other_and_rights_have_one(bench: Bench) -> None:
    put_market(bench)
    bench.put("prices", [price(day, "AAA", 100, isin=A) for day in DAYS])
    bench.put(
        "corporate_actions",
        [
            action("AAA", DAYS[1], kind="split", share_factor=None, price_factor=0.2),
            action("AAA", DAYS[2], kind="bonus", share_factor=2.0, price_factor=None),
            action("AAA", DAYS[3], kind="rights", share_factor=None, price_factor=0.9),
        ],
    )
    bench.run("pit.corporate_actions")
    got = bench.rows("select price_factor, share_factor from pit.corporate_actions order by ex_date")
    assert got == [(0.2, 5.0), (0.5, 2.0), (0.9, 1.0)]


def test_an_action_goes_to_whoever_bears_the_symbol_on_its_ex_date(bench: Bench) -> None:
    put_market(bench)
    # the first AAA had no ISIN, was renamed and lives on; another company has the symbol now
    bench.put("prices", [price(DAYS[0], "AAA", 10)] + [price(day, "MOVED", 10, isin=A) for day in DAYS[1:]])
    bench.put("prices", [price(day, "AAA", 100 if i < 5 else 50, isin=B) for i, day in enumerate(DAYS) if i >= 3])
    bench.put("symbol_changes", [{"old_symbol": "AAA", "new_symbol": "MOVED", "effective_date": DAYS[1]}])
    bench.put("corporate_actions", [action("AAA", DAYS[5], price_factor=0.5)])
    bench.run("pit.returns")
    assert bench.rows(
        f"select ticker, ret from pit.returns where date = '{DAYS[5]}' and ticker in ('AAA', 'MOVED') order by 1"
    ) == [("AAA", 0.0), ("MOVED", 0.0)]


def test_a_vague_action_beside_a_clear_one_counts_once(bench: Bench) -> None:
    put_market(bench)
    bench.put("prices", [price(DAYS[0], "AAA", 100, isin=A), price(DAYS[1], "AAA", 50, isin=A)])
    bench.put(
        "corporate_actions",
        [action("AAA", DAYS[1], price_factor=0.5), action("AAA", DAYS[1], kind="split_or_bonus", price_factor=0.5)],
    )
    bench.run("pit.returns")
    assert bench.rows("select ret from pit.returns where ticker = 'AAA' and ret is not null") == [(0.0,)]


def test_a_benchmark_is_carried_from_the_past_and_never_filled_from_the_future(bench: Bench) -> None:
    put_market(bench)
    levels = {0: 100.0, 1: 110.0, 3: 99.0}
    bench.put(
        "index_levels",
        [{"date": DAYS[i], "index_name": "nifty 50", "kind": "price", "close": level} for i, level in levels.items()],
    )
    bench.run("pit.benchmarks")
    rows = bench.rows("select benchmark, level, ret, is_filled from pit.benchmarks order by date")
    assert [row[1] for row in rows] == [100, 110, 110] + [99] * 6
    assert [row[2] for row in rows[:5]] == [None, pytest.approx(0.1), 0.0, pytest.approx(-0.1), 0.0]
    assert {row[0] for row in rows} == {"NIFTY 50"}
    assert [row[3] for row in rows[:4]] == [False, False, True, False]


def test_a_restatement_is_another_version(bench: Bench) -> None:
    put_market(bench)
    bench.put("prices", [price(day, "AAA", 100, isin=A) for day in DAYS])
    times = [dt.datetime(2015, 1, 20, 10, tzinfo=dt.UTC), dt.datetime(2015, 2, 3, 10, tzinfo=dt.UTC)]
    bench.put(
        "fundamentals",
        [
            {
                "symbol": "AAA",
                "isin": A,
                "period_end": dt.date(2014, 12, 31),
                "consolidated": False,
                "broadcast_at": time,
                "known_at": time,
                "revenue_inr": revenue,
            }
            for time, revenue in zip(times, (1.0, 2.0), strict=True)
        ],
    )
    bench.run("pit.fundamentals")
    as_of = "select revenue_inr from pit.fundamentals where known_from <= ? and ? < known_to"
    answers = [
        bench.con.execute(as_of, [moment, moment]).fetchall()
        for moment in (dt.datetime(2015, 1, 19, tzinfo=dt.UTC), *times)
    ]
    assert answers == [[], [(1.0,)], [(2.0,)]]


def test_an_undated_sector_counts_until_a_dated_list_speaks(bench: Bench) -> None:
    put_market(bench)
    bench.put("prices", [price(day, "OLD" if i < 5 else "NEW", 10, isin=A) for i, day in enumerate(DAYS)])
    bench.put(
        "sectors",
        [
            {"symbol": "NEW", "sector": "Steel"},
            {"symbol": "NEW", "sector": "Metals", "seen_on": DAYS[10]},
            {"symbol": "X", "sector": "Banks"},
        ],
    )
    bench.run("pit.sectors")
    rows = bench.rows(
        "select sector, valid_from, is_undated from pit.sectors where sector != 'Banks' order by valid_from"
    )
    # before it was called NEW nobody could have looked it up under that name
    assert rows == [("Steel", DAYS[5], True), ("Metals", DAYS[10], False)]


@pytest.mark.parametrize("seen_on", [None, DAYS[2]])
def test_a_sector_counts_from_when_it_was_known(bench: Bench, seen_on: dt.date | None) -> None:
    put_market(bench)
    bench.put("prices", [price(day, "AAA", 10, isin=A) for day in DAYS])
    known_at = dt.datetime.combine(DAYS[10], dt.time(13), dt.UTC)
    bench.put("sectors", [{"symbol": "AAA", "sector": "Steel", "seen_on": seen_on, "known_at": known_at}])
    bench.run("pit.sectors")
    assert bench.rows("select valid_from from pit.sectors") == [(DAYS[10],)]


def test_missing_session_shows_as_a_market_wide_break(bench: Bench) -> None:
    rows = []
    for i, symbol in enumerate(("X", "Y", "Z")):
        closes = [100.0 + i + t for t in range(30)]
        for t, day in enumerate(DAYS):
            if t != 12:
                rows.append(
                    price(day, symbol, closes[t], prev_close=closes[t - 1] if t else None, isin=f"INE90{i}Z01010")
                )
    bench.put("prices", rows)
    bench.run("health.sessions_missing")
    assert bench.rows("select last_date, date, n_broken from health.sessions_missing") == [(DAYS[11], DAYS[13], 3)]
    assert bench.broken_rules("health.sessions_missing") == []

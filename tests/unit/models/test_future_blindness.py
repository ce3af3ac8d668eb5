"""No row that could be known by a cut changes when the rows known after it are taken away, or multiplied by ten."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from typing import Any

import pytest
from model_bench import Bench, price, weekdays

from tsq.engine import macros
from tsq.engine.audit_compare import known_at
from tsq.engine.catalog import Evening

DAYS = weekdays("2015-01-01", 340, closed=["2015-04-30", "2015-10-30", "2016-02-29"])
KNOBS: dict[str, Any] = {"min_adv_inr": 1e6, "min_history_sessions": 60, "delist_after_sessions": 6}
NAMES = [f"N{i}" for i in range(8)]
Rows = dict[str, list[dict[str, Any]]]


def quarter_start(q: int) -> dt.date:
    """First day of the q-th quarter from January 2015 on."""
    return dt.date(2015 + q // 4, 3 * (q % 4) + 1, 1)


def market() -> Rows:
    """Renames, a split with a new ISIN, a hole, a death, a late listing, sectors of both kinds, an index, filings.

    And what was put right later: a print corrected, one withdrawn, one that came late, a dividend announced after its
    ex-date, a split whose factor was restated after it.
    """
    prices: list[dict[str, Any]] = []
    for i, name in enumerate(NAMES):
        for t, day in enumerate(DAYS):
            close = (
                50 * (i + 1) * math.exp(0.0005 * t + 0.02 * math.sin(t * (i + 2) / 5) + 0.01 * math.cos(t * 1.7 + i))
            )
            if (name == "N3" and 250 <= t < 270) or (name == "N4" and t > 280) or (name == "N5" and t < 40):
                continue
            symbol = "N1NEW" if name == "N1" and t >= 290 else name
            if name == "N2" and t >= 285:
                close /= 2
            isin = f"INE{i:03d}A010{'29' if name == 'N2' and t >= 285 else '11'}"
            turnover = 1e5 if t == 200 else 2e7 + 1e5 * ((t * (i + 3)) % 17)
            prices.append(
                price(day, symbol, close, isin=None if t < 30 else isin, turnover_inr=turnover, prev_close=close)
            )
    late = dt.datetime.combine(DAYS[300], dt.time(13), dt.UTC)
    for day, name, close, known, more in (
        (320, "N6", 1.0, 330, {}),
        (286, "N0", 12.0, 292, {}),
        (287, "N7", 400.0, 293, {"is_withdrawn": True}),
        (289, "N5", 290.0, 294, {}),
    ):
        moment = dt.datetime.combine(DAYS[known], dt.time(13), dt.UTC)
        isin = f"INE{int(name[1]):03d}A01011"
        prices.append(price(DAYS[day], name, close, isin=isin, known_at=moment, file="f2", **more))
    # the print of N5 that comes late was not there before
    prices = [row for row in prices if (row["symbol"], row["date"], row.get("file")) != ("N5", DAYS[289], None)]
    midnight = dt.datetime.combine(DAYS[285], dt.time(0), dt.UTC) - dt.timedelta(hours=5, minutes=30)
    # three years of quarters, the newest ones filed in the sample and then restated
    filings = [
        {
            "symbol": name,
            "isin": f"INE{int(name[1]):03d}A01011",
            "period_start": quarter_start(q),
            "period_end": quarter_start(q + 1) - dt.timedelta(days=1),
            "consolidated": False,
            "broadcast_at": moment,
            "known_at": moment,
            "fiscal_quarter": q % 4 + 1,
            "revenue_inr": 100.0 + q,
            "operating_profit_inr": 10.0 + 3 * int(name[1]) + q % 2 + bump,
            "net_profit_inr": 5.0 + int(name[1]) + bump / 2,
            # one is impossible
            "paid_up_capital_inr": 50.0 if q != 1 else 0.0,
            "face_value_inr": 10.0,
            "equity_inr": 400.0 + q + bump,
            "assets_inr": 900.0,
            "cfo_inr": 4.0 * (q % 4 + 1) + bump,
        }
        for name in NAMES[:4]
        for q in range(-8, 4)
        for moment, bump in (
            (
                dt.datetime.combine(DAYS[75 + 63 * q] if q >= 0 else DAYS[0], dt.time(9), dt.UTC)
                + dt.timedelta(minutes=q),
                0.0,
            ),
            *([(dt.datetime.combine(DAYS[min(335, 305 + 10 * q)], dt.time(9), dt.UTC), 5.0)] if q >= 0 else []),
        )
    ]
    levels = [
        {
            "date": day,
            "index_name": "nifty 100",
            "kind": "price",
            "close": 1000 + t,
            "known_at": dt.datetime.combine(day, dt.time(13), dt.UTC),
        }
        for t, day in enumerate(DAYS)
        if t % 50 != 7
    ]
    return {
        "prices": prices,
        "corporate_actions": [
            {
                "symbol": "N2",
                "ex_date": DAYS[285],
                "kind": "split",
                "price_factor": 0.5,
                "share_factor": 2.0,
                "cash_inr": 0.0,
                "status": "confirmed",
                "known_at": midnight,
            },
            {
                "symbol": "N0",
                "ex_date": DAYS[310],
                "kind": "dividend",
                "cash_inr": 1.0,
                "status": "confirmed",
                "known_at": late,
            },
            {
                "symbol": "N6",
                "ex_date": DAYS[284],
                "kind": "dividend",
                "cash_inr": 7.0,
                "status": "confirmed",
                "known_at": late,
            },
            *(
                {
                    "symbol": "N7",
                    "ex_date": DAYS[283],
                    "kind": "split",
                    "price_factor": factor,
                    "share_factor": 1 / factor,
                    "cash_inr": 0.0,
                    "status": "confirmed",
                    "known_at": dt.datetime.combine(DAYS[known], dt.time(6), dt.UTC),
                }
                for factor, known in ((0.5, 280), (0.8, 291))
            ),
        ],
        "symbol_changes": [
            {
                "old_symbol": "N1",
                "new_symbol": "N1NEW",
                "effective_date": DAYS[290],
                "known_at": dt.datetime.combine(DAYS[290], dt.time(0), dt.UTC),
            }
        ],
        "sectors": [
            *({"symbol": name, "sector": "odd" if int(name[1]) % 2 else "even"} for name in NAMES[:6]),
            {"symbol": "N1NEW", "sector": "renamed"},
            {
                "symbol": "N0",
                "sector": "dated",
                "seen_on": DAYS[305],
                "known_at": dt.datetime.combine(DAYS[305], dt.time(13), dt.UTC),
            },
        ],
        "index_members": [
            {
                "index_name": "NIFTY 50",
                "symbol": "N1NEW",
                "valid_from": DAYS[50],
                "valid_to": DAYS[320],
                "known_at": dt.datetime.combine(DAYS[49], dt.time(9), dt.UTC),
            }
        ],
        "index_levels": levels,
        "fundamentals": filings,
        "calendar": announcements(),
    }


def announcements() -> list[dict[str, Any]]:
    """The list of a year in December, and each day of February and March called a holiday anew on the day after it."""
    listed = [dt.date(2016, 1, 26), dt.date(2016, 2, 29), *(dt.date(2016, month, 15) for month in (4, 8, 11))]
    called = [day for day in DAYS if day >= dt.date(2016, 2, 1)]
    return [
        {"date": day, "status": "holiday", "known_at": dt.datetime(on.year, on.month, on.day, 9, tzinfo=dt.UTC)}
        for day, on in [
            *((day, dt.date(2015, 12, 15)) for day in listed),
            *((day, day + dt.timedelta(days=1)) for day in called),
        ]
    ]


def canonical(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows in an order of their own, doubles to nine digits: rolling sums wobble in the last bits with the length of the data."""
    rounded = [
        tuple(float(f"{round(value, 12):.9g}") if isinstance(value, float) else value for value in row) for row in rows
    ]
    return sorted(rounded, key=repr)


def build(bench: Bench, rows: Rows) -> None:
    for dataset, dataset_rows in rows.items():
        bench.put(dataset, dataset_rows)
    bench.con.execute(
        "insert into config.portfolios by name select 'p' as portfolio, 'b' as blend, 'ME' as rebalance union all select 'w', 'b', 'WE'"
    )
    bench.con.execute(
        "insert into config.blends values ('b', 'momentum_12_1', 1.0), ('b', 'reversal_1m', 1.0), ('b', 'pricing_power', 0.5)"
    )
    bench.con.execute(
        "insert into config.charges by name select date '2015-01-01' as from_date, 'STT' as item, 'ALL' as venue, 0.001 as rate, 'both' as side"
    )
    bench.con.execute(
        "insert into config.settlement_cycle by name select date '2003-04-01' as from_trade_date, 2 as settlement_days, 'all' as scope"
    )
    bench.run(*bench.compiled)


def rows_known_at(bench: Bench, name: str, moment: dt.datetime) -> list[tuple[Any, ...]] | None:
    """What `layer.table_at(moment)` answers, without what is never final; an end later than the moment is not told."""
    columns = {row[0]: row[1] for row in bench.rows(f"describe {name}")}
    query = known_at(name, bench.compiled[name].model.header, columns, moment)
    if query is None:
        return None
    open_end = f"if(known_to > timestamptz '{moment.isoformat()}', null, known_to) as known_to"
    masked = f" replace ({open_end})" if "known_to" in columns else ""
    return canonical(bench.rows(f"select *{masked} from ({query})"))


# Tables about the lake of today are never final; these faults and events do not occur before every cut.
MAY_BE_EMPTY = {
    "alpha.ic_summary",
    "health.price_breaks",
    "pit.tax_rates",
    "pit.vintages",
    "pit.index_members",
    "pit.contract_notes",
    "pit.fills",
    "pit.holdings",
    *(
        f"health.{name}"
        for name in (
            "coverage",
            "freshness",
            "conflicts",
            "sessions_missing",
            "jumps",
            "identities",
            "filings",
            "account_faults",
        )
    ),
}


# mid-month before a rename, the evening after one, and between an action and a correction
@pytest.mark.parametrize(
    ("cut", "change"), [(DAYS[288], "times ten"), (DAYS[295], "taken away"), (DAYS[318], "taken away")]
)
def test_rows_knowable_by_a_cut_do_not_see_past_it(bench_of: Callable[..., Bench], cut: dt.date, change: str) -> None:
    whole = market()
    decided = dt.datetime.combine(cut, dt.time(14, 30), dt.UTC)
    plain = {"known_at": dt.datetime(1900, 1, 1, tzinfo=dt.UTC)}
    past: Rows = {}
    for dataset, rows in whole.items():
        kept = [row for row in rows if (plain | row)["known_at"] <= decided]
        if change == "times ten":
            later = [row for row in rows if (plain | row)["known_at"] > decided]
            scaled = ("close", "turnover_inr", "cash_inr", "revenue_inr")
            kept += [{key: value * 10 if key in scaled else value for key, value in row.items()} for row in later]
        past[dataset] = kept
    benches = [bench_of(**KNOBS), bench_of(**KNOBS)]
    for bench, rows in zip(benches, (whole, past), strict=True):
        bench.con.execute("create schema if not exists ops")
        macros.prepare(bench.con, Evening(dt.time(20), "Asia/Kolkata"))
        build(bench, rows)
    companions = {node.model.header.versions for node in benches[0].compiled.values()}
    compared = {}
    for name in benches[0].compiled:
        if name in companions:
            continue  # held against by way of the table whose earlier rows it has
        full, cut_off = (rows_known_at(bench, name, decided) for bench in benches)
        assert full is not None, f"{name} does not say when its rows can be known"
        assert full == cut_off, name
        compared[name] = len(full)
    empty = {name for name, count in compared.items() if count == 0}
    for bench in benches:
        bench.con.close()
    assert not empty - MAY_BE_EMPTY, sorted(empty - MAY_BE_EMPTY)

"""The demo market's files: the exchange's formats, every planted fault, and the same bytes for the same seed."""

import csv
import hashlib
import io
import os
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tsq.errors import TsqError
from tsq.ingest.demo import SIZES, Market, make_account, make_market, write_demo
from tsq.ingest.demo.calendar import BUDGET_SATURDAY, MUHURAT_SUNDAY, holidays, sessions
from tsq.ingest.demo.names import isin, words
from tsq.ingest.demo.page import BEGIN, END, event_table, filled
from tsq.ingest.demo.plan import OVERLAP_SESSIONS, SLIDE_SESSIONS
from tsq.ingest.demo.prices import FULL_HEADER, LEGACY_11_HEADER, LEGACY_13_HEADER, UDIFF_HEADER, price_rows

ROOT = Path(__file__).parents[3]
REAL = Path(os.environ.get("TSQ_REAL_DATA", ROOT / "../shared/data"))
SMALL_SHA256 = "08119c164c3d02326b9233a9d7a93c6b2dad7b47e95b0f8689ab89dbfb23b650"


def digest(paths: tuple[Path, ...]) -> str:
    whole = hashlib.sha256()
    for path in sorted(paths):
        whole.update(path.name.encode() + path.read_bytes())
    return whole.hexdigest()


def text_of(path: Path) -> str:
    if path.suffix != ".zip":
        return path.read_bytes().decode()
    with zipfile.ZipFile(path) as archive:
        (name,) = archive.namelist()
        assert f"{name}.zip" == path.name
        return archive.read(name).decode()


def table_of(path: Path) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(text_of(path)), skipinitialspace=True)
    return [{name.strip(): value for name, value in row.items() if name} for row in rows]


@pytest.fixture(scope="module")
def market() -> Market:
    return make_market(size="small")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    paths = write_demo(tmp_path_factory.mktemp("demo"), size="small")
    assert len({path.name for path in paths}) == len(paths)
    return {path.name: path for path in paths}


def planted(market: Market, kind: str) -> list[tuple[date, str]]:
    found = [(event.on, event.symbol) for event in market.plan.events if event.kind == kind]
    assert found, f"no {kind} is planted"
    return found


def column_of(market: Market, on: date, symbol: str) -> tuple[int, int]:
    row = int(np.searchsorted(market.plan.sessions, np.datetime64(on)))
    columns = [
        c
        for c in range(market.plan.size.equities)
        if market.plan.symbol_at(row, c) == symbol and market.plan.first_row[c] <= row <= market.plan.last_row[c]
    ]
    assert len(columns) == 1
    return row, columns[0]


# -- the same seed, the same bytes ------------------------------------------------------------------------------------


def test_same_seed_writes_the_same_bytes_on_every_platform(written: dict[str, Path], tmp_path: Path) -> None:
    again = digest(write_demo(tmp_path, size="small"))
    assert again == digest(tuple(written.values()))
    assert again == SMALL_SHA256


def test_another_seed_writes_other_bytes(written: dict[str, Path], tmp_path: Path) -> None:
    assert digest(write_demo(tmp_path, size="small", seed=8)) != digest(tuple(written.values()))


def test_unknown_size_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(TsqError) as error:
        write_demo(tmp_path, size="smal")
    assert "did you mean small" in str(error.value)
    assert not list(tmp_path.iterdir())


def test_folder_says_that_it_is_simulated(written: dict[str, Path]) -> None:
    folder = next(iter(written.values())).parent
    assert (folder / "README.txt").read_text(encoding="utf-8").startswith("DEMO MARKET")
    assert "README.txt" not in written


# -- sizes and calendar -----------------------------------------------------------------------------------------------


def test_sizes_are_as_promised() -> None:
    small, default = SIZES["small"], SIZES["default"]
    assert (small.securities, default.securities) == (30, 300)
    assert small.last == default.last
    assert small.last.year - small.first.year == 2
    assert default.last.year - default.first.year == 9


def test_sessions_are_weekdays_without_holidays_and_two_weekend_days() -> None:
    first, last = date(2014, 1, 1), date(2023, 12, 29)
    days = [day.item() for day in sessions(first, last)]
    assert [day for day in days if day.weekday() >= 5] == [BUDGET_SATURDAY, MUHURAT_SUNDAY]
    assert not set(days) & set(holidays(first, last))
    assert days == sorted(set(days))
    weekdays = {first + timedelta(days=i) for i in range((last - first).days + 1)}
    weekdays = {day for day in weekdays if day.weekday() < 5}
    assert weekdays == (set(days) | set(holidays(first, last))) - {BUDGET_SATURDAY, MUHURAT_SUNDAY}


@pytest.mark.parametrize("day", [date(2014, 4, 18), date(2016, 3, 25), date(2019, 4, 19), date(2022, 4, 15)])
def test_good_friday_is_a_holiday(day: date) -> None:
    assert day in holidays(day, day)


# -- names ------------------------------------------------------------------------------------------------------------


def test_isin_check_digit_is_that_of_real_ones() -> None:
    # 20 Microns: INE144J01027; the same arithmetic over an invented body
    made = isin("INE", 35, "01", 2)
    assert made.startswith("INEDM0Z0102")
    digits = [int(d) for ch in made for d in str(int(ch, 36))]
    luhn = [d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(reversed(digits))]
    assert sum(luhn) % 10 == 0


def test_names_are_all_different() -> None:
    drawn = words(np.random.Generator(np.random.PCG64(1)), 400)
    assert len(set(drawn)) == 400


def test_no_symbol_is_a_real_one() -> None:
    listed = REAL / "nse/reference/EQUITY_L.csv"
    if not listed.exists():
        pytest.skip("TSQ_REAL_DATA has no nse/reference/EQUITY_L.csv")
    real = (
        pl.read_csv(listed)["SYMBOL"].to_list()
        + pl.read_parquet(REAL / "nse/panel.parquet", columns=["symbol"])["symbol"].unique().to_list()
    )
    plan = make_market().plan
    assert not set(plan.symbols) & set(real)


# -- formats ----------------------------------------------------------------------------------------------------------


def test_headers_are_the_exchanges_own() -> None:
    faults = REAL / "nse/faults"
    if not faults.exists():
        pytest.skip("TSQ_REAL_DATA has no nse/faults")
    for name, header in (
        ("cm01OCT2010bhav.csv", LEGACY_11_HEADER),
        ("cm05MAR2020bhav.csv", LEGACY_13_HEADER),
        ("sec_bhavdata_full_13042022.csv", FULL_HEADER),
    ):
        assert (faults / name).read_text(encoding="utf-8").splitlines()[0] == header
    assert len(UDIFF_HEADER.split(",")) == 34


@pytest.mark.parametrize(
    ("start", "era", "header"),
    [
        ("cm", "legacy_11", LEGACY_11_HEADER),
        ("cm", "legacy_13", LEGACY_13_HEADER),
        ("sec_bhavdata_full_", "full", FULL_HEADER),
        ("BhavCopy_NSE_CM_0_0_0_", "udiff", UDIFF_HEADER),
    ],
)
def test_each_era_has_its_files(market: Market, written: dict[str, Path], start: str, era: str, header: str) -> None:
    low, high = market.plan.era_rows[era]
    names = [n for n in written if n.startswith(start) and text_of(written[n]).startswith(header)]
    if era == "legacy_11":
        names = [n for n in names if "TOTALTRADES" not in text_of(written[n])]
    # the full era also has its overlap with UDiFF and one echo
    assert len(names) == high - low + (OVERLAP_SESSIONS + 1 if era == "full" else 0)
    rows = price_rows(market).filter(pl.col("row").is_between(low, high - 1))
    if era != "full":
        assert sum(len(table_of(written[n])) for n in names) == len(rows)


def test_every_line_has_as_many_fields_as_its_header(written: dict[str, Path], market: Market) -> None:
    cut = market.plan.day(market.plan.truncated_row)
    for name, path in written.items():
        if name.startswith(("cm", "Bhav", "sec")) and name != f"sec_bhavdata_full_{cut:%d%m%Y}.csv":
            lines = text_of(path).replace("\r", "").splitlines()
            assert {line.count(",") for line in lines} == {lines[0].count(",")}


def test_printed_rows_obey_the_exchanges_arithmetic(market: Market) -> None:
    rows = price_rows(market)
    ticks = rows.select(pl.col("open", "high", "low", "close", "last") * 20)
    assert ticks.select(((pl.all() - pl.all().round()).abs() < 1e-6).all()).row(0) == (True,) * 5
    wrong = rows.filter(
        (pl.col("high") < pl.max_horizontal("open", "close", "last"))
        | (pl.col("low") > pl.min_horizontal("open", "close", "last"))
        | (pl.col("low") <= 0)
        | (pl.col("deliverable") > pl.col("volume"))
        | ~(pl.col("turnover") / pl.col("volume")).is_between(pl.col("low") - 1e-9, pl.col("high") + 1e-9)
    )
    assert wrong.is_empty()
    lakhs = (rows["turnover"] / 100_000).round(2) * 100_000 / rows["volume"]
    assert ((lakhs >= rows["low"] * 0.999) & (lakhs <= rows["high"] * 1.001)).all()


def test_previous_close_is_the_raw_close_of_the_last_traded_session(market: Market) -> None:
    rows = price_rows(market).sort("column", "row")
    before = rows.with_columns(pl.col("close").shift().over("column").alias("before")).drop_nulls("before")
    assert (before["before"] == before["prev_close"]).all()
    assert rows.unique(["row", "symbol", "series"]).height == rows.height


def test_full_files_print_no_delivery_for_trade_for_trade(market: Market, written: dict[str, Path]) -> None:
    low, high = market.plan.era_rows["full"]
    seen = set()
    for row in range(low, high):
        name = f"sec_bhavdata_full_{market.plan.day(row):%d%m%Y}.csv"
        if name in written and row != market.plan.truncated_row:
            seen |= {(r["SERIES"], r["DELIV_QTY"] == "-", r["DELIV_PER"] == "-") for r in table_of(written[name])}
    assert ("EQ", False, False) in seen
    assert ("EQ", True, True) not in seen
    assert {s[1:] for s in seen if s[0] == "BE"} <= {(True, True)}


# -- faults and events ------------------------------------------------------------------------------------------------


def test_holiday_echo_repeats_the_session_before(market: Market, written: dict[str, Path]) -> None:
    ((holiday, _),) = planted(market, "holiday_echo")
    echo = written[f"sec_bhavdata_full_{holiday:%d%m%Y}.csv"]
    real = written[f"sec_bhavdata_full_{market.plan.day(market.plan.echo[0]):%d%m%Y}.csv"]
    assert echo.read_bytes() == real.read_bytes()
    assert np.datetime64(holiday) not in market.plan.sessions


def test_misnamed_file_is_the_only_copy_of_its_session(market: Market, written: dict[str, Path]) -> None:
    ((holiday, _),) = planted(market, "misnamed_file")
    rows = table_of(written[f"sec_bhavdata_full_{holiday:%d%m%Y}.csv"])
    day = market.plan.day(market.plan.misnamed[0])
    assert {datetime.strptime(row["DATE1"], "%d-%b-%Y").date() for row in rows} == {day}  # noqa: DTZ007
    assert f"sec_bhavdata_full_{day:%d%m%Y}.csv" not in written


def test_truncated_file_ends_within_a_row(market: Market, written: dict[str, Path]) -> None:
    ((day, _),) = planted(market, "truncated_file")
    lines = text_of(written[f"sec_bhavdata_full_{day:%d%m%Y}.csv"]).splitlines()
    planned = price_rows(market).filter(pl.col("row") == market.plan.truncated_row)
    assert 0 < lines[-1].count(",") < 14
    assert 0.7 * len(planned) < len(lines) - 2 < len(planned)
    assert day.weekday() in (1, 2)


def test_one_file_ends_its_lines_in_cr_cr_lf(market: Market, written: dict[str, Path]) -> None:
    ((day, _),) = planted(market, "cr_cr_lf_file")
    text = text_of(written[f"cm{day:%d%b%Y}bhav.csv.zip".replace(f"{day:%b}", f"{day:%b}".upper())])
    assert text.count("\r\r\n") == text.count("\n") > 20
    assert sum("\r" in text_of(path) for path in written.values()) == 1


def test_some_sessions_come_in_two_formats(market: Market, written: dict[str, Path]) -> None:
    ((first, _),) = planted(market, "two_formats")
    row = int(np.searchsorted(market.plan.sessions, np.datetime64(first)))
    for day in (market.plan.day(r) for r in range(row, row + OVERLAP_SESSIONS)):
        full = table_of(written[f"sec_bhavdata_full_{day:%d%m%Y}.csv"])
        udiff = table_of(written[f"BhavCopy_NSE_CM_0_0_0_{day:%Y%m%d}_F_0000.csv.zip"])
        assert [r["SYMBOL"] for r in full] == [r["TckrSymb"] for r in udiff]
        assert [float(r["CLOSE_PRICE"]) for r in full] == [float(r["ClsPric"]) for r in udiff]


def test_slides_lose_within_a_month_and_stop(market: Market) -> None:
    plan = market.plan
    for on, symbol in planted(market, "slide"):
        row, column = column_of(market, on, symbol)
        last = row + SLIDE_SESSIONS - 1
        assert market.close[last, column] < 0.5 * market.close[row - 1, column]
        assert not plan.traded[last + 1 :, column].any()
        assert plan.day(last).month == on.month
        assert plan.day(last + 1).month == on.month, "the name is gone before the month's last session"


def test_mergers_and_listings_bound_a_life(market: Market) -> None:
    for on, symbol in planted(market, "merger"):
        row, column = column_of(market, on, symbol)
        assert market.plan.traded[row, column]
        assert not market.plan.traded[row + 1 :, column].any()
    for on, symbol in planted(market, "listing"):
        row, column = column_of(market, on, symbol)
        assert market.plan.traded[row, column]
        assert not market.plan.traded[:row, column].any()


def test_a_symbol_is_used_again_by_another_isin(market: Market) -> None:
    ((on, symbol),) = planted(market, "reused_symbol")
    row, column = column_of(market, on, symbol)
    first_owner = next(c for c in range(market.plan.size.equities) if market.plan.symbol_at(0, c) == symbol)
    assert market.plan.isin_at(row, column) != market.plan.isin_at(row, first_owner)
    assert market.plan.last_row[first_owner] < row - 252


def test_renames_keep_the_isin_and_are_in_the_exchanges_file(market: Market, written: dict[str, Path]) -> None:
    lines = text_of(written["symbolchange.csv"]).splitlines()
    renames = planted(market, "rename")
    assert all(line.startswith(" ") and "(demo market)" in line for line in lines)
    for on, symbol in renames:
        row, column = column_of(market, on, symbol)
        old = market.plan.symbol_at(row - 1, column)
        assert old != symbol
        assert market.plan.isin_at(row - 1, column) == market.plan.isin_at(row, column)
        assert any(line.endswith(f",{old},{symbol},{on:%d}-{on:%b}-{on.year}".upper()) for line in lines)
    assert len(lines) == len(renames) + 1
    assert sum(line.split(",")[1] == line.split(",")[2] for line in lines) == 1


@pytest.mark.parametrize(
    ("kind", "isin_changes"), [("split", True), ("bonus", False), ("rights", False), ("dividend", False)]
)
def test_actions_move_the_raw_price_and_splits_the_isin(
    market: Market, written: dict[str, Path], kind: str, isin_changes: bool
) -> None:
    listed = {(r["symbol"], r["ex_date"], r["kind"]): r for r in table_of(written["corporate_actions.csv"])}
    late = {*planted(market, "late_announcement"), *planted(market, "restated_action")}
    for on, symbol in planted(market, kind):
        row, column = column_of(market, on, symbol)
        before, after = market.plan.isin_at(row - 1, column), market.plan.isin_at(row, column)
        assert (before[:9] == after[:9], before != after) == (True, isin_changes)
        action = listed[symbol, str(on), kind]
        assert datetime.fromisoformat(action["announced_at"]).date() < on or (on, symbol) in late
        assert action["status"] == "confirmed"
        raw = market.close[row, column] / market.close[row - 1, column]
        cash = float(action["cash_inr"] or 0)
        factor = float(action["price_factor"]) - cash / market.close[row - 1, column]
        assert raw / factor == pytest.approx(np.exp(market.log_return[row, column]), abs=0.01)
        assert market.prev_close[row, column] == market.close[row - 1, column]


def test_contradicted_action_moves_nothing(market: Market, written: dict[str, Path]) -> None:
    ((on, symbol),) = planted(market, "contradicted_action")
    row, column = column_of(market, on, symbol)
    assert market.close[row, column] > 0.7 * market.close[row - 1, column]
    statuses = [r["status"] for r in table_of(written["corporate_actions.csv"]) if r["symbol"] == symbol]
    assert statuses == ["contradicted"]


def test_a_crash_is_no_corporate_action(market: Market, written: dict[str, Path]) -> None:
    ((on, symbol),) = planted(market, "crash")
    row, column = column_of(market, on, symbol)
    assert market.close[row, column] < 0.7 * market.close[row - 1, column]
    assert market.plan.traded[row + 1, column]
    assert symbol not in {r["symbol"] for r in table_of(written["corporate_actions.csv"])}


def test_suspensions_and_holes_are_not_traded(market: Market) -> None:
    for kind in ("suspension", "hole"):
        for on, symbol in planted(market, kind):
            row, column = column_of(market, on, symbol)
            gap = int(np.argmax(market.plan.traded[row:, column]))
            assert (gap >= 15) if kind == "suspension" else (1 <= gap <= 4)
            assert market.plan.traded[row - 1, column]


def test_securities_that_are_no_ordinary_equities(market: Market) -> None:
    rows = price_rows(market)
    by_kind = {kind: rows.filter(pl.col("column") == c) for c, kind in enumerate(market.plan.kinds) if kind != "equity"}
    first = {kind: table.row(0, named=True) for kind, table in by_kind.items()}
    assert first["etf"]["isin"].startswith("INF")
    assert first["entitlement"]["symbol"].endswith("-RE")
    assert (first["entitlement"]["series"], by_kind["entitlement"].height) == ("BE", 8)
    assert (first["partly_paid"]["series"], first["partly_paid"]["isin"][:3]) == ("E1", "IN9")
    beside = rows.filter(
        (pl.col("symbol") == first["partly_paid"]["symbol"]) & (pl.col("row") == first["partly_paid"]["row"])
    )
    assert beside["series"].to_list() == ["EQ", "E1"]
    assert first["sme"]["series"] == "SM"
    assert rows.filter((pl.col("series") == "BE") & (pl.col("column") < market.plan.size.equities)).height >= 60


def test_the_muhurat_session_is_thin_and_the_saturday_is_not(market: Market) -> None:
    turnover = np.where(market.plan.traded, market.turnover, 0).sum(axis=1)
    usual = np.median(turnover)
    at = {
        day: int(np.searchsorted(market.plan.sessions, np.datetime64(day))) for day in (MUHURAT_SUNDAY, BUDGET_SATURDAY)
    }
    assert 0.05 < turnover[at[MUHURAT_SUNDAY]] / usual < 0.2
    assert 0.5 < turnover[at[BUDGET_SATURDAY]] / usual < 1.5


# -- reference files --------------------------------------------------------------------------------------------------


def test_sectors_are_dated_but_for_one_and_missing_for_some(market: Market, written: dict[str, Path]) -> None:
    rows = table_of(written["sector_mapping.csv"])
    size = market.plan.size
    assert len({row["isin"] for row in rows}) == size.equities - size.unsectored
    assert len(rows) == size.equities - size.unsectored + 1
    assert sum(row["seen_on"] == "" for row in rows) == 1
    ((on, symbol),) = planted(market, "sector_change")
    moved = [row["sector"] for row in rows if row["symbol"] == symbol]
    assert len(set(moved)) == 2
    assert {row["seen_on"] for row in rows if row["symbol"] == symbol} == {str(size.first), str(on)}


def test_current_list_holds_survivors_only(market: Market, written: dict[str, Path]) -> None:
    rows = table_of(written["EQUITY_L.csv"])
    size = market.plan.size
    assert len(rows) == size.equities - size.slides - size.mergers
    assert all("(demo market)" in row["NAME OF COMPANY"] for row in rows)
    split = next(row for row in rows if row["ISIN NUMBER"][9:11] == "02")
    assert float(split["FACE VALUE"]) < 10


def test_index_follows_its_members(market: Market, written: dict[str, Path]) -> None:
    levels = table_of(written["index_levels.csv"])
    assert [row["date"] for row in levels] == [str(day) for day in market.plan.sessions]
    assert {row["index_name"] for row in levels} == {"Demo 100"}
    close = np.array([float(row["close"]) for row in levels])
    assert all(float(r["low"]) <= float(r["close"]) <= float(r["high"]) for r in levels)
    equities = slice(0, market.plan.size.equities)
    mean = np.where(market.plan.traded, market.log_return, np.nan)[1:, equities]
    assert np.corrcoef(np.diff(np.log(close)), np.nanmean(mean, axis=1))[0, 1] > 0.85
    members = table_of(written["index_members.csv"])
    assert all(row["announced_on"] < row["valid_from"] for row in members)
    dead = {symbol: on for on, symbol in planted(market, "delisting")}
    for row in members:
        if row["symbol"] in dead:
            assert dead[row["symbol"]] < date.fromisoformat(row["valid_to"]) <= dead[row["symbol"]] + timedelta(days=5)


def test_filings_come_late_and_show_the_trait(market: Market, written: dict[str, Path]) -> None:
    rows = table_of(written["fundamentals.csv"])
    assert len({row["isin"][:9] for row in rows}) >= 0.6 * market.plan.size.equities
    delays = [
        (datetime.fromisoformat(r["broadcast_at"]).date() - date.fromisoformat(r["period_end"])).days for r in rows
    ]
    assert min(delays) >= 30
    assert sorted(delays)[-3] <= 55 + 9
    assert max(delays) <= 55 + 120
    assert all(row["broadcast_at"].endswith("+05:30") for row in rows)
    issuer = {market.plan.isin_at(0, c)[:9]: c for c in range(market.plan.size.equities)}
    margins: dict[int, list[float]] = {}
    for row in rows:
        margin = float(row["operating_profit_inr"]) / float(row["revenue_inr"])
        margins.setdefault(issuer[row["isin"][:9]], []).append(margin)
    trait = market.quality[list(margins)]
    assert np.corrcoef(trait, [np.mean(m) for m in margins.values()])[0, 1] > 0.5
    assert np.corrcoef(trait, [-np.std(m) for m in margins.values()])[0, 1] > 0.5
    assert {r["cfo_inr"] == "" for r in rows if r["period_end"].endswith("03-31")} == {False}
    assert {r["cfo_inr"] == "" for r in rows if not r["period_end"].endswith("03-31")} == {True}


# -- faults of knowledge ----------------------------------------------------------------------------------------------


def versions(rows: list[dict[str, str]], *key: str) -> list[list[dict[str, str]]]:
    """Rows with the same key, where there are several."""
    found: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in key), []).append(row)
    return [group for group in found.values() if len(group) > 1]


def printed_on(written: dict[str, Path], on: str, symbol: str) -> list[dict[str, str]]:
    """Rows of a symbol in the files of a day, with the columns of any format."""
    day = date.fromisoformat(on)
    stamps = (f"{day:%Y%m%d}", f"{day:%d%m%Y}", f"{day:%d%b%Y}".upper())
    files = [path for name, path in written.items() if any(stamp in name for stamp in stamps)]
    assert files
    rows = [row for path in files for row in table_of(path)]
    return [row for row in rows if symbol in (row.get("SYMBOL"), row.get("TckrSymb"))]


def test_late_and_wrong_prices_are_put_right_between_two_month_ends(market: Market, written: dict[str, Path]) -> None:
    corrected = table_of(written["corrected_prices.csv"])
    wrong, late = dict(planted(market, "corrected_price")), dict(planted(market, "late_row"))
    assert {date.fromisoformat(row["date"]) for row in corrected} == {*wrong, *late}
    for row in corrected:
        on, known = date.fromisoformat(row["date"]), datetime.fromisoformat(row["known_at"]).date()
        assert (known.year * 12 + known.month) - (on.year * 12 + on.month) == 1
        at, column = column_of(market, on, row["symbol"])
        assert float(row["close"]) == market.close[at, column]
        day = printed_on(written, row["date"], row["symbol"])
        if on in late:
            assert day == []
        else:
            ((close, low),) = {
                (
                    float(r.get("CLOSE_PRICE") or r.get("CLOSE") or r["ClsPric"]),
                    r.get("LOW_PRICE") or r.get("LOW") or r["LwPric"],
                )
                for r in day
            }
            assert close == pytest.approx(0.82 * market.close[at, column], abs=0.03)
            assert float(low) == close


def test_an_index_level_and_a_sector_are_corrected(market: Market, written: dict[str, Path]) -> None:
    ((on, _),) = planted(market, "corrected_index_level")
    (right,) = table_of(written["corrected_index_levels.csv"])
    (wrong,) = [row for row in table_of(written["index_levels.csv"]) if row["date"] == str(on)]
    assert (right["date"], right["index_name"]) == (wrong["date"], wrong["index_name"])
    assert float(wrong["close"]) == pytest.approx(1.03 * float(right["close"]), abs=0.01)
    assert datetime.fromisoformat(right["known_at"]).date() > on
    ((_, symbol),) = planted(market, "corrected_sector")
    (label,) = table_of(written["corrected_sectors.csv"])
    (before,) = [row for row in table_of(written["sector_mapping.csv"]) if row["symbol"] == symbol]
    assert (label["symbol"], label["seen_on"]) == (symbol, before["seen_on"])
    assert label["sector"] != before["sector"]


def test_actions_are_restated_late_or_called_off(market: Market, written: dict[str, Path]) -> None:
    rows = table_of(written["corporate_actions.csv"])
    twice = versions(rows, "symbol", "ex_date", "kind")
    ends = {(r["symbol"], r["ex_date"]): (r["kind"], r["status"], r["announced_at"][:10]) for *_, r in twice}
    assert all(first["announced_at"] < last["announced_at"] for first, last in twice)
    assert {kind for kind, _, _ in ends.values()} == {"rights", "bonus"}
    for on, symbol in planted(market, "restated_action"):
        kind, status, known = ends.pop((symbol, str(on)))
        assert (known < str(on), status) == (kind == "rights", "confirmed")
    ((on, symbol),) = planted(market, "cancelled_action")
    _, status, known = ends.pop((symbol, str(on)))
    assert (status, known < str(on)) == ("cancelled", True)
    row, column = column_of(market, on, symbol)
    assert market.close[row, column] > 0.7 * market.close[row - 1, column]
    assert not ends
    ((on, symbol),) = planted(market, "late_announcement")
    (late,) = [r for r in rows if (r["symbol"], r["ex_date"]) == (symbol, str(on))]
    assert late["announced_at"][:10] > str(on)


def test_filings_are_restated_or_impossible(market: Market, written: dict[str, Path]) -> None:
    rows = table_of(written["fundamentals.csv"])
    twice = versions(rows, "isin", "period_end")
    assert all(wrong["broadcast_at"] < right["broadcast_at"] for wrong, right in twice)
    unit = [filed for filed in twice if float(filed[0]["revenue_inr"]) == 100 * float(filed[1]["revenue_inr"])]
    profits = [filed for filed in twice if filed[0]["revenue_inr"] == filed[1]["revenue_inr"]]
    assert (len(unit), len(profits)) == (1, len(planted(market, "restated_profit")))
    assert unit[0][0]["eps_inr"] == unit[0][1]["eps_inr"]
    assert all(float(wrong["net_profit_inr"]) == 2 * float(right["net_profit_inr"]) for wrong, right in profits)
    usual = np.median([float(row["revenue_inr"]) for row in rows])
    assert sum(float(row["revenue_inr"]) > 1e6 * usual for row in rows) == 1
    assert sum(float(row["paid_up_capital_inr"]) <= 0 for row in rows) == 1
    assert len(planted(market, "impossible_filing")) == 2


def test_the_exchange_announces_its_calendar_and_moves_one_holiday(market: Market, written: dict[str, Path]) -> None:
    rows = table_of(written["calendar.csv"])
    assert all(row["announced_at"][:10] < row["date"] for row in rows)
    newest = {row["date"]: row["status"] for row in sorted(rows, key=lambda row: row["announced_at"])}
    shut = {date.fromisoformat(day) for day, status in newest.items() if status == "holiday"}
    assert shut == set(holidays(market.plan.size.first, market.plan.size.last))
    ((moved, _),) = planted(market, "moved_holiday")
    listed = {row["date"] for row in rows if row["announced_at"].startswith(str(moved.year - 1))}
    assert (str(moved) in listed, str(moved + timedelta(days=2)) in listed) == (False, True)
    assert np.datetime64(moved + timedelta(days=2)) in market.plan.sessions
    assert {status for day, status in newest.items() if date.fromisoformat(day).weekday() >= 5} == {"special", "short"}


def test_faults_of_knowledge_move_nothing_that_happened() -> None:
    plan = make_market(size="small").plan
    assert {c.column for c in plan.faults.prices} & {action.column for action in plan.actions} == set()
    assert all(plan.traded[c.row, c.column] for c in (*plan.faults.prices, *plan.faults.late_rows))


# -- the page ---------------------------------------------------------------------------------------------------------


def test_documented_table_is_that_of_the_default_market() -> None:
    page = (ROOT / "docs/explanation/demo_market.md").read_text(encoding="utf-8")
    market = make_market()
    events = (*market.plan.events, *make_account(market).events)
    assert page == filled(page, event_table(events)), "the page says how to renew its table"


def test_filling_a_page_keeps_what_is_around_the_table() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = filled(page, "new")
    assert once == filled(once, "new")
    assert (once.startswith("before\n"), once.endswith("\nafter\n"), "old" in once) == (True, True, False)

"""Write the demo market's price files as the exchange would: one a session, in four formats, with planted faults.

A whole era is written as one text and cut at its line ends, because two thousand small tables cost more than one
large one. Zips are stored, not deflated: compressors differ between platforms, and the same seed must give the same
bytes everywhere.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from tsq.ingest.demo.calendar import day_month_year
from tsq.ingest.demo.knowledge import MISPRINT, published
from tsq.ingest.demo.market import TICK_INR, Ints, Market
from tsq.ingest.demo.plan import OVERLAP_SESSIONS, SERIES, Correction, Plan

LEGACY_11_HEADER = "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,"
LEGACY_13_HEADER = LEGACY_11_HEADER + "TOTALTRADES,ISIN,"
FULL_HEADER = (
    "SYMBOL, SERIES, DATE1, PREV_CLOSE, OPEN_PRICE, HIGH_PRICE, LOW_PRICE, LAST_PRICE, CLOSE_PRICE, AVG_PRICE, "
    "TTL_TRD_QNTY, TURNOVER_LACS, NO_OF_TRADES, DELIV_QTY, DELIV_PER"
)
UDIFF_HEADER = (
    "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,XpryDt,FininstrmActlXpryDt,StrkPric,OptnTp,"
    "FinInstrmNm,OpnPric,HghPric,LwPric,ClsPric,LastPric,PrvsClsgPric,UndrlygPric,SttlmPric,OpnIntrst,ChngInOpnIntrst,"
    "TtlTradgVol,TtlTrfVal,TtlNbOfTxsExctd,SsnId,NewBrdLotQty,Rmks,Rsvd1,Rsvd2,Rsvd3,Rsvd4"
)

_HEADERS = {
    "legacy_11": LEGACY_11_HEADER,
    "legacy_13": LEGACY_13_HEADER,
    "full": FULL_HEADER,
    "udiff": UDIFF_HEADER,
}
_LEGACY = "symbol series open high low close last prev_close volume turnover date_upper"
# what each format prints, by the names of `_printed`
_COLUMNS = {
    "legacy_11": f"{_LEGACY} nothing",
    "legacy_13": f"{_LEGACY} trades isin nothing",
    "full": "symbol series date_title prev_close open high low last close average volume turnover_lacs trades "
    "deliverable deliverable_pct",
    "udiff": "date_iso date_iso segment exchange instrument token isin symbol series nothing nothing nothing nothing "
    "company open high low close last prev_close nothing close nothing nothing volume turnover trades session_id lot "
    "nothing nothing nothing nothing nothing",
}
_CORRECTED = "date symbol series isin open high low close last prev_close volume turnover trades known_at"
_NUMBERS = "open high low close last prev_close average turnover volume trades deliverable"


@dataclass(frozen=True)
class _PriceFile:
    """One file to be: the day its name carries, and the session its rows are of."""

    format: str
    named: date
    row: int
    body: bytes


def price_rows(market: Market) -> pl.DataFrame:
    """Lay the traded cells of the market out as rows, by session, symbol and series.

    Returns:
        row (session number from 0), column (security number), symbol, series, isin, prices in rupees, volume in
        shares, turnover in rupees, average, trades, deliverable.
    """
    plan = market.plan
    row, column = np.nonzero(plan.traded)
    symbol, series = plan.symbol[row, column], plan.series[row, column]
    alphabetical = np.argsort(np.argsort(np.array(plan.symbols), kind="stable"))
    order = np.lexsort((series, alphabetical[symbol], row))
    row, column = row[order], column[order]

    def text(values: tuple[str, ...], codes: Ints) -> pl.Series:
        return pl.Series(values)[pl.Series(codes)]

    numbers = {name: getattr(market, name)[row, column] for name in _NUMBERS.split()}
    return pl.DataFrame(
        {
            "row": row,
            "column": column,
            "symbol": text(plan.symbols, symbol[order].astype(np.int64)),
            "series": text(SERIES, series[order].astype(np.int64)),
            "isin": text(plan.isins, plan.isin[row, column].astype(np.int64)),
            **numbers,
        }
    )


def write_prices(market: Market, folder: Path) -> tuple[Path, ...]:
    """Write every price file of the market into `folder`, and one of corrections; returns their paths."""
    rows = price_rows(market)
    files = [_write(file, folder) for file in _price_files(market, _first_told(market.plan, rows))]
    corrected = folder / "corrected_prices.csv"
    corrected.write_bytes(corrected_rows(market, rows).write_csv(float_precision=2).encode())
    return (*files, corrected)


def corrected_rows(market: Market, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that came wrong or not at all, as they are right, with the time at which they were published.

    Returns:
        columns of the prices dataset, and known_at; oldest session first.
    """
    plan = market.plan
    put_right = pl.DataFrame(
        [(c.row, c.column, plan.day(c.row), published(plan, c.known)) for c in _price_faults(plan)],
        schema={"row": pl.Int64, "column": pl.Int64, "date": pl.Date, "known_at": pl.String},
        orient="row",
    )
    found = rows.join(put_right, on=["row", "column"]).sort("date", "symbol")
    return found.select(_CORRECTED.split()).rename({"turnover": "turnover_inr"})


def _price_faults(plan: Plan) -> tuple[Correction, ...]:
    return (*plan.faults.prices, *plan.faults.late_rows)


def _first_told(plan: Plan, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows as the day's files print them: some closes too low, some rows not there."""

    def among(corrections: tuple[Correction, ...]) -> pl.Expr:
        cells = [(pl.col("row") == c.row) & (pl.col("column") == c.column) for c in corrections]
        return pl.any_horizontal(pl.lit(False), *cells)

    too_low = (pl.col("close") * MISPRINT / TICK_INR).round() * TICK_INR
    misprinted = rows.with_columns(
        pl.when(among(plan.faults.prices)).then(too_low.round(2)).otherwise("close").alias("close")
    )
    return misprinted.filter(~among(plan.faults.late_rows)).with_columns(pl.min_horizontal("low", "close").alias("low"))


def _price_files(market: Market, rows: pl.DataFrame) -> Iterator[_PriceFile]:
    plan = market.plan
    for era, (first, end) in plan.era_rows.items():
        # both formats of the first UDiFF sessions, as an archive that kept either would hold
        last = end + OVERLAP_SESSIONS if era == "full" else end
        for row, body in _bodies(market, rows, era, first, last):
            if era == "legacy_13" and row == plan.crcrlf_row:
                yield _PriceFile(era, plan.day(row), row, body.replace(b"\n", b"\r\r\n"))
            elif era == "full" and row == plan.truncated_row:
                yield _PriceFile(era, plan.day(row), row, _truncated(body))
            elif era == "full" and row == plan.misnamed[0]:
                yield _PriceFile(era, plan.misnamed[1], row, body)
            else:
                yield _PriceFile(era, plan.day(row), row, body)
            if era == "full" and row == plan.echo[0]:
                yield _PriceFile(era, plan.echo[1], row, body)


def _bodies(market: Market, rows: pl.DataFrame, era: str, first: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Write an era's sessions as one text and cut it: (session, file content with header)."""
    chosen = rows.filter((pl.col("row") >= first) & (pl.col("row") < end))
    text = _era_text(_printed(market, chosen), era)
    line_ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == ord("\n")) + 1
    counts = np.bincount(chosen["row"].to_numpy() - first, minlength=end - first)
    cuts = np.concatenate([[0], line_ends[np.cumsum(counts) - 1]])
    header = _HEADERS[era].encode() + b"\n"
    for i in range(end - first):
        yield first + i, header + text[cuts[i] : cuts[i + 1]]


def _printed(market: Market, rows: pl.DataFrame) -> pl.DataFrame:
    plan = market.plan
    days = [plan.day(row) for row in range(len(plan.sessions))]
    by_session = pl.DataFrame(
        {"date_iso": [str(day) for day in days], "date_title": [day_month_year(day) for day in days]}
    ).with_columns(pl.col("date_title").str.to_uppercase().alias("date_upper"))[rows["row"]]
    companies = pl.Series("company", [company.upper() for company in plan.companies])[rows["column"]]
    delivers = pl.col("series") != "BE"
    return rows.hstack(by_session).with_columns(
        companies,
        (20_000 + pl.col("column")).alias("token"),
        (pl.col("turnover") / 100_000).round(2).alias("turnover_lacs"),
        pl.when(delivers).then(pl.col("deliverable")).alias("deliverable"),
        pl.when(delivers).then((100 * pl.col("deliverable") / pl.col("volume")).round(2)).alias("deliverable_pct"),
        pl.lit("CM").alias("segment"),
        pl.lit("NSE").alias("exchange"),
        pl.lit("STK").alias("instrument"),
        pl.lit("F1").alias("session_id"),
        pl.lit(1).alias("lot"),
        pl.lit(None, dtype=pl.String).alias("nothing"),
    )


def _era_text(printed: pl.DataFrame, era: str) -> bytes:
    fields = printed.select(pl.col(name).alias(str(i)) for i, name in enumerate(_COLUMNS[era].split()))
    if era == "full":
        text = fields.write_csv(include_header=False, quote_style="never", float_precision=2, null_value="-")
        return text.replace(",", ", ").encode()
    if era == "udiff":
        return fields.write_csv(include_header=False, quote_style="never", float_precision=2).encode()
    # the legacy files print whole rupees without a decimal point
    return fields.write_csv(include_header=False, quote_style="never").encode().replace(b".0,", b",")


def _truncated(body: bytes) -> bytes:
    """Cut a file in the middle of a row, after about seven eighths of it."""
    line_start = body.rindex(b"\n", 0, len(body) * 7 // 8) + 1
    return body[: line_start + 45]


def _write(file: _PriceFile, folder: Path) -> Path:
    name = _file_name(file.format, file.named)
    if file.format == "full":
        path = folder / name
        path.write_bytes(file.body)
        return path
    path = folder / f"{name}.zip"
    # everything a zip records is fixed, so that equal rows give equal bytes on every platform
    entry = zipfile.ZipInfo(name, date_time=(file.named.year, file.named.month, file.named.day, 18, 0, 0))
    entry.create_system, entry.external_attr = 3, 0o644 << 16
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(entry, file.body)
    return path


def _file_name(era: str, day: date) -> str:
    if era == "full":
        return f"sec_bhavdata_full_{day.day:02d}{day.month:02d}{day.year}.csv"
    if era == "udiff":
        return f"BhavCopy_NSE_CM_0_0_0_{day.year}{day.month:02d}{day.day:02d}_F_0000.csv"
    return f"cm{day_month_year(day).replace('-', '').upper()}bhav.csv"

"""---
date: date
grain: [date, security_id, sessions, seed]
references: {date: pit.sessions.date, security_id: pit.securities.security_id}
order: [date, security_id]
checks:
  - atr_inr >= 0
  - highest_inr > 0
columns:
  date: {type: DATE, doc: "session in which the security traded, from the first decision that wanted it on"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  sessions: {type: INTEGER, unit: sessions, doc: "prints the average and the window count"}
  seed: {type: VARCHAR, doc: "wilder counts the range of the very first print, talib does not"}
  atr_inr: {type: DOUBLE, unit: inr, doc: "Wilder's average true range at the close of the date, in its units"}
  highest_inr: {type: DOUBLE, unit: inr, doc: "highest high of the last so many prints, in the units of the date"}
---
What a trailing stop hangs from: the average true range and the highest high, for every length and seed that an overlay
of config.risk names. Prints before the first decision warm the average up; a security with fewer of them than the
length has no row yet. Ranges are of what the date's own decision knew, rescaled for what went ex since.
Source: Wilder (1978).
"""

import numpy as np
import polars as pl

from tsq.quant.stops import highest_high, wilder_atr


def model(bars: pl.DataFrame, risk: pl.DataFrame) -> pl.DataFrame:
    """Run the averages over every track; returns the rows that decisions read."""
    schema = {
        "date": pl.Date,
        "security_id": pl.Int64,
        "sessions": pl.Int32,
        "seed": pl.String,
        "atr_inr": pl.Float64,
        "highest_inr": pl.Float64,
    }
    wanted = risk.filter(pl.col("stop_multiple").is_not_null()).select("stop_sessions", "atr_seed").unique()
    tracks = bars["track"].unique().sort().to_numpy()
    at = (bars["bar_no"].to_numpy(), np.searchsorted(tracks, bars["track"].to_numpy()))
    shape = (int(at[0].max(initial=-1)) + 1, len(tracks))
    laid = {}
    for name in ("high", "low", "close", "factor"):
        laid[name] = np.full(shape, np.nan)
        laid[name][at] = bars[name].to_numpy()
    out = [pl.DataFrame(schema=schema)]
    for sessions, seed in wanted.sort("stop_sessions", "atr_seed").iter_rows():
        atr = wilder_atr(laid["high"], laid["low"], laid["close"], sessions, seed=seed, factor=laid["factor"])
        highest = highest_high(laid["high"], sessions, factor=laid["factor"])
        rows = bars.select(
            "date",
            "security_id",
            "is_read",
            sessions=pl.lit(sessions, pl.Int32),
            seed=pl.lit(seed),
            atr_inr=pl.Series(atr[at]),
            highest_inr=pl.Series(highest[at]),
        )
        out.append(rows.filter(pl.col("is_read") & pl.col("atr_inr").is_not_nan()).select(*schema))
    return pl.concat(out)

"""Average true range against TA-Lib, from vectors it made."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tsq.quant.stops import wilder_atr

VECTORS = pl.read_csv(Path(__file__).parent / "data" / "atr_talib.csv", comment_prefix="#")


@pytest.mark.parametrize("sessions", [3, 14, 22])
def test_atr_is_talibs(sessions):
    high, low, close = (VECTORS[name].to_numpy()[:, None] for name in ("high", "low", "close"))
    ours = wilder_atr(high, low, close, sessions, seed="talib")[:, 0]
    theirs = VECTORS[f"atr_{sessions}"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert np.isnan(ours).sum() == sessions


def test_wilders_own_seed_is_one_bar_earlier_and_forgotten_in_time():
    high, low, close = (VECTORS[name].to_numpy()[:, None] for name in ("high", "low", "close"))
    own = wilder_atr(high, low, close, 3)[:, 0]
    theirs = VECTORS["atr_3"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    assert np.isnan(own).sum() == 2
    # what the seeds differ by shrinks by a third each bar
    np.testing.assert_allclose((own - theirs)[4:] / (own - theirs)[3:-1], 2.0 / 3.0, rtol=1e-3)

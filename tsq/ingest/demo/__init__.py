"""The demo market: a seeded, invented exchange written in the exchange's own file formats with every fault they have.

`write_demo` writes the files; `tsq ingest` takes them as it takes real ones. See docs/explanation/demo_market.md.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tsq.errors import TsqError, did_you_mean
from tsq.ingest.demo.broker import Account, account, write_account
from tsq.ingest.demo.draw import make_plan
from tsq.ingest.demo.filings import write_filings
from tsq.ingest.demo.index import write_index
from tsq.ingest.demo.market import Market, simulate
from tsq.ingest.demo.prices import write_prices
from tsq.ingest.demo.reference import write_reference
from tsq.ingest.demo.size import SIZES, DemoSize

__all__ = ["SIZES", "Account", "DemoSize", "Market", "make_account", "make_market", "write_demo"]

MOMENTUM_PREMIUM = 0.005
QUALITY_PREMIUM = 0.005

_README = """DEMO MARKET: everything in this folder is simulated.

No company, symbol, ISIN, price or filing here is real. The files have the formats of an Indian exchange so that the
same code reads them, and faults like those of real files on purpose. Size {size}, seed {seed}.
"""


def make_market(
    *,
    size: str = "default",
    seed: int = 7,
    momentum_premium: float = MOMENTUM_PREMIUM,
    quality_premium: float = QUALITY_PREMIUM,
) -> Market:
    """Simulate a demo market without writing it; arguments as `write_demo`."""
    plan_rng, price_rng, _, fault_rng, _ = _generators(seed)
    return simulate(
        make_plan(_size(size), plan_rng, fault_rng),
        price_rng,
        momentum_premium=momentum_premium,
        quality_premium=quality_premium,
    )


def make_account(market: Market, *, seed: int = 7) -> Account:
    """Make what the simulated broker reports of an account on a market of the same seed."""
    return account(market, _generators(seed)[4])


def write_demo(
    folder: Path,
    *,
    size: str = "default",
    seed: int = 7,
    momentum_premium: float = MOMENTUM_PREMIUM,
    quality_premium: float = QUALITY_PREMIUM,
) -> tuple[Path, ...]:
    """Write a demo market into `folder`, made if absent; the same arguments write the same bytes.

    Args:
        folder: gets the files, flat, and a README.txt that says they are simulated.
        size: `small` (30 securities, 3 years) or `default` (300 securities, 10 years).
        seed: of everything random.
        momentum_premium: expected log return per month of one cross-sectional standard deviation of 12-1 momentum rank.
        quality_premium: the same of one standard deviation of the quality trait, which lowers volatility and raises
        margins.

    Returns:
        the data files, README.txt not among them.

    Raises:
        TsqError: no such size.
    """
    market = make_market(size=size, seed=seed, momentum_premium=momentum_premium, quality_premium=quality_premium)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.txt").write_bytes(_README.format(size=size, seed=seed).encode())
    return (
        *write_prices(market, folder),
        *write_reference(market, folder),
        *write_index(market, folder),
        *write_filings(market, _generators(seed)[2], folder),
        *write_account(market, _generators(seed)[4], folder),
    )


def _size(name: str) -> DemoSize:
    if name not in SIZES:
        raise TsqError(f"no demo market of size {name!r}", hint=did_you_mean(name, SIZES))
    return SIZES[name]


def _generators(seed: int) -> list[np.random.Generator]:
    """Make independent generators of the plan, the prices, the filings, the faults of knowledge and the account."""
    return [np.random.Generator(np.random.PCG64(child)) for child in np.random.SeedSequence(seed).spawn(5)]

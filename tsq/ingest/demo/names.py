"""Invented symbols, company names and ISINs: none of them is a real one."""

from __future__ import annotations

from itertools import product

import numpy as np

SECTORS = (
    "Demo Automobiles",
    "Demo Banks",
    "Demo Chemicals",
    "Demo Consumer Goods",
    "Demo Energy",
    "Demo Healthcare",
    "Demo Information Technology",
    "Demo Metals",
)

_STEMS = (
    "ALB AUR BEL BOR CAL CIN DOR DUL ELM ERI FAL FER GAL GOR HEL HOL IRI ISO JAL JUN KAL KOR LAP LUM MAR MOL NAV NOR "
    "OBE OPA PAL PYR QUA QUI RAD RUB SAL SOL TAL TOR ULM UMB VAL VER WAL WIL XAN XEN YAR YOL ZAL ZEN"
)
_ENDINGS = "ADE ANT ARA ENT EST IDE INA IUM ORA UM"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def words(rng: np.random.Generator, count: int) -> tuple[str, ...]:
    """Draw `count` different invented words, such as AURUM."""
    every = [stem + ending for stem, ending in product(_STEMS.split(), _ENDINGS.split())]
    return tuple(every[i] for i in rng.permutation(len(every))[:count])


def isin(prefix: str, issuer: int, security_type: str, serial: int) -> str:
    """Write an ISIN with a right check digit.

    Args:
        prefix: `INE` (share), `INF` (fund) or `IN9` (partly paid share).
        issuer: number of the issuer, 0 … 1295; becomes the invented issuer code `DM00` … `DMZZ`.
        security_type: two digits, `01` for shares, `20` for entitlements.
        serial: 1, 2, …; a face-value split gets the next one.

    Source:
        ISO 6166: letters as 10 … 35, then Luhn over all digits.
    """
    body = f"{prefix}DM{_DIGITS[issuer // 36]}{_DIGITS[issuer % 36]}{security_type}{serial:02d}"
    digits = [int(d) for ch in body for d in str(_DIGITS.index(ch))]
    doubled = [d * 2 if i % 2 == 0 else d for i, d in enumerate(reversed(digits))]
    check = -sum(d // 10 + d % 10 for d in doubled) % 10
    return f"{body}{check}"

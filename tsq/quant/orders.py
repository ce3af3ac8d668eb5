"""From what is held to what is wanted, in orders a broker takes, each checked before it is sent.

The checks come in the order of `CHECKS`; a later one sees what the earlier ones left. Nothing trades by itself here,
and nothing is rounded up: a check only ever makes an order smaller.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

TRADE_FOR_TRADE = frozenset({"BE", "BZ", "BT", "ST", "SZ"})
NEARLY_WHOLE = 1e-9


@dataclass(frozen=True)
class Name:
    """One name as the evening before the orders knows it.

    Attributes:
        ticker, isin, series, sector: as printed last; `sector` None where nobody knows.
        held: shares.
        unsettled: of them, those bought in the newest session.
        weight: wanted, of the account's value.
        close: rupees; None where it never traded.
        adv_inr: median value traded in a session; None where it is not known.
        is_quiet: it did not trade in the newest session.
        may_buy: its series is one of the universe's.
        barred: sides that a person barred, with the reason: both, buy or sell.
    """

    ticker: str
    isin: str | None
    series: str | None
    sector: str | None
    held: int
    unsettled: int
    weight: float
    close: float | None
    adv_inr: float | None
    is_quiet: bool = False
    may_buy: bool = True
    barred: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Rules:
    """What a list is held to; weights are ratios of `value_inr`, the account's value with its cash.

    `exposure` scales what is wanted (the overlay's). `frozen` says why nothing may be done at all. `participation` is
    the part of a session's usual value that one day's orders may be, `most_exit_days` the sessions a position may take
    to sell at that pace; None: no limit. `cost` is what a purchase costs beside its price, as a ratio.
    """

    value_inr: float
    cash_inr: float
    name_cap: float
    sector_cap: float
    cap_unlabelled: bool
    no_trade_band: float
    participation: float
    most_exit_days: float | None
    sessions: int
    most_sessions: int
    least_inr: float
    cost: float
    exposure: float = 1.0
    frozen: str | None = None


@dataclass(frozen=True)
class Draft:
    """An order while it is checked: `change` in shares, below zero to sell; each cut leaves a reason."""

    name: Name
    wanted: int
    change: int
    reasons: tuple[str, ...] = ()

    @property
    def side(self) -> str:
        """The side of what was wanted."""
        return "buy" if self.wanted > 0 else "sell"

    @property
    def value_inr(self) -> float:
        """Rupees at the last close, not negative."""
        return abs(self.change) * (self.name.close or 0.0)

    def cut(self, shares: float, reason: str) -> Draft:
        """Leave so many shares at most, whole ones; the reason stays where that is less than before."""
        left = math.floor(max(0.0, min(float(abs(self.change)), shares + NEARLY_WHOLE)))
        if left == abs(self.change):
            return self
        return replace(self, change=left if self.wanted > 0 else -left, reasons=(*self.reasons, reason))


Check = Callable[[Sequence[Draft], Rules], list[Draft]]


def draft(names: Sequence[Name], rules: Rules) -> list[Draft]:
    """What would have to be traded of each name, before any check: towards weight × exposure × value, rounded down."""
    drafts = []
    for name in names:
        goal = 0
        if name.close:
            goal = math.floor(name.weight * rules.exposure * rules.value_inr / name.close + NEARLY_WHOLE)
        drafts.append(Draft(name, goal - name.held, goal - name.held))
    return drafts


def check(names: Sequence[Name], rules: Rules) -> list[Draft]:
    """Draft the orders of a list and put them through all checks.

    Args:
        names: every name held or wanted.
        rules: what the list is held to.

    Returns:
        A draft for each name that would have to trade, those refused (change 0) too; sells first, then by ticker.
    """
    drafts: Sequence[Draft] = draft(names, rules)
    for one in CHECKS:
        drafts = one(drafts, rules)
    return sorted(
        (order for order in drafts if order.wanted), key=lambda order: (order.side == "buy", order.name.ticker)
    )


def slices(change: int, per_session: float, rules: Rules) -> list[int]:
    """Spread an order over sessions: evenly over `rules.sessions`, longer where a session takes less.

    Args:
        change: shares, below zero to sell.
        per_session: shares a session takes at most.
        rules: how many sessions at least.

    Returns:
        Shares of each session, their sign that of `change`; together they are `change`.
    """
    shares, sign = abs(change), 1 if change > 0 else -1
    most = max(1, math.floor(min(per_session, float(shares)) + NEARLY_WHOLE))
    count = min(shares, max(rules.sessions, math.ceil(shares / most)))
    whole, rest = divmod(shares, count) if count else (0, 0)
    return [sign * (whole + (at < rest)) for at in range(count)]


def per_session(name: Name, rules: Rules) -> float:
    """Shares of a name that one session's orders may be; unlimited where its usual value is not known."""
    if not name.close or name.adv_inr is None:
        return math.inf
    return rules.participation * name.adv_inr / name.close


def _frozen(drafts: Sequence[Draft], rules: Rules) -> list[Draft]:
    if rules.frozen is None:
        return list(drafts)
    return [one.cut(0, f"frozen: {rules.frozen}") for one in drafts]


def _barred(drafts: Sequence[Draft], _: Rules) -> list[Draft]:
    done = []
    for one in drafts:
        why = next((reason for side, reason in one.name.barred if side in ("both", one.side)), None)
        done.append(one if why is None else one.cut(0, f"barred: {why}"))
    return done


def _tradable(drafts: Sequence[Draft], _: Rules) -> list[Draft]:
    done = []
    for one in drafts:
        if not one.name.close:
            done.append(one.cut(0, "has no price"))
        elif one.name.held < 0:
            done.append(one.cut(0, "more was sold than bought: load the trades that are missing"))
        elif one.name.is_quiet:
            done.append(one.cut(0, "did not trade in the last session"))
        elif one.side == "buy" and not one.name.may_buy:
            done.append(one.cut(0, f"series {one.name.series} may not be bought"))
        else:
            done.append(one)
    return done


def _settled(drafts: Sequence[Draft], _: Rules) -> list[Draft]:
    """Trade for trade: a share bought yesterday is not there to be delivered today."""
    return [
        one.cut(one.name.held - one.name.unsettled, f"trade for trade ({one.name.series}): bought in the last session")
        if one.side == "sell" and one.name.series in TRADE_FOR_TRADE
        else one
        for one in drafts
    ]


def _band(drafts: Sequence[Draft], rules: Rules) -> list[Draft]:
    """Small changes of a position that stays: entries and exits are never inside the band."""
    done = []
    for one in drafts:
        stays = one.name.held > 0 and one.name.held + one.wanted > 0
        if stays and one.value_inr < rules.no_trade_band * rules.value_inr:
            one = one.cut(0, "inside the no-trade band")
        done.append(one)
    return done


def _name_cap(drafts: Sequence[Draft], rules: Rules) -> list[Draft]:
    done = []
    for one in drafts:
        if one.side == "buy" and one.name.close:
            room = rules.name_cap * rules.value_inr / one.name.close - one.name.held
            one = one.cut(room, f"name cap of {rules.name_cap:.0%}")
        done.append(one)
    return done


def _exit_days(drafts: Sequence[Draft], rules: Rules) -> list[Draft]:
    if rules.most_exit_days is None:
        return list(drafts)
    return [
        one.cut(
            per_session(one.name, rules) * rules.most_exit_days - one.name.held,
            f"more than {rules.most_exit_days:g} sessions to sell again",
        )
        if one.side == "buy" and one.name.adv_inr is not None
        else one
        for one in drafts
    ]


def _sessions(drafts: Sequence[Draft], rules: Rules) -> list[Draft]:
    return [
        one.cut(
            per_session(one.name, rules) * rules.most_sessions,
            f"more than {rules.most_sessions} sessions at {rules.participation:.0%} of the usual value",
        )
        if one.name.adv_inr is not None
        else one.cut(0, "its usual value is not known")
        if one.side == "buy"
        else one
        for one in drafts
    ]


def _sector_cap(drafts: Sequence[Draft], rules: Rules) -> list[Draft]:
    """Over all that is held: purchases of a sector are cut by one ratio."""
    kept: dict[str, float] = {}
    bought: dict[str, float] = {}
    for one in drafts:
        sector, close = _sector(one.name, rules), one.name.close or 0.0
        if sector is not None:
            kept[sector] = kept.get(sector, 0.0) + (one.name.held + min(one.change, 0)) * close
            bought[sector] = bought.get(sector, 0.0) + max(one.change, 0) * close
    done = []
    for one in drafts:
        sector = _sector(one.name, rules)
        if sector is not None and one.change > 0:
            room = max(rules.sector_cap * rules.value_inr - kept[sector], 0.0)
            one = one.cut(
                one.change * min(1.0, room / bought[sector]), f"sector cap of {rules.sector_cap:.0%} ({sector})"
            )
        done.append(one)
    return done


def _sector(name: Name, rules: Rules) -> str | None:
    return name.sector or ("unlabelled" if rules.cap_unlabelled else None)


def _cash(drafts: Sequence[Draft], rules: Rules) -> list[Draft]:
    """Purchases are paid from cash and from what this list sells, never on credit: cut by one ratio."""
    sold = sum(one.value_inr for one in drafts if one.change < 0)
    needed = sum(one.value_inr for one in drafts if one.change > 0) * (1 + rules.cost)
    there = max(rules.cash_inr + sold * (1 - rules.cost), 0.0)
    ratio = 1.0 if needed <= there else there / needed
    return [one.cut(one.change * ratio, "cash") if one.change > 0 else one for one in drafts]


def _least(drafts: Sequence[Draft], rules: Rules) -> list[Draft]:
    return [
        one.cut(0, f"worth less than {rules.least_inr:g}") if one.change and one.value_inr < rules.least_inr else one
        for one in drafts
    ]


# Whatever may cut a sale comes before what counts on sales: caps of sectors, and cash. Those cut purchases only; what
# they made too small to send is taken out at the end.
CHECKS: tuple[Check, ...] = (
    _frozen,
    _barred,
    _tradable,
    _settled,
    _band,
    _name_cap,
    _exit_days,
    _sessions,
    _least,
    _sector_cap,
    _cash,
    _least,
)

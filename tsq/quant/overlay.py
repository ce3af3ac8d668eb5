"""The overlay: steps of the ledger that scale a portfolio's exposure, fire its stops and hold back orders.

What a step does in a session rests on the close of the session before; only fills look at the session itself. The order
of the steps is that of `tsq.quant.ledger.STEPS`; a portfolio whose policy has no overlay passes through them unchanged.

- `begin` carries stops over what goes ex,
- `stop_at_open` sells what opens at or below its stop, and what a stop could not sell before,
- `follow` moves the exposure between rebalances,
- `restrain` holds orders back: minimum hold, re-entry, windows of events,
- `stop_in_session` sells what falls to its stop after the open,
- `observe` looks at the close: volatility, drawdown, Kelly, gates, and where stops hang tomorrow.

`scale` is what a decision's weights are multiplied with: volatility target × throttle × Kelly × gates, and never more
than the overlay's greatest exposure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tsq.quant.book import Book, Day, Orders, Targets, batch_of, value_at_close, value_coming_in
from tsq.quant.charges import SELL
from tsq.quant.events import NOBODY
from tsq.quant.market import Floats, Ints
from tsq.quant.risk_rules import Overlay
from tsq.quant.sizing import Variance, held_back, kelly_scale, see, vol_scale, volatility
from tsq.quant.stops import chandelier, ratchet, stop_fill
from tsq.quant.trading import aim, execute

_NEVER = -(10**9)  # a session before all others
_HAIR = 1e-12


@dataclass(frozen=True)
class Risk:
    """What an overlay remembers of a portfolio from one session to the next.

    Attributes:
        level: (n_names,) stop of each holding in the coming session, rupees; NaN where there is none.
        told: (n_names,) the same as it was last written down.
        entry: (n_names,) price of the first purchase of each holding, in today's units; NaN where nothing is held.
        since: (n_names,) row of that purchase; -1 where nothing is held.
        due: (n_names,) whether a stop has fired that could not be filled yet.
        stopped: (n_names,) row of the last stop.
        hit: (n_names,) level of that stop, in today's units; NaN once the name has closed above it.
        held: (n_names,) shares held at the close before.
        variance: of the returns of what was held.
        returns: the last of these returns, as many as the Kelly fraction needs.
        peak: highest value at a close, rupees.
        throttle: what the drawdown leaves.
        wanted: exposure for the coming session, as of the last close.
        applied: exposure that the holdings were last brought to.
        owes: whether the holdings have outgrown the greatest exposure.
        scales: multipliers as they were last written down, by name.
    """

    level: Floats
    told: Floats
    entry: Floats
    since: Ints
    due: npt.NDArray[np.bool_]
    stopped: Ints
    hit: Floats
    held: Ints
    variance: Variance
    returns: Floats
    peak: float
    throttle: float
    wanted: float
    applied: float
    owes: bool
    scales: tuple[tuple[str, float], ...]


def scale(book: Book, day: Day, targets: Targets) -> Targets:
    """Scale what an evening decided by the exposure of that evening; the hook `exposure` of a policy."""
    if day.policy.overlay is None:
        return targets
    return replace(targets, weights=targets.weights * book.overlay.wanted)


def begin(book: Book, day: Day) -> Book:
    """Start the overlay's memory, and carry prices it remembers over what goes ex today.

    A stop moves with splits, bonuses, rights and demergers, as the price does, and stays where it is for a dividend.
    """
    overlay: Overlay | None = day.policy.overlay
    if overlay is None:
        return book
    risk = book.overlay or _start(book, day, overlay)
    risk = replace(risk, held=book.shares)
    actions = day.market.actions.get(day.row)
    if actions is not None and overlay.rules.stops:
        ratio = np.ones(len(book.shares))
        ratio[actions.names] = actions.kept / actions.factor
        risk = replace(risk, level=risk.level * ratio, entry=risk.entry * ratio, hit=risk.hit * ratio)
    return replace(book, overlay=risk)


def stop_at_open(book: Book, day: Day) -> Book:
    """Sell what opens at or below its stop at the open, and there too what a stop left unsold before.

    Where orders trade at the close, stops that are reached later in the session are filled here as well: before them.
    """
    overlay: Overlay | None = day.policy.overlay
    if overlay is None or not overlay.rules.stops:
        return book
    risk: Risk = book.overlay
    held = np.flatnonzero((book.shares > 0) & (risk.due | ~np.isnan(risk.level)))
    if not len(held):
        return book
    open_, low = day.market.open[day.row, held], day.market.low[day.row, held]
    stop = np.where(risk.due[held], np.inf, risk.level[held])
    price = stop_fill(open_, low, stop)
    if not overlay.trades_at_close:
        price[open_ > stop] = np.nan
    return _sell(book, day, held, price)


def follow(book: Book, day: Day) -> Book:
    """Bring holdings to the exposure that is wanted now, where that is off by more than the band, or too much is owed.

    A decision that trades today has done so already. What waiting orders still mean to do is scaled like the rest.
    """
    overlay: Overlay | None = day.policy.overlay
    if overlay is None or not overlay.rules.scales:
        return book
    risk: Risk = book.overlay
    is_decided = day.row - 1 in day.policy.targets
    if not is_decided and not risk.owes and abs(risk.wanted - risk.applied) <= overlay.rules.exposure_band + _HAIR:
        return book
    moved = replace(book, overlay=replace(risk, applied=risk.wanted, owes=False))
    if is_decided or book.wanted is None:
        return moved
    moved = aim(moved, day, _rescaled(book, day, overlay))
    return replace(moved, sells=_by_scale(moved.sells), buys=_by_scale(moved.buys))


def restrain(book: Book, day: Day) -> Book:
    """Hold orders back: sales of names held too shortly, purchases after a stop, part of those around results."""
    overlay: Overlay | None = day.policy.overlay
    if overlay is None:
        return book
    risk: Risk = book.overlay
    rules, sells, buys = overlay.rules, book.sells, book.buys
    if rules.min_hold_sessions and len(sells.names) and day.row - 1 in day.policy.targets:
        since = risk.since[sells.names]
        is_new = (since >= 0) & (day.row - since < rules.min_hold_sessions) & (sells.signal == day.row - 1)
        sells = sells.only(~is_new)
    if rules.stops and len(buys.names):
        is_barred = risk.due | (day.row - risk.stopped <= rules.reentry_sessions)
        if rules.reentry_above_stop:
            is_barred |= ~np.isnan(risk.hit)
        buys = buys.only(~is_barred[buys.names])
    if overlay.in_event is not None and len(buys.names):
        is_new = (buys.signal == day.row - 1) & overlay.in_event[day.row - 1, buys.names]
        buys = buys.left(np.where(is_new, np.floor(buys.qty * rules.event_weight), buys.qty).astype(np.int64))
    return replace(book, sells=sells, buys=buys)


def stop_in_session(book: Book, day: Day) -> Book:
    """Sell at its stop what falls to it after the open; a name first bought today has no stop yet."""
    overlay: Overlay | None = day.policy.overlay
    if overlay is None or not overlay.rules.stops or overlay.trades_at_close:
        return book
    risk: Risk = book.overlay
    held = np.flatnonzero((book.shares > 0) & ~risk.due & ~np.isnan(risk.level))
    if not len(held):
        return book
    open_, low = day.market.open[day.row, held], day.market.low[day.row, held]
    return _sell(book, day, held, stop_fill(open_, low, risk.level[held]))


def observe(book: Book, day: Day) -> Book:
    """Look at the close: what exposure is wanted tomorrow and where stops hang, and write down what changed."""
    overlay: Overlay | None = day.policy.overlay
    if overlay is None:
        return book
    risk: Risk = book.overlay
    events = []
    if overlay.rules.scales:
        risk = _learned(risk, book, day, overlay)
        scales = (*_scales(overlay, risk, day.row), ("exposure", risk.wanted), ("applied", risk.applied))
        changed = [(name, value) for name, value in scales if (name, value) not in risk.scales]
        if changed:
            names, values = zip(*changed, strict=True)
            nobody = np.full(len(names), NOBODY)
            events.append(batch_of("exposure", day, nobody, np.array(names), more={"level": np.array(values)}))
            risk = replace(risk, scales=scales)
    risk = _hung(risk, book, day, overlay)
    same = (risk.level == risk.told) | (np.isnan(risk.level) & np.isnan(risk.told))
    if not same.all():
        at = np.flatnonzero(~same)
        now, before = risk.level[at], risk.told[at]
        kinds = [np.isnan(now), np.isnan(before), now > before]
        reason = np.select(kinds, ["removed", "placed", "raised"], "rescaled")
        events.append(batch_of("stop", day, at, reason, more={"level": now}))
        risk = replace(risk, told=risk.level)
    return replace(book, overlay=risk, events=(*book.events, *events))


def _start(book: Book, day: Day, overlay: Overlay) -> Risk:
    """What is remembered before the first session that trades: nothing but the capital."""
    n = len(book.shares)
    nothing = np.full(n, np.nan)
    risk = Risk(
        level=nothing,
        told=nothing,
        entry=nothing,
        since=np.full(n, -1),
        due=np.zeros(n, np.bool_),
        stopped=np.full(n, _NEVER),
        hit=nothing,
        held=book.shares,
        variance=Variance(),
        returns=np.empty(0),
        peak=book.cash,
        throttle=1.0,
        wanted=1.0,
        applied=1.0,
        owes=False,
        scales=(),
    )
    return replace(risk, wanted=_exposure(overlay, _scales(overlay, risk, day.row - 1)))


def _scales(overlay: Overlay, risk: Risk, row: int) -> tuple[tuple[str, float], ...]:
    """The multipliers of the evening `row`, in the order they are applied."""
    rules = overlay.rules
    out = []
    for name in rules.scales:
        if name == "vol_scale":
            vol = volatility(risk.variance, rules.vol_half_life, overlay.sessions_per_year)
            value = vol_scale(vol, rules.vol_target or np.inf, rules.max_exposure)
        elif name == "throttle":
            value = risk.throttle
        elif name == "kelly":
            value = _kelly(overlay, risk)
        elif name == "cap":
            value = rules.max_exposure
        else:
            value = float(overlay.gates[("trend_gate", "volatility_gate").index(name), row])
        out.append((name, value))
    return tuple(out)


def _exposure(overlay: Overlay, scales: tuple[tuple[str, float], ...]) -> float:
    """All multipliers together, at most the greatest exposure."""
    product = 1.0
    for _, value in scales:
        product *= value
    return min(product, overlay.rules.max_exposure)


def _kelly(overlay: Overlay, risk: Risk) -> float:
    """Multiplier of the Kelly fraction; before there are enough returns 1, or the cap where that is less."""
    rules = overlay.rules
    if len(risk.returns) < rules.kelly_sessions:
        return min(1.0, rules.kelly_cap)
    excess = risk.returns - overlay.risk_free
    floor = min(rules.risk_floor, rules.kelly_cap)
    return kelly_scale(excess, rules.kelly_fraction, rules.kelly_cap, floor, overlay.sessions_per_year)


def _learned(risk: Risk, book: Book, day: Day, overlay: Overlay) -> Risk:
    """Take in the session: the return of what was held, the value, and the exposure that follows from them."""
    rules = overlay.rules
    ret = _return(risk.held, day)
    if not np.isnan(ret):
        if rules.vol_target is not None:
            risk = replace(risk, variance=see(risk.variance, ret, rules.vol_half_life))
        if rules.kelly_fraction > 0.0:
            risk = replace(risk, returns=np.append(risk.returns, ret)[-rules.kelly_sessions :])
    value = value_at_close(book, day)
    peak = max(risk.peak, value)
    throttle = risk.throttle
    if overlay.throttle is not None:
        throttle = held_back(throttle, overlay.throttle, 1.0 - value / peak, rules.throttle_hysteresis)
    owes = rules.max_exposure > 1.0 and value - book.cash > (rules.max_exposure + rules.exposure_band) * value
    risk = replace(risk, peak=peak, throttle=throttle, owes=owes)
    return replace(risk, wanted=_exposure(overlay, _scales(overlay, risk, day.row)))


def _return(held: Ints, day: Day) -> float:
    """Return over the session of what was held the evening before, actions included; NaN where nothing was.

    It is of the shares, not of the portfolio: cash, and what the overlay itself did, are no part of it.
    """
    names = np.flatnonzero(held)
    if not len(names):
        return float("nan")
    shares = held[names].astype(float)
    mark = day.market.mark[day.row, names]
    cash = 0.0
    actions = day.market.actions.get(day.row)
    if actions is not None:
        cash = float(np.sum(held[actions.names] * actions.cash))
        factor = np.ones(len(held))
        factor[actions.names] = actions.factor
        shares *= factor[names]
    dead = day.market.deaths.get(day.row)
    if dead is not None:
        mark = np.where(np.isin(names, dead), mark * (1.0 - day.policy.delist_haircut), mark)
    before = float(np.sum(shares * day.market.before[day.row, names]))
    return (float(np.sum(shares * mark)) + cash) / before - 1.0 if before > 0.0 else float("nan")


def _hung(risk: Risk, book: Book, day: Day, overlay: Overlay) -> Risk:
    """Remember what was bought and sold, and hang stops for the coming session; none of them ever comes down."""
    rules = overlay.rules
    held, known = book.shares > 0, risk.since >= 0
    since, entry = risk.since, risk.entry
    if (held != known).any():
        since = np.where(held, np.where(known, since, day.row), -1)
        entry = np.where(held, np.where(known, entry, day.price), np.nan)
    if not rules.stops:
        return replace(risk, since=since, entry=entry)
    mark = day.market.mark[day.row]
    level = np.where(held, risk.level, np.nan)
    if overlay.atr is not None and overlay.highest is not None and rules.stop_multiple is not None:
        hanging = chandelier(overlay.highest[day.row], overlay.atr[day.row], mark, rules.stop_multiple)
        level = np.where(held, ratchet(level, hanging), np.nan)
    if rules.hard_stop is not None:
        level = ratchet(level, entry * (1.0 - rules.hard_stop))
    return replace(
        risk,
        level=level,
        since=since,
        entry=entry,
        due=risk.due & held,
        hit=np.where(mark > risk.hit, np.nan, risk.hit),
    )


def _sell(book: Book, day: Day, names: Ints, price: Floats) -> Book:
    """Sell all of the names that have a price; what the session does not take is due at the next open.

    Nothing else is done in those names: orders that wait for them are taken back.
    """
    fires = ~np.isnan(price)
    if not fires.any():
        return book
    names, price = names[fires], price[fires]
    n = len(names)
    orders = Orders(names, book.shares[names], np.full(n, day.row - 1), np.full(n, "stop"), np.full(n, day.row))
    risk: Risk = book.overlay
    book, rest = execute(book, day, SELL, orders, price)
    due, stopped, hit = risk.due.copy(), risk.stopped.copy(), risk.hit.copy()
    hit[names] = np.where(due[names], hit[names], risk.level[names])
    stopped[names] = day.row
    due[names] = False
    due[rest.names] = True
    return replace(
        book,
        sells=book.sells.only(~np.isin(book.sells.names, names)),
        buys=book.buys.only(~np.isin(book.buys.names, names)),
        overlay=replace(risk, due=due, stopped=stopped, hit=hit),
    )


def _rescaled(book: Book, day: Day, overlay: Overlay) -> Targets:
    """Weights that change the exposure and nothing else: of what is held and what waiting orders mean to hold."""
    risk: Risk = book.overlay
    if risk.applied <= 0.0 and book.wanted is not None:
        return scale(book, day, book.wanted)
    meant = book.shares.copy()
    meant[book.sells.names] -= book.sells.qty
    meant[book.buys.names] += book.buys.qty
    names = np.flatnonzero(meant > 0)
    price = np.nan_to_num(day.market.before[day.row, names])
    weights = meant[names] * price / value_coming_in(book, day)
    ratio = risk.wanted / risk.applied
    if risk.owes:
        ratio = min(ratio, overlay.rules.max_exposure / float(np.sum(weights)))
    return Targets(names, weights * ratio)


def _by_scale(orders: Orders) -> Orders:
    """Say of orders that change the exposure that they do."""
    return replace(orders, reason=np.where(orders.reason == "exit", "exit", "scale"))

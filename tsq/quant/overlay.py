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

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsq.quant.book import Book, Day, Orders, Targets, batch_of, value_at_close, value_coming_in
from tsq.quant.charges import SELL
from tsq.quant.events import NOBODY
from tsq.quant.market import Floats, Ints
from tsq.quant.records import replace
from tsq.quant.risk_rules import Overlay
from tsq.quant.sizing import Variance, held_back, kelly_scale, see, vol_scale, volatility
from tsq.quant.stops import chandelier, ratchet, stop_fill
from tsq.quant.trading import aim, execute

_NEVER = -(10**9)  # a session before all others
_HAIR = 1e-12


@dataclass(frozen=True)
class Hanging:
    """Stops of a portfolio; arrays have one entry a name.

    Attributes:
        level: price at which the holding is sold in the coming session, rupees; NaN where there is none.
        told: the same as it was last written down.
        entry: price of the first purchase of the holding, in today's units; NaN where nothing is held.
        since: row of that purchase; -1 where nothing is held.
        due: whether a stop has fired that could not be filled yet.
        stopped: row of the last stop.
        hit: level of that stop, in today's units; NaN once the name has closed above it.
    """

    level: Floats
    told: Floats
    entry: Floats
    since: Ints
    due: npt.NDArray[np.bool_]
    stopped: Ints
    hit: Floats


@dataclass(frozen=True)
class Sized:
    """What scales a portfolio.

    Attributes:
        variance: of the returns of what was held.
        returns: the last of these returns, as many as the Kelly fraction needs.
        peak: highest value at a close, rupees.
        throttle: what the drawdown leaves.
        wanted: exposure for the coming session, as of the last close.
        applied: exposure that the holdings were last brought to.
        owes: whether the holdings have outgrown the greatest exposure.
        told: multipliers as they were last written down, by name.
    """

    variance: Variance
    returns: Floats
    peak: float
    throttle: float
    wanted: float
    applied: float
    owes: bool
    told: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Risk:
    """What an overlay remembers of a portfolio between sessions; `held` is what it held at the last close."""

    held: Ints
    stops: Hanging
    size: Sized


def scale(book: Book, day: Day, targets: Targets) -> Targets:
    """Scale what an evening decided by the exposure of that evening; the hook `exposure` of a policy."""
    if day.policy.overlay is None:
        return targets
    return replace(targets, weights=targets.weights * book.overlay.size.wanted)


def begin(book: Book, day: Day) -> Book:
    """Start the overlay's memory, and carry prices it remembers over what goes ex today.

    A stop moves with splits, bonuses, rights and demergers, as the price does, and stays where it is for a dividend.
    """
    overlay: Overlay | None = day.policy.overlay
    if overlay is None:
        return book
    risk: Risk = book.overlay or _start(book, day, overlay)
    stops, actions = risk.stops, day.market.actions.get(day.row)
    if actions is not None and overlay.rules.stops:
        ratio = np.ones(len(book.shares))
        ratio[actions.names] = actions.kept / actions.factor
        stops = replace(stops, level=stops.level * ratio, entry=stops.entry * ratio, hit=stops.hit * ratio)
    return replace(book, overlay=Risk(book.shares, stops, risk.size))


def stop_at_open(book: Book, day: Day) -> Book:
    """Sell what opens at or below its stop at the open, and there too what a stop left unsold before.

    Where orders trade at the close, stops that are reached later in the session are filled here as well: before them.
    """
    overlay: Overlay | None = day.policy.overlay
    if overlay is None or not overlay.rules.stops:
        return book
    stops: Hanging = book.overlay.stops
    reached = (stops.due | (day.market.low[day.row] <= stops.level)).nonzero()[0]
    if not len(reached):
        return book
    open_, low = day.market.open[day.row, reached], day.market.low[day.row, reached]
    stop = np.where(stops.due[reached], np.inf, stops.level[reached])
    price = stop_fill(open_, low, stop)
    if not overlay.trades_at_close:
        price[open_ > stop] = np.nan
    return _sell(book, day, reached, price)


def follow(book: Book, day: Day) -> Book:
    """Bring holdings to the exposure that is wanted now, where that is off by more than the band, or too much is owed.

    A decision that trades today has done so already. What waiting orders still mean to do is scaled like the rest.
    """
    overlay: Overlay | None = day.policy.overlay
    if overlay is None or not overlay.rules.scales:
        return book
    risk: Risk = book.overlay
    size, is_decided = risk.size, day.row - 1 in day.policy.targets
    if not is_decided and not size.owes and abs(size.wanted - size.applied) <= overlay.rules.exposure_band + _HAIR:
        return book
    moved = replace(book, overlay=Risk(risk.held, risk.stops, replace(size, applied=size.wanted, owes=False)))
    if is_decided or book.wanted is None:
        return moved
    moved = aim(moved, day, _rescaled(book, day, overlay, size))
    return replace(moved, sells=_by_scale(moved.sells), buys=_by_scale(moved.buys))


def restrain(book: Book, day: Day) -> Book:
    """Hold orders back: sales of names held too shortly, purchases after a stop, part of those around results."""
    overlay: Overlay | None = day.policy.overlay
    if overlay is None or not (len(book.sells.names) or len(book.buys.names)):
        return book
    stops: Hanging = book.overlay.stops
    rules, sells, buys = overlay.rules, book.sells, book.buys
    if rules.min_hold_sessions and len(sells.names) and day.row - 1 in day.policy.targets:
        since = stops.since[sells.names]
        is_new = (since >= 0) & (day.row - since < rules.min_hold_sessions) & (sells.signal == day.row - 1)
        sells = sells.only(~is_new)
    if rules.stops and len(buys.names):
        is_barred = stops.due | (day.row - stops.stopped <= rules.reentry_sessions)
        if rules.reentry_above_stop:
            is_barred |= ~np.isnan(stops.hit)
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
    stops: Hanging = book.overlay.stops
    reached = (~stops.due & (day.market.low[day.row] <= stops.level)).nonzero()[0]
    if not len(reached):
        return book
    open_, low = day.market.open[day.row, reached], day.market.low[day.row, reached]
    return _sell(book, day, reached, stop_fill(open_, low, stops.level[reached]))


def observe(book: Book, day: Day) -> Book:
    """Look at the close: what exposure is wanted tomorrow and where stops hang, and write down what changed."""
    overlay: Overlay | None = day.policy.overlay
    if overlay is None:
        return book
    risk: Risk = book.overlay
    events, size = [], risk.size
    if overlay.rules.scales:
        size, changed = _learned(size, risk.held, book, day, overlay)
        if changed:
            names, values = zip(*changed, strict=True)
            nobody = np.full(len(names), NOBODY)
            events.append(batch_of("exposure", day, nobody, np.array(names), more={"level": np.array(values)}))
    stops = _hung(risk.stops, book, day, overlay)
    moved = ((stops.level != stops.told) & ((stops.level > 0.0) | (stops.told > 0.0))).nonzero()[0]
    if len(moved):
        now, before = stops.level[moved], stops.told[moved]
        reason = np.where(now > before, "raised", "rescaled")
        reason = np.where(np.isnan(now), "removed", np.where(np.isnan(before), "placed", reason))
        events.append(batch_of("stop", day, moved, reason, more={"level": now}))
        stops = replace(stops, told=stops.level)
    return replace(book, overlay=Risk(book.shares, stops, size), events=(*book.events, *events))


def _start(book: Book, day: Day, overlay: Overlay) -> Risk:
    """What is remembered before the first session that trades: nothing but the capital."""
    n = len(book.shares)
    nothing = np.full(n, np.nan)
    never = np.full(n, _NEVER)
    stops = Hanging(nothing, nothing, nothing, np.full(n, -1), np.zeros(n, np.bool_), never, nothing)
    size = Sized(Variance(), np.empty(0), book.cash, 1.0, 1.0, 1.0, False, ())
    wanted = _exposure(overlay, _scales(overlay, size, day.row - 1))
    return Risk(book.shares, stops, replace(size, wanted=wanted))


def _scales(overlay: Overlay, size: Sized, row: int) -> tuple[tuple[str, float], ...]:
    """The multipliers of the evening `row`, in the order they are applied."""
    rules = overlay.rules
    out = []
    for name in rules.scales:
        if name == "vol_scale":
            vol = volatility(size.variance, rules.vol_half_life, overlay.sessions_per_year)
            value = vol_scale(vol, rules.vol_target or np.inf, rules.max_exposure)
        elif name == "throttle":
            value = size.throttle
        elif name == "kelly":
            value = _kelly(overlay, size.returns)
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


def _kelly(overlay: Overlay, returns: Floats) -> float:
    """Multiplier of the Kelly fraction; before there are enough returns 1, or the cap where that is less."""
    rules = overlay.rules
    if len(returns) < rules.kelly_sessions:
        return min(1.0, rules.kelly_cap)
    floor = min(rules.risk_floor, rules.kelly_cap)
    excess = returns - overlay.risk_free
    return kelly_scale(excess, rules.kelly_fraction, rules.kelly_cap, floor, overlay.sessions_per_year)


def _learned(size: Sized, held: Ints, book: Book, day: Day, overlay: Overlay) -> tuple[Sized, list[tuple[str, float]]]:
    """Take in the session: the return of what was held, the value, the exposure that follows; and what is new of it."""
    rules, variance, returns, throttle = overlay.rules, size.variance, size.returns, size.throttle
    ret = _return(held, day)
    if not math.isnan(ret):
        if rules.vol_target is not None:
            variance = see(variance, ret, rules.vol_half_life)
        if rules.kelly_fraction > 0.0:
            returns = np.append(returns, ret)[-rules.kelly_sessions :]
    value = value_at_close(book, day)
    peak = max(size.peak, value)
    if overlay.throttle is not None:
        throttle = held_back(throttle, overlay.throttle, 1.0 - value / peak, rules.throttle_hysteresis)
    owes = rules.max_exposure > 1.0 and value - book.cash > (rules.max_exposure + rules.exposure_band) * value
    now = Sized(variance, returns, peak, throttle, size.wanted, size.applied, owes, size.told)
    scales = _scales(overlay, now, day.row)
    wanted = _exposure(overlay, scales)
    told = (*scales, ("exposure", wanted), ("applied", size.applied))
    changed = [pair for pair in told if pair not in size.told]
    return Sized(variance, returns, peak, throttle, wanted, size.applied, owes, told), changed


def _return(held: Ints, day: Day) -> float:
    """Return over the session of what was held the evening before, actions included; NaN where nothing was.

    It is of the shares, not of the portfolio: cash, and what the overlay itself did, are no part of it.
    """
    names = held.nonzero()[0]
    if not len(names):
        return math.nan
    shares = held[names].astype(float)
    mark, worth = day.market.mark[day.row, names], day.market.before[day.row, names]
    cash = 0.0
    actions = day.market.actions.get(day.row)
    if actions is not None:
        cash = float((held[actions.names] * actions.cash).sum())
        factor, kept = np.ones(len(held)), np.ones(len(held))
        factor[actions.names], kept[actions.names] = actions.factor, actions.kept
        shares *= factor[names]
        worth = worth / kept[names]
    dead = day.market.deaths.get(day.row)
    if dead is not None:
        mark = np.where(np.isin(names, dead), mark * (1.0 - day.policy.delist_haircut), mark)
    before = float((shares * worth).sum())
    return (float((shares * mark).sum()) + cash) / before - 1.0 if before > 0.0 else math.nan


def _hung(stops: Hanging, book: Book, day: Day, overlay: Overlay) -> Hanging:
    """Remember what was bought and sold, and hang stops for the coming session; none of them ever comes down."""
    rules, held, since, entry = overlay.rules, book.shares > 0, stops.since, stops.entry
    known = since >= 0
    if (held != known).any():
        since = np.where(held, np.where(known, since, day.row), -1)
        entry = np.where(held, np.where(known, entry, day.price), np.nan)
    if not rules.stops:
        return stops if since is stops.since else replace(stops, since=since, entry=entry)
    mark = day.market.mark[day.row]
    level = stops.level
    if overlay.atr is not None and overlay.highest is not None and rules.stop_multiple is not None:
        hanging = chandelier(overlay.highest[day.row], overlay.atr[day.row], mark, rules.stop_multiple)
        level = ratchet(level, hanging)
    if rules.hard_stop is not None:
        level = ratchet(level, entry * (1.0 - rules.hard_stop))
    level = np.where(held, level, np.nan)
    hit = np.where(mark > stops.hit, np.nan, stops.hit)
    return Hanging(level, stops.told, entry, since, stops.due & held, stops.stopped, hit)


def _sell(book: Book, day: Day, names: Ints, price: Floats) -> Book:
    """Sell all of the names that have a price; what the session does not take is due at the next open.

    Nothing else is done in those names: orders that wait for them are taken back.
    """
    fires = (~np.isnan(price) & (book.shares[names] > 0)).nonzero()[0]
    if not len(fires):
        return book
    names, price = names[fires], price[fires]
    n = len(names)
    orders = Orders(names, book.shares[names], np.full(n, day.row - 1), np.full(n, "stop"), np.full(n, day.row))
    risk: Risk = book.overlay
    book, rest = execute(book, day, SELL, orders, price)
    stops = risk.stops
    due, stopped, hit = stops.due.copy(), stops.stopped.copy(), stops.hit.copy()
    hit[names] = np.where(due[names], hit[names], stops.level[names])
    stopped[names] = day.row
    due[names] = False
    due[rest.names] = True
    return replace(
        book,
        sells=_without(book.sells, names),
        buys=_without(book.buys, names),
        overlay=Risk(risk.held, replace(stops, due=due, stopped=stopped, hit=hit), risk.size),
    )


def _without(orders: Orders, names: Ints) -> Orders:
    """Orders of other names."""
    return orders.only(~np.isin(orders.names, names)) if len(orders.names) else orders


def _rescaled(book: Book, day: Day, overlay: Overlay, size: Sized) -> Targets:
    """Weights that change the exposure and nothing else: of what is held and what waiting orders mean to hold."""
    if size.applied <= 0.0 and book.wanted is not None:
        return scale(book, day, book.wanted)
    meant = book.shares.copy()
    meant[book.sells.names] -= book.sells.qty
    meant[book.buys.names] += book.buys.qty
    names = (meant > 0).nonzero()[0]
    price = np.nan_to_num(day.market.before[day.row, names])
    weights = meant[names] * price / value_coming_in(book, day)
    ratio = size.wanted / size.applied
    if size.owes:
        ratio = min(ratio, overlay.rules.max_exposure / float(weights.sum()))
    return Targets(names, weights * ratio)


def _by_scale(orders: Orders) -> Orders:
    """Say of orders that change the exposure that they do."""
    return replace(orders, reason=np.where(orders.reason == "exit", "exit", "scale"))

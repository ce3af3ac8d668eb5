"""Whole random years, held to a slow reference that shares nothing with the code but the events of trading."""

import datetime as dt
from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
from fold_bench import RATES, market_of, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from law_bench import the_law

from tsq.quant.lots import NO_LOTS, bonus, bonus_undone, bought, demerged, split, taken
from tsq.quant.market import Actions
from tsq.quant.tax import LONG, SHORT, Income, Loss, Taxpayer, assess
from tsq.quant.tax_accounts import Terms

FIRST = dt.date(2022, 6, 1)
CHANGED = dt.date(2024, 7, 23)
CESS = 1.04
quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


# -- the reference: lots as lists of fractions of shares, years as lists of gains


def twelve_months_later(day):
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def sold_from(lots, qty, *, youngest=False):
    """Take shares out of a list of [day, shares, cost]."""
    out = []
    while qty > Fraction(1, 10**7):
        lot = lots[-1 if youngest else 0]
        part = min(qty, lot[1])
        out.append((lot[0], part, lot[2] * part / lot[1]))
        lot[2] -= lot[2] * part / lot[1]
        lot[1] -= part
        qty -= part
        if lot[1] < Fraction(1, 10**7):
            lots.remove(lot)
    return out


def gains_of(events, actions):
    """Every gain as (day, term, rupees, whether it is taxed as other income is), and every dividend."""
    lots, gains, dividends = defaultdict(list), [], []

    def gained(day, name, parts, price, cost_a_share):
        for since, qty, cost in parts:
            term = LONG if day > twelve_months_later(since) else SHORT
            gains.append((day, term, float(qty) * (price - cost_a_share) - float(cost), False))

    for event in events:
        day, name = event["date"], event["security_id"]
        charges = sum(event[charge] for charge in ("exchange_inr", "gst_inr", "slippage_inr"))
        mine = lots[name]
        if event["kind"] == "fill" and event["side"] == "buy":
            mine.append([day, Fraction(int(event["qty"])), Fraction(event["value_inr"] + charges)])
        elif event["kind"] == "fill":
            qty = Fraction(int(event["qty"]))
            gained(day, name, sold_from(mine, qty), event["price"], charges / event["qty"])
        elif event["kind"] == "corporate_action":
            kind, factor = actions[day, name][:2]
            if kind == "bonus":
                mine.append([day, sum(lot[1] for lot in mine) * (factor - 1), Fraction(0)])
            for lot in mine if kind == "split" else ():
                lot[1] *= factor
        elif event["kind"] == "fraction":
            youngest = actions[day, name][0] == "bonus"
            part = sum(lot[1] for lot in mine) % 1
            gained(day, name, sold_from(mine, part, youngest=youngest), event["price"], 0.0)
        elif event["kind"] == "dividend":
            kind, _, kept = actions[day, name]
            if kind == "dividend":
                dividends.append((day, event["cash_inr"]))
            elif kind == "rights":
                gains.append((day, SHORT, event["cash_inr"], True))
            else:
                shares = sum(lot[1] for lot in mine)
                for lot in mine:
                    spun = lot[2] * (1 - Fraction(kept))
                    term = LONG if day > twelve_months_later(lot[0]) else SHORT
                    gains.append((day, term, event["cash_inr"] * float(lot[1] / shares) - float(spun), False))
                    lot[2] -= spun
    return gains, dividends, lots


def year_of(day):
    return day.year - (day.month < 4)


def taxes_of(gains, dividends, first, last):
    """Tax of each financial year, and the losses that are left after the last."""
    rate = {SHORT: lambda day: 0.15 if day < CHANGED else 0.20, LONG: lambda day: 0.10 if day < CHANGED else 0.125}
    old, taxes = [], {}  # losses as [year, term, rupees]
    for year in range(first, last + 1):
        mine = [gain for gain in gains if year_of(gain[0]) == year]
        due = defaultdict(float)
        for day, term, inr, is_other in mine:
            if inr > 0:
                due[term, 0.30 if is_other else rate[term](day)] += inr
        now = [[year, term, -sum(g[2] for g in mine if g[1] == term and g[2] < 0)] for term in (SHORT, LONG)]
        old = [loss for loss in old if year - loss[0] <= 8]
        for losses in (now, old):
            for term, against in ((LONG, (LONG,)), (SHORT, (SHORT, LONG))):
                for loss in losses:
                    if loss[1] != term:
                        continue
                    for other in against:
                        for at in sorted((r for t, r in due if t == other), reverse=True):
                            used = min(loss[2], due[other, at])
                            loss[2] -= used
                            due[other, at] -= used
        free = 125_000.0 if year >= 2024 else 100_000.0
        tax = 0.0
        for (term, at), inr in sorted(due.items(), key=lambda item: -item[0][1]):
            exempt = min(free, inr) if term == LONG else 0.0
            free -= exempt
            tax += (inr - exempt) * at
        tax += max(sum(inr for day, inr in dividends if year_of(day) == year), 0.0) * 0.30
        taxes[year] = tax * CESS
        old = [loss for loss in old + now if loss[2] > 0]
    return taxes, old


@st.composite
def years(draw):
    """A market of some weekly sessions over three years, what happened to its names, and some decisions."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_days, n_names = draw(st.integers(120, 190)), draw(st.integers(1, 3))
    price = np.exp(rng.uniform(3.0, 7.0, n_names) + np.cumsum(rng.normal(0.003, 0.08, (n_days, n_names)), axis=0))
    days = [FIRST + dt.timedelta(7 * row) for row in range(n_days)]
    happened, by_row = {}, {}
    kinds = draw(
        st.sampled_from(
            [
                ("split", "bonus"),
                ("demerger", "rights", "dividend"),
                ("split", "bonus", "demerger", "rights", "dividend"),
                (),
            ]
        )
    )
    for row in np.flatnonzero(rng.random(n_days) < 0.06).tolist() if kinds else []:
        name, kind = int(rng.integers(n_names)), str(rng.choice(kinds))
        factor, kept, cash = Fraction(1), 1.0, 0.0
        if kind == "split":
            factor = Fraction(str(rng.choice(["2", "5", "1/2", "3"])))
        elif kind == "bonus":
            factor = Fraction(str(rng.choice(["2", "3/2", "4/3"])))
        elif kind == "dividend":
            cash = round(0.02 * price[row, name], 2)
        else:
            kept = float(rng.choice([0.95, 0.8]))
            cash = round((1.0 - kept) * price[row, name], 2)
        price[row:, name] /= float(factor)
        taken = 0.0 if kind == "dividend" else cash
        of = (name, float(factor), cash, kind, float(factor) if kind == "bonus" else 1.0, kept, taken)
        by_row[row] = Actions(*(np.array([value]) for value in of))
        happened[days[row], 100 + name] = (kind, factor, kept)
    decisions = sorted({0, *rng.integers(1, n_days - 1, draw(st.integers(1, 20))).tolist()})
    targets = {}
    for row in decisions:
        weights = rng.dirichlet(np.ones(n_names)) * rng.choice([0.97, 0.5])
        targets[row] = {name: float(weight) for name, weight in enumerate(weights) if rng.random() < 0.8}
    return price, by_row, happened, targets, days, draw(st.sampled_from([1e6, 3e7]))


@quick
@given(years())
def test_years_are_taxed_as_the_reference_taxes_them(world):
    price, by_row, happened, targets, days, capital = world
    market = market_of(price, actions=by_row)
    object.__setattr__(market, "dates", np.array(days, "M8[D]"))
    events = run(market, targets, capital=capital, taxes=Terms(the_law()), rates=RATES, slippage=0.001)
    gains, dividends, lots = gains_of(events, happened)
    first, last = year_of(days[1]), year_of(days[-1])
    taxes, left = taxes_of(gains, dividends, first, last)

    matches = [event for event in events if event["kind"] == "match"]
    for term in (SHORT, LONG):
        assert sum(event["gain_inr"] for event in matches if event["term"] == term) == pytest.approx(
            sum(gain[2] for gain in gains if gain[1] == term), rel=1e-7, abs=0.05
        )
    for year in range(first, last + 1):
        rows = [e for e in events if e["kind"] == "assessment" and e["acquired_date"] == dt.date(year, 4, 1)]
        newest = [event for event in rows if event["date"] == max(row["date"] for row in rows)]
        tax = sum(event["tax_inr"] for event in newest if event["reason"] == "taxable")
        assert tax == pytest.approx(taxes[year], rel=1e-7, abs=0.05), year
        paid = sum(e["tax_inr"] for e in events if e["kind"] == "tax" and e["acquired_date"] == dt.date(year, 4, 1))
        assert paid >= -0.01
        if days[-1] > dt.date(year + 1, 8, 7):
            assert paid == pytest.approx(tax, abs=0.02)
    if newest:
        carried = sum(-event["gain_inr"] for event in newest if event["reason"] == "carried")
        assert carried == pytest.approx(sum(loss[2] for loss in left), rel=1e-7, abs=0.05)

    held = defaultdict(float)
    for event in events:
        held[event["security_id"]] += event["shares"]
    for name, mine in lots.items():
        assert float(sum(lot[1] for lot in mine)) == pytest.approx(held[name], abs=1e-6)
    assert np.cumsum([event["cash_inr"] for event in events]).min() >= -1e-6
    unpaid = [event["tax_inr"] for event in events if event["reason"] == "unpaid"]
    all_paid = sum(event["tax_inr"] for event in events if event["kind"] == "tax")
    if unpaid:
        assert unpaid[-1] == pytest.approx(sum(taxes.values()) - all_paid, rel=1e-7, abs=0.1)


# -- properties of the law itself

rupees = st.floats(0, 1e7, allow_nan=False)
incomes = st.builds(
    lambda short, low, long, other, losses, dividends: Income(
        {(SHORT, 0.15): short, (SHORT, 0.2): other, (LONG, 0.1): low, (LONG, 0.125): long},
        dict(zip((SHORT, LONG), losses, strict=True)),
        {0.3: dividends},
    ),
    rupees,
    rupees,
    rupees,
    rupees,
    st.tuples(rupees, rupees),
    st.floats(-1e5, 1e5),
)
losses = st.lists(st.builds(Loss, st.integers(2010, 2023), st.sampled_from((SHORT, LONG)), rupees), max_size=5)
people = st.builds(
    Taxpayer, exemption=st.sampled_from(("highest_first", "lowest_first")), surcharge=st.sampled_from((0.0, 0.15, None))
)


@given(incomes, losses, people)
def test_tax_is_never_negative_and_losses_are_used_once(income, brought, person):
    found = assess(2024, income, brought, the_law().known[-1], person)
    assert found.tax >= 0
    usable = sum(loss.inr for loss in brought if 2024 - loss.year <= 8)
    lapsed = sum(loss.inr for loss in brought if 2024 - loss.year == 8)
    used = sum(line.set_off for line in found.lines)
    carried = sum(loss.inr for loss in found.carried)
    total = usable + sum(income.losses.values())
    # what is set off is a difference of gains, and rounded as they are
    scale = 1e-9 * max(total, 1.0) + 1e-12 * sum(income.gains.values())
    assert carried <= total - used + scale
    assert carried >= total - used - lapsed - scale
    for line in found.lines:
        assert line.set_off >= 0
        assert 0 <= line.taxable <= max(line.gain, 0.0)
        assert line.gain - line.set_off - line.exempt == pytest.approx(line.taxable, abs=1e-6) or line.gain < 0
    assert sum(line.exempt for line in found.lines) <= 125_000 + 1e-6
    long_losses = income.losses[LONG] + sum(loss.inr for loss in brought if loss.term == LONG and 2024 - loss.year <= 8)
    short_gains = sum(inr for (term, _), inr in income.gains.items() if term == SHORT)
    short_losses = total - long_losses
    against_short = sum(line.set_off for line in found.lines if line.term == SHORT)
    assert against_short <= min(short_gains, short_losses) + scale


@given(incomes, losses, people, rupees)
def test_more_loss_is_never_more_tax_and_more_gain_never_less(income, brought, person, more):
    rates = the_law().known[-1]
    tax = assess(2024, income, brought, rates, person).tax
    slack = 1e-9 * max(tax, 1.0) + 1e-6
    richer = Income({**income.gains, (SHORT, 0.2): income.gains[SHORT, 0.2] + more}, income.losses, income.dividends)
    assert assess(2024, richer, brought, rates, person).tax >= tax - slack
    poorer = Income(income.gains, {**income.losses, SHORT: income.losses[SHORT] + more}, income.dividends)
    assert assess(2024, poorer, brought, rates, person).tax <= tax + slack


moves = st.lists(
    st.one_of(
        st.tuples(st.just("buy"), st.integers(1, 10_000), st.floats(1, 1e6)),
        st.tuples(st.just("sell"), st.floats(0.01, 1.0)),
        st.tuples(st.just("split"), st.sampled_from([2.0, 10.0, 0.1, 1 / 3, 1.5])),
        st.tuples(st.just("bonus"), st.sampled_from([2.0, 1.5, 4 / 3])),
        st.tuples(st.just("undo"), st.sampled_from([0.5, 2 / 3, 0.75])),
        st.tuples(st.just("demerge"), st.sampled_from([0.9532, 0.5])),
    ),
    min_size=1,
    max_size=30,
)


@given(moves)
def test_shares_and_costs_are_conserved(steps):
    lots, number, shares, cost, out = NO_LOTS, 1, 0.0, 0.0, 0.0
    name, day = np.array([0]), np.datetime64("2020-01-01")
    for what, *how in steps:
        day += 7
        if what == "buy":
            lots, _ = bought(lots, name, np.array([float(how[0])]), np.array([how[1]]), day, number)
            shares, cost, number = shares + how[0], cost + how[1], number + 1
        elif shares == 0:
            continue
        elif what == "sell":
            lots, gone = taken(lots, name, np.array([shares * how[0]]))
            shares, out = shares - shares * how[0] if how[0] < 1 else 0.0, out + gone.cost.sum()
        elif what == "split":
            lots, shares = split(lots, np.array(how)), shares * how[0]
        elif what == "bonus":
            lots, _ = bonus(lots, np.array(how), day, number)
            shares, number = shares * how[0], number + 1
        elif what == "undo":
            lots, shares = bonus_undone(lots, np.array(how)), shares * how[0]
        else:
            lots, spun = demerged(lots, np.array(how))
            out += spun.cost.sum()
        assert lots.qty.sum() == pytest.approx(shares, rel=1e-9, abs=1e-6)
        assert lots.cost.sum() + out == pytest.approx(cost, rel=1e-9, abs=1e-6)
        assert (lots.qty > 0).all()
        assert (lots.cost >= -1e-6).all()
        assert (np.diff(lots.acquired.astype(int)) >= 0).all()
        assert (np.diff(lots.ids) > 0).all()

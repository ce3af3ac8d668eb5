"""One decision: sleeves in their order, limits kept, and what is not known treated as said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tsq.quant.decision import Beside, Core, Decision, Held, Terms, decide, drift
from tsq.quant.optimise import METHODS
from tsq.quant.windows import Windows

ANY = (-np.inf,) * 3
TERMS = Terms(
    optimiser="equal_weight",
    top_n=4,
    name_cap=0.5,
    sector_cap=1.0,
    look_back=60,
    cash_buffer=0.0,
    conviction_cap=0.0,
    turnover_cap=None,
    risk_aversion=5.0,
    exit_rank=None,
    incumbent_bonus=0.0,
    no_trade_band=0.0,
    min_weight=0.0,
    max_correlation=None,
    exposures_low=ANY,
    exposures_high=(np.inf,) * 3,
    trade_cost=0.002,
    alpha_ic=0.03,
    horizon=21,
)
NOTHING = Beside(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64), np.zeros(0))


def core(n: int, *, sectors=None, capacity=None, beta=None) -> Core:
    """Names 1 to n, best first."""
    exposures = np.zeros((3, n))
    exposures[0] = 1.0 if beta is None else beta
    return Core(
        np.arange(1, n + 1),
        np.arange(n, 0, -1.0),
        np.linspace(2.0, -1.0, n),
        np.full(n, -1) if sectors is None else np.asarray(sectors),
        np.full(n, np.inf) if capacity is None else np.asarray(capacity, float),
        exposures,
    )


def windows(n: int, *, seed: int = 1, holes: tuple[int, ...] = (), sessions: int = 60) -> Windows:
    """Returns of names 1 to n, the first the calmest; names of `holes` lack one session."""
    rng = np.random.default_rng(seed)
    returns = (rng.normal(size=(sessions, n)) + rng.normal(size=(sessions, 1))) * np.linspace(0.01, 0.03, n)
    for name in holes:
        returns[sessions // 2, name - 1] = np.nan
    return Windows(np.arange(1, n + 1), returns)


def weights_of(decision: Decision) -> dict[int, float]:
    return {
        name: round(weight, 9) for name, weight in zip(decision.ids.tolist(), decision.weights.tolist(), strict=True)
    }


def reasons_of(decision: Decision) -> dict[int, str]:
    return dict(zip(decision.ids.tolist(), decision.reasons, strict=True))


def test_weights_move_with_what_became_of_them():
    # 0.5 doubles, 0.3 halves, 0.2 is cash: 1.0 + 0.15 + 0.2 = 1.35
    held, total = drift({1: Held(0.5, "core"), 2: Held(0.3, "core")}, {1: 2.0, 2: 0.5})
    assert total == pytest.approx(1.35)
    assert {name: one.weight for name, one in held.items()} == pytest.approx({1: 1.0 / 1.35, 2: 0.15 / 1.35})
    assert drift({1: Held(0.5, "core")}, {}) == ({1: Held(0.5, "core")}, 1.0)
    assert drift({}, {1: 2.0}) == ({}, 1.0)


def test_a_buffer_of_cash_is_kept():
    decision = decide(replace(TERMS, cash_buffer=0.2), core(5), NOTHING, NOTHING, {}, windows(5), 0)
    assert weights_of(decision) == {1: 0.2, 2: 0.2, 3: 0.2, 4: 0.2}
    assert decision.turnover == pytest.approx(0.8)


def test_convictions_are_scaled_into_their_cap_and_left_out_of_the_core():
    wanted = Beside(np.array([2, 9]), np.array([0.3, 0.1]), np.array([-1, -1]), np.array([np.inf, np.inf]))
    decision = decide(replace(TERMS, conviction_cap=0.2), core(5), wanted, NOTHING, {}, windows(5), 0)
    # 0.3 and 0.1 shrink to 0.15 and 0.05; four names of the core share 0.8
    assert weights_of(decision) == {1: 0.2, 2: 0.15, 3: 0.2, 4: 0.2, 5: 0.2, 9: 0.05}
    assert decision.sleeves == ("core", "conviction", "core", "core", "core", "conviction")


def test_a_conviction_that_ended_is_sold_unless_its_score_keeps_it():
    held = {2: Held(0.1, "conviction"), 9: Held(0.1, "conviction")}
    decision = decide(TERMS, core(5), NOTHING, NOTHING, held, windows(5), 0)
    assert reasons_of(decision)[9] == "conviction_ended"
    assert weights_of(decision)[2] == 0.25
    # nor was it the score of a name that brought it in, if the score does not keep it
    ranked = decide(TERMS, core(6), NOTHING, NOTHING, {6: Held(0.1, "conviction")}, windows(6), 0)
    assert (weights_of(ranked)[6], reasons_of(ranked)[6]) == (0.0, "conviction_ended")


def test_a_fund_leaves_when_the_core_is_full():
    decision = decide(TERMS, core(5), NOTHING, NOTHING, {9: Held(0.5, "fallback")}, windows(5), 0)
    assert (weights_of(decision)[9], reasons_of(decision)[9]) == (0.0, "core_filled")


def test_a_window_with_a_hole_is_not_bought_and_what_is_held_with_one_stays_as_it_is():
    # three wanted; name 1 (held at 0.2) and name 2 have a hole: 1 is frozen at 0.2, 2 passed over, 3 and 4 share the rest
    terms = replace(TERMS, optimiser="min_variance", top_n=3, name_cap=0.6)
    decision = decide(terms, core(5), NOTHING, NOTHING, {1: Held(0.2, "core")}, windows(5, holes=(1, 2)), 0)
    got = weights_of(decision)
    assert (got[1], reasons_of(decision)[1]) == (0.2, "frozen")
    assert 2 not in got
    assert got[3] + got[4] == pytest.approx(0.8)
    assert decision.status == "optimal"


def test_nobody_has_a_window():
    terms = replace(TERMS, optimiser="min_variance")
    decision = decide(terms, core(3), NOTHING, NOTHING, {2: Held(1e-12, "core")}, windows(3, sessions=30), 0)
    assert weights_of(decision) == {2: 0.0}  # a trillionth is kept as it is
    assert decide(terms, core(3), NOTHING, NOTHING, {}, windows(3, sessions=30), 0).weights.size == 0


def test_small_positions_are_dropped_and_the_rest_is_solved_again():
    terms = replace(TERMS, optimiser="min_variance", top_n=5, min_weight=0.15)
    decision = decide(terms, core(5), NOTHING, NOTHING, {5: Held(0.2, "core")}, windows(5), 0)
    bought = decision.weights[decision.weights > 0.0]
    assert bought.min() >= 0.15 - 1e-9
    assert bought.sum() == pytest.approx(1.0)
    assert reasons_of(decision)[5] in ("min_weight", "not_weighted")
    free = decide(replace(terms, min_weight=0.0), core(5), NOTHING, NOTHING, {}, windows(5), 0)
    assert free.weights[free.weights > 0.0].min() < 0.15  # so that there was something to drop


def test_turnover_is_capped_against_what_is_held_and_counts_what_leaves():
    terms = replace(TERMS, optimiser="min_variance", top_n=4, turnover_cap=0.3)
    held = {1: Held(0.3, "core"), 2: Held(0.3, "core"), 3: Held(0.3, "core"), 9: Held(0.1, "core")}
    decision = decide(terms, core(4), NOTHING, NOTHING, held, windows(4), 0)
    assert decision.status == "optimal"
    assert decision.turnover == pytest.approx(0.3, abs=1e-6)
    # selling 9 and investing its tenth cannot be done with less than 0.2
    tight = decide(replace(terms, turnover_cap=0.1), core(4), NOTHING, NOTHING, held, windows(4), 0)
    assert tight.relaxed == ("turnover",)
    assert tight.turnover == pytest.approx(0.2, abs=1e-5)
    assert decide(terms, core(4), NOTHING, NOTHING, {}, windows(4), 0).status == "optimal"  # the first purchase is free


def test_an_exposure_is_per_rupee_in_the_core():
    beta = np.array([1.5, 1.4, 0.6, 0.5])
    low_beta = replace(TERMS, exposures_high=(0.8, np.inf, np.inf), cash_buffer=0.5)
    decision = decide(low_beta, core(4, beta=beta), NOTHING, NOTHING, {}, windows(4), 0)
    assert decision.weights.sum() == pytest.approx(0.5)
    assert decision.weights @ beta / 0.5 == pytest.approx(0.8, abs=1e-6)
    unknown = decide(low_beta, core(4, beta=np.array([np.nan, 1.0, 0.6, 0.5])), NOTHING, NOTHING, {}, windows(4), 0)
    assert 1 not in unknown.ids


@pytest.mark.parametrize("method", ["equal_weight", "min_variance"])
def test_an_exposure_is_per_rupee_where_capacity_leaves_some_in_cash(method):
    beta = np.array([1.5, 1.4, 0.6, 0.5])
    terms = replace(TERMS, optimiser=method, exposures_high=(0.8, np.inf, np.inf))
    scarce = core(4, beta=beta, capacity=[0.15, 0.15, 0.1, 0.1])
    decision = decide(terms, scarce, NOTHING, NOTHING, {}, windows(4), 0)
    # half is filled, with a beta of 0.95 a rupee: cash gives last, so the band had to, and says so
    assert decision.weights.sum() == pytest.approx(0.5, abs=1e-5)
    assert decision.relaxed == ("exposures", "budget")
    scarce = core(4, beta=beta, capacity=[0.05, 0.05, 0.1, 0.1])
    kept = decide(replace(terms, exposures_high=(0.9, np.inf, np.inf)), scarce, NOTHING, NOTHING, {}, windows(4), 0)
    assert kept.relaxed == ("budget",)
    assert kept.weights @ beta <= 0.9 * kept.weights.sum() + 1e-6


def test_an_exposure_is_per_rupee_after_small_changes_are_left_alone():
    # kept as they are the names hold 0.96 of a rupee at 1.01 each: below a limit of 1.0 for a whole rupee, above it for each
    beta = np.array([1.11, 1.05, 1.0, 0.85])
    held = {1: Held(0.26, "core"), 2: Held(0.24, "core"), 3: Held(0.24, "core"), 4: Held(0.22, "core")}
    terms = replace(TERMS, exposures_high=(1.0026, np.inf, np.inf), no_trade_band=0.05)
    decision = decide(terms, core(4, beta=beta), NOTHING, NOTHING, held, windows(4), 0)
    assert decision.weights @ beta <= 1.0026 * decision.weights.sum() + 1e-9


def test_what_leaves_counts_as_turnover_where_nothing_is_left_to_solve():
    held = {9: Held(0.6, "core")}
    terms = replace(TERMS, optimiser="min_variance", turnover_cap=0.2)
    decision = decide(terms, core(3), NOTHING, NOTHING, held, windows(3, sessions=30), 0)
    assert (weights_of(decision), decision.turnover) == ({9: 0.0}, pytest.approx(0.6))
    assert (decision.status, decision.relaxed) == ("relaxed:turnover", ("turnover",))
    free = decide(replace(terms, turnover_cap=0.7), core(3), NOTHING, NOTHING, held, windows(3, sessions=30), 0)
    assert (free.status, free.relaxed) == ("closed_form", ())


def test_the_first_purchase_is_free_beside_convictions_and_funds():
    written = Beside(np.array([9]), np.array([0.1]), np.array([-1]), np.array([np.inf]))
    terms = replace(TERMS, optimiser="min_variance", conviction_cap=0.1, turnover_cap=0.5)
    fund = {60: Held(0.9, "fallback")}
    assert decide(terms, core(4), written, NOTHING, {}, windows(4), 0).status == "optimal"
    assert decide(terms, core(4), written, NOTHING, fund, windows(4), 0).status == "optimal"
    later = decide(terms, core(4), written, NOTHING, {9: Held(0.1, "conviction")}, windows(4), 0)
    assert later.relaxed == ("turnover",)


def test_a_conviction_without_room_does_not_count_as_ended():
    held = {8: Held(0.1, "conviction"), 9: Held(0.1, "conviction")}
    written = Beside(np.array([8, 9]), np.array([0.1, 0.01]), np.array([-1, -1]), np.array([0.0, np.inf]))
    terms = replace(TERMS, conviction_cap=0.2, min_weight=0.02)
    reasons = reasons_of(decide(terms, core(4), written, NOTHING, held, windows(4), 0))
    assert (reasons[8], reasons[9]) == ("capacity", "min_weight")


def test_a_small_change_is_left_alone():
    held = {1: Held(0.26, "core"), 2: Held(0.24, "core"), 3: Held(0.2, "core"), 4: Held(0.25, "core")}
    decision = decide(replace(TERMS, no_trade_band=0.02), core(4), NOTHING, NOTHING, held, windows(4), 0)
    assert weights_of(decision) == {1: 0.26, 2: 0.24, 3: 0.25, 4: 0.25}


def test_portfolios_that_look_at_the_same_share_the_covariance():
    seen = windows(5)
    terms = replace(TERMS, optimiser="min_variance", top_n=5)
    decide(terms, core(5), NOTHING, NOTHING, {}, seen, 0)
    before = dict(seen.memory)
    decide(replace(terms, optimiser="risk_parity", name_cap=0.3), core(5), NOTHING, NOTHING, {}, seen, 0)
    assert seen.memory.keys() == before.keys()
    assert all(seen.memory[key] is before[key] for key in before)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 100_000), st.sampled_from(METHODS))
@example(315, "equal_weight")  # what is frozen was bought under a looser cap
def test_whatever_is_asked_the_limits_hold(seed, method):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 12))
    top_n = int(rng.integers(1, n + 2))
    cap = float(rng.uniform(0.1, 0.6))
    terms = replace(
        TERMS,
        optimiser=method,
        top_n=top_n,
        name_cap=cap,
        sector_cap=float(rng.uniform(max(0.15, min(1.0 / top_n, cap)), 1.0)),
        cash_buffer=float(rng.choice([0.0, 0.1])),
        conviction_cap=float(rng.choice([0.0, 0.15])),
        turnover_cap=None if rng.random() < 0.5 else float(rng.uniform(0.05, 1.0)),
        exit_rank=None if rng.random() < 0.5 else top_n + int(rng.integers(0, 4)),
        incumbent_bonus=float(rng.choice([0.0, 0.5])),
        no_trade_band=float(rng.choice([0.0, 0.03])),
        min_weight=float(rng.choice([0.0, 0.02])),
        max_correlation=None if rng.random() < 0.5 else 0.7,
        exposures_low=(float(rng.choice([-np.inf, 0.7])), -np.inf, -np.inf),
        exposures_high=(float(rng.choice([np.inf, 1.1])), np.inf, np.inf),
    )
    names = core(
        n,
        sectors=rng.integers(-1, 3, n),
        capacity=np.where(rng.random(n) < 0.3, rng.uniform(0.0, 0.1, n), np.inf),
        beta=np.where(rng.random(n) < 0.1, np.nan, rng.uniform(0.5, 1.5, n)),
    )
    written = Beside(np.array([2, 50]), np.array([0.1, 0.2]), np.array([0, -1]), np.array([np.inf, 0.08]))
    convictions = written if terms.conviction_cap else NOTHING
    funds = (
        Beside(np.array([60, 61]), np.full(2, np.inf), np.full(2, -1), np.array([0.1, np.inf])) if seed % 2 else NOTHING
    )
    held_ids = rng.choice(np.append(np.arange(1, n + 1), [50, 60, 70]), int(rng.integers(0, n)), replace=False)
    shares = rng.dirichlet(np.ones(len(held_ids) + 1))[: len(held_ids)] if len(held_ids) else np.zeros(0)
    kinds = {50: "conviction", 60: "fallback"}
    held = {int(name): Held(float(w), kinds.get(int(name), "core")) for name, w in zip(held_ids, shares, strict=True)}
    holes = tuple(int(name) for name in np.flatnonzero(rng.random(n) < 0.15) + 1)
    decision = decide(terms, names, convictions, funds, held, windows(n, seed=seed, holes=holes), 3)

    by_sleeve = {
        sleeve: decision.weights[np.array(decision.sleeves) == sleeve] for sleeve in ("core", "conviction", "fallback")
    }
    assert (decision.weights >= 0.0).all()
    assert decision.weights.sum() <= 1.0 - terms.cash_buffer + 1e-8
    assert by_sleeve["conviction"].sum() <= terms.conviction_cap + 1e-9
    assert max(by_sleeve["core"].max(initial=0.0), by_sleeve["conviction"].max(initial=0.0)) <= cap + 1e-8
    assert (by_sleeve["core"] > 0.0).sum() <= top_n
    weight = weights_of(decision)
    sector = dict(zip(names.ids.tolist(), names.sectors.tolist(), strict=True)) | {2: int(names.sectors[1]), 50: -1}
    capacity = dict(zip(names.ids.tolist(), names.capacity.tolist(), strict=True)) | {50: 0.08, 60: 0.1}
    if terms.conviction_cap:
        sector[2], capacity[2] = 0, np.inf
    for code in range(3):
        of_sector = sum(w for name, w in weight.items() if sector.get(name, -1) == code)
        assert of_sector <= terms.sector_cap + 1e-8
    assert all(w <= capacity.get(name, np.inf) + 1e-8 for name, w in weight.items())
    assert all(w >= terms.min_weight - 1e-9 or name in held for name, w in weight.items() if w > 0.0)
    assert set(held) <= set(weight)
    assert decision.gap <= 1e-8
    assert decision.turnover == pytest.approx(
        sum(abs(w - (held[name].weight if name in held else 0.0)) for name, w in weight.items()), abs=1e-7
    )

"""Steps around the solver: which names are chosen, and which changes are left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsq.quant.selection import Pool, Room, choose, leave_alone


def pool(score, *, held=(), sectors=None, unknown=(), no_room=()) -> Pool:
    """Names by place; all in sector 0 unless said otherwise."""
    n = len(score)
    marked = [np.isin(np.arange(n), list(places)) for places in (held, unknown, no_room)]
    return Pool(
        np.asarray(score, float),
        marked[0],
        np.zeros(n, np.int64) if sectors is None else np.asarray(sectors),
        ~marked[1],
        ~marked[2],
    )


def test_the_best_are_taken_and_ties_stay_in_order():
    choice = choose(pool([3, 2, 2, 1]), 2, slots=np.array([9]))
    assert choice.names.tolist() == [0, 1]
    assert choice.why.tolist() == ["rank", "rank", "rank", "rank"]


def test_a_full_sector_gives_way_and_no_sector_is_never_full():
    choice = choose(pool([6, 5, 4, 3, 2, 1], sectors=[0, 0, 1, -1, -1, -1]), 4, slots=np.array([1, 0]))
    assert choice.names.tolist() == [0, 3, 4, 5]
    assert choice.why.tolist() == ["rank", "sector", "sector", "rank", "rank", "rank"]


def test_a_name_held_stays_down_to_the_exit_rank_and_takes_the_place_of_a_better_one():
    # places 1 to 5; two wanted. Held are the 3rd and the 5th: with an exit rank of 4 only the 3rd stays
    scores = pool([5, 4, 3, 2, 1], held=[2, 4])
    stays = choose(scores, 2, slots=np.array([9]), exit_rank=4)
    assert stays.names.tolist() == [2, 0]
    assert stays.why.tolist() == ["rank", "rank", "hysteresis", "rank", "rank"]
    assert choose(scores, 2, slots=np.array([9])).names.tolist() == [0, 1]


def test_the_bonus_of_a_name_held_moves_it_up():
    scores = pool([5, 4, 3.5], held=[2])
    assert choose(scores, 2, slots=np.array([9]), incumbent_bonus=0.4).names.tolist() == [0, 1]
    assert choose(scores, 2, slots=np.array([9]), incumbent_bonus=0.6).names.tolist() == [0, 2]


def test_a_name_too_close_to_a_better_one_is_passed_over():
    correlation = np.array([[1.0, 0.95, 0.2], [0.95, 1.0, 0.1], [0.2, 0.1, 1.0]])
    choice = choose(pool([3, 2, 1]), 2, slots=np.array([9]), correlation=correlation, max_correlation=0.9)
    assert choice.names.tolist() == [0, 2]
    assert choice.why[1] == "correlation"
    unknown = np.full((3, 3), np.nan)
    assert choose(pool([3, 2, 1]), 2, slots=np.array([9]), correlation=unknown, max_correlation=0.9).names[1] == 1


def test_what_is_not_known_is_not_bought_but_stays():
    choice = choose(pool([4, 3, 2, 1], held=[1], unknown=[0, 1], no_room=[2]), 3, slots=np.array([9]))
    assert choice.names.tolist() == [1, 3]
    assert choice.why.tolist() == ["no_window", "rank", "capacity", "rank"]


@given(st.data())
def test_no_choice_breaks_what_it_promises(data):
    n = data.draw(st.integers(1, 12))
    flags = st.lists(st.booleans(), min_size=n, max_size=n)
    names = Pool(
        np.sort(np.array(data.draw(st.lists(st.floats(-3, 3), min_size=n, max_size=n))))[::-1],
        *(np.array(data.draw(flags)) for _ in range(1)),
        sectors=np.array(data.draw(st.lists(st.integers(-1, 2), min_size=n, max_size=n))),
        is_known=np.array(data.draw(flags)),
        has_room=np.array(data.draw(flags)),
    )
    half = np.random.default_rng(data.draw(st.integers(0, 99))).uniform(-1, 1, (n, n))
    correlation = (half + half.T) / 2.0
    slots = np.array(data.draw(st.lists(st.integers(0, 3), min_size=3, max_size=3)))
    top_n = data.draw(st.integers(1, 12))
    exit_rank = data.draw(st.none() | st.integers(top_n, 15))
    choice = choose(
        names,
        top_n,
        slots=slots,
        incumbent_bonus=0.5,
        exit_rank=exit_rank,
        correlation=correlation,
        max_correlation=0.3,
    )
    taken = choice.names
    assert len(taken) == len(set(taken.tolist())) <= top_n
    assert (names.is_known | names.is_held)[taken].all()
    assert names.has_room[taken].all()
    for sector in range(3):
        assert (names.sectors[taken] == sector).sum() <= slots[sector]
    closest = correlation[np.ix_(taken, taken)] - 9.0 * np.eye(len(taken))
    assert (closest <= 0.3).all()
    # a name passed over for its rank alone had no place left
    out = np.setdiff1d(np.arange(n), taken)
    assert not ((choice.why[out] == "rank") & (len(taken) < top_n)).any()


def room(n, **said) -> Room:
    """Limits that limit nothing, but for what is said."""
    usual = {"upper": np.ones(n), "budget": 1.0, "sectors": np.full(n, -1), "sector_cap": np.zeros(0)}
    usual |= {"exposures": np.zeros((0, n)), "low": np.zeros(0), "high": np.zeros(0)}
    return Room(**(usual | said))


def test_small_changes_are_left_alone_and_entries_and_exits_are_not():
    # changes of 0.01 and -0.01 are left; the entry of 0.005 and the exit of 0.005 are traded
    got = leave_alone(np.array([0.5, 0.4, 0.005, 0.0]), np.array([0.49, 0.41, 0.0, 0.005]), 0.02, room(4))
    assert got.tolist() == [0.49, 0.41, 0.005, 0.0]


def test_a_change_as_large_as_the_band_is_traded():
    assert leave_alone(np.array([0.5]), np.array([0.48]), 0.01, room(1)).tolist() == [0.5]


def test_what_is_above_its_cap_is_trimmed():
    assert leave_alone(np.array([0.1]), np.array([0.105]), 0.01, room(1, upper=np.array([0.1]))).tolist() == [0.1]


def test_the_furthest_above_gives_where_the_budget_does_not_suffice():
    got = leave_alone(np.array([0.5, 0.3, 0.2]), np.array([0.51, 0.305, 0.199]), 0.02, room(3))
    # all kept are 1.014: the first, 0.01 above, goes back to 0.5 (1.004), then the second to 0.3 (0.999)
    assert got == pytest.approx([0.5, 0.3, 0.199])


def test_what_is_below_is_bought_where_more_than_the_band_would_stay_cash():
    got = leave_alone(np.full(5, 0.2), np.full(5, 0.185), 0.02, room(5))
    # all kept leave 0.075; one after the other is bought until no more than 0.02 is left
    assert got.tolist() == [0.2, 0.2, 0.2, 0.2, 0.185]


def test_a_full_sector_gives():
    limits = room(3, sectors=np.array([0, 0, 1]), sector_cap=np.array([0.5, 0.5]))
    got = leave_alone(np.array([0.3, 0.2, 0.4]), np.array([0.31, 0.2, 0.4]), 0.02, limits)
    assert got.tolist() == [0.3, 0.2, 0.4]


def test_an_exposure_beyond_its_limits_is_traded_in_full():
    limits = room(2, exposures=np.array([[2.0, 0.0]]), low=np.array([-np.inf]), high=np.array([1.0]))
    assert leave_alone(np.array([0.5, 0.5]), np.array([0.51, 0.49]), 0.02, limits).tolist() == [0.5, 0.5]
    loose = room(2, exposures=np.array([[2.0, 0.0]]), low=np.array([-np.inf]), high=np.array([1.1]))
    assert leave_alone(np.array([0.5, 0.5]), np.array([0.51, 0.49]), 0.02, loose).tolist() == [0.51, 0.49]


@given(st.integers(1, 10), st.integers(0, 10_000), st.floats(0.0, 0.2))
def test_leaving_alone_keeps_every_limit_and_never_trades_more(n, seed, band):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(n)) * 0.95 * (rng.random(n) > 0.2)
    current = np.clip(weights + rng.normal(0.0, 0.05, n), 0.0, None) * (rng.random(n) > 0.2)
    sectors = rng.integers(-1, 3, n)
    sums = np.bincount(sectors[sectors >= 0], weights[sectors >= 0], minlength=3)
    exposures = rng.normal(size=(2, n))
    exposed = exposures @ weights
    limits = Room(
        np.maximum(weights, rng.uniform(0, 1, n)),
        0.95,
        sectors,
        sums + rng.uniform(0, 0.05, 3),
        exposures,
        exposed - 0.05,
        exposed + 0.05,
    )
    got = leave_alone(weights, current, band, limits)
    assert (got <= limits.upper + 1e-9).all()
    assert got.sum() <= 0.95 + 1e-9
    assert got.sum() >= weights.sum() - max(band, 0.0) - 1e-9
    assert (np.bincount(sectors[sectors >= 0], got[sectors >= 0], minlength=3) <= limits.sector_cap + 1e-9).all()
    assert (np.abs(exposures @ got - exposed) <= 0.05 + 1e-9).all()
    assert (np.abs(got - current) <= np.abs(weights - current) + 1e-12).all()
    assert ((got == weights) | (got == current)).all()

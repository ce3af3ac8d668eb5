"""Problems that contradict themselves, and limits written as rows."""

import numpy as np
import pytest

from tsq.quant.problem import Problem, keeps, limits_of, program_of, turnover_of
from tsq.quant.qp import minimise

EYE = np.eye(3)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"covariance": np.zeros((0, 0))}, "at least one name"),
        ({"covariance": np.ones((2, 3))}, "not square"),
        ({"covariance": np.array([[1.0, np.nan], [np.nan, 1.0]])}, r"covariance is missing or infinite at \(0, 1\)"),
        ({"covariance": np.array([[1.0, 0.5], [0.2, 1.0]])}, "not symmetric"),
        ({"covariance": np.array([[1.0, 2.0], [2.0, 1.0]])}, "negative direction"),
        ({"upper": np.array([0.5, np.nan, 0.5])}, "upper is missing for name 1"),
        ({"upper": np.array([0.5, 0.5])}, r"upper is \(2,\)"),
        ({"lower": -0.1}, "lower is negative"),
        ({"lower": 0.3, "upper": 0.2}, "above the cap of name 0"),
        ({"lower": 0.3, "capacity": np.array([1.0, 0.1, 1.0])}, "above the cap of name 1"),
        ({"lower": 0.4}, "adds up to 1.2"),
        ({"lower": 0.3, "sectors": np.array([0, 0, 1]), "sector_cap": 0.5}, "cap of a sector"),
        ({"sectors": np.array([0, 0]), "sector_cap": 0.5}, "one code a name"),
        ({"current": np.array([0.1, -0.1, 0.0])}, "current is negative for name 1"),
        ({"exposures": np.ones((1, 2))}, "one column a name"),
        ({"exposures": np.array([[1.0, np.nan, 1.0]])}, "exposures is missing"),
        ({"exposures": np.ones((1, 3)), "exposures_low": np.array([2.0]), "exposures_high": np.array([1.0])}, "above"),
        ({"exposures": np.ones((1, 3)), "exposures_low": np.array([np.nan])}, "above"),
        ({"exposures": np.ones((1, 3)), "exposures_low": np.array([1.0, 2.0])}, "one number an exposure"),
        ({"budget": 0.0}, "budget is 0"),
        ({"budget": float("nan")}, "budget is nan"),
        ({"turnover_cap": -0.1}, "turnover_cap is -0.1"),
        ({"relax": ("name_cap",)}, "relax names"),
    ],
)
def test_contradictions_are_refused_by_name(wrong, said):
    with pytest.raises(ValueError, match=said):
        limits_of(Problem(**{"covariance": EYE, **wrong}))


def test_names_without_room_are_left_out_and_what_they_hold_is_sold():
    limits = limits_of(
        Problem(
            covariance=np.eye(4),
            upper=np.array([0.5, 0.0, 0.5, 0.5]),
            capacity=np.array([1.0, 1.0, 0.0, 0.3]),
            current=np.array([0.2, 0.1, 0.1, 0.0]),
            outside=0.05,
        )
    )
    assert limits.live.tolist() == [True, False, False, True]
    assert limits.upper.tolist() == [0.5, 0.3]
    assert limits.sold == pytest.approx(0.25)
    assert turnover_of(limits, np.array([0.3, 0.3])) == pytest.approx(0.1 + 0.3 + 0.25)


def test_attainable_counts_name_caps_participation_and_sectors():
    limits = limits_of(
        Problem(
            covariance=np.eye(4),
            upper=0.3,
            capacity=np.array([0.1, 1.0, 1.0, 1.0]),
            sectors=np.array([0, 1, 1, -1]),
            sector_cap=0.4,
        )
    )
    assert limits.attainable == pytest.approx(0.1 + 0.4 + 0.3)


def test_rows_count_turnover_as_it_is_defined():
    g = np.random.default_rng(2)
    current = np.array([0.4, 0.3, 0.0, 0.2, 0.1, 0.0])
    limits = limits_of(
        Problem(covariance=np.eye(6), current=current, lower=np.array([0, 0.3, 0, 0, 0.15, 0]), turnover_cap=0.5)
    )
    wanted = g.dirichlet(np.ones(6))
    program = program_of(limits, np.eye(6), -wanted)
    weights = minimise(program).x[:6]
    assert turnover_of(limits, weights) <= 0.5 + 1e-12
    assert keeps(limits, weights, 1e-9)
    assert not keeps(limits, np.array([0.0, 0.3, 0.5, 0.0, 0.15, 0.05]), 1e-9)


def test_costs_are_those_of_the_trades():
    # One name held whole: selling pays only while the other is better by more than both costs.
    current = np.array([1.0, 0.0])
    limits = limits_of(Problem(covariance=np.eye(2), current=current))
    cost = np.array([0.01, 0.02])
    for better, want in ((0.029, [1.0, 0.0]), (0.031, [0.0, 1.0])):
        program = program_of(limits, np.zeros((2, 2)), -np.array([0.0, better]), cost)
        np.testing.assert_allclose(minimise(program).x[:2], want, atol=1e-9)


def test_loosened_limits_are_wider_by_the_amount():
    limits = limits_of(
        Problem(
            covariance=EYE,
            turnover_cap=0.3,
            capacity=np.array([0.1, 0.2, 0.4]),
            sectors=np.array([0, 0, 1]),
            sector_cap=0.5,
            exposures=np.ones((1, 3)),
            exposures_low=np.array([0.9]),
            exposures_high=np.array([1.1]),
        )
    )
    wide = limits.loosened({"turnover": 0.1, "exposures": 0.2, "participation": 0.5, "sector": 0.1, "budget": 0.4})
    assert wide.turnover_cap == pytest.approx(0.4)
    assert (wide.exposures_low[0], wide.exposures_high[0]) == pytest.approx((0.7, 1.3))
    np.testing.assert_allclose(wide.capacity, [0.15, 0.3, 0.6])
    assert (wide.sector_cap, wide.budget) == pytest.approx((0.6, 0.6))
    free = limits.without(("turnover", "exposures", "participation", "sector"))
    assert free.attainable == pytest.approx(3.0)
    assert keeps(free, np.array([5.0, 0.0, 0.0]), 0.0)

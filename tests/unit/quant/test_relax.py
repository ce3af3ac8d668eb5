"""How little limits give, in the order that was declared."""

import numpy as np
import pytest

from tsq.quant.problem import RELAX, Problem, limits_of
from tsq.quant.relax import ROOM, amounts

SLACK = 10 * ROOM


def least(order=RELAX, n=4, **asked):
    return amounts(limits_of(Problem(covariance=np.eye(n), **asked)), order)


def test_limits_that_can_be_kept_give_nothing():
    assert least(upper=0.5) == {}


def test_turnover_gives_what_the_name_caps_force():
    # 0.9 in one name must come down to 0.4, and that goes to the others: 1.0 traded, 0.3 allowed.
    current = np.array([0.9, 0.1, 0.0, 0.0])
    assert least(upper=0.4, current=current, turnover_cap=0.3) == pytest.approx({"turnover": 0.7}, rel=SLACK)


def test_sells_of_names_outside_count():
    current = np.array([0.5, 0.3, 0.0, 0.0])
    assert least(upper=0.6, current=current, outside=0.2, turnover_cap=0.1) == pytest.approx(
        {"turnover": 0.3}, rel=SLACK
    )


def test_exposures_give_before_cash_and_turnover_before_exposures():
    asked = {
        "exposures": np.array([[0.8, 0.9, 1.0, 1.1]]),
        "exposures_low": np.array([1.2]),
        "upper": 0.5,
        "current": np.array([0.5, 0.5, 0.0, 0.0]),
        "turnover_cap": 0.2,
    }
    # The most beta there is: half in each of the last two, 1.05. All is traded for it.
    assert least(**asked) == pytest.approx({"turnover": 1.8, "exposures": 0.15}, rel=1e-4)
    # The other way round the band gives all it must, so that turnover need not.
    kept = least(("exposures", "turnover", "budget"), **asked)
    assert set(kept) == {"exposures"}
    # 0.1 from the first name to the last lifts 0.85 to 0.88.
    assert kept["exposures"] == pytest.approx(0.32, rel=1e-4)


def test_caps_that_fall_short_leave_cash():
    assert least(upper=0.2) == pytest.approx({"budget": 0.2}, rel=SLACK)
    assert least(upper=0.5, sectors=np.zeros(4, dtype=int), sector_cap=0.3) == pytest.approx({"budget": 0.7}, rel=SLACK)


def test_participation_and_sectors_give_only_where_declared():
    short = {"upper": 0.5, "capacity": np.array([0.2, 0.2, 0.2, 0.1])}
    assert least(**short) == pytest.approx({"budget": 0.3}, rel=SLACK)
    assert least(("participation", "budget"), **short) == pytest.approx({"participation": 3 / 7}, rel=1e-4)
    tight = {"upper": 0.5, "sectors": np.array([0, 0, 1, 1]), "sector_cap": 0.4}
    assert least(**tight) == pytest.approx({"budget": 0.2}, rel=SLACK)
    assert least(("sector", "budget"), **tight) == pytest.approx({"sector": 0.1}, rel=1e-4)


def test_participation_stops_at_the_name_cap():
    # Name caps allow 0.8: more participation cannot reach 1, cash must give.
    short = {"upper": 0.2, "capacity": np.full(4, 0.1)}
    given = least(("participation", "budget"), **short)
    assert given == pytest.approx({"participation": 1.0, "budget": 0.2}, rel=1e-4)


def test_a_name_without_participation_gets_none():
    given = least(("participation", "budget"), upper=0.5, capacity=np.array([0.0, 0.1, 0.1, 0.1]))
    assert given == pytest.approx({"participation": 7 / 3}, rel=1e-4)  # the other three carry it all


def test_nothing_declared_is_nothing_given():
    assert least((), upper=0.2) is None
    assert least(("turnover",), upper=0.2) is None

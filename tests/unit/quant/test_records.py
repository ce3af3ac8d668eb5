import dataclasses

import pytest

from tsq.quant.records import replace


@dataclasses.dataclass(frozen=True)
class Pair:
    left: int
    right: tuple[int, ...] = ()


def test_a_changed_copy_is_what_the_standard_library_makes():
    one = Pair(1, (2, 3))
    assert replace(one, left=5) == dataclasses.replace(one, left=5)
    assert one == Pair(1, (2, 3))
    assert replace(one).right is one.right


def test_a_copy_is_frozen_too():
    with pytest.raises(dataclasses.FrozenInstanceError):
        replace(Pair(1), left=2).left = 3


def test_a_field_that_does_not_exist_is_an_error():
    with pytest.raises(TypeError, match="Pair has no field middle"):
        replace(Pair(1), middle=2)

"""Values behave as frozen dataclasses do."""

from __future__ import annotations

import pytest

from baseboard.ipmi.value import Value


class Point(Value):
    x: int
    y: int = 2


class Place(Point):
    name: str = ""


class Named(Value, kw_only=True):
    x: int
    y: int = 2


class Other(Value):
    x: int
    y: int


class Nothing(Value):
    pass


def test_fields_by_place_and_by_name() -> None:
    assert (Point(1).x, Point(1).y) == (1, 2)
    assert Point(1, 3) == Point(y=3, x=1)
    assert Place(1, 3, "here").replace(x=4) == Place(4, 3, "here")
    assert repr(Place(1, name="here")) == "Place(x=1, y=2, name='here')"
    match Place(1, 3, "here"):
        case Place(x, y, name):
            assert (x, y, name) == (1, 3, "here")


def test_equal_are_type_and_content() -> None:
    assert Point(1, 2) == Point(1)
    assert hash(Point(x=1, y=2)) == hash(Point(y=2, x=1))
    assert Point(1, 2) != Point(2, 1)
    assert Point(1, 2) != Other(1, 2)
    assert len({Nothing(), Nothing(), Point(1), Other(1, 2)}) == 3
    assert Nothing()


def test_nothing_changes() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="Point is immutable"):
        point.x = 2  # type: ignore[misc]  # that is what is tested
    with pytest.raises(AttributeError, match="Point is immutable"):
        del point.y
    assert point == Point(1)


@pytest.mark.parametrize(
    ("positional", "named"),
    [((), {}), ((), {"y": 1}), ((1, 2, 3), {}), ((1,), {"x": 1}), ((1,), {"z": 1})],
)
def test_every_field_once(positional: tuple[int, ...], named: dict[str, int]) -> None:
    with pytest.raises(TypeError, match="Point takes x, y, each once"):
        Point(*positional, **named)


def test_fields_that_are_given_by_name_alone() -> None:
    assert (Named(x=1).x, Named(x=1).y) == (1, 2)
    with pytest.raises(TypeError, match="Named takes x, y, each once"):
        Named(1)  # type: ignore[call-arg]  # that is what is tested

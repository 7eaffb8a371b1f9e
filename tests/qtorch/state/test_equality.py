"""When two values count as the same."""

from __future__ import annotations

import math
from typing import Any

import pytest

from qtorch import BaseState
from qtorch.state.equality import changed_fields, same


class Raises:
    def __eq__(self, other: object) -> bool:
        raise ValueError("The truth value of an array is ambiguous")

    __hash__ = None  # type: ignore[assignment]


class Elementwise:
    """Compares as arrays do: the answer is no bool."""

    def __init__(self, *values: int) -> None:
        self.values = values

    def __eq__(self, other: object) -> Any:
        return [True] * len(self.values)

    __hash__ = None  # type: ignore[assignment]


class Truthy:
    """Its answer is true, but no bool, as numpy's bool."""

    def __eq__(self, other: object) -> Any:
        return 1

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("value", [Raises(), Elementwise(1), Truthy(), math.nan, object()])
def test_a_value_is_the_same_as_itself_whatever_its_equality_does(value: object) -> None:
    assert same(value, value)


@pytest.mark.parametrize(("a", "b"), [(Raises(), Raises()), (Elementwise(1), Elementwise(1)), (Truthy(), Truthy())])
def test_an_equality_that_raises_or_gives_no_bool_counts_as_a_change(a: object, b: object) -> None:
    assert not same(a, b)
    assert not same((a,), 3)


def test_equal_values_are_the_same_and_others_are_not() -> None:
    assert same((1, "a"), (1, "a"))
    assert same(1, 1.0)
    assert not same((1,), (2,))
    assert not same(None, 0)
    assert not same(float("nan"), float("nan"))


def test_an_interrupt_inside_an_equality_is_not_swallowed() -> None:
    class Interrupted:
        def __eq__(self, other: object) -> bool:
            raise KeyboardInterrupt

        __hash__ = None  # type: ignore[assignment]

    with pytest.raises(KeyboardInterrupt):
        same(Interrupted(), Interrupted())


class Table(BaseState):
    rows: Any = ()
    title: str = ""
    page: int = 0


def test_the_changed_fields_are_those_whose_values_differ_in_the_order_asked_for() -> None:
    old = Table(rows=(1, 2), title="a", page=1)
    names = tuple(Table.model_fields)
    assert changed_fields(old, old, names) == []
    assert changed_fields(Table(rows=(1, 2), title="a", page=1), old, names) == []
    assert changed_fields(Table(rows=(1, 3), title="a", page=2), old, names) == ["rows", "page"]


def test_a_field_whose_equality_raises_has_changed_unless_it_is_the_very_object() -> None:
    array = Raises()
    old = Table(rows=array)
    names = tuple(Table.model_fields)
    assert changed_fields(Table(rows=array, page=1), old, names) == ["page"]
    assert changed_fields(Table(rows=Raises()), old, names) == ["rows"]

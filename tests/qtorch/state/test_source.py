"""Values that follow a state."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from qtorch import combine
from tests.qtorch.state.box import Box, Name, PersonState


class Big:
    """Something that takes memory."""


@pytest.fixture
def no_cyclic_collector() -> Iterator[None]:
    """What dies in such a test dies by its last reference."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Counting:
    """A selector that counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, state: PersonState) -> str:
        self.calls += 1
        return state.email.upper()


class Listener:
    """An object whose bound method listens."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def hear(self, value: Any) -> None:
        self.heard.append(value)


# -- get ---------------------------------------------------------------------------------------------------------------


def test_a_source_gives_the_value_for_the_state_as_it_is_now(box: Box[PersonState]) -> None:
    source = box.select(lambda s: s.email)
    assert source.get() == ""
    box.update(email="a")
    assert source.get() == "a"


def test_it_does_so_too_while_somebody_listens_and_has_not_been_told_yet() -> None:
    box = Box(PersonState(), held=True)
    source = box.select(lambda s: s.email)
    derived = source.map(str.upper)
    heard: list[str] = []
    derived.subscribe(heard.append)
    box.update(email="a")
    assert (source.get(), derived.get(), heard) == ("a", "A", [])
    box.tell()
    assert heard == ["A"]


def test_what_the_selector_raises_is_raised_by_get_and_by_subscribe(box: Box[PersonState]) -> None:
    source = box.select(lambda s: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        source.get()
    with pytest.raises(ZeroDivisionError):
        source.subscribe(lambda _: None)
    assert box.keys == set()


def test_a_source_that_nobody_listens_to_is_computed_when_it_is_read_and_then_only(box: Box[PersonState]) -> None:
    selector = Counting()
    source = box.select(selector)
    box.update(email="a")
    assert selector.calls == 0
    assert box.keys == set()
    assert [source.get(), source.get()] == ["A", "A"]


# -- subscribe ---------------------------------------------------------------------------------------------------------


def test_a_listener_hears_changes_from_now_on_not_the_current_value(box: Box[PersonState]) -> None:
    heard: list[str] = []
    box.select(lambda s: s.email).subscribe(heard.append)
    assert heard == []
    box.update(email="a")
    box.update(email="b")
    assert heard == ["a", "b"]


def test_a_listener_does_not_hear_equal_values(box: Box[PersonState]) -> None:
    heard: list[bool] = []
    box.select(lambda s: s.age >= 18).subscribe(heard.append)
    for age in (40, 50, 5, 6):
        box.update(age=age)
    assert heard == [False]


def test_an_equality_that_raises_counts_as_a_change(box: Box[PersonState]) -> None:
    class Array:
        def __eq__(self, other: object) -> bool:
            raise ValueError("ambiguous")

        __hash__ = None  # type: ignore[assignment]

    heard: list[Any] = []
    box.select(lambda s: s.anything).subscribe(heard.append)
    first, second = Array(), Array()
    for array in (first, second, second):
        box.update(anything=array)
    assert len(heard) == 2
    assert heard[1] is second


@pytest.mark.parametrize("listeners", [1, 2, 50])
def test_a_change_is_computed_once_however_many_listen(box: Box[PersonState], listeners: int) -> None:
    selector = Counting()
    source = box.select(selector)
    heard: list[str] = []
    for _ in range(listeners):
        source.subscribe(heard.append)
    selector.calls = 0
    box.update(email="a")
    assert (selector.calls, heard) == (1, ["A"] * listeners)
    source.get()
    box.update(age=1)
    assert selector.calls == 1


def test_a_source_is_not_computed_for_fields_that_it_does_not_read(box: Box[PersonState]) -> None:
    selector = Counting()
    box.select(selector).subscribe(lambda _: None)
    selector.calls = 0
    for age in range(5):
        box.update(age=age)
    assert selector.calls == 0


def test_which_fields_are_read_may_change_with_the_state(box: Box[PersonState]) -> None:
    heard: list[Any] = []
    box.select(lambda s: s.name.first if s.name else s.email).subscribe(heard.append)
    assert box.keys == {"name"}
    box.update(email="a")
    box.update(name=None)
    assert box.keys == {"name", "email"}
    box.update(email="b")
    box.update(name=Name(first="Bo"))
    assert box.keys == {"name"}
    box.update(email="c")
    assert heard == ["a", "b", "Bo"]


# -- raising selectors -------------------------------------------------------------------------------------------------


def test_a_selector_that_raised_is_tried_again_when_a_field_changes_that_it_read_before_it_did(
    box: Box[PersonState],
) -> None:
    heard: list[int] = []
    box.select(lambda s: 10 // s.divisor if s.is_strict else 0).subscribe(heard.append)
    box.update(divisor=0)
    with pytest.raises(ZeroDivisionError):
        box.update(is_strict=True)
    box.update(divisor=5)
    assert heard == [2]


def test_a_selector_that_raises_leaves_the_last_value_with_its_listeners(box: Box[PersonState]) -> None:
    heard: list[int] = []
    source = box.select(lambda s: 10 // s.divisor)
    source.subscribe(heard.append)
    with pytest.raises(ZeroDivisionError):
        box.update(divisor=0)
    box.update(divisor=1)
    assert heard == []
    assert source.get() == 10


def test_a_derived_function_that_raised_is_tried_again_too(box: Box[PersonState]) -> None:
    heard: list[int] = []
    box.select(lambda s: s.divisor).map(lambda n: 10 // n).subscribe(heard.append)
    with pytest.raises(ZeroDivisionError):
        box.update(divisor=0)
    box.update(divisor=2)
    assert heard == [5]


# -- closing -----------------------------------------------------------------------------------------------------------


def test_a_closed_subscription_hears_nothing_and_lets_go_of_the_state(box: Box[PersonState]) -> None:
    heard: list[str] = []
    source = box.select(lambda s: s.email)
    with source.subscribe(heard.append) as subscription:
        assert subscription.is_active
        box.update(email="a")
    subscription.close()
    assert not subscription.is_active
    box.update(email="b")
    assert heard == ["a"]
    assert box.keys == set()


def test_a_listener_may_close_itself_while_it_is_called(box: Box[PersonState]) -> None:
    heard: list[str] = []

    def once(value: str) -> None:
        heard.append(value)
        subscription.close()

    subscription = box.select(lambda s: s.email).subscribe(once)
    box.update(email="a")
    box.update(email="b")
    assert heard == ["a"]


def test_a_listener_that_another_one_closes_is_not_called_any_more_not_even_for_this_change(
    box: Box[PersonState],
) -> None:
    heard: list[str] = []
    source = box.select(lambda s: s.email)
    source.subscribe(lambda _: later.close())
    later = source.subscribe(heard.append)
    box.update(email="a")
    assert heard == []
    assert not later.is_active


def test_a_listener_may_add_another_which_hears_from_the_next_change_on(box: Box[PersonState]) -> None:
    heard: list[str] = []
    source = box.select(lambda s: s.email)

    def add(value: str) -> None:
        if value == "a":
            source.subscribe(heard.append)

    source.subscribe(add)
    box.update(email="a")
    box.update(email="b")
    assert heard == ["b"]


def test_bound_methods_are_held_weakly_and_end_with_their_object(
    box: Box[PersonState], no_cyclic_collector: None
) -> None:
    listener = Listener()
    subscription = box.select(lambda s: s.email).subscribe(listener.hear)
    box.update(email="a")
    assert listener.heard == ["a"]
    gone = weakref.ref(listener)
    del listener
    assert gone() is None
    assert not subscription.is_active
    assert box.keys == set()
    box.update(email="b")


def test_functions_listen_until_closed_whatever_is_kept(box: Box[PersonState], no_cyclic_collector: None) -> None:
    heard: list[str] = []
    box.select(lambda s: s.email).map(str.upper).subscribe(lambda value: heard.append(value))
    box.update(email="a")
    assert heard == ["A"]


def test_nothing_is_left_after_the_last_listener_closes(box: Box[PersonState], no_cyclic_collector: None) -> None:
    listener, selected = Listener(), box.select(lambda s: (s.email, s.age))
    derived = combine(selected.map(lambda pair: pair[0]), box.field(lambda s: s.age), lambda a, b: (a, b))
    gone = [weakref.ref(one) for one in (selected, derived, listener)]
    subscriptions = [derived.subscribe(lambda value, keep=listener: None) for _ in range(3)]
    box.update(email="a", age=3)
    while subscriptions:
        subscriptions.pop().close()
    del selected, derived, listener
    assert [ref() for ref in gone] == [None, None, None]
    assert box.observers == {}


def test_old_states_are_not_kept_alive_by_sources_of_other_fields(
    box: Box[PersonState], no_cyclic_collector: None
) -> None:
    for selector in (lambda s: s.email, lambda s: s.email if s.age else "", lambda s: s.email + str(s.age)):
        box.select(selector).subscribe(lambda _: None)
    box.update(anything=Big())
    box.update(email=f"at the time of {id(box.state)}")
    gone = weakref.ref(box.state.anything)
    box.update(anything=None)
    assert gone() is None

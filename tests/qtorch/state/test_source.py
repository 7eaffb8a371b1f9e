"""Values that follow a state."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from qtorch import MISSING, BaseState, Field, combine
from qtorch.state.path import path_of
from tests.qtorch.state.box import Box


class Name(BaseModel, frozen=True):
    first: str = "Ann"
    last: str = "Lee"


class Big:
    """Something that takes memory."""


class PersonState(BaseState):
    name: Name | None = Name()
    email: str = ""
    age: int = 30
    divisor: int = 1
    is_strict: bool = False
    anything: Any = None


class CountState(BaseState):
    count: int = 0


@pytest.fixture
def box() -> Box[PersonState]:
    return Box(PersonState())


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


# -- map and combine ---------------------------------------------------------------------------------------------------


def test_a_derived_source_is_computed_once_per_change_and_only_if_its_parent_s_value_changed(
    box: Box[PersonState],
) -> None:
    calls: list[bool] = []

    def text(is_adult: bool) -> str:
        calls.append(is_adult)
        return "adult" if is_adult else "child"

    source = box.select(lambda s: s.age >= 18).map(text)
    heard: list[str] = []
    source.subscribe(heard.append)
    source.subscribe(heard.append)
    calls.clear()
    box.update(age=50)
    assert calls == []
    box.update(age=5)
    assert (calls, heard) == ([False], ["child", "child"])


def test_a_diamond_is_told_once_and_never_sees_half_a_change(box: Box[PersonState]) -> None:
    age = box.select(lambda s: s.age)
    both = combine(age.map(lambda n: n + 1), age.map(lambda n: n * 2), lambda a, b: (a, b))
    heard: list[tuple[int, int]] = []
    both.subscribe(heard.append)
    box.update(age=10)
    assert heard == [(11, 20)]


def test_several_fields_changed_at_once_are_told_once(box: Box[PersonState]) -> None:
    heard: list[tuple[str, int]] = []
    combine(box.select(lambda s: s.email), box.select(lambda s: s.age), lambda a, b: (a, b)).subscribe(heard.append)
    box.update(email="a", age=1)
    assert heard == [("a", 1)]


def test_combining_two_states_never_shows_one_new_and_the_other_old() -> None:
    first, second = Box(CountState(), held=True), Box(CountState(), held=True)
    seen: list[tuple[int, int]] = []

    def pair(a: int, b: int) -> tuple[int, int]:
        seen.append((a, b))
        return a, b

    heard: list[tuple[int, int]] = []
    combine(first.select(lambda s: s.count), second.select(lambda s: s.count), pair).subscribe(heard.append)
    seen.clear()
    first.update(count=1)
    second.update(count=1)
    first.tell()
    second.tell()
    assert (seen, heard) == ([(1, 1)], [(1, 1)])


def test_more_than_three_sources_can_be_combined(box: Box[PersonState]) -> None:
    source = combine(*[box.select(lambda s: s.age)] * 5, lambda *ages: sum(ages))
    assert source.get() == 150


@pytest.mark.parametrize("wrong", [(), (str,), ("no source", str), (1, 2)])
def test_combine_says_what_it_takes(wrong: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match="takes sources and, last, a function"):
        combine(*wrong)


def test_combine_needs_a_function_last(box: Box[PersonState]) -> None:
    sources: Any = [box.select(lambda s: s.age)] * 4
    with pytest.raises(TypeError, match="takes sources and, last, a function"):
        combine(*sources)


# -- other keys --------------------------------------------------------------------------------------------------------


def test_what_is_no_field_is_asked_anew_at_every_read(box: Box[PersonState]) -> None:
    running: list[str] = []
    source = box.observed("jobs", lambda: bool(running))
    heard: list[bool] = []
    source.subscribe(heard.append)
    running.append("job")
    assert source.get()
    assert heard == []
    box.announce("jobs")
    box.announce("jobs")
    assert heard == [True]


# -- fields ------------------------------------------------------------------------------------------------------------


def test_a_field_is_read_and_written_by_its_path(box: Box[PersonState]) -> None:
    field = box.field(lambda s: s.email)
    assert field.path == ("email",)
    field.set("a")
    assert (box.state.email, field.get()) == ("a", "a")


def test_a_path_that_leads_through_none_is_missing_and_one_that_ends_in_none_is_none(box: Box[PersonState]) -> None:
    path: Any = lambda s: s.name.first  # noqa: E731 - through what may be None
    first, anything = box.field(path), box.field(lambda s: s.anything)
    heard: list[Any] = []
    first.subscribe(heard.append)
    assert (first.get(), first.is_missing) == ("Ann", False)
    assert (anything.get(), anything.is_missing) == (None, False)
    box.update(name=None)
    assert first.is_missing
    box.update(name=Name(first="Bo"))
    assert heard == [MISSING, "Bo"]


def test_a_field_can_be_mapped_and_combined(box: Box[PersonState]) -> None:
    field = box.field(lambda s: s.age)
    assert isinstance(field, Field)
    assert combine(field, field.map(str), lambda a, b: (a, b)).get() == (30, "30")


@pytest.mark.parametrize(
    "selector",
    [
        lambda s: s,
        lambda s: 5,
        lambda s: s.email + "x",
        lambda s: s.email.upper(),
        lambda s: s.name.first if s.name else s.email,
        lambda s: s.name.first if s.name is not None else s.email,
        lambda s: s.name and s.name.first,
        lambda s: not s.is_strict,
        lambda s: s.age == 3,
        lambda s: s.age > 3,
        lambda s: len(s.email),
        lambda s: s.anything[0],
        lambda s: (s.email, s.age),
        lambda s: str(s.email),
        lambda s: f"{s.email}",
        lambda s: list(s.email),
    ],
)
def test_whatever_is_no_plain_path_is_refused_with_what_to_use_instead(selector: Any) -> None:
    with pytest.raises(TypeError, match=r"field\(\) takes a plain path(.|\n)*select\(\)"):
        path_of(selector)


# -- names in messages -------------------------------------------------------------------------------------------------


def test_sources_are_named_by_what_they_read(box: Box[PersonState]) -> None:
    path: Any = lambda s: s.name.first  # noqa: E731 - any state's
    assert repr(box.field(path)) == "field(name.first)"
    assert repr(box.select(lambda s: s.age)).startswith("select(<lambda> at test_source.py:")
    assert repr(box.select(lambda s: s.age).map(str)).endswith(".map(str)")

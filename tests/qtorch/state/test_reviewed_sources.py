"""Sources over sources, many times over: the cost follows their number, not their paths."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from qtorch import Source, combine
from tests.qtorch.state.box import Box, PersonState

DEEP = 5_000


class Value:
    """A root that counts how often it is looked at."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.looks = 0

    def read(self) -> Any:
        self.looks += 1
        return self.value


def diamonds(source: Source[int], depth: int, calls: list[int]) -> Source[int]:
    def join(a: int, b: int) -> int:
        calls.append(a)
        return a + b

    for _ in range(depth):
        source = combine(source.map(lambda n: n + 1), source.map(lambda n: n - 1), join)
    return source


def test_diamonds_on_diamonds_are_looked_through_once_a_change(box: Box[PersonState]) -> None:
    value = Value(1)
    calls: list[int] = []
    heard: list[int] = []
    top = diamonds(box.observed("number", value.read), 14, calls)
    top.subscribe(heard.append)
    value.value, value.looks = 2, 0
    calls.clear()
    box.announce("number")
    assert heard == [2 * 2**14]
    assert (len(calls), value.looks) == (14, 1)
    assert top.get() == 2 * 2**14
    assert (len(calls), value.looks) == (14, 2)


def test_diamonds_that_nobody_listens_to_are_computed_once_a_look(box: Box[PersonState]) -> None:
    value = Value(1)
    calls: list[int] = []
    top = diamonds(box.observed("number", value.read), 14, calls)
    assert top.get() == 2**14
    assert (len(calls), value.looks) == (14, 1)


def test_diamonds_on_diamonds_have_a_short_name(box: Box[PersonState]) -> None:
    assert len(repr(diamonds(box.select(lambda s: s.age), 14, []))) < 300


def test_a_chain_may_be_longer_than_the_stack(box: Box[PersonState]) -> None:
    source: Source[int] = box.select(lambda s: s.age)
    for _ in range(DEEP):
        source = source.map(lambda n: n + 1)
    assert source.get() == 30 + DEEP
    heard: list[int] = []
    subscription = source.subscribe(heard.append)
    box.update(age=1)
    assert heard == [1 + DEEP]
    assert repr(source)
    subscription.close()
    assert box.keys == set()


@pytest.mark.parametrize("is_listened_to", [True, False])
def test_what_lies_between_and_is_listened_to_itself_gives_no_value_of_before(
    box: Box[PersonState], is_listened_to: bool
) -> None:
    first, second = object(), object()
    value = Value(first)
    between = box.observed("it", value.read).map(lambda it: (it,)).map(lambda it: it[0])
    top = between.map(lambda it: [it])
    top.subscribe(lambda it: None)
    if is_listened_to:
        between.subscribe(lambda it: None)
    assert between.get() is first
    value.value = second
    assert top.get() == [second]
    value.value = first  # the very value that it saw when it was asked last
    assert between.get() is first
    assert top.get() == [first]


def test_a_change_that_was_not_told_yet_is_seen_through_a_chain() -> None:
    box = Box(PersonState(), held=True)
    source = combine(box.select(lambda s: s.age).map(str), box.select(lambda s: s.email), lambda a, b: a + b)
    source.subscribe(lambda text: None)
    box.update(age=4, email="x")
    assert source.get() == "4x"


def test_what_lies_between_is_computed_once_for_all_that_is_made_of_it(box: Box[PersonState]) -> None:
    calls: list[int] = []

    def between(age: int) -> int:
        calls.append(age)
        return age

    middle = box.select(lambda s: s.age).map(between)
    middle.map(lambda n: n + 1).map(str).subscribe(lambda text: None)
    combine(middle, middle.map(str), lambda n, text: (n, text)).subscribe(lambda pair: None)
    calls.clear()
    box.update(age=7)
    assert calls == [7]


def test_what_nobody_listens_to_any_more_keeps_no_values(box: Box[PersonState]) -> None:
    class Big:
        pass

    made: list[weakref.ref[Big]] = []

    def make(age: int) -> Big:
        big = Big()
        made.append(weakref.ref(big))
        return big

    source = box.select(lambda s: s.age).map(make).map(lambda big: (big,))
    one, other = source.subscribe(lambda it: None), source.map(len).subscribe(lambda it: None)
    one.close()
    gc.collect()
    assert made[-1]() is not None
    other.close()
    gc.collect()
    assert [ref() for ref in made] == [None] * len(made)
    assert len(source.get()) == 1

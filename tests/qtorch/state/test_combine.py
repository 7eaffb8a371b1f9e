"""Values made of other values."""

from __future__ import annotations

from typing import Any

import pytest

from qtorch import BaseState, combine
from tests.qtorch.state.box import Box, PersonState


class CountState(BaseState):
    count: int = 0


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

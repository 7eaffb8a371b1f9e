"""What differs between the entries a test expects and those that came."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtorch import (
    BaseJob,
    BaseState,
    JobProgressEvent,
    JobRetryingEvent,
    JobStartedEvent,
    JobSuccess,
    JobSuccessEvent,
)
from qtorch.testing.diff import difference, differences
from qtorch.testing.matchers import event, having, matches

LEGEND = "- expected   + came   [n] its place among the expected, or among what came\n"


class FetchUserJob(BaseJob[str]):
    user_id: str


class UserState(BaseState):
    name: str = ""
    busy: bool = False
    tags: tuple[str, ...] = ()


class Plain:
    pass


@dataclass(frozen=True)
class Point:
    x: Any
    y: int


class Odd:
    def __eq__(self, other: object) -> bool:
        raise ValueError("odd")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "odd"


def check(expected: list[Any], actual: list[Any], text: str) -> None:
    assert differences(expected, actual) == LEGEND + dedent(text).strip("\n").replace("|", "")


@given(st.lists(st.integers(0, 3), max_size=7), st.lists(st.integers(0, 3), max_size=7))
def test_two_lists_differ_unless_they_match_entry_by_entry(expected: list[int], actual: list[int]) -> None:
    text = differences(expected, actual)
    assert (text == "") is (expected == actual)
    # Every entry is accounted for.
    lines = text.splitlines()[1:]
    if text and "..." not in text:
        assert [int(line.split()[-1]) for line in lines if line[2] in "- "] == expected
        assert [int(line.split()[-1]) for line in lines if line[2] in "+ "] == actual


def test_one_missing_entry_does_not_make_the_later_ones_differ() -> None:
    check([1, 2, 3, 4], [1, 3, 4], """
        |    [0] 1
        |  - [1] 2
        |    [1] 3
        |    [2] 4
    """)  # fmt: skip


def test_one_entry_too_many_does_not_either() -> None:
    check([1, 2], [9, 1, 2], """
        |  + [0] 9
        |    [1] 1
        |    [2] 2
    """)  # fmt: skip


def test_as_many_entries_as_can_be_are_paired() -> None:
    check([1, 9], [3, 1, 8], """
        |  + [0] 3
        |    [1] 1
        |  - [1] 9
        |  + [2] 8
    """)  # fmt: skip


def test_long_lists_that_differ_at_one_place_are_compared_in_one_go() -> None:
    asked: list[object] = []

    def is_number(value: object) -> bool:
        asked.append(value)
        return isinstance(value, int)

    assert differences(["x", *[is_number] * 300], list(range(300))) != ""
    assert len(asked) < 1000


def test_nothing_came_and_nothing_was_expected() -> None:
    check([1], [], "|  - [0] 1")
    check([], [1], "|  + [0] 1")
    assert differences([], []) == ""


def test_of_a_state_that_differs_only_the_fields_that_do_are_written() -> None:
    check([UserState(), UserState(name="ada")], [UserState(), UserState(name="bob", busy=True)], """
        |    [0] UserState(name='', busy=False, tags=())
        |    [1] UserState(name='bob', busy=True, tags=())
        |      - name: 'ada'
        |      + name: 'bob'
        |      - busy: False
        |      + busy: True
    """)  # fmt: skip


def test_a_state_of_another_class_is_another_entry() -> None:
    check([having(UserState, busy=True)], [Point(1, 2)], """
        |  - [0] having(UserState, busy=True)
        |  + [0] Point(x=1, y=2)
    """)  # fmt: skip


def test_a_partial_state_names_what_it_looks_at() -> None:
    check([having(UserState, busy=True), {"nam": "x"}], [UserState(), UserState()], """
        |    [0] having(UserState, busy=True)
        |      - busy: True
        |      + busy: False
        |    [1] UserState(name='', busy=False, tags=())
        |      - nam: 'x'
        |        UserState has no attribute 'nam'
    """)  # fmt: skip


def test_events_are_written_shortly_and_compared_by_field() -> None:
    job = FetchUserJob(user_id="42")
    came = [
        JobStartedEvent(job.id, job),
        JobProgressEvent(job.id, job, 1, 0.5, "half"),
        JobRetryingEvent(job.id, job, 1, 2, 3, OSError("down"), 1.0),
        JobSuccessEvent(job.id, job, 2, "ada"),
    ]
    check([JobStartedEvent, event(JobRetryingEvent, job, delay=2.0), event(JobSuccessEvent, data="ada")], came, """
        |    [0] JobStartedEvent FetchUserJob(user_id='42') #1
        |  + [1] JobProgressEvent FetchUserJob(user_id='42') #1 progress=0.5 message='half'
        |    [2] event(JobRetryingEvent, FetchUserJob(user_id='42'), delay=2.0)
        |      - delay: 2.0
        |      + delay: 1.0
        |    [3] JobSuccessEvent FetchUserJob(user_id='42') #2 data='ada'
    """)  # fmt: skip


def test_objects_that_look_alike_and_are_not_equal_come_with_advice() -> None:
    text = differences([Plain()], [Plain()])
    assert text.splitlines()[-1] == (
        "        same repr, different objects: "
        "give Plain value equality (a frozen pydantic model or frozen dataclass), or write a matcher"
    )


def test_the_advice_is_given_for_a_field_too() -> None:
    class Holding(BaseState):
        held: Plain

    text = difference(Holding(held=Plain()), Holding(held=Plain()))
    assert text.splitlines()[0].startswith("- held: <")
    assert "give Plain value equality" in text.splitlines()[2]


def test_what_a_predicate_raises_is_told_beside_its_entry() -> None:
    def is_short(value: Any) -> bool:
        return len(value) < 3

    check([is_short, is_short], [3, "abcd"], """
        |    [0] 3
        |      - is_short
        |      + 3
        |        is_short raised TypeError("object of type 'int' has no len()")
        |  - [1] is_short
        |  + [1] 'abcd'
    """)  # fmt: skip


def test_long_values_are_shortened_in_the_middle_around_their_difference() -> None:
    lines = difference("a" * 300 + "b" + "c" * 300, "a" * 300 + "d" + "c" * 300).splitlines()
    assert lines[0].startswith(f"- ... {'a' * 20}bcc")
    assert lines[1].startswith(f"+ ... {'a' * 20}dcc")
    assert all(len(line) < 120 and " ... c" in line for line in lines)
    assert len(differences(["x" * 1000], []).splitlines()[1]) < 120


def test_entries_that_match_far_from_those_that_differ_are_counted() -> None:
    check([*range(10), "x", *range(10)], [*range(10), *range(10)], """
        |    ... 8 that match
        |    [8] 8
        |    [9] 9
        |  - [10] 'x'
        |    [10] 0
        |    [11] 1
        |    ... 8 that match
    """)  # fmt: skip


def test_a_single_entry_is_written_rather_than_counted() -> None:
    check([1, 2, 3, "x"], [1, 2, 3], """
        |    [0] 1
        |    [1] 2
        |    [2] 3
        |  - [3] 'x'
    """)  # fmt: skip


def test_many_fields_that_differ_are_counted() -> None:
    lines = difference(tuple(range(20)), tuple(range(1, 21))).splitlines()
    assert lines[:2] == ["- [0]: 0", "+ [0]: 1"]
    assert (len(lines), lines[-1]) == (17, "  ... 12 more differ")


@pytest.mark.parametrize(
    ("expected", "actual", "text"),
    [
        (int, "3", "- int\n+ '3'"),
        (Point(1, 2), Point(1, 3), "- y: 2\n+ y: 3"),
        (JobSuccess(having(Point, x=1)), JobSuccess(Point(2, 2)), "- data.x: 1\n+ data.x: 2"),
        (Point(Odd(), 2), Point(Odd(), 3), "- x: odd\n+ x: odd\n  their == raised ValueError('odd')\n- y: 2\n+ y: 3"),
        ((OSError("a"), 1), (OSError("a"), 2), "- [1]: 1\n+ [1]: 2"),
        (JobSuccess(Point(1, 2)), JobSuccess(Point(1, 3)), "- data.y: 2\n+ data.y: 3"),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, "- ['b']: 2\n+ ['b']: 3"),
        ({"a": 1}, {"b": 1}, "- {'a': 1}\n+ {'b': 1}"),
        ((1, 2), (1, 2, 3), "- (1, 2)\n+ (1, 2, 3)\n  2 items expected, 3 came"),
        ([Point(1, 2)], [Point(1, 3)], "- [0].y: 2\n+ [0].y: 3"),
        (FetchUserJob(user_id="1"), FetchUserJob(user_id="2"), "- user_id: '1'\n+ user_id: '2'"),
        (1, 1, ""),
    ],
)
def test_a_value_is_compared_down_to_what_differs(expected: Any, actual: Any, text: str) -> None:
    assert difference(expected, actual) == text
    assert matches(expected, actual) is (text == "")


def test_entries_are_written_as_one_likes() -> None:
    assert differences([1, 2], [1], show=lambda entry: f"<{entry}>") == LEGEND + "    [0] <1>\n  - [1] <2>"

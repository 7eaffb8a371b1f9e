"""What an entry of ``expect=``, ``events=`` or ``errors=`` fits."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import pytest

from qtorch import (
    AsyncState,
    BaseEvent,
    BaseJob,
    BaseState,
    JobCancelled,
    JobFailure,
    JobRetryingEvent,
    JobStartedEvent,
    JobSuccess,
    JobSuccessEvent,
)
from qtorch.testing.matchers import Difference, Matcher, anything, differing, event, having, matches


class FetchUserJob(BaseJob[str]):
    user_id: str


class FetchAdminJob(FetchUserJob):
    pass


class UserState(BaseState):
    name: str = ""
    busy: bool = False
    error: BaseException | None = None


ADA = FetchUserJob(user_id="ada")
RETRYING = JobRetryingEvent(ADA.id, ADA, 1, 2, 3, OSError("down"), 1.0)


class Odd:
    """Raises, or gives no bool, when it is compared."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def __eq__(self, other: object) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    __hash__ = None  # type: ignore[assignment]


def is_short(value: Any) -> bool:
    return len(value) < 3


# -- the kinds of entries -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "actual", "fits"),
    [
        (3, 3, True),
        (3, 4, False),
        (None, None, True),
        (None, 0, False),
        (math.nan, math.nan, True),
        (UserState(name="ada"), UserState(name="ada"), True),
        (UserState(name="ada"), UserState(name="bob"), False),
        (int, 3, True),
        (int, "3", False),
        (OSError, ConnectionError("x"), True),
        (int, int, True),
        (JobSuccess[int], JobSuccess(3), True),
        (JobSuccess[int], JobCancelled(), False),
        (is_short, "ab", True),
        (is_short, "abc", False),
        (is_short, 3, False),
        (lambda value: [], 3, False),
        ({"name": "ada"}, UserState(name="ada", busy=True), True),
        ({"name": str, "busy": lambda busy: not busy}, UserState(), True),
        ({"name": "ada", "busy": True}, UserState(name="ada"), False),
        ({"naam": "ada"}, UserState(name="ada"), False),
        ({}, 3, True),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1}, OrderedDict(a=1), True),
        ({"a": int}, {"a": 1}, False),
    ],
)
def test_an_entry_fits_or_not(expected: object, actual: object, fits: bool) -> None:
    assert matches(expected, actual) is fits


@pytest.mark.parametrize("answer", [ValueError("ambiguous"), "yes", 1, None])
def test_an_equality_that_raises_or_gives_no_bool_is_no_match(answer: object) -> None:
    assert not matches(Odd(answer), Odd(answer))
    assert matches(Odd(True), Odd(True))


def test_the_fault_of_such_an_equality_is_told() -> None:
    odd, other = Odd(ValueError("ambiguous")), Odd("yes")
    assert [one.note for one in differing(odd, 3)] == ["their == raised ValueError('ambiguous')"]
    assert [one.note for one in differing(other, 3)] == ["their == gave no bool, but a str"]


def test_what_a_predicate_raises_is_told() -> None:
    assert [one.note for one in differing(is_short, 3)] == [
        """is_short raised TypeError("object of type 'int' has no len()")"""
    ]


def test_a_function_that_is_a_value_is_equal_to_itself_and_not_asked() -> None:
    def never(value: object) -> bool:
        raise AssertionError

    class Asked:
        def never(self, value: object) -> bool:
            raise AssertionError

    asked = Asked()
    assert matches(never, never)
    assert matches(asked.never, asked.never)


# -- exceptions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "actual", "fits"),
    [
        (OSError("down"), OSError("down"), True),
        (OSError("down"), OSError("up"), False),
        (OSError("down"), ConnectionError("down"), False),
        (JobFailure(OSError("down")), JobFailure(OSError("down")), True),
        (JobFailure(OSError("down")), JobFailure(OSError("down"), attempts=2), False),
        (UserState(error=OSError("down")), UserState(error=OSError("down")), True),
        (UserState(error=OSError("down")), UserState(error=OSError("down"), name="ada"), False),
        (AsyncState[int]().to_failure(KeyError(1)), AsyncState[int]().to_failure(KeyError(1)), True),
        (AsyncState[int]().to_failure(KeyError(1)), AsyncState[int]().to_failure(KeyError(2)), False),
    ],
)
def test_exceptions_are_equal_by_class_and_args_also_in_states_and_outcomes(
    expected: object, actual: object, fits: bool
) -> None:
    assert matches(expected, actual) is fits


def test_a_class_in_the_field_of_a_state_is_a_value_and_no_description() -> None:
    class KindState(BaseState):
        kind: Any = None
        error: BaseException | None = None

    assert not matches(KindState(kind=int, error=KeyError()), KindState(kind=3, error=KeyError()))


# -- having ---------------------------------------------------------------------------------------------------------


def test_having_looks_at_the_named_attributes_only() -> None:
    assert matches(having(UserState, name="ada"), UserState(name="ada", busy=True))
    assert not matches(having(UserState, name="ada"), UserState(name="bob"))
    assert not matches(having(AsyncState, name="ada"), UserState(name="ada"))
    assert matches(having(name=having(__len__=callable)), UserState(name="ada"))


def test_having_names_each_attribute_that_does_not_fit_by_its_path() -> None:
    class Outer(BaseState):
        user: UserState = UserState()

    expected = having(Outer, user=having(name="ada", busy=bool, age=3))
    assert list(differing(expected, Outer())) == [
        Difference("user.name", "ada", ""),
        Difference("user.age", 3, anything, "UserState has no attribute 'age'"),
    ]


def test_having_tells_what_an_attribute_raises() -> None:
    class Broken:
        @property
        def name(self) -> str:
            raise KeyError("gone")

    assert [one.note for one in differing(having(name="x"), Broken())] == ["reading 'name' raised KeyError('gone')"]


@pytest.mark.parametrize(
    ("matcher", "text"),
    [
        (having(name="ada"), "having(name='ada')"),
        (having(UserState, error=OSError, busy=is_short), "having(UserState, error=OSError, busy=is_short)"),
        (having(user=having(name=anything)), "having(user=having(name=anything))"),
        (event(JobStartedEvent), "event(JobStartedEvent)"),
        (event(JobRetryingEvent, FetchUserJob, attempt=1), "event(JobRetryingEvent, FetchUserJob, attempt=1)"),
        (event(JobStartedEvent, ADA), "event(JobStartedEvent, FetchUserJob(user_id='ada'))"),
    ],
)
def test_a_matcher_is_written_as_it_is_made(matcher: Matcher, text: str) -> None:
    assert repr(matcher) == text


# -- events ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matcher", "fits"),
    [
        (event(JobRetryingEvent), True),
        (event(JobStartedEvent), False),
        (event(JobRetryingEvent, FetchUserJob), True),
        (event(JobRetryingEvent, FetchAdminJob), False),
        (event(JobRetryingEvent, FetchUserJob(user_id="ada")), True),
        (event(JobRetryingEvent, FetchUserJob(user_id="bob")), False),
        (event(JobRetryingEvent, having(user_id="ada")), True),
        (event(JobRetryingEvent, FetchUserJob, attempt=1, delay=1.0, last_error=OSError("down")), True),
        (event(JobRetryingEvent, attempt=2), False),
    ],
)
def test_an_event_is_matched_by_its_class_its_job_and_its_attributes(matcher: Matcher, fits: bool) -> None:
    assert matches(matcher, RETRYING) is fits


def test_events_of_ones_own_domain_are_matched_too() -> None:
    @dataclass(frozen=True)
    class LoggedIn(BaseEvent):
        user: str

    assert matches(event(LoggedIn, user="ada"), LoggedIn("session", user="ada"))
    assert not matches(event(LoggedIn, FetchUserJob), LoggedIn("session", user="ada"))


def test_event_wants_a_class_of_events() -> None:
    wrong: Any = FetchUserJob
    with pytest.raises(TypeError) as caught:
        event(wrong)
    assert str(caught.value) == (
        "event() takes the class of an event first, not FetchUserJob.\n"
        "  Write event(JobSuccessEvent, FetchUserJob, data=...)."
    )


# -- inside values --------------------------------------------------------------------------------------------------


def test_a_matcher_is_equal_to_what_it_matches_also_inside_other_values() -> None:
    assert UserState(name="ada") == having(name="ada")
    assert UserState(name="ada") != having(name="bob")
    assert [event(JobRetryingEvent), (anything, "x")] == [RETRYING, (1, "x")]
    assert matches(JobSuccess(having(name="ada")), JobSuccess(UserState(name="ada", busy=True)))
    assert not matches(JobSuccess(having(name="ada")), JobSuccess(UserState()))
    assert matches(event(JobSuccessEvent, data=(1, anything)), JobSuccessEvent(ADA.id, ADA, 1, (1, 2)))


def test_matchers_of_ones_own_are_asked_and_may_raise() -> None:
    class Longer(Matcher):
        def matches(self, actual: Any) -> bool:
            return len(actual) > 3

        def __repr__(self) -> str:
            return "Longer()"

    assert matches(Longer(), "abcd")
    assert not matches(Longer(), "abc")
    assert [one.note for one in differing(Longer(), 3)] == [
        """Longer() raised TypeError("object of type 'int' has no len()")"""
    ]

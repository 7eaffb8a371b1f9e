"""How a job ended: one of four outcomes."""

from __future__ import annotations

import asyncio
import copy
import pickle
from datetime import timedelta
from typing import Any, assert_never

import pytest

from qtorch import (
    JobCancelled,
    JobCancelledError,
    JobFailure,
    JobOutcome,
    JobResult,
    JobSuccess,
    JobTimeout,
    JobTimeoutError,
    UnknownJobError,
)

ERROR = OSError("no route")
OUTCOMES: dict[str, JobOutcome[int]] = {
    "success": JobSuccess(42),
    "failure": JobFailure(ERROR, 3),
    "cancelled": JobCancelled("superseded"),
    "timeout": JobTimeout(2.5),
}
HEARD: dict[str, tuple[Any, ...]] = {
    "success": (42,),
    "failure": (ERROR, 3),
    "cancelled": ("superseded",),
    "timeout": (2.5,),
}


class Handlers:
    """Handlers by name that note their calls and return None."""

    def __init__(self, *names: str) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.by_name = {name: self._handler(name) for name in names}

    def _handler(self, name: str) -> Any:
        return lambda *args: self.calls.append((name, args))


class EmptyCallable(list[Any]):
    """A handler that is false, being a list without items."""

    def __call__(self, *args: Any) -> str:
        return "called"


# -- when --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OUTCOMES)
def test_when_runs_exactly_the_handler_that_fits_also_when_it_returns_none(name: str) -> None:
    handlers = Handlers(*OUTCOMES)
    assert OUTCOMES[name].when(**handlers.by_name) is None
    assert handlers.calls == [(name, HEARD[name])]


@pytest.mark.parametrize("name", OUTCOMES)
def test_maybe_when_runs_the_handler_and_not_or_else_also_when_it_returns_none(name: str) -> None:
    handlers = Handlers(name, "or_else")
    assert OUTCOMES[name].maybe_when(**handlers.by_name) is None
    assert handlers.calls == [(name, HEARD[name])]


@pytest.mark.parametrize("name", OUTCOMES)
def test_maybe_when_runs_only_or_else_without_arguments_where_no_handler_was_given(name: str) -> None:
    handlers = Handlers(*(set(OUTCOMES) - {name}), "or_else")
    assert OUTCOMES[name].maybe_when(**handlers.by_name) is None
    assert handlers.calls == [("or_else", ())]


@pytest.mark.parametrize("name", OUTCOMES)
def test_maybe_when_runs_a_handler_that_is_false_as_a_bool(name: str) -> None:
    empty: Any = EmptyCallable()
    assert OUTCOMES[name].maybe_when(**{name: empty}, or_else=lambda: "else") == "called"


def test_what_a_handler_raises_is_raised_and_no_other_runs() -> None:
    def spoil(data: int) -> str:
        raise KeyError(data)

    with pytest.raises(KeyError):
        JobSuccess(1).maybe_when(success=spoil, or_else=lambda: "else")


@pytest.mark.parametrize("name", OUTCOMES)
def test_match_tells_the_four_apart(name: str) -> None:
    def named(outcome: JobOutcome[int]) -> tuple[str, tuple[Any, ...]]:
        match outcome:
            case JobSuccess(data):
                return "success", (data,)
            case JobFailure(error, attempts):
                return "failure", (error, attempts)
            case JobCancelled(reason):
                return "cancelled", (reason,)
            case JobTimeout(timeout):
                return "timeout", (timeout,)
            case _:
                assert_never(outcome)

    assert named(OUTCOMES[name]) == (name, HEARD[name])
    assert isinstance(OUTCOMES[name], JobResult)


# -- what they hold ----------------------------------------------------------------------------------------------------


def test_only_a_success_is_one_and_has_data() -> None:
    assert [outcome.is_success for outcome in OUTCOMES.values()] == [True, False, False, False]
    assert [outcome.data_or_none for outcome in OUTCOMES.values()] == [42, None, None, None]


def test_unwrap_gives_the_data_also_when_it_is_none() -> None:
    assert JobSuccess(42).unwrap() == 42
    assert JobSuccess(None).unwrap() is None
    assert JobSuccess(None).error_or_none is None


def test_unwrap_raises_the_very_error_of_a_failure() -> None:
    with pytest.raises(OSError, match="no route") as caught:
        OUTCOMES["failure"].unwrap()
    assert caught.value is ERROR is OUTCOMES["failure"].error_or_none


def test_frames_do_not_pile_up_on_an_error_that_is_unwrapped_again() -> None:
    def depth() -> int:
        with pytest.raises(OSError, match="no route") as caught:
            OUTCOMES["failure"].unwrap()
        return len(caught.traceback)

    assert len({depth() for _ in range(5)}) == 1


def test_unwrap_raises_what_a_cancellation_and_a_timeout_mean() -> None:
    with pytest.raises(JobCancelledError, match="superseded"):
        JobCancelled("superseded").unwrap()
    with pytest.raises(JobTimeoutError, match=r"attempt .* 2\.5 s") as caught:
        JobTimeout(2.5).unwrap()
    assert (caught.value.timeout, caught.value.kind) == (2.5, "attempt")
    with pytest.raises(JobTimeoutError, match="deadline of 9 s") as caught:
        JobTimeout(9.0, "deadline").unwrap()
    assert caught.value.kind == "deadline"
    assert isinstance(caught.value, TimeoutError)


def test_outcomes_are_frozen_values() -> None:
    assert JobSuccess(1) == JobSuccess(1) != JobSuccess(2)
    assert JobFailure(ERROR, 1) != JobFailure(ERROR, 2)
    assert JobCancelled("a") != JobSuccess("a")
    assert {JobSuccess(1), JobSuccess(1), JobTimeout(1.0)} == {JobTimeout(1.0), JobSuccess(1)}
    assert repr(JobTimeout(2.5)) == "JobTimeout(timeout=2.5, kind='attempt')"
    itself: list[object] = []
    itself.append(JobSuccess(itself))
    assert repr(itself[0]) == "JobSuccess(data=[...])"
    with pytest.raises(AttributeError):
        JobSuccess(1).data = 2  # type: ignore[misc]  # the point


@pytest.mark.parametrize("name", ["success", "cancelled", "timeout"])
def test_outcomes_can_be_pickled_and_copied(name: str) -> None:
    outcome = OUTCOMES[name]
    assert pickle.loads(pickle.dumps(outcome)) == copy.deepcopy(outcome) == outcome


# -- from_bus ----------------------------------------------------------------------------------------------------------


class Handle:
    """A handle whose outcome comes when it is told."""

    def __init__(self, outcome: JobOutcome[int] | None = None) -> None:
        self.outcome = outcome
        self.was_cancelled = False

    async def result(self) -> JobOutcome[int]:
        while self.outcome is None:
            try:
                await asyncio.sleep(3_600)
            except asyncio.CancelledError:
                self.was_cancelled = True
                raise
        return self.outcome


class Bus:
    """Knows one job."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def find_handle(self, job_id: str) -> Handle:
        if job_id != "known":
            raise UnknownJobError(job_id)
        return self._handle


def test_from_bus_takes_a_handle_or_an_id() -> None:
    handle = Handle(JobSuccess(1))
    assert asyncio.run(JobResult.from_bus(Bus(handle), handle)) == JobSuccess(1)
    assert asyncio.run(JobResult.from_bus(Bus(handle), "known", timeout=60)) == JobSuccess(1)


def test_from_bus_says_that_an_id_is_unknown() -> None:
    with pytest.raises(UnknownJobError):
        asyncio.run(JobResult.from_bus(Bus(Handle()), "unknown"))


@pytest.mark.parametrize("timeout", [0, 0.001, timedelta(milliseconds=1)])
def test_the_timeout_of_from_bus_ends_the_wait(timeout: Any) -> None:
    handle = Handle()
    with pytest.raises(TimeoutError):
        asyncio.run(JobResult.from_bus(Bus(handle), handle, timeout))
    assert handle.was_cancelled

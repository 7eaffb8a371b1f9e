"""What happened: immutable events."""

from __future__ import annotations

import copy
import math
import pickle
import weakref
from dataclasses import FrozenInstanceError, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from qtorch import (
    BaseEvent,
    BaseJob,
    JobCacheHitEvent,
    JobCancelledEvent,
    JobEvent,
    JobFailureEvent,
    JobItemsEvent,
    JobPlaceholderEvent,
    JobProgressEvent,
    JobRetryingEvent,
    JobStartedEvent,
    JobSuccessEvent,
    JobTimeoutError,
    JobTimeoutEvent,
)
from qtorch.events.job_events import clamp_progress
from qtorch.events.making import make_job_event, stamp


class FetchJob(BaseJob[Any]):
    secret: str = "hunter2"


class FetchSpecialJob(FetchJob):
    pass


class OtherJob(BaseJob[int]):
    pass


JOB = FetchJob()


def success(data: Any, job: BaseJob[Any] = JOB) -> JobSuccessEvent[Any]:
    return JobSuccessEvent(job.id, job, data=data)


def failure(error: BaseException, attempt: int = 1) -> JobFailureEvent:
    return JobFailureEvent(JOB.id, JOB, attempt, error=error)


@dataclass(frozen=True)
class LoggedIn(BaseEvent):
    user: str


@dataclass(frozen=True, slots=True)
class Moved(BaseEvent):
    x: int
    y: int = 0
    path: tuple[int, ...] = field(default=())


class Pinged(BaseEvent):
    """Without a decorator: no fields of its own."""


EVENTS: list[BaseEvent] = [
    BaseEvent("c"),
    LoggedIn("c", user="ann"),
    Moved("c", 1),
    Pinged("c"),
    JobStartedEvent(JOB.id, JOB),
    success("data"),
    failure(OSError("no")),
    JobCancelledEvent(JOB.id, JOB, reason="r"),
]

# -- frozen ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_are_frozen_can_be_referred_to_weakly_and_know_when_they_were_made(event: BaseEvent) -> None:
    for name in ("correlation_id", "timestamp", "seq", "causation_id"):
        with pytest.raises(FrozenInstanceError):
            setattr(event, name, None)
    assert weakref.ref(event)() is event
    assert event.timestamp.tzinfo is UTC
    assert timedelta(0) <= datetime.now(UTC) - event.timestamp < timedelta(hours=1)
    assert (event.seq, event.causation_id) == (0, None)


@pytest.mark.parametrize("name", ["timestamp", "seq", "causation_id"])
def test_what_the_bus_fills_in_cannot_be_given(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        BaseEvent("c", **{name: None})


def test_the_events_of_qtorch_have_no_dict() -> None:
    with pytest.raises((AttributeError, TypeError)):
        object.__setattr__(success(1), "extra", 1)


def test_events_of_the_user_are_compared_by_what_they_say_not_by_when() -> None:
    assert LoggedIn("c", "ann") == LoggedIn("c", "ann") != LoggedIn("c", "bo")
    assert stamp(LoggedIn("c", "ann"), 7, 3) == LoggedIn("c", "ann")
    assert Pinged("a") != Pinged("b")


def test_events_of_jobs_are_equal_and_hash_alike_if_class_job_attempt_and_all_they_say_are() -> None:
    first, again = JobStartedEvent(JOB.id, JOB), JobStartedEvent(JOB.id, JOB)
    assert first == again
    assert hash(first) == hash(again)
    assert first != JobStartedEvent(JOB.id, JOB, 2)
    assert first != JobEvent(JOB.id, JOB)
    assert success("data") == success("data") != success("other")
    assert len({success("data"), success("data"), success("other")}) == 2
    assert failure(OSError("no")) != failure(OSError("no"))  # exceptions are compared by identity
    assert success([]) == success([])
    with pytest.raises(TypeError, match="unhashable"):
        hash(success([]))
    assert replace(success("data"), data="other") == success("other")
    assert replace(JobCacheHitEvent(JOB.id, JOB, data=1), data=2) == JobCacheHitEvent(JOB.id, JOB, data=2)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_can_be_copied_and_pickled(event: BaseEvent) -> None:
    stamped = stamp(copy.copy(event), 7, 3)
    for back in (copy.copy(stamped), pickle.loads(pickle.dumps(stamped))):
        assert (type(back), back.seq, back.causation_id, back.timestamp) == (type(event), 7, 3, stamped.timestamp)
        assert repr(back) == repr(stamped)


def test_an_event_that_was_delivered_does_not_change_when_it_is_delivered_again() -> None:
    first = stamp(LoggedIn("c", "ann"), 1, None)
    second = stamp(first, 9, 4)
    assert (first.seq, first.causation_id) == (1, None)
    assert (second.seq, second.causation_id, second.user) == (9, 4, "ann")


# -- events of jobs ----------------------------------------------------------------------------------------------------


def test_an_event_of_a_job_knows_its_job_and_attempt() -> None:
    event = JobStartedEvent(JOB.id, JOB)
    assert (event.job, event.job_id, event.job_type, event.attempt) == (JOB, JOB.id, FetchJob, 1)


def test_subclasses_count_as_the_job_they_derive_from() -> None:
    job = FetchSpecialJob()
    event = JobStartedEvent(job.id, job)
    assert event.is_from(FetchSpecialJob)
    assert event.is_from(FetchJob)
    assert event.is_from(BaseJob)
    assert not event.is_from(OtherJob)
    assert not JobStartedEvent(JOB.id, JOB).is_from(FetchSpecialJob)


@pytest.mark.parametrize(
    ("cls", "is_terminal"),
    [
        (JobStartedEvent, False),
        (JobPlaceholderEvent, False),
        (JobCacheHitEvent, False),
        (JobProgressEvent, False),
        (JobItemsEvent, False),
        (JobRetryingEvent, False),
        (JobSuccessEvent, True),
        (JobFailureEvent, True),
        (JobTimeoutEvent, True),
        (JobCancelledEvent, True),
        (BaseEvent, False),
        (LoggedIn, False),
    ],
)
def test_only_the_end_is_terminal(cls: type[BaseEvent], is_terminal: bool) -> None:
    assert cls.is_terminal is is_terminal


def test_a_timeout_is_a_failure_but_a_cancellation_is_none() -> None:
    assert issubclass(JobTimeoutEvent, JobFailureEvent)
    assert not issubclass(JobCancelledEvent, JobFailureEvent)
    match JobTimeoutEvent(JOB.id, JOB, error=JobTimeoutError(3), timeout=3):
        case JobTimeoutEvent(timeout=timeout):
            assert timeout == 3


@pytest.mark.parametrize(
    ("cls", "own"),
    [
        (JobStartedEvent, ()),
        (JobSuccessEvent, ("data", True)),
        (JobProgressEvent, (0.5, "half", 1, 2)),
        (JobRetryingEvent, (3, 5, OSError(), 1.5)),
        (JobFailureEvent, (OSError(), "Traceback", True)),
        (JobTimeoutEvent, (JobTimeoutError(3), "", True, 3.0)),
        (JobCancelledEvent, ("reason", True)),
    ],
)
def test_the_short_way_to_make_an_event_gives_what_its_constructor_gives(
    cls: type[JobEvent], own: tuple[Any, ...]
) -> None:
    made = make_job_event(cls, 7, 3, JOB, 2, *own)
    written = stamp(cls(JOB.id, JOB, 2, *own), 7, 3)
    names = [name for name in written.__dataclass_fields__ if name != "timestamp"]
    assert [getattr(made, name) for name in names] == [getattr(written, name) for name in names]
    assert made.timestamp.tzinfo is UTC
    assert weakref.ref(made)() is made
    with pytest.raises(ValueError, match="zip"):
        make_job_event(cls, 7, 3, JOB, 2, *own, "one too many")


# -- repr --------------------------------------------------------------------------------------------------------------


class Vault:
    def __repr__(self) -> str:
        return "hunter2"

    def __len__(self) -> int:
        raise RuntimeError("locked")


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("hunter2", "<str of 7>"),
        (90_125, "<int>"),
        (3.25, "<float>"),
        (True, "<bool>"),
        (None, "None"),
        (["hunter2"] * 3, "<list of 3>"),
        ({"password": "hunter2"}, "<dict of 1>"),
        (Vault(), "<Vault>"),
        (b"hunter2", "<bytes of 7>"),
    ],
    ids=str,
)
def test_the_repr_shows_type_and_size_of_data_never_values(data: object, shown: str) -> None:
    for cls in (JobSuccessEvent, JobCacheHitEvent, JobPlaceholderEvent):
        text = repr(cls(JOB.id, JOB, data=data))
        assert f"data={shown}" in text
        for secret in ("hunter2", "90125", "3.25", "True"):
            assert secret not in text
        assert text.startswith(f"{cls.__name__}({JOB.id}, attempt=1")


def test_the_repr_shows_no_text_of_errors_reasons_and_messages() -> None:
    secret = "hunter2"
    for event in (
        failure(OSError(secret)),
        JobFailureEvent(JOB.id, JOB, traceback=f"... {secret}"),
        JobCancelledEvent(JOB.id, JOB, reason=secret),
        JobProgressEvent(JOB.id, JOB, progress=0.5, message=secret),
        JobRetryingEvent(JOB.id, JOB, last_error=OSError(secret), delay=1.5),
    ):
        assert secret not in repr(event)
    assert "error=<OSError>" in repr(failure(OSError(secret)))


def test_the_repr_shows_qtorch_s_own_figures() -> None:
    progress = repr(JobProgressEvent(JOB.id, JOB, progress=0.5, current_step=1, total_steps=2))
    assert "progress=0.5" in progress
    assert "current_step=1, total_steps=2" in progress
    assert "timeout=3.0" in repr(JobTimeoutEvent(JOB.id, JOB, timeout=3.0))
    assert "still_running=True" in repr(JobCancelledEvent(JOB.id, JOB, still_running=True))


def test_the_repr_of_a_job_s_event_of_the_user_s_own_shows_no_values_either() -> None:
    @dataclass(frozen=True, repr=False)
    class Paid(JobEvent):
        amount: int = 0

    assert repr(Paid(JOB.id, JOB, amount=4711)).endswith("amount=<int>)")


# -- helpers -----------------------------------------------------------------------------------------------------------


def test_data_of_the_expected_type_is_given() -> None:
    event = success(["a"])
    assert event.data_as(list) is event.data_or_none(list) is event.data_or(list, "else") is event.data
    assert event.map_data(list, len) == 1
    assert success(True).data_as(int) is True


def test_none_is_data_too() -> None:
    assert success(None).data_as(type(None)) is None
    assert success(None).map_data(type(None), lambda _: "mapped") == "mapped"


def test_data_of_another_type_is_none_the_default_or_a_clear_type_error_without_its_value() -> None:
    event = success("hunter2")
    assert event.data_or_none(int) is None
    assert event.data_or(int, 7) == 7
    assert event.map_data(int, lambda n: 1 / 0) is None
    with pytest.raises(TypeError, match=r"data of JobSuccessEvent of fetch-\w+ is <str of 7>, not int") as caught:
        event.data_as(int)
    assert "FetchJob" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_union_can_be_expected() -> None:
    expected: Any = int | None
    assert success(3).data_as(expected) == 3
    with pytest.raises(TypeError, match=r"not int \| None"):
        success("x").data_as(expected)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("bad"), "bad"),
        (Exception("Exception: bad"), "Exception: bad"),
        (ConnectionError("HttpException: Connection closed"), "HttpException: Connection closed"),
        (ValueError(), "ValueError"),
    ],
)
def test_the_message_of_a_failure_is_the_exception_s_own(error: Exception, message: str) -> None:
    assert failure(error).error_message == message


def test_the_message_of_an_exception_that_cannot_be_shown_is_its_class() -> None:
    class Speechless(Exception):
        def __str__(self) -> str:
            raise RuntimeError("broken __str__")

    assert failure(Speechless()).error_message == "Speechless"


def test_the_error_of_a_failure_is_asked_for_by_its_class() -> None:
    error = ConnectionResetError("reset")
    event = failure(error)
    assert event.is_error(OSError)
    assert event.error_as(OSError) is error
    assert not event.is_error(ValueError)
    assert event.error_as(ValueError) is None


def test_only_more_than_one_attempt_is_a_retry() -> None:
    assert (failure(OSError(), 1).attempts, failure(OSError(), 1).was_retried) == (1, False)
    assert (failure(OSError(), 4).attempts, failure(OSError(), 4).was_retried) == (4, True)


@pytest.mark.parametrize(
    ("given", "clamped"),
    [
        (0.5, 0.5),
        (0, 0.0),
        (1, 1.0),
        (7, 1.0),
        (-3, 0.0),
        (math.nan, 0.0),
        (math.inf, 1.0),
        (-math.inf, 0.0),
        (10**400, 1.0),
        (True, 1.0),
    ],
)
def test_progress_is_clamped_and_nan_is_none(given: float, clamped: float) -> None:
    assert (clamp_progress(given), type(clamp_progress(given))) == (clamped, float)

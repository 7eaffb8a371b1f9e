"""The time limits of a job, and what is tried again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from qtorch import (
    BaseJob,
    CancellationToken,
    JobCancelledError,
    JobCancelledEvent,
    JobFailureEvent,
    JobRetryingEvent,
    JobStatus,
    JobTimeout,
    JobTimeoutError,
    JobTimeoutEvent,
    NoRetry,
    RetryPolicy,
    executes,
)
from tests.qtorch.execution.rig import Rig, drive, elsewhere, run_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.realtime


class QuestionJob(BaseJob[int]):
    text: str = ""


RETRY = RetryPolicy(max_retries=3, base_delay=1.0)


def test_a_timeout_is_a_failure_with_a_timeout_error(rig: Rig) -> None:
    rig.work(is_deaf=True)
    handle = rig.dispatch("thread", timeout=5)
    drive(rig.works["work"].begun.is_set)

    rig.clock.advance(5)
    rig.end(handle)

    [event] = rig.log.of(JobFailureEvent)
    assert isinstance(event, JobTimeoutEvent)
    assert event.timeout == 5
    assert isinstance(event.error, JobTimeoutError)
    assert isinstance(event.error, TimeoutError)
    assert event.error.kind == "attempt"
    assert event.still_running
    assert handle.outcome == JobTimeout(5.0, "attempt")


def test_a_deadline_ends_in_a_timeout_event_of_its_own_kind(rig: Rig) -> None:
    rig.work()
    handle = rig.dispatch("thread", timeout=timedelta(seconds=50), deadline=timedelta(seconds=7))
    rig.clock.advance(7)
    rig.end(handle)
    [event] = rig.log.of(JobTimeoutEvent)
    assert isinstance(event.error, JobTimeoutError)
    assert (event.error.kind, event.timeout) == ("deadline", 7.0)


def test_a_timeout_counts_from_the_start_of_the_attempt_not_from_dispatch(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=1)
    first = rig.work("first")
    second = rig.work("second")
    rig.dispatch("thread", "first")
    handle = rig.dispatch("thread", "second", timeout=5)
    rig.clock.advance(60)
    rig.drain()
    assert handle.status is JobStatus.QUEUED

    first.gate.open()
    drive(second.begun.is_set)
    drive(lambda: handle.status is JobStatus.RUNNING)
    rig.clock.advance(4.9)
    rig.drain()
    assert handle.status is JobStatus.RUNNING
    rig.clock.advance(0.1)
    rig.end(handle)
    assert handle.status is JobStatus.TIMED_OUT


def test_a_job_that_waits_behind_one_of_higher_priority_neither_starts_nor_loses_time(
    make_rig: Callable[..., Rig],
) -> None:
    # Both are dispatched before the one idle thread wakes: whoever is told of as started has to be who runs.
    rig = make_rig(threads=1)
    rig.work(is_open=True)
    rig.end(rig.dispatch("thread"))
    drive(lambda: rig.runtime.snapshot()["runners"]["threads"]["idle"] == 1)
    low, high = rig.work("low"), rig.work("high")
    handles = {"low": rig.dispatch("thread", "low", timeout=5)}
    handles["high"] = rig.dispatch("thread", "high", priority=10, timeout=50)
    drive(lambda: low.begun.is_set() or high.begun.is_set())
    running, waiting = ("low", "high") if low.begun.is_set() else ("high", "low")
    rig.drain()

    assert rig.types(handles[running]) == ["Started"]
    assert rig.types(handles[waiting]) == []
    assert handles[waiting].status is JobStatus.QUEUED


def test_every_attempt_has_the_whole_timeout(runner: str, make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(runner)
    work = rig.work("work", OSError("once"), 42, is_open=True)
    handle = rig.dispatch(runner, timeout=5, retry=RetryPolicy(max_retries=1, base_delay=4))
    drive(lambda: handle.status is JobStatus.WAITING)
    work.gate = type(work.gate)()
    rig.clock.advance(4)
    drive(lambda: work.calls == 2)
    drive(lambda: handle.status is JobStatus.RUNNING)
    rig.clock.advance(4.9)
    work.gate.open()
    rig.end(handle)
    assert handle.status is JobStatus.SUCCEEDED


def test_the_next_attempt_starts_once_the_timed_out_one_has_ended(runner: str, make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(runner)
    work = rig.work()  # obeys its token
    handle = rig.dispatch(runner, timeout=5, retry=RETRY)
    drive(work.begun.is_set)
    rig.drain()
    rig.clock.advance(5)
    drive(lambda: handle.status is JobStatus.WAITING)
    assert work.tokens[0].is_cancelled, "the attempt was not asked to stop"
    drive(lambda: not handle.is_working)

    rig.clock.advance(1)
    drive(lambda: work.calls == 2)
    work.gate.open()
    rig.end(handle)

    assert rig.types(handle) == ["Started", "Retrying", "Success"]
    assert handle.status is JobStatus.SUCCEEDED
    assert not work.tokens[1].is_cancelled
    [retrying] = rig.log.of(JobRetryingEvent)
    assert isinstance(retrying.last_error, JobTimeoutError)


def test_a_job_whose_attempt_never_stops_ends_as_timed_out_and_is_not_tried_twice_at_once(rig: Rig) -> None:
    work = rig.work(is_deaf=True)
    handle = rig.dispatch("thread", timeout=5, retry=RETRY)
    drive(work.begun.is_set)
    rig.clock.advance(5)
    drive(lambda: handle.status is JobStatus.WAITING)
    assert handle.is_working
    rig.clock.advance(1)
    rig.end(handle)

    assert rig.types(handle) == ["Started", "Retrying", "Timeout"]
    [event] = rig.log.of(JobTimeoutEvent)
    assert event.still_running
    assert handle.outcome == JobTimeout(5.0, "attempt")
    assert work.calls == 1
    work.gate.open()
    rig.quiet()
    assert run_of(handle).late == 1
    assert not handle.is_working


def test_a_result_of_the_timed_out_attempt_does_not_count_for_the_next(rig: Rig) -> None:
    work = rig.work("work", "stale", "fresh", is_deaf=True)
    handle = rig.dispatch("thread", timeout=5, retry=RETRY)
    drive(work.begun.is_set)
    rig.clock.advance(5)
    drive(lambda: handle.status is JobStatus.WAITING)
    work.gate.open()
    drive(lambda: not handle.is_working)
    rig.clock.advance(1)
    rig.end(handle)
    assert handle.outcome is not None
    assert handle.outcome.unwrap() == "fresh"
    assert run_of(handle).late == 1


def test_a_timeout_error_of_user_code_is_a_plain_failure(runner: str, make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(runner)
    rig.work("work", TimeoutError("the server did"), is_open=True)
    handle = rig.dispatch(runner, timeout=5)
    rig.end(handle)
    [event] = rig.log.of(JobFailureEvent)
    assert not isinstance(event, JobTimeoutEvent)
    assert event.error_message == "the server did"
    assert handle.status is JobStatus.FAILED


def test_a_cancelled_error_of_user_code_is_a_plain_failure(runner: str, make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(runner)
    rig.work("work", asyncio.CancelledError(), is_open=True)
    handle = rig.dispatch(runner)
    rig.end(handle)
    assert rig.types(handle) == ["Started", "Failure"]
    assert isinstance(rig.log.failures[0].error, asyncio.CancelledError)


def test_a_job_cancelled_error_of_another_token_is_a_plain_failure(runner: str, make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(runner)
    rig.work("work", JobCancelledError("another job's"), is_open=True)
    handle = rig.dispatch(runner)
    rig.end(handle)
    assert rig.types(handle) == ["Started", "Failure"]
    assert isinstance(rig.log.failures[0].error, JobCancelledError)


@pytest.mark.parametrize("error", [JobCancelledError("as told"), asyncio.CancelledError()])
def test_work_that_stops_because_its_own_token_is_cancelled_is_cancelled(
    make_rig: Callable[..., Rig], runner: str, error: BaseException
) -> None:
    rig = make_rig(runner)
    work = rig.work("work", error)
    handle = rig.dispatch(runner, retry=RETRY)
    drive(work.begun.is_set)
    work.tokens[0].cancel("by the work itself")  # nobody else knows of it
    work.gate.open()
    rig.end(handle)
    [event] = rig.log.of(JobCancelledEvent)
    assert event.reason == "by the work itself"
    assert not event.still_running
    assert work.calls == 1


def test_retries_are_told_and_counted(runner: str, make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(runner)
    work = rig.work("work", OSError("no net"), is_open=True)
    handle = rig.dispatch(runner, retry=RetryPolicy(max_retries=2, base_delay=1))
    for delay in (1, 2):
        # By the calls too: until the timer's offer is taken the status is still that of the wait before.
        drive(lambda calls=delay: handle.status is JobStatus.WAITING and work.calls == calls)
        rig.clock.advance(delay - 0.01)
        rig.drain()
        assert handle.status is JobStatus.WAITING
        rig.clock.advance(0.01)
    rig.end(handle)

    assert rig.types(handle) == ["Started", "Retrying", "Retrying", "Failure"]
    told = [(e.attempt, e.next_attempt, e.max_retries, e.delay) for e in rig.log.of(JobRetryingEvent)]
    assert told == [(1, 2, 2, 1.0), (2, 3, 2, 2.0)]
    [failure] = rig.log.failures
    assert (failure.attempts, failure.was_retried, failure.attempt) == (3, True, 3)
    assert "no net" in failure.traceback
    assert work.calls == 3


def test_a_job_that_failed_at_once_was_not_retried(rig: Rig) -> None:
    rig.work("work", TypeError("a bug"), is_open=True)
    handle = rig.dispatch("thread", retry=RETRY)
    rig.end(handle)
    [failure] = rig.log.failures
    assert (failure.attempts, failure.was_retried) == (1, False)


def test_no_retry_fails_with_the_error_it_carries(runner: str, make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(runner)
    error = PermissionError("locked")
    work = rig.work("work", NoRetry(error), is_open=True)
    handle = rig.dispatch(runner, retry=RETRY)
    rig.end(handle)
    assert rig.log.failures[0].error is error
    assert work.calls == 1


def test_no_retry_without_a_policy_fails_with_the_error_it_carries(rig: Rig) -> None:
    error = PermissionError("locked")
    rig.work("work", NoRetry(error), is_open=True)
    rig.end(rig.dispatch("thread"))
    assert rig.log.failures[0].error is error


def test_a_should_retry_that_raises_is_reported_and_the_job_fails_with_its_own_error(rig: Rig, qtbot: QtBot) -> None:
    own, other = OSError("the job's"), RuntimeError("should_retry's")

    def should_retry(error: BaseException, attempt: int) -> bool:
        raise other

    rig.work("work", own, is_open=True)
    with qtbot.captureExceptions() as seen:
        handle = rig.dispatch("thread", retry=RetryPolicy(should_retry=should_retry))
        rig.end(handle)
    assert rig.log.failures[0].error is own
    assert [report.error for report in rig.reports] == [other]
    assert rig.reports[0].job is handle.job
    assert [error for _, error, _ in seen] == [other]


def test_a_should_retry_that_cancels_the_job_has_it_cancelled(rig: Rig) -> None:
    def should_retry(error: BaseException, attempt: int) -> bool:
        handle.cancel("thought better of it")
        return True

    rig.work("work", OSError(), is_open=True)
    handle = rig.dispatch("thread", retry=RetryPolicy(should_retry=should_retry))
    rig.end(handle)
    rig.clock.advance(100)
    rig.drain()
    assert rig.types(handle) == ["Started", "Cancelled"]
    assert handle.status is JobStatus.CANCELLED


@pytest.mark.parametrize("retry", [None, RETRY])
def test_a_token_callback_that_cancels_the_job_at_its_timeout_has_it_cancelled(
    rig: Rig, retry: RetryPolicy | None
) -> None:
    work = rig.work(is_deaf=True)
    handle = rig.dispatch("thread", timeout=5, retry=retry)
    drive(work.begun.is_set)
    rig.drain()
    work.tokens[0].on_cancel(lambda: handle.cancel("from the callback"))
    rig.clock.advance(5)
    rig.end(handle)
    work.gate.open()
    rig.quiet()
    rig.clock.advance(100)
    rig.drain()
    assert rig.types(handle) == ["Started", "Cancelled"]
    assert handle.status is JobStatus.CANCELLED


def test_a_retry_wait_holds_no_thread(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=1)
    rig.work("work", OSError(), is_open=True)
    rig.work("other", is_open=True)
    waiting = rig.dispatch("thread", retry=RETRY)
    drive(lambda: waiting.status is JobStatus.WAITING)
    assert not waiting.is_working
    other = rig.dispatch("thread", "other")
    rig.end(other)
    assert other.status is JobStatus.SUCCEEDED
    waiting.cancel()
    rig.end(waiting)


def test_cancel_during_the_retry_wait_takes_its_timer_along(runner: str, make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(runner)
    work = rig.work("work", OSError(), is_open=True)
    handle = rig.dispatch(runner, retry=RETRY, deadline=100)
    drive(lambda: handle.status is JobStatus.WAITING)
    handle.cancel("enough")
    rig.end(handle)
    assert rig.clock.pending == 0
    rig.clock.advance(200)
    rig.drain()
    assert work.calls == 1
    assert rig.types(handle) == ["Started", "Retrying", "Cancelled"]


def test_a_job_that_ended_leaves_no_timer(runner: str, make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(runner)
    rig.work(is_open=True)
    rig.end(rig.dispatch(runner, timeout=5, deadline=50))
    assert rig.clock.pending == 0


def test_a_timeout_stops_only_its_own_attempt_and_not_the_users_token(rig: Rig) -> None:
    token = CancellationToken()
    work = rig.work()
    handle = rig.dispatch("thread", timeout=5, token=token)
    drive(work.begun.is_set)
    rig.clock.advance(5)
    rig.end(handle)
    assert work.tokens[0].is_cancelled
    assert not token.is_cancelled


def test_a_deadline_that_passes_while_an_attempt_is_stuck_ends_the_job_there(rig: Rig) -> None:
    work = rig.work(is_deaf=True)
    handle = rig.dispatch("thread", timeout=5, deadline=5.5, retry=RETRY)
    drive(work.begun.is_set)
    rig.clock.advance(5)
    drive(lambda: handle.status is JobStatus.WAITING)
    rig.clock.advance(0.5)
    rig.end(handle)
    [event] = rig.log.of(JobTimeoutEvent)
    assert isinstance(event.error, JobTimeoutError)
    assert event.error.kind == "deadline"
    assert event.still_running


def test_a_token_wait_counts_on_the_runtimes_clock(rig: Rig) -> None:
    waits = threading.Event()

    @executes(QuestionJob)
    def wait(job: QuestionJob) -> int:
        waits.set()
        return int(wait.token(job).wait(3600))

    rig.runtime.register(wait)
    handle = rig.owner.dispatch(QuestionJob())
    assert waits.wait(10)
    drive(lambda: rig.clock.pending == 1)
    rig.clock.advance(3600)
    rig.end(handle)
    assert handle.outcome is not None
    assert handle.outcome.unwrap() == 0


def test_a_timer_that_fires_stands_behind_a_result_that_was_offered_before(rig: Rig) -> None:
    work = rig.work()
    handle = rig.dispatch("thread", timeout=5, deadline=6)
    drive(work.begun.is_set)
    rig.drain()
    work.gate.open()
    queue = rig.runtime.bus.core.mailbox.queue
    pause = threading.Event()
    while not queue:
        pause.wait(0.0002)
    rig.clock.advance(10)
    rig.end(handle)
    assert handle.status is JobStatus.SUCCEEDED


def test_a_cancel_from_another_thread_stands_behind_a_result_that_was_offered_before(rig: Rig) -> None:
    work = rig.work()
    handle = rig.dispatch("thread")
    drive(work.begun.is_set)
    rig.drain()
    work.gate.open()
    queue = rig.runtime.bus.core.mailbox.queue
    pause = threading.Event()
    while not queue:
        pause.wait(0.0002)
    elsewhere(handle.cancel)
    rig.end(handle)
    assert handle.status is JobStatus.SUCCEEDED


class FixedRandom:
    """Chooses the same place between two numbers every time, and notes which they were."""

    def __init__(self, place: float) -> None:
        self.place = place
        self.asked: list[tuple[float, float]] = []

    def uniform(self, a: float, b: float, /) -> float:
        self.asked.append((a, b))
        return a + (b - a) * self.place


@pytest.mark.parametrize(("place", "wait"), [(0.0, 1.5), (0.5, 2.0), (1.0, 2.5)])
def test_the_jitter_of_a_retry_wait_comes_from_the_runtimes_random_port(
    make_rig: Callable[..., Rig], place: float, wait: float
) -> None:
    random = FixedRandom(place)
    rig = make_rig(random=random)
    rig.work("work", OSError(), 1, is_open=True)
    handle = rig.dispatch("loop", retry=RetryPolicy(max_retries=1, base_delay=2.0, jitter=0.25))
    drive(lambda: rig.log.of(JobRetryingEvent))
    rig.drain()
    [event] = rig.log.of(JobRetryingEvent)
    assert event.delay == wait
    assert random.asked == [(0.75, 1.25)]
    rig.clock.advance(wait - 0.01)
    rig.drain()
    assert handle.status is JobStatus.WAITING
    rig.clock.advance(0.01)
    rig.end(handle)


def test_a_wait_without_jitter_asks_for_no_random_number(make_rig: Callable[..., Rig]) -> None:
    random = FixedRandom(0.5)
    rig = make_rig(random=random)
    rig.work("work", OSError(), 1, is_open=True)
    handle = rig.dispatch("loop", retry=RetryPolicy(max_retries=1, base_delay=2.0))
    drive(lambda: rig.log.of(JobRetryingEvent))
    rig.clock.advance(2.0)
    rig.end(handle)
    assert random.asked == []

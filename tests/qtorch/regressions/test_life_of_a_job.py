"""Faults of the reference in the life of a job, each named after what must hold (audit, sections 2.A and 2.B)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from qtorch import (
    BaseJob,
    CachePolicy,
    CancellationToken,
    EventLog,
    JobBuilder,
    JobCancelledError,
    JobFailureEvent,
    JobOptions,
    JobStatus,
    JobTimeoutEvent,
    RetryPolicy,
    SignalBus,
    executes,
)
from tests.qtorch.execution.rig import NoState, Owner, Rig, ThreadJob, WorkJob, drive, run_of

pytestmark = pytest.mark.realtime


class OnlyFailure(Owner):
    """As nearly every orchestrator is written: success and failure, nothing else."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(NoState(), runtime=rig.runtime)
        self.active: list[str] = []
        self.passive: list[str] = []

    def on_active_success(self, event: Any) -> None:
        self.active.append("success")

    def on_active_failure(self, event: JobFailureEvent) -> None:
        self.active.append(type(event).__name__)

    def on_passive_event(self, event: Any) -> None:
        self.passive.append(type(event).__name__)


# A1 (critical)
def test_a_timeout_is_one_event_and_reaches_the_failure_hook_of_the_owner(rig: Rig) -> None:
    owner = OnlyFailure(rig)
    rig.work()
    handle = owner.dispatch(ThreadJob(), timeout=5)
    drive(rig.works["work"].begun.is_set)
    rig.drain()
    rig.clock.advance(5)
    rig.quiet()
    assert rig.types(handle) == ["Started", "Timeout"]
    assert issubclass(JobTimeoutEvent, JobFailureEvent)
    assert owner.active == ["JobTimeoutEvent"]
    assert owner.passive == []
    assert not owner.running().get(), "the window stays loading"


# A2 (high)
def test_the_last_failed_attempt_is_one_event_with_all_there_is_to_know(rig: Rig) -> None:
    owner = OnlyFailure(rig)
    rig.work("work", OSError("down"), is_open=True)
    handle = owner.dispatch(ThreadJob(), retry=RetryPolicy(max_retries=1, base_delay=1))
    drive(lambda: handle.status is JobStatus.WAITING)
    rig.clock.advance(1)
    rig.quiet()
    [failure] = rig.log.failures
    assert (failure.attempts, failure.was_retried) == (2, True)
    assert "OSError: down" in failure.traceback
    assert (owner.active, owner.passive) == (["JobFailureEvent"], [])


# A4 (critical)
def test_after_a_timeout_no_retry_goes_on_and_nothing_reaches_another_bus(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    scoped = SignalBus.scoped()
    log = EventLog(scoped)
    work = rig.work("work", OSError())
    handle = rig.runtime.dispatcher.dispatch(
        ThreadJob(), bus=scoped, deadline=5, retry=RetryPolicy(max_retries=10, base_delay=1)
    )
    work.gate.open()
    drive(lambda: handle.status is JobStatus.WAITING)
    rig.clock.advance(5)
    drive(lambda: handle.status.is_final)
    rig.drain()
    calls = work.calls
    for _ in range(20):
        rig.clock.advance(10)
        rig.drain()
    assert work.calls == calls
    assert [type(event).__name__ for event in log][-1] == "JobTimeoutEvent"
    assert len(rig.log) == 0, "events of a scoped job leaked"
    scoped.close()


# A5 (high)
@pytest.mark.parametrize("end", ["timeout", "cancel"])
def test_timeout_and_cancel_stop_the_work(make_rig: Callable[..., Rig], runner: str, end: str) -> None:
    rig = make_rig(runner)
    effects: list[str] = []

    class SaveJob(BaseJob[None]):
        pass

    if runner == "thread":

        @executes(SaveJob)
        def save(job: SaveJob) -> None:
            effects.append("begun")
            save.token(job).wait(3600)
            save.checkpoint(job)
            effects.append("saved after the end")

    else:

        @executes(SaveJob)
        async def save(job: SaveJob) -> None:
            effects.append("begun")
            await asyncio.sleep(3600)
            effects.append("saved after the end")

    rig.runtime.register(save)
    handle = rig.owner.dispatch(SaveJob(), timeout=5)
    drive(lambda: effects)
    rig.drain()
    handle.cancel() if end == "cancel" else rig.clock.advance(5)
    rig.quiet()
    assert effects == ["begun"]
    assert not handle.is_working


# A5 (high)
def test_work_that_cannot_be_stopped_is_said_to_be_still_running(rig: Rig) -> None:
    work = rig.work(is_deaf=True)
    handle = rig.dispatch("thread", timeout=5)
    drive(work.begun.is_set)
    rig.drain()
    rig.clock.advance(5)
    rig.end(handle)
    assert rig.log.failures[0].still_running
    assert handle.is_working
    work.gate.open()
    rig.quiet()


# A6 (critical)
def test_a_job_whose_token_was_cancelled_before_is_told_as_cancelled_and_no_more(rig: Rig, own_runner: str) -> None:
    token = CancellationToken()
    token.cancel("before")
    work = rig.work()
    handle = rig.dispatch(own_runner, token=token, placeholder="...")
    rig.end(handle)
    assert rig.types(handle) == ["Cancelled"]
    assert not rig.owner.has_active_jobs
    assert work.calls == 0


# A7 (critical)
def test_a_cancelled_error_that_process_raises_itself_ends_the_job(make_rig: Callable[..., Rig], runner: str) -> None:
    rig = make_rig(runner)
    for error in (JobCancelledError("another token's"), asyncio.CancelledError()):
        rig.work("work", error, is_open=True)
        handle = rig.dispatch(runner)
        rig.end(handle)
        assert rig.types(handle) == ["Started", "Failure"]
    assert not rig.owner.has_active_jobs


# A8 (high)
@pytest.mark.parametrize("then", ["fails", "times out"])
def test_a_cancelled_job_that_then_fails_or_times_out_is_cancelled_once(rig: Rig, then: str) -> None:
    work = rig.work("work", ValueError("afterwards"), is_deaf=True)
    handle = rig.dispatch("thread", timeout=5, deadline=6)
    drive(work.begun.is_set)
    rig.drain()
    handle.cancel()
    if then == "times out":
        rig.clock.advance(10)
    work.gate.open()
    rig.quiet()
    assert rig.types(handle) == ["Started", "Cancelled"]


# A9 (critical)
def test_a_job_that_ends_leaves_the_other_listeners_of_a_shared_token_alone(rig: Rig, own_runner: str) -> None:
    token = CancellationToken()
    heard: list[str] = []
    token.on_cancel(lambda: heard.append("the user's own"))
    rig.work("first", is_open=True)
    second_work = rig.work("second")
    first = rig.dispatch(own_runner, "first", token=token)
    second = rig.dispatch(own_runner, "second", token=token)
    rig.end(first)
    drive(second_work.begun.is_set)
    token.cancel("all of you")
    rig.quiet()
    assert heard == ["the user's own"]
    assert rig.types(second) == ["Started", "Cancelled"]
    assert rig.types(first) == ["Started", "Success"]


# A12 (high)
def test_what_is_emitted_after_the_end_is_dropped_and_reaches_no_bus(rig: Rig) -> None:
    scoped = SignalBus.scoped()
    log = EventLog(scoped)
    work = rig.work(is_deaf=True)
    handle = rig.runtime.dispatcher.dispatch(ThreadJob(), bus=scoped)
    drive(work.begun.is_set)
    handle.cancel()
    drive(lambda: handle.status.is_final and log.cancelled)
    rig.worker.emit_progress(handle.job, 0.5)  # type: ignore[arg-type]
    attempt = run_of(handle).attempt
    assert attempt is not None
    run_of(handle).report_progress(attempt, 0.5, None, None, None)
    work.gate.open()
    rig.quiet()
    assert [type(event).__name__ for event in log] == ["JobStartedEvent", "JobCancelledEvent"]
    assert len(rig.log) == 0
    assert run_of(handle).late >= 2
    scoped.close()


# A14 (high)
@pytest.mark.parametrize("in_memory", [True, False])
def test_a_cache_that_cannot_write_fails_no_finished_job(make_rig: Callable[..., Rig], in_memory: bool) -> None:
    from qtorch import InMemoryCacheProvider

    class Full(InMemoryCacheProvider):
        def write(self, key: str, value: Any, ttl: float | None = None) -> None:
            raise OSError("no space left on device")

    Full.in_memory = in_memory
    rig = make_rig(cache=Full())
    work = rig.work("work", 42, is_open=True)
    handle = rig.dispatch("thread", cache=CachePolicy(key="k"))
    rig.end(handle)
    assert rig.types(handle) == ["Started", "Success"]
    assert work.calls == 1
    drive(lambda: rig.reports)


# -- the builder ------------------------------------------------------------------------------------------------------


# B1 (critical)
def test_a_built_job_is_dispatched_like_the_original(rig: Rig, own_runner: str) -> None:
    job = (
        JobBuilder(rig.job(own_runner))
        .with_timeout(timedelta(seconds=30))
        .with_retry(max_retries=3)
        .with_cache(key="k", ttl=300)
        .with_placeholder("...")
        .build()
    )
    rig.work("work", 42, is_open=True)
    handle = rig.owner.dispatch(job)
    rig.end(handle)
    assert isinstance(handle.job, WorkJob)
    assert rig.types(handle) == ["Started", "Placeholder", "Success"]
    assert rig.log.successes[0].is_from(WorkJob)


# B2 (high)
def test_the_builder_keeps_the_options_the_job_had(rig: Rig) -> None:
    token = CancellationToken()

    class SlowJob(ThreadJob):
        default_options = JobOptions(timeout=9, priority=3)

    first = JobBuilder(SlowJob()).with_cancellation(token).with_retry(max_retries=2).with_metadata({"a": 1}).build()
    second = JobBuilder(first).with_placeholder(None).with_metadata({"b": 2}).build()
    work = rig.work()
    handle = rig.owner.dispatch(second)
    options = run_of(handle).options
    assert (options.timeout, options.priority, options.placeholder) == (9.0, 3, None)
    assert options.retry is not None
    assert options.retry.max_retries == 2
    assert options.metadata == {"a": 1, "b": 2}
    drive(work.begun.is_set)
    token.cancel()
    rig.quiet()
    assert handle.status is JobStatus.CANCELLED

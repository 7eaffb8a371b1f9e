"""Jobs under code that misbehaves: dialogs in the wrong place, figures that are none, hanging caches, stopped loops."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from qtorch import (
    SEQUENTIAL,
    BaseEvent,
    BaseExecutor,
    BaseJob,
    CachePolicy,
    ErrorReport,
    ExecutorNotFoundError,
    JobCancelled,
    JobFailure,
    JobProgressEvent,
    JobStatus,
    JobSuccess,
    RetryPolicy,
    executes,
)
from tests.qtorch.execution.rig import (
    Gate,
    NoState,
    Owner,
    Rig,
    SlowCache,
    ThreadJob,
    ThreadWorker,
    Work,
    drive,
    elsewhere,
)

pytestmark = pytest.mark.realtime


@dataclass(frozen=True)
class Said(BaseEvent):
    """Anything."""


class ReportJob(BaseJob[int]):
    """Reports how far it is."""


class Reporter(BaseExecutor[ReportJob]):
    def __init__(self, *first: Any) -> None:
        self.first = first
        self.gate = Gate()
        self.said = threading.Event()

    def process(self, job: ReportJob) -> int:
        for figure in self.first:
            self.emit_progress(job, figure)
        self.gate.wait()
        self.emit_progress(job, 0.2)
        self.emit_progress(job, 0.9)
        self.said.set()
        self.token(job).wait()
        return 1


# -- dialogs ----------------------------------------------------------------------------------------------------------


def test_a_dialog_in_error_occurred_lets_what_is_queued_go_on(rig: Rig) -> None:
    order: list[str] = []
    rig.runtime.bus.subscribe(lambda event: order.append("heard"), event_type=Said)

    def ask(report: ErrorReport) -> None:
        drive(lambda: order, "an event under the dialog")
        order.append("answered")

    rig.runtime.error_occurred.connect(ask)

    def work() -> None:
        rig.runtime.report(ErrorReport(ValueError("x"), "a cache"), user_code=False)
        rig.runtime.bus.emit(Said("x"))

    elsewhere(work)
    drive(lambda: len(order) == 2)
    assert order == ["heard", "answered"]


def test_a_dialog_in_should_retry_lets_what_is_queued_go_on(rig: Rig) -> None:
    order: list[str] = []
    rig.runtime.bus.subscribe(lambda event: order.append("heard"), event_type=Said)

    def ask(error: BaseException, attempt: int) -> bool:
        drive(lambda: order, "an event under the dialog")
        order.append("answered")
        return False

    rig.work("work", OSError("x"))
    handle = rig.dispatch("thread", retry=RetryPolicy(max_retries=1, should_retry=ask))
    drive(rig.works["work"].begun.is_set)
    rig.drain()
    queue = rig.runtime.bus.core.mailbox.queue
    rig.works["work"].gate.open()
    while not any(take.__name__ == "take_error" for take, _ in tuple(queue)):
        time.sleep(0.0005)
    rig.runtime.bus.emit(Said("x"))
    rig.end(handle)
    assert order == ["heard", "answered"]


# -- progress ---------------------------------------------------------------------------------------------------------


def test_a_figure_that_is_none_fails_its_job_and_disturbs_nobody(rig: Rig) -> None:
    rig.runtime.register(Reporter("50 %"))
    handle = rig.runtime.dispatcher.dispatch(ReportJob())
    rig.end(handle)
    assert isinstance(handle.outcome, JobFailure)
    assert isinstance(handle.outcome.error, TypeError)
    assert rig.reports == []
    rig.work(is_open=True)
    following = rig.dispatch("thread")
    rig.end(following)
    assert following.status is JobStatus.SUCCEEDED


def test_what_was_reported_before_a_cancel_of_another_thread_is_told_before_the_end(rig: Rig) -> None:
    reporter = Reporter(0.1)
    rig.runtime.register(reporter)
    handle = rig.runtime.dispatcher.dispatch(ReportJob())
    drive(lambda: rig.log.of(JobProgressEvent))
    reporter.gate.open()
    assert reporter.said.wait(10)
    elsewhere(handle.cancel)
    rig.end(handle)
    assert rig.types(handle) == ["Started", "Progress", "Progress", "Cancelled"]
    assert [event.progress for event in rig.log.of(JobProgressEvent)] == [0.1, 0.9]


# -- caches and loops -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("timeout", "limit"), [(5.0, 5.0), (None, 30.0)])
def test_a_cache_that_hangs_while_it_keeps_a_result_holds_the_job_up_for_so_long_only(
    make_rig: Callable[..., Rig], timeout: float | None, limit: float
) -> None:
    cache = SlowCache()
    cache.read_gate.open()
    rig = make_rig(cache=cache)
    rig.work(is_open=True)
    handle = rig.dispatch("thread", cache=CachePolicy(key="a"), timeout=timeout)
    drive(cache.writing.is_set)
    rig.drain()
    rig.clock.advance(limit - 0.1)
    rig.drain()
    assert rig.types(handle) == ["Started"]
    rig.clock.advance(0.2)
    rig.end(handle)
    assert handle.outcome == JobSuccess(42)
    cache.write_gate.open()
    drive(lambda: cache.written)
    rig.drain()
    assert rig.types(handle) == ["Started", "Success"]


class StopJob(BaseJob[None]):
    pass


@executes(StopJob)
async def stop_the_loop(job: StopJob) -> None:
    asyncio.get_running_loop().stop()


def test_a_loop_that_user_code_stopped_gives_failures_and_a_close_that_ends(rig: Rig) -> None:
    rig.runtime.register(stop_the_loop)
    rig.work(is_open=True)
    stopper = rig.runtime.dispatcher.dispatch(StopJob())
    loop = rig.runtime.dispatcher.services.loop.loop()
    drive(loop.is_closed)
    rig.end(stopper)
    handle = rig.dispatch("loop")
    rig.end(handle)
    assert isinstance(handle.outcome, JobFailure)
    assert "is closed" in str(handle.outcome.error)
    assert not rig.owner.has_active_jobs
    started = time.monotonic()
    rig.runtime.close(5)
    assert time.monotonic() - started < 2


class BlockingStopper(BaseExecutor[StopJob]):
    """Stops its loop, and holds it until its gate is opened."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.gate = Gate()

    async def process(self, job: StopJob) -> None:
        asyncio.get_running_loop().stop()
        self.stopped.set()
        self.gate.wait()


def test_what_is_dispatched_while_user_code_stops_the_loop_fails(rig: Rig) -> None:
    blocking = BlockingStopper()
    rig.runtime.register(blocking)
    rig.work()
    stopper = rig.runtime.dispatcher.dispatch(StopJob())
    drive(blocking.stopped.is_set)
    handles = [rig.dispatch("loop") for _ in range(5)]
    blocking.gate.open()
    rig.end(stopper, *handles)
    assert {handle.status for handle in handles} == {JobStatus.FAILED}
    assert rig.works["work"].calls == 0


# -- helpers and contexts ---------------------------------------------------------------------------------------------


def test_after_cancel_all_a_job_that_may_run_once_may_run_again(rig: Rig) -> None:
    rig.work()
    first = rig.owner.dispatch(ThreadJob())
    drive(rig.works["work"].begun.is_set)
    rig.owner.cancel_all()
    second = rig.owner.dispatch_if_not_running(ThreadJob())
    assert second is not None
    assert rig.owner.dispatch_if_not_running(ThreadJob()) is None
    rig.end(first)
    assert first.outcome == JobCancelled(None)
    second.cancel()


whose: contextvars.ContextVar[str] = contextvars.ContextVar("whose", default="nobody")


class ContextJob(BaseJob[str]):
    pass


@executes(ContextJob)
def take_context(job: ContextJob) -> str:
    before = whose.get()
    whose.set(job.id)
    return before


def test_what_a_job_sets_in_a_context_the_next_one_on_its_thread_does_not_see(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=1)
    rig.runtime.register(take_context)
    for _ in range(3):
        handle = rig.runtime.dispatcher.dispatch(ContextJob())
        rig.end(handle)
        assert handle.outcome == JobSuccess("nobody")


# -- the books --------------------------------------------------------------------------------------------------------


def test_lanes_of_one_name_are_counted_together(rig: Rig) -> None:
    rig.work()
    other = Owner(NoState(), runtime=rig.runtime)
    handles = [rig.dispatch("thread", lane="w", policy=SEQUENTIAL) for _ in range(2)]
    handles += [other.dispatch(rig.job("thread"), lane="w", policy=SEQUENTIAL) for _ in range(3)]
    figures = rig.runtime.snapshot()["lanes"]["w"]
    assert (figures["running"], figures["queued"]) == (2, 3)
    rig.open_all()
    rig.end(*handles)


class Meddled(dict[Any, Any]):
    """The registered executors, with something that another thread does in the middle of a look."""

    def __init__(self, known: dict[Any, Any], on: str, meddle: Callable[[], object]) -> None:
        super().__init__(known)
        self._on, self._meddle = on, [meddle]

    def _happen(self, name: str) -> None:
        if name == self._on and self._meddle:
            self._meddle.pop()()

    def get(self, key: Any, default: Any = None) -> Any:
        found = super().get(key, default)
        if found is not None:
            self._happen("get")
        return found

    def pop(self, key: Any, *default: Any) -> Any:
        self._happen("pop")
        return super().pop(key, *default)


def test_an_executor_replaced_in_the_middle_of_a_look_up_is_not_found_for_ever(rig: Rig) -> None:
    dispatcher = rig.runtime.dispatcher
    by_the_new = Work(is_open=True)
    replaced = ThreadWorker({"work": by_the_new})
    rig.work(is_open=True)
    dispatcher._registered = Meddled(dispatcher._registered, "get", lambda: dispatcher.register(replaced, replace=True))
    rig.end(rig.dispatch("thread"))
    assert by_the_new.calls == 0
    rig.end(rig.dispatch("thread"))
    assert by_the_new.calls == 1


def test_an_executor_looked_up_in_the_middle_of_its_leaving_is_not_found_for_ever(rig: Rig) -> None:
    dispatcher = rig.runtime.dispatcher
    rig.work(is_open=True)
    dispatcher._registered = Meddled(dispatcher._registered, "pop", lambda: rig.dispatch("thread"))
    dispatcher.unregister(ThreadJob)
    with pytest.raises(ExecutorNotFoundError):
        rig.dispatch("thread")
    rig.quiet()

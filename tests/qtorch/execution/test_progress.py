"""How far a job is: told at most once a frame, and never too late."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from qtorch import BaseExecutor, BaseJob, JobProgressEvent, JobStatus, RetryPolicy
from tests.qtorch.execution.rig import PATIENCE, Rig, drive, elsewhere, run_of

pytestmark = pytest.mark.realtime

FRAME = 0.016


class ReportJob(BaseJob[None]):
    pass


class Reporter(BaseExecutor[ReportJob]):
    """Reports what the test hands it, from its own thread."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self._next = threading.Semaphore(0)
        self._done = threading.Semaphore(0)
        self._what: Callable[[ReportJob], object] | None = None

    def process(self, job: ReportJob) -> None:
        self.begun.set()
        while True:
            assert self._next.acquire(timeout=PATIENCE)
            if self._what is None:
                return
            self._what(job)
            self._done.release()

    def do(self, what: Callable[[ReportJob], object]) -> None:
        """Have ``what(job)`` called in ``process``, and wait for it."""
        self._what = what
        self._next.release()
        assert self._done.acquire(timeout=PATIENCE)

    def finish(self) -> None:
        self._what = None
        self._next.release()


class Reporting:
    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.executor = Reporter()
        rig.runtime.register(self.executor)
        self.handle = rig.owner.dispatch(ReportJob())
        assert self.executor.begun.wait(PATIENCE)
        rig.drain()

    def report(self, *values: float, **options: Any) -> None:
        self.executor.do(lambda job: [self.executor.emit_progress(job, value, **options) for value in values])

    @property
    def told(self) -> list[float]:
        return [event.progress for event in self.rig.log.of(JobProgressEvent)]

    def finish(self) -> None:
        self.executor.finish()
        self.rig.end(self.handle)


@pytest.fixture
def reporting(rig: Rig) -> Reporting:
    return Reporting(rig)


def test_the_first_progress_is_told_at_once(reporting: Reporting) -> None:
    reporting.report(0.1)
    reporting.rig.drain()
    assert reporting.told == [0.1]
    assert reporting.handle.progress == 0.1
    reporting.finish()


def test_of_many_the_latest_is_told_when_the_frame_is_due(reporting: Reporting) -> None:
    rig = reporting.rig
    reporting.report(0.1)
    rig.drain()
    reporting.report(0.2, 0.3, 0.4)
    rig.drain()
    assert reporting.told == [0.1]
    rig.clock.advance(FRAME - 0.001)
    rig.drain()
    assert reporting.told == [0.1]
    rig.clock.advance(0.001)
    rig.drain()
    assert reporting.told == [0.1, 0.4]
    reporting.report(0.5)
    rig.drain()
    assert reporting.told == [0.1, 0.4]
    rig.clock.advance(FRAME)
    rig.drain()
    assert reporting.told == [0.1, 0.4, 0.5]
    reporting.finish()


def test_what_is_pending_is_told_just_before_the_end(reporting: Reporting) -> None:
    reporting.report(0.1)
    reporting.rig.drain()
    reporting.report(0.2, 1.0)
    reporting.finish()
    assert reporting.told == [0.1, 1.0]
    assert reporting.rig.types(reporting.handle) == ["Started", "Progress", "Progress", "Success"]


@pytest.mark.parametrize("how", ["elsewhere", "deadline"])
def test_what_is_pending_is_told_before_an_end_that_comes_from_outside(rig: Rig, how: str) -> None:
    executor = Reporter()
    rig.runtime.register(executor)
    handle = rig.owner.dispatch(ReportJob(), deadline=50)
    assert executor.begun.wait(PATIENCE)
    rig.drain()
    executor.do(lambda job: executor.emit_progress(job, 0.1))
    rig.drain()
    executor.do(lambda job: executor.emit_progress(job, 0.9))
    if how == "elsewhere":
        executor.do(lambda job: handle.cancel())
    else:
        rig.clock.advance(50)
    executor.finish()
    rig.end(handle)
    assert rig.types(handle)[:3] == ["Started", "Progress", "Progress"]
    assert rig.types(handle)[3] in ("Cancelled", "Timeout")
    rig.quiet()


def test_progress_after_the_end_is_dropped_and_counted(reporting: Reporting) -> None:
    reporting.handle.cancel()
    reporting.rig.end(reporting.handle)
    before = run_of(reporting.handle).late
    reporting.report(0.5)
    reporting.rig.drain()
    assert reporting.told == []
    assert run_of(reporting.handle).late == before + 1
    reporting.executor.finish()
    reporting.rig.quiet()


def test_progress_of_an_attempt_that_was_given_up_is_dropped(rig: Rig) -> None:
    executor = Reporter()
    rig.runtime.register(executor)
    handle = rig.owner.dispatch(ReportJob(), timeout=5, retry=RetryPolicy(max_retries=1, base_delay=10))
    assert executor.begun.wait(PATIENCE)
    rig.drain()
    rig.clock.advance(5)
    drive(lambda: handle.status is JobStatus.WAITING)
    executor.do(lambda job: executor.emit_progress(job, 0.9))
    rig.drain()
    assert rig.log.of(JobProgressEvent) == []
    handle.cancel()
    executor.finish()
    rig.quiet()


@pytest.mark.parametrize(
    ("value", "told"), [(-1, 0.0), (0.5, 0.5), (7, 1.0), (math.inf, 1.0), (math.nan, 0.0), (True, 1.0)]
)
def test_figures_out_of_range_are_clamped_and_never_fail_the_work(
    reporting: Reporting, value: float, told: float
) -> None:
    reporting.report(value)
    reporting.finish()
    assert reporting.told == [told]
    assert reporting.handle.status is JobStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("current", "total", "told"), [(3, 10, 0.3), (0, 10, 0.0), (12, 10, 1.0), (1, 0, 0.0), (1, -5, 0.0)]
)
def test_steps_carry_their_counts_and_their_quotient(
    reporting: Reporting, current: int, total: int, told: float
) -> None:
    executor = reporting.executor
    executor.do(lambda job: executor.emit_step(job, current, total, message="copying"))
    reporting.finish()
    [event] = reporting.rig.log.of(JobProgressEvent)
    assert (event.progress, event.message, event.current_step, event.total_steps) == (told, "copying", current, total)


def test_progress_that_outruns_the_start_is_told_after_it(make_rig: Callable[..., Rig]) -> None:
    for _ in range(20):
        rig = make_rig()
        executor = Reporter()
        rig.runtime.register(executor)
        handle = rig.owner.dispatch(ReportJob())
        assert executor.begun.wait(PATIENCE)
        executor.do(lambda job, executor=executor: executor.emit_progress(job, 0.5))
        executor.finish()
        rig.end(handle)
        assert rig.types(handle) == ["Started", "Progress", "Success"]


def test_a_flood_of_progress_costs_no_memory_and_every_end_is_told(rig: Rig) -> None:
    stop = threading.Event()
    begun = threading.Semaphore(0)

    class Flooding(BaseExecutor[ReportJob]):
        def process(self, job: ReportJob) -> None:
            begun.release()
            while not stop.is_set():
                self.emit_progress(job, 0.5)

    rig.runtime.register(Flooding())
    handles = [rig.owner.dispatch(ReportJob()) for _ in range(2)]
    longest = 0
    for _ in handles:
        begun.acquire(timeout=PATIENCE)
    end = time.monotonic() + 0.2
    while time.monotonic() < end:
        longest = max(longest, len(rig.runtime.bus.core.mailbox.queue))
        rig.drain()
    stop.set()
    rig.end(*handles)
    assert longest < 20
    assert len(rig.log.of(JobProgressEvent)) <= 4, "fake time stands still: the first, and what was pending at the end"
    assert len(rig.log.successes) == 2


@pytest.mark.parametrize("how", ["cancel", "deadline"])
def test_a_flood_of_progress_with_a_slow_listener_cannot_put_off_an_end_from_elsewhere(rig: Rig, how: str) -> None:
    reports = threading.Semaphore(0)

    class Flooding(BaseExecutor[ReportJob]):
        def process(self, job: ReportJob) -> None:
            while not self.token(job).is_cancelled:
                self.emit_progress(job, 0.5)
                reports.release()

    def slow(event: JobProgressEvent) -> None:
        for _ in range(3):  # so that there is another report by the time it returns
            reports.acquire(timeout=PATIENCE)
            while reports.acquire(blocking=False):
                pass

    rig.runtime.register(Flooding())
    rig.runtime.bus.subscribe(slow, event_type=JobProgressEvent)
    handle = rig.owner.dispatch(ReportJob(), deadline=50)
    drive(lambda: rig.log.of(JobProgressEvent))
    if how == "cancel":
        elsewhere(handle.cancel)
    else:
        rig.clock.advance(50)
    drive(lambda: run_of(handle).is_ended, "the end of the job")
    rig.quiet()


# -- what else an executor can ask for --------------------------------------------------------------------------------


def test_checkpoint_raises_once_the_job_is_cancelled(rig: Rig) -> None:
    class Careful(BaseExecutor[ReportJob]):
        def process(self, job: ReportJob) -> None:
            begun.set()
            while True:
                self.checkpoint(job)

    begun = threading.Event()
    rig.runtime.register(Careful())
    handle = rig.owner.dispatch(ReportJob())
    begun.wait(PATIENCE)
    handle.cancel()
    rig.quiet()
    assert rig.types(handle)[-1] == "Cancelled"
    assert not handle.is_working


def test_a_job_that_does_not_run_has_no_token_and_progress_of_it_is_nobodys(rig: Rig) -> None:
    executor = Reporter()
    rig.runtime.register(executor)
    job = ReportJob()
    with pytest.raises(RuntimeError, match="not running"):
        executor.token(job)
    with pytest.raises(RuntimeError, match="not running"):
        executor.checkpoint(job)
    executor.emit_progress(job, 0.5)
    executor.emit_step(job, 1, 2)
    rig.drain()
    assert len(rig.log) == 0

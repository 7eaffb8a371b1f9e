"""A runner of the user's own: what it is given, what it has to say, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

from qtorch import Attempt, BaseExecutor, BaseJob, JobFailure, JobItemsEvent, JobStatus, JobSuccess, Runner
from tests.qtorch.execution.rig import Rig, drive, run_of

if TYPE_CHECKING:
    from qtorch import JobHandle

pytestmark = pytest.mark.realtime


class OneThread(Runner):
    """One thread, which serves when the test lets it."""

    def __init__(self) -> None:
        self.calls: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self.open = threading.Event()
        self.open.set()
        self.stopped: list[Attempt] = []
        self.gone: list[Attempt] = []
        self.late: list[Attempt] = []
        self.closed = 0
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        while (call := self.calls.get()) is not None:
            self.open.wait()
            call()
            del call

    def submit(self, attempt: Attempt, process: Callable[[Any], Any]) -> bool:
        self.calls.put(lambda: self.work(attempt, process))
        return False

    def work(self, attempt: Attempt, process: Callable[[Any], Any]) -> None:
        if attempt.take():
            attempt.tell_begun()
            attempt.do(process)

    def stop(self, attempt: Attempt) -> None:
        assert attempt.token.is_cancelled
        self.stopped.append(attempt)

    def withdrawn(self, attempt: Attempt) -> None:
        self.gone.append(attempt)

    def ended(self, attempt: Attempt) -> None:
        self.late.append(attempt)

    def call(self, function: Callable[[], object]) -> None:
        self.calls.put(function)

    def close(self) -> None:
        self.closed += 1
        self.open.set()
        self.calls.put(None)
        self.thread.join(10)


class DeviceJob(BaseJob[object]):
    what: str = "where"


class Device(BaseExecutor[DeviceJob]):
    runner: Any

    def __init__(self, runner: Any) -> None:
        self.runner = runner
        self.closed_in: int | None = None

    def process(self, job: DeviceJob) -> object:
        return getattr(self, job.what)(job)

    def where(self, job: DeviceJob) -> int:
        self.emit_progress(job, 0.5)
        return threading.get_ident()

    def stream(self, job: DeviceJob) -> Iterator[int]:
        yield from range(3)

    def wait(self, job: DeviceJob) -> None:
        self.token(job).wait()
        self.checkpoint(job)

    def exit(self, job: DeviceJob) -> None:
        raise SystemExit(3)

    def close(self) -> None:
        self.closed_in = threading.get_ident()


@pytest.fixture
def device(rig: Rig) -> Device:
    made = Device(OneThread())
    rig.runtime.register(made)
    return made


def start(rig: Rig, what: str, **options: Any) -> JobHandle[object]:
    return rig.runtime.dispatcher.dispatch(DeviceJob(what=what), **options)


def test_a_runner_given_as_an_object_does_the_work(rig: Rig, device: Device) -> None:
    handle = start(rig, "where")
    assert handle.status is JobStatus.QUEUED
    rig.end(handle)
    assert handle.outcome == JobSuccess(device.runner.thread.ident)
    assert rig.types(handle) == ["Started", "Progress", "Success"]


def test_it_streams(rig: Rig, device: Device) -> None:
    handle = start(rig, "stream")
    rig.end(handle)
    events = rig.log.for_job(handle.id)
    assert [item for event in events if isinstance(event, JobItemsEvent) for item in event.items] == [0, 1, 2]
    assert handle.outcome == JobSuccess(2)


def test_sys_exit_is_the_failure_of_the_job(rig: Rig, device: Device) -> None:
    handle = start(rig, "exit")
    rig.end(handle)
    assert isinstance(handle.outcome, JobFailure)
    assert isinstance(handle.outcome.error, SystemExit)


def test_it_hears_that_work_is_to_stop_and_that_it_has_ended_at_last(rig: Rig, device: Device) -> None:
    handle = start(rig, "wait", timeout=5)
    drive(lambda: handle.status is JobStatus.RUNNING)
    attempt = run_of(handle).attempt
    assert attempt is not None
    assert attempt.job == handle.job
    rig.clock.advance(5)
    rig.end(handle)
    assert handle.status is JobStatus.TIMED_OUT
    assert device.runner.stopped == [attempt]
    rig.quiet()
    assert device.runner.late == [attempt]


def test_it_hears_of_work_that_will_never_begin(rig: Rig, device: Device) -> None:
    device.runner.open.clear()
    handle = start(rig, "where")
    handle.cancel()
    rig.end(handle)
    assert len(device.runner.gone) == 1
    assert not device.runner.stopped
    device.runner.open.set()
    rig.end(start(rig, "where"))
    assert rig.types(handle) == ["Cancelled"]


def test_the_executor_is_closed_where_it_works_and_then_the_runner_once(rig: Rig, device: Device) -> None:
    rig.end(start(rig, "where"))
    runner = device.runner
    rig.runtime.close()
    rig.runtime.close()
    assert device.closed_in == runner.thread.ident
    assert runner.closed == 1
    assert not runner.thread.is_alive()


def test_without_a_call_of_its_own_the_executor_is_closed_on_the_pool(rig: Rig) -> None:
    class Direct:
        """Not even a subclass."""

        def submit(self, attempt: Attempt, process: Callable[[Any], Any]) -> bool:
            attempt.take()
            attempt.do(process)
            return True

        def stop(self, attempt: Attempt) -> None:
            raise AssertionError

        withdrawn = ended = stop

    device = Device(Direct())
    rig.runtime.register(device)
    handle = start(rig, "where")
    rig.end(handle)
    assert handle.outcome == JobSuccess(threading.get_ident())
    rig.runtime.close()
    assert device.closed_in not in (None, threading.get_ident())


def test_what_the_close_of_a_runner_raises_is_reported_and_the_next_is_closed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.excepthook", lambda *_: None)

    class Raising(OneThread):
        def close(self) -> None:
            super().close()
            raise OSError("on purpose")

    class OtherJob(DeviceJob):
        pass

    class OtherDevice(Device):
        job_type = OtherJob

    first, second = Device(Raising()), OtherDevice(OneThread())
    rig.runtime.register(first, second)
    rig.runtime.close()
    assert second.runner.closed == 1
    assert [(report.where, str(report.error)) for report in rig.reports] == [("Raising.close", "on purpose")]

"""What is waited for before time passes, and what only waits itself."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from qtorch import BaseExecutor, BaseJob, JobStatus, executes
from qtorch.testing import FakeClock, FakeExecutor, StuckError, TestRuntime, gate, ok
from tests.qtorch.testing.searching import text

pytestmark = pytest.mark.realtime


class WorkJob(BaseJob[int]):
    number: int = 0


def does(runtime: TestRuntime, work: Callable[[Any], int]) -> None:
    """Have the thread job done by ``work(token)``."""

    @executes(WorkJob)
    def execute(job: WorkJob) -> int:
        return work(execute.token(job))

    runtime.register(execute)


@pytest.fixture
def clock(qtorch_clock: FakeClock) -> FakeClock:
    return qtorch_clock


def test_a_thread_that_works_is_waited_for(qtorch_runtime: TestRuntime, clock: FakeClock) -> None:
    def work(token: Any) -> int:
        time.sleep(0.05)
        return 1

    does(qtorch_runtime, work)
    handle = qtorch_runtime.dispatcher.dispatch(WorkJob())
    clock.settle()
    assert handle.status is JobStatus.SUCCEEDED


class Waits:
    """Ways in which a thread waits for the test, and how the test lets it go on."""

    def __init__(self, way: str) -> None:
        self._way = way
        self._event = threading.Event()
        self._queue: queue.Queue[int] = queue.Queue()
        self._condition = threading.Condition()
        self.has_begun = threading.Event()

    def wait(self, token: Any) -> int:
        self.has_begun.set()
        if self._way == "event":
            self._event.wait()
        elif self._way == "event with a long limit":
            self._event.wait(20)
        elif self._way == "queue":
            self._queue.get()
        else:
            with self._condition:
                self._condition.wait_for(self._event.is_set)
        return 1

    def let_go(self) -> None:
        self._event.set()
        self._queue.put(1)
        with self._condition:
            self._condition.notify_all()


@pytest.mark.parametrize("way", ["event", "event with a long limit", "queue", "condition"])
def test_a_thread_that_waits_for_the_test_is_not_waited_for_until_it_is_woken(
    qtorch_runtime: TestRuntime, clock: FakeClock, way: str
) -> None:
    waits = Waits(way)
    does(qtorch_runtime, waits.wait)
    handle = qtorch_runtime.dispatcher.dispatch(WorkJob())
    clock.settle()
    assert waits.has_begun.is_set()
    assert handle.status is JobStatus.RUNNING
    waits.let_go()
    clock.settle()
    assert handle.status is JobStatus.SUCCEEDED


def test_a_thread_that_is_woken_counts_at_once(qtorch_runtime: TestRuntime, clock: FakeClock) -> None:
    wanted: queue.Queue[int] = queue.Queue()
    given: list[int] = []

    def work(token: Any) -> int:
        while (number := wanted.get()) >= 0:
            given.append(number)
        return 1

    does(qtorch_runtime, work)
    handle = qtorch_runtime.dispatcher.dispatch(WorkJob())
    clock.settle()
    for number in range(300):
        wanted.put(number)
        clock.settle()
        assert given[-1:] == [number]
    wanted.put(-1)
    clock.settle()
    assert handle.status is JobStatus.SUCCEEDED


def test_a_thread_at_a_gate_is_not_waited_for(qtorch_runtime: TestRuntime, clock: FakeClock) -> None:
    door = gate()
    qtorch_runtime.register(FakeExecutor(WorkJob, steps=[door, ok(1)]))
    handle = qtorch_runtime.dispatcher.dispatch(WorkJob())
    clock.settle()
    assert (door.waiting, handle.status) == (1, JobStatus.RUNNING)
    door.release()
    clock.settle()
    assert handle.status is JobStatus.SUCCEEDED


def test_a_thread_that_waits_by_its_token_goes_on_when_time_has_passed(
    qtorch_runtime: TestRuntime, clock: FakeClock
) -> None:
    woken: list[float] = []

    def work(token: Any) -> int:
        for _ in range(3):
            token.wait(10)
            woken.append(clock.now())
        return 1

    does(qtorch_runtime, work)
    handle = qtorch_runtime.dispatcher.dispatch(WorkJob())
    clock.advance(9.9)
    assert woken == []
    clock.advance(20.2)
    assert woken == [10, 20, 30]
    assert handle.status is JobStatus.SUCCEEDED


def test_many_threads_are_all_waited_for(qtorch_runtime: TestRuntime, clock: FakeClock) -> None:
    def work(token: Any) -> int:
        time.sleep(0.002)
        return 1

    does(qtorch_runtime, work)
    handles = [qtorch_runtime.dispatcher.dispatch(WorkJob(number=number)) for number in range(40)]
    clock.settle()
    assert {handle.status for handle in handles} == {JobStatus.SUCCEEDED}


def test_what_a_coroutine_hands_to_a_thread_is_waited_for(qtorch_runtime: TestRuntime, clock: FakeClock) -> None:
    @executes(WorkJob)
    async def execute(job: WorkJob) -> int:
        await asyncio.sleep(0)
        await asyncio.to_thread(time.sleep, 0.05)
        return 1

    qtorch_runtime.register(execute)
    handle = qtorch_runtime.dispatcher.dispatch(WorkJob())
    clock.settle()
    assert handle.status is JobStatus.SUCCEEDED


def test_a_coroutine_that_waits_for_the_test_is_not_waited_for_until_it_is_woken(
    qtorch_runtime: TestRuntime, clock: FakeClock
) -> None:
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    @executes(WorkJob)
    async def execute(job: WorkJob) -> int:
        event = asyncio.Event()
        loops.append((asyncio.get_running_loop(), event))
        await event.wait()
        return 1

    qtorch_runtime.register(execute)
    handle = qtorch_runtime.dispatcher.dispatch(WorkJob())
    clock.settle()
    assert handle.status is JobStatus.RUNNING
    ((loop, event),) = loops
    loop.call_soon_threadsafe(event.set)
    clock.settle()
    assert handle.status is JobStatus.SUCCEEDED


def test_a_coroutine_that_blocks_its_loop_is_waited_for(qtorch_runtime: TestRuntime, clock: FakeClock) -> None:
    @executes(WorkJob)
    async def execute(job: WorkJob) -> int:
        time.sleep(0.05)
        return 1

    qtorch_runtime.register(execute)
    handle = qtorch_runtime.dispatcher.dispatch(WorkJob())
    clock.settle()
    assert handle.status is JobStatus.SUCCEEDED


class ProcessExecutor(BaseExecutor[WorkJob]):
    run_in = "process"

    def process(self, job: WorkJob) -> int:
        time.sleep(0.05)
        return job.number + 1


def test_a_process_that_works_is_waited_for(
    qtorch_runtime: TestRuntime, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A process takes its time to start, longer than work is waited for when much else goes on.
    monkeypatch.setattr("qtorch.testing.fake_clock._PATIENCE", 30.0)
    qtorch_runtime.register(ProcessExecutor())
    handle = qtorch_runtime.dispatcher.dispatch(WorkJob(number=6))
    clock.settle()
    assert handle.outcome is not None
    assert handle.outcome.unwrap() == 7


# -- work that does not end -------------------------------------------------------------------------------------------


class Deaf:
    """Work that polls, and ignores its token, until the test ends it."""

    def __init__(self, runtime: TestRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("qtorch.testing.fake_clock._PATIENCE", 0.1)
        self.stop = threading.Event()
        does(runtime, self._poll)
        self.handle = runtime.dispatcher.dispatch(WorkJob(), timeout=30)

    def _poll(self, token: Any) -> int:
        while not self.stop.is_set():
            time.sleep(0.001)
        return 1


@pytest.fixture
def deaf(qtorch_runtime: TestRuntime, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Any:
    deaf = Deaf(qtorch_runtime, monkeypatch)
    yield deaf
    deaf.handle.cancel()
    deaf.stop.set()


def test_work_that_does_not_end_is_waited_for_once_and_then_runs_out_of_time(
    deaf: Deaf, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.advance(1)
    # Waited for again, it would take an hour.
    monkeypatch.setattr("qtorch.testing.fake_clock._PATIENCE", 3600.0)
    for _ in range(28):
        clock.advance(1)
    assert deaf.handle.status is JobStatus.RUNNING
    monkeypatch.setattr("qtorch.testing.fake_clock._PATIENCE", 0.1)
    clock.advance(1)
    assert deaf.handle.status is JobStatus.TIMED_OUT


def test_settling_names_what_does_not_end(deaf: Deaf, clock: FakeClock) -> None:
    with pytest.raises(StuckError) as error:
        clock.settle()
    assert str(error.value) == (
        f"the test waited 0.1 s for what is still at work: {deaf.handle.id}.\n"
        "  Hold work by a gate(), which counts as at rest, or end it; let it wait by token.wait() or asyncio.sleep(), "
        "which follow the clock."
    )


def test_a_clock_that_never_comes_to_rest_names_what_is_scheduled(clock: FakeClock) -> None:
    def again() -> None:
        clock.call_later(10, again)

    again()
    with pytest.raises(StuckError) as error:
        clock.run_until_idle(limit=60)
    assert str(error.value) == text(
        f"""
        calls are still scheduled after 60 seconds of fake time:
            {__name__}.test_a_clock_that_never_comes_to_rest_names_what_is_scheduled.<locals>.again, due in 10 s
          Stop what starts itself anew, or give run_until_idle a longer limit.
        """
    )
    for call in clock.scheduled:
        call.cancel()

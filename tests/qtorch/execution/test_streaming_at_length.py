"""Long streams in real time: nothing is lost, little is kept, and the window lives on."""

from __future__ import annotations

import gc
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt, QTimer

from qtorch import (
    BaseExecutor,
    BaseJob,
    ClosedError,
    EventLog,
    JobHandle,
    JobItemsEvent,
    JobStatus,
    JobSuccess,
    Runtime,
    SignalBus,
)
from qtorch.execution.items import ROOM
from qtorch.execution.services import FRAME
from tests.qtorch.execution.rig import drive, qasync_loop, run_of

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

pytestmark = pytest.mark.realtime


class CountJob(BaseJob[Any]):
    items: int


class Row:
    """An item that is counted as long as it lives."""

    alive = 0
    lock = threading.Lock()

    def __init__(self) -> None:
        with self.lock:
            Row.alive += 1

    def __del__(self) -> None:
        with self.lock:
            Row.alive -= 1


class RowJob(CountJob):
    pass


class Counting(BaseExecutor[CountJob]):
    def process(self, job: CountJob) -> Iterator[int]:
        yield from range(job.items)


class CountingInLoop(BaseExecutor[CountJob]):
    async def process(self, job: CountJob) -> AsyncIterator[int]:
        for number in range(job.items):
            yield number


class Rows(BaseExecutor[RowJob]):
    def process(self, job: RowJob) -> Iterator[Row]:
        for _ in range(job.items):
            yield Row()


class RowsInLoop(BaseExecutor[RowJob]):
    async def process(self, job: RowJob) -> AsyncIterator[Row]:
        for _ in range(job.items):
            yield Row()


@pytest.fixture
def runtime(qapp: QApplication, runner: str) -> Iterator[Runtime]:
    executors = [Counting(), Rows()] if runner == "thread" else [CountingInLoop(), RowsInLoop()]
    if runner == "qasync":
        with qasync_loop(qapp) as loop:
            runtime = Runtime(executors=executors, loop=loop)
            yield runtime
            runtime.close()
    else:
        runtime = Runtime(executors=executors)
        yield runtime
        runtime.close()


def test_a_hundred_thousand_items_arrive_complete_and_in_order_while_the_window_lives(runtime: Runtime) -> None:
    told: list[int] = []
    events = most = 0

    def hear(event: JobItemsEvent[int]) -> None:
        nonlocal events, most
        events += 1
        told.extend(event.items)
        most = max(most, len(event.items))

    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)
    timer.start(16)
    runtime.bus.subscribe(hear, event_type=JobItemsEvent)
    started = time.monotonic()
    handle = runtime.dispatcher.dispatch(CountJob(items=100_000))
    drive(lambda: run_of(handle).is_ended)
    seconds = time.monotonic() - started
    timer.stop()
    assert told == list(range(100_000))
    assert handle.outcome == JobSuccess(99_999)
    assert most <= ROOM
    assert events <= seconds / FRAME + 2, "one event a frame, but for the first, and the last before the end"
    assert ticks > seconds / 0.016 / 2, "the window was not given its frames"


def test_a_slow_listener_bounds_what_is_kept(runtime: Runtime) -> None:
    gc.collect()
    before = Row.alive  # those that the last jobs of another test still keep
    peak = 0
    count = 0

    def slow(event: JobItemsEvent[Row]) -> None:
        nonlocal peak, count
        time.sleep(0.05)
        count += len(event.items)
        peak = max(peak, Row.alive - before)

    runtime.bus.subscribe(slow, event_type=JobItemsEvent)
    handle = runtime.dispatcher.dispatch(RowJob(items=10_000))
    drive(lambda: run_of(handle).is_ended)
    assert count == 10_000
    assert peak <= 2 * ROOM + 2, "one batch that is told, one that waits, and what the producer has in its hand"


ENDS: list[Callable[[JobHandle[Any], SignalBus], object]] = [
    lambda handle, bus: handle.cancel(),
    lambda handle, bus: threading.Thread(target=handle.cancel).start(),
    lambda handle, bus: bus.close(),
    lambda handle, bus: threading.Thread(target=bus.close).start(),
    lambda handle, bus: None,  # its timeout
]


def test_a_stream_that_is_ended_at_any_moment_has_told_a_prefix_and_stops(runtime: Runtime) -> None:
    dice = random.Random(1)
    for number in range(200):
        bus = SignalBus.scoped()
        log = EventLog(bus)
        end = ENDS[number % len(ENDS)]
        timeout = dice.choice([0.001, 0.005, 0.02]) if number % len(ENDS) == 4 else None
        handle = runtime.dispatcher.dispatch(CountJob(items=10_000_000), bus=bus, timeout=timeout)
        moment = time.monotonic() + dice.choice([0, 0, 0.0005, 0.003, 0.018])
        drive(lambda moment=moment: time.monotonic() >= moment)  # type: ignore[misc]
        end(handle, bus)
        drive(lambda handle=handle: run_of(handle).is_ended and not handle.is_working)  # type: ignore[misc]
        drive(lambda: not runtime.dispatcher.services.working)
        items = [item for event in log.of(JobItemsEvent) for item in event.items]
        assert items == list(range(len(items)))
        assert handle.status in (JobStatus.CANCELLED, JobStatus.TIMED_OUT)
        assert log[-1].is_terminal
        assert len(log.terminal) == 1
        bus.close()
    counts = runtime.snapshot()["runners"]
    assert counts["threads"]["queued"] == counts["loop"]["tasks"] == 0


def test_close_returns_in_time_beside_streams_that_wait_for_room(qapp: QApplication) -> None:
    for _ in range(20):
        runtime = Runtime(executors=[Counting(), RowsInLoop()], threads=2)
        handles: list[JobHandle[Any]] = [
            runtime.dispatcher.dispatch(CountJob(items=10_000_000)),
            runtime.dispatcher.dispatch(RowJob(items=10_000_000)),
        ]
        drive(lambda handles=handles: all(run_of(handle).items is not None for handle in handles))  # type: ignore[misc]
        time.sleep(0.002)  # not for anything to happen: so that some wait for room and some do not yet
        started = time.monotonic()
        runtime.close(timeout=5)
        assert time.monotonic() - started < 4
        assert all(handle.status is JobStatus.CANCELLED and not handle.is_working for handle in handles)
        with pytest.raises(ClosedError):
            runtime.dispatcher.dispatch(CountJob(items=1))

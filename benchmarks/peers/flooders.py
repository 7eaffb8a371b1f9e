"""Threads that flood a window with what they report: qtorch, QRunnables and superqt generators."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from time import monotonic
from typing import Literal, TypeAlias

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, QTimer, Signal, Slot
from PySide6.QtWidgets import QLabel

from benchmarks.peers.superqt_workers import create_worker
from benchmarks.peers.with_qtorch import NumberJob, a_runtime
from qtorch import (
    BaseEvent,
    BaseExecutor,
    BaseJob,
    BaseOrchestrator,
    BaseState,
    JobProgressEvent,
    JobSuccessEvent,
    bind,
)

Start: TypeAlias = Callable[[Callable[[], None]], None]
"""Begins the flood; calls what it is given when every thread's end was told."""

USUAL_INTERVAL = 0.005
"""Seconds: Python's default switch interval, which those have who do not call ``Runtime.exec()``."""


def python_work() -> None:
    """Hold the GIL for a tenth of a millisecond."""
    sum(range(5_000))


class FloodJob(BaseJob[int]):
    """Floods for so long: by reports, by Python work with checkpoints, or by events of its own."""

    seconds: float
    how: Literal["reports", "work", "events"] = "reports"


@dataclass(frozen=True)
class Measured(BaseEvent):
    """An event of the application."""

    value: int


class Flooder(BaseExecutor[FloodJob]):
    """Floods for as long as the job says."""

    def __init__(self, emit: Callable[[BaseEvent], object]) -> None:
        self.emit = emit

    def process(self, job: FloodJob) -> int:
        end, calls = monotonic() + job.seconds, 0
        while (now := monotonic()) < end:
            calls += 1
            match job.how:
                case "reports":
                    self.emit_progress(job, 1 - (end - now) / job.seconds)
                case "work":
                    python_work()
                    self.checkpoint(job)
                case "events":
                    self.emit(Measured("flood", calls))
        return calls


class FloodState(BaseState):
    """The latest report, and how many threads have ended."""

    progress: float = 0.0
    ended: int = 0


class Flooded(BaseOrchestrator[FloodState]):
    """Shows what floods it."""

    def on_progress(self, event: JobProgressEvent) -> None:
        self.update(progress=event.progress)

    def on_active_success(self, event: JobSuccessEvent[int]) -> None:  # noqa: ARG002
        self.update(ended=self.state.ended + 1)


@contextmanager
def qtorch_flood(
    threads: int, seconds: float, *, how: Literal["reports", "work", "events"] = "reports"
) -> Iterator[Start]:
    """Flood through qtorch."""
    with a_runtime(threads=max(4, threads)) as runtime:
        runtime.register(Flooder(runtime.bus.emit))
        window, label = Flooded(FloodState(), runtime=runtime), QLabel()
        bind(label, "text", window.select(lambda s: f"{s.progress:.3f} {s.ended}"))
        heard = count()
        runtime.bus.subscribe(lambda _: next(heard), event_type=Measured)

        def start(done: Callable[[], None]) -> None:
            def busy_changed(busy: bool) -> None:
                if not busy:
                    assert window.state.ended == threads, "the end of a job was not told"
                    done()

            window.busyChanged.connect(busy_changed)
            for _ in range(threads):
                window.dispatch(FloodJob(seconds=seconds, how=how))

        yield start


SHORT_JOBS = 5_000
"""That each feeding thread asks for."""


@contextmanager
def qtorch_short_jobs(threads: int) -> Iterator[Start]:
    """Flood with short jobs, which so many threads dispatch as fast as they can."""
    with a_runtime() as runtime:
        ended, feeders = count(1), list[threading.Thread]()

        def feed() -> None:
            for number in range(SHORT_JOBS):
                runtime.dispatcher.dispatch(NumberJob(number=number))

        def start(done: Callable[[], None]) -> None:
            def one_ended(_: object) -> None:
                if next(ended) == SHORT_JOBS * threads:
                    done()

            runtime.bus.subscribe(one_ended, event_type=JobSuccessEvent)
            feeders.extend(threading.Thread(target=feed) for _ in range(threads))
            for feeder in feeders:
                feeder.start()

        yield start
        for feeder in feeders:
            feeder.join()


class Signals(QObject):
    """What a Reporter tells."""

    progress = Signal(object)
    ended = Signal()


class Reporter(QRunnable):
    """Emits a signal for every report, as tutorials have it."""

    def __init__(self, signals: Signals, seconds: float, is_work: bool) -> None:
        super().__init__()
        self.signals, self.seconds, self.is_work = signals, seconds, is_work

    def run(self) -> None:
        end = monotonic() + self.seconds
        while (now := monotonic()) < end:
            if self.is_work:
                python_work()
            else:
                self.signals.progress.emit(1 - (end - now) / self.seconds)
        self.signals.ended.emit()


class PlainWindow(QObject):
    """A label, and a count of the threads that have not ended."""

    def __init__(self, threads: int, done: Callable[[], None]) -> None:
        super().__init__()
        self.label, self.left, self.done = QLabel(), threads, done

    @Slot(object)
    def show(self, value: float) -> None:
        self.label.setText(f"{value:.3f} {self.left}")

    @Slot()
    def one_ended(self) -> None:
        self.left -= 1
        if not self.left:
            self.done()


@contextmanager
def hand_written_flood(
    threads: int, seconds: float, *, is_work: bool = False, interval: float = USUAL_INTERVAL
) -> Iterator[Start]:
    """Flood through queued signals."""
    signals, pool, windows = Signals(), QThreadPool(maxThreadCount=threads), list[PlainWindow]()
    usual = sys.getswitchinterval()
    sys.setswitchinterval(interval)

    def start(done: Callable[[], None]) -> None:
        window = PlainWindow(threads, done)
        windows.append(window)
        signals.progress.connect(window.show, Qt.ConnectionType.QueuedConnection)
        signals.ended.connect(window.one_ended, Qt.ConnectionType.QueuedConnection)
        for _ in range(threads):
            pool.start(Reporter(signals, seconds, is_work))

    yield start
    pool.waitForDone()
    sys.setswitchinterval(usual)


@contextmanager
def superqt_flood(threads: int, seconds: float) -> Iterator[Start]:
    """Flood through what a generator yields."""
    pool, windows = QThreadPool.globalInstance(), list[PlainWindow]()
    usual = pool.maxThreadCount()
    pool.setMaxThreadCount(threads)

    def report() -> Iterator[float]:
        end = monotonic() + seconds
        while (now := monotonic()) < end:
            yield 1 - (end - now) / seconds

    def start(done: Callable[[], None]) -> None:
        window = PlainWindow(threads, done)
        windows.append(window)
        for _ in range(threads):
            create_worker(report, _connect={"yielded": window.show, "finished": window.one_ended})

    yield start
    pool.waitForDone()
    pool.setMaxThreadCount(usual)


@contextmanager
def no_flood(threads: int, seconds: float) -> Iterator[Start]:  # noqa: ARG001
    """Do nothing for as long."""
    yield lambda done: QTimer.singleShot(int(seconds * 1000), done)

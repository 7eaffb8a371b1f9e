"""How late the GUI thread is while four threads flood it: ``python -m benchmarks.floods [seconds]``.

A PreciseTimer ticks every 16 ms on the GUI thread; how much later than that a tick comes is what a user feels.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from time import monotonic, perf_counter

from PySide6.QtCore import QEventLoop, QObject, QRunnable, Qt, QThreadPool, QTimer, Signal
from PySide6.QtWidgets import QApplication, QLabel

from qtorch import (
    BaseEvent,
    BaseExecutor,
    BaseJob,
    BaseOrchestrator,
    BaseState,
    JobProgressEvent,
    JobSuccessEvent,
    Runtime,
    bind,
)

BUDGET = 0.016
"""Seconds that the 99th percentile may be late."""

_FRAME = 0.016
_THREADS = 4
_SHORT_JOBS = 20_000


@dataclass(frozen=True)
class Lateness:
    """How late ticks were, in seconds, and what was told meanwhile."""

    name: str
    p50: float
    p99: float
    longest: float
    note: str
    is_ours: bool
    """Whether there is a budget for it."""

    @property
    def is_met(self) -> bool:
        """Whether the budget is met, which peers have none of."""
        return not self.is_ours or self.p99 <= BUDGET

    def row(self) -> str:
        """Give the line of the table."""
        verdict = "met" if self.is_met else f"MISSED by {self.p99 / BUDGET - 1:.0%}"
        times = " ".join(f"{value * 1000:8.1f}" for value in (self.p50, self.p99, self.longest))
        return f"{self.name:<44} {times}  {verdict if self.is_ours else '-':<15} {self.note}"


HEADER = f"{'flood, 16 ms timer late by, ms':<44} {'p50':>8} {'p99':>8} {'max':>8}  {'p99 <= 16 ms':<15}"


def lateness_of(name: str, start: Callable[[Callable[[], None]], Callable[[], str]], *, is_ours: bool) -> Lateness:
    """Let ``start(done)`` begin a flood, and measure until ``done()`` is called; the note is what it gave then."""
    late: list[float] = []
    loop = QEventLoop()
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    before = perf_counter()

    def tick() -> None:
        nonlocal before
        now = perf_counter()
        late.append(max(0.0, now - before - _FRAME))
        before = now

    timer.timeout.connect(tick)
    timer.start(int(_FRAME * 1000))
    note = start(loop.quit)
    before = perf_counter()
    loop.exec()
    late.append(max(0.0, perf_counter() - before - _FRAME))  # a flood that let no tick through is late, not silent
    timer.stop()
    late.sort()
    return Lateness(
        name, late[len(late) // 2], late[math.ceil(0.99 * len(late)) - 1], late[-1], note(), is_ours=is_ours
    )


class FloodJob(BaseJob[int]):
    """Floods for so long, in one of three ways."""

    how: str
    seconds: float


class ShortJob(BaseJob[int]):
    """Is done at once."""

    number: int


@dataclass(frozen=True)
class Measured(BaseEvent):
    """A domain event."""

    value: int


class Flooder(BaseExecutor[FloodJob]):
    def __init__(self, emit: Callable[[BaseEvent], object]) -> None:
        self.emit = emit

    def process(self, job: FloodJob) -> int:
        end, calls = monotonic() + job.seconds, 0
        while (now := monotonic()) < end:
            calls += 1
            match job.how:
                case "progress":
                    self.emit_progress(job, 1 - (end - now) / job.seconds)
                case "checkpoint":
                    sum(range(2_000))
                    self.checkpoint(job)
                case "events":
                    self.emit(Measured("flood", calls))
        return calls


class ShortWorker(BaseExecutor[ShortJob]):
    def process(self, job: ShortJob) -> int:
        return job.number


class FloodState(BaseState):
    progress: float = 0.0
    ended: int = 0
    did: int = 0


class Flooded(BaseOrchestrator[FloodState]):
    """Shows what floods it."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(FloodState(), runtime=runtime)
        self.told = 0
        self.label = QLabel()
        bind(self.label, "text", self.select(lambda s: f"{s.progress:.3f} {s.ended}"))

    def on_progress(self, event: JobProgressEvent) -> None:
        self.told += 1
        self.update(progress=event.progress)

    def on_active_success(self, event: JobSuccessEvent[int]) -> None:
        self.update(ended=self.state.ended + 1, did=self.state.did + event.data)


def qtorch_flood(how: str, seconds: float) -> Lateness:
    """Measure one way of flooding through qtorch."""
    runtime = Runtime(threads=_THREADS)
    runtime.register(Flooder(runtime.bus.emit), ShortWorker())
    window = Flooded(runtime)
    # Counted, not kept: to collect a list of all events would be what takes the time.
    heard, ended = count(), count()
    runtime.bus.subscribe(lambda _: next(heard), event_type=Measured)
    jobs = _SHORT_JOBS if how == "jobs" else _THREADS

    def start(done: Callable[[], None]) -> Callable[[], str]:
        window.busyChanged.connect(lambda busy: None if busy else done())
        if how == "jobs":
            # By a worker, as an import would: a loop on the GUI thread would be what makes it late.
            def feed() -> None:
                for number in range(_SHORT_JOBS):
                    runtime.dispatcher.dispatch(ShortJob(number=number))

            def one_ended(_: object) -> None:
                if next(ended) == _SHORT_JOBS - 1:
                    done()

            runtime.bus.subscribe(one_ended, event_type=JobSuccessEvent)
            threading.Thread(target=feed).start()
            return lambda: f"{next(ended):,} of {jobs:,} ends told"
        for _ in range(_THREADS):
            window.dispatch(FloodJob(how=how, seconds=seconds))
        told = {"progress": lambda: f"{window.told:,} told", "events": lambda: f"{next(heard):,} heard"}
        more = told.get(how, lambda: "")
        return lambda: f"{window.state.ended} of {jobs} ends told, {window.state.did:,} calls {more()}"

    names = {
        "progress": "emit_progress",
        "checkpoint": "checkpoint, pure Python",
        "events": "bus.emit",
        "jobs": f"{_SHORT_JOBS:,} short jobs",
    }
    result = lateness_of(f"qtorch: {names[how]}", start, is_ours=how != "jobs")  # that has no budget
    runtime.close()
    return result


class _Signals(QObject):
    progress = Signal(float)
    ended = Signal(int)


class _Reporter(QRunnable):
    def __init__(self, signals: _Signals, seconds: float) -> None:
        super().__init__()
        self.signals, self.seconds = signals, seconds

    def run(self) -> None:
        end, calls = monotonic() + self.seconds, 0
        while (now := monotonic()) < end:
            calls += 1
            self.signals.progress.emit(1 - (end - now) / self.seconds)
        self.signals.ended.emit(calls)


def hand_written_flood(seconds: float) -> Lateness:
    """Measure four QRunnables that emit a signal for every report, as tutorials have it."""
    signals, label, pool = _Signals(), QLabel(), QThreadPool()
    shown, ended = [0], [0]

    def start(done: Callable[[], None]) -> Callable[[], str]:
        def show(value: float) -> None:
            shown[0] += 1
            label.setText(f"{value:.3f}")

        def one_ended(_: int) -> None:
            ended[0] += 1
            if ended[0] == _THREADS:
                done()

        signals.progress.connect(show, Qt.ConnectionType.QueuedConnection)
        signals.ended.connect(one_ended, Qt.ConnectionType.QueuedConnection)
        for _ in range(_THREADS):
            pool.start(_Reporter(signals, seconds))
        return lambda: f"{ended[0]} of {_THREADS} ends told, {shown[0]:,} told"

    return lateness_of("hand-written: QRunnable + queued signal", start, is_ours=False)


def nothing(seconds: float) -> Lateness:
    """Measure an idle application."""

    def start(done: Callable[[], None]) -> Callable[[], str]:
        QTimer.singleShot(int(seconds * 1000), done)
        return lambda: ""

    return lateness_of("nothing runs", start, is_ours=False)


def run_floods(seconds: float) -> bool:
    """Print every flood under both switch intervals; give whether those of ``runtime.exec()`` are within the budget.

    Python's default of 5 ms is shown for those who run their application without it.
    """
    usual, are_met = sys.getswitchinterval(), True
    try:
        for interval in (0.001, 0.005):
            sys.setswitchinterval(interval)
            which = "as runtime.exec() sets it" if interval == 0.001 else "Python's default"
            print(f"\nfor {seconds:g} s, switch interval {interval * 1000:g} ms ({which})\n{HEADER}", flush=True)
            floods: list[Callable[[], Lateness]] = [lambda: nothing(min(2.0, seconds))]
            floods += [
                lambda how=how: qtorch_flood(how, seconds) for how in ("progress", "checkpoint", "events", "jobs")
            ]
            for flood in (*floods, lambda: hand_written_flood(seconds)):
                result = flood()
                print(result.row(), flush=True)
                are_met &= result.is_met or interval != 0.001
    finally:
        sys.setswitchinterval(usual)
    return are_met


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication(sys.argv[:1])
    sys.exit(0 if run_floods(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0) else 1)

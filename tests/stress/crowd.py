"""A program in which a crowd of jobs, windows and receivers comes and goes on real threads and loops.

Run it as ``python -m tests.stress.crowd --jobs 20000 --seed 1 --loop qasync``; it prints its figures as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import json
import random
import sys
import threading
import time
import weakref
from collections import Counter, deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import shiboken6
from PySide6.QtCore import QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QWidget

from qtorch import (
    BaseEvent,
    BaseExecutor,
    BaseJob,
    BaseOrchestrator,
    BaseState,
    ClosedError,
    JobHandle,
    LanePolicy,
    Runtime,
    SignalBus,
    bind,
)
from qtorch.events import JobEvent

if TYPE_CHECKING:
    from qtorch.job.options import DispatchOptions

HANG = 240
"""Seconds after which faulthandler shows where it hangs."""

AT_ONCE = 150
"""Jobs that have not ended, above which no more are dispatched for a while."""

KINDS = ["quick"] * 6 + ["progress", "stream", "raise", "sleep", "wait", "wait"]


class CrowdJob(BaseJob[int]):
    kind: str = "quick"


class ThreadJob(CrowdJob):
    """On a thread."""


class LoopJob(CrowdJob):
    """On the loop."""


def litter() -> None:
    """Leave reference cycles to the collector, as all code does."""
    for _ in range(20):
        cycle: list[Any] = []
        cycle.append(cycle)


def numbers() -> Iterator[int]:
    """Stream more than there is room for."""
    for number in range(3_000):
        litter()
        yield number


class Threads(BaseExecutor[ThreadJob]):
    def process(self, job: ThreadJob) -> Any:
        litter()
        match job.kind:
            case "stream":
                return numbers()
            case "progress":
                for step in range(5):
                    self.emit_step(job, step, 5)
                    self.checkpoint(job)
            case "raise":
                raise OSError("on purpose")
            case "sleep":
                time.sleep(0.002)
            case "wait":
                self.token(job).wait(0.05)
        return 1


class Loop(BaseExecutor[LoopJob]):
    async def process(self, job: LoopJob) -> int:
        litter()
        match job.kind:
            case "progress":
                for step in range(5):
                    self.emit_step(job, step, 5)
                    await asyncio.sleep(0)
            case "raise":
                raise OSError("on purpose")
            case "sleep":
                await asyncio.sleep(0.002)
            case "wait":
                await asyncio.sleep(0.05)
        return 1


class CountState(BaseState):
    count: int = 0


class Tally(BaseOrchestrator[CountState]):
    """Keeps itself in a reference cycle, like many a window."""

    def __init__(self, crowd: Crowd, bus: SignalBus | None) -> None:
        super().__init__(CountState(), runtime=crowd.runtime, bus=bus)
        self.cycle = self
        self.crowd = crowd

    def on_active_event(self, event: JobEvent) -> None:
        self.update(count=self.state.count + 1)
        self.crowd.now_and_then()


class Receiver(QObject):
    """Hears everything by a bound method."""

    def __init__(self, bus: SignalBus) -> None:
        super().__init__()
        self.cycle = self
        self.heard = 0
        bus.subscribe(self.hear)

    def hear(self, event: BaseEvent) -> None:
        self.heard += 1


class Window(QWidget):
    """Shows the count of an orchestrator."""

    def __init__(self, counter: Tally) -> None:
        super().__init__()
        self.cycle = [self]
        self.label = QLabel(self)
        bind(self.label, "text", counter.select(lambda s: s.count), to=str)
        counter.running().subscribe(self.busy)

    def busy(self, is_busy: bool) -> None:
        self.setEnabled(not is_busy)


class Crowd:
    """What goes on, and the books of it."""

    def __init__(self, app: QApplication, jobs: int, seed: int, loop: Any) -> None:
        self.app = app
        self.random = random.Random(seed)
        self.runtime = Runtime(executors=[Threads(), Loop()], threads=4, loop=loop)
        self.to_go = jobs
        self.lock = threading.Lock()
        self.handles: dict[str, JobHandle[int]] = {}
        self.latest: deque[JobHandle[int]] = deque(maxlen=AT_ONCE)
        self.ended: Counter[str] = Counter()
        self.called_back: Counter[str] = Counter()
        self.late = 0
        self.wrong = 0
        self.nested = 0
        self.receivers: list[QObject] = []
        self.counters: list[Tally] = []
        self.alive: weakref.WeakSet[QObject] = weakref.WeakSet()
        self.made = 0
        self.other_bus = self.new_bus()
        self.runtime.bus.subscribe(self._record)
        self.timer = QTimer()
        self.timer.timeout.connect(self.turn)
        self.timer.start(0)
        self.elsewhere = threading.Thread(target=self._work_elsewhere, args=(seed + 1,))
        self.elsewhere.start()

    def new_bus(self) -> SignalBus:
        bus = SignalBus.scoped()
        bus.subscribe(self._record)
        return bus

    def _record(self, event: BaseEvent) -> None:
        assert isinstance(event, JobEvent)
        if event.job_id in self.ended:
            self.late += not event.is_terminal
            self.ended[event.job_id] += event.is_terminal
        elif event.is_terminal:
            self.ended[event.job_id] = 1

    def _call_back(self, handle: JobHandle[int]) -> None:
        self.called_back[handle.id] += 1
        self.wrong += handle.outcome is None or not handle.status.is_final

    # -- what goes on -------------------------------------------------------------------------------------------------

    def options(self, dice: random.Random) -> DispatchOptions:
        options: DispatchOptions = {}
        if dice.random() < 0.2:
            options["timeout"] = dice.choice([0.001, 0.01, 1.0])
        if dice.random() < 0.1:
            options["deadline"] = dice.choice([0.005, 0.05])
        if dice.random() < 0.2:
            options["retry"] = dice.choice([1, 2])
        if dice.random() < 0.3:
            policy = dice.choice(list(LanePolicy))
            options["lane"], options["policy"] = policy.value, policy
        return options

    def dispatch(self, dispatch: Any, dice: random.Random, **where: Any) -> None:
        """Dispatch one job; on any thread."""
        job = dice.choice([ThreadJob, LoopJob])(kind=dice.choice(KINDS))
        try:
            handle = dispatch(job, **where, **self.options(dice))
        except ClosedError:
            return
        with self.lock:
            self.to_go -= 1
            self.handles[handle.id] = handle
            self.latest.append(handle)
        handle.add_done_callback(self._call_back)

    @property
    def is_full(self) -> bool:
        return len(self.handles) - len(self.ended) >= AT_ONCE

    def turn(self) -> None:
        """Do a little of everything."""
        dice = self.random
        if self.to_go <= 0:
            self.timer.stop()
            self.app.quit()
            return
        while len(self.counters) < 8:
            self.counters.append(Tally(self, dice.choice([None, None, self.other_bus])))
        for _ in range(0 if self.is_full else dice.randrange(30)):
            self.dispatch(dice.choice(self.counters).dispatch, dice)
        self.add(Receiver(dice.choice([self.runtime.bus, self.other_bus])))
        self.add(Window(dice.choice(self.counters)))
        del self.receivers[: dice.randrange(4)]
        if dice.random() < 0.05:
            self.end_one(self.counters.pop(dice.randrange(len(self.counters))), dice)
        if dice.random() < 0.02:
            self.other_bus.close()
            self.other_bus = self.new_bus()
            self.counters = [one for one in self.counters if not one.bus.is_closed]
        for handle in self.some_handles(dice):
            handle.cancel("here")

    def add(self, receiver: QObject) -> None:
        """Keep a receiver for a while; then only the collector can find it."""
        self.receivers.append(receiver)
        self.alive.add(receiver)
        self.made += 1

    def some_handles(self, dice: random.Random) -> list[JobHandle[int]]:
        """Give one of the latest jobs, or none."""
        with self.lock:
            latest = list(self.latest)
        return [dice.choice(latest)] if latest and dice.random() < 0.5 else []

    def end_one(self, counter: Tally, dice: random.Random) -> None:
        match dice.randrange(4):
            case 0:
                counter.close()
            case 1:
                counter.close(keep_jobs=True)
            case 2:
                shiboken6.delete(counter)
            case 3:
                return  # the collector is to find it

    def now_and_then(self) -> None:
        """Open an event loop inside a hook; called by hooks."""
        if self.nested % 500 < 499 or self.runtime.is_closed:
            self.nested += 1
            return
        self.nested += 1
        if self.nested % 1000:
            loop = QEventLoop()
            QTimer.singleShot(5, loop.quit)
            loop.exec()
        else:
            dialog = QDialog()
            QTimer.singleShot(5, dialog.accept)
            dialog.exec()
            dialog.deleteLater()

    def _work_elsewhere(self, seed: int) -> None:
        """Dispatch and cancel on a thread of its own."""
        dice = random.Random(seed)
        while self.to_go > 0 and not self.runtime.is_closed:
            if not self.is_full:
                for _ in range(dice.randrange(5)):
                    self.dispatch(self.runtime.dispatcher.dispatch, dice)
            for handle in self.some_handles(dice):
                handle.cancel("elsewhere")
            time.sleep(0.001)

    # -- the end ------------------------------------------------------------------------------------------------------

    def figures(self) -> dict[str, Any]:
        services = self.runtime.dispatcher.services
        how = Counter(str(handle.status) for handle in self.handles.values())
        return {
            "jobs": len(self.handles),
            "lost": sum(one not in self.ended for one in self.handles),
            "double": sum(count > 1 for count in self.ended.values()),
            "late": self.late,
            "wrong": self.wrong + sum(self.called_back[one] != 1 for one in self.handles),
            "left": len(services.running) + len(services.working),
            "receivers": self.made,
            "collected": self.made - len(self.alive),
            "nested loops": self.nested // 500,
            **how,
        }


def main() -> int:
    """Run the crowd, and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--loop", choices=["own", "qasync"], default="own")
    given = parser.parse_args()
    faulthandler.enable()
    faulthandler.dump_traceback_later(HANG, exit=True)
    app = QApplication(sys.argv)
    app.setQuitOnLastWindowClosed(False)
    loop = None
    if given.loop == "qasync":
        import qasync

        loop = qasync.QEventLoop(app)
    started = time.monotonic()
    crowd = Crowd(app, given.jobs, given.seed, loop)
    code = crowd.runtime.exec()
    crowd.elsewhere.join()
    print(json.dumps(crowd.figures() | {"seconds": round(time.monotonic() - started, 1)}))
    return code


if __name__ == "__main__":
    sys.exit(main())

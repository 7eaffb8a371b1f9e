"""qtorch, all features on."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QLabel

from benchmarks.peers.tasks import Run, Work, nap, work, work_async
from qtorch import BaseJob, BaseOrchestrator, BaseState, JobFailureEvent, JobSuccessEvent, Runtime, bind, executes, on

NAME = "qtorch"


class NumberJob(BaseJob[int]):
    """Asks for its own number."""

    number: int


class NapJob(NumberJob):
    """Asks for it after a nap."""


class AsyncJob(NumberJob):
    """Asks for it from a coroutine."""


JOBS: dict[Work, type[NumberJob]] = {work: NumberJob, nap: NapJob, work_async: AsyncJob}


class NumbersState(BaseState):
    """The latest number, and how many there were."""

    latest: str = ""
    shown: int = 0


class Numbers(BaseOrchestrator[NumbersState]):
    """Shows each result."""

    @on(JobSuccessEvent, NumberJob)
    def _got(self, event: JobSuccessEvent[int]) -> None:
        self.update(latest=str(event.data))

    def on_active_failure(self, event: JobFailureEvent) -> None:
        raise RuntimeError(f"a job that cannot fail did: {event.error_message}")


@contextmanager
def a_runtime(**options: Any) -> Iterator[Runtime]:
    """Open a Runtime, with the switch interval that ``Runtime.exec()`` sets."""
    runtime, usual = Runtime(**options), sys.getswitchinterval()
    sys.setswitchinterval(0.001)

    @executes(NumberJob)
    def number(job: NumberJob) -> int:
        return work(job.number)

    @executes(NapJob)
    def sleeper(job: NapJob) -> int:
        return nap(job.number)

    @executes(AsyncJob)
    async def coroutine(job: AsyncJob) -> int:
        return await work_async(job.number)

    runtime.register(number, sleeper, coroutine)
    try:
        yield runtime
    finally:
        runtime.close()
        sys.setswitchinterval(usual)


class NumbersWindow:
    """A label bound to the latest number; ``all_shown`` is called when no job runs any more."""

    def __init__(self, runtime: Runtime, all_shown: Callable[[], object]) -> None:
        self.label, self.all_shown = QLabel(), all_shown
        self.numbers = Numbers(NumbersState(), runtime=runtime)
        bind(self.label, "text", self.numbers.select(lambda state: state.latest))
        self.numbers.busyChanged.connect(self._busy_changed)

    def _busy_changed(self, busy: bool) -> None:
        if not busy:
            assert self.label.text() == self.numbers.state.latest != ""
            self.all_shown()

    def start(self, function: Work, count: int) -> None:
        """Dispatch the jobs."""
        job = JOBS[function]
        for number in range(count):
            self.numbers.dispatch(job(number=number))


async def on_loop_of(runtime: Runtime, function: Work, count: int) -> None:
    """Dispatch jobs from a coroutine of the loop that the Runtime was given, and return when all are shown."""
    all_shown = asyncio.get_running_loop().create_future()
    window = NumbersWindow(runtime, lambda: all_shown.set_result(None))
    window.start(function, count)
    await all_shown


@contextmanager
def with_qtorch(threads: int, others: int = 0) -> Iterator[Run]:
    """Dispatch a job a job, beside so many other orchestrators."""
    with a_runtime(threads=threads) as runtime:
        loop = QEventLoop()
        window = NumbersWindow(runtime, loop.quit)
        beside = [Numbers(NumbersState(), runtime=runtime) for _ in range(others)]

        def run(function: Work, count: int) -> None:
            window.start(function, count)
            loop.exec()

        yield run
        for one in beside:
            one.close()

"""The same task with qtorch, all features on."""

from __future__ import annotations

from time import perf_counter

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QLabel

from benchmarks.hand_written import work
from qtorch import (
    BaseJob,
    BaseOrchestrator,
    BaseState,
    JobFailureEvent,
    JobSuccessEvent,
    Runtime,
    bind,
    executes,
    on,
)


class NumberJob(BaseJob[int]):
    """Asks for its own number."""

    number: int


@executes(NumberJob)
def number_executor(job: NumberJob) -> int:
    """Do the trivial work on a pool thread."""
    return work(job.number)


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
        self.update(latest=event.error_message)


class WithQtorch:
    """Dispatches jobs and shows their results in a bound label."""

    def __init__(self, runtime: Runtime, others: int = 0) -> None:
        self.label = QLabel()
        self.loop = QEventLoop()
        self.numbers = Numbers(NumbersState(), runtime=runtime)
        self.others = [Numbers(NumbersState(), runtime=runtime) for _ in range(others)]
        bind(self.label, "text", self.numbers.select(lambda s: s.latest))
        self.numbers.busyChanged.connect(self._busy_changed)

    def _busy_changed(self, busy: bool) -> None:
        if not busy:
            self.loop.quit()

    def burst(self, count: int) -> float:
        """Dispatch ``count`` jobs and wait until all are shown; seconds per job."""
        started = perf_counter()
        for number in range(count):
            self.numbers.dispatch(NumberJob(number=number))
        self.loop.exec()
        assert self.label.text() != ""
        return (perf_counter() - started) / count

"""Invariants 6, 12 and 13, each in its worst case; the details are tested in the rooms of handles and the Runtime."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest
from PySide6.QtCore import QObject

from qtorch import BaseJob, JobCancelled, JobSuccess, Runtime, executes
from tests.qtorch.execution.rig import PATIENCE, Rig, drive, run_of
from tests.qtorch.runtime.programs import run_program

pytestmark = pytest.mark.realtime


# -- 6 --------------------------------------------------------------------------------------------------------------


def test_everybody_who_ever_awaits_a_job_gets_its_outcome(rig: Rig) -> None:
    rig.work("good", "data")
    rig.work("cut off")
    good, cut_off = rig.dispatch("thread", "good"), rig.dispatch("loop", "cut off")
    results: list[Any] = []

    async def wait_for_all() -> None:
        results.append(await asyncio.gather(good.result(), cut_off.result(), good.result()))

    def start() -> threading.Thread:
        thread = threading.Thread(target=lambda: asyncio.run(wait_for_all()))
        thread.start()
        return thread

    threads = [start() for _ in range(5)]  # before the end
    drive(lambda: all(run_of(handle).waiters is not None for handle in (good, cut_off)))
    rig.works["good"].gate.open()
    rig.end(good)
    threads += [start() for _ in range(5)]  # between the two ends
    rig.runtime.close()
    threads += [start() for _ in range(5)]  # after the Runtime's
    for thread in threads:
        thread.join(PATIENCE)
    asyncio.run(wait_for_all())  # on the GUI thread, in a loop that Qt does not drive
    expected = [JobSuccess("data"), JobCancelled("runtime closed"), JobSuccess("data")]
    assert results == [expected] * 16


# -- 12 -------------------------------------------------------------------------------------------------------------


def test_a_program_that_ends_in_the_middle_of_everything_ends_cleanly() -> None:
    ended = run_program("""
        class NoiseJob(BaseJob[int]):
            n: int = 0
        class Noisy(BaseExecutor[NoiseJob]):
            def process(self, job):
                while True:
                    self.emit_step(job, job.n, 10)
                    runtime.bus.emit(BaseEvent("noise"))
                    self.checkpoint(job)
            def close(self):
                print("closed")
        class Retried(BaseJob[int]):
            pass
        @executes(Retried)
        async def retried(job):
            raise OSError
        class CountState(BaseState):
            count: int = 0
        class Window(BaseOrchestrator[CountState]):
            def on_passive_event(self, event):
                self.update(count=self.state.count + 1)
            def on_active_cancelled(self, event):
                try:
                    self.dispatch(QuickJob())          # too late
                except ClosedError:
                    pass
        runtime = Runtime(executors=[*EXECUTORS, Noisy(), retried], threads=4)
        window = Window(CountState())
        window.select(lambda s: s.count).subscribe(lambda _: None)
        for n in range(2):
            window.dispatch(NoiseJob(n=n))
            window.dispatch(WaitJob(), timeout=3600)
            window.dispatch(AsyncWaitJob(), deadline=3600)
            window.dispatch(Retried(), retry=RetryPolicy(max_retries=1000, base_delay=0.001, max_delay=0.001))
            window.dispatch(WaitJob(), lane="one", policy=SEQUENTIAL)
            window.dispatch(WaitJob(), cache=CachePolicy(key="k"), placeholder=None)
        handles = runtime.running_jobs
        QTimer.singleShot(100, app.quit)
        code = runtime.exec()
        print({handle.status.value for handle in handles}, any(handle.is_working for handle in handles))
        sys.exit(code)
    """)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == ["closed", "{'cancelled'} False"]


# -- 13 -------------------------------------------------------------------------------------------------------------


class Witness(QObject):
    """A Qt object in a cycle that notes in which thread, and inside what, it was destroyed."""

    inside: list[str]
    seen: list[tuple[int, str]]

    def __init__(self, inside: list[str], seen: list[tuple[int, str]]) -> None:
        super().__init__()
        self.itself = self
        self.destroyed.connect(lambda: seen.append((threading.get_ident(), inside[-1])))


def test_no_qt_object_is_collected_in_a_worker_or_inside_a_handler(qapp: QObject) -> None:
    inside = ["the event loop"]
    seen: list[tuple[int, str]] = []

    class LitterJob(BaseJob[None]):
        pass

    @executes(LitterJob)
    def litter(job: LitterJob) -> None:
        for _ in range(5_000):
            cycle: list[Any] = []
            cycle.append(cycle)

    def in_a_handler(_: object) -> None:
        inside.append("a handler")
        for _ in range(30):
            Witness(inside, seen)
        for _ in range(5_000):
            cycle: list[Any] = []
            cycle.append(cycle)
        inside.pop()

    gc.collect()
    runtime = Runtime(executors=[litter], threads=4)
    try:
        runtime.bus.subscribe(in_a_handler)
        handles = [runtime.dispatcher.dispatch(LitterJob()) for _ in range(10)]
        drive(lambda: all(handle.status.is_final for handle in handles) and len(seen) > 100)
    finally:
        runtime.close()
    assert {thread for thread, _ in seen} == {threading.get_ident()}
    assert {where for _, where in seen} == {"the event loop"}

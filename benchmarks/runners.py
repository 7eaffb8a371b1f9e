"""``python -m benchmarks.runners``: what a job costs on each runner, what a cancel does there, and what a crash."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from PySide6.QtCore import QCoreApplication, QEventLoop
from PySide6.QtWidgets import QApplication

from qtorch import BaseExecutor, BaseJob, JobHandle, Runtime

_SINGLE = 200
_BURST = 2_000
_PATIENCE = 30.0

_TITLES = (
    "runner", "first job", "next, idle", "per job, burst", "cancel, polite", "cancel, deaf for 1 s", "raises",
    "sys.exit", "kill -9",
)  # fmt: skip


class Task(BaseJob[int]):
    """Does what ``kind`` says; the class says where."""

    kind: str


class OnThread(Task):
    """Done by a plain function."""


class OnLoop(Task):
    """Done by a coroutine."""


class InProcess(Task):
    """Done in another process."""


def _do(kind: str) -> int:
    match kind:
        case "deaf":
            time.sleep(1.0)  # a C call that looks at no token
        case "raise":
            raise OSError("on purpose")
        case "exit":
            sys.exit(3)
        case "die":
            os.kill(os.getpid(), 9)
    return 1


class ThreadWorker(BaseExecutor[OnThread]):
    """On the thread pool."""

    def process(self, job: OnThread) -> int:
        if job.kind == "polite":
            self.token(job).wait(_PATIENCE)
            self.checkpoint(job)
        return _do(job.kind)


class ProcessWorker(BaseExecutor[InProcess]):
    """In the process pool."""

    runner = "process"

    def process(self, job: InProcess) -> int:
        if job.kind == "polite":
            self.token(job).wait(_PATIENCE)
            self.checkpoint(job)
        return _do(job.kind)


class LoopWorker(BaseExecutor[OnLoop]):
    """On the Runtime's loop."""

    async def process(self, job: OnLoop) -> int:
        if job.kind == "polite":
            await asyncio.sleep(_PATIENCE)
        return _do(job.kind)


def _until(condition: Callable[[], bool]) -> None:
    until = perf_counter() + _PATIENCE
    while not condition():
        # Blocks until something happens, as a window does.
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 10)
        if perf_counter() > until:
            raise TimeoutError("a job never ended")


def _one(runtime: Runtime, job: Task) -> float:
    loop = QEventLoop()
    started = perf_counter()
    runtime.dispatcher.dispatch(job).add_done_callback(lambda _: loop.quit())
    loop.exec()
    return perf_counter() - started


def _burst(runtime: Runtime, job_type: type[Task]) -> float:
    loop = QEventLoop()
    left = _BURST

    def done(_: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            loop.quit()

    started = perf_counter()
    for _ in range(_BURST):
        runtime.dispatcher.dispatch(job_type(kind="quick")).add_done_callback(done)
    loop.exec()
    return (perf_counter() - started) / _BURST


def _cancel(runtime: Runtime, job: Task) -> str:
    handle: JobHandle[Any] = runtime.dispatcher.dispatch(job)
    _until(lambda: handle.is_working)
    time.sleep(0.05)  # well inside its work
    started = perf_counter()
    handle.cancel()
    ended = perf_counter()
    _until(lambda: not handle.is_working)
    return f"ended after {_shown(ended - started)}, its work after {_shown(perf_counter() - started)}"


def _crash(runtime: Runtime, job: Task) -> str:
    handle: JobHandle[Any] = runtime.dispatcher.dispatch(job)
    _until(lambda: handle.outcome is not None)
    assert handle.outcome is not None
    return type(handle.outcome.error_or_none).__name__


def _shown(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} us" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"


@contextmanager
def _runtime(app: QApplication, *, is_qasync: bool) -> Iterator[Runtime]:
    loop = None
    if is_qasync:
        import qasync

        loop = qasync.QEventLoop(app, already_running=True)
    runtime = Runtime(executors=[ThreadWorker(), LoopWorker(), ProcessWorker()], loop=loop)
    try:
        yield runtime
    finally:
        runtime.close()


def main() -> None:
    """Measure each runner in turn and print the table."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication(sys.argv[:1])
    sys.setswitchinterval(0.001)  # as Runtime.exec() does
    # The qasync loop last: it makes itself the running loop of the thread.
    rows: list[tuple[str, type[Task], bool]] = [
        ("thread pool", OnThread, False),
        ("own asyncio loop", OnLoop, False),
        ("process pool", InProcess, False),
        ("qasync loop", OnLoop, True),
    ]
    print(f"| {' | '.join(_TITLES)} |\n|{'---|' * len(_TITLES)}")
    for name, job_type, is_qasync in rows:
        with _runtime(app, is_qasync=is_qasync) as runtime:
            cells = [
                name,
                _shown(_one(runtime, job_type(kind="quick"))),
                _shown(statistics.median(_one(runtime, job_type(kind="quick")) for _ in range(_SINGLE))),
                _shown(statistics.median(_burst(runtime, job_type) for _ in range(5))),
                _cancel(runtime, job_type(kind="polite")),
                "-" if is_qasync else _cancel(runtime, job_type(kind="deaf")),  # it would block the window itself
                _crash(runtime, job_type(kind="raise")),
                _crash(runtime, job_type(kind="exit")),
                _crash(runtime, job_type(kind="die")) if job_type is InProcess else "ends the application",
            ]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

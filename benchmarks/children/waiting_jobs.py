"""``python -m benchmarks.children.waiting_jobs CONTESTANT SIZE``: what so many jobs hold in memory while they wait."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from PySide6.QtCore import QThreadPool
from PySide6.QtWidgets import QApplication

from benchmarks.children.resources import memory
from benchmarks.peers import futures, hand_written, superqt_workers, with_qtorch
from benchmarks.peers.tasks import Window

opened = threading.Event()


def wait(number: int) -> int:
    """Hold the one thread there is."""
    opened.wait()
    return number


def with_qtorch_waiting(size: int, held: Callable[[], None]) -> None:
    """Dispatch them."""
    from qtorch import executes

    with with_qtorch.a_runtime(threads=1) as runtime:

        @executes(with_qtorch.NumberJob)
        def waiting(job: with_qtorch.NumberJob) -> int:
            return wait(job.number)

        runtime.dispatcher.register(waiting, replace=True)
        numbers = with_qtorch.Numbers(with_qtorch.NumbersState(), runtime=runtime)
        for number in range(size):
            numbers.dispatch(with_qtorch.NumberJob(number=number))
        held()
        opened.set()


def hand_written_waiting(size: int, held: Callable[[], None]) -> None:
    """Start them on a pool of one thread."""
    pool, window = QThreadPool(maxThreadCount=1), Window()
    for number in range(size):
        worker = hand_written.Worker(wait, number)
        worker.signals.result.connect(window.show_result)
        worker.signals.error.connect(window.show_error)
        worker.signals.finished.connect(window.one_ended)
        pool.start(worker)
    held()
    pool.clear()
    opened.set()
    pool.waitForDone()


def superqt_waiting(size: int, held: Callable[[], None]) -> None:
    """Create them with one thread in the pool."""
    pool, window = QThreadPool.globalInstance(), Window()
    pool.setMaxThreadCount(1)
    for number in range(size):
        superqt_workers.create_worker(wait, number, _connect={"returned": window.show_result})
    held()
    pool.clear()
    opened.set()
    pool.waitForDone()


def futures_waiting(size: int, held: Callable[[], None]) -> None:
    """Submit them to a pool of one thread."""
    results = futures.Results()
    with ThreadPoolExecutor(1) as pool:
        for number in range(size):
            pool.submit(wait, number).add_done_callback(results.done.emit)
        held()
        opened.set()
        pool.shutdown(cancel_futures=True)


CONTESTANTS: dict[str, Callable[[int, Callable[[], None]], None]] = {
    with_qtorch.NAME: with_qtorch_waiting,
    hand_written.NAME: hand_written_waiting,
    superqt_workers.CREATE_WORKER: superqt_waiting,
    futures.NAME: futures_waiting,
}


LARGEST = {superqt_workers.CREATE_WORKER: 10_000}
"""100,000 of its workers were not there after four minutes."""


def main(name: str, size: int) -> None:
    """Print the bytes a job."""
    app = QApplication([])
    before = memory()

    def held() -> None:
        print(json.dumps({"memory": (memory() - before) / size}), flush=True)

    CONTESTANTS[name](size, held)
    app.quit()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

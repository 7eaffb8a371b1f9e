"""``QThreadPool.start(callable)``, and one queued signal for all results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, Qt, QThreadPool, Signal

from benchmarks.peers.tasks import Run, Window, Work

NAME = "QThreadPool.start(callable)"


class Results(QObject):
    """Brings results to the GUI thread; an error is printed and lost."""

    ready = Signal(object)


@contextmanager
def pool_callable(threads: int) -> Iterator[Run]:
    """Start a closure a job."""
    window, pool, results = Window(), QThreadPool(maxThreadCount=threads), Results()
    results.ready.connect(window.show_last, Qt.ConnectionType.QueuedConnection)

    def run(function: Work, count: int) -> None:
        window.left = count
        for number in range(count):
            pool.start(lambda number=number: results.ready.emit(function(number)))
        window.loop.exec()

    yield run
    pool.waitForDone()

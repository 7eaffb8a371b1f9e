"""The hand-written QRunnable with a signals object, as PySide6 tutorials teach it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal, Slot

from benchmarks.peers.tasks import Run, Window, Work

NAME = "QRunnable + signals object"


class WorkerSignals(QObject):
    """A QRunnable is no QObject, so its signals live in one beside it."""

    result = Signal(object)
    error = Signal(tuple)
    finished = Signal()


class Worker(QRunnable):
    """Calls a function on a pool thread and signals what it gave."""

    def __init__(self, function: Work, number: int) -> None:
        super().__init__()
        self.function = function
        self.number = number
        self.signals = WorkerSignals()

    @Slot()
    def run(self) -> None:
        try:
            result = self.function(self.number)
        except Exception:  # noqa: BLE001 - as the tutorials have it
            self.signals.error.emit((*sys.exc_info()[:2], traceback.format_exc()))
        else:
            self.signals.result.emit(result)
        finally:
            self.signals.finished.emit()


@contextmanager
def hand_written(threads: int) -> Iterator[Run]:
    """Start a Worker a job."""
    window, pool = Window(), QThreadPool(maxThreadCount=threads)

    def run(function: Work, count: int) -> None:
        window.left = count
        for number in range(count):
            worker = Worker(function, number)
            worker.signals.result.connect(window.show_result)
            worker.signals.error.connect(window.show_error)
            worker.signals.finished.connect(window.one_ended)
            pool.start(worker)
        window.loop.exec()

    yield run
    pool.waitForDone()

"""The peer: a QRunnable with a signals object, as PySide6 tutorials teach it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from time import perf_counter

from PySide6.QtCore import QEventLoop, QObject, QRunnable, QThreadPool, Signal, Slot
from PySide6.QtWidgets import QLabel


class WorkerSignals(QObject):
    """A QRunnable is no QObject, so its signals live in one beside it."""

    result = Signal(object)
    error = Signal(tuple)
    finished = Signal()


class Worker(QRunnable):
    """Calls a function on a pool thread and signals what it gave."""

    def __init__(self, function: Callable[[int], int], number: int) -> None:
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


def work(number: int) -> int:
    """The trivial job."""
    return number


class HandWritten(QObject):
    """Starts workers and shows their results in a label."""

    def __init__(self) -> None:
        super().__init__()
        self.label = QLabel()
        self.loop = QEventLoop()
        self.running = 0
        self.pool = QThreadPool()

    @Slot(object)
    def show_result(self, number: int) -> None:
        self.label.setText(str(number))

    @Slot(tuple)
    def show_error(self, error: tuple[object, ...]) -> None:
        self.label.setText(str(error[1]))

    @Slot()
    def one_finished(self) -> None:
        self.running -= 1
        if not self.running:
            self.loop.quit()

    def burst(self, count: int) -> float:
        """Start ``count`` workers and wait until all are shown; seconds per worker."""
        started = perf_counter()
        self.running = count
        for number in range(count):
            worker = Worker(work, number)
            worker.signals.result.connect(self.show_result)
            worker.signals.error.connect(self.show_error)
            worker.signals.finished.connect(self.one_finished)
            self.pool.start(worker)
        self.loop.exec()
        return (perf_counter() - started) / count

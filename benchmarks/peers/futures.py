"""``concurrent.futures``, and one queued signal for all futures."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from benchmarks.peers.tasks import Run, Window, Work

NAME = "concurrent.futures + signal"


class Results(QObject):
    """Brings futures that are done to the GUI thread."""

    done = Signal(object)


class Taker(QObject):
    """Looks into each future for a window."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self.window = window

    @Slot(object)
    def take(self, future: Future[Any]) -> None:
        error = future.exception()
        if error is None:
            self.window.show_last(future.result())
        else:
            self.window.show_error(error)


@contextmanager
def futures(threads: int) -> Iterator[Run]:
    """Submit a function a job."""
    window, results = Window(), Results()
    taker = Taker(window)
    results.done.connect(taker.take, Qt.ConnectionType.QueuedConnection)
    with ThreadPoolExecutor(threads) as pool:

        def run(function: Work, count: int) -> None:
            window.left = count
            for number in range(count):
                pool.submit(function, number).add_done_callback(results.done.emit)
            window.loop.exec()

        yield run

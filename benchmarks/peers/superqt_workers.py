"""superqt: ``create_worker`` and ``thread_worker``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import QThreadPool

from benchmarks.peers.tasks import Run, Window, Work

os.environ.setdefault("QT_API", "pyside6")  # qtpy takes the first binding it finds otherwise
from superqt.utils import create_worker, thread_worker

CREATE_WORKER = "superqt create_worker"
THREAD_WORKER = "superqt thread_worker"


@contextmanager
def _on_the_global_pool(threads: int, start: Callable[[Window, Work, int], Any]) -> Iterator[Run]:
    # superqt knows no other pool.
    pool, window = QThreadPool.globalInstance(), Window()
    usual = pool.maxThreadCount()
    pool.setMaxThreadCount(threads)

    def run(function: Work, count: int) -> None:
        window.left = count
        for number in range(count):
            start(window, function, number)
        window.loop.exec()

    yield run
    pool.waitForDone()
    pool.setMaxThreadCount(usual)


def superqt_create_worker(threads: int) -> Any:
    """Create a worker a job."""
    return _on_the_global_pool(
        threads,
        lambda window, function, number: create_worker(
            function, number, _connect={"returned": window.show_last, "errored": window.show_error}
        ),
    )


def superqt_thread_worker(threads: int) -> Any:
    """Call a decorated function a job."""

    def start(window: Window, function: Work, number: int) -> None:
        thread_worker(
            function, connect={"returned": window.show_last, "errored": window.show_error}, start_thread=True
        )(number)

    return _on_the_global_pool(threads, start)

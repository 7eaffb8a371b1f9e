"""Bare asyncio tasks: on a qasync loop, and on a loop in a thread with a queued signal back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from benchmarks.peers.futures import Results, Taker
from benchmarks.peers.tasks import Run, Window, Work

QASYNC = "bare qasync tasks"
OWN_THREAD = "asyncio thread + signal"


async def on_this_loop(function: Work, count: int) -> None:
    """Start a task a job on the running loop, and return when all results are shown."""
    label, all_shown, left = QLabel(), asyncio.get_running_loop().create_future(), count
    tasks: set[asyncio.Task[int]] = set()

    def show(task: asyncio.Task[int]) -> None:
        nonlocal left
        tasks.discard(task)
        label.setText(str(task.result()))
        left -= 1
        if not left:
            all_shown.set_result(None)

    for number in range(count):
        task = asyncio.create_task(function(number))
        tasks.add(task)  # the loop holds it weakly
        task.add_done_callback(show)
    await all_shown


@contextmanager
def asyncio_thread(threads: int) -> Iterator[Run]:  # noqa: ARG001
    """Hand a coroutine a job to a loop that runs in a thread."""
    window, results = Window(), Results()
    taker = Taker(window)
    results.done.connect(taker.take, Qt.ConnectionType.QueuedConnection)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(function: Work, count: int) -> None:
        window.left = count
        for number in range(count):
            asyncio.run_coroutine_threadsafe(function(number), loop).add_done_callback(results.done.emit)
        window.loop.exec()

    yield run
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()

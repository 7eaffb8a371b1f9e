"""``python -m benchmarks.children.idle_window CONTESTANT SIZE SECONDS``: how often an idle window is woken.

It says "ready", waits for a line on stdin, idles, and prints its figures.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from PySide6.QtCore import QAbstractEventDispatcher, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QLabel

from benchmarks.children.resources import wake_ups
from benchmarks.peers.tasks import work

PLAIN, PSYGNAL = "the same window without", "psygnal queue"


@contextmanager
def plain(size: int) -> Iterator[object]:
    """Have labels only."""
    yield [QLabel(str(number)) for number in range(size)]


@contextmanager
def with_qtorch(size: int) -> Iterator[object]:
    """Have a Runtime whose threads have worked, and orchestrators that are shown."""
    from benchmarks.peers.with_qtorch import NumbersWindow, a_runtime

    with a_runtime() as runtime, ExitStack() as ending:
        loop = QEventLoop()
        windows = [NumbersWindow(runtime, loop.quit) for _ in range(size)]
        for window in windows:
            ending.callback(window.numbers.close)
        windows[0].start(work, 100)
        loop.exec()
        yield windows


@contextmanager
def psygnal_queue(size: int) -> Iterator[object]:
    """Have signals whose emissions of other threads are brought to this one."""
    import psygnal.qt
    from psygnal import Signal

    class Owner:
        changed = Signal(str)

    labels, owner = [QLabel() for _ in range(size)], Owner()
    for label in labels:
        owner.changed.connect(label.setText, check_nargs=False, thread="main")
    psygnal.qt.start_emitting_from_queue()
    yield labels, owner
    psygnal.qt.stop_emitting_from_queue()


CONTESTANTS: dict[str, Callable[[int], AbstractContextManager[object]]] = {
    "qtorch": with_qtorch,
    PLAIN: plain,
    PSYGNAL: psygnal_queue,
}


def idle(seconds: float) -> dict[str, int]:
    """Count what happens in so many seconds."""
    awake = 0

    def count() -> None:
        nonlocal awake
        awake += 1

    QAbstractEventDispatcher.instance().awake.connect(count)
    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    before = wake_ups()
    loop.exec()
    return {"of the event loop": awake, "of all threads": max(awake, wake_ups() - before)}


def main(name: str, size: int, seconds: float) -> None:
    """Idle, and print."""
    app = QApplication([])
    with CONTESTANTS[name](size):
        idle(0.3)  # what was begun settles
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(idle(seconds)), flush=True)
    app.quit()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))

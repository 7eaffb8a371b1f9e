"""The least that Qt can do: no work on a thread at all, only the way back to the label."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal

from benchmarks.peers.tasks import Run, Window, Work

POSTED_EVENT = "floor: one posted event"
QUEUED_SIGNAL = "floor: one queued signal"


class Result(QEvent):
    """Carries a number."""

    Kind = QEvent.Type(QEvent.registerEventType())

    def __init__(self, number: int) -> None:
        super().__init__(Result.Kind)
        self.number = number


class MainWindow(Window):
    """Shows the numbers that are posted to it."""

    def customEvent(self, event: QEvent) -> None:
        assert isinstance(event, Result)
        self.show_last(event.number)


class Source(QObject):
    """Emits a number."""

    ready = Signal(object)


@contextmanager
def posted_events(threads: int) -> Iterator[Run]:  # noqa: ARG001
    """Post an event a job."""
    window = MainWindow()

    def run(function: Work, count: int) -> None:
        window.left = count
        for number in range(count):
            QCoreApplication.postEvent(window, Result(function(number)))
        window.loop.exec()

    yield run


@contextmanager
def queued_signals(threads: int) -> Iterator[Run]:  # noqa: ARG001
    """Emit a signal with a queued connection a job."""
    window, source = Window(), Source()
    source.ready.connect(window.show_last, Qt.ConnectionType.QueuedConnection)

    def run(function: Work, count: int) -> None:
        window.left = count
        for number in range(count):
            source.ready.emit(function(number))
        window.loop.exec()

    yield run

"""Which thread an object of Qt lives on."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QObject, QThread


def lives_here(thing: QObject) -> bool:
    """Whether ``thing`` lives on the thread that asks."""
    app = QCoreApplication.instance()
    if app is not None and thing.thread() == app.thread():
        # Not QThread.currentThread(), which makes a wrapper of a thread that Python started: PySide6 6.9 crashes or
        # hangs when that goes, after the thread has.
        return QThread.isMainThread()
    return thing.thread() == QThread.currentThread()

"""Ctrl+C in a Qt application, without a timer."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QSocketNotifier

if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED = 130
"""The exit code of a process that Ctrl+C ended: 128 + SIGINT."""


@contextmanager
def quit_on_interrupt(app: QCoreApplication) -> Generator[None, None, None]:
    """Let Ctrl+C end ``app`` with exit code 130 meanwhile; an application's own handler is left alone.

    Python runs signal handlers between any two lines of Python: to quit there would close the Runtime in the middle of
    a drain, with a wake announced and not yet sent. So the handler does nothing; the signal writes its number to a
    socket, and the notifier's slot quits, between two events.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return

    def handle(_signal: int, _frame: FrameType | None) -> None:
        return

    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    notifier = QSocketNotifier(reader.fileno(), QSocketNotifier.Type.Read)

    def take() -> None:
        try:
            numbers = reader.recv(4096)
        except BlockingIOError:
            return
        if signal.SIGINT in numbers:
            app.exit(INTERRUPTED)

    notifier.activated.connect(take)
    previous_fd = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    previous = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        signal.set_wakeup_fd(previous_fd)
        notifier.setEnabled(False)
        reader.close()
        writer.close()

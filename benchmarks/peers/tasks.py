"""What all do: the work on another thread, and the window that shows its results."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

from PySide6.QtCore import QEventLoop, QObject, Slot
from PySide6.QtWidgets import QLabel

NAP = 0.005
"""Seconds that a napping job sleeps."""

Work: TypeAlias = Callable[[int], Any]
"""One of the functions below."""

Run: TypeAlias = Callable[[Work, int], None]
"""Does the work so many times, at once, and returns when the window has shown all results."""

Peer: TypeAlias = Callable[[int], AbstractContextManager[Run]]
"""Makes itself ready to work on so many threads, and closes."""


def work(number: int) -> int:
    """Do nothing much: what is left is what the way there and back costs."""
    return number


def nap(number: int) -> int:
    """Wait for something outside, as most jobs do."""
    time.sleep(NAP)
    return number


async def work_async(number: int) -> int:
    """Do nothing much, and let the loop turn once."""
    await asyncio.sleep(0)
    return number


class Window(QObject):
    """Shows each result in its label, and leaves its loop when none is missing.

    Nobody overrides its slots: PySide6 6.11.3 crashed (2 runs of 4) where a subclass in Python overrode one that
    queued signals of a pool's threads call.
    """

    def __init__(self) -> None:
        super().__init__()
        self.label = QLabel()
        self.loop = QEventLoop()
        self.left = 0

    @Slot(object)
    def show_result(self, number: int) -> None:
        self.label.setText(str(number))

    @Slot(object)
    def show_last(self, number: int) -> None:
        """Show the result of a job that tells nothing after it."""
        self.label.setText(str(number))
        self.one_ended()

    @Slot()
    def one_ended(self) -> None:
        self.left -= 1
        if not self.left:
            self.loop.quit()

    @Slot(object)
    def show_error(self, error: object) -> None:
        self.label.setText(str(error))
        raise RuntimeError(f"a job that cannot fail did: {error}")

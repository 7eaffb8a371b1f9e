"""Working the mailbox and the clock off from an asyncio loop that Qt does not drive.

Under ``asyncio.run`` or pytest-asyncio no Qt events are delivered while a coroutine waits, so whoever waits for a job
there, on the bus's own thread, would wait for ever.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

    from qtorch.bus.mailbox import Mailbox
    from qtorch.ports import Clock

_DRIVEN_BY_QT = ("qasync", "PySide6")


def is_foreign(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether ``loop`` runs without Qt's event loop."""
    return not any(cls.__module__.startswith(_DRIVEN_BY_QT) for cls in type(loop).__mro__)


@contextmanager
def driven_by(loop: asyncio.AbstractEventLoop, mailbox: Mailbox, clock: Clock) -> Generator[None, None, None]:
    """Have ``loop``, which is running on this thread, drive ``mailbox`` and ``clock`` as well."""
    driver: Any = mailbox.drivers.get(loop)
    if driver is None:
        driver = mailbox.drivers[loop] = _Driver(loop, mailbox, clock)
        driver.start()
    # One driver, however many wait: each wake would turn them all.
    driver.users += 1
    try:
        yield
    finally:
        driver.users -= 1
        if not driver.users:
            del mailbox.drivers[loop]
            driver.stop()


class _Driver:
    def __init__(self, loop: asyncio.AbstractEventLoop, mailbox: Mailbox, clock: Any) -> None:
        self._loop = loop
        self._mailbox = mailbox
        self.users = 0
        self._is_stopped = False
        self._clock = clock if hasattr(clock, "run_due") else None  # a FakeClock runs when it is told to
        self._timer: asyncio.TimerHandle | None = None
        self._stop_listening: Any = None

    def start(self) -> None:
        if self._clock is not None:
            self._stop_listening = self._clock.on_earlier(self.wake)
        self._loop.call_soon(self._turn)

    def stop(self) -> None:
        if self._stop_listening is not None:
            self._stop_listening()
        if self._timer is not None:
            self._timer.cancel()
        self._is_stopped = True  # a wake-up on its way finds nothing to do

    def wake(self) -> None:
        """Turn soon. Any thread."""
        try:
            self._loop.call_soon_threadsafe(self._turn)
        except RuntimeError:
            return  # closed meanwhile

    def _turn(self) -> None:
        if self._is_stopped:
            return
        if self._clock is not None:
            self._clock.run_due()
        self._mailbox.drain()
        if self._is_stopped or self._clock is None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._clock.first_due()
        if due != math.inf:
            self._timer = self._loop.call_later(max(0.0, due - self._clock.now()), self._turn)

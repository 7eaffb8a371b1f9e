"""Who waits for the end of a job."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from qtorch.bus.cursor import Step

_lock = threading.RLock()


class Waiters:
    """Futures and done callbacks of one run. Any thread."""

    __slots__ = ("callbacks", "futures")

    def __init__(self) -> None:
        self.callbacks: list[Callable[[Any], object]] = []
        self.futures: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}

    def release(self, handle: Any) -> list[Step]:
        """Wake the futures and give the callbacks as calls to make. The bus's thread."""
        for future, loop in self.futures.items():
            try:
                loop.call_soon_threadsafe(_wake, future)
            except RuntimeError:
                continue  # the loop is closed, and nobody waits in it any more
        return [(callback, (handle,), True) for callback in self.callbacks]


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():  # its waiter was cancelled
        future.set_result(None)


OVER = Waiters()
"""Stands in a run's slot once the job is over: whoever comes now need not wait."""


def add_future(run: Any, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None] | None:
    """Give a future of ``loop`` that is done when ``run`` is over; None if it is already."""
    with _lock:
        waiters = _waiters(run)
        if waiters is OVER:
            return None
        future: asyncio.Future[None] = loop.create_future()
        waiters.futures[future] = loop
        return future


def remove_future(run: Any, future: asyncio.Future[None]) -> None:
    """Forget a future whose waiter was cancelled."""
    with _lock:
        waiters: Waiters | None = run.waiters
        if waiters is not None:
            waiters.futures.pop(future, None)


def add_callback(run: Any, callback: Callable[[Any], object]) -> bool:
    """Have ``callback(handle)`` called when ``run`` is over; False if it is already."""
    with _lock:
        waiters = _waiters(run)
        if waiters is OVER:
            return False
        waiters.callbacks.append(callback)
        return True


def end(run: Any) -> Waiters | None:
    """Mark ``run`` as over and give who waited."""
    with _lock:
        waiters: Waiters | None = run.waiters
        run.waiters = OVER
        return waiters


def _waiters(run: Any) -> Waiters:
    if run.waiters is None:
        run.waiters = Waiters()
    waiters: Waiters = run.waiters
    return waiters

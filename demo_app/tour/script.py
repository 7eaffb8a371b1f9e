"""Running a coroutine step by step from a Qt timer, so that it meets the app as a user does: between events.

It is no asyncio task on purpose. Keys pressed in one would be handled inside that task, where the app may not close
and no dialog may run its own loop; from a timer they arrive as those of a keyboard do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")

_TICK_MS = 5


class TookTooLongError(Exception):
    """A script did not end within its limit."""


class Until:
    """``await Until(condition, seconds)``: go on when the condition holds, or give False when the time is up."""

    def __init__(self, condition: Callable[[], bool], seconds: float) -> None:
        self._condition, self._seconds = condition, seconds

    def __await__(self) -> Generator[None, None, bool]:
        end = time.monotonic() + self._seconds
        while not self._condition():
            if time.monotonic() > end:
                return False
            yield
        return True


class Elsewhere:
    """``await Elsewhere(pool, function)``: what a function gives on a thread of ``pool``; the window stays alive."""

    def __init__(self, pool: ThreadPoolExecutor, function: Callable[[], T]) -> None:
        self._future = pool.submit(function)

    def __await__(self) -> Generator[None, None, Any]:
        while not self._future.done():
            yield
        return self._future.result()


class Script(QObject):
    """Runs ``coroutine``, one tick at a time; ``done(error or None)`` is called at its end.

    Parameters
    ----------
    limit
        Seconds after which it is given up with a TookTooLongError.
    """

    def __init__(
        self, coroutine: Coroutine[None, None, None], done: Callable[[BaseException | None], object], limit: float
    ) -> None:
        super().__init__()
        self._coroutine, self._done = coroutine, done
        self._limit = limit
        self._end = time.monotonic() + limit
        self._is_in_step = False
        self._timer = QTimer(self, interval=_TICK_MS)
        self._timer.timeout.connect(self._step)
        self._timer.start()

    def _step(self) -> None:
        if self._is_in_step:  # a key has opened something with an event loop of its own
            return
        self._is_in_step = True
        try:
            if time.monotonic() > self._end:
                self._coroutine.throw(TookTooLongError(f"the whole took longer than {self._limit:g} s"))
            else:
                self._coroutine.send(None)
        except StopIteration:
            self._finish(None)
        except Exception as error:  # noqa: BLE001 - it is for whoever started the script, not for Qt
            self._finish(error)
        finally:
            self._is_in_step = False

    def _finish(self, error: BaseException | None) -> None:
        self._timer.stop()
        self._done(error)

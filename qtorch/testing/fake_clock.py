"""Time that passes when a test says so."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from qtorch.clock import ScheduledCall, TimerQueue
from qtorch.testing.parking import parked


class FakeClock:
    """A clock for tests: pass it as ``Runtime(clock=FakeClock())`` and :meth:`advance` it.

    Retry waits, timeouts, deadlines, cache lifetimes and ``token.wait()`` follow it. Calls are made by ``advance``, on
    the thread that calls it, which has to be the one that made the clock.

    Examples
    --------
    >>> clock = FakeClock()
    >>> _ = clock.call_later(30, lambda: print("half a minute later"))
    >>> clock.advance(29.9); clock.pending
    1
    >>> clock.advance(0.1)
    half a minute later
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._thread = threading.get_ident()
        self._queue = TimerQueue()

    def now(self) -> float:
        """Seconds since the start. Any thread."""
        return self._now

    def call_later(self, delay: float, callback: Callable[[], object]) -> ScheduledCall:
        """Call ``callback`` once time has been advanced by ``delay`` seconds. Any thread."""
        call, _ = self._queue.add(self._now + max(0.0, delay), callback)
        return call

    def lateness(self) -> float:
        """Give 0: fake time is never late."""
        return 0.0

    def wait(self, event: threading.Event, seconds: float | None) -> None:
        """Block this thread until ``event`` is set or time has been advanced by ``seconds``. Not the clock's thread."""
        timer = None if seconds is None else self.call_later(seconds, event.set)
        try:
            with parked(event):
                event.wait()
        finally:
            if timer is not None:
                timer.cancel()

    @property
    def pending(self) -> int:
        """How many calls are scheduled."""
        return len(self._queue)

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass, and make the calls that fall due on the way, each at its own time.

        Raises
        ------
        ValueError
            ``seconds`` is negative.
        RuntimeError
            Called on another thread than the clock was made on.
        """
        if seconds < 0:
            raise ValueError(f"time does not go back: advance({seconds})")
        if threading.get_ident() != self._thread:
            raise RuntimeError("a FakeClock is advanced on the thread that made it, where its calls belong")
        # Sums of decimal fractions fall short of what they mean: 29.9 + 0.1 is to reach a call at 30.
        end = self._now + seconds
        reach = end + max(1e-9, 4 * math.ulp(end))
        while (due := self._queue.first_due()) <= reach:
            self._now = max(self._now, due)
            callback = self._queue.take_due(reach)
            if callback is not None:
                callback()
        self._now = max(self._now, end)

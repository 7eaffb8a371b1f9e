"""The one port for time, on Qt's event loop."""

from __future__ import annotations

import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer

from qtorch.ports import call_excepthook

_LONGEST_MS = 2**31 - 1
"""QTimer's interval is a C int, 24.8 days; a longer delay is waited for in parts."""

_REARM = QEvent.Type(QEvent.registerEventType())


class ScheduledCall:
    """A call that a clock will make."""

    __slots__ = ("_owner", "callback", "due")

    def __init__(self, due: float, callback: Callable[[], object], owner: TimerQueue) -> None:
        self.due = due
        self.callback: Callable[[], object] | None = callback
        self._owner = owner

    def cancel(self) -> None:
        """Forget the call. Any thread; no effect when it was made already."""
        if self.callback is not None:
            self.callback = None
            self._owner.forget()


class TimerQueue:
    """Calls in the order in which they are due; thread-safe.

    Parameters
    ----------
    emptied
        Called on the canceller's thread when a call was cancelled and probably none is left.
    """

    def __init__(self, emptied: Callable[[], object] | None = None) -> None:
        self._emptied = emptied
        self._heap: list[tuple[float, int, ScheduledCall]] = []
        self._next_number = itertools.count().__next__
        # Re-entrant: a finalizer that cancels a call may run while it is held.
        self._lock = threading.RLock()
        self._dead = 0

    def add(self, due: float, callback: Callable[[], object]) -> tuple[ScheduledCall, bool]:
        """Add a call; give it, and whether it is now the first one due."""
        call = ScheduledCall(due, callback, self)
        with self._lock:
            heapq.heappush(self._heap, (due, self._next_number(), call))
            return call, self._heap[0][2] is call

    def forget(self) -> None:
        """Note that a call was cancelled; most timeouts are, so the dead are cleared away in bulk."""
        with self._lock:
            self._dead += 1
            if self._dead > 64 and self._dead * 2 > len(self._heap):
                self._heap = [entry for entry in self._heap if entry[2].callback is not None]
                heapq.heapify(self._heap)
                self._dead = 0
            is_empty = self._dead >= len(self._heap)
        if is_empty and self._emptied is not None:
            self._emptied()

    def first_due(self) -> float:
        """When the first call is due; infinity if there is none."""
        with self._lock:
            while self._heap and self._heap[0][2].callback is None:
                heapq.heappop(self._heap)
                self._dead = max(0, self._dead - 1)
            return self._heap[0][0] if self._heap else math.inf

    def take_due(self, now: float) -> Callable[[], object] | None:
        """Remove and give the first call if it is due."""
        if self.first_due() > now:
            return None
        with self._lock:
            if not self._heap or self._heap[0][0] > now:
                return None
            call = heapq.heappop(self._heap)[2]
            callback, call.callback = call.callback, None
            return callback

    def __len__(self) -> int:
        with self._lock:
            return sum(entry[2].callback is not None for entry in self._heap)

    @property
    def calls(self) -> list[ScheduledCall]:
        """The calls that are to be made, in order."""
        with self._lock:
            return [call for _, _, call in sorted(self._heap) if call.callback is not None]

    def clear(self) -> None:
        """Forget every call."""
        with self._lock:
            self._heap.clear()
            self._dead = 0


class QtClock(QObject):
    """Monotonic time, and calls at a time on the thread that made the clock.

    One QTimer runs while something is due and none otherwise: an idle application is not woken. The last call, if it
    is cancelled on another thread, may still wake the clock's once, at its time, for nothing.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = threading.get_ident()
        self._queue = TimerQueue(self._emptied)
        self._armed_for = math.inf
        self._on_earlier: list[Callable[[], object]] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.run_due)

    def now(self) -> float:
        """Seconds since an arbitrary moment; never goes back. Any thread."""
        return time.monotonic()

    def call_later(self, delay: float, callback: Callable[[], object]) -> ScheduledCall:
        """Call ``callback`` on the clock's thread in ``delay`` seconds. Any thread."""
        call, is_first = self._queue.add(time.monotonic() + max(0.0, delay), callback)
        if is_first and call.due < self._armed_for:
            if threading.get_ident() == self._thread:
                self._arm()
            else:
                # A QTimer may not be started from another thread; a posted event may be sent from any.
                with suppress(RuntimeError):  # the application is gone, and the clock's C++ object with it
                    QCoreApplication.postEvent(self, QEvent(_REARM))
            for wake in tuple(self._on_earlier):
                wake()
        return call

    def lateness(self) -> float:
        """Seconds by which the next due call is late, 0 if it is not. Any thread."""
        armed_for = self._armed_for
        return max(0.0, time.monotonic() - armed_for) if armed_for != math.inf else 0.0

    def wait(self, event: threading.Event, seconds: float | None) -> None:
        """Block this thread until ``event`` is set or ``seconds`` have passed. Never the GUI thread."""
        event.wait(None if seconds is None else min(seconds, threading.TIMEOUT_MAX))

    def first_due(self) -> float:
        """When, on :meth:`now`, the next call is due; infinity if none is."""
        return self._queue.first_due()

    @property
    def scheduled(self) -> list[ScheduledCall]:
        """The calls that are scheduled, the first due first."""
        return self._queue.calls

    def on_earlier(self, wake: Callable[[], object]) -> Callable[[], None]:
        """Call ``wake`` whenever a call is added that is due before all others, so that another loop can drive this."""
        self._on_earlier.append(wake)
        return lambda: self._on_earlier.remove(wake)

    def run_due(self) -> None:
        """Make the calls that are due now. The clock's thread. What one raises goes to ``sys.excepthook``."""
        now = time.monotonic()
        while True:
            callback = self._queue.take_due(now)
            # Before the call: it may open a dialog, in whose event loop the others fall due.
            self._rearm()
            if callback is None:
                return
            try:
                callback()
            except Exception as error:  # noqa: BLE001 - the others must not be late for it
                call_excepthook(error)

    def _rearm(self) -> None:
        # Infinity before the look: a call that another thread adds after it is seen here, or posts its own event.
        self._armed_for = math.inf
        self._arm()
        if self._armed_for == math.inf:
            self._timer.stop()

    def _emptied(self) -> None:
        if threading.get_ident() == self._thread:
            with suppress(RuntimeError):  # as above
                self._rearm()

    def _arm(self) -> None:
        due = self._queue.first_due()
        if due < self._armed_for:
            self._armed_for = due
            wait = min(max(0.0, (due - time.monotonic()) * 1000), _LONGEST_MS)
            # Rounded up: a timer that fires before its time would find nothing due and be started again.
            self._timer.start(math.ceil(wait))

    def customEvent(self, event: QEvent) -> None:
        """Start the timer for a call that another thread added."""
        if event.type() == _REARM:
            self._arm()

    def close(self) -> None:
        """Forget every call."""
        self._queue.clear()
        self._timer.stop()
        self._armed_for = math.inf

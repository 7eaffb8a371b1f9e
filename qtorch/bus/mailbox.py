"""How other threads reach the GUI thread: append, and wake it once."""

from __future__ import annotations

import logging
import threading
import weakref
from collections import deque
from collections.abc import Callable
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any, Protocol

import shiboken6
from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal, Slot

from qtorch.bus.cursor import BUDGET, Cursor, Step, describe
from qtorch.errors import ErrorReport
from qtorch.events import BaseEvent, JobEvent
from qtorch.ports import call_excepthook

if TYPE_CHECKING:
    from qtorch.ports import ErrorSink

_log = logging.getLogger("qtorch.bus")


class Notifier(Protocol):
    """Something that tells of its net change at the end of a drain."""

    def flush(self, until: float) -> bool:
        """Tell; give whether all was told before ``until``."""
        ...


class Driver(Protocol):
    """Another event loop that works the mailbox off."""

    def wake(self) -> None:
        """Make it drain. Any thread."""


class Mailbox:
    """The queue through which everything reaches the thread that made it, and the loop that works it off.

    An item is ``(take, argument)``: ``take(argument)`` is called on the mailbox's thread, in order, and gives the
    listener calls that follow from it. Workers append and wake: one queued signal per batch, whatever its size, since
    a queued signal per event costs the GUI thread 40 times as much.
    """

    __slots__ = ("__weakref__", "_waker", "before_drain", "buses", "cursor", "delivering", "dirty", "drivers", "queue",
                 "sink", "thread", "turns", "wake_at", "wake_is_pending")  # fmt: skip

    def __init__(self, sink: ErrorSink | None = None) -> None:
        self.thread = threading.get_ident()
        self.sink: ErrorSink = sink or UnattendedSink()
        self.queue: deque[tuple[Callable[[Any], Any], Any]] = deque()
        self.cursor = Cursor(self._refill, self.queue.__len__, self.wake, self._report)
        self.dirty: dict[Notifier, None] = {}
        self.delivering = 0
        """How many drains are on the stack: more than one under a dialog that a listener opened."""
        self.turns = 0
        """How many drains there were: how often, at least, the event loop has turned."""
        self.buses: weakref.WeakSet[Any] = weakref.WeakSet()
        self.drivers: dict[Any, Driver] = {}
        """The loops, not driven by Qt, that somebody on this thread waits in."""
        self.before_drain: Callable[[], object] | None = None
        self.wake_is_pending = False
        self.wake_at = 0.0
        self._waker = _Waker(self)

    def post(self, take: Callable[[Any], Any], argument: Any = None) -> None:
        """Have ``take(argument)`` called on the mailbox's thread. Any thread; nothing is called before this returns."""
        # Append before the flag is read, and the drain clears the flag before it pops: no wake-up is lost.
        self.queue.append((take, argument))
        if not self.wake_is_pending:
            self.wake()

    def wake(self) -> None:
        """Make the thread drain. Any thread."""
        if self.wake_is_pending:
            return
        self.wake_is_pending = True
        self.wake_at = monotonic()
        try:
            self._waker.wanted.emit()
        except RuntimeError:
            return  # the application object is gone, and every QObject with it: nobody is left to be told
        for driver in tuple(self.drivers.values()):
            driver.wake()

    def lateness(self) -> float:
        """Seconds since an unanswered wake. Any thread."""
        return monotonic() - self.wake_at if self.wake_is_pending else 0.0

    def drain(self) -> None:
        """Work off what is queued for up to 8 ms, then have net changes told."""
        self.wake_is_pending = False
        if self.before_drain is not None:
            self.before_drain()
        until = perf_counter() + BUDGET
        self.delivering += 1
        self.turns += 1
        try:
            # What the last drain had no time to tell comes first, else a flood would starve the widgets.
            if self._flush(until):
                self.cursor.run(until)
                self._flush(until)
        finally:
            self.delivering -= 1
            if self.queue or self.dirty or not self.cursor.is_idle:
                self.wake()

    def _flush(self, until: float) -> bool:
        while self.dirty:
            notifier = next(iter(self.dirty))
            del self.dirty[notifier]
            if not notifier.flush(until):
                self.dirty[notifier] = None
                return False
            if self.dirty and perf_counter() >= until:
                return False
        return True

    def mark_dirty(self, notifier: Notifier) -> None:
        """Have ``notifier`` flushed at the end of this drain."""
        if notifier not in self.dirty:
            self.dirty[notifier] = None
            # The listener that changed the state may open a dialog next: then the nested loop has to tell of it.
            self.wake()

    def _refill(self, steps: deque[Step]) -> bool:
        if not self.queue:
            return False
        take, argument = self.queue.popleft()
        self.cursor.cause = None
        if self.queue:
            # To take something can run the user's code too: a retry filter, a token's callback.
            self.wake()
        more = take(argument)
        if more:
            steps.extend(more)
        return True

    def _report(self, error: Exception, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        event = args[0] if args and isinstance(args[0], BaseEvent) else None
        job = event.job if isinstance(event, JobEvent) else None
        sink: ErrorSink = getattr(function, "sink", None) or self.sink
        sink.report(ErrorReport(error, describe(function), job, event))

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits to be delivered or told."""
        return not self.queue and not self.dirty and self.cursor.is_idle

    def __del__(self) -> None:
        # The waker belongs to the application object in C++, so that no worker that drops the last reference to a
        # mailbox destroys a QObject; deleteLater may be called from any thread.
        waker = getattr(self, "_waker", None)
        if waker is not None and shiboken6.isValid(waker):
            waker.deleteLater()


class _Waker(QObject):
    """Carries a wake across threads."""

    wanted = Signal()

    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__(QCoreApplication.instance())
        self._mailbox = weakref.ref(mailbox)
        self.wanted.connect(self._drain, Qt.ConnectionType.QueuedConnection)

    @Slot()
    def _drain(self) -> None:
        mailbox = self._mailbox()
        if mailbox is not None:
            mailbox.drain()


class UnattendedSink:
    """Where errors go of a bus that no Runtime owns."""

    def report(self, report: ErrorReport, *, user_code: bool = True) -> None:
        """Hand ``report`` to sys.excepthook; what is not of user code is in the log."""
        if user_code:
            call_excepthook(report.error)

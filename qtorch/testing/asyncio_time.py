"""asyncio by the time of a FakeClock: ``sleep``, ``timeout``, ``wait_for`` and ``call_later`` in anybody's code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import qasync  # type: ignore[import-untyped]
from PySide6.QtCore import QAbstractEventDispatcher, QTimer

from qtorch import ports
from qtorch.testing import turns
from qtorch.testing.activity import at_work
from qtorch.testing.fake_clock import StuckError
from qtorch.testing.waiting_tasks import waiting_for_nothing

if TYPE_CHECKING:
    from contextvars import Context

    from qtorch.clock import ScheduledCall
    from qtorch.testing.fake_clock import FakeClock

_PLAIN: Any = asyncio.BaseEventLoop
_QT: Any = qasync._QEventLoop  # pyright: ignore[reportPrivateUsage]

_MOMENT = 0.0002
"""Seconds left to other threads before they are looked at again."""

_LONGEST_REST = 5.0
"""Seconds of real time in which something has to come that a loop could run: it may be brought by any thread."""


@contextmanager
def loops_follow(clock: FakeClock) -> Generator[None, None, None]:
    """Have asyncio loops follow ``clock``: those that run in its thread, and the own ones of Runtimes on it.

    Loops of other threads, such as those of a server in the test, keep real time; so does what was scheduled before.
    In the clock's own thread, time also passes by itself: a test that awaits something while nothing is at work could
    not let it pass, so it goes to when the next call is due. If none is for 5 s real time, it ends with a StuckError.

    There is no port for this: the methods of the loops are replaced, for qasync those of its base class.
    """
    follower = _Follower(clock)
    with (
        follower.replace(_PLAIN, "time", follower.time),
        follower.replace(_PLAIN, "call_at", follower.call_at),
        follower.replace(_PLAIN, "_run_once", follower.run_once),
        follower.replace(_PLAIN, "run_forever", follower.run_forever),
        follower.replace(_QT, "time", follower.time),
        follower.replace(_QT, "call_at", follower.call_at),
        follower.replace(_QT, "call_later", follower.call_later),
        follower.replace(_QT, "run_forever", follower.run_forever),
        follower.while_qt_waits(),
    ):
        yield


class VirtualTimer(asyncio.TimerHandle):
    """A call that the clock makes."""

    scheduled: ScheduledCall
    _loop: Any

    def cancel(self) -> None:
        """Forget the call."""
        self.scheduled.cancel()
        super().cancel()

    def call(self) -> None:
        """Have it run by its loop. The clock's thread."""
        with suppress(RuntimeError):  # the loop is closed, and what it was to do is moot
            self._loop.call_soon_threadsafe(self._run_now)

    def _run_now(self) -> None:
        if not self.cancelled():
            self._run()  # pyright: ignore


class _Follower:
    """What the methods of loops do while a clock is followed; each gets the original first, then the loop."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._since: float | None = None
        self._stuck: StuckError | None = None

    def replace(self, cls: Any, name: str, method: Callable[..., Any]) -> Any:
        original = getattr(cls, name)

        def replaced(loop: Any, *args: Any, **named: Any) -> Any:
            return method(original, loop, *args, **named)

        return patch.object(cls, name, replaced)

    def _is_followed(self, loop: Any) -> bool:
        clock = self._clock
        if threading.get_ident() == clock.thread:
            return True
        return any(
            runtime.clock is clock and runtime.dispatcher.services.loop.started is loop
            for runtime in ports.open_runtimes
        )

    # -- the methods ------------------------------------------------------------------------------------------------

    def time(self, original: Callable[[Any], float], loop: Any) -> float:
        return self._clock.now() if self._is_followed(loop) else original(loop)

    def call_at(
        self, original: Any, loop: Any, when: float, callback: Any, *args: Any, context: Context | None = None
    ) -> Any:
        if not self._is_followed(loop):
            return original(loop, when, callback, *args, context=context)
        timer = VirtualTimer(when, callback, args, loop, context)
        timer.scheduled = self._clock.call_later(when - self._clock.now(), timer.call)
        return timer

    def call_later(
        self, original: Any, loop: Any, delay: float, callback: Any, *args: Any, context: Context | None = None
    ) -> Any:
        if delay <= 0 or not self._is_followed(loop):  # qasync's call_soon comes here, too
            return original(loop, delay, callback, *args, context=context)
        return self.call_at(original, loop, self._clock.now() + delay, callback, *args, context=context)

    # -- time passes while a test waits -----------------------------------------------------------------------------

    def run_once(self, original: Any, loop: Any) -> None:
        if not loop._ready and not loop._stopping and threading.get_ident() == self._clock.thread:
            turns.process_events()
            # What runs next has to come from somewhere: the loop may not block, Qt would stand still meanwhile.
            if not loop._ready:
                if self._pass_time(loop):
                    sleep(_MOMENT)
            else:
                self._since = None
            loop.call_soon(_nothing)
        original(loop)

    def run_forever(self, original: Any, loop: Any) -> Any:
        result = original(loop)
        if self._stuck is not None:
            stuck, self._stuck = self._stuck, None
            raise stuck
        return result

    def _pass_time(self, loop: Any) -> bool:
        """Go to the next call if nothing is at work; give whether something is, or nothing is to come."""
        if has_open_sockets(loop) or self._clock.is_settling:
            self._since = None
            return True
        now = monotonic()
        since = self._since = now if self._since is None else self._since
        busy = at_work(self._clock)
        if self._clock.is_waiting_for(busy, since):
            return True
        if self._clock.pending:
            self._since = None
            self._clock.jump()
            return False
        if busy:
            self._since = None
        elif now - since > _LONGEST_REST and self._stuck is None:
            self._since = None
            # Raised where the loop was started: the tasks that wait may be anybody's, and would swallow it.
            self._stuck = StuckError(waiting_for_nothing(loop, self._clock))
            loop.stop()
        return True

    @contextmanager
    def while_qt_waits(self) -> Generator[None, None, None]:
        """Let time pass when Qt's loop has nothing to do while a test runs in it, by qasync."""
        dispatcher: Any = QAbstractEventDispatcher.instance()
        if dispatcher is None:  # no application, so no such test
            yield
            return
        again = QTimer()
        again.setSingleShot(True)

        def about_to_block() -> None:
            loop = turns.running_loop()
            if isinstance(loop, _QT) and not again.isActive() and self._pass_time(loop):
                again.start(1)

        dispatcher.aboutToBlock.connect(about_to_block)
        try:
            yield
        finally:
            again.stop()
            dispatcher.aboutToBlock.disconnect(about_to_block)


def has_open_sockets(loop: Any) -> bool:
    """Whether the loop waits for more than wake-ups by other threads: real time has to pass for that."""
    selector = getattr(loop, "_selector", None)
    return selector is not None and len(selector.get_map() or ()) > 1


def _nothing() -> None:
    """Turn the loop once more."""

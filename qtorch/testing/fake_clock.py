"""Time that passes when a test says so."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from qtorch.clock import ScheduledCall, TimerQueue
from qtorch.errors import WrongThreadError
from qtorch.testing import turns
from qtorch.testing.activity import at_work

if TYPE_CHECKING:
    from qtorch.testing.turns import Turns

_PATIENCE = 2.0
"""Seconds of real time that are left to work before fake time passes all the same: it may never end."""


class StuckError(AssertionError):
    """Something that a test waits for goes on and on."""


class FakeClock:
    """A clock for tests: pass it as ``Runtime(clock=FakeClock())`` and :meth:`advance` it.

    Retry waits, timeouts, deadlines, debounces, cache lifetimes and ``token.wait()`` follow it. Calls are made by
    ``advance``, on the thread that calls it, which has to be the one that made the clock.

    Before time passes, and after each call, everything that can happen by itself does: threads, coroutines and
    processes of the Runtimes on this clock are waited for, in real time, until they have come to rest or only wait for
    time or for the test; and what they report is delivered. Work that goes on for more than 2 s of real time is waited
    for no longer: it is what timeouts are for.

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
        self.thread = threading.get_ident()
        """The thread that made it."""
        self._queue = TimerQueue()
        self._outwaited: list[str] = []
        self._settlings = 0

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
            event.wait()
        finally:
            if timer is not None:
                timer.cancel()

    @property
    def pending(self) -> int:
        """How many calls are scheduled."""
        return len(self._queue)

    @property
    def scheduled(self) -> list[ScheduledCall]:
        """The calls that are scheduled, the first due first."""
        return self._queue.calls

    def first_due(self) -> float:
        """When, on :meth:`now`, the next call is due; infinity if none is."""
        return self._queue.first_due()

    # -- letting time pass --------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass, and make the calls that fall due on the way, each at its own time.

        Raises
        ------
        ValueError
            ``seconds`` is negative.
        WrongThreadError
            Called on another thread than the clock was made on.
        RuntimeError
            Called in a coroutine on a qasync loop: ``await clock.advance_async(seconds)`` there.
        """
        turns.run(self.passing(seconds))

    async def advance_async(self, seconds: float) -> None:
        """Do what :meth:`advance` does, in a coroutine."""
        await turns.run_async(self.passing(seconds))

    def run_until_idle(self, limit: float = 86_400.0) -> None:
        """Let time pass until nothing is scheduled any more, at most ``limit`` seconds of it.

        Raises
        ------
        StuckError
            Calls are still scheduled after ``limit`` seconds: something starts itself anew.
        """
        turns.run(self._until_idle(limit))

    async def run_until_idle_async(self, limit: float = 86_400.0) -> None:
        """Do what :meth:`run_until_idle` does, in a coroutine."""
        await turns.run_async(self._until_idle(limit))

    def settle(self) -> None:
        """Let everything happen that can happen without time passing.

        Raises
        ------
        StuckError
            Something is still at work after 2 s of real time; it is named.
        """
        turns.run(self._settling())

    async def settle_async(self) -> None:
        """Do what :meth:`settle` does, in a coroutine."""
        await turns.run_async(self._settling())

    def jump(self) -> None:
        """Go to when the next call is due, and make all that are due then."""
        due = self._queue.first_due()
        if due != math.inf:
            self._now = max(self._now, due)
            self._call_due(self._now)

    # -- how ----------------------------------------------------------------------------------------------------------

    def passing(self, seconds: float) -> Turns[None]:
        """Do what :meth:`advance` does, yielding where others go on."""
        if seconds < 0:
            raise ValueError(f"time does not go back: advance({seconds})")
        if threading.get_ident() != self.thread:
            raise WrongThreadError("a FakeClock is advanced on the thread that made it, where its calls belong")
        yield from self.settling()
        # Sums of decimal fractions fall short of what they mean: 29.9 + 0.1 is to reach a call at 30.
        end = self._now + seconds
        reach = end + max(1e-9, 4 * math.ulp(end))
        while (due := self._queue.first_due()) <= reach:
            self._now = max(self._now, due)
            self._call_due(self._now)
            yield from self.settling()
        self._now = max(self._now, end)

    def _until_idle(self, limit: float) -> Turns[None]:
        yield from self.settling()
        end = self._now + limit
        while (due := self._queue.first_due()) != math.inf:
            if due > end:
                calls = "\n".join(f"    {describe(call, self._now)}" for call in self._queue.calls)
                raise StuckError(
                    f"calls are still scheduled after {limit:g} seconds of fake time:\n{calls}\n"
                    f"  Stop what starts itself anew, or give run_until_idle a longer limit."
                )
            yield from self.passing(max(0.0, due - self._now))

    def _call_due(self, reach: float) -> None:
        while (callback := self._queue.take_due(reach)) is not None:
            callback()

    def settling(self) -> Turns[list[str]]:
        """Yield until nothing is at work any more; give what is all the same."""
        began = monotonic()
        self._settlings += 1
        try:
            yield False
            while self.is_waiting_for(busy := at_work(self), began):
                yield True
        finally:
            self._settlings -= 1
        return busy

    @property
    def is_settling(self) -> bool:
        """Whether the test settles what is at work, so that time passes as it says and not by itself."""
        return self._settlings > 0

    def is_waiting_for(self, busy: list[str], since: float) -> bool:
        """Whether time stands still for what is at work, some of it ``since`` then by the real clock."""
        if not busy or busy == self._outwaited:
            return False
        if monotonic() - since > _PATIENCE:
            self._outwaited = busy
            return False
        return True

    def _settling(self) -> Turns[None]:
        if busy := (yield from self.settling()):
            raise StuckError(
                f"the test waited {_PATIENCE:g} s for what is still at work: {', '.join(busy)}.\n"
                f"  Hold work by a gate(), which counts as at rest, or end it; let it wait by token.wait() or "
                f"asyncio.sleep(), which follow the clock."
            )


def describe(call: ScheduledCall, now: float) -> str:
    """Name a scheduled call and when it is due."""
    callback: object = call.callback
    name = getattr(callback, "__qualname__", None) or repr(callback)
    module = getattr(callback, "__module__", None)
    return f"{f'{module}.' if module else ''}{name}, due in {call.due - now:g} s"

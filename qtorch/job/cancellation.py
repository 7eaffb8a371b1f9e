"""How work is asked to stop."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from qtorch import ports
from qtorch.errors import ErrorReport, JobCancelledError
from qtorch.job.durations import in_seconds

if TYPE_CHECKING:
    from datetime import timedelta

    from qtorch.ports import Clock, ErrorSink

# One lock for all tokens: it guards a few instructions, and a lock per token would be the dearest part of one.
# It is re-entrant because a finalizer that touches a token may run while it is held.
_lock = threading.RLock()


class CancellationToken:
    """Asks work to stop, from any thread; work looks at it, waits on it or is called back.

    A token can be shared by many jobs: cancelling it cancels them all, and a job that ends leaves the others' alone.

    Examples
    --------
    >>> token = CancellationToken()
    >>> unregister = token.on_cancel(lambda: print("stopping"))
    >>> token.cancel("window closed")
    stopping
    >>> token.is_cancelled, token.reason
    (True, 'window closed')
    """

    __slots__ = ("__weakref__", "_callbacks", "_clock", "_is_cancelled", "_parents", "_reason", "_sink")

    def __init__(self) -> None:
        self._is_cancelled = False
        self._reason: str | None = None
        self._callbacks: dict[object, Callable[[], object]] | None = None
        self._clock: Clock | None = None
        self._sink: ErrorSink | None = None
        self._parents: tuple[CancellationToken, ...] = ()
        """Held, because one may be linked itself, and nobody else need refer to it. Not by the token of an attempt: its
        thread may be the last to hold that, and what callbacks refer to is the GUI thread's."""

    @classmethod
    def linked(cls, *tokens: CancellationToken) -> CancellationToken:
        """Give a token that is cancelled as soon as one of ``tokens`` is; it does not cancel them.

        The given tokens hold the new one weakly, so one that lives long does not collect dead links.
        """
        child = cls()
        child._parents = tokens
        for parent in tokens:
            parent.link(child)
        return child

    def link(self, child: CancellationToken) -> None:
        """Cancel ``child`` too when this one is cancelled; it is held weakly."""
        key = object()

        def forget(_: object) -> None:
            with _lock:
                if self._callbacks is not None:
                    self._callbacks.pop(key, None)

        child_ref = weakref.ref(child, forget)

        def pass_on() -> None:
            if (linked := child_ref()) is not None:
                linked.cancel(self._reason)

        self._register(key, pass_on)

    @classmethod
    def of_run(cls, clock: Clock, sink: ErrorSink) -> CancellationToken:
        """Give a token that waits on the Runtime's clock, and reports to the Runtime what callbacks raise."""
        token = cls()
        token._clock, token._sink = clock, sink
        return token

    @property
    def is_cancelled(self) -> bool:
        """Whether :meth:`cancel` was called. Any thread."""
        return self._is_cancelled

    @property
    def reason(self) -> str | None:
        """What the canceller gave as its reason."""
        return self._reason

    def cancel(self, reason: str | None = None) -> None:
        """Ask the work to stop. Any thread; a second call has no effect and does not change the reason.

        Callbacks run here, on the canceller's thread. What one raises is reported and does not stop the others.
        """
        with _lock:
            if self._is_cancelled:
                return
            self._reason = reason
            self._is_cancelled = True
            callbacks = self._callbacks or {}
        exits: BaseException | None = None
        for key in tuple(callbacks):
            # Popped one by one: what an earlier callback, or another thread, unregisters is not called any more.
            callback = callbacks.pop(key, None)
            if callback is None:
                continue
            try:
                callback()
            except Exception as error:  # noqa: BLE001 - a callback is user code: the next one must still hear
                self._report(error)
            except BaseException as error:  # noqa: BLE001 - sys.exit() is obeyed once all have heard
                exits = error
        self._callbacks = None
        if exits is not None:
            raise exits

    def _report(self, error: Exception) -> None:
        sink = self._sink or (ports.open_runtimes[0] if ports.open_runtimes else None)
        if sink is None:
            ports.call_excepthook(error)
        else:
            sink.report(ErrorReport(error, "CancellationToken.on_cancel callback"))

    def raise_if_cancelled(self) -> None:
        """Raise :class:`~qtorch.errors.JobCancelledError` if the token is cancelled. Any thread."""
        if self._is_cancelled:
            raise JobCancelledError(self._reason)

    def on_cancel(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call ``callback`` on the canceller's thread, at once if it happened already.

        Returns
        -------
        unregister
            Call it to hear nothing any more; it removes this callback only.
        """
        key = object()
        if not self._register(key, callback):
            return _nothing

        def unregister() -> None:
            with _lock:
                if self._callbacks is not None:
                    self._callbacks.pop(key, None)

        return unregister

    def _register(self, key: object, callback: Callable[[], object]) -> bool:
        with _lock:
            if not self._is_cancelled:
                if self._callbacks is None:
                    self._callbacks = {}
                self._callbacks[key] = callback
                return True
        try:
            callback()
        except Exception as error:  # noqa: BLE001 - as in cancel()
            self._report(error)
        return False

    def wait(self, timeout: float | timedelta | None = None) -> bool:
        """Block this thread until the token is cancelled or ``timeout`` seconds (or a timedelta) have passed.

        Use it in place of ``time.sleep`` in thread jobs. The token of a run counts time on its Runtime's clock, so
        tests with a FakeClock do not wait. Never call it on the GUI thread.

        Returns
        -------
        bool
            Whether the token is cancelled.
        """
        seconds = None if timeout is None else in_seconds(timeout)
        woken = threading.Event()
        unregister = self.on_cancel(woken.set)
        try:
            if self._clock is None:
                woken.wait(seconds)
            else:
                self._clock.wait(woken, seconds)
        finally:
            unregister()
        return self._is_cancelled

    def __repr__(self) -> str:
        state = f"cancelled, reason={self._reason!r}" if self._is_cancelled else "not cancelled"
        return f"<CancellationToken {state}>"


def _nothing() -> None:
    """Unregister a callback that was called already."""

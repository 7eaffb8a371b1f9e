"""Holds jobs until the test lets them go on."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QThread

from qtorch.execution.attempt import current_attempt
from qtorch.testing.raising import Error, checked, fresh
from qtorch.testing.waking import wait_for_call

if TYPE_CHECKING:
    from qtorch.job.cancellation import CancellationToken


class _Waiter:
    """One thread or coroutine at a gate."""

    __slots__ = ("may_pass", "wake")

    def __init__(self, wake: Callable[[], object]) -> None:
        self.wake = wake
        self.may_pass = False


class Gate:
    """A place in a job where it stops until the test calls :meth:`release` or :meth:`fail`. See :func:`gate`."""

    def __init__(self, name: str = "") -> None:
        self._name = name
        self._lock = threading.Lock()
        self._waiters: list[_Waiter] = []
        self._permits = 0
        self._is_released = False
        self._error: Error | None = None

    # -- the test -------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many wait here now. Any thread."""
        return len(self._waiters)

    @property
    def is_released(self) -> bool:
        """Whether it holds nobody any more. Any thread."""
        return self._is_released

    def release(self, count: int | None = None) -> None:
        """Let ``count`` go on, those first who came first, or those who come yet; None: everyone, from now on.

        Any thread.

        Raises
        ------
        ValueError
            ``count`` is below 1.
        """
        if count is not None and count < 1:
            raise ValueError(f"{self!r}.release({count}) lets nobody go on; write release() for all")
        with self._lock:
            if count is None:
                self._is_released = True
            else:
                self._permits += count
            going = self._let_pass()
        for waiter in going:
            waiter.wake()

    def fail(self, error: Error) -> None:
        """Raise ``error`` in everyone who waits here, and who comes yet. Any thread."""
        self._error = checked(error, f"{self!r}.fail()")
        self.release()

    # -- the job --------------------------------------------------------------------------------------------------

    def wait(self, token: CancellationToken | None = None) -> None:
        """Stop this thread here until the test lets it go on.

        Parameters
        ----------
        token
            Ends the wait when it is cancelled; None for that of the job for which this thread works.

        Raises
        ------
        JobCancelledError
            The token was cancelled.
        RuntimeError
            Called on the GUI thread or in a coroutine: nobody could release it.
        BaseException
            What was given to :meth:`fail`.
        """
        self._refuse_to_block()
        attempt = current_attempt.get()
        if token is None and attempt is not None:
            token = attempt.token
        woken = threading.Event()
        waiter = self._enter(woken.set)
        unregister = None if token is None else token.on_cancel(woken.set)
        try:
            # Without a limit: so the kit knows that only the test can let this thread go on.
            woken.wait()
            if token is not None:
                token.raise_if_cancelled()
            self._pass(waiter)
        finally:
            if unregister is not None:
                unregister()
            self._leave(waiter)

    def __await__(self) -> Generator[Any, None, None]:
        future, wake = wait_for_call()
        waiter = self._enter(wake)
        try:
            yield from future
            self._pass(waiter)
        finally:
            self._leave(waiter)

    # -- both -----------------------------------------------------------------------------------------------------

    def _enter(self, wake: Callable[[], object]) -> _Waiter:
        waiter = _Waiter(wake)
        with self._lock:
            self._waiters.append(waiter)
            going = self._let_pass()
        for one in going:
            one.wake()
        return waiter

    def _let_pass(self) -> list[_Waiter]:
        """Take those who may go on out of those who wait; call it with the lock held."""
        count = len(self._waiters) if self._is_released else min(self._permits, len(self._waiters))
        going, self._waiters = self._waiters[:count], self._waiters[count:]
        if not self._is_released:
            self._permits -= count
        for waiter in going:
            waiter.may_pass = True
        return going

    def _pass(self, waiter: _Waiter) -> None:
        """Go on: the permit is used up."""
        waiter.may_pass = False
        if self._error is not None:
            raise fresh(self._error)

    def _leave(self, waiter: _Waiter) -> None:
        with self._lock:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            is_unused, waiter.may_pass = waiter.may_pass, False
        if is_unused and not self._is_released:
            # It was cancelled just when it was let go: the next one goes in its place.
            self.release(1)

    def _refuse_to_block(self) -> None:
        asyncio: Any = sys.modules.get("asyncio")
        is_in_loop = asyncio is not None and asyncio._get_running_loop() is not None
        if is_in_loop:
            raise RuntimeError(
                f"{self!r}.wait() was called in a coroutine and would stop its whole loop.\n  Write `await` there."
            )
        if QThread.isMainThread():
            raise RuntimeError(
                f"{self!r}.wait() was called on the GUI thread, where the test runs that is to release it.\n"
                f"  Wait in a job's `def process`, or write `await` in an `async def`."
            )

    def __repr__(self) -> str:
        return f"gate({self._name!r})" if self._name else "gate()"


def gate(name: str = "") -> Gate:
    """Make a place in a job where it stops until the test lets it go on.

    For tests of what happens meanwhile: a second click, a cancel, a window that is closed. In a thread call ``wait()``,
    in a coroutine ``await`` it, or put it among the steps of a FakeExecutor. A job that is cancelled goes on at once,
    by JobCancelledError or, in a coroutine, CancelledError. One gate can hold many jobs, on any threads and loops.

    Parameters
    ----------
    name
        What it is called in messages.

    Examples
    --------
    >>> saving = gate("saving")
    >>> class SaveExecutor(BaseExecutor[SaveJob]):  # doctest: +SKIP
    ...     async def process(self, job: SaveJob) -> None:
    ...         await saving
    >>> saving.waiting, saving.is_released
    (0, False)
    >>> saving.release()
    """
    return Gate(name)

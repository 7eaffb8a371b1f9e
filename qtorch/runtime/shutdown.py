"""How a Runtime ends: without a crash, without hanging, with every job settled."""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QEventLoop, QTimer

from qtorch.errors import ErrorReport
from qtorch.runtime import hard_exit

if TYPE_CHECKING:
    from qtorch.bus.signal_bus import BusCore
    from qtorch.execution.dispatcher import Dispatcher
    from qtorch.execution.services import Services

_log = logging.getLogger("qtorch.runtime")

_POLL = 0.005
"""Seconds between looks at a loop that Qt does not drive; only while a Runtime is being closed."""


class Shutdown:
    """One close of one Runtime, from whichever loop drives it. The bus's thread."""

    def __init__(self, services: Services, dispatcher: Dispatcher, timeout: float) -> None:
        self._services = services
        self._dispatcher = dispatcher
        self._deadline = monotonic() + timeout
        self._closing = 0
        self._has_closed_executors = False

    def begin(self) -> None:
        """Refuse new work and cancel what there is."""
        self._dispatcher.is_closed = True
        for core in tuple(self._services.mailbox.buses):
            core.is_refusing = True
        for run in tuple(self._services.running.values()):
            run.cancel("runtime closed")

    @property
    def is_done(self) -> bool:
        """Whether all work has ended and been told, and the executors are closed."""
        services = self._services
        if services.working or services.running or not services.mailbox.is_idle:
            return False
        if not self._has_closed_executors:
            self._has_closed_executors = True
            self._close_executors()
        return self._closing == 0

    @property
    def is_late(self) -> bool:
        """Whether the time is up."""
        return monotonic() >= self._deadline

    @property
    def remaining(self) -> float:
        """Seconds left."""
        return max(0.0, self._deadline - monotonic())

    def _close_executors(self) -> None:
        executors = {id(one): one for one in self._dispatcher.registered_executors.values()}
        for executor in executors.values():
            aclose, close = getattr(executor, "aclose", None), getattr(executor, "close", None)
            if inspect.iscoroutinefunction(aclose):
                self._closing += 1
                self._services.loop.call(self._guarded_aclose(executor, aclose), self._one_closed)
            elif callable(close):
                self._closing += 1
                self._services.threads.call(self._guarded_close(executor, close))

    def _one_closed(self) -> None:
        self._services.mailbox.post(self._count_closed)

    def _count_closed(self, _: object) -> None:
        self._closing -= 1

    def _guarded_close(self, executor: Any, close: Callable[[], object]) -> Callable[[], None]:
        def call() -> None:
            try:
                close()
            except BaseException as error:  # noqa: BLE001 - user code on a pool thread: nothing may escape
                self._services.sink.report(ErrorReport(error, f"{type(executor).__name__}.close"))
            finally:
                self._one_closed()

        return call

    def _guarded_aclose(self, executor: Any, aclose: Callable[[], Any]) -> Callable[[], Any]:
        async def call() -> None:
            try:
                await aclose()
            except Exception as error:  # noqa: BLE001 - user code, as above
                self._services.sink.report(ErrorReport(error, f"{type(executor).__name__}.aclose"))

        return call

    def wait(self) -> None:
        """Run Qt's event loop, without user input, until all is done or the time is up."""
        if self.is_done or QCoreApplication.instance() is None:
            return
        given = self._services.loop.given
        step = None if given is None or given.is_closed() else _LoopStep(given)
        alarm = QTimer()  # ends the wait for events at the deadline
        alarm.setSingleShot(True)
        alarm.start(int(self.remaining * 1000) + 1)
        # processEvents, not exec(): after quit() every exec() returns at once.
        loop = QEventLoop()
        flags = QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents
        if step is None or not step.must_poll:
            flags |= QEventLoop.ProcessEventsFlag.WaitForMoreEvents
        try:
            while not self.is_done and not self.is_late:
                loop.processEvents(flags)
                if step is not None:
                    step.run(_POLL)
        finally:
            alarm.stop()
            if step is not None:
                step.end()

    async def wait_async(self) -> None:
        """Wait, inside an asyncio task, until all is done or the time is up."""
        import asyncio

        while not self.is_done and not self.is_late:
            await asyncio.sleep(_POLL)

    def finish(self, on_stuck: str, exit_code: Callable[[], int | None]) -> None:
        """Settle and tell what is left, and let go of threads and loop."""
        services = self._services
        self._dispatcher.is_finished = True
        for run in tuple(services.running.values()):
            # Its outcome is fixed, and only a cache write that never returns keeps it from being told.
            services.mailbox.post(run.take_end)
        while not services.mailbox.is_idle and (not self.is_late or services.running):
            services.mailbox.drain()
        for core in tuple(services.mailbox.buses):
            _finish(core)
        services.threads.close()
        services.loop.close()
        stuck = tuple(services.working)
        ended = services.threads.wait_closed(0.0 if stuck else max(0.1, self.remaining))
        ended &= services.loop.wait_closed(0.0 if stuck else max(0.1, self.remaining))
        if stuck or not ended:
            names = ", ".join(f"{attempt.run.id} ({type(attempt.run.job).__name__})" for attempt in stuck)
            what = names or "an executor's close()"
            _log.error("%s ignored its cancellation token and still works after the Runtime was closed", what)
            print(f"qtorch: {what} still works after the Runtime was closed", file=sys.stderr)  # noqa: T201
            services.threads.abandon()
            if on_stuck == "exit":
                hard_exit.expect(lambda: not _have_ended(services), what, exit_code)
        clear = getattr(services.clock, "close", None)
        if clear is not None and services.owns_clock:
            clear()


def _have_ended(services: Services) -> bool:
    return services.threads.wait_closed(0.0) and services.loop.wait_closed(0.0)


def _finish(core: BusCore) -> None:
    core.finish()


class _LoopStep:
    """Drives a loop that the application gave and that does not run now, while a Runtime waits for its tasks."""

    def __init__(self, loop: Any) -> None:
        import asyncio

        from qtorch.bus.foreign_loop import is_foreign

        self._loop = loop
        self._is_foreign = is_foreign(loop)
        self.must_poll = self._is_foreign
        self._must_enter = not self._is_foreign and asyncio._get_running_loop() is None
        if self._must_enter:
            # qasync calls its callbacks from Qt timers whether it "runs" or not, but tasks ask for the running loop.
            asyncio._set_running_loop(loop)

    def run(self, seconds: float) -> None:
        """Let a plain asyncio loop run its callbacks once."""
        if self._is_foreign and not self._loop.is_running():
            self._loop.call_later(seconds, self._loop.stop)
            self._loop.run_forever()

    def end(self) -> None:
        """Leave the loop as it was."""
        if self._must_enter:
            import asyncio

            asyncio._set_running_loop(None)

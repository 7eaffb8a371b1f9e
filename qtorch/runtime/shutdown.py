"""How a Runtime ends: without a crash, without hanging, with every job settled."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QEventLoop, Qt, QTimer

from qtorch.errors import ErrorReport
from qtorch.ports import log
from qtorch.runtime import hard_exit

if TYPE_CHECKING:
    from qtorch.execution.dispatcher import Dispatcher
    from qtorch.execution.services import Services

_log = logging.getLogger("qtorch.runtime")

_POLL = 0.005
"""Seconds between looks at a loop that Qt does not drive; only while a Runtime is being closed."""

_LAST_WAIT = 0.1
"""Seconds that idle threads have to end when the time is up."""


class Shutdown:
    """One close of one Runtime, from whichever loop drives it. The bus's thread."""

    def __init__(self, services: Services, dispatcher: Dispatcher, timeout: float) -> None:
        self._services = services
        self._dispatcher = dispatcher
        self._deadline = monotonic() + timeout
        self.is_waiting = False
        """Whether :meth:`wait` is on the stack."""

    def have_workers_ended(self) -> bool:
        """Whether no thread or process of the Runtime is left."""
        return _have_ended(self._services, 0.0)

    def hurry(self) -> None:
        """Wait no longer."""
        self._deadline = monotonic()

    def begin(self) -> None:
        """Refuse new work and cancel what there is."""
        self._dispatcher.is_closed = True
        self._dispatcher.end_executors()
        for core in tuple(self._services.mailbox.buses):
            core.is_refusing = True
        # The latest first: what waits in a lane ends before the one it waits for, and never begins.
        for run in reversed(self._unfinished()):
            run.cancel("runtime closed")

    def _unfinished(self) -> tuple[Any, ...]:
        """Give the Runtime's own jobs, and those that another Runtime runs for its buses."""
        services = self._services
        buses = (core.jobs.running.values() for core in tuple(services.mailbox.buses))
        return tuple(dict.fromkeys((*services.running.values(), *(run for runs in buses for run in runs))))

    @property
    def is_done(self) -> bool:
        """Whether all work has ended and been told, and the executors are closed."""
        services, endings = self._services, self._dispatcher.endings
        endings.look()
        return not services.working and services.mailbox.is_idle and endings.is_idle and not self._unfinished()

    @property
    def is_late(self) -> bool:
        """Whether the time is up."""
        return monotonic() >= self._deadline

    @property
    def remaining(self) -> float:
        """Seconds left."""
        return max(0.0, self._deadline - monotonic())

    def wait(self) -> None:
        """Run Qt's event loop, without user input, until all is done or the time is up."""
        if self.is_done or QCoreApplication.instance() is None:
            return
        given = self._services.loop.given
        step = None if given is None or given.is_closed() else _LoopStep(given)
        # Ends the wait for events at the deadline. Precise, because a coarse timer may fire before its time.
        alarm = QTimer()
        alarm.setTimerType(Qt.TimerType.PreciseTimer)
        alarm.start(int(self.remaining * 1000) + 1)
        # processEvents, not exec(): after quit() every exec() returns at once.
        loop = QEventLoop()
        flags = QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents
        if step is None or not step.must_poll:
            flags |= QEventLoop.ProcessEventsFlag.WaitForMoreEvents
        self.is_waiting = True
        try:
            while not self.is_done and not self.is_late:
                loop.processEvents(flags)
                if step is not None:
                    step.run(_POLL)
        finally:
            self.is_waiting = False
            alarm.stop()
            if step is not None:
                step.end()

    async def wait_async(self) -> None:
        """Wait, inside an asyncio task, until all is done or the time is up."""
        import asyncio

        while not self.is_done and not self.is_late:
            await asyncio.sleep(_POLL)

    def finish(self, on_stuck: str, exit_code: Callable[[], int | None]) -> None:
        """Settle and tell what is left, and let go of threads and loop, whatever a last listener raises."""
        try:
            self._tell_the_rest()
        finally:
            self._let_go(on_stuck, exit_code)

    def _tell_the_rest(self) -> None:
        services = self._services
        self._dispatcher.is_finished = True
        for run in self._unfinished():
            # Dispatched while this began, or its outcome is fixed and a cache write that never returns holds it back.
            run.cancel("runtime closed")
            services.mailbox.post(run.take_end)
        for work in tuple(services.shared.values()):
            services.mailbox.post(work.take_end)
        mailbox = services.mailbox
        for core in tuple(mailbox.buses):
            core.is_late = self.is_late
        while not mailbox.is_idle and (
            not self.is_late or not mailbox.cursor.is_idle or self._unfinished() or services.shared
        ):
            mailbox.drain()

    def _let_go(self, on_stuck: str, exit_code: Callable[[], int | None]) -> None:
        services = self._services
        for core in tuple(services.mailbox.buses):
            core.finish()
        services.threads.close()
        services.loop.close()
        if services.processes is not None:
            services.processes.close()
        for runner in services.given_runners.values():
            self._close_given(runner)
        # What a process does is not among it: that is killed.
        stuck = [
            f"{attempt.run.id} ({type(attempt.run.job).__name__})"
            for attempt in services.working
            if attempt.run.registration.runner is not services.processes
        ]
        stuck += self._dispatcher.endings.unfinished
        if not _have_ended(services, 0.0 if stuck else max(_LAST_WAIT, self.remaining)) or stuck:
            what = ", ".join(stuck) or "a call of the cache provider, or of a thread that a coroutine started,"
            text = "%s ignored its cancellation token and still works after the Runtime was closed"
            log(_log, logging.ERROR, text, what)
            print(f"qtorch: {what} still works after the Runtime was closed", file=sys.stderr)  # noqa: T201
            services.threads.abandon()
            hard_exit.expect(partial(_have_ended, services), what, exit_code if on_stuck == "exit" else None)
        clear = getattr(services.clock, "close", None)
        if clear is not None and services.owns_clock:
            clear()

    def _close_given(self, runner: Any) -> None:
        close = getattr(runner, "close", None)
        if callable(close):
            try:
                close()
            except Exception as error:  # noqa: BLE001 - user code: the next one is closed all the same
                self._services.sink.report(ErrorReport(error, f"{type(runner).__name__}.close"))


def _have_ended(services: Services, seconds: float) -> bool:
    """Wait up to ``seconds`` in all for threads, loop and processes; give whether all have ended."""
    until = monotonic() + seconds
    threads = services.threads.wait_closed(seconds)
    loop = services.loop.wait_closed(max(0.0, until - monotonic()))
    processes = services.processes
    return (processes is None or processes.wait_closed(max(0.0, until - monotonic()))) and loop and threads


class _LoopStep:
    """Drives a loop that the application gave and that does not run now, while a Runtime waits for its tasks."""

    def __init__(self, loop: Any) -> None:
        import asyncio

        from qtorch.bus.foreign_loop import is_foreign

        self._loop = loop
        self._is_foreign = is_foreign(loop)
        # One that runs in a thread of its own needs nobody.
        self.must_poll = self._is_foreign and not loop.is_running()
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

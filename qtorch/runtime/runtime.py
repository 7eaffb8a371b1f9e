"""The composition root: one Runtime owns the bus, the executors, the clock, the cache and the threads."""

from __future__ import annotations

import atexit
import logging
import os
import random as python_random
import sys
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any, Literal, cast

from PySide6.QtCore import QCoreApplication, QObject, QThread, Signal

from qtorch import ports
from qtorch.bus.foreign_loop import driven_by, is_foreign
from qtorch.bus.mailbox import Mailbox, UnattendedSink
from qtorch.bus.signal_bus import SignalBus
from qtorch.cache.cache import Cache
from qtorch.cache.in_memory import InMemoryCacheProvider
from qtorch.cache.invalidate import InvalidateCacheJob
from qtorch.clock import QtClock
from qtorch.errors import ErrorReport, WrongThreadError, without_frames
from qtorch.execution.base_executor import BaseExecutor
from qtorch.execution.dispatcher import Dispatcher
from qtorch.execution.runners.loop import LoopRunner
from qtorch.execution.runners.thread_pool import ThreadPoolRunner
from qtorch.execution.services import Services
from qtorch.runtime.gc_guard import GcGuard
from qtorch.runtime.main_guard import refuse_in_starting_process
from qtorch.runtime.shutdown import Shutdown

if TYPE_CHECKING:
    import asyncio

    from qtorch.bus.cursor import Step
    from qtorch.cache.provider import CacheProvider
    from qtorch.execution.handle import JobHandle
    from qtorch.execution.lane import Lane
    from qtorch.execution.runners.process_pool import ProcessPoolRunner
    from qtorch.job.options import LanePolicy
    from qtorch.ports import Clock, Random

_log = logging.getLogger("qtorch.runtime")

_SWITCH_INTERVAL = 0.001
"""Seconds after which a thread has to pass the GIL on: with Python's 5 ms two busy threads make frames 66 ms late."""


class Runtime(QObject):
    """Everything that a window needs to ask for jobs. Make one after the QApplication, on its thread.

    The first open Runtime is the default: orchestrators and ``SignalBus.instance()`` use it unless told otherwise.
    It closes itself when the application quits.

    Parameters
    ----------
    executors
        Who does which jobs.
    cache
        A CacheProvider; None for one in memory.
    clock
        The port for time; None for Qt's.
    random
        The port for randomness, of which the jitter of retry waits is made; None for Python's.
    loop
        The asyncio loop for ``async def`` executors, such as ``qasync.QEventLoop(app)``; :meth:`exec` runs and closes
        it. None for a loop in a thread of its own, started at the first coroutine.
    threads
        Threads for ``def`` executors; None for the number of cores, at least 4.
    processes
        Worker processes, at most, for executors with ``runner = "process"``; None for the number of cores. They are
        started as they are needed, and end 10 s after the last job.
    strict
        Find states changed in place, and raise where a closed orchestrator is changed. For tests; it costs a deep
        copy per change.
    on_stuck
        What the end of the process does about a thread that ignores its cancellation: "exit" ends it all the same,
        "wait" waits for the thread.
    gc_guard
        Run the cyclic garbage collector between events only, on the GUI thread; see the docs before switching it off.

    Attributes
    ----------
    error_occurred
        Qt signal with an ErrorReport for each exception that changed no job's outcome: those of hooks and listeners,
        of caches, of listeners that answer each other without end.
    bus, dispatcher, cache, clock
        Its parts.
    exit_code
        What :meth:`exec` returned; set it before ``sys.exit()`` elsewhere.

    Examples
    --------
    >>> app = QApplication(sys.argv)  # doctest: +SKIP
    >>> runtime = Runtime(executors=[FetchUserExecutor(api)])  # doctest: +SKIP
    >>> sys.exit(runtime.exec())  # doctest: +SKIP
    """

    error_occurred = Signal(object)

    _bus_type = SignalBus

    def __init__(
        self,
        *,
        executors: Iterable[BaseExecutor[Any]] = (),
        cache: CacheProvider | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        threads: int | None = None,
        processes: int | None = None,
        strict: bool = False,
        on_stuck: Literal["exit", "wait"] = "exit",
        gc_guard: bool = True,
        parent: QObject | None = None,
    ) -> None:
        app = QCoreApplication.instance()
        if app is None or not QThread.isMainThread():
            raise RuntimeError(
                f"a Runtime was made {'before the QApplication' if app is None else 'outside the GUI thread'}, "
                f"where its events could not be delivered.\n"
                f"  Write app = QApplication(sys.argv) first, then runtime = Runtime(...), both on the main thread."
            )
        refuse_in_starting_process()
        super().__init__(parent)
        self._app = app
        self.is_strict = strict
        self.on_stuck = on_stuck
        self.exit_code: int | None = None
        self._is_closed = False
        self._shutdown: Shutdown | None = None
        self.clock: Clock = clock or QtClock(self)
        self._mailbox = mailbox = Mailbox(self)
        self.bus = self._bus_type(self, mailbox=mailbox)
        provider = cache if cache is not None else InMemoryCacheProvider(clock=self.clock)
        if isinstance(provider, InMemoryCacheProvider) and provider.clock is None:
            provider.clock = self.clock
        self.cache = Cache(provider)
        self._services = Services(
            clock=self.clock,
            owns_clock=clock is None,
            random=random or python_random.Random(),
            cache=self.cache,
            sink=self,
            mailbox=mailbox,
            threads=ThreadPoolRunner(max(4, os.cpu_count() or 1) if threads is None else threads, self.clock),
            loop=LoopRunner(loop),
            make_process_pool=partial(
                _process_pool, weakref.ref(self), (os.cpu_count() or 1) if processes is None else processes
            ),
        )
        self.dispatcher = Dispatcher(self._services, self.bus.core)
        self.register(_InvalidateCacheExecutor(), *executors)
        self._guard = GcGuard() if gc_guard else None
        if self._guard is not None:
            self._guard.install()
            mailbox.before_drain = self._guard.drain_begins
        ports.open_runtimes.append(self)
        self._quitting = app.aboutToQuit.connect(self._about_to_quit)
        self._at_exit = _closer(self)
        atexit.register(self._at_exit)
        # Deleted by C++, with its parent or the application: a bound method of this object would not be called then.
        self.destroyed.connect(partial(_deleted, weakref.ref(self)))

    @staticmethod
    def default() -> Runtime:
        """Give the oldest open Runtime; never makes one.

        Raises
        ------
        NoRuntimeError
            None is open.
        """
        return cast("Runtime", ports.default_runtime())

    @property
    def is_closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._is_closed or self._shutdown is not None

    def register(self, *executors: BaseExecutor[Any]) -> None:
        """Add ``executors``; see :meth:`Dispatcher.register`."""
        for executor in executors:
            self.dispatcher.register(executor)

    def lane(
        self,
        name: str,
        *,
        policy: LanePolicy | None = None,
        limit: int | None = None,
        max_queue: int | None = None,
    ) -> Lane:
        """Make a lane that all orchestrators share, or give the one of that name. Any thread.

        From then on ``lane=name`` means this lane everywhere; jobs that are in private lanes of that name stay there.

        Parameters
        ----------
        name
            What ``dispatch(lane=name)`` names it by.
        policy
            How its jobs meet; CONCURRENT unless given.
        limit
            How many are inside at a time; any number for CONCURRENT unless given, else one.
        max_queue
            How many may wait for those inside; any number unless given.

        Raises
        ------
        ValueError
            There is one of that name that was made with other arguments; or the limit does not fit the policy.
        """
        return self._services.lanes.make(name, policy, limit, max_queue)

    def snapshot(self) -> dict[str, Any]:
        """Give how many jobs are queued, running and waiting, per lane and runner too, and which work outlives its job.

        ``still_working_jobs`` names the jobs that have ended while their work goes on; ``lanes`` and ``runners`` count
        them where they hold a place. Shared lanes are always in it, private ones while jobs are in them.
        """
        return self._services.snapshot()

    @property
    def running_jobs(self) -> tuple[JobHandle[Any], ...]:
        """The jobs that have not ended, as handles."""
        return tuple(run.handle() for run in tuple(self._services.running.values()))

    def report(self, report: ErrorReport, *, user_code: bool = True) -> None:
        """Tell of an error once, by :attr:`error_occurred` and, for ``user_code``, ``sys.excepthook``. Any thread."""
        if user_code:
            ports.call_excepthook(report.error)
        if get_ident() == self._mailbox.thread:
            self._announce(report)
        else:
            without_frames(report.error)
            self._mailbox.post(self._announcement, report)

    def _announcement(self, report: ErrorReport) -> list[Step]:
        return [(self._announce, (report,), True)]

    def _announce(self, report: ErrorReport) -> None:
        with suppress(RuntimeError):  # the Runtime's C++ object is gone
            self.error_occurred.emit(report)

    # -- the application's life -------------------------------------------------------------------------------------

    def exec(self) -> int:
        """Run the application until it quits, close the Runtime, and give the exit code.

        Ctrl+C quits with 130. The loop that the Runtime was given is run, and closed at the end.
        """
        from qtorch.runtime.interrupt import quit_on_interrupt

        given: Any = self._services.loop.given
        if given is not None and is_foreign(given) and not given.is_running():
            raise RuntimeError(
                f"Runtime.exec() cannot run a {type(given).__name__}, so no coroutine of an executor would ever run.\n"
                f"  Give the Runtime qasync.QEventLoop(app), or no loop at all for one in a thread of its own."
            )
        interval = sys.getswitchinterval()
        sys.setswitchinterval(min(interval, _SWITCH_INTERVAL))
        try:
            with quit_on_interrupt(self._app):
                if given is None or is_foreign(given):
                    self.exit_code = self._app.exec()
                else:
                    self.exit_code = int(given.run_forever() or 0)
            self.close()
        finally:
            sys.setswitchinterval(interval)
        if given is not None and not given.is_closed() and not given.is_running():
            given.close()
        return self.exit_code

    def close(self, timeout: float = 5.0) -> None:
        """End every job and everything the Runtime owns, within ``timeout`` seconds (and 0.2).

        New work is refused, jobs are cancelled, and the event loop runs on without user input until their work has
        ended and been told; then executors are closed. Work that ignores its token is named and left behind. The
        bus's thread; idempotent; allowed from a hook.

        Raises
        ------
        RuntimeError
            Called inside an asyncio task, which it would have to wait for: ``await runtime.aclose()`` there.
        WrongThreadError
            Called on another thread.
        """
        if self._is_closed or (self._shutdown is not None and self._shutdown.is_waiting):
            return
        self._check_thread("close")
        if _in_task():
            raise RuntimeError(
                "Runtime.close() was called inside an asyncio task and would wait for that very task.\n"
                "  Write await runtime.aclose() there."
            )
        # One that an aclose() began, whose task may never go on, is brought to its end here.
        shutdown = self._shutdown or self._begin_to_close(timeout)
        try:
            shutdown.wait()
        finally:
            self._finish_closing(shutdown)

    async def aclose(self, timeout: float = 5.0) -> None:
        """Do what :meth:`close` does, inside an asyncio task on the bus's thread."""
        import asyncio

        if self._is_closed:
            return
        self._check_thread("aclose")
        loop = asyncio.get_running_loop()
        shutdown = self._shutdown or self._begin_to_close(timeout)
        try:
            if is_foreign(loop):
                with driven_by(loop, self._mailbox, self.clock):
                    await shutdown.wait_async()
            else:
                await shutdown.wait_async()
        except asyncio.CancelledError:
            shutdown.hurry()
            raise
        finally:
            self._finish_closing(shutdown)

    def close_first_at_exit(self) -> None:
        """Be the first that the end of Python closes. Any thread."""
        if not self._is_closed:
            atexit.unregister(self._at_exit)
            atexit.register(self._at_exit)

    def end_without_waiting(self) -> None:
        """End every job and thread now; for a Runtime whose QObject was deleted by C++."""
        if not self._is_closed:
            shutdown = self._shutdown or self._begin_to_close(0.0)
            shutdown.hurry()
            self._finish_closing(shutdown)

    def _check_thread(self, name: str) -> None:
        if get_ident() != self._mailbox.thread:
            raise WrongThreadError(f"Runtime.{name} was called outside the GUI thread; emit a signal to get there")

    def _begin_to_close(self, timeout: float) -> Shutdown:
        ports.open_runtimes[:] = [one for one in ports.open_runtimes if one is not self]
        self._shutdown = shutdown = Shutdown(self._services, self.dispatcher, timeout)
        shutdown.begin()
        return shutdown

    def _finish_closing(self, shutdown: Shutdown) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            shutdown.finish(self.on_stuck, partial(_exit_code, weakref.ref(self)))
        finally:
            if self._guard is not None:
                self._mailbox.before_drain = None
                self._guard.remove(shutdown.have_workers_ended)
            atexit.unregister(self._at_exit)
            # As a Qt child the bus is held by C++, which the collector cannot see: nothing in it may hold the Runtime,
            # and a Runtime that only a cycle kept would be collected wherever the collector next runs.
            self._mailbox.sink = self._services.sink = UnattendedSink()
            if self._services.processes is not None:
                self._services.processes.sink = self._services.sink
            # By the connection: neither the application nor this QObject need be there any more.
            QObject.disconnect(self._quitting)

    def _about_to_quit(self) -> None:
        if not _in_task():
            self.close()


def _process_pool(runtime_ref: weakref.ref[Runtime], size: int) -> ProcessPoolRunner:
    from qtorch.execution.runners.process_pool import ProcessPoolRunner

    runtime = runtime_ref()
    assert runtime is not None
    return ProcessPoolRunner(size, runtime.clock, runtime, partial(_close_first, runtime_ref))


def _close_first(runtime_ref: weakref.ref[Runtime]) -> None:
    """Let the Runtime be closed, at the end of Python, before multiprocessing ends the workers: last come, first."""
    runtime = runtime_ref()
    if runtime is not None:
        runtime.close_first_at_exit()


def _deleted(runtime_ref: weakref.ref[Runtime], *_: object) -> None:
    """End what a Runtime owns whose QObject is gone: without waiting, for there may be no event loop any more."""
    runtime = runtime_ref()
    if runtime is not None:
        runtime.end_without_waiting()


def _closer(runtime: Runtime) -> Callable[[], None]:
    ref = weakref.ref(runtime)

    def close() -> None:
        runtime = ref()
        if runtime is not None:
            runtime.close()

    return close


def _exit_code(runtime_ref: weakref.ref[Runtime]) -> int | None:
    runtime = runtime_ref()
    return None if runtime is None else runtime.exit_code


def _in_task() -> bool:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or asyncio._get_running_loop() is None:
        return False
    return asyncio.current_task() is not None


class _InvalidateCacheExecutor(BaseExecutor[InvalidateCacheJob]):
    """Forgets cached values."""

    def process(self, job: InvalidateCacheJob) -> None:
        if job.key is not None and job.prefix is None and job.predicate is None:
            self.cache.delete(job.key)
        else:
            self.cache.delete_matching(job.names)

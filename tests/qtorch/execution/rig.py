"""A Runtime under a test's control: work that starts, waits and ends when the test says so."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import qasync
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent

from qtorch import (
    MISSING,
    BaseExecutor,
    BaseJob,
    BaseOrchestrator,
    BaseState,
    EventLog,
    JobCancelledError,
    JobHandle,
    Runtime,
)
from qtorch.testing import FakeClock

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from qtorch import ErrorReport, Lane
    from qtorch.execution.run import JobRun

PATIENCE = 10.0
"""Seconds after which a condition that never came fails the test; no test ever waits for it to pass."""


def drive(condition: Callable[[], object], what: str = "") -> None:
    """Run Qt's event loop until ``condition()`` holds."""
    end = time.monotonic() + PATIENCE
    while True:
        QCoreApplication.processEvents()
        if condition():
            return
        if time.monotonic() > end:
            raise AssertionError(f"never came: {what or condition}")
        time.sleep(0.0002)


class Gate:
    """Lets work through once it is opened; for threads and for coroutines of any loop."""

    def __init__(self) -> None:
        self._opened = threading.Event()
        self._lock = threading.Lock()
        self._futures: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def open(self) -> None:
        with self._lock:
            self._opened.set()
            futures, self._futures = self._futures, []
        for loop, future in futures:
            if not loop.is_closed():
                loop.call_soon_threadsafe(lambda future=future: future.done() or future.set_result(None))

    def wait(self) -> None:
        if not self._opened.wait(PATIENCE):
            raise AssertionError("a gate was never opened")

    async def wait_in_loop(self) -> None:
        with self._lock:
            if self._opened.is_set():
                return
            loop = asyncio.get_running_loop()
            future: asyncio.Future[None] = loop.create_future()
            self._futures.append((loop, future))
        await future


class Work:
    """What the executor does for the job of one name.

    Attributes
    ----------
    gives
        What each attempt returns, or raises if it is an exception; the last one repeats.
    is_deaf
        Whether it goes on when it is asked to stop.
    """

    def __init__(self, *gives: object, is_open: bool = False, is_deaf: bool = False) -> None:
        self.gives: list[Any] = list(gives) or [42]
        self.is_deaf = is_deaf
        self.begun = threading.Event()
        self.ended = threading.Event()
        self.gate = Gate()
        self.calls = 0
        self.threads: list[int] = []
        self.tokens: list[Any] = []
        if is_open:
            self.gate.open()

    def begin(self, token: Any) -> None:
        self.calls += 1
        self.threads.append(threading.get_ident())
        self.tokens.append(token)
        self.begun.set()

    def give(self) -> object:
        what = self.gives.pop(0) if len(self.gives) > 1 else self.gives[0]
        if isinstance(what, BaseException):
            raise what
        return what


class WorkJob(BaseJob[object]):
    """Work by name; the class says where."""

    name: str = "work"


class ThreadJob(WorkJob):
    """Work on a thread."""


class LoopJob(WorkJob):
    """Work on the loop."""


class ThreadWorker(BaseExecutor[ThreadJob]):
    def __init__(self, works: dict[str, Work]) -> None:
        self.works = works

    def process(self, job: ThreadJob) -> object:
        work = self.works[job.name]
        token = self.token(job)
        work.begin(token)
        try:
            if not work.is_deaf:
                token.on_cancel(work.gate.open)
            work.gate.wait()
            if not work.is_deaf:
                token.raise_if_cancelled()
            return work.give()
        finally:
            work.ended.set()


class LoopWorker(BaseExecutor[LoopJob]):
    def __init__(self, works: dict[str, Work]) -> None:
        self.works = works

    async def process(self, job: LoopJob) -> object:
        work = self.works[job.name]
        work.begin(self.token(job))
        try:
            while True:
                try:
                    await work.gate.wait_in_loop()
                    return work.give()
                except asyncio.CancelledError:
                    if not work.is_deaf:
                        raise
        finally:
            work.ended.set()


ITEMS = 10
"""What a streaming job gives: the numbers below this one, the first half before its gate."""


class ThreadStreamJob(ThreadJob):
    """Work on a thread, streaming."""


class LoopStreamJob(LoopJob):
    """Work on the loop, streaming."""


class ThreadStreamer(BaseExecutor[ThreadStreamJob]):
    def __init__(self, works: dict[str, Work]) -> None:
        self.works = works

    def process(self, job: ThreadStreamJob) -> Iterator[int]:
        work = self.works[job.name]
        token = self.token(job)
        work.begin(token)
        try:
            for number in range(ITEMS):
                if number == ITEMS // 2:
                    if not work.is_deaf:
                        token.on_cancel(work.gate.open)
                    work.gate.wait()
                    work.give()
                try:
                    yield number
                except JobCancelledError:
                    if not work.is_deaf:
                        raise
        finally:
            work.ended.set()


class LoopStreamer(BaseExecutor[LoopStreamJob]):
    def __init__(self, works: dict[str, Work]) -> None:
        self.works = works

    async def process(self, job: LoopStreamJob) -> AsyncIterator[int]:
        work = self.works[job.name]
        work.begin(self.token(job))
        number = 0
        try:
            while number < ITEMS:
                try:
                    if number == ITEMS // 2:
                        await work.gate.wait_in_loop()
                        work.give()
                    number += 1
                    yield number - 1
                except asyncio.CancelledError:
                    if not work.is_deaf:
                        raise
        finally:
            work.ended.set()


class SlowCache:
    """A cache that is not in memory: its reads and writes wait at their gates."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}
        self.reading = threading.Event()
        self.writing = threading.Event()
        self.read_gate = Gate()
        self.write_gate = Gate()
        self.raises: Exception | None = None
        self.written: list[tuple[str, Any, float | None]] = []

    def read(self, key: str) -> Any:
        self.reading.set()
        self.read_gate.wait()
        if self.raises is not None:
            raise self.raises
        return self.entries.get(key, MISSING)

    def write(self, key: str, value: Any, ttl: float | None = None) -> None:
        self.writing.set()
        self.write_gate.wait()
        if self.raises is not None:
            raise self.raises
        self.entries[key] = value
        self.written.append((key, value, ttl))

    def delete(self, key: str) -> None:
        self.entries.pop(key, None)

    def delete_matching(self, predicate: Callable[[str], bool]) -> None:
        for key in [key for key in self.entries if predicate(key)]:
            del self.entries[key]

    def clear(self) -> None:
        self.entries.clear()


class NoState(BaseState):
    """Nothing to show."""


class Owner(BaseOrchestrator[NoState]):
    """An orchestrator that only dispatches."""


class Rig:
    """One Runtime on fake time, its event log, and the work that its executors do."""

    def __init__(
        self, *, loop: Any = None, threads: int = 2, cache: Any = None, strict: bool = True, random: Any = None
    ) -> None:
        self.clock = FakeClock()
        self.works: dict[str, Work] = {}
        self.worker = ThreadWorker(self.works)
        self.loop_worker = LoopWorker(self.works)
        self.streamer = ThreadStreamer(self.works)
        self.loop_streamer = LoopStreamer(self.works)
        self.runtime = Runtime(
            executors=[self.worker, self.loop_worker, self.streamer, self.loop_streamer],
            clock=self.clock,
            loop=loop,
            threads=threads,
            cache=cache,
            strict=strict,
            random=random,
        )
        self.loop = loop
        self.reports: list[ErrorReport] = []
        self.runtime.error_occurred.connect(self.reports.append)
        self.log = EventLog(self.runtime.bus)
        self._owner: Owner | None = None

    @property
    def owner(self) -> Owner:
        if self._owner is None:
            self._owner = Owner(NoState(), runtime=self.runtime)
        return self._owner

    def drop_owner(self) -> None:
        """Have C++ delete the orchestrator."""
        owner, self._owner = self._owner, None
        assert owner is not None
        shiboken6.delete(owner)

    def limit_executors(self, limit: int) -> None:
        """Let each executor work on so many jobs at a time."""
        for worker in (self.worker, self.loop_worker, self.streamer, self.loop_streamer):
            worker.max_concurrency = limit
            self.runtime.dispatcher.register(worker, replace=True)

    def work(self, name: str = "work", *gives: object, is_open: bool = False, is_deaf: bool = False) -> Work:
        self.works[name] = Work(*gives, is_open=is_open, is_deaf=is_deaf)
        return self.works[name]

    def job(self, runner: str, name: str = "work") -> WorkJob:
        kinds = {"thread": ThreadJob, "thread stream": ThreadStreamJob, "loop stream": LoopStreamJob}
        return kinds.get(runner, LoopJob)(name=name)

    def dispatch(self, runner: str, name: str = "work", **options: Any) -> JobHandle[object]:
        return self.owner.dispatch(self.job(runner, name), **options)

    def types(self, handle: JobHandle[Any]) -> list[str]:
        """The events of a job, by their short names."""
        return [type(event).__name__.removeprefix("Job").removesuffix("Event") for event in self.log.for_job(handle.id)]

    def drain(self) -> None:
        """Deliver what is queued now."""
        mailbox = self.runtime.bus.core.mailbox
        turns = mailbox.turns
        try:
            drive(lambda: mailbox.is_idle)
        except AssertionError:
            left = f"{list(mailbox.queue)}, {list(mailbox.dirty)}, {mailbox.cursor._steps}"
            raise AssertionError(
                f"the bus did not come to rest in {mailbox.turns - turns} drains, "
                f"wake {'pending' if mailbox.wake_is_pending else 'answered'}: {left}"
            ) from None

    def end(self, *handles: JobHandle[Any]) -> None:
        """Wait until the jobs have ended and that was told."""
        drive(lambda: all(run_of(handle).is_ended for handle in handles), f"the end of {handles}")
        self.drain()

    def quiet(self) -> None:
        """Wait until no work goes on and everything was told."""
        services = self.runtime.dispatcher.services
        drive(lambda: not services.working and not services.running, "the end of all work")
        self.drain()

    def open_all(self) -> None:
        for work in self.works.values():
            work.gate.open()

    def close(self) -> None:
        self.open_all()
        provider = self.runtime.cache.provider
        if isinstance(provider, SlowCache):
            provider.read_gate.open()
            provider.write_gate.open()
        self.runtime.close()


def run_of(handle: JobHandle[Any]) -> JobRun:
    return handle._run


def holds_no_place(lane: Lane) -> bool:
    """Whether a lane with a bounded queue counts nobody."""
    places = lane._places
    return places is None or not (places._held or places._pending or places._coming or places._coming_paced)


@contextmanager
def qasync_loop(app: QApplication) -> Iterator[Any]:
    """A qasync loop that "runs" as long as the test drives Qt."""
    loop: Any = qasync.QEventLoop(app, already_running=True)
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        drive(lambda: not asyncio.all_tasks(loop))
        # Not loop.stop(): that is app.exit(), after which every nested event loop of later tests returns at once.
        loop._QEventLoop__is_running = False
        asyncio._set_running_loop(None)
        loop.close()
        asyncio.set_event_loop(None)


def delete_later_now() -> None:
    """Do what deleteLater() asked for."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def elsewhere(function: Callable[[], object]) -> None:
    """Call ``function`` on another thread, and wait for it."""
    errors: list[BaseException] = []

    def call() -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive(), "the other thread hangs"
    if errors:
        raise errors[0]

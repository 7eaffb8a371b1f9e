"""Work on threads: a QThreadPool whose threads stay."""

from __future__ import annotations

import heapq
import sys
import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QRunnable, QThreadPool

from qtorch.execution.attempt import Attempt
from qtorch.execution.waiting_line import queue_key

if TYPE_CHECKING:
    from qtorch.ports import Clock

_AHEAD_OF_JOBS = 1_000_000
"""The priority of qtorch's own short calls."""

_Process = Callable[[Any], Any]
_Work = Callable[[], object]


class ThreadPoolRunner:
    """Runs plain functions on a QThreadPool of its own.

    Each pool thread runs one drain task that serves job after job: to start a QRunnable costs 12 us, and a Python
    thread state, with its thread locals, would live for one job only. An idle drain blocks on a queue and wakes for
    work alone. What finds a thread free is handed to it, past what waits: it was announced as begun.

    Work that goes on after its job has ended counts no more: another drain takes its place, up to twice ``size``.

    Parameters
    ----------
    size
        Threads at work at a time.
    clock
        For the ageing of priorities.
    """

    def __init__(self, size: int, clock: Clock) -> None:
        if size < 1:
            raise ValueError(f"threads has to be at least 1, got {size}")
        self._size = size
        self._clock = clock
        self._pool: QThreadPool | None = None
        self._lock = threading.RLock()
        self._waiting: list[tuple[tuple[float, int], _Work]] = []
        self.handed: SimpleQueue[_Work | None] = SimpleQueue()
        """Work for the idle and new drains, one piece for each that was claimed; None ends one."""
        self._idle = 0
        self._drains = 0
        self._stuck = 0
        self._withdrawn = 0
        self._limit = size
        """Drains there may be: one more for each that is stuck, up to twice ``size``."""
        self._is_closed = False

    def submit(self, attempt: Attempt, process: _Process) -> bool:
        """Queue the attempt; give whether a thread is free for it. Any thread."""
        work: _Work = partial(_work, attempt, process)
        # Without the lock while all are busy: in a burst the workers hold it half of the time.
        if self._idle or self._drains < self._limit:
            with self._lock:
                # Noted before a worker can get at it.
                attempt.is_announced = self._claim_thread()
                if attempt.is_announced:
                    self.handed.put(work)
                    return True
        self._queue(queue_key(self._clock.now(), attempt.run.options.priority), work)
        return False

    def call(self, function: Callable[[], object]) -> None:
        """Have ``function()`` called on a pool thread, before waiting jobs. It may not raise."""
        self._queue(queue_key(self._clock.now(), _AHEAD_OF_JOBS), function)

    def _queue(self, key: tuple[float, int], work: _Work) -> None:
        # heappush is one step to other threads: the keys are numbers. A drain counts itself as idle before it looks
        # for waiting work, and here work is queued before idle drains are looked for: one of the two finds the other.
        heapq.heappush(self._waiting, (key, work))
        if self._idle or self._drains < self._limit:
            with self._lock:
                if self._waiting and self._claim_thread():
                    self.handed.put(heapq.heappop(self._waiting)[1])

    def _room(self) -> int:
        """How many more drains may be busy. Under the lock."""
        return self._limit - (self._drains - self._idle)

    def _claim_thread(self) -> bool:
        """Claim an idle drain, or start one, for the work that is handed over next. Under the lock."""
        if self._is_closed or self._room() <= 0:
            return False
        if self._idle:
            # Claimed here, not when it wakes: the next caller must not count on the same thread.
            self._idle -= 1
        else:
            self._drains += 1
            if self._pool is None:
                # The application's child: as Python's own, it would be destroyed, which waits for its threads, before
                # anybody hears that the application goes.
                self._pool = QThreadPool(QCoreApplication.instance())
                self._pool.setObjectName("qtorch")
                self._pool.setExpiryTimeout(-1)
                self._pool.setMaxThreadCount(2 * self._size)
            self._pool.start(_Drain(self))
        return True

    def next_work(self) -> _Work | None:
        """Give the next work, waiting for it; None when the calling drain is to end. A pool thread."""
        with self._lock:
            if self._room() < 0:
                # It took the place of work that has ended since. Those that stay busy see to what waits.
                self._drains -= 1
                return None
            if self._is_closed:
                self._drains -= 1
                return None
            self._idle += 1
            if self._waiting:
                self._idle -= 1
                return heapq.heappop(self._waiting)[1]
        return self.handed.get()

    def stop(self, attempt: Attempt) -> None:
        """Let another thread take the place of the one that is still at work."""
        with self._lock:
            self._count_stuck(1)
            if self._waiting and self._claim_thread():
                self.handed.put(heapq.heappop(self._waiting)[1])

    def withdrawn(self, attempt: Attempt) -> None:
        """Clear away what waits and was withdrawn, once it is more than half: it would keep its jobs alive."""
        self._withdrawn += 1
        if self._withdrawn * 2 > len(self._waiting) + 64:
            # Only the bus's thread queues, so nothing is added meanwhile.
            with self._lock:
                self._waiting[:] = [entry for entry in self._waiting if not _is_withdrawn(entry[1])]
                heapq.heapify(self._waiting)
                self._withdrawn = 0

    def _count_stuck(self, more: int) -> None:
        self._stuck += more
        self._limit = min(self._size + self._stuck, 2 * self._size)

    def ended(self, attempt: Attempt) -> None:
        """Take the place back."""
        with self._lock:
            self._count_stuck(-1)

    @property
    def counts(self) -> dict[str, int]:
        """How many threads there are, how many are idle, and what waits."""
        with self._lock:
            return {"threads": self._drains, "idle": self._idle, "queued": len(self._waiting)}

    def close(self) -> None:
        """Let every thread end once it is done. Work that is waiting is dropped."""
        with self._lock:
            self._is_closed = True
            self._waiting.clear()
            idle, self._idle = self._idle, 0
            self._drains -= idle
            for _ in range(idle):
                self.handed.put(None)

    def wait_closed(self, seconds: float) -> bool:
        """Wait up to ``seconds`` until all threads have ended; give whether they have."""
        return self._pool is None or self._pool.waitForDone(int(seconds * 1000))

    def abandon(self) -> None:
        """Leave threads that never end alone: to destroy their pool would wait for them."""
        if self._pool is not None:
            _abandoned.append(self._pool)


_abandoned: list[QThreadPool] = []


class _Drain(QRunnable):
    """Serves one piece of work after the other on one pool thread."""

    def __init__(self, runner: ThreadPoolRunner) -> None:
        super().__init__()
        self._runner = runner

    def run(self) -> None:
        # Threads that Python did not start are unknown to coverage and debuggers until they are told.
        if (trace := threading.gettrace()) is not None:
            sys.settrace(trace)
        if (profile := threading.getprofile()) is not None:
            sys.setprofile(profile)
        next_work: Callable[[], _Work | None] = self._runner.handed.get
        while (work := next_work()) is not None:
            # In a context of its own: what one job sets in a ContextVar is no other job's business.
            copy_context().run(work)
            # Nothing of a job may be held while this thread waits for the next one.
            del work
            next_work = self._runner.next_work


def _is_withdrawn(work: _Work) -> bool:
    return isinstance(work, partial) and isinstance(work.args[0], Attempt) and work.args[0].has_begun


def _work(attempt: Attempt, process: _Process) -> None:
    if not attempt.take():
        return
    if not attempt.is_announced:
        attempt.tell_begun()
    attempt.do(process)

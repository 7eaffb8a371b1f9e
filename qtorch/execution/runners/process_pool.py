"""Work in other processes: a pool that can end what runs, and that opens and closes by itself."""

from __future__ import annotations

import heapq
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtorch.errors import JobCancelledError, NotPicklableError
from qtorch.execution.runners.deaths import death, how_it_died, no_start
from qtorch.execution.runners.parcels import Parcels
from qtorch.execution.runners.worker_process import WorkerProcess
from qtorch.execution.waiting_line import queue_key
from qtorch.execution.worker import frames
from qtorch.ports import log

if TYPE_CHECKING:
    from qtorch.errors import ErrorReport
    from qtorch.execution.attempt import Attempt
    from qtorch.ports import Clock, ErrorSink, Timer

_log = logging.getLogger("qtorch.execution")

REST = 10.0
"""Seconds after the last job's end that the workers are kept."""

GRACE = 0.25
"""Seconds of real time that work has to end by itself once it was told to stop."""

_LEAVING = 5.0
"""Seconds of real time that a worker has to close its executors."""

_KILLING = 0.1
"""Seconds that a killed process takes to be gone."""


class ProcessPoolRunner:
    """Runs plain functions in worker processes, started as they are needed.

    A job is taken by an idle worker, else it waits, in order of priority, while there are fewer than ``size`` workers
    and one more starts. What is told to stop and goes on is killed. A worker that dies fails its job and no other.

    Parameters
    ----------
    size
        Worker processes at a time.
    clock
        For the ageing of priorities, and for closing the pool when it is not used.
    sink
        For what ``close`` of an executor raises.
    opened
        Called, on any thread, when the first worker is about to start.
    """

    def __init__(self, size: int, clock: Clock, sink: ErrorSink, opened: Callable[[], object]) -> None:
        if size < 1:
            raise ValueError(f"processes has to be at least 1, got {size}")
        self._size = size
        self._clock = clock
        self.sink = sink
        self._opened = opened
        self._lock = threading.RLock()
        self._gone = threading.Condition(self._lock)
        self._waiting: list[tuple[tuple[float, int], Attempt]] = []
        self._again: deque[Attempt] = deque()
        """Taken by workers that died before they began."""
        self._idle: list[WorkerProcess] = []
        self._working: set[WorkerProcess] = set()
        """Workers that start or serve."""
        self._leaving: set[WorkerProcess] = set()
        """Workers that were told to end."""
        self.parcels = Parcels()
        self._withdrawn = 0
        self._rested_at = 0.0
        self._rest_timer: Timer | None = None
        self._is_closed = False

    # -- taking work --------------------------------------------------------------------------------------------------

    def submit(self, attempt: Attempt, process: Callable[[Any], Any]) -> bool:
        """Hand the attempt to an idle worker, else queue it; give whether it begins. The bus's thread."""
        run = attempt.run
        if run.payload is None:
            try:
                run.payload = self.parcels.prepare(run.registration.executor, run.job)
            except NotPicklableError as error:
                attempt.take()
                attempt.offer_error(error, "")
                return True
        with self._lock:
            if self._rest_timer is None and not self._is_closed:
                self._rest_timer = self._clock.call_later(REST, self._look_at_rest)
            if not self._idle:
                heapq.heappush(self._waiting, (queue_key(self._clock.now(), run.options.priority), attempt))
                self._start_workers()
                return False
            worker = self._idle.pop()
            attempt.take()
            attempt.is_announced = True
            self._assign(worker, attempt)
        worker.send()
        return True

    def _assign(self, worker: WorkerProcess, attempt: Attempt) -> None:
        """Put the work before ``worker``. Under the lock, so that a cancel is put behind it."""
        worker.attempt = attempt
        worker.work_number += 1
        worker.has_begun = False
        attempt.stop_by = worker
        number, packed, job = attempt.run.payload
        is_kept = number in worker.kept
        worker.kept[number] = None
        worker.kept.move_to_end(number)
        if len(worker.kept) > frames.KEPT_EXECUTORS:
            worker.kept.popitem(last=False)
        work = (worker.work_number, number, None if is_kept else packed, job)
        worker.put(frames.frame(frames.WORK, work))

    def _start_workers(self) -> None:
        """Start a worker for what waits, if there may be one more. Under the lock."""
        starting = sum(not worker.is_ready for worker in self._working)
        while len(self._working) < self._size and starting < len(self._waiting) + len(self._again):
            if self._is_closed:
                return
            worker = WorkerProcess(self)
            self._working.add(worker)
            starting += 1
            worker.start()

    def _next(self) -> Attempt | None:
        """Give the next work, claimed. Under the lock."""
        if self._again:
            return self._again.popleft()
        while self._waiting:
            attempt = heapq.heappop(self._waiting)[1]
            if attempt.take():
                return attempt
            self._withdrawn -= 1
        return None

    def _go_on(self, worker: WorkerProcess) -> None:
        """Give ``worker`` its next work, or let it rest. Its own thread."""
        with self._lock:
            if worker.is_doomed:
                return
            attempt = self._next()
            if attempt is None:
                self._idle.append(worker)
                self._rested_at = self._clock.now()
                return
            self._assign(worker, attempt)
        if not attempt.is_announced:
            attempt.is_announced = True
            attempt.tell_begun()
        worker.send()

    # -- what workers tell --------------------------------------------------------------------------------------------

    def is_opened(self) -> None:
        """Hear that multiprocessing is imported."""
        self._opened()

    def has_room(self, worker: WorkerProcess) -> None:
        """Hear that ``worker`` has started."""
        with self._lock:
            worker.let_live()
            worker.is_ready = True
        self._go_on(worker)

    def take_back(self, worker: WorkerProcess) -> Attempt:
        """Hear that the work of ``worker`` has ended; give whose it was."""
        with self._lock:
            attempt, worker.attempt = worker.attempt, None
            assert attempt is not None
            if not worker.is_doomed:
                worker.let_live()
        self._go_on(worker)
        return attempt

    def report(self, report: ErrorReport) -> None:
        """Tell of what an executor's close() raised."""
        self.sink.report(report)

    def is_lost(self, worker: WorkerProcess, exit_code: int | None, problem: BaseException | None) -> None:
        """Hear that ``worker`` is no more."""
        with self._lock:
            was_told = worker.is_doomed
            worker.is_doomed = True
            self._working.discard(worker)
            self._leaving.discard(worker)
            if worker in self._idle:
                self._idle.remove(worker)
            attempt, worker.attempt = worker.attempt, None
            if attempt is not None and not worker.has_begun and not was_told:
                self._again.appendleft(attempt)
                attempt.stop_by = None
                attempt = None
            elif attempt is None and not worker.is_ready and not was_told:
                attempt = self._next()
            self._start_workers()
            self._gone.notify_all()
        if attempt is None:
            if not was_told and worker.is_ready:
                text = "worker process %s died while it was idle: %s; another one will take its place"
                log(_log, logging.WARNING, text, worker.number, how_it_died(exit_code))
        elif was_told:
            attempt.offer_error(JobCancelledError(attempt.token.reason), "")
        else:
            attempt.offer_error((death if worker.is_ready else no_start)(attempt, exit_code, problem), "")

    # -- stopping ---------------------------------------------------------------------------------------------------

    def stop(self, attempt: Attempt) -> None:
        """Tell the work to stop, and kill it if it has not a quarter of a second later. The bus's thread."""
        with self._lock:
            worker: WorkerProcess | None = attempt.stop_by
            if worker is None or worker.attempt is not attempt:
                if attempt not in self._again:  # its end is on its way
                    return
                self._again.remove(attempt)
            else:
                worker.put(frames.frame(frames.CANCEL, (worker.work_number, attempt.token.reason)))
                self._doom_in(worker, GRACE, attempt)
        if worker is None:
            attempt.offer_error(JobCancelledError(attempt.token.reason), "")
        else:
            worker.send()

    def _doom_in(self, worker: WorkerProcess, seconds: float, attempt: Attempt) -> None:
        number = worker.work_number

        def kill() -> None:
            with self._lock:
                # It may have ended by itself at this very moment, and have begun the next one's.
                if worker.work_number != number or worker.attempt is None:
                    return
                worker.is_doomed = True
            worker.kill()

        worker.call_in(seconds, kill)

    def withdrawn(self, attempt: Attempt) -> None:
        """Clear away what waits and was withdrawn, once it is more than half: it would keep its jobs alive."""
        with self._lock:
            self._withdrawn += 1
            if self._withdrawn * 2 > len(self._waiting) + 64:
                self._waiting[:] = [entry for entry in self._waiting if not entry[1].has_begun]
                heapq.heapify(self._waiting)
                self._withdrawn = 0

    def ended(self, attempt: Attempt) -> None:
        """Nothing to give back."""

    # -- closing ----------------------------------------------------------------------------------------------------

    def _look_at_rest(self) -> None:
        with self._lock:
            self._rest_timer = None
            if self._is_closed or not self._working:
                return
            is_resting = len(self._idle) == len(self._working)
            rest = REST - (self._clock.now() - self._rested_at if is_resting else 0.0)
            if rest > 0:
                self._rest_timer = self._clock.call_later(rest, self._look_at_rest)
                return
            leaving = self._dismiss()
            for worker in leaving:
                worker.call_in(_LEAVING, worker.kill)
        for worker in leaving:
            worker.send()

    def _dismiss(self) -> list[WorkerProcess]:
        """Tell idle workers to end. Under the lock; who calls it sends."""
        leaving, self._idle = self._idle, []
        for worker in leaving:
            worker.is_doomed = True
            self._working.discard(worker)
            self._leaving.add(worker)
            worker.put(frames.END)
        return leaving

    @property
    def counts(self) -> dict[str, int]:
        """How many processes there are, how many are idle, and what waits."""
        with self._lock:
            queued = sum(not attempt.has_begun for _, attempt in self._waiting) + len(self._again)
            return {"processes": len(self._working), "idle": len(self._idle), "queued": queued}

    @property
    def pids(self) -> tuple[int, ...]:
        """The workers' process ids."""
        with self._lock:
            return tuple(pid for worker in self._working if (pid := worker.pid) is not None)

    def close(self) -> None:
        """Let idle workers close their executors and end, and kill the others."""
        with self._lock:
            self._is_closed = True
            self._waiting.clear()
            self._again.clear()
            self._withdrawn = 0
            timer, self._rest_timer = self._rest_timer, None
            leaving = self._dismiss()
            killed = tuple(self._working)
            for worker in killed:
                worker.is_doomed = True
        if timer is not None:
            timer.cancel()
        for worker in leaving:
            worker.send()
        for worker in killed:
            worker.kill()

    def wait_closed(self, seconds: float) -> bool:
        """Wait up to ``seconds`` until every worker has ended, then kill what is left; give whether all are gone."""
        with self._lock:
            if self._gone.wait_for(self._is_empty, seconds):
                return True
            left = (*self._working, *self._leaving)
        for worker in left:
            worker.kill()
        with self._lock:
            return self._gone.wait_for(self._is_empty, _KILLING)

    def _is_empty(self) -> bool:
        return not self._working and not self._leaving

"""What a worker process does: one piece of work after the other, until it is told to end."""

from __future__ import annotations

import inspect
import os
import pickle
import signal
import threading
from collections import OrderedDict
from contextvars import copy_context
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, cast

from qtorch.errors import NotPicklableError, text_of
from qtorch.execution.attempt import current_attempt
from qtorch.execution.calling import call
from qtorch.execution.failures import ship
from qtorch.execution.streaming import runnable
from qtorch.execution.worker import frames
from qtorch.execution.worker.crossing import packed_error, pickled
from qtorch.execution.worker.frames import KEPT_EXECUTORS
from qtorch.execution.worker.reporting import Line, WorkerAttempt, WorkerRun, log_here

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from qtorch.execution.base_executor import BaseExecutor

_Work = tuple[WorkerAttempt, int, bytes | None, bytes]


def serve(connection: Connection[Any, Any], levels: dict[str, int], disabled: int) -> None:
    """Do what comes over ``connection``. The main thread of a worker process."""
    # Ctrl+C in a terminal goes to every process; the Runtime's decides what becomes of the jobs.
    # Not SIG_IGN, which programs that the work starts would inherit.
    signal.signal(signal.SIGINT, _ignore)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT,))  # see WorkerProcess
    line = Line(connection)
    log_here(line, levels, disabled)
    Worker(connection, line).run()


def _ignore(*_: object) -> None:
    """Do nothing."""


class Worker:
    """One worker process: its main thread works, another one listens."""

    def __init__(self, connection: Connection[Any, Any], line: Line) -> None:
        self._connection = connection
        self._line = line
        self._inbox: SimpleQueue[_Work | None] = SimpleQueue()
        self._current: WorkerAttempt | None = None
        self._executors: OrderedDict[int, BaseExecutor[Any] | bytes] = OrderedDict()

    def run(self) -> None:
        """Work until told to end, then close the executors."""
        threading.Thread(target=self._listen, name="qtorch-listener", daemon=True).start()
        self._line.send(frames.READY)
        while (work := self._inbox.get()) is not None:
            self._line.send(frames.BEGUN)
            # In a context of its own: what one job sets in a ContextVar is no other job's business.
            answer = copy_context().run(self._do, *work)
            self._current = None
            self._line.send(answer)
            # Nothing of a job may be held while it waits for the next one.
            del work, answer
        for executor in self._executors.values():
            self._close(executor)

    def _listen(self) -> None:
        try:
            while True:
                message = self._connection.recv_bytes()
                match message[:1]:
                    case frames.WORK:
                        number, *work = cast("tuple[Any, ...]", frames.content(message))
                        self._current = WorkerAttempt(self._line, number)
                        self._inbox.put((self._current, *work))
                        del work
                    case frames.CANCEL:
                        self._cancel(*cast("tuple[int, str | None]", frames.content(message)))
                    case frames.ROOM:
                        current = self._current
                        if current is not None and current.number == frames.content(message):
                            self._line.take_room()
                        del current
                    case _:
                        self._inbox.put(None)
                del message
        except (EOFError, OSError):
            os._exit(1)  # the Runtime's process is gone: no orphan stays behind

    def _cancel(self, number: int, reason: str | None) -> None:
        current = self._current
        if current is not None and current.number == number:
            try:
                current.token.cancel(reason)
            except BaseException:  # noqa: BLE001 - a callback's sys.exit() may not end the listening
                pass

    def _do(
        self, attempt: WorkerAttempt, executor_number: int, packed_executor: bytes | None, packed_job: bytes
    ) -> bytes | memoryview:
        try:
            executor, job = self._unpack(executor_number, packed_executor, packed_job)
            self._line.begin_stream()
            run: Any = WorkerRun(attempt, job, executor)
            attempt.run = run
            current_attempt.set(cast("Any", attempt))
            # For calls from threads that process() starts.
            executor.running_jobs = ({job.id: run},)
            try:
                data = call(runnable(executor.process), job, attempt, executor)
            finally:
                executor.running_jobs = ()
            what = f"the result of {type(executor).__name__}"
            return frames.frame_of(frames.DATA, pickled(data, what, "Return plain data: it is copied to the Runtime."))
        except BaseException as error:  # noqa: BLE001 - sys.exit() ends the job, not the worker
            traceback = ship(error)
            return frames.frame(frames.ERROR, packed_error(error, traceback))

    def _unpack(self, number: int, packed_executor: bytes | None, packed_job: bytes) -> tuple[BaseExecutor[Any], Any]:
        kept = self._executors
        if packed_executor is not None:
            kept[number] = packed_executor
        kept.move_to_end(number)
        if len(kept) > KEPT_EXECUTORS:
            self._close(kept.popitem(last=False)[1])
        try:
            executor = kept[number]
            if isinstance(executor, bytes):
                # It lives on between jobs: a model that it has opened stays open.
                executor = kept[number] = cast("BaseExecutor[Any]", pickle.loads(executor))
            return executor, pickle.loads(packed_job)
        except Exception as error:
            raise NotPicklableError(
                f"the executor or its job could not be made in the worker process: "
                f"{type(error).__name__}: {text_of(error)}.\n"
                f"  Both have to be importable by a new process: classes at the top level of a module, "
                f"nothing that only `if __name__ == '__main__':` defines."
            ) from error

    def _close(self, executor: BaseExecutor[Any] | bytes) -> None:
        aclose, close = getattr(executor, "aclose", None), getattr(executor, "close", None)
        is_async = inspect.iscoroutinefunction(aclose)
        try:
            if is_async:
                import asyncio

                asyncio.run(cast("Any", aclose)())
            elif callable(close):
                close()
        except BaseException as error:  # noqa: BLE001 - user code: the next one is closed all the same
            where = f"{type(executor).__name__}.{'aclose' if is_async else 'close'}"
            traceback = ship(error)
            self._line.send(frames.frame(frames.FAULT, (where, packed_error(error, traceback))))

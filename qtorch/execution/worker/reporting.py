"""What a job tells from inside a worker process: its progress, its log records."""

from __future__ import annotations

import logging
import os
import pickle
import threading
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, NoReturn

from qtorch.execution.services import FRAME
from qtorch.execution.worker.crossing import pickled
from qtorch.execution.worker.frames import ITEMS, PROGRESS, RECORD, frame
from qtorch.job.cancellation import CancellationToken

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from qtorch.job.base_job import BaseJob

_BATCH = 0.005
"""Seconds after which items are sent with the next one that comes."""

_BATCH_SIZE = 500

_BATCHES = 2
"""Batches of items on their way: one that is told and one that waits; then the generator waits too."""


class Line:
    """The worker's end of its one pipe: what is sent first arrives first, whichever thread sends it.

    Progress and items are kept for a moment, and go before anything else: a flood of them costs the Runtime little.
    """

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        # Reentrant: pickling and writing can run the collector, and with it a __del__ that logs.
        self._lock = threading.RLock()
        self._waiting: deque[bytes | memoryview] = deque()
        self._is_sending = False
        self._progress: bytes | None = None
        self._progress_at = -FRAME
        self._items: list[bytes] = []
        self._items_at = 0.0
        self._on_way = 0
        """Batches that were sent and not taken yet."""
        self._resume: Callable[[], object] | None = None
        self._wanted: threading.Event | None = None

    def send(self, message: bytes | memoryview) -> None:
        """Send ``message`` after what is kept. Any thread."""
        with self._lock:
            self._release()
            self._waiting.append(message)
            self._flush()

    def send_progress(self, message: bytes) -> None:
        """Send ``message``, or keep the latest for up to 16 ms: nobody sees more than 60 a second. Any thread."""
        with self._lock:
            self._progress = message
            if monotonic() - self._progress_at >= FRAME:
                self._release()
                self._flush()
            else:
                self._release_soon()

    def send_item(self, packed: bytes, resume: Callable[[], object]) -> bool:
        """Keep an item for its batch, or send that; give whether there is room for more.

        If there is not, ``resume()`` is called when there is. Any thread.
        """
        with self._lock:
            self._items.append(packed)
            if len(self._items) >= _BATCH_SIZE or monotonic() - self._items_at >= _BATCH:
                self._release()
                self._flush()
            else:
                self._release_soon()
            has_room = self._on_way < _BATCHES
            self._resume = None if has_room else resume
            return has_room

    def begin_stream(self) -> None:
        """Forget what an earlier job left on its way."""
        with self._lock:
            self._on_way = 0
            self._resume = None

    def take_room(self) -> None:
        """Hear that a batch was taken."""
        with self._lock:
            self._on_way -= 1
            resume, self._resume = self._resume, None
        if resume is not None:
            resume()

    def _release(self) -> None:
        if self._progress is not None:
            self._waiting.append(self._progress)
            self._progress = None
            self._progress_at = monotonic()
        if self._items:
            items, self._items = self._items, []
            self._waiting.append(frame(ITEMS, items))
            self._items_at = monotonic()
            self._on_way += 1

    def _release_soon(self) -> None:
        if self._wanted is None:
            self._wanted = threading.Event()
            threading.Thread(target=self._release_in_time, args=(self._wanted,), daemon=True).start()
        self._wanted.set()

    def _release_in_time(self, wanted: threading.Event) -> None:
        while wanted.wait():
            wanted.clear()
            sleep(FRAME)
            with self._lock:
                self._release()
                self._flush()

    def _flush(self) -> None:
        if self._is_sending:  # by this thread, further down its stack
            return
        self._is_sending = True
        try:
            while self._waiting:
                self._connection.send_bytes(self._waiting.popleft())
        except OSError:
            os._exit(1)  # the Runtime's process is gone, and nobody waits for what this one does
        finally:
            self._is_sending = False


class WorkerServices:
    """What of the Runtime's services there is in a worker."""

    def give_way(self) -> None:
        """Do nothing: there is no GUI thread here."""

    @property
    def cache(self) -> NoReturn:
        """Refuse: the cache is the Runtime's, in another process."""
        raise RuntimeError(
            "self.cache was used in a process executor, and the cache is in the Runtime's process.\n"
            "  Dispatch the job with cache=CachePolicy(key=...), or return the value and keep it in a hook."
        )

    @property
    def loop(self) -> NoReturn:
        """Refuse: who runs children is in the Runtime's process."""
        raise RuntimeError(
            "self.run was called in a process executor, where nothing can wait for a child job.\n"
            "  Let an `async def` executor run this job and the other one, both as its children."
        )


class WorkerRun:
    """A job's run as its executor sees it in a worker, in place of JobRun."""

    services = WorkerServices()

    def __init__(self, attempt: WorkerAttempt, job: BaseJob[Any], executor: object) -> None:
        self.attempt = attempt
        self.job = job
        self.executor = executor

    def report_progress(
        self, attempt: WorkerAttempt, value: float, message: str | None, step: int | None, total: int | None
    ) -> None:
        """Send a report of how far the work is. Any thread."""
        from qtorch.events.job_events import clamp_progress

        attempt.line.send_progress(frame(PROGRESS, (clamp_progress(value), message, step, total)))


class WorkerAttempt:
    """The attempt as its executor sees it in a worker, in place of Attempt.

    It is made where the work is heard of, so that a cancel that comes before the work begins finds its token.
    """

    run: WorkerRun
    """Set where the work begins."""

    def __init__(self, line: Line, number: int) -> None:
        self.line = line
        self.number = number
        self.token = CancellationToken()

    def offer_items(self, items: Sequence[Any], resume: Callable[[], object]) -> bool:
        """Send ``items``, in batches; see :meth:`qtorch.Attempt.offer_items`.

        Raises
        ------
        NotPicklableError
            One of them does not pickle.
        """
        what = f"an item of {type(self.run.executor).__name__}"
        has_room = True
        for item in items:
            has_room = self.line.send_item(pickled(item, what, "Yield plain data: it is copied."), resume)
        return has_room

    def give_way(self) -> None:
        """Do nothing: there is no GUI thread here."""


class RecordSender(logging.Handler):
    """Sends log records to the Runtime's process, where the logger of their name handles them."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        """Send ``record`` with its text made, as logging.handlers.QueueHandler does: arguments may not pickle."""
        try:
            fields = dict(record.__dict__)
            fields |= {"msg": record.getMessage(), "args": None, "exc_info": None}
            if record.exc_info and not record.exc_text:
                fields["exc_text"] = logging.Formatter().formatException(record.exc_info)
            try:
                message = frame(RECORD, fields)
            except Exception:  # noqa: BLE001 - an `extra` that does not pickle
                message = frame(RECORD, {name: _plain(value) for name, value in fields.items()})
            self._line.send(message)
        except Exception:  # noqa: BLE001 - as every handler of logging
            self.handleError(record)


def _plain(value: object) -> object:
    try:
        pickle.dumps(value)
    except Exception:  # noqa: BLE001 - user code
        return repr(value)
    return value


def log_here(line: Line, levels: dict[str, int], disabled: int) -> None:
    """Have every record of this process sent to the Runtime's, by the levels that are set there."""
    root = logging.getLogger()
    # Those that __main__ has set up write the record in the Runtime's process.
    root.handlers[:] = [RecordSender(line)]
    for name, level in levels.items():
        logging.getLogger(name or None).setLevel(level)
    logging.disable(disabled)


def log_levels() -> tuple[dict[str, int], int]:
    """Give what :func:`log_here` is to be given."""
    root = logging.getLogger()
    known = dict(root.manager.loggerDict)
    levels = {name: one.level for name, one in known.items() if isinstance(one, logging.Logger) and one.level}
    return {"": root.level, **levels}, root.manager.disable

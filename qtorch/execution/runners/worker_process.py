"""One worker process, as the Runtime's process sees it."""

from __future__ import annotations

import logging
import pickle
import signal
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Protocol, cast

from qtorch.errors import ErrorReport, NotPicklableError, text_of
from qtorch.execution.worker import frames
from qtorch.execution.worker.crossing import unpacked_error

if TYPE_CHECKING:
    from qtorch.execution.attempt import Attempt
    from qtorch.execution.worker.crossing import PackedError

_SENT_AT_ONCE = 8192
"""Bytes that the pipe takes without waiting for the worker: more is sent by a thread, not by the GUI's."""

START_LIMIT = 60.0
"""Seconds, of real time, that a worker has to start."""

_DYING = 5.0
"""Seconds from the end of a worker's pipe to its own."""

_numbers = iter(range(1, 1 << 62)).__next__


class Pool(Protocol):
    """What a worker tells its pool, from its own thread."""

    def is_opened(self) -> None:
        """Hear that multiprocessing was imported, which has registered its own end of the process."""

    def has_room(self, worker: WorkerProcess) -> None:
        """Hear that ``worker`` is ready for its first work."""

    def take_back(self, worker: WorkerProcess) -> Attempt:
        """Hear that the work of ``worker`` has ended; give whose it was."""
        ...

    def is_lost(self, worker: WorkerProcess, exit_code: int | None, problem: BaseException | None) -> None:
        """Hear that ``worker`` is no more, or could not be started for ``problem``."""

    def report(self, report: ErrorReport) -> None:
        """Tell of an error that changes no job's outcome."""


class WorkerProcess:
    """A process with one pipe of its own, and the thread that listens to it.

    Nothing is shared with other workers, no lock above all: one that is killed while it writes takes nothing along.
    The thread starts the process too, and blocks without a timeout. What is written here is appended, in order, and
    sent by whichever thread comes first.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.number = _numbers()
        self.attempt: Attempt | None = None
        """Whose work it does. Under the pool's lock, as all that follows."""
        self.work_number = 0
        self.has_begun = False
        """Whether it has taken the work: before that its death costs nothing."""
        self.is_ready = False
        self.is_doomed = False
        """Whether it was told to end, or killed."""
        self.kept: OrderedDict[int, None] = OrderedDict()
        """The executors that it keeps, by their number."""
        self._problem: BaseException | None = None
        self._unreadable: NotPicklableError | None = None
        """Why items of the work could not be had here."""
        self._timer: threading.Timer | None = None
        self._process: Any = None
        self._connection: Any = None
        self._lock = threading.Lock()
        self._outbox: deque[bytes] = deque()
        self._is_sending = False
        self._is_gone = False
        self._is_killed = False

    def start(self) -> None:
        """Start the process, on a thread of its own."""
        # A daemon, because Python joins the others before atexit, where the Runtime is closed at the latest.
        threading.Thread(target=self._serve, name=f"qtorch-process-{self.number}", daemon=True).start()

    def _serve(self) -> None:
        if hasattr(signal, "pthread_sigmask"):
            # The process inherits it: Ctrl+C while it imports the main module would be a traceback on stderr.
            signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
        try:
            self._spawn()
            self._listen()
        except Exception as error:  # noqa: BLE001 - no process, no memory, or a fault of ours: its job has to hear of it
            self._problem = error
            self.kill()
        self._pool.is_lost(self, self._bury(), self._problem)

    def _give_up(self) -> None:
        self._problem = TimeoutError(f"it had not started after {START_LIMIT:g} s")
        self.kill()

    def _spawn(self) -> None:
        # multiprocessing registers its own end of the process here: util is what does it.
        import multiprocessing.util

        assert multiprocessing.util
        self._pool.is_opened()
        from qtorch.execution.worker.reporting import log_levels
        from qtorch.execution.worker.serving import serve

        # Never fork: a forked child of a Qt process hangs.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        process = context.Process(
            target=serve, args=(theirs, *log_levels()), name=f"qtorch-worker-{self.number}", daemon=True
        )
        self.call_in(START_LIMIT, self._give_up)
        try:
            process.start()
        finally:
            # Else its end of the pipe would stay open here, and its death unheard.
            theirs.close()
        with self._lock:
            self._process = process
            if self._is_killed:
                process.kill()

    def _listen(self) -> None:
        receive = self._connection.recv_bytes
        while True:
            try:
                message: bytes = receive()
            except (EOFError, OSError):
                return
            self._hear(message)
            # Nothing of a job may be held while this thread waits for the next message.
            del message

    def _hear(self, message: bytes) -> None:
        match message[:1]:
            case frames.BEGUN:
                self.has_begun = True
            case frames.PROGRESS:
                attempt = self.attempt
                if attempt is not None:
                    attempt.run.report_progress(attempt, *cast("tuple[Any, Any, Any, Any]", frames.content(message)))
            case frames.ITEMS:
                self._take_items(message)
            case frames.DATA:
                unreadable, self._unreadable = self._unreadable, None
                attempt = self._pool.take_back(self)
                data: object = None
                try:
                    data = frames.content(message)
                except Exception as error:  # noqa: BLE001 - user code: __setstate__, or a class that is not here
                    unreadable = _unreadable(attempt, error)
                if unreadable is None:
                    attempt.offer_data(data)
                else:
                    attempt.offer_error(unreadable, "")
            case frames.ERROR:
                attempt = self._pool.take_back(self)
                attempt.offer_error(*unpacked_error(cast("PackedError", frames.content(message))))
            case frames.RECORD:
                _handle(cast("dict[str, Any]", frames.content(message)))
            case frames.FAULT:
                where, packed = cast("tuple[str, PackedError]", frames.content(message))
                self._pool.report(ErrorReport(unpacked_error(packed)[0], where))
            case _:
                self._pool.has_room(self)

    def _take_items(self, message: bytes) -> None:
        attempt, number = self.attempt, self.work_number
        if attempt is None:
            return
        try:
            items = [pickle.loads(item) for item in cast("list[bytes]", frames.content(message))]
        except Exception as error:  # noqa: BLE001 - user code, as with the result
            # Said through the result: a stream with a hole must not succeed.
            self._unreadable = _unreadable(attempt, error)
            items = []

        def take_more() -> None:
            self.put(frames.frame(frames.ROOM, number))
            self.send()

        if not items or attempt.offer_items(items, take_more):
            take_more()

    # -- sending ----------------------------------------------------------------------------------------------------

    def put(self, message: bytes) -> None:
        """Have ``message`` sent by the next :meth:`send`. Any thread; it blocks nobody."""
        with self._lock:
            self._outbox.append(message)

    def send(self) -> None:
        """Send what was put, unless another thread does. Any thread; what is long is left to a thread of its own."""
        with self._lock:
            if self._is_sending or not self._outbox:
                return
            self._is_sending = True
        self._send(may_wait=False)

    def _send(self, *, may_wait: bool) -> None:
        while True:
            with self._lock:
                if self._is_gone or not self._outbox:
                    self._outbox.clear()
                    self._is_sending = False
                    if self._is_gone:
                        self._connection.close()
                    return
                if not may_wait and len(self._outbox[0]) > _SENT_AT_ONCE:
                    thread = threading.Thread(target=self._send, kwargs={"may_wait": True}, daemon=True)
                    break
                message = self._outbox.popleft()
            with suppress(OSError):  # it is dying: its own thread hears of that
                self._connection.send_bytes(message)
        thread.start()

    # -- ending -----------------------------------------------------------------------------------------------------

    def kill(self) -> None:
        """End it now. Any thread."""
        with self._lock:
            self._is_killed = True
            if self._process is not None and not self._is_gone:
                self._process.kill()

    def call_in(self, seconds: float, function: Callable[[], object]) -> None:
        """Call ``function()``, on any thread, in ``seconds`` of real time, unless :meth:`let_live` comes before.

        Not on the Runtime's clock, which stands still in tests while the process does not.
        """
        self.let_live()
        self._timer = threading.Timer(seconds, function)
        self._timer.daemon = True
        self._timer.start()

    def let_live(self) -> None:
        """Undo :meth:`call_in`."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def pid(self) -> int | None:
        """The process's id, None if it has not started or is gone."""
        with self._lock:
            return None if self._process is None or self._is_gone else self._process.pid

    def _bury(self) -> int | None:
        """Wait until the process has ended, and give its exit code."""
        self.let_live()
        process = self._process
        exit_code: int | None = None
        if process is not None:
            process.join(_DYING)
            if process.is_alive():  # it has closed its pipe and goes on
                process.kill()
                process.join(_DYING)
            # Another thread that starts a process collects every exit code, and is about to note ours.
            until = monotonic() + 1.0
            while (exit_code := process.exitcode) is None and monotonic() < until:
                sleep(0.002)
        with self._lock:
            self._is_gone = True
            if self._connection is not None and not self._is_sending:
                # Not in the middle of a write of another thread: the number of the pipe may be another file's then.
                self._connection.close()
        if process is not None and exit_code is not None:
            process.close()
        return exit_code


def _unreadable(attempt: Attempt, error: BaseException) -> NotPicklableError:
    return NotPicklableError(
        f"what {type(attempt.run.registration.executor).__name__} gave cannot be unpickled here: "
        f"{type(error).__name__}: {text_of(error)}.\n"
        f"  Return plain data, or objects whose class this process can import."
    )


def _handle(fields: dict[str, Any]) -> None:
    # Handlers are the user's, and one that raises may not change any job's outcome.
    with suppress(Exception):
        record = logging.makeLogRecord(fields)
        logger = logging.getLogger(record.name)
        if logger.isEnabledFor(record.levelno):
            logger.handle(record)

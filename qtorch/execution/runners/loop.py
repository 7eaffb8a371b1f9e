"""Coroutines on the Runtime's one loop: the one it was given, else one in a thread of its own."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from qtorch.bus.foreign_loop import is_foreign
from qtorch.execution.attempt import Attempt, current_attempt
from qtorch.execution.failures import ship

if TYPE_CHECKING:
    import asyncio

_Process = Callable[[Any], Coroutine[Any, Any, Any]]


_LAST_WORDS = 0.1
"""Seconds that tasks have to end, once more, when the Runtime's own loop does."""

_CLOSED = (
    "the loop that the Runtime was given is closed, so no coroutine can run.\n"
    "  Keep it open as long as the Runtime, or make a new Runtime for the new loop."
)


class Escape(Exception):  # noqa: N818 - it carries a BaseException past the loop, it is none
    """SystemExit or KeyboardInterrupt of a job, which asyncio would let end the loop itself."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(repr(error))
        self.error = error


class LoopRunner:
    """Runs coroutine functions as tasks of one loop.

    Parameters
    ----------
    given
        The application's loop, such as ``qasync.QEventLoop(app)``. None starts a plain asyncio loop in a thread at the
        first coroutine: 3 to 6 times cheaper per task than qasync, and untouched by modal dialogs.
    """

    def __init__(self, given: asyncio.AbstractEventLoop | None = None) -> None:
        self._given = given
        self._loop = given
        self._thread: threading.Thread | None = None
        # A loop that Qt drives is entered directly, on the thread it was given on.
        self._is_direct = given is not None and not is_foreign(given)
        self._new: deque[tuple[Attempt, _Process]] = deque()
        self._is_called = False
        self._is_over = False
        """Whether the loop was stopped, by the Runtime's close or by a coroutine that ran in it."""
        self._tasks: dict[asyncio.Task[Any], Attempt | None] = {}
        """The tasks that have not ended, and the attempts they work for."""

    def submit(self, attempt: Attempt, process: _Process) -> bool:
        """Have the coroutine started soon. The bus's thread."""
        attempt.is_announced = True
        if self._given is not None and self._given.is_closed():
            _refuse(attempt)
            return True
        if self._is_direct:
            self._start(attempt, process)
            return True
        self._new.append((attempt, process))
        if not self._is_called:
            # Before the call: the loop may answer it at once.
            self._is_called = True
            try:
                self.loop().call_soon_threadsafe(self._start_new)
            except RuntimeError:  # it was stopped, by a coroutine that ran in it
                self._is_over = True
                self._start_new()
        return True

    def loop(self) -> asyncio.AbstractEventLoop:
        """Give the loop, started if it is the Runtime's own."""
        if self._loop is None:
            import asyncio

            self._loop = asyncio.new_event_loop()
            # A daemon, because Python joins the others before atexit, where the Runtime is closed at the latest.
            self._thread = threading.Thread(target=self._serve, name="qtorch-asyncio", daemon=True)
            self._thread.start()
        return self._loop

    @property
    def started(self) -> asyncio.AbstractEventLoop | None:
        """The loop, None if the Runtime's own has not been needed yet."""
        return self._loop

    @property
    def tasks(self) -> set[asyncio.Task[Any]]:
        """The tasks of jobs that have not ended. Any thread."""
        return set(self._tasks)

    @property
    def thread_ident(self) -> int | None:
        """The ident of the own loop's thread."""
        return None if self._thread is None else self._thread.ident

    @property
    def is_own(self) -> bool:
        """Whether the loop is the Runtime's own."""
        return self._given is None

    @property
    def given(self) -> asyncio.AbstractEventLoop | None:
        """The loop that the Runtime was given."""
        return self._given

    def _serve(self) -> None:
        import asyncio

        loop = self.loop()
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
        finally:
            self._is_over = True
            self._end_tasks(loop)
            self._end_generators(loop)
            loop.run_until_complete(loop.shutdown_default_executor())
            asyncio.set_event_loop(None)
            loop.close()
            self._start_new()  # what was submitted meanwhile is answered too
            # So are coroutines that ignored their cancellation: no line of them will ever run again.
            for attempt in tuple(self._tasks.values()):
                if attempt is not None:
                    attempt.offer_error(asyncio.CancelledError(), "")

    @staticmethod
    def _end_tasks(loop: asyncio.AbstractEventLoop) -> None:
        """Cancel what coroutines started beside themselves, as asyncio.run does; leave the deaf without a word."""
        import asyncio

        tasks: set[Any] = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            _, deaf = loop.run_until_complete(asyncio.wait(tasks, timeout=_LAST_WORDS))
            for task in deaf:
                # Its job was named already; asyncio would complain once more when the task is collected.
                task._log_destroy_pending = False

    @staticmethod
    def _end_generators(loop: asyncio.AbstractEventLoop) -> None:
        """Close asynchronous generators that were left unfinished; those of the deaf still run, and cannot be."""
        handler = loop.get_exception_handler()

        def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            generator = context.get("asyncgen")
            if generator is not None and generator.ag_running:
                return
            if handler is not None:
                handler(loop, context)
            else:
                loop.default_exception_handler(context)

        loop.set_exception_handler(handle)
        loop.run_until_complete(loop.shutdown_asyncgens())

    def _start_new(self) -> None:
        # Cleared first: what is added from now on calls again.
        self._is_called = False
        while self._new:
            try:
                attempt, process = self._new.popleft()
            except IndexError:  # the thread of a loop that is over has taken it
                return
            if self._is_over:
                _refuse(attempt)
            else:
                self._start(attempt, process)

    def _start(self, attempt: Attempt, process: _Process) -> None:
        if not attempt.take():
            return
        assert self._loop is not None
        context = contextvars.copy_context()
        context.run(current_attempt.set, attempt)
        task = self._loop.create_task(_guard(process, attempt.run.job), context=context)
        attempt.stop_by = task
        self._tasks[task] = attempt  # asyncio itself holds tasks weakly

        def done(task: asyncio.Task[Any]) -> None:
            self._tasks.pop(task, None)
            _offer(attempt, task)

        task.add_done_callback(done)

    def stop(self, attempt: Attempt) -> None:
        """Cancel the task. The bus's thread."""
        loop = self._loop
        assert loop is not None

        def cancel() -> None:
            if attempt.stop_by is not None:
                attempt.stop_by.cancel()

        if self._is_direct:
            cancel()
        elif not loop.is_closed():
            loop.call_soon_threadsafe(cancel)

    def withdrawn(self, attempt: Attempt) -> None:
        """Nothing to clear away: the loop looks at what is new at once."""

    def ended(self, attempt: Attempt) -> None:
        """Nothing to give back."""

    def call(self, function: Callable[[], Coroutine[Any, Any, None]], told: Callable[[], object]) -> None:
        """Run ``await function()`` on the loop and call ``told()`` there at its end. It may not raise.

        On a loop that the application has closed it is only told: nothing can run there any more.
        """
        loop = self.loop()
        if loop.is_closed():
            told()
            return

        def start() -> None:
            task = loop.create_task(function())
            self._tasks[task] = None
            task.add_done_callback(self._tasks.pop)
            task.add_done_callback(lambda _: told())

        if self._is_direct:
            start()
        else:
            loop.call_soon_threadsafe(start)

    @property
    def counts(self) -> dict[str, int]:
        """How many tasks there are."""
        return {"tasks": len(self._tasks), "queued": len(self._new)}

    def close(self) -> None:
        """End the Runtime's own loop; a given one belongs to whoever gave it."""
        if self.is_own and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)

    def wait_closed(self, seconds: float) -> bool:
        """Wait up to ``seconds`` until the own loop's thread has ended; give whether it has."""
        if self._thread is not None:
            self._thread.join(seconds)
            return not self._thread.is_alive()
        return True


def _refuse(attempt: Attempt) -> None:
    if attempt.take():
        attempt.offer_error(RuntimeError(_CLOSED), "")


async def _guard(process: _Process, job: Any) -> Any:
    try:
        return await process(job)
    except (SystemExit, KeyboardInterrupt) as error:
        raise Escape(error) from None


def _offer(attempt: Attempt, task: asyncio.Task[Any]) -> None:
    # From the task's done callback, never from inside the coroutine: one cancelled before its first step runs no
    # line of it, no `finally` either.
    if task.cancelled():
        import asyncio

        attempt.offer_error(asyncio.CancelledError(), "")
        return
    error = task.exception()
    if error is None:
        attempt.offer_data(task.result())
        return
    if isinstance(error, Escape):
        error = error.error
    traceback = ship(error)
    attempt.offer_error(error, traceback)

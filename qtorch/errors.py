"""What can go wrong in qtorch, each as an exception that says what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar, cast

__all__ = [
    "ClosedError",
    "DeadlockError",
    "DuplicateExecutorError",
    "ErrorReport",
    "EventLoopError",
    "ExecutorNotFoundError",
    "JobCancelledError",
    "JobTimeoutError",
    "NoRetry",
    "NoRuntimeError",
    "NotPicklableError",
    "QtorchError",
    "QueueFullError",
    "RemoteError",
    "StateLoopError",
    "StateMutatedError",
    "UnknownJobError",
    "WorkerDiedError",
    "WrongThreadError",
    "text_of",
    "without_frames",
]

E = TypeVar("E", bound=BaseException)


class QtorchError(Exception):
    """The base of every exception that qtorch itself raises."""


class ExecutorNotFoundError(QtorchError, LookupError):
    """A job was dispatched for which no executor is registered."""


class DuplicateExecutorError(QtorchError, ValueError):
    """A second executor was registered for one job class without ``replace=True``."""


class NoRuntimeError(QtorchError, RuntimeError):
    """The default Runtime was asked for and none is open."""


class ClosedError(QtorchError, RuntimeError):
    """Something was asked of a Runtime, bus or orchestrator that is closed."""


class WrongThreadError(QtorchError, RuntimeError):
    """State was written, or a Runtime used, on a thread that does not own it."""


class QueueFullError(QtorchError, RuntimeError):
    """A lane's queue is full; nothing was dispatched."""


class DeadlockError(QtorchError, RuntimeError):
    """A child job would have waited, through lanes and limits, for its own parent; it was failed at once."""


class StateLoopError(QtorchError, RecursionError):
    """An orchestrator's listeners keep changing the state they listen to."""


class EventLoopError(QtorchError, RecursionError):
    """Listeners emit events in answer to each other's events without end; reported, never raised."""


class StateMutatedError(QtorchError, RuntimeError):
    """An object inside a state was changed in place (found by ``Runtime(strict=True)``)."""


class UnknownJobError(QtorchError, LookupError):
    """A job id is neither running nor among those that ended lately."""


class NotPicklableError(QtorchError, TypeError):
    """Something that has to cross into another process, or back, cannot be pickled; the text names what."""


class WorkerDiedError(QtorchError, RuntimeError):
    """The worker process that did a job ended in the middle of it, or never started.

    Parameters
    ----------
    text
        What happened, to which job.
    exit_code
        The process's exit code; negative for a signal, as in multiprocessing: -9 for ``kill -9``. None if unknown.
    """

    def __init__(self, text: str, exit_code: int | None = None) -> None:
        super().__init__(text)
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[type[WorkerDiedError], tuple[str, int | None]]:
        return type(self), (str(self), self.exit_code)


class RemoteError(QtorchError, RuntimeError):
    """An exception of a worker process that could not be brought over as itself, because it does not pickle.

    Parameters
    ----------
    type_name
        The full name of its class, such as ``"app.api.ApiError"``.
    text
        Its own text.
    traceback
        Its traceback, as text.
    """

    def __init__(self, type_name: str, text: str, traceback: str = "") -> None:
        super().__init__(f"{type_name}: {text}" if text else type_name)
        self.type_name = type_name
        self.text = text
        self.traceback = traceback

    def __reduce__(self) -> tuple[type[RemoteError], tuple[str, str, str]]:
        return type(self), (self.type_name, self.text, self.traceback)


class JobCancelledError(QtorchError):
    """A job was cancelled; raised by ``await handle`` and by a token's ``raise_if_cancelled``.

    Parameters
    ----------
    reason
        What the canceller gave as its reason, if anything.
    """

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason or "the job was cancelled")
        self.reason = reason

    def __reduce__(self) -> tuple[type[JobCancelledError], tuple[str | None]]:
        return type(self), (self.reason,)


class JobTimeoutError(QtorchError, TimeoutError):
    """A job ran out of time.

    Parameters
    ----------
    timeout
        The limit that was passed, in seconds.
    kind
        ``"attempt"`` for the ``timeout`` of one attempt, ``"deadline"`` for the time since dispatch.
    """

    def __init__(self, timeout: float, kind: Literal["attempt", "deadline"] = "attempt") -> None:
        what = "one attempt took longer than its timeout" if kind == "attempt" else "the job passed its deadline"
        super().__init__(f"{what} of {timeout:g} s")
        self.timeout = timeout
        self.kind: Literal["attempt", "deadline"] = kind

    def __reduce__(self) -> tuple[type[JobTimeoutError], tuple[float, str]]:
        # By default an exception is copied and unpickled by calling it with its text.
        return type(self), (self.timeout, self.kind)


class NoRetry(QtorchError):  # noqa: N818 - an instruction more than an error: `raise NoRetry(error)`
    """Raised in ``process`` to fail at once with ``error``, whatever the retry policy says.

    Examples
    --------
    >>> raise NoRetry(PermissionError("the account is locked"))
    Traceback (most recent call last):
    ...
    qtorch.errors.NoRetry: the account is locked
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error

    def __reduce__(self) -> tuple[type[NoRetry], tuple[BaseException]]:
        return type(self), (self.error,)


def text_of(error: BaseException) -> str:
    """Give an exception's own text, or its class name if it has none."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a broken __str__ of the user's must not hide what happened
        text = ""
    return text or type(error).__name__


def without_frames(error: E) -> E:
    """Strip ``error`` of its frames, those of its causes too, and give it.

    Frames keep everything alive that their local variables refer to: a widget in one of them would be destroyed on
    whichever thread drops the exception last.
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.__traceback__ = None
        waiting += (one.__cause__, one.__context__)
        if isinstance(one, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", one).exceptions
    return error


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """One exception that did not change any job's outcome but must not be lost.

    Attributes
    ----------
    error
        The exception.
    where
        What was running, such as ``"UserOrchestrator.on_active_success"``.
    job, event
        The job and the event it happened with, if any.
    """

    error: BaseException
    where: str
    job: object | None = None
    event: object | None = None

"""How a job ended: one of four outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeAlias, TypeVar, cast

from qtorch.errors import JobCancelledError, JobTimeoutError
from qtorch.job.by_fields import ByFields
from qtorch.job.durations import in_seconds

if TYPE_CHECKING:
    from datetime import timedelta

    from _typeshed import DataclassInstance

R = TypeVar("R")
T = TypeVar("T")


class Awaited(Protocol[R]):
    """A job's handle, as far as its outcome goes."""

    async def result(self) -> JobOutcome[R]:
        """Wait for the outcome."""
        ...


class ResultSource(Protocol):
    """A bus, as far as it knows the jobs that ran on it."""

    def find_handle(self, job_id: str) -> Awaited[Any]:
        """Give the handle of a job, or raise UnknownJobError."""
        ...


class JobResult(ByFields, Generic[R]):
    """The common base of the four outcomes; match on them, or use :meth:`when`.

    Examples
    --------
    >>> result: JobOutcome[int] = JobSuccess(42)
    >>> result.when(
    ...     success=lambda data: f"got {data}",
    ...     failure=lambda error, attempts: f"{error} after {attempts}",
    ...     cancelled=lambda reason: "cancelled",
    ...     timeout=lambda timeout: f"nothing for {timeout} s",
    ... )
    'got 42'
    """

    __slots__ = ()

    @staticmethod
    async def from_bus(
        bus: ResultSource, handle_or_id: Awaited[T] | str, timeout: float | timedelta | None = None
    ) -> JobOutcome[T]:
        """Wait for the outcome of a job, also after its end.

        Parameters
        ----------
        bus
            The bus it was dispatched on.
        handle_or_id
            A handle always works; an id while the job runs, its handle lives, or it is among the last 1,000 ended.
        timeout
            Seconds to wait at most. It ends the wait, not the job.

        Raises
        ------
        UnknownJobError
            No such job is known.
        TimeoutError
            ``timeout`` passed first.
        """
        import asyncio

        handle: Awaited[T] = bus.find_handle(handle_or_id) if isinstance(handle_or_id, str) else handle_or_id
        async with asyncio.timeout(None if timeout is None else in_seconds(timeout)):
            return await handle.result()

    def when(
        self,
        *,
        success: Callable[[R], T],
        failure: Callable[[BaseException, int], T],
        cancelled: Callable[[str | None], T],
        timeout: Callable[[float], T],
    ) -> T:
        """Run the one handler that fits and give what it returns, None included."""
        raise NotImplementedError

    def maybe_when(
        self,
        *,
        success: Callable[[R], T] | None = None,
        failure: Callable[[BaseException, int], T] | None = None,
        cancelled: Callable[[str | None], T] | None = None,
        timeout: Callable[[float], T] | None = None,
        or_else: Callable[[], T],
    ) -> T:
        """Run the handler that fits, or ``or_else`` if it was not given; never both."""

        def otherwise(*_: object) -> T:
            return or_else()

        return self.when(
            # By identity: a callable with a length of 0 is false.
            success=otherwise if success is None else success,
            failure=otherwise if failure is None else failure,
            cancelled=otherwise if cancelled is None else cancelled,
            timeout=otherwise if timeout is None else timeout,
        )

    @property
    def is_success(self) -> bool:
        """Whether there is data."""
        return False

    @property
    def data_or_none(self) -> R | None:
        """The data of a success, else None."""
        return None

    @property
    def error_or_none(self) -> BaseException | None:
        """The error of a failure, a cancellation or a timeout, else None."""
        return None

    def unwrap(self) -> R:
        """Give the data, or raise the job's error, JobCancelledError or JobTimeoutError."""
        error = self.error_or_none
        assert error is not None
        # Raised anew: the frames of an earlier raise would pile up on the one exception object.
        raise error.with_traceback(None)

    @recursive_repr()
    def __repr__(self) -> str:
        shown = [f"{field.name}={getattr(self, field.name)!r}" for field in fields(cast("DataclassInstance", self))]
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class JobSuccess(JobResult[R]):
    """The job gave ``data``."""

    data: R

    def when(self, *, success: Callable[[R], T], **_: Any) -> T:
        """Run ``success``."""
        return success(self.data)

    @property
    def is_success(self) -> bool:
        """True."""
        return True

    @property
    def data_or_none(self) -> R | None:
        """The data."""
        return self.data

    def unwrap(self) -> R:
        """Give the data."""
        return self.data


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class JobFailure(JobResult[R]):
    """The job raised ``error`` in the last of ``attempts`` attempts."""

    error: BaseException
    attempts: int = 1

    def when(self, *, failure: Callable[[BaseException, int], T], **_: Any) -> T:
        """Run ``failure``."""
        return failure(self.error, self.attempts)

    @property
    def error_or_none(self) -> BaseException | None:
        """The error."""
        return self.error


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class JobCancelled(JobResult[R]):
    """The job was cancelled, for ``reason`` if one was given."""

    reason: str | None = None

    def when(self, *, cancelled: Callable[[str | None], T], **_: Any) -> T:
        """Run ``cancelled``."""
        return cancelled(self.reason)

    @property
    def error_or_none(self) -> BaseException | None:
        """A JobCancelledError with the reason."""
        return JobCancelledError(self.reason)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class JobTimeout(JobResult[R]):
    """The job ran out of time: ``timeout`` seconds, of an attempt or, ``kind`` "deadline", since dispatch."""

    timeout: float
    kind: Literal["attempt", "deadline"] = "attempt"

    def when(self, *, timeout: Callable[[float], T], **_: Any) -> T:
        """Run ``timeout``."""
        return timeout(self.timeout)

    @property
    def error_or_none(self) -> BaseException | None:
        """A JobTimeoutError."""
        return JobTimeoutError(self.timeout, self.kind)


JobOutcome: TypeAlias = JobSuccess[R] | JobFailure[R] | JobCancelled[R] | JobTimeout[R]
"""The union of the four, so that ``match`` with ``assert_never`` is checked."""

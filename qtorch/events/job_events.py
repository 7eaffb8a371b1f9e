"""What can happen to a job, an event class each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

from qtorch.errors import text_of
from qtorch.events.event import JobEvent, shape_of

R = TypeVar("R")
T = TypeVar("T")
D = TypeVar("D")


# The classes without fields of their own are not decorated: what the decorator would compile for them they inherit.


class JobStartedEvent(JobEvent):
    """The job's work begins; first of its events, unless it was cancelled before."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _DataEvent(JobEvent, Generic[R]):
    data: R = None  # type: ignore[assignment]  # always given; a default only because attempt has one

    def data_as(self, expected: type[T]) -> T:
        """Give the data, checked to be a ``expected``.

        Raises
        ------
        TypeError
            It is something else.
        """
        if isinstance(self.data, expected):
            return self.data
        raise TypeError(
            f"the data of {type(self).__name__} of {self.job_id} is {shape_of(self.data)}, "
            f"not {getattr(expected, '__name__', expected)}.\n"
            f"  Ask for {type(self.data).__name__}, or look at what the executor of {self.job_type.__name__} returns."
        )

    def data_or_none(self, expected: type[T]) -> T | None:
        """Give the data if it is a ``expected``, else None."""
        return self.data if isinstance(self.data, expected) else None

    def data_or(self, expected: type[T], default: D) -> T | D:
        """Give the data if it is a ``expected``, else ``default``."""
        return self.data if isinstance(self.data, expected) else default

    def map_data(self, expected: type[T], function: Callable[[T], D]) -> D | None:
        """Give ``function(data)`` if the data is a ``expected``, else None."""
        return function(self.data) if isinstance(self.data, expected) else None


class JobPlaceholderEvent(_DataEvent[R]):
    """Nothing is cached: ``data`` is the placeholder to show until there is a result."""

    __slots__ = ()


class JobCacheHitEvent(_DataEvent[R]):
    """``data`` was in the cache."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class JobProgressEvent(JobEvent):
    """How far the work is: ``progress`` in 0..1, with a message and step counts if the executor gave them."""

    progress: float = 0.0
    message: str | None = None
    current_step: int | None = None
    total_steps: int | None = None


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class JobItemsEvent(JobEvent, Generic[R]):
    """The job streamed ``items``: all since the last such event, in order. At most one event a frame.

    A job streams if its executor's ``process`` is a generator, plain or async.
    """

    items: tuple[R, ...] = ()


def clamp_progress(value: float) -> float:
    """Give ``value`` within 0..1, and 0 for NaN: a bad figure is never a reason to fail the work.

    Examples
    --------
    >>> clamp_progress(0.4), clamp_progress(7), clamp_progress(float("nan"))
    (0.4, 1.0, 0.0)
    """
    # NaN is not greater than 0.0, so max() keeps that.
    return float(min(1.0, max(0.0, value)))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class JobRetryingEvent(JobEvent):
    """Attempt ``attempt`` failed with ``last_error``; ``next_attempt`` begins in ``delay`` seconds."""

    next_attempt: int = 2
    max_retries: int = 0
    last_error: BaseException | None = None
    delay: float = 0.0


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class JobSuccessEvent(_DataEvent[R]):
    """The job ended with ``data``; ``is_from_cache`` if no work was done for it."""

    is_from_cache: bool = False

    is_terminal: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class JobFailureEvent(JobEvent):
    """The job ended with ``error``.

    Attributes
    ----------
    error
        The exception, without its frames: those would keep alive, and end on another thread, what they refer to.
    traceback
        Its traceback as text.
    still_running
        Whether the work had not ended when the job did.
    """

    error: BaseException = field(default_factory=Exception)
    traceback: str = ""
    still_running: bool = False

    is_terminal: ClassVar[bool] = True

    @property
    def attempts(self) -> int:
        """How often the work was tried."""
        return self.attempt

    @property
    def was_retried(self) -> bool:
        """Whether there was more than one attempt."""
        return self.attempt > 1

    @property
    def error_message(self) -> str:
        """The exception's own text, or its class name if it has none."""
        return text_of(self.error)

    def is_error(self, expected: type[BaseException]) -> bool:
        """Whether the error is a ``expected``."""
        return isinstance(self.error, expected)

    def error_as(self, expected: type[T]) -> T | None:
        """Give the error if it is a ``expected``, else None."""
        return self.error if isinstance(self.error, expected) else None


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class JobTimeoutEvent(JobFailureEvent):
    """The job ran out of time: a failure whose error is a JobTimeoutError. Match it before JobFailureEvent."""

    timeout: float = 0.0


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class JobCancelledEvent(JobEvent):
    """The job was cancelled for ``reason``; ``still_running`` if its work had not ended by then."""

    reason: str | None = None
    still_running: bool = False

    is_terminal: ClassVar[bool] = True

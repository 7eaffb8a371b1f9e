"""What happened: immutable events, in the order in which the bus delivered them."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, overload

from qtorch.errors import text_of

if TYPE_CHECKING:
    from qtorch.job.base_job import BaseJob

R = TypeVar("R")
T = TypeVar("T")
D = TypeVar("D")
E = TypeVar("E", bound="BaseEvent")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class BaseEvent:
    """Something that happened. Subclass it, as a frozen dataclass, for the events of your own domain.

    Attributes
    ----------
    correlation_id
        What belongs together; of job events the job's id.
    timestamp
        When it was made, aware, UTC.
    seq
        Its number on its bus, given at delivery: the order of ``seq`` is the order of delivery. 0 before.
    causation_id
        ``seq`` of the event in whose handler it was emitted or its job dispatched; None if there is none.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class LoggedIn(BaseEvent):
    ...     user: str
    >>> LoggedIn("session-1", user="ada").user
    'ada'
    """

    correlation_id: str
    timestamp: datetime = field(init=False, default_factory=_now, compare=False, repr=False)
    # By factories: a plain default of a slotted class is not set by the __init__ of a subclass without slots.
    seq: int = field(init=False, default_factory=int, compare=False, repr=False)
    causation_id: int | None = field(init=False, default_factory=lambda: None, compare=False, repr=False)

    is_terminal: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, repr=False)
class JobEvent(BaseEvent):
    """Something that happened to ``job`` in attempt ``attempt`` (from 1)."""

    job: BaseJob[Any]
    attempt: int = 1

    @property
    def job_id(self) -> str:
        """The id of the job."""
        return self.correlation_id

    @property
    def job_type(self) -> type[BaseJob[Any]]:
        """The class of the job."""
        return type(self.job)

    def is_from(self, job_class: type[BaseJob[Any]]) -> bool:
        """Whether the job is a ``job_class`` or of a subclass of it."""
        return isinstance(self.job, job_class)

    def __repr__(self) -> str:
        # Types and sizes only: events are logged, and payloads hold what logs must not.
        own = [f"{f.name}={self._shown(f.name)}" for f in fields(self) if f.name not in _COMMON]
        return f"{type(self).__name__}({', '.join([self.correlation_id, f'attempt={self.attempt}', *own])})"

    def _shown(self, name: str) -> str:
        value = getattr(self, name)
        return repr(value) if name in _FIGURES else _shape(value)


_COMMON = frozenset({"correlation_id", "timestamp", "seq", "causation_id", "job", "attempt"})
_FIGURES = frozenset({"progress", "current_step", "total_steps", "next_attempt", "max_retries", "delay", "timeout",
                      "is_from_cache", "still_running"})  # fmt: skip
"""Fields that qtorch itself fills, with nothing of the user's in them."""


def _shape(value: object) -> str:
    if value is None:
        return "None"
    name = type(value).__name__
    try:
        return f"<{name} of {len(value)}>"  # type: ignore[arg-type]  # most have no length: that is the except
    except Exception:  # noqa: BLE001 - a repr never raises, whatever the payload's own __len__ does
        return f"<{name}>"


@dataclass(frozen=True, slots=True, repr=False)
class JobStartedEvent(JobEvent):
    """The job's work begins; first of its events, unless it was cancelled before."""


@dataclass(frozen=True, slots=True, repr=False)
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
            f"the data of {type(self).__name__} of {self.job_id} is {_shape(self.data)}, "
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


@dataclass(frozen=True, slots=True, repr=False)
class JobPlaceholderEvent(_DataEvent[R]):
    """Nothing is cached: ``data`` is the placeholder to show until there is a result."""


@dataclass(frozen=True, slots=True, repr=False)
class JobCacheHitEvent(_DataEvent[R]):
    """``data`` was in the cache."""


@dataclass(frozen=True, slots=True, repr=False)
class JobProgressEvent(JobEvent):
    """How far the work is: ``progress`` in 0..1, with a message and step counts if the executor gave them."""

    progress: float = 0.0
    message: str | None = None
    current_step: int | None = None
    total_steps: int | None = None


def clamp_progress(value: float) -> float:
    """Give ``value`` within 0..1, and 0 for NaN: a bad figure is never a reason to fail the work.

    Examples
    --------
    >>> clamp_progress(0.4), clamp_progress(7), clamp_progress(float("nan"))
    (0.4, 1.0, 0.0)
    """
    # NaN is not greater than 0.0, so max() keeps that.
    return float(min(1.0, max(0.0, value)))


@dataclass(frozen=True, slots=True, repr=False)
class JobRetryingEvent(JobEvent):
    """Attempt ``attempt`` failed with ``last_error``; ``next_attempt`` begins in ``delay`` seconds."""

    next_attempt: int = 2
    max_retries: int = 0
    last_error: BaseException | None = None
    delay: float = 0.0


@dataclass(frozen=True, slots=True, repr=False)
class JobSuccessEvent(_DataEvent[R]):
    """The job ended with ``data``; ``is_from_cache`` if no work was done for it."""

    is_from_cache: bool = False

    is_terminal: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, repr=False)
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


@dataclass(frozen=True, slots=True, repr=False)
class JobTimeoutEvent(JobFailureEvent):
    """The job ran out of time: a failure whose error is a JobTimeoutError. Match it before JobFailureEvent."""

    timeout: float = 0.0


@dataclass(frozen=True, slots=True, repr=False)
class JobCancelledEvent(JobEvent):
    """The job was cancelled for ``reason``; ``still_running`` if its work had not ended by then."""

    reason: str | None = None
    still_running: bool = False

    is_terminal: ClassVar[bool] = True


_Setter = Callable[[object, object], None]


def _setter(cls: type[BaseEvent], name: str) -> _Setter:
    setter: _Setter = getattr(cls, name).__set__
    return setter


_set_timestamp = _setter(BaseEvent, "timestamp")
_set_seq = _setter(BaseEvent, "seq")
_set_cause = _setter(BaseEvent, "causation_id")
_set_correlation_id = _setter(BaseEvent, "correlation_id")
_set_job = _setter(JobEvent, "job")
_set_attempt = _setter(JobEvent, "attempt")
_OWN_SETTERS: dict[type[BaseEvent], tuple[_Setter, ...]] = {}


def make_job_event(cls: type[E], seq: int, cause: int | None, job: BaseJob[Any], attempt: int, *own: object) -> E:
    """Make a job event at its delivery; ``own`` are the values of the fields that only ``cls`` has, in order.

    The slots are set directly: a frozen dataclass's ``__init__`` costs three times as much, and there are several
    events per job.
    """
    setters = _OWN_SETTERS.get(cls)
    if setters is None:
        setters = _OWN_SETTERS[cls] = tuple(_setter(cls, f.name) for f in fields(cls) if f.name not in _COMMON)
    event = cls.__new__(cls)
    _set_timestamp(event, datetime.now(UTC))
    _set_seq(event, seq)
    _set_cause(event, cause)
    _set_correlation_id(event, job.id)
    _set_job(event, job)
    _set_attempt(event, attempt)
    for put, value in zip(setters, own, strict=True):
        put(event, value)
    return event


def stamp(event: E, seq: int, cause: int | None) -> E:
    """Give a domain event its place in the order of delivery; one that was delivered before is copied."""
    if event.seq:
        # Emitted again, or handed on to another bus: whoever kept it must not see it change.
        event = copy.copy(event)
    _set_seq(event, seq)
    _set_cause(event, cause)
    return event


class _Subscribable(Protocol):
    def subscribe(self, callback: Callable[[Any], object], /) -> Any: ...


class EventLog:
    """The latest events of a bus, in order of delivery, for tests and inspectors. Not attached by default.

    Parameters
    ----------
    bus
        What to listen to; None for a log that is filled by :meth:`append`.
    limit
        How many events are kept.
    """

    def __init__(self, bus: _Subscribable | None = None, limit: int = 10_000) -> None:
        self._events: deque[BaseEvent] = deque(maxlen=limit)
        self._subscription = bus.subscribe(self.append) if bus is not None else None

    def append(self, event: BaseEvent) -> None:
        """Add ``event`` as the latest."""
        self._events.append(event)

    def close(self) -> None:
        """Listen no more; what was logged stays."""
        if self._subscription is not None:
            self._subscription.close()

    def clear(self) -> None:
        """Forget what was logged."""
        self._events.clear()

    def __iter__(self) -> Iterator[BaseEvent]:
        return iter(tuple(self._events))

    def __len__(self) -> int:
        return len(self._events)

    @overload
    def __getitem__(self, index: int) -> BaseEvent: ...
    @overload
    def __getitem__(self, index: slice) -> list[BaseEvent]: ...
    def __getitem__(self, index: int | slice) -> BaseEvent | list[BaseEvent]:
        return list(self._events)[index]

    def of(self, event_type: type[E]) -> list[E]:
        """Give the events of a class and its subclasses."""
        return [event for event in self if isinstance(event, event_type)]

    def for_job(self, job_id: str) -> list[BaseEvent]:
        """Give the events of one job."""
        return [event for event in self if event.correlation_id == job_id]

    def for_type(self, job_class: type[BaseJob[Any]]) -> list[JobEvent]:
        """Give the events of the jobs of a class and its subclasses."""
        return [event for event in self.of(JobEvent) if event.is_from(job_class)]

    def latest_for_job(self, job_id: str) -> BaseEvent | None:
        """Give the last event of one job, None if there is none."""
        events = self.for_job(job_id)
        return events[-1] if events else None

    @property
    def successes(self) -> list[JobSuccessEvent[Any]]:
        """The jobs that ended well."""
        return self.of(JobSuccessEvent)

    @property
    def failures(self) -> list[JobFailureEvent]:
        """The jobs that failed, timeouts included."""
        return self.of(JobFailureEvent)

    @property
    def cancelled(self) -> list[JobCancelledEvent]:
        """The jobs that were cancelled."""
        return self.of(JobCancelledEvent)

    @property
    def terminal(self) -> list[BaseEvent]:
        """The last event of every job that ended."""
        return [event for event in self if event.is_terminal]

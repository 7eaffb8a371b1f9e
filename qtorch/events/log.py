"""The latest events of a bus."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from qtorch.events.event import BaseEvent, JobEvent
from qtorch.events.job_events import JobCancelledEvent, JobFailureEvent, JobSuccessEvent

if TYPE_CHECKING:
    from qtorch.job.base_job import BaseJob

E = TypeVar("E", bound=BaseEvent)


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

    def children_of(self, job_id: str) -> list[JobEvent]:
        """Give the events of the child jobs of one job; of their children not."""
        return [event for event in self.of(JobEvent) if event.parent_id == job_id]

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

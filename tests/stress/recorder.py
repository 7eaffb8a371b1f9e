"""What one bus tells, checked event by event as a listener of it sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtorch import (
    BaseEvent,
    JobCancelled,
    JobCancelledEvent,
    JobFailure,
    JobFailureEvent,
    JobHandle,
    JobItemsEvent,
    JobStartedEvent,
    JobStatus,
    JobSuccess,
    JobSuccessEvent,
    JobTimeout,
    JobTimeoutEvent,
    SignalBus,
)
from qtorch.events import JobEvent
from tests.qtorch.execution.rig import run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qtorch.bus.core import BusCore


class Recorder:
    """Hears every event of ``bus``; what breaks an invariant is raised here, and so reaches ``sys.excepthook``."""

    def __init__(
        self,
        bus: SignalBus,
        handles: Mapping[str, JobHandle[Any]],
        adopt: Callable[[str, BusCore], object] | None = None,
    ) -> None:
        self.events: dict[str, list[JobEvent]] = {}
        self.items: dict[tuple[str, int], list[object]] = {}
        """What was streamed, by job and attempt."""
        self._handles = handles
        self._adopt = adopt
        self._core = bus.core
        self._seq = 0
        bus.subscribe(self._hear)

    def _hear(self, event: BaseEvent) -> None:
        assert event.seq > self._seq, "seq is the order of delivery"
        self._seq = event.seq
        assert isinstance(event, JobEvent)
        events = self.events.setdefault(event.job_id, [])
        if event.parent_id is not None and self._adopt is not None:
            self._adopt(event.job_id, self._core)
        handle = self._handles[event.job_id]
        assert run_of(handle).bus is self._core, "an event on a bus that its job was not dispatched on"
        assert event.job is handle.job
        assert event.correlation_id == handle.id
        assert event.job_type is type(handle.job)
        assert not (events and events[-1].is_terminal), f"{event} came after {events[-1]}"
        assert not events or event.attempt >= events[-1].attempt, "an attempt before the last one"
        is_started = isinstance(event, JobStartedEvent)
        assert is_started != bool(events) or event.is_terminal, f"{event} after {events}: started first, and once"
        events.append(event)
        if isinstance(event, JobItemsEvent):
            assert event.items, "an event of no items"
            items = self.items.setdefault((event.job_id, event.attempt), [])
            items.extend(event.items)
            assert items == list(range(len(items))), f"items lost or out of order: {items}"
        if event.is_terminal:
            assert handle.id not in run_of(handle).services.running, "tracked after its end"
            assert tells_of(event, handle), f"{event} does not tell of {handle.outcome}"

    def has_ended(self, handle: JobHandle[Any]) -> bool:
        """Whether the terminal event of the job was heard."""
        events = self.events.get(handle.id)
        return bool(events) and events[-1].is_terminal


def tells_of(event: JobEvent, handle: JobHandle[Any]) -> bool:
    """Whether a terminal event, the status and the outcome of its job say the same."""
    match event, handle.status, handle.outcome:
        case JobSuccessEvent(data=data), JobStatus.SUCCEEDED, JobSuccess(outcome):
            return data is outcome
        case JobTimeoutEvent(timeout=timeout), JobStatus.TIMED_OUT, JobTimeout(outcome):
            return timeout == outcome
        case JobFailureEvent(error=error), JobStatus.FAILED, JobFailure(outcome):
            return error is outcome
        case JobCancelledEvent(reason=reason), JobStatus.CANCELLED, JobCancelled(outcome):
            return reason == outcome
    return False

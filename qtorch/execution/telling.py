"""What one job tells of itself while it goes on: that it began, how far it is, and what it has so far."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from qtorch.events import JobEvent, JobStartedEvent
from qtorch.events.job_events import clamp_progress
from qtorch.execution.progress import Progress
from qtorch.execution.status import JobStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtorch.bus.core import BusCore
    from qtorch.bus.cursor import Step
    from qtorch.bus.routes import Owner
    from qtorch.execution.attempt import Attempt
    from qtorch.execution.dispatcher import Registration
    from qtorch.execution.items import Items
    from qtorch.execution.lane import Lane
    from qtorch.execution.services import Services
    from qtorch.job.base_job import BaseJob
    from qtorch.job.options import JobOptions
    from qtorch.job.results import JobOutcome
    from qtorch.ports import Timer


_making_progress = threading.RLock()


class Telling:
    """What every run has, and what it tells; :class:`~qtorch.execution.tries.Tries` adds its attempts.

    Everything that happens elsewhere (a worker's result, a timer, a cancel on another thread) is *offered*: appended
    to the bus's mailbox. The methods named ``take_*`` take such offers on the bus's thread, in order. They return the
    listener calls that follow, so that an event is the very next thing delivered.
    """

    __slots__ = ("__weakref__", "_is_begun", "_progress", "_token", "_traceback", "_wait_timer", "attempt", "bus",
                 "cause", "id", "is_ended", "items", "job", "late", "number", "options", "outcome", "owner", "payload",
                 "registration", "services", "status")  # fmt: skip

    lane: Lane | None
    """Where it waits, or holds a place until its work has ended; a slot of the whole run's."""

    def __init__(
        self,
        job: BaseJob[Any],
        options: JobOptions,
        registration: Registration,
        services: Services,
        bus: BusCore,
        owner: Owner | None,
        cause: int | None,
    ) -> None:
        self.job = job
        self.id = job.id
        self.options = options
        self.registration = registration
        self.services = services
        self.bus = bus
        self.owner = owner
        self.cause = cause
        self.status = JobStatus.QUEUED
        self.outcome: JobOutcome[Any] | None = None
        self.attempt: Attempt | None = None
        self.number: int = 0
        """The attempt that runs or ran last, from 1."""
        self.late: int = 0
        """What came after the end, or of an attempt that was given up."""
        self.is_ended = False
        """Whether the terminal event was made: from then on there are no others."""
        self.payload: Any = None
        """Executor and job as they cross into another process, None where they do not."""
        self._is_begun = False
        self._traceback = ""
        self._progress: Progress | None = None
        self.items: Items | None = None
        """What it streamed and was not told yet; None until it streams."""
        self._wait_timer: Timer | None = None
        """Of the wait before the job enters its lane, or before its next attempt."""
        self._token = options.token

    @property
    def is_settled(self) -> bool:
        """Whether its outcome is decided. Any thread."""
        return self.outcome is not None

    def _tell(self, event_type: type[JobEvent], *own: object) -> list[Step]:
        return self.bus.job_event(event_type, self.job, self.owner, self.cause, self.number or 1, *own)

    def tell(self, event_type: type[JobEvent], *own: object) -> list[Step]:
        """Give the calls for an event of the work that goes on."""
        return self._tell(event_type, *own)

    def _first(self, take: Callable[[Any], Any], argument: Any) -> list[Step] | None:
        """Give the calls for what has to be told before ``take(argument)`` is, which then is put back in front.

        A worker can be done before the bus's thread has told that it began; and pending items, then pending progress,
        come before any other event of their job.
        """
        if self.outcome is None and not self._is_begun:
            self.bus.mailbox.queue.appendleft((take, argument))
            return self._take_started()
        if (self.items is None and self._progress is None) or not self._is_begun:
            return None
        queue = self.bus.mailbox.queue
        # Before they tell: shared work tells its members by items that it puts in front, and so in front of this one.
        queue.appendleft((take, argument))
        last = None if self.items is None else self.items.close(self)
        if last is None and self._progress is not None:
            last = self._progress.close(self)
        if last is None:
            queue.popleft()
        return last

    def _take_started(self, _: object = None) -> list[Step] | None:
        if self._is_begun or self.outcome is not None:
            return None
        self._is_begun = True
        self.status = JobStatus.RUNNING
        return self._tell(JobStartedEvent)

    def report_progress(
        self, attempt: Attempt, value: float, message: str | None, step: int | None, total: int | None
    ) -> None:
        """Take a report of how far the work is. Any thread."""
        if self.outcome is not None or attempt is not self.attempt or attempt.has_ended:
            self.late += 1
        else:
            self._own_progress().report(self, (attempt, clamp_progress(value), message, step, total))
        self.services.give_way()

    def raise_progress(self, attempt: Attempt) -> None:
        """Have it told that children have raised the progress of ``attempt``. The bus's thread."""
        if self.outcome is None and attempt is self.attempt:
            self._own_progress().raise_(self, attempt)

    def _own_progress(self) -> Progress:
        if self._progress is None:
            with _making_progress:  # two threads may report for the first time at once, and both are to be heard
                if self._progress is None:
                    self._progress = Progress()
        return self._progress

    def take_progress(self, is_due: bool | None) -> list[Step] | None:
        """Deliver pending progress, if its frame ``is_due`` or the last one was long enough ago."""
        if not self._is_begun and self.outcome is None:
            return self._first(self.take_progress, is_due)
        assert self._progress is not None
        return self._progress.take(self, bool(is_due))

    def take_items(self, is_due: bool | None) -> list[Step] | None:
        """Deliver pending items, if their frame ``is_due`` or the last one was long enough ago."""
        if not self._is_begun and self.outcome is None:
            return self._first(self.take_items, is_due)
        assert self.items is not None
        return self.items.take(self, bool(is_due))

"""One job among those that share their work."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qtorch.errors import ErrorReport
from qtorch.events import JobProgressEvent
from qtorch.execution.flight import SharedWork
from qtorch.execution.run import JobRun
from qtorch.execution.status import JobStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtorch.bus.core import BusCore
    from qtorch.bus.cursor import Step
    from qtorch.bus.routes import Owner
    from qtorch.execution.dispatcher import Registration
    from qtorch.execution.flight import FlightKey, Told
    from qtorch.execution.lane import Lane
    from qtorch.execution.services import Services
    from qtorch.job.base_job import BaseJob
    from qtorch.job.options import JobOptions
    from qtorch.job.results import JobOutcome


def _fingerprint(job: BaseJob[Any]) -> tuple[Any, ...]:
    try:
        fingerprint = job.fingerprint()
        hash(fingerprint)
    except TypeError as error:
        raise TypeError(
            f"{type(job).__name__} was dispatched with dedupe=True, and cannot be looked for among those that run: "
            f"{error}.\n"
            f"  Use hashable fields (tuple for list), override fingerprint() to leave that field out, or omit dedupe."
        ) from None
    return fingerprint


class Member(JobRun):
    """A job dispatched with ``dedupe``: all its own but the work, which is that of its flight.

    What happens to the work is told to each member as an item of the mailbox, in front of what waits there. One that
    ends on its own (cancelled, superseded, past its deadline) leaves, and the work goes on for the others.
    """

    __slots__ = (
        "_flight_lane",
        "_has_heard_all",
        "_is_shared",
        "_key",
        "_missed",
        "_own_status",
        "_told_progress",
        "_work",
    )

    def __init__(
        self,
        job: BaseJob[Any],
        options: JobOptions,
        registration: Registration,
        services: Services,
        bus: BusCore,
        owner: Owner | None,
        lane: Lane | None,
        cause: int | None,
    ) -> None:
        # Here, where dispatch raises what the payload does, before anybody knows of the job.
        self._key: FlightKey = (bus.mailbox, _fingerprint(job))
        self._work: SharedWork | None = None
        self._own_status = JobStatus.QUEUED
        self._flight_lane = lane
        self._is_shared = False
        """Whether it ended as its flight did."""
        self._missed: list[Told] = []
        """What was told before it joined, and is told to it first."""
        self._told_progress = 0.0
        self._has_heard_all = False
        """Whether it was told what was pending when it ended on its own."""
        super().__init__(job, options, registration, services, bus, owner, lane, cause)
        if lane is not None and lane.max_queue is not None:
            with suppress(Exception):  # of the payload's own __eq__; it is reported where the job joins
                if self._key in services.flights:
                    self.lane = None  # most likely it joins, and takes no place
            if self.lane is not None:
                lane.claim(type(job).__name__, self.is_paced)

    @property
    def status(self) -> JobStatus:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Where its work stands, or how it ended itself."""
        work = self._work
        return self._own_status if work is None or self.outcome is not None else work.status

    @status.setter
    def status(self, status: JobStatus) -> None:
        self._own_status = status

    @property
    def progress(self) -> float:
        """The progress delivered to it last, 0..1."""
        return self._told_progress

    @property
    def shared_work(self) -> JobRun | None:
        """The work that it waits for."""
        return self._work

    # -- beginning ----------------------------------------------------------------------------------------------------

    def _enter_lane(self) -> None:
        """Join the flight of an equal job, or begin one."""
        flights = self.services.flights
        try:
            work = flights.get(self._key)
        except Exception as error:  # noqa: BLE001 - a payload's own __eq__ is user code: then the job has no equal
            self.services.sink.report(ErrorReport(error, f"{type(self.job).__name__}.fingerprint", self.job))
            self._key, work = (self.bus.mailbox, (object(),)), None
        if work is None:
            # It is in no lane itself: the work of the first one is, and the others take no place.
            lane, claimed, self.lane, self._flight_lane = self._flight_lane, self.lane, None, None
            if lane is not None and claimed is None and lane.max_queue is not None:
                lane.claim(type(self.job).__name__, self.is_paced, is_late=True)
            self._work = work = SharedWork(self, self._key, lane)
            work.begin()
        else:
            self._leave_lane()
            self._flight_lane = None
            self._work = work
            self._missed = work.join(self)
            if self._missed:
                self.bus.mailbox.post(self._take_missed)

    # -- telling ------------------------------------------------------------------------------------------------------

    def take_told(self, told: Told) -> list[Step] | None:
        """Tell of the work, after what was missed of it."""
        if self.outcome is not None:
            return None
        return self._tell_of(told) if (before := self._tell_missed(self.take_told, told)) is None else before

    def _take_missed(self, _: object) -> list[Step] | None:
        return self._tell_missed(self._take_missed, None)

    def _tell_missed(self, take: Callable[[Any], Any], argument: Any) -> list[Step] | None:
        if not self._missed:
            return None
        self.bus.mailbox.queue.appendleft((take, argument))
        return self._tell_of(self._missed.pop(0))

    def _first(self, take: Callable[[Any], Any], argument: Any) -> list[Step] | None:
        if (before := self._tell_missed(take, argument)) is not None:
            return before
        # It ends on its own, and what the work has reported is still pending. Once: work that reports without a break
        # is not to put off the end for ever.
        if self._work is None or self.outcome is not None or self._has_heard_all:
            return None
        self._has_heard_all = True
        return self._work.tell_pending(take, argument)

    def _tell_of(self, told: Told) -> list[Step]:
        event_type, self.number, own = told
        self._is_begun = True
        if event_type is JobProgressEvent:
            progress: Any = own[0]
            self._told_progress = progress
        return self._tell(event_type, *own)

    # -- ending -------------------------------------------------------------------------------------------------------

    def share(self, outcome: JobOutcome[Any], traceback: str, is_from_cache: bool) -> None:
        """End as the flight does. It is told by ``take_end``."""
        self._is_shared = True
        self._traceback = traceback
        self._is_from_cache = is_from_cache
        if self._work is not None:
            self.number = self._work.number
        self._decide(outcome)
        self._work = None

    def still_running(self) -> None:
        """Hear that the work goes on although it gave the flight's outcome up."""
        self._still_running = True

    def rest(self) -> None:
        """Hear that the work has ended after the job."""
        self._come_to_rest()

    def _decide(self, outcome: JobOutcome[Any]) -> None:
        super()._decide(outcome)
        if not self._is_shared:
            self._missed = []
            if self._work is not None:
                self._work.leave(self, outcome)

    def _stop_work(self) -> None:
        work, self._work = self._work, None
        if work is None:
            self._leave_lane()
        else:
            self._still_running = work.stop(self)

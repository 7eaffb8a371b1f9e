"""Single flight: the work that several equal jobs share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from qtorch.events import (
    JobCacheHitEvent,
    JobEvent,
    JobPlaceholderEvent,
    JobProgressEvent,
    JobRetryingEvent,
    JobStartedEvent,
)
from qtorch.execution.run import JobRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtorch.bus.cursor import Step
    from qtorch.bus.mailbox import Mailbox
    from qtorch.execution.attempt import Attempt
    from qtorch.execution.lane import Lane
    from qtorch.execution.member import Member
    from qtorch.job.results import JobOutcome

FlightKey: TypeAlias = "tuple[Mailbox, tuple[Any, ...]]"
"""What has to be equal for two jobs to share work: where they are told of it, and their fingerprints."""

Told: TypeAlias = tuple[type[JobEvent], int, tuple[object, ...]]
"""An event as its members tell it: class, attempt, and the values of its own fields."""

_REPEATED = (JobCacheHitEvent, JobPlaceholderEvent)
"""What is told once, and to each later member as it joins."""

_PASSING = (JobStartedEvent, JobProgressEvent, JobRetryingEvent)
"""What a later member need not have heard."""


class SharedWork(JobRun):
    """The hidden run of a flight: it works as a lone job would, and its members tell of it.

    It is no job: no bus, orchestrator or log ever sees it. It takes the place of the job that began it in that one's
    lane, and keeps it until the work has ended, whoever is left. It has no token and no deadline: those are the
    members' own. The bus's thread, but for what a run may be told from elsewhere.
    """

    __slots__ = ("_first_member", "_key", "_latest", "_members", "_resting", "_shown")

    def __init__(self, first: Member, key: FlightKey, lane: Lane | None) -> None:
        super().__init__(first.job, first.options, first.registration, first.services, first.bus, None, lane, None)
        self._token = None
        self.payload = first.payload
        self._key = key
        self._first_member: Member | None = first
        self._members: dict[Member, None] = {first: None}
        self._resting: list[Member] = []
        """Members that have ended, or are about to, while the work goes on."""
        self._shown: list[Told] = []
        self._latest: Told | None = None
        """The progress told last, of this attempt."""
        self.services.flights[key] = self
        self.services.shared[self.id] = self

    @property
    def members(self) -> tuple[Member, ...]:
        """The jobs that wait for it."""
        return tuple(self._members)

    # -- members come and go ----------------------------------------------------------------------------------------

    def begin(self, dispatched_at: float | None = None) -> None:
        """Start the work, or let it wait in the lane of the first member."""
        self._enter_lane()

    def hold(self, seconds: float) -> None:
        """Wait so long before it enters its lane; meanwhile an equal job supersedes it there as any newer one does."""
        super().hold(seconds)
        self._close()

    def _take_due(self, _: object) -> None:
        if self.outcome is None:
            self.services.flights.setdefault(self._key, self)
        super()._take_due(_)

    def join(self, member: Member) -> list[Told]:
        """Take one more member, and give what it has missed."""
        self._members[member] = None
        member.attempt = self.attempt
        if not self._is_begun:
            return []
        number = self.number or 1
        started: Told = (JobStartedEvent, number, ())
        # As of this attempt, like all that it hears: what was shown may be of one before.
        shown: list[Told] = [(event_type, number, own) for event_type, _, own in self._shown]
        return [started, *shown, *([] if self._latest is None else [self._latest])]

    def leave(self, member: Member, outcome: JobOutcome[Any]) -> None:
        """Go on without ``member``; without any, nobody can join any more, and :meth:`stop` is to follow.

        Calls nobody.
        """
        del self._members[member]
        if member is self._first_member:
            self._first_member = None
        attempt = self.attempt
        member.number = self.number
        # Work that begins only later, for others, is none of its business.
        member.attempt = None if attempt is None or attempt.has_ended or not attempt.has_begun else attempt
        if not self._members:
            self._decide(outcome)
        elif self.bus is member.bus and member.bus.is_refusing:
            self.bus = next(iter(self._members)).bus

    def stop(self, member: Member) -> bool:
        """Stop the work if ``member``, which has left, was the last one; give whether work of its goes on."""
        if self.outcome is not None and not self._members and not self.is_ended:
            # Of the last one: work that began since it left is its own.
            member.attempt = self.attempt
            self._stop_work()
            self.take_end()
        if member.attempt is None or member.attempt.has_ended:
            member.attempt = None
            return False
        self._resting.append(member)
        return True

    def supersede(self) -> None:
        """End the member that is in the lane; the others are not, and their work goes on in its place."""
        if self._first_member is not None:
            self._first_member.supersede()

    def cancel(self, reason: str | None = None) -> None:
        """End every member: what the lane does to a job that it does not let in."""
        for member in tuple(self._members):
            member.cancel(reason)

    # -- telling ----------------------------------------------------------------------------------------------------

    def _tell(self, event_type: type[JobEvent], *own: object) -> list[Step]:
        told: Told = (event_type, self.number or 1, own)
        if event_type in _REPEATED:
            self._shown.append(told)
        elif event_type not in _PASSING:
            # Part of a result: whoever came now would take the rest of it for the whole.
            self._close()
        self._latest = told if event_type is JobProgressEvent else None
        # An item for each, because each event has listeners of its own, and they are its effect and nobody else's.
        queue = self.bus.mailbox.queue
        for member in reversed(self._members):
            queue.appendleft((member.take_told, told))
        return []

    def tell_pending(self, take: Callable[[Any], Any], argument: Any) -> list[Step] | None:
        """Tell what the work has reported so far before ``take(argument)``, the end of one member; None if nothing."""
        progress = self._progress if self._progress is not None and self._progress.is_pending else None
        items = self.items if self.items is not None and self.items.pending else None
        if not self._is_begun or (progress is None and items is None):
            return None
        self.bus.mailbox.queue.appendleft((take, argument))
        if progress is not None:
            progress.deliver(self, self.services.clock.now())
        if items is not None:  # in front of that, and not the last ones: for the others there may be more
            items.take(self, is_due=True)
        return []

    # -- the work -----------------------------------------------------------------------------------------------------

    def submit(self, attempt: Attempt) -> None:
        """Hand ``attempt`` to its runner."""
        # Before: who does the work may ask for the attempt by the id of a member at once.
        for member in self._members:
            member.attempt = attempt
        super().submit(attempt)

    def _decide(self, outcome: JobOutcome[Any]) -> None:
        super()._decide(outcome)
        self._close()
        # In one go, and before anything that can call the user's code.
        for member in self._members:
            member.share(outcome, self._traceback, self._is_from_cache)

    def _close(self) -> None:
        """Let nobody join any more."""
        if self.services.flights.get(self._key) is self:
            del self.services.flights[self._key]

    def _stop_work(self) -> None:
        super()._stop_work()
        if self._still_running:
            self._resting.extend(self._members)
            for member in self._members:
                member.still_running()

    def take_end(self, _: object = None) -> list[Step] | None:
        """Have the members tell how it ended."""
        if self.is_ended:
            return None
        self.is_ended = True
        self.services.shared.pop(self.id, None)
        if self._progress is not None or self.items is not None:
            self.services.show_no_more(self)
        members, self._members, self._first_member = self._members, {}, None
        for member in reversed(members):
            self.bus.mailbox.queue.appendleft((member.take_end, None))
        self._let_go()
        return None

    def _work_ended(self, attempt: Attempt) -> None:
        super()._work_ended(attempt)
        if self._resting:
            resting, self._resting = self._resting, []
            for member in resting:
                member.rest()

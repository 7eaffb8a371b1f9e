"""How far a job is, told at most once a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from qtorch.events import JobProgressEvent
from qtorch.execution.services import FRAME

if TYPE_CHECKING:
    from qtorch.bus.cursor import Step
    from qtorch.execution.attempt import Attempt
    from qtorch.execution.telling import Telling


Report: TypeAlias = "tuple[Attempt, float, str | None, int | None, int | None]"
"""A progress with its message and its step counts, and whose it is."""


class Progress:
    """The latest that one run has reported.

    Workers overwrite one slot and post at most one item to the bus, so a flood of reports costs no memory. The first
    report is delivered at once, then the latest of each frame, and what is pending before any other event of the job.
    """

    __slots__ = ("_closed_to", "_is_posted", "_own", "_raised", "_told_at", "pending", "value")

    def __init__(self) -> None:
        self.value = 0.0
        """What was delivered last."""
        self.pending: Report | None = None
        self._own: tuple[int, float, str | None, int | None, int | None] = (0, 0.0, None, None, None)
        """What which attempt reported last itself; children add to it."""
        self._raised: Attempt | None = None
        self._closed_to: Attempt | None = None
        """The attempt whose end is being told: what it still reports is too late."""
        self._is_posted = False
        self._told_at = -FRAME

    @property
    def is_pending(self) -> bool:
        """Whether there is something to tell."""
        return self.pending is not None or self._raised is not None

    def report(self, run: Telling, report: Report) -> None:
        """Take a report. Any thread."""
        if report[0] is self._closed_to:
            run.late += 1
            return
        self.pending = report
        self._post(run)

    def raise_(self, run: Telling, attempt: Attempt) -> None:
        """Note that children of ``attempt`` have raised its progress. The bus's thread."""
        if attempt is not self._closed_to:
            self._raised = attempt
            self._post(run)

    def _post(self, run: Telling) -> None:
        # Set before the flag is read, and read after the flag is cleared: the latest report is never left behind.
        if not self._is_posted:
            self._is_posted = True
            run.bus.mailbox.post(run.take_progress)

    def take(self, run: Telling, is_due: bool) -> list[Step] | None:
        """Deliver the pending report now, or in the next frame. The bus's thread."""
        now = run.services.clock.now()
        if not is_due and now - self._told_at < FRAME:
            run.services.show_in_next_frame(run, run.take_progress)
            return None
        self._is_posted = False
        return self.deliver(run, now)

    def close(self, run: Telling) -> list[Step] | None:
        """Give the calls for the last report of the attempt, whose end is told next; None for none.

        What comes after it is dropped: work that reports without a break could put off the end for ever.
        """
        self._closed_to = run.attempt
        # Not None, for a report that counts no more: the caller comes again.
        return (self.deliver(run, run.services.clock.now()) or []) if self.is_pending else None

    def deliver(self, run: Telling, now: float) -> list[Step] | None:
        """Give the calls for the pending report, if there is one that still counts."""
        report, self.pending = self.pending, None
        attempt, self._raised = self._raised, None
        if report is not None:
            attempt = report[0]
        if attempt is None:
            return None
        if run.is_settled or attempt is not run.attempt or attempt.has_timed_out or attempt.has_ended:
            run.late += report is not None
            return None
        if report is not None:
            self._own = (attempt.number, *report[1:])
        elif self._own[0] != attempt.number:
            self._own = (attempt.number, 0.0, None, None, None)
        _, value, *rest = self._own
        family = run.services.families.of.get(attempt) if run.services.families.of else None
        self._told_at = now
        self.value = value if family is None else family.summed(value)
        return run.tell(JobProgressEvent, self.value, *rest)

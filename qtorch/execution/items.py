"""What a job streams: every item told, in order, at most one event a frame."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from qtorch.events import JobItemsEvent
from qtorch.execution.services import FRAME

if TYPE_CHECKING:
    from qtorch.bus.cursor import Step
    from qtorch.execution.attempt import Attempt
    from qtorch.execution.telling import Telling

ROOM = 2_000
"""Items that wait to be told, at which the producer has to wait too.

A job so holds two batches at most, one that is being told and one that waits, however slow the listeners are. With one
batch a frame, 2,000 are 120,000 items a second, and a batch is handled by an ordinary listener within the frame.
"""


class Items:
    """The items of one run that were streamed and not told yet.

    The producer appends and posts at most one item to the bus's mailbox. The first batch is told at once, then what
    came until the next frame, and the last just before any other event of the job.
    """

    __slots__ = ("_closed_to", "_is_posted", "_lock", "_told_at", "_waiting", "pending")

    def __init__(self) -> None:
        # Re-entrant: a finalizer may cancel the job while the lock is held.
        self._lock = threading.RLock()
        self.pending: list[Any] = []
        self._waiting: list[Callable[[], object]] = []
        """Wake the producer."""
        self._is_posted = False
        self._closed_to: Attempt | None = None
        """The attempt whose end is being told: what still comes of it is too late."""
        self._told_at = -FRAME

    def offer(self, run: Telling, attempt: Attempt, items: Sequence[Any], resume: Callable[[], object]) -> bool:
        """Take items; see :meth:`Attempt.offer_items`. Any thread."""
        with self._lock:
            # Looked at under the lock: the bus's thread changes these before it takes what is pending a last time.
            is_over = attempt.is_stopped or attempt is self._closed_to or attempt is not run.attempt
            if is_over or run.outcome is not None:
                run.late += len(items)
                return True
            self.pending.extend(items)
            has_room = len(self.pending) < ROOM
            if not has_room:
                self._waiting.append(resume)
            must_post, self._is_posted = not self._is_posted, True
        if must_post:
            run.bus.mailbox.post(run.take_items)
        return has_room

    def take(self, run: Telling, is_due: bool) -> list[Step] | None:
        """Deliver what is pending now, or in the next frame. The bus's thread."""
        if not is_due and run.services.clock.now() - self._told_at < FRAME and not run.is_settled:
            run.services.show_in_next_frame(run, run.take_items)
            return None
        # Cleared first: what is offered from now on posts again.
        self._is_posted = False
        return self._tell(run, self._take_all())

    def close(self, run: Telling) -> list[Step] | None:
        """Give the calls for the last items of the attempt, whose end is told next; None for none. The bus's thread.

        What comes after them is dropped: a producer that goes on could put off the end for ever.
        """
        self._closed_to = run.attempt
        items = self._take_all()
        # Not None, for what was pending and counts no more: the caller comes again.
        return (self._tell(run, items) or []) if items else None

    def _take_all(self) -> list[Any]:
        """Take what is pending, and let the producer go on."""
        with self._lock:
            items, self.pending = self.pending, []
            waiting, self._waiting = self._waiting, []
        for resume in waiting:
            resume()
        return items

    def _tell(self, run: Telling, items: list[Any]) -> list[Step] | None:
        if run.is_settled:
            run.late += len(items)
            return None
        if not items:
            return None
        self._told_at = run.services.clock.now()
        return run.tell(JobItemsEvent, tuple(items))

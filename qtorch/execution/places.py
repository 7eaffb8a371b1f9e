"""Who counts in a lane whose queue is bounded."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from qtorch.execution.waiting_line import NOT_QUEUED

if TYPE_CHECKING:
    from qtorch.execution.lane import LaneJob

# Reentrant: a finalizer that dispatches may run while it is held.
_lock = threading.RLock()


class Places:
    """The places of one lane, also of jobs that another thread has dispatched and that are on their way to it.

    A debounced or throttled job is superseded by any newer one. So of those there is one place, that of the latest, and
    a newer job takes it over.
    """

    __slots__ = ("_coming", "_coming_paced", "_held", "_pending")

    def __init__(self) -> None:
        self._held: set[LaneJob] = set()
        self._pending: LaneJob | None = None
        self._coming = 0
        self._coming_paced = 0

    def claim(self, is_paced: bool, is_here: bool, free: int) -> int | None:
        """Note that a job comes, if at most ``free`` others count then; else give how many do. Any thread."""
        with _lock:
            others = len(self._held) + self._coming
            # Dispatched on the bus's thread, it supersedes at once what waits; from elsewhere, that may enter before.
            if not is_paced and (self._coming_paced or (self._pending is not None and not is_here)):
                others += 1
            if others > free:
                return others
            if is_paced:
                self._coming_paced += 1
            else:
                self._coming += 1
            return None

    def arrive(self, run: LaneJob) -> None:
        """Note that ``run`` is in the lane."""
        with _lock:
            if run is self._pending:
                self._pending = None
            else:
                self._came(run)
            self._held.add(run)

    def hold_back(self, run: LaneJob) -> None:
        """Note that ``run`` is debounced or throttled."""
        with _lock:
            self._came(run)
            self._pending = run

    def leave(self, run: LaneJob) -> None:
        """Forget ``run``; one that was superseded while it was held back is forgotten already."""
        with _lock:
            if run is self._pending:
                self._pending = None
            elif run.queue_key is NOT_QUEUED:
                self._came(run)
            else:
                self._held.discard(run)

    def _came(self, run: LaneJob) -> None:
        if run.is_paced:
            self._coming_paced -= 1
        else:
            self._coming -= 1

    @property
    def is_newer_coming(self) -> bool:
        """Whether another thread has dispatched a job that will take the place of the one that is held back."""
        return self._coming_paced > 0

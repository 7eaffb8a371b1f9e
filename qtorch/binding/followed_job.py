"""A job as a command sees it: its progress, its end, and the end of its work."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtorch.events import JobProgressEvent

if TYPE_CHECKING:
    from qtorch.binding.home import Home
    from qtorch.execution.handle import JobHandle
    from qtorch.job.results import JobOutcome
    from qtorch.state.subscription import Subscription


class FollowedJob:
    """Tells when anything about a job changes.

    Parameters
    ----------
    handle
        The job.
    home
        Whose bus and clock are used.
    changed
        A bound method, held weakly: a job that outlives a window must not keep the window's command. Called with this
        when its progress changes, when it has ended, and when its work has.
    """

    __slots__ = ("__weakref__", "_changed", "_home", "_subscription", "handle", "has_ended", "has_hook",
                 "is_cancelled", "outcome", "progress")  # fmt: skip

    def __init__(self, handle: JobHandle[Any], home: Home, changed: Callable[[FollowedJob], None]) -> None:
        self.handle = handle
        self.progress = 0.0
        self.outcome: JobOutcome[Any] | None = None
        self.has_ended = False
        self.is_cancelled = False
        self.has_hook = home.hears_failure_of(handle)
        """Whether somebody else hears of its failure."""
        self._home = home
        self._changed: Callable[[], Callable[[FollowedJob], None] | None] = weakref.WeakMethod(changed)
        bus = home.bus_of(handle)
        self._subscription: Subscription | None = (
            None if bus is None else bus.subscribe(self._on_progress, event_type=JobProgressEvent, job_id=handle.id)
        )
        handle.add_done_callback(self._on_end)

    @property
    def is_cancellable(self) -> bool:
        """Whether to cancel it would change anything."""
        return not self.has_ended and not self.is_cancelled

    @property
    def is_at_rest(self) -> bool:
        """Whether the job has ended, and its work too."""
        return self.has_ended and not self.handle.is_working

    def cancel(self, reason: str | None = None) -> None:
        """End the job as cancelled."""
        self.is_cancelled = True
        self.handle.cancel(reason)

    def supersede(self) -> None:
        """Cancel the job and hear nothing more of it."""
        self._forget()
        self.cancel("superseded")

    def _on_progress(self, event: JobProgressEvent) -> None:
        self.progress = event.progress
        self._tell()

    def _on_end(self, _: object) -> None:
        self.has_ended = True
        self.outcome = self.handle.outcome
        if self._subscription is not None:
            self._subscription.close()
        self._tell()
        if not self.is_at_rest:
            self.handle.add_rest_callback(self._on_rest)

    def _on_rest(self, _: object) -> None:
        self._tell()

    def _tell(self) -> None:
        changed = self._changed()
        if changed is not None:
            changed(self)

    def _forget(self) -> None:
        self._changed = _nobody
        if self._subscription is not None:
            self._subscription.close()


def _nobody() -> None:
    return None

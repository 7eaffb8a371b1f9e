"""Giving a person another picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo_app.app.faults import NotAPictureError, RefusedError, explain
from demo_app.app.jobs import ChangePictureJob, person_key
from qtorch import (
    DROPPABLE,
    BaseOrchestrator,
    BaseState,
    InvalidateCacheJob,
    JobCancelledEvent,
    JobFailureEvent,
    JobProgressEvent,
    JobStartedEvent,
    JobSuccessEvent,
    on,
)

if TYPE_CHECKING:
    from pathlib import Path

    from demo_app.server.models import Person


@dataclass(frozen=True)
class PictureChanged:
    """The effect of a picture having been stored."""

    name: str


class PictureState(BaseState):
    """A picture on its way to the server.

    Attributes
    ----------
    file
        Name of the file; empty when nothing is on its way.
    progress
        How much of it has been sent, 0..1.
    sent
        The same in words.
    failed
        The job that failed and is worth another try.
    """

    file: str = ""
    progress: float = 0.0
    sent: str = ""
    problem: str = ""
    failed: ChangePictureJob | None = None


class Picture(BaseOrchestrator[PictureState]):
    """Sends one picture at a time."""

    def change(self, person_id: int, path: Path) -> None:
        """Give a person the picture in a file."""
        self._send(ChangePictureJob(person_id=person_id, path=path))

    def retry(self) -> None:
        """Send the one that failed again."""
        if self.state.failed is not None:
            self._send(self.state.failed)

    def cancel(self) -> None:
        """Stop sending."""
        self.cancel_all("by the user")

    def dismiss(self) -> None:
        """Say no more of the problem."""
        self.update(problem="", failed=None)

    def _send(self, job: ChangePictureJob) -> None:
        self.update(problem="", failed=None)
        self.dispatch(job, policy=DROPPABLE)

    @on(JobStartedEvent, ChangePictureJob)
    def _started(self, event: JobStartedEvent) -> None:
        assert isinstance(event.job, ChangePictureJob)
        self.update(file=event.job.path.name, progress=0.0, sent="")

    @on(JobProgressEvent, ChangePictureJob)
    def _sent(self, event: JobProgressEvent) -> None:
        self.update(progress=event.progress, sent=event.message or "")

    @on(JobSuccessEvent, ChangePictureJob)
    def _stored(self, event: JobSuccessEvent[Person]) -> None:
        self.update(file="")
        self.dispatch(InvalidateCacheJob(key=person_key(event.data.id)))
        self.effect.emit(PictureChanged(name=event.data.name))

    @on(JobFailureEvent, ChangePictureJob)
    def _failed(self, event: JobFailureEvent) -> None:
        hopeless = isinstance(event.error, (NotAPictureError, RefusedError))
        problem = f"The picture was not changed. {explain(event)}"
        self.update(file="", problem=problem, failed=None if hopeless else event.job)

    @on(JobCancelledEvent, ChangePictureJob)
    def _cancelled(self, event: JobCancelledEvent) -> None:
        if event.reason != "dropped":
            self.update(file="")

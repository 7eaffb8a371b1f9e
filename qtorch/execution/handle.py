"""What ``dispatch`` returns."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from threading import get_ident
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from qtorch.bus.foreign_loop import driven_by, is_foreign
from qtorch.execution.waiters import add_callback, add_future, remove_future
from qtorch.job.base_job import parent_id_of

if TYPE_CHECKING:
    from qtorch.execution.run import JobRun
    from qtorch.execution.status import JobStatus
    from qtorch.job.base_job import BaseJob
    from qtorch.job.results import JobOutcome

R = TypeVar("R")


class JobHandle(Generic[R]):
    """One dispatched job: look at it, cancel it, await it. Any thread.

    There is no blocking wait, on purpose: on the GUI thread it would freeze the window it waits for.

    Examples
    --------
    >>> user = await users.dispatch(FetchUserJob(user_id="42"))  # doctest: +SKIP
    """

    __slots__ = ("__weakref__", "_run")

    def __init__(self, run: JobRun) -> None:
        self._run = run

    @property
    def id(self) -> str:
        """The job's id, which its events carry."""
        return self._run.id

    @property
    def job(self) -> BaseJob[R]:
        """The job."""
        return self._run.job

    @property
    def parent_id(self) -> str | None:
        """The id of the job that runs this one as its child, None if none does."""
        return parent_id_of(self._run.job)

    @property
    def status(self) -> JobStatus:
        """Where it stands."""
        return self._run.status

    @property
    def progress(self) -> float:
        """The progress told last, 0..1."""
        return self._run.progress

    @property
    def is_working(self) -> bool:
        """Whether its work goes on now, also after the job has ended as cancelled or timed out."""
        return self._run.is_working

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What was given as ``metadata``."""
        return self._run.options.metadata

    @property
    def outcome(self) -> JobOutcome[R] | None:
        """How it ended, None while it has not."""
        return self._run.outcome

    def cancel(self, reason: str | None = None) -> None:
        """End the job as cancelled and stop its work as far as its runner can.

        On the bus's thread it holds at once and beats every result that was not delivered yet; from another thread it
        is a request. A job that has ended stays as it is.
        """
        self._run.cancel(reason)

    def add_done_callback(self, callback: Callable[[JobHandle[R]], object]) -> None:
        """Call ``callback(handle)`` on the bus's thread after the job's terminal event, also if that was long ago."""
        run = self._run
        if not add_callback(run, callback):
            run.bus.mailbox.post(lambda _: [(callback, (self,), True)])

    def add_rest_callback(self, callback: Callable[[JobHandle[R]], object]) -> None:
        """Call ``callback(handle)`` on the bus's thread once the job has ended and its work has too.

        That is later than a done callback where work outlives its job: a thread that ignores its token.
        """
        self._run.bus.mailbox.post(self._run.take_rest_callback, callback)

    async def result(self) -> JobOutcome[R]:
        """Wait for the outcome, any number of times, from any loop in any thread, also after the end.

        Cancelling the waiter does not cancel the job.
        """
        import asyncio

        run = self._run
        loop = asyncio.get_running_loop()
        future = add_future(run, loop)
        if future is not None:
            try:
                if get_ident() == run.bus.mailbox.thread and is_foreign(loop):
                    with driven_by(loop, run.bus.mailbox, run.services.clock):
                        await future
                else:
                    await future
            except asyncio.CancelledError:
                remove_future(run, future)
                raise
        assert run.outcome is not None
        return run.outcome

    async def _data(self) -> R:
        return (await self.result()).unwrap()

    def __await__(self) -> Generator[Any, None, R]:
        return self._data().__await__()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JobHandle) and self._run is other._run

    def __hash__(self) -> int:
        return hash(self._run)

    def __repr__(self) -> str:
        return f"<JobHandle {self.id} {self.status}>"

"""Jobs that the work of another job runs, and that end with it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar

from qtorch.errors import JobCancelledError
from qtorch.execution.attempt import Attempt, current_attempt
from qtorch.execution.circles import end_circle
from qtorch.execution.member import Member
from qtorch.execution.progress import Progress
from qtorch.execution.run import JobRun
from qtorch.job.base_job import mark_child
from qtorch.job.options import NO_OPTIONS, JobOptions
from qtorch.job.results import JobFailure, JobSuccess

if TYPE_CHECKING:
    from qtorch.bus.cursor import Step
    from qtorch.execution.flight import Told
    from qtorch.job.base_job import BaseJob
    from qtorch.job.options import DispatchOptions
    from qtorch.job.results import JobOutcome

R = TypeVar("R")


class Child(JobRun):
    """The life of a child job: that of any other, and over with its parent's attempt at the latest.

    It has no slots, so that it can be laid over two kinds of run.
    """

    _unlink_parent: Callable[[], None] | None = None
    _highest = 0.0
    progress_share: float | None = None

    def become_child(self, parent: Attempt, share: float | None) -> None:
        """Belong to ``parent`` from now on, before anything happens."""
        mark_child(self.job, parent.run.id)
        self.parent = parent
        self.progress_share = share

    def begin(self, dispatched_at: float | None = None) -> None:
        """Start the job, unless its parent has ended meanwhile. The bus's thread."""
        parent = self.parent
        if parent is not None and self.outcome is None:
            if parent.has_ended:
                self.cancel("parent ended")
                return
            self.services.families.join(parent, self)
            self._unlink_parent = parent.token.on_cancel(partial(self._cancel_with, parent))
        super().begin(dispatched_at)
        end_circle(self)

    def _cancel_with(self, parent: Attempt) -> None:
        if get_ident() == self.bus.mailbox.thread:
            self.services.families.end(self, parent.token.reason)
        else:
            self.cancel(parent.token.reason)

    def _decide(self, outcome: JobOutcome[Any]) -> None:
        super()._decide(outcome)
        if self._unlink_parent is not None:
            self._unlink_parent()
        if self.progress_share is not None:
            # What failed is not done: who runs it again counts it once.
            self.raise_parent(1.0 if isinstance(outcome, JobSuccess) else 0.0)

    def take_end(self, _: object = None) -> list[Step] | None:
        """Give the calls for the terminal event and what follows from it; the parent waits no more."""
        steps = super().take_end()
        if self.is_ended and self.parent is not None:
            self.services.families.leave(self.parent, self)
            # The run is remembered for long, its parent need not be.
            self.parent = None
        return steps

    def hear_progress(self, progress: float) -> None:
        """Pass on how far this job is. A second attempt begins at 0 again; the parent's does not go back for it."""
        if progress > self._highest:
            self._highest = progress
            self.raise_parent(progress)

    def raise_parent(self, progress: float) -> None:
        """Have the parent's progress tell that this job is done so far."""
        parent, share = self.parent, self.progress_share
        assert share is not None
        family = None if parent is None else self.services.families.of.get(parent)
        if family is not None and parent is not None and family.add_share(self.id, share * progress):
            parent.run.raise_progress(parent)


class ChildRun(Child):
    """A child that does its own work."""

    def become_child(self, parent: Attempt, share: float | None) -> None:
        """Belong to ``parent``."""
        super().become_child(parent, share)
        if share is not None:
            self._progress = _SharedProgress()


class ChildMember(Child, Member):
    """A child that shares its work with equal jobs, other children or not."""

    def _tell_of(self, told: Told) -> list[Step]:
        steps = super()._tell_of(told)
        if self.progress_share is not None:
            self.hear_progress(self.progress)
        return steps


class _SharedProgress(Progress):
    """The progress of a child that is a part of its parent's."""

    __slots__ = ()

    def deliver(self, run: Any, now: float) -> list[Step] | None:
        """Give the calls for the pending report, and pass it on to the parent."""
        steps = super().deliver(run, now)
        run.hear_progress(self.value)
        return steps


def _make_child(job: BaseJob[Any], options: JobOptions, *rest: Any, parent: Attempt, share: float | None) -> Child:
    child = (ChildMember if options.dedupe else ChildRun)(job, options, *rest)
    child.become_child(parent, share)
    return child


def run_child(
    executor: object, job: BaseJob[R], share: float | None, options: DispatchOptions
) -> Coroutine[Any, Any, R]:
    """Do what :meth:`~qtorch.execution.base_executor.BaseExecutor.run` says."""
    attempt = _waiting_attempt(type(executor).__name__, type(job).__name__)
    if share is not None and not 0.0 <= share <= 1.0:
        raise ValueError(
            f"share={share!r} of {type(job).__name__} is not within 0..1.\n"
            f"  Give the part of the parent's progress that the child makes up, such as 0.25."
        )
    _check_wanted(attempt)
    return _run_child(attempt, job, share, options)


async def _run_child(attempt: Attempt, job: BaseJob[R], share: float | None, options: DispatchOptions) -> R:
    # Asked again: a task may start long after it was made.
    _check_wanted(attempt)
    dispatcher, bus = attempt.run.services.dispatcher(), attempt.run.bus
    if dispatcher is None:  # the Runtime was closed, and nobody refers to it any more
        raise JobCancelledError("runtime closed")
    given = JobOptions.model_validate(options) if options else NO_OPTIONS
    make = partial(_make_child, parent=attempt, share=share)
    handle = dispatcher.start(job, given, bus, None, dispatcher.lanes, make)
    try:
        outcome = await handle.result()
    except BaseException:
        handle.cancel("no longer awaited")
        raise
    if isinstance(outcome, JobFailure) and not isinstance(outcome.error, Exception):
        # As itself it would do to the parent's task what it says: end the loop, or be taken for a cancellation.
        raise RuntimeError(
            f"{handle.id}, a child of {attempt.run.id}, raised {outcome.error!r}.\n"
            f"  Raise an Exception in process(); to cancel the job, cancel its token."
        ) from outcome.error
    return outcome.unwrap()


def _check_wanted(attempt: Attempt) -> None:
    """Raise JobCancelledError if ``attempt`` is to stop or has ended, so that nothing is dispatched for it."""
    attempt.token.raise_if_cancelled()
    if attempt.has_ended:
        raise JobCancelledError("parent ended")


def _waiting_attempt(executor: str, child: str) -> Attempt:
    """Give the attempt whose coroutine asks."""
    attempt = current_attempt.get()
    if attempt is None:
        raise RuntimeError(
            f"{executor}.run({child}) was called outside process(), so there is no job whose child it would be.\n"
            f"  Await it in `async def process`, or use runtime.dispatcher.dispatch({child}(...))."
        )
    asyncio: Any = sys.modules.get("asyncio")
    loop = attempt.run.services.loop  # in a worker process that says what to do instead
    if attempt.run.registration.runner is not loop:
        # A thread that waited for jobs that wait for a thread would stop the pool.
        name = type(attempt.run.registration.executor).__name__
        raise RuntimeError(
            f"{executor}.run({child}) was called in {attempt.run.id}, but {name}.process is a plain def and cannot "
            f"wait for a child.\n"
            f"  Write it as `async def process` and `await self.run(...)`; asyncio.to_thread does what would block."
        )
    if asyncio is None or asyncio._get_running_loop() is None:
        raise RuntimeError(
            f"{executor}.run({child}) was called on a thread that {attempt.run.id} started, where nothing can be "
            f"awaited.\n"
            f"  Await it in the coroutine itself, and hand the result to the thread."
        )
    return attempt

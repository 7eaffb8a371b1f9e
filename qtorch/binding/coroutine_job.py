"""A coroutine of a command as a job, so that it is cancelled, followed and ended with its Runtime like any other."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from pydantic import Field

from qtorch.execution.attempt import current_attempt
from qtorch.execution.base_executor import BaseExecutor
from qtorch.job.base_job import BaseJob

if TYPE_CHECKING:
    from qtorch.binding.home import Home
    from qtorch.execution.handle import JobHandle


class Pending:
    """Something to await, once: an ended job is remembered for long, and may not keep what its coroutine refers to."""

    __slots__ = ("_awaitable",)

    def __init__(self, awaitable: Awaitable[Any]) -> None:
        self._awaitable: Awaitable[Any] | None = awaitable

    async def finish(self) -> Any:
        """Await it and give what it gives."""
        assert self._awaitable is not None
        return await self._awaitable

    def drop(self) -> None:
        """Let go of it; if it has not begun it never will."""
        awaitable, self._awaitable = self._awaitable, None
        close = getattr(awaitable, "close", None)
        if close is not None:
            close()  # else Python warns of a coroutine that was never awaited

    def __repr__(self) -> str:
        return "..."


class CoroutineJob(BaseJob[Any]):
    """Awaits what a command's function gave."""

    command: str
    pending: Any = Field(exclude=True, repr=False)


class CoroutineExecutor(BaseExecutor[CoroutineJob]):
    """Awaits on the Runtime's loop; registered with a Runtime by the first coroutine of a command."""

    async def process(self, job: CoroutineJob) -> Any:
        """Await it."""
        pending: Pending = job.pending
        return await pending.finish()


def dispatch_coroutine(awaitable: Awaitable[Any], command: str, home: Home) -> JobHandle[Any]:
    """Dispatch a job that awaits ``awaitable``."""
    pending = Pending(awaitable)
    try:
        dispatcher = home.runtime.dispatcher
        if CoroutineJob not in dispatcher.registered_executors:
            dispatcher.register(CoroutineExecutor())
        handle = home.dispatch(CoroutineJob(command=command, pending=pending))
    except BaseException:
        pending.drop()
        raise
    handle.add_rest_callback(_drop)
    return handle


def _drop(handle: JobHandle[Any]) -> None:
    job = handle.job
    assert isinstance(job, CoroutineJob)
    job.pending.drop()


def report_progress(progress: float, message: str | None) -> None:
    """Tell how far the coroutine is that this is called from; raises RuntimeError where there is none."""
    attempt = current_attempt.get()
    if attempt is None:
        raise RuntimeError(
            "Command.report_progress was called outside a coroutine of a command, so it is not known whose it is.\n"
            "  Call it in the `async def` that the command was given; an executor calls self.emit_progress(job, ...)."
        )
    attempt.run.report_progress(attempt, progress, message, None, None)

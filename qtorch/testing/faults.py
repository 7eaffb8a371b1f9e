"""Makes executors slow, and has them fail."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

from qtorch.execution.attempt import current_attempt
from qtorch.job.durations import in_seconds
from qtorch.state.subscription import Subscription
from qtorch.testing.raising import Error, checked, fresh
from qtorch.testing.waking import wait_for_call

if TYPE_CHECKING:
    from datetime import timedelta

    from qtorch.execution.attempt import Attempt
    from qtorch.job.base_job import BaseJob
    from qtorch.runtime import Runtime

_NO_FAILURES: Mapping[int, Error] = {}


def inject(
    runtime: Runtime,
    job_type: type[BaseJob[Any]],
    *,
    latency: float | timedelta = 0.0,
    fail: Mapping[int, Error] = _NO_FAILURES,
) -> Subscription:
    """Make the work of the jobs of a class slow, or have it fail, in front of its real executor.

    It holds for attempts that begin from now on, until the subscription that this returns is closed, or its ``with``
    block ends. Threads, coroutines and runners of one's own; not for executors with ``runner = "process"``.

    Parameters
    ----------
    runtime
        Whose executor it is.
    job_type
        The jobs, those of subclasses included.
    latency
        Seconds (or a timedelta) of the Runtime's clock before each attempt does anything.
    fail
        What attempt 1, 2, .. of each job raises, after the latency, in place of its work.

    Raises
    ------
    ExecutorNotFoundError
        No executor does such jobs.
    TypeError
        The executor works in another process, or what is to be raised is no exception.
    ValueError
        The latency is negative, or an attempt below 1.

    Examples
    --------
    >>> with inject(runtime, FetchUserJob, latency=0.5, fail={1: OSError("down")}):  # doctest: +SKIP
    ...     users.load_user("42")
    """
    seconds = in_seconds(latency)
    if seconds < 0:
        raise ValueError(f"a latency of {seconds} s would be time that goes back")
    for number, error in fail.items():
        checked(error, f"fail={{{number}: ..}}")
        if number < 1:
            raise ValueError(f"fail= names attempt {number}, and a job's first attempt is number 1")
    registration = runtime.dispatcher._find(job_type)  # pyright: ignore[reportPrivateUsage]
    if registration.prepare is not None:
        raise TypeError(
            f'{type(registration.executor).__name__} has runner = "process", and no faults can be injected there.\n'
            f"  Register a FakeExecutor({job_type.__name__}, steps=[..]) in its place, with replace=True."
        )
    before = registration.process
    subscription = Subscription()

    def affected(job: BaseJob[Any]) -> bool:
        return subscription.is_active and isinstance(job, job_type)

    def meet(attempt: Attempt) -> None:
        attempt.token.raise_if_cancelled()
        if attempt.number in fail:
            raise fresh(fail[attempt.number])

    if inspect.iscoroutinefunction(before):

        @wraps(before)
        async def process_async(job: BaseJob[Any]) -> Any:
            if affected(job):
                await _sleep(runtime, seconds)
                meet(_attempt())
            return await before(job)

        registration.process = process_async
    else:

        @wraps(before)
        def process(job: BaseJob[Any]) -> Any:
            if affected(job):
                attempt = _attempt()
                attempt.token.wait(seconds)
                meet(attempt)
            return before(job)

        registration.process = process
    return subscription


def _attempt() -> Attempt:
    attempt = current_attempt.get()
    if attempt is None:
        raise RuntimeError(
            "faults were injected into jobs whose Runner does not say for which attempt it calls process().\n"
            "  Call attempt.do(process) there, or current_attempt.set(attempt) before."
        )
    return attempt


async def _sleep(runtime: Runtime, seconds: float) -> None:
    over, wake = wait_for_call()
    timer = runtime.clock.call_later(seconds, wake)
    try:
        await over
    finally:
        timer.cancel()

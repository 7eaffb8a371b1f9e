"""Tries an executor alone: one job, what comes of it, and what is told on the way."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, Unpack

from qtorch.events import EventLog, JobFailureEvent
from qtorch.job.results import JobSuccess
from qtorch.ports import MISSING
from qtorch.testing.diff import difference, differences
from qtorch.testing.fake_clock import FakeClock
from qtorch.testing.turns import Turns, run_or_await
from qtorch.testing.writing import written

if TYPE_CHECKING:
    from qtorch.events import BaseEvent
    from qtorch.execution.base_executor import BaseExecutor
    from qtorch.execution.handle import JobHandle
    from qtorch.job.base_job import BaseJob
    from qtorch.job.options import DispatchOptions
    from qtorch.job.results import JobOutcome
    from qtorch.runtime import Runtime

R = TypeVar("R")

_LIMIT = 10.0
"""Seconds, real ones, after which a job that has not ended is given up."""


@dataclass(frozen=True)
class JobCaseResult(Generic[R]):
    """What came of the job of the fixture ``job_case``."""

    outcome: JobOutcome[R]
    """How it ended."""
    events: tuple[BaseEvent, ...]
    """What was told of it, in order."""

    if TYPE_CHECKING:

        def __await__(self) -> Generator[Any, None, Self]:
            """In a coroutine, what the fixture gives is to be awaited."""
            ...


class JobCase:
    """The fixture ``job_case``: call it with an executor and a job, and it compares what comes of that.

    Parameters
    ----------
    executor, job
        Who does what. The executor is registered on the Runtime of the test, and stays. Fake time, if the test asks
        for ``qtorch_clock``, passes as it is needed.
    result
        The data of the success: an entry, see :func:`~qtorch.testing.matchers.matches`. Not given: any data.
    error
        The error of the failure: a class, an exception that is compared by class and ``args``, or another entry. A
        cancelled job has a JobCancelledError, one that ran out of time a JobTimeoutError. Not given: the job has to
        succeed.
    events
        Entries for all events of the job, in order. None: not compared.
    **options
        As for ``dispatch``: ``timeout=``, ``retry=``, ...

    Returns
    -------
    JobCaseResult
        Outcome and events. In an ``async def`` test it has to be awaited: ``await job_case(...)``.

    Raises
    ------
    AssertionError
        Something is not as expected; the text says what.
    TypeError
        ``result`` and ``error`` are both given.

    Examples
    --------
    >>> job_case(  # doctest: +SKIP
    ...     FetchUserExecutor(api), FetchUserJob(user_id="42"), result=User(name="Ada"),
    ...     events=[JobStartedEvent, event(JobProgressEvent, progress=0.5), JobSuccessEvent],
    ... )
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def __call__(
        self,
        executor: BaseExecutor[Any],
        job: BaseJob[R],
        *,
        result: object = MISSING,
        error: object = MISSING,
        events: Sequence[object] | None = None,
        **options: Unpack[DispatchOptions],
    ) -> JobCaseResult[R]:
        """Run the case; see the class."""
        if result is not MISSING and error is not MISSING:
            raise TypeError("result= and error= were both given, and a job ends in one way.\n  Leave one of them out.")
        return run_or_await(self._run(executor, job, result, error, events, options), "job_case")

    def _run(
        self,
        executor: BaseExecutor[Any],
        job: BaseJob[R],
        result: object,
        error: object,
        events: Sequence[object] | None,
        options: DispatchOptions,
    ) -> Turns[JobCaseResult[R]]:
        runtime = self._runtime
        registered = runtime.dispatcher.registered_executors.values()
        if not any(one is executor for one in registered):
            runtime.register(executor)
        log = EventLog(runtime.bus)
        try:
            handle = runtime.dispatcher.dispatch(job, **options)
            yield from _run_to_its_end(runtime, handle)
        finally:
            log.close()
        told = log.for_job(handle.id)
        outcome = handle.outcome
        assert outcome is not None
        faults = [_outcome_fault(outcome, result, error, told)]
        if events is not None and (text := differences(events, told)):
            faults.append(f"its events are not those expected:\n{text}")
        if any(faults):
            raise AssertionError("\n".join([f"{written(job)} by {type(executor).__name__}:", *filter(None, faults)]))
        return JobCaseResult(outcome, tuple(told))


def _outcome_fault(outcome: JobOutcome[Any], result: object, error: object, told: Sequence[BaseEvent]) -> str:
    if error is not MISSING:
        if isinstance(outcome, JobSuccess):
            return f"it succeeded with {written(outcome.data)}, and was to fail with {written(error)}"
        text = difference(error, outcome.error_or_none)
        return f"it failed with another error:\n{text}" if text else ""
    if not isinstance(outcome, JobSuccess):
        traceback = next((f"\n{event.traceback}" for event in told if isinstance(event, JobFailureEvent)), "")
        return f"it ended with {written(outcome)}, and was to succeed{traceback.rstrip()}"
    text = "" if result is MISSING else difference(result, outcome.data)
    return f"it gave another result:\n{text}" if text else ""


def _run_to_its_end(runtime: Runtime, handle: JobHandle[Any]) -> Turns[None]:
    """Yield until the job has ended; fake time passes when nothing is at work."""
    clock, until = runtime.clock, monotonic() + _LIMIT
    while handle.outcome is None:
        if isinstance(clock, FakeClock) and not (yield from clock.settling()) and handle.outcome is None:
            if not clock.pending:
                break
            clock.jump()
        else:
            yield True
        if monotonic() > until:
            break
    if handle.outcome is None:
        status = handle.status
        handle.cancel("given up by its test")
        # Its end is told: else the test would be blamed for a job that it left behind, too.
        while handle.id in {running.id for running in runtime.running_jobs}:
            yield False
        raise AssertionError(
            f"{handle.id} has not ended, though it was given {_LIMIT:g} s; it is {status}.\n"
            f"  Release what holds it before job_case(...), or give it a timeout."
        )

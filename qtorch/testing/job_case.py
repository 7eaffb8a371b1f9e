"""Tries an executor alone: one job, what comes of it, and what is told on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Unpack

from PySide6.QtCore import QEventLoop, QTimer

from qtorch.events import EventLog, JobFailureEvent
from qtorch.job.results import JobSuccess
from qtorch.ports import MISSING
from qtorch.testing.diff import difference, differences
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
class JobCase(Generic[R]):
    """What came of the job of :func:`run_job_case`."""

    outcome: JobOutcome[R]
    """How it ended."""
    events: tuple[BaseEvent, ...]
    """What was told of it, in order."""


def run_job_case(
    runtime: Runtime,
    executor: BaseExecutor[Any],
    job: BaseJob[R],
    *,
    result: object = MISSING,
    error: object = MISSING,
    events: Sequence[object] | None = None,
    **options: Unpack[DispatchOptions],
) -> JobCase[R]:
    """Have ``executor`` do ``job``, and compare what comes of it with what is expected.

    Parameters
    ----------
    runtime
        Where it runs. The executor is registered there, and stays.
    executor, job
        Who does what.
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

    Raises
    ------
    AssertionError
        Something is not as expected; the text says what.
    TypeError
        ``result`` and ``error`` are both given.

    Examples
    --------
    >>> run_job_case(  # doctest: +SKIP
    ...     runtime, FetchUserExecutor(api), FetchUserJob(user_id="42"), result=User(name="Ada"),
    ...     events=[JobStartedEvent, event(JobProgressEvent, progress=0.5), JobSuccessEvent],
    ... )
    """
    if result is not MISSING and error is not MISSING:
        raise TypeError("result= and error= were both given, and a job ends in one way.\n  Leave one of them out.")
    registered = runtime.dispatcher.registered_executors.values()
    if not any(one is executor for one in registered):
        runtime.register(executor)
    log = EventLog(runtime.bus)
    try:
        handle = runtime.dispatcher.dispatch(job, **options)
        _run_to_its_end(handle)
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
    return JobCase(outcome, tuple(told))


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


def _run_to_its_end(handle: JobHandle[Any]) -> None:
    """Run the event loop until the job has ended."""
    loop, limit = QEventLoop(), QTimer()
    limit.setSingleShot(True)
    limit.timeout.connect(loop.quit)
    limit.start(int(_LIMIT * 1000))
    handle.add_done_callback(lambda _: loop.quit())
    loop.exec()
    if handle.outcome is None:
        status = handle.status
        handle.cancel("given up by its test")
        loop.exec()  # a cancel holds at once, and is told in the next turn
        raise AssertionError(
            f"{handle.id} has not ended after {_LIMIT} s; it is {status}.\n"
            f"  If it waits for a FakeClock: nobody advances that meanwhile. Use the Runtime of real time."
        )

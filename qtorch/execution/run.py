"""One job's life, from dispatch to its one terminal event."""

from __future__ import annotations

import sys
from threading import get_ident
from typing import TYPE_CHECKING, Any

from qtorch.errors import ErrorReport, JobCancelledError, JobTimeoutError, NoRetry
from qtorch.events import (
    JobCacheHitEvent,
    JobCancelledEvent,
    JobEvent,
    JobFailureEvent,
    JobPlaceholderEvent,
    JobRetryingEvent,
    JobStartedEvent,
    JobSuccessEvent,
    JobTimeoutEvent,
)
from qtorch.execution.attempt import Attempt
from qtorch.execution.data_strategy import DataLookup
from qtorch.execution.handle import JobHandle
from qtorch.execution.lanes import queue_key
from qtorch.execution.progress import Progress
from qtorch.execution.status import JobStatus
from qtorch.execution.waiters import OVER, end
from qtorch.job.results import JobCancelled, JobFailure, JobSuccess, JobTimeout
from qtorch.ports import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtorch.bus.cursor import Step
    from qtorch.bus.routes import Owner
    from qtorch.bus.signal_bus import BusCore
    from qtorch.execution.dispatcher import Registration
    from qtorch.execution.lanes import Lane
    from qtorch.execution.services import Services
    from qtorch.execution.waiters import Waiters
    from qtorch.job.base_job import BaseJob
    from qtorch.job.options import JobOptions
    from qtorch.job.results import JobOutcome
    from qtorch.ports import Timer

_STATUS_OF = {
    JobSuccess: JobStatus.SUCCEEDED,
    JobFailure: JobStatus.FAILED,
    JobCancelled: JobStatus.CANCELLED,
    JobTimeout: JobStatus.TIMED_OUT,
}


class JobRun:
    """The state machine of one dispatched job.

    Everything that happens elsewhere (a worker's result, a timer, a cancel on another thread) is *offered*: appended
    to the bus's mailbox. The methods named ``take_*`` take such offers on the bus's thread, in order; the first that
    settles the job wins, what comes later is counted in ``late`` and dropped. They return the listener calls that
    follow, so that a terminal event is the very next thing delivered.
    """

    __slots__ = ("__weakref__", "_deadline", "_is_begun", "_is_from_cache", "_lookup", "_progress", "_retry_timer",
                 "_still_running", "_token", "_traceback", "_unlink", "attempt", "bus", "cause", "id", "is_ended",
                 "job", "lane", "late", "number", "options", "outcome", "owner", "queue_key", "registration",
                 "services", "status", "waiters")  # fmt: skip

    def __init__(
        self,
        job: BaseJob[Any],
        options: JobOptions,
        registration: Registration,
        services: Services,
        bus: BusCore,
        owner: Owner | None,
        lane: Lane | None,
        cause: int | None,
    ) -> None:
        self.job = job
        self.id = job.id
        self.options = options
        self.registration = registration
        self.services = services
        self.bus = bus
        self.owner = owner
        self.lane = lane
        self.cause = cause
        self.status = JobStatus.QUEUED
        self.outcome: JobOutcome[Any] | None = None
        self.attempt: Attempt | None = None
        self.number = 0
        """The attempt that runs or ran last, from 1."""
        self.is_ended = False
        """Whether the terminal event was made: from then on there are no others."""
        self.late = 0
        """What came after the end, or of an attempt that was given up."""
        self.waiters: Waiters | None = None
        self.queue_key: tuple[float, int] = (0.0, 0)
        self._is_begun = False
        self._is_from_cache = False
        self._still_running = False
        self._traceback = ""
        self._progress: Progress | None = None
        self._lookup: DataLookup | None = None
        self._deadline: Timer | None = None
        self._retry_timer: Timer | None = None
        self._unlink: Callable[[], None] | None = None
        self._token = options.token

    # -- what others see of it ------------------------------------------------------------------------------------

    def handle(self) -> JobHandle[Any]:
        """Give a handle; all handles of a run are alike."""
        return JobHandle(self)

    @property
    def is_settled(self) -> bool:
        """Whether its outcome is decided. Any thread."""
        return self.outcome is not None

    @property
    def is_working(self) -> bool:
        """Whether its work goes on, be it after the job's end. Any thread."""
        attempt = self.attempt
        return attempt is not None and not attempt.has_ended and attempt.has_begun

    @property
    def progress(self) -> float:
        """The progress delivered last, 0..1."""
        return self._progress.value if self._progress is not None else 0.0

    # -- beginning ------------------------------------------------------------------------------------------------

    def begin(self, dispatched_at: float | None = None) -> None:
        """Start the job, or let it wait in its lane. The bus's thread.

        ``dispatched_at`` is when that was, if it was on another thread: the deadline has been running since.
        """
        if self.outcome is not None:
            return
        if self.bus.is_refusing:  # dispatched on another thread while it was being closed
            self.cancel("runtime closed")
            return
        options = self.options
        if self._token is not None:
            self._unlink = self._token.on_cancel(self._cancel_by_token)
            if self.is_settled:  # the token was cancelled before
                return
        if options.deadline is not None:
            waited = 0.0 if dispatched_at is None else self.services.clock.now() - dispatched_at
            self._deadline = self._later(options.deadline - waited, self._take_deadline, options.deadline)
        if self.lane is None:
            self.proceed()
        else:
            self.queue_key = queue_key(self.services.clock.now(), options.priority)
            self.lane.enter(self)

    def _later(self, delay: float, take: Callable[[Any], Any], argument: Any = None) -> Timer:
        # A timer that fires posts itself behind what waits in the queue: a result that was offered before it wins.
        post = self.bus.mailbox.post
        return self.services.clock.call_later(delay, lambda: post(take, argument))

    def proceed(self) -> None:
        """Go on: the lane is free."""
        options = self.options
        if options.cache is not None:
            self.bus.mailbox.post(self._take_started)
            self._lookup = DataLookup(self, options.cache)
            self._lookup.read(self._found)
            return
        if options.placeholder is not MISSING:
            self.bus.mailbox.post(self._take_started)
            self.bus.mailbox.post(self._take_placeholder)
        self._try()

    def _found(self, value: Any) -> None:
        options, post = self.options, self.bus.mailbox.post
        assert options.cache is not None
        if value is not MISSING:
            post(self._take_cache_hit, value)
            if not options.cache.revalidate:
                post(self._take_cached, value)
                return
        elif options.placeholder is not MISSING:
            post(self._take_placeholder)
        self._try()

    def _try(self) -> None:
        """Begin the next attempt."""
        self.number += 1
        attempt = self.attempt = Attempt(self, self.number)
        if self._token is not None:
            self._token.link(attempt.token)
        gate = self.registration.gate
        if gate is None:
            self.submit(attempt)
        else:
            gate.enter(attempt, queue_key(self.services.clock.now(), self.options.priority), _submit)

    def submit(self, attempt: Attempt) -> None:
        """Hand ``attempt`` to its runner."""
        self.services.working[attempt] = None
        registration = self.registration
        if registration.runner.submit(attempt, registration.process):
            if not self._is_begun:
                self.bus.mailbox.post(self._take_started)
            self._begin_attempt(attempt, 0.0)

    def take_begun(self, attempt: Attempt) -> list[Step] | None:
        """Hear from the runner that the work begins."""
        if self.outcome is not None or attempt is not self.attempt:
            return None
        self._begin_attempt(attempt, self.services.clock.now() - attempt.started_at)
        return self._take_started()

    def _begin_attempt(self, attempt: Attempt, since: float) -> None:
        self.status = JobStatus.RUNNING
        if self.options.timeout is not None:
            attempt.timer = self._later(self.options.timeout - since, self._take_timeout, attempt)

    # -- what happens on the way ------------------------------------------------------------------------------------

    def _tell(self, event_type: type[JobEvent], *own: object) -> list[Step]:
        return self.bus.job_event(event_type, self.job, self.owner, self.cause, self.number or 1, *own)

    def _first(self, take: Callable[[Any], Any], argument: Any) -> list[Step] | None:
        """Give the calls for what has to be told before ``take(argument)`` is, which then is put back in front.

        A worker can be done before the bus's thread has told that it began; and pending progress comes before any
        other event of its job.
        """
        if self.outcome is None and not self._is_begun:
            self.bus.mailbox.queue.appendleft((take, argument))
            return self._take_started()
        if self._progress is not None and self._progress.pending is not None and self._is_begun:
            self.bus.mailbox.queue.appendleft((take, argument))
            return self._progress.deliver(self, self.services.clock.now()) or []
        return None

    def _take_started(self, _: object = None) -> list[Step] | None:
        if self._is_begun or self.outcome is not None:
            return None
        self._is_begun = True
        self.status = JobStatus.RUNNING
        return self._tell(JobStartedEvent)

    def _take_placeholder(self, _: object = None) -> list[Step] | None:
        return None if self.is_settled else self._tell(JobPlaceholderEvent, self.options.placeholder)

    def _take_cache_hit(self, value: Any) -> list[Step] | None:
        return None if self.is_settled else self._tell(JobCacheHitEvent, value)

    def report_progress(
        self, attempt: Attempt, value: float, message: str | None, step: int | None, total: int | None
    ) -> None:
        """Take a report of how far the work is. Any thread."""
        if self.outcome is not None or attempt is not self.attempt:
            self.late += 1
        else:
            if self._progress is None:
                self._progress = Progress()
            self._progress.report(self, (attempt, value, message, step, total))
        self.services.give_way()

    def take_progress(self, is_due: bool | None) -> list[Step] | None:
        """Deliver pending progress, if its frame ``is_due`` or the last one was long enough ago."""
        if not self._is_begun and self.outcome is None:
            return self._first(self.take_progress, is_due)
        assert self._progress is not None
        return self._progress.take(self, bool(is_due))

    # -- how an attempt ends ------------------------------------------------------------------------------------------

    def take_data(self, offer: tuple[Attempt, Any]) -> list[Step] | None:
        """Take what ``process`` returned."""
        attempt, data = offer
        if self._is_current(attempt):
            if (before := self._first(self.take_data, offer)) is not None:
                return before
            self._work_ended(attempt)
            return self._succeed(data)
        self._ended_too_late(attempt)
        return None

    def take_error(self, offer: tuple[Attempt, BaseException, str]) -> list[Step] | None:
        """Take what ``process`` raised, without its frames, and its traceback."""
        attempt, error, traceback = offer
        if self._is_current(attempt):
            if (before := self._first(self.take_error, offer)) is not None:
                return before
            self._work_ended(attempt)
            if attempt.token.is_cancelled and _is_cancelled_error(error):
                return self._end(JobCancelled(attempt.token.reason))
            return self._fail(error, traceback)
        self._ended_too_late(attempt)
        return None

    def _take_timeout(self, attempt: Attempt) -> list[Step] | None:
        if not self._is_current(attempt) or attempt.has_ended:
            return None
        if (before := self._first(self._take_timeout, attempt)) is not None:
            return before
        attempt.has_timed_out = True
        assert self.options.timeout is not None
        error = JobTimeoutError(self.options.timeout)
        self._stop(attempt, str(error))
        if self.outcome is not None:  # a callback of the attempt's token cancelled the job
            return None
        return self._fail(error, "")

    def _take_deadline(self, deadline: float) -> list[Step] | None:
        return None if self.is_settled else self._end(JobTimeout(deadline, "deadline"))

    def _is_current(self, attempt: Attempt) -> bool:
        return self.outcome is None and attempt is self.attempt and not attempt.has_timed_out

    def _ended_too_late(self, attempt: Attempt) -> None:
        self.late += 1
        self._work_ended(attempt)

    def _stop(self, attempt: Attempt, reason: str | None) -> None:
        """Stop work that goes on, as far as its runner can; work that has not begun never will."""
        if attempt.has_ended:
            return
        if attempt.withdraw():
            self._work_ended(attempt)
        elif not attempt.is_stopped:
            attempt.is_stopped = True
            attempt.token.cancel(reason)
            self.registration.runner.stop(attempt)

    def _work_ended(self, attempt: Attempt) -> None:
        attempt.has_ended = True
        if attempt.timer is not None:
            attempt.timer.cancel()
        self.services.working.pop(attempt, None)
        if attempt.is_stopped:
            self.registration.runner.ended(attempt)
        if self.registration.gate is not None:
            self.registration.gate.leave(attempt, _submit)
        if self.outcome is not None:
            self._leave_lane()

    def _leave_lane(self) -> None:
        if self.lane is not None:
            lane, self.lane = self.lane, None
            lane.leave(self)

    # -- how the job ends ---------------------------------------------------------------------------------------------

    def _succeed(self, data: Any) -> list[Step] | None:
        if self._lookup is None:
            return self._end(JobSuccess(data))
        # The outcome is fixed before it is kept: what is in the cache is what the job gave.
        self._settle(JobSuccess(data))
        return self.take_end() if self._lookup.write(data, self.take_end) else None

    def _take_cached(self, value: Any) -> list[Step] | None:
        if self.is_settled:
            return None
        self._is_from_cache = True
        return self._end(JobSuccess(value))

    def _fail(self, error: BaseException, traceback: str) -> list[Step] | None:
        policy = self.options.retry
        may_retry = policy is not None and self._may_retry(error)
        if self.outcome is not None:  # should_retry cancelled the job
            return None
        if policy is not None and may_retry:
            delay = policy.get_delay(self.number - 1)
            self.status = JobStatus.WAITING
            self._retry_timer = self._later(delay, self._take_retry)
            return self._tell(JobRetryingEvent, self.number + 1, policy.max_retries, error, delay)
        if isinstance(error, NoRetry):
            error = error.error
        self._traceback = traceback
        if self.attempt is not None and self.attempt.has_timed_out and isinstance(error, JobTimeoutError):
            return self._end(JobTimeout(error.timeout))
        return self._end(JobFailure(error, self.number))

    def _may_retry(self, error: BaseException) -> bool:
        policy = self.options.retry
        assert policy is not None
        try:
            return policy.allows(error, self.number - 1)
        except Exception as raised:  # noqa: BLE001 - should_retry is user code: then the job fails with its own error
            self.services.sink.report(ErrorReport(raised, "RetryPolicy.should_retry", self.job))
            return False

    def _take_retry(self, _: object = None) -> list[Step] | None:
        if self.is_settled:
            return None
        assert self.attempt is not None
        if not self.attempt.has_ended:
            # Only a timed out attempt can still be at work here. A second one beside it could do its work twice.
            assert self.options.timeout is not None
            return self._end(JobTimeout(self.options.timeout))
        self.status = JobStatus.QUEUED
        self._try()
        return None

    def cancel(self, reason: str | None = None) -> None:
        """End as cancelled: at once on the bus's thread, before any result not yet delivered; else by request."""
        if get_ident() != self.bus.mailbox.thread:
            self.bus.mailbox.post(self._take_cancel, reason)
        elif self.outcome is None:
            self._settle(JobCancelled(reason))
            self.bus.mailbox.post(self.take_end)

    def _cancel_by_token(self) -> None:
        assert self._token is not None
        self.cancel(self._token.reason)

    def _take_cancel(self, reason: str | None) -> list[Step] | None:
        return None if self.is_settled else self._end(JobCancelled(reason))

    def _end(self, outcome: JobOutcome[Any]) -> list[Step] | None:
        self._settle(outcome)
        return self.take_end()

    def _settle(self, outcome: JobOutcome[Any]) -> None:
        """Decide how the job ended; only here, once, on the bus's thread."""
        self.outcome = outcome
        self.status = _STATUS_OF[type(outcome)]
        if self._deadline is not None:
            self._deadline.cancel()
        if self._retry_timer is not None:
            self._retry_timer.cancel()
        if self._unlink is not None:
            self._unlink()
        attempt = self.attempt
        if attempt is None or attempt.has_ended:
            self._leave_lane()
        else:
            self._stop(attempt, outcome.reason if isinstance(outcome, JobCancelled) else self.status.value)
            self._still_running = not attempt.has_ended

    def take_end(self, _: object = None) -> list[Step] | None:
        """Give the calls for the terminal event and what follows from it."""
        if self.is_ended:
            return None
        if (before := self._first(self.take_end, None)) is not None:
            return before
        self.is_ended = True
        self.services.running.pop(self.id, None)
        self.bus.jobs.end(self)
        if self.owner is not None:
            self.owner.forget(self)
        steps = self._terminal_event()
        # Who waits is woken after the hooks; most jobs have nobody waiting, and then the extra call is saved.
        waiters = end(self) if self.waiters is None else None
        if self.waiters is OVER and waiters is None:
            self._let_go()
        else:
            steps.append((self._release, (waiters,), True))
        return steps

    def _terminal_event(self) -> list[Step]:
        match self.outcome:
            case JobSuccess(data):
                return self._tell(JobSuccessEvent, data, self._is_from_cache)
            case JobFailure(error, _):
                return self._tell(JobFailureEvent, error, self._traceback, self._still_running)
            case JobCancelled(reason):
                return self._tell(JobCancelledEvent, reason, self._still_running)
            case JobTimeout(timeout, kind):
                error = JobTimeoutError(timeout, kind)
                return self._tell(JobTimeoutEvent, error, "", self._still_running, timeout)
            case None:
                raise AssertionError(f"{self.id} ends without an outcome")

    def _release(self, waiters: Waiters | None) -> None:
        waiters = waiters or end(self)
        self._let_go()
        if waiters is not None:
            self.bus.mailbox.cursor.insert(waiters.release(self.handle()))

    def _let_go(self) -> None:
        """Refer to nothing any more that an ended job does not need: a handle may be kept for long."""
        self.owner = self._lookup = self._token = self._unlink = None
        if self.attempt is not None and self.attempt.has_ended:
            self.attempt = None


def _submit(attempt: Attempt) -> None:
    attempt.run.submit(attempt)


def _is_cancelled_error(error: BaseException) -> bool:
    # Who has not imported asyncio cannot have raised its CancelledError; the import costs 28 ms.
    asyncio: Any = sys.modules.get("asyncio")
    return isinstance(error, JobCancelledError) or (asyncio is not None and isinstance(error, asyncio.CancelledError))

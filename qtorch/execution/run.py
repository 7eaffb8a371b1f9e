"""One job's life, from dispatch to its one terminal event."""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING, Any

from qtorch.errors import JobTimeoutError
from qtorch.events import (
    JobCacheHitEvent,
    JobCancelledEvent,
    JobFailureEvent,
    JobPlaceholderEvent,
    JobSuccessEvent,
    JobTimeoutEvent,
)
from qtorch.execution.circles import end_circle
from qtorch.execution.data_strategy import DataLookup
from qtorch.execution.handle import JobHandle
from qtorch.execution.status import JobStatus
from qtorch.execution.tries import Tries
from qtorch.execution.waiters import OVER, end
from qtorch.execution.waiting_line import NOT_QUEUED, queue_key
from qtorch.job.results import JobCancelled, JobFailure, JobSuccess, JobTimeout
from qtorch.ports import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtorch.bus.core import BusCore
    from qtorch.bus.cursor import Step
    from qtorch.bus.routes import Owner
    from qtorch.execution.attempt import Attempt
    from qtorch.execution.dispatcher import Registration
    from qtorch.execution.lane import Lane
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


class JobRun(Tries):
    """The state machine of one dispatched job.

    The first offer that settles the job wins; what comes later is counted in ``late`` and dropped. Status and outcome
    change in :meth:`_decide` alone.
    """

    parent: Attempt | None = None
    """The attempt whose child it is; see :class:`~qtorch.execution.children.Child`."""

    @property
    def shared_work(self) -> JobRun | None:
        """The work that it shares with others; None if it does its own."""
        return None

    @property
    def members(self) -> Sequence[JobRun]:
        """The jobs that share it, if it is the work of a flight."""
        return ()

    __slots__ = ("_deadline", "_is_from_cache", "_lookup", "_rest_callbacks", "_still_running", "_unlink", "lane",
                 "queue_key", "waiters")  # fmt: skip

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
        super().__init__(job, options, registration, services, bus, owner, cause)
        self.lane = lane
        self.waiters: Waiters | None = None
        self.queue_key: tuple[float, int] = NOT_QUEUED
        self._is_from_cache = False
        self._still_running = False
        self._lookup: DataLookup | None = None
        self._deadline: Timer | None = None
        self._rest_callbacks: list[Callable[[JobHandle[Any]], object]] | None = None
        self._unlink: Callable[[], None] | None = None

    # -- what others see of it ------------------------------------------------------------------------------------

    def handle(self) -> JobHandle[Any]:
        """Give a handle; all handles of a run are alike."""
        return JobHandle(self)

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
        self._enter_lane()

    def _enter_lane(self) -> None:
        options = self.options
        if self.lane is None:
            self.proceed()
        else:
            now = self.services.clock.now()
            self.queue_key = queue_key(now, options.priority)
            if options.debounce is None and options.throttle is None:
                self.lane.enter(self)
            else:
                self.lane.pace(self, options.debounce, options.throttle, now)

    @property
    def is_paced(self) -> bool:
        """Whether it is debounced or throttled."""
        return self.options.debounce is not None or self.options.throttle is not None

    def hold(self, seconds: float) -> None:
        """Wait so long before it enters its lane."""
        self.status = JobStatus.WAITING
        self._wait_timer = self._later(seconds, self._take_due)

    def _take_due(self, _: object) -> None:
        if self.outcome is None and self.lane is not None:
            self.status = JobStatus.QUEUED
            self.lane.come_due(self, self.options.throttle, self.services.clock.now())
            if self.services.families.of:
                end_circle(self)

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

    def _take_placeholder(self, _: object = None) -> list[Step] | None:
        return None if self.is_settled else self._tell(JobPlaceholderEvent, self.options.placeholder)

    def _take_cache_hit(self, value: Any) -> list[Step] | None:
        return None if self.is_settled else self._tell(JobCacheHitEvent, value)

    def _take_deadline(self, deadline: float) -> list[Step] | None:
        if self.is_settled:
            return None
        if self._is_begun and (before := self._first(self._take_deadline, deadline)) is not None:
            return before
        return self._end(JobTimeout(deadline, "deadline"))

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

    def cancel(self, reason: str | None = None) -> None:
        """End as cancelled: at once on the bus's thread, before any result not yet delivered; else by request."""
        if get_ident() != self.bus.mailbox.thread:
            self.bus.mailbox.post(self._take_cancel, reason)
        elif self.outcome is None:
            self._settle(JobCancelled(reason))
            self.bus.mailbox.post(self.take_end)

    def fail_now(self, error: BaseException) -> None:
        """End as failed with ``error``, whatever its work does, without another try. The bus's thread."""
        if self.outcome is None:
            self._settle(JobFailure(error, self.number or 1))
            self.bus.mailbox.post(self.take_end)

    def supersede(self) -> None:
        """End as cancelled, "superseded"; its work is stopped in the next drain: that can call the user's code."""
        if self.outcome is None:
            self._decide(JobCancelled("superseded"))
            self.bus.mailbox.post(self._take_superseded)

    def _take_superseded(self, _: object) -> list[Step] | None:
        self._stop_work()
        return self.take_end()

    def _cancel_by_token(self) -> None:
        assert self._token is not None
        self.cancel(self._token.reason)

    def _take_cancel(self, reason: str | None) -> list[Step] | None:
        if self.is_settled:
            return None
        if self._is_begun and (before := self._first(self._take_cancel, reason)) is not None:
            return before
        return self._end(JobCancelled(reason))

    def _end(self, outcome: JobOutcome[Any]) -> list[Step] | None:
        self._settle(outcome)
        return self.take_end()

    def _settle(self, outcome: JobOutcome[Any]) -> None:
        self._decide(outcome)
        self._stop_work()

    def _decide(self, outcome: JobOutcome[Any]) -> None:
        """Decide how the job ended; only here, once, on the bus's thread."""
        self.outcome = outcome
        self.status = _STATUS_OF[type(outcome)]
        if self._deadline is not None:
            self._deadline.cancel()
        if self._wait_timer is not None:
            self._wait_timer.cancel()
        if self._unlink is not None:
            self._unlink()

    def _stop_work(self) -> None:
        attempt, outcome = self.attempt, self.outcome
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
        if self._progress is not None or self.items is not None:
            self.services.show_no_more(self)
        self.bus.jobs.end(self)
        if self.owner is not None:
            self.owner.forget(self)
        steps = self._terminal_event()
        if self.bus.routes.has_listeners_of(self.id):
            steps.append((self.bus.routes.job_ended, (self.id,), True))
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

    def take_rest_callback(self, callback: Callable[[JobHandle[Any]], object]) -> list[Step] | None:
        """Give the call if the job has ended and its work too, else keep it until then."""
        if self.is_ended and self.attempt is None:
            return [(callback, (self.handle(),), True)]
        self._rest_callbacks = [*(self._rest_callbacks or ()), callback]
        return None

    def _come_to_rest(self) -> None:
        self.attempt = None
        callbacks, self._rest_callbacks = self._rest_callbacks, None
        for callback in callbacks or ():
            self.bus.mailbox.post(self.take_rest_callback, callback)

    def _let_go(self) -> None:
        """Refer to nothing any more that an ended job does not need: a handle may be kept for long."""
        if self._lookup is not None:
            self._lookup.let_go()
        self.owner = self._lookup = self._token = self._unlink = self.payload = None
        if self.attempt is None or self.attempt.has_ended:
            self.attempt = None
            if self._rest_callbacks is not None:
                self._come_to_rest()

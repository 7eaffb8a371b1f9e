"""How the work of one job is tried, timed, and tried again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

from qtorch.errors import ErrorReport, JobCancelledError, JobTimeoutError, NoRetry
from qtorch.events import JobRetryingEvent
from qtorch.execution.attempt import Attempt
from qtorch.execution.calling import call
from qtorch.execution.circles import end_circle
from qtorch.execution.failures import ship
from qtorch.execution.status import JobStatus
from qtorch.execution.telling import Telling
from qtorch.execution.waiting_line import queue_key
from qtorch.job.results import JobCancelled, JobFailure, JobTimeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtorch.bus.cursor import Step
    from qtorch.execution.handle import JobHandle
    from qtorch.execution.run import JobRun
    from qtorch.job.results import JobOutcome
    from qtorch.ports import Timer


class Tries(Telling):
    """The part of a run that deals with its attempts; :class:`~qtorch.execution.run.JobRun` decides how it ends."""

    __slots__ = ()

    def handle(self) -> JobHandle[Any]:
        """Give a handle; all handles of a run are alike."""
        raise NotImplementedError

    def _succeed(self, data: Any) -> list[Step] | None:
        raise NotImplementedError

    def _end(self, outcome: JobOutcome[Any]) -> list[Step] | None:
        raise NotImplementedError

    def _leave_lane(self) -> None:
        raise NotImplementedError

    def _come_to_rest(self) -> None:
        raise NotImplementedError

    # -- beginning ------------------------------------------------------------------------------------------------

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
            if self.services.families.of:
                end_circle(cast("JobRun", self))

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
        if self.outcome is not None:
            return
        self.status = JobStatus.RUNNING
        if self.options.timeout is not None:
            attempt.timer = self._later(self.options.timeout - since, self._take_timeout, attempt)

    def _later(self, delay: float, take: Callable[[Any], Any], argument: Any = None) -> Timer:
        # A timer that fires posts itself behind what waits in the queue: a result that was offered before it wins.
        post = self.bus.mailbox.post
        return self.services.clock.call_later(delay, lambda: post(take, argument))

    def do(self, attempt: Attempt, process: Callable[[Any], Any]) -> None:
        """Do the work, and offer what comes of it. A thread of the runner's."""
        try:
            data = call(process, self.job, attempt, self.registration.executor)
        except BaseException as error:  # noqa: BLE001 - sys.exit() ends the job; in a pool thread it would deadlock
            traceback = ship(error)
            attempt.offer_error(error, traceback)
        else:
            attempt.offer_data(data)

    # -- ending ---------------------------------------------------------------------------------------------------

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

    def _is_current(self, attempt: Attempt) -> bool:
        return self.outcome is None and attempt is self.attempt and not attempt.has_timed_out

    def _ended_too_late(self, attempt: Attempt) -> None:
        self.late += 1
        self._work_ended(attempt)

    def _stop(self, attempt: Attempt, reason: str | None) -> None:
        """Stop work that goes on, as far as its runner can; work that has not begun never will."""
        if attempt.has_ended:
            return
        if attempt.timer is not None:
            attempt.timer.cancel()
        if attempt.withdraw():
            self.registration.runner.withdrawn(attempt)
            self._work_ended(attempt)
        elif not attempt.is_stopped:
            attempt.is_stopped = True
            attempt.token.cancel(reason)
            self.registration.runner.stop(attempt)

    def _work_ended(self, attempt: Attempt) -> None:
        attempt.has_ended = True
        # A task holds the frames of its coroutine, and a run is remembered for long.
        attempt.stop_by = None
        if attempt.timer is not None:
            attempt.timer.cancel()
        self.services.working.pop(attempt, None)
        if self.services.families.of:
            self.services.families.parent_ended(attempt)
        if attempt.is_stopped:
            self.registration.runner.ended(attempt)
        if self.registration.gate is not None:
            self.registration.gate.leave(attempt, _submit)
        if self.outcome is not None:
            self._leave_lane()
            if self.is_ended:
                self._come_to_rest()

    # -- trying again ---------------------------------------------------------------------------------------------

    def _fail(self, error: BaseException, traceback: str) -> list[Step] | None:
        policy = self.options.retry
        may_retry = policy is not None and self._may_retry(error)
        if self.outcome is not None:  # should_retry cancelled the job
            return None
        if policy is not None and may_retry:
            delay = policy.get_delay(self.number - 1, self.services.random)
            self.status = JobStatus.WAITING
            self._wait_timer = self._later(delay, self._take_retry)
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


def _submit(attempt: Attempt) -> None:
    attempt.run.submit(attempt)


def _is_cancelled_error(error: BaseException) -> bool:
    # Who has not imported asyncio cannot have raised its CancelledError; the import costs 28 ms.
    asyncio: Any = sys.modules.get("asyncio")
    if isinstance(error, BaseExceptionGroup):  # of a TaskGroup, whose children were all cancelled
        errors = cast("BaseExceptionGroup[BaseException]", error).exceptions
        return all(_is_cancelled_error(one) for one in errors)
    return isinstance(error, JobCancelledError) or (asyncio is not None and isinstance(error, asyncio.CancelledError))

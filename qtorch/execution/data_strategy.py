"""What is shown before the result is there: cached data, or a placeholder."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from qtorch.errors import ErrorReport
from qtorch.ports import MISSING, log

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtorch.cache.cache import Reading
    from qtorch.execution.run import JobRun
    from qtorch.job.options import CachePolicy
    from qtorch.ports import Timer


_log = logging.getLogger("qtorch.cache")

_WRITE_LIMIT = 30.0
"""Seconds that a cache may take to keep a result of a job that has no timeout."""


class DataLookup:
    """The cache side of one run that has a cache policy. The bus's thread, but for the provider's own calls."""

    __slots__ = ("_answered", "_policy", "_reading", "_run", "_timer")

    def __init__(self, run: JobRun, policy: CachePolicy) -> None:
        self._run = run
        self._policy = policy
        self._reading: Reading | None = None
        self._answered = False
        self._timer: Timer | None = None

    def read(self, found: Callable[[Any], object]) -> None:
        """Call ``found(value or MISSING)``, at once for a cache in memory.

        An error is reported and counts as a miss; so does an answer later than the job's timeout: a cache may make a
        job faster, never fail it.
        """
        run, cache = self._run, self._run.services.cache
        self._reading = cache.begin(self._policy.key)
        if self._policy.force_refresh:
            found(MISSING)
            return

        def read() -> Any:
            try:
                return cache.read(self._policy.key)
            except Exception as error:  # noqa: BLE001 - see above
                self._report(error, "reading")
                return MISSING

        if cache.in_memory:
            found(read())
            return

        post = run.bus.mailbox.post
        limit = run.options.timeout
        if limit is not None:
            self._timer = run.services.clock.call_later(limit, lambda: post(answer, MISSING))

        def answer(value: Any) -> Any:
            self.let_go()
            if self._answered or run.is_settled:
                return None
            self._answered = True
            return found(value)

        run.services.threads.call(lambda: post(answer, read()))

    def write(self, data: Any, take_written: Callable[[Any], Any]) -> bool:
        """Keep ``data``; True if that is done, for a cache in memory, else ``take_written`` is posted when it is."""
        cache, policy, reading = self._run.services.cache, self._policy, self._reading
        assert reading is not None

        def write() -> None:
            try:
                cache.write_result(reading, data, policy.ttl)
            except Exception as error:  # noqa: BLE001 - the work is done, and the job a success, whatever the cache does
                self._report(error, "writing")

        if cache.in_memory:
            write()
            return True
        post = self._run.bus.mailbox.post

        limit = self._run.options.timeout or _WRITE_LIMIT
        # Whichever comes first ends the job; the other finds it ended.
        self._timer = self._run.services.clock.call_later(limit, lambda: post(take_written))

        def write_and_tell() -> None:
            write()
            post(take_written)

        self._run.services.threads.call(write_and_tell)
        return False

    def let_go(self) -> None:
        """Wait for the provider no longer."""
        if self._timer is not None:
            self._timer.cancel()

    def _report(self, error: Exception, doing: str) -> None:
        provider = type(self._run.services.cache.provider).__name__
        where = f"{provider}, {doing} {self._policy.key!r}"
        job = self._run.job
        extra = {"job_id": job.id, "job_type": type(job).__name__, "attempt": self._run.number}
        log(_log, logging.ERROR, "%s: %s", where, error, **extra)
        report = ErrorReport(error, where, job)
        sink = self._run.services.sink

        def tell() -> None:
            sink.report(report, user_code=False)

        # Not at once: a cache in memory is read inside dispatch, which calls nobody before it returns.
        self._run.bus.mailbox.post(lambda _: [(tell, (), True)])

"""The Runtime of one test, and what the test has to have seen to when it ends."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from qtorch.bus.signal_bus import SignalBus
from qtorch.events import EventLog
from qtorch.runtime import Runtime
from qtorch.testing import left_behind, turns
from qtorch.testing.claims import Claims, Expected, is_handled_elsewhere, written
from qtorch.testing.fake_clock import FakeClock
from qtorch.testing.faults import inject
from qtorch.testing.left_behind import LeftBehindError

if TYPE_CHECKING:
    from datetime import timedelta

    from qtorch.errors import ErrorReport
    from qtorch.events import BaseEvent
    from qtorch.job.base_job import BaseJob
    from qtorch.ports import Clock
    from qtorch.state.subscription import Subscription


class TestBus(SignalBus):
    """A bus with a log of its events."""

    __test__ = False

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.emitting: list[Callable[[BaseEvent], object]] = []
        """Who is told of an event when it is emitted, before it is delivered."""

    def emit(self, event: BaseEvent) -> None:  # type: ignore[override]
        """Have ``event`` delivered. Any thread; returns before anybody is told."""
        super().emit(event)
        for listener in self.emitting:
            listener(event)

    @property
    def log(self) -> EventLog:
        """The events since it was asked for first."""
        known: EventLog | None = self.__dict__.get("_log")
        if known is None:
            known = self.__dict__["_log"] = EventLog(self)
        return known


class TestRuntime(Runtime):
    """A strict Runtime that collects what is reported to it.

    An error has been seen to if the test expected it, by :meth:`expect_error`; if it listens to ``error_occurred``
    itself or looks at :attr:`reports`; or if it handles uncaught exceptions, as by ``qtbot.captureExceptions()``.
    """

    __test__ = False
    _bus_type = TestBus
    bus: TestBus

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock=clock, strict=True)
        self.claims = Claims()
        self.seen: list[ErrorReport] = []
        """Those that whoever handles uncaught exceptions has seen."""
        self.has_reported = False
        self.error_occurred.connect(self.claims.take)

    @property
    def reports(self) -> list[ErrorReport]:
        """The errors that were reported and that nobody expected. A test that looks at them has seen them."""
        self.seen += self.claims.reports
        return self.claims.reports

    def expect_error(
        self, expected: Expected = Exception, match: str | None = None
    ) -> AbstractContextManager[list[ErrorReport]]:
        """Say that such an error is reported while the ``with`` block runs; pytest-qt does not fail the test for it.

        Parameters
        ----------
        expected
            The class of the error, or several.
        match
            A regular expression that is found in its text.

        Returns
        -------
        list[ErrorReport]
            As a context manager; the list holds, at the end of the block, the reports that fit.

        Raises
        ------
        AssertionError
            At the end of the block: none was reported.

        Examples
        --------
        >>> with qtorch_runtime.expect_error(KeyError) as reports:  # doctest: +SKIP
        ...     users.load("42")
        ...     qtorch_clock.settle()
        """
        return self.claims.expect(expected, match)

    def inject(
        self,
        job_type: type[BaseJob[Any]],
        *,
        latency: float | timedelta = 0.0,
        fail: Mapping[int, type[BaseException] | BaseException] | None = None,
    ) -> Subscription:
        """Make the work of the jobs of a class slow, or have attempts fail; see :func:`~qtorch.testing.faults.inject`.

        Examples
        --------
        >>> qtorch_runtime.inject(FetchUserJob, latency=0.5, fail={1: OSError("down")})  # doctest: +SKIP
        """
        return inject(self, job_type, latency=latency, fail=fail or {})

    def report(self, report: ErrorReport, *, user_code: bool = True) -> None:
        """Tell of ``report`` once. Any thread."""
        self.has_reported = True
        if user_code and is_handled_elsewhere():
            self.seen.append(report)
        super().report(report, user_code=user_code)

    def unseen(self) -> list[str]:
        """Name the errors that the test did not see to."""
        if self.receivers("2error_occurred(PyObject)") > 1:
            return []
        return [f"error {written(report)}" for report in self.claims.reports if report not in self.seen]


@contextmanager
def runtime_of_a_test(
    clock: Clock | None = None,
    *,
    has_failed: Callable[[], bool] = lambda: False,
    fixtures: dict[str, object] | None = None,
) -> Generator[TestRuntime, None, None]:
    """Give a fresh strict Runtime, close it, and complain of what the test left behind.

    Parameters
    ----------
    clock
        What time it follows.
    has_failed
        Whether the test has failed already: then what is left is a consequence of that.
    fixtures
        What fixtures gave the test, emptied at the end: orchestrators that only these refer to are not left behind.

    Raises
    ------
    LeftBehindError
        Jobs, timers, threads, processes or orchestrators were left, or errors that nobody expected; they are named.
    """
    before = left_behind.Before()
    runtime = TestRuntime(clock)
    left: list[str] = []
    try:
        yield runtime
        if not has_failed():
            if isinstance(clock, FakeClock):
                # What ends by itself is not left behind, however fast its thread was.
                turns.run(clock.settling())
            left += left_behind.jobs(runtime)
            left += left_behind.coroutines(runtime)
            left += left_behind.timers(runtime)
    finally:
        runtime.close()
        if not has_failed():
            left += left_behind.work(runtime)
            # Whoever looks at errors keeps the frames in which they were raised, and all that these refer to.
            if not runtime.has_reported:
                left += left_behind.orchestrators(runtime, {} if fixtures is None else fixtures)
            left += before.new_threads()
            left += before.new_processes()
            left += runtime.unseen()
        # A signal holds this list out of the collector's sight, and frames of errors hold whatever raised them.
        runtime.error_occurred.disconnect(runtime.claims.take)
        runtime.claims.reports.clear()
        runtime.seen.clear()
    if left:
        lines = "".join(f"\n    {one}" for one in left)
        raise LeftBehindError(
            f"the test ended and left behind:{lines}\n"
            f"  End, close or cancel these before the test ends, or wait for them; an error that is expected is "
            f"claimed by `with qtorch_runtime.expect_error(...):`."
        )

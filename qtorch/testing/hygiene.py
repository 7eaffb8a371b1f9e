"""What a test leaves behind."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from qtorch.runtime import Runtime

if TYPE_CHECKING:
    from qtorch.errors import ErrorReport
    from qtorch.ports import Clock


class LeftBehindError(AssertionError):
    """A test ended with jobs that had not."""


class TestRuntime(Runtime):
    """A strict Runtime that collects what is reported to it."""

    __test__ = False

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock=clock, strict=True)
        self.reports: list[ErrorReport] = []
        self.error_occurred.connect(self.reports.append)


@contextmanager
def runtime_of_a_test(clock: Clock | None = None) -> Generator[TestRuntime, None, None]:
    """Give a fresh strict Runtime, close it, and complain of jobs that were still running.

    Raises
    ------
    LeftBehindError
        Jobs had not ended when the test did; they are named.
    """
    runtime = TestRuntime(clock)
    try:
        yield runtime
        figures = runtime.snapshot()
        left = [f"{run.id} ({run.status})" for run in runtime.running_jobs]
    finally:
        runtime.close()
        # A signal holds this list out of the collector's sight, and frames of errors hold whatever raised them.
        runtime.error_occurred.disconnect(runtime.reports.append)
    if left:
        raise LeftBehindError(
            f"the test ended while jobs had not: {', '.join(left)}; {figures['still_working']} at work.\n"
            f"  Wait for them, or cancel them, before the test ends."
        )

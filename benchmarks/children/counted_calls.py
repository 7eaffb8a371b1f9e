"""``python -m benchmarks.children.counted_calls``: how many calls each hot path makes."""

from __future__ import annotations

import gc
import json
import statistics
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from benchmarks.children.hot_paths import FIELD, JOB, ROW, OneJob, a_field, a_row
from qtorch import Runtime

if TYPE_CHECKING:
    from benchmarks.peers.with_qtorch import NumberJob

_WARM_UP, _TIMES = 30, 50


class Counter:
    """Counts the calls of one thread, from the moment it is started there."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, frame: object, event: str, argument: object) -> None:  # noqa: ARG002
        if event in ("call", "c_call"):
            self.calls += 1

    def of(self, function: Callable[[], object]) -> int:
        """Count what the function calls, itself included."""
        before = self.calls
        sys.setprofile(self)
        try:
            function()
        finally:
            sys.setprofile(None)
        return self.calls - before - 1  # the call that switches it off


def usual(one: Callable[[], int]) -> int:
    """Give the count that is found most often: a collection or a full list now and then is no part of the path."""
    for _ in range(_WARM_UP):
        one()
    return statistics.mode(one() for _ in range(_TIMES))


def job_calls(runtime: Runtime) -> int:
    """Count a job's calls on the GUI thread and on the pool's."""
    here, there = Counter(), Counter()

    def process(job: NumberJob) -> int:
        # From its first job on, that thread counts: what it does before and after the work included.
        if sys.getprofile() is None:
            sys.setprofile(there)
        return job.number

    job = OneJob(runtime, process)

    def one() -> int:
        before = there.calls
        calls = here.of(job.dispatch)
        job.wait()
        return calls + here.of(job.deliver) + there.calls - before

    return usual(one)


def main() -> None:
    """Print the calls by path."""
    app = QApplication([])
    gc.disable()
    runtime, counter = Runtime(threads=1), Counter()
    found = {JOB: job_calls(runtime)}
    with a_field(runtime) as set_field:
        found[FIELD] = usual(lambda: counter.of(set_field))
    with a_row() as change_row:
        found[ROW] = usual(lambda: counter.of(change_row))
    print(json.dumps(found))
    runtime.close()
    app.quit()


if __name__ == "__main__":
    main()

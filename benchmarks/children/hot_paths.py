"""The three things that are done most, each done once by a call: one job, one field set, one row change."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QLabel, QListView

from benchmarks.peers.people import keyed_list, people
from benchmarks.peers.states import qtorch_state
from benchmarks.peers.with_qtorch import NumberJob, Numbers, NumbersState
from qtorch import Runtime, bind, executes

ROWS = 10_000

JOB, FIELD, ROW = "one job", "one field set", f"one row of {ROWS:,} changed"


class OneJob:
    """Dispatches a job to an idle thread, and takes the result only when that thread is idle again.

    So what is done does not depend on which thread is faster.
    """

    def __init__(self, runtime: Runtime, process: Callable[[NumberJob], int]) -> None:
        runtime.register(executes(NumberJob)(process))
        self.numbers, self.label = Numbers(NumbersState(), runtime=runtime), QLabel()
        bind(self.label, "text", self.numbers.select(lambda state: state.latest))
        self.runtime, self.next = runtime, count(1).__next__

    def dispatch(self) -> None:
        """Begin."""
        self.numbers.dispatch(NumberJob(number=self.next()))

    def wait(self) -> None:
        """Wait until the thread has nothing to do."""
        threads = self.runtime.snapshot()["runners"]["threads"]
        while threads["idle"] < threads["threads"]:
            time.sleep(0.0005)
            threads = self.runtime.snapshot()["runners"]["threads"]

    def deliver(self) -> None:
        """Show the result."""
        QCoreApplication.processEvents()


@contextmanager
def a_field(runtime: Runtime) -> Iterator[Callable[[], None]]:
    """Set one field of ten, which a label shows."""
    label, values = QLabel(), count(1)
    set_first = qtorch_state(runtime, 10, [0], [label])
    yield lambda: set_first(str(next(values)))


@contextmanager
def a_row() -> Iterator[Callable[[], None]]:
    """Change the middle one of 10,000 rows that a list shows, there and back."""
    rows, half = people(ROWS), ROWS // 2
    changed = (*rows[:half], rows[half].copy_with(name="x"), *rows[half + 1 :])
    set_rows, view, model = keyed_list()
    assert isinstance(view, QListView)
    set_rows(rows)
    view.setModel(model)
    states = count(1)
    yield lambda: set_rows(changed if next(states) % 2 else rows)
    view.setModel(None)  # type: ignore[arg-type]  # the stubs know no None

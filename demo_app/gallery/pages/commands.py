"""A command knows whether it is allowed, at work, how far, and what went wrong; buttons and shortcuts follow it."""

from __future__ import annotations

import time

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QProgressBar, QPushButton, QWidget

from demo_app.gallery.page import Page
from qtorch import (
    BaseExecutor,
    BaseJob,
    BaseOrchestrator,
    BaseState,
    Command,
    JobFailureEvent,
    JobSuccessEvent,
    bind,
    bind_command,
    bind_two_way,
)


class CountJob(BaseJob[int]):
    up_to: int
    stumbles_at: int | None = None


class Counting(BaseExecutor[CountJob]):
    """Runs on a thread, where it may block; ``checkpoint`` lets a cancel through."""

    def process(self, job: CountJob) -> int:
        for number in range(job.up_to):
            self.checkpoint(job)
            time.sleep(0.03)
            if number == job.stumbles_at:
                raise ArithmeticError(f"lost count at {number}")
            self.emit_progress(job, (number + 1) / job.up_to)
        return job.up_to


class CounterState(BaseState):
    is_allowed: bool = True
    message: str = "Nothing counted yet"


class Counter(BaseOrchestrator[CounterState]):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(CounterState(), parent=parent)
        allowed = self.select(lambda s: s.is_allowed)
        self.count = Command(self._count, can=allowed, parent=self)
        self.stumble = Command(self._stumble, can=allowed, parent=self)

    def _count(self) -> CountJob:
        return CountJob(up_to=100)

    def _stumble(self) -> CountJob:
        return CountJob(up_to=100, stumbles_at=20)

    def on_active_success(self, event: JobSuccessEvent[int]) -> None:
        self.update(message=f"Counted to {event.data}")

    def on_active_failure(self, event: JobFailureEvent) -> None:
        self.update(message=f"{type(event.error).__name__}: {event.error}")


def build() -> QWidget:
    page = QWidget()
    counter = Counter(page)  # its commands look at its own state, so it ends with the page and not by itself
    start, stumble, cancel = QPushButton("Count"), QPushButton("Count and stumble"), QPushButton("Cancel")
    bar, busy, message = QProgressBar(), QLabel("Counting ..."), QLabel()
    bind_command(start, counter.count, cancel=cancel, busy=busy, progress=bar)
    bind_command(stumble, counter.stumble)

    allowed = QCheckBox("Counting is allowed")
    bind_two_way(allowed, counter.field(lambda s: s.is_allowed))
    bind(message, "text", counter.select(lambda s: s.message))

    shortcut = QAction("Count", page, shortcut=QKeySequence("Ctrl+R"))  # one command, several triggers
    bind_command(shortcut, counter.count)
    page.addAction(shortcut)

    layout = QGridLayout(page)
    for column, button in enumerate((start, cancel, stumble)):
        layout.addWidget(button, 0, column)
    layout.addWidget(allowed, 0, 3)
    layout.addWidget(bar, 1, 0, 1, 3)
    layout.addWidget(busy, 1, 3)
    layout.addWidget(message, 2, 0, 1, 3)
    layout.addWidget(QLabel("Ctrl+R counts too"), 2, 3)
    return page


PAGE = Page("Commands", build, executors=(Counting,), press="Count")

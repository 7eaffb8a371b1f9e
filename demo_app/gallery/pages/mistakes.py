"""What goes wrong says what, to which object, why, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from demo_app.gallery.page import Page
from qtorch import (
    BaseExecutor,
    BaseJob,
    BaseOrchestrator,
    BaseState,
    ErrorReport,
    JobFailureEvent,
    Runtime,
    bind,
    bind_two_way,
)


class ShareState(BaseState):
    cake: int = 12
    guests: int = 4
    messages: tuple[str, ...] = ()


class WriteJob(BaseJob[None]):
    """Writes the state from where it must not be written."""

    write: Callable[[], None]


class Writing(BaseExecutor[WriteJob]):
    def process(self, job: WriteJob) -> None:
        job.write()


class Share(BaseOrchestrator[ShareState]):
    def note(self, what: str, error: BaseException) -> None:
        message = f"{what}\n{type(error).__name__}: {error}\n"
        self.update(messages=(*self.state.messages, message))

    @Slot()
    def wrong_name(self) -> None:
        label = QLabel()
        try:
            bind(label, "txt", self.select(lambda s: s.cake))
        except AttributeError as error:
            self.note('bind(label, "txt", ...)', error)

    @Slot()
    def bound_twice(self) -> None:
        edit = QLineEdit()
        bind_two_way(edit, self.field(lambda s: s.cake))
        try:
            bind_two_way(edit, self.field(lambda s: s.guests))
        except RuntimeError as error:
            self.note("bind_two_way(edit, ...), twice", error)

    @Slot()
    def raises(self) -> None:
        """Nobody is there to catch what a selector raises later: the Runtime tells of it, and other bindings go on."""
        label = QLabel()
        label.setObjectName("portion")
        bind(label, "text", self.select(lambda s: s.cake // s.guests), to=str)
        self.update(guests=0)
        self.update(guests=4)

    @Slot()
    def from_a_thread(self) -> None:
        self.dispatch(WriteJob(write=lambda: self.update(guests=5)))

    def on_active_failure(self, event: JobFailureEvent) -> None:
        self.note("update(...) in an executor", event.error)

    @Slot(object)
    def reported(self, report: ErrorReport) -> None:
        self.note(f"runtime.error_occurred: {report.where}", report.error)


def build() -> QWidget:
    share = Share(ShareState())
    Runtime.default().error_occurred.connect(share.reported)

    messages = QPlainTextEdit(readOnly=True)
    messages.setMinimumHeight(messages.fontMetrics().lineSpacing() * 19)
    bind(messages.setPlainText, share.select(lambda s: "\n".join(s.messages)))

    page = QWidget()
    buttons = QHBoxLayout()
    mistakes = {
        "Wrong property": share.wrong_name,
        "Bound twice": share.bound_twice,
        "Selector that raises": share.raises,
        "Write on a thread": share.from_a_thread,
    }
    every = QPushButton("All of them")
    for text, make in mistakes.items():
        button = QPushButton(text)
        button.clicked.connect(make)
        every.clicked.connect(make)
        buttons.addWidget(button)
    buttons.addWidget(every)
    buttons.addStretch()
    layout = QVBoxLayout(page)
    layout.addLayout(buttons)
    layout.addWidget(messages)
    return page


PAGE = Page("Mistakes", build, executors=(Writing,), press="All of them", is_wrong=True)

"""A command takes a coroutine as well, and can keep a queue: here what is saved is never saved twice at once."""

from __future__ import annotations

import asyncio

from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QProgressBar, QPushButton, QWidget

from demo_app.gallery.page import Page
from qtorch import KEEP_LATEST, BaseOrchestrator, BaseState, Command, bind, bind_command, bind_two_way


class NoteState(BaseState):
    text: str = "Buy bread"
    saved: tuple[str, ...] = ()


class Note(BaseOrchestrator[NoteState]):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(NoteState(), parent=parent)
        # While it saves, the latest trigger waits; its turn come, it saves what the text is by then.
        self.save = Command(self._save, policy=KEEP_LATEST, parent=self)
        self.save.finished.connect(self._saved)

    async def _save(self) -> str:
        text = self.state.text
        for step in range(1, 21):
            await asyncio.sleep(0.05)
            self.save.report_progress(step / 20)
        return text  # a state is written on its own thread: what is returned comes in finished

    def _saved(self, text: str) -> None:
        self.update(saved=(*self.state.saved, text))


def build() -> QWidget:
    page = QWidget()
    note = Note(page)
    text, save, cancel = QLineEdit(), QPushButton("Save"), QPushButton("Cancel")
    bar, saved = QProgressBar(), QLabel()
    bind_two_way(text, note.field(lambda s: s.text))
    bind_command(save, note.save, cancel=cancel, progress=bar)
    bind(saved, "text", note.select(lambda s: "Saved: " + (", ".join(s.saved) or "nothing yet")))

    layout = QGridLayout(page)
    layout.addWidget(text, 0, 0, 1, 2)
    layout.addWidget(save, 1, 0)
    layout.addWidget(cancel, 1, 1)
    layout.addWidget(bar, 2, 0, 1, 2)
    layout.addWidget(saved, 3, 0, 1, 2)
    return page


PAGE = Page("Commands: coroutines", build, press="Save")

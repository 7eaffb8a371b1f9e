"""Text is edited in both directions: the caret stays where it is, and what the state refuses stays to be mended."""

from __future__ import annotations

from pydantic import Field
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QWidget

from demo_app.gallery.page import Page
from qtorch import BaseOrchestrator, BaseState, bind, bind_two_way


class NoteState(BaseState):
    title: str = "shopping"
    query: str = "apples"
    owner: str = "Ada"
    copies: int = Field(default=3, ge=1, le=99)
    tags: tuple[str, ...] = ("red", "green")
    body: str = "bread\nbutter"


class Note(BaseOrchestrator[NoteState]):
    @Slot()
    def shout(self) -> None:
        title = self.state.title
        self.update(title=title.lower() if title.isupper() else title.upper(), copies=7)


def split(text: str) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in text.split(",") if tag.strip())


def build() -> QWidget:
    note = Note(NoteState())
    title, query, owner, copies, tags, body = (*(QLineEdit() for _ in range(5)), QPlainTextEdit())
    body.setMaximumHeight(body.fontMetrics().lineSpacing() * 4)

    bind_two_way(title, note.field(lambda s: s.title))
    bind_two_way(query, note.field(lambda s: s.query), debounce=0.5)
    bind_two_way(owner, note.field(lambda s: s.owner), commit="finish")
    bind_two_way(copies, note.field(lambda s: s.copies), revert=True)
    bind_two_way(tags, note.field(lambda s: s.tags), parse=split, format=", ".join)
    bind_two_way(body, note.field(lambda s: s.body))

    elsewhere = QPushButton("Change it from elsewhere")
    elsewhere.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # type on while it changes
    elsewhere.clicked.connect(note.shout)

    state = note.select(lambda s: s)
    shown = (
        (title, "at every key", state.map(lambda s: s.title)),
        (query, "half a second after the last key", state.map(lambda s: s.query)),
        (owner, "when finished: Return, or the focus goes", state.map(lambda s: s.owner)),
        (copies, "1 to 99, else marked; reverted when left", state.map(lambda s: str(s.copies))),
        (tags, "parse and format: a tuple", state.map(lambda s: str(s.tags))),
        (body, "many lines", state.map(lambda s: repr(s.body))),
    )
    page = QWidget()
    layout = QGridLayout(page)
    for row, (edit, when, value) in enumerate(shown):
        in_state = QLabel()
        bind(in_state, "text", value)
        layout.addWidget(QLabel(when), row, 0)
        layout.addWidget(edit, row, 1)
        layout.addWidget(in_state, row, 2)
    layout.addWidget(elsewhere, len(shown), 1)
    layout.setColumnStretch(1, 2)
    layout.setColumnStretch(2, 1)

    copies.setText("many")  # an edit that the state refuses
    return page


PAGE = Page("Two way: text", build)

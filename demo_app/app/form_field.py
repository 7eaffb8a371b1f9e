"""One field of a form: a line or text edit, and below it what is wrong with what was typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from qtorch import bind, bind_two_way

if TYPE_CHECKING:
    from qtorch import Field, Source

E = TypeVar("E", bound=QLineEdit | QPlainTextEdit)


def field_label(text: str, field: QWidget) -> QLabel:
    """Make the words before a field, level with its first line however high the field is."""
    label = QLabel(text)
    label.setBuddy(field)
    # What the style sheet puts between the frame of a field and its text.
    label.setContentsMargins(0, 8, 0, 8)
    return label


class FormField(QWidget, Generic[E]):
    """An editor with its label and its message.

    Parameters
    ----------
    label
        The words before it, with their mnemonic; also its accessible name.
    edit
        The editor.
    field, fault
        What is edited, and what is wrong with it ("" if nothing is).
    """

    def __init__(self, label: str, edit: E, field: Field[str], fault: Source[str], parent: QWidget) -> None:
        super().__init__(parent)
        self.edit: E = edit
        self.label = field_label(label, edit)
        # A buddy in another container moves the focus, but does not name the field.
        edit.setAccessibleName(label.replace("&", ""))
        self.message = QLabel(self)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setProperty("tone", "danger")
        self.message.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, edit.sizePolicy().verticalPolicy())

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(edit, 1)
        layout.addWidget(self.message)

        if isinstance(edit, QLineEdit):
            edit.textChanged.connect(self._show_beginning)
        bind_two_way(edit, field)
        bind(self.message, "text", fault)
        bind(self.message, "visible", fault.map(bool))

    def _show_beginning(self) -> None:
        # Qt puts the cursor behind a text that was set, and of a long one only the end is seen.
        if isinstance(self.edit, QLineEdit) and not self.edit.hasFocus():
            self.edit.setCursorPosition(0)

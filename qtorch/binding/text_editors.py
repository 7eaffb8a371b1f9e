"""Text widgets: a new text is written as the smallest change, so that caret, selection and undo history stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import SecretStr
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QTextEdit, QWidget

from qtorch.binding.caret import Caret
from qtorch.binding.editors import Editor
from qtorch.binding.text_change import change_between

if TYPE_CHECKING:
    from PySide6.QtCore import SignalInstance

W = TypeVar("W", bound=QWidget)


class TextEditor(Editor[W]):
    """What text widgets have in common."""

    can_wait = True

    def is_underway(self, widget: W) -> bool:
        """Whether the last edit is to be followed by others: a text is written letter by letter."""
        return True

    def clear(self, widget: W) -> None:
        """Show nothing."""
        self.show(widget, "")

    def format(self, value: Any) -> str:
        """Give the text of a value; that of None is empty, that of a secret the secret."""
        if isinstance(value, SecretStr):
            return value.get_secret_value()  # its str() is stars, which the next edit would write
        return "" if value is None else str(value)


class LineEditor(TextEditor[QLineEdit]):
    """A QLineEdit, also that of an editable combo box."""

    def edited(self, widget: QLineEdit) -> SignalInstance:
        """Give the signal of an edit; ``textEdited`` would miss what a QCompleter puts in."""
        return widget.textChanged

    def finished(self, widget: QLineEdit) -> SignalInstance:
        """Give the signal of a finished edit."""
        return widget.editingFinished

    def read(self, widget: QLineEdit) -> str:
        """Give the text."""
        return widget.text()

    def _write(self, widget: QLineEdit, content: str) -> None:
        caret = Caret.of(widget)
        is_touched = bool(caret.text and self.is_in_use) or widget.isUndoAvailable() or widget.hasSelectedText()
        if not is_touched or widget.inputMask():  # a mask writes what is inserted over what is there
            widget.setText(content)
            if is_touched:
                widget.setCursorPosition(caret.position)
            return
        change = change_between(caret.text, content)
        widget.setSelection(change.start, change.end - change.start)
        if change.text:
            widget.insert(change.text)
        else:
            widget.del_()
        if widget.text() != content:  # its validator or maximum length refused the change
            widget.setText(content)
        caret.put_back(widget, change)


class DocumentEditor(TextEditor[QTextEdit | QPlainTextEdit]):
    """The plain text of a QTextEdit or QPlainTextEdit."""

    def edited(self, widget: QTextEdit | QPlainTextEdit) -> SignalInstance:
        """Give the signal of an edit."""
        return widget.textChanged

    def read(self, widget: QTextEdit | QPlainTextEdit) -> str:
        """Give the text."""
        return widget.toPlainText()

    def shows(self, widget: QTextEdit | QPlainTextEdit, content: str) -> bool:
        """Whether to show ``content`` would change nothing."""
        return super().shows(widget, _lines(content))

    def _write(self, widget: QTextEdit | QPlainTextEdit, content: str) -> None:
        text = _lines(content)
        caret = widget.textCursor()
        is_empty = widget.document().isEmpty()
        if not ((not is_empty and self.is_in_use) or widget.document().isUndoAvailable() or caret.hasSelection()):
            widget.setPlainText(text)
            return
        change = change_between(widget.toPlainText(), text)
        anchor, position = change.moved(caret.anchor()), change.moved(caret.position())
        across, down = widget.horizontalScrollBar().value(), widget.verticalScrollBar().value()
        edit = QTextCursor(widget.document())
        edit.beginEditBlock()  # one step for undo
        edit.setPosition(change.start)
        edit.setPosition(change.end, QTextCursor.MoveMode.KeepAnchor)
        edit.insertText(change.text)
        edit.endEditBlock()
        caret.setPosition(anchor)
        caret.setPosition(position, QTextCursor.MoveMode.KeepAnchor)
        widget.setTextCursor(caret)
        # Qt scrolls to the caret, which the user may have scrolled away from.
        widget.horizontalScrollBar().setValue(across)
        widget.verticalScrollBar().setValue(down)


def _lines(text: str) -> str:
    """Give ``text`` with the line ends that a document gives back."""
    return text.replace("\r\n", "\n").replace("\r", "\n")

"""Code to read and to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from demo_app.gallery.highlighter import PythonHighlighter

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent

    from demo_app.look.theme import Theme


class CodeView(QWidget):
    """A read-only text in a font whose letters are all as wide, with a button that copies it.

    Parameters
    ----------
    code
        What it shows.
    title
        A line above it, such as the name of the file.
    first
        The beginning of the line that is on top at first; what comes before is scrolled away.
    theme
        Whose colours it has.
    """

    def __init__(self, code: str, title: str, first: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        lines = code.splitlines()
        self._first = next((number for number, line in enumerate(lines) if line.startswith(first)), 0)
        self.text = QPlainTextEdit(code, self)
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setAccessibleName("Code of this page")
        self.text.setTabChangesFocus(True)
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self.font().pointSizeF())
        self.text.setFont(font)
        self._colors = PythonHighlighter(self.text.document(), theme)
        name = QLabel(title, self)
        name.setProperty("tone", "muted")
        self.copy_button = QPushButton("&Copy code", self)
        self.copy_button.clicked.connect(self.copy)
        above = QHBoxLayout()
        above.addWidget(name, 1)
        above.addWidget(self.copy_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(above)
        layout.addWidget(self.text, 1)

    def showEvent(self, event: QShowEvent) -> None:
        """Scroll to the first line, once."""
        super().showEvent(event)
        first, self._first = self._first, 0
        if first:
            self.text.verticalScrollBar().setValue(first)

    def copy(self) -> None:
        """Put the code on the clipboard."""
        QGuiApplication.clipboard().setText(self.text.toPlainText())

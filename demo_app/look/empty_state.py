"""What a list or a pane shows while it has nothing to show: why, and what to do."""

from __future__ import annotations

from PySide6.QtCore import Property, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from demo_app.look.fonts import scaled
from demo_app.look.glyph import Glyph


class EmptyState(QWidget):
    """Icon, title and a sentence in the middle of the room there is.

    Parameters
    ----------
    icon_name
        The icon, as in ``icons.icon``.
    title, text
        What is missing; what to do about it. Also Qt properties, for bindings.
    parent
        The widget it belongs to.
    """

    def __init__(self, icon_name: str, title: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QLabel(title, self)
        self._title.setFont(scaled(self.font(), 1.25, QFont.Weight.DemiBold))
        self._text = QLabel(text, self)
        self._text.setProperty("tone", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(8)
        layout.addStretch()
        layout.addWidget(Glyph(icon_name, scale=2.6, parent=self), 0, Qt.AlignmentFlag.AlignHCenter)
        for label in (self._title, self._text):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(label)
        layout.addStretch()

    def _get_title(self) -> str:
        return self._title.text()

    def set_title(self, title: str) -> None:
        """Say something else is missing."""
        self._title.setText(title)

    title = Property(str, _get_title, set_title)

    def _get_text(self) -> str:
        return self._text.text()

    def set_text(self, text: str) -> None:
        """Say what else to do."""
        self._text.setText(text)

    text = Property(str, _get_text, set_text)

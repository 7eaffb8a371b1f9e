"""A short label in a coloured pill: a person's role, a state such as "Unsaved changes"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Property, Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from demo_app.look.kind import Kind
from demo_app.look.restyle import restyle

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent


class Badge(QLabel):
    """A pill whose words say everything its colour says.

    Parameters
    ----------
    text
        One or two words.
    kind
        Chooses the colours; also the Qt property ``kind``, for bindings and the style sheet.
    parent
        The widget it belongs to.
    """

    def __init__(self, text: str = "", kind: Kind | str = Kind.INFO, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._kind = Kind(kind)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def _get_kind(self) -> str:
        return self._kind

    def set_kind(self, kind: Kind | str) -> None:
        """Change the colours; raises ValueError for an unknown kind."""
        if self._kind != Kind(kind):
            self._kind = Kind(kind)
            restyle(self)

    kind = Property(str, _get_kind, set_kind)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the ends round."""
        super().resizeEvent(event)
        # A style sheet has no length for "half the height", and draws square corners where a radius is larger.
        self.setStyleSheet(f"border-radius: {event.size().height() // 2}px;")

"""A small widget that shows one icon in its own text colour, which the style sheet can set."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from demo_app.look.icons import SvgPainter


class Glyph(QWidget):
    """An icon as high as a line of text; it says nothing to a screen reader, the text beside it does.

    Parameters
    ----------
    name
        The icon, as in ``icons.icon``.
    scale
        Side of the icon in heights of a line of text.
    parent
        The widget it belongs to.
    """

    def __init__(self, name: str, *, scale: float = 1.2, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._svg = SvgPainter(name)
        self._scale = scale
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_icon(self, name: str) -> None:
        """Show another icon."""
        self._svg = SvgPainter(name)
        self.update()

    def sizeHint(self) -> QSize:
        """A square that grows with the font."""
        side = round(self.fontMetrics().height() * self._scale)
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 Qt's signature
        """Draw the icon in the widget's text colour."""
        painter = QPainter(self)
        self._svg.paint(painter, self.rect(), self.palette().color(self.foregroundRole()))

"""The large avatar in the head of a profile."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from demo_app.look.avatars import paint_avatar


class AvatarView(QWidget):
    """Shows one person's picture, or the initials while there is none.

    Parameters
    ----------
    lines
        Width and height in lines of text: it grows with the user's font.
    parent
        The widget it belongs to.
    """

    def __init__(self, *, lines: float = 5.5, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines = lines
        self._name = ""
        self._person_id: int | str = ""
        self._picture: QImage | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def side(self) -> int:
        """Width and height, device-independent pixels: the size to give ``round_picture``."""
        return round(self.fontMetrics().height() * self._lines)

    def set_person(self, name: str, person_id: int | str) -> None:
        """Whose avatar it is."""
        self._name, self._person_id = name, person_id
        self.setAccessibleName(f"Picture of {name}")
        self.update()

    def set_picture(self, picture: QImage | None) -> None:
        """The picture, as made by ``round_picture``; None shows the initials."""
        self._picture = picture
        self.update()

    def sizeHint(self) -> QSize:
        """A square of ``side``."""
        return QSize(self.side, self.side)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 Qt's signature
        """Draw the picture or the initials as large as fits."""
        painter = QPainter(self)
        side = min(self.width(), self.height())
        square = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
        paint_avatar(painter, square, self._name, self._person_id, self._picture)

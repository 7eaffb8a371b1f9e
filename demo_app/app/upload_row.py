"""How far a picture is on its way to the server, and the way to stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QToolButton, QWidget

from demo_app.look.icons import icon
from qtorch import bind

if TYPE_CHECKING:
    from demo_app.app.picture import Picture, PictureState


class UploadRow(QWidget):
    """File name, progress and a cross; there only while a picture is being sent."""

    def __init__(self, picture: Picture, parent: QWidget) -> None:
        super().__init__(parent)
        self.file = QLabel(self)
        self.file.setTextFormat(Qt.TextFormat.PlainText)
        self.bar = QProgressBar(self)
        self.bar.setRange(0, 1000)
        self.bar.setAccessibleName("Sending the picture")
        self.cancel = QToolButton(self)
        self.cancel.setIcon(icon("x"))
        side = self.fontMetrics().height()
        self.cancel.setIconSize(QSize(side, side))
        self.cancel.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.cancel.setToolTip("Cancel (Esc)")
        self.cancel.setAccessibleName("Cancel sending the picture")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self.file)
        layout.addWidget(self.bar, 1)
        layout.addWidget(self.cancel)

        bind(self.file, "text", picture.select(lambda s: f"Sending {_short(s.file)}"))
        bind(self.bar, "value", picture.select(lambda s: round(s.progress * 1000)))
        bind(self.bar, "format", picture.select(_progress))
        bind(self.bar, "accessibleDescription", picture.select(_progress))
        self.cancel.clicked.connect(picture.cancel)
        bind(self, "visible", picture.select(lambda s: bool(s.file)))


def _short(name: str) -> str:
    return name if len(name) <= 28 else f"{name[:14]}…{name[-12:]}"


def _progress(state: PictureState) -> str:
    # A percent sign alone would begin one of the bar's own placeholders.
    return f"{state.progress * 100:.0f} %, {state.sent}" if state.sent else "Looking at the picture"

"""The button with a cross that closes a message."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QToolButton, QWidget

from demo_app.look.icons import icon


def dismiss_button(parent: QWidget, role: QPalette.ColorRole = QPalette.ColorRole.ButtonText) -> QToolButton:
    """A cross in the colour of ``role``, named for screen readers, reachable with Tab."""
    button = QToolButton(parent)
    button.setIcon(icon("x", role))
    side = round(button.fontMetrics().height())
    button.setIconSize(QSize(side, side))
    button.setToolTip("Dismiss")
    button.setAccessibleName("Dismiss")  # a tooltip is no accessible name
    button.setAutoRaise(True)
    return button

"""The action that switches between light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction

from demo_app.look.icons import icon
from qtorch import bind

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMainWindow

    from demo_app.app.appearance import Appearance


def theme_action(appearance: Appearance, window: QMainWindow) -> QAction:
    """Make the action of ``window`` that shows the other theme; its icon is what it would show."""
    action = QAction("Theme", window)
    action.setToolTip("Switch between light and dark")
    action.triggered.connect(appearance.toggle)
    bind(action, "icon", appearance.select(lambda s: "sun" if s.is_dark else "moon"), to=icon)
    return action

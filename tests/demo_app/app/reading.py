"""What the window shows, as a user would read it off."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtWidgets import QApplication, QMessageBox

from demo_app.app.application import Application

if TYPE_CHECKING:
    from demo_app.app.main_window import MainWindow

Until: TypeAlias = Callable[[Callable[[], bool]], None]
"""``until(condition)`` lets the app work until the condition holds."""

Open: TypeAlias = Callable[..., Application]
"""``open_window(api_url=..)`` or ``open_window(database=..)``."""


def rows(window: MainWindow) -> int:
    return window.people.list.model().rowCount()


def names(window: MainWindow) -> list[str]:
    model = window.people.list.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def is_idle(window: MainWindow) -> bool:
    return window.activity.text() == ""


def dialog() -> QMessageBox | None:
    found = QApplication.activeModalWidget()
    return found if isinstance(found, QMessageBox) and found.isActiveWindow() else None


def back(window: MainWindow, until: Until) -> None:
    """Wait until no dialog is open, and give the window the focus, as a window manager would."""
    until(lambda: QApplication.activeModalWidget() is None)
    window.activateWindow()
    until(window.isActiveWindow)

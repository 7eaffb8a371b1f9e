"""The tour's keyboard and mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

if TYPE_CHECKING:
    from PySide6.QtWidgets import QAbstractItemView, QWidget

_NONE = Qt.KeyboardModifier.NoModifier
_CTRL = Qt.KeyboardModifier.ControlModifier
_ALT = Qt.KeyboardModifier.AltModifier


def press(key: Qt.Key, modifiers: Qt.KeyboardModifier = _NONE) -> None:
    """Press a key in the window that has the focus, as a keyboard does: shortcuts come first."""
    window = QGuiApplication.focusWindow()
    assert window is not None, "no window has the focus"
    QTest.keyClick(window, key, modifiers)


def ctrl(key: Qt.Key) -> None:
    """Press a key with Ctrl."""
    press(key, _CTRL)


def alt(key: Qt.Key) -> None:
    """Press a key with Alt."""
    press(key, _ALT)


def type_text(text: str) -> None:
    """Type letters where the focus is."""
    window = QGuiApplication.focusWindow()
    assert window is not None, "no window has the focus"
    key_click: Any = QTest.keyClick  # its stub knows of a letter for widgets only
    for letter in text:
        key_click(window, letter)


def retype(edit: QWidget, text: str) -> None:
    """Click into a field, and type over what is in it."""
    click(edit)
    ctrl(Qt.Key.Key_A)
    type_text(text)


def click(widget: QWidget, at: QPoint | None = None) -> None:
    """Click a widget, in its middle unless ``at`` says where."""
    assert widget.isVisible(), f"{type(widget).__name__} is not there to be clicked"
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, _NONE, widget.rect().center() if at is None else at)


def click_row(view: QAbstractItemView, row: int) -> None:
    """Click a row of a list."""
    index = view.model().index(row, 0)
    assert index.isValid(), f"there is no row {row}"
    view.scrollTo(index)
    click(view.viewport(), view.visualRect(index).center())

"""What a user does with each program of the documentation, and what the window has to show."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QProgressBar, QWidget

from qtorch import Runtime

W = TypeVar("W", bound=QWidget)

PATIENCE = 20.0


def until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Let the program run until ``condition()`` holds."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"never came: {what}; the window shows {shown()}")
        QTest.qWait(5)


def window() -> QWidget:
    """The program's one window, once it is shown."""
    until(lambda: [one for one in QApplication.topLevelWidgets() if one.isVisible()], "a window")
    (found,) = (one for one in QApplication.topLevelWidgets() if one.isVisible())
    found.activateWindow()
    assert QTest.qWaitForWindowActive(found)
    return found


def shown() -> list[str]:
    """The texts of the labels that are visible."""
    return [
        label.text()
        for one in QApplication.topLevelWidgets()
        for label in one.findChildren(QLabel)
        if label.isVisible()
    ]


def shows(text: str, patience: float = PATIENCE) -> None:
    """Wait until a label shows ``text``."""
    until(lambda: any(text in line for line in shown()), repr(text), patience)


def button(text: str) -> QAbstractButton:
    """The button with that text."""
    (found,) = (one for one in window().findChildren(QAbstractButton) if one.text().replace("&", "") == text)
    return found


def click(text: str) -> None:
    """Click a button, which has to be enabled."""
    assert button(text).isEnabled(), f"{text} is disabled"
    QTest.mouseClick(button(text), Qt.MouseButton.LeftButton)


def counter() -> None:
    shows("Clicked 0 times")
    assert not button("Reset").isEnabled()
    click("More")
    click("More")
    shows("Clicked 2 times")
    until(button("Reset").isEnabled, "Reset enabled")
    QTest.keyClick(window(), Qt.Key.Key_R, Qt.KeyboardModifier.AltModifier)
    shows("Clicked 0 times")
    until(lambda: not button("Reset").isEnabled(), "Reset disabled")
    window().close()


def fill(widget: QWidget, text: str) -> None:
    """Type ``text`` in the place of what is there."""
    widget.setFocus()
    QTest.keyClick(widget, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(widget, Qt.Key.Key_Delete)
    QTest.keyClicks(widget, text)


def only(kind: type[W]) -> W:
    """The only widget of that class."""
    (found,) = window().findChildren(kind)
    return found


def user_viewer() -> None:
    number, busy = only(QLineEdit), only(QProgressBar)
    assert number.text() == "1"
    assert not busy.isVisible()
    assert not button("Cancel").isEnabled()

    click("Load")
    shows("HTTP Error 503: Service Unavailable. Trying again in 0.5 s")
    until(busy.isVisible, "the busy bar")
    shows("Ada Lovelace")
    shows("ada@example.org")
    until(lambda: not busy.isVisible(), "the end of the busy bar")
    assert "HTTP" not in " ".join(shown())

    fill(number, "")
    until(lambda: not button("Load").isEnabled(), "Load disabled without a number")
    fill(number, "9")
    QTest.keyClick(number, Qt.Key.Key_Return)
    shows("There is no user 9")
    shows("Ada Lovelace")

    fill(number, "3")
    click("Load")
    shows("Trying again")
    click("Cancel")
    shows("Cancelled")
    until(lambda: not button("Cancel").isEnabled(), "Cancel disabled")

    click("Load")
    shows("Loading")
    click("Cancel")
    shows("Cancelled")

    click("Load")
    shows("Loading")
    fill(number, "2")
    click("Load")
    shows("Grace Hopper")
    until(lambda: Runtime.default().snapshot()["still_working"] == 0, "the end of the requests that were given up")
    assert "Grace Hopper" in shown(), "the answer to an older question was shown"
    window().close()


def counter_quickly() -> None:
    """One click, with little patience: for a counter that is wrong."""
    shows("Clicked 0 times")
    click("More")
    shows("Clicked 1 times", patience=0.2)
    window().close()


def primes() -> None:
    """Counts that are done in worker processes: one that ends, and one that has to be cancelled."""
    shows("Nothing counted yet")
    click("Few")
    shows("1229 primes")
    click("Many")
    until(lambda: Runtime.default().snapshot()["running"] == 1, "a job at work")
    click("Cancel")
    shows("Cancelled")
    until(lambda: Runtime.default().snapshot()["still_working"] == 0, "the end of the work")
    window().close()

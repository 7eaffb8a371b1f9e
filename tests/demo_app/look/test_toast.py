"""The passing message at the bottom of a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from demo_app.look.fonts import scaled
from demo_app.look.kind import Kind
from demo_app.look.toast import MARGIN, Toast

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from demo_app.look.theme import Theme


@pytest.fixture
def area(qtbot: QtBot, theme: Theme) -> QWidget:
    area = QWidget()
    layout = QVBoxLayout(area)
    layout.setSpacing(8)
    layout.addWidget(QLineEdit())
    layout.addStretch()
    area.resize(600, 400)
    qtbot.addWidget(area)
    with qtbot.waitActive(area):
        area.show()
        area.activateWindow()
    qtbot.mouseMove(area, area.rect().topLeft())
    return area


@pytest.fixture
def toast(area: QWidget) -> Toast:
    return Toast(area)


def timer_of(toast: Toast) -> QTimer:
    timer = toast.findChild(QTimer)
    assert timer is not None
    return timer


def time_runs_out(toast: Toast) -> None:
    timer = timer_of(toast)
    assert timer.isActive()
    timer.stop()
    timer.timeout.emit()


def action_of(toast: Toast) -> QPushButton:
    button = toast.findChild(QPushButton)
    assert button is not None
    return button


def test_it_is_hidden_until_there_is_something_to_say(toast: Toast) -> None:
    assert not toast.isVisible()


def test_it_stays_five_seconds_and_longer_for_a_longer_text(toast: Toast) -> None:
    toast.show_message("Saved")
    assert timer_of(toast).interval() >= 5000
    toast.show_message("word " * 100)
    assert timer_of(toast).interval() >= 20_000
    assert timer_of(toast).isSingleShot()


def test_it_goes_when_its_time_has_run_out(toast: Toast) -> None:
    toast.show_message("Saved")
    time_runs_out(toast)
    assert not toast.isVisible()


def test_it_waits_while_the_mouse_is_over_it(qtbot: QtBot, area: QWidget, toast: Toast) -> None:
    toast.show_message("Saved")
    qtbot.mouseMove(area, toast.geometry().center())
    qtbot.waitUntil(toast.underMouse)
    time_runs_out(toast)
    assert toast.isVisible()
    qtbot.mouseMove(area, area.rect().topLeft())
    qtbot.waitUntil(lambda: not toast.underMouse())
    time_runs_out(toast)
    assert not toast.isVisible()


def test_it_waits_while_the_keyboard_is_in_it(qtbot: QtBot, area: QWidget, toast: Toast) -> None:
    toast.show_message("Saved", action="Undo")
    action_of(toast).setFocus()
    qtbot.waitUntil(action_of(toast).hasFocus)
    time_runs_out(toast)
    assert toast.isVisible()
    field = area.findChild(QLineEdit)
    assert field is not None
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    time_runs_out(toast)
    assert not toast.isVisible()


def test_it_takes_no_focus(qtbot: QtBot, area: QWidget, toast: Toast) -> None:
    field = area.findChild(QLineEdit)
    assert field is not None
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    toast.show_message("Saved", action="Undo")
    QApplication.processEvents()
    assert field.hasFocus()


def test_its_action_hides_it_and_is_told(qtbot: QtBot, toast: Toast) -> None:
    toast.show_message("Saved", action="Undo")
    visible: list[bool] = []
    toast.action_triggered.connect(lambda: visible.append(toast.isVisible()))
    qtbot.mouseClick(action_of(toast), Qt.MouseButton.LeftButton)
    assert visible == [False]


def test_esc_and_the_cross_hide_it_without_the_action(qtbot: QtBot, toast: Toast) -> None:
    cross = toast.findChild(QToolButton)
    assert cross is not None
    with qtbot.assertNotEmitted(toast.action_triggered):
        toast.show_message("Saved", action="Undo")
        qtbot.keyClick(action_of(toast), Qt.Key.Key_Escape)
        assert not toast.isVisible()
        toast.show_message("Saved", action="Undo")
        qtbot.mouseClick(cross, Qt.MouseButton.LeftButton)
        assert not toast.isVisible()


def test_a_new_message_replaces_the_old_one_with_its_action_and_its_time(toast: Toast) -> None:
    toast.show_message("Saved", action="Undo")
    timer_of(toast).stop()
    toast.show_message("The photo is too large", kind=Kind.WARNING)
    labels = [label.text() for label in toast.findChildren(QLabel)]
    assert labels == ["The photo is too large"]
    assert not action_of(toast).isVisible()
    assert timer_of(toast).isActive()


@pytest.mark.parametrize(
    ("kind", "politeness"),
    [
        (Kind.SUCCESS, QAccessible.AnnouncementPoliteness.Polite),
        (Kind.DANGER, QAccessible.AnnouncementPoliteness.Assertive),
    ],
)
def test_it_is_announced_each_time(
    toast: Toast, monkeypatch: pytest.MonkeyPatch, kind: Kind, politeness: QAccessible.AnnouncementPoliteness
) -> None:
    heard = []

    def hear(event: QAccessibleAnnouncementEvent) -> None:
        heard.append((event.message(), event.politeness()))

    monkeypatch.setattr(QAccessible, "updateAccessibility", hear)
    toast.show_message("Saved", kind=kind)
    toast.show_message("Saved", kind=kind)
    assert heard == [("Saved", politeness)] * 2


def test_it_stays_at_the_bottom_centre_when_the_window_is_resized(area: QWidget, toast: Toast) -> None:
    toast.show_message("Saved", action="Undo")
    for width, height in ((600, 400), (900, 700), (420, 300)):
        area.resize(width, height)
        QApplication.processEvents()
        assert abs(toast.geometry().center().x() - width // 2) <= 1
        assert toast.geometry().bottom() + 1 == height - MARGIN


@pytest.mark.parametrize(("factor", "width"), [(1, 320), (1, 600), (2, 600)])
def test_a_long_message_wraps_and_stays_inside_the_window(
    area: QWidget, toast: Toast, factor: float, width: int
) -> None:
    area.setFont(scaled(area.font(), factor))
    area.resize(width, 900)
    toast.show_message("The photo of Katherine Johnson was uploaded and is shown to everybody now.", action="Undo")
    QApplication.processEvents()
    label = toast.findChild(QLabel)
    assert label is not None
    assert label.height() > 2 * label.fontMetrics().height()
    assert toast.x() >= 0
    assert toast.geometry().right() < width
    assert toast.width() >= toast.minimumSizeHint().width()
    assert label.height() >= label.heightForWidth(label.width())
    assert toast.rect().contains(label.geometry())


def test_a_short_message_stays_on_one_line(area: QWidget, toast: Toast) -> None:
    toast.show_message("The photo was saved", action="Undo")
    label = toast.findChild(QLabel)
    assert label is not None
    assert label.heightForWidth(label.width()) < 2 * label.fontMetrics().height()
    assert toast.width() < area.width() / 2 + 100


def test_its_colours_are_the_inverse_of_the_window(toast: Toast, theme: Theme, pixels) -> None:
    toast.show_message("Saved", action="Undo")
    assert pixels.at(toast, 8, toast.height() // 2) == theme.tokens.toast
    cross = toast.findChild(QToolButton)
    assert cross is not None
    assert pixels.count(cross.grab().toImage(), theme.tokens.on_toast) > 5

"""The message across the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from demo_app.look.banner import Banner
from demo_app.look.kind import Kind

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from demo_app.look.theme import Theme
    from demo_app.look.tokens import Tokens

Politeness = QAccessible.AnnouncementPoliteness


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, QAccessible.AnnouncementPoliteness]]:
    """What a screen reader would be told to say."""
    heard: list[tuple[str, QAccessible.AnnouncementPoliteness]] = []

    def hear(event: QAccessibleAnnouncementEvent) -> None:
        heard.append((event.message(), event.politeness()))

    monkeypatch.setattr(QAccessible, "updateAccessibility", hear)
    return heard


@pytest.fixture
def window(qtbot: QtBot, theme: Theme) -> QWidget:
    """A field and under it a hidden banner, as in a window that has just been opened."""
    window = QWidget()
    layout = QVBoxLayout(window)
    layout.setSpacing(8)
    layout.addWidget(QLineEdit())
    banner = Banner(action="&Retry")
    banner.hide()
    layout.addWidget(banner)
    window.resize(600, 400)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    return window


@pytest.fixture
def banner(window: QWidget) -> Banner:
    banner = window.findChild(Banner)
    assert banner is not None
    return banner


def test_the_cross_only_asks_because_the_state_owns_what_is_visible(qtbot: QtBot, banner: Banner) -> None:
    banner.show()
    with qtbot.waitSignal(banner.dismissed):
        qtbot.mouseClick(banner.dismiss_button, Qt.MouseButton.LeftButton)
    assert banner.isVisible()


def test_text_kind_and_visible_are_set_from_outside_as_qt_properties(banner: Banner, theme: Theme, pixels) -> None:
    for name, value in (("text", "The server does not answer."), ("kind", "warning"), ("visible", True)):
        assert QObject.setProperty(banner, name, value)
        assert banner.property(name) == value
    assert banner.isVisible()
    assert pixels.at(banner, 4, 4) == theme.tokens.warning


def test_an_unknown_kind_is_refused(banner: Banner) -> None:
    with pytest.raises(ValueError, match="'purple'"):
        banner.set_kind("purple")
    assert banner.kind == Kind.DANGER


def test_it_is_announced_when_it_appears_and_when_it_changes_but_not_when_hidden_or_unchanged(
    banner: Banner, spoken: list[tuple[str, QAccessible.AnnouncementPoliteness]]
) -> None:
    banner.set_text("The server does not answer.")
    assert spoken == []
    banner.show()
    banner.set_text("The server does not answer.")
    banner.set_kind(Kind.INFO)
    banner.set_text("It answers again.")
    assert spoken == [
        ("The server does not answer.", Politeness.Assertive),
        ("It answers again.", Politeness.Polite),
    ]


def test_it_takes_no_focus_and_is_reached_with_tab(qtbot: QtBot, window: QWidget, banner: Banner) -> None:
    field = window.findChild(QLineEdit)
    assert field is not None
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    banner.show()
    assert field.hasFocus()
    qtbot.keyClick(field, Qt.Key.Key_Tab)
    assert banner.action_button.hasFocus()
    qtbot.keyClick(banner.action_button, Qt.Key.Key_Tab)
    assert banner.dismiss_button.hasFocus()
    with qtbot.waitSignal(banner.dismissed):
        qtbot.keyClick(banner.dismiss_button, Qt.Key.Key_Space)


def test_screen_readers_have_a_name_for_the_banner_and_its_buttons(banner: Banner) -> None:
    banner.set_text("The server does not answer.")
    names = []
    for widget in (banner, banner.action_button, banner.dismiss_button):
        interface = QAccessible.queryAccessibleInterface(widget)
        assert interface is not None
        names.append(interface.text(QAccessible.Text.Name))
    assert names == ["The server does not answer.", "Retry", "Dismiss"]


def test_without_an_action_there_is_no_button(qtbot: QtBot, theme: Theme) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    banner.show()
    assert not banner.action_button.isVisible()
    assert banner.dismiss_button.isVisible()


def test_a_servers_markup_is_shown_and_not_obeyed(banner: Banner) -> None:
    banner.set_text("<img src=x> & <b>bold</b>")
    label = banner.findChild(QLabel)
    assert label is not None
    assert label.textFormat() == Qt.TextFormat.PlainText
    assert banner.text == "<img src=x> & <b>bold</b>"


def test_a_long_message_wraps_instead_of_widening_the_window(window: QWidget, banner: Banner) -> None:
    banner.set_text("The server at http://127.0.0.1:8080 does not answer. " * 10)
    banner.show()
    assert window.minimumSizeHint().width() < 600
    label = banner.findChild(QLabel)
    assert label is not None
    assert label.height() >= label.heightForWidth(label.width())
    assert label.height() > 2 * label.fontMetrics().height()


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_has_its_colours_and_keeps_them_through_a_switch(
    in_turn: Callable[[], Iterator[Tokens]], banner: Banner, pixels, kind: Kind
) -> None:
    banner.set_text("words")
    banner.set_kind(kind)
    banner.show()
    for tokens in in_turn():
        background, text = getattr(tokens, kind), getattr(tokens, f"on_{kind}")
        image = banner.grab().toImage()
        assert pixels.at(banner, 4, 4) == background
        icon = image.copy(0, 4, 40, image.height() - 4)
        assert pixels.count(icon, text) > 5

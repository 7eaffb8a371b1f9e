"""Everything can be reached with the keyboard, and has a name for those who do not see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from demo_app.tour import hands

if TYPE_CHECKING:
    from demo_app.app.main_window import MainWindow

pytestmark = pytest.mark.realtime
Key = Qt.Key


def test_tab_goes_as_the_eye_does_and_back_again(on_me: MainWindow) -> None:
    form = on_me.profile.form
    hands.retype(form.bio.edit, "Mine")  # so that every button is enabled
    expected = [on_me.people.search, on_me.people.list, on_me.profile.header.change_picture, *form.editors]
    on_me.people.search.setFocus()
    assert walk(len(expected), Key.Key_Tab) == expected
    assert QApplication.focusWidget() is on_me.people.search
    on_me.people.search.setFocus()
    assert walk(len(expected), Key.Key_Backtab) == [expected[0], *reversed(expected[1:])]


def walk(steps: int, key: Qt.Key) -> list[QWidget | None]:
    seen: list[QWidget | None] = []
    for _ in range(steps):
        seen.append(QApplication.focusWidget())
        hands.press(key)
    return seen


def test_everything_that_takes_the_focus_has_a_name(on_me: MainWindow) -> None:
    nameless = [
        widget
        for widget in on_me.findChildren(QWidget)
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not accessible_name(widget)
    ]
    assert nameless == []


def accessible_name(widget: QWidget) -> str:
    interface = QAccessible.queryAccessibleInterface(widget)
    return interface.text(QAccessible.Text.Name) if interface is not None else ""


def test_no_two_things_in_the_window_share_an_alt_key(on_me: MainWindow) -> None:
    texts = [action.text() for action in on_me.menuBar().actions()]
    texts += [widget.text() for widget in on_me.findChildren(QLabel) if widget.buddy() is not None]
    texts += [str(widget.property("text") or "") for widget in on_me.findChildren(QWidget) if has_mnemonic(widget)]
    keys = sorted(text[text.index("&") + 1].lower() for text in texts if "&" in text.replace("&&", ""))
    assert len(keys) > 12
    assert len(set(keys)) == len(keys), keys


def has_mnemonic(widget: QWidget) -> bool:
    return widget.inherits("QPushButton") or widget.inherits("QCheckBox")


def test_alt_and_a_letter_lead_to_each_field(on_me: MainWindow) -> None:
    letters = {"Name": Key.Key_N, "E-mail": Key.Key_M, "Title": Key.Key_T, "Role": Key.Key_L, "Bio": Key.Key_B}
    for name, key in letters.items():
        hands.alt(key)
        focus = QApplication.focusWidget()
        assert focus is not None
        assert focus.accessibleName() == name


def test_ctrl_f_leads_to_the_search_with_its_words_selected(on_me: MainWindow) -> None:
    hands.alt(Key.Key_N)
    hands.ctrl(Key.Key_F)
    assert QApplication.focusWidget() is on_me.people.search
    assert on_me.people.search.selectedText() == on_me.people.search.text()


def test_tab_into_the_list_chooses_nobody(window: MainWindow) -> None:
    window.people.search.setFocus()
    hands.press(Key.Key_Tab)
    assert QApplication.focusWidget() is window.people.list
    assert not window.people.list.currentIndex().isValid()

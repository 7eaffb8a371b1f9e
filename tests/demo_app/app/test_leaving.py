"""Unsaved changes are asked about before they would be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from demo_app.tour import hands
from tests.demo_app.app.reading import Until, back, dialog, names, rows

if TYPE_CHECKING:
    from demo_app.app.main_window import MainWindow
    from tests.demo_app.app.serving import RunningServer

pytestmark = pytest.mark.realtime
Key = Qt.Key


def test_closing_with_unsaved_changes_asks_and_cancel_keeps_them(on_me: MainWindow, until: Until) -> None:
    hands.retype(on_me.profile.form.bio.edit, "Mine")
    hands.ctrl(Key.Key_Q)
    until(lambda: dialog() is not None)
    hands.press(Key.Key_Escape)
    back(on_me, until)
    assert on_me.isVisible()
    assert on_me.profile.form.bio.edit.toPlainText() == "Mine"


def test_closing_with_unsaved_changes_saves_them_first_if_asked_to(
    on_me: MainWindow, server: RunningServer, until: Until, me: int
) -> None:
    hands.retype(on_me.profile.form.bio.edit, "Mine")
    on_me.close()
    until(lambda: dialog() is not None)
    hands.press(Key.Key_Return)
    until(lambda: not on_me.isVisible())
    assert server.person(me)["bio"] == "Mine"


def test_what_cannot_be_saved_is_not_offered_to_be(on_me: MainWindow, until: Until) -> None:
    hands.retype(on_me.profile.form.email.edit, "nobody")
    on_me.close()
    until(lambda: dialog() is not None)
    box = dialog()
    assert box is not None
    assert {button.text().replace("&", "") for button in box.buttons()} == {"Discard", "Cancel"}
    hands.press(Key.Key_Return)  # the harmless one is the default
    back(on_me, until)
    assert on_me.profile.form.email.edit.text() == "nobody"


def test_another_person_is_only_shown_after_the_question(
    on_me: MainWindow, server: RunningServer, until: Until, me: int
) -> None:
    hands.press(Key.Key_Escape)
    until(lambda: rows(on_me) > 40)
    hands.retype(on_me.profile.form.bio.edit, "Mine")
    hands.click_row(on_me.people.list, 0)
    until(lambda: dialog() is not None)
    assert on_me.people.list.currentIndex().row() == 0
    hands.alt(Key.Key_D)
    back(on_me, until)
    until(lambda: on_me.profile.form.name.edit.text() == names(on_me)[0])
    assert server.person(me)["bio"] != "Mine"

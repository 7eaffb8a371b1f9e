"""Typing into the form, and saving it, by keys and clicks on the real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from demo_app.tour import hands
from tests.demo_app.app.reading import Until, is_idle, names, rows

if TYPE_CHECKING:
    from demo_app.app.main_window import MainWindow
    from tests.demo_app.app.serving import RunningServer

pytestmark = pytest.mark.realtime
Key = Qt.Key


def test_a_fault_is_shown_at_its_field_as_it_is_typed(on_me: MainWindow, server: RunningServer, me: int) -> None:
    before, email = server.person(me), on_me.profile.form.email
    assert not email.message.isVisible()
    hands.retype(email.edit, "nobody")
    assert email.message.isVisible()
    assert email.message.text() == "Enter an address such as name@example.org"
    assert email.edit.property("invalid") is True
    assert email.edit.accessibleDescription() == email.message.text()
    assert not on_me.profile.form.save.isEnabled()
    hands.ctrl(Key.Key_S)
    hands.type_text("@example.org")
    assert not email.message.isVisible()
    assert on_me.profile.form.save.isEnabled()
    assert server.person(me) == before


@pytest.mark.parametrize("how", ["shortcut", "button", "mnemonic", "return"])
def test_what_was_typed_is_saved(on_me: MainWindow, server: RunningServer, until: Until, me: int, how: str) -> None:
    form = on_me.profile.form
    hands.retype(form.title.edit, "Poet")
    assert on_me.profile.header.unsaved.isVisible()
    match how:
        case "shortcut":
            hands.ctrl(Key.Key_S)
        case "button":
            hands.click(form.save)
        case "mnemonic":
            hands.alt(Key.Key_S)
        case _:
            hands.press(Key.Key_Return)
    until(lambda: not on_me.profile.header.unsaved.isVisible() and is_idle(on_me))
    assert server.person(me)["title"] == "Poet"
    assert on_me.toast.isVisible()


def test_the_role_and_the_check_boxes_are_saved_too(
    on_me: MainWindow, server: RunningServer, until: Until, me: int
) -> None:
    before, form = server.person(me), on_me.profile.form
    hands.click(form.mentions)
    hands.click(form.public)
    form.role.setFocus()
    hands.press(Key.Key_A)  # "Admin", by its first letter
    assert form.role.currentText() == "Admin"
    hands.ctrl(Key.Key_S)
    until(lambda: not on_me.profile.header.unsaved.isVisible() and is_idle(on_me))
    after = server.person(me)
    assert (after["mentions"], after["public"]) == (not before["mentions"], not before["public"])
    assert after["role"] == "admin"


def test_revert_brings_back_what_is_stored(on_me: MainWindow, server: RunningServer, until: Until, me: int) -> None:
    form = on_me.profile.form
    assert not form.revert.isEnabled()
    hands.retype(form.bio.edit, "Typed by mistake")
    hands.alt(Key.Key_R)
    until(lambda: form.bio.edit.toPlainText() == server.person(me)["bio"])
    assert not form.revert.isEnabled()
    assert not on_me.profile.header.unsaved.isVisible()


def test_a_conflict_keeps_what_was_typed_until_it_is_decided(
    on_me: MainWindow, server: RunningServer, until: Until, me: int
) -> None:
    theirs = server.patch(me, title="Theirs")
    hands.retype(on_me.profile.form.bio.edit, "Mine")
    hands.ctrl(Key.Key_S)
    until(on_me.conflict.isVisible)
    assert on_me.profile.form.bio.edit.toPlainText() == "Mine"
    assert server.person(me) == theirs
    hands.alt(Key.Key_A)
    # Not until it looks idle: what takes less than 150 ms never looks busy.
    until(lambda: server.person(me)["bio"] == "Mine")
    until(lambda: not on_me.conflict.isVisible() and is_idle(on_me))
    assert server.person(me)["title"] == "Theirs"
    assert on_me.profile.form.title.edit.text() == "Theirs"


def test_nothing_can_be_typed_before_the_person_is_there(
    window: MainWindow, server: RunningServer, until: Until
) -> None:
    server.control(latency=0.3)
    hands.click_row(window.people.list, 2)
    assert window.profile.header.name.text() == names(window)[2]
    assert not window.profile.form.name.edit.isEnabled()
    assert not window.profile.form.role.isEnabled()
    until(window.profile.form.name.edit.isEnabled)


def test_a_long_name_is_shown_from_its_beginning(window: MainWindow, server: RunningServer, until: Until) -> None:
    hands.click(window.people.search)
    hands.type_text("sottomayor")
    until(lambda: rows(window) == 1)
    hands.press(Key.Key_Down)
    until(lambda: window.profile.form.name.edit.text() != "")
    assert window.profile.form.name.edit.cursorPosition() == 0

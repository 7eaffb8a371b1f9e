"""The window, driven by keys and clicks, on the real server."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QMessageBox, QWidget

from demo_app.app.application import Application
from demo_app.look.tokens import DARK, LIGHT
from demo_app.tour import hands
from tests.demo_app.app.serving import running_server

if TYPE_CHECKING:
    from pathlib import Path

    from demo_app.app.main_window import MainWindow
    from tests.demo_app.app.serving import RunningServer

pytestmark = pytest.mark.realtime
Until = Callable[[Callable[[], bool]], None]
Open = Callable[..., Application]
Key = Qt.Key


@pytest.fixture
def window(open_window: Open, server: RunningServer, until: Until) -> MainWindow:
    """A window that shows everybody."""
    window = open_window(api_url=server.url).window
    until(lambda: rows(window) > 0)
    return window


@pytest.fixture
def on_me(window: MainWindow, server: RunningServer, until: Until, me: int) -> MainWindow:
    """A window that shows ``me``, found by the e-mail address."""
    hands.retype(window.people.search, server.person(me)["email"])
    until(lambda: rows(window) == 1)
    hands.press(Key.Key_Down)
    until(lambda: window.profile.form.name.edit.text() == server.person(me)["name"])
    return window


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


# -- search ------------------------------------------------------------------------------------------------------------


def test_typing_searches_and_never_shows_the_answer_to_an_older_query(
    window: MainWindow, server: RunningServer, until: Until
) -> None:
    shown: set[str] = {window.people.count.text()}
    everybody = server.get("/health")["people"]
    server.control(latency=0.2)
    hands.click(window.people.search)
    hands.type_text("adi")

    def has_arrived() -> bool:
        shown.add(window.people.count.text())
        return len(shown) > 1 and is_idle(window)

    until(has_arrived)
    page = server.get("/people", q="adi")
    assert names(window) == [item["name"] for item in page["items"]]
    assert shown == {
        f"{everybody:,} people".replace(",", "\u202f"),
        f"{page['total']} of {everybody:,}".replace(",", "\u202f"),
    }


def test_nothing_found_is_told_of_with_the_way_back(window: MainWindow, until: Until) -> None:
    hands.click(window.people.search)
    hands.type_text("qqqq")
    until(window.people.nobody.isVisible)
    assert "qqqq" in str(window.people.nobody.property("text"))
    hands.press(Key.Key_Escape)
    until(lambda: rows(window) > 0)
    assert window.people.search.text() == ""
    until(lambda: is_idle(window))


def test_the_search_does_not_choose_another_person(
    on_me: MainWindow, server: RunningServer, until: Until, me: int
) -> None:
    hands.retype(on_me.people.search, "adi")
    until(lambda: rows(on_me) > 1)
    until(lambda: is_idle(on_me))
    assert not on_me.people.list.currentIndex().isValid()
    assert on_me.profile.form.name.edit.text() == server.person(me)["name"]
    hands.press(Key.Key_Escape)
    until(lambda: rows(on_me) > 40)


# -- editing -----------------------------------------------------------------------------------------------------------


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
    until(lambda: not on_me.conflict.isVisible() and is_idle(on_me))
    assert (server.person(me)["title"], server.person(me)["bio"]) == ("Theirs", "Mine")
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


# -- leaving -----------------------------------------------------------------------------------------------------------


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


# -- trouble -----------------------------------------------------------------------------------------------------------


def test_a_server_that_is_killed_is_started_again_by_retry_and_nothing_typed_is_lost(
    open_window: Open, until: Until, tmp_path: Path
) -> None:
    application = open_window(database=tmp_path / "people.db")
    window, server = application.window, application.server
    assert server is not None
    until(lambda: rows(window) > 0)
    hands.click_row(window.people.list, 0)
    until(window.profile.form.name.edit.isEnabled)
    hands.retype(window.profile.form.bio.edit, "Typed before")
    first = server.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(window.banner.isVisible)
    said = str(window.banner.property("text"))
    assert said == "The server has stopped (exit code -9). Nothing that you typed is lost."
    assert window.place.text() == "No server"
    hands.alt(Key.Key_Y)
    until(lambda: not window.banner.isVisible() and is_idle(window) and server.pid not in (None, first))
    assert window.profile.form.bio.edit.toPlainText() == "Typed before"
    hands.ctrl(Key.Key_S)
    until(lambda: not window.profile.header.unsaved.isVisible() and is_idle(window))


def test_an_address_that_nobody_answers_is_told_of_and_can_be_tried_again(
    open_window: Open, until: Until, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    window = open_window(api_url=f"http://127.0.0.1:{port}").window
    until(window.banner.isVisible)
    assert str(window.banner.property("text")) == f"No server answers at 127.0.0.1:{port}."
    hands.retype(window.people.search, "adi")
    with running_server(tmp_path / "people.db", "--port", str(port)):
        hands.alt(Key.Key_Y)
        until(lambda: rows(window) > 0 and is_idle(window) and not window.banner.isVisible())
        assert window.people.search.text() == "adi"
        assert window.place.text() == f"127.0.0.1:{port}"


def test_a_server_that_answers_again_is_noticed_without_retry(open_window: Open, until: Until, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    window = open_window(api_url=f"http://127.0.0.1:{port}").window
    until(window.banner.isVisible)
    with running_server(tmp_path / "people.db", "--port", str(port)):
        hands.retype(window.people.search, "adi")
        until(lambda: rows(window) > 0 and is_idle(window) and not window.banner.isVisible())


def test_a_database_that_is_none_is_told_of_in_the_window(open_window: Open, until: Until, tmp_path: Path) -> None:
    file = tmp_path / "people.db"
    file.write_text("This is no database, only a text of some length.")
    window = open_window(database=file).window
    until(window.banner.isVisible)
    assert f"{file} is not an SQLite database" in str(window.banner.property("text"))
    assert window.banner.action_button.isVisible()
    assert window.people.nobody.isVisible()


def test_a_failing_search_is_told_of_and_retried_by_hand(
    window: MainWindow, server: RunningServer, until: Until
) -> None:
    server.control(fail_rate=1)
    hands.click(window.people.search)
    hands.type_text("a")
    until(lambda: "Trying again" in window.activity.text())
    until(window.banner.isVisible)
    server.control()
    hands.click(window.banner.action_button)
    until(lambda: not window.banner.isVisible() and is_idle(window))
    assert names(window) == [item["name"] for item in server.get("/people", q="a")["items"]]


# -- keyboard and accessibility ----------------------------------------------------------------------------------------


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


# -- the rest ----------------------------------------------------------------------------------------------------------


def test_the_theme_is_chosen_in_the_menu_and_in_the_tool_bar(window: MainWindow, qapp: QApplication) -> None:
    def background() -> str:
        return qapp.palette().window().color().name()

    modes = {action.text(): action for action in window.commands.modes.actions()}
    assert modes["&Light"].isChecked()
    modes["&Dark"].trigger()
    assert background() == DARK.background
    assert modes["&Dark"].isChecked()
    assert not modes["&Light"].isChecked()
    window.commands.theme.trigger()
    assert background() == LIGHT.background
    assert modes["&Light"].isChecked()


def test_the_window_comes_back_where_it_was(
    open_window: Open, server: RunningServer, tmp_path: Path, until: Until
) -> None:
    settings = QSettings(f"{tmp_path}/settings.ini", QSettings.Format.IniFormat)
    first = open_window(api_url=server.url, settings=settings).window
    first.resize(780, 620)
    first.splitter.setSizes([350, 430])
    sizes = first.splitter.sizes()
    first.close()
    second = open_window(api_url=server.url, settings=settings).window
    assert second.size() == first.size()
    assert second.splitter.sizes() == sizes
    until(lambda: rows(second) > 0 and is_idle(second))


def test_the_status_bar_counts_the_jobs_of_the_whole_window(
    on_me: MainWindow, server: RunningServer, until: Until
) -> None:
    until(lambda: is_idle(on_me))
    server.control(latency=0.3)
    hands.press(Key.Key_F5)
    until(lambda: on_me.activity.text() == "2 jobs running")
    until(lambda: is_idle(on_me))


def test_only_plain_text_is_shown_of_what_others_have_typed(
    on_me: MainWindow, server: RunningServer, until: Until, me: int
) -> None:
    server.patch(me, name="<b>Bold</b>", title="<i>Italic</i>")
    hands.press(Key.Key_F5)
    until(lambda: on_me.profile.header.name.text() == "<b>Bold</b>")
    assert on_me.profile.header.name.textFormat() == Qt.TextFormat.PlainText
    assert isinstance(on_me.profile.form.name.edit, QLineEdit)

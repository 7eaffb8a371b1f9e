"""The window as a whole: searching, and what stays from one day to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication, QLineEdit

from demo_app.look.tokens import DARK, LIGHT
from demo_app.tour import hands
from tests.demo_app.app.reading import Open, Until, is_idle, names, rows

if TYPE_CHECKING:
    from pathlib import Path

    from demo_app.app.main_window import MainWindow
    from tests.demo_app.app.serving import RunningServer

pytestmark = pytest.mark.realtime
Key = Qt.Key


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

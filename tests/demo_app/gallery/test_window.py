"""The window around the pages: keys, the list, the theme, the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from demo_app.gallery.pages import NAMES
from demo_app.tour.hands import click, ctrl, press

if TYPE_CHECKING:
    from tests.demo_app.gallery.conftest import Open


def test_arrows_turn_the_pages_in_the_list(open_at: Open) -> None:
    gallery = open_at("one-way")
    press(Qt.Key.Key_Down)
    press(Qt.Key.Key_Down)
    press(Qt.Key.Key_Up)
    assert gallery.shell.state.name == "sources"


def test_ctrl_with_page_down_and_up_turns_the_pages_round_from_anywhere(open_at: Open) -> None:
    gallery = open_at("one-way")
    click(gallery.window.page.code.text)
    ctrl(Qt.Key.Key_PageUp)
    assert gallery.shell.state.name == NAMES[-1]
    ctrl(Qt.Key.Key_PageDown)
    ctrl(Qt.Key.Key_PageDown)
    assert gallery.shell.state.name == "sources"
    assert gallery.window.list.currentIndex().data() == "Sources"


def test_ctrl_q_closes_the_window(open_at: Open) -> None:
    gallery = open_at("one-way")
    ctrl(Qt.Key.Key_Q)
    assert not gallery.window.isVisible()


def test_the_whole_code_is_copied(open_at: Open) -> None:
    code = open_at("qml").window.page.code
    click(code.copy_button)
    assert QGuiApplication.clipboard().text() == code.text.toPlainText()
    assert "ListView {" in QGuiApplication.clipboard().text()


def test_the_code_takes_the_colours_of_the_theme(open_at: Open) -> None:
    gallery = open_at("one-way")
    document = gallery.window.page.code.text.document()

    def colors() -> set[str]:
        return {
            part.format.foreground().color().name()
            for number in range(document.blockCount())
            for part in document.findBlockByNumber(number).layout().formats()
        }

    light = colors()
    gallery.appearance.toggle()
    assert len(light) > 3
    assert light.isdisjoint(colors())

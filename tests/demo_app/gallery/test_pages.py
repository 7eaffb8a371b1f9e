"""Each page does what its sentence says."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtQuickWidgets import QQuickWidget
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGroupBox,
    QLineEdit,
    QListView,
    QPlainTextEdit,
    QProgressBar,
    QSlider,
    QSpinBox,
    QTableView,
)

from demo_app.gallery.pages import NAMES, load_pages
from demo_app.tour.hands import click, press, retype, type_text
from qtorch import BaseOrchestrator
from tests.demo_app.gallery.conftest import Eyes, Open

if TYPE_CHECKING:
    from PySide6.QtQuick import QQuickItem
    from pytestqt.qtbot import QtBot

    from demo_app.gallery.page import Page
    from qtorch.testing.hygiene import TestRuntime

Look = Callable[[str], Eyes]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_opens_beside_the_code_that_makes_it(open_at: Open, name: str) -> None:
    gallery = open_at(name)
    (page,) = (page for page in gallery.pages if page.name == name)
    assert gallery.window.page.code.text.toPlainText() == page.source
    assert "def build() -> QWidget:" in page.source
    assert page.purpose.endswith(".")


def own_orchestrators(page: Page) -> list[object]:
    return [
        one
        for one in gc.get_objects()
        if isinstance(one, BaseOrchestrator) and type(one).__module__ == page.build.__module__
    ]


@pytest.mark.parametrize("page", load_pages(), ids=NAMES)
def test_a_page_goes_by_reference_count_alone_with_all_that_it_made(
    qtorch_runtime: TestRuntime, no_gpu: None, page: Page
) -> None:
    qtorch_runtime.register(*(executor() for executor in page.executors))
    gc.collect()
    gc.disable()
    try:
        live = page.build()
        live.show()
        assert own_orchestrators(page)
        gone = weakref.ref(live)
        live.close()
        del live
        assert gone() is None
        assert own_orchestrators(page) == []
    finally:
        gc.enable()
    assert qtorch_runtime.reports == []


def test_titles_and_names_are_told_apart() -> None:
    pages = load_pages()
    assert tuple(page.name for page in pages) == NAMES
    assert len({page.title for page in pages}) == len(pages)


def test_one_way_shows_a_state_in_every_property(look: Look) -> None:
    page = look("one-way")
    assert {"Oslo: 5 °C", "cold", "There may be ice on the road"} <= set(page.texts())
    click(page.button("Warmer"))
    assert {"Oslo: 10 °C", "mild"} <= set(page.texts())
    assert "There may be ice on the road" not in page.texts()
    assert page.only(QProgressBar).value() == 10
    for _ in range(6):
        click(page.button("Warmer"))
    assert not page.button("Warmer").isEnabled()


def test_sources_compute_only_what_has_changed(look: Look) -> None:
    page = look("sources")
    retype(page.only(QLineEdit), "no paper")
    assert {"25.00 €", "1 times"} <= set(page.texts())
    click(page.button("Add a book"))
    assert {"37.50 €", "2 times", "41.25 $"} <= set(page.texts())
    click(page.button("Let the dollar fall"))
    assert {"37.50 €", "2 times", "41.63 $"} <= set(page.texts())


def test_text_keeps_the_caret_while_it_changes_from_elsewhere(look: Look) -> None:
    page = look("text")
    title, _, owner, copies, tags = page.live.findChildren(QLineEdit)
    assert (copies.text(), copies.property("invalid")) == ("many", True)

    click(title)
    title.setCursorPosition(4)
    type_text("x")
    click(page.button("Change it from elsewhere"))
    type_text("y")
    assert title.text() == "SHOPXyPING"
    assert (title.cursorPosition(), title.text() in page.texts()) == (6, True)

    retype(tags, "blue, , grey")
    assert "('blue', 'grey')" in page.texts()
    retype(owner, "Grace")
    assert "Grace" not in page.texts()
    press(Qt.Key.Key_Return)
    assert "Grace" in page.texts()


def test_choices_are_written_and_come_from_the_state(look: Look) -> None:
    page = look("choices")
    QTest.mouseClick(page.only(QCheckBox), Qt.MouseButton.LeftButton, pos=QPoint(12, 12))
    assert "by_train=True, to='OSL'" in page.texts()
    click(page.button("Add a city on top"))
    to = page.only(QComboBox)
    assert [to.itemText(row) for row in range(to.count())] == ["New town 2", "Oslo", "Copenhagen"]
    assert to.currentText() == "Oslo"
    click(page.button("Change it from elsewhere"))
    assert to.currentText() == "Copenhagen"


def test_steps_write_one_state_and_follow_it(look: Look) -> None:
    page = look("steps")
    seats, slider = page.only(QSpinBox), page.only(QSlider)
    state = "2 x 49.5 €, class 2, 2027-03-01 08:30, back 2027-03-08"
    assert state in page.texts()
    seats.stepUp()
    assert (slider.value(), state.replace("2 x", "3 x") in page.texts()) == (3, True)
    seats.setValue(11)
    assert (seats.property("invalid"), slider.value()) == (True, 3)
    click(page.button("First"))
    click(page.button("Change it from elsewhere"))
    assert "4 x 49.5 €, class 1, 2027-03-08 08:30, back 2027-03-15" in page.texts()
    page.only(QGroupBox).setChecked(False)
    assert "4 x 49.5 €, class 1, 2027-03-08 08:30" in page.texts()


@pytest.mark.realtime
def test_commands_run_a_job_on_a_thread_that_can_be_cancelled_and_can_fail(look: Look, qtbot: QtBot) -> None:
    page = look("commands")
    bar = page.only(QProgressBar)
    page.live.window().activateWindow()
    press(Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bar.value() > 3 and "Counting ..." in page.texts())
    assert not page.button("Count").isEnabled()
    click(page.button("Cancel"))
    qtbot.waitUntil(page.button("Count").isEnabled)
    assert bar.value() < 100
    click(page.button("Count and stumble"))
    qtbot.waitUntil(lambda: "ArithmeticError: lost count at 20" in page.texts())
    click(page.only(QCheckBox))
    assert not page.button("Count").isEnabled()


@pytest.mark.realtime
def test_coroutines_wait_for_their_turn_and_save_what_is_there_by_then(look: Look, qtbot: QtBot) -> None:
    page = look("coroutines")
    click(page.button("Save"))
    qtbot.waitUntil(lambda: page.only(QProgressBar).value() > 0)
    click(page.button("Save"))
    retype(page.only(QLineEdit), "Buy milk")
    qtbot.waitUntil(lambda: "Saved: Buy bread, Buy milk" in page.texts())
    click(page.button("Save"))
    qtbot.waitUntil(page.button("Cancel").isEnabled)
    click(page.button("Cancel"))
    qtbot.waitUntil(lambda: not page.button("Cancel").isEnabled())
    assert "Saved: Buy bread, Buy milk" in page.texts()


def test_lists_keep_what_is_selected(look: Look) -> None:
    page = look("lists")
    view = page.only(QListView)
    assert view.currentIndex().data() == "Barbara"
    click(page.button("Insert on top"))
    assert view.model().index(0, 0).data() == "Newcomer 8"
    click(page.button("Shuffle"))
    click(page.button("Rename the first"))
    assert view.currentIndex().data().casefold() == "barbara"
    for _ in range(9):
        click(page.button("Remove the first"))
    assert view.model().rowCount(QModelIndex()) == 0


def test_tables_are_edited_through_the_state_and_sorted(look: Look) -> None:
    page = look("tables")
    view = page.only(QTableView)
    proxy = view.model()

    def tools() -> list[str]:
        return [str(proxy.index(row, 0).data()) for row in range(proxy.rowCount(QModelIndex()))]

    assert tools() == ["Ladder", "Spade", "Hammer", "Saw"]
    assert proxy.setData(proxy.index(0, 1), 5)
    assert tools() == ["Spade", "Hammer", "Ladder", "Saw"]
    assert not proxy.setData(proxy.index(0, 1), -1)
    assert "Input should be greater than or equal to 0" in page.texts()
    assert proxy.setData(proxy.index(3, 2), Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole)
    assert proxy.index(3, 2).data() == "here"
    for _ in range(2):
        click(page.button("One more of the first"))
    assert [proxy.index(row, 1).data() for row in range(4)] == [2, 4, 5, 13]


@pytest.mark.realtime
def test_a_form_says_what_is_wrong_and_what_the_server_refuses(look: Look, qtbot: QtBot) -> None:
    page = look("form")
    name, email, guardian = (one for one in page.live.findChildren(QLineEdit) if one.parent() is page.live)
    click(page.button("Save"))
    assert "Name: Fill this in.\nEmail: Fill this in." in page.texts()
    retype(name, "Ada")
    retype(email, "ada@example.org")
    assert "Who is under 18 needs a guardian." in page.texts()
    retype(guardian, "Annabella")
    click(page.button("Add a phone"))
    (phone,) = (one for one in page.live.findChildren(QLineEdit) if one.placeholderText() == "Number")
    qtbot.waitUntil(phone.isVisible)
    retype(phone, "1234")
    click(page.button("Save"))
    qtbot.waitUntil(lambda: "Somebody else has this address." in page.texts())
    assert email.property("invalid")
    retype(email, "ada@example.com")
    click(page.button("Save"))
    qtbot.waitUntil(lambda: "Nothing to save" in page.texts())
    retype(name, "Augusta")
    click(page.button("Reset"))
    assert name.text() == "Ada"


def items(item: QQuickItem) -> Iterator[QQuickItem]:
    yield item
    for child in item.childItems():
        yield from items(child)


def named(quick: QQuickWidget, name: str) -> QQuickItem:
    (found,) = (one for one in items(quick.rootObject()) if one.objectName() == name)
    return found


def click_item(quick: QQuickWidget, text: str) -> None:
    """Click the first thing of QML with that text."""
    item = next(one for one in items(quick.rootObject()) if one.property("text") == text)
    middle = item.mapToScene(item.boundingRect().center())
    QTest.mouseClick(quick, Qt.MouseButton.LeftButton, pos=middle.toPoint())


def test_qml_and_widgets_show_and_change_the_same_state(look: Look, qtbot: QtBot) -> None:
    page = look("qml")
    quick, view = page.only(QQuickWidget), page.only(QListView)
    rows = named(quick, "list")

    def titles() -> list[str]:
        return [view.model().index(row, 0).data() for row in range(view.model().rowCount(QModelIndex()))]

    click_item(quick, "")  # the empty field
    QTest.keyClicks(quick, "Read")
    QTest.keyClick(quick, Qt.Key.Key_Return)
    assert titles() == ["Water the plants", "Write a test", "Make tea", "Read"]
    assert "4 to do, next: Water the plants" in page.texts()
    qtbot.waitUntil(lambda: rows.property("count") == 4)

    click_item(quick, "Done")
    assert titles() == ["Write a test", "Make tea", "Read"]
    click(page.button("First to the end"))
    assert named(quick, "summary").property("text") == "3 to do, next: Make tea"


@pytest.mark.realtime
def test_mistakes_say_what_to_write_instead(look: Look, qtbot: QtBot) -> None:
    page = look("mistakes")
    with qtbot.captureExceptions() as raised:
        click(page.button("All of them"))
        messages = page.only(QPlainTextEdit)
        qtbot.waitUntil(lambda: "WrongThreadError" in messages.toPlainText())
    for said in ("Did you mean 'text'?", "two-way binding already", "QLabel 'portion'.text", "another thread"):
        assert said in messages.toPlainText()
    assert [kind for kind, *_ in raised] == [ZeroDivisionError]

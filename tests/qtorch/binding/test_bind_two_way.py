"""Between a field and a widget in which a user types and chooses."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import pytest
import shiboken6
from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import field_validator
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QInputMethodEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QCompleter,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from qtorch import BaseOrchestrator, BaseState, bind, bind_two_way
from qtorch.binding.two_way_binding import TwoWayBinding

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing import FakeClock
    from qtorch.testing.hygiene import TestRuntime

W = TypeVar("W", bound=QWidget)


class Country(StrEnum):
    FRANCE = "fr"
    ITALY = "it"


class Address(BaseState):
    city: Annotated[str, MinLen(1)] = "Paris"


class PersonState(BaseState):
    name: Annotated[str, MinLen(1), MaxLen(12)] = "Ann"
    email: str = ""
    age: Annotated[int, Ge(0), Le(150)] = 30
    ratio: float = 0.5
    price: Decimal = Decimal(1)
    code: str = ""
    motto: str = ""
    nick: str | None = None
    is_vip: bool = False
    agrees: bool | None = None
    country: str | None = "it"
    choices: tuple[tuple[str, str | None], ...] = (("France", "fr"), ("Italy", "it"))
    address: Address | None = None

    @field_validator("code")
    @classmethod
    def _upper(cls, code: str) -> str:
        return code.upper()

    @field_validator("motto")
    @classmethod
    def _stripped(cls, motto: str) -> str:
        if motto.strip() == "boo":
            raise ValueError("a motto is friendly")
        return motto.strip()


class Person(BaseOrchestrator[PersonState]):
    pass


class Window(QWidget):
    """A line edit and something else that can have the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.column = QVBoxLayout(self)
        self.edit, self.other = self.add(QLineEdit()), self.add(QLineEdit())

    def add(self, widget: W) -> W:
        self.column.addWidget(widget)
        if self.isVisible():
            widget.show()
        return widget


@pytest.fixture
def person(qtorch_runtime: TestRuntime) -> Person:
    return Person(PersonState())


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[Window]:
    window = Window()
    window.show()
    window.activateWindow()
    window.edit.setFocus()
    QApplication.processEvents()
    qtbot.waitUntil(window.edit.hasFocus)
    yield window
    if shiboken6.isValid(window):
        shiboken6.delete(window)


def compose(widget: QWidget, preedit: str, commit: str = "") -> None:
    event = QInputMethodEvent(preedit, [])
    event.setCommitString(commit)
    QApplication.sendEvent(widget, event)


# ------------------------------------------------------------------------------------------------------------- typing


def test_the_field_is_shown_and_what_is_typed_is_in_the_state_at_once(person: Person, window: Window) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.email))
    QTest.keyClicks(window.edit, "abc")
    assert person.state.email == "abc"
    person.update(email="abd")
    assert window.edit.text() == "abd"


def test_typing_in_the_middle_keeps_caret_order_and_undo(person: Person, window: Window) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.email))
    QTest.keyClicks(window.edit, "abcd")
    window.edit.setCursorPosition(1)
    QTest.keyClicks(window.edit, "xy z")
    assert (window.edit.text(), person.state.email) == ("axy zbcd", "axy zbcd")
    assert window.edit.cursorPosition() == 5
    assert window.edit.isUndoAvailable()


def test_a_state_that_writes_capitals_is_followed_while_typing(person: Person, window: Window) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.code))
    QTest.keyClicks(window.edit, "abcd")
    assert window.edit.text() == "ABCD"
    window.edit.setCursorPosition(1)
    QTest.keyClicks(window.edit, "xy")
    assert (window.edit.text(), person.state.code) == ("AXYBCD", "AXYBCD")
    assert window.edit.cursorPosition() == 3
    assert window.edit.isUndoAvailable()


def test_a_space_between_words_can_be_typed_though_the_state_trims_it(person: Person, window: Window) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.motto))
    QTest.keyClicks(window.edit, "carpe diem ")
    assert (window.edit.text(), person.state.motto) == ("carpe diem ", "carpe diem")
    window.other.setFocus()
    assert window.edit.text() == "carpe diem"
    assert window.edit.isUndoAvailable()


def test_a_number_is_typed_digit_by_digit_though_the_state_writes_it_otherwise(person: Person, window: Window) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.ratio))
    window.edit.selectAll()
    QTest.keyClicks(window.edit, "1.50")
    assert (window.edit.text(), person.state.ratio) == ("1.50", 1.5)
    QTest.keyClicks(window.edit, "5")
    assert person.state.ratio == 1.505
    QTest.keyClick(window.edit, Qt.Key.Key_Return)
    assert window.edit.text() == "1.505"


def test_a_change_from_elsewhere_moves_neither_caret_nor_selection(person: Person, window: Window) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.email))
    QTest.keyClicks(window.edit, "hello world")
    window.edit.setSelection(11, -5)  # backwards: the caret is at its beginning
    person.update(email="hello, dear world")
    assert (window.edit.text(), window.edit.selectedText()) == ("hello, dear world", "world")
    assert window.edit.cursorPosition() == window.edit.selectionStart()
    window.edit.setCursorPosition(2)
    person.update(email="HELLO, dear world")
    assert window.edit.cursorPosition() == 2


def test_characters_that_qt_counts_twice_move_no_caret(person: Person, window: Window) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.email))
    window.edit.setText("😀😀 ab")
    window.edit.setCursorPosition(7)  # at the end
    person.update(email="😀 ab")
    assert window.edit.cursorPosition() == 5
    person.update(email="😀 é ab")
    assert (window.edit.text(), window.edit.cursorPosition()) == ("😀 é ab", 7)


def test_a_text_that_nobody_touched_is_loaded_without_a_history(person: Person, window: Window) -> None:
    bind_two_way(window.other, person.field(lambda s: s.email))
    person.update(email="loaded")
    assert not window.other.isUndoAvailable()


def test_an_inactive_window_does_not_lose_the_caret(person: Person, window: Window, qtbot: QtBot) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.email))
    QTest.keyClicks(window.edit, "abcd")
    window.edit.setCursorPosition(1)
    dialog = QWidget()
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.activateWindow()
    QApplication.processEvents()
    qtbot.waitUntil(lambda: not window.edit.hasFocus())
    person.update(email="abcde")
    assert (window.edit.text(), window.edit.cursorPosition()) == ("abcde", 1)


@pytest.mark.qt_log_ignore("does not support", extend=True)  # what the offscreen platform says of pop-ups
def test_what_a_completer_puts_in_is_an_edit_too(person: Person, window: Window) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.email))
    completer = QCompleter(["alpha"])
    window.edit.setCompleter(completer)
    QTest.keyClicks(window.edit, "al")
    popup = completer.popup()
    assert popup is not None
    QTest.keyClick(popup, Qt.Key.Key_Down)
    QTest.keyClick(popup, Qt.Key.Key_Return)
    assert person.state.email == "alpha"


def test_what_the_application_puts_in_is_an_edit_too(person: Person, window: Window) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.email))
    window.edit.setText("pasted")
    assert person.state.email == "pasted"


def test_undo_is_an_edit_too(person: Person, window: Window) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.email))
    QTest.keyClicks(window.edit, "a")
    window.edit.undo()
    assert (window.edit.text(), person.state.email) == ("", "")


def test_a_text_that_its_widget_cuts_off_is_shown_once_and_stays_whole_in_the_state(
    person: Person, window: Window
) -> None:
    window.edit.setMaxLength(3)
    texts: list[str] = []
    bind_two_way(window.edit, person.field(lambda s: s.email))
    window.edit.textChanged.connect(texts.append)
    person.update(email="abcdef")
    person.update(age=31)
    person.update(name="Bob")
    assert (window.edit.text(), person.state.email) == ("abc", "abcdef")
    assert len(texts) <= 2


def test_two_widgets_of_one_field_follow_each_other(person: Person, window: Window) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.name))
    bind_two_way(window.other, person.field(lambda s: s.name))
    QTest.keyClicks(window.edit, "a")
    assert window.other.text() == "Anna"


def test_none_is_shown_as_an_empty_text_and_a_parser_makes_one_of_it_again(person: Person, window: Window) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.nick), parse=lambda text: text or None)
    assert window.edit.text() == ""
    QTest.keyClicks(window.edit, "x")
    QTest.keyClick(window.edit, Qt.Key.Key_Backspace)
    assert person.state.nick is None


def test_a_listener_that_answers_an_edit_with_another_value_is_shown(person: Person, window: Window) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.email))
    person.changed("email").connect(lambda email: person.update(email="") if email == "clear" else None)
    QTest.keyClicks(window.edit, "clear")
    assert person.state.email == ""
    window.other.setFocus()
    assert window.edit.text() == ""


# ------------------------------------------------------------------------------------------------------ input methods


def test_nothing_is_written_into_a_word_that_is_being_composed(person: Person, window: Window) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.email))
    QTest.keyClicks(window.edit, "a")
    compose(window.edit, "ni")
    person.update(email="server")
    assert window.edit.text() == "a"
    compose(window.edit, "", "你")
    assert (window.edit.text(), person.state.email) == ("a你", "a你")


def test_what_came_during_a_composition_that_was_given_up_is_shown_after_it(
    person: Person, window: Window, qtbot: QtBot
) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.email))
    compose(window.edit, "ni")
    person.update(email="server")
    compose(window.edit, "")
    QApplication.processEvents()
    assert window.edit.text() == "server"


def test_a_text_edit_is_left_alone_while_it_composes_too(person: Person, window: Window, qtbot: QtBot) -> None:
    edit = window.add(QPlainTextEdit())
    bind_two_way(edit, person.field(lambda s: s.email))
    edit.setFocus()
    compose(edit, "ni")
    person.update(email="server")
    assert edit.toPlainText() == ""
    compose(edit, "", "你")
    assert person.state.email == "你"


# ------------------------------------------------------------------------------------------------------ refused edits


def test_a_refused_edit_stays_visible_and_marked_while_the_state_keeps_its_value(
    person: Person, window: Window
) -> None:
    window.edit.setToolTip("your name")
    binding = bind_two_way(window.edit, person.field(lambda s: s.name))
    errors: list[str] = []
    binding.errorChanged.connect(errors.append)
    window.edit.selectAll()
    QTest.keyClick(window.edit, Qt.Key.Key_Backspace)
    assert (window.edit.text(), person.state.name) == ("", "Ann")
    assert window.edit.property("invalid") is True
    assert "at least 1 character" in window.edit.toolTip()
    assert window.edit.accessibleDescription() == window.edit.toolTip() == binding.error
    person.update(age=5)
    assert window.edit.text() == ""
    QTest.keyClicks(window.edit, "k")
    assert person.state.name == "k"
    assert window.edit.property("invalid") is False
    assert (window.edit.toolTip(), window.edit.accessibleDescription()) == ("your name", "")
    assert [bool(error) for error in errors] == [True, False]


def test_the_mark_is_styled_when_it_comes_and_when_it_goes_only(person: Person, window: Window) -> None:
    polished: list[bool] = []

    class Watched(QLineEdit):
        def event(self, event: QEvent) -> bool:
            if event.type() == QEvent.Type.StyleChange:
                polished.append(bool(self.property("invalid")))
            return super().event(event)

    window.setStyleSheet('QLineEdit[invalid="true"] { border: 2px solid red }')
    edit = window.add(Watched())
    bind_two_way(edit, person.field(lambda s: s.age))
    polished.clear()
    for text in ("x", "xy", "xyz", "4", "44"):
        edit.setText(text)
    assert polished in ([True, False], [])  # a style may have no need to tell
    assert edit.property("invalid") is False


def test_a_text_that_cannot_be_parsed_is_refused_like_one_that_does_not_fit(person: Person, window: Window) -> None:
    binding = bind_two_way(window.edit, person.field(lambda s: s.age), parse=int)
    window.edit.selectAll()
    QTest.keyClicks(window.edit, "4x")
    assert (person.state.age, window.edit.text()) == (4, "4x")
    assert "invalid literal for int()" in binding.error
    QTest.keyClick(window.edit, Qt.Key.Key_Backspace)
    assert binding.error == ""
    QTest.keyClicks(window.edit, "44")
    assert "less than or equal to 150" in binding.error
    assert person.state.age == 44


def test_without_a_parser_pydantic_converts(person: Person, window: Window) -> None:
    binding = bind_two_way(window.edit, person.field(lambda s: s.age))
    window.edit.setText("31")
    assert person.state.age == 31
    window.edit.setText("3x")
    assert "valid integer" in binding.error


@pytest.mark.parametrize("parse", [Decimal, {"one": 1}.__getitem__])
def test_arithmetic_and_look_up_errors_of_a_parser_are_refusals(
    person: Person, window: Window, qtorch_runtime: TestRuntime, parse: type[Decimal]
) -> None:
    binding = bind_two_way(window.edit, person.field(lambda s: s.price), parse=parse)
    window.edit.setText("one!")
    assert binding.error
    assert qtorch_runtime.reports == []


def test_a_fault_in_a_parser_is_marked_and_reported(
    person: Person, window: Window, qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    window.edit.setObjectName("age_edit")
    binding = bind_two_way(window.edit, person.field(lambda s: s.age), parse=lambda text: text.nope)  # type: ignore[attr-defined]
    with qtbot.captureExceptions():
        window.edit.setText("1")
    (report,) = qtorch_runtime.reports
    assert report.where == "QLineEdit 'age_edit' <-> field(age)"
    assert "nope" in binding.error
    qtorch_runtime.reports.clear()


def test_the_words_of_a_validator_reach_the_user_as_they_are(person: Person, window: Window) -> None:
    binding = bind_two_way(window.edit, person.field(lambda s: s.motto))
    QTest.keyClicks(window.edit, "boo")
    assert binding.error == "a motto is friendly"


def test_revert_shows_the_state_again_when_the_focus_leaves(person: Person, window: Window) -> None:
    binding = bind_two_way(window.edit, person.field(lambda s: s.name), revert=True)
    window.edit.clear()
    QTest.keyClick(window.edit, Qt.Key.Key_Return)
    assert (window.edit.text(), bool(binding.error)) == ("", True)
    window.other.setFocus()
    assert (window.edit.text(), binding.error) == ("Ann", "")


def test_without_revert_a_refused_edit_stays_until_the_state_has_another_value(person: Person, window: Window) -> None:
    binding = bind_two_way(window.edit, person.field(lambda s: s.name))
    window.edit.clear()
    window.other.setFocus()
    person.update(age=31)
    assert (window.edit.text(), bool(binding.error)) == ("", True)
    person.update(name="Bob")  # somebody else is shown now
    assert (window.edit.text(), binding.error) == ("Bob", "")
    assert window.edit.property("invalid") is False


def test_a_refused_edit_is_left_alone_while_the_user_is_at_it(person: Person, window: Window) -> None:
    binding = bind_two_way(window.edit, person.field(lambda s: s.name))
    window.edit.clear()
    person.update(name="Bob")
    assert (window.edit.text(), bool(binding.error)) == ("", True)
    window.other.setFocus()
    assert (window.edit.text(), binding.error) == ("Bob", "")


def test_flush_tells_whether_the_state_has_what_is_shown(person: Person, window: Window) -> None:
    binding = bind_two_way(window.edit, person.field(lambda s: s.name))
    assert binding.flush()
    window.edit.clear()
    assert not binding.flush()
    window.edit.setText("Bob")
    assert binding.flush()


# ------------------------------------------------------------------------------------------------- when it is written


def test_a_debounced_edit_is_written_when_no_key_has_followed(
    qtorch_clock: FakeClock, person: Person, window: Window
) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.email), debounce=0.3)
    told: list[str] = []
    person.changed("email").connect(told.append)
    QTest.keyClicks(window.edit, "ab")
    qtorch_clock.advance(0.299)
    QTest.keyClicks(window.edit, "c")
    qtorch_clock.advance(0.299)
    assert told == []
    qtorch_clock.advance(0.001)
    assert told == ["abc"]
    assert qtorch_clock.pending == 0


def test_an_edit_that_waits_wins_over_what_comes_meanwhile(
    qtorch_clock: FakeClock, person: Person, window: Window
) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.email), debounce=0.3)
    QTest.keyClicks(window.edit, "abc")
    person.update(email="zzz")
    assert window.edit.text() == "abc"
    qtorch_clock.advance(0.3)
    assert person.state.email == "abc"


def test_flush_and_the_loss_of_the_focus_do_not_wait(qtorch_clock: FakeClock, person: Person, window: Window) -> None:
    binding = bind_two_way(window.edit, person.field(lambda s: s.email), debounce=0.3)
    QTest.keyClicks(window.edit, "a")
    assert binding.flush()
    assert person.state.email == "a"
    QTest.keyClicks(window.edit, "b")
    window.other.setFocus()
    assert person.state.email == "ab"
    assert qtorch_clock.pending == 0


@pytest.mark.parametrize("end", ["deleted", "window deleted", "deleted later", "window dropped"])
@pytest.mark.parametrize("is_focused", [True, False])
def test_an_edit_that_waits_is_written_at_the_widget_s_end(
    qtorch_clock: FakeClock, person: Person, qtbot: QtBot, end: str, is_focused: bool
) -> None:
    window = Window()
    edit = window.edit if is_focused else window.other
    window.show()
    window.activateWindow()
    window.edit.setFocus()
    QApplication.processEvents()
    qtbot.waitUntil(window.edit.hasFocus)
    bind_two_way(edit, person.field(lambda s: s.email), debounce=0.3)
    bind(edit, "toolTip", person.select(lambda s: s.email))
    edit.setText("typed")
    assert person.state.email == ""
    if end == "deleted":
        shiboken6.delete(edit)
    elif end == "window deleted":
        shiboken6.delete(window)
    elif end == "deleted later":
        edit.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    else:
        del edit, window
        gc.collect()
    assert person.state.email == "typed"
    assert qtorch_clock.pending == 0


def test_an_edit_that_waits_and_is_refused_is_lost_with_its_widget_only(
    qtorch_clock: FakeClock, person: Person, window: Window, qtorch_runtime: TestRuntime
) -> None:
    bind_two_way(window.other, person.field(lambda s: s.name), debounce=0.3)
    window.other.clear()
    shiboken6.delete(window.other)
    assert person.state.name == "Ann"
    assert qtorch_runtime.reports == []


def test_commit_at_the_finish_waits_for_return_or_the_loss_of_the_focus(person: Person, window: Window) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.email), commit="finish")
    QTest.keyClicks(window.edit, "abc")
    assert person.state.email == ""
    QTest.keyClick(window.edit, Qt.Key.Key_Return)
    assert person.state.email == "abc"
    QTest.keyClicks(window.edit, "d")
    window.other.setFocus()
    assert person.state.email == "abcd"


def test_a_widget_whose_own_validator_objects_still_hands_over_when_it_is_left(person: Person, window: Window) -> None:
    from PySide6.QtGui import QIntValidator

    window.edit.setValidator(QIntValidator(100, 200))
    binding = bind_two_way(window.edit, person.field(lambda s: s.email), commit="finish")
    QTest.keyClicks(window.edit, "5")  # may become acceptable, so Qt does not tell that the edit is finished
    window.other.setFocus()
    assert person.state.email == "5"
    assert binding.error == ""


# ------------------------------------------------------------------------------------------------------ nothing there


def test_where_the_path_leads_through_none_the_widget_is_empty_and_disabled(person: Person, window: Window) -> None:
    bind_two_way(window.edit, person.field(lambda s: s.address.city))  # type: ignore[union-attr]
    assert (window.edit.text(), window.edit.isEnabled()) == ("", False)
    person.update(address=Address(city="Rome"))
    assert (window.edit.text(), window.edit.isEnabled()) == ("Rome", True)
    window.edit.setFocus()
    window.edit.setText("Oslo")
    assert person.state.address == Address(city="Oslo")
    window.edit.clear()
    assert window.edit.property("invalid") is True
    person.update(address=None)
    assert (window.edit.text(), window.edit.isEnabled()) == ("", False)
    assert window.edit.property("invalid") is False
    assert not window.edit.isUndoAvailable() or person.state.address is None


def test_a_widget_that_was_disabled_before_is_not_enabled_by_a_path(person: Person, window: Window) -> None:
    window.edit.setEnabled(False)
    bind_two_way(window.edit, person.field(lambda s: s.address.city))  # type: ignore[union-attr]
    person.update(address=Address(city="Rome"))
    assert not window.edit.isEnabled()


def test_an_edit_that_waits_is_dropped_when_there_is_nothing_to_write_it_to(
    qtorch_clock: FakeClock, person: Person, window: Window, qtorch_runtime: TestRuntime
) -> None:
    person.update(address=Address())
    bind_two_way(window.edit, person.field(lambda s: s.address.city), debounce=0.3)  # type: ignore[union-attr]
    QTest.keyClicks(window.edit, "x")
    person.update(address=None)
    qtorch_clock.advance(1)
    person.update(address=Address())
    assert window.edit.text() == "Paris"
    assert person.state.address == Address()


# --------------------------------------------------------------------------------------------------------- text edits


@pytest.mark.parametrize("kind", [QPlainTextEdit, QTextEdit])
def test_a_text_edit_keeps_caret_selection_and_undo_over_a_change_from_elsewhere(
    person: Person, window: Window, kind: type[QPlainTextEdit | QTextEdit]
) -> None:
    edit = window.add(kind())
    bind_two_way(edit, person.field(lambda s: s.email))
    edit.setFocus()
    edit.insertPlainText("hello 😀 world")  # QTest has no key for an emoji
    caret = edit.textCursor()
    caret.setPosition(14)
    caret.setPosition(9, QTextCursor.MoveMode.KeepAnchor)
    edit.setTextCursor(caret)
    person.update(email="hello, dear 😀 world")
    assert edit.toPlainText() == "hello, dear 😀 world"
    assert edit.textCursor().selectedText() == "world"
    assert edit.textCursor().position() < edit.textCursor().anchor()
    edit.undo()
    assert person.state.email == "hello 😀 world"


def test_a_text_edit_is_not_scrolled_by_a_change_from_elsewhere(person: Person, window: Window, qtbot: QtBot) -> None:
    edit = window.add(QPlainTextEdit())
    edit.setFixedHeight(60)
    person.update(email="\n".join(map(str, range(200))))
    bind_two_way(edit, person.field(lambda s: s.email))
    edit.setFocus()
    qtbot.waitUntil(lambda: edit.verticalScrollBar().maximum() > 100)
    edit.verticalScrollBar().setValue(100)
    person.update(email=person.state.email + "\nmore")
    assert edit.verticalScrollBar().value() == 100


def test_line_ends_of_other_systems_are_no_difference(person: Person, window: Window) -> None:
    edit = window.add(QPlainTextEdit())
    edit.textChanged.connect(lambda: changes.append(1))
    changes: list[int] = []
    person.update(email="a\r\nb")
    bind_two_way(edit, person.field(lambda s: s.email))
    changes.clear()
    person.update(name="Bob")
    person.update(email="a\rb")
    assert (edit.toPlainText(), changes) == ("a\nb", [])
    assert person.state.email == "a\rb"


def test_a_changed_format_is_no_edit(person: Person, window: Window) -> None:
    edit = window.add(QTextEdit())
    person.update(email="bold")
    bind_two_way(edit, person.field(lambda s: s.email), commit="finish")
    edit.selectAll()
    edit.setFontItalic(True)
    person.update(email="bolder")
    assert edit.toPlainText() == "bolder"


# -------------------------------------------------------------------------------------------------------- check boxes


def test_a_check_box_is_a_flag_both_ways(person: Person, window: Window) -> None:
    box = window.add(QCheckBox())
    bind_two_way(box, person.field(lambda s: s.is_vip))
    box.click()
    assert person.state.is_vip
    person.update(is_vip=False)
    assert not box.isChecked()


def test_a_check_box_with_three_states_has_one_for_none(person: Person, window: Window) -> None:
    box = window.add(QCheckBox())
    box.setTristate(True)
    bind_two_way(box, person.field(lambda s: s.agrees))
    assert box.checkState() is Qt.CheckState.PartiallyChecked
    box.setCheckState(Qt.CheckState.Unchecked)
    assert person.state.agrees is False
    person.update(agrees=None)
    assert box.checkState() is Qt.CheckState.PartiallyChecked


def test_a_check_box_with_two_states_stays_one_whatever_comes(person: Person, window: Window) -> None:
    box = window.add(QCheckBox())
    bind_two_way(box, person.field(lambda s: s.agrees))
    assert (box.checkState(), box.isTristate()) == (Qt.CheckState.Unchecked, False)
    box.click()
    assert person.state.agrees is True


def test_a_check_box_parses_and_formats(person: Person, window: Window) -> None:
    box = window.add(QCheckBox())
    bind_two_way(
        box,
        person.field(lambda s: s.email),
        parse=lambda is_on: "yes" if is_on else "",
        format=lambda email: email == "yes",
    )
    box.click()
    assert person.state.email == "yes"


# -------------------------------------------------------------------------------------------------------- combo boxes


def test_a_combo_box_is_bound_by_the_data_of_its_items(person: Person, window: Window) -> None:
    box = window.add(QComboBox())
    box.addItem("France", "fr")
    box.addItem("Italy", "it")
    bind_two_way(box, person.field(lambda s: s.country))
    assert box.currentText() == "Italy"
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Up)
    assert person.state.country == "fr"
    person.update(country="it")
    assert box.currentText() == "Italy"


def test_a_combo_box_without_data_is_bound_by_its_texts(person: Person, window: Window) -> None:
    box = window.add(QComboBox())
    box.addItems(["fr", "it"])
    bind_two_way(box, person.field(lambda s: s.country))
    assert box.currentIndex() == 1
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Up)
    assert person.state.country == "fr"


def test_a_value_that_is_not_among_the_items_is_shown_as_no_choice_and_stays(person: Person, window: Window) -> None:
    box = window.add(QComboBox())
    box.addItems(["fr", "it"])
    bind_two_way(box, person.field(lambda s: s.country))
    person.update(country="xx")
    assert (box.currentIndex(), person.state.country) == (-1, "xx")


def test_items_that_come_later_or_anew_never_write(person: Person, window: Window) -> None:
    box = window.add(QComboBox())
    told: list[str] = []
    bind_two_way(box, person.field(lambda s: s.country))
    person.changed("country").connect(told.append)
    assert box.currentIndex() == -1
    box.addItems(["fr", "it"])
    assert box.currentText() == "it"
    box.clear()
    box.addItems(["xx", "it", "yy"])
    assert (box.currentText(), told) == ("it", [])


def test_items_of_a_source_keep_the_choice_and_its_place(person: Person, window: Window) -> None:
    box = window.add(QComboBox())
    told: list[str] = []
    bind_two_way(box, person.field(lambda s: s.country), items=person.select(lambda s: s.choices))
    person.changed("country").connect(told.append)
    assert (box.count(), box.currentText()) == (2, "Italy")
    person.update(choices=(("Chile", "cl"), *person.state.choices))
    assert (box.currentIndex(), box.currentText()) == (2, "Italy")
    person.update(choices=(("Chile", "cl"), ("France", "fr")))
    assert (box.currentIndex(), person.state.country) == (-1, "it")
    person.update(choices=(("Italia", "it"),))
    assert (box.currentText(), told) == ("Italia", [])
    person.update(choices=(("Italia", "it"), ("France", "fr")))
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Down)
    assert told == ["fr"]


def test_none_may_be_a_choice_among_others(person: Person, window: Window) -> None:
    box = window.add(QComboBox())
    bind_two_way(box, person.field(lambda s: s.country), items=[("nowhere", None), ("Italy", Country.ITALY)])
    assert box.currentText() == "Italy"
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Up)
    assert person.state.country is None
    assert box.currentText() == "nowhere"


def test_a_refused_choice_stays_visible_and_marked(person: Person, window: Window) -> None:
    box = window.add(QComboBox())
    box.addItems(["30", "400"])
    binding = bind_two_way(box, person.field(lambda s: s.age), format=str)
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Down)
    assert (box.currentText(), person.state.age) == ("400", 30)
    assert box.property("invalid") is True
    assert "150" in binding.error
    QTest.keyClick(box, Qt.Key.Key_Up)
    assert binding.error == ""


def test_an_editable_combo_box_is_a_line_edit(person: Person, window: Window) -> None:
    box = window.add(QComboBox())
    box.setEditable(True)
    box.addItems(["fr", "it"])
    bind_two_way(box, person.field(lambda s: s.name))
    assert box.currentText() == "Ann"
    box.setFocus()
    QTest.keyClicks(box, "a")
    assert person.state.name == "Anna"
    box.setEditText("")
    assert box.property("invalid") is True
    window.other.setFocus()
    person.update(name="Bob")
    assert (box.currentText(), box.property("invalid")) == ("Bob", False)


# ---------------------------------------------------------------------------------------------------- what is refused


def test_two_bindings_of_one_widget_are_refused_until_the_first_is_unbound(person: Person, window: Window) -> None:
    window.edit.setObjectName("email")
    first = bind_two_way(window.edit, person.field(lambda s: s.email))
    with pytest.raises(RuntimeError, match=r"QLineEdit 'email' has a two-way binding already(.|\n)*unbind\(\)"):
        bind_two_way(window.edit, person.field(lambda s: s.name))
    first.unbind()
    bind_two_way(window.edit, person.field(lambda s: s.name))
    assert window.edit.text() == "Ann"


def test_what_is_no_field_and_what_has_no_editor_are_refused(person: Person, window: Window) -> None:
    with pytest.raises(TypeError, match=r"takes a field, not select\(<lambda> at test_bind_two_way.py:\d+\)"):
        bind_two_way(window.edit, person.select(lambda s: s.email))  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"line and text edits, .* date and time edits, not QLabel"):
        bind_two_way(window.add(QLabel()), person.field(lambda s: s.email))  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="items= is for a combo box"):
        bind_two_way(window.edit, person.field(lambda s: s.email), items=())  # type: ignore[call-overload]
    with pytest.raises(ValueError, match='commit is "type" or "finish"'):
        bind_two_way(window.edit, person.field(lambda s: s.email), commit="later")  # type: ignore[call-overload]


def test_a_path_that_does_not_exist_is_refused_and_leaves_nothing_behind(person: Person, window: Window) -> None:
    with pytest.raises(AttributeError, match="emial"):
        bind_two_way(window.edit, person.field(lambda s: s.emial))  # type: ignore[attr-defined]
    with pytest.raises(ZeroDivisionError):
        bind_two_way(window.edit, person.field(lambda s: s.age), format=lambda age: str(1 // (age - 30)))
    window.edit.setText("free")
    assert window.edit.findChildren(TwoWayBinding) == []
    assert person.state.email == ""


# ----------------------------------------------------------------------------------------------------------- lifetime


def test_an_unbound_widget_and_its_field_go_their_own_ways(
    qtorch_clock: FakeClock, person: Person, window: Window
) -> None:
    binding = bind_two_way(window.edit, person.field(lambda s: s.email), debounce=0.3)
    QTest.keyClicks(window.edit, "a")
    binding.unbind()
    assert person.state.email == "a"
    QTest.keyClicks(window.edit, "b")
    person.update(email="c")
    qtorch_clock.advance(1)
    assert (window.edit.text(), person.state.email) == ("ab", "c")
    binding.unbind()


def test_200_forms_made_and_dropped_leave_nothing_without_the_collector(qtorch_runtime: TestRuntime) -> None:
    class Form(QWidget):
        def __init__(self) -> None:
            super().__init__()
            self.person = Person(PersonState())
            self.edit, self.notes = QLineEdit(self), QPlainTextEdit(self)
            self.box, self.country = QCheckBox(self), QComboBox(self)
            bind_two_way(self.edit, self.person.field(lambda s: s.email), debounce=0.3)
            bind_two_way(self.notes, self.person.field(lambda s: s.motto))
            bind_two_way(self.box, self.person.field(lambda s: s.is_vip))
            bind_two_way(
                self.country, self.person.field(lambda s: s.country), items=self.person.select(lambda s: s.choices)
            )

    gc.collect()
    gc.disable()
    died: list[weakref.ref[object]] = []
    for number in range(200):
        form = Form()
        form.edit.setText(str(number))
        form.edit.setText("") if number % 3 else None
        form.box.click()
        died += [weakref.ref(form.person), weakref.ref(form.edit), weakref.ref(form.edit.findChild(TwoWayBinding))]
        if number % 2:
            shiboken6.delete(form)
        del form
    assert [ref for ref in died if ref() is not None] == []
    gc.enable()


def test_a_widget_deleted_by_a_listener_of_its_own_edit_is_no_fault(
    qtorch_clock: FakeClock, person: Person, window: Window, qtorch_runtime: TestRuntime
) -> None:
    bind_two_way(window.other, person.field(lambda s: s.email), debounce=0.3)
    person.changed("email").connect(lambda _: shiboken6.delete(window.other))
    # Not in its own key event: Qt itself does not survive that.
    QTest.keyClicks(window.other, "a")
    qtorch_clock.advance(0.3)
    assert person.state.email == "a"
    assert not shiboken6.isValid(window.other)
    assert qtorch_runtime.reports == []


def test_the_line_edit_inside_another_widget_can_be_bound(person: Person, window: Window) -> None:
    spin = window.add(QSpinBox())
    bind_two_way(spin.lineEdit(), person.field(lambda s: s.email))
    gc.collect()
    person.update(email="7")
    assert spin.lineEdit().text() == "7"

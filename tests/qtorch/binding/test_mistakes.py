"""Ordinary mistakes: one clear error each, which names widget, property and selector; the other bindings go on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit

from qtorch import BaseOrchestrator, BaseState, ClosedError, Command, WrongThreadError, bind, bind_two_way

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime


class NoteState(BaseState):
    title: str = "one"
    words: int = 3


class Notes(BaseOrchestrator[NoteState]):
    pass


@pytest.fixture
def notes(qtorch_runtime: TestRuntime) -> Notes:
    return Notes(NoteState())


@pytest.fixture
def label(qtbot: QtBot) -> QLabel:
    label = QLabel()
    label.setObjectName("title")
    qtbot.addWidget(label)
    return label


@pytest.fixture
def edit(qtbot: QtBot) -> QLineEdit:
    edit = QLineEdit()
    edit.setObjectName("name")
    qtbot.addWidget(edit)
    return edit


def elsewhere(function: Callable[[], object]) -> BaseException | None:
    """Call ``function`` on a thread of its own, and give what it raises."""
    raised: list[BaseException] = []

    def call() -> None:
        try:
            function()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    return raised[0] if raised else None


def test_binding_to_a_closed_orchestrator_is_refused(notes: Notes, label: QLabel, edit: QLineEdit) -> None:
    notes.close()
    of = r"of Notes, which is closed"
    with pytest.raises(ClosedError, match=rf"QLabel 'title'\.text was bound to select\(<lambda> at .*\) {of}"):
        bind(label, "text", notes.select(lambda s: s.title))
    with pytest.raises(ClosedError, match=rf"QLineEdit 'name' was bound to field\(title\) {of}"):
        bind_two_way(edit, notes.field(lambda s: s.title))
    with pytest.raises(ClosedError, match=rf"Command .* was bound to select\(<lambda> at .*\) {of}"):
        Command(int, can=notes.select(lambda s: s.words > 0))
    with pytest.raises(ClosedError, match=of):
        bind(label, "text", notes.select(lambda s: s.title).map(str.upper))


def test_an_edit_that_comes_after_the_close_is_marked_and_reported_not_lost_in_silence(
    notes: Notes, edit: QLineEdit, qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    bind_two_way(edit, notes.field(lambda s: s.title))
    notes.close()
    with qtbot.captureExceptions():
        edit.setText("two")
    assert (edit.text(), edit.property("invalid"), notes.state.title) == ("two", True, "one")
    (report,) = qtorch_runtime.reports
    qtorch_runtime.reports.clear()
    assert isinstance(report.error, ClosedError)
    assert str(report.error).startswith("field(title) was written after Notes was closed")
    assert report.where == "QLineEdit 'name' <-> field(title)"


def test_two_two_way_bindings_on_one_widget_are_refused(notes: Notes, edit: QLineEdit) -> None:
    bind_two_way(edit, notes.field(lambda s: s.title))
    with pytest.raises(RuntimeError, match=r"QLineEdit 'name' has a two-way binding already"):
        bind_two_way(edit, notes.field(lambda s: s.title))
    edit.setText("two")
    assert notes.state.title == "two"


def test_a_selector_that_raises_is_named_with_its_widget_and_the_others_go_on(
    notes: Notes, label: QLabel, edit: QLineEdit, qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    bind(label, "text", notes.select(lambda s: str(6 // s.words)))
    bind(edit, "text", notes.select(lambda s: f"{s.words}"))
    with qtbot.captureExceptions():
        notes.update(words=0)
    (report,) = qtorch_runtime.reports
    qtorch_runtime.reports.clear()
    assert isinstance(report.error, ZeroDivisionError)
    assert report.where.startswith("Notes, QLabel 'title'.text = select(<lambda> at test_mistakes.py:")
    assert (label.text(), edit.text()) == ("2", "0")
    notes.update(words=1)
    assert label.text() == "6"


@pytest.mark.realtime
@pytest.mark.parametrize(
    "write", [lambda notes: notes.update(title="two"), lambda notes: notes.field(lambda s: s.title).set("two")]
)
def test_a_write_from_a_worker_thread_is_refused_and_names_what_it_would_have_changed(
    notes: Notes, label: QLabel, write: Callable[[Notes], object]
) -> None:
    bind(label, "text", notes.select(lambda s: s.title))
    error = elsewhere(lambda: write(notes))
    assert isinstance(error, WrongThreadError)
    assert "the state of Notes was written on another thread" in str(error)
    assert "(title would have changed)" in str(error)
    notes.update(title="three")
    assert label.text() == "three"


@pytest.mark.realtime
def test_a_binding_made_on_a_worker_thread_is_refused(notes: Notes, label: QLabel, edit: QLineEdit) -> None:
    for make in (
        lambda: bind(label, "text", notes.select(lambda s: s.title)),
        lambda: bind_two_way(edit, notes.field(lambda s: s.title)),
    ):
        error = elsewhere(make)
        assert isinstance(error, WrongThreadError)
        assert "was bound outside its own thread" in str(error)


def test_a_setter_that_takes_another_type_names_the_conversion(notes: Notes, label: QLabel) -> None:
    words: Any = notes.select(lambda s: s.words)
    with pytest.raises(TypeError, match=r"QLabel 'title'\.text takes a QString(.|\n)*to=str"):
        bind(label, "text", words)

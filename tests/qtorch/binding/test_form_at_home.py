"""A form as a part of something else: an orchestrator that owns it, records that come and go in it."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
import shiboken6
from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPushButton, QWidget

from qtorch import (
    BaseExecutor,
    BaseJob,
    BaseOrchestrator,
    BaseState,
    JobFailureEvent,
    WrongThreadError,
    bind_command,
    bind_two_way,
    on,
)
from qtorch.binding.form import Form

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing import FakeClock
    from qtorch.testing.hygiene import TestRuntime


class Person(BaseModel):
    name: str = Field(min_length=1)
    role: Literal["viewer", "admin"]
    is_public: bool
    level: int = 3


ANN = Person(name="Ann", role="admin", is_public=True, level=7)


class SaveJob(BaseJob[Person]):
    person: Person


class Refusing(BaseExecutor[SaveJob]):
    def process(self, job: SaveJob) -> Person:
        raise LookupError("full")


class PageState(BaseState):
    problem: str = ""


class Page(BaseOrchestrator[PageState]):
    """Owns a form, and stores what is in it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(PageState(), parent=parent)
        self.form = Form(Person, submit=self._save, can=lambda s: s.is_dirty, parent=self)

    def _save(self, person: Person) -> SaveJob:
        return SaveJob(person=person)

    @on(JobFailureEvent, SaveJob)
    def _not_saved(self, event: JobFailureEvent) -> None:
        self.update(problem=str(event.error))


@pytest.mark.realtime
def test_a_job_of_a_submit_is_one_of_the_orchestrator_whose_method_it_is(
    qtorch_runtime: TestRuntime, qtbot: QtBot
) -> None:
    qtorch_runtime.register(Refusing())
    page = Page()
    page.form.load(ANN)
    page.form.field(lambda p: p.name).set("Anna")
    page.form.submit.trigger()
    assert page.is_job_type_running(SaveJob)
    qtbot.waitUntil(lambda: not page.form.submit.running)
    assert page.state.problem == "full"
    assert qtorch_runtime.reports == []


def test_a_form_does_not_keep_the_owner_alive_whose_method_submits_it(qtorch_runtime: TestRuntime) -> None:
    class Window(QWidget):
        def __init__(self) -> None:
            super().__init__()
            self.panel = QWidget(self)
            self.form = Form(Person, submit=self.save, parent=self.panel)
            self.button = QPushButton(self.panel)
            bind_command(self.button, self.form.submit)

        def save(self, person: Person) -> None: ...

    gc.collect()
    gc.disable()
    try:
        window, page = Window(), Page()
        dead: list[weakref.ref[Any]] = [weakref.ref(one) for one in (window, window.form, page, page.form)]
        shiboken6.delete(window)
        del window, page
        assert [ref() for ref in dead] == [None] * 4
    finally:
        gc.enable()


def test_a_submit_right_after_an_edit_in_a_hook_is_allowed_by_what_is_there_now(qtorch_runtime: TestRuntime) -> None:
    form = Form(Person, can=lambda s: s.is_dirty)
    form.load(ANN)
    given: list[Person] = []
    form.submit.finished.connect(given.append)
    with form.batch():  # as while the bus delivers: what changes is told at the end
        form.field(lambda p: p.name).set("Anna")
        form.submit.trigger()
    assert [person.name for person in given] == ["Anna"]


def test_what_waits_in_a_widget_decides_whether_a_submit_is_allowed(
    qtorch_runtime: TestRuntime, qtorch_clock: FakeClock, qtbot: QtBot
) -> None:
    name = QLineEdit()
    qtbot.addWidget(name)
    form = Form(Person, can=lambda s: s.is_dirty)
    form.load(ANN)
    bind_two_way(name, form.field(lambda p: p.name), debounce=1)
    given: list[Person] = []
    form.submit.finished.connect(given.append)
    name.setText("Anna")
    form.submit.trigger()
    assert [person.name for person in given] == ["Anna"]
    form.field(lambda p: p.name).set("Bo")
    name.setText("Anna")  # as it is stored
    form.submit.trigger()
    assert len(given) == 1


def test_a_submit_that_is_not_allowed_shows_nothing(qtorch_runtime: TestRuntime) -> None:
    form = Form(Person, can=lambda s: s.is_dirty)
    form.submit.trigger()
    assert form.summary == ""


# ------------------------------------------------------------------------------------------------------ nobody is there


def test_a_cleared_form_is_as_it_began(qtorch_runtime: TestRuntime, qtbot: QtBot) -> None:
    name, role, is_public = QLineEdit(), QComboBox(), QCheckBox()
    for widget in (name, role, is_public):
        qtbot.addWidget(widget)
    form = Form(Person)
    bind_two_way(name, form.field(lambda p: p.name))
    bind_two_way(role, form.field(lambda p: p.role), items=(("Viewer", "viewer"), ("Administrator", "admin")))
    bind_two_way(is_public, form.field(lambda p: p.is_public))
    form.load(ANN)
    name.setText("")
    form.refuse({"role": "is taken"})
    form.clear()
    assert (name.text(), role.currentIndex(), is_public.isChecked()) == ("", -1, False)
    assert (form.value, form.is_dirty, form.is_valid, form.summary) == (None, False, False, "")
    assert form.field(lambda p: p.level).get() == 3
    assert name.property("invalid") is False


def test_what_comes_back_from_a_submit_does_not_fill_a_cleared_form(qtorch_runtime: TestRuntime) -> None:
    form = Form(Person, submit=lambda person: form.clear())
    form.load(ANN)
    form.submit.trigger()
    assert form.value is None


@pytest.mark.realtime
def test_a_form_is_not_cleared_on_another_thread(qtorch_runtime: TestRuntime) -> None:
    form = Form(Person)
    errors: list[BaseException] = []

    def clear() -> None:
        try:
            form.clear()
        except WrongThreadError as error:
            errors.append(error)

    thread = threading.Thread(target=clear)
    thread.start()
    thread.join()
    assert len(errors) == 1


# ------------------------------------------------------------------------------------------------------- its own words


@pytest.mark.parametrize("kind", ["too_long", "string_too_short", "enum", "missing"])
def test_an_error_of_the_program_is_told_in_its_own_words_also_if_pydantic_has_one_of_that_name(
    qtorch_runtime: TestRuntime, kind: Any
) -> None:
    def check(text: str) -> str:
        raise PydanticCustomError(kind, "Use at most {limit} letters.", {"limit": 3})

    class Note(BaseModel):
        text: Annotated[str, AfterValidator(check)]

    form = Form(Note)
    form.field(lambda n: n.text).set("abcd")
    assert form.error(lambda n: n.text).get() == "Use at most 3 letters."

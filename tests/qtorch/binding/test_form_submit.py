"""What happens when a form is submitted: by whom, with what, and what becomes of what was typed meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, Field
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget

from qtorch import BaseExecutor, BaseJob, JobFailureEvent, bind_command, bind_two_way, on
from qtorch.binding.form import Form

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime


class Person(BaseModel):
    name: str = Field(min_length=1)
    email: str = Field(min_length=1)
    version: int = 1


ANN = Person(name="Ann", email="ann@example.org")


class SaveJob(BaseJob[Person]):
    person: Person


class Saving(BaseExecutor[SaveJob]):
    """Stores the next version once it is released; refuses taken addresses."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def process(self, job: SaveJob) -> Person:
        while not self.released.wait(0.005):
            self.checkpoint(job)
        if job.person.email == "taken":
            raise LookupError("taken")
        return job.person.model_copy(update={"version": job.person.version + 1})


class PersonForm(Form[Person]):
    @on(JobFailureEvent, SaveJob)
    def _not_saved(self, event: JobFailureEvent) -> None:
        self.refuse({"email": f"is {event.error}", (): "Nothing was saved."})


@pytest.fixture
def saving(qtorch_runtime: TestRuntime) -> Iterator[Saving]:
    saving = Saving()
    qtorch_runtime.register(saving)
    yield saving
    saving.released.set()


@pytest.fixture
def form(saving: Saving) -> PersonForm:
    form = PersonForm(Person, submit=lambda person: SaveJob(person=person))
    form.load(ANN)
    return form


def wait_until_saved(qtbot: QtBot, form: Form[Any]) -> None:
    qtbot.waitUntil(lambda: not form.submit.running)


def test_while_something_is_wrong_nothing_is_dispatched_and_everything_wrong_is_shown(
    form: PersonForm, qtbot: QtBot
) -> None:
    finished: list[Any] = []
    form.submit.finished.connect(finished.append)
    form.load(Person.model_construct(name="", email="", version=1))
    assert form.summary == ""
    form.submit.trigger()
    assert (form.submit.running, form.has_active_jobs, form.submit.error, finished) == (False, False, None, [])
    assert form.summary == "Name: Fill this in.\nEmail: Fill this in."


@pytest.mark.realtime
def test_the_user_is_led_to_the_first_widget_that_is_wrong(form: PersonForm, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    other, email, name, hidden = (QLineEdit() for _ in range(4))
    for edit in (other, email, name, hidden):
        column.addWidget(edit)
    window.show()
    hidden.hide()
    other.setFocus()
    bind_two_way(name, form.field(lambda p: p.name))
    bind_two_way(hidden, form.field(lambda p: p.email))
    bind_two_way(email, form.field(lambda p: p.email))
    form.submit.trigger()  # valid: the focus stays
    form.submit.cancel()
    assert window.focusWidget() is other
    wait_until_saved(qtbot, form)
    form.load(Person.model_construct(name="", email="", version=1), keep_edits=False)
    form.submit.trigger()
    assert window.focusWidget() is email


@pytest.mark.realtime
def test_the_model_goes_as_a_job_of_the_form_and_what_is_stored_is_loaded(
    form: PersonForm, saving: Saving, qtbot: QtBot
) -> None:
    form.field(lambda p: p.name).set("Anna")
    form.submit.trigger()
    assert (form.submit.running, form.is_job_type_running(SaveJob), form.is_dirty) == (True, True, True)
    saving.released.set()
    wait_until_saved(qtbot, form)
    assert (form.value, form.is_dirty) == (Person(name="Anna", email=ANN.email, version=2), False)


@pytest.mark.realtime
def test_what_was_typed_meanwhile_stays_and_is_dirty(form: PersonForm, saving: Saving, qtbot: QtBot) -> None:
    form.field(lambda p: p.name).set("Anna")
    form.submit.trigger()
    form.field(lambda p: p.email).set("new")
    form.submit.trigger()  # it is on its way
    saving.released.set()
    wait_until_saved(qtbot, form)
    assert form.changes() == {"email": "new"}
    assert form.value == Person(name="Anna", email="new", version=2)


@pytest.mark.realtime
def test_what_is_typed_back_meanwhile_is_dirty(form: PersonForm, saving: Saving, qtbot: QtBot) -> None:
    form.field(lambda p: p.name).set("Anna")
    form.submit.trigger()
    form.field(lambda p: p.name).set("Ann")
    saving.released.set()
    wait_until_saved(qtbot, form)
    assert (form.changes(), form.conflicts) == ({"name": "Ann"}, ())


@pytest.mark.realtime
def test_what_the_server_refuses_is_shown_until_it_is_edited(form: PersonForm, saving: Saving, qtbot: QtBot) -> None:
    saving.released.set()
    edit = QLineEdit()
    bind_two_way(edit, form.field(lambda p: p.email))
    edit.setText("taken")
    form.submit.trigger()
    wait_until_saved(qtbot, form)
    assert (form.summary, edit.toolTip()) == ("Nothing was saved.\nEmail: is taken", "is taken")
    assert (form.is_valid, form.is_dirty) == (True, True)
    form.field(lambda p: p.name).set("Anna")
    assert form.summary == "Email: is taken"
    edit.setText("free")
    assert (form.summary, edit.property("invalid")) == ("", False)


@pytest.mark.realtime
def test_refusals_go_with_the_next_submit(form: PersonForm, saving: Saving) -> None:
    form.refuse({("email",): "is taken", ("no", "such"): "is odd"})
    assert form.summary == "is odd\nEmail: is taken"
    form.submit.trigger()
    assert form.summary == ""
    form.submit.cancel()


@pytest.mark.realtime
def test_a_cancelled_submit_leaves_what_was_typed(form: PersonForm, qtbot: QtBot) -> None:
    form.field(lambda p: p.name).set("Anna")
    form.submit.trigger()
    form.submit.cancel()
    wait_until_saved(qtbot, form)
    assert (form.changes(), form.submit.error) == ({"name": "Anna"}, None)


@pytest.mark.realtime
def test_another_record_loaded_meanwhile_is_not_touched_by_what_comes_back(
    form: PersonForm, saving: Saving, qtbot: QtBot
) -> None:
    bo = Person(name="Bo", email="bo")
    form.submit.trigger()
    form.load(bo, keep_edits=False)
    saving.released.set()
    wait_until_saved(qtbot, form)
    assert (form.value, form.is_dirty) == (bo, False)


def test_a_button_is_enabled_while_the_form_says_so(saving: Saving, qtbot: QtBot) -> None:
    form = PersonForm(Person, submit=lambda person: SaveJob(person=person), can=lambda s: s.is_dirty and s.is_valid)
    button = QPushButton()
    qtbot.addWidget(button)
    bind_command(button, form.submit)
    form.load(ANN)
    assert not button.isEnabled()
    form.field(lambda p: p.name).set("Anna")
    assert button.isEnabled()
    form.field(lambda p: p.name).set("")
    assert not button.isEnabled()


def test_without_work_to_do_a_submit_gives_the_model(qtorch_runtime: TestRuntime) -> None:
    form = Form(Person)
    form.load(ANN)
    form.field(lambda p: p.name).set("Anna")
    given: list[Any] = []
    form.submit.finished.connect(given.append)
    form.submit()
    assert (given, form.is_dirty) == ([Person(name="Anna", email=ANN.email)], False)


def test_work_that_raises_is_told_by_the_command_and_nothing_counts_as_stored(
    qtorch_runtime: TestRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.excepthook", lambda *_: None)

    def fail(person: Person) -> None:
        raise OSError("no disk")

    form = Form(Person, submit=fail)
    form.load(ANN)
    form.field(lambda p: p.name).set("Anna")
    form.submit.trigger()
    assert isinstance(form.submit.error, OSError)
    assert form.is_dirty


@pytest.mark.realtime
def test_a_version_loaded_while_another_is_stored_is_no_edit(form: PersonForm, saving: Saving, qtbot: QtBot) -> None:
    form.field(lambda p: p.name).set("Anna")
    form.submit.trigger()
    form.load(ANN.model_copy(update={"email": "theirs"}))
    saving.released.set()
    wait_until_saved(qtbot, form)
    assert form.value == Person(name="Anna", email=ANN.email, version=2)
    assert not form.is_dirty

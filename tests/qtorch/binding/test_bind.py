"""From a source to a property or a setter."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import shiboken6
from PySide6.QtCore import Property, QCoreApplication, QEvent, QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QProgressBar, QSpinBox, QWidget

from qtorch import BaseJob, BaseOrchestrator, BaseState, Binding, WrongThreadError, bind, combine, executes

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime


class Address(BaseState):
    city: str = "Paris"


class PersonState(BaseState):
    name: str = "Ann"
    age: int = 30
    nick: str | None = None
    is_vip: bool = False
    address: Address | None = None


class Person(BaseOrchestrator[PersonState]):
    pass


class WaitJob(BaseJob[None]):
    pass


@pytest.fixture
def person(qtorch_runtime: TestRuntime) -> Person:
    return Person(PersonState())


@pytest.fixture
def label(qapp: QApplication) -> Iterator[QLabel]:
    label = QLabel("-")
    label.setObjectName("name_label")
    yield label
    if shiboken6.isValid(label):
        shiboken6.delete(label)


@pytest.fixture
def no_gc() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# ------------------------------------------------------------------------------------------------------ what is shown


def test_the_current_value_is_shown_at_once_and_every_later_one(person: Person, label: QLabel) -> None:
    bind(label, "text", person.select(lambda s: s.name))
    assert label.text() == "Ann"
    person.update(name="Bob")
    assert label.text() == "Bob"


def test_the_binding_need_not_be_kept(person: Person, label: QLabel) -> None:
    bind(label, "text", person.select(lambda s: s.name))
    gc.collect()
    person.update(name="Bob")
    assert label.text() == "Bob"


def test_a_value_is_converted_on_its_way(person: Person, label: QLabel) -> None:
    bind(label, "text", person.select(lambda s: s.age), to=str)
    person.update(age=31)
    assert label.text() == "31"


def test_visible_and_enabled_are_properties_like_any_other(person: Person, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    child = QLabel(window)
    bind(child, "visible", person.select(lambda s: s.is_vip))
    bind(child, "enabled", person.select(lambda s: s.age >= 18))
    window.show()
    assert (child.isVisible(), child.isEnabled()) == (False, True)
    person.update(is_vip=True, age=3)
    assert (child.isVisible(), child.isEnabled()) == (True, False)


def test_an_action_and_a_progress_bar_are_bound_as_a_label_is(person: Person, qtbot: QtBot) -> None:
    action, bar = QAction(), QProgressBar()
    qtbot.addWidget(bar)
    bind(action, "text", person.select(lambda s: s.name))
    bind(bar, "value", person.select(lambda s: s.age))
    person.update(name="Bob", age=77)
    assert (action.text(), bar.value()) == ("Bob", 77)


def test_a_setter_is_called_with_the_value_now_and_later(person: Person, label: QLabel) -> None:
    bind(label.setText, person.select(lambda s: s.name))
    bind(label.setNum, person.select(lambda s: s.age))
    assert label.text() == "30"
    person.update(name="Bob")
    assert label.text() == "Bob"


def test_a_python_override_of_the_setter_is_the_one_that_is_called(person: Person, qtbot: QtBot) -> None:
    class Shouting(QLabel):
        def setText(self, text: str) -> None:
            super().setText(text.upper())

    label = Shouting()
    qtbot.addWidget(label)
    bind(label, "text", person.select(lambda s: s.name))
    person.update(name="Bob")
    assert label.text() == "BOB"


def test_a_property_that_a_python_class_defines_is_written_through_itself(person: Person, qtbot: QtBot) -> None:
    class Gauge(QWidget):
        def __init__(self) -> None:
            super().__init__()
            self._caption = ""

        def _get(self) -> str:
            return self._caption

        def _put(self, caption: str) -> None:
            self._caption = f"<{caption}>"

        def setCaption(self) -> None:
            raise AssertionError("of that name by chance")

        caption = Property(str, _get, _put)

    gauge = Gauge()
    qtbot.addWidget(gauge)
    bind(gauge, "caption", person.select(lambda s: s.name))
    assert gauge.property("caption") == "<Ann>"


def test_a_function_is_called_for_the_life_of_its_owner(person: Person, label: QLabel) -> None:
    names: list[str] = []
    bind(names.append, person.select(lambda s: s.name), owner=label)
    person.update(name="Bob")
    shiboken6.delete(label)
    person.update(name="Cyd")
    assert names == ["Ann", "Bob"]


def test_a_change_of_a_dynamic_property_restyles_the_widget(person: Person, label: QLabel) -> None:
    label.setProperty("vip", False)
    label.setStyleSheet('QLabel { font-size: 10px } QLabel[vip="true"] { font-size: 30px }')
    bind(label, "vip", person.select(lambda s: s.is_vip))
    before = label.sizeHint().height()
    person.update(is_vip=True)
    assert label.property("vip") is True
    assert label.sizeHint().height() > before


def test_only_a_different_value_is_written(person: Person, qtbot: QtBot) -> None:
    written: list[str] = []

    class Counting(QLabel):
        def setText(self, text: str) -> None:
            written.append(text)

    label = Counting()
    qtbot.addWidget(label)
    bind(label, "text", person.select(lambda s: s.age // 10), to=lambda decade: "young" if decade < 4 else "old")
    person.update(age=31)  # the selector gives the same
    person.update(age=25)  # the conversion does
    person.update(name="Bob")
    person.update(age=44)
    assert written == ["young", "old"]


def test_a_selector_runs_once_per_change_of_what_it_reads_however_many_are_bound(person: Person, qtbot: QtBot) -> None:
    calls: list[int] = []

    def nick_or_name(s: PersonState) -> str:
        calls.append(1)
        return s.nick or "" if s.is_vip else s.name

    source = person.select(nick_or_name)
    labels = [QLabel() for _ in range(3)]
    for label in labels:
        qtbot.addWidget(label)
        bind(label, "text", source)
    assert len(calls) == 1
    person.update(age=31)
    person.update(nick="Bo")  # not read while is_vip is False
    assert len(calls) == 1
    person.update(is_vip=True)
    person.update(nick="Bobby")
    assert [label.text() for label in labels] == ["Bobby"] * 3
    assert len(calls) == 3


def test_values_of_two_orchestrators_are_bound_together(person: Person, label: QLabel) -> None:
    other = Person(PersonState(name="Bob"))
    both = combine(person.select(lambda s: s.name), other.select(lambda s: s.name), "{} and {}".format)
    bind(label, "text", both)
    person.update(name="Cyd")
    other.update(name="Dan")
    assert label.text() == "Cyd and Dan"


def test_a_field_whose_path_leads_through_none_leaves_the_widget_empty(person: Person, label: QLabel) -> None:
    city = person.field(lambda s: s.address.city)  # type: ignore[union-attr]
    spin = QSpinBox()
    bind(label, "text", city, to=str.upper)
    bind(spin, "suffix", city)
    assert (label.text(), spin.suffix()) == ("", "")
    person.update(address=Address(city="Rome"))
    assert (label.text(), spin.suffix()) == ("ROME", "Rome")
    person.update(address=None)
    assert (label.text(), spin.suffix()) == ("", "")


def test_none_leaves_a_text_empty(person: Person, label: QLabel) -> None:
    bind(label, "text", person.select(lambda s: s.nick))
    person.update(nick="Bo")
    person.update(nick=None)
    assert label.text() == ""


# ---------------------------------------------------------------------------------------------------- what is refused


def test_a_wrong_name_is_refused_at_once_with_near_ones(person: Person, label: QLabel) -> None:
    with pytest.raises(AttributeError, match=r"QLabel 'name_label' has no Qt property 'txet'.*'text'"):
        bind(label, "txet", person.select(lambda s: s.name))


def test_a_read_only_name_is_refused_at_once(person: Person, label: QLabel) -> None:
    with pytest.raises(AttributeError, match="QLabel 'name_label' cannot be written in its Qt property 'selectedText'"):
        bind(label, "selectedText", person.select(lambda s: s.name))


def test_a_value_that_does_not_fit_is_refused_with_what_to_write(person: Person, label: QLabel) -> None:
    with pytest.raises(TypeError, match=r"QLabel 'name_label'\.text takes a QString.*the int 30.*\n.*to=str"):
        bind(label, "text", person.select(lambda s: s.age))
    with pytest.raises(TypeError, match=r"\.indent takes a int.*the str 'Ann'"):
        bind(label, "indent", person.select(lambda s: s.name))


def test_what_was_refused_is_not_bound(person: Person, label: QLabel) -> None:
    with pytest.raises(TypeError):
        bind(label, "text", person.select(lambda s: s.age))
    label.setText("as it was")
    person.update(age=31)
    assert label.text() == "as it was"
    assert label.findChildren(Binding) == []


def test_a_selector_that_raises_at_once_raises_to_whoever_binds(person: Person, label: QLabel) -> None:
    with pytest.raises(ZeroDivisionError):
        bind(label, "text", person.select(lambda s: f"{1 / (s.age - 30)}"))


def test_a_setter_without_an_owner_is_refused(person: Person) -> None:
    with pytest.raises(TypeError, match=r"calling print: it is no method of a QObject(.|\n)*owner=widget"):
        bind(print, person.select(lambda s: s.name))


def test_an_owner_that_is_no_qobject_is_refused(person: Person, label: QLabel) -> None:
    with pytest.raises(TypeError, match="owner= is a str"):
        bind(label.setText, person.select(lambda s: s.name), owner="label")  # type: ignore[call-overload]


def test_what_is_no_source_is_refused(person: Person, label: QLabel) -> None:
    with pytest.raises(TypeError, match=r"bind takes a source, not 'Ann'(.|\n)*orchestrator\.select"):
        bind(label, "text", "Ann")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="has no Qt properties"):
        bind(object(), "text", person.select(lambda s: s.name))  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="name of a property"):
        bind(label, person.select(lambda s: s.name))  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="or a setter, not 7"):
        bind(7, person.select(lambda s: s.name))  # type: ignore[call-overload]


def test_a_deleted_widget_is_refused(person: Person, label: QLabel) -> None:
    shiboken6.delete(label)
    with pytest.raises(RuntimeError, match="bound after Qt had deleted it"):
        bind(label, "text", person.select(lambda s: s.name))


@pytest.mark.realtime
def test_a_widget_of_another_thread_is_refused(person: Person, label: QLabel) -> None:
    errors: list[BaseException] = []

    def from_elsewhere() -> None:
        try:
            bind(label, "text", person.select(lambda s: s.name))
        except WrongThreadError as error:
            errors.append(error)

    thread = threading.Thread(target=from_elsewhere)
    thread.start()
    thread.join()
    assert "QLabel 'name_label' was bound outside its own thread" in str(errors[0])


# ---------------------------------------------------------------------------------------------- what goes wrong later


def test_what_a_selector_raises_is_reported_once_and_the_others_go_on(
    person: Person, label: QLabel, qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    other = QLabel()
    qtbot.addWidget(other)
    bind(label, "text", person.select(lambda s: f"{60 // s.age}"))
    bind(other, "text", person.select(lambda s: s.age), to=str)
    with qtbot.captureExceptions() as raised:
        person.update(age=0)
    assert [kind for kind, _, _ in raised] == [ZeroDivisionError]
    (report,) = qtorch_runtime.reports
    assert "QLabel 'name_label'.text = select(<lambda> at test_bind.py:" in report.where
    assert "Person" in report.where
    assert (label.text(), other.text()) == ("2", "0")
    qtorch_runtime.reports.clear()
    person.update(age=30)
    person.update(age=20)
    assert (label.text(), other.text()) == ("3", "20")


def test_a_selector_is_tried_again_when_what_it_raised_over_has_changed(
    person: Person, label: QLabel, qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    bind(label, "text", person.select(lambda s: s.address.city if s.is_vip else "hidden"))  # type: ignore[union-attr]
    with qtbot.captureExceptions():
        person.update(is_vip=True)
    person.update(address=Address(city="Rome"))
    assert label.text() == "Rome"
    qtorch_runtime.reports.clear()


def test_what_a_conversion_or_a_setter_raises_is_reported_with_its_place(
    person: Person, label: QLabel, qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    class Picky(QLabel):
        def show_name(self, name: str) -> None:
            if name == "Bob":
                raise ValueError(name)
            self.setText(name)

    picky = Picky()
    picky.setObjectName("picky")
    qtbot.addWidget(picky)
    bind(picky.show_name, person.select(lambda s: s.name))
    bind(label, "text", person.select(lambda s: s.name), to=lambda name: {"Ann": "A", "Cyd": "C"}[name])
    with qtbot.captureExceptions():
        person.update(name="Bob")
    places = sorted(report.where for report in qtorch_runtime.reports)
    assert len(places) == 2
    assert "Picky 'picky'.show_name = select(" in places[0]
    assert "QLabel 'name_label'.text = select(" in places[1]
    assert " to <lambda> at test_bind.py:" in places[1]
    qtorch_runtime.reports.clear()
    person.update(name="Cyd")
    assert (picky.text(), label.text()) == ("Cyd", "C")


def test_a_widget_deleted_by_another_listener_in_the_middle_of_an_update_is_left_alone(
    person: Person, label: QLabel, qtorch_runtime: TestRuntime
) -> None:
    killer = QObject()
    kills: list[str] = []

    def kill(name: str) -> None:
        if name == "Bob":
            kills.append(name)
            shiboken6.delete(label)

    bind(kill, person.select(lambda s: s.name), owner=killer)
    binding = bind(label, "text", person.select(lambda s: s.name))
    bind(label.setToolTip, person.select(lambda s: s.name))
    person.update(name="Bob")
    person.update(name="Cyd")
    assert kills == ["Bob"]
    assert qtorch_runtime.reports == []
    binding.unbind()


def test_a_setter_that_deletes_its_own_widget_is_no_fault(person: Person, qtorch_runtime: TestRuntime) -> None:
    class Fleeting(QLabel):
        def show_name(self, name: str) -> None:
            if name == "Bob":
                shiboken6.delete(self)

    fleeting = Fleeting()
    bind(fleeting.show_name, person.select(lambda s: s.name))
    bind(fleeting, "toolTip", person.select(lambda s: s.name))
    person.update(name="Bob")
    person.update(name="Cyd")
    assert qtorch_runtime.reports == []


# -------------------------------------------------------------------------------------------------------- how it ends


def test_an_unbound_widget_stays_as_it_is(person: Person, label: QLabel) -> None:
    binding = bind(label, "text", person.select(lambda s: s.name))
    binding.unbind()
    binding.unbind()
    person.update(name="Bob")
    assert label.text() == "Ann"
    assert label.findChildren(Binding) == []


def test_unbinding_in_the_middle_of_an_update_holds_at_once(person: Person, label: QLabel) -> None:
    bindings: list[Binding] = []

    def unbind_all(name: str) -> None:
        for binding in bindings:
            binding.unbind()

    bind(unbind_all, person.select(lambda s: s.name), owner=label)
    bindings.append(bind(label, "text", person.select(lambda s: s.name)))
    person.update(name="Bob")
    assert label.text() == "Ann"


@pytest.mark.parametrize("end", ["deleted later", "deleted", "parent deleted", "dropped"])
def test_with_its_widget_a_binding_goes_and_nothing_listens_any_more(
    qtorch_runtime: TestRuntime, end: str, no_gc: None
) -> None:
    person = Person(PersonState())
    window = QWidget()
    label = QLabel(window)
    calls: list[int] = []

    def name(s: PersonState) -> str:
        calls.append(1)
        return s.name

    binding = weakref.ref(bind(label, "text", person.select(name)))
    if end == "deleted later":
        label.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    elif end == "deleted":
        shiboken6.delete(label)
    elif end == "parent deleted":
        shiboken6.delete(window)
    else:
        label.setParent(None)
        del label
    assert binding() is None
    person.update(name="Bob")
    assert len(calls) == 1


def test_a_kept_binding_of_a_dead_widget_lets_go_at_the_next_change(qtorch_runtime: TestRuntime, no_gc: None) -> None:
    person = Person(PersonState())
    label = QLabel()
    binding = bind(label, "text", person.select(lambda s: s.name))
    shiboken6.delete(label)
    person.update(name="Bob")
    binding.unbind()
    died = weakref.ref(person)
    del person
    assert died() is None


def test_a_binding_keeps_its_orchestrator_alive_and_its_end_frees_it(qtorch_runtime: TestRuntime, no_gc: None) -> None:
    person = Person(PersonState())
    label = QLabel()
    bind(label, "text", person.select(lambda s: s.name), to=str.upper)
    bind(label, "toolTip", combine(person.select(lambda s: s.name), person.select(lambda s: s.age), "{} {}".format))
    alive = weakref.ref(person)
    del person
    assert alive() is not None
    alive().update(name="Bob")  # type: ignore[union-attr]
    assert (label.text(), label.toolTip()) == ("BOB", "Bob 30")
    del label
    assert alive() is None


def test_400_windows_made_and_dropped_leave_nothing_without_the_collector(
    qtorch_runtime: TestRuntime, no_gc: None
) -> None:
    class Window(QWidget):
        def __init__(self) -> None:
            super().__init__()
            self.person = Person(PersonState())
            self.label, self.edit = QLabel(self), QLineEdit(self)
            bind(self.label, "text", self.person.select(lambda s: s.name))
            bind(self.label, "visible", self.person.select(lambda s: s.is_vip))
            bind(self.edit.setText, self.person.select(lambda s: s.age), to=str)
            bind(self, "windowTitle", self.person.select(lambda s: s.name).map(str.upper))

    def alive() -> int:
        return sum(isinstance(one, Window | Person | Binding | QLabel) for one in gc.get_objects())

    before = alive()
    died: list[weakref.ref[QObject]] = []
    for number in range(400):
        window = Window()
        window.person.update(name=str(number))
        died.append(weakref.ref(window.person))
        if number % 2:
            shiboken6.delete(window)
        del window
    assert [ref for ref in died if ref() is not None] == []
    assert alive() == before


def test_a_widget_that_c_plus_plus_made_is_bound_for_its_own_life(person: Person, qtbot: QtBot) -> None:
    spin = QSpinBox()
    qtbot.addWidget(spin)
    bind(spin.lineEdit(), "placeholderText", person.select(lambda s: s.name))
    gc.collect()
    person.update(name="Bob")
    assert spin.lineEdit().placeholderText() == "Bob"


def test_a_closed_orchestrator_leaves_what_is_shown(person: Person, label: QLabel) -> None:
    bind(label, "text", person.select(lambda s: s.name))
    person.close()
    assert label.text() == "Ann"


def test_an_orchestrator_that_qt_deleted_leaves_what_is_shown(person: Person, label: QLabel) -> None:
    binding = bind(label, "text", person.select(lambda s: s.name))
    shiboken6.delete(person)
    assert label.text() == "Ann"
    binding.unbind()


def test_the_signals_of_a_widget_are_never_blocked_by_a_binding(person: Person, qtbot: QtBot) -> None:
    edit = QLineEdit()
    qtbot.addWidget(edit)
    bind(edit, "text", person.select(lambda s: s.name))
    with qtbot.waitSignal(edit.textChanged, timeout=100) as heard:
        person.update(name="Bob")
    assert heard.args == ["Bob"]


@pytest.mark.realtime
def test_a_spinner_is_shown_while_jobs_run_without_a_flag(
    person: Person, label: QLabel, qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    release = threading.Event()

    @executes(WaitJob)
    def wait(job: WaitJob) -> None:
        release.wait(5)

    qtorch_runtime.register(wait)
    bind(label, "enabled", person.running(WaitJob))
    assert not label.isEnabled()
    person.dispatch(WaitJob())
    qtbot.waitUntil(label.isEnabled)
    release.set()
    qtbot.waitUntil(lambda: not label.isEnabled())

"""A form: what is typed, what is wrong with it, and what is shown of that."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
import shiboken6
from pydantic import (
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    SecretStr,
    computed_field,
    field_validator,
    model_validator,
)
from pydantic.dataclasses import dataclass
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLabel, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from qtorch import BaseState, ClosedError, NoRuntimeError, Source, WrongThreadError, bind, bind_two_way
from qtorch.binding.form import Form
from qtorch.ports import MISSING

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing import FakeClock
    from qtorch.testing.hygiene import TestRuntime


class Address(BaseModel):
    street: str = Field(min_length=1)
    zip: str = Field(pattern=r"^\d{5}$")


class Person(BaseModel):
    name: str = Field(min_length=1)
    age: int = Field(ge=0)
    address: Address
    second: Address | None = None
    first_day: int = 1
    last_day: int = 7

    @field_validator("name")
    @classmethod
    def _stripped(cls, name: str) -> str:
        return name.strip()

    @model_validator(mode="after")
    def _in_order(self) -> Person:
        if self.first_day > self.last_day:
            raise ValueError("The first day comes after the last.")
        return self


ANN = Person(name="Ann", age=30, address=Address(street="Rue 1", zip="12345"))


class Window(QWidget):
    """Line edits, one below the other."""

    def __init__(self) -> None:
        super().__init__()
        self.column = QVBoxLayout(self)
        self.name, self.age, self.zip = (self.add(name) for name in ("name", "age", "zip"))

    def add(self, name: str) -> QLineEdit:
        edit = QLineEdit()
        edit.setObjectName(name)
        self.column.addWidget(edit)
        return edit


@pytest.fixture
def form(qtorch_runtime: TestRuntime) -> Form[Person]:
    return Form(Person)


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[Window]:
    window = Window()
    window.show()
    window.activateWindow()
    window.name.setFocus()
    QApplication.processEvents()
    qtbot.waitUntil(window.name.hasFocus)
    yield window
    if shiboken6.isValid(window):
        shiboken6.delete(window)


@pytest.fixture
def shown(form: Form[Person], window: Window) -> Window:
    """The window with the form's fields in it."""
    bind_two_way(window.name, form.field(lambda p: p.name))
    bind_two_way(window.age, form.field(lambda p: p.age))
    bind_two_way(window.zip, form.field(lambda p: p.address.zip))
    return window


def is_marked(widget: QWidget) -> bool:
    return bool(widget.property("invalid"))


def fill(form: Form[Person]) -> None:
    form.field(lambda p: p.name).set("Ann")
    form.field(lambda p: p.age).set(30)
    form.field(lambda p: p.address.street).set("Rue 1")
    form.field(lambda p: p.address.zip).set("12345")


# ------------------------------------------------------------------------------------------------- what is shown when


def test_an_empty_form_is_invalid_and_marks_nothing(form: Form[Person], shown: Window) -> None:
    assert (form.value, form.is_valid, form.is_dirty, form.summary) == (None, False, False, "")
    assert not any(map(is_marked, (shown.name, shown.age, shown.zip)))


def test_to_walk_through_the_fields_marks_nothing(form: Form[Person], shown: Window) -> None:
    for edit in (shown.name, shown.age, shown.zip):
        QTest.keyClick(edit, Qt.Key.Key_Tab)
    assert not any(map(is_marked, (shown.name, shown.age, shown.zip)))
    assert form.summary == ""


def test_what_is_typed_is_marked_with_its_first_letter_and_nothing_else_is(form: Form[Person], shown: Window) -> None:
    QTest.keyClicks(shown.zip, "1")
    assert shown.zip.toolTip() == shown.zip.accessibleDescription() == "Use the expected format."
    assert (is_marked(shown.zip), is_marked(shown.name)) == (True, False)
    QTest.keyClicks(shown.zip, "2345")
    assert (is_marked(shown.zip), shown.zip.toolTip()) == (False, "")


def test_the_widgets_own_tool_tip_and_description_come_back(form: Form[Person], shown: Window) -> None:
    shown.zip.setToolTip("Five digits")
    shown.zip.setAccessibleDescription("Of the town")
    QTest.keyClicks(shown.zip, "1")
    shown.zip.clear()
    QTest.keyClicks(shown.zip, "12345")
    assert (shown.zip.toolTip(), shown.zip.accessibleDescription()) == ("Five digits", "Of the town")


def test_an_error_is_a_source_that_is_empty_before_the_first_edit(form: Form[Person], qtbot: QtBot) -> None:
    label = QLabel()
    bind(label, "text", form.error(lambda p: p.address.zip))
    assert label.text() == ""
    form.field(lambda p: p.address.zip).set("1")
    assert label.text() == "Use the expected format."
    form.reset()
    assert label.text() == ""


def test_what_is_typed_stays_in_the_draft_and_the_model_is_there_once_everything_fits(
    form: Form[Person], shown: Window
) -> None:
    fill(form)
    assert form.value == ANN
    QTest.keyClicks(shown.age, "x")
    assert (form.value, shown.age.text()) == (None, "30x")
    QTest.keyClick(shown.age, Qt.Key.Key_Backspace)
    assert form.value == ANN


def test_a_trimmed_blank_can_be_typed_and_goes_when_the_field_is_left(form: Form[Person], shown: Window) -> None:
    fill(form)
    shown.name.setFocus()
    shown.name.setText("")
    QTest.keyClicks(shown.name, "Bo ")
    assert (shown.name.text(), form.value and form.value.name) == ("Bo ", "Bo")
    shown.age.setFocus()
    assert shown.name.text() == "Bo"


def test_a_rule_across_fields_is_shown_for_the_whole_form_and_goes_with_either(form: Form[Person]) -> None:
    form.load(ANN)
    form.field(lambda p: p.first_day).set(9)
    assert form.summary == "The first day comes after the last."
    form.field(lambda p: p.last_day).set(9)
    assert (form.summary, form.is_valid) == ("", True)


def test_a_mark_follows_an_edit_of_another_field(qtorch_runtime: TestRuntime, window: Window) -> None:
    class Range(BaseModel):
        first: int = 1
        last: int = 5

        @field_validator("last")
        @classmethod
        def _after(cls, last: int, info: Any) -> int:
            if last < info.data.get("first", last):
                raise ValueError("comes before the first")
            return last

    form = Form(Range)
    bind_two_way(window.name, form.field(lambda r: r.first))
    bind_two_way(window.age, form.field(lambda r: r.last))
    window.age.setText("6")
    window.name.setText("7")
    assert (is_marked(window.age), window.age.toolTip()) == (True, "comes before the first")
    window.name.setText("3")
    assert not is_marked(window.age)


def test_the_summary_names_each_field_by_its_title_in_the_order_of_the_model(
    qtorch_runtime: TestRuntime,
) -> None:
    class Trip(BaseModel):
        first_stop: str = Field(min_length=1)
        home: Address
        days: int = Field(title="Number of days")

    form = Form(Trip)
    form.submit.trigger()
    assert form.summary.splitlines() == [
        "First stop: Fill this in.",
        "Home, Street: Fill this in.",
        "Home, Zip: Fill this in.",
        "Number of days: Fill this in.",
    ]


def test_its_flags_are_qt_properties_and_sources(form: Form[Person], qtbot: QtBot) -> None:
    meta = form.metaObject()
    for name in ("is_dirty", "is_valid", "summary", "value"):
        assert meta.property(meta.indexOfProperty(name)).notifySignal().name().toStdString() == f"{name}Changed"
    heard: list[bool] = []
    form.select(lambda s: s.is_dirty).subscribe(heard.append)
    fill(form)
    form.reset()
    assert heard == [True, False]
    assert form.property("is_dirty") is False


# ------------------------------------------------------------------------------------------------- what was loaded


def test_a_loaded_model_is_valid_clean_and_shown(form: Form[Person], shown: Window) -> None:
    form.load(ANN)
    assert (form.value, form.is_dirty, form.changes()) == (ANN, False, {})
    assert (shown.name.text(), shown.age.text(), shown.zip.text()) == ("Ann", "30", "12345")


def test_a_loaded_model_that_breaks_the_rules_marks_nothing(form: Form[Person], shown: Window) -> None:
    form.load(Person.model_construct(name="", age=-1, address=ANN.address, second=None, first_day=1, last_day=2))
    assert (form.is_valid, form.is_dirty, form.summary) == (False, False, "")
    assert not is_marked(shown.age)


def test_a_loaded_model_is_clean_also_where_the_rules_make_another_of_it(form: Form[Person]) -> None:
    form.load(ANN.model_copy(update={"name": " Ann "}))
    assert (form.is_dirty, form.value) == (False, ANN)


def test_typed_back_to_what_was_loaded_is_not_dirty_even_while_something_else_is_wrong(
    form: Form[Person], shown: Window
) -> None:
    form.load(ANN)
    shown.zip.setText("1")
    shown.age.setText("31")
    shown.age.setText("30")
    shown.zip.setText("12345")
    assert (form.is_dirty, form.is_valid) == (False, True)


def test_only_what_changed_is_given_for_a_patch(form: Form[Person]) -> None:
    form.load(ANN)
    form.field(lambda p: p.address.zip).set("54321")
    assert form.changes() == {"address": {"zip": "54321"}}


def test_changes_of_an_invalid_form_are_refused(form: Form[Person]) -> None:
    with pytest.raises(ValueError, match="is not valid"):
        form.changes()


def test_a_new_version_is_followed_but_for_what_was_edited(form: Form[Person], shown: Window) -> None:
    form.load(ANN)
    shown.name.setText("Anna")
    form.load(ANN.model_copy(update={"age": 31}))
    assert (shown.name.text(), shown.age.text()) == ("Anna", "31")
    assert (form.changes(), form.conflicts) == ({"name": "Anna"}, ())


def test_what_both_changed_stays_mine_and_is_a_conflict_until_it_is_edited(form: Form[Person], shown: Window) -> None:
    form.load(ANN)
    shown.zip.setText("54321")
    form.load(ANN.model_copy(update={"address": Address(street="Rue 2", zip="99999")}))
    assert (shown.zip.text(), form.conflicts) == ("54321", (("Address", "Zip"),))
    assert form.value is not None
    assert form.value.address.street == "Rue 2"
    shown.zip.setText("99999")
    assert (form.conflicts, form.is_dirty) == ((), False)


def test_an_invalid_edit_stays_when_a_new_version_comes(form: Form[Person], shown: Window) -> None:
    form.load(ANN)
    shown.age.setText("x")
    form.load(ANN.model_copy(update={"name": "Bo"}))
    assert (shown.age.text(), is_marked(shown.age), shown.name.text()) == ("x", True, "Bo")


def test_another_record_takes_no_edits_over(form: Form[Person], shown: Window) -> None:
    form.load(ANN)
    shown.age.setText("x")
    bo = ANN.model_copy(update={"name": "Bo"})
    form.load(bo, keep_edits=False)
    assert (form.value, shown.age.text(), is_marked(shown.age)) == (bo, "30", False)


def test_a_reset_takes_edits_and_marks_back_also_where_the_user_is(form: Form[Person], shown: Window) -> None:
    form.load(ANN)
    shown.age.setFocus()
    QTest.keyClicks(shown.age, "x")
    form.reset()
    assert (shown.age.text(), is_marked(shown.age), form.is_dirty, form.value) == ("30", False, False, ANN)


# ------------------------------------------------------------------------------------------------ options of bindings


def test_what_parse_refuses_makes_the_form_invalid(form: Form[Person], window: Window) -> None:
    form.load(ANN)
    bind_two_way(window.age, form.field(lambda p: p.age), parse=int, format=lambda age: f"{age:d}")
    window.age.setText("3o")
    assert (form.value, form.is_valid, window.age.text()) == (None, False, "3o")
    assert is_marked(window.age)
    assert "Age: " in form.summary
    window.age.setText("31")
    assert form.value is not None
    assert form.value.age == 31


def test_a_parse_with_a_fault_is_reported_once_and_makes_the_form_invalid(
    form: Form[Person], window: Window, qtorch_runtime: TestRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.excepthook", lambda *_: None)
    form.load(ANN)
    bind_two_way(window.age, form.field(lambda p: p.age), parse=lambda text: text.no_such_thing)  # type: ignore[attr-defined]
    window.age.setText("3")
    assert [type(report.error) for report in qtorch_runtime.reports] == [AttributeError]
    assert (form.value, is_marked(window.age)) == (None, True)


def test_a_formatter_is_never_given_what_was_typed(form: Form[Person], window: Window) -> None:
    form.load(ANN)
    bind_two_way(window.age, form.field(lambda p: p.age), format=lambda age: f"{age:d}")
    window.age.setText("3x")
    window.name.setFocus()
    form.submit.trigger()
    assert window.age.text() == "3x"


def test_debounce_waits_and_a_submit_does_not(qtorch_clock: FakeClock, form: Form[Person], window: Window) -> None:
    form.load(ANN)
    bind_two_way(window.name, form.field(lambda p: p.name), debounce=1)
    window.name.setText("Bo")
    assert form.value == ANN
    sent: list[Any] = []
    form.submit.finished.connect(sent.append)
    form.submit.trigger()
    assert [person.name for person in sent] == ["Bo"]


def test_revert_takes_back_what_is_wrong_when_the_field_is_left(form: Form[Person], window: Window) -> None:
    form.load(ANN)
    bind_two_way(window.age, form.field(lambda p: p.age), revert=True)
    window.age.setFocus()
    window.age.setText("31")
    window.age.setText("31x")
    window.name.setFocus()
    assert (window.age.text(), form.value and form.value.age) == ("31", 31)


def test_commit_at_the_end_shows_nothing_while_typing(form: Form[Person], window: Window) -> None:
    bind_two_way(window.zip, form.field(lambda p: p.address.zip), commit="finish")
    window.zip.setFocus()
    QTest.keyClicks(window.zip, "1")
    assert not is_marked(window.zip)
    window.name.setFocus()
    assert is_marked(window.zip)


# ------------------------------------------------------------------------------------------------- fields of every kind


def test_a_path_through_none_is_disabled_until_there_is_a_model(form: Form[Person], window: Window) -> None:
    field = form.field(lambda p: p.second)
    form.load(ANN)
    bind_two_way(window.zip, form.field(lambda p: p.second.zip))  # type: ignore[union-attr]
    assert not window.zip.isEnabled()
    with pytest.raises(LookupError):
        form.field(lambda p: p.second.zip).set("1")  # type: ignore[union-attr]
    field.set(ANN.address)
    assert (window.zip.isEnabled(), window.zip.text()) == (True, "12345")
    window.zip.setText("1")
    assert (form.is_valid, field.get()) == (False, None)
    window.zip.setText("11111")
    assert field.get() == Address(street="Rue 1", zip="11111")
    field.set(None)
    assert (window.zip.isEnabled(), form.is_dirty) == (False, False)
    assert form.field(lambda p: p.second.zip).get() is MISSING  # type: ignore[union-attr, comparison-overlap]


def test_errors_find_their_field_by_alias(qtorch_runtime: TestRuntime) -> None:
    class Aliased(BaseModel):
        model_config = ConfigDict(extra="forbid")
        first: int = Field(alias="firstOne")
        second: int = Field(validation_alias="secondOne", serialization_alias="second-one")

    form = Form(Aliased)
    errors = [form.error(lambda a: a.first), form.error(lambda a: a.second)]
    form.submit.trigger()
    assert [error.get() for error in errors] == ["Fill this in."] * 2
    form.field(lambda a: a.first).set(1)
    form.field(lambda a: a.second).set(2)
    assert form.value == Aliased.model_validate({"firstOne": 1, "secondOne": 2})
    assert form.changes(by_alias=True) == {"firstOne": 1, "second-one": 2}


def test_a_field_that_is_read_from_inside_another_value_is_refused(qtorch_runtime: TestRuntime) -> None:
    class Inside(BaseModel):
        first: int = Field(validation_alias=AliasPath("all", 0))

    with pytest.raises(TypeError, match="AliasPath"):
        Form(Inside)


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = Field(default=9, le=9)


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str = Field(min_length=1)


class Owner(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] = Cat()
    other: Cat | Dog = Dog(name="Rex")


def test_errors_of_unions_find_their_field(qtorch_runtime: TestRuntime) -> None:
    form = Form(Owner)
    form.field(lambda o: o.pet.lives).set(10)  # type: ignore[union-attr]
    form.field(lambda o: o.other.name).set("")  # type: ignore[union-attr]
    assert form.summary == "Pet, Lives: Enter 9 or less.\nOther, Name: Fill this in."


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


class Everything(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    price: Decimal = Decimal(1)
    day: date | None = None
    color: Color
    word: SecretStr = Field(default=SecretStr("hunter2"), min_length=4)
    tags: tuple[str, ...] = ()
    agrees: bool
    made: list[int] = Field(default_factory=lambda: [1])

    @computed_field  # type: ignore[prop-decorator]
    @property
    def twice(self) -> Decimal:
        return self.price * 2


def test_values_of_every_kind_come_from_what_is_typed(qtorch_runtime: TestRuntime, window: Window) -> None:
    form = Form(Everything)
    bind_two_way(window.name, form.field(lambda e: e.price))
    bind_two_way(window.age, form.field(lambda e: e.day))
    bind_two_way(window.zip, form.field(lambda e: e.color))
    box = QCheckBox(window)
    bind_two_way(box, form.field(lambda e: e.agrees))
    window.name.setText("2.50")
    window.age.setText("2024-02-29")
    window.zip.setText("green")
    box.click()
    assert form.summary == "Color: Choose 'red' or 'blue'."
    window.zip.setText("blue")
    assert form.value == Everything(price=Decimal("2.50"), day=date(2024, 2, 29), color=Color.BLUE, agrees=True)
    window.age.clear()
    assert form.value is not None
    assert form.value.day is None


def test_an_empty_number_is_one_that_is_missing(form: Form[Person], shown: Window) -> None:
    shown.age.setText("1")
    shown.age.clear()
    assert (shown.age.toolTip(), form.is_dirty) == ("Fill this in.", False)


def test_a_secret_is_in_no_message_and_no_repr(qtorch_runtime: TestRuntime, window: Window) -> None:
    form = Form(Everything)
    bind_two_way(window.name, form.field(lambda e: e.word))
    assert window.name.text() == "hunter2"
    window.name.setText("sec")
    form.submit.trigger()
    shown = f"{form.summary} {form.state!r} {form.state.draft.tree!r} {form.state.draft.tree.values!r} {form!r}"
    assert "sec" not in shown.replace("SecretStr", "")
    assert "hunter2" not in shown
    window.name.setText("secret")
    form.field(lambda e: e.color).set(Color.RED)
    assert form.value is not None
    assert form.value.word.get_secret_value() == window.name.text() == "secret"
    assert "secret" not in f"{form.state!r} {form.state.draft.tree.values!r}"


def test_computed_and_misspelt_fields_are_refused_with_what_to_write(qtorch_runtime: TestRuntime) -> None:
    form = Form(Everything)
    with pytest.raises(AttributeError, match="is no field but computed"):
        form.field(lambda e: e.twice)
    with pytest.raises(AttributeError, match="Did you mean 'price'"):
        form.field(lambda e: e.prize)  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="takes the path of a list of pydantic models"):
        form.rows(lambda e: e.tags)  # type: ignore[type-var]


def test_what_is_no_model_with_fields_is_refused(qtorch_runtime: TestRuntime) -> None:
    @dataclass
    class Point:
        x: int

    class Names(RootModel[list[str]]):
        pass

    with pytest.raises(TypeError, match="Point is no pydantic model"):
        Form(Point)  # type: ignore[type-var]
    with pytest.raises(TypeError, match="a RootModel"):
        Form(Names)
    with pytest.raises(TypeError, match="write Form\\(Person\\), then"):
        Form(ANN)  # type: ignore[arg-type]


def test_a_state_can_be_the_model_of_a_form_class(qtorch_runtime: TestRuntime) -> None:
    class Settings(BaseState):
        volume: int = 3

    class SettingsForm(Form[Settings]):
        pass

    form = SettingsForm(Settings)
    form.field(lambda s: s.volume).set(4)
    assert form.value == Settings(volume=4)


def test_a_required_number_begins_with_what_its_spin_box_shows(form: Form[Person], window: Window) -> None:
    box = QSpinBox(window)
    bind_two_way(box, form.field(lambda p: p.age))
    assert (form.field(lambda p: p.age).get(), form.is_dirty, form.summary) == (0, False, "")
    box.setValue(3)
    assert form.is_dirty
    form.reset()
    assert (box.value(), form.is_dirty) == (0, False)


def test_a_spin_box_that_has_a_text_for_nothing_begins_with_nothing(form: Form[Person], window: Window) -> None:
    box = QSpinBox(window)
    box.setMinimum(-1)
    box.setSpecialValueText("unknown")
    bind_two_way(box, form.field(lambda p: p.age))
    form.submit.trigger()
    assert box.toolTip() == "Fill this in."


def test_what_is_typed_into_one_widget_is_no_value_for_another_kind(
    form: Form[Person], window: Window, qtorch_runtime: TestRuntime
) -> None:
    form.load(ANN)
    box = QSpinBox(window)
    bind_two_way(box, form.field(lambda p: p.age))
    bind_two_way(window.age, form.field(lambda p: p.age))
    window.age.setText("3x")
    assert (box.value(), window.age.text(), is_marked(box), qtorch_runtime.reports) == (30, "3x", True, [])
    box.setValue(31)
    assert (window.age.text(), is_marked(box), is_marked(window.age)) == ("31", False, False)


class Town(BaseModel, frozen=True):
    zip: str = Field(pattern=r"^\d{5}$")


class Visit(BaseModel):
    town: Town


def test_a_model_can_be_chosen_as_a_whole(qtorch_runtime: TestRuntime, window: Window) -> None:
    form = Form(Visit)
    box = QComboBox(window)
    bind_two_way(box, form.field(lambda v: v.town), items=[("one", Town(zip="11111")), ("two", Town(zip="22222"))])
    bind_two_way(window.zip, form.field(lambda v: v.town.zip))
    assert box.currentIndex() == -1
    box.setCurrentIndex(1)
    box.activated.emit(1)
    assert (window.zip.text(), box.currentText()) == ("22222", "two")
    window.zip.setText("2")
    assert box.currentIndex() == -1


def test_a_default_that_depends_on_other_fields_comes_with_them(qtorch_runtime: TestRuntime) -> None:
    class Login(BaseModel):
        name: str = Field(min_length=1)
        nick: str = Field(default_factory=lambda data: data["name"].lower())

    form = Form(Login)
    nick = form.field(lambda one: one.nick)
    assert nick.get() is None
    form.field(lambda one: one.name).set("Ann")
    assert (nick.get(), form.value) == ("ann", Login(name="Ann"))


# ------------------------------------------------------------------------------------------------- words


def test_the_programs_own_words_stand_for_some_errors(qtorch_runtime: TestRuntime) -> None:
    def in_german(kind: str, context: Any) -> str | None:
        return f"Mindestens {context['ge']}" if kind == "greater_than_equal" else None

    form = Form(Person, messages=in_german)
    form.field(lambda p: p.age).set(-1)
    form.field(lambda p: p.name).set("")
    form.field(lambda p: p.name).set("A")
    form.field(lambda p: p.name).set("")
    assert form.summary == "Name: Fill this in.\nAge: Mindestens 0"


def test_words_that_raise_are_reported_and_the_usual_ones_are_shown(
    qtorch_runtime: TestRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.excepthook", lambda *_: None)

    def faulty(kind: str, context: Any) -> str:
        raise KeyError(kind)

    form = Form(Person, messages=faulty)
    form.load(ANN)
    qtorch_runtime.reports.clear()
    form.field(lambda p: p.age).set(-1)
    assert (form.summary, len(qtorch_runtime.reports)) == ("Age: Enter 0 or more.", 1)


class Fragile(BaseModel):
    n: int = 1

    @model_validator(mode="after")
    def _faulty(self) -> Fragile:
        if self.n == 13:
            raise KeyError("thirteen")
        return self


def test_a_rule_with_a_fault_is_reported_once_and_shown_and_the_form_goes_on(
    qtorch_runtime: TestRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.excepthook", lambda *_: None)
    form = Form(Fragile)
    form.field(lambda f: f.n).set(13)
    form.submit.trigger()
    assert (form.value, form.summary) == (None, "This cannot be checked (KeyError).")
    assert [type(report.error) for report in qtorch_runtime.reports] == [KeyError]
    form.field(lambda f: f.n).set(12)
    assert form.value == Fragile(n=12)


# ------------------------------------------------------------------------------------------------- screen readers


def test_an_error_is_said_where_the_user_is_and_nowhere_else(
    form: Form[Person], shown: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[Any, str]] = []
    monkeypatch.setattr(
        QAccessible,
        "updateAccessibility",
        staticmethod(lambda event: said.append((event.object(), event.message()))),
    )
    shown.zip.setFocus()
    QTest.keyClicks(shown.zip, "12")
    assert said == [(shown.zip, "Use the expected format.")]
    form.field(lambda p: p.age).set(-1)
    assert len(said) == 1
    assert shown.age.accessibleDescription() == "Enter 0 or more."


# ------------------------------------------------------------------------------------------------- lives and threads


def test_it_needs_a_runtime_and_says_so(qapp: object) -> None:
    with pytest.raises(NoRuntimeError):
        Form(Person)


@pytest.mark.realtime
def test_a_write_from_another_thread_is_refused_before_any_rule_runs(form: Form[Person]) -> None:
    errors: list[BaseException] = []

    def write(action: Callable[[], object]) -> None:
        try:
            action()
        except WrongThreadError as error:
            errors.append(error)

    field = form.field(lambda p: p.age)
    for action in (lambda: field.set(3), lambda: form.load(ANN), form.reset, lambda: form.refuse({"age": "no"})):
        thread = threading.Thread(target=write, args=(action,))
        thread.start()
        thread.join()
    assert (len(errors), form.is_dirty) == (4, False)


def test_a_widget_deleted_by_a_listener_of_the_same_edit_does_no_harm(form: Form[Person], shown: Window) -> None:
    form.select(lambda s: s.summary).subscribe(
        lambda _: shiboken6.delete(shown.zip) if shiboken6.isValid(shown.zip) else None
    )
    QTest.keyClicks(shown.age, "x")
    form.field(lambda p: p.address.zip).set("1")
    assert is_marked(shown.age)
    form.submit.trigger()


def test_what_is_typed_into_a_closed_form_is_refused_and_reported(
    form: Form[Person], shown: Window, qtorch_runtime: TestRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.excepthook", lambda *_: None)
    form.load(ANN)
    form.close()
    shown.age.setText("31")
    assert [type(report.error) for report in qtorch_runtime.reports] == [ClosedError]
    with pytest.raises(ClosedError):
        form.field(lambda p: p.age).set(31)
    assert form.value == ANN


def test_what_was_typed_last_is_lost_with_window_and_form_and_harms_nobody(
    qtorch_clock: FakeClock, qtorch_runtime: TestRuntime
) -> None:
    window = QWidget()
    form = Form(Person, parent=window)
    edit = QLineEdit(window)
    bind_two_way(edit, form.field(lambda p: p.name), debounce=1)
    edit.setText("Bo")
    shiboken6.delete(window)
    qtorch_clock.advance(2)
    assert qtorch_runtime.reports == []


def test_an_edit_from_a_listener_of_an_edit_is_taken(form: Form[Person], shown: Window) -> None:
    form.load(ANN)
    form.field(lambda p: p.first_day).subscribe(lambda day: form.field(lambda p: p.last_day).set(day + 1))
    form.field(lambda p: p.first_day).set(9)
    assert form.value is not None
    assert (form.value.first_day, form.value.last_day) == (9, 10)


def test_rules_are_asked_once_per_edit_and_only_widgets_of_that_field_look_again(
    qtorch_runtime: TestRuntime, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    class Counted(BaseModel):
        a: int = 1
        b: int = 1

        @model_validator(mode="after")
        def _count(self) -> Counted:
            asked.append(1)
            return self

    form = Form(Counted)
    looked: list[str] = []
    for edit, field, name in (
        (window.name, form.field(lambda c: c.a), "a"),
        (window.age, form.field(lambda c: c.b), "b"),
    ):
        bind_two_way(edit, field, format=lambda value, name=name: looked.append(name) or str(value))
        bind(QLabel(parent=window), "text", form.error(lambda c: c.a))
        bind(QLabel(parent=window), "text", form.select(lambda s: s.summary))
    asked.clear()
    looked.clear()
    window.name.setText("2")
    assert (len(asked), set(looked)) == (1, {"a"})


def test_300_forms_with_their_windows_die_by_reference_count_alone(qtorch_runtime: TestRuntime) -> None:
    gc.collect()
    gc.disable()
    try:
        dead: list[weakref.ref[Any]] = []
        for number in range(300):
            window = QWidget()
            form = Form(Person, submit=print, can=lambda s: s.is_dirty, parent=window)
            edit, label = QLineEdit(window), QLabel(window)
            bind_two_way(edit, form.field(lambda p: p.address.zip))
            bind(label, "text", form.error(lambda p: p.address.zip))
            edit.setText(str(number))
            form.submit.trigger()
            dead += [weakref.ref(one) for one in (window, form, edit, label, form.submit, form.state.draft.tree.model)][
                :5
            ]
            shiboken6.delete(window)
            del window, form, edit, label
        assert not [ref for ref in dead if ref() is not None]
    finally:
        gc.enable()


def test_a_form_without_a_window_dies_with_its_last_reference(qtorch_runtime: TestRuntime) -> None:
    gc.collect()
    gc.disable()
    try:
        form = Form(Person, submit=print)
        source: Source[str] | None = form.error(lambda p: p.age)
        subscription = source.subscribe(print) if source else None
        dead = weakref.ref(form)
        del form
        assert dead() is not None
        if subscription:
            subscription.close()
        del source, subscription
        assert dead() is None
    finally:
        gc.enable()
